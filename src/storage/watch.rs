//! What the watch counts, and how far it has come.

use super::bound::sql;
use super::search::{self, Found};
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{AidantId, Instant, MandateId, OrganisationId};

/// Refusals of an organisation that are looked at, at most.
const REFUSALS: i64 = 5_000;

statements! {
    MARK = "SELECT id, leaf, until_at FROM watch_mark WHERE id = 1";
    MOVE = "UPDATE watch_mark SET leaf = $1, until_at = $2 WHERE id = 1 AND leaf = $3 AND until_at = $4";
    AFTER = "SELECT leaf.event_id AS event_id, at, kind, outcome, code, organisation, aidant, mandate, usager, client, \
        procedure, leaf.idx AS idx FROM leaf JOIN event_search ON event_search.event_id = leaf.event_id \
        WHERE leaf.idx >= $1 AND leaf.idx < $2 ORDER BY leaf.idx";
    NEXT = "SELECT COALESCE(MAX(idx) + 1, 0) AS next FROM leaf";
    REFUSALS_BY = "SELECT aidant, COUNT(*) AS refusals FROM (SELECT aidant FROM event_search \
        WHERE organisation = $1 AND outcome = 'refused' AND at > $2 ORDER BY at DESC LIMIT CAST($3 AS BIGINT)) AS recent \
        WHERE aidant IS NOT NULL GROUP BY aidant";
    CONSENTS_BY = "SELECT proposed_by, identity_level, channel, COUNT(*) AS consents FROM mandate \
        WHERE organisation_id = $1 AND consented_at > $2 GROUP BY proposed_by, identity_level, channel";
    FIRST_USES = "SELECT id, consented_at, (SELECT MIN(opened_at) FROM representation WHERE mandate_id = mandate.id) \
        AS used_at FROM mandate WHERE proposed_by = $1 AND consented_at > $2 \
        AND EXISTS (SELECT 1 FROM representation WHERE mandate_id = mandate.id) \
        ORDER BY consented_at DESC LIMIT CAST($3 AS BIGINT)";
    UNUSED = "SELECT id, organisation_id, accepted_by, starts_at FROM mandate WHERE state = 'active' \
        AND starts_at > $1 AND starts_at <= $2 \
        AND NOT EXISTS (SELECT 1 FROM representation WHERE mandate_id = mandate.id) \
        ORDER BY starts_at, id LIMIT CAST($3 AS BIGINT)";
    SEEN_AT = "INSERT INTO watch_device (device, usager, at) VALUES ($1, $2, $3) \
        ON CONFLICT (device, usager) DO UPDATE SET at = $3";
    USAGERS_AT = "SELECT usager FROM watch_device WHERE device = $1 AND at > $2";
    FORGET_BEFORE = "DELETE FROM watch_device WHERE at <= $1";
    FORGET_USAGER = "DELETE FROM watch_device WHERE usager = $1";
}

/// How far the watch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The leaf it looks at next.
    pub leaf: u64,
    /// Until when it has looked for what did not happen.
    pub until: Instant,
}

/// Consents one aidant took, of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consents {
    /// Who took them.
    pub aidant: AidantId,
    /// The level at which the usagers were identified.
    pub level: String,
    /// The channel.
    pub channel: String,
    /// How many.
    pub count: u64,
}

/// A mandate in force that was never used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unused {
    /// The mandate.
    pub mandate: MandateId,
    /// Its organisation.
    pub organisation: OrganisationId,
    /// Who accepted it.
    pub aidant: AidantId,
    /// Since when it is in force.
    pub starts_at: Instant,
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// How far the watch has come.
pub async fn mark(snapshot: &mut Snapshot) -> Result<Mark, StoreError> {
    let mark = snapshot.find("watch_mark", sql(MARK), |row| {
        Ok(Mark { leaf: row.count("leaf")?, until: row.instant("until_at")? })
    });
    mark.await?.ok_or(StoreError::Inconsistent { table: "watch_mark", column: "id", id: "1".to_owned() })
}

/// Moves on, unless another process has: then [`StoreError::Conflict`].
pub async fn advance(tx: &mut Tx, from: Mark, to: Mark) -> Result<(), StoreError> {
    let moved = sql(MOVE)
        .bind(number(to.leaf))
        .bind(to.until.micros())
        .bind(number(from.leaf))
        .bind(from.until.micros());
    tx.change_one("watch_mark", moved).await
}

/// The entries from one leaf on, before another.
pub async fn entries(snapshot: &mut Snapshot, from: u64, before: u64) -> Result<Vec<Found>, StoreError> {
    snapshot.list("event_search", sql(AFTER).bind(number(from)).bind(number(before)), search::read).await
}

/// The place the next entry will get.
pub async fn length(snapshot: &mut Snapshot) -> Result<u64, StoreError> {
    Ok(snapshot.find("leaf", sql(NEXT), |row| row.count("next")).await?.unwrap_or(0))
}

/// Refusals of an organisation since then, by aidant; both by blind index.
pub async fn refusals(
    snapshot: &mut Snapshot,
    organisation: &str,
    since: Instant,
) -> Result<Vec<(String, u64)>, StoreError> {
    let count = sql(REFUSALS_BY).bind(organisation).bind(since.micros()).bind(REFUSALS);
    snapshot.list("event_search", count, |row| Ok((row.text("aidant")?, row.count("refusals")?))).await
}

/// Consents to mandates of an organisation since then.
pub async fn consents(
    snapshot: &mut Snapshot,
    organisation: &OrganisationId,
    since: Instant,
) -> Result<Vec<Consents>, StoreError> {
    let count = sql(CONSENTS_BY).bind(organisation.as_str()).bind(since.micros());
    let read = snapshot.list("mandate", count, |row| {
        Ok(Consents {
            aidant: row.id("proposed_by")?,
            level: row.text("identity_level")?,
            channel: row.text("channel")?,
            count: row.count("consents")?,
        })
    });
    read.await
}

/// The last mandates an aidant proposed that were used, the latest first: when consented to, when first used.
pub async fn first_uses(
    snapshot: &mut Snapshot,
    aidant: &AidantId,
    since: Instant,
    limit: u32,
) -> Result<Vec<(Instant, Instant)>, StoreError> {
    let list = sql(FIRST_USES).bind(aidant.as_str()).bind(since.micros()).bind(i64::from(limit));
    snapshot.list("mandate", list, |row| Ok((row.instant("consented_at")?, row.instant("used_at")?))).await
}

/// Mandates in force since after `from` and not after `until` that nobody used, in the order they began.
pub async fn unused(
    snapshot: &mut Snapshot,
    from: Instant,
    until: Instant,
    limit: u32,
) -> Result<Vec<Unused>, StoreError> {
    let list = sql(UNUSED).bind(from.micros()).bind(until.micros()).bind(i64::from(limit));
    let read = snapshot.list("mandate", list, |row| {
        Ok(Unused {
            mandate: row.id("id")?,
            organisation: row.id("organisation_id")?,
            aidant: row.id("accepted_by")?,
            starts_at: row.instant("starts_at")?,
        })
    });
    read.await
}

/// Notes that a usager signed in from a device; both by blind index.
pub async fn seen_at(tx: &mut Tx, device: &str, usager: &str, at: Instant) -> Result<(), StoreError> {
    tx.execute(sql(SEEN_AT).bind(device).bind(usager).bind(at.micros())).await.map(drop)
}

/// Who signed in from a device since then.
pub async fn usagers_at(
    snapshot: &mut Snapshot,
    device: &str,
    since: Instant,
) -> Result<Vec<String>, StoreError> {
    let list = sql(USAGERS_AT).bind(device).bind(since.micros());
    snapshot.list("watch_device", list, |row| row.text("usager")).await
}

/// Forgets who signed in where, up to then.
pub async fn forget_before(tx: &mut Tx, until: Instant) -> Result<(), StoreError> {
    tx.execute(sql(FORGET_BEFORE).bind(until.micros())).await.map(drop)
}

/// Forgets where a usager signed in (erasure).
pub async fn forget_usager(tx: &mut Tx, usager: &str) -> Result<(), StoreError> {
    tx.execute(sql(FORGET_USAGER).bind(usager)).await.map(drop)
}
