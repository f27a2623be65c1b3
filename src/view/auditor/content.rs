//! Content asked for by one auditor and opened by another.

use crate::mandate::{EventId, GlassId, Instant};
use crate::view::{Frame, Problem, paths};

/// Where a request stands, as its reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// It waits for another auditor.
    Waiting {
        /// Until when it can be answered.
        until: Instant,
    },
    /// It is open.
    Open {
        /// By whom it was opened.
        by: String,
        /// Until when.
        until: Instant,
    },
    /// It was open.
    Over {
        /// By whom it had been opened.
        by: String,
        /// Until when it was.
        at: Instant,
    },
    /// It was refused.
    Refused {
        /// By whom.
        by: String,
        /// When.
        at: Instant,
    },
    /// Nobody answered in time.
    Lapsed {
        /// When.
        at: Instant,
    },
}

impl Asked {
    pub(in crate::view) fn say(&self, f: &Frame) -> String {
        match self {
            Self::Waiting { until } => f.t1(
                "Attend un autre auditeur, jusqu’à {0}.",
                "Waits for another auditor, until {0}.",
                f.clock(until),
            ),
            Self::Open { by, until } => {
                f.t2("Ouvert par {0}, jusqu’à {1}.", "Opened by {0}, until {1}.", by, f.clock(until))
            }
            Self::Over { by, at } => {
                f.t2("Ouvert par {0}, refermé à {1}.", "Opened by {0}, closed at {1}.", by, f.clock(at))
            }
            Self::Refused { by, at } => {
                f.t2("Refusé par {0} à {1}.", "Refused by {0} at {1}.", by, f.clock(at))
            }
            Self::Lapsed { at } => {
                f.t1("Sans réponse, close à {0}.", "Not answered, closed at {0}.", f.clock(at))
            }
        }
    }
}

/// A request. Names and reasons are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentRequest {
    /// Identifier.
    pub id: GlassId,
    /// Who asks.
    pub by: String,
    /// When.
    pub at: Instant,
    /// Why.
    pub reason: String,
    /// Pseudonym of the mandate.
    pub mandate: Option<String>,
    /// The entry, when only one is asked for.
    pub entry: Option<EventId>,
    /// Where it stands.
    pub state: Asked,
    /// Whether it is the reader's own.
    pub own: bool,
}

impl ContentRequest {
    fn may_answer(&self) -> bool {
        !self.own && matches!(self.state, Asked::Waiting { .. })
    }

    fn is_open(&self) -> bool {
        self.own && matches!(self.state, Asked::Open { .. })
    }

    fn path(&self, pattern: &str) -> String {
        pattern.replace("{glass}", self.id.as_str())
    }

    /// Where what was asked for is read.
    fn target(&self) -> String {
        match (&self.entry, &self.mandate) {
            (Some(entry), _) => paths::of_event(paths::ENTRY, entry),
            (None, Some(mandate)) => format!("{}?mandate={mandate}", paths::FOLLOW),
            (None, None) => paths::FOLLOW.to_owned(),
        }
    }
}

page! {
    /// Requests for content of the last day: own ones and those one may answer.
    ///
    /// Forms `approve-<id>-form` and `refuse-<id>-form` (POST): `csrf`; buttons `approve-<id>`, `refuse-<id>`; link
    /// `read-<id>`.
    Content in Guarded from "auditor/content.html" {
        /// The requests, latest first.
        requests: Vec<ContentRequest>,
    }
}

page! {
    /// Asks for content.
    ///
    /// Form `ask-form` (POST `/auditor/content`): `csrf`, `idempotency`, `mandate` or `entry`, `reason`; button
    /// `ask-submit`.
    AskContent in Guarded from "auditor/ask.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// Pseudonym of the mandate, or empty.
        mandate: String,
        /// The entry, or empty.
        entry: String,
        /// As typed before.
        reason: String,
        /// Key under which a repeated submission asks once.
        idempotency: String,
    }
}
