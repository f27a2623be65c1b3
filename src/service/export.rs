//! The journal as static files, in the layout in which it is served (C2SP tlog-tiles): for publication, and for auditors,
//! who get the entries as well. Nothing in it names a person.

use super::{Error, Witnesses, read, witnesses};
use crate::journal::{
    Checkpoint, CheckpointError, TileId, TileKind, Vkey, encode_bundle, partial_tiles, policy,
};
use crate::storage::shards::{self, Shard};
use crate::storage::{Snapshot, Store, journal, time_stamps};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error as ThisError;

/// What is to be written, and where.
#[derive(Clone)]
pub struct Export {
    /// The database.
    pub store: Store,
    /// The keys under which the journal's checkpoints count, the current one first.
    pub keys: Vec<Vkey>,
    /// Its witnesses.
    pub witnesses: Arc<Witnesses>,
    /// The folder.
    pub dir: PathBuf,
}

/// Why the journal was not written out.
#[derive(Debug, ThisError)]
pub enum ExportError {
    /// The database.
    #[error("{0}")]
    Store(#[from] Error),
    /// There is no checkpoint, or none of ours.
    #[error("the newest checkpoint cannot be used: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Nothing was ever signed.
    #[error("there is no checkpoint: nothing was ever signed here")]
    Empty,
    /// A file.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Time-stamps read at once.
const PAGE: u32 = 100;

/// Writes `checkpoint`, `policy`, `tile/<level>/…`, `tile/entries/…` and `timestamps/<day>.tsr`, each beside the checkpoint it
/// stamps, `timestamps/<day>.checkpoint`. What is full and there already never changes, so it
/// is not written again; the checkpoint comes last, so that it never speaks of what is not there. Each shard but the first
/// has a folder of its own with all of these but the time-stamps, `shards/<number>`. Gives the number of entries.
///
/// # Errors
/// [`ExportError`]; what was written until then does no harm.
pub async fn export(export: &Export) -> Result<u64, ExportError> {
    let first = export.keys.first().map_or_else(String::new, |key| key.name().to_owned());
    let shards = export.store.read::<_, Error, _>("export.shards", move |snapshot| {
        Box::pin(async move { Ok(shards::all(snapshot, &first).await?) })
    });
    let shards = shards.await?;
    let mut size = 0;
    for shard in shards.each() {
        size = one(export, shard).await?;
    }
    stamps(export, size).await?;
    Ok(size)
}

/// Writes one shard; gives the size of what was written, counted over all of them.
async fn one(export: &Export, shard: &Shard) -> Result<u64, ExportError> {
    let (seen, places) = (Arc::clone(&export.witnesses), shard.places());
    let served = export.store.read::<_, Error, _>("export.checkpoint", move |snapshot| {
        Box::pin(async move { witnesses::served(&seen, snapshot, &places, 0).await })
    });
    let served = served.await?.ok_or(ExportError::Empty)?;
    let keys: Vec<Vkey> = export
        .keys
        .iter()
        .map(|key| key.called(&shard.origin))
        .collect::<Result<_, _>>()
        .map_err(|_| Error::Unreadable)?;
    let size = Checkpoint::open(&served.note, &keys)?.size;
    let dir = match shard.number {
        0 => export.dir.clone(),
        number => export.dir.join(format!("shards/{number}")),
    };
    for id in tiles(size) {
        let path = dir.join(id.path());
        if id.is_full() && tokio::fs::try_exists(&path).await.unwrap_or(false) {
            continue;
        }
        let places = shard.places();
        let bytes = export
            .store
            .read::<_, Error, _>("export.tile", move |snapshot| {
                Box::pin(async move { bytes(snapshot, &places, id).await })
            })
            .await?;
        write(&path, &bytes).await?;
    }
    let named = export.witnesses.named();
    let trusted = policy(&keys, None, &named, export.witnesses.quorum());
    write(&dir.join("policy"), trusted.as_bytes()).await?;
    write(&dir.join("checkpoint"), served.note.as_bytes()).await?;
    Ok(served.size)
}

/// The time-stamps of checkpoints up to that size, as `openssl ts -verify` reads them.
async fn stamps(export: &Export, size: u64) -> Result<(), ExportError> {
    let mut after = String::new();
    loop {
        let from = after.clone();
        let page = export
            .store
            .read::<_, Error, _>("export.stamps", move |snapshot| {
                Box::pin(async move { Ok(time_stamps::page(snapshot, &from, PAGE).await?) })
            })
            .await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        last.day.clone_into(&mut after);
        for (row, note) in page.iter().filter(|(row, _)| row.size <= size) {
            let Some(note) = note else { return Err(Error::Unreadable.into()) };
            let beside = |kind: &str| export.dir.join(format!("timestamps/{}.{kind}", row.day));
            write(&beside("checkpoint"), note.as_bytes()).await?;
            write(&beside("tsr"), &row.token).await?;
        }
    }
}

/// Every tile and bundle of a journal of that size.
fn tiles(size: u64) -> impl Iterator<Item = TileId> {
    let full = (0..8_u8).flat_map(move |level| {
        let number = size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
        (0..number).map(move |index| TileId::full(level, index))
    });
    let hashes = full.chain(partial_tiles(size));
    // There is a bundle for each tile of the lowest level.
    hashes.flat_map(|id| {
        let bundle = (id.kind == TileKind::Hashes(0)).then_some(TileId { kind: TileKind::Entries, ..id });
        std::iter::once(id).chain(bundle)
    })
}

async fn bytes(snapshot: &mut Snapshot, places: &Range<u64>, id: TileId) -> Result<Vec<u8>, Error> {
    match id.kind {
        TileKind::Hashes(level) => read::hashes(snapshot, places, level, id).await?.ok_or(Error::Unreadable),
        TileKind::Entries => {
            let rows = journal::entries(snapshot, places.start + id.index * 256, id.width.into()).await?;
            let entries: Vec<Vec<u8>> = rows.into_iter().map(|row| row.entry).collect();
            if entries.len() != usize::from(id.width) {
                return Err(Error::Unreadable);
            }
            encode_bundle(&entries).map_err(|_| Error::Unreadable)
        }
    }
}

/// Beside, then in place: whoever reads meanwhile finds the old file or the new one.
async fn write(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let at = |source| ExportError::Io { path: path.to_owned(), source };
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await.map_err(at)?;
    }
    let beside = path.with_extension("new");
    tokio::fs::write(&beside, bytes).await.map_err(at)?;
    tokio::fs::rename(&beside, path).await.map_err(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_has_every_full_tile_its_partial_ones_and_a_bundle_for_each_lowest_one() {
        let paths = |size| tiles(size).map(|id| id.path()).collect::<Vec<_>>();
        assert_eq!(paths(0), Vec::<String>::new());
        assert_eq!(paths(5), ["tile/0/000.p/5", "tile/entries/000.p/5"]);
        assert_eq!(paths(256), ["tile/0/000", "tile/entries/000", "tile/1/000.p/1"]);
        let many = paths(70_000);
        assert_eq!(many.len(), 273 + 273 + 1 + 2 + 1 + 1);
        for path in
            ["tile/0/272", "tile/entries/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
        {
            assert!(many.iter().any(|there| there == path), "{path}");
        }
    }
}
