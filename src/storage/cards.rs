//! The cards by which mandates are ended.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{EventId, Instant, MandateId, MandateNumber, Tries};

const TABLE: &str = "revocation_card";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT mandate_id, code_hash, code_sealed, made_at, failures, locks, locked_until, version, last_event \
             FROM revocation_card WHERE ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO revocation_card (mandate_id, code_hash, code_sealed, made_at, failures, locks, locked_until, \
        version, last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)";
    LOAD = select!("mandate_id = $1");
    BY_NUMBER = select!("substr(mandate_id, 25) = $1 AND code_hash IS NOT NULL ORDER BY mandate_id");
    PAGE = select!("mandate_id > $1 ORDER BY mandate_id LIMIT CAST($2 AS BIGINT)");
    UPDATE = "UPDATE revocation_card SET code_hash = $3, code_sealed = $4, made_at = $5, failures = $6, locks = $7, \
        locked_until = $8, version = version + 1, last_event = $9 WHERE mandate_id = $1 AND version = $2";
}

/// A card as stored. Holds a sealed code: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct CardRow {
    /// The mandate it ends.
    pub mandate: MandateId,
    /// The keyed hash of its code, and the code sealed under the mandate's key; none once erased.
    pub code: Option<(String, Vec<u8>)>,
    /// When it was made.
    pub made_at: Instant,
    /// The wrong codes tried on it.
    pub tries: Tries,
    /// Guards changes; 1 when new.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<CardRow, StoreError> {
    let code = match (row.text_or_none("code_hash")?, row.bytes_or_none("code_sealed")?) {
        (Some(hash), Some(sealed)) => Some((hash, sealed)),
        (None, None) => None,
        _ => return Err(row.inconsistent("code_hash")),
    };
    let small = |column| row.number(column)?.try_into().map_err(|_| row.inconsistent(column));
    let tries = Tries {
        failures: small("failures")?,
        locks: row.number("locks")?.try_into().map_err(|_| row.inconsistent("locks"))?,
        locked_until: row.instant_or_none("locked_until")?,
    };
    Ok(CardRow {
        mandate: row.id("mandate_id")?,
        code,
        made_at: row.instant("made_at")?,
        tries,
        version: row.number("version")?,
    })
}

/// The first card of a mandate.
pub async fn insert(tx: &mut Tx, card: &CardRow, event: &EventId) -> Result<(), StoreError> {
    let code = card.code.as_ref();
    let insert = sql(INSERT)
        .bind(card.mandate.as_str())
        .bind(code.map(|(hash, _)| hash.as_str()))
        .bind(code.map(|(_, sealed)| sealed.as_slice()))
        .bind(card.made_at.micros())
        .bind(i64::from(card.tries.failures))
        .bind(i64::from(card.tries.locks))
        .bind(card.tries.locked_until.map(Instant::micros))
        .bind(event.as_str());
    tx.change_one(TABLE, insert).await
}

/// Counts a try, locks, takes another code or none; `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &CardRow,
    after: &CardRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let code = after.code.as_ref();
    let update = sql(UPDATE)
        .bind(before.mandate.as_str())
        .bind(before.version)
        .bind(code.map(|(hash, _)| hash.as_str()))
        .bind(code.map(|(_, sealed)| sealed.as_slice()))
        .bind(after.made_at.micros())
        .bind(i64::from(after.tries.failures))
        .bind(i64::from(after.tries.locks))
        .bind(after.tries.locked_until.map(Instant::micros))
        .bind(event.as_str());
    tx.change_one(TABLE, update).await
}

/// The card of a mandate; none for one accepted before there were cards.
pub async fn load(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<Option<CardRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(mandate.as_str()), read).await
}

/// The cards with that number that have a code: one, if any; more where two mandates share a number.
pub async fn by_number(snapshot: &mut Snapshot, number: MandateNumber) -> Result<Vec<CardRow>, StoreError> {
    snapshot.list(TABLE, sql(BY_NUMBER).bind(number.tail()), read).await
}

/// Every card in pages with the entry behind it, after `after` (empty for the first): for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(CardRow, String)>, StoreError> {
    let rows = sql(PAGE).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}
