//! Verification of a whole journal, stretch by stretch.
//!
//! The database tells each entry several times over: the event's bytes, the leaf hash, the level-0 tile. Whoever
//! alters one of them leaves the others; and the signed roots say which telling is the journaled one. So for
//! every stretch between two checkpoints the audit takes the telling that gives the signed root for the truth,
//! names every other telling that differs from it, and goes on. Only when no telling gives the root, it cannot say
//! more than between which checkpoints something is wrong.
//!
//! ```text
//! let mut audit = Audit::new(terms);
//! while let Some(range) = audit.wants() { audit.page(&rows of that range); }
//! audit.event_without_leaf(..), audit.duplicate_tag(..)   // what the database finds by itself
//! let report = audit.finish();
//! ```
//! Memory is bounded: entries wait for the next signed root only, a thousand findings are kept word by word.

mod align;
mod chain;
mod compare;
mod finding;
mod page;
mod place;
mod settle;
mod stored;

pub use finding::{Fault, Finding, Report};
pub use stored::{
    AuditPage, AuditTerms, Extent, PageRange, StoredCheckpoint, StoredEvent, StoredLeaf, StoredOpening,
    StoredTile,
};

use crate::journal::{Checkpoint, Frontier, Hash, TILE_WIDTH, leaf_hash};
use align::Shift;
use page::WaitingTile;
use place::Place;
use std::collections::BTreeMap;

/// Journaled hashes of removed entries kept, to know their events again.
const REMOVED_KEPT: usize = 1_000;

/// A verification in progress.
pub struct Audit {
    terms: AuditTerms,
    /// Size the newest checkpoint signs; 0 when none convinces.
    signed: u64,
    size: u64,
    next: u64,
    tree: Frontier,
    /// Whether what was journaled is not known any more from some entry on.
    lost: bool,
    /// The largest size whose signed root came out, and the event that stands behind it.
    proved: u64,
    behind_proved: Option<String>,
    shift: Shift,
    /// Places that wait for the next signed root, and tiles that wait to be filled.
    waiting: Vec<Place>,
    tiles: Vec<WaitingTile>,
    seen: Seen,
    removed: BTreeMap<Hash, u64>,
    /// The checkpoint seen last.
    chain: Option<chain::Seen>,
    report: Report,
}

/// Rows that had their place.
#[derive(Default)]
struct Seen {
    leaves: u64,
    tiles: u64,
    checkpoints: u64,
}

impl Audit {
    /// Begins a verification.
    #[must_use]
    pub fn new(terms: AuditTerms) -> Self {
        let newest = terms.extent.newest_note.as_deref();
        let newest = newest.and_then(|note| Checkpoint::open(note, &terms.keys).ok());
        let signed = newest.map_or(0, |checkpoint| checkpoint.size);
        // Not the highest index: one stray row must not send the audit through a desert.
        let size = signed.max(terms.extent.leaves);
        Self {
            terms,
            signed,
            size,
            next: 0,
            tree: Frontier::default(),
            lost: false,
            proved: 0,
            behind_proved: None,
            shift: 0,
            waiting: Vec::new(),
            tiles: Vec::new(),
            seen: Seen::default(),
            removed: BTreeMap::new(),
            chain: None,
            report: Report::default(),
        }
    }

    /// The stretch whose rows are wanted next; none when the journal was gone through.
    #[must_use]
    pub fn wants(&self) -> Option<PageRange> {
        let end = self.size.min(self.next.saturating_add(TILE_WIDTH as u64));
        (self.next < self.size).then_some(PageRange { start: self.next, end })
    }

    /// Goes through the rows of the stretch [`Self::wants`] asked for. Does nothing when it asked for none.
    pub fn page(&mut self, rows: &AuditPage<'_>) {
        if let Some(range) = self.wants() {
            page::examine(self, range, rows);
            self.next = range.end;
        }
    }

    /// Whether an entry was journaled here and is gone from its place.
    #[must_use]
    pub fn misses(&self, entry: &[u8]) -> bool {
        self.removed.contains_key(&leaf_hash(entry))
    }

    /// Tells of an event that stands in no leaf and waits for none.
    pub fn event_without_leaf(&mut self, event_id: &str, entry: &[u8]) {
        let index = self.removed.get(&leaf_hash(entry)).copied();
        self.report.add(index, Some(event_id), Fault::EventWithoutLeaf);
    }

    /// Tells of a tag that stands on more than one event; one of them is named.
    pub fn duplicate_tag(&mut self, event_id: &str, events: u64) {
        self.report.add(None, Some(event_id), Fault::DuplicateTag { events });
    }

    /// Ends the verification.
    #[must_use]
    pub fn finish(mut self) -> Report {
        let Extent { leaves_end, leaves, tiles, checkpoints, .. } = self.terms.extent;
        if self.next < self.size {
            self.report.add(Some(self.next), None, Fault::NotRead);
        }
        if leaves_end < self.signed {
            // What stands between the last root that came out and the end may have been moved up.
            let fault = Fault::Truncated { end: leaves_end, signed: self.signed };
            self.report.add(Some(self.proved.min(leaves_end)), self.behind_proved.as_deref(), fault);
        }
        if self.proved < self.size.min(leaves_end) && !self.lost {
            self.report.add(Some(self.proved), self.behind_proved.as_deref(), Fault::Unsigned);
        }
        if let Some(fault) = chain::end(&self) {
            self.report.add(None, None, fault);
        }
        let known = std::mem::take(&mut self.terms.known);
        for published in known.iter().map(|known| known.size).filter(|size| *size > self.size) {
            self.report.add(Some(self.size), None, Fault::RolledBack { published });
        }
        let tables = [
            ("leaf", leaves, self.seen.leaves),
            ("tile", tiles, self.seen.tiles),
            ("checkpoint", checkpoints, self.seen.checkpoints),
        ];
        for (table, total, seen) in tables {
            if let Some(rows) = total.checked_sub(seen).filter(|rows| *rows > 0) {
                self.report.add(None, None, Fault::StrayRows { table, rows });
            }
        }
        self.report.entries = self.next;
        self.report
    }
}

#[cfg(test)]
mod tests;
