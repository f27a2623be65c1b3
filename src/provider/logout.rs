//! Logout asked for by a client (OpenID Connect RP-Initiated Logout 1.0).
//!
//! | what comes | what follows |
//! |---|---|
//! | a hint of ours, a registered address | logout, then the address with `state` |
//! | a hint of ours, no address | logout, then a page that says so |
//! | a hint of ours, an unregistered address | a page that asks; no redirect |
//! | a hint that is not ours, altered, or of another session in this browser | a page that asks; no redirect |
//! | no hint, with or without address or state | a page that asks, since anyone can send a browser here; no redirect |
//!
//! Where nobody is signed in there is nothing to ask: every row that asks shows the page that says so instead.

use super::authorize::{MAX_STATE, PageError};
use super::id_token::Hint;
use super::params::{Params, append_query, is_visible_ascii};
use super::registration::{ClientRegistration, RedirectUri};
use crate::mandate::ClientId;

/// A request to log out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoutRequest {
    /// An ID token of ours, not yet verified.
    pub id_token_hint: Option<String>,
    /// Where the browser should go afterwards.
    pub post_logout_redirect_uri: Option<String>,
    /// Given back there unchanged.
    pub state: Option<String>,
    /// The client that says it asks.
    pub client: Option<ClientId>,
}

/// How the hint relates to this browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogoutSession {
    /// Nobody is signed in.
    None,
    /// Someone is, and the hint's session is theirs.
    Hinted,
    /// Someone is, and the hint, if any, does not tell of them.
    Other,
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogoutDecision {
    /// Ask the person; on yes, log out and say so.
    ConfirmPage,
    /// Log out and say so.
    LogoutThenPage,
    /// Log out and send the browser to the address.
    LogoutThenRedirect(String),
}

impl LogoutRequest {
    /// Reads the parameters.
    ///
    /// # Errors
    /// [`PageError`] for a repeated parameter, a malformed client or a `state` that could not be given back.
    pub fn read(params: &Params) -> Result<Self, PageError> {
        if params.has_repeated() {
            return Err(PageError::Repeated);
        }
        let state = params.get("state").map(str::to_owned);
        if state.as_deref().is_some_and(|state| !is_visible_ascii(state, MAX_STATE)) {
            return Err(PageError::UnusableState);
        }
        let client = params.get("client_id").map(ClientId::parse).transpose();
        Ok(Self {
            id_token_hint: params.get("id_token_hint").map(str::to_owned),
            post_logout_redirect_uri: params.get("post_logout_redirect_uri").map(str::to_owned),
            state,
            client: client.map_err(|_| PageError::UnknownClient)?,
        })
    }

    /// Decides. `hint` is the request's hint once verified ([`Hint::read`]), `registered` the registration of the
    /// client it names.
    #[must_use]
    pub fn decide(
        &self,
        hint: Option<&Hint>,
        registered: Option<&ClientRegistration>,
        session: LogoutSession,
    ) -> LogoutDecision {
        // What cannot be honoured is asked about, unless there is nobody to ask.
        let otherwise = match session {
            LogoutSession::None => LogoutDecision::LogoutThenPage,
            LogoutSession::Hinted | LogoutSession::Other => LogoutDecision::ConfirmPage,
        };
        let (Some(hint), Some(client)) = (hint, registered) else { return otherwise };
        let consistent =
            *client.id() == hint.client && self.client.as_ref().is_none_or(|named| *named == hint.client);
        if !consistent || session == LogoutSession::Other {
            return otherwise;
        }
        match self.post_logout_redirect_uri.as_deref().map(|asked| client.post_logout_redirect_uri(asked)) {
            None => LogoutDecision::LogoutThenPage,
            Some(None) => otherwise,
            Some(Some(uri)) => LogoutDecision::LogoutThenRedirect(self.location(&uri)),
        }
    }

    fn location(&self, uri: &RedirectUri) -> String {
        append_query(uri.as_str(), self.state.as_deref().map(|state| ("state", state)))
    }
}
