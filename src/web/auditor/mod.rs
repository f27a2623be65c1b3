//! The auditor's pages: a purpose, a search, an entry with its proof.

mod content;
mod find;
mod follow;
mod sample;

use super::pages::Visit;
use super::{CheckedForm, Held, Page, Problem, Reply, Web, named};
use crate::crypto::to_hex;
use crate::mandate::{EventId, Instant};
use crate::service::audit::{self, Line, Shown};
use crate::service::proof::Proof;
use crate::service::{Error, InputError, Session};
use crate::view::auditor::{self, EntryLine, Purpose};
use crate::view::{Problem as Wrong, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

const DAY: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]");
/// The end of the year 9999: beyond any entry, and a number the entry of the search can tell.
const LAST: Instant = Instant::from_micros(253_402_300_800_000_000);

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::PURPOSE, get(ask_purpose).post(state_purpose))
        .route(paths::ENTRY, get(entry))
        .route(&format!("{}/proof", paths::ENTRY), get(proof))
        .merge(find::routes())
        .merge(follow::routes())
        .merge(content::routes())
        .merge(sample::routes())
}

async fn ask_purpose(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    session.signed_in_auditor()?;
    purpose_again(&web, visit, &session, Vec::new()).await
}

async fn purpose_again(web: &Web, visit: Visit, session: &Session, problems: Vec<Wrong>) -> Page {
    let wrong = !problems.is_empty();
    // A form sent twice finds its session rotated: it can state a purpose once.
    let idempotency = to_hex(&web.app.new_id()?);
    let page = Purpose { problems, purpose: String::new(), idempotency };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn state_purpose(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let session = &form.session;
    let purpose = form.fields.text("purpose")?;
    match audit::state_purpose(&web.app, session, &visit.caller(session), purpose).await {
        Ok(opened) => {
            let cookie = web.session_cookie(&opened);
            Ok(web.onward(visit.headers(), paths::SEARCH).cookie(cookie))
        }
        Err(Error::Input(InputError::Field(_))) => {
            purpose_again(&web, visit, session, vec![Wrong::PurposeMissing]).await
        }
        Err(error) => Err(error.into()),
    }
}

/// From the beginning of the first day to the end of the last.
fn period(from: &str, to: &str) -> Result<(Instant, Instant), Wrong> {
    let from = day(from)?.unwrap_or(Instant::from_micros(0));
    let until = day(to)?.map_or(LAST, |day| day.plus(Duration::days(1)));
    if until <= from { Err(Wrong::PeriodInvalid) } else { Ok((from, until)) }
}

/// The beginning of a day.
fn day(text: &str) -> Result<Option<Instant>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = Date::parse(text, DAY).map_err(|_| Wrong::PeriodInvalid)?;
    Ok(Some(Instant::from(OffsetDateTime::new_utc(date, time::Time::MIDNIGHT))))
}

/// Where a page of results begins; one that cannot be read begins at the start.
fn cursor(text: &str) -> Option<(Instant, EventId)> {
    let (at, event) = text.split_once('-')?;
    Some((Instant::from_micros(at.parse().ok()?), EventId::parse(event).ok()?))
}

/// A place in results as an address carries it.
fn place((at, event): &(Instant, EventId)) -> String {
    format!("{}-{event}", at.micros())
}

/// An entry in words.
fn line(web: &Web, line: Line) -> EntryLine {
    let subjects = [
        ("organisation", line.organisation),
        ("service", line.service),
        ("aidant", line.aidant),
        ("usager", line.usager),
        ("mandate", line.mandate),
    ];
    let procedure = line.procedure.and_then(|id| web.app.catalogue.procedure(&id));
    EntryLine {
        subjects: subjects.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
        id: line.id,
        index: line.index,
        at: line.at,
        kind: line.kind,
        outcome: line.outcome,
        code: line.code,
        procedure: procedure.map(|one| one.name.clone()),
    }
}

async fn opened(web: &Web, visit: &Visit, session: &Session, event: &str) -> Result<Shown, Problem> {
    let event = named(event, EventId::parse)?;
    Ok(audit::entry(&web.app, session, &visit.caller(session), &event).await?)
}

async fn entry(State(web): State<Web>, visit: Visit, Held(session): Held, Path(event): Path<String>) -> Page {
    let shown = opened(&web, &visit, &session, &event).await?;
    let openings = shown.told.openings.clone();
    let page = auditor::Entry {
        entry: line(&web, shown.told.line),
        canonical: String::from_utf8_lossy(&shown.bytes).into_owned(),
        openings,
        ask: (!shown.opened).then(|| format!("{}?entry={event}", paths::CONTENT_ASK)),
        persons: shown.persons,
        proof: shown.proof.map(in_words),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

fn in_words(proof: Proof) -> auditor::Proof {
    auditor::Proof {
        index: proof.log.index,
        tree_size: proof.size,
        root: proof.root.to_string(),
        leaf_hash: proof.leaf.to_string(),
        hashes: proof.log.path.iter().map(ToString::to_string).collect(),
        checkpoint: proof.log.checkpoint,
    }
}

/// The proof as a file (C2SP tlog-proof), to be verified without us.
async fn proof(State(web): State<Web>, visit: Visit, Held(session): Held, Path(event): Path<String>) -> Page {
    let shown = opened(&web, &visit, &session, &event).await?;
    let proof = shown.proof.ok_or(Problem::NOT_FOUND)?;
    Ok(Reply::file("text/plain; charset=utf-8", proof.log.to_string()))
}
