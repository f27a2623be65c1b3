//! Errors as OAuth's own JSON says them, at the token endpoint (RFC 6749, section 5.2) and at userinfo
//! (RFC 6750, section 3.1).

use super::dpop::{PROOF_ALGS, ProofRefusal};
use super::params::ParamsError;
use super::request_object::RequestObjectError;
use super::response::AuthorizeCode;
use crate::crypto::JwsAlg;
use serde_json::json;
use thiserror::Error;

/// A refusal at the token endpoint. The client learns the registered code alone; the inner reason goes to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OAuthError {
    /// The request is malformed.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// The client could not be authenticated.
    #[error(transparent)]
    InvalidClient(#[from] ClientRefusal),
    /// The code does not yield tokens.
    #[error(transparent)]
    InvalidGrant(#[from] GrantRefusal),
    /// The proof of possession does not hold, or there is none (RFC 9449, section 5).
    #[error(transparent)]
    InvalidProof(#[from] ProofRefusal),
    /// A pushed request asks for what is not given; the codes are the authorization endpoint's (RFC 9126, section 2.3).
    #[error("{1}")]
    Pushed(AuthorizeCode, &'static str),
    /// The request object is none, or is missing (RFC 9101, section 7).
    #[error(transparent)]
    RequestObject(#[from] RequestObjectError),
    /// More than was granted is asked for (RFC 6749, section 5.2).
    #[error("the scope is wider than what was granted")]
    InvalidScope,
    /// A grant that is not among [`super::Grant::TYPES`].
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// The client is suspended, or not registered for what it asks.
    #[error("the client may not do this")]
    UnauthorizedClient,
    /// Something of ours failed.
    #[error("the server failed")]
    ServerError,
    /// Try again later.
    #[error("try again later")]
    TemporarilyUnavailable,
}

macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
        pub enum $name {
            $($(#[$doc])* #[error($code)] $variant,)*
        }

        impl $name {
            /// The stable code, journaled.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

reasons! {
    /// Why a client is not authenticated.
    ClientRefusal {
        /// No credentials at all.
        Absent = "client_credentials_absent",
        /// Credentials that cannot be read.
        Malformed = "client_credentials_malformed",
        /// Not registered.
        Unknown = "client_unknown",
        /// Another method than the registered one.
        WrongMethod = "client_auth_method",
        /// The secret is not the registered one.
        WrongSecret = "client_secret_wrong",
        /// The assertion is not a JWT of a permitted kind.
        AssertionMalformed = "client_assertion_malformed",
        /// No registered key verifies it.
        AssertionSignature = "client_assertion_signature",
        /// `iss` or `sub` is not the client.
        AssertionSubject = "client_assertion_subject",
        /// `aud` is not us.
        AssertionAudience = "client_assertion_audience",
        /// Expired, or valid for longer than is remembered.
        AssertionExpired = "client_assertion_expired",
        /// Not valid yet.
        AssertionEarly = "client_assertion_early",
        /// No usable `jti`.
        AssertionId = "client_assertion_id",
        /// The `jti` came before. Found by whoever remembers them.
        AssertionReplayed = "client_assertion_replayed",
    }
}

reasons! {
    /// Why a code yields no tokens.
    GrantRefusal {
        /// Never issued, or forgotten.
        CodeUnknown = "code_unknown",
        /// Exchanged before: what it gave must die (RFC 6749, section 4.1.2).
        CodeReplayed = "code_replayed",
        /// Issued to another client.
        CodeOfOtherClient = "code_of_other_client",
        /// Its time has passed.
        CodeExpired = "code_expired",
        /// Another redirect URI than at the authorization endpoint.
        RedirectUriMismatch = "redirect_uri_mismatch",
        /// No verifier.
        VerifierMissing = "code_verifier_missing",
        /// The code is bound to a key, and this was not its proof.
        KeyMismatch = "code_of_other_key",
        /// A verifier that is malformed or does not meet the challenge.
        VerifierMismatch = "code_verifier_mismatch",
        /// A refresh token that was never issued, or is forgotten.
        RefreshUnknown = "refresh_token_unknown",
        /// A refresh token that was issued to another client.
        RefreshOfOtherClient = "refresh_token_of_other_client",
        /// A refresh token whose time has passed, or that was killed.
        RefreshDead = "refresh_token_not_live",
        /// A refresh token that is bound to a key, and this was not its proof.
        RefreshOfOtherKey = "refresh_token_of_other_key",
        /// The mandate no longer allows it ([`crate::mandate::decide`]).
        NotAllowed = "mandate_no_longer_allows",
    }
}

/// An error as it goes out, whatever the HTTP library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorReply {
    /// HTTP status.
    pub status: u16,
    /// JSON.
    pub body: String,
    /// Value of `WWW-Authenticate`, where one is due.
    pub www_authenticate: Option<String>,
}

impl ErrorReply {
    fn new(status: u16, error: &str, description: Option<&str>) -> Self {
        let body = match description {
            Some(description) => json!({"error": error, "error_description": description}),
            None => json!({"error": error}),
        };
        Self { status, body: body.to_string(), www_authenticate: None }
    }

    fn challenged(mut self, challenge: String) -> Self {
        self.www_authenticate = Some(challenge);
        self
    }
}

impl OAuthError {
    /// The registered code, as sent.
    #[must_use]
    pub const fn error(self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::RequestObject(RequestObjectError::Absent) => "invalid_request",
            Self::InvalidClient(_) => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::InvalidProof(ProofRefusal::Nonce) => "use_dpop_nonce",
            Self::InvalidProof(_) => "invalid_dpop_proof",
            Self::Pushed(code, _) => code.as_str(),
            Self::RequestObject(_) => AuthorizeCode::InvalidRequestObject.as_str(),
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
        }
    }

    /// The stable code, as journaled: the inner reason where there is one.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::InvalidClient(reason) => reason.code(),
            Self::InvalidGrant(reason) => reason.code(),
            Self::InvalidProof(reason) => reason.code(),
            Self::RequestObject(reason) => reason.code(),
            _ => self.error(),
        }
    }

    /// The answer. A client that came with an `Authorization` header is told the scheme to use
    /// (RFC 6749, section 5.2).
    #[must_use]
    pub fn reply(self, had_header: bool) -> ErrorReply {
        let (status, description) = match self {
            Self::InvalidRequest(description) | Self::Pushed(_, description) => (400, Some(description)),
            Self::InvalidClient(_) => (401, None),
            Self::InvalidGrant(_)
            | Self::InvalidProof(_)
            | Self::RequestObject(_)
            | Self::InvalidScope
            | Self::UnsupportedGrantType
            | Self::UnauthorizedClient => (400, None),
            Self::ServerError => (500, None),
            Self::TemporarilyUnavailable => (503, None),
        };
        let reply = ErrorReply::new(status, self.error(), description);
        match self {
            Self::InvalidClient(_) if had_header => reply.challenged("Basic realm=\"porteplume\"".to_owned()),
            _ => reply,
        }
    }
}

/// A refusal at a resource that takes an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BearerError {
    /// No token at all: asked for one, told nothing else (RFC 6750, section 3.1).
    #[error("an access token is needed")]
    Missing,
    /// Two tokens, one in the query, or a request that cannot be read.
    #[error("the access token must be sent once, in the header or in the form body")]
    InvalidRequest,
    /// The token is bound to a key and this is no proof of it (RFC 9449, section 7.1).
    #[error(transparent)]
    InvalidProof(#[from] ProofRefusal),
    /// Unknown, expired, revoked, or its mandate no longer stands.
    #[error("the access token is not valid")]
    InvalidToken,
    /// What a service reports cannot be read.
    #[error("the report must have an outcome and, if any, a receipt number")]
    InvalidReport,
    /// What was sent off or given up has been reported before.
    #[error("the outcome reported before is final")]
    OutcomeFinal,
}

impl From<ParamsError> for OAuthError {
    fn from(_: ParamsError) -> Self {
        Self::InvalidRequest("the request cannot be read")
    }
}

impl From<ParamsError> for BearerError {
    fn from(_: ParamsError) -> Self {
        Self::InvalidRequest
    }
}

impl BearerError {
    /// Stable code, journaled.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::InvalidRequest => "invalid_request",
            Self::InvalidProof(reason) => reason.code(),
            Self::InvalidToken => "invalid_token",
            Self::InvalidReport => "invalid_report",
            Self::OutcomeFinal => "outcome_final",
        }
    }

    /// The code sent.
    const fn error(self) -> &'static str {
        match self {
            Self::Missing | Self::InvalidToken | Self::InvalidProof(ProofRefusal::OtherKey) => {
                "invalid_token"
            }
            Self::InvalidRequest | Self::InvalidReport => "invalid_request",
            Self::InvalidProof(ProofRefusal::Nonce) => "use_dpop_nonce",
            Self::InvalidProof(_) => "invalid_dpop_proof",
            Self::OutcomeFinal => "outcome_final",
        }
    }

    /// The answer.
    #[must_use]
    pub fn reply(self) -> ErrorReply {
        let realm = "Bearer realm=\"porteplume\"";
        let challenge = match self {
            // The token is good; nothing about it has to change.
            Self::InvalidReport => return ErrorReply::new(400, self.error(), None),
            Self::OutcomeFinal => return ErrorReply::new(409, self.error(), None),
            Self::Missing => realm.to_owned(),
            Self::InvalidProof(_) => {
                let algs = PROOF_ALGS.map(JwsAlg::as_str).join(" ");
                format!("DPoP realm=\"porteplume\", error=\"{}\", algs=\"{algs}\"", self.error())
            }
            Self::InvalidRequest | Self::InvalidToken => format!("{realm}, error=\"{}\"", self.error()),
        };
        let status = if matches!(self, Self::InvalidRequest) { 400 } else { 401 };
        ErrorReply::new(status, self.error(), None).challenged(challenge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_learns_the_registered_code_and_the_journal_the_reason() {
        let refused = OAuthError::from(GrantRefusal::NotAllowed);
        assert_eq!((refused.error(), refused.code()), ("invalid_grant", "mandate_no_longer_allows"));
        assert_eq!(refused.reply(true).body, r#"{"error":"invalid_grant"}"#);
        let malformed = OAuthError::InvalidRequest("code is missing");
        let reply = malformed.reply(true);
        assert_eq!(reply.body, r#"{"error":"invalid_request","error_description":"code is missing"}"#);
        assert_eq!((reply.status, reply.www_authenticate), (400, None));
    }

    #[test]
    fn a_resource_says_which_scheme_it_takes() {
        for (error, status, challenge) in [
            (BearerError::Missing, 401, "Bearer realm=\"porteplume\""),
            (BearerError::InvalidToken, 401, "Bearer realm=\"porteplume\", error=\"invalid_token\""),
            (BearerError::InvalidRequest, 400, "Bearer realm=\"porteplume\", error=\"invalid_request\""),
            (
                ProofRefusal::Time.into(),
                401,
                "DPoP realm=\"porteplume\", error=\"invalid_dpop_proof\", algs=\"ES256 PS256 EdDSA\"",
            ),
            (
                ProofRefusal::OtherKey.into(),
                401,
                "DPoP realm=\"porteplume\", error=\"invalid_token\", algs=\"ES256 PS256 EdDSA\"",
            ),
        ] {
            let reply = error.reply();
            assert_eq!((reply.status, reply.www_authenticate.as_deref()), (status, Some(challenge)));
        }
    }
}
