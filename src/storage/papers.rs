//! What stands on a mandate's paper beside the mandate itself: the text as it was sealed, and, once accepted, the
//! verification code and the entry that the receipt proves.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{EventId, MandateId};

const TABLE: &str = "mandate_paper";

statements! {
    INSERT = "INSERT INTO mandate_paper (mandate_id, text) VALUES ($1, $2)";
    LOAD = "SELECT mandate_id, text, code_sealed, accepted_event FROM mandate_paper WHERE mandate_id = $1";
    ACCEPT = "UPDATE mandate_paper SET code_sealed = $2, accepted_event = $3 WHERE mandate_id = $1 \
        AND code_sealed IS NULL";
    ERASE = "UPDATE mandate_paper SET code_sealed = NULL, accepted_event = NULL WHERE mandate_id = $1";
}

/// A mandate's paper as stored. Holds a sealed code: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct PaperRow {
    /// The binding French text, byte for byte as hashed. No personal data.
    pub text: String,
    /// The sealed verification code and the entry of the acceptance, once accepted.
    pub accepted: Option<(Vec<u8>, EventId)>,
}

fn read(row: &Columns<'_>) -> Result<PaperRow, StoreError> {
    let accepted = match (row.bytes_or_none("code_sealed")?, row.id_or_none("accepted_event")?) {
        (Some(code), Some(event)) => Some((code, event)),
        (None, None) => None,
        _ => return Err(row.inconsistent("accepted_event")),
    };
    Ok(PaperRow { text: row.text("text")?, accepted })
}

/// Seals the text of a proposal.
pub async fn insert(tx: &mut Tx, mandate: &MandateId, text: &str) -> Result<(), StoreError> {
    tx.execute(sql(INSERT).bind(mandate.as_str()).bind(text)).await.map(|_| ())
}

/// The paper of a mandate.
pub async fn load(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<Option<PaperRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(mandate.as_str()), read).await
}

/// Adds the sealed verification code and the entry of the acceptance, once.
pub async fn accept(
    tx: &mut Tx,
    mandate: &MandateId,
    code_sealed: &[u8],
    event: &EventId,
) -> Result<(), StoreError> {
    let accept = sql(ACCEPT).bind(mandate.as_str()).bind(code_sealed).bind(event.as_str());
    tx.change_one(TABLE, accept).await
}

/// Takes the code away: from then on nothing can be printed (erasure). The text names nobody and stays.
pub async fn erase(tx: &mut Tx, mandate: &MandateId) -> Result<(), StoreError> {
    tx.execute(sql(ERASE).bind(mandate.as_str())).await.map(drop)
}
