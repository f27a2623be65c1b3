//! Cosignatures: which witness has seen which checkpoint. Written once.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::Instant;
use std::ops::Range;

const TABLE: &str = "cosignature";
/// Checkpoints looked at for a quorum, newest first.
const CANDIDATES: i64 = 16;

statements! {
    INSERT = "INSERT INTO cosignature (size, vkey, seen_at, line) VALUES ($1, $2, $3, $4)";
    OF_SIZE = "SELECT size, vkey, seen_at, line FROM cosignature WHERE size = $1 ORDER BY seen_at, vkey";
    SEEN_BY_MANY = "SELECT size FROM cosignature WHERE size > $1 AND size <= $2 GROUP BY size \
        HAVING COUNT(DISTINCT vkey) >= $3 ORDER BY size DESC LIMIT CAST($4 AS BIGINT)";
    NEWEST_OF = "SELECT COALESCE(MAX(size), $1) AS size FROM cosignature WHERE vkey = $2 AND size > $1 AND size <= $3";
    BETWEEN = "SELECT size, MIN(seen_at) AS seen_at FROM cosignature WHERE size > $1 AND size <= $2 GROUP BY size \
        ORDER BY size";
    PAGE = "SELECT cosignature.size AS size, vkey, seen_at, line, note FROM cosignature LEFT JOIN checkpoint \
        ON checkpoint.size = cosignature.size WHERE cosignature.size >= $1 AND (cosignature.size > $1 OR vkey > $2 \
        OR (vkey = $2 AND seen_at > $3)) ORDER BY cosignature.size, vkey, seen_at LIMIT CAST($4 AS BIGINT)";
}

/// A cosignature as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignatureRow {
    /// Size of the checkpoint.
    pub size: u64,
    /// The witness's key.
    pub vkey: String,
    /// When the witness says it saw the checkpoint.
    pub seen_at: Instant,
    /// The line it cosigned with.
    pub line: String,
}

pub(super) fn read(row: &Columns<'_>) -> Result<CosignatureRow, StoreError> {
    Ok(CosignatureRow {
        size: row.count("size")?,
        vkey: row.text("vkey")?,
        seen_at: row.instant("seen_at")?,
        line: row.text("line")?,
    })
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Records that a witness has seen a checkpoint; nothing when that is recorded already, for that second.
pub async fn insert(tx: &mut Tx, row: &CosignatureRow) -> Result<(), StoreError> {
    if of_checkpoint(tx, row.size)
        .await?
        .iter()
        .any(|known| known.vkey == row.vkey && known.seen_at == row.seen_at)
    {
        return Ok(());
    }
    let insert = sql(INSERT)
        .bind(number(row.size))
        .bind(row.vkey.as_str())
        .bind(row.seen_at.micros())
        .bind(row.line.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// Who has seen the checkpoint of that size, in the order in which they did.
pub async fn of_checkpoint(snapshot: &mut Snapshot, size: u64) -> Result<Vec<CosignatureRow>, StoreError> {
    snapshot.list(TABLE, sql(OF_SIZE).bind(number(size)), read).await
}

/// The newest checkpoints of those places that at least so many have seen, newest first.
pub async fn seen_by(
    snapshot: &mut Snapshot,
    places: &Range<u64>,
    least: usize,
) -> Result<Vec<u64>, StoreError> {
    let rows = sql(SEEN_BY_MANY)
        .bind(number(places.start))
        .bind(number(places.end))
        .bind(i64::try_from(least).unwrap_or(i64::MAX))
        .bind(CANDIDATES);
    snapshot.list(TABLE, rows, |row| row.count("size")).await
}

/// Size of the newest checkpoint of those places that a witness has seen; where they start, for none.
pub async fn newest_of(snapshot: &mut Snapshot, places: &Range<u64>, vkey: &str) -> Result<u64, StoreError> {
    let row = sql(NEWEST_OF).bind(number(places.start)).bind(vkey).bind(number(places.end));
    Ok(snapshot.find(TABLE, row, |row| row.count("size")).await?.unwrap_or(places.start))
}

/// The checkpoints of more than `after` and at most `until` entries that witnesses saw, and when the first says it did.
pub async fn between(
    snapshot: &mut Snapshot,
    after: u64,
    until: u64,
) -> Result<Vec<(u64, Instant)>, StoreError> {
    let rows = sql(BETWEEN).bind(number(after)).bind(number(until));
    snapshot.list(TABLE, rows, |row| Ok((row.count("size")?, row.instant("seen_at")?))).await
}

/// Cosignatures in pages, each with the note it stands below, as far as that is there: for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: Option<&CosignatureRow>,
    limit: u32,
) -> Result<Vec<(CosignatureRow, Option<String>)>, StoreError> {
    let (size, vkey) = after.map_or((0, ""), |row| (row.size, row.vkey.as_str()));
    let seen_at = after.map_or(i64::MIN, |row| row.seen_at.micros());
    let rows = sql(PAGE).bind(number(size)).bind(vkey).bind(seen_at).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text_or_none("note")?))).await
}
