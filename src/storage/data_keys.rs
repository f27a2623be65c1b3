//! Wrapped data keys, one per person or subject. Destroying one erases what it sealed.

use super::bound::sql;
use super::column::Columns;
use super::named::named;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::Instant;

const TABLE: &str = "data_key";

statements! {
    INSERT = "INSERT INTO data_key (id, kind, subject_id, wrapped, created_at) VALUES ($1, $2, $3, $4, $5)";
    LOAD = "SELECT id, kind, subject_id, wrapped, created_at FROM data_key WHERE id = $1";
    OF_SUBJECT = "SELECT id, kind, subject_id, wrapped, created_at FROM data_key WHERE kind = $1 AND subject_id = $2";
    PAGE = "SELECT id, kind, subject_id, wrapped, created_at FROM data_key WHERE id > $1 ORDER BY id \
        LIMIT CAST($2 AS BIGINT)";
    REWRAP = "UPDATE data_key SET wrapped = $3 WHERE id = $1 AND wrapped = $2";
    DESTROY = "DELETE FROM data_key WHERE id = $1";
}

named! {
    /// Whose key it is.
    KeyKind {
        /// An organisation's.
        Organisation = "organisation",
        /// An aidant's.
        Aidant = "aidant",
        /// A usager's.
        Usager = "usager",
        /// An auditor's.
        Auditor = "auditor",
        /// A mandate's (its tags come from it).
        Mandate = "mandate",
        /// The service's own.
        System = "system",
    }
}

/// A wrapped key as stored: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKeyRow {
    /// Identifier.
    pub id: String,
    /// Whose kind of key.
    pub kind: KeyKind,
    /// Whose.
    pub subject_id: String,
    /// The key, wrapped by the key-encryption key.
    pub wrapped: Vec<u8>,
    /// When it was made.
    pub created_at: Instant,
}

fn read(row: &Columns<'_>) -> Result<DataKeyRow, StoreError> {
    Ok(DataKeyRow {
        id: row.text("id")?,
        kind: row.named("kind", KeyKind::parse)?,
        subject_id: row.text("subject_id")?,
        wrapped: row.bytes("wrapped")?,
        created_at: row.instant("created_at")?,
    })
}

/// Records a key.
///
/// # Errors
/// [`StoreError::Taken`] when the subject has one of that kind.
pub async fn insert(tx: &mut Tx, row: &DataKeyRow) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.kind.as_str())
        .bind(row.subject_id.as_str())
        .bind(row.wrapped.as_slice())
        .bind(row.created_at.micros());
    tx.execute(insert).await?;
    tx.made(&row.id);
    Ok(())
}

/// One key.
pub async fn load(snapshot: &mut Snapshot, id: &str) -> Result<Option<DataKeyRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id), read).await
}

/// The key of a subject.
pub async fn of_subject(
    snapshot: &mut Snapshot,
    kind: KeyKind,
    subject_id: &str,
) -> Result<Option<DataKeyRow>, StoreError> {
    snapshot.find(TABLE, sql(OF_SUBJECT).bind(kind.as_str()).bind(subject_id), read).await
}

/// Every key in pages by identifier, after `after` (empty for the first): for wrapping anew.
pub async fn page(snapshot: &mut Snapshot, after: &str, limit: u32) -> Result<Vec<DataKeyRow>, StoreError> {
    snapshot.list(TABLE, sql(PAGE).bind(after).bind(i64::from(limit)), read).await
}

/// Wraps a key anew; the old wrapping guards.
pub async fn rewrap(tx: &mut Tx, before: &DataKeyRow, wrapped: &[u8]) -> Result<(), StoreError> {
    let rewrap = sql(REWRAP).bind(before.id.as_str()).bind(before.wrapped.as_slice()).bind(wrapped);
    tx.change_one(TABLE, rewrap).await
}

/// Destroys a key: what it sealed can never be read again. Whether it was there.
pub async fn destroy(tx: &mut Tx, id: &str) -> Result<bool, StoreError> {
    Ok(tx.execute(sql(DESTROY).bind(id)).await? == 1)
}
