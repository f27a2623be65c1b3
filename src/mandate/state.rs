//! Where a mandate can stand, and the facts each state carries.

use super::{AidantId, ConsentChannel, Instant, ProcedureId, UsagerId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The usager's recorded agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Who consented.
    pub usager: UsagerId,
    /// When.
    pub at: Instant,
    /// When the citizens' provider had identified them for it; where none did, the consent's own instant.
    pub identified_at: Instant,
    /// Level of that identification (`eidas1` ...), or [`super::DECLARED`].
    pub identity_level: String,
    /// SHA-256 of the binding French text, in hexadecimal.
    pub text_hash: String,
    /// Language they read it in.
    pub language: String,
    /// Channel.
    pub channel: ConsentChannel,
}

/// The organisation's acceptance (Code civil art. 1984: the contract forms by it).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The aidant who accepted for the organisation.
    pub by: AidantId,
    /// When; the mandate starts here.
    pub at: Instant,
    /// When the mandate ends by itself.
    pub ends_at: Instant,
}

/// Why a mandate ended (Code civil art. 2003 to 2007).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The usager revoked it.
    Revoked,
    /// The aidant renounced.
    Renounced,
    /// The referent ended it for the organisation.
    EndedByOrganisation,
    /// Its term ran out.
    Expired,
    /// The usager died.
    Deceased,
    /// A protection measure was pronounced.
    Protected,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 6] = [
        Self::Revoked,
        Self::Renounced,
        Self::EndedByOrganisation,
        Self::Expired,
        Self::Deceased,
        Self::Protected,
    ];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Renounced => "renounced",
            Self::EndedByOrganisation => "ended_by_organisation",
            Self::Expired => "expired",
            Self::Deceased => "deceased",
            Self::Protected => "protected",
        }
    }

    /// The reason of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// Where a mandate stands. Each variant carries only the facts that exist by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Sealed by an aidant, waiting for the usager.
    Proposed,
    /// The usager agreed, waiting for the organisation.
    Consented(Consent),
    /// In force (unless its end has passed).
    Active {
        /// The usager's agreement.
        consent: Consent,
        /// The organisation's acceptance.
        acceptance: Acceptance,
        /// Procedures taken out since, with the instant.
        withdrawn: BTreeMap<ProcedureId, Instant>,
    },
    /// Over. Both agreements are kept; acceptance is absent when revoked before it.
    Ended {
        /// The usager's agreement.
        consent: Consent,
        /// The organisation's acceptance, when there was one.
        acceptance: Option<Acceptance>,
        /// Procedures taken out before the end, with the instant.
        withdrawn: BTreeMap<ProcedureId, Instant>,
        /// When it ended: the moment of the act that ended it, or the term itself when it expired.
        at: Instant,
        /// Why.
        reason: EndReason,
    },
    /// The usager said no.
    Refused {
        /// When.
        at: Instant,
    },
    /// Not agreed by both in time. What the usager agreed to is kept, if only the organisation was late.
    Lapsed {
        /// The usager's agreement, when there was one.
        consent: Option<Consent>,
        /// When it was found lapsed.
        at: Instant,
    },
}

/// The bare name of a state, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateName {
    /// See [`State::Proposed`].
    Proposed,
    /// See [`State::Consented`].
    Consented,
    /// See [`State::Active`].
    Active,
    /// See [`State::Ended`].
    Ended,
    /// See [`State::Refused`].
    Refused,
    /// See [`State::Lapsed`].
    Lapsed,
}

impl StateName {
    /// Every name.
    pub const ALL: [Self; 6] =
        [Self::Proposed, Self::Consented, Self::Active, Self::Ended, Self::Refused, Self::Lapsed];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Consented => "consented",
            Self::Active => "active",
            Self::Ended => "ended",
            Self::Refused => "refused",
            Self::Lapsed => "lapsed",
        }
    }

    /// The state of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl State {
    /// The bare name.
    #[must_use]
    pub const fn name(&self) -> StateName {
        match self {
            Self::Proposed => StateName::Proposed,
            Self::Consented(_) => StateName::Consented,
            Self::Active { .. } => StateName::Active,
            Self::Ended { .. } => StateName::Ended,
            Self::Refused { .. } => StateName::Refused,
            Self::Lapsed { .. } => StateName::Lapsed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_states_and_reasons_read_back_and_nothing_else_does() {
        for name in StateName::ALL {
            assert_eq!(StateName::parse(name.as_str()), Some(name));
            assert_eq!(serde_json::to_value(name).unwrap(), name.as_str());
        }
        for reason in EndReason::ALL {
            assert_eq!(EndReason::parse(reason.as_str()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        for other in ["", "Active", "revived"] {
            assert_eq!((StateName::parse(other), EndReason::parse(other)), (None, None), "{other}");
        }
    }
}
