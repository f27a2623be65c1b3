//! What auditors were given to read, with what each grant names.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{AuditorId, EventId, Grant, GrantId, Instant, MandateId, OrganisationId, Reach, Slots};
use std::collections::BTreeSet;

const TABLE: &str = "audit_grant";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, auditor_id, reach, slots, from_at, until_at, given_at, ends_at, revoked_at, version, \
             last_event FROM audit_grant WHERE ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO audit_grant (id, auditor_id, reach, slots, from_at, until_at, given_at, ends_at, version, \
        last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9)";
    NAME = "INSERT INTO audit_grant_scope (grant_id, kind, subject_id, blind) VALUES ($1, $2, $3, $4)";
    NAMED = "SELECT grant_id, kind, subject_id FROM audit_grant_scope WHERE grant_id = $1 ORDER BY kind, subject_id";
    NAMES = "SELECT grant_id, kind, subject_id, blind FROM audit_grant_scope WHERE grant_id = $1 ORDER BY kind, subject_id";
    LOAD = select!("id = $1");
    OF_AUDITOR = select!("auditor_id = $1 ORDER BY ends_at DESC, id");
    STANDING = select!("auditor_id = $1 AND ends_at > $2 AND given_at <= $2 AND revoked_at IS NULL ORDER BY id");
    LIST = select!("id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)");
    REVOKE = "UPDATE audit_grant SET revoked_at = $3, version = version + 1, last_event = $4 \
        WHERE id = $1 AND version = $2 AND revoked_at IS NULL";
}

/// A grant as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRow {
    /// The grant.
    pub grant: Grant,
    /// Guards changes; 1 when new.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<GrantRow, StoreError> {
    let reach = match row.text("reach")?.as_str() {
        "everything" => Reach::Everything,
        "named" => Reach::Named { organisations: BTreeSet::new(), mandates: BTreeSet::new() },
        _ => return Err(row.inconsistent("reach")),
    };
    let grant = Grant {
        id: row.id("id")?,
        auditor: row.id("auditor_id")?,
        reach,
        slots: row.named("slots", Slots::parse)?,
        from: row.instant("from_at")?,
        until: row.instant("until_at")?,
        given_at: row.instant("given_at")?,
        ends_at: row.instant("ends_at")?,
        revoked_at: row.instant_or_none("revoked_at")?,
    };
    Ok(GrantRow { grant, version: row.number("version")? })
}

/// One organisation or mandate that a grant names.
enum Name {
    Organisation(OrganisationId),
    Mandate(MandateId),
}

fn read_name(row: &Columns<'_>) -> Result<Name, StoreError> {
    match row.text("kind")?.as_str() {
        "organisation" => Ok(Name::Organisation(row.id("subject_id")?)),
        "mandate" => Ok(Name::Mandate(row.id("subject_id")?)),
        _ => Err(row.inconsistent("kind")),
    }
}

/// Adds what each grant names.
async fn named(snapshot: &mut Snapshot, mut rows: Vec<GrantRow>) -> Result<Vec<GrantRow>, StoreError> {
    for row in &mut rows {
        let Reach::Named { organisations, mandates } = &mut row.grant.reach else { continue };
        let names = sql(NAMED).bind(row.grant.id.as_str());
        for name in snapshot.list("audit_grant_scope", names, read_name).await? {
            match name {
                Name::Organisation(id) => organisations.insert(id),
                Name::Mandate(id) => mandates.insert(id),
            };
        }
    }
    Ok(rows)
}

/// Gives a grant. `blind` tells how entries are found by an organisation (`organisation`) or a mandate (`mandate`).
pub async fn insert(
    tx: &mut Tx,
    grant: &Grant,
    event: &EventId,
    blind: impl Fn(&str, &str) -> String,
) -> Result<(), StoreError> {
    let (reach, names) = match &grant.reach {
        Reach::Everything => ("everything", Vec::new()),
        Reach::Named { organisations, mandates } => {
            let organisations = organisations.iter().map(|id| ("organisation", id.as_str()));
            ("named", organisations.chain(mandates.iter().map(|id| ("mandate", id.as_str()))).collect())
        }
    };
    let insert = sql(INSERT)
        .bind(grant.id.as_str())
        .bind(grant.auditor.as_str())
        .bind(reach)
        .bind(grant.slots.as_str())
        .bind(grant.from.micros())
        .bind(grant.until.micros())
        .bind(grant.given_at.micros())
        .bind(grant.ends_at.micros())
        .bind(event.as_str());
    tx.execute(insert).await?;
    for (kind, id) in names {
        let name = sql(NAME).bind(grant.id.as_str()).bind(kind).bind(id).bind(blind(kind, id));
        tx.execute(name).await?;
    }
    Ok(())
}

/// One grant.
pub async fn load(snapshot: &mut Snapshot, id: &GrantId) -> Result<Option<GrantRow>, StoreError> {
    let row = snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await?;
    Ok(named(snapshot, row.into_iter().collect()).await?.pop())
}

/// Every grant an auditor was ever given, the one that lasts longest first.
pub async fn of_auditor(snapshot: &mut Snapshot, auditor: &AuditorId) -> Result<Vec<GrantRow>, StoreError> {
    let rows = snapshot.list(TABLE, sql(OF_AUDITOR).bind(auditor.as_str()), read).await?;
    named(snapshot, rows).await
}

/// The grants an auditor may read under at that instant.
pub async fn standing(
    snapshot: &mut Snapshot,
    auditor: &AuditorId,
    now: Instant,
) -> Result<Vec<GrantRow>, StoreError> {
    let rows = sql(STANDING).bind(auditor.as_str()).bind(now.micros());
    let rows = snapshot.list(TABLE, rows, read).await?;
    named(snapshot, rows).await
}

/// Every grant in pages with the entry behind it, without what it names, after `after` (empty for the first): for
/// verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(GrantRow, String)>, StoreError> {
    let rows = sql(LIST).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}

/// What stands there as named by a grant: kind, identifier, and how entries are found by it.
pub async fn names(snapshot: &mut Snapshot, id: &GrantId) -> Result<Vec<String>, StoreError> {
    let names = sql(NAMES).bind(id.as_str());
    let line = |row: &Columns<'_>| {
        Ok(format!("{} {} {}", row.text("kind")?, row.text("subject_id")?, row.text("blind")?))
    };
    snapshot.list("audit_grant_scope", names, line).await
}

/// Takes a grant back.
pub async fn revoke(tx: &mut Tx, before: &GrantRow, now: Instant, event: &EventId) -> Result<(), StoreError> {
    let revoke = sql(REVOKE)
        .bind(before.grant.id.as_str())
        .bind(before.version)
        .bind(now.micros())
        .bind(event.as_str());
    tx.change_one(TABLE, revoke).await
}
