//! The proof that an entry stands in the journal, verifiable without us (RFC 6962, C2SP tlog-proof): in the tree of its
//! shard.

use super::{App, Error, read, witnesses};
use crate::journal::{Hash, LogProof, inclusion_path, inclusion_tiles, leaf_hash};
use crate::storage::journal::{CheckpointRow, EntryRow};
use crate::storage::{Snapshot, shards};
use std::collections::BTreeMap;

/// A proof of inclusion and what it proves.
pub struct Proof {
    /// The proof, verifiable without us.
    pub log: LogProof,
    /// Hash of the leaf.
    pub leaf: Hash,
    /// Name of the shard it stands in.
    pub origin: String,
    /// Size of the shard's tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Proof that an entry stands in the journal; none while it waits for its place. It leads to the newest checkpoint of its
/// shard that witnesses have seen, when one covers the entry, so that it counts under our own policy; else to the newest there is.
///
/// # Errors
/// [`Error::Unreadable`] when the journal lacks a tile it should have; any fault of the store.
pub async fn of(app: &App, snapshot: &mut Snapshot, row: &EntryRow) -> Result<Option<Proof>, Error> {
    let heads = covering(app, snapshot, std::iter::once(row)).await?;
    under(app, snapshot, row, &heads).await
}

/// The same under the one of these checkpoints that covers it; none when none does.
///
/// # Errors
/// As [`of`].
pub async fn under(
    app: &App,
    snapshot: &mut Snapshot,
    row: &EntryRow,
    heads: &[CheckpointRow],
) -> Result<Option<Proof>, Error> {
    let Some((place, _)) = row.leaf else { return Ok(None) };
    let head = heads.iter().find(|head| (head.start..head.size).contains(&place));
    let Some(head) = head else { return Ok(None) };
    let (index, size) = (place - head.start, head.tree_size());
    let ids = inclusion_tiles(index, size).map_err(|_| Error::Unreadable)?;
    let tiles = read::tiles(app, snapshot, &(head.start..head.size), ids).await?;
    let path = inclusion_path(index, size, &tiles).map_err(|_| Error::Unreadable)?;
    let log = LogProof { entry: Some(row.entry.clone()), index, path, checkpoint: head.note.clone() };
    let (leaf, origin) = (leaf_hash(&row.entry), head.origin.clone());
    Ok(Some(Proof { log, leaf, origin, size, root: head.root }))
}

/// The checkpoints that all of these can be proved under, one for each shard that holds any of them, oldest first: one that
/// witnesses have seen where one covers them all, else the newest there is. None for what waits for its place.
///
/// # Errors
/// Any fault of the store.
pub async fn covering(
    app: &App,
    snapshot: &mut Snapshot,
    rows: impl Iterator<Item = &EntryRow>,
) -> Result<Vec<CheckpointRow>, Error> {
    let places: Vec<u64> = rows.filter_map(|row| row.leaf).map(|(place, _)| place).collect();
    if places.is_empty() {
        return Ok(Vec::new());
    }
    let shards = shards::all(snapshot, &app.origin).await?;
    let mut last: BTreeMap<u64, u64> = BTreeMap::new();
    for place in places {
        let number = shards.at(place).number;
        last.entry(number).and_modify(|last| *last = place.max(*last)).or_insert(place);
    }
    let mut heads = Vec::with_capacity(last.len());
    for shard in last.into_values().map(|last| (shards.at(last), last + 1)) {
        heads.extend(witnesses::served(&app.witnesses, snapshot, &shard.0.places(), shard.1).await?);
    }
    Ok(heads)
}
