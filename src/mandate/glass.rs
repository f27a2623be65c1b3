//! Break-glass: an auditor asks to see names and identifiers of one mandate or one entry, another auditor opens it
//! within the hour, for one hour (contract `journal.md`, 4.7; `field.md`: two persons, journaled).
//!
//! ```text
//! asked --approve--> open (over by itself after an hour)
//!   |--refuse--> refused
//!   |--lapse---> lapsed
//! ```

use super::{AuditorId, EventId, GlassId, Instant, MandateId, ReadingId};
use thiserror::Error;
use time::Duration;

/// A request is answered within this long, or lapses.
pub const GLASS_ANSWER: Duration = Duration::hours(1);
/// What was approved stays open for this long.
pub const GLASS_OPEN: Duration = Duration::hours(1);

/// Where a request stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GlassState {
    /// Waiting for another auditor.
    Asked,
    /// Approved.
    Open {
        /// By whom.
        by: AuditorId,
        /// When.
        at: Instant,
    },
    /// Refused.
    Refused {
        /// By whom.
        by: AuditorId,
        /// When.
        at: Instant,
    },
    /// Nobody answered in time.
    Lapsed {
        /// When.
        at: Instant,
    },
}

impl GlassState {
    /// The stable name.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Open { .. } => "open",
            Self::Refused { .. } => "refused",
            Self::Lapsed { .. } => "lapsed",
        }
    }
}

/// A request for the content of one mandate, or of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glass {
    /// Identifier.
    pub id: GlassId,
    /// Who asks.
    pub auditor: AuditorId,
    /// Under which purpose.
    pub reading: ReadingId,
    /// The mandate; with an entry, the one it is about, if any.
    pub mandate: Option<MandateId>,
    /// The entry, when only one is asked for.
    pub entry: Option<EventId>,
    /// When it was asked.
    pub asked_at: Instant,
    /// Where it stands.
    pub state: GlassState,
}

/// Why a step of a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GlassError {
    /// Who asks does not approve.
    #[error("glass_own_request")]
    OwnRequest,
    /// It was answered before.
    #[error("glass_answered")]
    Answered,
    /// The hour to answer is over.
    #[error("glass_too_late")]
    TooLate,
    /// It cannot lapse yet.
    #[error("glass_too_early")]
    TooEarly,
}

impl GlassError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::OwnRequest => "glass_own_request",
            Self::Answered => "glass_answered",
            Self::TooLate => "glass_too_late",
            Self::TooEarly => "glass_too_early",
        }
    }
}

impl Glass {
    /// Until when it can be answered.
    #[must_use]
    pub fn answer_by(&self) -> Instant {
        self.asked_at.plus(GLASS_ANSWER)
    }

    /// Until when it is open; nothing when it was never opened.
    #[must_use]
    pub fn open_until(&self) -> Option<Instant> {
        match &self.state {
            GlassState::Open { at, .. } => Some(at.plus(GLASS_OPEN)),
            GlassState::Asked | GlassState::Refused { .. } | GlassState::Lapsed { .. } => None,
        }
    }

    /// Whether its auditor may read through it at that instant.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        match &self.state {
            GlassState::Open { at, .. } => *at <= now && now < at.plus(GLASS_OPEN),
            GlassState::Asked | GlassState::Refused { .. } | GlassState::Lapsed { .. } => false,
        }
    }

    fn may_answer(&self, by: &AuditorId, now: Instant) -> Result<(), GlassError> {
        if self.state != GlassState::Asked {
            return Err(GlassError::Answered);
        }
        if *by == self.auditor {
            return Err(GlassError::OwnRequest);
        }
        if now >= self.answer_by() { Err(GlassError::TooLate) } else { Ok(()) }
    }

    /// Opened by another auditor.
    ///
    /// # Errors
    /// [`GlassError`]: by the same auditor, again, or too late.
    pub fn approve(self, by: AuditorId, now: Instant) -> Result<Self, GlassError> {
        self.may_answer(&by, now)?;
        Ok(Self { state: GlassState::Open { by, at: now }, ..self })
    }

    /// Refused by another auditor.
    ///
    /// # Errors
    /// [`GlassError`]: by the same auditor, again, or too late.
    pub fn refuse(self, by: AuditorId, now: Instant) -> Result<Self, GlassError> {
        self.may_answer(&by, now)?;
        Ok(Self { state: GlassState::Refused { by, at: now }, ..self })
    }

    /// Lapsed, since nobody answered.
    ///
    /// # Errors
    /// [`GlassError`]: answered before, or the hour is not over.
    pub fn lapse(self, now: Instant) -> Result<Self, GlassError> {
        if self.state != GlassState::Asked {
            return Err(GlassError::Answered);
        }
        if now < self.answer_by() {
            return Err(GlassError::TooEarly);
        }
        Ok(Self { state: GlassState::Lapsed { at: now }, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(minute: i64) -> Instant {
        Instant::from_micros(0).plus(Duration::minutes(minute))
    }

    fn auditor(digit: u8) -> AuditorId {
        AuditorId::from_bytes([digit; 16])
    }

    fn asked() -> Glass {
        Glass {
            id: GlassId::from_bytes([1; 16]),
            auditor: auditor(1),
            reading: ReadingId::from_bytes([2; 16]),
            mandate: Some(MandateId::from_bytes([3; 16])),
            entry: None,
            asked_at: at(0),
            state: GlassState::Asked,
        }
    }

    #[test]
    fn what_another_auditor_approves_within_the_hour_is_open_for_an_hour() {
        let open = asked().approve(auditor(2), at(59)).unwrap();
        for (minute, is_open) in [(58, false), (59, true), (118, true), (119, false)] {
            assert_eq!(open.is_open(at(minute)), is_open, "{minute}");
        }
        assert_eq!(open.open_until(), Some(at(119)));
        assert!(!asked().is_open(at(1)));
    }

    #[test]
    fn whoever_asks_never_approves_and_an_hour_later_nobody_does() {
        assert_eq!(asked().approve(auditor(1), at(1)), Err(GlassError::OwnRequest));
        assert_eq!(asked().refuse(auditor(1), at(1)), Err(GlassError::OwnRequest));
        assert_eq!(asked().approve(auditor(2), at(60)), Err(GlassError::TooLate));
        assert_eq!(asked().lapse(at(59)), Err(GlassError::TooEarly));
        assert!(matches!(asked().lapse(at(60)).unwrap().state, GlassState::Lapsed { .. }));
    }

    proptest! {
        #[test]
        fn whatever_is_tried_in_whatever_order_one_answer_counts(steps in prop::collection::vec((0_u8..3, 1_u8..4, 0_i64..130), 1..20)) {
            let (mut glass, mut now, mut answers) = (asked(), 0, 0);
            for (step, who, later) in steps {
                now += later;
                let tried = match step {
                    0 => glass.clone().approve(auditor(who), at(now)),
                    1 => glass.clone().refuse(auditor(who), at(now)),
                    _ => glass.clone().lapse(at(now)),
                };
                if let Ok(next) = tried {
                    answers += 1;
                    glass = next;
                }
                if let GlassState::Open { by, at: opened } = &glass.state {
                    prop_assert!(*by != glass.auditor && *opened < glass.answer_by());
                }
            }
            prop_assert!(answers <= 1);
        }
    }
}
