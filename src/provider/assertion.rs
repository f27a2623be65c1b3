//! Client assertions (RFC 7523, section 3; OpenID Connect Core, section 9).

use super::client_keys::ClientKeys;
use super::issuer::Issuer;
use super::oauth_error::ClientRefusal;
use super::profile::{AssertionAudience, Rules};
use crate::crypto::json_object;
use crate::mandate::{ClientId, Instant};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use time::Duration;

/// How far the client's clock may run ahead of ours. The conformance suite wants 8 s accepted and 60 s refused.
pub const CLOCK_SKEW: Duration = Duration::seconds(30);
/// How long an assertion may live; its `jti` is remembered that long.
pub const MAX_LIFE: Duration = Duration::minutes(15);
/// The longest `jti`, in bytes.
const MAX_JTI: usize = 256;

/// What must be recorded so that an assertion works once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssertionUse {
    /// Its identifier, unique within its client.
    pub jti: String,
    /// Until when to remember it.
    pub expires_at: Instant,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
    jti: Option<String>,
}

/// Who a JWT is for (RFC 7519, section 4.1.3).
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    /// Whether the issuer is among them.
    pub(super) fn names(&self, issuer: &Issuer) -> bool {
        match self {
            Self::One(aud) => aud == issuer.as_str(),
            Self::Many(auds) => auds.iter().any(|aud| aud == issuer.as_str()),
        }
    }

    fn is_us(&self, issuer: &Issuer, rule: AssertionAudience) -> bool {
        let ours = |aud: &String| aud == issuer.as_str();
        let either = |aud: &String| ours(aud) || *aud == issuer.token_endpoint();
        match (rule, self) {
            (AssertionAudience::IssuerOnly, Self::One(aud)) => ours(aud),
            (AssertionAudience::IssuerOnly, Self::Many(_)) => false,
            (AssertionAudience::IssuerOrTokenEndpoint, Self::One(aud)) => either(aud),
            (AssertionAudience::IssuerOrTokenEndpoint, Self::Many(auds)) => auds.iter().any(either),
        }
    }
}

/// The client an assertion says it is from, before anything is verified: enough to look its keys up.
pub(super) fn claimed_client(jwt: &str) -> Option<ClientId> {
    #[derive(Deserialize)]
    struct Subject {
        sub: String,
    }
    let payload = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1)?).ok()?;
    let claims: Subject = json_object(&payload)?;
    ClientId::parse(&claims.sub).ok()
}

/// Verifies an assertion with the client's registered keys.
pub(super) fn verify(
    jwt: &str,
    client: &ClientId,
    keys: &ClientKeys,
    rules: &Rules,
    issuer: &Issuer,
    now: Instant,
) -> Result<AssertionUse, ClientRefusal> {
    let verified = keys.verify(jwt, rules.client_algs).map_err(|_| ClientRefusal::AssertionSignature)?;
    // A JWT of another kind signed with the same key must not do as a login (RFC 8725, section 3.11).
    let kinds = ["jwt", "client-authentication+jwt"];
    if verified.header.typ.is_some_and(|typ| !kinds.contains(&typ.to_ascii_lowercase().as_str())) {
        return Err(ClientRefusal::AssertionMalformed);
    }
    let claims: Claims = json_object(&verified.payload).ok_or(ClientRefusal::AssertionMalformed)?;
    if claims.iss != client.as_str() || claims.sub != client.as_str() {
        return Err(ClientRefusal::AssertionSubject);
    }
    if !claims.aud.is_us(issuer, rules.assertion_audience) {
        return Err(ClientRefusal::AssertionAudience);
    }
    let expires_at = times(&claims, now)?;
    match claims.jti {
        Some(jti) if (1..=MAX_JTI).contains(&jti.len()) => Ok(AssertionUse { jti, expires_at }),
        _ => Err(ClientRefusal::AssertionId),
    }
}

fn times(claims: &Claims, now: Instant) -> Result<Instant, ClientRefusal> {
    let expires_at = instant(claims.exp);
    if expires_at <= now || expires_at > now.plus(MAX_LIFE) {
        return Err(ClientRefusal::AssertionExpired);
    }
    let latest = now.plus(CLOCK_SKEW);
    let early = [claims.iat, claims.nbf].into_iter().flatten().any(|from| instant(from) > latest);
    if early { Err(ClientRefusal::AssertionEarly) } else { Ok(expires_at) }
}

/// A NumericDate (RFC 7519, section 2): seconds, which may have a fraction.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float saturates, which is what is wanted")]
pub(super) fn instant(seconds: f64) -> Instant {
    Instant::from_micros((seconds * 1e6) as i64)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{NOW, id, issuer, jwks, key, params, signing_client};
    use super::super::{ASSERTION_TYPE, ClientRegistration, Credentials, Profile};
    use super::*;
    use crate::crypto::sign_jws;
    use serde_json::{Value, json};

    fn claims() -> Value {
        let now = NOW.seconds();
        json!({
            "iss": "caisse", "sub": "caisse", "aud": "https://porteplume.example",
            "iat": now, "exp": now + 60, "jti": "0123456789",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn signed(typ: &str, claims: &Value) -> String {
        sign_jws(&key("client-key"), typ, claims.to_string().as_bytes()).unwrap()
    }

    fn login_with(jwt: &str, registered: &ClientRegistration) -> Result<AssertionUse, ClientRefusal> {
        let form = format!("client_assertion_type={ASSERTION_TYPE}&client_assertion={jwt}");
        let credentials = Credentials::read(None, &params(&form)).map_err(|error| match error {
            super::super::OAuthError::InvalidClient(reason) => reason,
            other => panic!("{other:?}"),
        })?;
        Ok(credentials.verify(Some(registered), &issuer(), NOW)?.assertion.unwrap())
    }

    fn login(claims: &Value) -> Result<AssertionUse, ClientRefusal> {
        login_with(&signed("JWT", claims), &signing_client())
    }

    #[test]
    fn a_good_assertion_logs_in_and_says_what_to_record() {
        let used = login(&claims()).unwrap();
        let expires_at = NOW.plus(Duration::seconds(60));
        assert_eq!(used, AssertionUse { jti: "0123456789".into(), expires_at });
    }

    #[test]
    fn issuer_and_token_endpoint_are_audiences_of_plain_openid_connect() {
        for aud in [json!("https://porteplume.example/token"), json!(["x", "https://porteplume.example"])] {
            assert!(login(&with("aud", aud)).is_ok());
        }
    }

    #[test]
    fn ensure_client_assertion_in_token_endpoint_with_wrong_aud_fails() {
        for aud in [
            json!("https://evil.example"),
            json!("https://porteplume.example/"),
            json!("https://porteplume.example/par"),
            json!([]),
        ] {
            assert_eq!(login(&with("aud", aud)), Err(ClientRefusal::AssertionAudience));
        }
    }

    #[test]
    fn par_test_array_as_audience_fails_where_the_profile_wants_the_issuer_alone() {
        let rules = Profile::Fapi2.rules();
        let keys = ClientKeys::check(&jwks("client-key")).unwrap();
        let check = |aud: Value| {
            verify(&signed("JWT", &with("aud", aud)), &id("caisse"), &keys, &rules, &issuer(), NOW)
        };
        assert!(check(json!("https://porteplume.example")).is_ok());
        for aud in [json!(["https://porteplume.example"]), json!("https://porteplume.example/token")] {
            assert_eq!(check(aud), Err(ClientRefusal::AssertionAudience));
        }
    }

    #[test]
    fn ensure_client_assertion_in_token_endpoint_with_no_sub_fails() {
        assert_eq!(login(&without("sub")), Err(ClientRefusal::AssertionMalformed));
        assert_eq!(login(&with("iss", json!("other"))), Err(ClientRefusal::AssertionSubject));
        assert_eq!(login(&with("sub", json!("other"))), Err(ClientRefusal::Unknown));
    }

    #[test]
    fn ensure_client_assertion_with_exp_is_5_minutes_in_past_fails() {
        let at = |seconds: i64| json!(NOW.seconds() + seconds);
        for exp in [at(-300), at(0), at(15 * 60 + 1), json!(1e300), json!(-1e300)] {
            assert_eq!(login(&with("exp", exp)), Err(ClientRefusal::AssertionExpired));
        }
        assert_eq!(login(&without("exp")), Err(ClientRefusal::AssertionMalformed));
    }

    #[test]
    fn par_ensure_jwt_client_assertions_nbf_8_seconds_in_the_future_is_accepted_and_over_60_fails() {
        let at = |seconds: i64| json!(NOW.seconds() + seconds);
        for name in ["nbf", "iat"] {
            assert!(login(&with(name, at(8))).is_ok(), "{name}");
            assert_eq!(login(&with(name, at(61))), Err(ClientRefusal::AssertionEarly), "{name}");
        }
        assert!(login(&without("iat")).is_ok());
    }

    #[test]
    fn claims_that_are_a_list_are_no_claims() {
        let now = NOW.seconds();
        let list =
            json!(["caisse", "caisse", "https://porteplume.example", now + 60, now, now, "0123456789"]);
        let keys = ClientKeys::check(&jwks("client-key")).unwrap();
        let refused =
            verify(&signed("JWT", &list), &id("caisse"), &keys, &Profile::Oidc.rules(), &issuer(), NOW);
        assert_eq!(refused, Err(ClientRefusal::AssertionMalformed));
        assert_eq!(login(&json!(["caisse"])), Err(ClientRefusal::AssertionMalformed));
    }

    #[test]
    fn an_assertion_without_identifier_cannot_be_used_once() {
        for jti in [json!(""), json!("x".repeat(257)), Value::Null] {
            assert_eq!(login(&with("jti", jti)), Err(ClientRefusal::AssertionId));
        }
        assert_eq!(login(&without("jti")), Err(ClientRefusal::AssertionId));
    }

    #[test]
    fn another_key_another_kind_or_no_signature_is_refused() {
        let client = signing_client();
        let stranger = sign_jws(&key("other-key"), "JWT", claims().to_string().as_bytes()).unwrap();
        assert_eq!(login_with(&stranger, &client), Err(ClientRefusal::AssertionSignature));
        let jwt = signed("JWT", &claims());
        let (head, _) = jwt.rsplit_once('.').unwrap();
        let (_, payload) = head.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for forged in [format!("{head}."), format!("{head}.AAAA"), format!("{none}.{payload}.")] {
            assert_eq!(login_with(&forged, &client), Err(ClientRefusal::AssertionSignature), "{forged}");
        }
        for typ in ["dpop+jwt", "logout+jwt", "at+jwt"] {
            assert_eq!(login_with(&signed(typ, &claims()), &client), Err(ClientRefusal::AssertionMalformed));
        }
        assert!(login_with(&signed("client-authentication+jwt", &claims()), &client).is_ok());
    }

    #[test]
    fn an_assertion_does_not_serve_a_client_registered_for_a_secret() {
        let jwt = signed("JWT", &claims());
        let client = super::super::testing::client();
        assert_eq!(login_with(&jwt, &client), Err(ClientRefusal::WrongMethod));
    }

    #[test]
    fn ensure_client_id_in_token_endpoint() {
        let jwt = signed("JWT", &claims());
        let form = format!("client_id=other&client_assertion_type={ASSERTION_TYPE}&client_assertion={jwt}");
        let read = Credentials::read(None, &params(&form)).err();
        assert_eq!(read, Some(ClientRefusal::Malformed.into()));
    }
}
