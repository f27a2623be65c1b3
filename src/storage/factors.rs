//! Second factors of ours (TOTP) and their recovery codes.

use super::bound::sql;
use super::column::Columns;
use super::named::named;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{AidantId, EventId, Instant};

const TABLE: &str = "factor";

statements! {
    BEGIN = "INSERT INTO factor (aidant_id, state, seed_sealed, last_step, failures, version) \
        VALUES ($1, 'pending', $2, 0, 0, 1) ON CONFLICT (aidant_id) DO UPDATE SET seed_sealed = excluded.seed_sealed, \
        last_step = 0, failures = 0, locked_until = NULL, version = factor.version + 1 WHERE factor.state = 'pending'";
    LOAD = "SELECT aidant_id, state, seed_sealed, last_step, failures, locked_until, confirmed_at, version \
        FROM factor WHERE aidant_id = $1";
    UPDATE = "UPDATE factor SET state = $4, seed_sealed = $5, last_step = $6, failures = $7, locked_until = $8, \
        confirmed_at = $9, version = version + 1, last_event = $10 WHERE aidant_id = $1 AND version = $2 AND state = $3";
    FORGET_CODES = "DELETE FROM recovery_code WHERE aidant_id = $1";
    INSERT_CODE = "INSERT INTO recovery_code (aidant_id, code_hash) VALUES ($1, $2)";
    USE_CODE = "UPDATE recovery_code SET used_at = $3 WHERE aidant_id = $1 AND code_hash = $2 AND used_at IS NULL";
    CODES_LEFT = "SELECT aidant_id, COUNT(*) AS codes FROM recovery_code WHERE aidant_id = $1 AND used_at IS NULL \
        GROUP BY aidant_id";
}

named! {
    /// How far an enrolment has come.
    FactorState {
        /// The secret was shown; no right code yet. Opens nothing.
        Pending = "pending",
        /// In force.
        Confirmed = "confirmed",
    }
}

/// A second factor as stored. Holds a sealed secret: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct FactorRow {
    /// Whose.
    pub aidant: AidantId,
    /// How far its enrolment has come.
    pub state: FactorState,
    /// The sealed seed.
    pub seed_sealed: Vec<u8>,
    /// The last time step a code was accepted for: each step serves once.
    pub last_step: i64,
    /// Wrong codes in a row.
    pub failures: i64,
    /// Until when no code is looked at.
    pub locked_until: Option<Instant>,
    /// When it came in force; present exactly when confirmed.
    pub confirmed_at: Option<Instant>,
    /// Guards changes.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<FactorRow, StoreError> {
    let state = row.named("state", FactorState::parse)?;
    let confirmed_at = row.instant_or_none("confirmed_at")?;
    if (state == FactorState::Confirmed) != confirmed_at.is_some() {
        return Err(row.inconsistent("confirmed_at"));
    }
    Ok(FactorRow {
        aidant: row.id("aidant_id")?,
        state,
        seed_sealed: row.bytes("seed_sealed")?,
        last_step: row.number("last_step")?,
        failures: row.number("failures")?,
        locked_until: row.instant_or_none("locked_until")?,
        confirmed_at,
        version: row.number("version")?,
    })
}

/// Begins an enrolment, or begins it anew with another seed while it is pending.
///
/// # Errors
/// [`StoreError::Conflict`] when a factor is confirmed already: replacing it is an [`update`] with an entry.
pub async fn begin(tx: &mut Tx, aidant: &AidantId, seed_sealed: &[u8]) -> Result<(), StoreError> {
    tx.change_one(TABLE, sql(BEGIN).bind(aidant.as_str()).bind(seed_sealed)).await
}

/// The aidant's factor.
pub async fn load(snapshot: &mut Snapshot, aidant: &AidantId) -> Result<Option<FactorRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(aidant.as_str()), read).await
}

/// Confirms, proves, counts a failure, locks, or sets back to pending; `before` guards.
pub async fn update(
    tx: &mut Tx,
    before: &FactorRow,
    after: &FactorRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let update = sql(UPDATE)
        .bind(before.aidant.as_str())
        .bind(before.version)
        .bind(before.state.as_str())
        .bind(after.state.as_str())
        .bind(after.seed_sealed.as_slice())
        .bind(after.last_step)
        .bind(after.failures)
        .bind(after.locked_until.map(Instant::micros))
        .bind(after.confirmed_at.map(Instant::micros))
        .bind(event.as_str());
    tx.change_one(TABLE, update).await
}

/// Replaces the recovery codes by new ones (hashes).
pub async fn replace_recovery_codes(
    tx: &mut Tx,
    aidant: &AidantId,
    hashes: &[String],
) -> Result<(), StoreError> {
    tx.execute(sql(FORGET_CODES).bind(aidant.as_str())).await?;
    for hash in hashes {
        tx.execute(sql(INSERT_CODE).bind(aidant.as_str()).bind(hash.as_str())).await?;
    }
    Ok(())
}

/// Uses a recovery code, once; whether it was there to be used.
pub async fn use_recovery_code(
    tx: &mut Tx,
    aidant: &AidantId,
    hash: &str,
    now: Instant,
) -> Result<bool, StoreError> {
    let used = tx.execute(sql(USE_CODE).bind(aidant.as_str()).bind(hash).bind(now.micros())).await?;
    Ok(used == 1)
}

/// How many recovery codes are left.
pub async fn recovery_codes_left(snapshot: &mut Snapshot, aidant: &AidantId) -> Result<u64, StoreError> {
    let left = sql(CODES_LEFT).bind(aidant.as_str());
    Ok(snapshot.find("recovery_code", left, |row| row.count("codes")).await?.unwrap_or(0))
}
