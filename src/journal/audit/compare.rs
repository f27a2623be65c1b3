//! Holding what the tables tell against what was journaled.

use super::align::{Row, differences};
use super::place::Place;
use super::{Audit, Fault, REMOVED_KEPT};
use crate::journal::{EMPTY_ROOT, FullTile, Hash, TILE_WIDTH};
use std::collections::HashSet;

/// Holds each row against what was journaled in its place.
pub(super) fn compare_rows(audit: &mut Audit, places: &[Place], truth: &[Option<Hash>]) {
    let foreign = |place: &Place, truth: &Option<Hash>| place.computed != *truth && place.stored == *truth;
    let any = places.iter().zip(truth).any(|(place, truth)| foreign(place, truth));
    let journaled: HashSet<Hash> = truth.iter().flatten().copied().filter(|_| any).collect();
    let report = &mut audit.report;
    for (place, truth) in places.iter().zip(truth) {
        let Some(event) = place.event.as_deref() else {
            continue;
        };
        let mut say = |fault| report.add(Some(place.index), Some(event), fault);
        if place.computed.is_none() {
            say(Fault::EventMissing);
        } else if place.computed == *truth {
            if place.stored != *truth {
                say(Fault::LeafHashAltered);
            }
            place.beside.faults.iter().cloned().for_each(say);
            report.openings += place.beside.openings;
            report.erased += place.beside.erased;
        } else if foreign(place, truth) {
            let moved = place.computed.is_some_and(|hash| journaled.contains(&hash));
            say(if moved { Fault::Reordered } else { Fault::EntryAltered });
        }
    }
}

/// Finds what was removed, inserted and reordered, where rows are missing or stand where they were not journaled.
/// Of the places, as many as `settled` are known to have been journaled so.
pub(super) fn compare_order(audit: &mut Audit, places: &[Place], truth: &[Option<Hash>], settled: usize) {
    // Beyond the last leaf all is cut off, which is told once; beyond what was signed nothing was ever journaled.
    let end = audit.terms.extent.leaves_end.min(audit.signed.max(audit.proved));
    let within = places.iter().zip(truth).take_while(|(place, _)| place.index < end);
    let told: Vec<Told<'_>> = within.map(|(place, truth)| Told::of(place, *truth)).collect();
    let (known, unknown) = told.split_at(settled.min(told.len()));
    align(audit, known);
    for told in unknown.iter().filter(|told| told.row.is_none()) {
        audit.report.add(Some(told.index), None, Fault::Removed);
    }
}

fn align(audit: &mut Audit, known: &[Told<'_>]) {
    let in_place = audit.shift == 0 && known.iter().all(Told::is_in_place);
    let Some(start) = known.first().map(|first| first.index).filter(|_| !in_place) else {
        return;
    };
    let truth: Vec<Hash> = known.iter().filter_map(|told| told.truth).collect();
    let rows: Vec<Row<'_>> = known.iter().filter_map(|told| told.row).collect();
    let (found, shift) = differences(&rows, &truth, start, audit.shift);
    audit.shift = shift;
    for difference in found {
        if matches!(difference.fault, Fault::Removed) && audit.removed.len() < REMOVED_KEPT {
            let offset = usize::try_from(difference.index - start).unwrap_or(usize::MAX);
            audit.removed.extend(truth.get(offset).map(|hash| (*hash, difference.index)));
        }
        audit.report.add(Some(difference.index), difference.event, difference.fault);
    }
}

/// A place as one row and one truth.
struct Told<'a> {
    index: u64,
    row: Option<Row<'a>>,
    truth: Option<Hash>,
}

impl<'a> Told<'a> {
    /// A row that tells the truth in the leaf or in the event stands in its place, whatever else is wrong with it.
    fn of(place: &'a Place, truth: Option<Hash>) -> Self {
        let in_place = place.stored == truth || place.computed == truth;
        let hash = truth.filter(|_| in_place).or(place.computed).or(place.stored).unwrap_or(EMPTY_ROOT);
        let row = place.event.as_deref().map(|event| Row { index: place.index, event, hash });
        Self { index: place.index, row, truth }
    }

    fn is_in_place(&self) -> bool {
        self.row.is_some_and(|row| Some(row.hash) == self.truth)
    }
}

/// Holds the stored tiles against those the journaled hashes fill.
pub(super) fn compare_tiles(audit: &mut Audit, places: &[Place], filled: &[FullTile]) {
    for filled in filled {
        let (level, tile) = (filled.level, filled.index);
        let mut say = |position: usize, fault| {
            let first = first_entry(level, tile, position as u64);
            let place = places.iter().find(|place| place.index == first);
            audit.report.add(Some(first), place.and_then(|place| place.event.as_deref()), fault);
        };
        let Some(at) = audit.tiles.iter().position(|row| (row.level, row.index) == (level, tile)) else {
            say(0, Fault::TileMissing { level, tile });
            continue;
        };
        let row = audit.tiles.swap_remove(at);
        audit.seen.tiles += 1;
        let bytes = filled.to_bytes();
        if row.hashes != bytes || row.root != filled.root.as_bytes() {
            let pairs = bytes.chunks(32).zip(row.hashes.chunks(32));
            let position = pairs.take_while(|(hash, told)| hash == told).count() % TILE_WIDTH;
            say(position, Fault::TileAltered { level, tile });
        }
    }
    // Where it is not known what was journaled, neither is which tiles there should be.
    if audit.lost {
        audit.seen.tiles += audit.tiles.drain(..).count() as u64;
    }
}

/// The first entry below one hash of a tile.
fn first_entry(level: u8, tile: u64, position: u64) -> u64 {
    (tile << 8 | position).checked_shl(8 * u32::from(level)).unwrap_or(u64::MAX)
}
