//! Content that one auditor asks for and another opens.

use crate::crypto::to_hex;
use crate::mandate::{EventId, Glass, GlassId, GlassState, Instant};
use crate::service::audit::Named;
use crate::service::audit::glass::{self, Request, Target};
use crate::service::{Error, InputError, Session};
use crate::view::auditor::{AskContent, Asked, Content, ContentRequest};
use crate::view::{Problem as Wrong, paths};
use crate::web::pages::Visit;
use crate::web::{CheckedForm, Held, Page, Problem, Query, Reply, Web, named};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::CONTENT, get(list).post(ask))
        .route(paths::CONTENT_ASK, get(ask_page))
        .route(paths::CONTENT_APPROVE, post(approve))
        .route(paths::CONTENT_REFUSE, post(refuse))
}

async fn list(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    let requests = glass::requests(&web.app, &session).await?;
    let now = web.app.now();
    let page = Content { requests: requests.into_iter().map(|one| shown(one, now)).collect() };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

fn shown(request: Request, now: Instant) -> ContentRequest {
    let Request { glass, by, decided_by, reason, mandate, own } = request;
    ContentRequest {
        state: state(&glass, decided_by.unwrap_or_default(), now),
        id: glass.id,
        by,
        at: glass.asked_at,
        reason,
        mandate,
        entry: glass.entry,
        own,
    }
}

fn state(glass: &Glass, by: String, now: Instant) -> Asked {
    match (&glass.state, glass.open_until()) {
        (GlassState::Open { .. }, Some(until)) if now < until => Asked::Open { by, until },
        (GlassState::Open { at, .. }, until) => Asked::Over { by, at: until.unwrap_or(*at) },
        (GlassState::Refused { at, .. }, _) => Asked::Refused { by, at: *at },
        (GlassState::Lapsed { at }, _) => Asked::Lapsed { at: *at },
        (GlassState::Asked, _) if now >= glass.answer_by() => Asked::Lapsed { at: glass.answer_by() },
        (GlassState::Asked, _) => Asked::Waiting { until: glass.answer_by() },
    }
}

/// What is asked for, and how the form names it.
fn target(mandate: &str, entry: &str) -> Result<Target, Problem> {
    if entry.is_empty() {
        Named::parse(mandate).map(Target::Mandate).ok_or(Problem::NOT_FOUND)
    } else {
        named(entry, EventId::parse).map(Target::Entry)
    }
}

async fn ask_page(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    // Whoever may not read may not ask.
    glass::requests(&web.app, &session).await?;
    let (mandate, entry) = (query.text("mandate")?, query.text("entry")?);
    target(mandate, entry)?;
    let page = AskContent {
        problems: Vec::new(),
        mandate: mandate.to_owned(),
        entry: entry.to_owned(),
        reason: String::new(),
        idempotency: to_hex(&web.app.new_id()?),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn ask(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let (session, fields) = (&form.session, &form.fields);
    let (mandate, entry, reason) = (fields.text("mandate")?, fields.text("entry")?, fields.text("reason")?);
    let id = fields.parsed("idempotency", GlassId::parse)?;
    let caller = visit.caller(session);
    match glass::ask(&web.app, session, &caller, &id, &target(mandate, entry)?, reason).await {
        Ok(()) => Ok(Reply::go(paths::CONTENT)),
        Err(Error::Input(InputError::Field(_))) => {
            let page = AskContent {
                problems: vec![Wrong::ReasonMissing],
                mandate: mandate.to_owned(),
                entry: entry.to_owned(),
                reason: reason.to_owned(),
                idempotency: id.to_string(),
            };
            Ok(Reply::form(page.render(&visit.guarded(&web, session).await?), true))
        }
        Err(error) => Err(error.into()),
    }
}

async fn answer(web: &Web, visit: &Visit, session: &Session, id: &str, approve: bool) -> Page {
    let id = named(id, GlassId::parse)?;
    glass::answer(&web.app, session, &visit.caller(session), &id, approve).await?;
    Ok(Reply::go(paths::CONTENT))
}

async fn approve(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    answer(&web, &visit, &form.session, &id, true).await
}

async fn refuse(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    answer(&web, &visit, &form.session, &id, false).await
}
