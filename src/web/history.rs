//! A mandate's history in the journal and the receipts of its entries, for the usager and for the aidant.

use super::pages::Visit;
use super::{Fields, Held, Page, Problem, Query, Reply, Web, named, shown};
use crate::mandate::MandateId;
use crate::service::desk::Card;
use crate::service::history::{self, Line, Lines, Proved};
use crate::service::{Session, account, space};
use crate::view::history::{AccountPage, History, HistoryLine, Proved as ReceiptPage, Whose};
use crate::view::{Qr, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    [Whose::Usager, Whose::Aidant]
        .into_iter()
        .map(of)
        .fold(Router::new().route(paths::USAGER_HISTORY_FILE, get(file)), Router::merge)
}

/// The same pages for either: what differs is who may read, and where the links lead.
fn of(whose: Whose) -> Router<Web> {
    type Place = Path<(String, String)>;
    let list =
        move |State(web): State<Web>,
              visit: Visit,
              Held(by): Held,
              Path(id): Path<String>,
              Query(query): Query| async move { list(whose, web, visit, by, &id, &query).await };
    let receipt = move |State(web): State<Web>, visit: Visit, Held(by): Held, Path(at): Place| {
        receipt(whose, web, visit, by, at)
    };
    let proof = move |State(web): State<Web>, visit: Visit, Held(by): Held, Path(at): Place| {
        proof(whose, web, visit, by, at)
    };
    let account = move |State(web): State<Web>, visit: Visit, Held(by): Held, Path(id): Path<String>| {
        account(whose, web, visit, by, id)
    };
    Router::new()
        .route(whose.history(), get(list))
        .route(whose.account(), get(account))
        .route(whose.receipt(), get(receipt))
        .route(&format!("{}/proof", whose.receipt()), get(proof))
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
    HistoryLine { number: line.number, at: line.at, kind: line.kind, reported: line.reported.clone() }
}

fn listed(whose: Whose, card: Card, lines: &Lines) -> History {
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

async fn list(whose: Whose, web: Web, visit: Visit, session: Session, id: &str, query: &Fields) -> Page {
    let (id, before, caller) = (named(id, MandateId::parse)?, before(query)?, visit.caller(&session));
    let (card, lines) = match whose {
        Whose::Usager => space::history(&web.app, &session, &caller, &id, before).await?,
        Whose::Aidant => history::of_office(&web.app, &session, &caller, &id, before).await?,
    };
    let page = listed(whose, card, &lines);
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn account(whose: Whose, web: Web, visit: Visit, session: Session, id: String) -> Page {
    let (mandate, caller) = (named(&id, MandateId::parse)?, visit.caller(&session));
    let account = match whose {
        Whose::Usager => account::of_usager(&web.app, &session, &caller, &mandate).await?,
        Whose::Aidant => account::of_office(&web.app, &session, &caller, &mandate).await?,
    };
    let page = AccountPage { whose, mandate, account };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn file(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let id = named(&id, MandateId::parse)?;
    let history = space::whole(&web.app, &session, &visit.caller(&session), &id).await?;
    Ok(Reply::file("application/json", history.to_json()))
}

async fn proved(
    whose: Whose,
    web: &Web,
    visit: &Visit,
    session: &Session,
    at: &At,
) -> Result<Proved, Problem> {
    let (caller, id, number) = (visit.caller(session), &at.mandate, at.number);
    Ok(match whose {
        Whose::Usager => space::proved(&web.app, session, &caller, id, number).await?,
        Whose::Aidant => history::proved_to_office(&web.app, session, &caller, id, number).await?,
    })
}

async fn receipt(whose: Whose, web: Web, visit: Visit, session: Session, at: (String, String)) -> Page {
    let at = At::parse(&at)?;
    let proved = proved(whose, &web, &visit, &session, &at).await?;
    let page = receipt_page(whose, at.mandate, &proved);
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn proof(whose: Whose, web: Web, visit: Visit, session: Session, at: (String, String)) -> Page {
    let proved = proved(whose, &web, &visit, &session, &At::parse(&at)?).await?;
    Ok(Reply::file("text/plain; charset=utf-8", proved.proof.log.to_string()))
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
