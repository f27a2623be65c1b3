//! The law of the mandate once more, for the tests: small, and written apart from the room.
//!
//! It counts in plain microseconds and knows nothing of states or refusals: it keeps who agreed when, and
//! asks in the law's own words whether an act may be done now.

use super::samples;
use super::{Act, EndReason, Instant, Standing, Term};
use std::collections::BTreeSet;

pub(super) const MINUTE: i64 = 60_000_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// The sample catalogue's procedures (only the first two are granted) and one it does not know.
pub(super) const PROCEDURES: [&str; 4] = ["impots", "dettes", "releve", "inconnue"];

/// What may happen.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Time passes, in minutes.
    Pass(i64),
    /// Time goes on to so many microseconds after the next limit the model knows.
    ToLimit(i64),
    /// With an identification so many minutes old.
    Consent {
        age: i64,
        not_protected: bool,
        may_be_minor: bool,
    },
    Refuse,
    Accept,
    Lapse,
    Withdraw(usize),
    End(EndReason),
    Organisation(Standing),
    Aidant(Standing),
    Service(Standing),
    CloseInOrganisation(usize, bool),
    CloseForAidant(usize, bool),
    Entitle(usize, bool),
}

/// What the law of the mandate looks at.
pub(super) struct Model {
    pub(super) now: i64,
    proposed: i64,
    consented: Option<i64>,
    accepted: Option<i64>,
    over: bool,
    withdrawn: BTreeSet<usize>,
    until_day: Option<i64>,
    days: i64,
}

impl Model {
    pub(super) fn new(term: Term) -> Self {
        let now = Instant::from(samples::START).micros();
        let (days, until_day) = match term {
            Term::Day => (1, None),
            Term::Month => (31, None),
            Term::SixMonths => (182, None),
            Term::Year => (365, None),
            Term::Until(day) => {
                let epoch = time::macros::date!(1970 - 01 - 01);
                (365, Some((day - epoch).whole_days()))
            }
        };
        let withdrawn = BTreeSet::new();
        Self { now, proposed: now, consented: None, accepted: None, over: false, withdrawn, until_day, days }
    }

    /// When it ends if it starts then.
    fn end_from(&self, start: i64) -> i64 {
        let longest = start + self.days * DAY;
        self.until_day.map_or(longest, |day| longest.min((day + 1) * DAY))
    }

    /// The next moment at which something runs out.
    pub(super) fn limit(&self) -> i64 {
        match (self.accepted, self.consented) {
            (Some(at), _) => self.end_from(at),
            (None, Some(at)) => at + 30 * MINUTE,
            (None, None) => self.proposed + 30 * MINUTE,
        }
    }

    fn waits(&self) -> bool {
        !self.over && self.accepted.is_none()
    }

    fn in_force(&self) -> bool {
        !self.over && self.accepted.is_some()
    }

    /// Whether the step may happen now; when it may, it has.
    pub(super) fn step(&mut self, op: &Op) -> bool {
        let timely = self.now < self.limit();
        let may = match op {
            Op::Consent { age, not_protected, may_be_minor } => {
                let identified = self.now - age * MINUTE;
                let fresh = self.proposed <= identified && identified <= self.now;
                let able = *not_protected && !may_be_minor;
                let future = self.end_from(self.now) > self.now;
                self.waits() && self.consented.is_none() && timely && fresh && able && future
            }
            Op::Refuse => self.waits() && self.consented.is_none() && timely,
            Op::Accept => {
                self.waits() && self.consented.is_some() && timely && self.end_from(self.now) > self.now
            }
            Op::Lapse => self.waits() && !timely,
            Op::Withdraw(at) => self.in_force() && *at < 2 && !self.withdrawn.contains(at),
            Op::End(EndReason::Expired) => self.in_force() && !timely,
            Op::End(_) => !self.over && self.consented.is_some(),
            _ => return false,
        };
        if may {
            match op {
                Op::Consent { .. } => self.consented = Some(self.now),
                Op::Accept => self.accepted = Some(self.now),
                Op::Withdraw(at) => {
                    self.withdrawn.insert(*at);
                    self.over = self.withdrawn.len() == 2;
                }
                _ => self.over = true,
            }
        }
        may
    }

    /// Whether the mandate alone lets these acts of this procedure be done now.
    pub(super) fn grants(&self, at: usize, acts: &BTreeSet<Act>) -> bool {
        let granted: &[Act] = match at {
            0 => &[Act::Prepare, Act::Fill, Act::Submit],
            1 => &[Act::Prepare, Act::Fill],
            _ => &[],
        };
        let listed = !acts.is_empty() && acts.iter().all(|act| granted.contains(act));
        let stands = self.in_force() && self.accepted.is_some_and(|from| from <= self.now);
        stands && self.now < self.limit() && listed && !self.withdrawn.contains(&at)
    }
}
