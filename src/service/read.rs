//! What anybody may read of the journal: nothing of it tells of a person.

use super::{App, Error, witnesses};
use crate::crypto::KeyStore;
use crate::journal::{TileId, TileKind, TileSet};
use crate::mandate::Instant;
use crate::storage::{JournalSigner, Snapshot, StoreError, journal};
use std::sync::Arc;

/// The newest signed checkpoint that as many witnesses have seen as our policy asks for, with their lines; while there
/// is none such, the newest one. None while the journal is empty.
pub async fn checkpoint(app: &App) -> Result<Option<String>, Error> {
    let app_ = App::clone(app);
    app.store
        .read("journal.checkpoint", move |snapshot| {
            Box::pin(async move {
                Ok(witnesses::served(&app_.witnesses, snapshot, 0).await?.map(|served| served.note))
            })
        })
        .await
}

/// Since when the oldest entry waits for its place; none when all have theirs. Reads the whole journal: for the
/// operator, not for every minute.
pub async fn oldest_waiting(app: &App) -> Result<Option<Instant>, Error> {
    app.store
        .read("journal.waiting", |snapshot| {
            Box::pin(async move { Ok(journal::unplaced(snapshot, 1).await?.first().map(|entry| entry.at)) })
        })
        .await
}

/// The keys and the address by which anybody can verify the journal.
pub fn policy(app: &App) -> Result<String, Error> {
    policy_under(app, &app.keys)
}

/// The same under other keys of ours than those the service works with, as after a rotation.
pub fn policy_under(app: &App, keys: &Arc<KeyStore>) -> Result<String, Error> {
    let keys = JournalSigner::new(app.origin.clone(), Arc::clone(keys)).map_err(|_| Error::Unreadable)?;
    Ok(crate::journal::policy(
        keys.verifiers(),
        Some(&format!("{}/journal", app.issuer.as_str())),
        &app.witnesses.named(),
        app.witnesses.quorum(),
    ))
}

/// The hashes of a tile, full or partial; none while the tree does not reach so far. Bundles of entries are not
/// for everybody.
pub async fn tile(app: &App, id: TileId) -> Result<Option<Vec<u8>>, Error> {
    let TileKind::Hashes(level) = id.kind else { return Ok(None) };
    app.store
        .read("journal.tile", move |snapshot| Box::pin(async move { Ok(hashes(snapshot, level, id).await?) }))
        .await
}

/// Tiles of hashes, for a proof.
///
/// # Errors
/// [`Error::Unreadable`] when the journal lacks one it should have; any fault of the store.
pub(super) async fn tiles(snapshot: &mut Snapshot, ids: Vec<TileId>) -> Result<TileSet, Error> {
    let mut tiles = TileSet::default();
    for id in ids {
        let TileKind::Hashes(level) = id.kind else { return Err(Error::Unreadable) };
        let bytes = hashes(snapshot, level, id).await?.ok_or(Error::Unreadable)?;
        tiles.insert(id, &bytes);
    }
    Ok(tiles)
}

/// The bytes of a tile of hashes.
pub(super) async fn hashes(
    snapshot: &mut Snapshot,
    level: u8,
    id: TileId,
) -> Result<Option<Vec<u8>>, StoreError> {
    if id.is_full() {
        return Ok(journal::tile(snapshot, level, id.index).await?.map(|tile| tile.hashes));
    }
    let first = id.index.saturating_mul(256);
    let hashes = journal::level_hashes(snapshot, level, first, id.width.into()).await?;
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    Ok((hashes.len() == usize::from(id.width)).then_some(bytes))
}
