//! Pushed authorization requests (RFC 9126): the service sends its request itself and the browser carries a reference to it.

use super::authorize::{AuthorizationRequest, AuthorizeError, PageError};
use super::dpop::{Proof, ProofRefusal};
use super::oauth_error::OAuthError;
use super::params::Params;
use super::registration::ClientRegistration;
use super::response::{AuthorizeCode, ErrorAnswer};
use crate::crypto::{OpaqueToken, TokenHash};
use serde_json::json;
use time::Duration;

/// How long a browser may take to bring the reference (contract `openid.md`: 60 to 90 s).
pub const REQUEST_URI_LIFE: Duration = Duration::seconds(90);
/// What our references begin with (RFC 9126, section 2.2); 256 bits of chance follow.
const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The reference a request at the authorization endpoint brings, to look up what was pushed. With one, everything
/// else it brings but `client_id` counts for nothing.
///
/// # Errors
/// [`PageError::Repeated`] for two.
pub fn pushed_reference(params: &Params) -> Result<Option<TokenHash>, PageError> {
    if params.is_repeated("request_uri") {
        return Err(PageError::Repeated);
    }
    Ok(params.get("request_uri").and_then(|uri| uri.strip_prefix(PREFIX)).map(OpaqueToken::hash_of))
}

/// The JSON that answers a pushed request, with status 201.
#[must_use]
pub fn pushed_answer(reference: &OpaqueToken) -> Vec<u8> {
    let request_uri = format!("{PREFIX}{}", reference.expose());
    json!({"request_uri": request_uri, "expires_in": REQUEST_URI_LIFE.whole_seconds()})
        .to_string()
        .into_bytes()
}

impl AuthorizationRequest {
    /// Checks a request that an authenticated client pushed: nothing of it was seen or touched by a browser. The key of a
    /// proof beside it binds the code (RFC 9449, section 10.1).
    ///
    /// # Errors
    /// [`OAuthError`], as RFC 9126, section 2.3, words it.
    pub fn check_pushed(
        params: &Params,
        client: &ClientRegistration,
        proof: Option<&Proof>,
    ) -> Result<Self, OAuthError> {
        if params.get("request_uri").is_some() {
            return Err(OAuthError::InvalidRequest("request_uri cannot be pushed"));
        }
        let request = Self::check(params, client).map_err(|error| match error {
            AuthorizeError::Page(PageError::UnregisteredRedirectUri) => {
                OAuthError::InvalidRequest("redirect_uri is missing or not registered for this client")
            }
            AuthorizeError::Page(_) => {
                OAuthError::InvalidRequest("client_id, redirect_uri or state cannot be used")
            }
            AuthorizeError::Redirect(answer) => OAuthError::Pushed(answer.code, answer.description),
        })?;
        match (request.bound_to.as_ref(), proof.map(|proof| &proof.key)) {
            (Some(asked), Some(shown)) if asked != shown => Err(ProofRefusal::OtherKey.into()),
            (asked, shown) => Ok(Self { bound_to: shown.or(asked).cloned(), ..request }),
        }
    }

    /// Checks a request that a browser brings as it is.
    ///
    /// # Errors
    /// [`AuthorizeError`]; also when the client's profile wants requests pushed.
    pub fn check_direct(params: &Params, client: &ClientRegistration) -> Result<Self, AuthorizeError> {
        let request = Self::check(params, client)?;
        if client.profile().rules().pushed_requests {
            let description = "requests of this client must be pushed (RFC 9126)";
            let code = AuthorizeCode::InvalidRequest;
            return Err(AuthorizeError::Redirect(ErrorAnswer { to: request.to, code, description }));
        }
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Profile;
    use super::super::testing::{CHALLENGE, REDIRECT, client, signing_client_of};
    use super::*;

    fn request(changes: &[(&str, &str)]) -> Params {
        let mut pairs = vec![
            ("client_id", "caisse"),
            ("redirect_uri", REDIRECT),
            ("response_type", "code"),
            ("scope", "openid"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        pairs.extend(changes);
        Params::of(pairs).unwrap()
    }

    #[test]
    fn what_cannot_be_pushed_is_told_as_the_token_endpoint_tells() {
        for (change, error) in [
            (("request_uri", "urn:ietf:params:oauth:request_uri:x"), "invalid_request"),
            (("redirect_uri", ""), "invalid_request"),
            (("redirect_uri", "https://evil.example/"), "invalid_request"),
            (("client_id", ""), "invalid_request"),
            (("client_id", "other"), "invalid_request"),
            (("response_type", "code id_token"), "unsupported_response_type"),
            (("response_type", "token"), "unsupported_response_type"),
            (("code_challenge", ""), "invalid_request"),
            (("code_challenge_method", "plain"), "invalid_request"),
            (("scope", "email"), "invalid_scope"),
            (("request", "e30.e30."), "request_not_supported"),
            (("dpop_jkt", "too-short"), "invalid_request"),
        ] {
            let refused =
                AuthorizationRequest::check_pushed(&request(&[change]), &client(), None).unwrap_err();
            assert_eq!((refused.error(), refused.reply(false).status), (error, 400), "{change:?}");
        }
        assert!(AuthorizationRequest::check_pushed(&request(&[]), &client(), None).is_ok());
    }

    #[test]
    fn a_request_that_must_be_pushed_does_not_come_directly() {
        let fapi2 = signing_client_of(Profile::Fapi2);
        assert!(AuthorizationRequest::check_pushed(&request(&[]), &fapi2, None).is_ok());
        match AuthorizationRequest::check_direct(&request(&[]), &fapi2) {
            Err(AuthorizeError::Redirect(answer)) => assert_eq!(answer.code, AuthorizeCode::InvalidRequest),
            other => panic!("{other:?}"),
        }
        assert!(AuthorizationRequest::check_direct(&request(&[]), &client()).is_ok());
    }

    #[test]
    fn only_references_of_ours_are_looked_up() {
        let found = |uri: &str| pushed_reference(&request(&[("request_uri", uri)]));
        assert_eq!(found("urn:ietf:params:oauth:request_uri:abc"), Ok(Some(OpaqueToken::hash_of("abc"))));
        for other in ["", "https://caisse.example/request", "urn:other:abc"] {
            assert_eq!(found(other), Ok(None), "{other}");
        }
        let twice = Params::parse(b"request_uri=a&request_uri=b").unwrap();
        assert_eq!(pushed_reference(&twice), Err(PageError::Repeated));
    }
}
