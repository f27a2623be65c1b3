//! Receipts: on paper for the aidant to hand over, and the usager's word that they do not recognise one.

use super::pages::Visit;
use super::{CheckedForm, Held, Page, Problem, Reply, Web, named, shown};
use crate::mandate::{MandateId, NoticeId, RepresentationId};
use crate::service::{dispute, handing};
use crate::view::aidant::{PaperReceipt, PaperReceipts};
use crate::view::usager::Dispute;
use crate::view::{Flash, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::PAPERS, get(papers).post(handed_over))
        .route(paths::USAGER_DISPUTE, get(ask).post(say))
}

async fn papers(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let mandate = named(&id, MandateId::parse)?;
    let found = handing::papers(&web.app, &session, &visit.caller(&session), &mandate).await?;
    let paper = |paper: handing::OnPaper| PaperReceipt {
        id: paper.id,
        at: paper.at,
        language: paper.language,
        subject: paper.text.subject,
        lines: paper.text.body.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
    };
    let papers = found.papers.into_iter().map(paper).collect();
    let page = PaperReceipts { mandate, usager: found.usager, papers };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn handed_over(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    form: CheckedForm,
) -> Page {
    let mandate = named(&id, MandateId::parse)?;
    let ids = form.fields.all("notice").map(|id| named(id, NoticeId::parse));
    let ids = ids.collect::<Result<Vec<_>, Problem>>()?;
    handing::hand_over(&web.app, &form.session, &visit.caller(&form.session), &mandate, &ids).await?;
    Ok(Reply::go_saying(&web, &paths::of_mandate(paths::MANDATE, &mandate), Flash::PapersHandedOver))
}

async fn ask(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let representation = named(&id, RepresentationId::parse)?;
    let asked = dispute::ask(&web.app, &session, &visit.caller(&session), &representation).await?;
    let interventions = shown::interventions(&web, vec![asked.one]);
    let page = Dispute { representation, interventions, said: asked.said };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn say(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let representation = named(&id, RepresentationId::parse)?;
    let said = dispute::say(&web.app, &form.session, &visit.caller(&form.session), &representation).await?;
    let next = if said.stands { paths::USAGER_END } else { paths::USAGER_MANDATE };
    Ok(Reply::go_saying(&web, &paths::of_mandate(next, &said.mandate), Flash::Disputed))
}
