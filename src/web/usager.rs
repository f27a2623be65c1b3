//! The usager's own space.

use super::pages::Visit;
use super::{CheckedForm, Held, Page, Query, Reply, Web, named, shown};
use crate::mandate::{MandateId, ProcedureId};
use crate::service::space::{self, Ended};
use crate::view::usager::{CardOf, EndMandate, Ended as EndedPage, OwnCard, UsagerHome, UsagerMandate};
use crate::view::{Granted, MandateCard, Status, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::USAGER, get(home))
        .route(paths::USAGER_MANDATE, get(mandate))
        .route(paths::USAGER_END, get(ask_end).post(end))
        .route(paths::USAGER_END_PROCEDURE, get(ask_end_procedure).post(end_procedure))
        .route(paths::USAGER_CARD, get(card).post(renew_card))
        .route(paths::USAGER_ENDED, get(ended))
}

async fn home(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    let space = space::home(&web.app, &session, &visit.caller(&session)).await?;
    let page = UsagerHome {
        mandates: shown::cards(&web, &space.mandates, space.now),
        interventions: shown::interventions(&web, space.uses),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn mandate(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let own =
        space::mandate(&web.app, &session, &visit.caller(&session), &named(&id, MandateId::parse)?).await?;
    let page = UsagerMandate {
        mandate: shown::card(&web, &own.card, own.now),
        interventions: shown::interventions(&web, own.uses),
        looks: own.looks.into_iter().map(shown::look).collect(),
        revocation: own.revocation.map(shown::card_standing),
        receipt: own.receipt.map(shown::receipt),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn card(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let id = named(&id, MandateId::parse)?;
    let code = crate::service::card::own_code(&web.app, &session, &visit.caller(&session), &id).await?;
    let page = OwnCard { mandate: CardOf { id }, card: shown::revocation_card(&web, code.expose()) };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn renew_card(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let id = named(&id, MandateId::parse)?;
    crate::service::card::renew_own(&web.app, &form.session, &visit.caller(&form.session), &id).await?;
    Ok(Reply::go(&paths::of_mandate(paths::USAGER_CARD, &id)))
}

/// Asks before ending. What cannot be ended any more shows how it stands instead.
async fn ask(
    web: &Web,
    visit: Visit,
    session: &crate::service::Session,
    id: &MandateId,
    choose: impl FnOnce(&MandateCard) -> Option<Option<Granted>>,
) -> Page {
    let own = space::mandate(&web.app, session, &visit.caller(session), id).await?;
    let mandate = shown::card(web, &own.card, own.now);
    match choose(&mandate) {
        Some(procedure) => {
            let page = EndMandate { mandate, procedure };
            Ok(Reply::page(page.render(&visit.guarded(web, session).await?)))
        }
        None => Ok(Reply::go(&paths::of_mandate(paths::USAGER_MANDATE, id))),
    }
}

async fn ask_end(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    ask(&web, visit, &session, &named(&id, MandateId::parse)?, |mandate| {
        mandate.status.can_end().then_some(None)
    })
    .await
}

async fn ask_end_procedure(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path((id, of)): Path<(String, String)>,
) -> Page {
    let of = named(&of, ProcedureId::parse)?;
    ask(&web, visit, &session, &named(&id, MandateId::parse)?, |mandate| {
        let standing = |granted: &&Granted| granted.id == of && granted.withdrawn.is_none();
        let granted = mandate.procedures.iter().find(standing).cloned();
        granted.filter(|_| matches!(mandate.status, Status::Active { .. })).map(Some)
    })
    .await
}

async fn end(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    confirmed(&web, &visit, &form, &named(&id, MandateId::parse)?, &Ended::Mandate).await
}

async fn end_procedure(
    State(web): State<Web>,
    visit: Visit,
    Path((id, of)): Path<(String, String)>,
    form: CheckedForm,
) -> Page {
    confirmed(
        &web,
        &visit,
        &form,
        &named(&id, MandateId::parse)?,
        &Ended::Procedure(named(&of, ProcedureId::parse)?),
    )
    .await
}

async fn confirmed(web: &Web, visit: &Visit, form: &CheckedForm, id: &MandateId, ended: &Ended) -> Page {
    let number = space::end(&web.app, &form.session, &visit.caller(&form.session), id, ended).await?;
    Ok(Reply::go(&format!("{}?entry={number}", paths::of_mandate(paths::USAGER_ENDED, id))))
}

async fn ended(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
    Query(query): Query,
) -> Page {
    let number = query.parsed("entry", str::parse::<u64>)?;
    let (id, caller) = (named(&id, MandateId::parse)?, visit.caller(&session));
    let ending = space::ending(&web.app, &session, &caller, &id, number).await?;
    let page = EndedPage {
        mandate: shown::card(&web, &ending.card, ending.now),
        procedure: ending.procedure.map(|of| shown::procedure(&web, Some(&of))),
        at: ending.at,
        stopped: ending.stopped,
        receipt: shown::receipt(ending.receipt),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}
