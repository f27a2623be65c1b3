//! The card that ends a mandate, keyed in by its holder or at any desk. Its code comes in a form and goes nowhere: not into
//! an address, not back into a page.

use super::middleware::limited;
use super::pages::Visit;
use super::{Action, Begun, CheckedForm, Edge, Held, Page, Problem, Reply, Web, named, shown};
use crate::mandate::{EndingMotive, MandateNumber, ProcedureId};
use crate::service::card::{self, Wish};
use crate::service::{CardError, Error, Session};
use crate::view::card::{Place, Revoke, RevokeWhat, Revoked};
use crate::view::{self, Granted, paths};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use std::sync::Arc;

/// The routes of this file.
pub(super) fn routes(edge: &Arc<Edge>) -> Router<Web> {
    let routes = Router::new()
        .route(paths::REVOKE, get(ask).post(opened))
        .route(paths::REVOKE_CONFIRM, get(again).post(ended))
        .route(paths::DESK_REVOKE, get(ask_at_desk).post(opened_at_desk))
        .route(paths::DESK_REVOKE_CONFIRM, get(again_at_desk).post(ended_at_desk));
    limited(edge, Action::Card, routes)
}

const fn place(of: Place) -> card::Place {
    match of {
        Place::Anywhere => card::Place::Anywhere,
        Place::Desk => card::Place::Desk,
    }
}

async fn form(
    web: &Web,
    visit: Visit,
    session: &Session,
    place: Place,
    (number, problems): (String, Vec<view::Problem>),
) -> Page {
    let wrong = !problems.is_empty();
    let page = Revoke { problems, place, number };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn ask(State(web): State<Web>, visit: Visit, begun: Begun) -> Page {
    let blank = (String::new(), Vec::new());
    let reply = form(&web, visit, &begun.session, Place::Anywhere, blank).await?;
    Ok(reply.cookie(begun.cookie))
}

async fn ask_at_desk(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    session.aidant()?;
    form(&web, visit, &session, Place::Desk, (String::new(), Vec::new())).await
}

async fn opened(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    open(&web, visit, &form, Place::Anywhere).await
}

async fn opened_at_desk(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    count(&web, &form.session)?;
    open(&web, visit, &form, Place::Desk).await
}

/// At a desk the aidant is counted, too.
fn count(web: &Web, session: &Session) -> Result<(), Problem> {
    web.count(Action::Card, session.aidant()?.aidant.as_str())
}

async fn open(web: &Web, visit: Visit, sent: &CheckedForm, at: Place) -> Page {
    let (session, fields) = (&sent.session, &sent.fields);
    let (number, code) = (fields.text("number")?.trim(), fields.text("code")?.trim());
    let typed = || number.chars().take(32).collect::<String>();
    let mut problems = Vec::new();
    if number.is_empty() {
        problems.push(view::Problem::NumberMissing);
    }
    if code.is_empty() {
        problems.push(view::Problem::CodeMissing);
    }
    if !problems.is_empty() {
        return form(web, visit, session, at, (typed(), problems)).await;
    }
    let caller = visit.caller(session);
    let held = match card::open(&web.app, session, &caller, place(at), (number, code)).await {
        Ok(held) => held,
        Err(Error::Card(error)) => return refused(web, visit, session, at, (typed(), error)).await,
        Err(error) => return Err(error.into()),
    };
    let number = MandateNumber::of(&held.mandate.id);
    let frame = visit.guarded(web, session).await?;
    let html = match (held.pass, held.over) {
        (Some(pass), None) => {
            let standing = Granted::of_mandate(&held.mandate, &web.app.catalogue).into_iter();
            let page = RevokeWhat {
                place: at,
                number,
                organisation: held.organisation,
                procedures: standing.filter(|granted| granted.withdrawn.is_none()).collect(),
                until: held.mandate.ends_at(),
                pass: pass.expose().to_owned(),
            };
            page.render(&frame)
        }
        (_, over) => {
            let at_instant = over.unwrap_or_else(|| web.app.now());
            Revoked { place: at, number, procedure: None, at: at_instant, receipt: None }.render(&frame)
        }
    };
    Ok(Reply::page(html))
}

/// The first page again: whatever was wrong, with one text and one status.
async fn refused(
    web: &Web,
    visit: Visit,
    session: &Session,
    at: Place,
    (number, error): (String, CardError),
) -> Page {
    let problem = match error {
        CardError::Refused => view::Problem::CardRefused,
        CardError::Over => view::Problem::CardStepOver,
    };
    Ok(form(web, visit, session, at, (number, vec![problem])).await?.code(error.code()))
}

async fn ended(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let what = form.fields.required("what")?;
    let procedure = match what {
        "whole" => None,
        one => Some(named(one, ProcedureId::parse)?),
    };
    let motive = form.fields.text("motive")?;
    let motive = (!motive.is_empty()).then(|| EndingMotive::parse(motive).ok_or(Problem::NOT_FOUND));
    let wish = Wish { procedure, motive: motive.transpose()? };
    end(&web, visit, &form, Place::Anywhere, &wish).await
}

/// At a desk the whole mandate ends, or nothing: to choose among procedures one would have to be shown them.
async fn ended_at_desk(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    count(&web, &form.session)?;
    end(&web, visit, &form, Place::Desk, &Wish { procedure: None, motive: None }).await
}

async fn end(web: &Web, visit: Visit, sent: &CheckedForm, at: Place, wish: &Wish) -> Page {
    let (session, pass) = (&sent.session, sent.fields.required("pass")?);
    let done = match card::end(&web.app, session, &visit.caller(session), place(at), (pass, wish)).await {
        Ok(done) => done,
        Err(Error::Card(error)) => return refused(web, visit, session, at, (String::new(), error)).await,
        Err(error) => return Err(error.into()),
    };
    let page = Revoked {
        place: at,
        number: done.number,
        procedure: done.procedure.map(|of| shown::procedure(web, Some(&of))),
        at: done.at,
        receipt: done.receipt.map(shown::receipt),
    };
    Ok(Reply::page(page.render(&visit.guarded(web, session).await?)))
}

/// Where the browser comes back to when it was told that an ending is being recorded: with the card it reads how it stands.
async fn again() -> Reply {
    Reply::go(paths::REVOKE)
}

async fn again_at_desk() -> Reply {
    Reply::go(paths::DESK_REVOKE)
}
