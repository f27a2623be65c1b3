//! The life of a mandate, told again from its journal facts.
//!
//! `journal verify` holds each mandate's stored state against what its entries say. The same consuming
//! transitions are used as in life, so a history that could not have happened is an error that names
//! the fact.

use super::{
    AidantId, Consent, ConsentChannel, Declarations, EndReason, EventKind, Instant, Mandate, MandateId,
    OrganisationId, ProcedureId, Terms, TransitionError,
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
    /// The usager is asked by another way than on the aidant's screen.
    #[serde(rename = "mandate.consent_asked")]
    Asked {
        /// By which way.
        channel: ConsentChannel,
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
            Self::Asked { .. } => EventKind::ConsentAsked,
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
        LifeFact::Asked { channel } => mandate.ask(channel, now),
        LifeFact::Refused => mandate.refuse(now),
        LifeFact::Accepted { by } => mandate.accept(by, now),
        LifeFact::Lapsed => mandate.lapse(now),
        LifeFact::Withdrawn { procedure } => mandate.withdraw(&procedure, now),
        LifeFact::Ended { reason } => mandate.end(reason, now),
    };
    Ok(next?)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{
        active, aidant, consent_at, consented, minute, organisation, procedure, proposed, terms,
    };
    use super::*;
    use crate::mandate::{Instant, StateName, Term};

    fn beginning() -> Vec<(Instant, LifeFact)> {
        let (organisation, proposed_by) = (organisation().id, aidant().id);
        let terms = terms(Term::Day);
        vec![
            (minute(0), LifeFact::Proposed { organisation, proposed_by, terms }),
            (minute(1), LifeFact::Consented { consent: consent_at(minute(1)) }),
            (minute(2), LifeFact::Accepted { by: aidant().id }),
        ]
    }

    fn told(facts: &[(Instant, LifeFact)]) -> Result<Mandate, ReplayError> {
        replay(proposed().id, facts.iter().cloned())
    }

    #[test]
    fn each_prefix_of_a_life_gives_the_mandate_as_it_stood() {
        let facts = beginning();
        assert_eq!(told(&facts[..1]), Ok(proposed()));
        assert_eq!(told(&facts[..2]), Ok(consented()));
        assert_eq!(told(&facts), Ok(active()));
    }

    #[test]
    fn every_ending_is_told_again() {
        let with = |from: usize, at, fact: LifeFact| {
            let mut facts = beginning();
            facts.truncate(from);
            facts.push((at, fact));
            told(&facts).unwrap()
        };
        assert_eq!(with(1, minute(3), LifeFact::Refused), proposed().refuse(minute(3)).unwrap());
        assert_eq!(with(1, minute(31), LifeFact::Lapsed), proposed().lapse(minute(31)).unwrap());
        for reason in EndReason::ALL {
            let at = minute(2 + 24 * 60);
            assert_eq!(with(3, at, LifeFact::Ended { reason }), active().end(reason, at).unwrap());
        }
        let dettes = procedure("dettes");
        let withdrawn = LifeFact::Withdrawn { procedure: dettes.clone() };
        assert_eq!(with(3, minute(3), withdrawn), active().withdraw(&dettes, minute(3)).unwrap());
    }

    #[test]
    fn an_impossible_history_is_named_at_the_fact_that_breaks_it() {
        let broken = |facts: &[(Instant, LifeFact)], at, why| {
            assert_eq!(told(facts), Err(ReplayError { at, why }));
        };
        let facts = beginning();
        broken(&[], 0, Impossible::NoProposal);
        broken(&facts[1..], 0, Impossible::NoProposal);
        broken(&[facts[0].clone(), facts[0].clone()], 1, Impossible::ProposedTwice);
        let not_from = |state| Impossible::Transition(TransitionError::NotFrom(state));
        broken(&[facts[0].clone(), facts[2].clone()], 1, not_from(StateName::Proposed));
        let mut twice = facts.clone();
        twice.push(facts[1].clone());
        broken(&twice, 3, not_from(StateName::Active));
        let mut moved = facts.clone();
        moved[1].0 = minute(2);
        broken(&moved, 1, Impossible::OtherInstant);
        let mut revived = facts.clone();
        revived.push((minute(3), LifeFact::Ended { reason: EndReason::Revoked }));
        revived.push(facts[2].clone());
        broken(&revived, 4, not_from(StateName::Ended));
    }

    #[test]
    fn facts_are_written_under_the_name_of_their_entry_and_read_back() {
        let mut facts: Vec<_> = beginning().into_iter().map(|(_, fact)| fact).collect();
        facts.extend([
            LifeFact::Refused,
            LifeFact::Lapsed,
            LifeFact::Withdrawn { procedure: procedure("dettes") },
            LifeFact::Ended { reason: EndReason::Protected },
        ]);
        for fact in facts {
            let written = serde_json::to_value(&fact).unwrap();
            assert_eq!(written["kind"], fact.kind().as_str());
            assert_eq!(serde_json::from_value::<LifeFact>(written).unwrap(), fact);
        }
        assert!(serde_json::from_str::<LifeFact>(r#"{"kind":"mandate.widened"}"#).is_err());
    }
}
