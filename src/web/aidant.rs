//! The aidant's pages: today, and what becomes of a mandate.

use super::pages::Visit;
use super::{CheckedForm, Held, Page, Problem, Reply, Web, named, shown};
use crate::mandate::{MandateId, RepresentationId};
use crate::service::desk::{self, Detail};
use crate::service::{Session, accept, card, represent, screen};
use crate::view::aidant::{Accept, AidantHome, MandateDetail, MandateList, Proposal, ProposalOver, Renounce};
use crate::view::{Flash, Status, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::{get, post};

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::AIDANT, get(today))
        .route(paths::MANDATES, get(list))
        .route(paths::MANDATE, get(mandate))
        .route(paths::HAND_OVER, post(hand_over))
        .route(paths::ACCEPT, get(ask_accept).post(accepted))
        .route(paths::RENOUNCE, get(ask_renounce).post(renounced))
        .route(paths::CARD, post(renew_card))
        .route(paths::CLOSE, post(closed))
}

async fn today(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    let today = desk::today(&web.app, &session).await?;
    let page = AidantHome {
        open: shown::interventions(&web, today.open),
        waiting: shown::cards(&web, &today.waiting, today.now),
        soon: shown::cards(&web, &today.soon, today.now),
        standing: today.standing,
        done: shown::interventions(&web, today.done),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn list(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    let (cards, now) = desk::list(&web.app, &session).await?;
    let page = MandateList { mandates: shown::cards(&web, &cards, now) };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn find(web: &Web, visit: &Visit, session: &Session, id: &str) -> Result<Detail, Problem> {
    Ok(desk::detail(&web.app, session, &visit.caller(session), &named(id, MandateId::parse)?).await?)
}

async fn mandate(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let found = find(&web, &visit, &session, &id).await?;
    let mandate = shown::card(&web, &found.card, found.now);
    let term = found.card.mandate.terms.term;
    if found.card.mandate.asked.is_some() && matches!(mandate.status, Status::Proposed { .. }) {
        return Ok(Reply::go(&paths::of_mandate(paths::ASKED, &mandate.id)));
    }
    let frame = visit.guarded(&web, &session).await?;
    Ok(Reply::page(match mandate.status {
        Status::Proposed { .. } => Proposal { mandate, term }.render(&frame),
        Status::Refused { .. } | Status::Lapsed { .. } => ProposalOver { mandate }.render(&frame),
        Status::Consented { .. } | Status::Active { .. } | Status::Ended { .. } => MandateDetail {
            mandate,
            timeline: shown::timeline(found.life),
            interventions: shown::interventions(&web, found.uses),
            revocation: found.revocation.map(shown::card_standing),
            receipt: found.receipt.map(shown::receipt),
            papers: found.papers,
        }
        .render(&frame),
    }))
}

async fn hand_over(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let caller = visit.caller(&form.session);
    let opened = screen::hand_over(&web.app, &form.session, &caller, &named(&id, MandateId::parse)?).await?;
    Ok(Reply::go(paths::CONSENT).cookie(web.session_cookie(&opened)))
}

async fn ask_accept(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
) -> Page {
    let found = find(&web, &visit, &session, &id).await?;
    accept::factor_after_consent(&session, &found.card.mandate)?;
    let mandate = shown::card(&web, &found.card, found.now);
    if !matches!(mandate.status, Status::Consented { .. }) {
        return Ok(Reply::go(&paths::of_mandate(paths::MANDATE, &mandate.id)));
    }
    let page = Accept { mandate, term: found.card.mandate.terms.term };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn accepted(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let id = named(&id, MandateId::parse)?;
    accept::accept(&web.app, &form.session, &visit.caller(&form.session), &id).await?;
    Ok(Reply::go_saying(&web, &paths::of_mandate(paths::MANDATE, &id), Flash::MandateActive))
}

async fn ask_renounce(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
) -> Page {
    let found = find(&web, &visit, &session, &id).await?;
    let mandate = shown::card(&web, &found.card, found.now);
    if !mandate.status.can_end() {
        return Ok(Reply::go(&paths::of_mandate(paths::MANDATE, &mandate.id)));
    }
    Ok(Reply::page(Renounce { mandate }.render(&visit.guarded(&web, &session).await?)))
}

async fn renounced(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let id = named(&id, MandateId::parse)?;
    accept::renounce(&web.app, &form.session, &visit.caller(&form.session), &id).await?;
    Ok(Reply::go_saying(&web, &paths::of_mandate(paths::MANDATE, &id), Flash::MandateRenounced))
}

/// Another card, on a paper printed anew.
async fn renew_card(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let id = named(&id, MandateId::parse)?;
    card::renew_at_office(&web.app, &form.session, &visit.caller(&form.session), &id).await?;
    Ok(Reply::go(&paths::of_mandate(paths::PRINT, &id)))
}

async fn closed(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let id = named(&id, RepresentationId::parse)?;
    represent::close(&web.app, &form.session, &visit.caller(&form.session), &id).await?;
    Ok(Reply::go_saying(&web, paths::AIDANT, Flash::RepresentationClosed))
}
