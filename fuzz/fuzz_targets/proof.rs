//! DPoP proofs. First line `signed`: the second is the header, the rest the payload, and the key of RFC 7515 signs them.
//! Anything else is a `DPoP` header as it came.
#![no_main]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use porteplume::crypto::OpaqueToken;
use porteplume::mandate::Instant;
use porteplume::provider::{Nonces, PROOF_WINDOW, Proof, ProofRefusal, ProvenRequest, TOKEN, proof};
use porteplume_fuzz::{ISSUER, KEY, NOW, from_now, line, object, seconds, signed, text};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// Whose hash `ath` must be: [`ATH`].
const ACCESS_TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
const ATH: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

static NONCES: LazyLock<Nonces> = LazyLock::new(|| Nonces::at(NOW, |span| format!("nonce-{span}")));

fn shown<'h>(
    headers: impl IntoIterator<Item = &'h [u8]>,
    at_a_resource: bool,
) -> Result<Option<Proof>, ProofRefusal> {
    let token = OpaqueToken::hash_of(ACCESS_TOKEN);
    let token = at_a_resource.then_some(&token);
    proof(headers, ProvenRequest { method: "POST", path: TOKEN, token, nonces: &NONCES }, &ISSUER, NOW)
}

/// The proof of an ordinary client; what it is known by is the key's thumbprint.
static SOUND: LazyLock<Proof> = LazyLock::new(|| {
    let jwk = KEY.public_jwk();
    let jwk = json!({"kty": jwk.kty, "crv": jwk.crv, "x": jwk.x, "y": jwk.y});
    let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk}).to_string();
    let claims = json!({
        "jti": "a", "htm": "POST", "htu": "https://porteplume.example/token", "iat": NOW.seconds(), "ath": ATH,
        "nonce": NONCES.current(),
    });
    let jwt = signed(header.as_bytes(), claims.to_string().as_bytes());
    shown([jwt.as_bytes()], true).expect("a sound proof").expect("one")
});

fn check(proof: &Proof, header: &[u8], payload: &[u8], at_a_resource: bool) {
    assert_eq!(proof.key, SOUND.key, "another key did not sign");
    let header = object(header);
    assert_eq!(
        (text(&header, "alg"), text(&header, "typ").to_ascii_lowercase().as_str()),
        ("ES256", "dpop+jwt")
    );
    assert!(header.get("crit").is_none_or(Value::is_null));
    assert!(!header["jwk"].as_object().expect("a key").contains_key("d"), "a private key is not to be shown");

    let claims = object(payload);
    assert_eq!(text(&claims, "htm"), "POST");
    let mut htu = url::Url::parse(text(&claims, "htu")).expect("an address");
    htu.set_query(None);
    htu.set_fragment(None);
    assert_eq!(htu.as_str(), "https://porteplume.example/token");
    assert!((1..=256).contains(&text(&claims, "jti").len()));
    if at_a_resource {
        assert_eq!(text(&claims, "ath"), ATH);
    }
    let nonce = claims.get("nonce").and_then(Value::as_str);
    assert!(nonce.is_none_or(|nonce| nonce == NONCES.current() || nonce.starts_with("nonce-")));

    // Times are read to the microsecond.
    let latest = from_now(PROOF_WINDOW) + 1e-6;
    let made = seconds(&claims, "iat").expect("a time");
    assert!((from_now(-PROOF_WINDOW)..latest).contains(&made));
    assert!(seconds(&claims, "exp").is_none_or(|exp| exp >= from_now(-PROOF_WINDOW)));
    assert!(seconds(&claims, "nbf").is_none_or(|nbf| nbf < latest));
    let remembered: Instant = proof.until;
    assert!(remembered >= NOW && remembered <= NOW.plus(PROOF_WINDOW * 2), "long enough, and not for ever");
}

fuzz_target!(
    init: {
        let ath = URL_SAFE_NO_PAD.encode(OpaqueToken::hash_of(ACCESS_TOKEN).as_bytes());
        assert_eq!((SOUND.until, ath.as_str()), (NOW.plus(PROOF_WINDOW), ATH));
    },
    |data: &[u8]| {
        let (kind, rest) = line(data);
        if kind != b"signed" {
            assert!(shown([data], false).is_err(), "nobody without a key proves that he has one");
            assert_eq!(shown([data, data], false), Err(ProofRefusal::Malformed));
            return;
        }
        let (header, payload) = line(rest);
        let jwt = signed(header, payload);
        for at_a_resource in [false, true] {
            if let Ok(proof) = shown([jwt.as_bytes()], at_a_resource) {
                check(&proof.expect("a header was sent"), header, payload, at_a_resource);
            }
        }
    }
);
