//! Whoever is shown a mandate's paper verifies it. These pages name no person.

use super::parts::Granted;
use super::{Problem, paths};
use crate::mandate::{Instant, MandateNumber};

page! {
    /// Asks for the number and the code on a paper.
    ///
    /// Form `verify-form` (POST `/verifier`): `csrf`, `number`, `code`; button `verify-submit`.
    Verify in Guarded from "presented/verify.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The number, as typed before or from the QR code.
        number: String,
        /// The code, from the QR code; never as typed before.
        code: String,
    }
}

impl Verify {
    const fn action() -> &'static str {
        paths::PRESENTED
    }
}

page! {
    /// Whether the mandate stands. Ids: `standing` or `over`; link `link-again`.
    Verified in Frame from "presented/verified.html" {
        /// The mandate's number.
        number: MandateNumber,
        /// Name of the organisation.
        organisation: String,
        /// Since when nobody can use it any more; none while it stands.
        over: Option<Instant>,
        /// When it ends by itself, while it stands.
        until: Option<Instant>,
        /// What it grants, while it stands; without what was taken out.
        procedures: Vec<Granted>,
        /// When this was looked up.
        now: Instant,
    }
}
