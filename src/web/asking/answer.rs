//! What becomes of an asking: the code that is said, the paper that comes back, the second person's word.

use super::{here, show, text};
use crate::mandate::{ConsentChannel, MandateId, MandateNumber};
use crate::service::asking::{self, Keyed, Signed, Standing};
use crate::service::{AskingError, Error, InputError};
use crate::view::asking::{AskingPrint, Compare};
use crate::view::errors::Fault;
use crate::view::{Flash, Problem as Wrong, Qr, Status, paths};
use crate::web::middleware::limited;
use crate::web::pages::Visit;
use crate::web::{Action, CheckedForm, Edge, Fields, Held, Page, Problem, Reply, Web, csrf, named, shown};
use axum::Router;
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::routing::get;
use std::sync::Arc;
use time::Date;
use time::macros::format_description;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::ASKED_CODE, get(back).post(keyed))
        .route(paths::ASKED_AGAIN, get(back).post(again))
        .route(paths::ASKED_DENIED, get(back).post(denied))
        .route(paths::ASKED_COMPARE, get(compare).post(compared))
        .route(paths::ASKED_PICTURE, get(picture))
        .route(paths::ASKED_PRINT, get(print))
}

/// Those that take a file.
pub(in crate::web) fn uploads(edge: &Arc<Edge>) -> Router<Web> {
    limited(edge, Action::Card, Router::new().route(paths::ASKED_SCAN, get(back).post(scanned)))
}

/// Where the browser comes back to when it was told that something is being recorded.
async fn back(Path(id): Path<String>) -> Page {
    Ok(Reply::go(&here(paths::MANDATE, &named(&id, MandateId::parse)?)))
}

/// "Are they under protection?" as it was answered: true for no.
fn not_protected(fields: &Fields) -> Result<Option<bool>, Problem> {
    Ok(match fields.optional("protected")? {
        Some("no") => Some(true),
        Some("yes") => Some(false),
        _ => None,
    })
}

async fn keyed(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let (session, mandate) = (&form.session, named(&id, MandateId::parse)?);
    web.count(Action::Card, session.aidant()?.aidant.as_str())?;
    let code = form.fields.text("code")?.trim().to_owned();
    let mut problems = Vec::new();
    if code.is_empty() {
        problems.push(Wrong::CodeMissing);
    }
    let declared = not_protected(&form.fields)?;
    let Some(not_protected) = declared.filter(|_| problems.is_empty()) else {
        if declared.is_none() {
            problems.push(Wrong::ProtectionUnanswered);
        }
        return show(&web, visit, session, &mandate, problems).await;
    };
    let keyed = Keyed { code, not_protected };
    match asking::key_in(&web.app, session, &visit.caller(session), &mandate, keyed).await {
        Ok(()) => Ok(Reply::go(&here(paths::ACCEPT, &mandate))),
        Err(Error::Asking(AskingError::Refused)) => {
            show(&web, visit, session, &mandate, vec![Wrong::SaidCodeWrong]).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn again(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let mandate = named(&id, MandateId::parse)?;
    web.count(Action::Card, form.session.aidant()?.aidant.as_str())?;
    asking::again(&web.app, &form.session, &visit.caller(&form.session), &mandate).await?;
    Ok(Reply::go(&here(paths::ASKED, &mandate)))
}

async fn denied(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let mandate = named(&id, MandateId::parse)?;
    asking::deny(&web.app, &form.session, &visit.caller(&form.session), &mandate).await?;
    Ok(Reply::go(&here(paths::MANDATE, &mandate)))
}

/// The texts and the file of a form, no more of each than is asked for.
async fn parts(mut sent: Multipart) -> Result<(Fields, Vec<u8>), Problem> {
    let (mut texts, mut file) = (Vec::new(), Vec::new());
    let broken = |error: MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", Fault::TooLarge)
        }
        _ => Problem::bad_request("form_malformed"),
    };
    while let Some(part) = sent.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "scan" {
            file = part.bytes().await.map_err(broken)?.to_vec();
        } else {
            texts.push((name, part.text().await.map_err(broken)?));
        }
    }
    Ok((Fields::of_texts(texts)?, file))
}

async fn scanned(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
    sent: Multipart,
) -> Page {
    let mandate = named(&id, MandateId::parse)?;
    session.aidant()?;
    let (fields, file) = parts(sent).await?;
    csrf::check(&session.csrf, &fields)?;
    let mut problems = Vec::new();
    let day = Date::parse(fields.text("signed_on")?.trim(), format_description!("[year]-[month]-[day]"));
    if day.is_err() {
        problems.push(Wrong::SignedOnInvalid);
    }
    let declared = not_protected(&fields)?;
    if declared.is_none() {
        problems.push(Wrong::ProtectionUnanswered);
    }
    let (Ok(signed_on), Some(not_protected)) = (day, declared) else {
        return show(&web, visit, &session, &mandate, problems).await;
    };
    let signed = Signed { file, signed_on, not_protected };
    match asking::scanned(&web.app, &session, &visit.caller(&session), &mandate, signed).await {
        Ok(()) => Ok(Reply::go(&here(paths::ASKED, &mandate))),
        Err(Error::Asking(AskingError::Scan)) => {
            show(&web, visit, &session, &mandate, vec![Wrong::ScanRefused]).await
        }
        Err(Error::Input(InputError::Field("signed_on"))) => {
            show(&web, visit, &session, &mandate, vec![Wrong::SignedOnInvalid]).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn compare(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let mandate = named(&id, MandateId::parse)?;
    let found = asking::compare(&web.app, &session, &visit.caller(&session), &mandate).await?;
    let waiting = found.waiting;
    let card = shown::card(&web, &waiting.card, waiting.now);
    let Some(person) = waiting.person.filter(|_| matches!(card.status, Status::Proposed { .. })) else {
        return Ok(Reply::go(&here(paths::MANDATE, &mandate)));
    };
    let page = Compare {
        mandate: card,
        term: waiting.card.mandate.terms.term,
        way: waiting.channel,
        person: shown::person(person),
        document: waiting.evidence.document,
        signed_on: waiting.evidence.signed_on,
        by_you: matches!(waiting.standing, Standing::Answered { by_you: true }),
        has_scan: found.scan.is_some(),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn picture(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let mandate = named(&id, MandateId::parse)?;
    let found = asking::compare(&web.app, &session, &visit.caller(&session), &mandate).await?;
    let scan = found.scan.ok_or(Problem::NOT_FOUND)?;
    Ok(Reply::file("image/jpeg", ([(CACHE_CONTROL, "no-store")], scan)))
}

async fn compared(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let (mandate, caller) = (named(&id, MandateId::parse)?, visit.caller(&form.session));
    match form.fields.required("compare")? {
        "right" => asking::confirm(&web.app, &form.session, &caller, &mandate).await?,
        "wrong" => asking::reject(&web.app, &form.session, &caller, &mandate).await?,
        _ => return Err(Problem::bad_request("form_malformed")),
    }
    Ok(Reply::go_saying(&web, &here(paths::MANDATE, &mandate), Flash::Compared))
}

async fn print(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let mandate = named(&id, MandateId::parse)?;
    let found = asking::waiting(&web.app, &session, &visit.caller(&session), &mandate).await?;
    let card = shown::card(&web, &found.card, found.now);
    let printed = matches!(found.channel, ConsentChannel::Paper | ConsentChannel::PostedCode);
    let open = printed && matches!(card.status, Status::Proposed { .. });
    let text = text(&web, &found);
    let Some(person) = found.person.filter(|_| open) else {
        return Ok(Reply::go(&here(paths::MANDATE, &mandate)));
    };
    let address = web.app.issuer.address(paths::ACCORD);
    let page = AskingPrint {
        term: found.card.mandate.terms.term,
        way: found.channel,
        person: shown::person(person),
        text,
        code: found.evidence.code.as_deref().map(asking::grouped),
        address: address.split_once("://").map_or_else(String::new, |(_, rest)| rest.to_owned()),
        qr: Qr::of(&MandateNumber::of(&mandate).to_string()),
        until: found.card.mandate.lapses_at(),
        mandate: card,
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}
