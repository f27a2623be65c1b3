//! Browser sessions. The secret rests hashed and rotates; `sid` is the lasting name.

use super::bound::{Bound, sql};
use super::column::Columns;
use super::named::named;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{AidantId, AuditorId, Instant, Language, MandateId, ReadingId, UsagerId};

const TABLE: &str = "session";

statements! {
    INSERT = "INSERT INTO session (id_hash, sid, kind, aidant_id, usager_id, auditor_id, reading_id, mandate_id, \
        provider_sub, authenticated_at, factor_at, identified_at, identity_level, csrf, language, seen_at, ends_at, \
        id_token_hint_sealed, usager_level, created_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)";
    LOAD = "SELECT id_hash, sid, kind, aidant_id, usager_id, auditor_id, reading_id, mandate_id, provider_sub, \
        authenticated_at, factor_at, identified_at, identity_level, csrf, language, created_at, seen_at, ends_at, \
        id_token_hint_sealed, usager_level FROM session WHERE id_hash = $1";
    UPDATE = "UPDATE session SET id_hash = $2, sid = $3, kind = $4, aidant_id = $5, usager_id = $6, auditor_id = $7, \
        reading_id = $8, mandate_id = $9, provider_sub = $10, authenticated_at = $11, factor_at = $12, \
        identified_at = $13, identity_level = $14, csrf = $15, language = $16, seen_at = $17, ends_at = $18, \
        id_token_hint_sealed = $19, usager_level = $20 WHERE id_hash = $1";
    TOUCH = "UPDATE session SET seen_at = $2 WHERE id_hash = $1 AND seen_at < $2";
    DELETE = "DELETE FROM session WHERE id_hash = $1";
    DELETE_OF_USAGER = "DELETE FROM session WHERE usager_id = $1";
    DELETE_OF_AIDANT = "DELETE FROM session WHERE aidant_id = $1";
    DELETE_OF_AUDITOR = "DELETE FROM session WHERE auditor_id = $1";
    PURGE = "DELETE FROM session WHERE ends_at <= $1 OR seen_at <= $2";
}

named! {
    /// Who is at the screen.
    SessionKind {
        /// Nobody known yet.
        Anonymous = "anonymous",
        /// An aidant (whether their second factor was proved is `factor_at`).
        Aidant = "aidant",
        /// The usager, on an aidant's screen; the aidant's rights are locked away.
        HandedOver = "handed_over",
        /// Back from the usager; waits for the aidant's second factor.
        Locked = "locked",
        /// Whoever has the code of an asking, on a device of their own: the proposal is all they can see.
        Consenting = "consenting",
        /// A usager in their own space.
        Usager = "usager",
        /// An auditor.
        Auditor = "auditor",
    }
}

/// A session as stored. Holds secrets: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Hash of the secret in the cookie.
    pub id_hash: String,
    /// The lasting name, also the `sid` of tokens.
    pub sid: String,
    /// Who is at the screen.
    pub kind: SessionKind,
    /// The aidant; present too while handed over or locked.
    pub aidant: Option<AidantId>,
    /// The usager; while handed over, once identified.
    pub usager: Option<UsagerId>,
    /// The auditor.
    pub auditor: Option<AuditorId>,
    /// The purpose the auditor reads under.
    pub reading: Option<ReadingId>,
    /// The mandate the screen was handed over for.
    pub mandate: Option<MandateId>,
    /// Subject at the provider, for its sign-out.
    pub provider_sub: Option<String>,
    /// When the person signed in.
    pub authenticated_at: Option<Instant>,
    /// When the second factor was last proved.
    pub factor_at: Option<Instant>,
    /// When the usager at a handed-over screen, or on their own device, was identified.
    pub identified_at: Option<Instant>,
    /// Level of the identification or sign-in of the session's holder.
    pub identity_level: Option<String>,
    /// Level of the usager's identification there.
    pub usager_level: Option<String>,
    /// Key of the forms' tokens, 32 bytes.
    pub csrf: [u8; 32],
    /// Language of the pages.
    pub language: Language,
    /// When the session began.
    pub created_at: Instant,
    /// When it was last used.
    pub seen_at: Instant,
    /// When it ends in any case.
    pub ends_at: Instant,
    /// The provider's ID token, sealed, for its sign-out.
    pub id_token_hint_sealed: Option<Vec<u8>>,
}

fn read(row: &Columns<'_>) -> Result<SessionRow, StoreError> {
    let session = SessionRow {
        id_hash: row.text("id_hash")?,
        sid: row.text("sid")?,
        kind: row.named("kind", SessionKind::parse)?,
        aidant: row.id_or_none("aidant_id")?,
        usager: row.id_or_none("usager_id")?,
        auditor: row.id_or_none("auditor_id")?,
        reading: row.id_or_none("reading_id")?,
        mandate: row.id_or_none("mandate_id")?,
        provider_sub: row.text_or_none("provider_sub")?,
        authenticated_at: row.instant_or_none("authenticated_at")?,
        factor_at: row.instant_or_none("factor_at")?,
        identified_at: row.instant_or_none("identified_at")?,
        identity_level: row.text_or_none("identity_level")?,
        usager_level: row.text_or_none("usager_level")?,
        csrf: row.array("csrf")?,
        language: row.named("language", Language::parse)?,
        created_at: row.instant("created_at")?,
        seen_at: row.instant("seen_at")?,
        ends_at: row.instant("ends_at")?,
        id_token_hint_sealed: row.bytes_or_none("id_token_hint_sealed")?,
    };
    if whole(&session) { Ok(session) } else { Err(row.inconsistent("kind")) }
}

/// Whether the persons named fit the kind.
const fn whole(session: &SessionRow) -> bool {
    let persons = (session.aidant.is_some(), session.usager.is_some(), session.auditor.is_some());
    match session.kind {
        SessionKind::Anonymous => matches!(persons, (false, false, false)),
        SessionKind::Aidant => matches!(persons, (true, false, false)),
        SessionKind::HandedOver | SessionKind::Locked => {
            matches!(persons, (true, _, false)) && session.mandate.is_some()
        }
        SessionKind::Consenting => matches!(persons, (false, _, false)) && session.mandate.is_some(),
        SessionKind::Usager => matches!(persons, (false, true, false)),
        SessionKind::Auditor => matches!(persons, (false, false, true)),
    }
}

fn bind_body(statement: Bound, row: &SessionRow) -> Bound {
    statement
        .bind(row.id_hash.as_str())
        .bind(row.sid.as_str())
        .bind(row.kind.as_str())
        .bind(row.aidant.as_ref().map(AidantId::as_str))
        .bind(row.usager.as_ref().map(UsagerId::as_str))
        .bind(row.auditor.as_ref().map(AuditorId::as_str))
        .bind(row.reading.as_ref().map(ReadingId::as_str))
        .bind(row.mandate.as_ref().map(MandateId::as_str))
        .bind(row.provider_sub.as_deref())
        .bind(row.authenticated_at.map(Instant::micros))
        .bind(row.factor_at.map(Instant::micros))
        .bind(row.identified_at.map(Instant::micros))
        .bind(row.identity_level.as_deref())
        .bind(row.csrf.as_slice())
        .bind(row.language.as_str())
        .bind(row.seen_at.micros())
        .bind(row.ends_at.micros())
        .bind(row.id_token_hint_sealed.as_deref())
        .bind(row.usager_level.as_deref())
}

/// Begins a session.
pub async fn insert(tx: &mut Tx, row: &SessionRow) -> Result<(), StoreError> {
    tx.execute(bind_body(sql(INSERT), row).bind(row.created_at.micros())).await.map(|_| ())
}

/// The session of that secret's hash; whether its time is over is the caller's to judge.
pub async fn load(snapshot: &mut Snapshot, id_hash: &str) -> Result<Option<SessionRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id_hash), read).await
}

/// Replaces the session of `id_hash` by `after`, which may carry another secret (rotation): flows and
/// requests bound to it follow.
///
/// # Errors
/// [`StoreError::Conflict`] when no session has that hash (it was rotated or ended meanwhile).
pub async fn update(tx: &mut Tx, id_hash: &str, after: &SessionRow) -> Result<(), StoreError> {
    tx.change_one(TABLE, bind_body(sql(UPDATE).bind(id_hash), after)).await
}

/// Notes that the session was used; never backwards.
pub async fn touch(tx: &mut Tx, id_hash: &str, now: Instant) -> Result<(), StoreError> {
    tx.execute(sql(TOUCH).bind(id_hash).bind(now.micros())).await.map(|_| ())
}

/// Ends a session.
pub async fn delete(tx: &mut Tx, id_hash: &str) -> Result<(), StoreError> {
    tx.execute(sql(DELETE).bind(id_hash)).await.map(|_| ())
}

/// Ends every session of an aidant; how many.
pub async fn delete_of_aidant(tx: &mut Tx, aidant: &AidantId) -> Result<u64, StoreError> {
    tx.execute(sql(DELETE_OF_AIDANT).bind(aidant.as_str())).await
}

/// Ends every session of a usager, and every screen they were identified in front of; how many.
pub async fn delete_of_usager(tx: &mut Tx, usager: &UsagerId) -> Result<u64, StoreError> {
    tx.execute(sql(DELETE_OF_USAGER).bind(usager.as_str())).await
}

/// Ends every session of an auditor; how many.
pub async fn delete_of_auditor(tx: &mut Tx, auditor: &AuditorId) -> Result<u64, StoreError> {
    tx.execute(sql(DELETE_OF_AUDITOR).bind(auditor.as_str())).await
}

/// Removes sessions that have ended, or were last used by `idle_since`; how many.
pub async fn purge(tx: &mut Tx, now: Instant, idle_since: Instant) -> Result<u64, StoreError> {
    tx.execute(sql(PURGE).bind(now.micros()).bind(idle_since.micros())).await
}
