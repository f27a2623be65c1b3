//! Entries under the times of others: an entry that a witness or an authority saw was written before (contract
//! journal.md, 4.6, "back-dating").

use super::Finding;
use crate::mandate::Instant;
use crate::service::dates::TOLERANCE;
use crate::storage::audit::LeafRow;
use crate::storage::{Snapshot, StoreError, cosignatures, time_stamps};

/// Who saw a checkpoint, and when.
#[derive(Debug, Clone, Copy)]
struct Seen {
    size: u64,
    at: Instant,
    by: &'static str,
}

/// The latest time that any entry told until now, on the way through the journal.
#[derive(Default)]
pub(super) struct Dates {
    latest: Option<(Instant, String)>,
    said: Option<String>,
}

/// Who saw checkpoints of that stretch, smallest first.
async fn seen(snapshot: &mut Snapshot, start: u64, end: u64) -> Result<Vec<Seen>, StoreError> {
    let of = |by| move |(size, at)| Seen { size, at, by };
    let mut all: Vec<Seen> =
        cosignatures::between(snapshot, start, end).await?.into_iter().map(of("a witness saw")).collect();
    let stamped = time_stamps::between(snapshot, start, end).await?;
    all.extend(stamped.into_iter().map(of("an authority time-stamped")));
    all.sort_by_key(|seen| seen.size);
    Ok(all)
}

impl Dates {
    /// Goes over one stretch of entries, in their order.
    pub(super) async fn pass(
        &mut self,
        snapshot: &mut Snapshot,
        leaves: &[LeafRow],
    ) -> Result<Vec<Finding>, StoreError> {
        let (Some(first), Some(last)) = (leaves.first(), leaves.last()) else { return Ok(Vec::new()) };
        let mut seen =
            seen(snapshot, first.index, last.index.saturating_add(1)).await?.into_iter().peekable();
        let mut found = Vec::new();
        for leaf in leaves {
            self.note(leaf);
            while let Some(seen) = seen.next_if(|seen| seen.size <= leaf.index.saturating_add(1)) {
                found.extend(self.contradicted(seen));
            }
        }
        Ok(found)
    }

    fn note(&mut self, leaf: &LeafRow) {
        let Some(event) = &leaf.event else { return };
        if self.latest.as_ref().is_none_or(|(at, _)| *at < event.at) {
            self.latest = Some((event.at, leaf.event_id.clone()));
        }
    }

    /// The latest entry below a checkpoint, when it says that it was written after others saw the checkpoint. Each is said once.
    fn contradicted(&mut self, seen: Seen) -> Option<Finding> {
        let (at, event) = self.latest.as_ref()?;
        if at.since(seen.at) <= TOLERANCE || self.said.as_ref() == Some(event) {
            return None;
        }
        self.said = Some(event.clone());
        Some(Finding::DatedLater { event: event.clone(), size: seen.size, by: seen.by })
    }
}
