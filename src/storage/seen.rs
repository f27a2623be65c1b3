//! Which mandates the readings of the desk showed something of: for the persons concerned.

use super::bound::sql;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{EventId, Instant};

statements! {
    INSERT = "INSERT INTO audit_seen (mandate, at, event_id) VALUES ($1, $2, $3)";
    OF_MANDATE = "SELECT event_id FROM audit_seen WHERE mandate = $1 ORDER BY at DESC, event_id DESC \
        LIMIT CAST($2 AS BIGINT)";
}

/// Notes that a reading (its entry) showed something of these mandates, given by blind index.
pub async fn note<'a>(
    tx: &mut Tx,
    mandates: impl IntoIterator<Item = &'a String>,
    at: Instant,
    event: &EventId,
) -> Result<(), StoreError> {
    for mandate in mandates {
        let insert = sql(INSERT).bind(mandate.as_str()).bind(at.micros()).bind(event.as_str());
        tx.execute(insert).await?;
    }
    Ok(())
}

/// The readings that showed something of a mandate, the latest first.
pub async fn of_mandate(
    snapshot: &mut Snapshot,
    mandate: &str,
    limit: u32,
) -> Result<Vec<EventId>, StoreError> {
    let rows = sql(OF_MANDATE).bind(mandate).bind(i64::from(limit));
    snapshot.list("audit_seen", rows, |row| row.id("event_id")).await
}
