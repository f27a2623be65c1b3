//! How a client proves itself. First line `signed`: the second is the header of an assertion, the rest its payload, and the
//! client's key signs them. Otherwise the first line is the `Authorization` header, none when it is empty, and the rest the form.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porteplume::provider::{
    ASSERTION_TYPE, AssertionUse, CLOCK_SKEW, ClientRefusal, ClientRegistration, Credentials, MAX_LIFE,
    OAuthError, Params, Profile,
};
use porteplume_fuzz::{CLIENTS, ISSUER, NOW, from_now, line, object, seconds, signed, text};
use serde_json::{Value, json};

const HEADER: &[u8] = br#"{"alg":"ES256"}"#;
const SOUND: &[u8] =
    br#"{"iss":"caisse","sub":"caisse","aud":"https://porteplume.example","exp":1795341660,"jti":"a"}"#;

/// Who has the keys: the last two.
fn with_keys() -> impl Iterator<Item = &'static ClientRegistration> {
    CLIENTS.iter().skip(3)
}

fn log_in(jwt: &str, client: &ClientRegistration) -> Result<AssertionUse, ClientRefusal> {
    let form = Params::of([("client_assertion_type", ASSERTION_TYPE), ("client_assertion", jwt)]);
    let Ok(form) = form else { return Err(ClientRefusal::Malformed) };
    let credentials = match Credentials::read(None, &form) {
        Ok(credentials) => credentials,
        Err(OAuthError::InvalidClient(reason)) => return Err(reason),
        Err(other) => panic!("{other:?}"),
    };
    let logged_in = credentials.verify(Some(client), &ISSUER, NOW)?;
    assert_eq!(logged_in.client, *client.id());
    Ok(logged_in.assertion.expect("what to record, so that it works once"))
}

fn foreign(data: &[u8]) {
    let (header, form) = line(data);
    let header = (!header.is_empty()).then_some(header);
    let Ok(form) = Params::parse(form) else { return };
    let read = || Credentials::read(header, &form);
    let Ok(credentials) = read() else { return };

    let (secret, assertion) = (form.get("client_secret"), form.get("client_assertion"));
    let ways =
        usize::from(header.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some());
    assert_eq!(ways, 1, "one way of authentication");
    assert!(!form.has_repeated());
    assert!(form.get("client_id").is_none_or(|id| id == credentials.client().as_str()));
    assert!(credentials.verify(None, &ISSUER, NOW).is_err());
    for client in CLIENTS.iter() {
        let credentials = read().ok().expect("it was read before");
        assert!(credentials.verify(Some(client), &ISSUER, NOW).is_err(), "nobody has key or secret");
    }
}

fn check(used: &AssertionUse, client: &ClientRegistration, header: &[u8], payload: &[u8]) {
    let header = object(header);
    assert_eq!(text(&header, "alg"), "ES256");
    assert!(header.get("crit").is_none_or(Value::is_null));
    let kinds = [json!(null), json!("jwt"), json!("client-authentication+jwt")];
    let kind = header.get("typ").and_then(Value::as_str).map(str::to_ascii_lowercase);
    assert!(kinds.contains(&json!(kind)), "a JWT of another kind is no login");

    let claims = object(payload);
    assert_eq!((text(&claims, "iss"), text(&claims, "sub")), ("caisse", "caisse"));
    let ours = |aud: &Value| *aud == json!(ISSUER.as_str()) || *aud == json!(ISSUER.token_endpoint());
    match (&claims["aud"], client.profile()) {
        (aud, Profile::Fapi2) => assert_eq!(*aud, json!(ISSUER.as_str())),
        (Value::Array(several), _) => assert!(several.iter().any(ours)),
        (aud, _) => assert!(ours(aud)),
    }
    assert_eq!(text(&claims, "jti"), used.jti);
    assert!((1..=256).contains(&used.jti.len()));
    assert!(used.expires_at > NOW && used.expires_at <= NOW.plus(MAX_LIFE));
    let ends = seconds(&claims, "exp").expect("an end");
    assert!((from_now(time::Duration::ZERO)..from_now(MAX_LIFE) + 1e-6).contains(&ends));
    for begins in ["iat", "nbf"] {
        assert!(seconds(&claims, begins).is_none_or(|at| at < from_now(CLOCK_SKEW) + 1e-6), "{begins}");
    }
}

fuzz_target!(
    init: assert!(with_keys().all(|client| log_in(&signed(HEADER, SOUND), client).is_ok())),
    |data: &[u8]| {
        let (kind, rest) = line(data);
        if kind != b"signed" {
            return foreign(data);
        }
        let (header, payload) = line(rest);
        let jwt = signed(header, payload);
        for client in with_keys() {
            if let Ok(used) = log_in(&jwt, client) {
                check(&used, client, header, payload);
            }
        }
    }
);
