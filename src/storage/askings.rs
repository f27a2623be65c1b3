//! How usagers are asked by other ways than the aidant's screen, the scans of what they signed, and the queue of codes that
//! are still to be sent.

use super::bound::{Bound, sql};
use super::column::Columns;
use super::named::named;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{AidantId, ConsentChannel, EventId, Instant, MandateId, NoticeId, UsagerId};

const TABLE: &str = "asking";
const QUEUE: &str = "asking_queue";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT mandate_id, channel, delivery, usager_id, code_hash, sealed, scan_hash, asked_by, asked_at, failures, \
             answered_at, confirmed_by, version, last_event FROM asking WHERE ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO asking (mandate_id, channel, delivery, usager_id, code_hash, sealed, scan_hash, asked_by, asked_at, \
        failures, answered_at, confirmed_by, version, last_event) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13)";
    LOAD = select!("mandate_id = $1");
    BY_CODE = select!("code_hash = $1");
    PAGE = select!("mandate_id > $1 ORDER BY mandate_id LIMIT CAST($2 AS BIGINT)");
    UPDATE = "UPDATE asking SET channel = $3, delivery = $4, usager_id = $5, code_hash = $6, sealed = $7, scan_hash = $8, \
        asked_by = $9, asked_at = $10, failures = $11, answered_at = $12, confirmed_by = $13, version = version + 1, \
        last_event = $14 WHERE mandate_id = $1 AND version = $2";
    OF_USAGER = select!("usager_id = $1 ORDER BY mandate_id");
    SCAN = "SELECT sealed FROM asking_scan WHERE mandate_id = $1";
    KEEP_SCAN = "INSERT INTO asking_scan (mandate_id, sealed) VALUES ($1, $2) \
        ON CONFLICT (mandate_id) DO UPDATE SET sealed = excluded.sealed";
    DROP_SCAN = "DELETE FROM asking_scan WHERE mandate_id = $1";
    QUEUE_UP = "INSERT INTO asking_queue (mandate_id, letter_id, attempts, next_at) VALUES ($1, $2, 0, $3) \
        ON CONFLICT (mandate_id) DO UPDATE SET letter_id = excluded.letter_id, attempts = 0, next_at = excluded.next_at";
    DUE = "SELECT mandate_id, letter_id, attempts FROM asking_queue WHERE next_at <= $1 \
        ORDER BY next_at, mandate_id LIMIT CAST($2 AS BIGINT)";
    TAKE = "UPDATE asking_queue SET attempts = attempts + 1, next_at = $4 \
        WHERE mandate_id = $1 AND letter_id = $2 AND attempts = $3";
    PUT_OFF = "UPDATE asking_queue SET next_at = $4 WHERE mandate_id = $1 AND letter_id = $2 AND attempts = $3";
    QUEUED = "SELECT letter_id FROM asking_queue WHERE mandate_id = $1 AND letter_id = $2 AND attempts = $3";
    REMOVE = "DELETE FROM asking_queue WHERE mandate_id = $1";
}

named! {
    /// How far the sending of a code has come.
    Delivery {
        /// Nobody carries it: it is printed, or there is none.
        None = "none",
        /// To be sent.
        Waiting = "waiting",
        /// Taken over.
        Sent = "sent",
        /// Nobody takes it there.
        Failed = "failed",
    }
}

/// An asking as stored. Holds a sealed code: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AskingRow {
    /// The proposal.
    pub mandate: MandateId,
    /// By which way.
    pub channel: ConsentChannel,
    /// How far the sending of its code has come.
    pub delivery: Delivery,
    /// Who is asked; unknown until they are identified on their own device.
    pub usager: Option<UsagerId>,
    /// Keyed hash of its code, where it has one.
    pub code_hash: Option<String>,
    /// What only the parties may know, sealed.
    pub sealed: Vec<u8>,
    /// SHA-256 of the scan as it is kept, in hexadecimal.
    pub scan_hash: Option<String>,
    /// Who asks.
    pub asked_by: AidantId,
    /// When.
    pub asked_at: Instant,
    /// Wrong codes given for it.
    pub failures: u8,
    /// When they said yes, where a second person has to confirm it.
    pub answered_at: Option<Instant>,
    /// Who confirmed it.
    pub confirmed_by: Option<AidantId>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<AskingRow, StoreError> {
    Ok(AskingRow {
        mandate: row.id("mandate_id")?,
        channel: row.named("channel", ConsentChannel::parse)?,
        delivery: row.named("delivery", Delivery::parse)?,
        usager: row.id_or_none("usager_id")?,
        code_hash: row.text_or_none("code_hash")?,
        sealed: row.bytes("sealed")?,
        scan_hash: row.text_or_none("scan_hash")?,
        asked_by: row.id("asked_by")?,
        asked_at: row.instant("asked_at")?,
        failures: row.number("failures")?.try_into().map_err(|_| row.inconsistent("failures"))?,
        answered_at: row.instant_or_none("answered_at")?,
        confirmed_by: row.id_or_none("confirmed_by")?,
        version: row.number("version")?,
    })
}

fn bind_body(statement: Bound, row: &AskingRow) -> Bound {
    statement
        .bind(row.channel.as_str())
        .bind(row.delivery.as_str())
        .bind(row.usager.as_ref().map(UsagerId::as_str))
        .bind(row.code_hash.as_deref())
        .bind(row.sealed.as_slice())
        .bind(row.scan_hash.as_deref())
        .bind(row.asked_by.as_str())
        .bind(row.asked_at.micros())
        .bind(i64::from(row.failures))
        .bind(row.answered_at.map(Instant::micros))
        .bind(row.confirmed_by.as_ref().map(AidantId::as_str))
}

/// Records how the usager of a proposal is asked: the first time, or anew in the place of `before`.
pub async fn keep(
    tx: &mut Tx,
    before: Option<&AskingRow>,
    after: &AskingRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let statement = match before {
        None => bind_body(sql(INSERT).bind(after.mandate.as_str()), after),
        Some(before) => bind_body(sql(UPDATE).bind(before.mandate.as_str()).bind(before.version), after),
    };
    tx.change_one(TABLE, statement.bind(event.as_str())).await
}

/// How the usager of a proposal is asked; nothing where they are on the aidant's screen.
pub async fn load(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<Option<AskingRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(mandate.as_str()), read).await
}

/// The same, with the entry that made it what it is.
pub async fn with_entry(
    snapshot: &mut Snapshot,
    mandate: &MandateId,
) -> Result<Option<(AskingRow, EventId)>, StoreError> {
    let both = |row: &Columns<'_>| Ok((read(row)?, row.id("last_event")?));
    snapshot.find(TABLE, sql(LOAD).bind(mandate.as_str()), both).await
}

/// The asking of that code's hash.
pub async fn by_code(snapshot: &mut Snapshot, hash: &str) -> Result<Option<AskingRow>, StoreError> {
    snapshot.find(TABLE, sql(BY_CODE).bind(hash), read).await
}

/// Every asking of a usager, for their erasure.
pub async fn of_usager(snapshot: &mut Snapshot, usager: &UsagerId) -> Result<Vec<AskingRow>, StoreError> {
    snapshot.list(TABLE, sql(OF_USAGER).bind(usager.as_str()), read).await
}

/// Every asking in pages with the entry behind it, after `after` (empty for the first): for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(AskingRow, String)>, StoreError> {
    let rows = sql(PAGE).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}

/// Keeps the sealed scan of what was signed; one sent again takes the place of the former.
pub async fn keep_scan(tx: &mut Tx, mandate: &MandateId, sealed: &[u8]) -> Result<(), StoreError> {
    tx.change_one(TABLE, sql(KEEP_SCAN).bind(mandate.as_str()).bind(sealed)).await
}

/// The sealed scan of what was signed.
pub async fn scan(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<Option<Vec<u8>>, StoreError> {
    snapshot.find("asking_scan", sql(SCAN).bind(mandate.as_str()), |row| row.bytes("sealed")).await
}

/// Takes the scan away.
pub async fn drop_scan(tx: &mut Tx, mandate: &MandateId) -> Result<(), StoreError> {
    tx.execute(sql(DROP_SCAN).bind(mandate.as_str())).await.map(|_| ())
}

/// A code that is to be sent, and how often that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The proposal.
    pub mandate: MandateId,
    /// By which whoever carries it knows the letter again.
    pub letter: NoticeId,
    /// How often it was tried.
    pub attempts: u32,
}

/// Has the code sent, under a name of its own.
pub async fn queue(
    tx: &mut Tx,
    mandate: &MandateId,
    letter: &NoticeId,
    now: Instant,
) -> Result<(), StoreError> {
    let queue = sql(QUEUE_UP).bind(mandate.as_str()).bind(letter.as_str()).bind(now.micros());
    tx.change_one(QUEUE, queue).await
}

/// What is due, the oldest first.
pub async fn due(snapshot: &mut Snapshot, now: Instant, limit: u32) -> Result<Vec<Queued>, StoreError> {
    let rows = sql(DUE).bind(now.micros()).bind(i64::from(limit));
    snapshot
        .list(QUEUE, rows, |row| {
            Ok(Queued {
                mandate: row.id("mandate_id")?,
                letter: row.id("letter_id")?,
                attempts: row.number("attempts")?.try_into().map_err(|_| row.inconsistent("attempts"))?,
            })
        })
        .await
}

fn guarded(text: &'static str, queued: &Queued) -> Bound {
    let attempts = i64::from(queued.attempts);
    sql(text).bind(queued.mandate.as_str()).bind(queued.letter.as_str()).bind(attempts)
}

/// Takes one on to send it, so that nobody else does until then; whether nobody did.
pub async fn take(tx: &mut Tx, queued: &Queued, until: Instant) -> Result<bool, StoreError> {
    Ok(tx.execute(guarded(TAKE, queued).bind(until.micros())).await? == 1)
}

/// Puts one off.
pub async fn put_off(tx: &mut Tx, queued: &Queued, until: Instant) -> Result<(), StoreError> {
    tx.execute(guarded(PUT_OFF, queued).bind(until.micros())).await.map(|_| ())
}

/// Whether this very letter is still to be sent.
pub async fn is_queued(snapshot: &mut Snapshot, queued: &Queued) -> Result<bool, StoreError> {
    let found = guarded(QUEUED, queued);
    Ok(snapshot.find(QUEUE, found, |row| row.text("letter_id")).await?.is_some())
}

/// Nothing is to be sent any more.
pub async fn unqueue(tx: &mut Tx, mandate: &MandateId) -> Result<(), StoreError> {
    tx.execute(sql(REMOVE).bind(mandate.as_str())).await.map(|_| ())
}
