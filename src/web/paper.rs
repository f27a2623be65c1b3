//! The mandate on paper: the page to print, the PDF, and the public page for whoever is shown one.
//!
//! The code of a paper may stand in an address, since that is all a QR code can carry to a browser without scripts: it
//! ends nothing and names nobody, our log line holds the route's pattern only, and looking up takes a form.

use super::middleware::limited;
use super::pages::Visit;
use super::{Action, Begun, CheckedForm, Edge, Fields, Held, Page, Problem, Query, Reply, Web, named, shown};
use crate::mandate::{MandateId, MandateNumber, Whereabouts};
use crate::service::Session;
use crate::service::paper::{self, Paper};
use crate::view::aidant::PrintedMandate;
use crate::view::presented::{Verified, Verify};
use crate::view::{self, Granted, Qr, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use std::sync::Arc;

/// The longest number or code that is looked at, in characters.
const LONGEST: usize = 32;

/// The routes of this file.
pub(super) fn routes(edge: &Arc<Edge>) -> Router<Web> {
    let asked = Router::new()
        .route(paths::PRESENTED, get(ask).post(look_up))
        .route(paths::PRESENTED_FILLED, get(ask_filled));
    Router::new()
        .route(paths::PRINT, get(print))
        .route(paths::PAPER, get(pdf))
        .route(paths::USAGER_PAPER, get(own_pdf))
        .merge(limited(edge, Action::Card, asked))
}

async fn print(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let id = named(&id, MandateId::parse)?;
    let paper = paper::of_office(&web.app, &session, &visit.caller(&session), &id).await?;
    Ok(Reply::page(printed(&web, paper).render(&visit.guarded(&web, &session).await?)))
}

async fn pdf(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
    Query(query): Query,
) -> Page {
    let id = named(&id, MandateId::parse)?;
    let paper = paper::of_office(&web.app, &session, &visit.caller(&session), &id).await?;
    document(&web, visit, &session, cut(paper, &query)?).await
}

async fn own_pdf(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
    Query(query): Query,
) -> Page {
    let id = named(&id, MandateId::parse)?;
    let paper = paper::own(&web.app, &session, &visit.caller(&session), &id).await?;
    document(&web, visit, &session, cut(paper, &query)?).await
}

/// A file that is sent on must not carry the card: on request it is left out.
fn cut(mut paper: Paper, query: &Fields) -> Result<Paper, Problem> {
    if query.text("card")? == "no" {
        paper.revocation = None;
    }
    Ok(paper)
}

async fn document(web: &Web, visit: Visit, session: &Session, paper: Paper) -> Page {
    let proof = paper::proved_by(&web.app, &paper).await?.to_json();
    let made_at = paper.now;
    let frame = visit.frame(web, Some(session)).await?;
    let document = printed(web, paper).document(&frame, made_at, proof);
    // It computes for a while, and others wait for this thread.
    let made = tokio::task::spawn_blocking(move || document.to_pdf()).await;
    match made {
        Ok(Ok(bytes)) => Ok(Reply::file("application/pdf", bytes)),
        Ok(Err(error)) => {
            tracing::error!(target: "porteplume::fault", code = "paper_not_made", %error);
            Err(Problem { code: "paper_not_made", ..Problem::INTERNAL })
        }
        Err(_) => Err(Problem { code: "panic", ..Problem::INTERNAL }),
    }
}

fn printed(web: &Web, paper: Paper) -> PrintedMandate {
    let hash = paper.consent.text_hash.clone();
    let organisation = paper.card.organisation.clone();
    let (number, code) = (MandateNumber::of(&paper.card.mandate.id), paper.code.expose());
    let filled = paths::of_paper(&number.to_string(), code);
    PrintedMandate {
        text: shown::wording(web, &paper.card.mandate, &organisation, &paper.text, hash),
        mandate: shown::card(web, &paper.card, paper.now),
        usager: shown::person(paper.usager),
        consented_at: paper.consent.at,
        channel: paper.consent.channel,
        accepted_at: paper.acceptance.at,
        accepted_by: paper.accepted_by,
        ends_at: paper.acceptance.ends_at,
        place: paper.whereabouts.as_ref().map_or(organisation, |at| at.town.clone()),
        contact: contact(paper.whereabouts, &paper.siret),
        space_address: shown::address(web, paths::USAGER),
        card: paper.revocation.map(|code| shown::revocation_card(web, code.expose())),
        qr: Qr::of(&web.app.issuer.address(&filled)),
        verification_code: code.to_owned(),
        verification_address: shown::address(web, paths::PRESENTED),
        receipt: shown::receipt(paper.receipt),
        proof: Qr::of_much(&paper.proof.to_string()),
    }
}

/// How to reach an organisation, one a line.
fn contact(at: Option<Whereabouts>, siret: &str) -> Vec<String> {
    let (address, telephone) = at.map(|at| (at.address, at.telephone)).unzip();
    let siret = Some(format!("SIRET {siret}"));
    [address, telephone.flatten(), siret].into_iter().flatten().collect()
}

async fn form(
    web: &Web,
    visit: Visit,
    session: &Session,
    (number, code, problems): (String, String, Vec<view::Problem>),
) -> Page {
    let wrong = !problems.is_empty();
    let page = Verify { problems, number, code };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

fn short(text: &str) -> String {
    text.trim().chars().take(LONGEST).collect()
}

async fn ask(State(web): State<Web>, visit: Visit, begun: Begun) -> Page {
    let blank = (String::new(), String::new(), Vec::new());
    Ok(form(&web, visit, &begun.session, blank).await?.cookie(begun.cookie))
}

/// Nothing is looked up yet: what opens addresses by itself, to preview them, is no verification.
async fn ask_filled(
    State(web): State<Web>,
    visit: Visit,
    begun: Begun,
    Path((number, code)): Path<(String, String)>,
) -> Page {
    let filled = (short(&number), short(&code), Vec::new());
    Ok(form(&web, visit, &begun.session, filled).await?.cookie(begun.cookie))
}

async fn look_up(State(web): State<Web>, visit: Visit, sent: CheckedForm) -> Page {
    let (session, fields) = (&sent.session, &sent.fields);
    let (number, code) = (short(fields.text("number")?), short(fields.text("code")?));
    let mut problems = Vec::new();
    if number.is_empty() {
        problems.push(view::Problem::NumberMissing);
    }
    if code.is_empty() {
        problems.push(view::Problem::CodeMissing);
    }
    if !problems.is_empty() {
        return form(&web, visit, session, (number, String::new(), problems)).await;
    }
    let found = paper::look_up(&web.app, &visit.caller(session), (&number, &code)).await?;
    let Some(found) = found else {
        let refused = (number, String::new(), vec![view::Problem::PaperRefused]);
        return Ok(form(&web, visit, session, refused).await?.code(paper::REFUSED));
    };
    let granted = Granted::of_mandate(&found.mandate, &web.app.catalogue).into_iter();
    let page = Verified {
        number: MandateNumber::of(&found.mandate.id),
        organisation: found.organisation,
        over: found.over,
        until: found.mandate.ends_at().filter(|_| found.over.is_none()),
        procedures: granted.filter(|one| found.over.is_none() && one.withdrawn.is_none()).collect(),
        now: found.now,
    };
    Ok(Reply::page(page.render(&visit.frame(&web, Some(session)).await?)))
}
