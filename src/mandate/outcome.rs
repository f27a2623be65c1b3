//! What a service says became of the procedure it received somebody for.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// How a procedure stands at the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcedureOutcome {
    /// It was sent off.
    Submitted,
    /// It was kept, to go on later.
    Saved,
    /// Nothing will come of it.
    Abandoned,
}

impl ProcedureOutcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Submitted, Self::Saved, Self::Abandoned];

    /// The stable name, as services write it and as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "submitted",
            Self::Saved => "saved",
            Self::Abandoned => "abandoned",
        }
    }

    /// The outcome of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }

    /// Whether another report may come after this one: what was only saved goes on; what was sent off or given up does not.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Submitted | Self::Abandoned)
    }
}

/// The number under which a service has what it received, as it would print it: 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceiptNumber(String);

impl ReceiptNumber {
    /// The longest one, in characters.
    pub const LONGEST: usize = 64;

    /// Reads one; none for control characters, spaces at an end, or another length.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let formed = (1..=Self::LONGEST).contains(&text.chars().count())
            && text.trim() == text
            && !text.chars().any(char::is_control);
        formed.then(|| Self(text.to_owned()))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a service reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceReport {
    outcome: ProcedureOutcome,
    receipt: Option<ReceiptNumber>,
}

/// The report contradicts itself: nothing was received of what was abandoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no receipt for what was abandoned")]
pub struct NoReceiptForNothing;

impl ServiceReport {
    /// A report.
    ///
    /// # Errors
    /// [`NoReceiptForNothing`].
    pub fn new(
        outcome: ProcedureOutcome,
        receipt: Option<ReceiptNumber>,
    ) -> Result<Self, NoReceiptForNothing> {
        if outcome == ProcedureOutcome::Abandoned && receipt.is_some() {
            return Err(NoReceiptForNothing);
        }
        Ok(Self { outcome, receipt })
    }

    /// How the procedure stands.
    #[must_use]
    pub const fn outcome(&self) -> ProcedureOutcome {
        self.outcome
    }

    /// Under which number the service has it.
    #[must_use]
    pub const fn receipt(&self) -> Option<&ReceiptNumber> {
        self.receipt.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_found_by_its_stable_name_alone() {
        for outcome in ProcedureOutcome::ALL {
            assert_eq!(ProcedureOutcome::parse(outcome.as_str()), Some(outcome));
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
        assert_eq!(ProcedureOutcome::parse("Submitted"), None);
    }

    #[test]
    fn what_was_sent_off_or_given_up_stays_so() {
        let last: Vec<_> = ProcedureOutcome::ALL.into_iter().filter(|outcome| outcome.is_final()).collect();
        assert_eq!(last, [ProcedureOutcome::Submitted, ProcedureOutcome::Abandoned]);
    }

    #[test]
    fn a_receipt_number_is_one_short_clean_line() {
        for good in ["R-2026/000 123", "é", &"9".repeat(64)] {
            assert_eq!(ReceiptNumber::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", " 1", "1 ", "1\n2", "a\u{7f}", &"9".repeat(65)] {
            assert_eq!(ReceiptNumber::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn nothing_is_received_of_what_was_abandoned() {
        let number = ReceiptNumber::parse("1");
        let abandoned = ServiceReport::new(ProcedureOutcome::Abandoned, number.clone());
        assert_eq!(abandoned, Err(NoReceiptForNothing));
        assert!(ServiceReport::new(ProcedureOutcome::Abandoned, None).is_ok());
        assert_eq!(
            ServiceReport::new(ProcedureOutcome::Saved, number.clone()).unwrap().receipt(),
            number.as_ref()
        );
    }
}
