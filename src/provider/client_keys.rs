//! A client's public keys.

use crate::crypto::{Jwk, JwsAlg, JwsError, VerifiedJws, verify_jws};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize as _;
use serde_json::Value;
use std::collections::BTreeSet;
use thiserror::Error;

/// The most keys a client may register.
const MAX_KEYS: usize = 10;
/// Members only a private or a shared key has (RFC 7518, section 6).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Why keys cannot be registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnusableKeys {
    /// Not a JWK set of 1 to ten keys (RFC 7517, section 5).
    #[error("the keys must be a JWK set of 1 to {MAX_KEYS} keys")]
    NotASet,
    /// A private or shared key: it does not belong here and must count as stolen.
    #[error("the keys must be public: this one is private, replace it")]
    Private,
    /// Not an RSA key of 2048 bits or more, nor P-256, nor Ed25519, or not for signing.
    #[error("a key must be RSA of 2048 bits or more, P-256 or Ed25519, for signing")]
    Kind,
    /// Several keys, of which some share a `kid` or have none.
    #[error("several keys need a kid each, no two the same")]
    Kid,
}

/// Checked public keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKeys(Value);

impl ClientKeys {
    /// Checks a JWK set.
    ///
    /// # Errors
    /// [`UnusableKeys`].
    pub fn check(jwks: &Value) -> Result<Self, UnusableKeys> {
        let keys = jwks.get("keys").and_then(Value::as_array).ok_or(UnusableKeys::NotASet)?;
        if keys.is_empty() || keys.len() > MAX_KEYS {
            return Err(UnusableKeys::NotASet);
        }
        let mut kids = BTreeSet::new();
        for key in keys {
            if PRIVATE.iter().any(|member| key.get(member).is_some()) {
                return Err(UnusableKeys::Private);
            }
            let jwk = Jwk::deserialize(key).map_err(|_| UnusableKeys::NotASet)?;
            if !is_usable(&jwk) {
                return Err(UnusableKeys::Kind);
            }
            kids.extend(jwk.kid);
        }
        if keys.len() > 1 && kids.len() != keys.len() {
            return Err(UnusableKeys::Kid);
        }
        Ok(Self(jwks.clone()))
    }

    /// Whether each of them is for one of these algorithms, or names none.
    #[must_use]
    pub fn are_for(&self, algs: &[JwsAlg]) -> bool {
        let keys = self.0.get("keys").and_then(Value::as_array);
        let mut named = keys.into_iter().flatten().filter_map(|key| key.get("alg").and_then(Value::as_str));
        named.all(|named| algs.iter().any(|alg| alg.as_str() == named))
    }

    /// Verifies a JWS made with one of them.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn verify(&self, jws: &str, allowed: &[JwsAlg]) -> Result<VerifiedJws, JwsError> {
        verify_jws(jws, &self.0, allowed)
    }
}

fn is_usable(key: &Jwk) -> bool {
    let bytes = |member: &Option<String>| {
        member.as_deref().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default()
    };
    let material = match (key.kty.as_str(), key.crv.as_deref()) {
        ("RSA", None) => bytes(&key.n).len() >= 256 && !bytes(&key.e).is_empty(),
        ("EC", Some("P-256")) => bytes(&key.x).len() == 32 && bytes(&key.y).len() == 32,
        ("OKP", Some("Ed25519")) => bytes(&key.x).len() == 32,
        _ => false,
    };
    let alg = key.alg.as_deref().is_none_or(|alg| JwsAlg::ALL.iter().any(|known| known.as_str() == alg));
    material && alg && key.usage.as_deref().is_none_or(|usage| usage == "sig")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    #[test]
    fn public_keys_are_taken() {
        let ec = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "a", "use": "sig"});
        let rsa = json!({"kty": "RSA", "n": "A".repeat(342), "e": "AQAB", "kid": "b", "alg": "PS256"});
        let okp = json!({"kty": "OKP", "crv": "Ed25519", "x": X, "kid": "c", "alg": "EdDSA"});
        assert!(ClientKeys::check(&json!({"keys": [ec, rsa, okp]})).is_ok());
    }

    #[test]
    fn private_weak_and_unmarked_keys_are_refused() {
        let ec = |kid: &str| json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": kid});
        let bare = json!({"kty": "EC", "crv": "P-256", "x": X, "y": Y});
        let mut private = ec("a");
        private["d"] = json!(X);
        let mut encrypting = ec("a");
        encrypting["use"] = json!("enc");
        let many: Vec<_> = (0..11).map(|n| ec(&n.to_string())).collect();
        for (keys, expected) in [
            (json!({"keys": []}), UnusableKeys::NotASet),
            (json!({"keys": many}), UnusableKeys::NotASet),
            (json!({"keys": ["a"]}), UnusableKeys::NotASet),
            (json!([]), UnusableKeys::NotASet),
            (json!({"keys": [private]}), UnusableKeys::Private),
            (json!({"keys": [{"kty": "oct", "k": "AAAA"}]}), UnusableKeys::Private),
            (json!({"keys": [{"kty": "RSA", "n": "A".repeat(170), "e": "AQAB"}]}), UnusableKeys::Kind),
            (json!({"keys": [{"kty": "EC", "crv": "P-521", "x": X, "y": Y}]}), UnusableKeys::Kind),
            (json!({"keys": [encrypting]}), UnusableKeys::Kind),
            (json!({"keys": [ec("a"), ec("a")]}), UnusableKeys::Kid),
            (json!({"keys": [ec("a"), bare]}), UnusableKeys::Kid),
        ] {
            assert_eq!(ClientKeys::check(&keys), Err(expected), "{keys}");
        }
    }
}
