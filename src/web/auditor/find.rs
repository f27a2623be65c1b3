//! Searches, and those kept under a name.

use super::{cursor, line, period, place};
use crate::mandate::{ClientId, EventKind, OrganisationId, Outcome, ProcedureId, SearchId};
use crate::service::audit::saved::{self, Saved};
use crate::service::audit::{self, Named, Offered, Wanted};
use crate::view::auditor::{Choice, Filters, Kept, Search};
use crate::view::{Problem as Wrong, paths};
use crate::web::pages::Visit;
use crate::web::{CheckedForm, Fields, Held, Page, Problem, Query, Reply, Web, named};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::SEARCH, get(search))
        .route(paths::EXPORT, get(export))
        .route(paths::SAVED, post(keep))
        .route(paths::SAVED_FORGET, post(forget))
}

/// Something to choose that has one name in every language.
pub(super) fn choice(value: &str, name: String) -> Choice {
    Choice { value: value.to_owned(), name: crate::mandate::Bilingual { fr: name.clone(), en: name } }
}

/// Keeps the filters of a search; they are read again, so that only filters are kept.
async fn keep(State(web): State<Web>, form: CheckedForm) -> Page {
    let query = typed(&Fields::parse(form.fields.required("query")?.as_bytes())?)?.query();
    saved::keep(&web.app, &form.session, form.fields.text("name")?, &query).await?;
    Ok(Reply::go(paths::SEARCH))
}

async fn forget(State(web): State<Web>, Path(id): Path<String>, form: CheckedForm) -> Page {
    saved::forget(&web.app, &form.session, &named(&id, SearchId::parse)?).await?;
    Ok(Reply::go(paths::SEARCH))
}

async fn search(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    let offered = audit::offered(&web.app, &session).await?;
    let mut page = empty(&web, offered, typed(&query)?);
    if !query.pairs().is_empty() {
        match wanted(&page.filters, query.text("after")?) {
            Err(wrong) => page.problems.push(wrong),
            Ok(wanted) => {
                let found = audit::search(&web.app, &session, &visit.caller(&session), wanted).await?;
                page.next = found.next.as_ref().map(place);
                page.results = Some(found.entries.into_iter().map(|one| line(&web, one)).collect());
            }
        }
    }
    let wrong = !page.problems.is_empty();
    Ok(Reply::form(page.render(&visit.guarded(&web, &session).await?), wrong))
}

/// What a search gives, as a file: entries with their proofs, opened as far as the grants go.
async fn export(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    let wanted = wanted(&typed(&query)?, "").map_err(|_| Problem::NOT_FOUND)?;
    let made = audit::export(&web.app, &session, &visit.caller(&session), wanted).await?;
    let archive = crate::web::archive(made).map_err(|_| Problem::NOT_FOUND)?;
    Ok(Reply::file("application/x-tar", archive))
}

/// The page before anything was looked for.
fn empty(web: &Web, offered: Offered, filters: Filters) -> Search {
    let procedures = web.app.catalogue.procedures().iter();
    Search {
        problems: Vec::new(),
        purpose: offered.purpose,
        organisations: offered
            .organisations
            .into_iter()
            .map(|(id, name)| choice(id.as_str(), name))
            .collect(),
        services: offered.services.into_iter().map(|(id, name)| choice(id.as_str(), name)).collect(),
        procedures: procedures
            .map(|one| Choice { value: one.id.to_string(), name: one.name.clone() })
            .collect(),
        kept: offered.saved.into_iter().map(|Saved { id, name, query }| Kept { id, name, query }).collect(),
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

fn read<T>(field: &'static str, text: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Wrong> {
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some).ok_or(Wrong::FilterInvalid { field })
}
