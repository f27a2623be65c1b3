//! Representations: each use of a mandate, from opening to end.

use super::bound::{Bound, sql};
use super::column::{Columns, lines};
use super::named::named;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{
    Act, AidantId, ClientId, EventId, Instant, MandateId, OrganisationId, ProcedureId, ProcedureOutcome,
    RepresentationId, UsagerId,
};
use std::collections::BTreeSet;

const TABLE: &str = "representation";

macro_rules! select {
    ($($rest:literal)*) => {
        concat!(
            "SELECT id, mandate_id, organisation_id, aidant_id, usager_id, client_id, procedure_id, acts, sid, state, \
             opened_at, ends_at, closed_at, close_reason, outcome, told_at, acknowledged_at, version FROM representation WHERE ", $($rest,)*
        )
    };
}

statements! {
    INSERT = "INSERT INTO representation (id, mandate_id, organisation_id, aidant_id, usager_id, client_id, \
        procedure_id, acts, sid, state, opened_at, ends_at, version, last_event) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'open', $10, $11, 1, $12)";
    LOAD = select!("id = $1");
    OPEN_ONE = select!("id = $1 AND state = 'open'");
    OPEN_OF_MANDATE = select!("mandate_id = $1 AND state = 'open' ORDER BY opened_at, id");
    OPEN_OF_PROCEDURE = select!("mandate_id = $1 AND procedure_id = $2 AND state = 'open' ORDER BY opened_at, id");
    OPEN_OF_SESSION = select!("sid = $1 AND state = 'open' ORDER BY opened_at, id");
    OPEN_OF_AIDANT = select!("aidant_id = $1 AND state = 'open' ORDER BY opened_at, id");
    OPEN_OF_CLIENT = select!("client_id = $1 AND state = 'open' ORDER BY opened_at, id");
    OPEN_OF_ORGANISATION = select!("organisation_id = $1 AND state = 'open' ORDER BY opened_at, id");
    OVERDUE = select!("ends_at <= $1 AND state = 'open' ORDER BY ends_at, id LIMIT CAST($2 AS BIGINT)");
    OF_MANDATE = select!("mandate_id = $1 ORDER BY opened_at DESC, id LIMIT CAST($2 AS BIGINT)");
    OF_USAGER = select!("usager_id = $1 ORDER BY opened_at DESC, id LIMIT CAST($2 AS BIGINT)");
    OF_AIDANT = select!("aidant_id = $1 AND opened_at >= $2 ORDER BY opened_at DESC, id LIMIT CAST($3 AS BIGINT)");
    UPDATE = "UPDATE representation SET state = $4, closed_at = $5, close_reason = $6, outcome = $7, \
        told_at = $8, acknowledged_at = $9, version = version + 1, last_event = $10 WHERE id = $1 AND version = $2 AND state = $3";
}

named! {
    /// Why a representation was closed.
    CloseReason {
        /// The aidant signed out, at the service or here.
        SignedOut = "signed_out",
        /// Its time ran out.
        Expired = "expired",
        /// The usager revoked the mandate or the procedure.
        Revoked = "revoked",
        /// The mandate ended otherwise.
        Ended = "ended",
        /// A party was suspended.
        Suspended = "suspended",
        /// Its code came twice.
        Replayed = "replayed",
        /// A later one took its place.
        Replaced = "replaced",
    }
}

/// A representation as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepresentationRow {
    /// Identifier.
    pub id: RepresentationId,
    /// The mandate used.
    pub mandate: MandateId,
    /// The mandatary.
    pub organisation: OrganisationId,
    /// Who acts.
    pub aidant: AidantId,
    /// In whose name.
    pub usager: UsagerId,
    /// At which service.
    pub client: ClientId,
    /// Which procedure.
    pub procedure: ProcedureId,
    /// Which acts.
    pub acts: BTreeSet<Act>,
    /// The lasting name of the session it was opened from.
    pub sid: String,
    /// When it was opened.
    pub opened_at: Instant,
    /// When it ends by itself.
    pub ends_at: Instant,
    /// When and why it was closed; open when absent.
    pub closed: Option<(Instant, CloseReason)>,
    /// What the service reported, if it did.
    pub outcome: Option<ProcedureOutcome>,
    /// When the service was first told that it is closed, and when it answered.
    pub told: Option<(Instant, Option<Instant>)>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

impl RepresentationRow {
    /// The stored name of its state.
    const fn state(&self) -> &'static str {
        if self.closed.is_some() { "closed" } else { "open" }
    }
}

fn acts(row: &Columns<'_>) -> Result<BTreeSet<Act>, StoreError> {
    row.text("acts")?.lines().map(|act| Act::parse(act).ok_or_else(|| row.inconsistent("acts"))).collect()
}

fn read(row: &Columns<'_>) -> Result<RepresentationRow, StoreError> {
    let closed_at = row.instant_or_none("closed_at")?;
    let reason = row.named_or_none("close_reason", CloseReason::parse)?;
    let closed = match (row.text("state")?.as_str(), closed_at, reason) {
        ("open", None, None) => None,
        ("closed", Some(at), Some(reason)) => Some((at, reason)),
        _ => return Err(row.inconsistent("state")),
    };
    let (told_at, acknowledged_at) =
        (row.instant_or_none("told_at")?, row.instant_or_none("acknowledged_at")?);
    Ok(RepresentationRow {
        id: row.id("id")?,
        mandate: row.id("mandate_id")?,
        organisation: row.id("organisation_id")?,
        aidant: row.id("aidant_id")?,
        usager: row.id("usager_id")?,
        client: row.id("client_id")?,
        procedure: row.id("procedure_id")?,
        acts: acts(row)?,
        sid: row.text("sid")?,
        opened_at: row.instant("opened_at")?,
        ends_at: row.instant("ends_at")?,
        closed,
        outcome: row.named_or_none("outcome", ProcedureOutcome::parse)?,
        told: told_at.map(|at| (at, acknowledged_at)),
        version: row.number("version")?,
    })
}

/// Opens a representation.
///
/// # Errors
/// [`StoreError::Refused`] when the row says it is closed already.
pub async fn insert(tx: &mut Tx, row: &RepresentationRow, event: &EventId) -> Result<(), StoreError> {
    if row.closed.is_some() {
        return Err(StoreError::Refused("a representation begins open".to_owned()));
    }
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.mandate.as_str())
        .bind(row.organisation.as_str())
        .bind(row.aidant.as_str())
        .bind(row.usager.as_str())
        .bind(row.client.as_str())
        .bind(row.procedure.as_str())
        .bind(lines(row.acts.iter().map(|act| act.as_str())))
        .bind(row.sid.as_str())
        .bind(row.opened_at.micros())
        .bind(row.ends_at.micros())
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// Closes it, or records what the service said; `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &RepresentationRow,
    after: &RepresentationRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let (closed_at, reason) = after.closed.unzip();
    let (told_at, acknowledged_at) =
        (after.told.map(|(at, _)| at), after.told.and_then(|(_, answered)| answered));
    let update = sql(UPDATE)
        .bind(before.id.as_str())
        .bind(before.version)
        .bind(before.state())
        .bind(after.state())
        .bind(closed_at.map(Instant::micros))
        .bind(reason.map(CloseReason::as_str))
        .bind(after.outcome.map(ProcedureOutcome::as_str))
        .bind(told_at.map(Instant::micros))
        .bind(acknowledged_at.map(Instant::micros))
        .bind(event.as_str());
    tx.change_one(TABLE, update).await
}

/// Whose representations, codes and tokens are meant. Owned, so that a write's closure can hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One representation.
    Representation(RepresentationId),
    /// Of a mandate.
    Mandate(MandateId),
    /// Of one procedure of a mandate.
    Procedure(MandateId, ProcedureId),
    /// Of a session, by its lasting name.
    Session(String),
    /// Of an aidant.
    Aidant(AidantId),
    /// At a service.
    Client(ClientId),
    /// Of an organisation.
    Organisation(OrganisationId),
}

/// The open representations, the oldest first.
pub async fn open(snapshot: &mut Snapshot, of: &Scope) -> Result<Vec<RepresentationRow>, StoreError> {
    let rows = match of {
        Scope::Representation(id) => sql(OPEN_ONE).bind(id.as_str()),
        Scope::Mandate(id) => sql(OPEN_OF_MANDATE).bind(id.as_str()),
        Scope::Procedure(id, procedure) => sql(OPEN_OF_PROCEDURE).bind(id.as_str()).bind(procedure.as_str()),
        Scope::Session(sid) => sql(OPEN_OF_SESSION).bind(sid.as_str()),
        Scope::Aidant(id) => sql(OPEN_OF_AIDANT).bind(id.as_str()),
        Scope::Client(id) => sql(OPEN_OF_CLIENT).bind(id.as_str()),
        Scope::Organisation(id) => sql(OPEN_OF_ORGANISATION).bind(id.as_str()),
    };
    many(snapshot, rows).await
}

/// One representation.
pub async fn load(
    snapshot: &mut Snapshot,
    id: &RepresentationId,
) -> Result<Option<RepresentationRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// Open representations whose time has run out, the oldest first.
pub async fn overdue(
    snapshot: &mut Snapshot,
    now: Instant,
    limit: u32,
) -> Result<Vec<RepresentationRow>, StoreError> {
    many(snapshot, sql(OVERDUE).bind(now.micros()).bind(i64::from(limit))).await
}

/// Every use of a mandate, the latest first.
pub async fn of_mandate(
    snapshot: &mut Snapshot,
    mandate: &MandateId,
    limit: u32,
) -> Result<Vec<RepresentationRow>, StoreError> {
    many(snapshot, sql(OF_MANDATE).bind(mandate.as_str()).bind(i64::from(limit))).await
}

/// Everything done in a usager's name, the latest first: for their own space only.
pub async fn of_usager(
    snapshot: &mut Snapshot,
    usager: &UsagerId,
    limit: u32,
) -> Result<Vec<RepresentationRow>, StoreError> {
    many(snapshot, sql(OF_USAGER).bind(usager.as_str()).bind(i64::from(limit))).await
}

/// What an aidant did since an instant, the latest first.
pub async fn of_aidant(
    snapshot: &mut Snapshot,
    aidant: &AidantId,
    since: Instant,
    limit: u32,
) -> Result<Vec<RepresentationRow>, StoreError> {
    many(snapshot, sql(OF_AIDANT).bind(aidant.as_str()).bind(since.micros()).bind(i64::from(limit))).await
}

async fn many(snapshot: &mut Snapshot, rows: Bound) -> Result<Vec<RepresentationRow>, StoreError> {
    snapshot.list(TABLE, rows, read).await
}
