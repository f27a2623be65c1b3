//! Usagers, and how an organisation finds its own again.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{AidantId, EventId, Instant, OrganisationId, Usager, UsagerId};

const TABLE: &str = "usager";

macro_rules! columns {
    () => {
        "usager.id AS id, iss, sub, identity_sealed, identity_key, first_seen_at, identified_at, \
         identity_level, version"
    };
}

statements! {
    INSERT = "INSERT INTO usager (id, iss, sub, identity_sealed, identity_key, first_seen_at, identified_at, \
        identity_level, version, last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)";
    LOAD = concat!("SELECT ", columns!(), " FROM usager WHERE id = $1");
    PAGE = concat!("SELECT ", columns!(), " FROM usager WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)");
    BY_SUBJECT = concat!("SELECT ", columns!(), " FROM usager WHERE iss = $1 AND sub = $2");
    UPDATE = "UPDATE usager SET identity_sealed = $3, identity_key = $4, identified_at = $5, identity_level = $6, \
        version = version + 1, last_event = $7 WHERE id = $1 AND version = $2";
    INDEX = "INSERT INTO usager_index (organisation_id, blind, usager_id) VALUES ($1, $2, $3) \
        ON CONFLICT (organisation_id, blind, usager_id) DO NOTHING";
    FOUND = concat!("SELECT ", columns!(), " FROM usager JOIN usager_index ON usager_index.usager_id = usager.id \
        WHERE usager_index.organisation_id = $1 AND usager_index.blind = $2 ORDER BY usager.id");
    HELPED = concat!("SELECT ", columns!(), " FROM usager WHERE id IN (SELECT usager_id FROM representation \
        WHERE aidant_id = $1 ORDER BY opened_at DESC LIMIT CAST($2 AS BIGINT)) ORDER BY usager.id");
    WITH_STANDING = concat!("SELECT ", columns!(), " FROM usager WHERE id IN (SELECT usager_id FROM mandate \
        WHERE organisation_id = $1 AND state = 'active' AND starts_at <= $2 AND ends_at > $2 \
        ORDER BY ends_at, id LIMIT CAST($3 AS BIGINT)) ORDER BY usager.id");
    FORGET = "DELETE FROM usager_index WHERE usager_id = $1";
    ERASE = "UPDATE usager SET iss = '', sub = id, identity_sealed = $3, identity_key = '', version = version + 1, \
        last_event = $4 WHERE id = $1 AND version = $2";
}

/// A usager as stored. Personal data: sealed, and no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct UsagerRow {
    /// Identifier.
    pub id: UsagerId,
    /// Issuer of the citizens' provider.
    pub iss: String,
    /// Their subject there.
    pub sub: String,
    /// The sealed [`crate::mandate::Identity`].
    pub identity_sealed: Vec<u8>,
    /// The data key it is sealed under.
    pub identity_key: String,
    /// When they were first identified.
    pub first_seen_at: Instant,
    /// When they were last identified.
    pub identified_at: Instant,
    /// Level of that identification.
    pub identity_level: String,
    /// Guards changes; 1 when new.
    pub version: i64,
}

impl UsagerRow {
    /// Whether the person was erased: the row stays, and names nobody.
    #[must_use]
    pub const fn is_erased(&self) -> bool {
        self.identity_key.is_empty()
    }
}

impl From<&UsagerRow> for Usager {
    fn from(row: &UsagerRow) -> Self {
        Self { id: row.id.clone(), identified_at: row.identified_at }
    }
}

fn read(row: &Columns<'_>) -> Result<UsagerRow, StoreError> {
    Ok(UsagerRow {
        id: row.id("id")?,
        iss: row.text("iss")?,
        sub: row.text("sub")?,
        identity_sealed: row.bytes("identity_sealed")?,
        identity_key: row.text("identity_key")?,
        first_seen_at: row.instant("first_seen_at")?,
        identified_at: row.instant("identified_at")?,
        identity_level: row.text("identity_level")?,
        version: row.number("version")?,
    })
}

/// Records a usager at their first identification.
pub async fn insert(tx: &mut Tx, row: &UsagerRow, event: &EventId) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.iss.as_str())
        .bind(row.sub.as_str())
        .bind(row.identity_sealed.as_slice())
        .bind(row.identity_key.as_str())
        .bind(row.first_seen_at.micros())
        .bind(row.identified_at.micros())
        .bind(row.identity_level.as_str())
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// One usager.
pub async fn load(snapshot: &mut Snapshot, id: &UsagerId) -> Result<Option<UsagerRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// Every usager in pages, after `after` (empty for the first): for verification.
pub async fn page(snapshot: &mut Snapshot, after: &str, limit: u32) -> Result<Vec<UsagerRow>, StoreError> {
    snapshot.list(TABLE, sql(PAGE).bind(after).bind(i64::from(limit)), read).await
}

/// The usager of that sign-in.
pub async fn by_subject(
    snapshot: &mut Snapshot,
    iss: &str,
    sub: &str,
) -> Result<Option<UsagerRow>, StoreError> {
    snapshot.find(TABLE, sql(BY_SUBJECT).bind(iss).bind(sub), read).await
}

/// Records a later identification (identifier, issuer, subject and first sight stay); `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &UsagerRow,
    after: &UsagerRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let update = sql(UPDATE)
        .bind(before.id.as_str())
        .bind(before.version)
        .bind(after.identity_sealed.as_slice())
        .bind(after.identity_key.as_str())
        .bind(after.identified_at.micros())
        .bind(after.identity_level.as_str())
        .bind(event.as_str());
    tx.change_one(TABLE, update).await
}

/// Makes a usager findable in one organisation by blind indexes (name and birth date). Again is no error.
pub async fn index(
    tx: &mut Tx,
    organisation: &OrganisationId,
    usager: &UsagerId,
    blinds: &[String],
) -> Result<(), StoreError> {
    for blind in blinds {
        let insert = sql(INDEX).bind(organisation.as_str()).bind(blind.as_str()).bind(usager.as_str());
        tx.execute(insert).await?;
    }
    Ok(())
}

/// The usagers of one organisation under a blind index; homonyms give several.
pub async fn found(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    blind: &str,
) -> Result<Vec<UsagerRow>, StoreError> {
    snapshot.list(TABLE, sql(FOUND).bind(organisation.as_str()).bind(blind), read).await
}

/// The usagers an aidant acted for last, among that many representations.
pub async fn helped(
    snapshot: &mut Snapshot,
    aidant: &AidantId,
    latest: u32,
) -> Result<Vec<UsagerRow>, StoreError> {
    snapshot.list(TABLE, sql(HELPED).bind(aidant.as_str()).bind(i64::from(latest)), read).await
}

/// The usagers of [`super::mandates::some_standing`], with the same arguments.
pub async fn of_some_standing(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    now: Instant,
    limit: u32,
) -> Result<Vec<UsagerRow>, StoreError> {
    let rows = sql(WITH_STANDING).bind(organisation.as_str()).bind(now.micros()).bind(i64::from(limit));
    snapshot.list(TABLE, rows, read).await
}

/// Makes a usager findable nowhere any more (erasure).
pub async fn forget(tx: &mut Tx, usager: &UsagerId) -> Result<(), StoreError> {
    tx.execute(sql(FORGET).bind(usager.as_str())).await.map(|_| ())
}

/// Takes everything that names the person out of the row; `before` guards. A later sign-in of theirs is a new person's.
pub async fn erase(tx: &mut Tx, before: &UsagerRow, event: &EventId) -> Result<(), StoreError> {
    let erase =
        sql(ERASE).bind(before.id.as_str()).bind(before.version).bind(Vec::new()).bind(event.as_str());
    tx.change_one(TABLE, erase).await
}
