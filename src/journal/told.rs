//! The mandate that its own history tells of, for whoever has nothing but that file and a policy.

use super::{History, ProvedStep, Slot};
use crate::mandate::{LifeFact, Mandate, MandateId, ReplayError, replay};
use serde::Deserialize;
use thiserror::Error;

/// Why a history that is proved does not tell of a mandate. Numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ToldError {
    /// What opens an entry is not in the file: it may have been the end.
    #[error("entry {0} is told by nothing: its opening was left out, or erased")]
    Silent(u64),
    /// An entry tells of something else than this version knows, or of another mandate.
    #[error("entry {0} does not tell of this mandate in a way known here")]
    Unknown(u64),
    /// The steps do not follow from one another.
    #[error("the steps do not follow from one another: {0}")]
    Impossible(ReplayError),
}

impl ToldError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Silent(_) => "history_silent",
            Self::Unknown(_) => "history_unknown",
            Self::Impossible(_) => "history_impossible",
        }
    }
}

/// What the `act` slot of an entry tells.
#[derive(Deserialize)]
struct Act {
    mandate: Option<MandateId>,
    fact: Option<serde_json::Value>,
}

/// Tells the life of the mandate again, from every entry of a history that was verified ([`History::verify`]).
///
/// # Errors
/// [`ToldError`]: a history with a hole in what it tells is refused whole, as the hole may be the mandate's end.
pub fn told(history: &History, proved: &[ProvedStep]) -> Result<Mandate, ToldError> {
    let mut whose = None;
    let mut facts = Vec::new();
    for (number, (step, proved)) in (1_u64..).zip(history.steps.iter().zip(proved)) {
        let opening = step.openings.iter().find(|opening| opening.slot() == Slot::Act);
        let act: Act = opening.ok_or(ToldError::Silent(number))?.read().ok_or(ToldError::Unknown(number))?;
        if act.mandate.is_none() || whose.as_ref().is_some_and(|id| act.mandate.as_ref() != Some(id)) {
            return Err(ToldError::Unknown(number));
        }
        whose = act.mandate;
        if let Some(fact) = act.fact {
            let fact: LifeFact = serde_json::from_value(fact).map_err(|_| ToldError::Unknown(number))?;
            facts.push((proved.entry.at(), fact));
        }
    }
    replay(whose.ok_or(ToldError::Silent(1))?, facts).map_err(ToldError::Impossible)
}
