//! The answer to an authorization request: an address to send the browser to.
//!
//! Every answer carries `iss` (RFC 9207) and the client's own `state`, and keeps the query part of the redirect URI.

use super::authorize::ReturnAddress;
use super::issuer::Issuer;
use super::params::append_query;
use serde::{Deserialize, Serialize};

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
    #[must_use]
    pub fn location(&self, issuer: &Issuer) -> String {
        self.to.location(issuer, &[("error", self.code.as_str()), ("error_description", self.description)])
    }
}

impl ReturnAddress {
    /// The address to send the browser to with a code.
    #[must_use]
    pub fn success(&self, issuer: &Issuer, code: &str) -> String {
        self.location(issuer, &[("code", code)])
    }

    fn location(&self, issuer: &Issuer, answer: &[(&str, &str)]) -> String {
        let state = self.state.as_deref().map(|state| ("state", state));
        let pairs = answer.iter().copied().chain(state).chain([("iss", issuer.as_str())]);
        append_query(self.redirect_uri.as_str(), pairs)
    }
}
