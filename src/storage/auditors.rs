//! Auditors, and the stated purposes under which they read.

use super::aidants::subject;
use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx, named};
use crate::mandate::{AuditorId, EventId, Instant, ReadingId, Standing};

const TABLE: &str = "auditor";

macro_rules! columns {
    () => {
        "id, standing, email_blind, identity_sealed, identity_key, iss, sub, invited_at, \
         invite_expires_at, activated_at, version"
    };
}

statements! {
    INSERT = "INSERT INTO auditor (id, standing, email_blind, identity_sealed, identity_key, iss, sub, invited_at, \
        invite_expires_at, activated_at, version, last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11)";
    LOAD = concat!("SELECT ", columns!(), " FROM auditor WHERE id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM auditor ORDER BY id");
    BY_EMAIL = concat!("SELECT ", columns!(), " FROM auditor WHERE email_blind = $1");
    BY_SUBJECT = concat!("SELECT ", columns!(), " FROM auditor WHERE iss = $1 AND sub = $2");
    UPDATE = "UPDATE auditor SET standing = $4, identity_sealed = $5, identity_key = $6, iss = $7, sub = $8, \
        invited_at = $9, invite_expires_at = $10, activated_at = $11, version = version + 1, last_event = $12 \
        WHERE id = $1 AND version = $2 AND standing = $3";
    INSERT_READING = "INSERT INTO reading (id, auditor_id, purpose_sealed, opened_at, version, last_event) \
        VALUES ($1, $2, $3, $4, 1, $5)";
    LOAD_READING = "SELECT id, auditor_id, purpose_sealed, opened_at, closed_at, version FROM reading WHERE id = $1";
    READINGS = "SELECT id, auditor_id, purpose_sealed, opened_at, closed_at, version FROM reading \
        WHERE auditor_id = $1 ORDER BY opened_at DESC, id LIMIT CAST($2 AS BIGINT)";
    ALL_READINGS = "SELECT id, auditor_id, purpose_sealed, opened_at, closed_at, version, last_event FROM reading \
        WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)";
    CLOSE_READING = "UPDATE reading SET closed_at = $3, version = version + 1, last_event = $4 \
        WHERE id = $1 AND version = $2 AND closed_at IS NULL";
}

/// An auditor as stored. Personal data: sealed, and no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AuditorRow {
    /// Identifier.
    pub id: AuditorId,
    /// Whether they may read.
    pub standing: Standing,
    /// Blind index of the registered e-mail address.
    pub email_blind: String,
    /// The sealed [`crate::mandate::ProfessionalIdentity`].
    pub identity_sealed: Vec<u8>,
    /// The data key it is sealed under.
    pub identity_key: String,
    /// Issuer and subject of their sign-in, once bound.
    pub subject: Option<(String, String)>,
    /// When they were registered.
    pub invited_at: Instant,
    /// Until when the registration can be bound to a sign-in.
    pub invite_expires_at: Instant,
    /// When it was.
    pub activated_at: Option<Instant>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

/// A stated purpose as stored: free text, sealed under the auditor's key; no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ReadingRow {
    /// Identifier.
    pub id: ReadingId,
    /// Whose.
    pub auditor: AuditorId,
    /// The sealed purpose.
    pub purpose_sealed: Vec<u8>,
    /// When it was stated.
    pub opened_at: Instant,
    /// When it was closed.
    pub closed_at: Option<Instant>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<AuditorRow, StoreError> {
    Ok(AuditorRow {
        id: row.id("id")?,
        standing: row.named("standing", named::parse_standing)?,
        email_blind: row.text("email_blind")?,
        identity_sealed: row.bytes("identity_sealed")?,
        identity_key: row.text("identity_key")?,
        subject: subject(row)?,
        invited_at: row.instant("invited_at")?,
        invite_expires_at: row.instant("invite_expires_at")?,
        activated_at: row.instant_or_none("activated_at")?,
        version: row.number("version")?,
    })
}

fn read_reading(row: &Columns<'_>) -> Result<ReadingRow, StoreError> {
    Ok(ReadingRow {
        id: row.id("id")?,
        auditor: row.id("auditor_id")?,
        purpose_sealed: row.bytes("purpose_sealed")?,
        opened_at: row.instant("opened_at")?,
        closed_at: row.instant_or_none("closed_at")?,
        version: row.number("version")?,
    })
}

/// Registers an auditor.
pub async fn insert(tx: &mut Tx, row: &AuditorRow, event: &EventId) -> Result<(), StoreError> {
    let (iss, sub) = row.subject.clone().unzip();
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(named::standing(row.standing))
        .bind(row.email_blind.as_str())
        .bind(row.identity_sealed.as_slice())
        .bind(row.identity_key.as_str())
        .bind(iss)
        .bind(sub)
        .bind(row.invited_at.micros())
        .bind(row.invite_expires_at.micros())
        .bind(row.activated_at.map(Instant::micros))
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// One auditor.
pub async fn load(snapshot: &mut Snapshot, id: &AuditorId) -> Result<Option<AuditorRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// Every auditor.
pub async fn list(snapshot: &mut Snapshot) -> Result<Vec<AuditorRow>, StoreError> {
    snapshot.list(TABLE, sql(LIST), read).await
}

/// The auditor registered at that address.
pub async fn by_email_blind(snapshot: &mut Snapshot, blind: &str) -> Result<Option<AuditorRow>, StoreError> {
    snapshot.find(TABLE, sql(BY_EMAIL).bind(blind), read).await
}

/// The auditor bound to that sign-in.
pub async fn by_subject(
    snapshot: &mut Snapshot,
    iss: &str,
    sub: &str,
) -> Result<Option<AuditorRow>, StoreError> {
    snapshot.find(TABLE, sql(BY_SUBJECT).bind(iss).bind(sub), read).await
}

/// Changes everything that may change (identifier and address may not); `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &AuditorRow,
    after: &AuditorRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let (iss, sub) = after.subject.clone().unzip();
    let update = sql(UPDATE)
        .bind(before.id.as_str())
        .bind(before.version)
        .bind(named::standing(before.standing))
        .bind(named::standing(after.standing))
        .bind(after.identity_sealed.as_slice())
        .bind(after.identity_key.as_str())
        .bind(iss)
        .bind(sub)
        .bind(after.invited_at.micros())
        .bind(after.invite_expires_at.micros())
        .bind(after.activated_at.map(Instant::micros))
        .bind(event.as_str());
    tx.change_one(TABLE, update).await
}

/// States a purpose.
pub async fn open_reading(tx: &mut Tx, row: &ReadingRow, event: &EventId) -> Result<(), StoreError> {
    let insert = sql(INSERT_READING)
        .bind(row.id.as_str())
        .bind(row.auditor.as_str())
        .bind(row.purpose_sealed.as_slice())
        .bind(row.opened_at.micros())
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// One stated purpose.
pub async fn load_reading(snapshot: &mut Snapshot, id: &ReadingId) -> Result<Option<ReadingRow>, StoreError> {
    snapshot.find("reading", sql(LOAD_READING).bind(id.as_str()), read_reading).await
}

/// The latest purposes an auditor stated, newest first.
pub async fn readings_of(
    snapshot: &mut Snapshot,
    auditor: &AuditorId,
    limit: u32,
) -> Result<Vec<ReadingRow>, StoreError> {
    let rows = sql(READINGS).bind(auditor.as_str()).bind(i64::from(limit));
    snapshot.list("reading", rows, read_reading).await
}

/// Every stated purpose in pages with the entry behind it, after `after` (empty for the first): for verification.
pub async fn readings(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(ReadingRow, String)>, StoreError> {
    let rows = sql(ALL_READINGS).bind(after).bind(i64::from(limit));
    snapshot.list("reading", rows, |row| Ok((read_reading(row)?, row.text("last_event")?))).await
}

/// Closes a purpose; nothing can be read under it any more.
pub async fn close_reading(
    tx: &mut Tx,
    before: &ReadingRow,
    now: Instant,
    event: &EventId,
) -> Result<(), StoreError> {
    let close = sql(CLOSE_READING)
        .bind(before.id.as_str())
        .bind(before.version)
        .bind(now.micros())
        .bind(event.as_str());
    tx.change_one("reading", close).await
}
