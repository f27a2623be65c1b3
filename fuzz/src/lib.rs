//! What the targets share: one hour, one issuer, one key, a few registrations, and how an input is divided.
//!
//! An input is text, so that a seed can be written and a finding read by hand. Where signatures count there are two kinds
//! of input: one that the harness signs, so that the fuzzer gets behind the signature and every rule there is
//! tried; and one that comes as it is, which must be refused, since the fuzzer has no key.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use porteplume::crypto::{Jwks, JwsAlg, TokenKey};
use porteplume::mandate::Instant;
use porteplume::provider::{ClientDraft, ClientRegistration, Issuer};
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use time::Duration;

/// 2026-11-22T10:00:00Z, which is 1795341600.
pub const NOW: Instant = Instant::from_micros(1_795_341_600_000_000);
/// The addresses that answers may go to.
pub const REDIRECTS: [&str; 2] = ["https://caisse.example/cb?dummy1=lorem", "https://caisse.example/other"];
/// The address that a browser may go to after logout.
pub const AFTER_LOGOUT: &str = "https://caisse.example/post_logout_redirect";
/// The name of [`KEY`].
pub const KID: &str = "k";

/// Us.
pub static ISSUER: LazyLock<Issuer> =
    LazyLock::new(|| Issuer::parse("https://porteplume.example").expect("an issuer"));

/// The P-256 key of RFC 7515, appendix A.3: the client's, and ours.
pub static KEY: LazyLock<TokenKey> = LazyLock::new(|| {
    let pkcs8 = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIffH1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/\
                 zc4ncPbEXUGDy+5v20t7WAczNXvp7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt";
    let pkcs8 = STANDARD.decode(pkcs8).expect("base64");
    TokenKey::from_pkcs8(KID, JwsAlg::Es256, &pkcs8).expect("a key")
});

/// The set with that key alone.
pub static JWKS: LazyLock<Value> = LazyLock::new(|| Jwks { keys: vec![KEY.public_jwk()] }.to_value());

/// The service `caisse` in every way it may be registered. Nobody knows its secret, which is there as a hash only.
pub static CLIENTS: LazyLock<Vec<ClientRegistration>> = LazyLock::new(|| {
    let hash = json!("5a".repeat(32));
    [
        ("oidc", "client_secret_basic", hash.clone(), Value::Null, "demanded"),
        ("oidc", "client_secret_post", hash, Value::Null, "exempt"),
        ("franceconnect", "client_secret_post", json!("5a".repeat(32)), Value::Null, "demanded"),
        ("oidc", "private_key_jwt", Value::Null, JWKS.clone(), "demanded"),
        ("fapi2", "private_key_jwt", Value::Null, JWKS.clone(), "demanded"),
    ]
    .into_iter()
    .map(|(profile, method, hash, jwks, pkce)| {
        let draft: ClientDraft = serde_json::from_value(json!({
            "id": "caisse",
            "name": "Caisse de démonstration",
            "profile": profile,
            "redirect_uris": REDIRECTS,
            "post_logout_redirect_uris": [AFTER_LOGOUT],
            "auth_method": method,
            "secret_hash": hash,
            "jwks": jwks,
            "pkce": pkce,
            "claims": ["given_name", "family_name", "birthdate", "email"],
            "procedures": ["declare-income"],
        }))
        .expect("a draft");
        ClientRegistration::try_from(draft).expect("a registration")
    })
    .collect()
});

/// A compact JWS over exactly these bytes, signed with [`KEY`] whatever its header says.
#[must_use]
pub fn signed(header: &[u8], payload: &[u8]) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = KEY.sign(signed.as_bytes()).expect("a signature");
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The first line and the rest.
#[must_use]
pub fn line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|b| *b == b'\n').unwrap_or(data.len());
    let (line, rest) = data.split_at(end);
    (line, rest.get(1..).unwrap_or_default())
}

/// What was taken for a JSON object must be one. An oracle reads it without the product's types.
#[must_use]
pub fn object(bytes: &[u8]) -> Map<String, Value> {
    serde_json::from_slice(bytes).expect("what is accepted is a JSON object")
}

/// A member that must be a text.
#[must_use]
pub fn text<'o>(object: &'o Map<String, Value>, name: &str) -> &'o str {
    object.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("{name} is a text"))
}

/// A NumericDate in a claim; nothing when the claim is absent.
#[must_use]
pub fn seconds(object: &Map<String, Value>, name: &str) -> Option<f64> {
    object.get(name).filter(|value| !value.is_null()).map(|value| value.as_f64().expect("a number"))
}

/// Seconds since 1970 of that time from [`NOW`].
#[must_use]
pub fn from_now(by: Duration) -> f64 {
    NOW.plus(by).micros() as f64 / 1e6
}
