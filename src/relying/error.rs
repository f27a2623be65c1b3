//! Why a sign-in elsewhere did not succeed. The codes are stable: they stand in logs, metrics and the journal.

use super::HttpError;
use crate::clock::NoEntropy;
use openidconnect::{ClaimsVerificationError, SignatureVerificationError};
use thiserror::Error;

/// Why an ID token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdTokenFault {
    /// The token answer holds none.
    #[error("there is none")]
    Missing,
    /// It is unsigned or signed with an algorithm that is not accepted.
    #[error("its algorithm is not accepted")]
    Algorithm,
    /// No published key made its signature.
    #[error("its signature does not hold")]
    Signature,
    /// It names a key that the provider does not publish.
    #[error("its key is unknown")]
    UnknownKey,
    /// Another provider issued it.
    #[error("its issuer is another")]
    Issuer,
    /// It is meant for another client.
    #[error("its audience is another")]
    Audience,
    /// It has expired, was issued before we asked, or comes from the future.
    #[error("its time is not now")]
    Time,
    /// It answers another request.
    #[error("its nonce is another")]
    Nonce,
    /// The person signed in too long ago, or nothing says when.
    #[error("the sign-in it states is not fresh")]
    AuthTime,
    /// The level of identity is not among those accepted.
    #[error("the level of identity it states is not accepted")]
    Acr,
    /// It does not belong to the access token beside it.
    #[error("it belongs to another access token")]
    AccessTokenHash,
    /// A claim is missing or malformed.
    #[error("it is malformed")]
    Malformed,
}

impl IdTokenFault {
    const fn code(self) -> &'static str {
        match self {
            Self::Missing => "id_token_missing",
            Self::Algorithm => "id_token_algorithm",
            Self::Signature => "id_token_signature",
            Self::UnknownKey => "id_token_unknown_key",
            Self::Issuer => "id_token_issuer",
            Self::Audience => "id_token_audience",
            Self::Time => "id_token_time",
            Self::Nonce => "id_token_nonce",
            Self::AuthTime => "id_token_auth_time",
            Self::Acr => "id_token_acr",
            Self::AccessTokenHash => "id_token_access_token_hash",
            Self::Malformed => "id_token_malformed",
        }
    }
}

impl From<&SignatureVerificationError> for IdTokenFault {
    fn from(error: &SignatureVerificationError) -> Self {
        match error {
            SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::NoSignature
            | SignatureVerificationError::UnsupportedAlg(_) => Self::Algorithm,
            SignatureVerificationError::NoMatchingKey => Self::UnknownKey,
            _ => Self::Signature,
        }
    }
}

impl From<&ClaimsVerificationError> for IdTokenFault {
    fn from(error: &ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::Expired(_) => Self::Time,
            ClaimsVerificationError::InvalidAudience(_) => Self::Audience,
            ClaimsVerificationError::InvalidAuthContext(_) => Self::Acr,
            ClaimsVerificationError::InvalidAuthTime(_) => Self::AuthTime,
            ClaimsVerificationError::InvalidIssuer(_) => Self::Issuer,
            ClaimsVerificationError::InvalidNonce(_) => Self::Nonce,
            ClaimsVerificationError::SignatureVerification(cause) => cause.into(),
            _ => Self::Malformed,
        }
    }
}

/// Why a userinfo answer is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UserinfoFault {
    /// The provider names no userinfo endpoint.
    #[error("the provider has no userinfo endpoint")]
    NoEndpoint,
    /// The access token is not accepted there (any more).
    #[error("the access token is not accepted")]
    Unauthorized,
    /// Another status than 200.
    #[error("the answer is an error")]
    Status,
    /// Not the registered kind of answer, or malformed.
    #[error("the answer is not of the registered kind")]
    Format,
    /// The signature does not hold.
    #[error("the signature does not hold")]
    Signature,
    /// It comes from another issuer or is meant for another client.
    #[error("issuer or audience is another")]
    Party,
    /// It is about another person than the ID token.
    #[error("it is about another person")]
    Subject,
}

impl UserinfoFault {
    const fn code(self) -> &'static str {
        match self {
            Self::NoEndpoint => "userinfo_no_endpoint",
            Self::Unauthorized => "userinfo_unauthorized",
            Self::Status => "userinfo_status",
            Self::Format => "userinfo_format",
            Self::Signature => "userinfo_signature",
            Self::Party => "userinfo_party",
            Self::Subject => "userinfo_subject",
        }
    }
}

/// Why a sign-in elsewhere did not succeed. Nothing in it is secret or personal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RelyingError {
    /// The callback answers no request of this browser (or an older one).
    #[error("the callback does not belong to this sign-in")]
    State,
    /// The callback names another provider, or none where the provider always names itself (RFC 9207).
    #[error("the callback comes from another provider")]
    CallbackIssuer,
    /// The person declined.
    #[error("the person declined to sign in")]
    Denied,
    /// The provider reports an error; its OAuth code, or `unknown` when it is not one.
    #[error("the provider reports {0}")]
    Provider(String),
    /// The callback carries neither code nor error.
    #[error("the callback carries no code")]
    NoCode,
    /// A call to the provider gave no answer.
    #[error("the provider cannot be called: {0}")]
    Http(#[from] HttpError),
    /// The provider's metadata or keys are unusable, or are another provider's.
    #[error("the provider's metadata cannot be used")]
    Discovery,
    /// The provider refused to exchange the code; its OAuth code, or `unknown`.
    #[error("the provider refuses the code: {0}")]
    CodeRefused(String),
    /// The token answer is malformed.
    #[error("the token answer is malformed")]
    TokenAnswer,
    /// The ID token is refused.
    #[error("the ID token is refused: {0}")]
    IdToken(#[from] IdTokenFault),
    /// The userinfo answer is refused.
    #[error("the userinfo answer is refused: {0}")]
    Userinfo(#[from] UserinfoFault),
    /// No random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl RelyingError {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State => "state_mismatch",
            Self::CallbackIssuer => "callback_issuer",
            Self::Denied => "access_denied",
            Self::Provider(_) => "provider_error",
            Self::NoCode => "no_code",
            Self::Http(error) => error.code(),
            Self::Discovery => "discovery_invalid",
            Self::CodeRefused(_) => "code_refused",
            Self::TokenAnswer => "token_answer_malformed",
            Self::IdToken(fault) => fault.code(),
            Self::Userinfo(fault) => fault.code(),
            Self::NoEntropy(_) => "no_entropy",
        }
    }

    /// Whether trying again later may help: the provider is away or ill, the person did nothing wrong.
    #[must_use]
    pub fn is_outage(&self) -> bool {
        match self {
            Self::Http(_) | Self::Discovery => true,
            Self::Userinfo(fault) => *fault == UserinfoFault::Status,
            Self::Provider(error) => matches!(error.as_str(), "server_error" | "temporarily_unavailable"),
            _ => false,
        }
    }
}

/// An OAuth error code fit for a log, or `unknown`: what a browser or a provider sends may hold anything.
pub(super) fn oauth_code(error: &str) -> String {
    let fits = (1..=64).contains(&error.len()) && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if fits { error.to_owned() } else { "unknown".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_oauth_codes_reach_a_log() {
        assert_eq!(oauth_code("invalid_acr"), "invalid_acr");
        for bad in ["", "Jean Martin", "a\nb", "<script>", &"x".repeat(65)] {
            assert_eq!(oauth_code(bad), "unknown", "{bad}");
        }
    }
}
