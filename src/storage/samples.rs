//! Samples auditors drew, and their answers about each entry.

use super::bound::sql;
use super::column::{Columns, lines};
use super::statement::statements;
use super::{Snapshot, StoreError, Tx};
use crate::journal::Hash;
use crate::mandate::{Answers, AuditorId, EventId, Instant, ReadingId, SampleId};

const TABLE: &str = "audit_sample";

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, auditor_id, reading_id, parameters, checkpoint_size, seed, population, drawn, drawn_at, \
             version, last_event FROM audit_sample WHERE ",
            $rest
        )
    };
}

statements! {
    INSERT = "INSERT INTO audit_sample (id, auditor_id, reading_id, parameters, checkpoint_size, seed, population, \
        drawn, drawn_at, version, last_event) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10)";
    LOAD = select!("id = $1 AND auditor_id = $2");
    OF_AUDITOR = select!("auditor_id = $1 ORDER BY drawn_at DESC, id LIMIT CAST($2 AS BIGINT)");
    PAGE = select!("id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)");
    ANSWERS_PAGE = "SELECT sample_id, event_id, answers, note_sealed, answered_at, version, last_event FROM audit_answer \
        WHERE (sample_id, event_id) > ($1, $2) ORDER BY sample_id, event_id LIMIT CAST($3 AS BIGINT)";
    ANSWER = "INSERT INTO audit_answer (sample_id, event_id, answers, note_sealed, answered_at, version, last_event) \
        VALUES ($1, $2, $3, $4, $5, 1, $6)";
    ANSWER_AGAIN = "UPDATE audit_answer SET answers = $3, note_sealed = $4, answered_at = $5, version = version + 1, \
        last_event = $6 WHERE sample_id = $1 AND event_id = $2 AND version = $7";
    ANSWERS = "SELECT event_id, answers, note_sealed, answered_at, version FROM audit_answer WHERE sample_id = $1 \
        ORDER BY event_id";
}

/// A sample as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleRow {
    /// Identifier.
    pub id: SampleId,
    /// Who drew it.
    pub auditor: AuditorId,
    /// Under which purpose.
    pub reading: ReadingId,
    /// From what it was drawn, and how many.
    pub parameters: String,
    /// Size of the checkpoint the seed comes from.
    pub checkpoint_size: u64,
    /// The seed.
    pub seed: Hash,
    /// How many entries it was drawn from.
    pub population: u64,
    /// The entries drawn.
    pub drawn: Vec<EventId>,
    /// When.
    pub drawn_at: Instant,
    /// Always 1: a sample never changes.
    pub version: i64,
}

/// The answers about one entry; the note is free text, sealed under the auditor's key: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// The entry.
    pub event: EventId,
    /// The answers.
    pub answers: Answers,
    /// The sealed note.
    pub note_sealed: Option<Vec<u8>>,
    /// When.
    pub answered_at: Instant,
    /// Guards changes; 1 when new.
    pub version: i64,
}

fn read(row: &Columns<'_>) -> Result<SampleRow, StoreError> {
    let drawn = row.lines("drawn")?.into_iter();
    let drawn: Result<Vec<EventId>, _> = drawn.map(EventId::try_from).collect();
    Ok(SampleRow {
        id: row.id("id")?,
        auditor: row.id("auditor_id")?,
        reading: row.id("reading_id")?,
        parameters: row.text("parameters")?,
        checkpoint_size: row.count("checkpoint_size")?,
        seed: row.hash("seed")?,
        population: row.count("population")?,
        drawn: drawn.map_err(|_| row.inconsistent("drawn"))?,
        drawn_at: row.instant("drawn_at")?,
        version: row.number("version")?,
    })
}

fn read_answer(row: &Columns<'_>) -> Result<AnswerRow, StoreError> {
    Ok(AnswerRow {
        event: row.id("event_id")?,
        answers: row.named("answers", Answers::parse)?,
        note_sealed: row.bytes_or_none("note_sealed")?,
        answered_at: row.instant("answered_at")?,
        version: row.number("version")?,
    })
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Keeps a sample.
pub async fn insert(tx: &mut Tx, row: &SampleRow, event: &EventId) -> Result<(), StoreError> {
    let insert = sql(INSERT)
        .bind(row.id.as_str())
        .bind(row.auditor.as_str())
        .bind(row.reading.as_str())
        .bind(row.parameters.as_str())
        .bind(number(row.checkpoint_size))
        .bind(row.seed.as_bytes().as_slice())
        .bind(number(row.population))
        .bind(lines(row.drawn.iter().map(EventId::as_str)))
        .bind(row.drawn_at.micros())
        .bind(event.as_str());
    tx.execute(insert).await.map(|_| ())
}

/// One of an auditor's samples.
pub async fn load(
    snapshot: &mut Snapshot,
    auditor: &AuditorId,
    id: &SampleId,
) -> Result<Option<SampleRow>, StoreError> {
    snapshot.find(TABLE, sql(LOAD).bind(id.as_str()).bind(auditor.as_str()), read).await
}

/// Every sample in pages with the entry behind it, after `after` (empty for the first): for verification.
pub async fn page(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(SampleRow, String)>, StoreError> {
    let rows = sql(PAGE).bind(after).bind(i64::from(limit));
    snapshot.list(TABLE, rows, |row| Ok((read(row)?, row.text("last_event")?))).await
}

/// All answers in pages, each with its sample and the entry behind it, after that of a sample and an entry (empty for the
/// first): for verification.
pub async fn answers_page(
    snapshot: &mut Snapshot,
    (sample, event): &(String, String),
    limit: u32,
) -> Result<Vec<((SampleId, AnswerRow), String)>, StoreError> {
    let rows = sql(ANSWERS_PAGE).bind(sample.as_str()).bind(event.as_str()).bind(i64::from(limit));
    let read = |row: &Columns<'_>| Ok(((row.id("sample_id")?, read_answer(row)?), row.text("last_event")?));
    snapshot.list("audit_answer", rows, read).await
}

/// An auditor's samples, the latest first.
pub async fn of_auditor(
    snapshot: &mut Snapshot,
    auditor: &AuditorId,
    limit: u32,
) -> Result<Vec<SampleRow>, StoreError> {
    snapshot.list(TABLE, sql(OF_AUDITOR).bind(auditor.as_str()).bind(i64::from(limit)), read).await
}

/// The answers given for a sample.
pub async fn answers(snapshot: &mut Snapshot, sample: &SampleId) -> Result<Vec<AnswerRow>, StoreError> {
    snapshot.list("audit_answer", sql(ANSWERS).bind(sample.as_str()), read_answer).await
}

/// Keeps the answers about an entry, in the place of `before` when there were some.
pub async fn answer(
    tx: &mut Tx,
    sample: &SampleId,
    before: Option<&AnswerRow>,
    row: &AnswerRow,
    event: &EventId,
) -> Result<(), StoreError> {
    let text = if before.is_some() { ANSWER_AGAIN } else { ANSWER };
    let keep = sql(text)
        .bind(sample.as_str())
        .bind(row.event.as_str())
        .bind(row.answers.to_text())
        .bind(row.note_sealed.as_deref())
        .bind(row.answered_at.micros())
        .bind(event.as_str());
    let keep = match before {
        Some(before) => keep.bind(before.version),
        None => keep,
    };
    tx.change_one("audit_answer", keep).await
}
