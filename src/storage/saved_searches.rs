//! Searches that auditors keep under a name, each their own.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{AuditorId, Instant, SearchId};

const TABLE: &str = "saved_search";

statements! {
    INSERT = "INSERT INTO saved_search (id, auditor_id, name_sealed, query_sealed, saved_at) VALUES ($1, $2, $3, $4, $5)";
    OF_AUDITOR = "SELECT id, name_sealed, query_sealed FROM saved_search WHERE auditor_id = $1 \
        ORDER BY saved_at DESC, id LIMIT CAST($2 AS BIGINT)";
    DELETE = "DELETE FROM saved_search WHERE id = $1 AND auditor_id = $2";
}

/// A search as kept: free text, sealed under the auditor's key; no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SavedRow {
    /// Identifier.
    pub id: SearchId,
    /// The sealed name.
    pub name_sealed: Vec<u8>,
    /// The sealed filters.
    pub query_sealed: Vec<u8>,
}

fn read(row: &Columns<'_>) -> Result<SavedRow, StoreError> {
    Ok(SavedRow {
        id: row.id("id")?,
        name_sealed: row.bytes("name_sealed")?,
        query_sealed: row.bytes("query_sealed")?,
    })
}

/// Keeps a search.
pub async fn insert(
    tx: &mut Tx,
    auditor: &AuditorId,
    row: &SavedRow,
    now: Instant,
) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(auditor.as_str())
        .bind(row.name_sealed.as_slice())
        .bind(row.query_sealed.as_slice())
        .bind(now.micros());
    tx.execute(insert).await.map(|_| ())
}

/// An auditor's searches, the one kept last first.
pub async fn of_auditor(
    snapshot: &mut Snapshot,
    auditor: &AuditorId,
    limit: u32,
) -> Result<Vec<SavedRow>, StoreError> {
    snapshot.list(TABLE, sql(OF_AUDITOR).bind(auditor.as_str()).bind(i64::from(limit)), read).await
}

/// Forgets a search of that auditor; false when it is none of theirs.
pub async fn delete(tx: &mut Tx, auditor: &AuditorId, id: &SearchId) -> Result<bool, StoreError> {
    Ok(tx.execute(sql(DELETE).bind(id.as_str()).bind(auditor.as_str())).await? == 1)
}
