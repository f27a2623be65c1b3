//! A mandate's own history, entry by entry: what usagers and aidants read, keep and prove (contract journal.md, 4.1).
//!
//! Aidants read those of their organisation here; usagers read theirs through their [`super::space`].

use super::desk::{self, Card};
use super::names::Names;
use super::office::Office;
use super::proof::{self, Proof};
use super::record::opening_cell;
use super::vault::OpenKey;
use super::{App, Caller, Error, Record, Session};
use crate::journal::{self as log, LogProof, Opening, Slot};
use crate::mandate::{EventId, EventKind, Instant, MandateId};
use crate::storage::data_keys::{self, KeyKind};
use crate::storage::journal::{self, EntryRow};
use crate::storage::mandates::MandateRow;
use crate::storage::{BoxFuture, Snapshot, Tx};
use serde::Deserialize;
use std::sync::Arc;

/// Lines on a page.
const PAGE: u64 = 50;
/// The most entries a file of a history holds: more than a mandate of a year comes to.
const MOST_IN_A_FILE: u64 = 5_000;

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
    /// Name of the journal.
    pub origin: String,
    /// Its proof.
    pub proof: Proof,
}

/// What the `act` slot says of an entry in a history.
#[derive(Deserialize)]
struct Act {
    kind: String,
}

/// A mandate's history and the key to it.
struct Reader<'a> {
    app: &'a App,
    length: u64,
    key: Arc<OpenKey>,
}

impl<'a> Reader<'a> {
    async fn open(app: &'a App, snapshot: &mut Snapshot, row: &MandateRow) -> Result<Self, Error> {
        let mandate = &row.mandate.id;
        let key = app.vault.find(&app.keys, snapshot, KeyKind::Mandate, mandate.as_str()).await?;
        Ok(Self { app, length: row.seq, key: key.ok_or(Error::Unreadable)? })
    }

    async fn entry(&self, snapshot: &mut Snapshot, number: u64) -> Result<EntryRow, Error> {
        let tag = self.key.tags()?.tag(number).to_hex();
        // The mandate says that the entry is there: if it is not, the journal was touched.
        journal::by_tag(snapshot, &tag).await?.ok_or(Error::Unreadable)
    }

    async fn line(&self, snapshot: &mut Snapshot, number: u64, entry: &EntryRow) -> Result<Line, Error> {
        let act = self.opening(snapshot, entry, Slot::Act).await?.ok_or(Error::Unreadable)?;
        let act: Act = act.read().ok_or(Error::Unreadable)?;
        let kind = EventKind::parse(&act.kind).ok_or(Error::Unreadable)?;
        Ok(Line { number, event: entry.event_id.clone(), at: entry.at, kind })
    }

    /// What opens a slot, unless it was erased.
    async fn opening(
        &self,
        snapshot: &mut Snapshot,
        entry: &EntryRow,
        slot: Slot,
    ) -> Result<Option<Opening>, Error> {
        let rows = journal::openings(snapshot, &entry.event_id).await?;
        let Some(row) = rows.into_iter().find(|row| row.slot == slot.as_str()) else { return Ok(None) };
        let cell = opening_cell(&entry.event_id, slot);
        let bytes = if row.key_id == self.key.id {
            self.key.open(&cell, &row.sealed)?
        } else {
            let Some(key) = data_keys::load(snapshot, &row.key_id).await? else { return Ok(None) };
            OpenKey::of(&self.app.keys, key)?.open(&cell, &row.sealed)?
        };
        Ok(Some(Opening::from_bytes(slot, &bytes)?))
    }
}

/// A page of a mandate's history, the latest first; before number `before` when given.
pub(super) async fn lines(
    app: &App,
    snapshot: &mut Snapshot,
    row: &MandateRow,
    before: Option<u64>,
) -> Result<Lines, Error> {
    let reader = Reader::open(app, snapshot, row).await?;
    let last = before.map_or(reader.length, |before| before.saturating_sub(1).min(reader.length));
    let first = last.saturating_sub(PAGE - 1).max(1);
    let mut lines = Vec::new();
    for number in (first..=last).rev() {
        let entry = reader.entry(snapshot, number).await?;
        lines.push(reader.line(snapshot, number, &entry).await?);
    }
    Ok(Lines { lines, length: reader.length, before: (first > 1).then_some(first) })
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
    let reader = Reader::open(app, snapshot, row).await?;
    if !(1..=reader.length).contains(&number) {
        return Err(Error::NotFound);
    }
    let entry = reader.entry(snapshot, number).await?;
    let proof = proof::of(app, snapshot, &entry).await?.ok_or(Error::BeingRecorded)?;
    let line = reader.line(snapshot, number, &entry).await?;
    Ok(Proved { line, origin: app.origin.clone(), proof })
}

/// The whole history as a file that proves itself, with what was done told and the persons not: the file may go from
/// hand to hand.
///
/// # Errors
/// [`Error::BeingRecorded`] while an entry has no place.
pub(super) async fn whole(
    app: &App,
    snapshot: &mut Snapshot,
    row: &MandateRow,
) -> Result<log::History, Error> {
    let reader = Reader::open(app, snapshot, row).await?;
    let mut steps = Vec::new();
    for number in 1..=reader.length.min(MOST_IN_A_FILE) {
        let entry = reader.entry(snapshot, number).await?;
        let proof: LogProof = proof::of(app, snapshot, &entry).await?.ok_or(Error::BeingRecorded)?.log;
        let openings = reader.opening(snapshot, &entry, Slot::Act).await?.into_iter().collect();
        steps.push(log::Step { proof, openings });
    }
    Ok(log::History::new(reader.key.tags()?, steps))
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
    read(app, session, caller, id, move |app, tx, row| {
        Box::pin(async move {
            let lines = lines(&app, tx, &row, before).await?;
            Ok((desk::card(&app, tx, &mut Names::default(), row.mandate).await?, lines))
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
    read(app, session, caller, id, move |app, tx, row| {
        Box::pin(async move { proved(&app, tx, &row, number).await })
    })
    .await
}

/// Reads of a mandate of the aidant's organisation; the reading is journaled, and so is its refusal.
async fn read<T, F>(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    look: F,
) -> Result<T, Error>
where
    T: Send + 'static,
    F: for<'t> Fn(App, &'t mut Tx, MandateRow) -> BoxFuture<'t, Result<T, Error>> + Send + Sync + 'static,
{
    session.aidant()?;
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone(), id.clone(), look));
    let now = app.now();
    app.include("mandate.history", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, caller, id, look) = &*by;
            let office = Office::of(tx, session).await?;
            let row = match office.mandate(tx, id).await {
                Ok(row) => row,
                Err(error) => return office.refuse_access(app, tx, error, (caller, now)).await.map(Err),
            };
            let record = Record::done(EventKind::MandateRead)
                .organisation(&office.organisation.id)
                .aidant(&office.aidant.id)
                .about(id);
            let record = match row.mandate.usager() {
                Some(usager) => record.usager(usager),
                None => record,
            };
            record.append(app, tx, caller, now).await?;
            look(Arc::clone(app), tx, row).await.map(Ok)
        })
    })
    .await?
}
