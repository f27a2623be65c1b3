//! The authorization request and the aidant's choice.

use super::middleware::limited;
use super::pages::Visit;
use super::{
    Action, Begun, CheckedForm, Edge, FormTargets, Held, Page, Query, RawForm, Reply, Trail, Web, shown,
};
use crate::mandate::{BirthDate, MandateId, ProcedureId, UsagerId};
use crate::provider::{PageError, Params};
use crate::service::authorize::{self, Waiting};
use crate::service::offer::{self, Offer};
use crate::service::represent::{self, Chosen};
use crate::service::{Error, Session};
use crate::view::authorize::{AuthorizeRefused, Candidate, Choice, ChooseMandate, ChooseUsager, Confirm};
use crate::view::{self, Granted, paths};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::sync::Arc;
use url::form_urlencoded;

/// The longest birth name that is looked up, in characters.
const LONGEST_NAME: usize = 200;

/// Where services send people: other sites may post to it.
pub(super) fn doors(edge: &Arc<Edge>) -> Router<Web> {
    let routes = Router::new().route(paths::AUTHORIZE, get(begin).post(begin_by_form));
    limited(edge, Action::Authorize, routes)
}

/// The pages of the choice.
pub(super) fn pages(edge: &Arc<Edge>) -> Router<Web> {
    let acts = Router::new()
        .route(paths::AUTHORIZE_SEARCH, post(search))
        .route(paths::AUTHORIZE_CONFIRM, get(confirmation).post(confirm));
    Router::new()
        .route(paths::AUTHORIZE_REQUEST, get(usagers))
        .route(paths::AUTHORIZE_USAGER, get(usagers).post(pick_usager))
        .route(paths::AUTHORIZE_MANDATE, get(mandates).post(pick_mandate))
        .route(paths::AUTHORIZE_CANCEL, post(cancel))
        .merge(limited(edge, Action::Authorize, acts))
}

async fn begin(State(web): State<Web>, visit: Visit, begun: Begun, RawQuery(query): RawQuery) -> Page {
    let params = Params::parse(query.unwrap_or_default().as_bytes()).map_err(PageError::from)?;
    let session = &begun.session;
    let reply = match authorize::begin(&web.app, session, &visit.caller(session), &params).await? {
        authorize::Begun::Choice(offer) => choose_usager(&web, visit, session, *offer).await?,
        authorize::Begun::Waits(handle) => Reply::go(&paths::of_request(paths::AUTHORIZE_REQUEST, &handle)),
        authorize::Begun::Answered(address) => Reply::leave(&address),
    };
    Ok(reply.cookie(begun.cookie))
}

/// A form from another site comes without our cookie; asked for again by GET, the browser sends it along.
async fn begin_by_form(RawForm(form): RawForm) -> Page {
    Params::parse(&form).map_err(PageError::from)?;
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(form_urlencoded::parse(&form)).finish();
    Ok(Reply::go(&format!("{}?{query}", paths::AUTHORIZE)))
}

async fn usagers(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(handle): Path<String>,
) -> Page {
    let found = offer::offer(&web.app, &session, &visit.caller(&session), &handle).await?;
    choose_usager(&web, visit, &session, found).await
}

async fn pick_usager(
    State(web): State<Web>,
    visit: Visit,
    Path(handle): Path<String>,
    CheckedForm { session, fields }: CheckedForm,
) -> Page {
    if !fields.ticked("usager") {
        let found = offer::offer(&web.app, &session, &visit.caller(&session), &handle).await?;
        let page = usager_page(found, vec![view::Problem::UsagerMissing]);
        return wrong(&web, visit, &session, &page).await;
    }
    let usager = fields.parsed("usager", UsagerId::parse)?;
    let path = paths::of_request(paths::AUTHORIZE_MANDATE, &handle);
    Ok(Reply::go(&format!("{path}?usager={usager}")))
}

async fn search(
    State(web): State<Web>,
    visit: Visit,
    Path(handle): Path<String>,
    CheckedForm { session, fields }: CheckedForm,
) -> Page {
    web.count(Action::Authorize, session.signed_in_aidant()?.aidant.as_str())?;
    let name = fields.text("family_name")?.trim();
    let part = |field| fields.text(field).map(str::trim);
    let (day, month, year) = (part("birth_day")?, part("birth_month")?, part("birth_year")?);
    let date = BirthDate::parse(&format!("{year:0>4}-{month:0>2}-{day:0>2}"));
    let mut problems = Vec::new();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        problems.push(view::Problem::FamilyNameMissing);
    }
    if date.is_err() {
        problems.push(view::Problem::BirthDateInvalid);
    }
    let caller = visit.caller(&session);
    let typed = |page| ChooseUsager {
        family_name: name.to_owned(),
        birth_day: day.to_owned(),
        birth_month: month.to_owned(),
        birth_year: year.to_owned(),
        ..page
    };
    match date {
        Ok(date) if problems.is_empty() => {
            let found = offer::find(&web.app, &session, &caller, &handle, name, &date).await?;
            let targets = back_to(&found.waiting);
            let page = typed(usager_page(found, Vec::new()).0);
            Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)).forms_to(targets))
        }
        _ => {
            let found = offer::offer(&web.app, &session, &caller, &handle).await?;
            let (page, targets) = usager_page(found, problems);
            wrong(&web, visit, &session, &(typed(page), targets)).await
        }
    }
}

async fn mandates(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(handle): Path<String>,
    Query(query): Query,
) -> Page {
    if !query.ticked("usager") {
        return Ok(Reply::go(&paths::of_request(paths::AUTHORIZE_USAGER, &handle)));
    }
    let usager = query.parsed("usager", UsagerId::parse)?;
    choose_mandate(&web, visit, &session, &handle, &usager, Vec::new()).await
}

async fn pick_mandate(
    State(web): State<Web>,
    visit: Visit,
    Path(handle): Path<String>,
    CheckedForm { session, fields }: CheckedForm,
) -> Page {
    if !fields.ticked("choice") {
        let usager = fields.parsed("usager", UsagerId::parse)?;
        let problems = vec![view::Problem::ChoiceMissing];
        return choose_mandate(&web, visit, &session, &handle, &usager, problems).await;
    }
    let (mandate, procedure) = fields.parsed("choice", choice)?;
    Ok(Reply::go(&confirmation_path(&handle, &mandate, &procedure)))
}

fn confirmation_path(handle: &str, mandate: &MandateId, procedure: &ProcedureId) -> String {
    format!("{}?choice={mandate}:{procedure}", paths::of_request(paths::AUTHORIZE_CONFIRM, handle))
}

/// `<mandate>:<procedure>`.
fn choice(text: &str) -> Result<(MandateId, ProcedureId), ()> {
    let (mandate, procedure) = text.split_once(':').ok_or(())?;
    Ok((MandateId::parse(mandate).map_err(drop)?, ProcedureId::parse(procedure).map_err(drop)?))
}

async fn confirmation(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(handle): Path<String>,
    Query(query): Query,
) -> Page {
    let (mandate, procedure) = query.parsed("choice", choice)?;
    let caller = visit.caller(&session);
    let shown = represent::preview(&web.app, &session, &caller, &handle, &mandate, &procedure).await?;
    let targets = back_to(&shown.waiting);
    let page = Confirm {
        // The request is answered once; a second answer finds what the first one opened.
        idempotency: handle.clone(),
        request: handle,
        outlives: shown.waiting.client.leave_uri().is_some(),
        told_who_acts: shown.waiting.client.is_told_who_acts(),
        service: shown.waiting.client.name().to_owned(),
        aidant: shown.aidant,
        organisation: shown.organisation,
        usager_id: shown.usager,
        usager: shown::person(shown.identity),
        choice: Choice {
            mandate,
            granted: Granted::new(&web.app.catalogue, &procedure, shown.acts),
            until: shown.until,
        },
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)).forms_to(targets))
}

async fn confirm(
    State(web): State<Web>,
    visit: Visit,
    Extension(trail): Extension<Trail>,
    Path(handle): Path<String>,
    CheckedForm { session, fields }: CheckedForm,
) -> Page {
    web.count(Action::Authorize, session.signed_in_aidant()?.aidant.as_str())?;
    let (mandate, procedure) = fields.parsed("choice", choice)?;
    let caller = visit.caller(&session);
    match represent::choose(&web.app, &session, &caller, &handle, &mandate, &procedure).await {
        Ok(Chosen::Opened(address)) => Ok(Reply::leave(&address)),
        // The page of this choice says so, and offers it again as soon as it is written.
        Err(Error::BeingRecorded | Error::Promised(_)) => {
            Ok(Reply::go(&confirmation_path(&handle, &mandate, &procedure)))
        }
        Err(error) => Err(error.into()),
        Ok(Chosen::Refused(waiting, refusal)) => {
            let page = AuthorizeRefused {
                request: handle,
                service: waiting.client.name().to_owned(),
                refusal,
                request_id: trail.id.to_string(),
            };
            let reply = Reply::page(page.render(&visit.guarded(&web, &session).await?));
            Ok(reply.status(StatusCode::FORBIDDEN).code(refusal.code()).forms_to(back_to(&waiting)))
        }
    }
}

async fn cancel(
    State(web): State<Web>,
    visit: Visit,
    Path(handle): Path<String>,
    CheckedForm { session, .. }: CheckedForm,
) -> Page {
    Ok(Reply::leave(&authorize::cancel(&web.app, &session, &visit.caller(&session), &handle).await?))
}

/// Every form of the choice may end at the service.
fn back_to(waiting: &Waiting) -> FormTargets {
    FormTargets::to(waiting.request.to.redirect_uri.as_str())
}

fn usager_page(offer: Offer, problems: Vec<view::Problem>) -> (ChooseUsager, FormTargets) {
    let targets = back_to(&offer.waiting);
    let candidates = offer.candidates.into_iter().map(|one| Candidate {
        id: one.usager,
        person: shown::person(one.identity),
        mandates: one.mandates,
    });
    let page = ChooseUsager {
        problems,
        request: offer.waiting.handle,
        service: offer.waiting.client.name().to_owned(),
        searched: offer.searched,
        candidates: candidates.collect(),
        family_name: String::new(),
        birth_day: String::new(),
        birth_month: String::new(),
        birth_year: String::new(),
        open: Vec::new(),
    };
    (page, targets)
}

async fn choose_usager(web: &Web, visit: Visit, session: &Session, offer: Offer) -> Page {
    let (page, targets) = usager_page(offer, Vec::new());
    Ok(Reply::page(page.render(&visit.guarded(web, session).await?)).forms_to(targets))
}

/// The same page again, with what is wrong in it.
async fn wrong(
    web: &Web,
    visit: Visit,
    session: &Session,
    (page, targets): &(ChooseUsager, FormTargets),
) -> Page {
    let html = page.render(&visit.guarded(web, session).await?);
    Ok(Reply::form(html, true).forms_to(targets.clone()))
}

async fn choose_mandate(
    web: &Web,
    visit: Visit,
    session: &Session,
    handle: &str,
    usager: &UsagerId,
    problems: Vec<view::Problem>,
) -> Page {
    let caller = visit.caller(session);
    let found = offer::choices(&web.app, session, &caller, handle, usager).await?;
    let targets = back_to(&found.waiting);
    let wrong = !problems.is_empty();
    let (mut choices, mut refused) = (Vec::new(), Vec::new());
    for one in found.choices {
        let granted = Granted::new(&web.app.catalogue, &one.procedure, one.acts);
        match one.decided {
            Ok(until) => choices.push(Choice { mandate: one.mandate, granted, until }),
            Err(refusal) => refused.push((granted, refusal)),
        }
    }
    let page = ChooseMandate {
        problems,
        request: found.waiting.handle,
        service: found.waiting.client.name().to_owned(),
        usager_id: found.usager,
        usager: shown::person(found.identity),
        choices,
        refused,
    };
    let html = page.render(&visit.guarded(web, session).await?);
    Ok(Reply::form(html, wrong).forms_to(targets))
}
