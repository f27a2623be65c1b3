//! What verification finds beside the tree, and how it says so.

use crate::journal;
use crate::mandate::{EventId, Instant, ReplayError};
use std::fmt;
use thiserror::Error;

/// Findings kept word by word; more are counted.
const KEPT: usize = 1_000;

/// Why a mandate is not what its entries make it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MandateFault {
    /// An entry of its history is not there.
    #[error("its entry number {seq} is missing")]
    EntryMissing {
        /// The number.
        seq: u64,
    },
    /// There are entries beyond the last one it knows of.
    #[error(
        "its entry number {seq} (event {event}) stands in the journal, and the mandate knows nothing of it"
    )]
    EntryBeyond {
        /// The number.
        seq: u64,
        /// The entry.
        event: EventId,
    },
    /// An entry of its history says nothing that can be read.
    #[error("its entry number {seq} (event {event}) cannot be opened")]
    EntryClosed {
        /// The number.
        seq: u64,
        /// The entry.
        event: EventId,
    },
    /// An entry of its history tells of something else.
    #[error("its entry number {seq} (event {event}) does not tell of it, or not in that place")]
    EntryForeign {
        /// The number.
        seq: u64,
        /// The entry.
        event: EventId,
    },
    /// Its history could not have happened.
    #[error("its entries could not have happened: {0}")]
    Impossible(#[from] ReplayError),
    /// It is stored otherwise than its entries make it.
    #[error("{what} stored is not what its entries make it")]
    Differs {
        /// What differs.
        what: &'static str,
    },
    /// A use of it stands otherwise than its entries say.
    #[error("its representation {id} is not what its entries say")]
    Representation {
        /// Which.
        id: String,
    },
    /// The text kept for its paper is not the one that was sealed with the proposal.
    #[error("the text kept of it is not the one whose hash stands in the entry of its proposal")]
    Paper,
    /// Its row fits no mandate at all.
    #[error("its row fits no mandate: {0}")]
    Unreadable(String),
    /// Its key is gone although it has not ended.
    #[error("its key is gone, and it has not ended: nothing it says can be proved")]
    KeyGone,
    /// It is in the journal but not in the table.
    #[error("it was removed")]
    Gone,
}

/// One thing that is wrong beside the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The published checkpoint cannot be used.
    PublishedUnreadable {
        /// Why.
        why: String,
    },
    /// An opening of an event that is not there.
    OpeningOfNothing {
        /// The event it names.
        event: String,
        /// The slot.
        slot: String,
    },
    /// A row of the search is not what its entry commits to, or is gone.
    Search {
        /// The entry it leads to.
        event: String,
        /// Where it lies; none when it was removed.
        column: Option<&'static str>,
    },
    /// A row of the search leads to an event that is not there.
    SearchOfNothing {
        /// The event it names.
        event: String,
    },
    /// An opening is gone as if erased, and the journal tells of no erasure.
    NeverErased {
        /// The event.
        event: String,
        /// The slot.
        slot: &'static str,
    },
    /// An event is queued twice, or is not there, or has its place already.
    QueuedInVain {
        /// The event.
        event: String,
    },
    /// More openings are gone than entries of erasure tell.
    ErasedUntold {
        /// How many are gone.
        gone: u64,
        /// How many were told.
        told: u64,
    },
    /// A usager has no key and was not erased, or was erased and has one.
    KeyOfUsager {
        /// Which.
        id: String,
    },
    /// A mandate is not what its entries make it.
    Mandate {
        /// Which.
        id: String,
        /// Why.
        why: MandateFault,
    },
    /// A line of the refusals is not what its entry says, is there without one, or was removed.
    Refusal {
        /// The entry it tells of.
        event: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A party is registered otherwise than the last entry about it told.
    Registered {
        /// Organisation, aidant, auditor, usager or client.
        party: &'static str,
        /// Which.
        id: String,
    },
    /// A party stands there, and no entry of its own registers it.
    Unregistered {
        /// Organisation, aidant, auditor, usager or client.
        party: &'static str,
        /// Which.
        id: String,
    },
    /// A fact of the desk or of the watch is not what the last entry about it tells, is there without one, or was removed.
    Fact {
        /// Its table and its identifier.
        row: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The procedures closed in an organisation or for an aidant are not those that the last entry about them tells.
    Closed {
        /// Organisation or aidant.
        party: &'static str,
        /// Which.
        id: String,
    },
    /// A cosignature is not what its witness wrote under that checkpoint.
    Cosignature {
        /// Size of the checkpoint.
        size: u64,
        /// The witness's key.
        vkey: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The cosignatures of a while are not those that were counted.
    Cosigned {
        /// Until when they were counted.
        until: Instant,
        /// How many there are.
        there: u64,
        /// How many there were.
        told: u64,
    },
    /// A time-stamp is not what it was, or was removed.
    TimeStamp {
        /// The day it is of.
        day: String,
        /// What is wrong with it.
        what: String,
    },
    /// A shard is not the one that an entry opened, or not where it was opened, or was removed.
    Shard {
        /// Its name.
        origin: String,
        /// What is wrong with it.
        what: String,
    },
    /// An entry says that it was written after others saw a checkpoint that covers it.
    DatedLater {
        /// The entry.
        event: String,
        /// Size of the checkpoint.
        size: u64,
        /// Who saw it, and how.
        by: &'static str,
    },
    /// Somebody is suspended without an entry, or in spite of one stands again.
    Standing {
        /// Organisation, aidant, auditor or client.
        party: &'static str,
        /// Which.
        id: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PublishedUnreadable { why } => write!(f, "the published checkpoint cannot be used: {why}"),
            Self::OpeningOfNothing { event, slot } => {
                write!(f, "event {event}: an opening of {slot} stands without its event")
            }
            Self::QueuedInVain { event } => {
                write!(
                    f,
                    "event {event}: it is queued, and is not there, has its place already or is queued twice"
                )
            }
            Self::Search { event, column: Some(column) } => {
                write!(
                    f,
                    "event {event}: the row it is found by says otherwise than the entry in its column {column}"
                )
            }
            Self::Search { event, column: None } => {
                write!(f, "event {event}: the row it is found by was removed")
            }
            Self::SearchOfNothing { event } => {
                write!(f, "event {event}: a row of the search leads to it, and it is not there")
            }
            Self::NeverErased { event, slot } => write!(
                f,
                "event {event}: its opening of {slot} is gone as if erased, and the journal tells of no erasure"
            ),
            Self::ErasedUntold { gone, told } => {
                write!(f, "{gone} openings are gone without a trace, and entries of erasure tell of {told}")
            }
            Self::KeyOfUsager { id } => {
                write!(
                    f,
                    "usager {id}: their key is gone and they were not erased, or they were and have one"
                )
            }
            Self::Mandate { id, why } => write!(f, "mandate {id}: {why}"),
            Self::Refusal { event, what } => {
                write!(f, "event {event}: the line that tells of this refusal {what}")
            }
            Self::Registered { party, id } => {
                write!(f, "{party} {id}: what is registered of it is not what its last entry told")
            }
            Self::Unregistered { party, id } => {
                write!(f, "{party} {id}: it stands there, and no entry of its own registers it")
            }
            Self::Fact { row, what } => write!(f, "{row}: {what}"),
            Self::Closed { party, id } => {
                write!(
                    f,
                    "{party} {id}: the procedures closed for it are not what the last entry about them told"
                )
            }
            Self::Cosignature { size, vkey, what } => {
                write!(f, "checkpoint of {size} entries: the cosignature of {vkey} {what}")
            }
            Self::Cosigned { until, there, told } => write!(
                f,
                "cosigned {}: the cosignatures until then ({there}) are not those that were counted ({told})",
                until.micros()
            ),
            Self::TimeStamp { day, what } => write!(f, "time-stamp of {day}: {what}"),
            Self::Shard { origin, what } => write!(f, "shard {origin}: it {what}"),
            Self::DatedLater { event, size, by } => write!(
                f,
                "event {event}: it says that it was written after {by} the checkpoint of {size} entries that covers it"
            ),
            Self::Standing { party, id } => {
                write!(f, "{party} {id}: its standing is not what its last entry made it")
            }
        }
    }
}

/// What verification says in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries, tiles and checkpoints.
    pub tree: journal::Report,
    /// Mandates that follow from their entries.
    pub mandates: u64,
    /// Ended mandates whose history was erased, so that nothing can be held against it.
    pub erased_mandates: u64,
    /// Persons who were erased.
    pub erased_persons: u64,
    /// Time-stamps that stamp the checkpoint they stand at.
    pub timestamps: u64,
    /// Shards, the first one among them.
    pub shards: usize,
    findings: Vec<Finding>,
    unkept: u64,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.tree.is_clean() && self.findings.is_empty()
    }

    /// What is wrong beside the tree; at most a thousand.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Everything that is wrong, one line each: the first entry concerned in front.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let first = self.tree.first();
        let others = self.tree.findings().iter().filter(|finding| first != Some(*finding));
        let mut lines: Vec<String> = first.into_iter().chain(others).map(ToString::to_string).collect();
        lines.extend(self.findings.iter().map(ToString::to_string));
        let unkept = self.unkept + self.tree.unkept();
        if unkept > 0 {
            lines.push(format!("and {unkept} findings more"));
        }
        lines
    }

    pub(super) fn add(&mut self, finding: Finding) {
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        } else {
            self.unkept += 1;
        }
    }
}
