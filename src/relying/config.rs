//! How Porteplume is registered at one provider. Every value is configurable: production values are known only to
//! the provider (contract `franceconnect.md`).

use super::SecretString;
use openidconnect::core::CoreJwsSigningAlgorithm;
use openidconnect::url::Url;
use openidconnect::{AuthType, IssuerUrl};
use serde::Deserialize;

/// How the client proves itself at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    /// Identifier and secret in the form body: what FranceConnect and ProConnect accept.
    ClientSecretPost,
    /// Identifier and secret in the `Authorization` header.
    ClientSecretBasic,
}

impl From<AuthMethod> for AuthType {
    fn from(method: AuthMethod) -> Self {
        match method {
            AuthMethod::ClientSecretPost => Self::RequestBody,
            AuthMethod::ClientSecretBasic => Self::BasicAuth,
        }
    }
}

/// What the userinfo endpoint is expected to answer; anything else is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserinfoFormat {
    /// `application/json`.
    Json,
    /// `application/jwt`, signed with one of the registered algorithms (FranceConnect).
    Jwt,
    /// The endpoint is not called: all claims stand in the ID token.
    None,
}

/// A signature algorithm for ID tokens and signed userinfo. `none` is not one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Algorithm {
    /// ECDSA on P-256.
    ES256,
    /// RSA PKCS#1 v1.5.
    RS256,
    /// RSA-PSS.
    PS256,
    /// HMAC with the client secret.
    HS256,
}

impl From<Algorithm> for CoreJwsSigningAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::ES256 => Self::EcdsaP256Sha256,
            Algorithm::RS256 => Self::RsaSsaPkcs1V15Sha256,
            Algorithm::PS256 => Self::RsaSsaPssSha256,
            Algorithm::HS256 => Self::HmacSha256,
        }
    }
}

/// What counts as proof that the provider asked for a second factor.
///
/// A code sent by e-mail is none: it proves the mailbox (ProConnect's `eidas1-mfa` may rest on it). So `acr` values
/// count only when listed, and `amr` values only when `mail` is not among them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecondFactor {
    /// `acr` values that prove it by themselves.
    pub acr: Vec<String>,
    /// `amr` values, any one of which proves it.
    pub amr: Vec<String>,
}

impl Default for SecondFactor {
    fn default() -> Self {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        Self { acr: owned(&["eidas2", "eidas3"]), amr: owned(&["mfa"]) }
    }
}

impl SecondFactor {
    /// Whether these values prove a second factor.
    #[must_use]
    pub fn is_proved_by(&self, acr: Option<&str>, amr: &[String]) -> bool {
        let level = acr.is_some_and(|acr| self.acr.iter().any(|listed| listed == acr));
        let method = amr.iter().any(|method| self.amr.contains(method));
        level || (method && !amr.iter().any(|method| method == "mail"))
    }
}

/// Porteplume's registration at one provider. It holds a secret, so it has no `Debug`.
#[derive(Clone)]
pub struct ProviderConfig {
    /// Short name for logs and metrics (`franceconnect`, `proconnect`).
    pub name: String,
    /// Issuer, compared byte for byte with what the provider says of itself.
    pub issuer: IssuerUrl,
    /// Our client identifier there.
    pub client_id: String,
    /// Our client secret there.
    pub client_secret: SecretString,
    /// Where the provider sends the browser back.
    pub redirect_uri: Url,
    /// How we prove ourselves at the token endpoint.
    pub auth_method: AuthMethod,
    /// Scopes beside `openid`.
    pub scopes: Vec<String>,
    /// Levels of identity asked for (`acr_values`).
    pub acr_values: Vec<String>,
    /// Levels accepted in the answer; empty accepts any, and none at all.
    pub accepted_acr: Vec<String>,
    /// Whether to send PKCE. FranceConnect refuses requests with a parameter it does not know, PKCE included.
    pub pkce: bool,
    /// The `claims` request parameter, a JSON object.
    pub claims: Option<serde_json::Value>,
    /// What userinfo answers.
    pub userinfo: UserinfoFormat,
    /// Algorithms accepted for ID tokens and signed userinfo.
    pub algorithms: Vec<Algorithm>,
    /// What proves a second factor.
    pub second_factor: SecondFactor,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_by_e_mail_is_no_second_factor() {
        let rule = SecondFactor::default();
        let proves = |acr: Option<&str>, amr: &[&str]| {
            rule.is_proved_by(acr, &amr.iter().map(|m| (*m).to_owned()).collect::<Vec<_>>())
        };
        assert!(proves(Some("eidas2"), &[]));
        assert!(proves(Some("eidas3"), &["pwd", "mail"]));
        assert!(proves(Some("eidas1-mfa"), &["pwd", "otp", "mfa"]));
        assert!(!proves(Some("eidas1-mfa"), &["pwd", "mail", "otp", "mfa"]));
        assert!(!proves(Some("eidas1-mfa"), &[]));
        assert!(!proves(Some("eidas1"), &["pwd"]));
        assert!(!proves(None, &[]));
    }
}
