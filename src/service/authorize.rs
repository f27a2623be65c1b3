//! A service asks to be opened in somebody's name: the request is checked and kept, and an aidant is offered what
//! stands and what this service may receive.

use super::grounds::Parties;
use super::represent::silently;
use super::{App, Caller, Error, Record, Session, SessionError, SignedInAidant, people, registry};
use crate::crypto::OpaqueToken;
use crate::mandate::{
    Act, BirthDate, EventKind, Identity, Instant, Mandate, MandateId, OrganisationId, ProcedureId, Refusal,
    Standing, UsagerId,
};
use crate::provider::{
    AuthorizationRequest, AuthorizeCode, AuthorizeError, ClientRegistration, ErrorAnswer, PageError, Params,
    client_of,
};
use crate::storage::authorizations::{self, AuthorizationRequestRow};
use crate::storage::clients::{self, ClientRow};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::usagers::{self, UsagerRow};
use crate::storage::{Snapshot, Tx};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use time::Duration;

/// How long a request waits for its answer: time to sign in and to prove a second factor.
pub const REQUEST_LIFE: Duration = Duration::minutes(15);
/// How many persons are offered without being looked up.
const OFFERED: usize = 12;
/// How far back "recently" reaches, in representations of the aidant.
const RECENT: u32 = 24;
/// How many mandates of one usager are shown, standing or not.
const SHOWN: u32 = 20;

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

/// A usager to choose.
pub struct Candidate {
    /// Identifier.
    pub usager: UsagerId,
    /// Who it is. Personal data.
    pub identity: Identity,
    /// Their mandates under which something is possible here.
    pub mandates: Vec<MandateId>,
}

/// Whom the aidant may choose.
pub struct Offer {
    /// The request.
    pub waiting: Waiting,
    /// For whom the aidant acts.
    pub organisation: OrganisationId,
    /// Whether they come from a search.
    pub searched: bool,
    /// The persons.
    pub candidates: Vec<Candidate>,
}

/// One procedure of one mandate.
pub struct Choice {
    /// The mandate.
    pub mandate: MandateId,
    /// The procedure.
    pub procedure: ProcedureId,
    /// The acts it would be opened for.
    pub acts: BTreeSet<Act>,
    /// Until when at most, or why not.
    pub decided: Result<Instant, Refusal>,
}

/// What the aidant may choose for one usager.
pub struct Choices {
    /// The request.
    pub waiting: Waiting,
    /// In whose name.
    pub usager: UsagerId,
    /// Who that is. Personal data.
    pub identity: Identity,
    /// What stands, and what does not with its reason.
    pub choices: Vec<Choice>,
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
    let request = match AuthorizationRequest::check(params, &client) {
        Ok(request) => request,
        Err(AuthorizeError::Page(error)) => {
            return refused(app, caller, Some(&row), error.into(), now).await;
        }
        Err(AuthorizeError::Redirect(answer)) => {
            note_refusal(app, caller, Some(&row), answer.code.as_str(), now).await?;
            return Ok(Begun::Answered(answer.location(&app.issuer)));
        }
    };
    let handle = OpaqueToken::generate(&*app.entropy)?;
    let waiting = Waiting {
        handle: handle.expose().to_owned(),
        row: kept(&handle, session, params, &request, now),
        request,
        client,
        client_row: row,
    };
    if waiting.request.is_silent() {
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

/// Offers the persons this aidant helped last, or whose mandates stand.
pub async fn offer(app: &App, session: &Session, caller: &Caller, handle: &str) -> Result<Offer, Error> {
    let now = app.now();
    let waiting = look(app, session, handle, now).await?;
    let offer = recent(app, session, waiting, now).await?;
    note_offer(app, session, caller, &offer, false, now).await?;
    Ok(offer)
}

/// Looks a usager up by birth name and birth date, within the own organisation only; the look-up is journaled.
pub async fn find(
    app: &App,
    session: &Session,
    caller: &Caller,
    handle: &str,
    family_name: &str,
    birthdate: &BirthDate,
) -> Result<Offer, Error> {
    let now = app.now();
    let waiting = look(app, session, handle, now).await?;
    let aidant = session.aidant()?.aidant.clone();
    let (app_, row, name, birthdate) =
        (Arc::clone(app), waiting.client_row.clone(), family_name.to_owned(), birthdate.clone());
    let (parties, found) = app
        .store
        .read("authorize.find", move |snapshot| {
            Box::pin(async move {
                let parties = Parties::read(snapshot, &aidant, &row).await?;
                let blind = people::usager_blind(&app_, &parties.organisation.id, &name, &birthdate);
                let mut found = Vec::new();
                for usager in usagers::found(snapshot, &parties.organisation.id, &blind).await? {
                    let organisation = &parties.organisation.id;
                    let rows = mandates::of_usager_in(snapshot, &usager.id, organisation, SHOWN).await?;
                    let identity = people::identity(&app_, snapshot, &usager).await?;
                    // A blind index gives candidates only: the opened value decides.
                    if is_meant(&identity, &name, &birthdate) && !rows.is_empty() {
                        found.push((usager.id, identity, rows));
                    }
                }
                Ok::<_, Error>((parties, found))
            })
        })
        .await?;
    // Whoever is found is shown, with what stands or with nothing: the next page tells why.
    let candidates: Vec<Candidate> = found
        .into_iter()
        .map(|(usager, identity, rows)| Candidate {
            mandates: rows
                .iter()
                .filter(|row| possible(app, &parties, &waiting, row, now))
                .map(|row| row.mandate.id.clone())
                .collect(),
            usager,
            identity,
        })
        .collect();
    let record = Record::done(EventKind::UsagerLookedUp)
        .organisation(&parties.organisation.id)
        .aidant(&parties.aidant.id)
        .client(&waiting.request.client)
        .detail("found", candidates.len());
    let record = match candidates.as_slice() {
        [one] => record.usager(&one.usager),
        _ => record,
    };
    append(app, caller, "authorize.looked_up", record, now).await?;
    Ok(Offer { waiting, organisation: parties.organisation.id, searched: true, candidates })
}

fn is_meant(identity: &Identity, family_name: &str, birthdate: &BirthDate) -> bool {
    let typed = people::plain_name(family_name);
    let names = [Some(&identity.family_name), identity.preferred_username.as_ref()];
    identity.birthdate == *birthdate
        && names.into_iter().flatten().any(|name| people::plain_name(name) == typed)
}

/// What the aidant may choose for one usager of the own organisation.
///
/// # Errors
/// [`Error::NotFound`] for anybody else's usager.
pub async fn choices(
    app: &App,
    session: &Session,
    caller: &Caller,
    handle: &str,
    usager: &UsagerId,
) -> Result<Choices, Error> {
    let now = app.now();
    let waiting = look(app, session, handle, now).await?;
    let aidant = session.aidant()?.aidant.clone();
    let (app_, row, id) = (Arc::clone(app), waiting.client_row.clone(), usager.clone());
    let (parties, rows, identity) = app
        .store
        .read("authorize.choices", move |snapshot| {
            Box::pin(async move {
                let parties = Parties::read(snapshot, &aidant, &row).await?;
                let rows = mandates::of_usager_in(snapshot, &id, &parties.organisation.id, SHOWN).await?;
                if rows.is_empty() {
                    return Err(Error::NotFound);
                }
                let (_, identity) = people::usager(&app_, snapshot, &id).await?;
                Ok((parties, rows, identity))
            })
        })
        .await?;
    let choices: Vec<Choice> =
        rows.iter().flat_map(|row| of_mandate(app, &parties, &waiting, &row.mandate, now)).collect();
    let record = Record::done(EventKind::ChoiceOffered)
        .organisation(&parties.organisation.id)
        .aidant(&parties.aidant.id)
        .usager(usager)
        .client(&waiting.request.client)
        .detail("offered", choices.iter().filter(|choice| choice.decided.is_ok()).count());
    append(app, caller, "authorize.offered", record, now).await?;
    Ok(Choices { waiting, usager: usager.clone(), identity, choices })
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
            let taken = authorizations::take(tx, &waiting.row.id_hash, &session.id.to_hex(), now).await?;
            taken.ok_or(Error::Conflict)?;
            let record =
                Record::refused(EventKind::AuthorizationRefused, AuthorizeCode::AccessDenied.as_str())
                    .client(&waiting.request.client);
            let record = match session.aidant() {
                Ok(aidant) => record.aidant(aidant.aidant),
                Err(_) => record,
            };
            record.append(&app, tx, &caller, now).await?;
            let description = "the aidant gave up";
            let answer =
                ErrorAnswer { to: waiting.request.to, code: AuthorizeCode::AccessDenied, description };
            Ok(answer.location(&app.issuer))
        })
    })
    .await
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
        match &self.request.asked.procedure {
            Some(asked) if asked != procedure => Err(Refusal::ServiceNotEntitled),
            _ => Ok(allowed),
        }
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
        .read("authorize.request", |snapshot| {
            Box::pin(async move { open(snapshot, &held, &handle, now).await })
        })
        .await?;
    waiting.ready(session, now)?;
    Ok(waiting)
}

async fn load_client(app: &App, id: &crate::mandate::ClientId) -> Result<Option<ClientRow>, Error> {
    let id = id.clone();
    app.store
        .read("authorize.client", |snapshot| {
            Box::pin(async move { Ok::<_, Error>(clients::load(snapshot, &id).await?) })
        })
        .await
}

async fn recent(app: &App, session: &Session, waiting: Waiting, now: Instant) -> Result<Offer, Error> {
    let aidant = session.aidant()?.aidant.clone();
    let (app_, client) = (Arc::clone(app), waiting.client_row.clone());
    let (parties, rows, mut identities) = app
        .store
        .read("authorize.recent", move |snapshot| {
            Box::pin(async move {
                let parties = Parties::read(snapshot, &aidant, &client).await?;
                let organisation = &parties.organisation.id;
                let mut rows =
                    mandates::standing_of_helped(snapshot, organisation, &aidant, now, RECENT).await?;
                let helped = usagers::helped(snapshot, &aidant, RECENT).await?;
                if helped.len() < OFFERED {
                    rows.extend(mandates::some_standing(snapshot, organisation, now, RECENT).await?);
                }
                let identities = identities(&app_, snapshot, &rows, helped).await?;
                Ok::<_, Error>((parties, rows, identities))
            })
        })
        .await?;
    let mut offered: BTreeMap<UsagerId, BTreeSet<MandateId>> = BTreeMap::new();
    for row in &rows {
        let Some(usager) = row.mandate.usager() else { continue };
        let room = offered.len() < OFFERED || offered.contains_key(usager);
        if room && possible(app, &parties, &waiting, row, now) {
            offered.entry(usager.clone()).or_default().insert(row.mandate.id.clone());
        }
    }
    let candidates = offered.into_iter().filter_map(|(usager, mandates)| {
        let identity = identities.remove(&usager)?;
        Some(Candidate { usager, identity, mandates: mandates.into_iter().collect() })
    });
    let organisation = parties.organisation.id;
    Ok(Offer { candidates: candidates.collect(), waiting, organisation, searched: false })
}

/// Opens the identities of the usagers of these mandates, each once. Whoever was erased is left out.
async fn identities(
    app: &App,
    snapshot: &mut Snapshot,
    rows: &[MandateRow],
    helped: Vec<UsagerRow>,
) -> Result<BTreeMap<UsagerId, Identity>, Error> {
    let mut at_hand: BTreeMap<UsagerId, UsagerRow> =
        helped.into_iter().map(|row| (row.id.clone(), row)).collect();
    let mut opened = BTreeMap::new();
    for usager in rows.iter().filter_map(|row| row.mandate.usager()) {
        if opened.contains_key(usager) || opened.len() >= 2 * OFFERED {
            continue;
        }
        let row = match at_hand.remove(usager) {
            Some(row) => Some(row),
            None => usagers::load(snapshot, usager).await?,
        };
        let Some(row) = row else { continue };
        match people::identity(app, snapshot, &row).await {
            Ok(identity) => drop(opened.insert(usager.clone(), identity)),
            Err(Error::Unreadable) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(opened)
}

fn of_mandate<'a>(
    app: &'a App,
    parties: &'a Parties,
    waiting: &'a Waiting,
    mandate: &'a Mandate,
    now: Instant,
) -> impl Iterator<Item = Choice> + 'a {
    mandate.terms.procedures.keys().map(move |procedure| Choice {
        mandate: mandate.id.clone(),
        procedure: procedure.clone(),
        acts: waiting.acts(mandate, procedure),
        decided: waiting.decide(app, parties, mandate, procedure, now).map(|allowed| allowed.until),
    })
}

/// Whether something is possible here under a mandate.
fn possible(app: &App, parties: &Parties, waiting: &Waiting, row: &MandateRow, now: Instant) -> bool {
    of_mandate(app, parties, waiting, &row.mandate, now).any(|choice| choice.decided.is_ok())
}

/// The request as it is kept: what the service sent, to be read again as strictly as when it came.
fn kept(
    handle: &OpaqueToken,
    session: &Session,
    params: &Params,
    request: &AuthorizationRequest,
    now: Instant,
) -> AuthorizationRequestRow {
    let sent = |name: &str| params.get(name).map(str::to_owned);
    AuthorizationRequestRow {
        id_hash: handle.hash().to_hex(),
        session_hash: Some(session.id.to_hex()),
        client: request.client.clone(),
        redirect_uri: request.to.redirect_uri.as_str().to_owned(),
        state: request.to.state.clone(),
        nonce: request.nonce.clone(),
        code_challenge: request.code_challenge.as_str().to_owned(),
        scope: sent("scope").unwrap_or_default(),
        prompt: sent("prompt"),
        max_age: request.max_age.map(Duration::whole_seconds),
        login_hint: None,
        ui_locales: None,
        acr_values: None,
        claims: None,
        authorization_details: sent("authorization_details"),
        created_at: now,
        expires_at: now.plus(REQUEST_LIFE),
        used_at: None,
    }
}

/// Reads a kept request again, so that a registration that changed meanwhile counts.
fn again(row: &AuthorizationRequestRow, client: &ClientRegistration) -> Result<AuthorizationRequest, Error> {
    let max_age = row.max_age.map(|seconds| seconds.to_string());
    let fixed = [
        ("client_id", Some(row.client.as_str())),
        ("response_type", Some("code")),
        ("redirect_uri", Some(row.redirect_uri.as_str())),
        ("scope", Some(row.scope.as_str())),
        ("code_challenge", Some(row.code_challenge.as_str())),
        ("code_challenge_method", Some("S256")),
        ("state", row.state.as_deref()),
        ("nonce", row.nonce.as_deref()),
        ("prompt", row.prompt.as_deref()),
        ("max_age", max_age.as_deref()),
        ("authorization_details", row.authorization_details.as_deref()),
    ];
    let sent = fixed.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    let params = Params::of(sent).map_err(|_| Error::Unreadable)?;
    AuthorizationRequest::check(&params, client).map_err(|error| match error {
        AuthorizeError::Page(error) => error.into(),
        AuthorizeError::Redirect(_) => Error::NotFound,
    })
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

/// Journals what was offered; keeps the request in the same write when it is new.
async fn note_offer(
    app: &App,
    session: &Session,
    caller: &Caller,
    offer: &Offer,
    new: bool,
    now: Instant,
) -> Result<(), Error> {
    let record = Record::done(EventKind::ChoiceOffered)
        .organisation(&offer.organisation)
        .aidant(session.aidant()?.aidant)
        .client(&offer.waiting.request.client)
        .detail("persons", offer.candidates.len());
    let (app_, caller) = (Arc::clone(app), caller.clone());
    let row = new.then(|| offer.waiting.row.clone());
    app.commit("authorize.offer", move |tx| {
        let (app, caller, record, row) = (Arc::clone(&app_), caller.clone(), record.clone(), row.clone());
        Box::pin(async move {
            if let Some(row) = &row {
                authorizations::insert(tx, row).await?;
            }
            record.append(&app, tx, &caller, now).await.map(drop)
        })
    })
    .await
}

async fn append(
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
