//! The auditor's desk: a stated purpose, searches, entries with their proof. Whatever an auditor does here is
//! itself an entry, naming the reading it was done under, and shows only once that entry is included.

use super::proof::{self, Proof};
use super::record::opening_cell;
use super::session::{self, Opened};
use super::vault::OpenKey;
use super::{App, Caller, Error, InputError, Record, Session, SignInError, Who};
use crate::crypto::Cell;
use crate::journal::{Opening, Slot};
use crate::mandate::{
    AidantId, AuditorId, EventId, EventKind, Instant, MandateId, OrganisationId, Outcome, ReadingId, Standing,
};
use crate::storage::auditors::{self, ReadingRow};
use crate::storage::data_keys::{self, KeyKind};
use crate::storage::search::{self, Filter};
use crate::storage::{Snapshot, Tx, journal};
use serde_json::Value;
use std::sync::Arc;

/// Longest purpose, in characters.
const LONGEST_PURPOSE: usize = 1_000;
/// Entries on a page of results.
const PAGE: u32 = 50;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// From this instant on.
    pub from: Instant,
    /// Before this instant.
    pub until: Instant,
    /// Only of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Only of this aidant.
    pub aidant: Option<AidantId>,
    /// Only of this mandate.
    pub mandate: Option<MandateId>,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only older than this one, the last of the page before.
    pub after: Option<(Instant, EventId)>,
}

/// An entry, as far as its openings tell.
pub struct Told {
    /// Identifier.
    pub id: EventId,
    /// Place, once it has one.
    pub index: Option<u64>,
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
    /// How it came out.
    pub outcome: Outcome,
    /// The refusal's code.
    pub code: Option<String>,
    /// What its openings say, as name and value; persons stand by identifier only.
    pub openings: Vec<(String, String)>,
}

/// A page of results.
pub struct Found {
    /// The entries, latest first.
    pub entries: Vec<Told>,
    /// Where the next page begins.
    pub next: Option<(Instant, EventId)>,
}

/// One entry with its proof.
pub struct Shown {
    /// What it tells.
    pub told: Told,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The proof, once it has a place.
    pub proof: Option<Proof>,
}

/// The auditor, who may read still.
async fn standing(snapshot: &mut Snapshot, auditor: &AuditorId) -> Result<(), Error> {
    match auditors::load(snapshot, auditor).await? {
        Some(row) if row.standing == Standing::Active => Ok(()),
        _ => Err(SignInError::Suspended.into()),
    }
}

/// The reading a session is under: its auditor may read still, and it is open.
async fn reading(snapshot: &mut Snapshot, session: &Session) -> Result<(AuditorId, ReadingRow), Error> {
    let (auditor, id) = session.auditor()?;
    standing(snapshot, auditor).await?;
    let row = auditors::load_reading(snapshot, id).await?;
    let row = row.filter(|row| row.auditor == *auditor && row.closed_at.is_none());
    row.map(|row| (auditor.clone(), row)).ok_or_else(|| super::SessionError::PurposeNeeded.into())
}

fn purpose_cell(id: &ReadingId) -> Cell<'_> {
    Cell { table: "reading", row: id.as_str(), column: "purpose_sealed" }
}

/// States why the journal is read from now on; a reading begun before is closed. The session is rotated.
///
/// # Errors
/// [`Error::Input`] without a purpose or with an endless one; [`Error::SignIn`] when suspended.
pub async fn state_purpose(
    app: &App,
    session: &Session,
    caller: &Caller,
    purpose: &str,
) -> Result<Opened, Error> {
    let auditor = session.signed_in_auditor()?.clone();
    let purpose = purpose.trim();
    if purpose.is_empty() {
        return Err(InputError::Field("purpose").into());
    }
    if purpose.chars().count() > LONGEST_PURPOSE {
        return Err(InputError::TooLong("purpose").into());
    }
    let Who::Auditor { authenticated_at, reading: former, .. } = session.who.clone() else {
        return Err(super::SessionError::WrongRole.into());
    };
    let (now, id) = (app.now(), ReadingId::from_bytes(app.new_id()?));
    let who = Who::Auditor { auditor: auditor.clone(), authenticated_at, reading: Some(id.clone()) };
    let opened = session::next(app, session, who)?;
    let stated = Arc::new(Stating {
        app: Arc::clone(app),
        before: session.clone(),
        after: opened.session.clone(),
        caller: caller.clone(),
        auditor,
        former,
        id,
        purpose: purpose.to_owned(),
        now,
    });
    app.include("audit.purpose", move |tx| {
        let stated = Arc::clone(&stated);
        Box::pin(async move { stated.write(tx).await })
    })
    .await?;
    Ok(opened)
}

/// A purpose about to be stated.
struct Stating {
    app: App,
    before: Session,
    after: Session,
    caller: Caller,
    auditor: AuditorId,
    former: Option<ReadingId>,
    id: ReadingId,
    purpose: String,
    now: Instant,
}

impl Stating {
    async fn write(&self, tx: &mut Tx) -> Result<(), Error> {
        let (app, now) = (&self.app, self.now);
        standing(tx, &self.auditor).await?;
        let record = Record::done(EventKind::PurposeStated).auditor(&self.auditor);
        let event = record.detail("reading", self.id.as_str()).append(app, tx, &self.caller, now).await?;
        if let Some(former) = &self.former
            && let Some(row) = auditors::load_reading(tx, former).await?
            && row.closed_at.is_none()
        {
            auditors::close_reading(tx, &row, now, &event).await?;
        }
        let subject = (KeyKind::Auditor, self.auditor.as_str());
        let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, subject, now).await?;
        let row = ReadingRow {
            id: self.id.clone(),
            auditor: self.auditor.clone(),
            purpose_sealed: key.seal(&*app.entropy, &purpose_cell(&self.id), self.purpose.as_bytes())?,
            opened_at: now,
            closed_at: None,
            version: 1,
        };
        auditors::open_reading(tx, &row, &event).await?;
        session::rotate(tx, &self.before.id, &self.after).await
    }
}

/// The purpose in force.
///
/// # Errors
/// [`Error::Session`] without one; [`Error::SignIn`] when suspended.
pub async fn purpose(app: &App, session: &Session) -> Result<String, Error> {
    let (app_, session) = (Arc::clone(app), session.clone());
    app.store
        .read("audit.purpose", |snapshot| {
            Box::pin(async move {
                let (auditor, row) = reading(snapshot, &session).await?;
                let kind = KeyKind::Auditor;
                let key = app_.vault.find(&app_.keys, snapshot, kind, auditor.as_str()).await?;
                let plain =
                    key.ok_or(Error::Unreadable)?.open(&purpose_cell(&row.id), &row.purpose_sealed)?;
                String::from_utf8(plain).map_err(|_| Error::Unreadable)
            })
        })
        .await
}

/// Searches, under the purpose stated.
///
/// # Errors
/// [`Error::Session`] without a purpose; [`Error::SignIn`] when suspended.
pub async fn search(app: &App, session: &Session, caller: &Caller, wanted: Wanted) -> Result<Found, Error> {
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone(), wanted));
    app.include("audit.search", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, caller, wanted) = &*by;
            let (auditor, row) = reading(tx, session).await?;
            note_search(app, tx, caller, wanted, (&auditor, &row.id)).await?;
            let after = wanted.after.as_ref().map(|(at, event)| (*at, event));
            let found = search::find(tx, &filter(app, wanted), after, PAGE + 1).await?;
            let more = found.len() > PAGE as usize;
            let mut entries = Vec::with_capacity(found.len());
            for found in found.into_iter().take(PAGE as usize) {
                let opened = openings(app, tx, &found.event_id).await?;
                entries.push(told(found, opened));
            }
            let last = entries.last().map(|told| (told.at, told.id.clone()));
            Ok(Found { entries, next: last.filter(|_| more) })
        })
    })
    .await
}

async fn note_search(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    wanted: &Wanted,
    (auditor, reading): (&AuditorId, &ReadingId),
) -> Result<(), Error> {
    let mut record = Record::done(EventKind::JournalSearched)
        .auditor(auditor)
        .detail("reading", reading.as_str())
        .detail("from", wanted.from.millis())
        .detail("until", wanted.until.millis());
    let named = [
        ("organisation", wanted.organisation.as_ref().map(OrganisationId::as_str)),
        ("aidant", wanted.aidant.as_ref().map(AidantId::as_str)),
        ("mandate", wanted.mandate.as_ref().map(MandateId::as_str)),
        ("kind", wanted.kind.map(EventKind::as_str)),
        ("outcome", wanted.outcome.map(Outcome::as_str)),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            record = record.detail(name, value);
        }
    }
    record.append(app, tx, caller, app.now()).await?;
    Ok(())
}

/// Identifiers become the blind indexes entries are found by.
fn filter(app: &App, wanted: &Wanted) -> Filter {
    let index = app.keys.index();
    let blind = |field: &str, id: Option<&str>| id.map(|id| index.blind(field, &[id]));
    Filter {
        kind: wanted.kind,
        outcome: wanted.outcome,
        organisation: blind("organisation", wanted.organisation.as_ref().map(OrganisationId::as_str)),
        aidant: blind("aidant", wanted.aidant.as_ref().map(AidantId::as_str)),
        mandate: blind("mandate", wanted.mandate.as_ref().map(MandateId::as_str)),
        ..Filter::period(wanted.from, wanted.until)
    }
}

fn told(found: search::Found, openings: Vec<(String, String)>) -> Told {
    Told {
        id: found.event_id,
        index: found.index,
        at: found.at,
        kind: found.search.kind,
        outcome: found.search.outcome,
        code: found.search.code,
        openings,
    }
}

/// What the openings of an entry say, those that were not erased. They name persons by identifier only.
async fn openings(
    app: &App,
    snapshot: &mut Snapshot,
    event: &EventId,
) -> Result<Vec<(String, String)>, Error> {
    let mut said = Vec::new();
    for row in journal::openings(snapshot, event).await? {
        let key = data_keys::load(snapshot, &row.key_id).await?;
        let (Some(slot), Some(key)) = (Slot::parse(&row.slot), key) else { continue };
        let bytes = OpenKey::of(&app.keys, key)?.open(&opening_cell(event, slot), &row.sealed)?;
        let value: Option<Value> = Opening::from_bytes(slot, &bytes)?.read();
        flatten("", value.unwrap_or_default(), &mut said);
    }
    Ok(said)
}

/// Names and values of a JSON object; those of an object within it follow with its name in front.
fn flatten(within: &str, value: Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let name = if within.is_empty() { name } else { format!("{within}.{name}") };
                flatten(&name, value, into);
            }
        }
        Value::String(text) => into.push((within.to_owned(), text)),
        other => into.push((within.to_owned(), other.to_string())),
    }
}

/// Opens one entry, under the purpose stated.
///
/// # Errors
/// [`Error::Session`] without a purpose; [`Error::SignIn`] when suspended; [`Error::NotFound`].
pub async fn entry(app: &App, session: &Session, caller: &Caller, event: &EventId) -> Result<Shown, Error> {
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone(), event.clone()));
    app.include("audit.entry", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, caller, event) = &*by;
            let (auditor, reading) = reading(tx, session).await?;
            let row = journal::entry(tx, event).await?.ok_or(Error::NotFound)?;
            let found = search::of(tx, event).await?.ok_or(Error::NotFound)?;
            let told = told(found, openings(app, tx, event).await?);
            let proof = proof::of(tx, &row).await?;
            let record = Record::done(EventKind::EntryRead).auditor(&auditor);
            let record = record.detail("reading", reading.id.as_str()).detail("entry", event.as_str());
            record.append(app, tx, caller, app.now()).await?;
            Ok(Shown { told, bytes: row.entry, proof })
        })
    })
    .await
}
