//! What the watch found: the same pages for auditors and for the referent of the organisation.

use super::pages::Visit;
use super::{CheckedForm, Held, Page, Problem, Query, Reply, Web, named};
use crate::crypto::to_hex;
use crate::mandate::{AnomalyId, AnomalyState, Closing, CommentId, Instant};
use crate::service::anomalies::{self, Opened, Told};
use crate::service::{Error, InputError, Session};
use crate::view::anomalies::{
    Anomalies, Anomaly, CloseAnomaly, Comment, Looker, OneAnomaly, Standing, of_anomaly,
};
use crate::view::{Flash, Problem as Wrong, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    [Looker::Auditor, Looker::Referent]
        .into_iter()
        .map(of)
        .fold(Router::new().route(paths::ANOMALY_CLOSE, get(ask_close).post(close)), Router::merge)
}

/// The same pages for either: what differs is where the links lead. Who may read what, the service decides.
fn of(looker: Looker) -> Router<Web> {
    let list = move |State(web): State<Web>, visit: Visit, Held(by): Held, Query(query): Query| async move {
        let (open, after) = (query.text("closed")?.is_empty(), cursor(query.text("after")?));
        list(looker, web, visit, by, open, after).await
    };
    let one = move |State(web): State<Web>, visit: Visit, Held(by): Held, Path(id): Path<String>| async move {
        show(looker, &web, visit, &by, &id, (Vec::new(), String::new())).await
    };
    let comment = move |State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm| {
        comment(looker, web, visit, id, form)
    };
    Router::new().route(looker.list(), get(list)).route(looker.one(), get(one).post(comment))
}

/// Where a page of the list begins; one that cannot be read begins at the start.
fn cursor(text: &str) -> Option<(Instant, AnomalyId)> {
    let (at, id) = text.split_once('-')?;
    Some((Instant::from_micros(at.parse().ok()?), AnomalyId::parse(id).ok()?))
}

fn shown(told: Told, closed_by: Option<String>) -> Anomaly {
    let Told { anomaly, organisation, aidant, mandate } = told;
    Anomaly {
        id: anomaly.id,
        finding: anomaly.finding,
        at: anomaly.at,
        organisation,
        aidant,
        mandate: anomaly.mandate,
        pseudonym: mandate,
        standing: match anomaly.state {
            AnomalyState::Open => Standing::Open,
            AnomalyState::Closed { at, reason, .. } => {
                Standing::Closed { by: closed_by.unwrap_or_default(), at, reason }
            }
        },
    }
}

async fn list(
    looker: Looker,
    web: Web,
    visit: Visit,
    session: Session,
    open: bool,
    after: Option<(Instant, AnomalyId)>,
) -> Page {
    let found = anomalies::list(&web.app, &session, &visit.caller(&session), open, after).await?;
    let page = Anomalies {
        looker,
        open,
        anomalies: found.anomalies.into_iter().map(|one| shown(one, None)).collect(),
        next: found.next.map(|(at, id)| format!("{}-{id}", at.micros())),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn opened(web: &Web, visit: &Visit, session: &Session, id: &str) -> Result<Opened, Problem> {
    let id = named(id, AnomalyId::parse)?;
    Ok(anomalies::one(&web.app, session, &visit.caller(session), &id).await?)
}

async fn show(
    looker: Looker,
    web: &Web,
    visit: Visit,
    session: &Session,
    id: &str,
    (problems, text): (Vec<Wrong>, String),
) -> Page {
    let (opened, wrong) = (opened(web, &visit, session, id).await?, !problems.is_empty());
    let comments = opened.comments.into_iter().map(|one| Comment {
        by: one.by,
        auditor: one.auditor,
        at: one.at,
        text: one.text,
    });
    let page = OneAnomaly {
        problems,
        looker,
        comments: comments.collect(),
        anomaly: shown(opened.told, opened.closed_by),
        text,
        idempotency: to_hex(&web.app.new_id()?),
    };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn comment(looker: Looker, web: Web, visit: Visit, id: String, form: CheckedForm) -> Page {
    let (session, text) = (&form.session, form.fields.text("text")?);
    let (anomaly, said) =
        (named(&id, AnomalyId::parse)?, form.fields.parsed("idempotency", CommentId::parse)?);
    let caller = visit.caller(session);
    match anomalies::comment(&web.app, session, &caller, (&anomaly, &said), text).await {
        Ok(()) => Ok(Reply::go_saying(&web, &of_anomaly(looker.one(), &anomaly), Flash::AnomalyCommented)),
        Err(Error::Input(InputError::Field(_))) => {
            show(looker, &web, visit, session, &id, (vec![Wrong::CommentMissing], text.to_owned())).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn ask_close(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
) -> Page {
    session.signed_in_auditor()?;
    close_page(&web, visit, &session, &id, (Vec::new(), String::new())).await
}

async fn close_page(
    web: &Web,
    visit: Visit,
    session: &Session,
    id: &str,
    (problems, text): (Vec<Wrong>, String),
) -> Page {
    let (opened, wrong) = (opened(web, &visit, session, id).await?, !problems.is_empty());
    let anomaly = shown(opened.told, opened.closed_by);
    if anomaly.standing != Standing::Open {
        return Ok(Reply::go(&of_anomaly(paths::ANOMALY, &anomaly.id)));
    }
    let page = CloseAnomaly { problems, anomaly, text, idempotency: to_hex(&web.app.new_id()?) };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn close(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let (session, text) = (&form.session, form.fields.text("text")?);
    let (anomaly, said) =
        (named(&id, AnomalyId::parse)?, form.fields.parsed("idempotency", CommentId::parse)?);
    let Some(reason) = Closing::parse(form.fields.text("reason")?) else {
        let again = (vec![Wrong::ClosingMissing], text.to_owned());
        return close_page(&web, visit, session, &id, again).await;
    };
    let caller = visit.caller(session);
    anomalies::close(&web.app, session, &caller, (&anomaly, &said), reason, text).await?;
    Ok(Reply::go_saying(&web, paths::ANOMALIES, Flash::AnomalyClosed))
}
