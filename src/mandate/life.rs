//! The life of a mandate.
//!
//! ```text
//! proposed --consent--> consented --accept--> active --end--> ended{reason}
//!     |--refuse--> refused   |--lapse--> lapsed   |--withdraw one procedure--> active
//!     |--lapse---> lapsed    |--end(not expired)--> ended
//! ```
//! Transitions consume the mandate; one that does not fit gives back [`TransitionError`] and nothing else.

use super::{
    Acceptance, AidantId, Consent, EndReason, Instant, InvalidTerms, MandateId, OrganisationId, ProcedureId,
    State, StateName, Terms, UsagerId,
};
use std::collections::BTreeMap;
use thiserror::Error;
use time::Duration;

/// How long a proposal waits for the usager, and a consented one for the organisation.
pub const PROPOSAL_LIFE: Duration = Duration::minutes(30);

/// A mandate, from its proposal on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    /// Identifier.
    pub id: MandateId,
    /// The mandatary.
    pub organisation: OrganisationId,
    /// The aidant who proposed it.
    pub proposed_by: AidantId,
    /// When.
    pub proposed_at: Instant,
    /// What it grants.
    pub terms: Terms,
    /// Where it stands.
    pub state: State,
}

/// Why a transition was refused. The mandate is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransitionError {
    /// The transition does not exist from this state.
    #[error("a mandate that is {0:?} cannot do this")]
    NotFrom(StateName),
    /// The proposal's time has passed.
    #[error("the proposal has lapsed")]
    Lapsed,
    /// The proposal's time has not passed yet.
    #[error("the time has not come")]
    TooEarly,
    /// The identification is older than the proposal: consent asks for a fresh one (invariant 5).
    #[error("the identification is not fresh")]
    StaleIdentification,
    /// The term can no longer be met.
    #[error(transparent)]
    Terms(#[from] InvalidTerms),
    /// The procedure is not granted, or was withdrawn already.
    #[error("the procedure is not granted")]
    NotGranted,
    /// The person has declared to be under a protection measure, or is a minor: no mandate here.
    #[error("this person cannot grant a mandate here")]
    CannotGrant,
}

impl TransitionError {
    /// Stable code, shown beside the message and journaled.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFrom(_) => "mandate_state",
            Self::Lapsed => "proposal_lapsed",
            Self::TooEarly => "too_early",
            Self::StaleIdentification => "identification_not_fresh",
            Self::Terms(terms) => terms.code(),
            Self::NotGranted => "procedure_not_granted",
            Self::CannotGrant => "usager_cannot_grant",
        }
    }
}

/// What the usager declares when consenting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declarations {
    /// "I am under no protection measure."
    pub not_protected: bool,
    /// Whether the person could be under 18 ([`super::BirthDate::may_be_minor`]).
    pub may_be_minor: bool,
}

impl Mandate {
    /// A new proposal.
    #[must_use]
    pub fn propose(
        id: MandateId,
        organisation: OrganisationId,
        proposed_by: AidantId,
        terms: Terms,
        now: Instant,
    ) -> Self {
        Self { id, organisation, proposed_by, proposed_at: now, terms, state: State::Proposed }
    }

    /// When the proposal lapses if nobody consents.
    #[must_use]
    pub fn lapses_at(&self) -> Instant {
        let from = match &self.state {
            State::Consented(consent) => consent.at,
            _ => self.proposed_at,
        };
        from.plus(PROPOSAL_LIFE)
    }

    fn open(&self, now: Instant) -> Result<(), TransitionError> {
        if now >= self.lapses_at() { Err(TransitionError::Lapsed) } else { Ok(()) }
    }

    /// The usager agrees.
    ///
    /// # Errors
    /// [`TransitionError`] when not proposed, lapsed, not freshly identified, or the person cannot grant.
    pub fn consent(self, consent: Consent, declared: Declarations) -> Result<Self, TransitionError> {
        let State::Proposed = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        self.open(consent.at)?;
        if !declared.not_protected || declared.may_be_minor {
            return Err(TransitionError::CannotGrant);
        }
        if consent.identified_at < self.proposed_at || consent.identified_at > consent.at {
            return Err(TransitionError::StaleIdentification);
        }
        Terms::check_term(self.terms.term, consent.at)?;
        Ok(Self { state: State::Consented(consent), ..self })
    }

    /// The usager says no.
    ///
    /// # Errors
    /// [`TransitionError`] when not proposed or lapsed.
    pub fn refuse(self, now: Instant) -> Result<Self, TransitionError> {
        let State::Proposed = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        self.open(now)?;
        Ok(Self { state: State::Refused { at: now }, ..self })
    }

    /// The organisation accepts; the mandate is in force.
    ///
    /// # Errors
    /// [`TransitionError`] when not consented, lapsed, before the consent (a clock that went back), or
    /// the end date has passed meanwhile.
    pub fn accept(self, by: AidantId, now: Instant) -> Result<Self, TransitionError> {
        let deadline = self.lapses_at();
        let State::Consented(consent) = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        if now >= deadline {
            return Err(TransitionError::Lapsed);
        }
        if now < consent.at {
            return Err(TransitionError::TooEarly);
        }
        Terms::check_term(self.terms.term, now)?;
        let acceptance = Acceptance { by, at: now, ends_at: self.terms.term.end(now) };
        let state = State::Active { consent, acceptance, withdrawn: BTreeMap::new() };
        Ok(Self { state, ..self })
    }

    /// Nobody answered in time.
    ///
    /// # Errors
    /// [`TransitionError`] when it is past that stage or the time has not come.
    pub fn lapse(self, now: Instant) -> Result<Self, TransitionError> {
        match self.state {
            State::Proposed | State::Consented(_) if now >= self.lapses_at() => {
                Ok(Self { state: State::Lapsed { at: now }, ..self })
            }
            State::Proposed | State::Consented(_) => Err(TransitionError::TooEarly),
            other => Err(TransitionError::NotFrom(other.name())),
        }
    }

    /// Takes one procedure out. Taking out the last one ends the mandate as revoked.
    ///
    /// # Errors
    /// [`TransitionError`] when not active or the procedure is not (any more) granted.
    pub fn withdraw(self, procedure: &ProcedureId, now: Instant) -> Result<Self, TransitionError> {
        let State::Active { consent, acceptance, mut withdrawn } = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        if !self.terms.procedures.contains_key(procedure) || withdrawn.contains_key(procedure) {
            return Err(TransitionError::NotGranted);
        }
        withdrawn.insert(procedure.clone(), now);
        let left = self.terms.procedures.keys().any(|id| !withdrawn.contains_key(id));
        let state = if left {
            State::Active { consent, acceptance, withdrawn }
        } else {
            let (at, reason) = (now, EndReason::Revoked);
            State::Ended { consent, acceptance: Some(acceptance), withdrawn, at, reason }
        };
        Ok(Self { state, ..self })
    }

    /// Ends the mandate. A usager may revoke before the organisation has accepted, too, and no clock
    /// can stop a revocation. A mandate that expired ended at its term, whenever that was noticed.
    ///
    /// # Errors
    /// [`TransitionError`] when there is nothing to end, or an expiry comes before the term.
    pub fn end(self, reason: EndReason, now: Instant) -> Result<Self, TransitionError> {
        let state = match self.state {
            State::Consented(consent) if reason != EndReason::Expired => {
                let withdrawn = BTreeMap::new();
                State::Ended { consent, acceptance: None, withdrawn, at: now, reason }
            }
            State::Active { acceptance, .. } if reason == EndReason::Expired && now < acceptance.ends_at => {
                return Err(TransitionError::TooEarly);
            }
            State::Active { consent, acceptance, withdrawn } => {
                let at = if reason == EndReason::Expired { acceptance.ends_at } else { now };
                State::Ended { consent, acceptance: Some(acceptance), withdrawn, at, reason }
            }
            other => return Err(TransitionError::NotFrom(other.name())),
        };
        Ok(Self { state, ..self })
    }

    /// The usager, once one has consented.
    #[must_use]
    pub fn usager(&self) -> Option<&UsagerId> {
        match &self.state {
            State::Consented(consent) | State::Active { consent, .. } | State::Ended { consent, .. } => {
                Some(&consent.usager)
            }
            State::Proposed | State::Refused { .. } | State::Lapsed { .. } => None,
        }
    }

    /// The end set at acceptance, once there was one.
    #[must_use]
    pub fn ends_at(&self) -> Option<Instant> {
        match &self.state {
            State::Active { acceptance, .. } => Some(acceptance.ends_at),
            State::Ended { acceptance, .. } => acceptance.as_ref().map(|a| a.ends_at),
            _ => None,
        }
    }
}
