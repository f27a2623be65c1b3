//! A service asks without a page (`prompt=none`).

use super::authorize::{Waiting, answerer};
use super::grounds::Use;
use super::represent::code;
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, Session, projection};
use crate::crypto::OpaqueToken;
use crate::mandate::{EventKind, Instant};
use crate::provider::{AuthorizeCode, ErrorAnswer, Hint};
use crate::storage::representations::{self, Scope};
use crate::storage::{Tx, tokens};
use std::sync::Arc;

/// Answers a request that allows no page: only within a representation that is still open in this browser, at the same
/// service and for the same procedure (contract `openid.md`).
pub(super) async fn silently(
    app: &App,
    session: &Session,
    caller: &Caller,
    waiting: Waiting,
    now: Instant,
) -> Result<String, Error> {
    let failed = |waiting: &Waiting, code, description| {
        let to = waiting.request.to.clone();
        ErrorAnswer { to, code, description }.location(&answerer(app, &waiting.client, now)?)
    };
    if waiting.ready(session, now).is_err() {
        let description = "nobody is signed in, or not freshly enough";
        return Ok(failed(&waiting, AuthorizeCode::LoginRequired, description)?);
    }
    let code_ = OpaqueToken::generate(&*app.entropy)?;
    // A client whose secret signs its ID tokens never asks silently: its profile forbids it.
    let read = |jwt| Hint::read(jwt, &app.issuer, &app.keys.published().to_value());
    let by_key = waiting.client.id_token_alg().key().is_some();
    let hint = waiting.request.id_token_hint.as_deref().map(|jwt| read(jwt).filter(|_| by_key));
    let given = Arc::new((session.clone(), caller.clone(), waiting, code_, hint));
    let (app_, given_) = (Arc::clone(app), Arc::clone(&given));
    let issued = app
        .include("represent.silently", move |tx| {
            let (app, given) = (Arc::clone(&app_), Arc::clone(&given_));
            Box::pin(async move {
                let (session, caller, waiting, code_, hint) = &*given;
                let aidant = waiting.ready(session, now)?;
                let Some(mut of) = still_open(&app, tx, session, waiting, hint.as_ref()).await? else {
                    return Ok(false);
                };
                if let Err(reason) = of.allowed(&app, now) {
                    of.refusal(EventKind::RepresentationRefused, reason)
                        .keep(&app, tx, (caller, now))
                        .await?;
                    return Ok(false);
                }
                let Some(first) = tokens::code_of(tx, &of.representation.id).await? else {
                    return Ok(false);
                };
                let record = Record::done(EventKind::CodeIssued)
                    .client(&waiting.request.client)
                    .procedure(&of.representation.procedure)
                    .detail("representation", of.representation.id.as_str());
                note(&app, tx, &mut of.row, record, (Actor::Aidant(aidant.aidant), caller, now)).await?;
                let made = (first.event, now);
                let code = code(code_, &waiting.row, &of.representation.id, &aidant, session, made);
                tokens::insert_code(tx, &code).await?;
                Ok::<_, Error>(true)
            })
        })
        .await?;
    let (_, _, waiting, code_, _) = &*given;
    let address = if issued {
        waiting.request.to.success(&answerer(app, &waiting.client, now)?, code_.expose())
    } else {
        let description = "no representation is open here for this service";
        failed(waiting, AuthorizeCode::AccountSelectionRequired, description)
    };
    Ok(address?)
}

/// The representation a silent request means, if it is still open in this browser.
async fn still_open(
    app: &App,
    tx: &mut Tx,
    session: &Session,
    waiting: &Waiting,
    hint: Option<&Option<Hint>>,
) -> Result<Option<Use>, Error> {
    let asked = &waiting.request.asked;
    let open = representations::open(tx, &Scope::Session(session.sid.clone())).await?;
    let meant = open.into_iter().rev().find(|one| {
        let hinted = match hint {
            None => true,
            Some(hint) => hint.as_ref().is_some_and(|hint| {
                hint.client == one.client && hint.subject == projection::subject(app, &waiting.client, one)
            }),
        };
        one.client == waiting.request.client
            && hinted
            && asked.procedure.as_ref().is_none_or(|procedure| *procedure == one.procedure)
            && asked.acts.as_ref().is_none_or(|acts| acts.is_subset(&one.acts))
    });
    match meant {
        Some(one) => Use::read(tx, one).await.map(Some),
        None => Ok(None),
    }
}
