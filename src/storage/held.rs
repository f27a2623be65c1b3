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
