//! Pages for whoever is shown a mandate's paper.

use super::*;
use crate::mandate::MandateNumber;
use crate::view::Problem;
use crate::view::presented::{Verified, Verify};

fn verify(problems: Vec<Problem>, code: &str) -> Verify {
    let number = if problems.is_empty() && code.is_empty() { "" } else { "1820-035-728" }.into();
    Verify { problems, number, code: code.into() }
}

fn verified(cast: &Cast, over: Option<Instant>) -> Verified {
    Verified {
        number: MandateNumber::of(&cast.card(1, in_force()).id),
        organisation: cast.organisation.clone(),
        over,
        until: over.is_none().then(|| minute(20_000)),
        procedures: if over.is_none() { granted() } else { vec![] },
        now: now(),
    }
}

pub(super) const SAMPLES: &[Sample] = &[
    ("verify-mandate", |_, l| verify(vec![], "").render(&handed_over(l))),
    ("verify-mandate-filled", |_, l| verify(vec![], "k7qf2m9x4rtab").render(&handed_over(l))),
    ("verify-mandate-refused", |_, l| verify(vec![Problem::PaperRefused], "").render(&handed_over(l))),
    ("verified-mandate", |cast, l| verified(cast, None).render(&anonymous(l))),
    ("verified-mandate-over", |cast, l| verified(cast, Some(minute(-30))).render(&anonymous(l))),
];
