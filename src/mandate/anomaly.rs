//! An anomaly: what a rule found, commented by those it concerns, closed by an auditor with a reason.
//!
//! ```text
//! open --comment--> open
//!   |--close (an auditor, with a reason)--> closed
//! ```

use super::watch::Finding;
use super::{AidantId, AnomalyId, AuditorId, Instant, MandateId, OrganisationId};
use thiserror::Error;

/// Why an anomaly was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closing {
    /// There is a good explanation.
    Explained,
    /// Something was wrong and was put right.
    Mended,
    /// It was passed on to whom it concerns: the organisation, the operator, justice.
    Reported,
}

impl Closing {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Explained, Self::Mended, Self::Reported];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Explained => "explained",
            Self::Mended => "mended",
            Self::Reported => "reported",
        }
    }

    /// The reason of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// Where an anomaly stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnomalyState {
    /// Nobody has closed it.
    Open,
    /// Closed.
    Closed {
        /// By whom.
        by: AuditorId,
        /// When.
        at: Instant,
        /// Why.
        reason: Closing,
    },
}

/// An anomaly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Identifier.
    pub id: AnomalyId,
    /// What was found.
    pub finding: Finding,
    /// Whom or what it is about, as a pseudonym: while it is open, the rule raises none other about the same.
    pub subject: String,
    /// The organisation, where there is one.
    pub organisation: Option<OrganisationId>,
    /// The aidant, where there is one.
    pub aidant: Option<AidantId>,
    /// The mandate, where it is one.
    pub mandate: Option<MandateId>,
    /// When what made it happen happened.
    pub at: Instant,
    /// When it was raised.
    pub raised_at: Instant,
    /// Where it stands.
    pub state: AnomalyState,
}

/// Why a step was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AnomalyError {
    /// It was closed before.
    #[error("anomaly_closed")]
    Closed,
}

impl AnomalyError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Closed => "anomaly_closed",
        }
    }
}

impl Anomaly {
    /// Whether something may still be said about it.
    ///
    /// # Errors
    /// [`AnomalyError::Closed`].
    pub fn is_open(&self) -> Result<(), AnomalyError> {
        if self.state == AnomalyState::Open { Ok(()) } else { Err(AnomalyError::Closed) }
    }

    /// Closed by an auditor.
    ///
    /// # Errors
    /// [`AnomalyError::Closed`].
    pub fn close(self, by: AuditorId, reason: Closing, now: Instant) -> Result<Self, AnomalyError> {
        self.is_open()?;
        Ok(Self { state: AnomalyState::Closed { by, at: now, reason }, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mandate::watch::Rule;

    #[test]
    fn what_is_closed_stays_closed_and_is_commented_no_more() {
        let open = Anomaly {
            id: AnomalyId::from_bytes([1; 16]),
            finding: Finding {
                rule: Rule::Burst,
                measured: 20,
                threshold: 15,
                span: 10,
                entries: Vec::new(),
            },
            subject: "0".repeat(16),
            organisation: None,
            aidant: None,
            mandate: None,
            at: Instant::from_micros(0),
            raised_at: Instant::from_micros(1),
            state: AnomalyState::Open,
        };
        let (one, other) = (AuditorId::from_bytes([2; 16]), AuditorId::from_bytes([3; 16]));
        assert_eq!(open.is_open(), Ok(()));
        let now = Instant::from_micros(5);
        let closed = open.close(one.clone(), Closing::Explained, now).unwrap();
        assert_eq!(closed.state, AnomalyState::Closed { by: one, at: now, reason: Closing::Explained });
        assert_eq!(closed.is_open(), Err(AnomalyError::Closed));
        assert_eq!(closed.close(other, Closing::Mended, now), Err(AnomalyError::Closed));
    }

    #[test]
    fn reasons_read_back() {
        for reason in Closing::ALL {
            assert_eq!(Closing::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Closing::parse("forgotten"), None);
    }
}
