//! How usagers chose to be told what is done in their name.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{Channel, EventId, UsagerId};

const TABLE: &str = "contact";

statements! {
    INSERT = "INSERT INTO contact (usager_id, channel, sealed, version, last_event) VALUES ($1, $2, $3, 1, $4)";
    LOAD = "SELECT usager_id, channel, sealed, version FROM contact WHERE usager_id = $1";
    PAGE = "SELECT usager_id, channel, sealed, version, last_event FROM contact WHERE usager_id > $1 ORDER BY usager_id \
        LIMIT CAST($2 AS BIGINT)";
    UPDATE = "UPDATE contact SET channel = $3, sealed = $4, version = version + 1, last_event = $5 \
        WHERE usager_id = $1 AND version = $2";
}

/// A choice as stored. Personal data: sealed, and no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// Whose.
    pub usager: UsagerId,
    /// The way they chose.
    pub channel: Channel,
    /// The sealed [`crate::mandate::Contact`]; empty once the person was erased.
    pub sealed: Vec<u8>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<ContactRow, StoreError> {
    Ok(ContactRow {
        usager: row.id("usager_id")?,
        channel: row.named("channel", Channel::parse)?,
        sealed: row.bytes("sealed")?,
        version: row.number("version")?,
    })
}

/// Records a first choice.
pub async fn insert(tx: &mut Tx, row: &ContactRow, event: &EventId) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.usager.as_str())
        .bind(row.channel.as_str())
        .bind(row.sealed.as_slice())
        .bind(event.as_str());
    tx.execute(insert).await.map(drop)
}

/// What a usager chose.
pub async fn load(snapshot: &mut Snapshot, usager: &UsagerId) -> Result<Option<ContactRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(usager.as_str()), read).await
}

/// Every choice in pages with the entry behind it, after `after` (empty for the first): for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(ContactRow, String)>, StoreError> {
    let rows = sql(PAGE).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}

/// Records another choice, or that the person was erased; `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &ContactRow,
    after: &ContactRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let update = sql(UPDATE)
        .bind(before.usager.as_str())
        .bind(before.version)
        .bind(after.channel.as_str())
        .bind(after.sealed.as_slice())
        .bind(event.as_str());
    tx.change_one(TABLE, update).await
}
