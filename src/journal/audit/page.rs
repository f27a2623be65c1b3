//! Taking in the rows of one stretch, and settling what can be settled.

use super::chain;
use super::compare::{compare_order, compare_rows, compare_tiles};
use super::place::{Place, lay_out};
use super::settle::{Fact, settle};
use super::{Audit, AuditPage, Fault, PageRange, StoredCheckpoint, StoredTile};
use crate::journal::Checkpoint;

/// Entries kept waiting for the next signed root, at most. The sequencer signs far more often.
const MOST_WAITING: usize = 8_192;

/// A stored tile, kept until the journaled hashes have filled it.
pub(super) struct WaitingTile {
    pub(super) level: u8,
    pub(super) index: u64,
    pub(super) hashes: Vec<u8>,
    pub(super) root: Vec<u8>,
}

impl WaitingTile {
    fn of(row: &StoredTile<'_>) -> Self {
        Self { level: row.level, index: row.index, hashes: row.hashes.to_vec(), root: row.root.to_vec() }
    }
}

/// Goes through the rows of a stretch.
pub(super) fn examine(audit: &mut Audit, range: PageRange, rows: &AuditPage<'_>) {
    let places = lay_out(range, rows, &mut audit.report);
    audit.seen.leaves += places.iter().filter(|place| place.event.is_some()).count() as u64;
    audit.tiles.extend(rows.tiles.iter().map(WaitingTile::of));
    let facts = facts(audit, range, rows.checkpoints, &places);
    audit.waiting.extend(places);

    // What stands behind the last signed root waits for the next one, so that it can be told from what was altered.
    let last_signed = facts.last().map_or(0, |fact| fact.size);
    let all = range.end == audit.size || audit.lost || audit.waiting.len() > MOST_WAITING;
    let waits = |place: &Place| !all && place.index >= last_signed;
    let settled = audit.waiting.iter().take_while(|place| !waits(place)).count();
    let places: Vec<Place> = audit.waiting.drain(..settled).collect();
    let truth = settle(audit, &places, &facts);
    compare_rows(audit, &places, &truth.hashes);
    compare_order(audit, &places, &truth.hashes, truth.settled);
    compare_tiles(audit, &places, &truth.filled);
}

/// The roots signed for sizes within the stretch, in ascending order.
fn facts(audit: &mut Audit, range: PageRange, rows: &[StoredCheckpoint<'_>], places: &[Place]) -> Vec<Fact> {
    let within = |size: u64| (range.start < size && size <= range.end) || (size == 0 && range.start == 0);
    let mut facts = Vec::with_capacity(rows.len());
    for row in rows {
        audit.seen.checkpoints += 1;
        let last = row.size.saturating_sub(1);
        let place = places.iter().find(|place| place.index == last);
        let opened = Checkpoint::open(row.note, &audit.terms.keys);
        let unlinked = chain::follow(audit, row, opened.as_ref().ok());
        let mut say = |fault| {
            audit.report.add(Some(last), place.and_then(|place| place.event.as_deref()), fault);
        };
        match opened {
            Err(error) => say(Fault::CheckpointBroken { size: row.size, code: error.code() }),
            Ok(signed) => {
                if signed.size != row.size || row.root != signed.root.as_bytes() {
                    say(Fault::CheckpointAltered { size: row.size });
                }
                if within(signed.size) {
                    facts.push(Fact { size: signed.size, root: signed.root, outside: false });
                }
            }
        }
        if let Some(fault) = unlinked {
            say(fault);
        }
    }
    let known = audit.terms.known.iter().filter(|known| within(known.size));
    facts.extend(known.map(|known| Fact { size: known.size, root: known.root, outside: true }));
    facts.sort_by_key(|fact| fact.size);
    facts
}
