//! What an auditor may read: given by the operator, over by itself (contract `journal.md`, 4.7).

use super::{AuditorId, GrantId, Instant, MandateId, OrganisationId};
use std::collections::BTreeSet;
use thiserror::Error;
use time::Duration;

/// A grant ends after this long at the latest: an audit that lasts longer is granted again.
pub const LONGEST_GRANT: Duration = Duration::days(366);
/// A grant names at most so many organisations and mandates together; whoever needs more needs everything.
pub const MOST_NAMED: usize = 50;

/// Which slots of an entry are shown. What happened is always shown: without it there is nothing to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Slots {
    /// Organisation, service, address, session.
    pub ctx: bool,
    /// The usager's identifier.
    pub sub: bool,
    /// The aidant's identifier.
    pub aid: bool,
}

impl Slots {
    /// What is shown when nothing else is asked for: what happened, and where.
    pub const METADATA: Self = Self { ctx: true, sub: false, aid: false };
    /// Every slot.
    pub const ALL: Self = Self { ctx: true, sub: true, aid: true };

    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self { ctx: self.ctx || other.ctx, sub: self.sub || other.sub, aid: self.aid || other.aid }
    }

    /// Whether the slot of that name is shown.
    #[must_use]
    pub fn shows(self, slot: &str) -> bool {
        match slot {
            "act" => true,
            "ctx" => self.ctx,
            "sub" => self.sub,
            "aid" => self.aid,
            _ => false,
        }
    }

    /// The stable name: the slots in order, separated by a space.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match (self.ctx, self.sub, self.aid) {
            (false, false, false) => "act",
            (true, false, false) => "act ctx",
            (false, true, false) => "act sub",
            (false, false, true) => "act aid",
            (true, true, false) => "act ctx sub",
            (true, false, true) => "act ctx aid",
            (false, true, true) => "act sub aid",
            (true, true, true) => "act ctx sub aid",
        }
    }

    /// The slots of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let has = |slot| name.split(' ').any(|named| named == slot);
        let slots = Self { ctx: has("ctx"), sub: has("sub"), aid: has("aid") };
        (slots.as_str() == name).then_some(slots)
    }
}

/// Of whom a grant speaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// The whole journal.
    Everything,
    /// Entries of these organisations and of these mandates.
    Named {
        /// Organisations.
        organisations: BTreeSet<OrganisationId>,
        /// Mandates.
        mandates: BTreeSet<MandateId>,
    },
}

/// What an auditor may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Identifier.
    pub id: GrantId,
    /// To whom.
    pub auditor: AuditorId,
    /// Of whom.
    pub reach: Reach,
    /// Which slots.
    pub slots: Slots,
    /// Entries from this instant on.
    pub from: Instant,
    /// Entries before this instant.
    pub until: Instant,
    /// When it was given.
    pub given_at: Instant,
    /// When it is over.
    pub ends_at: Instant,
    /// When it was taken back.
    pub revoked_at: Option<Instant>,
}

/// Why a grant cannot be given, or not taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidGrant {
    /// It names nothing.
    #[error("grant_names_nothing")]
    NamesNothing,
    /// It names more than [`MOST_NAMED`].
    #[error("grant_names_too_many")]
    NamesTooMany,
    /// The period is empty.
    #[error("grant_period_empty")]
    PeriodEmpty,
    /// It is over before it begins, or lasts longer than [`LONGEST_GRANT`].
    #[error("grant_end_invalid")]
    EndInvalid,
    /// It was taken back before, or is over.
    #[error("grant_over")]
    Over,
}

impl InvalidGrant {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NamesNothing => "grant_names_nothing",
            Self::NamesTooMany => "grant_names_too_many",
            Self::PeriodEmpty => "grant_period_empty",
            Self::EndInvalid => "grant_end_invalid",
            Self::Over => "grant_over",
        }
    }
}

impl Grant {
    /// The grant, if it can be given.
    ///
    /// # Errors
    /// [`InvalidGrant`] naming the first rule that does not hold.
    pub fn check(self) -> Result<Self, InvalidGrant> {
        if let Reach::Named { organisations, mandates } = &self.reach {
            match organisations.len() + mandates.len() {
                0 => return Err(InvalidGrant::NamesNothing),
                named if named > MOST_NAMED => return Err(InvalidGrant::NamesTooMany),
                _ => {}
            }
        }
        if self.until <= self.from {
            return Err(InvalidGrant::PeriodEmpty);
        }
        if self.ends_at <= self.given_at || self.ends_at.since(self.given_at) > LONGEST_GRANT {
            return Err(InvalidGrant::EndInvalid);
        }
        Ok(self)
    }

    /// Whether it may be read under at that instant.
    #[must_use]
    pub fn stands(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && self.given_at <= now && now < self.ends_at
    }

    /// The grant, taken back.
    ///
    /// # Errors
    /// [`InvalidGrant::Over`] when it does not stand any more.
    pub fn revoke(self, now: Instant) -> Result<Self, InvalidGrant> {
        if !self.stands(now) {
            return Err(InvalidGrant::Over);
        }
        Ok(Self { revoked_at: Some(now), ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Instant {
        Instant::from_micros(0).plus(Duration::minutes(minute))
    }

    fn grant() -> Grant {
        Grant {
            id: GrantId::from_bytes([1; 16]),
            auditor: AuditorId::from_bytes([2; 16]),
            reach: Reach::Everything,
            slots: Slots::METADATA,
            from: at(0),
            until: at(60),
            given_at: at(10),
            ends_at: at(100),
            revoked_at: None,
        }
    }

    #[test]
    fn slots_read_back_and_nothing_else_does() {
        let both = [false, true];
        for (ctx, sub, aid) in both.iter().flat_map(|a| both.map(|b| both.map(|c| (*a, b, c)))).flatten() {
            let slots = Slots { ctx, sub, aid };
            assert_eq!(Slots::parse(slots.as_str()), Some(slots));
            assert!(slots.shows("act") && !slots.shows("name"));
            assert_eq!((slots.shows("ctx"), slots.shows("sub"), slots.shows("aid")), (ctx, sub, aid));
        }
        for name in ["", "ctx", "ctx act", "act  ctx", "act name"] {
            assert_eq!(Slots::parse(name), None, "{name}");
        }
    }

    #[test]
    fn a_grant_is_read_under_from_when_it_is_given_to_its_end_and_no_longer_once_revoked() {
        let grant = grant().check().unwrap();
        for (minute, stands) in [(9, false), (10, true), (99, true), (100, false)] {
            assert_eq!(grant.stands(at(minute)), stands, "{minute}");
        }
        let revoked = grant.clone().revoke(at(50)).unwrap();
        assert!(!revoked.stands(at(50)) && !revoked.stands(at(20)));
        assert_eq!(revoked.revoke(at(60)), Err(InvalidGrant::Over));
        assert_eq!(grant.revoke(at(100)), Err(InvalidGrant::Over));
    }

    #[test]
    fn a_grant_without_bounds_is_none() {
        let named = |count: u8| Reach::Named {
            organisations: (0..count).map(|n| OrganisationId::from_bytes([n; 16])).collect(),
            mandates: BTreeSet::new(),
        };
        for (wrong, why) in [
            (Grant { reach: named(0), ..grant() }, InvalidGrant::NamesNothing),
            (Grant { reach: named(51), ..grant() }, InvalidGrant::NamesTooMany),
            (Grant { until: at(0), ..grant() }, InvalidGrant::PeriodEmpty),
            (Grant { ends_at: at(10), ..grant() }, InvalidGrant::EndInvalid),
            (Grant { ends_at: at(10).plus(Duration::days(367)), ..grant() }, InvalidGrant::EndInvalid),
        ] {
            assert_eq!(wrong.check(), Err(why));
        }
        assert!(Grant { reach: named(50), ..grant() }.check().is_ok());
    }
}
