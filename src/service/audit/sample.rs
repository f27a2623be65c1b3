//! Random samples that the auditor cannot choose: drawn by a seed from a signed checkpoint, answered entry by entry.

use super::entry::said;
use super::find::{Known, Line};
use super::sight::Sight;
use crate::crypto::Cell;
use crate::journal::{Drawing, Hash, SampleSeed};
use crate::mandate::{Answers, EventId, EventKind, Instant, OrganisationId, Outcome, ReadingId, SampleId};
use crate::service::{App, Caller, Error, InputError, Record, Session, facts};
use crate::storage::data_keys::KeyKind;
use crate::storage::samples::{self, AnswerRow, SampleRow};
use crate::storage::search::{self, Filter};
use crate::storage::{Snapshot, Tx, journal, population, seen};
use std::collections::BTreeSet;
use std::sync::Arc;
use time::Duration;

/// A sample holds so many entries at most.
pub const LARGEST_SAMPLE: u16 = 200;
/// The longest period sampled.
const LONGEST_PERIOD: Duration = Duration::days(366);
/// Longest note about an entry, in characters.
const LONGEST_NOTE: usize = 1_000;
/// Samples shown in a list.
const SHOWN: u32 = 50;

/// From what a sample is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Population {
    /// From this instant on.
    pub from: Instant,
    /// Before this instant.
    pub until: Instant,
    /// Only of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// How many entries.
    pub count: u16,
}

impl Population {
    /// The parameters as the seed hashes them and the report states them.
    #[must_use]
    pub fn parameters(&self) -> String {
        let mut text =
            format!("count={};from={};until={}", self.count, self.from.millis(), self.until.millis());
        let named = [
            ("organisation", self.organisation.as_ref().map(OrganisationId::as_str)),
            ("kind", self.kind.map(EventKind::as_str)),
            ("outcome", self.outcome.map(Outcome::as_str)),
        ];
        for (name, value) in named {
            if let Some(value) = value {
                text.push(';');
                text.push_str(name);
                text.push('=');
                text.push_str(value);
            }
        }
        text
    }

    fn filter(&self, app: &App) -> Filter {
        let organisation = self.organisation.as_ref();
        Filter {
            kind: self.kind,
            outcome: self.outcome,
            organisation: organisation.map(|id| app.keys.index().blind("organisation", &[id.as_str()])),
            ..Filter::period(self.from, self.until)
        }
    }
}

/// One entry of a sample with its answers. Notes may name persons: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sampled {
    /// What is known of it; nothing once it was forgotten, or is out of sight.
    pub line: Option<Line>,
    /// The entry.
    pub event: EventId,
    /// The answers, once given.
    pub answers: Option<Answers>,
    /// The note.
    pub note: String,
}

/// A sample with what was answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Sample {
    /// The sample.
    pub row: SampleRow,
    /// The checkpoint the seed comes from.
    pub checkpoint: String,
    /// Whether the seed follows from checkpoint, purpose and parameters.
    pub follows: bool,
    /// The purpose.
    pub purpose: String,
    /// Its entries, by rank.
    pub entries: Vec<Sampled>,
}

fn note_cell(sample: &SampleId) -> Cell<'_> {
    Cell { table: "audit_answer", row: sample.as_str(), column: "note_sealed" }
}

/// Draws a sample under the newest checkpoint. The same identifier sent twice draws once.
///
/// # Errors
/// [`Error::Input`] for no entries, too many, or a period beyond a year; [`Error::NotFound`] while the journal is empty;
/// [`Error::Session`] without a purpose or a grant.
pub async fn draw(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &SampleId,
    population: &Population,
) -> Result<(), Error> {
    if population.count == 0 || population.count > LARGEST_SAMPLE {
        return Err(InputError::Field("count").into());
    }
    if population.until <= population.from || population.until.since(population.from) > LONGEST_PERIOD {
        return Err(InputError::Field("from").into());
    }
    let (app_, session_, id, population) = (Arc::clone(app), session.clone(), id.clone(), population.clone());
    let drawn = app
        .store
        .read("audit.draw", move |snapshot| {
            Box::pin(async move { drawn(&app_, snapshot, &session_, id, &population).await })
        })
        .await?;
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone(), drawn));
    app.include("audit.sample", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, caller, (row, mandates)) = &*by;
            keep(app, tx, session, caller, row, mandates).await
        })
    })
    .await
}

/// Keeps a sample that was drawn, with its entry.
async fn keep(
    app: &App,
    tx: &mut Tx,
    session: &Session,
    caller: &Caller,
    row: &SampleRow,
    mandates: &BTreeSet<String>,
) -> Result<(), Error> {
    let (auditor, reading) = super::reading(tx, session).await?;
    if reading.id != row.reading {
        return Err(Error::Conflict);
    }
    if samples::load(tx, &auditor, &row.id).await?.is_some() {
        return Ok(());
    }
    let record = Record::done(EventKind::SampleDrawn)
        .auditor(&auditor)
        .detail("reading", reading.id.as_str())
        .detail("sample", row.id.as_str())
        .detail("parameters", row.parameters.as_str())
        .detail("checkpoint", row.checkpoint_size)
        .detail("seed", row.seed.to_string())
        .detail("population", row.population)
        .stands(facts::sample(&app.keys, row));
    let event = record.append(app, tx, caller, row.drawn_at).await?;
    samples::insert(tx, row, &event).await?;
    Ok(seen::note(tx, mandates, row.drawn_at, &event).await?)
}

async fn drawn(
    app: &App,
    snapshot: &mut Snapshot,
    session: &Session,
    id: SampleId,
    population: &Population,
) -> Result<(SampleRow, BTreeSet<String>), Error> {
    let now = app.now();
    let (auditor, reading) = super::reading(snapshot, session).await?;
    let sight = Sight::of(app, snapshot, &auditor, now).await?;
    let head = journal::head(snapshot).await?.ok_or(Error::NotFound)?;
    let parameters = population.parameters();
    let seed = SampleSeed::new(&head.note, &reading.id, &parameters);
    let mut drawing = Drawing::new(seed, population.count.into());
    let (filters, mut offered) = (sight.narrow(&population.filter(app)), BTreeSet::new());
    for filter in &filters {
        let mut after = None;
        loop {
            let (page, next) = population::population(snapshot, filter, head.size, after.as_ref()).await?;
            for event in &page {
                // What two grants show is offered once.
                if filters.len() == 1 || offered.insert(event.clone()) {
                    drawing.offer(event);
                }
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
    }
    let (count, entries) = (drawing.offered(), drawing.drawn());
    let mut mandates = BTreeSet::new();
    for entry in &entries {
        let found = search::of(snapshot, entry).await?;
        mandates.extend(found.and_then(|found| found.search.mandate));
    }
    let row = SampleRow {
        id,
        auditor,
        reading: reading.id,
        parameters,
        checkpoint_size: head.size,
        seed: *seed.as_hash(),
        population: count,
        drawn: entries,
        drawn_at: now,
        version: 1,
    };
    Ok((row, mandates))
}

/// The samples of a session's auditor, the latest first.
///
/// # Errors
/// [`Error::Session`] without a purpose or a grant; [`Error::SignIn`] when suspended.
pub async fn samples(app: &App, session: &Session) -> Result<Vec<SampleRow>, Error> {
    let (app_, session) = (Arc::clone(app), session.clone());
    app.store
        .read("audit.samples", |snapshot| {
            Box::pin(async move {
                super::sight(&app_, snapshot, &session).await?;
                let (auditor, _) = super::reading(snapshot, &session).await?;
                Ok(samples::of_auditor(snapshot, &auditor, SHOWN).await?)
            })
        })
        .await
}

/// One of the auditor's own samples, with what is still in sight of it.
///
/// # Errors
/// [`Error::NotFound`] for anybody else's; [`Error::Session`] without a purpose or a grant.
pub async fn sample(app: &App, session: &Session, caller: &Caller, id: &SampleId) -> Result<Sample, Error> {
    let (app_, session_, id_) = (Arc::clone(app), session.clone(), id.clone());
    let sample = app
        .store
        .read("audit.sample", |snapshot| {
            Box::pin(async move { read(&app_, snapshot, &session_, &id_).await })
        })
        .await?;
    let seen = sample.entries.iter().filter_map(|one| one.line.as_ref()?.mandate.clone()).collect();
    let record = Record::done(EventKind::SampleRead).detail("sample", id.as_str());
    super::note(app, session, caller, record, seen).await?;
    Ok(sample)
}

async fn read(app: &App, snapshot: &mut Snapshot, session: &Session, id: &SampleId) -> Result<Sample, Error> {
    let (auditor, _) = super::reading(snapshot, session).await?;
    let sight = Sight::of(app, snapshot, &auditor, app.now()).await?;
    let row = samples::load(snapshot, &auditor, id).await?.ok_or(Error::NotFound)?;
    let answers = samples::answers(snapshot, id).await?;
    let key = app.vault.find(&app.keys, snapshot, KeyKind::Auditor, auditor.as_str()).await?;
    let known = Known::read(app, snapshot).await?;
    let mut entries = Vec::with_capacity(row.drawn.len());
    for event in &row.drawn {
        let found = search::of(snapshot, event).await?.filter(|found| sight.slots(found).is_some());
        let answer = answers.iter().find(|answer| answer.event == *event);
        let note = match (answer.and_then(|answer| answer.note_sealed.as_deref()), &key) {
            (Some(sealed), Some(key)) => {
                String::from_utf8(key.open(&note_cell(id), sealed)?).map_err(|_| Error::Unreadable)?
            }
            _ => String::new(),
        };
        entries.push(Sampled {
            line: found.map(|found| known.line(found)),
            event: event.clone(),
            answers: answer.map(|answer| answer.answers),
            note,
        });
    }
    let head = journal::checkpoint_covering(snapshot, row.checkpoint_size).await?.ok_or(Error::NotFound)?;
    let follows = follows(&head.note, &row.reading, &row.parameters, &row.seed);
    let purpose = super::purpose_of(app, snapshot, &row.reading).await?.unwrap_or_default();
    Ok(Sample { checkpoint: head.note, follows, purpose, entries, row })
}

fn follows(note: &str, reading: &ReadingId, parameters: &str, seed: &Hash) -> bool {
    SampleSeed::new(note, reading, parameters) == SampleSeed::from_hash(*seed)
}

/// Keeps the answers about one entry of a sample; given again, the later ones count.
///
/// # Errors
/// [`Error::NotFound`] for an entry that is not in the sample, or a sample that is not theirs; [`Error::Input`] for an
/// endless note.
pub async fn answer(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &SampleId,
    event: &EventId,
    (answers, note): (Answers, &str),
) -> Result<(), Error> {
    let note = note.trim();
    if note.chars().count() > LONGEST_NOTE {
        return Err(InputError::TooLong("note").into());
    }
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone()));
    let (id, event, note) = (id.clone(), event.clone(), note.to_owned());
    app.include("audit.answer_sample", move |tx| {
        let (by, id, event, note) = (Arc::clone(&by), id.clone(), event.clone(), note.clone());
        Box::pin(async move {
            let (app, session, caller) = &*by;
            let now = app.now();
            let (auditor, reading) = super::reading(tx, session).await?;
            let sample = samples::load(tx, &auditor, &id).await?.ok_or(Error::NotFound)?;
            if !sample.drawn.contains(&event) {
                return Err(Error::NotFound);
            }
            let (_, concerned) = said(app, tx, &event).await?;
            let record = Record::done(EventKind::SampleAnswered)
                .auditor(&auditor)
                .detail("reading", reading.id.as_str())
                .detail("sample", id.as_str())
                .detail("entry", event.as_str())
                .detail("answers", answers.to_text());
            let subject = (KeyKind::Auditor, auditor.as_str());
            let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, subject, now).await?;
            let sealed = match note.as_str() {
                "" => None,
                text => Some(key.seal(&*app.entropy, &note_cell(&id), text.as_bytes())?),
            };
            let given = samples::answers(tx, &id).await?;
            let before = given.iter().find(|answer| answer.event == event);
            let version = before.map_or(1, |before| before.version + 1);
            let row = AnswerRow { event, answers, note_sealed: sealed, answered_at: now, version };
            let record = concerned.in_record(record).stands(facts::answer(&app.keys, &id, &row));
            let entry = record.append(app, tx, caller, now).await?;
            Ok(samples::answer(tx, &id, before, &row, &entry).await?)
        })
    })
    .await
}
