//! A mandate's own history, entry by entry: what usagers and aidants read, keep and prove (contract journal.md, 4.1).
//!
//! Aidants read those of their organisation here; usagers read theirs through their [`super::space`].

use super::desk::{self, Card};
use super::names::Names;
use super::office::Office;
use super::proof::{self, Proof};
use super::steps::Actor;
use super::{App, Caller, Error, Record, Session, known, record};
use crate::journal::{History, MandateKey, Slot, Step};
use crate::mandate::{
    EventId, EventKind, Instant, MandateId, ProcedureOutcome, ReceiptNumber, ServiceReport,
};
use crate::storage::data_keys::KeyKind;
use crate::storage::journal::{self, EntryRow};
use crate::storage::mandates::MandateRow;
use crate::storage::{BoxFuture, Snapshot, Tx};
use serde_json::Value;
use std::sync::Arc;

/// Lines on a page.
const PAGE: u64 = 50;

/// One entry of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number in the history, from 1.
    pub number: u64,
    /// The entry.
    pub event: EventId,
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
    /// What the service reported there.
    pub reported: Option<ServiceReport>,
}

/// A page of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lines {
    /// The lines, the latest first.
    pub lines: Vec<Line>,
    /// How many entries the history has.
    pub length: u64,
    /// The number the next page begins before, when there is more.
    pub before: Option<u64>,
}

/// One entry with its proof.
pub struct Proved {
    /// What it tells.
    pub line: Line,
    /// Its proof.
    pub proof: Proof,
}

/// The key to a mandate's tags.
pub(super) async fn tags(app: &App, snapshot: &mut Snapshot, row: &MandateRow) -> Result<MandateKey, Error> {
    let id = row.mandate.id.as_str();
    let key = app.vault.find(&app.keys, snapshot, KeyKind::Mandate, id).await?;
    key.ok_or(Error::Unreadable)?.tags()
}

/// Entry `number` of a history.
pub(super) async fn entry(
    snapshot: &mut Snapshot,
    tags: &MandateKey,
    number: u64,
) -> Result<EntryRow, Error> {
    // The mandate says that the entry is there: if it is not, the journal was touched.
    journal::by_tag(snapshot, &tags.tag(number).to_hex()).await?.ok_or(Error::Unreadable)
}

async fn line(app: &App, snapshot: &mut Snapshot, number: u64, entry: &EntryRow) -> Result<Line, Error> {
    let act = record::act(app, snapshot, &entry.event_id).await?.ok_or(Error::Unreadable)?;
    let kind = act.get("kind").and_then(Value::as_str).and_then(EventKind::parse);
    let kind = kind.ok_or(Error::Unreadable)?;
    Ok(Line { number, event: entry.event_id.clone(), at: entry.at, kind, reported: reported(kind, &act) })
}

/// The report an entry tells of.
pub(super) fn reported(kind: EventKind, act: &Value) -> Option<ServiceReport> {
    let detail = act.get("detail").filter(|_| kind == EventKind::OutcomeReported)?;
    let text = |name: &str| detail.get(name).and_then(Value::as_str);
    let receipt = text("receipt").and_then(ReceiptNumber::parse);
    ServiceReport::new(ProcedureOutcome::parse(text("outcome")?)?, receipt).ok()
}

/// A page of a mandate's history, the latest first; before number `before` when given.
pub(super) async fn lines(
    app: &App,
    snapshot: &mut Snapshot,
    row: &MandateRow,
    before: Option<u64>,
) -> Result<Lines, Error> {
    let tags = tags(app, snapshot, row).await?;
    let last = before.map_or(row.seq, |before| before.saturating_sub(1).min(row.seq));
    let first = last.saturating_sub(PAGE - 1).max(1);
    let mut lines = Vec::new();
    for number in (first..=last).rev() {
        let entry = entry(snapshot, &tags, number).await?;
        lines.push(line(app, snapshot, number, &entry).await?);
    }
    Ok(Lines { lines, length: row.seq, before: (first > 1).then_some(first) })
}

/// Entry `number` of a mandate's history with its proof.
///
/// # Errors
/// [`Error::NotFound`] when the history has no such entry; [`Error::BeingRecorded`] while it has no place.
pub(super) async fn proved(
    app: &App,
    snapshot: &mut Snapshot,
    row: &MandateRow,
    number: u64,
) -> Result<Proved, Error> {
    if !(1..=row.seq).contains(&number) {
        return Err(Error::NotFound);
    }
    let tags = tags(app, snapshot, row).await?;
    let entry = entry(snapshot, &tags, number).await?;
    let proof = proof::of(app, snapshot, &entry).await?.ok_or(Error::BeingRecorded)?;
    Ok(Proved { line: line(app, snapshot, number, &entry).await?, proof })
}

/// The whole history as a file that proves itself, with what was done told and the persons not: the file may go from
/// hand to hand.
///
/// # Errors
/// [`Error::BeingRecorded`] while an entry has no place.
pub(super) async fn whole(app: &App, snapshot: &mut Snapshot, row: &MandateRow) -> Result<History, Error> {
    let tags = tags(app, snapshot, row).await?;
    let mut entries = Vec::new();
    for number in 1..=row.seq {
        entries.push(entry(snapshot, &tags, number).await?);
    }
    let heads = proof::covering(app, snapshot, entries.iter()).await?;
    let mut steps = Vec::with_capacity(entries.len());
    for entry in &entries {
        let proof = proof::under(app, snapshot, entry, &heads).await?.ok_or(Error::BeingRecorded)?.log;
        let act = |slot| slot == Slot::Act;
        let openings = record::openings(app, snapshot, &entry.event_id, act).await?;
        steps.push(Step { proof, openings });
    }
    Ok(History::new(tags, steps))
}

/// A page of the history of a mandate of the aidant's organisation. Each reading is journaled and waited for.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate of another organisation; [`Error::BeingRecorded`].
pub async fn of_office(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    before: Option<u64>,
) -> Result<(Card, Lines), Error> {
    read(app, session, caller, id, move |app, snapshot, row| {
        Box::pin(async move {
            let lines = lines(&app, snapshot, &row, before).await?;
            Ok((desk::card(&app, snapshot, &mut Names::default(), row.mandate).await?, lines))
        })
    })
    .await
}

/// One entry of that history with its proof.
///
/// # Errors
/// As [`of_office`]; [`Error::NotFound`] for a number the history has not.
pub async fn proved_to_office(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    number: u64,
) -> Result<Proved, Error> {
    read(app, session, caller, id, move |app, snapshot, row| {
        Box::pin(async move { proved(&app, snapshot, &row, number).await })
    })
    .await
}

/// Reads of a mandate of the aidant's organisation; the reading is journaled, and so is its refusal. It is looked up
/// before, so that a long look keeps nobody who writes waiting.
async fn read<T, F>(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    look: F,
) -> Result<T, Error>
where
    T: Send + 'static,
    F: for<'t> FnOnce(App, &'t mut Snapshot, MandateRow) -> BoxFuture<'t, Result<T, Error>> + Send + 'static,
{
    session.aidant()?;
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone(), id.clone()));
    let reader = Arc::clone(&by);
    let found = app.store.read("mandate.history", move |snapshot| {
        Box::pin(async move {
            let (app, session, _, id) = &*reader;
            let row = Office::of(snapshot, session).await?.mandate(snapshot, id).await?;
            look(Arc::clone(app), snapshot, row).await
        })
    });
    let found = found.await;
    if found.as_ref().is_err_and(|error| !matches!(error, Error::NotFound)) {
        return found;
    }
    let (seen, now) = (found.is_ok(), app.now());
    app.include("mandate.history.note", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, caller, id) = &*by;
            let office = Office::of(tx, session).await?;
            if seen {
                note(app, tx, &office, id, (caller, now)).await
            } else {
                office.refuse_access(app, tx, Error::NotFound, (caller, now)).await.map(drop)
            }
        })
    })
    .await?;
    found
}

/// The reading, and that the organisation knows of an ending now.
async fn note(
    app: &App,
    tx: &mut Tx,
    office: &Office,
    id: &MandateId,
    (caller, now): (&Caller, Instant),
) -> Result<(), Error> {
    let mut row = office.mandate(tx, id).await?;
    let (organisation, aidant) = (&office.organisation.id, &office.aidant.id);
    let record = Record::done(EventKind::MandateRead).organisation(organisation).aidant(aidant).about(id);
    let record = match row.mandate.usager() {
        Some(usager) => record.usager(usager),
        None => record,
    };
    record.append(app, tx, caller, now).await?;
    known::note(app, tx, &mut row, known::Party::Organisation, (Actor::Aidant(aidant), caller, now)).await
}
