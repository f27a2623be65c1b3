//! The journal as it is read: head, checkpoints, tiles, leaves, entries with their openings.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::journal::Hash;
use crate::mandate::{EventId, Instant};

statements! {
    NEWEST = "SELECT size, root, note FROM checkpoint WHERE size <= $1 ORDER BY size DESC LIMIT 1";
    CHECKPOINT_AT = "SELECT size, root, note FROM checkpoint WHERE size >= $1 ORDER BY size LIMIT 1";
    CHECKPOINTS = "SELECT size, root, note FROM checkpoint WHERE size > $1 ORDER BY size LIMIT CAST($2 AS BIGINT)";
    TILE = "SELECT level, idx, root, hashes FROM tile WHERE level = $1 AND idx = $2";
    TILES = "SELECT level, idx, root, hashes FROM tile WHERE level = $1 AND idx >= $2 ORDER BY idx \
        LIMIT CAST($3 AS BIGINT)";
    TILE_ROOTS = "SELECT idx, root FROM tile WHERE level = $1 AND idx >= $2 AND idx < $3 ORDER BY idx";
    LEAF_HASHES = "SELECT idx, leaf_hash FROM leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx";
    PLACED = "SELECT idx FROM leaf WHERE event_id = $1";
    PLACED_IN = "SELECT leaf.idx AS idx, COALESCE(shard.start, 0) AS start, shard.origin AS origin FROM leaf \
        LEFT JOIN shard ON shard.start = (SELECT MAX(start) FROM shard WHERE start <= leaf.idx) WHERE leaf.event_id = $1";
    ENTRIES = "SELECT leaf.idx AS idx, leaf.event_id AS event_id, at, tag, entry, leaf_hash FROM leaf \
        JOIN event ON event.event_id = leaf.event_id WHERE leaf.idx >= $1 ORDER BY leaf.idx LIMIT CAST($2 AS BIGINT)";
    UNPLACED = "SELECT event.event_id AS event_id, at, tag, entry FROM event LEFT JOIN leaf \
        ON leaf.event_id = event.event_id WHERE leaf.idx IS NULL ORDER BY event.event_id LIMIT CAST($1 AS BIGINT)";
    EVENT = "SELECT event.event_id AS event_id, at, tag, entry, leaf.idx AS idx, leaf_hash FROM event \
        LEFT JOIN leaf ON leaf.event_id = event.event_id WHERE event.event_id = $1";
    BY_TAG = "SELECT event.event_id AS event_id, at, tag, entry, leaf.idx AS idx, leaf_hash FROM event \
        LEFT JOIN leaf ON leaf.event_id = event.event_id WHERE event.tag = $1";
    OPENINGS = "SELECT event_id, slot, key_id, sealed FROM opening WHERE event_id = $1 ORDER BY slot";
    DESTROY_OPENINGS = "DELETE FROM opening WHERE key_id = $1";
    DESTROY_OPENINGS_OF = "DELETE FROM opening WHERE event_id = $1";
    DESTROY_OPENING = "DELETE FROM opening WHERE event_id = $1 AND slot = $2";
}

/// A signed checkpoint as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// How many entries there are up to it, counted over all shards.
    pub size: u64,
    /// Root of the tree over those of its shard.
    pub root: Hash,
    /// The signed note.
    pub note: String,
    /// The shard's name, as the note tells it.
    pub origin: String,
    /// Where the shard starts, as the size in the note tells it.
    pub start: u64,
}

impl CheckpointRow {
    /// How many entries of its shard it covers: what its note signs.
    #[must_use]
    pub const fn tree_size(&self) -> u64 {
        self.size - self.start
    }
}

/// A full tile as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TileRow {
    /// Level.
    pub level: u8,
    /// Index within the level.
    pub index: u64,
    /// Root over its hashes.
    pub root: Hash,
    /// Its 256 hashes, joined: 8,192 bytes.
    pub hashes: Vec<u8>,
}

/// An entry as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Identifier.
    pub event_id: EventId,
    /// When.
    pub at: Instant,
    /// Tag.
    pub tag: String,
    /// The canonical bytes.
    pub entry: Vec<u8>,
    /// Its place and stored leaf hash, once sequenced.
    pub leaf: Option<(u64, Hash)>,
}

/// A sealed opening as stored: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct OpeningRow {
    /// The entry.
    pub event_id: EventId,
    /// Which commitment.
    pub slot: String,
    /// The data key it is sealed under.
    pub key_id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn read_checkpoint(row: &Columns<'_>) -> Result<CheckpointRow, StoreError> {
    let (size, note) = (row.count("size")?, row.text("note")?);
    let mut lines = note.lines();
    let origin = lines.next().unwrap_or_default().to_owned();
    let tree = lines.next().and_then(|line| line.parse().ok());
    let start = tree.and_then(|tree| size.checked_sub(tree)).ok_or_else(|| row.inconsistent("note"))?;
    Ok(CheckpointRow { size, root: row.hash("root")?, note, origin, start })
}

fn read_tile(row: &Columns<'_>) -> Result<TileRow, StoreError> {
    let level = u8::try_from(row.number("level")?).map_err(|_| row.inconsistent("level"))?;
    Ok(TileRow { level, index: row.count("idx")?, root: row.hash("root")?, hashes: row.bytes("hashes")? })
}

fn read_entry(row: &Columns<'_>) -> Result<EntryRow, StoreError> {
    let leaf = match row.number_or_none("idx")? {
        Some(_) => Some((row.count("idx")?, row.hash("leaf_hash")?)),
        None => None,
    };
    Ok(EntryRow { leaf, ..read_event(row)? })
}

fn read_event(row: &Columns<'_>) -> Result<EntryRow, StoreError> {
    Ok(EntryRow {
        event_id: row.id("event_id")?,
        at: row.instant("at")?,
        tag: row.text("tag")?,
        entry: row.bytes("entry")?,
        leaf: None,
    })
}

fn read_opening(row: &Columns<'_>) -> Result<OpeningRow, StoreError> {
    Ok(OpeningRow {
        event_id: row.id("event_id")?,
        slot: row.text("slot")?,
        key_id: row.text("key_id")?,
        sealed: row.bytes("sealed")?,
    })
}

/// The newest checkpoint; none before the first entry.
pub async fn head(snapshot: &mut Snapshot) -> Result<Option<CheckpointRow>, StoreError> {
    newest(snapshot, u64::MAX).await
}

/// The newest checkpoint of at most that size: the final one of a shard that ends there.
pub async fn newest(snapshot: &mut Snapshot, most: u64) -> Result<Option<CheckpointRow>, StoreError> {
    snapshot.find("checkpoint", sql(NEWEST).bind(number(most)), read_checkpoint).await
}

/// The first checkpoint that covers `size` entries: the earliest proof that an entry was included.
pub async fn checkpoint_covering(
    snapshot: &mut Snapshot,
    size: u64,
) -> Result<Option<CheckpointRow>, StoreError> {
    snapshot.find("checkpoint", sql(CHECKPOINT_AT).bind(number(size)), read_checkpoint).await
}

/// Checkpoints in pages, those larger than `after` first.
pub async fn checkpoints(
    snapshot: &mut Snapshot,
    after: u64,
    limit: u32,
) -> Result<Vec<CheckpointRow>, StoreError> {
    let rows = sql(CHECKPOINTS).bind(number(after)).bind(i64::from(limit));
    snapshot.list("checkpoint", rows, read_checkpoint).await
}

/// One full tile.
pub async fn tile(snapshot: &mut Snapshot, level: u8, index: u64) -> Result<Option<TileRow>, StoreError> {
    snapshot.find("tile", sql(TILE).bind(i64::from(level)).bind(number(index)), read_tile).await
}

/// Full tiles of a level in pages from `from` on.
pub async fn tiles(
    snapshot: &mut Snapshot,
    level: u8,
    from: u64,
    limit: u32,
) -> Result<Vec<TileRow>, StoreError> {
    let rows = sql(TILES).bind(i64::from(level)).bind(number(from)).bind(i64::from(limit));
    snapshot.list("tile", rows, read_tile).await
}

/// The hashes of a level from `from` on, at most `limit`: leaf hashes at level 0, roots of the full tiles of
/// the level below otherwise. The hashes of any tile, full or partial, of a shard that starts at a place are
/// `level_hashes(level, start + n * 256, width)`.
pub async fn level_hashes(
    snapshot: &mut Snapshot,
    level: u8,
    from: u64,
    limit: u32,
) -> Result<Vec<Hash>, StoreError> {
    let to = number(from.saturating_add(limit.into()));
    match level.checked_sub(1) {
        None => {
            let rows = sql(LEAF_HASHES).bind(number(from)).bind(to);
            snapshot.list("leaf", rows, |row| row.hash("leaf_hash")).await
        }
        Some(below) => {
            let rows = sql(TILE_ROOTS).bind(i64::from(below)).bind(number(from)).bind(to);
            snapshot.list("tile", rows, |row| row.hash("root")).await
        }
    }
}

/// Whether an entry has its place under a signed checkpoint.
pub async fn is_included(snapshot: &mut Snapshot, event: &EventId) -> Result<bool, StoreError> {
    Ok(place(snapshot, event).await?.is_some())
}

/// The place of an entry.
pub async fn place(snapshot: &mut Snapshot, event: &EventId) -> Result<Option<u64>, StoreError> {
    snapshot.find("leaf", sql(PLACED).bind(event.as_str()), |row| row.count("idx")).await
}

/// The place of an entry in the tree of its shard, and that shard's name, unless it is the first one.
pub async fn place_in_shard(
    snapshot: &mut Snapshot,
    event: &EventId,
) -> Result<Option<(u64, Option<String>)>, StoreError> {
    let read = |row: &Columns<'_>| {
        let index = row.count("idx")?.checked_sub(row.count("start")?);
        Ok((index.ok_or_else(|| row.inconsistent("start"))?, row.text_or_none("origin")?))
    };
    snapshot.find("leaf", sql(PLACED_IN).bind(event.as_str()), read).await
}

/// Entries in their order, in pages from place `from` on.
pub async fn entries(snapshot: &mut Snapshot, from: u64, limit: u32) -> Result<Vec<EntryRow>, StoreError> {
    snapshot.list("leaf", sql(ENTRIES).bind(number(from)).bind(i64::from(limit)), read_entry).await
}

/// Entries without a place, oldest first: none on SQLite, those of the moment on PostgreSQL.
pub async fn unplaced(snapshot: &mut Snapshot, limit: u32) -> Result<Vec<EntryRow>, StoreError> {
    snapshot.list("event", sql(UNPLACED).bind(i64::from(limit)), read_event).await
}

/// One entry.
pub async fn entry(snapshot: &mut Snapshot, event: &EventId) -> Result<Option<EntryRow>, StoreError> {
    snapshot.find("event", sql(EVENT).bind(event.as_str()), read_entry).await
}

/// The entry of that tag.
pub async fn by_tag(snapshot: &mut Snapshot, tag: &str) -> Result<Option<EntryRow>, StoreError> {
    snapshot.find("event", sql(BY_TAG).bind(tag), read_entry).await
}

/// The bytes of the entry of that tag, also when it was appended in this very transaction.
pub async fn bytes_by_tag(tx: &mut Tx, tag: &str) -> Result<Option<Vec<u8>>, StoreError> {
    if let Some(bytes) = tx.unwritten_by_tag(tag) {
        return Ok(Some(bytes.to_vec()));
    }
    Ok(by_tag(tx, tag).await?.map(|row| row.entry))
}

/// The sealed openings of an entry that are still there.
pub async fn openings(snapshot: &mut Snapshot, event: &EventId) -> Result<Vec<OpeningRow>, StoreError> {
    snapshot.list("opening", sql(OPENINGS).bind(event.as_str()), read_opening).await
}

/// Destroys every opening sealed under a key (erasure); how many.
pub async fn destroy_openings(tx: &mut Tx, key_id: &str) -> Result<u64, StoreError> {
    tx.execute(sql(DESTROY_OPENINGS).bind(key_id)).await
}

/// Destroys the opening of one slot of an entry (erasure, end of retention); how many it was.
pub async fn destroy_opening(tx: &mut Tx, event: &EventId, slot: &str) -> Result<u64, StoreError> {
    tx.execute(sql(DESTROY_OPENING).bind(event.as_str()).bind(slot)).await
}

/// Destroys every opening of an entry (end of retention); how many.
pub async fn destroy_openings_of(tx: &mut Tx, event: &EventId) -> Result<u64, StoreError> {
    tx.execute(sql(DESTROY_OPENINGS_OF).bind(event.as_str())).await
}
