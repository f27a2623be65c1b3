//! The second factor's pages.

use super::middleware::limited;
use super::pages::Visit;
use super::{Action, CheckedForm, Edge, Held, Problem, Reply, Web, is_local};
use crate::service::{Error, FactorError, Session, factor};
use crate::view::aidant::{Enrol, Factor, FactorReason, RecoveryCodes};
use crate::view::{self, Qr, paths};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use std::sync::Arc;

/// The routes of this file.
pub(super) fn routes(edge: &Arc<Edge>) -> Router<Web> {
    let routes = Router::new()
        .route(paths::FACTOR, get(ask).post(prove))
        .route(paths::ENROL, get(enrolment).post(enrol));
    limited(edge, Action::Factor, routes)
}

/// What is wrong at the code's field; other errors are pages of their own.
pub(super) async fn at_the_field(
    web: &Web,
    session: &Session,
    error: Error,
) -> Result<Vec<view::Problem>, Problem> {
    match error {
        Error::Factor(FactorError::Wrong) => {
            let left = factor::tries_left(&web.app, session).await?;
            Ok(vec![view::Problem::CodeWrong { left }])
        }
        Error::Factor(FactorError::Locked) => {
            let until = factor::locked_until(&web.app, session).await?;
            Ok(vec![view::Problem::FactorLocked { until }])
        }
        other => Err(other.into()),
    }
}

fn next_of(web: &Web, visit: &Visit) -> String {
    web.edge.cookies.next(visit.headers()).unwrap_or_default()
}

async fn ask(State(web): State<Web>, visit: Visit, Held(session): Held) -> Result<Reply, Problem> {
    let signed_in = session.signed_in_aidant()?;
    if !factor::is_enrolled(&web.app, signed_in.aidant).await? {
        return Ok(Reply::go(paths::ENROL));
    }
    let next = next_of(&web, &visit);
    ask_again(&web, visit, &session, Vec::new(), next).await
}

async fn ask_again(
    web: &Web,
    visit: Visit,
    session: &Session,
    problems: Vec<view::Problem>,
    next: String,
) -> Result<Reply, Problem> {
    let proved_before = session.signed_in_aidant()?.factor_at.is_some();
    let reason = if proved_before { FactorReason::Act } else { FactorReason::SignIn };
    let wrong = !problems.is_empty();
    let page = Factor { problems, reason, next };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn prove(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Result<Reply, Problem> {
    let session = &form.session;
    let next = form.fields.optional("next")?.filter(|path| is_local(path)).unwrap_or_default().to_owned();
    web.count(Action::Factor, session.signed_in_aidant()?.aidant.as_str())?;
    let code = form.fields.optional("code")?.unwrap_or_default().trim();
    if code.is_empty() {
        return ask_again(&web, visit, session, vec![view::Problem::CodeMissing], next).await;
    }
    match factor::prove(&web.app, session, &visit.caller(session), code).await {
        Ok(opened) => {
            let home = if next.is_empty() { paths::AIDANT } else { &next };
            Ok(web.onward(visit.headers(), home).cookie(web.session_cookie(&opened)))
        }
        Err(error) => {
            let problems = at_the_field(&web, session, error).await?;
            ask_again(&web, visit, session, problems, next).await
        }
    }
}

async fn enrolment(State(web): State<Web>, visit: Visit, Held(session): Held) -> Result<Reply, Problem> {
    enrolment_again(&web, visit, &session, Vec::new()).await
}

async fn enrolment_again(
    web: &Web,
    visit: Visit,
    session: &Session,
    problems: Vec<view::Problem>,
) -> Result<Reply, Problem> {
    let enrolment = factor::enrolment(&web.app, session).await?;
    let wrong = !problems.is_empty();
    let page = Enrol { problems, qr: Qr::of(enrolment.uri.expose()), key: enrolment.key.expose().to_owned() };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn enrol(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Result<Reply, Problem> {
    let session = &form.session;
    web.count(Action::Factor, session.signed_in_aidant()?.aidant.as_str())?;
    let code = form.fields.optional("code")?.unwrap_or_default().trim();
    if code.is_empty() {
        return enrolment_again(&web, visit, session, vec![view::Problem::CodeMissing]).await;
    }
    match factor::enrol(&web.app, session, &visit.caller(session), code).await {
        Ok(enrolled) => {
            let next = web.edge.cookies.next(visit.headers()).unwrap_or_else(|| paths::AIDANT.to_owned());
            let codes = enrolled.codes.iter().map(|code| code.expose().to_owned()).collect();
            let page = RecoveryCodes { codes, next };
            let frame = visit.guarded(&web, &enrolled.opened.session).await?;
            Ok(Reply::page(page.render(&frame)).cookie(web.session_cookie(&enrolled.opened)))
        }
        Err(error) => {
            let problems = at_the_field(&web, session, error).await?;
            enrolment_again(&web, visit, session, problems).await
        }
    }
}
