//! Userinfo (OpenID Connect Core, section 5.3) and the access token it takes (RFC 6750).

use super::claim::{Claim, Scope};
use super::oauth_error::{BearerError, OAuthError};
use super::params::Params;
use crate::crypto::{OpaqueToken, TokenHash};
use crate::mandate::{BirthDate, Identity};
use serde::Serialize;

/// The longest access token that is read, in bytes.
const MAX_TOKEN: usize = 256;

/// Finds the one access token of a request: in the `Authorization` header, or in the form body of a POST.
///
/// # Errors
/// [`BearerError`]; a token in the query is refused, since addresses end up in logs.
pub fn bearer(
    authorization: Option<&[u8]>,
    query: &Params,
    form: Option<&Params>,
) -> Result<TokenHash, BearerError> {
    let in_query = query.get("access_token").is_some();
    let form_twice = form.is_some_and(|form| form.is_repeated("access_token"));
    let in_form = form.and_then(|form| form.get("access_token"));
    let token = match (authorization, in_form) {
        _ if in_query || form_twice => return Err(BearerError::InvalidRequest),
        (None, None) => return Err(BearerError::Missing),
        (Some(_), Some(_)) => return Err(BearerError::InvalidRequest),
        (None, Some(token)) => token,
        (Some(header), None) => from_header(header)?,
    };
    // b64token of RFC 6750, section 2.1.
    let formed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(formed) {
        return Err(BearerError::InvalidToken);
    }
    Ok(OpaqueToken::hash_of(token))
}

fn from_header(header: &[u8]) -> Result<&str, BearerError> {
    let text = std::str::from_utf8(header).map_err(|_| BearerError::InvalidRequest)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        // Another scheme carries no token for us.
        _ => Err(BearerError::Missing),
    }
}

#[derive(Serialize, Default)]
struct Body<'a> {
    sub: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    given_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    family_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preferred_username: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gender: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthdate: Option<&'a BirthDate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthplace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    birthcountry: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email_verified: Option<bool>,
}

/// The JSON to send: the ID token's `sub` and the granted claims, exactly as the identity was first received.
///
/// # Errors
/// [`OAuthError::ServerError`] when it does not serialise.
pub fn userinfo(subject: &str, scope: &Scope, identity: &Identity) -> Result<Vec<u8>, OAuthError> {
    let mut body = Body { sub: subject, ..Body::default() };
    for claim in scope.claims() {
        match claim {
            Claim::GivenName => body.given_name = Some(&identity.given_name),
            Claim::FamilyName => body.family_name = Some(&identity.family_name),
            Claim::PreferredUsername => body.preferred_username = identity.preferred_username.as_deref(),
            Claim::Gender => body.gender = Some(&identity.gender),
            Claim::Birthdate => body.birthdate = Some(&identity.birthdate),
            Claim::Birthplace => body.birthplace = Some(&identity.birthplace),
            Claim::Birthcountry => body.birthcountry = Some(&identity.birthcountry),
            Claim::Email => {
                body.email = identity.email.as_deref();
                // Nobody here has verified it; the citizens' provider does not say.
                body.email_verified = identity.email.as_ref().map(|_| false);
            }
        }
    }
    serde_json::to_vec(&body).map_err(|_| OAuthError::ServerError)
}
