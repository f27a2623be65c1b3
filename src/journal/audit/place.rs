//! One index of the journal, and what each of the tables tells of it.

use super::{AuditPage, Fault, PageRange, Report, StoredEvent, StoredLeaf, StoredOpening};
use crate::journal::{Entry, Hash, TILE_WIDTH, Tag, leaf_hash, tile::from_bytes};

/// What the tables tell of one index.
pub(super) struct Place {
    pub(super) index: u64,
    /// The event the leaf names; none when there is no leaf.
    pub(super) event: Option<String>,
    /// The hash of the event's bytes; none when there is no event.
    pub(super) computed: Option<Hash>,
    /// The leaf hash as stored; none when it is no hash.
    pub(super) stored: Option<Hash>,
    /// The hash in the level-0 tile, where that is full.
    pub(super) tile: Option<Hash>,
    /// What stands beside the entry, in case the entry turns out to be the journaled one.
    pub(super) beside: Beside,
}

/// What was found of the columns and openings that belong to an entry.
#[derive(Default)]
pub(super) struct Beside {
    pub(super) openings: u64,
    pub(super) erased: u64,
    pub(super) faults: Vec<Fault>,
}

/// Lays out the rows of a stretch, index by index.
pub(super) fn lay_out(range: PageRange, rows: &AuditPage<'_>, report: &mut Report) -> Vec<Place> {
    let mut places: Vec<Place> = (range.start..range.end).map(empty).collect();
    let wanted = (0, range.start / TILE_WIDTH as u64);
    let tile = rows.tiles.iter().find(|tile| (tile.level, tile.index) == wanted);
    let tile = tile.and_then(|tile| from_bytes(tile.hashes)).filter(|hashes| hashes.len() == places.len());
    for (place, hash) in places.iter_mut().zip(tile.unwrap_or_default()) {
        place.tile = Some(hash);
    }
    for leaf in rows.leaves {
        let offset = leaf.index.checked_sub(range.start).and_then(|offset| usize::try_from(offset).ok());
        match offset.and_then(|offset| places.get_mut(offset)) {
            Some(place) if place.event.is_none() => fill(place, leaf),
            _ => report.add(Some(leaf.index), Some(leaf.event_id), Fault::Inserted),
        }
    }
    places
}

fn empty(index: u64) -> Place {
    Place { index, event: None, computed: None, stored: None, tile: None, beside: Beside::default() }
}

fn fill(place: &mut Place, leaf: &StoredLeaf<'_>) {
    place.event = Some(leaf.event_id.to_owned());
    place.stored = Hash::from_slice(leaf.leaf_hash);
    if let Some(event) = &leaf.event {
        place.computed = Some(leaf_hash(event.entry));
        place.beside = beside(leaf.event_id, event);
    }
}

/// Holds what stands beside an entry against the entry.
fn beside(event_id: &str, event: &StoredEvent<'_>) -> Beside {
    let mut beside = Beside::default();
    let Ok(entry) = Entry::parse(event.entry) else {
        beside.faults.push(Fault::NotAnEntry);
        return beside;
    };
    let columns = [
        ("event_id", entry.id().as_str() == event_id),
        ("tag", Tag::parse(event.tag) == Ok(entry.tag())),
        ("at", entry.at() == event.at),
    ];
    let disagreeing = columns.into_iter().filter(|(_, agrees)| !agrees);
    beside.faults.extend(disagreeing.map(|(column, _)| Fault::ColumnAltered { column }));
    for opening in event.openings {
        match opening {
            StoredOpening::Readable(opening) if entry.is_opened_by(opening) => beside.openings += 1,
            StoredOpening::Readable(opening) => {
                beside.faults.push(Fault::OpeningAltered { slot: opening.slot() });
            }
            StoredOpening::Erased => beside.erased += 1,
            StoredOpening::Unreadable { slot } => {
                beside.faults.push(Fault::OpeningUnreadable { slot: slot.clone() });
            }
        }
    }
    beside
}
