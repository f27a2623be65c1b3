//! The auditor's pages: a purpose, a search, an entry with its proof.

use super::pages::Visit;
use super::{CheckedForm, Fields, Held, Page, Problem, Query, Reply, Web, named};
use crate::crypto::to_hex;
use crate::mandate::{AidantId, EventId, EventKind, Instant, InvalidId, MandateId, OrganisationId, Outcome};
use crate::service::audit_desk::{self, Shown, Told, Wanted};
use crate::service::proof::Proof;
use crate::service::{Error, InputError, Session};
use crate::view::auditor::{self, EntryLine, Filters, Purpose, Search};
use crate::view::{Problem as Wrong, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime};

const DAY: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]");
/// The identifiers shown in a list of results.
const SUBJECTS: [&str; 4] = ["organisation", "aidant", "auditor", "mandate"];

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
    match audit_desk::state_purpose(&web.app, session, &visit.caller(session), purpose).await {
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
    let purpose = audit_desk::purpose(&web.app, &session).await?;
    let mut page =
        Search { problems: Vec::new(), purpose, filters: typed(&query)?, results: None, next: None };
    if !query.pairs().is_empty() {
        match wanted(&page.filters, query.text("after")?) {
            Err(wrong) => page.problems.push(wrong),
            Ok(wanted) => {
                let found = audit_desk::search(&web.app, &session, &visit.caller(&session), wanted).await?;
                page.next = found.next.map(|(at, event)| format!("{}-{event}", at.micros()));
                page.results = Some(found.entries.into_iter().map(line).collect());
            }
        }
    }
    let wrong = !page.problems.is_empty();
    Ok(Reply::form(page.render(&visit.guarded(&web, &session).await?), wrong))
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
        kind: EventKind::parse(query.text("kind")?),
        outcome: Outcome::parse(query.text("outcome")?),
    })
}

/// What the filters ask for. Days are days of universal time, as everywhere in the journal.
fn wanted(filters: &Filters, after: &str) -> Result<Wanted, Wrong> {
    let from = day(&filters.from)?.unwrap_or(Instant::from_micros(0));
    let until = day(&filters.to)?.map_or(LAST, |day| day.plus(Duration::days(1)));
    if until <= from {
        return Err(Wrong::PeriodInvalid);
    }
    Ok(Wanted {
        from,
        until,
        organisation: id("organisation", &filters.organisation, OrganisationId::parse)?,
        aidant: id("aidant", &filters.aidant, AidantId::parse)?,
        mandate: id("mandate", &filters.mandate, MandateId::parse)?,
        kind: filters.kind,
        outcome: filters.outcome,
        after: cursor(after),
    })
}

/// The beginning of a day.
fn day(text: &str) -> Result<Option<Instant>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    let date = Date::parse(text, DAY).map_err(|_| Wrong::PeriodInvalid)?;
    Ok(Some(Instant::from(OffsetDateTime::new_utc(date, time::Time::MIDNIGHT))))
}

fn id<T>(
    field: &'static str,
    text: &str,
    parse: impl Fn(&str) -> Result<T, InvalidId>,
) -> Result<Option<T>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some).map_err(|_| Wrong::FilterInvalid { field })
}

/// Where a page of results begins; one that cannot be read begins at the start.
fn cursor(text: &str) -> Option<(Instant, EventId)> {
    let (at, event) = text.split_once('-')?;
    Some((Instant::from_micros(at.parse().ok()?), EventId::parse(event).ok()?))
}

fn line(told: Told) -> EntryLine {
    let subjects = told.openings.into_iter().filter(|(name, _)| SUBJECTS.contains(&name.as_str()));
    EntryLine {
        subjects: subjects.collect(),
        id: told.id,
        index: told.index,
        at: told.at,
        kind: told.kind,
        outcome: told.outcome,
        code: told.code,
    }
}

async fn opened(web: &Web, visit: &Visit, session: &Session, event: &str) -> Result<Shown, Problem> {
    let event = named(event, EventId::parse)?;
    Ok(audit_desk::entry(&web.app, session, &visit.caller(session), &event).await?)
}

async fn entry(State(web): State<Web>, visit: Visit, Held(session): Held, Path(event): Path<String>) -> Page {
    let shown = opened(&web, &visit, &session, &event).await?;
    let openings = shown.told.openings.clone();
    let page = auditor::Entry {
        entry: line(shown.told),
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
