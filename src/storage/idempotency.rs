//! Idempotency keys: a retry changes nothing twice (invariant 11).

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{StoreError, Tx};
use crate::mandate::Instant;

const TABLE: &str = "idempotency";

statements! {
    CLAIM = "INSERT INTO idempotency (key_hash, actor, name, result, created_at) VALUES ($1, $2, $3, '', $4) \
        ON CONFLICT (key_hash) DO NOTHING";
    LOAD = "SELECT key_hash, actor, name, result FROM idempotency WHERE key_hash = $1";
    KEEP = "UPDATE idempotency SET result = $2 WHERE key_hash = $1 AND result = ''";
    PURGE = "DELETE FROM idempotency WHERE created_at <= $1";
}

/// What became of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The first time: go on, then [`keep`] the result in the same transaction.
    First,
    /// Done before by the same actor for the same act: give this result again.
    Again(String),
    /// The key was used by another actor, or for another act.
    Foreign,
}

fn judge(row: &Columns<'_>, actor: &str, name: &str) -> Result<Claim, StoreError> {
    if row.text("actor")? != actor || row.text("name")? != name {
        return Ok(Claim::Foreign);
    }
    Ok(Claim::Again(row.text("result")?))
}

/// Claims a key for an act of an actor (a session's lasting name, a client). Two claims at the same instant
/// cannot both be first.
pub async fn claim(
    tx: &mut Tx,
    key_hash: &str,
    actor: &str,
    name: &str,
    now: Instant,
) -> Result<Claim, StoreError> {
    let claim = sql(CLAIM).bind(key_hash).bind(actor).bind(name).bind(now.micros());
    if tx.execute(claim).await? == 1 {
        return Ok(Claim::First);
    }
    let found = tx.find(TABLE, sql(LOAD).bind(key_hash), |row| judge(row, actor, name)).await?;
    found.ok_or(StoreError::Conflict { table: TABLE })
}

/// Keeps the (non-empty) result of a claimed act.
pub async fn keep(tx: &mut Tx, key_hash: &str, result: &str) -> Result<(), StoreError> {
    tx.change_one(TABLE, sql(KEEP).bind(key_hash).bind(result)).await
}

/// Forgets keys made by `before`; how many.
pub async fn purge(tx: &mut Tx, before: Instant) -> Result<u64, StoreError> {
    tx.execute(sql(PURGE).bind(before.micros())).await
}
