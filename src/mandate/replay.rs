//! The life of a mandate, told again from its journal facts.
//!
//! `journal verify` holds each mandate's stored state against what its entries say. The same consuming
//! transitions are used as in life, so a history that could not have happened is an error that names
//! the fact.

use super::{
    AidantId, Consent, Declarations, EndReason, EventKind, Instant, Mandate, MandateId, OrganisationId,
    ProcedureId, Terms, TransitionError,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One step of a mandate's life, exactly as much as it takes to do it again. Serialised as the opening
/// of its entry, tagged with the entry's [`EventKind`]. It names persons by identifier only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum LifeFact {
    /// An aidant proposed it.
    #[serde(rename = "mandate.proposed")]
    Proposed {
        /// The mandatary.
        organisation: OrganisationId,
        /// The aidant.
        proposed_by: AidantId,
        /// What it grants.
        terms: Terms,
    },
    /// The usager agreed, having declared to be of age and under no protection measure.
    #[serde(rename = "mandate.consented")]
    Consented {
        /// The agreement.
        consent: Consent,
    },
    /// The usager said no.
    #[serde(rename = "mandate.refused")]
    Refused,
    /// The organisation accepted.
    #[serde(rename = "mandate.accepted")]
    Accepted {
        /// The aidant who accepted for it.
        by: AidantId,
    },
    /// Nobody answered in time.
    #[serde(rename = "mandate.lapsed")]
    Lapsed,
    /// One procedure was taken out.
    #[serde(rename = "mandate.procedure_withdrawn")]
    Withdrawn {
        /// Which.
        procedure: ProcedureId,
    },
    /// It ended.
    #[serde(rename = "mandate.ended")]
    Ended {
        /// Why.
        reason: EndReason,
    },
}

impl LifeFact {
    /// The kind of the entry that carries this fact.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        match self {
            Self::Proposed { .. } => EventKind::MandateProposed,
            Self::Consented { .. } => EventKind::MandateConsented,
            Self::Refused => EventKind::MandateRefused,
            Self::Accepted { .. } => EventKind::MandateAccepted,
            Self::Lapsed => EventKind::MandateLapsed,
            Self::Withdrawn { .. } => EventKind::ProcedureWithdrawn,
            Self::Ended { .. } => EventKind::MandateEnded,
        }
    }
}

/// Why a history could not have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Impossible {
    /// The history is empty or begins in the middle.
    #[error("it does not begin with a proposal")]
    NoProposal,
    /// A mandate is proposed once.
    #[error("it is proposed again")]
    ProposedTwice,
    /// The consent tells another time than its entry.
    #[error("the consent tells another time than its entry")]
    OtherInstant,
    /// The step does not follow from what came before.
    #[error(transparent)]
    Transition(#[from] TransitionError),
}

/// A history that could not have happened, and where it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("fact {at} of mandate's life is impossible: {why}")]
pub struct ReplayError {
    /// Position of the fact in the history, from 0.
    pub at: usize,
    /// Why it cannot stand there.
    pub why: Impossible,
}

/// Rebuilds a mandate from its facts, each with the instant of its entry.
///
/// # Errors
/// [`ReplayError`] at the first fact that cannot follow those before it.
pub fn replay(
    id: MandateId,
    facts: impl IntoIterator<Item = (Instant, LifeFact)>,
) -> Result<Mandate, ReplayError> {
    let mut facts = facts.into_iter();
    let Some((at, LifeFact::Proposed { organisation, proposed_by, terms })) = facts.next() else {
        return Err(ReplayError { at: 0, why: Impossible::NoProposal });
    };
    let mut mandate = Mandate::propose(id, organisation, proposed_by, terms, at);
    for (position, (now, fact)) in facts.enumerate() {
        mandate = step(mandate, fact, now).map_err(|why| ReplayError { at: position + 1, why })?;
    }
    Ok(mandate)
}

fn step(mandate: Mandate, fact: LifeFact, now: Instant) -> Result<Mandate, Impossible> {
    let next = match fact {
        LifeFact::Proposed { .. } => return Err(Impossible::ProposedTwice),
        LifeFact::Consented { consent } if consent.at.millis() != now.millis() => {
            return Err(Impossible::OtherInstant);
        }
        LifeFact::Consented { consent } => {
            // The fact exists only because both declarations were made.
            mandate.consent(consent, Declarations { not_protected: true, may_be_minor: false })
        }
        LifeFact::Refused => mandate.refuse(now),
        LifeFact::Accepted { by } => mandate.accept(by, now),
        LifeFact::Lapsed => mandate.lapse(now),
        LifeFact::Withdrawn { procedure } => mandate.withdraw(&procedure, now),
        LifeFact::Ended { reason } => mandate.end(reason, now),
    };
    Ok(next?)
}
