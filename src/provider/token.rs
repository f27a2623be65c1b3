//! The token request (RFC 6749, section 4.1.3) and its answer.

use super::claim::Scope;
use super::client_auth::AuthenticatedClient;
use super::dpop::Proof;
use super::id_token::MandateDetails;
use super::oauth_error::{GrantRefusal, OAuthError};
use super::params::Params;
use super::pkce::{CodeChallenge, CodeVerifier};
use super::refresh::RefreshRequest;
use crate::crypto::{OpaqueToken, SecretString, TokenHash};
use crate::mandate::{ClientId, Instant};
use serde::Serialize;
use time::Duration;

/// How long a code lives at most (contract `openid.md`).
pub const CODE_LIFE: Duration = Duration::seconds(60);
/// How long an access token lives at most.
pub const ACCESS_TOKEN_LIFE: Duration = Duration::minutes(5);

/// What is asked at the token endpoint. Holds secrets, so it has no `Debug`.
pub enum Grant {
    /// Tokens for a code.
    Code(TokenRequest),
    /// Another access token for a refresh token.
    Refresh(RefreshRequest),
}

impl Grant {
    /// The grants there are, as discovery lists them.
    pub const TYPES: [&str; 2] = ["authorization_code", "refresh_token"];

    /// Reads the form.
    ///
    /// # Errors
    /// [`OAuthError::InvalidRequest`], [`OAuthError::UnsupportedGrantType`], or [`OAuthError::InvalidGrant`] for a
    /// malformed verifier.
    pub fn read(form: &Params) -> Result<Self, OAuthError> {
        if form.has_repeated() {
            return Err(OAuthError::InvalidRequest("a parameter stands more than once"));
        }
        match form.get("grant_type") {
            Some("authorization_code") => TokenRequest::read(form).map(Self::Code),
            Some("refresh_token") => RefreshRequest::read(form).map(Self::Refresh),
            Some(_) => Err(OAuthError::UnsupportedGrantType),
            None => Err(OAuthError::InvalidRequest("grant_type is missing")),
        }
    }
}

/// A request to exchange a code. Holds secrets, so it has no `Debug`.
pub struct TokenRequest {
    code: SecretString,
    redirect_uri: String,
    verifier: Option<CodeVerifier>,
}

/// What was recorded when the code was issued.
#[derive(Debug, Clone, Copy)]
pub struct IssuedCode<'a> {
    /// The client it was issued to.
    pub client: &'a ClientId,
    /// The redirect URI it was sent to.
    pub redirect_uri: &'a str,
    /// The challenge its verifier must meet.
    pub challenge: Option<&'a CodeChallenge>,
    /// The key it is bound to.
    pub bound_to: Option<&'a str>,
    /// When it dies.
    pub expires_at: Instant,
    /// Whether it was exchanged already.
    pub used: bool,
}

impl TokenRequest {
    fn read(form: &Params) -> Result<Self, OAuthError> {
        let code = form.get("code").ok_or(OAuthError::InvalidRequest("code is missing"))?;
        let redirect_uri =
            form.get("redirect_uri").ok_or(OAuthError::InvalidRequest("redirect_uri is missing"))?;
        let verifier = form.get("code_verifier").map(CodeVerifier::parse).transpose();
        Ok(Self {
            code: SecretString::new(code.to_owned()),
            redirect_uri: redirect_uri.to_owned(),
            verifier: verifier.map_err(|_| GrantRefusal::VerifierMismatch)?,
        })
    }

    /// What to look the code up by.
    #[must_use]
    pub fn code_hash(&self) -> TokenHash {
        OpaqueToken::hash_of(self.code.expose())
    }

    /// Checks the request against what was recorded. Whether the mandate still allows it is asked of [`crate::mandate::decide`] afterwards.
    ///
    /// # Errors
    /// [`GrantRefusal`]. [`GrantRefusal::CodeReplayed`] comes before every other, so that a second use kills what the
    /// first gave, whoever tries it and however late.
    pub fn redeem(
        &self,
        by: &AuthenticatedClient,
        issued: IssuedCode<'_>,
        proof: Option<&Proof>,
        now: Instant,
    ) -> Result<(), GrantRefusal> {
        if issued.used {
            return Err(GrantRefusal::CodeReplayed);
        }
        if *issued.client != by.client {
            return Err(GrantRefusal::CodeOfOtherClient);
        }
        if now >= issued.expires_at {
            return Err(GrantRefusal::CodeExpired);
        }
        if issued.redirect_uri != self.redirect_uri {
            return Err(GrantRefusal::RedirectUriMismatch);
        }
        if issued.bound_to.is_some_and(|key| proof.is_none_or(|proof| proof.key.as_str() != key)) {
            return Err(GrantRefusal::KeyMismatch);
        }
        match (issued.challenge, &self.verifier) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(GrantRefusal::VerifierMissing),
            (Some(challenge), Some(verifier)) if challenge.is_met_by(verifier) => Ok(()),
            // A verifier for no challenge: somebody took the challenge away on its way (RFC 9700, section 4.8.2).
            (_, Some(_)) => Err(GrantRefusal::VerifierMismatch),
        }
    }
}

/// What a successful exchange gives.
pub struct TokenAnswer<'a> {
    /// The access token, handed out here and nowhere else.
    pub access_token: &'a OpaqueToken,
    /// A refresh token, where the client is given one. A later answer repeats none: it stays the same, as FAPI 2.0
    /// (section 5.3.2.1) wants it.
    pub refresh_token: Option<&'a OpaqueToken>,
    /// Whether it is bound to a key (RFC 9449, section 5).
    pub bound: bool,
    /// How long it lives; never beyond the mandate.
    pub expires_in: Duration,
    /// The signed ID token.
    pub id_token: &'a str,
    /// What was granted.
    pub scope: &'a Scope,
    /// The mandate (RFC 9396, section 7), for whoever is told of it.
    pub mandate: Option<&'a MandateDetails>,
}

impl TokenAnswer<'_> {
    /// The JSON to send, with `Cache-Control: no-store`.
    ///
    /// # Errors
    /// [`OAuthError::ServerError`] when it does not serialise.
    pub fn to_json(&self) -> Result<Vec<u8>, OAuthError> {
        #[derive(Serialize)]
        struct Body<'a> {
            access_token: &'a str,
            token_type: &'static str,
            expires_in: i64,
            #[serde(skip_serializing_if = "Option::is_none")]
            refresh_token: Option<&'a str>,
            id_token: &'a str,
            scope: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            authorization_details: Option<[&'a MandateDetails; 1]>,
        }
        let body = Body {
            access_token: self.access_token.expose(),
            token_type: if self.bound { "DPoP" } else { "Bearer" },
            expires_in: self.expires_in.whole_seconds(),
            refresh_token: self.refresh_token.map(OpaqueToken::expose),
            id_token: self.id_token,
            scope: self.scope.to_string(),
            authorization_details: self.mandate.map(|mandate| [mandate]),
        };
        serde_json::to_vec(&body).map_err(|_| OAuthError::ServerError)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Claim;
    use super::super::testing::{CHALLENGE, NOW, REDIRECT, VERIFIER, access_token, id, mandate, params};
    use super::*;

    fn form(changes: &[(&str, &str)]) -> Params {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", "SplxlOBeZQQYbYS6WxSbIA"),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        pairs.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        pairs.extend(changes);
        Params::of(pairs).unwrap()
    }

    /// Redeems a form at an age of the code, in seconds, after a change of what was recorded.
    fn redeem(
        changes: &[(&str, &str)],
        by: &str,
        age: i64,
        record: impl FnOnce(&mut IssuedCode<'_>),
    ) -> Result<(), GrantRefusal> {
        let (client, challenge) = (id("caisse"), CodeChallenge::parse(CHALLENGE).unwrap());
        let expires_at = NOW.plus(CODE_LIFE);
        let mut issued = IssuedCode {
            client: &client,
            redirect_uri: REDIRECT,
            challenge: Some(&challenge),
            bound_to: None,
            expires_at,
            used: false,
        };
        record(&mut issued);
        let by = AuthenticatedClient { client: id(by), assertion: None };
        let request = TokenRequest::read(&form(changes)).map_err(|error| match error {
            OAuthError::InvalidGrant(refusal) => refusal,
            other => panic!("{other:?}"),
        })?;
        request.redeem(&by, issued, None, NOW.plus(Duration::seconds(age)))
    }

    #[test]
    fn oidcc_ensure_request_with_valid_pkce_succeeds() {
        assert_eq!(redeem(&[], "caisse", 59, |_| ()), Ok(()));
        let request = TokenRequest::read(&form(&[])).unwrap();
        assert_eq!(request.code_hash(), OpaqueToken::hash_of("SplxlOBeZQQYbYS6WxSbIA"));
    }

    #[test]
    fn oidcc_codereuse() {
        let used = |issued: &mut IssuedCode<'_>| issued.used = true;
        assert_eq!(redeem(&[], "caisse", 0, used), Err(GrantRefusal::CodeReplayed));
        let reply = OAuthError::from(GrantRefusal::CodeReplayed).reply(true);
        assert_eq!((reply.status, reply.body.as_str()), (400, r#"{"error":"invalid_grant"}"#));
    }

    #[test]
    fn oidcc_codereuse_30seconds() {
        // Late, with a wrong verifier, by another client: still a replay, so that the tokens die.
        let used = |issued: &mut IssuedCode<'_>| issued.used = true;
        let wrong = "x".repeat(43);
        let replayed = redeem(&[("code_verifier", &wrong)], "other", 600, used);
        assert_eq!(replayed, Err(GrantRefusal::CodeReplayed));
    }

    #[test]
    fn ensure_authorization_code_is_bound_to_client() {
        assert_eq!(redeem(&[], "other", 0, |_| ()), Err(GrantRefusal::CodeOfOtherClient));
    }

    #[test]
    fn ensure_token_endpoint_fails_with_expired_auth_code() {
        for age in [60, 62, 86_400] {
            assert_eq!(redeem(&[], "caisse", age, |_| ()), Err(GrantRefusal::CodeExpired), "{age}");
        }
    }

    #[test]
    fn another_redirect_uri_than_before_is_refused() {
        let other = [("redirect_uri", "https://caisse.example/other")];
        assert_eq!(redeem(&other, "caisse", 0, |_| ()), Err(GrantRefusal::RedirectUriMismatch));
    }

    #[test]
    fn ensure_pkce_code_verifier_required() {
        assert_eq!(redeem(&[("code_verifier", "")], "caisse", 0, |_| ()), Err(GrantRefusal::VerifierMissing));
    }

    #[test]
    fn incorrect_pkce_code_verifier_rejected() {
        let (other, short) = ("x".repeat(43), "x".repeat(42));
        for wrong in [other.as_str(), &short, CHALLENGE] {
            let refused = redeem(&[("code_verifier", wrong)], "caisse", 0, |_| ());
            assert_eq!(refused, Err(GrantRefusal::VerifierMismatch), "{wrong}");
        }
    }

    #[test]
    fn the_answer_carries_the_mandate_beside_the_tokens() {
        let (access_token, mandate) = (access_token(), mandate());
        let scope = Scope::grant("openid email", &[Claim::Email].into(), &[]).unwrap();
        let (expires_in, id_token) = (ACCESS_TOKEN_LIFE, "a.b.c");
        let answer = TokenAnswer {
            access_token: &access_token,
            refresh_token: None,
            bound: false,
            expires_in,
            id_token,
            scope: &scope,
            mandate: Some(&mandate),
        };
        let body: serde_json::Value = serde_json::from_slice(&answer.to_json().unwrap()).unwrap();
        assert_eq!(body["access_token"], access_token.expose());
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 300);
        assert_eq!(body["id_token"], "a.b.c");
        assert_eq!(body["scope"], "openid email");
        assert_eq!(body["authorization_details"][0]["type"], "mandate");
        assert_eq!(body.as_object().unwrap().len(), 6);
    }

    #[test]
    fn malformed_requests_are_told_what_is_wrong() {
        for name in ["grant_type", "code", "redirect_uri"] {
            let read = Grant::read(&form(&[(name, "")])).err();
            assert!(matches!(read, Some(OAuthError::InvalidRequest(_))), "{name}");
        }
        let twice = params("grant_type=authorization_code&code=a&code=b&redirect_uri=x");
        assert!(matches!(Grant::read(&twice).err(), Some(OAuthError::InvalidRequest(_))));
        for other in ["password", "client_credentials", "implicit"] {
            let read = Grant::read(&form(&[("grant_type", other)])).err();
            assert_eq!(read, Some(OAuthError::UnsupportedGrantType), "{other}");
        }
    }
}
