//! What an audit finds, and how it says so.

use crate::journal::Slot;
use std::fmt;

/// Findings kept word by word; more are counted.
const KEPT: usize = 1_000;

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The entry's bytes are not those that were journaled.
    EntryAltered,
    /// The entry's bytes are not an entry at all.
    NotAnEntry,
    /// The leaf names an event that is not there.
    EventMissing,
    /// An event stands in no leaf.
    EventWithoutLeaf,
    /// A column beside the entry (identifier, instant, tag) says otherwise than the entry.
    ColumnAltered {
        /// The column.
        column: &'static str,
    },
    /// A tag stands on more than one event.
    DuplicateTag {
        /// How many events carry it.
        events: u64,
    },
    /// The stored leaf hash is not the journaled one.
    LeafHashAltered,
    /// The journaled entry is gone from its place.
    Removed,
    /// An entry stands here that was never journaled; the journaled ones follow behind it.
    Inserted,
    /// A journaled entry stands in another's place.
    Reordered,
    /// The journal ends before what was signed: something was removed, from this entry on.
    Truncated {
        /// Where it ends.
        end: u64,
        /// Size of the newest signed checkpoint.
        signed: u64,
    },
    /// An opening is not what the entry commits to.
    OpeningAltered {
        /// The slot.
        slot: Slot,
    },
    /// An opening neither opens nor was erased.
    OpeningUnreadable {
        /// The slot, as stored.
        slot: String,
    },
    /// A full tile is not there.
    TileMissing {
        /// Level.
        level: u8,
        /// Index in the level.
        tile: u64,
    },
    /// A tile does not hold the hashes of the tree.
    TileAltered {
        /// Level.
        level: u8,
        /// Index in the level.
        tile: u64,
    },
    /// Rows no tree of this size has.
    StrayRows {
        /// The table.
        table: &'static str,
        /// How many.
        rows: u64,
    },
    /// A checkpoint does not convince: altered, or signed by nobody we know.
    CheckpointBroken {
        /// The size it is stored under.
        size: u64,
        /// Why.
        code: &'static str,
    },
    /// The columns of a checkpoint say otherwise than its signed note.
    CheckpointAltered {
        /// The size it is stored under.
        size: u64,
    },
    /// A checkpoint is gone: the one behind it is linked to it.
    CheckpointRemoved {
        /// Its size.
        size: u64,
    },
    /// A checkpoint is not linked as it was signed: its link was altered or taken away, or it does not belong here.
    CheckpointUnlinked {
        /// The size it is stored under.
        size: u64,
    },
    /// The entries do not give the signed root; what they should be is not known any more.
    RootMismatch {
        /// Size of the checkpoint whose root does not come out.
        size: u64,
    },
    /// Entries stand behind the newest checkpoint.
    Unsigned,
    /// The journal is shorter than a checkpoint known from outside: an old copy was put back.
    RolledBack {
        /// Size of that checkpoint.
        published: u64,
    },
    /// The journal is not the one a checkpoint known from outside was signed for.
    Forked {
        /// Size of that checkpoint.
        published: u64,
    },
    /// The reader of the journal stopped before its end.
    NotRead,
}

impl Fault {
    /// Stable code, for scripts and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::EntryAltered => "entry_altered",
            Self::NotAnEntry => "not_an_entry",
            Self::EventMissing => "event_missing",
            Self::EventWithoutLeaf => "event_without_leaf",
            Self::ColumnAltered { .. } => "column_altered",
            Self::DuplicateTag { .. } => "duplicate_tag",
            Self::LeafHashAltered => "leaf_hash_altered",
            Self::Removed => "entry_removed",
            Self::Inserted => "entry_inserted",
            Self::Reordered => "entry_reordered",
            Self::Truncated { .. } => "journal_truncated",
            Self::OpeningAltered { .. } => "opening_altered",
            Self::OpeningUnreadable { .. } => "opening_unreadable",
            Self::TileMissing { .. } => "tile_missing",
            Self::TileAltered { .. } => "tile_altered",
            Self::StrayRows { .. } => "stray_rows",
            Self::CheckpointBroken { .. } => "checkpoint_broken",
            Self::CheckpointAltered { .. } => "checkpoint_altered",
            Self::CheckpointRemoved { .. } => "checkpoint_removed",
            Self::CheckpointUnlinked { .. } => "checkpoint_unlinked",
            Self::RootMismatch { .. } => "root_mismatch",
            Self::Unsigned => "entries_unsigned",
            Self::RolledBack { .. } => "journal_rolled_back",
            Self::Forked { .. } => "journal_forked",
            Self::NotRead => "not_read",
        }
    }
}

impl Fault {
    /// The same in a tree that begins so many entries later.
    fn behind(self, start: u64) -> Self {
        let moved = |size: u64| size.saturating_add(start);
        match self {
            Self::Truncated { end, signed } => Self::Truncated { end: moved(end), signed: moved(signed) },
            Self::TileMissing { level, tile } => Self::TileMissing { level, tile: moved(tile) },
            Self::TileAltered { level, tile } => Self::TileAltered { level, tile: moved(tile) },
            Self::CheckpointBroken { size, code } => Self::CheckpointBroken { size: moved(size), code },
            Self::CheckpointAltered { size } => Self::CheckpointAltered { size: moved(size) },
            Self::CheckpointRemoved { size } => Self::CheckpointRemoved { size: moved(size) },
            Self::CheckpointUnlinked { size } => Self::CheckpointUnlinked { size: moved(size) },
            Self::RootMismatch { size } => Self::RootMismatch { size: moved(size) },
            Self::RolledBack { published } => Self::RolledBack { published: moved(published) },
            Self::Forked { published } => Self::Forked { published: moved(published) },
            other => other,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryAltered => f.write_str("altered: its bytes are not those that were journaled"),
            Self::NotAnEntry => f.write_str("altered: its bytes are not an entry"),
            Self::EventMissing => f.write_str("removed: the leaf names an event that is not there"),
            Self::EventWithoutLeaf => f.write_str("the event stands in no leaf"),
            Self::ColumnAltered { column } => {
                write!(f, "altered: the column {column} says otherwise than the entry")
            }
            Self::DuplicateTag { events } => write!(f, "inserted: {events} events carry its tag"),
            Self::LeafHashAltered => f.write_str("the stored leaf hash was altered"),
            Self::Removed => f.write_str("removed"),
            Self::Inserted => f.write_str("inserted: never journaled in this place"),
            Self::Reordered => f.write_str("reordered: another entry was journaled in this place"),
            Self::Truncated { end, signed } => write!(
                f,
                "from here on something was removed: the journal ends before entry {end}, and {signed} entries \
                 were signed for"
            ),
            Self::OpeningAltered { slot } => {
                write!(f, "the opening of {} is not what the entry commits to", slot.as_str())
            }
            Self::OpeningUnreadable { slot } => {
                write!(f, "the opening of {slot} does not open, and was not erased")
            }
            Self::TileMissing { level, tile } => write!(f, "tile {tile} of level {level} was removed"),
            Self::TileAltered { level, tile } => write!(f, "tile {tile} of level {level} was altered"),
            Self::StrayRows { table, rows } => write!(f, "{rows} rows too many in the table {table}"),
            Self::CheckpointBroken { size, code } => {
                write!(f, "the checkpoint of size {size} does not convince ({code})")
            }
            Self::CheckpointAltered { size } => {
                write!(f, "the row of the checkpoint of size {size} says otherwise than its signed note")
            }
            Self::CheckpointRemoved { size } => write!(f, "the checkpoint of size {size} was removed"),
            Self::CheckpointUnlinked { size } => {
                write!(f, "the checkpoint of size {size} is not linked to the one before it as it was signed")
            }
            Self::RootMismatch { size } => write!(
                f,
                "from here on, before entry {size}, something was altered, removed, inserted or reordered: \
                 the entries do not give the root signed for size {size}"
            ),
            Self::Unsigned => f.write_str("inserted behind the newest checkpoint: nothing signs it"),
            Self::RolledBack { published } => {
                write!(f, "missing: a checkpoint known from outside signs {published} entries")
            }
            Self::Forked { published } => {
                write!(f, "not the journal that the known checkpoint of size {published} was signed for")
            }
            Self::NotRead => f.write_str("from here on the journal was not read"),
        }
    }
}

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Index of the entry concerned, the first when it concerns several. None when it has no place in the tree.
    pub index: Option<u64>,
    /// Identifier of the event that stands there, as far as it is known.
    pub event: Option<String>,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.index, &self.event) {
            (Some(index), Some(event)) => write!(f, "entry {index} (event {event}): {}", self.fault),
            (Some(index), None) => write!(f, "entry {index}: {}", self.fault),
            (None, Some(event)) => write!(f, "event {event}: {}", self.fault),
            (None, None) => write!(f, "journal: {}", self.fault),
        }
    }
}

/// What an audit says in the end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Entries gone through.
    pub entries: u64,
    /// Checkpoints whose signature and root hold.
    pub checkpoints: u64,
    /// Openings that are what their entry commits to.
    pub openings: u64,
    /// Openings that were erased, which is lawful.
    pub erased: u64,
    findings: Vec<Finding>,
    unkept: u64,
    first: Option<Finding>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.first.is_none()
    }

    /// The finding with the lowest index; one without an index only when there is no other.
    #[must_use]
    pub const fn first(&self) -> Option<&Finding> {
        self.first.as_ref()
    }

    /// The findings, in the order they were made; at most a thousand.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// How many findings there were beyond those kept.
    #[must_use]
    pub const fn unkept(&self) -> u64 {
        self.unkept
    }

    /// The reports on the shards of a journal as one: places and sizes count over all of them, from where each starts.
    #[must_use]
    pub fn gather(shards: impl IntoIterator<Item = (u64, Self)>) -> Self {
        let mut whole = Self::default();
        for (start, shard) in shards {
            whole.entries += shard.entries;
            whole.checkpoints += shard.checkpoints;
            whole.openings += shard.openings;
            whole.erased += shard.erased;
            whole.unkept += shard.unkept;
            // The first one may be beyond those that were kept.
            let unkept = shard.first.filter(|first| !shard.findings.contains(first));
            for Finding { index, event, fault } in unkept.into_iter().chain(shard.findings) {
                whole.add(
                    index.map(|index| index.saturating_add(start)),
                    event.as_deref(),
                    fault.behind(start),
                );
            }
        }
        whole
    }

    pub(super) fn add(&mut self, index: Option<u64>, event: Option<&str>, fault: Fault) {
        let finding = Finding { index, event: event.map(str::to_owned), fault };
        let place = |finding: &Finding| finding.index.unwrap_or(u64::MAX);
        if self.first.as_ref().is_none_or(|first| place(&finding) < place(first)) {
            self.first = Some(finding.clone());
        }
        if self.findings.len() < KEPT {
            self.findings.push(finding);
        } else {
            self.unkept += 1;
        }
    }
}
