//! A mandate's history in the journal and the receipts of its entries, for the usager and for the aidant.

use super::pages::Visit;
use super::{Fields, Held, Page, Problem, Query, Reply, Web, named, shown};
use crate::mandate::MandateId;
use crate::service::desk::Card;
use crate::service::history::{self, Line, Lines, Proved};
use crate::service::{Session, space};
use crate::view::history::{History, HistoryLine, Proved as ReceiptPage, Whose};
use crate::view::{Qr, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::USAGER_HISTORY, get(own))
        .route(paths::USAGER_HISTORY_FILE, get(file))
        .route(paths::USAGER_RECEIPT, get(own_receipt))
        .route(&format!("{}/proof", paths::USAGER_RECEIPT), get(own_proof))
        .route(paths::HISTORY, get(of_office))
        .route(paths::RECEIPT, get(receipt))
        .route(&format!("{}/proof", paths::RECEIPT), get(proof))
}

/// A number as an address carries it.
fn number(text: &str) -> Result<u64, Problem> {
    named(text, str::parse)
}

/// Where a page begins; one that cannot be read begins at the end.
fn before(query: &Fields) -> Result<Option<u64>, Problem> {
    Ok(query.text("before")?.parse().ok())
}

fn line(line: &Line) -> HistoryLine {
    HistoryLine { number: line.number, at: line.at, kind: line.kind }
}

fn list(whose: Whose, card: Card, lines: &Lines) -> History {
    History {
        whose,
        mandate: card.mandate.id,
        organisation: card.organisation,
        lines: lines.lines.iter().map(line).collect(),
        length: lines.length,
        before: lines.before,
    }
}

fn receipt_page(whose: Whose, mandate: MandateId, proved: &Proved) -> ReceiptPage {
    ReceiptPage {
        whose,
        mandate,
        line: line(&proved.line),
        receipt: shown::proved(proved),
        qr: Qr::of_much(&proved.proof.log.to_string()),
    }
}

fn proof_file(proved: &Proved) -> Reply {
    Reply::file("text/plain; charset=utf-8", proved.proof.log.to_string())
}

async fn own(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
    Query(query): Query,
) -> Page {
    let (id, before) = (named(&id, MandateId::parse)?, before(&query)?);
    let (card, lines) = space::history(&web.app, &session, &visit.caller(&session), &id, before).await?;
    let page = list(Whose::Usager, card, &lines);
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn file(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let id = named(&id, MandateId::parse)?;
    let history = space::whole(&web.app, &session, &visit.caller(&session), &id).await?;
    Ok(Reply::file("application/json", history.to_json()))
}

async fn own_proved(web: &Web, visit: &Visit, session: &Session, at: &At) -> Result<Proved, Problem> {
    Ok(space::proved(&web.app, session, &visit.caller(session), &at.mandate, at.number).await?)
}

async fn own_receipt(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(at): Path<(String, String)>,
) -> Page {
    let at = At::parse(&at)?;
    let proved = own_proved(&web, &visit, &session, &at).await?;
    let page = receipt_page(Whose::Usager, at.mandate, &proved);
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn own_proof(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(at): Path<(String, String)>,
) -> Page {
    Ok(proof_file(&own_proved(&web, &visit, &session, &At::parse(&at)?).await?))
}

async fn of_office(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
    Query(query): Query,
) -> Page {
    let (id, before) = (named(&id, MandateId::parse)?, before(&query)?);
    let (card, lines) = history::of_office(&web.app, &session, &visit.caller(&session), &id, before).await?;
    let page = list(Whose::Aidant, card, &lines);
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn proved(web: &Web, visit: &Visit, session: &Session, at: &At) -> Result<Proved, Problem> {
    let caller = visit.caller(session);
    Ok(history::proved_to_office(&web.app, session, &caller, &at.mandate, at.number).await?)
}

async fn receipt(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(at): Path<(String, String)>,
) -> Page {
    let at = At::parse(&at)?;
    let proved = proved(&web, &visit, &session, &at).await?;
    let page = receipt_page(Whose::Aidant, at.mandate, &proved);
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn proof(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(at): Path<(String, String)>,
) -> Page {
    Ok(proof_file(&proved(&web, &visit, &session, &At::parse(&at)?).await?))
}

/// An entry of a mandate's history, as an address names it.
struct At {
    mandate: MandateId,
    number: u64,
}

impl At {
    fn parse((mandate, of): &(String, String)) -> Result<Self, Problem> {
        Ok(Self { mandate: named(mandate, MandateId::parse)?, number: number(of)? })
    }
}
