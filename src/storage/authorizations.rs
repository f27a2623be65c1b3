//! Authorization requests of relying parties, pushed or direct, until one browser has answered them.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{ClientId, Instant};

const TABLE: &str = "authorization_request";

statements! {
    INSERT = "INSERT INTO authorization_request (id_hash, session_hash, client_id, redirect_uri, state, nonce, \
        code_challenge, scope, prompt, max_age, login_hint, ui_locales, acr_values, claims, authorization_details, \
        created_at, expires_at, id_token_hint, pushed_hash, dpop_jkt, response_mode) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
    LOAD = "SELECT id_hash, session_hash, client_id, redirect_uri, state, nonce, code_challenge, scope, prompt, max_age, \
        login_hint, ui_locales, acr_values, claims, authorization_details, created_at, expires_at, used_at, id_token_hint, \
        pushed_hash, dpop_jkt, response_mode FROM authorization_request WHERE id_hash = $1";
    SPEND = "UPDATE authorization_request SET used_at = $2 WHERE id_hash = $1 AND session_hash IS NULL \
        AND used_at IS NULL";
    USE = "UPDATE authorization_request SET used_at = $3 WHERE id_hash = $1 AND session_hash = $2 AND used_at IS NULL \
        AND expires_at > $3";
    PURGE = "DELETE FROM authorization_request WHERE expires_at <= $1";
}

/// An authorization request as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequestRow {
    /// Hash of its reference (PAR's `request_uri`, or our own).
    pub id_hash: String,
    /// Hash of the session it belongs to; none for what was pushed.
    pub session_hash: Option<String>,
    /// Who asks.
    pub client: ClientId,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// The relying party's `state`.
    pub state: Option<String>,
    /// The relying party's nonce.
    pub nonce: Option<String>,
    /// PKCE S256 challenge.
    pub code_challenge: Option<String>,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// `prompt`.
    pub prompt: Option<String>,
    /// `max_age`, in seconds.
    pub max_age: Option<i64>,
    /// `login_hint`.
    pub login_hint: Option<String>,
    /// `ui_locales`.
    pub ui_locales: Option<String>,
    /// `acr_values`.
    pub acr_values: Option<String>,
    /// `claims`, JSON.
    pub claims: Option<String>,
    /// `authorization_details`, JSON.
    pub authorization_details: Option<String>,
    /// `id_token_hint`.
    pub id_token_hint: Option<String>,
    /// Reference of the pushed request that a browser brought it by, hashed.
    pub pushed_hash: Option<String>,
    /// Thumbprint of the key its code is to be bound to.
    pub dpop_jkt: Option<String>,
    /// `response_mode`.
    pub response_mode: Option<String>,
    /// When it came.
    pub created_at: Instant,
    /// Until when it can be answered.
    pub expires_at: Instant,
    /// When it was answered.
    pub used_at: Option<Instant>,
}

fn read(row: &Columns<'_>) -> Result<AuthorizationRequestRow, StoreError> {
    Ok(AuthorizationRequestRow {
        id_hash: row.text("id_hash")?,
        session_hash: row.text_or_none("session_hash")?,
        client: row.id("client_id")?,
        redirect_uri: row.text("redirect_uri")?,
        state: row.text_or_none("state")?,
        nonce: row.text_or_none("nonce")?,
        code_challenge: Some(row.text("code_challenge")?).filter(|text| !text.is_empty()),
        scope: row.text("scope")?,
        prompt: row.text_or_none("prompt")?,
        max_age: row.number_or_none("max_age")?,
        login_hint: row.text_or_none("login_hint")?,
        ui_locales: row.text_or_none("ui_locales")?,
        acr_values: row.text_or_none("acr_values")?,
        claims: row.text_or_none("claims")?,
        authorization_details: row.text_or_none("authorization_details")?,
        id_token_hint: row.text_or_none("id_token_hint")?,
        pushed_hash: row.text_or_none("pushed_hash")?,
        dpop_jkt: row.text_or_none("dpop_jkt")?,
        response_mode: row.text_or_none("response_mode")?,
        created_at: row.instant("created_at")?,
        expires_at: row.instant("expires_at")?,
        used_at: row.instant_or_none("used_at")?,
    })
}

/// Records a request.
pub async fn insert(tx: &mut Tx, row: &AuthorizationRequestRow) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.id_hash.as_str())
        .bind(row.session_hash.as_deref())
        .bind(row.client.as_str())
        .bind(row.redirect_uri.as_str())
        .bind(row.state.as_deref())
        .bind(row.nonce.as_deref())
        .bind(row.code_challenge.as_deref().unwrap_or_default())
        .bind(row.scope.as_str())
        .bind(row.prompt.as_deref())
        .bind(row.max_age)
        .bind(row.login_hint.as_deref())
        .bind(row.ui_locales.as_deref())
        .bind(row.acr_values.as_deref())
        .bind(row.claims.as_deref())
        .bind(row.authorization_details.as_deref())
        .bind(row.created_at.micros())
        .bind(row.expires_at.micros())
        .bind(row.id_token_hint.as_deref())
        .bind(row.pushed_hash.as_deref())
        .bind(row.dpop_jkt.as_deref())
        .bind(row.response_mode.as_deref());
    tx.execute(insert).await.map(|_| ())
}

/// The request of that reference, answered or not.
pub async fn load(
    snapshot: &mut Snapshot,
    id_hash: &str,
) -> Result<Option<AuthorizationRequestRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id_hash), read).await
}

/// Uses a pushed request up, once, whoever brought it; whether this was the first time. In time it was when it was brought.
pub async fn spend(tx: &mut Tx, id_hash: &str, now: Instant) -> Result<bool, StoreError> {
    Ok(tx.execute(sql(SPEND).bind(id_hash).bind(now.micros())).await? == 1)
}

/// Answers a request, once, from the session it belongs to and in time; `None` otherwise.
pub async fn take(
    tx: &mut Tx,
    id_hash: &str,
    session_hash: &str,
    now: Instant,
) -> Result<Option<AuthorizationRequestRow>, StoreError> {
    let used = tx.execute(sql(USE).bind(id_hash).bind(session_hash).bind(now.micros())).await?;
    if used == 1 { load(tx, id_hash).await } else { Ok(None) }
}

/// Removes what can no longer be answered; how many.
pub async fn purge(tx: &mut Tx, now: Instant) -> Result<u64, StoreError> {
    tx.execute(sql(PURGE).bind(now.micros())).await
}
