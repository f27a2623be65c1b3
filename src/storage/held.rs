//! Rows of parties and facts as verification holds them against entries: which entry stands behind each, and what hangs on
//! them without an entry of its own.

use super::bound::sql;
use super::statement::statements;
use super::{Snapshot, StoreError};

statements! {
    BEHIND_ORGANISATION = "SELECT last_event FROM organisation WHERE id = $1";
    BEHIND_AIDANT = "SELECT last_event FROM aidant WHERE id = $1";
    BEHIND_AUDITOR = "SELECT last_event FROM auditor WHERE id = $1";
    BEHIND_CLIENT = "SELECT last_event FROM client WHERE id = $1";
    CLOSED = "SELECT organisation_id, aidant_id, procedure_id FROM closed_procedure \
        WHERE (organisation_id, aidant_id, procedure_id) > ($1, $2, $3) \
        ORDER BY organisation_id, aidant_id, procedure_id LIMIT CAST($4 AS BIGINT)";
    STRAY_NAMES = "SELECT grant_id FROM audit_grant_scope LEFT JOIN audit_grant ON audit_grant.id = grant_id \
        WHERE audit_grant.id IS NULL ORDER BY grant_id LIMIT 1000";
    BEHIND_USAGER = "SELECT last_event FROM usager WHERE id = $1";
}

/// The entry that the row of a party names as its last.
pub async fn behind(snapshot: &mut Snapshot, party: &str, id: &str) -> Result<Option<String>, StoreError> {
    let (table, text) = match party {
        "organisation" => ("organisation", BEHIND_ORGANISATION),
        "aidant" => ("aidant", BEHIND_AIDANT),
        "auditor" => ("auditor", BEHIND_AUDITOR),
        "client" => ("client", BEHIND_CLIENT),
        "usager" => ("usager", BEHIND_USAGER),
        _ => return Ok(None),
    };
    let found = snapshot.find(table, sql(text).bind(id), |row| row.text_or_none("last_event")).await?;
    Ok(found.flatten())
}

/// A procedure closed in an organisation, for everybody (no aidant) or one aidant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ClosedRow {
    /// The organisation.
    pub organisation: String,
    /// The aidant, empty for everybody.
    pub aidant: String,
    /// The procedure.
    pub procedure: String,
}

/// Closed procedures in pages, after that one (an empty one for the first).
pub async fn closed(
    snapshot: &mut Snapshot,
    after: &ClosedRow,
    limit: u32,
) -> Result<Vec<ClosedRow>, StoreError> {
    let rows = sql(CLOSED)
        .bind(after.organisation.as_str())
        .bind(after.aidant.as_str())
        .bind(after.procedure.as_str())
        .bind(i64::from(limit));
    let rows = snapshot.list("closed_procedure", rows, |row| {
        Ok(ClosedRow {
            organisation: row.text("organisation_id")?,
            aidant: row.text("aidant_id")?,
            procedure: row.text("procedure_id")?,
        })
    });
    rows.await
}

/// Grants that are not there and name something: the first thousand.
pub async fn stray_names(snapshot: &mut Snapshot) -> Result<Vec<String>, StoreError> {
    snapshot.list("audit_grant_scope", sql(STRAY_NAMES), |row| row.text("grant_id")).await
}
