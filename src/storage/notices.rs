//! What usagers are told of what is done in their name, and the queue of what is still to be sent.

use super::bound::{Bound, sql};
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::mandate::{
    Channel, EventId, Instant, MandateId, NoticeId, NoticeKind, NoticeState, ProcedureId, RepresentationId,
    UsagerId,
};

const TABLE: &str = "notice";
const QUEUE: &str = "notice_queue";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, usager_id, number, kind, mandate_id, representation_id, procedure_id, channel, state, code, \
             created_at, settled_at, version, last_event FROM notice WHERE ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO notice (id, usager_id, number, kind, mandate_id, representation_id, procedure_id, channel, state, \
        created_at, version, last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11)";
    QUEUE_UP = "INSERT INTO notice_queue (notice_id, usager_id, number, attempts, next_at) VALUES ($1, $2, $3, 0, $4)";
    LAST = "SELECT COALESCE(MAX(number), 0) AS number FROM notice WHERE usager_id = $1";
    LOAD = select!("id = $1");
    PAGE = select!("id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)");
    OF_MANDATE = select!("mandate_id = $1 ORDER BY number DESC LIMIT CAST($2 AS BIGINT)");
    OF_USAGER = select!("usager_id = $1 ORDER BY number DESC LIMIT CAST($2 AS BIGINT)");
    OF_REPRESENTATION = select!("representation_id = $1 ORDER BY number");
    UPDATE = "UPDATE notice SET state = $4, code = $5, settled_at = $6, version = version + 1, last_event = $7 \
        WHERE id = $1 AND version = $2 AND state = $3";
    DUE = "SELECT notice_id, attempts FROM notice_queue WHERE next_at <= $1 AND NOT EXISTS (SELECT 1 FROM \
        notice_queue AS sooner WHERE sooner.usager_id = notice_queue.usager_id AND sooner.number < notice_queue.number) \
        ORDER BY next_at, notice_id LIMIT CAST($2 AS BIGINT)";
    TAKE = "UPDATE notice_queue SET attempts = attempts + 1, next_at = $3 WHERE notice_id = $1 AND attempts = $2";
    PUT_OFF = "UPDATE notice_queue SET next_at = $3 WHERE notice_id = $1 AND attempts = $2";
    REMOVE = "DELETE FROM notice_queue WHERE notice_id = $1";
}

/// A notice as stored. It holds no word of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Identifier, by which whoever carries it knows it again.
    pub id: NoticeId,
    /// Who is told.
    pub usager: UsagerId,
    /// Its place in the order of that person, from 1.
    pub number: u64,
    /// Of what they are told.
    pub kind: NoticeKind,
    /// The mandate it is about.
    pub mandate: MandateId,
    /// The representation it is about, of a receipt.
    pub representation: Option<RepresentationId>,
    /// The procedure that was taken out.
    pub procedure: Option<ProcedureId>,
    /// By which way.
    pub channel: Channel,
    /// How far the telling has come.
    pub state: NoticeState,
    /// Why it was not sent, where it was not.
    pub code: Option<String>,
    /// When it was written.
    pub created_at: Instant,
    /// When it was sent, refused, given up or handed over.
    pub settled_at: Option<Instant>,
    /// Guards changes; 1 when new.
    pub version: i64,
}

/// A notice that is to be sent, and how often that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The notice.
    pub id: NoticeId,
    /// How often it was tried.
    pub attempts: u32,
}

fn read(row: &Columns<'_>) -> Result<NoticeRow, StoreError> {
    Ok(NoticeRow {
        id: row.id("id")?,
        usager: row.id("usager_id")?,
        number: row.count("number")?,
        kind: row.named("kind", NoticeKind::parse)?,
        mandate: row.id("mandate_id")?,
        representation: row.id_or_none("representation_id")?,
        procedure: row.id_or_none("procedure_id")?,
        channel: row.named("channel", Channel::parse)?,
        state: row.named("state", NoticeState::parse)?,
        code: row.text_or_none("code")?,
        created_at: row.instant("created_at")?,
        settled_at: row.instant_or_none("settled_at")?,
        version: row.number("version")?,
    })
}

/// Records a notice; one that waits is due at once.
pub async fn insert(tx: &mut Tx, row: &NoticeRow, event: &EventId) -> Result<(), StoreError> {
    let number = i64::try_from(row.number).unwrap_or(i64::MAX);
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.usager.as_str())
        .bind(number)
        .bind(row.kind.as_str())
        .bind(row.mandate.as_str())
        .bind(row.representation.as_ref().map(RepresentationId::as_str))
        .bind(row.procedure.as_ref().map(ProcedureId::as_str))
        .bind(row.channel.as_str())
        .bind(row.state.as_str())
        .bind(row.created_at.micros())
        .bind(event.as_str());
    tx.execute(insert).await?;
    if row.state == NoticeState::Waiting {
        let queue = sql(QUEUE_UP)
            .bind(row.id.as_str())
            .bind(row.usager.as_str())
            .bind(number)
            .bind(row.created_at.micros());
        tx.execute(queue).await?;
    }
    Ok(())
}

/// The number of the last notice to a usager; 0 before the first.
pub async fn last(snapshot: &mut Snapshot, usager: &UsagerId) -> Result<u64, StoreError> {
    let last = snapshot.find(TABLE, sql(LAST).bind(usager.as_str()), |row| row.count("number")).await?;
    Ok(last.unwrap_or(0))
}

/// One notice.
pub async fn load(snapshot: &mut Snapshot, id: &NoticeId) -> Result<Option<NoticeRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), read).await
}

/// The same, with the entry that made it what it is.
pub async fn with_entry(
    snapshot: &mut Snapshot,
    id: &NoticeId,
) -> Result<Option<(NoticeRow, EventId)>, StoreError> {
    let row =
        snapshot.find(TABLE, sql(LOAD).bind(id.as_str()), |row| Ok((read(row)?, row.id("last_event")?)));
    row.await
}

/// Every notice in pages with the entry behind it, after `after` (empty for the first): for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(NoticeRow, String)>, StoreError> {
    let rows = sql(PAGE).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}

/// What was told of a mandate, the latest first.
pub async fn of_mandate(
    snapshot: &mut Snapshot,
    mandate: &MandateId,
    limit: u32,
) -> Result<Vec<NoticeRow>, StoreError> {
    many(snapshot, sql(OF_MANDATE).bind(mandate.as_str()).bind(i64::from(limit))).await
}

/// What a usager was told, the latest first.
pub async fn of_usager(
    snapshot: &mut Snapshot,
    usager: &UsagerId,
    limit: u32,
) -> Result<Vec<NoticeRow>, StoreError> {
    many(snapshot, sql(OF_USAGER).bind(usager.as_str()).bind(i64::from(limit))).await
}

/// What was told of a representation, the first first.
pub async fn of_representation(
    snapshot: &mut Snapshot,
    representation: &RepresentationId,
) -> Result<Vec<NoticeRow>, StoreError> {
    many(snapshot, sql(OF_REPRESENTATION).bind(representation.as_str())).await
}

async fn many(snapshot: &mut Snapshot, rows: Bound) -> Result<Vec<NoticeRow>, StoreError> {
    snapshot.list(TABLE, rows, read).await
}

/// Records what became of it; `before` guards. What is settled waits in no queue any more.
pub async fn update(
    tx: &mut Tx,
    before: &NoticeRow,
    after: &NoticeRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let update = sql(UPDATE)
        .bind(before.id.as_str())
        .bind(before.version)
        .bind(before.state.as_str())
        .bind(after.state.as_str())
        .bind(after.code.as_deref())
        .bind(after.settled_at.map(Instant::micros))
        .bind(event.as_str());
    tx.change_one(TABLE, update).await?;
    tx.execute(sql(REMOVE).bind(before.id.as_str())).await.map(drop)
}

/// What is due, the longest waiting first: of each person only the first that is not settled.
pub async fn due(snapshot: &mut Snapshot, now: Instant, most: u32) -> Result<Vec<Queued>, StoreError> {
    let due = sql(DUE).bind(now.micros()).bind(i64::from(most));
    let due = snapshot.list(QUEUE, due, |row| {
        let attempts = u32::try_from(row.count("attempts")?).unwrap_or(u32::MAX);
        Ok(Queued { id: row.id("notice_id")?, attempts })
    });
    due.await
}

/// Takes a notice for sending, until then; whether it was still there, and no other replica's.
pub async fn take(tx: &mut Tx, queued: &Queued, until: Instant) -> Result<bool, StoreError> {
    let take = sql(TAKE).bind(queued.id.as_str()).bind(i64::from(queued.attempts)).bind(until.micros());
    Ok(tx.execute(take).await? == 1)
}

/// Puts a notice off that could not be sent; nothing when it is settled or was tried again since.
pub async fn put_off(tx: &mut Tx, queued: &Queued, until: Instant) -> Result<(), StoreError> {
    let put_off = sql(PUT_OFF).bind(queued.id.as_str()).bind(i64::from(queued.attempts)).bind(until.micros());
    tx.execute(put_off).await.map(drop)
}
