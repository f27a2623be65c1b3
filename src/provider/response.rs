//! The answer to an authorization request: an address to send the browser to.
//!
//! Every answer carries `iss` (RFC 9207) and the client's own `state`, and keeps the query part of the redirect URI. Whoever
//! wants its answers signed (JARM, `response_mode=jwt`) gets all of it as one JWT.

use super::authorize::ReturnAddress;
use super::issuer::Issuer;
use super::params::append_query;
use crate::crypto::{CryptoError, TokenKey, sign_jws};
use crate::mandate::{ClientId, Instant};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use time::Duration;

/// How long a signed answer is good for: it is on its way through a browser (JARM, section 2.1).
const SIGNED_LIFE: Duration = Duration::seconds(60);

/// How an answer goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseMode {
    /// As parameters in the address.
    #[default]
    Query,
    /// As one signed JWT in the address (JARM, section 2.3.1).
    Jwt,
}

impl ResponseMode {
    /// The registered names, as discovery lists them: `jwt` means `query.jwt` for a code.
    pub const NAMES: [&str; 3] = ["query", "jwt", "query.jwt"];

    /// The mode of a registered name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "query" => Some(Self::Query),
            "jwt" | "query.jwt" => Some(Self::Jwt),
            _ => None,
        }
    }
}

/// Who answers, to whom, and what signs it where that is wanted.
#[derive(Clone, Copy)]
pub struct Answerer<'a> {
    /// Us.
    pub issuer: &'a Issuer,
    /// The client.
    pub client: &'a ClientId,
    /// The key of its ID tokens.
    pub key: &'a TokenKey,
    /// When.
    pub now: Instant,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Error codes of the authorization endpoint.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum AuthorizeCode {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl AuthorizeCode {
            /// The registered name, which is also the stable code.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// RFC 6749, section 4.1.2.1.
    InvalidRequest = "invalid_request",
    /// The client may not do this; RFC 6749.
    UnauthorizedClient = "unauthorized_client",
    /// Someone said no: the aidant, the usager's mandate, or `decide()`; RFC 6749.
    AccessDenied = "access_denied",
    /// RFC 6749.
    UnsupportedResponseType = "unsupported_response_type",
    /// RFC 6749.
    InvalidScope = "invalid_scope",
    /// RFC 6749.
    ServerError = "server_error",
    /// RFC 6749.
    TemporarilyUnavailable = "temporarily_unavailable",
    /// `prompt=none` and nobody is signed in; OpenID Connect Core, section 3.1.2.6.
    LoginRequired = "login_required",
    /// `prompt=none` and a page would be needed; OpenID Connect Core.
    InteractionRequired = "interaction_required",
    /// `prompt=none` and no usager is chosen; OpenID Connect Core.
    AccountSelectionRequired = "account_selection_required",
    /// OpenID Connect Core; RFC 9101, section 7.
    InvalidRequestObject = "invalid_request_object",
    /// OpenID Connect Core.
    RequestNotSupported = "request_not_supported",
    /// OpenID Connect Core.
    RequestUriNotSupported = "request_uri_not_supported",
    /// OpenID Connect Core.
    RegistrationNotSupported = "registration_not_supported",
    /// RFC 9396, section 5.
    InvalidAuthorizationDetails = "invalid_authorization_details",
}

/// A refusal told to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorAnswer {
    /// Where it goes.
    pub to: ReturnAddress,
    /// What it is.
    pub code: AuthorizeCode,
    /// A sentence for the client's developer; says nothing about any person.
    pub description: &'static str,
}

impl ErrorAnswer {
    /// The address to send the browser to.
    ///
    /// # Errors
    /// [`CryptoError::Signing`].
    pub fn location(&self, by: &Answerer<'_>) -> Result<String, CryptoError> {
        self.to.location(by, &[("error", self.code.as_str()), ("error_description", self.description)])
    }
}

impl ReturnAddress {
    /// The address to send the browser to with a code.
    ///
    /// # Errors
    /// [`CryptoError::Signing`].
    pub fn success(&self, by: &Answerer<'_>, code: &str) -> Result<String, CryptoError> {
        self.location(by, &[("code", code)])
    }

    fn location(&self, by: &Answerer<'_>, answer: &[(&str, &str)]) -> Result<String, CryptoError> {
        let state = self.state.as_deref().map(|state| ("state", state));
        let pairs = answer.iter().copied().chain(state).chain([("iss", by.issuer.as_str())]);
        let address = self.redirect_uri.as_str();
        match self.mode {
            ResponseMode::Query => Ok(append_query(address, pairs)),
            ResponseMode::Jwt => {
                let mut claims: Map<String, Value> =
                    pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect();
                claims.insert("aud".to_owned(), json!(by.client));
                claims.insert("exp".to_owned(), json!(by.now.plus(SIGNED_LIFE).seconds()));
                let signed = sign_jws(by.key, "JWT", Value::Object(claims).to_string().as_bytes())?;
                Ok(append_query(address, [("response", signed.as_str())]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, REDIRECT, answerer, client, jwks};
    use super::*;
    use crate::crypto::{JwsAlg, verify_jws};

    #[test]
    fn a_signed_answer_holds_all_of_it_and_nothing_stands_beside_it() {
        let to = ReturnAddress {
            redirect_uri: client().redirect_uri(REDIRECT).unwrap(),
            state: Some("s p&=".to_owned()),
            mode: ResponseMode::Jwt,
        };
        let refusal = (AuthorizeCode::AccessDenied, "the aidant gave up");
        let error = ErrorAnswer { to: to.clone(), code: refusal.0, description: refusal.1 };
        for (address, said) in [
            (to.success(&answerer(), "the-code").unwrap(), json!({"code": "the-code"})),
            (
                error.location(&answerer()).unwrap(),
                json!({"error": "access_denied", "error_description": "the aidant gave up"}),
            ),
        ] {
            let jwt = address.strip_prefix(&format!("{REDIRECT}&response=")).unwrap();
            let verified = verify_jws(jwt, &jwks("k1"), &[JwsAlg::Es256]).unwrap();
            let mut expected = json!({
                "iss": "https://porteplume.example",
                "aud": "caisse",
                "exp": NOW.seconds() + 60,
                "state": "s p&=",
            });
            expected.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
            assert_eq!(serde_json::from_slice::<Value>(&verified.payload).unwrap(), expected);
        }
    }

    #[test]
    fn every_mode_that_is_named_is_known() {
        for name in ResponseMode::NAMES {
            assert!(ResponseMode::parse(name).is_some(), "{name}");
        }
        for other in ["", "fragment", "form_post", "fragment.jwt", "form_post.jwt", "JWT"] {
            assert_eq!(ResponseMode::parse(other), None, "{other}");
        }
    }
}
