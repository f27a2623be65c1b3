//! What a service is told of a token of its own (RFC 7662), plain or signed (RFC 9701), and the request by which it asks, or gives
//! one back (RFC 7009).

use super::issuer::Issuer;
use super::oauth_error::OAuthError;
use super::params::Params;
use super::said::Said;
use crate::crypto::{CryptoError, OpaqueToken, TokenHash, TokenKey, sign_jws};
use crate::mandate::{ClientId, Instant};
use serde::Serialize;
use serde_json::{Value, json};

/// Path where a service asks about a token.
pub const INTROSPECT: &str = "/introspect";
/// Path where a service gives a token back.
pub const REVOKE: &str = "/revoke";
/// The media type of a signed answer, which whoever wants one accepts (RFC 9701, section 4).
pub const SIGNED_INTROSPECTION: &str = "application/token-introspection+jwt";
/// The header's `typ` of a signed answer (RFC 9701, section 5).
const TYP: &str = "token-introspection+jwt";

/// The token that a request is about. Hints are not needed: tokens of both kinds are found by their hash.
///
/// # Errors
/// [`OAuthError::InvalidRequest`] for a request without one, or with a repeated parameter (RFC 7662, section 2.1).
pub fn asked_token(form: &Params) -> Result<TokenHash, OAuthError> {
    if form.has_repeated() {
        return Err(OAuthError::InvalidRequest("a parameter stands twice"));
    }
    let token = form.get("token").ok_or(OAuthError::InvalidRequest("token is missing"))?;
    Ok(OpaqueToken::hash_of(token))
}

/// A token that works.
pub struct Introspected<'a> {
    /// Who issued it.
    pub issuer: &'a Issuer,
    /// The usager's identifier in the client's sector.
    pub subject: &'a str,
    /// Whose token it is.
    pub client: &'a ClientId,
    /// What it is for.
    pub scope: &'a str,
    /// When it was issued.
    pub issued: Instant,
    /// Until when it works at most.
    pub expires: Instant,
    /// Thumbprint of the key it is bound to, if it is.
    pub bound_to: Option<&'a str>,
    /// The representation, as ID and logout tokens name it.
    pub sid: &'a str,
    /// Who acts for whom.
    pub said: &'a Said,
}

impl Introspected<'_> {
    fn to_value(&self) -> Result<Value, OAuthError> {
        #[derive(Serialize)]
        struct Body<'a> {
            active: bool,
            iss: &'a str,
            sub: &'a str,
            aud: &'a str,
            client_id: &'a str,
            scope: &'a str,
            token_type: &'static str,
            iat: i64,
            exp: i64,
            sid: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            cnf: Option<Value>,
            #[serde(flatten)]
            said: &'a Said,
        }
        let body = Body {
            active: true,
            iss: self.issuer.as_str(),
            sub: self.subject,
            aud: self.client.as_str(),
            client_id: self.client.as_str(),
            scope: self.scope,
            token_type: if self.bound_to.is_some() { "DPoP" } else { "Bearer" },
            iat: self.issued.seconds(),
            exp: self.expires.seconds(),
            sid: self.sid,
            cnf: self.bound_to.map(|jkt| json!({"jkt": jkt})),
            said: self.said,
        };
        serde_json::to_value(body).map_err(|_| OAuthError::ServerError)
    }
}

/// What is told of a token: everything of one that works, of any other that it does not, and not why (RFC 7662, section 2.2).
///
/// # Errors
/// [`OAuthError::ServerError`] when it does not serialise.
pub fn introspection(of: Option<&Introspected<'_>>) -> Result<Value, OAuthError> {
    of.map_or_else(|| Ok(json!({"active": false})), Introspected::to_value)
}

/// The same as a signed JWT for that client (RFC 9701, section 5).
///
/// # Errors
/// [`CryptoError::Signing`].
pub fn signed_introspection(
    told: &Value,
    issuer: &Issuer,
    client: &ClientId,
    now: Instant,
    key: &TokenKey,
) -> Result<String, CryptoError> {
    let claims = json!({
        "iss": issuer.as_str(),
        "aud": client.as_str(),
        "iat": now.seconds(),
        "token_introspection": told,
    });
    sign_jws(key, TYP, claims.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, id, issuer, jwks, key, params};
    use super::*;
    use crate::crypto::{JwsAlg, verify_jws};
    use proptest::prelude::*;

    fn signed() -> String {
        let told = introspection(None).unwrap();
        signed_introspection(&told, &issuer(), &id("caisse"), NOW, &key("k")).unwrap()
    }

    #[test]
    fn of_a_token_that_does_not_work_nothing_else_is_told() {
        assert_eq!(introspection(None).unwrap(), json!({"active": false}));
    }

    #[test]
    fn a_signed_answer_is_for_its_client_and_is_no_id_token() {
        let verified = verify_jws(&signed(), &jwks("k"), &[JwsAlg::Es256]).unwrap();
        assert_eq!(verified.header.typ.as_deref(), Some("token-introspection+jwt"));
        let claims: Value = serde_json::from_slice(&verified.payload).unwrap();
        let expected = json!({
            "iss": issuer().as_str(),
            "aud": "caisse",
            "iat": NOW.seconds(),
            "token_introspection": {"active": false},
        });
        assert_eq!(claims, expected);
    }

    #[test]
    fn a_request_names_one_token() {
        let asked = asked_token(&params("token=abc&token_type_hint=access_token")).unwrap();
        assert_eq!(asked, OpaqueToken::hash_of("abc"));
        assert!(asked_token(&params("token_type_hint=access_token")).is_err());
        assert!(asked_token(&params("token=a&token=b")).is_err());
    }

    proptest! {
        #[test]
        fn a_signed_answer_with_any_byte_changed_is_refused(at in 0_usize..200, by in 1_u8..=255) {
            let whole = signed();
            let keys = jwks("k");
            let mut bytes = whole.clone().into_bytes();
            let at = at % bytes.len();
            bytes[at] ^= by;
            if let Ok(text) = String::from_utf8(bytes)
                && let Ok(verified) = verify_jws(&text, &keys, &[JwsAlg::Es256])
            {
                prop_assert_eq!(verified.payload, verify_jws(&whole, &keys, &[JwsAlg::Es256]).unwrap().payload);
            }
        }
    }
}
