//! A service asks to be opened in somebody's name: the request is checked and kept, and an aidant is offered what
//! stands and what this service may receive.

use super::grounds::Parties;
use super::kept::{Life, again, kept};
use super::offer::{Offer, note_offer, recent};
use super::silent::silently;
use super::{App, Caller, Error, Record, Session, SessionError, SignedInAidant, push, registry};
use crate::crypto::{CryptoError, OpaqueToken};
use crate::mandate::{Act, EventKind, Instant, Mandate, ProcedureId, Refusal, Standing};
use crate::provider::{
    Answerer, AuthorizationRequest, AuthorizeCode, AuthorizeError, ClientRegistration, ErrorAnswer,
    PageError, Params, client_of, effective, pushed_reference,
};
use crate::storage::authorizations::{self, AuthorizationRequestRow};
use crate::storage::clients::{self, ClientRow};
use crate::storage::{Snapshot, Tx};
use std::collections::BTreeSet;
use std::sync::Arc;
use time::Duration;

/// How long a request waits for its answer: time to sign in and to prove a second factor.
pub const REQUEST_LIFE: Duration = Duration::minutes(15);
/// What a request came to.
pub enum Begun {
    /// The aidant can choose at once.
    Choice(Box<Offer>),
    /// Something is missing first; the request waits under this handle.
    Waits(String),
    /// Nothing to ask: the address to send the browser to.
    Answered(String),
}

/// A request that waits for its aidant's choice.
pub struct Waiting {
    /// What stands in its address. Worth nothing outside the session it belongs to.
    pub handle: String,
    /// What was asked.
    pub request: AuthorizationRequest,
    /// By whom.
    pub client: ClientRegistration,
    pub(super) client_row: ClientRow,
    pub(super) row: AuthorizationRequestRow,
}

/// Takes an authorization request in.
///
/// # Errors
/// [`Error::Authorization`] and [`Error::Refused`] when it may only be answered by a page, both journaled.
pub async fn begin(app: &App, session: &Session, caller: &Caller, params: &Params) -> Result<Begun, Error> {
    let now = app.now();
    let client = match client_of(params) {
        Ok(id) => load_client(app, &id).await?,
        Err(error) => return refused(app, caller, None, error.into(), now).await,
    };
    let Some(row) = client else {
        return refused(app, caller, None, PageError::UnknownClient.into(), now).await;
    };
    let client = registry::registration(&row)?;
    if row.standing != Standing::Active {
        return refused(app, caller, Some(&row), Refusal::ServiceSuspended.into(), now).await;
    }
    let handle = OpaqueToken::generate(&*app.entropy)?;
    let (request, kept) = match take_in(app, session, params, (&client, &handle), now).await? {
        Ok(taken) => taken,
        Err(AuthorizeError::Page(error)) => {
            return refused(app, caller, Some(&row), error.into(), now).await;
        }
        Err(AuthorizeError::Redirect(answer)) => {
            note_refusal(app, caller, Some(&row), answer.code.as_str(), now).await?;
            return Ok(Begun::Answered(answer.location(&answerer(app, &client, now)?)?));
        }
    };
    let waiting = Waiting { handle: handle.expose().to_owned(), row: kept, request, client, client_row: row };
    if waiting.request.is_silent() {
        spend(app, session, caller, &waiting, now).await?;
        return silently(app, session, caller, waiting, now).await.map(Begun::Answered);
    }
    if waiting.ready(session, now).is_err() {
        let row = Arc::new(waiting.row);
        app.commit("authorize.keep", move |tx| {
            let row = Arc::clone(&row);
            Box::pin(async move { Ok::<_, Error>(authorizations::insert(tx, &row).await?) })
        })
        .await?;
        return Ok(Begun::Waits(waiting.handle));
    }
    let offer = recent(app, session, waiting, now).await?;
    note_offer(app, session, caller, &offer, true, now).await?;
    Ok(Begun::Choice(Box::new(offer)))
}

/// The aidant gives up: the address that tells the service.
pub async fn cancel(app: &App, session: &Session, caller: &Caller, handle: &str) -> Result<String, Error> {
    let now = app.now();
    let (app_, session_, caller, handle) =
        (Arc::clone(app), session.clone(), caller.clone(), handle.to_owned());
    app.commit("authorize.cancel", move |tx| {
        let (app, session, caller, handle) =
            (Arc::clone(&app_), session_.clone(), caller.clone(), handle.clone());
        Box::pin(async move {
            let waiting = open(tx, &session, &handle, now).await?;
            if let Err(used_up) = waiting.spend(&app, tx, &session, (&caller, now)).await? {
                return Ok(Err(used_up));
            }
            let taken = authorizations::take(tx, &waiting.row.id_hash, &session.id.to_hex(), now).await?;
            taken.ok_or(Error::Conflict)?;
            let record = waiting.refusal(&session, AuthorizeCode::AccessDenied.as_str());
            record.append(&app, tx, &caller, now).await?;
            let description = "the aidant gave up";
            let answer =
                ErrorAnswer { to: waiting.request.to, code: AuthorizeCode::AccessDenied, description };
            Ok(Ok(answer.location(&answerer(&app, &waiting.client, now)?)?))
        })
    })
    .await?
}

impl Waiting {
    /// The aidant who may answer it now.
    ///
    /// # Errors
    /// [`Error::Session`] with the step that is missing.
    pub(super) fn ready<'s>(&self, session: &'s Session, now: Instant) -> Result<SignedInAidant<'s>, Error> {
        let aidant = session.signed_in_aidant()?;
        // A provider tells the time of authentication in whole seconds.
        let received_at = Instant::from_micros(self.row.created_at.seconds().saturating_mul(1_000_000));
        if self.request.demands_login(Some(aidant.authenticated_at), received_at) {
            return Err(SessionError::SignInNeeded.into());
        }
        session.aidant_with_fresh_factor(now)
    }

    /// The record of its refusal.
    fn refusal(&self, session: &Session, code: &'static str) -> Record {
        let record = Record::refused(EventKind::AuthorizationRefused, code).client(&self.request.client);
        match session.aidant() {
            Ok(aidant) => record.aidant(aidant.aidant),
            Err(_) => record,
        }
    }

    /// Uses up the pushed request this one came by; one that was not pushed is its own. The inner error, whose entry is to be
    /// committed, says that it was answered meanwhile, from here or elsewhere.
    pub(super) async fn spend(
        &self,
        app: &App,
        tx: &mut Tx,
        session: &Session,
        by: (&Caller, Instant),
    ) -> Result<Result<(), Error>, Error> {
        let refusal = self.refusal(session, PageError::RequestUri.code());
        match &self.row.pushed_hash {
            Some(pushed) => push::use_up(app, tx, pushed, refusal, by).await,
            None => Ok(Ok(())),
        }
    }

    /// The acts asked for in a procedure of a mandate: the service's wish, else all that is granted.
    pub(super) fn acts(&self, mandate: &Mandate, procedure: &ProcedureId) -> BTreeSet<Act> {
        let granted = || mandate.terms.procedures.get(procedure).cloned().unwrap_or_default();
        self.request.asked.acts.clone().unwrap_or_else(granted)
    }

    /// Decides one choice; what the service did not ask for counts as what it may not receive.
    pub(super) fn decide(
        &self,
        app: &App,
        parties: &Parties,
        mandate: &Mandate,
        procedure: &ProcedureId,
        now: Instant,
    ) -> Result<crate::mandate::Allowed, Refusal> {
        let allowed = parties.decide(app, mandate, procedure, &self.acts(mandate, procedure), now)?;
        let asked = &self.request.asked;
        let theme = || app.catalogue.theme_of(procedure).map(|theme| &theme.rep_scope);
        let of_another = asked.procedure.as_ref().is_some_and(|asked| asked != procedure);
        let elsewhere = !asked.themes.is_empty() && theme().is_none_or(|label| !asked.themes.contains(label));
        if of_another || elsewhere { Err(Refusal::ServiceNotEntitled) } else { Ok(allowed) }
    }
}

/// The request of a handle, for the session it belongs to, answered or not.
pub(super) async fn find_request(
    snapshot: &mut Snapshot,
    session: &Session,
    handle: &str,
) -> Result<Waiting, Error> {
    let row = authorizations::load(snapshot, &OpaqueToken::hash_of(handle).to_hex()).await?;
    let own = session.id.to_hex();
    let row = row.filter(|row| row.session_hash.as_deref() == Some(&own)).ok_or(Error::NotFound)?;
    let client_row = clients::load(snapshot, &row.client).await?.ok_or(Error::NotFound)?;
    let client = registry::registration(&client_row)?;
    let request = again(&row, &client)?;
    Ok(Waiting { handle: handle.to_owned(), request, client, client_row, row })
}

/// The request of a handle that can still be answered.
pub(super) async fn open(
    snapshot: &mut Snapshot,
    session: &Session,
    handle: &str,
    now: Instant,
) -> Result<Waiting, Error> {
    let waiting = find_request(snapshot, session, handle).await?;
    let live = waiting.row.used_at.is_none() && now < waiting.row.expires_at;
    if live { Ok(waiting) } else { Err(Error::NotFound) }
}

/// The same, read by itself, for an aidant who may answer it.
pub(super) async fn look(app: &App, session: &Session, handle: &str, now: Instant) -> Result<Waiting, Error> {
    let (held, handle) = (session.clone(), handle.to_owned());
    let waiting = app
        .store
        .read("authorize.request", move |snapshot| {
            Box::pin(async move { open(snapshot, &held, &handle, now).await })
        })
        .await?;
    waiting.ready(session, now)?;
    Ok(waiting)
}

async fn load_client(app: &App, id: &crate::mandate::ClientId) -> Result<Option<ClientRow>, Error> {
    let id = id.clone();
    app.store
        .read_one("authorize.client", |snapshot| {
            Box::pin(async move { Ok::<_, Error>(clients::load(snapshot, &id).await?) })
        })
        .await
}

/// What is asked, and the row it is kept as: read from the address, or pushed before.
async fn take_in(
    app: &App,
    session: &Session,
    params: &Params,
    (client, handle): (&ClientRegistration, &OpaqueToken),
    now: Instant,
) -> Result<Result<(AuthorizationRequest, AuthorizationRequestRow), AuthorizeError>, Error> {
    let life = Life { from: now, until: now.plus(REQUEST_LIFE) };
    let reference = match pushed_reference(params) {
        Ok(Some(reference)) => reference,
        Ok(None) => {
            let params = match effective(params, client, &app.issuer, now) {
                Ok(params) => params,
                Err(error) => return Ok(Err(PageError::from(error).into())),
            };
            let checked = AuthorizationRequest::check_direct(&params, client);
            return Ok(checked.map(|request| {
                let row = kept(handle, Some(session), &params, &request, life);
                (request, row)
            }));
        }
        Err(error) => return Ok(Err(error.into())),
    };
    let pushed = push::find(app, &reference, now).await?.filter(|row| row.client == *client.id());
    let Some(pushed) = pushed else { return Ok(Err(PageError::RequestUri.into())) };
    let request = again(&pushed, client)?;
    // Used up when it is answered: until then the same reference may be brought again, each time for a choice of its own.
    let row = AuthorizationRequestRow {
        id_hash: handle.hash().to_hex(),
        session_hash: Some(session.id.to_hex()),
        pushed_hash: Some(pushed.id_hash.clone()),
        created_at: life.from,
        expires_at: life.until,
        ..pushed
    };
    Ok(Ok((request, row)))
}

/// Who answers a client.
///
/// # Errors
/// [`CryptoError::NoTokenKey`].
pub(super) fn answerer<'a>(
    app: &'a App,
    client: &'a ClientRegistration,
    now: Instant,
) -> Result<Answerer<'a>, CryptoError> {
    let key = app.keys.token_key(client.signing_alg())?;
    Ok(Answerer { issuer: &app.issuer, client: client.id(), key, now })
}

/// Uses up what was pushed, for an answer that needs no choice.
async fn spend(
    app: &App,
    session: &Session,
    caller: &Caller,
    waiting: &Waiting,
    now: Instant,
) -> Result<(), Error> {
    let Some(pushed) = waiting.row.pushed_hash.clone() else { return Ok(()) };
    let refusal = waiting.refusal(session, PageError::RequestUri.code());
    let (app_, caller) = (Arc::clone(app), caller.clone());
    app.commit("authorize.spend", move |tx| {
        let (app, caller) = (Arc::clone(&app_), caller.clone());
        let (pushed, refusal) = (pushed.clone(), refusal.clone());
        Box::pin(async move { push::use_up(&app, tx, &pushed, refusal, (&caller, now)).await })
    })
    .await?
}

/// Journals a refusal that is only shown as a page, and gives it back.
async fn refused(
    app: &App,
    caller: &Caller,
    client: Option<&ClientRow>,
    error: Error,
    now: Instant,
) -> Result<Begun, Error> {
    note_refusal(app, caller, client, error.code(), now).await?;
    Err(error)
}

async fn note_refusal(
    app: &App,
    caller: &Caller,
    client: Option<&ClientRow>,
    code: &'static str,
    now: Instant,
) -> Result<(), Error> {
    let record = Record::refused(EventKind::AuthorizationRefused, code);
    let record = match client {
        Some(client) => record.client(&client.id),
        None => record,
    };
    append(app, caller, "authorize.refuse", record, now).await
}

pub(super) async fn append(
    app: &App,
    caller: &Caller,
    name: &'static str,
    record: Record,
    now: Instant,
) -> Result<(), Error> {
    let (app_, caller) = (Arc::clone(app), caller.clone());
    app.commit(name, move |tx: &mut Tx| {
        let (app, caller, record) = (Arc::clone(&app_), caller.clone(), record.clone());
        Box::pin(async move { record.append(&app, tx, &caller, now).await.map(drop) })
    })
    .await
}
