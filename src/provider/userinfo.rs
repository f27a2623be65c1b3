//! Userinfo (OpenID Connect Core, section 5.3) and the access token it takes (RFC 6750).

use super::claim::{Claim, Scope};
use super::issuer::Issuer;
use super::oauth_error::{BearerError, OAuthError};
use super::params::Params;
use crate::crypto::{CryptoError, OpaqueToken, Signer, TokenHash, sign_jws};
use crate::mandate::{BirthDate, ClientId, Identity};
use serde::Serialize;
use serde_json::{Value, json};

/// The longest access token that is read, in bytes.
const MAX_TOKEN: usize = 256;

/// How a token is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// By whoever has it (RFC 6750).
    Bearer,
    /// With a proof that its key is at hand (RFC 9449, section 7.1).
    Dpop,
}

/// A token as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShownToken {
    /// What to look it up by.
    pub hash: TokenHash,
    /// How it is shown.
    pub scheme: Scheme,
}

/// Finds the one access token of a request: in the `Authorization` header, or in the form body of a POST.
///
/// # Errors
/// [`BearerError`]; a token in the query is refused, since addresses end up in logs.
pub fn bearer(
    authorization: Option<&[u8]>,
    query: &Params,
    form: Option<&Params>,
) -> Result<ShownToken, BearerError> {
    let in_query = query.get("access_token").is_some();
    let form_twice = form.is_some_and(|form| form.is_repeated("access_token"));
    let in_form = form.and_then(|form| form.get("access_token"));
    let (scheme, token) = match (authorization, in_form) {
        _ if in_query || form_twice => return Err(BearerError::InvalidRequest),
        (None, None) => return Err(BearerError::Missing),
        (Some(_), Some(_)) => return Err(BearerError::InvalidRequest),
        (None, Some(token)) => (Scheme::Bearer, token),
        (Some(header), None) => from_header(header)?,
    };
    // b64token of RFC 6750, section 2.1.
    let formed = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/=".contains(&b);
    if token.is_empty() || token.len() > MAX_TOKEN || !token.bytes().all(formed) {
        return Err(BearerError::InvalidToken);
    }
    Ok(ShownToken { hash: OpaqueToken::hash_of(token), scheme })
}

fn from_header(header: &[u8]) -> Result<(Scheme, &str), BearerError> {
    let text = std::str::from_utf8(header).map_err(|_| BearerError::InvalidRequest)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok((Scheme::Bearer, token.trim())),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("dpop") => Ok((Scheme::Dpop, token.trim())),
        // Another scheme carries no token for us.
        _ => Err(BearerError::Missing),
    }
}

#[derive(Serialize, Default)]
struct Body<'a> {
    sub: &'a str,
    #[serde(flatten)]
    identity: Known<'a>,
}

/// Where the aidant is the subject, the claims about the usager stand apart from theirs.
#[derive(Serialize)]
struct BodyOfAidant<'a> {
    sub: &'a str,
    authority: OverUsager<'a>,
}

#[derive(Serialize)]
struct OverUsager<'a> {
    applies_to: Body<'a>,
}

#[derive(Serialize, Default)]
struct Known<'a> {
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

/// The JSON to send: the ID token's `sub` and the granted claims, exactly as the identity was first received. Where the
/// aidant is the subject, `usager` is by whom they are known, and the claims stand in `authority`.
///
/// # Errors
/// [`OAuthError::ServerError`] when it does not serialise.
pub fn userinfo(
    subject: &str,
    usager: Option<&str>,
    scope: &Scope,
    identity: &Identity,
) -> Result<Value, OAuthError> {
    let identity = known(scope, identity);
    match usager {
        None => serde_json::to_value(Body { sub: subject, identity }),
        Some(usager) => serde_json::to_value(BodyOfAidant {
            sub: subject,
            authority: OverUsager { applies_to: Body { sub: usager, identity } },
        }),
    }
    .map_err(|_| OAuthError::ServerError)
}

/// The same as a signed JWT (OpenID Connect Core, section 5.3.2).
///
/// # Errors
/// [`CryptoError::Signing`].
pub fn signed_userinfo<'k>(
    told: &Value,
    issuer: &Issuer,
    client: &ClientId,
    by: impl Into<Signer<'k>>,
) -> Result<String, CryptoError> {
    let mut claims = told.as_object().cloned().unwrap_or_default();
    claims.insert("iss".to_owned(), json!(issuer.as_str()));
    claims.insert("aud".to_owned(), json!(client));
    sign_jws(by, "JWT", Value::Object(claims).to_string().as_bytes())
}

fn known<'a>(scope: &Scope, identity: &'a Identity) -> Known<'a> {
    let mut body = Known::default();
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
    body
}

#[cfg(test)]
mod tests {
    use super::super::testing::params;
    use super::*;
    use std::collections::BTreeSet;

    fn identity() -> Identity {
        Identity {
            given_name: "Angela Claire Louise".to_owned(),
            family_name: "D'Almeida-Müller".to_owned(),
            preferred_username: None,
            gender: "female".to_owned(),
            birthdate: BirthDate::parse("1962-00-00").unwrap(),
            birthplace: String::new(),
            birthcountry: "99404".to_owned(),
            email: Some("angela@example.org".to_owned()),
        }
    }

    fn claims(asked: &str, registered: &[Claim]) -> Value {
        let scope = Scope::grant(asked, &registered.iter().copied().collect(), &[]).unwrap();
        userinfo("pairwise", None, &scope, &identity()).unwrap()
    }

    #[test]
    fn oidcc_userinfo_gives_registered_claims_only() {
        let registered = [Claim::GivenName, Claim::Birthdate];
        let given = claims("openid given_name family_name birthdate email", &registered);
        let expected =
            json!({"sub": "pairwise", "given_name": "Angela Claire Louise", "birthdate": "1962-00-00"});
        assert_eq!(given, expected);
        assert_eq!(claims("openid", Claim::ALL), json!({"sub": "pairwise"}));
    }

    #[test]
    fn an_identity_is_replayed_exactly() {
        let scope: Vec<_> = Claim::ALL.iter().map(|claim| claim.as_str()).collect();
        let given = claims(&format!("openid {}", scope.join(" ")), Claim::ALL);
        let expected = json!({
            "sub": "pairwise",
            "given_name": "Angela Claire Louise",
            "family_name": "D'Almeida-Müller",
            "gender": "female",
            "birthdate": "1962-00-00",
            "birthplace": "",
            "birthcountry": "99404",
            "email": "angela@example.org",
            "email_verified": false,
        });
        assert_eq!(given, expected);
    }

    #[test]
    fn the_scope_of_a_client_that_lost_its_claims_gives_none() {
        let granted = Scope::grant("openid email", &[Claim::Email].into(), &[]).unwrap().to_string();
        let now = Scope::grant(&granted, &BTreeSet::new(), &[]).unwrap();
        let given = userinfo("s", None, &now, &identity()).unwrap();
        assert_eq!(given, json!({"sub": "s"}));
    }

    #[test]
    fn where_the_aidant_is_the_subject_the_usagers_claims_stand_apart() {
        let scope = Scope::grant("openid birthdate", &[Claim::Birthdate].into(), &[]).unwrap();
        let given = userinfo("aidant", Some("usager"), &scope, &identity()).unwrap();
        let applies_to = json!({"sub": "usager", "birthdate": "1962-00-00"});
        assert_eq!(given, json!({"sub": "aidant", "authority": {"applies_to": applies_to}}));
    }

    const TOKEN: &str = "mF_9.B5f-4.1JqM";

    #[test]
    fn oidcc_userinfo_get_and_post_header() {
        // RFC 6750, section 2.1; the scheme's case does not matter.
        for header in ["Bearer mF_9.B5f-4.1JqM", "bearer mF_9.B5f-4.1JqM", "BEARER  mF_9.B5f-4.1JqM"] {
            let found = bearer(Some(header.as_bytes()), &Params::default(), Some(&Params::default()));
            assert_eq!(found, Ok(shown(Scheme::Bearer)), "{header}");
        }
    }

    fn shown(scheme: Scheme) -> ShownToken {
        ShownToken { hash: OpaqueToken::hash_of(TOKEN), scheme }
    }

    #[test]
    fn fapi2_access_token_type_header_case_sensitivity() {
        for header in ["DPoP mF_9.B5f-4.1JqM", "dpop mF_9.B5f-4.1JqM", "DPOP mF_9.B5f-4.1JqM"] {
            let found = bearer(Some(header.as_bytes()), &Params::default(), None);
            assert_eq!(found, Ok(shown(Scheme::Dpop)), "{header}");
        }
    }

    #[test]
    fn oidcc_userinfo_post_body() {
        let form = params(&format!("access_token={TOKEN}"));
        assert_eq!(bearer(None, &Params::default(), Some(&form)), Ok(shown(Scheme::Bearer)));
    }

    #[test]
    fn a_token_comes_once_and_never_in_the_query() {
        let (header, none) = (format!("Bearer {TOKEN}"), Params::default());
        let one = params(&format!("access_token={TOKEN}"));
        let two = params("access_token=a&access_token=b");
        for (header, query, form) in [
            (None, &one, None),
            (Some(header.as_bytes()), &one, None),
            (Some(header.as_bytes()), &none, Some(&one)),
            (None, &none, Some(&two)),
        ] {
            assert_eq!(bearer(header, query, form), Err(BearerError::InvalidRequest));
        }
    }

    #[test]
    fn what_is_not_a_token_is_refused() {
        let none = Params::default();
        assert_eq!(bearer(None, &none, None), Err(BearerError::Missing));
        assert_eq!(bearer(Some(b"Basic YTpi"), &none, None), Err(BearerError::Missing));
        assert_eq!(bearer(Some(b"Bearer"), &none, None), Err(BearerError::Missing));
        assert_eq!(bearer(Some(b"Bearer \xff"), &none, None), Err(BearerError::InvalidRequest));
        let long = format!("Bearer {}", "a".repeat(MAX_TOKEN + 1));
        for bad in ["Bearer ", "Bearer a b", "Bearer \u{e9}", long.as_str()] {
            assert_eq!(bearer(Some(bad.as_bytes()), &none, None), Err(BearerError::InvalidToken), "{bad}");
        }
    }
}
