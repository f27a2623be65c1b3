//! When a usager is reminded of a mandate: that it ends soon, that it is not used. None when there is nothing to be reminded of
//! in time: a mandate as short as the lead tells its end by itself, and one that has ended needs no reminder.

use super::{Instant, Mandate, NoticeKind, State};
use time::Duration;

/// So long unused, a mandate is one that may have been forgotten: five months, as an aidant who does nothing is warned.
pub const UNUSED: Duration = Duration::days(152);
/// The first word of an end comes so long before it.
const MONTH: Duration = Duration::days(30);
/// The last one so long.
const WEEK: Duration = Duration::days(7);

/// A reminder of a mandate that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reminder {
    /// It ends in 30 days or less, and in more than 7.
    EndsInAMonth,
    /// It ends in 7 days or less.
    EndsInAWeek,
    /// It was not used for [`UNUSED`].
    Unused,
}

impl Reminder {
    /// Every reminder.
    pub const ALL: [Self; 3] = [Self::EndsInAMonth, Self::EndsInAWeek, Self::Unused];

    /// How it is told.
    #[must_use]
    pub const fn notice(self) -> NoticeKind {
        match self {
            Self::EndsInAMonth => NoticeKind::EndsInAMonth,
            Self::EndsInAWeek => NoticeKind::EndsInAWeek,
            Self::Unused => NoticeKind::Unused,
        }
    }

    /// How long before the end it begins to be due; none for what is no matter of the end.
    #[must_use]
    pub const fn lead(self) -> Option<Duration> {
        match self {
            Self::EndsInAMonth => Some(MONTH),
            Self::EndsInAWeek => Some(WEEK),
            Self::Unused => None,
        }
    }

    /// How long before the end it is no longer due, because the next one is; none for the last.
    #[must_use]
    pub const fn until(self) -> Option<Duration> {
        match self {
            Self::EndsInAMonth => Some(WEEK),
            Self::EndsInAWeek | Self::Unused => None,
        }
    }

    /// Whether it is due now for a mandate last used then. A reminder that was missed is not sent late: the next one says more.
    #[must_use]
    pub fn is_due(self, mandate: &Mandate, last_used: Option<Instant>, now: Instant) -> bool {
        let State::Active { acceptance, .. } = &mandate.state else { return false };
        let (from, until) = (acceptance.at, acceptance.ends_at);
        if now >= until {
            return false;
        }
        match self.lead() {
            Some(lead) => {
                let replaced = self.until().is_some_and(|next| until.since(now) <= next);
                until.since(from) > lead && until.since(now) <= lead && !replaced
            }
            None => now.since(last_used.map_or(from, |used| used.max(from))) >= UNUSED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mandate::samples::{DECLARED, aidant, consent_at, minute, proposed, terms};
    use crate::mandate::{EndReason, Term};

    fn in_force(term: Term) -> Mandate {
        let proposed = Mandate { terms: terms(term), ..proposed() };
        proposed.consent(consent_at(minute(1)), DECLARED).unwrap().accept(aidant().id, minute(2)).unwrap()
    }

    fn due(mandate: &Mandate, last: Option<Instant>, now: Instant) -> Vec<Reminder> {
        Reminder::ALL.into_iter().filter(|one| one.is_due(mandate, last, now)).collect()
    }

    fn bounds(mandate: &Mandate) -> (Instant, Instant) {
        match &mandate.state {
            State::Active { acceptance, .. } => (acceptance.at, acceptance.ends_at),
            _ => panic!("it is in force"),
        }
    }

    #[test]
    fn each_end_is_told_a_month_and_a_week_before_to_the_microsecond_and_not_after_it() {
        let mandate = in_force(Term::Year);
        let (from, until) = bounds(&mandate);
        let used = Some(until.plus(-Duration::days(60)));
        let at = |before: Duration| due(&mandate, used, until.plus(-before));
        let a_little = Duration::microseconds(1);
        let (month, week) = (Duration::days(30), Duration::days(7));
        assert!(at(month + a_little).is_empty());
        assert_eq!(at(month), [Reminder::EndsInAMonth]);
        assert_eq!(at(week + a_little), [Reminder::EndsInAMonth]);
        assert_eq!(at(week), [Reminder::EndsInAWeek]);
        assert_eq!(at(a_little), [Reminder::EndsInAWeek]);
        assert!(at(Duration::ZERO).is_empty() && at(-month).is_empty());
        assert!(due(&mandate, None, from).is_empty());
    }

    #[test]
    fn a_mandate_as_short_as_the_lead_gets_no_reminder() {
        let day = in_force(Term::Day);
        let (from, _) = bounds(&day);
        for hour in 0..48 {
            assert!(due(&day, None, from.plus(Duration::hours(hour))).is_empty());
        }
        let month = in_force(Term::Month);
        let (from, _) = bounds(&month);
        assert!(due(&month, None, from).is_empty());
        assert_eq!(due(&month, None, from.plus(Duration::days(1))), [Reminder::EndsInAMonth]);
    }

    #[test]
    fn what_was_not_used_for_five_months_is_told_counted_from_the_last_use() {
        let mandate = in_force(Term::Year);
        let (from, _) = bounds(&mandate);
        let late = from.plus(UNUSED);
        assert_eq!(due(&mandate, None, late), [Reminder::Unused]);
        assert!(due(&mandate, None, late.plus(-Duration::microseconds(1))).is_empty());
        assert!(due(&mandate, Some(from.plus(Duration::days(1))), late).is_empty());
        assert_eq!(
            due(&mandate, Some(from.plus(Duration::days(1))), late.plus(Duration::days(1))),
            [Reminder::Unused]
        );
    }

    #[test]
    fn what_has_ended_is_no_longer_told() {
        let mandate = in_force(Term::Year);
        let (_, until) = bounds(&mandate);
        let now = until.plus(-Duration::days(1));
        let ended = mandate.end(EndReason::Revoked, now).unwrap();
        assert!(due(&ended, None, now).is_empty());
    }
}
