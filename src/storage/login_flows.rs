//! Sign-ins under way at another provider. Each `state` serves once, in the browser that began it.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::Instant;

const TABLE: &str = "login_flow";

statements! {
    INSERT = "INSERT INTO login_flow (state_hash, session_hash, provider, purpose, nonce_sealed, verifier_sealed, \
        return_to, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    LOAD = "SELECT state_hash, session_hash, provider, purpose, nonce_sealed, verifier_sealed, return_to, created_at, \
        expires_at, used_at FROM login_flow WHERE state_hash = $1";
    USE = "UPDATE login_flow SET used_at = $3 WHERE state_hash = $1 AND session_hash = $2 AND used_at IS NULL \
        AND expires_at > $3";
    PURGE = "DELETE FROM login_flow WHERE expires_at <= $1";
}

/// A sign-in under way as stored. Holds sealed secrets: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginFlowRow {
    /// Hash of the `state`.
    pub state_hash: String,
    /// Hash of the session that began it.
    pub session_hash: String,
    /// Which provider.
    pub provider: String,
    /// What for, as the service room names it.
    pub purpose: String,
    /// The sealed nonce.
    pub nonce_sealed: Vec<u8>,
    /// The sealed PKCE verifier.
    pub verifier_sealed: Vec<u8>,
    /// Where the person goes on afterwards.
    pub return_to: String,
    /// When it began.
    pub created_at: Instant,
    /// Until when it may come back.
    pub expires_at: Instant,
    /// When it came back.
    pub used_at: Option<Instant>,
}

fn read(row: &Columns<'_>) -> Result<LoginFlowRow, StoreError> {
    Ok(LoginFlowRow {
        state_hash: row.text("state_hash")?,
        session_hash: row.text("session_hash")?,
        provider: row.text("provider")?,
        purpose: row.text("purpose")?,
        nonce_sealed: row.bytes("nonce_sealed")?,
        verifier_sealed: row.bytes("verifier_sealed")?,
        return_to: row.text("return_to")?,
        created_at: row.instant("created_at")?,
        expires_at: row.instant("expires_at")?,
        used_at: row.instant_or_none("used_at")?,
    })
}

/// Begins a sign-in.
pub async fn insert(tx: &mut Tx, row: &LoginFlowRow) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.state_hash.as_str())
        .bind(row.session_hash.as_str())
        .bind(row.provider.as_str())
        .bind(row.purpose.as_str())
        .bind(row.nonce_sealed.as_slice())
        .bind(row.verifier_sealed.as_slice())
        .bind(row.return_to.as_str())
        .bind(row.created_at.micros())
        .bind(row.expires_at.micros());
    tx.execute(insert).await.map(|_| ())
}

/// The sign-in of that `state`, used or not.
pub async fn load(snapshot: &mut Snapshot, state_hash: &str) -> Result<Option<LoginFlowRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(state_hash), read).await
}

/// Uses a `state`, once, from the session that began it and in time; `None` otherwise.
pub async fn take(
    tx: &mut Tx,
    state_hash: &str,
    session_hash: &str,
    now: Instant,
) -> Result<Option<LoginFlowRow>, StoreError> {
    let used = tx.execute(sql(USE).bind(state_hash).bind(session_hash).bind(now.micros())).await?;
    if used == 1 { load(tx, state_hash).await } else { Ok(None) }
}

/// Removes what can no longer come back; how many.
pub async fn purge(tx: &mut Tx, now: Instant) -> Result<u64, StoreError> {
    tx.execute(sql(PURGE).bind(now.micros())).await
}
