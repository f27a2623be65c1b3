//! Refused representations, for the usager's own space and the organisation's day. Written once.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{
    AidantId, ClientId, EventId, Instant, MandateId, OrganisationId, ProcedureId, UsagerId,
};

const TABLE: &str = "refusal";

macro_rules! select {
    ($($rest:literal)*) => {
        concat!(
            "SELECT id, mandate_id, organisation_id, aidant_id, usager_id, client_id, procedure_id, code, at \
             FROM refusal WHERE ", $($rest,)*
        )
    };
}

statements! {
    INSERT = "INSERT INTO refusal (id, mandate_id, organisation_id, aidant_id, usager_id, client_id, procedure_id, \
        code, at, last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    OF_USAGER = select!("usager_id = $1 ORDER BY at DESC, id LIMIT CAST($2 AS BIGINT)");
    OF_MANDATE = select!("mandate_id = $1 ORDER BY at DESC, id LIMIT CAST($2 AS BIGINT)");
    PAGE = select!("id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)");
    OF_AIDANT = select!("aidant_id = $1 AND at >= $2 ORDER BY at DESC, id LIMIT CAST($3 AS BIGINT)");
}

/// A refused representation as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusalRow {
    /// Its own identifier (the entry's will do).
    pub id: EventId,
    /// The mandate named, if one was.
    pub mandate: Option<MandateId>,
    /// The organisation of the aidant who asked.
    pub organisation: OrganisationId,
    /// Who asked.
    pub aidant: AidantId,
    /// In whose name, if known.
    pub usager: Option<UsagerId>,
    /// For which service.
    pub client: ClientId,
    /// Which procedure, if one was named.
    pub procedure: Option<ProcedureId>,
    /// The stable code.
    pub code: String,
    /// When.
    pub at: Instant,
}

fn read(row: &Columns<'_>) -> Result<RefusalRow, StoreError> {
    Ok(RefusalRow {
        id: row.id("id")?,
        mandate: row.id_or_none("mandate_id")?,
        organisation: row.id("organisation_id")?,
        aidant: row.id("aidant_id")?,
        usager: row.id_or_none("usager_id")?,
        client: row.id("client_id")?,
        procedure: row.id_or_none("procedure_id")?,
        code: row.text("code")?,
        at: row.instant("at")?,
    })
}

/// Records a refusal.
pub async fn insert(tx: &mut Tx, row: &RefusalRow, event: &EventId) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.mandate.as_ref().map(MandateId::as_str))
        .bind(row.organisation.as_str())
        .bind(row.aidant.as_str())
        .bind(row.usager.as_ref().map(UsagerId::as_str))
        .bind(row.client.as_str())
        .bind(row.procedure.as_ref().map(ProcedureId::as_str))
        .bind(row.code.as_str())
        .bind(row.at.micros())
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// What was refused in a usager's name, the latest first.
pub async fn of_usager(
    snapshot: &mut Snapshot,
    usager: &UsagerId,
    limit: u32,
) -> Result<Vec<RefusalRow>, StoreError> {
    snapshot.list(TABLE, sql(OF_USAGER).bind(usager.as_str()).bind(i64::from(limit)), read).await
}

/// Refusals in pages, after `after` (empty for the first): for verification.
pub async fn page(snapshot: &mut Snapshot, after: &str, limit: u32) -> Result<Vec<RefusalRow>, StoreError> {
    snapshot.list(TABLE, sql(PAGE).bind(after).bind(i64::from(limit)), read).await
}

/// What was refused under a mandate, the latest first.
pub async fn of_mandate(
    snapshot: &mut Snapshot,
    mandate: &MandateId,
    limit: u32,
) -> Result<Vec<RefusalRow>, StoreError> {
    snapshot.list(TABLE, sql(OF_MANDATE).bind(mandate.as_str()).bind(i64::from(limit)), read).await
}

/// What an aidant was refused since an instant, the latest first.
pub async fn of_aidant(
    snapshot: &mut Snapshot,
    aidant: &AidantId,
    since: Instant,
    limit: u32,
) -> Result<Vec<RefusalRow>, StoreError> {
    let rows = sql(OF_AIDANT).bind(aidant.as_str()).bind(since.micros()).bind(i64::from(limit));
    snapshot.list(TABLE, rows, read).await
}
