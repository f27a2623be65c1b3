//! How far the journal and each of its shards reach, for verification: nothing of a row is taken for granted, and no row is
//! in no shard.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError};
use crate::journal::Extent;

statements! {
    LEAVES_TOTAL = "SELECT COALESCE(MAX(idx) + 1, $1) AS reach, COUNT(*) AS total FROM leaf WHERE idx >= $2 AND idx <= $3";
    TILES_TOTAL = "SELECT COUNT(*) AS total FROM tile WHERE idx >= $1 AND idx <= $2";
    CHECKPOINTS_TOTAL = "SELECT COUNT(*) AS total FROM checkpoint WHERE size >= $1 AND size <= $2";
    NEWEST = "SELECT note FROM checkpoint WHERE size >= $1 AND size <= $2 ORDER BY size DESC LIMIT 1";
    OLDEST = "SELECT note FROM checkpoint ORDER BY size LIMIT 1";
    SHARDS = "SELECT number, origin, start, event_id FROM shard ORDER BY number, start";
}

/// A row of shards.
pub struct RawShard {
    /// Number.
    pub number: i64,
    /// Name.
    pub origin: String,
    /// The place of its first entry.
    pub start: i64,
    /// The event that opened it.
    pub event_id: String,
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The stretch of the journal that one shard has. The first one has what stands before it as well, and the last one all that
/// stands behind, so that no row is in none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Window {
    /// Where it starts.
    pub start: u64,
    /// Where the next one starts.
    pub end: Option<u64>,
}

impl Window {
    /// Its first place (or, with `behind` 1, the size of its first checkpoint).
    fn first(self, behind: u64) -> i64 {
        if self.start == 0 { i64::MIN } else { number(self.start.saturating_add(behind)) }
    }

    /// Its last place (or, with `behind` 1, the size of its final checkpoint).
    fn last(self, behind: u64) -> i64 {
        self.end.map_or(i64::MAX, |end| number((end + behind).saturating_sub(1)))
    }
}

/// How far one shard of the journal reaches in its own tree, and how many rows its tables hold.
pub async fn extent(snapshot: &mut Snapshot, window: Window) -> Result<Extent, StoreError> {
    let total = |row: &Columns<'_>| row.count("total");
    let within = |text, behind| sql(text).bind(window.first(behind)).bind(window.last(behind));
    let leaves = sql(LEAVES_TOTAL).bind(number(window.start)).bind(window.first(0)).bind(window.last(0));
    let leaves = snapshot.find("leaf", leaves, |row| Ok((row.count("reach")?, row.count("total")?))).await?;
    let (leaves_end, leaves) = leaves.unwrap_or_default();
    let checkpoints = snapshot.find("checkpoint", within(CHECKPOINTS_TOTAL, 1), total).await?;
    Ok(Extent {
        leaves_end: leaves_end.saturating_sub(window.start),
        leaves,
        newest_note: snapshot.find("checkpoint", within(NEWEST, 1), |row| row.text("note")).await?,
        tiles: snapshot.find("tile", within(TILES_TOTAL, 0), total).await?.unwrap_or_default(),
        checkpoints: checkpoints.unwrap_or_default(),
    })
}

/// The oldest checkpoint's note.
pub async fn oldest_note(snapshot: &mut Snapshot) -> Result<Option<String>, StoreError> {
    snapshot.find("checkpoint", sql(OLDEST), |row| row.text("note")).await
}

/// The shards but the first, by number.
pub async fn shards(snapshot: &mut Snapshot) -> Result<Vec<RawShard>, StoreError> {
    snapshot
        .list("shard", sql(SHARDS), |row| {
            Ok(RawShard {
                number: row.number("number")?,
                origin: row.text("origin")?,
                start: row.number("start")?,
                event_id: row.text("event_id")?,
            })
        })
        .await
}
