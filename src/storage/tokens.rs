//! Authorization codes, access and refresh tokens: stored hashed, short-lived, each code used once.

use super::bound::sql;
use super::column::Columns;
use super::representations::Scope;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{ClientId, EventId, Instant, RepresentationId};

const CODE: &str = "authorization_code";
const TOKEN: &str = "access_token";

macro_rules! revoke {
    ($table:literal, $where:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET revoked_at = $1 WHERE revoked_at IS NULL AND expires_at > $1 AND representation_id ",
            $where
        )
    };
}

statements! {
    INSERT_CODE = "INSERT INTO authorization_code (code_hash, representation_id, client_id, redirect_uri, \
        code_challenge, nonce, scope, auth_time, aidant_level, event_id, sid, issued_at, expires_at, dpop_jkt) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
    LOAD_CODE = "SELECT code_hash, representation_id, client_id, redirect_uri, code_challenge, nonce, scope, auth_time, \
        aidant_level, event_id, sid, issued_at, expires_at, used_at, revoked_at, dpop_jkt FROM authorization_code WHERE code_hash = $1";
    CODE_OF = "SELECT code_hash, representation_id, client_id, redirect_uri, code_challenge, nonce, scope, auth_time, \
        aidant_level, event_id, sid, issued_at, expires_at, used_at, revoked_at, dpop_jkt FROM authorization_code \
        WHERE representation_id = $1 ORDER BY COALESCE(used_at, 0) DESC, issued_at DESC, code_hash LIMIT 1";
    USE_CODE = "UPDATE authorization_code SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL \
        AND revoked_at IS NULL AND expires_at > $2";
    INSERT_TOKEN = "INSERT INTO access_token (token_hash, representation_id, client_id, scope, issued_at, expires_at, \
        dpop_jkt, code_hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    LOAD_TOKEN = "SELECT token_hash, representation_id, client_id, scope, issued_at, expires_at, revoked_at, \
        dpop_jkt, code_hash FROM access_token WHERE token_hash = $1";
    REVOKE_TOKEN = "UPDATE access_token SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL \
        AND expires_at > $2";
    CODES_OF_REPRESENTATION = revoke!("authorization_code", "= $2");
    CODES_OF_MANDATE = revoke!("authorization_code", "IN (SELECT id FROM representation WHERE mandate_id = $2)");
    CODES_OF_PROCEDURE = revoke!("authorization_code", "IN (SELECT id FROM representation WHERE mandate_id = $2 AND procedure_id = $3)");
    CODES_OF_SESSION = revoke!("authorization_code", "IN (SELECT id FROM representation WHERE sid = $2)");
    CODES_OF_AIDANT = revoke!("authorization_code", "IN (SELECT id FROM representation WHERE aidant_id = $2)");
    CODES_OF_CLIENT = revoke!("authorization_code", "IN (SELECT id FROM representation WHERE client_id = $2)");
    CODES_OF_ORGANISATION = revoke!("authorization_code", "IN (SELECT id FROM representation WHERE organisation_id = $2)");
    TOKENS_OF_REPRESENTATION = revoke!("access_token", "= $2");
    TOKENS_OF_MANDATE = revoke!("access_token", "IN (SELECT id FROM representation WHERE mandate_id = $2)");
    TOKENS_OF_PROCEDURE = revoke!("access_token", "IN (SELECT id FROM representation WHERE mandate_id = $2 AND procedure_id = $3)");
    TOKENS_OF_SESSION = revoke!("access_token", "IN (SELECT id FROM representation WHERE sid = $2)");
    TOKENS_OF_AIDANT = revoke!("access_token", "IN (SELECT id FROM representation WHERE aidant_id = $2)");
    TOKENS_OF_CLIENT = revoke!("access_token", "IN (SELECT id FROM representation WHERE client_id = $2)");
    TOKENS_OF_ORGANISATION = revoke!("access_token", "IN (SELECT id FROM representation WHERE organisation_id = $2)");
    PURGE_CODES = "DELETE FROM authorization_code WHERE expires_at <= $1";
    PURGE_TOKENS = "DELETE FROM access_token WHERE expires_at <= $1";
}

/// An authorization code as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// Hash of the code.
    pub code_hash: String,
    /// The representation it opens.
    pub representation: RepresentationId,
    /// Who may exchange it.
    pub client: ClientId,
    /// The redirect URI it was sent to.
    pub redirect_uri: String,
    /// PKCE S256 challenge.
    pub code_challenge: Option<String>,
    /// The relying party's nonce.
    pub nonce: Option<String>,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// When the aidant signed in.
    pub auth_time: Instant,
    /// Level of that sign-in.
    pub aidant_level: String,
    /// The entry that tells of the representation's opening.
    pub event: EventId,
    /// The lasting name of the session.
    pub sid: String,
    /// When it was issued.
    pub issued_at: Instant,
    /// Until when it can be exchanged.
    pub expires_at: Instant,
    /// When it was exchanged.
    pub used_at: Option<Instant>,
    /// When it was killed before that.
    pub revoked_at: Option<Instant>,
    /// Thumbprint of the key it is bound to (RFC 9449).
    pub dpop_jkt: Option<String>,
}

/// An access or refresh token as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Hash of the token.
    pub token_hash: String,
    /// The representation it belongs to.
    pub representation: RepresentationId,
    /// Whose it is.
    pub client: ClientId,
    /// Scopes, separated by spaces.
    pub scope: String,
    /// When it was issued.
    pub issued_at: Instant,
    /// Until when it lives.
    pub expires_at: Instant,
    /// When it was killed before that.
    pub revoked_at: Option<Instant>,
    /// Thumbprint of the key it is bound to (RFC 9449).
    pub dpop_jkt: Option<String>,
    /// Of a refresh token, and of no other: hash of the code that gave it.
    pub code_hash: Option<String>,
}

impl TokenRow {
    /// Whether it opens resources.
    #[must_use]
    pub const fn is_access(&self) -> bool {
        self.code_hash.is_none()
    }

    /// Whether it lives at that instant.
    #[must_use]
    pub fn is_live(&self, now: Instant) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

fn read_code(row: &Columns<'_>) -> Result<CodeRow, StoreError> {
    Ok(CodeRow {
        code_hash: row.text("code_hash")?,
        representation: row.id("representation_id")?,
        client: row.id("client_id")?,
        redirect_uri: row.text("redirect_uri")?,
        code_challenge: Some(row.text("code_challenge")?).filter(|text| !text.is_empty()),
        nonce: row.text_or_none("nonce")?,
        scope: row.text("scope")?,
        auth_time: row.instant("auth_time")?,
        aidant_level: row.text("aidant_level")?,
        event: row.id("event_id")?,
        sid: row.text("sid")?,
        issued_at: row.instant("issued_at")?,
        expires_at: row.instant("expires_at")?,
        used_at: row.instant_or_none("used_at")?,
        revoked_at: row.instant_or_none("revoked_at")?,
        dpop_jkt: row.text_or_none("dpop_jkt")?,
    })
}

fn read_token(row: &Columns<'_>) -> Result<TokenRow, StoreError> {
    Ok(TokenRow {
        token_hash: row.text("token_hash")?,
        representation: row.id("representation_id")?,
        client: row.id("client_id")?,
        scope: row.text("scope")?,
        issued_at: row.instant("issued_at")?,
        expires_at: row.instant("expires_at")?,
        revoked_at: row.instant_or_none("revoked_at")?,
        dpop_jkt: row.text_or_none("dpop_jkt")?,
        code_hash: row.text_or_none("code_hash")?,
    })
}

/// Issues a code.
pub async fn insert_code(tx: &mut Tx, row: &CodeRow) -> Result<(), StoreError> {
    let insert = sql(INSERT_CODE)
        .bind(row.code_hash.as_str())
        .bind(row.representation.as_str())
        .bind(row.client.as_str())
        .bind(row.redirect_uri.as_str())
        .bind(row.code_challenge.as_deref().unwrap_or_default())
        .bind(row.nonce.as_deref())
        .bind(row.scope.as_str())
        .bind(row.auth_time.micros())
        .bind(row.aidant_level.as_str())
        .bind(row.event.as_str())
        .bind(row.sid.as_str())
        .bind(row.issued_at.micros())
        .bind(row.expires_at.micros())
        .bind(row.dpop_jkt.as_deref());
    tx.execute(insert).await.map(|_| ())
}

/// The code of that hash, used or not.
pub async fn load_code(snapshot: &mut Snapshot, code_hash: &str) -> Result<Option<CodeRow>, StoreError> {
    snapshot.find(CODE, sql(LOAD_CODE).bind(code_hash), read_code).await
}

/// A code issued for a representation: a used one when there is one, else the latest.
pub async fn code_of(
    snapshot: &mut Snapshot,
    representation: &RepresentationId,
) -> Result<Option<CodeRow>, StoreError> {
    snapshot.find(CODE, sql(CODE_OF).bind(representation.as_str()), read_code).await
}

/// Uses a code, once, alive and in time; whether it could be used.
pub async fn use_code(tx: &mut Tx, code_hash: &str, now: Instant) -> Result<bool, StoreError> {
    Ok(tx.execute(sql(USE_CODE).bind(code_hash).bind(now.micros())).await? == 1)
}

/// Issues a token.
pub async fn insert_token(tx: &mut Tx, row: &TokenRow) -> Result<(), StoreError> {
    let insert = sql(INSERT_TOKEN)
        .bind(row.token_hash.as_str())
        .bind(row.representation.as_str())
        .bind(row.client.as_str())
        .bind(row.scope.as_str())
        .bind(row.issued_at.micros())
        .bind(row.expires_at.micros())
        .bind(row.dpop_jkt.as_deref())
        .bind(row.code_hash.as_deref());
    tx.execute(insert).await.map(|_| ())
}

/// The token of that hash, of either kind, alive or not.
pub async fn load_token(snapshot: &mut Snapshot, token_hash: &str) -> Result<Option<TokenRow>, StoreError> {
    snapshot.find(TOKEN, sql(LOAD_TOKEN).bind(token_hash), read_token).await
}

/// Kills one token; whether it lived.
pub async fn revoke_token(tx: &mut Tx, token_hash: &str, now: Instant) -> Result<bool, StoreError> {
    Ok(tx.execute(sql(REVOKE_TOKEN).bind(token_hash).bind(now.micros())).await? == 1)
}

/// Kills every live code and token; how many of each.
pub async fn revoke_live(tx: &mut Tx, of: &Scope, now: Instant) -> Result<(u64, u64), StoreError> {
    let (codes, tokens, id, procedure) = match of {
        Scope::Representation(id) => (CODES_OF_REPRESENTATION, TOKENS_OF_REPRESENTATION, id.as_str(), None),
        Scope::Mandate(id) => (CODES_OF_MANDATE, TOKENS_OF_MANDATE, id.as_str(), None),
        Scope::Procedure(id, procedure) => {
            (CODES_OF_PROCEDURE, TOKENS_OF_PROCEDURE, id.as_str(), Some(procedure))
        }
        Scope::Session(sid) => (CODES_OF_SESSION, TOKENS_OF_SESSION, sid.as_str(), None),
        Scope::Aidant(id) => (CODES_OF_AIDANT, TOKENS_OF_AIDANT, id.as_str(), None),
        Scope::Client(id) => (CODES_OF_CLIENT, TOKENS_OF_CLIENT, id.as_str(), None),
        Scope::Organisation(id) => (CODES_OF_ORGANISATION, TOKENS_OF_ORGANISATION, id.as_str(), None),
    };
    let bound = |text| {
        let statement = sql(text).bind(now.micros()).bind(id);
        match procedure {
            Some(procedure) => statement.bind(procedure.as_str()),
            None => statement,
        }
    };
    Ok((tx.execute(bound(codes)).await?, tx.execute(bound(tokens)).await?))
}

/// Removes codes and tokens that ended by `before`; how many.
pub async fn purge(tx: &mut Tx, before: Instant) -> Result<u64, StoreError> {
    let codes = tx.execute(sql(PURGE_CODES).bind(before.micros())).await?;
    Ok(codes + tx.execute(sql(PURGE_TOKENS).bind(before.micros())).await?)
}
