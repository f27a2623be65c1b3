//! Signing in: begun here, done at a provider, completed here, in the same browser and once.
//!
//! Aidants and auditors come by the agents' provider and must be registered: matched by issuer and subject, the first
//! time by an invitation bound to the e-mail address that the provider asserts. Usagers come by the citizens'
//! provider, either into their own space or in front of a handed-over screen.

mod agent;
mod citizen;
mod other;

pub(super) use other::{code, waiting};

use super::session::{self, Opened};
use super::{App, Caller, Error, Record, Session, SignInError, Who, leaving};
use crate::crypto::{Cell, OpaqueToken, SecretString};
use crate::mandate::{EventKind, Instant};
use crate::relying::{BeginOptions, CallbackQuery, Expected, RelyingError, RelyingParty, SignedIn};
use crate::storage::data_keys::KeyKind;
use crate::storage::login_flows::{self, LoginFlowRow};
use crate::storage::{Snapshot, Tx};
use std::borrow::Cow;
use std::sync::Arc;
use time::Duration;

/// A sign-in is completed within this long, or begun again.
const FLOW_LIFE: Duration = Duration::minutes(10);

/// What a person signs in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// An aidant to work.
    Aidant,
    /// An auditor to read.
    Auditor,
    /// A usager to their own space.
    Usager,
    /// A usager in front of a handed-over screen, to consent or refuse.
    Consent,
}

/// Which provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Provider {
    /// Of professionals (ProConnect): the usual one.
    Agents,
    /// Of professionals with addresses of certain domains: by its identifier.
    OtherAgents(String),
    /// Of citizens (FranceConnect).
    Citizens,
}

impl Provider {
    /// The name people know it by; none when it is configured no more.
    #[must_use]
    pub fn label<'a>(&self, app: &'a App) -> Option<&'a str> {
        self.party(app).map(RelyingParty::label)
    }

    /// The stable name.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Agents => "agents".into(),
            Self::OtherAgents(id) => format!("agents/{id}").into(),
            Self::Citizens => "citizens".into(),
        }
    }

    /// The provider of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "agents" => Some(Self::Agents),
            "citizens" => Some(Self::Citizens),
            other => other.strip_prefix("agents/").map(|id| Self::OtherAgents(id.to_owned())),
        }
    }

    pub(super) fn party<'a>(&self, app: &'a App) -> Option<&'a RelyingParty> {
        match self {
            Self::Agents => Some(app.agents.usual()),
            Self::OtherAgents(id) => app.agents.other(id),
            Self::Citizens => Some(&app.citizens),
        }
    }
}

impl Purpose {
    const ALL: [Self; 4] = [Self::Aidant, Self::Auditor, Self::Usager, Self::Consent];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Aidant => "aidant",
            Self::Auditor => "auditor",
            Self::Usager => "usager",
            Self::Consent => "consent",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// Whether people come by that provider for this.
    const fn fits(self, provider: &Provider) -> bool {
        match provider {
            Provider::Agents | Provider::OtherAgents(_) => matches!(self, Self::Aidant | Self::Auditor),
            Provider::Citizens => matches!(self, Self::Usager | Self::Consent),
        }
    }

    /// The provider for this and for somebody who says this address is theirs.
    fn provider(self, app: &App, address: Option<&str>) -> Result<Provider, Error> {
        match self {
            Self::Usager | Self::Consent => Ok(Provider::Citizens),
            Self::Aidant | Self::Auditor if !app.agents.are_several() => Ok(Provider::Agents),
            Self::Aidant | Self::Auditor => {
                let chosen = address.and_then(|address| app.agents.of_address(address));
                chosen.ok_or_else(|| super::InputError::Field("email").into())
            }
        }
    }

    /// On a screen that several people use, a usager always identifies anew (invariant 5).
    const fn is_fresh(self) -> bool {
        matches!(self, Self::Usager | Self::Consent)
    }

    const fn refusal(self) -> EventKind {
        match self {
            Self::Consent => EventKind::UsagerIdentificationRefused,
            Self::Aidant | Self::Auditor | Self::Usager => EventKind::SignInRefused,
        }
    }
}

/// A completed sign-in.
pub struct SignedInSession {
    /// The session, rotated.
    pub opened: Opened,
    /// What it was for.
    pub purpose: Purpose,
    /// The path of ours the person was on their way to, if any.
    pub return_to: String,
}

/// Begins a sign-in and gives the address of the provider to send the browser to. Where professionals have several, the
/// domain of the address they say is theirs chooses.
///
/// # Errors
/// [`Error::Input`] when an address is needed and this is none;
/// [`Error::Session`] when the session is not one that may sign in for this purpose; [`Error::Relying`] when the
/// provider is away.
pub async fn begin(
    app: &App,
    session: &Session,
    purpose: Purpose,
    address: Option<&str>,
    return_to: &str,
) -> Result<String, Error> {
    match (purpose, &session.who) {
        (Purpose::Consent, _) => drop(session.consenting()?),
        (_, Who::HandedOver { .. } | Who::Locked { .. }) => {
            return Err(super::SessionError::ScreenLocked.into());
        }
        _ => {}
    }
    let now = app.now();
    let provider = purpose.provider(app, address)?;
    let options = BeginOptions {
        // Who is signed in already signs in again because a service asked for it: they must be seen anew.
        prompt_login: purpose.is_fresh() || matches!(session.who, Who::Aidant { .. }),
        max_age: None,
        ui_locales: match provider {
            Provider::Agents | Provider::OtherAgents(_) => Vec::new(),
            Provider::Citizens => vec![session.language.as_str().to_owned()],
        },
        login_hint: address.map(|address| address.trim().to_owned()),
    };
    let begun = provider.party(app).ok_or(Error::NotFound)?.begin(&*app.entropy, &options, now).await?;
    let flow = Arc::new((begun.expected, session.id.to_hex(), return_to.to_owned(), provider));
    let app_ = Arc::clone(app);
    app.commit("sign_in.begin", move |tx| {
        let (app, flow) = (Arc::clone(&app_), Arc::clone(&flow));
        Box::pin(async move {
            let (expected, session_hash, return_to, provider) = &*flow;
            let row = sealed_flow(&app, tx, expected, (purpose, provider), session_hash, return_to).await?;
            Ok(login_flows::insert(tx, &row).await?)
        })
    })
    .await?;
    Ok(begun.url.to_string())
}

async fn sealed_flow(
    app: &App,
    tx: &mut Tx,
    expected: &Expected,
    (purpose, provider): (Purpose, &Provider),
    session_hash: &str,
    return_to: &str,
) -> Result<LoginFlowRow, Error> {
    let subject = (KeyKind::System, "login_flow");
    let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, subject, expected.begun_at).await?;
    let state_hash = OpaqueToken::hash_of(expected.state.expose()).to_hex();
    let seal = |column: &str, text: &str| {
        let cell = Cell { table: "login_flow", row: &state_hash, column };
        key.seal(&*app.entropy, &cell, text.as_bytes())
    };
    let verifier = expected.pkce_verifier.as_ref().map_or("", SecretString::expose);
    Ok(LoginFlowRow {
        nonce_sealed: seal("nonce_sealed", expected.nonce.expose())?,
        verifier_sealed: seal("verifier_sealed", verifier)?,
        state_hash: state_hash.clone(),
        session_hash: session_hash.to_owned(),
        provider: provider.name().into_owned(),
        purpose: purpose.as_str().to_owned(),
        return_to: return_to.to_owned(),
        created_at: expected.begun_at,
        expires_at: expected.begun_at.plus(FLOW_LIFE),
        used_at: None,
    })
}

/// Completes a sign-in: only in the session that began it, only once, only in time (invariant 6). A browser without
/// a session has begun none. `counted` counts a sign-in of the account that the provider names, and says after how
/// many seconds it may come again when that is too often.
///
/// # Errors
/// [`Error::SignIn`] or [`Error::Relying`]; each refusal is journaled and the session stays as it was.
pub async fn complete(
    app: &App,
    session: Option<&Session>,
    caller: &Caller,
    provider: &Provider,
    query: &CallbackQuery,
    counted: impl Fn(&str) -> Result<(), u32>,
) -> Result<SignedInSession, Error> {
    let Some(session) = session else {
        return refuse(app, None, caller, EventKind::SignInRefused, SignInError::UnknownFlow.into()).await;
    };
    let Some((purpose, expected, return_to)) = take(app, session, provider, query).await? else {
        return refuse(app, Some(session), caller, EventKind::SignInRefused, SignInError::UnknownFlow.into())
            .await;
    };
    let now = app.now();
    let party = provider.party(app).ok_or(Error::NotFound)?;
    let signed_in = match party.complete(query, &expected, now).await {
        Ok(signed_in) => signed_in,
        Err(RelyingError::Denied) => {
            return refuse(app, Some(session), caller, purpose.refusal(), SignInError::Cancelled.into())
                .await;
        }
        Err(error) => return refuse(app, Some(session), caller, purpose.refusal(), error.into()).await,
    };
    // Who signs in is known from here on, registered or not.
    if let Err(retry_after) = counted(&format!("{} {}", signed_in.issuer, signed_in.subject)) {
        let error = SignInError::TooOften { retry_after };
        return refuse(app, Some(session), caller, purpose.refusal(), error.into()).await;
    }
    let held = leaving::keep(app, session, provider, &signed_in.id_token).await?;
    let opened = match purpose {
        Purpose::Aidant => agent::aidant(app, &held, caller, (provider, &signed_in)).await,
        Purpose::Auditor => agent::auditor(app, &held, caller, (provider, &signed_in)).await,
        Purpose::Usager | Purpose::Consent => citizen::usager(app, &held, caller, &signed_in).await,
    };
    match opened {
        Ok(opened) => Ok(SignedInSession { opened, purpose, return_to }),
        Err(Error::SignIn(error)) => {
            refuse(app, Some(session), caller, purpose.refusal(), error.into()).await
        }
        Err(error) => Err(error),
    }
}

/// Uses up the flow that the callback's `state` names, and opens what was remembered of it.
async fn take(
    app: &App,
    session: &Session,
    provider: &Provider,
    query: &CallbackQuery,
) -> Result<Option<(Purpose, Expected, String)>, Error> {
    let Some(state) = query.state.clone() else { return Ok(None) };
    let (now, session_hash) = (app.now(), session.id.to_hex());
    let state_hash = OpaqueToken::hash_of(&state).to_hex();
    let app_ = Arc::clone(app);
    let taken = app
        .commit("sign_in.take", move |tx| {
            let (app, session_hash, state_hash) =
                (Arc::clone(&app_), session_hash.clone(), state_hash.clone());
            Box::pin(async move {
                match login_flows::take(tx, &state_hash, &session_hash, now).await? {
                    Some(row) => Ok(Some(opened_flow(&app, tx, row).await?)),
                    None => Ok(None),
                }
            })
        })
        .await?;
    let Some((row, nonce, verifier)) = taken else { return Ok(None) };
    // Whoever another provider sends back began elsewhere (RFC 9700, section 4.4).
    let began = row.provider == provider.name();
    let Some(purpose) = Purpose::parse(&row.purpose).filter(|purpose| began && purpose.fits(provider)) else {
        return Ok(None);
    };
    let expected = Expected {
        state: SecretString::new(state),
        nonce: SecretString::new(nonce),
        pkce_verifier: (!verifier.is_empty()).then(|| SecretString::new(verifier)),
        begun_at: row.created_at,
        authenticated_since: purpose.is_fresh().then_some(row.created_at),
    };
    Ok(Some((purpose, expected, row.return_to)))
}

async fn opened_flow(
    app: &App,
    snapshot: &mut Snapshot,
    row: LoginFlowRow,
) -> Result<(LoginFlowRow, String, String), Error> {
    let key = app.vault.find(&app.keys, snapshot, KeyKind::System, "login_flow").await?;
    let key = key.ok_or(Error::Unreadable)?;
    let open = |column: &str, sealed: &[u8]| {
        let cell = Cell { table: "login_flow", row: &row.state_hash, column };
        String::from_utf8(key.open(&cell, sealed)?).map_err(|_| Error::Unreadable)
    };
    let nonce = open("nonce_sealed", &row.nonce_sealed)?;
    let verifier = open("verifier_sealed", &row.verifier_sealed)?;
    Ok((row, nonce, verifier))
}

/// Journals the refusal of a sign-in and gives it back.
async fn refuse<T>(
    app: &App,
    session: Option<&Session>,
    caller: &Caller,
    kind: EventKind,
    error: Error,
) -> Result<T, Error> {
    let record = Record::refused(kind, error.code());
    let record = match session.map(|session| &session.who) {
        Some(Who::HandedOver { aidant, mandate, .. }) => record.aidant(aidant).about(mandate),
        Some(Who::Consenting { mandate, .. }) => record.about(mandate),
        _ => record,
    };
    let (app_, caller, now) = (Arc::clone(app), caller.clone(), app.now());
    app.commit("sign_in.refuse", move |tx| {
        let (app, caller, record) = (Arc::clone(&app_), caller.clone(), record.clone());
        Box::pin(async move { record.append(&app, tx, &caller, now).await.map(drop) })
    })
    .await?;
    Err(error)
}

/// Signs out: the session is over and what was open in it is closed.
pub async fn sign_out(app: &App, session: &Session, caller: &Caller) -> Result<(), Error> {
    let of = |role: &str| Record::done(EventKind::SignedOut).detail("role", role);
    let record = match &session.who {
        Who::Anonymous => of("nobody"),
        Who::Aidant { aidant, .. } | Who::HandedOver { aidant, .. } | Who::Locked { aidant, .. } => {
            of("aidant").aidant(aidant)
        }
        Who::Consenting { mandate, .. } => of("usager").about(mandate),
        Who::Usager { usager, .. } => of("usager").usager(usager),
        Who::Auditor { auditor, .. } => of("auditor").auditor(auditor),
    };
    let (app_, caller, now, id, sid) =
        (Arc::clone(app), caller.clone(), app.now(), session.id, session.sid.clone());
    app.commit("sign_out", move |tx| {
        let (app, caller, record, sid) = (Arc::clone(&app_), caller.clone(), record.clone(), sid.clone());
        Box::pin(async move {
            super::end::close_session(&app, tx, &sid, (&caller, now)).await?;
            record.append(&app, tx, &caller, now).await?;
            session::end(tx, &id).await
        })
    })
    .await
}

/// What the provider says of a level, which must not be empty.
fn level(signed_in: &SignedIn) -> Result<String, SignInError> {
    signed_in.acr.clone().filter(|acr| !acr.is_empty()).ok_or(SignInError::IdentityIncomplete)
}

/// The instant the provider authenticated the person; its word is in whole seconds, ours stands when it has none.
fn authenticated_at(signed_in: &SignedIn, now: Instant) -> Instant {
    signed_in.auth_time.filter(|at| *at <= now).unwrap_or(now)
}
