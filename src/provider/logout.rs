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

#[cfg(test)]
mod tests {
    use super::super::ClientDraft;
    use super::super::testing::{AFTER_LOGOUT, REDIRECT, client, draft, id, id_token, issuer, jwks, params};
    use super::*;
    use proptest::prelude::*;

    const STATE: &str = "128-character-state";

    /// What follows from these parameters, the hint read as the caller does.
    fn decide(pairs: &[(&str, &str)], session: LogoutSession) -> LogoutDecision {
        let request = LogoutRequest::read(&Params::of(pairs.iter().copied()).unwrap()).unwrap();
        let hint = request.id_token_hint.as_deref().and_then(|jwt| Hint::read(jwt, &issuer(), &jwks("k1")));
        request.decide(hint.as_ref(), Some(&client()), session)
    }

    fn hinted(pairs: &[(&str, &str)]) -> LogoutDecision {
        decide(pairs, LogoutSession::Hinted)
    }

    #[test]
    fn oidcc_rp_initiated_logout() {
        let jwt = id_token(|_| ());
        let pairs = [("id_token_hint", &*jwt), ("post_logout_redirect_uri", AFTER_LOGOUT), ("state", STATE)];
        let redirect = LogoutDecision::LogoutThenRedirect(format!("{AFTER_LOGOUT}?state={STATE}"));
        assert_eq!(hinted(&pairs), redirect);
        assert_eq!(decide(&pairs, LogoutSession::None), redirect);
    }

    #[test]
    fn oidcc_rp_initiated_logout_no_state() {
        let jwt = id_token(|_| ());
        let pairs = [("id_token_hint", &*jwt), ("post_logout_redirect_uri", AFTER_LOGOUT)];
        assert_eq!(hinted(&pairs), LogoutDecision::LogoutThenRedirect(AFTER_LOGOUT.to_owned()));
    }

    #[test]
    fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
        let jwt = id_token(|_| ());
        for bad in [
            "https://evil.example/",
            "https://caisse.example/post_logout_redirect/",
            "https://caisse.example/post_logout_redirect?foo=bar",
            REDIRECT,
        ] {
            let pairs = [("id_token_hint", &*jwt), ("post_logout_redirect_uri", bad)];
            assert_eq!(hinted(&pairs), LogoutDecision::ConfirmPage, "{bad}");
            assert_eq!(decide(&pairs, LogoutSession::None), LogoutDecision::LogoutThenPage, "{bad}");
        }
    }

    #[test]
    fn oidcc_rp_initiated_logout_no_id_token_hint() {
        for pairs in [
            &[("post_logout_redirect_uri", AFTER_LOGOUT)][..],
            &[("post_logout_redirect_uri", AFTER_LOGOUT), ("client_id", "caisse")],
        ] {
            assert_eq!(decide(pairs, LogoutSession::Other), LogoutDecision::ConfirmPage);
        }
    }

    #[test]
    fn oidcc_rp_initiated_logout_modified_and_bad_id_token_hint() {
        let jwt = id_token(|_| ());
        let modified = format!("{}AAAA", jwt.rsplit_once('.').map_or("", |(head, _)| head));
        for bad in [modified, "x".to_owned()] {
            let pairs = [("id_token_hint", &*bad), ("post_logout_redirect_uri", AFTER_LOGOUT)];
            assert_eq!(decide(&pairs, LogoutSession::Other), LogoutDecision::ConfirmPage);
        }
    }

    #[test]
    fn oidcc_rp_initiated_logout_no_params_and_only_state() {
        for pairs in [&[][..], &[("state", STATE)]] {
            assert_eq!(decide(pairs, LogoutSession::Other), LogoutDecision::ConfirmPage);
            assert_eq!(decide(pairs, LogoutSession::None), LogoutDecision::LogoutThenPage);
        }
    }

    #[test]
    fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
        let jwt = id_token(|_| ());
        assert_eq!(hinted(&[("id_token_hint", &jwt)]), LogoutDecision::LogoutThenPage);
    }

    #[test]
    fn a_hint_of_another_session_or_client_is_asked_about() {
        let jwt = id_token(|_| ());
        let pairs = [("id_token_hint", &*jwt), ("post_logout_redirect_uri", AFTER_LOGOUT)];
        assert_eq!(decide(&pairs, LogoutSession::Other), LogoutDecision::ConfirmPage);
        let named = [pairs[0], pairs[1], ("client_id", "other")];
        assert_eq!(hinted(&named), LogoutDecision::ConfirmPage);
        let request = LogoutRequest::read(&Params::of(pairs).unwrap()).unwrap();
        let hint = Hint::read(&jwt, &issuer(), &jwks("k1"));
        let other = ClientRegistration::try_from(ClientDraft { id: id("other"), ..draft() }).unwrap();
        let decision = request.decide(hint.as_ref(), Some(&other), LogoutSession::Hinted);
        assert_eq!(decision, LogoutDecision::ConfirmPage);
        assert_eq!(request.decide(hint.as_ref(), None, LogoutSession::Hinted), LogoutDecision::ConfirmPage);
    }

    proptest! {
        #[test]
        fn a_browser_is_only_ever_sent_to_a_registered_address(
            hint in prop_oneof![Just(id_token(|_| ())), "\\PC{0,20}"],
            uri in prop_oneof![Just(AFTER_LOGOUT.to_owned()), "https://caisse[.]example/[a-z_?#]{0,20}", "\\PC{0,20}"],
            state in "[ -~]{0,20}",
            session in prop::sample::select(vec![LogoutSession::None, LogoutSession::Hinted, LogoutSession::Other]),
        ) {
            prop_assume!(![&hint, &uri].iter().any(|text| text.contains(char::REPLACEMENT_CHARACTER)));
            let pairs = [("id_token_hint", &*hint), ("post_logout_redirect_uri", &*uri), ("state", &*state)];
            if let LogoutDecision::LogoutThenRedirect(location) = decide(&pairs, session) {
                let (address, query) = location.split_once('?').unwrap_or((&location, ""));
                prop_assert_eq!(address, AFTER_LOGOUT);
                let given_back = params(query).get("state").unwrap_or_default().to_owned();
                prop_assert_eq!(given_back, state);
            }
        }
    }

    #[test]
    fn unreadable_requests_get_a_page() {
        assert_eq!(LogoutRequest::read(&params("state=a&state=b")), Err(PageError::Repeated));
        assert_eq!(LogoutRequest::read(&params("client_id=A")), Err(PageError::UnknownClient));
        let long = format!("state={}", "s".repeat(MAX_STATE + 1));
        assert_eq!(LogoutRequest::read(&params(&long)), Err(PageError::UnusableState));
    }
}
