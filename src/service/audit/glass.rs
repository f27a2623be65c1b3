//! Break-glass: names and identifiers of one mandate or one entry, asked for by one auditor, opened by another for an
//! hour. Each step is a fact with its entry, and stands in the space of the person concerned.

use super::entry::Concerned;
use super::find::{Named, in_sight};
use super::sight::Sight;
use crate::crypto::Cell;
use crate::mandate::{
    AuditorId, EventId, EventKind, Glass, GlassError, GlassId, GlassState, Instant, MandateId,
};
use crate::service::names::Names;
use crate::service::{App, Caller, Error, InputError, Record, Session, facts};
use crate::storage::break_glass::{self, GlassRow};
use crate::storage::data_keys::KeyKind;
use crate::storage::search::{self, Filter};
use crate::storage::{Snapshot, Tx};
use std::sync::Arc;
use time::Duration;

/// Longest reason, in characters.
const LONGEST_REASON: usize = 1_000;
/// Requests of the last day are shown, so many at most.
const SHOWN: u32 = 100;
/// Requests taken up at a time when their hour is over.
const BATCH: u32 = 100;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Everything about one mandate.
    Mandate(Named),
    /// One entry.
    Entry(EventId),
}

/// A request as its page shows it. Names and reasons are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Request {
    /// The request.
    pub glass: Glass,
    /// First and last name of whoever asks.
    pub by: String,
    /// First and last name of whoever answered.
    pub decided_by: Option<String>,
    /// Why.
    pub reason: String,
    /// Pseudonym of the mandate.
    pub mandate: Option<String>,
    /// Whether it is the reader's own.
    pub own: bool,
}

fn reason_cell(id: &GlassId) -> Cell<'_> {
    Cell { table: "break_glass", row: id.as_str(), column: "reason_sealed" }
}

/// The mandate of that name, when an entry about it is in sight.
pub(super) async fn mandate_in_sight(
    app: &App,
    snapshot: &mut Snapshot,
    sight: &Sight,
    named: &Named,
) -> Result<MandateId, Error> {
    let everything = Filter::period(Instant::from_micros(0), Instant::from_micros(i64::MAX));
    let filter = Filter { mandate: Some(named.blind(app, "mandate")), ..everything };
    let (found, _) = in_sight(snapshot, sight, &filter, None).await?;
    for one in found {
        let (_, concerned) = super::entry::said(app, snapshot, &one.event_id).await?;
        if let Some(mandate) = concerned.mandate {
            return Ok(mandate);
        }
    }
    Err(Error::NotFound)
}

/// What is asked for: the mandate it is about, and the entry when it is one only. Out of sight it does not exist.
async fn found(
    app: &App,
    snapshot: &mut Snapshot,
    sight: &Sight,
    target: &Target,
) -> Result<(Option<MandateId>, Option<EventId>), Error> {
    match target {
        Target::Mandate(named) => Ok((Some(mandate_in_sight(app, snapshot, sight, named).await?), None)),
        Target::Entry(id) => {
            let found = search::of(snapshot, id).await?.ok_or(Error::NotFound)?;
            sight.slots(&found).ok_or(Error::NotFound)?;
            let (_, concerned) = super::entry::said(app, snapshot, id).await?;
            Ok((concerned.mandate, Some(id.clone())))
        }
    }
}

/// What a request asks for, as it was found.
fn target(glass: &Glass) -> Option<Target> {
    let mandate = || glass.mandate.as_ref().map(|id| Target::Mandate(Named::Identifier(id.to_string())));
    glass.entry.clone().map(Target::Entry).or_else(mandate)
}

/// Asks for content. The same identifier sent twice asks once.
///
/// # Errors
/// [`Error::Input`] without a reason; [`Error::NotFound`] for what is out of sight; [`Error::Session`] without a
/// purpose or a grant.
pub async fn ask(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &GlassId,
    target: &Target,
    reason: &str,
) -> Result<(), Error> {
    let reason = reason.trim();
    if reason.is_empty() {
        return Err(InputError::Field("reason").into());
    }
    if reason.chars().count() > LONGEST_REASON {
        return Err(InputError::TooLong("reason").into());
    }
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone()));
    let (id, target, reason) = (id.clone(), target.clone(), reason.to_owned());
    app.include("audit.ask", move |tx| {
        let (by, id, target, reason) = (Arc::clone(&by), id.clone(), target.clone(), reason.clone());
        Box::pin(async move {
            let (app, session, caller) = &*by;
            let now = app.now();
            let (auditor, reading) = super::reading(tx, session).await?;
            if let Some(before) = break_glass::load(tx, &id).await? {
                return if before.glass.auditor == auditor { Ok(()) } else { Err(Error::Conflict) };
            }
            let sight = Sight::of(app, tx, &auditor, now).await?;
            let (mandate, entry) = found(app, tx, &sight, &target).await?;
            let state = GlassState::Asked;
            let glass = Glass { id, auditor, reading: reading.id, mandate, entry, asked_at: now, state };
            let subject = (KeyKind::Auditor, glass.auditor.as_str());
            let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, subject, now).await?;
            let sealed = key.seal(&*app.entropy, &reason_cell(&glass.id), reason.as_bytes())?;
            let row = GlassRow { glass, reason_sealed: sealed, version: 1 };
            let record = told(app, tx, EventKind::ContentAsked, &row).await?.auditor(&row.glass.auditor);
            let event = record.append(app, tx, caller, now).await?;
            Ok(break_glass::insert(tx, &row.glass, &row.reason_sealed, &event).await?)
        })
    })
    .await
}

/// What the entry of a step tells.
async fn told(app: &App, snapshot: &mut Snapshot, kind: EventKind, row: &GlassRow) -> Result<Record, Error> {
    let glass = &row.glass;
    let record = Record::done(kind)
        .stands(facts::glass(&app.keys, row))
        .detail("glass", glass.id.as_str())
        .detail("asked_by", glass.auditor.as_str())
        .detail("reading", glass.reading.as_str());
    let record = match &glass.entry {
        Some(entry) => record.detail("entry", entry.as_str()),
        None => record,
    };
    Ok(Concerned::by(snapshot, glass.mandate.clone()).await?.in_record(record))
}

/// Opens what another auditor asked for, or refuses it.
///
/// # Errors
/// [`Error::Glass`], journaled, for the own request, a second answer, or one that comes too late;
/// [`Error::NotFound`] for what is out of sight.
pub async fn answer(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &GlassId,
    approve: bool,
) -> Result<(), Error> {
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone()));
    let id = id.clone();
    app.include("audit.answer", move |tx| {
        let (by, id) = (Arc::clone(&by), id.clone());
        Box::pin(async move {
            let (app, session, caller) = &*by;
            let now = app.now();
            let (auditor, _) = super::reading(tx, session).await?;
            let sight = Sight::of(app, tx, &auditor, now).await?;
            let before = break_glass::load(tx, &id).await?.ok_or(Error::NotFound)?;
            found(app, tx, &sight, &target(&before.glass).ok_or(Error::NotFound)?).await?;
            match answered(before.glass.clone(), auditor.clone(), approve, now) {
                Ok((kind, after)) => {
                    let after = next(&before, after);
                    let record = told(app, tx, kind, &after).await?.auditor(&auditor);
                    let event = record.append(app, tx, caller, now).await?;
                    Ok(Ok(break_glass::decide(tx, &before, &after.glass.state, &event).await?))
                }
                Err(error) => {
                    let record = Record::refused(EventKind::AccessRefused, error.code()).auditor(&auditor);
                    record.detail("glass", id.as_str()).append(app, tx, caller, now).await?;
                    Ok(Err(error.into()))
                }
            }
        })
    })
    .await?
}

/// The row after a step.
fn next(before: &GlassRow, glass: Glass) -> GlassRow {
    GlassRow { glass, version: before.version + 1, ..before.clone() }
}

fn answered(
    glass: Glass,
    by: AuditorId,
    approve: bool,
    now: Instant,
) -> Result<(EventKind, Glass), GlassError> {
    if approve {
        Ok((EventKind::ContentApproved, glass.approve(by, now)?))
    } else {
        Ok((EventKind::ContentRefused, glass.refuse(by, now)?))
    }
}

/// The requests of the last day: the reader's own, and others' for what is in the reader's sight.
///
/// # Errors
/// [`Error::Session`] without a purpose or a grant; [`Error::SignIn`] when suspended.
pub async fn requests(app: &App, session: &Session) -> Result<Vec<Request>, Error> {
    let (app_, session, now) = (Arc::clone(app), session.clone(), app.now());
    app.store
        .read("audit.requests", move |snapshot| {
            Box::pin(async move {
                let (auditor, _) = super::reading(snapshot, &session).await?;
                let sight = Sight::of(&app_, snapshot, &auditor, now).await?;
                let mut names = Names::default();
                let mut requests = Vec::new();
                for row in break_glass::latest(snapshot, now.plus(-Duration::days(1)), SHOWN).await? {
                    let own = row.glass.auditor == auditor;
                    if !own {
                        let Some(target) = target(&row.glass) else { continue };
                        match found(&app_, snapshot, &sight, &target).await {
                            Ok(_) => {}
                            Err(Error::NotFound) => continue,
                            Err(error) => return Err(error),
                        }
                    }
                    requests.push(request(&app_, snapshot, &mut names, row, own).await?);
                }
                Ok(requests)
            })
        })
        .await
}

async fn request(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    row: GlassRow,
    own: bool,
) -> Result<Request, Error> {
    let decided_by = match &row.glass.state {
        GlassState::Open { by, .. } | GlassState::Refused { by, .. } => {
            Some(names.auditor(app, snapshot, by).await?)
        }
        GlassState::Asked | GlassState::Lapsed { .. } => None,
    };
    let index = app.keys.index();
    Ok(Request {
        by: names.auditor(app, snapshot, &row.glass.auditor).await?,
        decided_by,
        reason: reason(app, snapshot, &row).await?,
        mandate: row.glass.mandate.as_ref().map(|id| index.blind("mandate", &[id.as_str()])),
        own,
        glass: row.glass,
    })
}

/// Why it was asked; empty once the auditor's key is gone.
pub(in crate::service) async fn reason(
    app: &App,
    snapshot: &mut Snapshot,
    row: &GlassRow,
) -> Result<String, Error> {
    let kind = KeyKind::Auditor;
    let Some(key) = app.vault.find(&app.keys, snapshot, kind, row.glass.auditor.as_str()).await? else {
        return Ok(String::new());
    };
    let plain = key.open(&reason_cell(&row.glass.id), &row.reason_sealed)?;
    String::from_utf8(plain).map_err(|_| Error::Unreadable)
}

/// Lapses requests nobody answered within the hour; how many were found. Nothing opens meanwhile: the answer asks the
/// time itself.
///
/// # Errors
/// [`Error::Store`].
pub async fn lapse_due(app: &App) -> Result<usize, Error> {
    let now = app.now();
    let due = app
        .store
        .read("audit.glass_due", move |snapshot| {
            Box::pin(async move {
                let by = now.plus(-crate::mandate::GLASS_ANSWER);
                Ok::<_, Error>(break_glass::due(snapshot, by, BATCH).await?)
            })
        })
        .await?;
    let found = due.len();
    for row in due {
        let (app_, id) = (Arc::clone(app), row.glass.id);
        app.commit("audit.glass_lapse", move |tx| {
            let (app, id) = (Arc::clone(&app_), id.clone());
            Box::pin(async move { lapse(&app, tx, &id, now).await })
        })
        .await?;
    }
    Ok(found)
}

async fn lapse(app: &App, tx: &mut Tx, id: &GlassId, now: Instant) -> Result<(), Error> {
    let Some(before) = break_glass::load(tx, id).await? else { return Ok(()) };
    // Somebody answered between the look and the write.
    let Ok(after) = before.glass.clone().lapse(now) else { return Ok(()) };
    let after = next(&before, after);
    let record = told(app, tx, EventKind::ContentLapsed, &after).await?.auditor(&after.glass.auditor);
    let event = record.append(app, tx, &Caller::default(), now).await?;
    Ok(break_glass::decide(tx, &before, &after.glass.state, &event).await?)
}
