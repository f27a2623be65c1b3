//! What anybody may read of the journal: nothing of it tells of a person.

use super::{App, Error, witnesses};
use crate::crypto::KeyStore;
use crate::journal::{HashedTile, TileId, TileKind, TileSet};
use crate::mandate::Instant;
use crate::storage::shards::{self, Shard, Shards};
use crate::storage::{JournalSigner, Snapshot, StoreError, journal};
use std::ops::Range;
use std::sync::Arc;

/// The newest signed checkpoint of the current shard that as many witnesses have seen as our policy asks for, with their
/// lines; while there is none such, the newest one. None while the journal is empty.
pub async fn checkpoint(app: &App) -> Result<Option<String>, Error> {
    checkpoint_of(app, None).await
}

/// The same of the shard of that number, final once it is closed; none when there is no such shard.
pub async fn checkpoint_of(app: &App, number: Option<u64>) -> Result<Option<String>, Error> {
    let app_ = App::clone(app);
    app.store
        .read("journal.checkpoint", move |snapshot| {
            Box::pin(async move {
                let shards = shards::all(snapshot, &app_.origin).await?;
                let Some(shard) = chosen(&shards, number) else { return Ok(None) };
                let served = witnesses::served(&app_.witnesses, snapshot, &shard.places(), 0).await?;
                Ok(served.map(|served| served.note))
            })
        })
        .await
}

/// The shard of that number, or the current one.
fn chosen(shards: &Shards, number: Option<u64>) -> Option<&Shard> {
    number.map_or_else(|| Some(shards.current()), |number| shards.numbered(number))
}

/// The shards that are closed, oldest first: number and name.
pub async fn closed(app: &App) -> Result<Vec<(u64, String)>, Error> {
    let app_ = App::clone(app);
    app.store
        .read("journal.closed", move |snapshot| {
            Box::pin(async move {
                let shards = shards::all(snapshot, &app_.origin).await?;
                let closed = shards.each().filter(|shard| shard.end.is_some());
                Ok(closed.map(|shard| (shard.number, shard.origin.clone())).collect())
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

/// The keys and the address by which anybody can verify the journal's current shard.
pub async fn policy(app: &App) -> Result<String, Error> {
    policy_of(app, None).await?.ok_or(Error::Unreadable)
}

/// The same for the shard of that number; none when there is no such shard. One policy names one shard: the names of two
/// differ and their key is the same, which the specification calls duplicate.
pub async fn policy_of(app: &App, number: Option<u64>) -> Result<Option<String>, Error> {
    policy_under(app, number, &app.keys).await
}

/// The same under other keys of ours than those the service works with, as after a rotation.
pub async fn policy_under(
    app: &App,
    number: Option<u64>,
    keys: &Arc<KeyStore>,
) -> Result<Option<String>, Error> {
    let first = app.origin.clone();
    let look = app.store.read("journal.shards", move |snapshot| {
        Box::pin(async move { Ok::<_, Error>(shards::all(snapshot, &first).await?) })
    });
    let shards = look.await?;
    chosen(&shards, number).map(|shard| told(app, keys, shard)).transpose()
}

/// The policy for a shard. While it is the only one, it is served where the current one is.
pub(super) fn told(app: &App, keys: &Arc<KeyStore>, shard: &Shard) -> Result<String, Error> {
    let keys = JournalSigner::new(shard.origin.as_str(), Arc::clone(keys)).map_err(|_| Error::Unreadable)?;
    let issuer = app.issuer.as_str();
    let address = match shard {
        Shard { number: 0, end: None, .. } => format!("{issuer}/journal"),
        Shard { number, .. } => format!("{issuer}/journal/shards/{number}"),
    };
    let (named, quorum) = (app.witnesses.named(), app.witnesses.quorum());
    Ok(crate::journal::policy(keys.verifiers(), Some(&address), &named, quorum))
}

/// The hashes of a tile of the current shard, full or partial, or of the shard of that number; none while its tree does not
/// reach so far. Bundles of entries are not for everybody.
pub async fn tile(app: &App, number: Option<u64>, id: TileId) -> Result<Option<Vec<u8>>, Error> {
    let TileKind::Hashes(level) = id.kind else { return Ok(None) };
    let first = app.origin.clone();
    app.store
        .read("journal.tile", move |snapshot| {
            Box::pin(async move {
                let shards = shards::all(snapshot, &first).await?;
                let Some(shard) = chosen(&shards, number) else { return Ok(None) };
                Ok(hashes(snapshot, &shard.places(), level, id).await?)
            })
        })
        .await
}

/// Tiles of hashes of the shard with those places, for a proof.
///
/// # Errors
/// [`Error::Unreadable`] when the journal lacks one it should have; any fault of the store.
pub(super) async fn tiles(
    app: &App,
    snapshot: &mut Snapshot,
    places: &Range<u64>,
    ids: Vec<TileId>,
) -> Result<TileSet, Error> {
    let mut tiles = TileSet::default();
    for id in ids {
        let TileKind::Hashes(level) = id.kind else { return Err(Error::Unreadable) };
        if level > 0 && id.is_full() {
            let tile = hashed(app, snapshot, places, level, id.index).await?;
            tiles.insert_hashed(level, id.index, tile);
        } else if let Some(below) = level.checked_sub(1).filter(|below| *below > 0) {
            tiles.insert(id, &roots(app, snapshot, places, below, id).await?);
        } else {
            let bytes = hashes(snapshot, places, level, id).await?.ok_or(Error::Unreadable)?;
            tiles.insert(id, &bytes);
        }
    }
    Ok(tiles)
}

/// The bytes of a partial tile, from the full ones below that are kept.
async fn roots(
    app: &App,
    snapshot: &mut Snapshot,
    places: &Range<u64>,
    below: u8,
    id: TileId,
) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::with_capacity(usize::from(id.width) * 32);
    for index in (id.index.saturating_mul(256)..).take(id.width.into()) {
        let tile = hashed(app, snapshot, places, below, index).await?;
        bytes.extend_from_slice(tile.root().as_bytes());
    }
    Ok(bytes)
}

/// A full tile above the leaves, hashed at its first use.
async fn hashed(
    app: &App,
    snapshot: &mut Snapshot,
    places: &Range<u64>,
    level: u8,
    index: u64,
) -> Result<Arc<HashedTile>, Error> {
    if let Some(tile) = app.tiles.find(places.start, level, index) {
        return Ok(tile);
    }
    let id = TileId::full(level, index);
    let bytes = hashes(snapshot, places, level, id).await?.ok_or(Error::Unreadable)?;
    let tile = Arc::new(HashedTile::of(&bytes).ok_or(Error::Unreadable)?);
    app.tiles.keep(places.start, level, index, Arc::clone(&tile));
    Ok(tile)
}

/// The bytes of a tile of hashes of the shard with those places; none beyond them.
pub(super) async fn hashes(
    snapshot: &mut Snapshot,
    places: &Range<u64>,
    level: u8,
    id: TileId,
) -> Result<Option<Vec<u8>>, StoreError> {
    if id.is_full() {
        let place = places.start.saturating_add(id.index);
        if place >= places.end {
            return Ok(None);
        }
        return Ok(journal::tile(snapshot, level, place).await?.map(|tile| tile.hashes));
    }
    let first = places.start.saturating_add(id.index.saturating_mul(256));
    if first.saturating_add(id.width.into()) > places.end {
        return Ok(None);
    }
    let hashes = journal::level_hashes(snapshot, level, first, id.width.into()).await?;
    let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
    Ok((hashes.len() == usize::from(id.width)).then_some(bytes))
}
