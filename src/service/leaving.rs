//! Leaving a provider too: whoever signs out here, or answers on somebody else's screen, must not stay signed in where
//! they identified (OpenID Connect RP-Initiated Logout). The ID tokens that providers want to see for it rest sealed in
//! the session and go with it.

use super::sign_in::Provider;
use super::{App, Error, Session};
use crate::crypto::{Cell, OpaqueToken, SecretString};
use crate::storage::data_keys::KeyKind;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The ID tokens a session keeps. Secret: no `Debug`.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agents: Option<String>,
    /// Which of the others the professional signed in at; none for the usual one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agents_at: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    citizens: Option<String>,
}

impl Kept {
    /// What is kept of that provider, if anything is.
    fn take(&mut self, provider: &Provider) -> Option<String> {
        match provider {
            Provider::Citizens => self.citizens.take(),
            agents if self.agents() == *agents => self.agents.take(),
            Provider::Agents | Provider::OtherAgents(_) => None,
        }
    }

    fn put(&mut self, provider: &Provider, id_token: String) {
        match provider {
            Provider::Citizens => self.citizens = Some(id_token),
            Provider::Agents => (self.agents, self.agents_at) = (Some(id_token), None),
            Provider::OtherAgents(id) => {
                (self.agents, self.agents_at) = (Some(id_token), Some(id.clone()));
            }
        }
    }

    fn agents(&self) -> Provider {
        self.agents_at.clone().map_or(Provider::Agents, Provider::OtherAgents)
    }
}

/// How a browser leaves a provider.
pub enum Way {
    /// Nobody signed in there from this session.
    Nowhere,
    /// Through the provider's own sign-out, which sends back `state`.
    Through {
        /// Where to send the browser. It holds the ID token: for no log.
        address: String,
        /// What comes back, bound to this browser by whoever sends it.
        state: String,
    },
    /// The provider has no sign-out, or gives no answer: the person is still signed in there.
    Closed,
}

/// The session, which from now on also keeps the ID token of a sign-in at that provider.
pub(super) async fn keep(
    app: &App,
    session: &Session,
    provider: &Provider,
    id_token: &SecretString,
) -> Result<Session, Error> {
    let mut kept = open(app, session).await?;
    kept.put(provider, id_token.expose().to_owned());
    seal(app, session, kept).await
}

/// The session without what it kept of that provider: for its next form, when the person leaves.
pub(super) async fn without(app: &App, session: &Session, provider: &Provider) -> Result<Session, Error> {
    let mut kept = open(app, session).await?;
    match kept.take(provider) {
        Some(_) => seal(app, session, kept).await,
        None => Ok(session.clone()),
    }
}

/// The provider at which the professional of that session signed in.
///
/// # Errors
/// From the store and the keys.
pub async fn agents(app: &App, session: &Session) -> Result<Provider, Error> {
    Ok(open(app, session).await?.agents())
}

/// How the browser of that session leaves the provider; it comes back to [`crate::view::paths::SIGNED_OUT`].
///
/// # Errors
/// From the store and the keys; a provider that is away is no error.
pub async fn way(app: &App, session: &Session, provider: &Provider, back: &str) -> Result<Way, Error> {
    let Some(id_token) = open(app, session).await?.take(provider) else { return Ok(Way::Nowhere) };
    let Ok(back) = app.issuer.address(back).parse() else { return Ok(Way::Closed) };
    let state = SecretString::new(OpaqueToken::generate(&*app.entropy)?.expose().to_owned());
    let Some(party) = provider.party(app) else { return Ok(Way::Closed) };
    match party.logout_url(&SecretString::new(id_token), &back, Some(&state), app.now()).await {
        Ok(Some(address)) => {
            Ok(Way::Through { address: address.to_string(), state: state.expose().to_owned() })
        }
        Ok(None) => Ok(Way::Closed),
        Err(error) => {
            tracing::warn!(code = error.code(), provider = party.name(), "nobody could be signed out there");
            Ok(Way::Closed)
        }
    }
}

/// Where they rest. The row is named by the session's lasting name, since its key changes.
fn cell(session: &Session) -> Cell<'_> {
    Cell { table: "session", row: &session.sid, column: "id_token_hint_sealed" }
}

/// The key that also seals what is remembered of a sign-in under way.
async fn key(app: &App) -> Result<Arc<super::OpenKey>, Error> {
    let app_ = Arc::clone(app);
    app.store
        .read("leaving.key", |snapshot| {
            Box::pin(
                async move { app_.vault.find(&app_.keys, snapshot, KeyKind::System, "login_flow").await },
            )
        })
        .await?
        .ok_or(Error::Unreadable)
}

async fn open(app: &App, session: &Session) -> Result<Kept, Error> {
    match &session.id_tokens {
        None => Ok(Kept::default()),
        Some(sealed) => key(app).await?.open_json(&cell(session), sealed),
    }
}

async fn seal(app: &App, session: &Session, kept: Kept) -> Result<Session, Error> {
    let sealed = if kept.agents.is_none() && kept.citizens.is_none() {
        None
    } else {
        Some(key(app).await?.seal_json(&*app.entropy, &cell(session), &kept)?)
    };
    Ok(Session { id_tokens: sealed, ..session.clone() })
}
