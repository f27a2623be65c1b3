//! The auditor's pages: a purpose, a search, an entry with its proof.

use super::pages::Visit;
use super::{CheckedForm, Fields, Held, Page, Problem, Query, Reply, Web, named};
use crate::crypto::to_hex;
use crate::mandate::{
    Bilingual, ClientId, EventId, EventKind, Instant, OrganisationId, Outcome, ProcedureId,
};
use crate::service::audit::{self, Line, Named, Offered, Shown, Wanted};
use crate::service::proof::Proof;
use crate::service::{Error, InputError, Session};
use crate::view::auditor::{self, Choice, EntryLine, Filters, Purpose, Search};
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
        .route(paths::SEARCH, get(search))
        .route(paths::ENTRY, get(entry))
        .route(&format!("{}/proof", paths::ENTRY), get(proof))
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

async fn search(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    let offered = audit::offered(&web.app, &session).await?;
    let mut page = empty(&web, offered, typed(&query)?);
    if !query.pairs().is_empty() {
        match wanted(&page.filters, query.text("after")?) {
            Err(wrong) => page.problems.push(wrong),
            Ok(wanted) => {
                let found = audit::search(&web.app, &session, &visit.caller(&session), wanted).await?;
                page.next = found.next.map(|(at, event)| format!("{}-{event}", at.micros()));
                page.results = Some(found.entries.into_iter().map(|one| line(&web, one)).collect());
            }
        }
    }
    let wrong = !page.problems.is_empty();
    Ok(Reply::form(page.render(&visit.guarded(&web, &session).await?), wrong))
}

/// The page before anything was looked for.
fn empty(web: &Web, offered: Offered, filters: Filters) -> Search {
    let choice =
        |value: String, name: String| Choice { value, name: Bilingual { fr: name.clone(), en: name } };
    let procedures = web.app.catalogue.procedures().iter();
    Search {
        problems: Vec::new(),
        purpose: offered.purpose,
        organisations: offered.organisations.into_iter().map(|(id, name)| choice(id.into(), name)).collect(),
        services: offered.services.into_iter().map(|(id, name)| choice(id.into(), name)).collect(),
        procedures: procedures
            .map(|one| Choice { value: one.id.to_string(), name: one.name.clone() })
            .collect(),
        filters,
        results: None,
        next: None,
    }
}

/// The filters as typed.
fn typed(query: &Fields) -> Result<Filters, Problem> {
    let text = |name: &str| Ok::<_, Problem>(query.text(name)?.trim().chars().take(64).collect::<String>());
    Ok(Filters {
        from: text("from")?,
        to: text("to")?,
        organisation: text("organisation")?,
        aidant: text("aidant")?,
        mandate: text("mandate")?,
        usager: text("usager")?,
        client: text("client")?,
        procedure: text("procedure")?,
        kind: EventKind::parse(query.text("kind")?),
        outcome: Outcome::parse(query.text("outcome")?),
        code: text("code")?,
    })
}

/// What the filters ask for. Days are days of universal time, as everywhere in the journal.
fn wanted(filters: &Filters, after: &str) -> Result<Wanted, Wrong> {
    let (from, until) = period(&filters.from, &filters.to)?;
    let code = |text: &str| Some(text.to_owned()).filter(|text| is_code(text));
    Ok(Wanted {
        from,
        until,
        organisation: read("organisation", &filters.organisation, |text| OrganisationId::parse(text).ok())?,
        aidant: read("aidant", &filters.aidant, Named::parse)?,
        mandate: read("mandate", &filters.mandate, Named::parse)?,
        usager: read("usager", &filters.usager, Named::parse)?,
        client: read("client", &filters.client, |text| ClientId::parse(text).ok())?,
        procedure: read("procedure", &filters.procedure, |text| ProcedureId::parse(text).ok())?,
        kind: filters.kind,
        outcome: filters.outcome,
        code: read("code", &filters.code, code)?,
        after: cursor(after),
    })
}

fn is_code(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
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

fn read<T>(field: &'static str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some).ok_or(Wrong::FilterInvalid { field })
}

/// Where a page of results begins; one that cannot be read begins at the start.
fn cursor(text: &str) -> Option<(Instant, EventId)> {
    let (at, event) = text.split_once('-')?;
    Some((Instant::from_micros(at.parse().ok()?), EventId::parse(event).ok()?))
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
