//! Entries, tiles and checkpoints: the database's rows handed to the journal's audit, stretch by stretch.

use super::closings::{self, Closings};
use super::dates::Dates;
use super::facts::{self, Facts};
use super::found::{self, Says};
use super::openings::Openings;
use super::parties::{self, Registrations, Standings};
use super::refusals::{self, Refusals};
use super::timestamps::{self, Stamps};
use super::told::Told;
use super::{Finding, Journal};
use crate::journal::{
    Audit, AuditPage, AuditTerms, Checkpoint, PageRange, Report, StoredCheckpoint, StoredEvent, StoredLeaf,
    StoredOpening, StoredTile,
};
use crate::mandate::EventKind;
use crate::service::Error;
use crate::storage::Snapshot;
use crate::storage::audit::{self, LeafRow, RawCheckpoint, RawTile};
use std::collections::HashMap;

/// What is noted on the way through the journal.
#[derive(Default)]
pub(super) struct Notes {
    pub(super) standings: Standings,
    pub(super) registrations: Registrations,
    pub(super) closings: Closings,
    pub(super) facts: Facts,
    pub(super) refusals: Refusals,
    pub(super) stamps: Stamps,
    /// When entries say that they were written.
    dates: Dates,
    /// What is wrong with how entries can be found, and with when they say they were written.
    pub(super) lies: Vec<Finding>,
    /// Whether anybody was erased.
    pub(super) erased: bool,
    /// Openings that every entry has, destroyed as entries of erasure tell.
    pub(super) destroyed: u64,
}

impl Notes {
    const fn wants(kind: EventKind) -> bool {
        parties::changes(kind).is_some()
            || parties::registers(kind).is_some()
            || closings::is_kept(kind)
            || facts::tells(kind)
            || refusals::is_kept(kind)
            || timestamps::is_kept(kind)
            || matches!(kind, EventKind::PersonErased)
    }
}

/// Goes through the whole journal.
pub(super) async fn audit(
    journal: &Journal,
    known: Vec<Checkpoint>,
    snapshot: &mut Snapshot,
    openings: &mut Openings,
    notes: &mut Notes,
) -> Result<Report, Error> {
    let engine = journal.store.engine();
    let extent = audit::extent(snapshot).await?;
    let mut audit = Audit::new(AuditTerms { keys: journal.verifiers.clone(), known, extent });
    while let Some(range) = audit.wants() {
        let rows = Rows::read(snapshot, range, openings, notes).await?;
        for (leaf, opened) in rows.leaves.iter().zip(&rows.opened) {
            if let Some(told) = Told::of(leaf, opened, Notes::wants) {
                notes.standings.note(&told);
                notes.registrations.note(&told);
                notes.closings.note(&told);
                notes.facts.note(&leaf.event_id, &told);
                notes.refusals.note(&leaf.event_id, &told);
                notes.stamps.note(&leaf.event_id, &told);
                notes.destroyed += told.destroyed();
                notes.erased |= told.kind() == Some(EventKind::PersonErased);
            }
        }
        notes.lies.extend(notes.dates.pass(snapshot, &rows.leaves).await?);
        rows.hand_to(&mut audit);
    }
    for (event, entry) in audit::events_without_leaf(snapshot, engine).await? {
        audit.event_without_leaf(&event, &entry);
    }
    for (event, events) in audit::duplicate_tags(snapshot).await? {
        audit.duplicate_tag(&event, events);
    }
    Ok(audit.finish())
}

/// The rows of one stretch.
struct Rows {
    leaves: Vec<LeafRow>,
    /// The openings of each leaf, in the leaves' order.
    opened: Vec<Vec<StoredOpening>>,
    tiles: Vec<RawTile>,
    checkpoints: Vec<RawCheckpoint>,
}

impl Rows {
    async fn read(
        snapshot: &mut Snapshot,
        range: PageRange,
        openings: &mut Openings,
        notes: &mut Notes,
    ) -> Result<Self, Error> {
        let leaves = audit::leaves(snapshot, range.start, range.end).await?;
        let mut by_event: HashMap<String, Vec<StoredOpening>> = HashMap::new();
        let mut last = None;
        for row in audit::openings(snapshot, range.start, range.end).await? {
            let opening = openings.open(snapshot, &row).await?;
            let there = by_event.entry(row.event_id.clone()).or_default();
            there.push(opening);
            // An entry is opened once in each slot, whatever became of the key.
            if last.replace((row.event_id.clone(), row.slot.clone()))
                == Some((row.event_id, row.slot.clone()))
            {
                there.push(StoredOpening::Unreadable { slot: row.slot });
            }
        }
        let mut opened = Vec::with_capacity(leaves.len());
        for leaf in &leaves {
            let mut there = by_event.remove(&leaf.event_id).unwrap_or_default();
            let says = Says::of(&there);
            there.extend(openings.missing(leaf, &there, &says));
            notes.lies.extend(found::lies(openings.keys(), leaf, &says));
            opened.push(there);
        }
        let mut tiles = Vec::new();
        for (level, index) in range.tiles() {
            tiles.extend(audit::tile(snapshot, level, index).await?);
        }
        let after = (range.start > 0).then_some(range.start);
        let checkpoints = audit::checkpoints(snapshot, after, range.end).await?;
        Ok(Self { leaves, opened, tiles, checkpoints })
    }

    fn hand_to(&self, audit: &mut Audit) {
        let leaves: Vec<StoredLeaf<'_>> = self.leaves.iter().zip(&self.opened).map(stored).collect();
        let tiles: Vec<StoredTile<'_>> = self
            .tiles
            .iter()
            .map(|tile| StoredTile {
                level: tile.level,
                index: tile.index,
                hashes: &tile.hashes,
                root: &tile.root,
            })
            .collect();
        let checkpoints: Vec<StoredCheckpoint<'_>> = self
            .checkpoints
            .iter()
            .map(|row| StoredCheckpoint {
                size: row.size,
                root: &row.root,
                note: &row.note,
                link: row.link.as_deref(),
            })
            .collect();
        audit.page(&AuditPage { leaves: &leaves, tiles: &tiles, checkpoints: &checkpoints });
    }
}

fn stored<'a>((leaf, openings): (&'a LeafRow, &'a Vec<StoredOpening>)) -> StoredLeaf<'a> {
    let event = leaf.event.as_ref();
    StoredLeaf {
        index: leaf.index,
        event_id: &leaf.event_id,
        leaf_hash: &leaf.leaf_hash,
        event: event.map(|event| StoredEvent {
            at: event.at,
            tag: &event.tag,
            entry: &event.entry,
            openings,
        }),
    }
}
