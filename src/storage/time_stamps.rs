//! Time-stamps of checkpoints (RFC 3161), one a day. Written once, with its entry.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{EventId, Instant};

const TABLE: &str = "time_stamp";

statements! {
    INSERT = "INSERT INTO time_stamp (day, size, gen_time, token, last_event) VALUES ($1, $2, $3, $4, $5)";
    OF_DAY = "SELECT day, size, gen_time, token, last_event FROM time_stamp WHERE day = $1";
    NEWEST = "SELECT MAX(gen_time) AS gen_time FROM time_stamp";
    BETWEEN = "SELECT size, MIN(gen_time) AS gen_time FROM time_stamp WHERE size > $1 AND size <= $2 GROUP BY size \
        ORDER BY size";
    PAGE = "SELECT day, time_stamp.size AS size, gen_time, token, last_event, note FROM time_stamp \
        LEFT JOIN checkpoint ON checkpoint.size = time_stamp.size WHERE day > $1 ORDER BY day, last_event \
        LIMIT CAST($2 AS BIGINT)";
}

/// A time-stamp as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeStampRow {
    /// The day it is of, in metropolitan France: `2026-11-22`.
    pub day: String,
    /// Size of the checkpoint it stamps.
    pub size: u64,
    /// When the authority says that the checkpoint was there.
    pub at: Instant,
    /// The authority's answer as it came (DER).
    pub token: Vec<u8>,
    /// The entry that tells of it.
    pub event: EventId,
}

fn read(row: &Columns<'_>) -> Result<TimeStampRow, StoreError> {
    Ok(TimeStampRow {
        day: row.text("day")?,
        size: row.count("size")?,
        at: row.instant("gen_time")?,
        token: row.bytes("token")?,
        event: row.id("last_event")?,
    })
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Keeps a time-stamp; its entry is appended in the same transaction.
pub async fn insert(tx: &mut Tx, row: &TimeStampRow) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.day.as_str())
        .bind(number(row.size))
        .bind(row.at.micros())
        .bind(row.token.as_slice())
        .bind(row.event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// The one of that day.
pub async fn of_day(snapshot: &mut Snapshot, day: &str) -> Result<Option<TimeStampRow>, StoreError> {
    snapshot.find(TABLE, sql(OF_DAY).bind(day), read).await
}

/// The latest instant that any tells.
pub async fn newest(snapshot: &mut Snapshot) -> Result<Option<Instant>, StoreError> {
    let found = snapshot.find(TABLE, sql(NEWEST), |row| row.instant_or_none("gen_time")).await?;
    Ok(found.flatten())
}

/// The checkpoints of more than `after` and at most `until` entries that were stamped, and when first.
pub async fn between(
    snapshot: &mut Snapshot,
    after: u64,
    until: u64,
) -> Result<Vec<(u64, Instant)>, StoreError> {
    let rows = sql(BETWEEN).bind(number(after)).bind(number(until));
    snapshot.list(TABLE, rows, |row| Ok((row.count("size")?, row.instant("gen_time")?))).await
}

/// Time-stamps in the order of their days, after one (empty for the first), each with the note it stamps, as far as
/// that is there.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(TimeStampRow, Option<String>)>, StoreError> {
    let rows = sql(PAGE).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text_or_none("note")?))).await
}
