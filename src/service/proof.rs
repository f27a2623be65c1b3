//! The proof that an entry stands in the journal, verifiable without us (RFC 6962, C2SP tlog-proof).

use super::{App, Error, read, witnesses};
use crate::journal::{Hash, LogProof, TileId, TileKind, TileSet, inclusion_path, inclusion_tiles, leaf_hash};
use crate::storage::Snapshot;
use crate::storage::journal::{CheckpointRow, EntryRow};

/// A proof of inclusion and what it proves.
pub struct Proof {
    /// The proof, verifiable without us.
    pub log: LogProof,
    /// Hash of the leaf.
    pub leaf: Hash,
    /// Size of the tree.
    pub size: u64,
    /// Its root.
    pub root: Hash,
}

/// Proof that an entry stands in the journal; none while it waits for its place. It leads to the newest checkpoint that
/// witnesses have seen, when one covers the entry, so that it counts under our own policy; else to the newest there is.
///
/// # Errors
/// [`Error::Unreadable`] when the journal lacks a tile it should have; any fault of the store.
pub async fn of(app: &App, snapshot: &mut Snapshot, row: &EntryRow) -> Result<Option<Proof>, Error> {
    match covering(app, snapshot, std::iter::once(row)).await? {
        Some(head) => under(snapshot, row, &head).await,
        None => Ok(None),
    }
}

/// The same under that checkpoint; none when it does not cover the entry.
///
/// # Errors
/// As [`of`].
pub async fn under(
    snapshot: &mut Snapshot,
    row: &EntryRow,
    head: &CheckpointRow,
) -> Result<Option<Proof>, Error> {
    let Some((index, _)) = row.leaf.filter(|(index, _)| *index < head.size) else { return Ok(None) };
    let mut tiles = TileSet::default();
    for id in inclusion_tiles(index, head.size).map_err(|_| Error::Unreadable)? {
        let bytes = tile(snapshot, id).await?.ok_or(Error::Unreadable)?;
        tiles.insert(id, &bytes);
    }
    let path = inclusion_path(index, head.size, &tiles).map_err(|_| Error::Unreadable)?;
    let log = LogProof { entry: Some(row.entry.clone()), index, path, checkpoint: head.note.clone() };
    Ok(Some(Proof { log, leaf: leaf_hash(&row.entry), size: head.size, root: head.root }))
}

/// The checkpoint that all of these can be proved under: one that witnesses have seen where one covers them all, else the
/// newest there is; none when none of them has its place.
///
/// # Errors
/// Any fault of the store.
pub async fn covering(
    app: &App,
    snapshot: &mut Snapshot,
    rows: impl Iterator<Item = &EntryRow>,
) -> Result<Option<CheckpointRow>, Error> {
    let Some(last) = rows.filter_map(|row| row.leaf).map(|(index, _)| index).max() else { return Ok(None) };
    witnesses::served(&app.witnesses, snapshot, last + 1).await
}

async fn tile(snapshot: &mut Snapshot, id: TileId) -> Result<Option<Vec<u8>>, Error> {
    match id.kind {
        TileKind::Hashes(level) => Ok(read::hashes(snapshot, level, id).await?),
        TileKind::Entries => Ok(None),
    }
}
