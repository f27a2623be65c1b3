//! Messages to services that wait to be sent: written with the fact they tell of, sent after its commit.

use super::bound::sql;
use super::column::Columns;
use super::named::named;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{Instant, MessageId, RepresentationId};

const TABLE: &str = "outbox";

statements! {
    INSERT = "INSERT INTO outbox (message_id, kind, representation_id, created_at, attempts, next_at) \
        VALUES ($1, $2, $3, $4, 0, $4)";
    DUE = "SELECT message_id, kind, representation_id, created_at, attempts FROM outbox WHERE next_at <= $1 \
        ORDER BY next_at, message_id LIMIT CAST($2 AS BIGINT)";
    TAKE = "UPDATE outbox SET attempts = attempts + 1, next_at = $3 WHERE message_id = $1 AND attempts = $2";
    PUT_OFF = "UPDATE outbox SET next_at = $3 WHERE message_id = $1 AND attempts = $2";
    REMOVE = "DELETE FROM outbox WHERE message_id = $1";
}

named! {
    /// What is told, and how.
    MessageKind {
        /// A logout token (OpenID Connect Back-Channel Logout 1.0).
        LogoutToken = "logout_token",
        /// A security event (RFC 8417), pushed (RFC 8935).
        SecurityEvent = "security_event",
    }
}

/// A message that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Identifier, also the token's `jti`: the same at each attempt.
    pub id: MessageId,
    /// What is told, and how.
    pub kind: MessageKind,
    /// The representation whose end it tells.
    pub representation: RepresentationId,
    /// When it was written.
    pub created_at: Instant,
    /// How often it was sent.
    pub attempts: u32,
}

fn read(row: &Columns<'_>) -> Result<MessageRow, StoreError> {
    Ok(MessageRow {
        id: row.id("message_id")?,
        kind: row.named("kind", MessageKind::parse)?,
        representation: row.id("representation_id")?,
        created_at: row.instant("created_at")?,
        attempts: u32::try_from(row.count("attempts")?).unwrap_or(u32::MAX),
    })
}

/// Writes a message; it is due at once.
pub async fn insert(tx: &mut Tx, row: &MessageRow) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.kind.as_str())
        .bind(row.representation.as_str())
        .bind(row.created_at.micros());
    tx.execute(insert).await.map(drop)
}

/// Messages that are due, the longest waiting first.
pub async fn due(snapshot: &mut Snapshot, now: Instant, most: u32) -> Result<Vec<MessageRow>, StoreError> {
    snapshot.list(TABLE, sql(DUE).bind(now.micros()).bind(i64::from(most)), read).await
}

/// Takes a message for sending, for so long; whether it was still there, and no other replica's.
pub async fn take(tx: &mut Tx, row: &MessageRow, until: Instant) -> Result<bool, StoreError> {
    let take = sql(TAKE).bind(row.id.as_str()).bind(i64::from(row.attempts)).bind(until.micros());
    Ok(tx.execute(take).await? == 1)
}

/// Puts a message off that was sent for nothing; nothing when it is gone or was sent again since.
pub async fn put_off(tx: &mut Tx, row: &MessageRow, until: Instant) -> Result<(), StoreError> {
    let put_off = sql(PUT_OFF).bind(row.id.as_str()).bind(i64::from(row.attempts)).bind(until.micros());
    tx.execute(put_off).await.map(drop)
}

/// Removes a message; whether it was still there.
pub async fn remove(tx: &mut Tx, id: &MessageId) -> Result<bool, StoreError> {
    Ok(tx.execute(sql(REMOVE).bind(id.as_str())).await? == 1)
}
