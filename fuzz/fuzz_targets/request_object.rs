//! Signed authorization requests (RFC 9101). First line `signed`: the second is the header of the object, the rest its payload, and
//! the client's key signs them. Otherwise the whole input is the object as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use porteplume::provider::{CLOCK_SKEW, ClientRegistration, Params, effective};
use porteplume_fuzz::{CLIENTS, ISSUER, NOW, from_now, line, object, seconds, signed, text};
use serde_json::{Value, json};
use time::Duration;

const SOUND: &[u8] = br#"{"iss":"caisse","aud":"https://porteplume.example","exp":1795341660,"nbf":1795341600,"client_id":"caisse","state":"s","max_age":5}"#;

/// Whether the object is taken by that client; what counts then.
fn opened(object: &str, client: &ClientRegistration) -> Option<Params> {
    let beside = Params::of([("client_id", "caisse"), ("request", object), ("state", "beside")]).ok()?;
    let effective = effective(&beside, client, &ISSUER, NOW).ok()?;
    assert_ne!(effective.get("state"), Some("beside"), "what stands beside counts for nothing");
    Some(effective.into_owned())
}

fn check(params: &Params, header: &[u8], payload: &[u8]) {
    let header = object(header);
    assert_eq!(text(&header, "alg"), "ES256");
    assert!(header.get("crit").is_none_or(Value::is_null));
    let kind = header.get("typ").and_then(Value::as_str).map(str::to_ascii_lowercase);
    assert!([json!(null), json!("jwt"), json!("oauth-authz-req+jwt")].contains(&json!(kind)));
    let claims = object(payload);
    assert_eq!((text(&claims, "iss"), text(&claims, "client_id")), ("caisse", "caisse"));
    for never in ["sub", "request", "request_uri"] {
        assert_eq!(claims.get(never), None);
    }
    let ours = |aud: &Value| *aud == json!(ISSUER.as_str());
    assert!(ours(&claims["aud"]) || claims["aud"].as_array().is_some_and(|several| several.iter().any(ours)));
    let hour = Duration::minutes(60);
    let (until, from) =
        (seconds(&claims, "exp").expect("an end"), seconds(&claims, "nbf").expect("a beginning"));
    assert!((from_now(Duration::ZERO)..from_now(hour) + 1e-6).contains(&until));
    assert!((from_now(-hour) - 1e-6..from_now(CLOCK_SKEW) + 1e-6).contains(&from));
    for (name, value) in
        claims.iter().filter(|(name, _)| !["iss", "aud", "exp", "nbf", "iat", "jti"].contains(&name.as_str()))
    {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert_eq!(params.get(name).unwrap_or_default(), text, "{name}");
    }
}

fuzz_target!(
    init: {
        let sound = signed(br#"{"alg":"ES256"}"#, SOUND);
        let params = opened(&sound, &CLIENTS[3]).expect("the sample is sound");
        assert_eq!((params.get("state"), params.get("max_age")), (Some("s"), Some("5")));
    },
    |data: &[u8]| {
        let (first, rest) = line(data);
        let is_signed = first == b"signed";
        let (header, payload) = line(rest);
        let object = if is_signed { Some(signed(header, payload)) } else { std::str::from_utf8(data).ok().map(str::to_owned) };
        // A parameter without value is as if absent.
        let Some(object) = object.filter(|object| !object.is_empty()) else { return };
        for client in CLIENTS.iter().skip(3) {
            match opened(&object, client) {
                Some(params) if is_signed => check(&params, header, payload),
                Some(params) => panic!("nobody has the key: {:?}", params.get("state")),
                None => {}
            }
        }
    }
);
