//! What a service that proves itself by a key sends: client assertions and proofs of possession.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use porteplume::clock::{Clock as _, SystemClock};
use porteplume::crypto::{JwsAlg, TokenKey};
use porteplume::provider::ASSERTION_TYPE;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A service with a key on P-256, which signs both.
#[derive(Clone)]
pub(crate) struct Strict {
    key: Arc<TokenKey>,
    number: Arc<AtomicU64>,
}

impl Strict {
    pub(crate) fn new() -> Self {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let key = TokenKey::from_pkcs8("strict", JwsAlg::Es256, pkcs8.as_ref()).unwrap();
        Self { key: Arc::new(key), number: Arc::default() }
    }

    pub(crate) fn jwk(&self) -> Value {
        serde_json::to_value(self.key.public_jwk()).unwrap()
    }

    fn signed(&self, header: &Value, claims: &Value) -> String {
        let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", text(header), text(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).unwrap()))
    }

    fn jti(&self) -> String {
        format!("jti-{}", self.number.fetch_add(1, Ordering::Relaxed))
    }

    /// The fields of a form by which the service proves itself.
    pub(crate) fn assertion(&self, issuer: &str) -> String {
        let now = SystemClock.now().seconds();
        let claims = json!({"iss": "strict", "sub": "strict", "aud": issuer, "jti": self.jti(), "iat": now, "exp": now + 60});
        let assertion = self.signed(&json!({"alg": "ES256", "kid": "strict"}), &claims);
        let kind: String = url::form_urlencoded::byte_serialize(ASSERTION_TYPE.as_bytes()).collect();
        format!("client_assertion_type={kind}&client_assertion={assertion}")
    }

    /// A proof for a form sent there.
    pub(crate) fn proof(&self, address: &str) -> String {
        let jwk = self.key.public_jwk();
        let jwk = json!({"kty": jwk.kty, "crv": jwk.crv, "x": jwk.x, "y": jwk.y});
        let header = json!({"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk});
        let claims =
            json!({"htm": "POST", "htu": address, "iat": SystemClock.now().seconds(), "jti": self.jti()});
        self.signed(&header, &claims)
    }
}
