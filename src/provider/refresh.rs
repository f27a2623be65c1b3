//! The refresh request (RFC 6749, section 6): another access token for work that takes longer than one lives.
//!
//! Refresh tokens are bound to their client and, where one was shown, to its key; they are not rotated, since every
//! client of ours proves itself (FAPI 2.0 Security Profile, section 5.3.2.1).

use super::client_auth::AuthenticatedClient;
use super::dpop::Proof;
use super::oauth_error::{GrantRefusal, OAuthError};
use super::params::Params;
use crate::crypto::{OpaqueToken, TokenHash};
use crate::mandate::{ClientId, Instant};

/// A request to refresh an access token.
pub struct RefreshRequest {
    token: TokenHash,
    scope: Option<String>,
}

/// What was recorded when the refresh token was issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuedRefresh<'a> {
    /// The client it was issued to.
    pub client: &'a ClientId,
    /// The scope it was issued for.
    pub scope: &'a str,
    /// The key it is bound to.
    pub bound_to: Option<&'a str>,
    /// When it dies.
    pub expires_at: Instant,
    /// Whether it was killed before that.
    pub revoked: bool,
}

impl RefreshRequest {
    pub(super) fn read(form: &Params) -> Result<Self, OAuthError> {
        let token =
            form.get("refresh_token").ok_or(OAuthError::InvalidRequest("refresh_token is missing"))?;
        Ok(Self { token: OpaqueToken::hash_of(token), scope: form.get("scope").map(str::to_owned) })
    }

    /// What to look the refresh token up by.
    #[must_use]
    pub const fn token_hash(&self) -> &TokenHash {
        &self.token
    }

    /// Checks the request against what was recorded; gives the scope of the new access token, never wider than before.
    /// Whether the mandate still allows it is asked of [`crate::mandate::decide`] afterwards.
    ///
    /// # Errors
    /// [`OAuthError::InvalidGrant`], or [`OAuthError::InvalidScope`] for what was not granted.
    pub fn redeem<'s>(
        &'s self,
        by: &AuthenticatedClient,
        issued: IssuedRefresh<'s>,
        proof: Option<&Proof>,
        now: Instant,
    ) -> Result<&'s str, OAuthError> {
        if *issued.client != by.client {
            return Err(GrantRefusal::RefreshOfOtherClient.into());
        }
        if issued.revoked || now >= issued.expires_at {
            return Err(GrantRefusal::RefreshDead.into());
        }
        if issued.bound_to.is_some_and(|key| proof.is_none_or(|proof| proof.key.as_str() != key)) {
            return Err(GrantRefusal::RefreshOfOtherKey.into());
        }
        let Some(asked) = &self.scope else { return Ok(issued.scope) };
        let words = |text: &'s str| text.split(' ').filter(|word| !word.is_empty());
        let within = words(asked).all(|word| words(issued.scope).any(|granted| granted == word));
        if within && words(asked).any(|word| word == "openid") {
            Ok(asked)
        } else {
            Err(OAuthError::InvalidScope)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, id};
    use super::*;
    use time::Duration;

    fn redeem(
        scope: Option<&str>,
        by: &str,
        record: impl FnOnce(&mut IssuedRefresh<'_>),
    ) -> Result<String, OAuthError> {
        let mut pairs = vec![("grant_type", "refresh_token"), ("refresh_token", "r")];
        pairs.extend(scope.map(|scope| ("scope", scope)));
        let request = RefreshRequest::read(&Params::of(pairs).unwrap())?;
        let client = id("caisse");
        let mut issued = IssuedRefresh {
            client: &client,
            scope: "openid email given_name",
            bound_to: None,
            expires_at: NOW.plus(Duration::minutes(1)),
            revoked: false,
        };
        record(&mut issued);
        let by = AuthenticatedClient { client: id(by), assertion: None };
        request.redeem(&by, issued, None, NOW).map(str::to_owned)
    }

    #[test]
    fn oidcc_refresh_token() {
        assert_eq!(redeem(None, "caisse", |_| ()).unwrap(), "openid email given_name");
        assert_eq!(redeem(Some("given_name openid"), "caisse", |_| ()).unwrap(), "given_name openid");
        assert_eq!(redeem(None, "impots", |_| ()), Err(GrantRefusal::RefreshOfOtherClient.into()));
    }

    #[test]
    fn a_refresh_token_that_died_or_is_bound_elsewhere_gives_nothing() {
        let dead = Err(GrantRefusal::RefreshDead.into());
        assert_eq!(redeem(None, "caisse", |issued| issued.expires_at = NOW), dead);
        assert_eq!(redeem(None, "caisse", |issued| issued.revoked = true), dead);
        let elsewhere = redeem(None, "caisse", |issued| issued.bound_to = Some("thumbprint"));
        assert_eq!(elsewhere, Err(GrantRefusal::RefreshOfOtherKey.into()));
    }

    #[test]
    fn a_refreshed_token_is_never_wider() {
        for asked in ["openid birthdate", "openid email given_name gender", "email", " ", "openidx"] {
            assert_eq!(redeem(Some(asked), "caisse", |_| ()), Err(OAuthError::InvalidScope), "{asked}");
        }
    }

    #[test]
    fn a_request_without_token_is_malformed() {
        let form = Params::of([("grant_type", "refresh_token")]).unwrap();
        assert!(matches!(RefreshRequest::read(&form), Err(OAuthError::InvalidRequest(_))));
    }
}
