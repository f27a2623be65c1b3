//! Content asked for by one auditor and opened by another.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{AuditorId, EventId, Glass, GlassId, GlassState, Instant, MandateId};

const TABLE: &str = "break_glass";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, auditor_id, reading_id, mandate_id, event_id, reason_sealed, state, asked_at, decided_by, \
             decided_at, version, last_event FROM break_glass WHERE ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO break_glass (id, auditor_id, reading_id, mandate_id, event_id, reason_sealed, state, \
        asked_at, version, last_event) VALUES ($1, $2, $3, $4, $5, $6, 'asked', $7, 1, $8)";
    LOAD = select!("id = $1");
    PAGE = select!("id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)");
    LATEST = select!("asked_at > $1 ORDER BY asked_at DESC, id LIMIT CAST($2 AS BIGINT)");
    OPEN = select!("auditor_id = $1 AND state = 'open' AND decided_at > $2 ORDER BY decided_at");
    DUE = select!("state = 'asked' AND asked_at <= $1 ORDER BY asked_at LIMIT CAST($2 AS BIGINT)");
    DECIDE = "UPDATE break_glass SET state = $3, decided_by = $4, decided_at = $5, version = version + 1, \
        last_event = $6 WHERE id = $1 AND version = $2 AND state = 'asked'";
}

/// A request as stored: the reason is free text, sealed under the asking auditor's key; no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct GlassRow {
    /// The request.
    pub glass: Glass,
    /// The sealed reason.
    pub reason_sealed: Vec<u8>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<GlassRow, StoreError> {
    let (by, at) = (row.id_or_none::<AuditorId>("decided_by")?, row.instant_or_none("decided_at")?);
    let state = match (row.text("state")?.as_str(), by, at) {
        ("asked", None, None) => GlassState::Asked,
        ("open", Some(by), Some(at)) => GlassState::Open { by, at },
        ("refused", Some(by), Some(at)) => GlassState::Refused { by, at },
        ("lapsed", None, Some(at)) => GlassState::Lapsed { at },
        _ => return Err(row.inconsistent("state")),
    };
    let glass = Glass {
        id: row.id("id")?,
        auditor: row.id("auditor_id")?,
        reading: row.id("reading_id")?,
        mandate: row.id_or_none("mandate_id")?,
        entry: row.id_or_none("event_id")?,
        asked_at: row.instant("asked_at")?,
        state,
    };
    Ok(GlassRow { glass, reason_sealed: row.bytes("reason_sealed")?, version: row.number("version")? })
}

/// Records a request.
pub async fn insert(
    tx: &mut Tx,
    glass: &Glass,
    reason_sealed: &[u8],
    event: &EventId,
) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(glass.id.as_str())
        .bind(glass.auditor.as_str())
        .bind(glass.reading.as_str())
        .bind(glass.mandate.as_ref().map(MandateId::as_str))
        .bind(glass.entry.as_ref().map(EventId::as_str))
        .bind(reason_sealed)
        .bind(glass.asked_at.micros())
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// One request.
pub async fn load(snapshot: &mut Snapshot, id: &GlassId) -> Result<Option<GlassRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// Every request in pages with the entry behind it, after `after` (empty for the first): for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(GlassRow, String)>, StoreError> {
    let rows = sql(PAGE).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}

/// Requests made after `since`, whoever made them, the latest first.
pub async fn latest(
    snapshot: &mut Snapshot,
    since: Instant,
    limit: u32,
) -> Result<Vec<GlassRow>, StoreError> {
    snapshot.list(TABLE, sql(LATEST).bind(since.micros()).bind(i64::from(limit)), read).await
}

/// What was opened to an auditor after `since`.
pub async fn open(
    snapshot: &mut Snapshot,
    auditor: &AuditorId,
    since: Instant,
) -> Result<Vec<GlassRow>, StoreError> {
    snapshot.list(TABLE, sql(OPEN).bind(auditor.as_str()).bind(since.micros()), read).await
}

/// Requests made at `by` or before that nobody answered.
pub async fn due(snapshot: &mut Snapshot, by: Instant, limit: u32) -> Result<Vec<GlassRow>, StoreError> {
    snapshot.list(TABLE, sql(DUE).bind(by.micros()).bind(i64::from(limit)), read).await
}

/// Records the answer, or that there was none.
pub async fn decide(
    tx: &mut Tx,
    before: &GlassRow,
    after: &GlassState,
    event: &EventId,
) -> Result<(), StoreError> {
    let (by, at) = match after {
        GlassState::Asked => return Err(StoreError::Conflict { table: TABLE }),
        GlassState::Open { by, at } | GlassState::Refused { by, at } => (Some(by), *at),
        GlassState::Lapsed { at } => (None, *at),
    };
    let decide = sql(DECIDE)
        .bind(before.glass.id.as_str())
        .bind(before.version)
        .bind(after.as_str())
        .bind(by.map(AuditorId::as_str))
        .bind(at.micros())
        .bind(event.as_str());
    tx.change_one(TABLE, decide).await
}
