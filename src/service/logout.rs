//! A service asks to end what was opened in somebody's name (OpenID Connect RP-Initiated Logout).
//!
//! What ends is the representation; the aidant stays signed in here, where other usagers wait.

use super::end::close_one;
use super::steps::Actor;
use super::{App, Caller, Error, Session, Who, projection, registry};
use crate::mandate::{Instant, RepresentationId};
use crate::provider::{ClientRegistration, Hint, LogoutDecision, LogoutRequest, LogoutSession, Params};
use crate::storage::representations::{self, CloseReason, RepresentationRow};
use crate::storage::{Snapshot, clients};
use std::sync::Arc;

/// A hint that counts, and what it tells of: the service it was given to and the representation.
#[derive(Default)]
struct Hinted {
    hint: Option<Hint>,
    client: Option<ClientRegistration>,
    representation: Option<RepresentationRow>,
}

/// Decides what follows, and closes the representation unless a person must be asked first.
///
/// # Errors
/// [`Error::Authorization`] when the request cannot be read.
pub async fn end(
    app: &App,
    session: Option<&Session>,
    caller: &Caller,
    params: &Params,
) -> Result<LogoutDecision, Error> {
    let request = LogoutRequest::read(params)?;
    let hinted = match &request.id_token_hint {
        Some(jwt) => look(app, jwt).await?,
        None => Hinted::default(),
    };
    let relation = relation(session, hinted.representation.as_ref());
    let decision = request.decide(hinted.hint.as_ref(), hinted.client.as_ref(), relation);
    let asks = matches!(decision, LogoutDecision::ConfirmPage);
    if let (false, Some(of)) = (asks, hinted.representation) {
        close(app, caller, of, app.now()).await?;
    }
    Ok(decision)
}

async fn look(app: &App, jwt: &str) -> Result<Hinted, Error> {
    let (app_, jwt) = (Arc::clone(app), jwt.to_owned());
    app.store.read("logout.hint", |snapshot| Box::pin(async move { read(&app_, snapshot, &jwt).await })).await
}

/// Reads a hint under what signs for its client, and under nothing else: a token under a client's secret tells of no other
/// client, and one under a key of ours of no client whose secret signs.
async fn read(app: &App, snapshot: &mut Snapshot, jwt: &str) -> Result<Hinted, Error> {
    let by_key = Hint::read(jwt, &app.issuer, &app.keys.published().to_value());
    let id = by_key.as_ref().map(|hint| hint.client.clone()).or_else(|| Hint::client_by_secret(jwt));
    let Some(id) = id else { return Ok(Hinted::default()) };
    let Some(row) = clients::load(snapshot, &id).await? else { return Ok(Hinted::default()) };
    let client = registry::registration(&row)?;
    let hint = match registry::secret(app, snapshot, &row).await? {
        Some(secret) => Hint::read_by_secret(jwt, &app.issuer, &id, &secret),
        None => by_key,
    };
    let Some(hint) = hint else { return Ok(Hinted::default()) };
    let representation = match RepresentationId::parse(&hint.sid) {
        Ok(id) => representations::load(snapshot, &id).await?,
        Err(_) => None,
    };
    let representation =
        representation.filter(|of| of.client == id && projection::subject(app, &client, of) == hint.subject);
    Ok(Hinted { hint: Some(hint), client: Some(client), representation })
}

fn relation(session: Option<&Session>, of: Option<&RepresentationRow>) -> LogoutSession {
    match session {
        None | Some(Session { who: Who::Anonymous, .. }) => LogoutSession::None,
        Some(session) if of.is_some_and(|of| of.sid == session.sid) => LogoutSession::Hinted,
        Some(_) => LogoutSession::Other,
    }
}

async fn close(app: &App, caller: &Caller, of: RepresentationRow, now: Instant) -> Result<(), Error> {
    let (app_, caller) = (Arc::clone(app), caller.clone());
    app.include("logout.end", move |tx| {
        let (app, caller, id) = (Arc::clone(&app_), caller.clone(), of.id.clone());
        Box::pin(async move {
            let Some(of) = representations::load(tx, &id).await? else { return Ok(()) };
            close_one(&app, tx, &of, CloseReason::SignedOut, (Actor::Service, &caller, now)).await
        })
    })
    .await
}
