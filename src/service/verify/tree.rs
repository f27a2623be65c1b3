//! Entries, tiles and checkpoints: the database's rows handed to the journal's audit, stretch by stretch.

use super::closings::{self, Closings};
use super::dates::Dates;
use super::facts::{self, Facts};
use super::found::{self, Says};
use super::openings::Openings;
use super::parties::{self, Registrations, Standings};
use super::refusals::{self, Refusals};
use super::shards::{self, Chain, Stored};
use super::timestamps::{self, Stamps};
use super::told::Told;
use super::{Finding, Journal};
use crate::journal::{
    Audit, AuditPage, AuditTerms, Checkpoint, PageRange, Report, StoredCheckpoint, StoredEvent, StoredLeaf,
    StoredOpening, StoredTile,
};
use crate::mandate::EventKind;
use crate::service::Error;
use crate::storage::audit::{self, LeafRow, RawCheckpoint, RawTile};
use crate::storage::{Snapshot, extent};
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
    pub(super) shards: Chain,
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
            || shards::is_kept(kind)
            || matches!(kind, EventKind::PersonErased)
    }
}

/// Goes through the whole journal, shard by shard.
pub(super) async fn audit(
    journal: &Journal,
    shards: &[Stored],
    mut known: Vec<Checkpoint>,
    snapshot: &mut Snapshot,
    openings: &mut Openings,
    notes: &mut Notes,
) -> Result<Report, Error> {
    let engine = journal.store.engine();
    let mut audits = Vec::with_capacity(shards.len());
    for shard in shards {
        let of_shard = known.extract_if(.., |known| known.origin == shard.origin).collect();
        audits.push((shard.window.start, through(shard, of_shard, snapshot, openings, notes).await?));
    }
    for lost in known {
        let what =
            format!("is not there, and a checkpoint known from outside signs {} entries of it", lost.size);
        notes.lies.push(Finding::Shard { origin: lost.origin, what });
    }
    let mut audits_of: Vec<&mut Audit> = audits.iter_mut().map(|(_, audit)| audit).collect();
    for (event, entry) in audit::events_without_leaf(snapshot, engine).await? {
        let place = audits_of.iter().position(|audit| audit.misses(&entry));
        let place = place.unwrap_or(audits_of.len().saturating_sub(1));
        if let Some(audit) = audits_of.get_mut(place) {
            audit.event_without_leaf(&event, &entry);
        }
    }
    if let Some(audit) = audits_of.last_mut() {
        for (event, events) in audit::duplicate_tags(snapshot).await? {
            audit.duplicate_tag(&event, events);
        }
    }
    Ok(Report::gather(audits.into_iter().map(|(start, audit)| (start, audit.finish()))))
}

/// Goes through one shard.
async fn through(
    shard: &Stored,
    known: Vec<Checkpoint>,
    snapshot: &mut Snapshot,
    openings: &mut Openings,
    notes: &mut Notes,
) -> Result<Audit, Error> {
    let extent = extent::extent(snapshot, shard.window).await?;
    let mut audit = Audit::new(AuditTerms { keys: shard.keys.clone(), known, extent });
    let start = shard.window.start;
    while let Some(range) = audit.wants() {
        let rows = Rows::read(snapshot, start, range, openings, notes).await?;
        for (leaf, opened) in rows.leaves.iter().zip(&rows.opened) {
            if let Some(told) = Told::of(leaf, opened, Notes::wants) {
                notes.standings.note(&told);
                notes.registrations.note(&told);
                notes.closings.note(&told);
                notes.facts.note(&leaf.event_id, &told);
                notes.refusals.note(&leaf.event_id, &told);
                notes.stamps.note(&leaf.event_id, &told);
                notes.shards.note(&leaf.event_id, leaf.index, &told);
                notes.destroyed += told.destroyed();
                notes.erased |= told.kind() == Some(EventKind::PersonErased);
            }
        }
        notes.lies.extend(notes.dates.pass(snapshot, &rows.leaves).await?);
        rows.hand_to(&mut audit);
    }
    Ok(audit)
}

/// The rows of one stretch, and where its shard starts.
struct Rows {
    start: u64,
    leaves: Vec<LeafRow>,
    /// The openings of each leaf, in the leaves' order.
    opened: Vec<Vec<StoredOpening>>,
    tiles: Vec<RawTile>,
    checkpoints: Vec<RawCheckpoint>,
}

impl Rows {
    async fn read(
        snapshot: &mut Snapshot,
        start: u64,
        range: PageRange,
        openings: &mut Openings,
        notes: &mut Notes,
    ) -> Result<Self, Error> {
        let (from, to) = (start.saturating_add(range.start), start.saturating_add(range.end));
        let leaves = audit::leaves(snapshot, from, to).await?;
        let mut by_event: HashMap<String, Vec<StoredOpening>> = HashMap::new();
        let mut last = None;
        for row in audit::openings(snapshot, from, to).await? {
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
            tiles.extend(audit::tile(snapshot, level, start.saturating_add(index)).await?);
        }
        let after = (from > 0).then_some(from);
        let checkpoints = audit::checkpoints(snapshot, after, to).await?;
        Ok(Self { start, leaves, opened, tiles, checkpoints })
    }

    fn hand_to(&self, audit: &mut Audit) {
        let own = |place: u64| place.saturating_sub(self.start);
        let leaves: Vec<StoredLeaf<'_>> = self.leaves.iter().zip(&self.opened).map(stored).collect();
        let leaves: Vec<_> =
            leaves.into_iter().map(|leaf| StoredLeaf { index: own(leaf.index), ..leaf }).collect();
        let tiles: Vec<StoredTile<'_>> = self
            .tiles
            .iter()
            .map(|tile| StoredTile {
                level: tile.level,
                index: own(tile.index),
                hashes: &tile.hashes,
                root: &tile.root,
            })
            .collect();
        let checkpoints: Vec<StoredCheckpoint<'_>> = self
            .checkpoints
            .iter()
            .map(|row| StoredCheckpoint {
                size: own(row.size),
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
