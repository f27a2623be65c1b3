//! Organisations and the procedures closed in them.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx, named};
use crate::mandate::{EventId, Instant, Organisation, OrganisationId, ProcedureId, Standing, Whereabouts};
use std::collections::BTreeSet;

const TABLE: &str = "organisation";

macro_rules! columns {
    () => {
        "id, name, siret, address, town, telephone, standing, created_at, version"
    };
}

statements! {
    INSERT = "INSERT INTO organisation (id, name, siret, standing, created_at, version, last_event, address, town, \
        telephone) VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, $9)";
    LOAD = concat!("SELECT ", columns!(), " FROM organisation WHERE id = $1");
    LIST = concat!("SELECT ", columns!(), " FROM organisation ORDER BY name, id");
    UPDATE = "UPDATE organisation SET name = $4, standing = $5, version = version + 1, last_event = $6 \
        WHERE id = $1 AND version = $2 AND standing = $3";
    CLOSED = "SELECT procedure_id FROM closed_procedure WHERE organisation_id = $1 AND aidant_id = $2";
    OPEN_ALL = "DELETE FROM closed_procedure WHERE organisation_id = $1 AND aidant_id = $2";
    CLOSE = "INSERT INTO closed_procedure (organisation_id, aidant_id, procedure_id) VALUES ($1, $2, $3)";
}

/// An organisation as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationRow {
    /// Identifier.
    pub id: OrganisationId,
    /// Name on the pages, 1 to 200 characters.
    pub name: String,
    /// SIRET, 14 digits.
    pub siret: String,
    /// Where it is; unknown for those registered before it was asked.
    pub whereabouts: Option<Whereabouts>,
    /// Whether it may act.
    pub standing: Standing,
    /// When it was registered.
    pub created_at: Instant,
    /// Guards changes; 1 when new.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<OrganisationRow, StoreError> {
    let telephone = row.text_or_none("telephone")?;
    let placed = row.text_or_none("address")?.zip(row.text_or_none("town")?);
    Ok(OrganisationRow {
        id: row.id("id")?,
        name: row.text("name")?,
        siret: row.text("siret")?,
        whereabouts: placed.map(|(address, town)| Whereabouts { address, town, telephone }),
        standing: row.named("standing", named::parse_standing)?,
        created_at: row.instant("created_at")?,
        version: row.number("version")?,
    })
}

/// Registers an organisation.
pub async fn insert(tx: &mut Tx, row: &OrganisationRow, event: &EventId) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.name.as_str())
        .bind(row.siret.as_str())
        .bind(named::standing(row.standing))
        .bind(row.created_at.micros())
        .bind(event.as_str())
        .bind(row.whereabouts.as_ref().map(|at| at.address.as_str()))
        .bind(row.whereabouts.as_ref().map(|at| at.town.as_str()))
        .bind(row.whereabouts.as_ref().and_then(|at| at.telephone.as_deref()));
    tx.execute(insert).await.map(|_| ())
}

/// One organisation.
pub async fn load(
    snapshot: &mut Snapshot,
    id: &OrganisationId,
) -> Result<Option<OrganisationRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// Every organisation, by name.
pub async fn list(snapshot: &mut Snapshot) -> Result<Vec<OrganisationRow>, StoreError> {
    snapshot.list(TABLE, sql(LIST), read).await
}

/// Changes name or standing; `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &OrganisationRow,
    after: &OrganisationRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let update = sql(UPDATE)
        .bind(before.id.as_str())
        .bind(before.version)
        .bind(named::standing(before.standing))
        .bind(after.name.as_str())
        .bind(named::standing(after.standing))
        .bind(event.as_str());
    tx.change_one(TABLE, update).await
}

/// The organisation as decisions need it.
pub async fn for_decision(
    snapshot: &mut Snapshot,
    id: &OrganisationId,
) -> Result<Option<Organisation>, StoreError> {
    let Some(row) = load(snapshot, id).await? else { return Ok(None) };
    let closed_procedures = closed(snapshot, id, "").await?;
    Ok(Some(Organisation { id: row.id, standing: row.standing, closed_procedures }))
}

/// Sets the procedures closed for everyone in the organisation; the organisation's row carries the entry.
pub async fn restrict(
    tx: &mut Tx,
    before: &OrganisationRow,
    procedures: &BTreeSet<ProcedureId>,
    event: &EventId,
) -> Result<(), StoreError> {
    update(tx, before, before, event).await?;
    replace_closed(tx, &before.id, "", procedures).await
}

pub(super) async fn closed(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    aidant: &str,
) -> Result<BTreeSet<ProcedureId>, StoreError> {
    let rows = sql(CLOSED).bind(organisation.as_str()).bind(aidant);
    let closed = snapshot.list("closed_procedure", rows, |row| row.id("procedure_id")).await?;
    Ok(closed.into_iter().collect())
}

pub(super) async fn replace_closed(
    tx: &mut Tx,
    organisation: &OrganisationId,
    aidant: &str,
    procedures: &BTreeSet<ProcedureId>,
) -> Result<(), StoreError> {
    tx.execute(sql(OPEN_ALL).bind(organisation.as_str()).bind(aidant)).await?;
    for procedure in procedures {
        let close = sql(CLOSE).bind(organisation.as_str()).bind(aidant).bind(procedure.as_str());
        tx.execute(close).await?;
    }
    Ok(())
}
