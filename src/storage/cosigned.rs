//! Which cosignatures there were, counted once a day with an entry. Written once.

use super::bound::sql;
use super::column::Columns;
use super::cosignatures::CosignatureRow;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{EventId, Instant};

const TABLE: &str = "cosigned";

statements! {
    INSERT = "INSERT INTO cosigned (until_at, total, digest, last_event) VALUES ($1, $2, $3, $4)";
    UNTIL = "SELECT MAX(until_at) AS until_at FROM cosigned";
    PAGE = "SELECT until_at, total, digest, last_event FROM cosigned WHERE until_at > $1 ORDER BY until_at \
        LIMIT CAST($2 AS BIGINT)";
    OLDEST = "SELECT MIN(seen_at) AS seen_at FROM cosignature WHERE seen_at > $1";
    SEEN = "SELECT size, vkey, seen_at, line FROM cosignature WHERE seen_at <= $1 AND (seen_at, size, vkey) > ($2, $3, $4) \
        ORDER BY seen_at, size, vkey LIMIT CAST($5 AS BIGINT)";
}

/// A count of cosignatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CosignedRow {
    /// All that witnesses gave until this instant, by their own word, since the count before.
    pub until: Instant,
    /// How many.
    pub total: u64,
    /// SHA-256 over them, 64 hexadecimal digits.
    pub digest: String,
}

fn read(row: &Columns<'_>) -> Result<CosignedRow, StoreError> {
    Ok(CosignedRow {
        until: row.instant("until_at")?,
        total: row.count("total")?,
        digest: row.text("digest")?,
    })
}

/// Keeps a count; its entry is appended in the same transaction.
pub async fn insert(tx: &mut Tx, row: &CosignedRow, event: &EventId) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.until.micros())
        .bind(i64::try_from(row.total).unwrap_or(i64::MAX))
        .bind(row.digest.as_str())
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// Until when cosignatures are counted; none before the first count.
pub async fn until(snapshot: &mut Snapshot) -> Result<Option<Instant>, StoreError> {
    Ok(snapshot.find(TABLE, sql(UNTIL), |row| row.instant_or_none("until_at")).await?.flatten())
}

/// Counts in pages with the entry behind each, after the one until then: for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: Option<Instant>,
    limit: u32,
) -> Result<Vec<(CosignedRow, String)>, StoreError> {
    let rows = sql(PAGE).bind(after.map_or(i64::MIN, Instant::micros)).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}

/// When the oldest cosignature was given that is not counted until then.
pub async fn oldest(snapshot: &mut Snapshot, after: Option<Instant>) -> Result<Option<Instant>, StoreError> {
    let oldest = sql(OLDEST).bind(after.map_or(i64::MIN, Instant::micros));
    Ok(snapshot.find("cosignature", oldest, |row| row.instant_or_none("seen_at")).await?.flatten())
}

/// Cosignatures in the order in which they were given, until an instant, after a place: an instant, a size, a key.
pub async fn seen(
    snapshot: &mut Snapshot,
    until: Instant,
    (at, size, vkey): (i64, i64, &str),
    limit: u32,
) -> Result<Vec<CosignatureRow>, StoreError> {
    let rows = sql(SEEN).bind(until.micros()).bind(at).bind(size).bind(vkey).bind(i64::from(limit));
    snapshot.list("cosignature", rows, super::cosignatures::read).await
}
