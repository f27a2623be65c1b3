//! Aidants: invited, bound to one sign-in, or asking for another, suspended and reinstated.

use super::bound::sql;
use super::column::{Columns, Row};
use super::organisations::{closed, replace_closed};
use super::statement::statements;
use super::{Snapshot, StoreError, Tx, named};
use crate::mandate::{
    Aidant, AidantId, EventId, Instant, Organisation, OrganisationId, ProcedureId, Role, Standing,
};
use std::collections::BTreeSet;

const TABLE: &str = "aidant";

macro_rules! columns {
    () => {
        "id, organisation_id, role, standing, email_blind, identity_sealed, identity_key, iss, sub, \
         invited_at, invite_expires_at, activated_at, asked_iss, asked_sub, asked_at, version"
    };
}

/// Everything `decide()` needs of the mandatary's side in one look: the closed procedures of both, '' marking the
/// organisation's own.
macro_rules! for_decision_columns {
    () => {
        "aidant.id AS aidant_id, aidant.organisation_id AS organisation_id, aidant.role AS aidant_role, \
         aidant.standing AS aidant_standing, organisation.standing AS organisation_standing, \
         closed_procedure.aidant_id AS closed_for, closed_procedure.procedure_id AS closed_procedure \
         FROM aidant JOIN organisation ON organisation.id = aidant.organisation_id \
         LEFT JOIN closed_procedure ON closed_procedure.organisation_id = aidant.organisation_id \
         AND closed_procedure.aidant_id IN ('', aidant.id)"
    };
}
pub(super) use for_decision_columns;

statements! {
    INSERT = "INSERT INTO aidant (id, organisation_id, role, standing, email_blind, identity_sealed, identity_key, \
        iss, sub, invited_at, invite_expires_at, activated_at, asked_iss, asked_sub, asked_at, version, last_event) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 1, $16)";
    LOAD = concat!("SELECT ", columns!(), " FROM aidant WHERE id = $1");
    OF_ORGANISATION = concat!("SELECT ", columns!(), " FROM aidant WHERE organisation_id = $1 ORDER BY id");
    PAGE = concat!("SELECT ", columns!(), " FROM aidant WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)");
    BY_EMAIL = concat!("SELECT ", columns!(), " FROM aidant WHERE email_blind = $1");
    BY_SUBJECT = concat!("SELECT ", columns!(), " FROM aidant WHERE iss = $1 AND sub = $2");
    UPDATE = "UPDATE aidant SET role = $4, standing = $5, email_blind = $6, identity_sealed = $7, identity_key = $8, \
        iss = $9, sub = $10, invited_at = $11, invite_expires_at = $12, activated_at = $13, asked_iss = $14, \
        asked_sub = $15, asked_at = $16, version = version + 1, last_event = $17 WHERE id = $1 AND version = $2 AND standing = $3";
    FOR_DECISION = concat!("SELECT ", for_decision_columns!(), " WHERE aidant.id = $1");
}

/// Another sign-in under which the provider presents the person, until the referent has said whether they are the same.
#[derive(Clone, PartialEq, Eq)]
pub struct OtherSignIn {
    /// Its issuer and subject.
    pub subject: (String, String),
    /// When it came first.
    pub at: Instant,
}

/// An aidant as stored. Personal data: sealed, and no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AidantRow {
    /// Identifier.
    pub id: AidantId,
    /// Their organisation.
    pub organisation: OrganisationId,
    /// Their role in it.
    pub role: Role,
    /// Whether they may act.
    pub standing: Standing,
    /// Blind index of the invited e-mail address.
    pub email_blind: String,
    /// The sealed [`crate::mandate::ProfessionalIdentity`].
    pub identity_sealed: Vec<u8>,
    /// The data key it is sealed under.
    pub identity_key: String,
    /// Issuer and subject of their sign-in, once bound.
    pub subject: Option<(String, String)>,
    /// When they were (last) invited.
    pub invited_at: Instant,
    /// Until when the invitation can be accepted.
    pub invite_expires_at: Instant,
    /// When the invitation was accepted.
    pub activated_at: Option<Instant>,
    /// Another sign-in that waits for the referent.
    pub asked: Option<OtherSignIn>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

pub(super) fn subject(row: &Columns<'_>) -> Result<Option<(String, String)>, StoreError> {
    match (row.text_or_none("iss")?, row.text_or_none("sub")?) {
        (Some(iss), Some(sub)) => Ok(Some((iss, sub))),
        (None, None) => Ok(None),
        _ => Err(row.inconsistent("sub")),
    }
}

fn asked(row: &Columns<'_>) -> Result<Option<OtherSignIn>, StoreError> {
    let of =
        (row.text_or_none("asked_iss")?, row.text_or_none("asked_sub")?, row.instant_or_none("asked_at")?);
    match of {
        (Some(iss), Some(sub), Some(at)) => Ok(Some(OtherSignIn { subject: (iss, sub), at })),
        (None, None, None) => Ok(None),
        _ => Err(row.inconsistent("asked_sub")),
    }
}

fn read(row: &Columns<'_>) -> Result<AidantRow, StoreError> {
    Ok(AidantRow {
        id: row.id("id")?,
        organisation: row.id("organisation_id")?,
        role: row.named("role", named::parse_role)?,
        standing: row.named("standing", named::parse_standing)?,
        email_blind: row.text("email_blind")?,
        identity_sealed: row.bytes("identity_sealed")?,
        identity_key: row.text("identity_key")?,
        subject: subject(row)?,
        invited_at: row.instant("invited_at")?,
        invite_expires_at: row.instant("invite_expires_at")?,
        activated_at: row.instant_or_none("activated_at")?,
        asked: asked(row)?,
        version: row.number("version")?,
    })
}

/// Invites an aidant (or registers an active one).
pub async fn insert(tx: &mut Tx, row: &AidantRow, event: &EventId) -> Result<(), StoreError> {
    let (iss, sub) = row.subject.clone().unzip();
    let asked = row.asked.as_ref();
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.organisation.as_str())
        .bind(named::role(row.role))
        .bind(named::standing(row.standing))
        .bind(row.email_blind.as_str())
        .bind(row.identity_sealed.as_slice())
        .bind(row.identity_key.as_str())
        .bind(iss)
        .bind(sub)
        .bind(row.invited_at.micros())
        .bind(row.invite_expires_at.micros())
        .bind(row.activated_at.map(Instant::micros))
        .bind(asked.map(|asked| asked.subject.0.as_str()))
        .bind(asked.map(|asked| asked.subject.1.as_str()))
        .bind(asked.map(|asked| asked.at.micros()))
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// One aidant.
pub async fn load(snapshot: &mut Snapshot, id: &AidantId) -> Result<Option<AidantRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// The aidants of an organisation.
pub async fn of_organisation(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
) -> Result<Vec<AidantRow>, StoreError> {
    snapshot.list(TABLE, sql(OF_ORGANISATION).bind(organisation.as_str()), read).await
}

/// Every aidant in pages, after `after` (empty for the first): for verification.
pub async fn page(snapshot: &mut Snapshot, after: &str, limit: u32) -> Result<Vec<AidantRow>, StoreError> {
    snapshot.list(TABLE, sql(PAGE).bind(after).bind(i64::from(limit)), read).await
}

/// The aidant invited at that address.
pub async fn by_email_blind(snapshot: &mut Snapshot, blind: &str) -> Result<Option<AidantRow>, StoreError> {
    snapshot.find(TABLE, sql(BY_EMAIL).bind(blind), read).await
}

/// The aidant bound to that sign-in.
pub async fn by_subject(
    snapshot: &mut Snapshot,
    iss: &str,
    sub: &str,
) -> Result<Option<AidantRow>, StoreError> {
    snapshot.find(TABLE, sql(BY_SUBJECT).bind(iss).bind(sub), read).await
}

/// Changes everything that may change (identifier and organisation may not); `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &AidantRow,
    after: &AidantRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let (iss, sub) = after.subject.clone().unzip();
    let asked = after.asked.as_ref();
    let update = sql(UPDATE)
        .bind(before.id.as_str())
        .bind(before.version)
        .bind(named::standing(before.standing))
        .bind(named::role(after.role))
        .bind(named::standing(after.standing))
        .bind(after.email_blind.as_str())
        .bind(after.identity_sealed.as_slice())
        .bind(after.identity_key.as_str())
        .bind(iss)
        .bind(sub)
        .bind(after.invited_at.micros())
        .bind(after.invite_expires_at.micros())
        .bind(after.activated_at.map(Instant::micros))
        .bind(asked.map(|asked| asked.subject.0.as_str()))
        .bind(asked.map(|asked| asked.subject.1.as_str()))
        .bind(asked.map(|asked| asked.at.micros()))
        .bind(event.as_str());
    tx.change_one(TABLE, update).await
}

/// Sets the procedures closed for one aidant; the aidant's row carries the entry.
pub async fn restrict(
    tx: &mut Tx,
    before: &AidantRow,
    procedures: &BTreeSet<ProcedureId>,
    event: &EventId,
) -> Result<(), StoreError> {
    update(tx, before, before, event).await?;
    replace_closed(tx, &before.organisation, before.id.as_str(), procedures).await
}

/// The procedures closed for one aidant (beside those closed for the whole organisation).
pub async fn closed_for(
    snapshot: &mut Snapshot,
    aidant: &AidantRow,
) -> Result<BTreeSet<ProcedureId>, StoreError> {
    closed(snapshot, &aidant.organisation, aidant.id.as_str()).await
}

/// The aidant and their organisation as decisions need them, in one look.
pub async fn for_decision(
    snapshot: &mut Snapshot,
    id: &AidantId,
) -> Result<Option<(Aidant, Organisation)>, StoreError> {
    read_for_decision(&snapshot.all(sql(FOR_DECISION).bind(id.as_str())).await?)
}

/// One row per closed procedure, at least one.
pub(super) fn read_for_decision(rows: &[Row]) -> Result<Option<(Aidant, Organisation)>, StoreError> {
    let Some(first) = rows.first() else { return Ok(None) };
    let row = Columns::of(TABLE, first);
    let mut aidant = Aidant {
        id: row.id("aidant_id")?,
        organisation: row.id("organisation_id")?,
        role: row.named("aidant_role", named::parse_role)?,
        standing: row.named("aidant_standing", named::parse_standing)?,
        closed_procedures: BTreeSet::new(),
    };
    let mut organisation = Organisation {
        id: aidant.organisation.clone(),
        standing: row.named("organisation_standing", named::parse_standing)?,
        closed_procedures: BTreeSet::new(),
    };
    for row in rows {
        let row = Columns::of(TABLE, row);
        let Some(procedure) = row.id_or_none("closed_procedure")? else { continue };
        match row.text("closed_for")?.as_str() {
            "" => organisation.closed_procedures.insert(procedure),
            _ => aidant.closed_procedures.insert(procedure),
        };
    }
    Ok(Some((aidant, organisation)))
}
