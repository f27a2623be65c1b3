//! What a journal's tables hold, as an audit is given it.

use crate::journal::{Checkpoint, Opening, TILE_WIDTH, Vkey};
use crate::mandate::Instant;

/// What an audit goes by. Extent, totals and rows are to be read from one state of the database.
pub struct AuditTerms {
    /// The journal's public keys: the current one and those before it.
    pub keys: Vec<Vkey>,
    /// Checkpoints known from outside the database: the last one published, one from a receipt.
    pub known: Vec<Checkpoint>,
    /// How far the stored journal reaches.
    pub extent: Extent,
}

/// How far a stored journal reaches, and how many rows its tables hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extent {
    /// One more than the highest index of a leaf; 0 when there is none.
    pub leaves_end: u64,
    /// The signed note of the newest checkpoint (the row of the largest size), when there is one.
    pub newest_note: Option<String>,
    /// Rows of leaves.
    pub leaves: u64,
    /// Rows of tiles.
    pub tiles: u64,
    /// Rows of checkpoints.
    pub checkpoints: u64,
}

/// What the audit wants next: the rows of one stretch of 256 entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRange {
    /// First entry.
    pub start: u64,
    /// One behind the last entry. Checkpoints wanted are those of a size above `start` (or 0, when `start` is 0)
    /// and up to `end`.
    pub end: u64,
}

impl PageRange {
    /// The tiles wanted: those whose last entry is the last of this stretch, as level and index.
    #[must_use]
    pub fn tiles(&self) -> Vec<(u8, u64)> {
        let width = TILE_WIDTH as u64;
        let mut tiles = Vec::new();
        let mut end = if self.end - self.start == width { self.end } else { 0 };
        for level in 0..8 {
            if end == 0 || !end.is_multiple_of(width) {
                break;
            }
            end /= width;
            tiles.push((level, end - 1));
        }
        tiles
    }
}

/// The rows of one stretch, each list in ascending order.
#[derive(Default)]
pub struct AuditPage<'a> {
    /// Leaves, each with its event.
    pub leaves: &'a [StoredLeaf<'a>],
    /// The tiles [`PageRange::tiles`] names, as far as they are there.
    pub tiles: &'a [StoredTile<'a>],
    /// Checkpoints.
    pub checkpoints: &'a [StoredCheckpoint<'a>],
}

/// A row of leaves.
pub struct StoredLeaf<'a> {
    /// Index.
    pub index: u64,
    /// The event it names.
    pub event_id: &'a str,
    /// Leaf hash.
    pub leaf_hash: &'a [u8],
    /// The event, when it is there.
    pub event: Option<StoredEvent<'a>>,
}

/// A row of events, with its openings.
pub struct StoredEvent<'a> {
    /// Instant column.
    pub at: Instant,
    /// Tag column.
    pub tag: &'a str,
    /// The entry's bytes.
    pub entry: &'a [u8],
    /// Openings.
    pub openings: &'a [StoredOpening],
}

/// An opening as it came out of its sealed form.
pub enum StoredOpening {
    /// It opened.
    Readable(Opening),
    /// Its key was destroyed: erased, as the law may demand.
    Erased,
    /// It does not open although its key is there.
    Unreadable {
        /// The slot, as stored.
        slot: String,
    },
}

/// A row of tiles.
pub struct StoredTile<'a> {
    /// Level.
    pub level: u8,
    /// Index within the level.
    pub index: u64,
    /// The hashes.
    pub hashes: &'a [u8],
    /// Their root.
    pub root: &'a [u8],
}

/// A row of checkpoints.
pub struct StoredCheckpoint<'a> {
    /// Size.
    pub size: u64,
    /// Root.
    pub root: &'a [u8],
    /// The signed note.
    pub note: &'a str,
    /// The signed link to the checkpoint before; none on rows from before there were links.
    pub link: Option<&'a str>,
}
