//! HS256: a JWS under a client's own secret (RFC 7518, section 3.2), for a client that takes nothing better.
//!
//! Apart from signatures on purpose: what verifies here never sees a public key, and [`super::verify_jws`] knows no HS256,
//! so that no public key can ever be taken for a secret (RFC 8725, section 2.1).

use super::jws::{json_object, parts};
use super::{CryptoError, HmacKey, JwsError, SecretString, same};
use serde::Deserialize;

/// The name in JOSE headers.
const HS256: &str = "HS256";

/// A client's secret, as the key of what is signed for that client. Has no `Debug`.
pub struct ClientMac(HmacKey);

impl ClientMac {
    /// The least length of a secret in bytes: that of the hash (RFC 7518, section 3.2).
    pub const LEAST: usize = 32;

    /// The UTF-8 bytes of the secret are the key (OpenID Connect Core, section 10.1).
    ///
    /// # Errors
    /// [`CryptoError::BadKey`] for a secret that is too short.
    pub fn new(secret: &SecretString) -> Result<Self, CryptoError> {
        let bytes = secret.expose().as_bytes();
        if bytes.len() < Self::LEAST { Err(CryptoError::BadKey) } else { Ok(Self(HmacKey::new(bytes))) }
    }

    pub(super) fn sign(&self, message: &[u8]) -> [u8; 32] {
        self.0.tag(&[message])
    }
}

/// A JWS whose code holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedMac {
    /// Type, when given.
    pub typ: Option<String>,
    /// The payload's bytes.
    pub payload: Vec<u8>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
}

/// Verifies a compact JWS under a client's secret, by HS256 and nothing else.
///
/// # Errors
/// [`JwsError`]; nothing of the payload is given back unless the code holds.
pub fn verify_hs256(compact: &str, key: &ClientMac) -> Result<VerifiedMac, JwsError> {
    let parts = parts(compact)?;
    let header: Header = json_object(&parts.header).ok_or(JwsError::Malformed)?;
    if header.alg != HS256 {
        return Err(JwsError::Algorithm);
    }
    if header.crit.is_some() {
        return Err(JwsError::Critical);
    }
    if !same(&key.sign(parts.signed.as_bytes()), &parts.signature) {
        return Err(JwsError::Signature);
    }
    Ok(VerifiedMac { typ: header.typ, payload: parts.payload })
}

/// The payload of a JWS that says it is by HS256, before anything is verified: only to find whose secret it would have to
/// be under.
#[must_use]
pub fn unverified_hs256(compact: &str) -> Option<Vec<u8>> {
    let parts = parts(compact).ok()?;
    let header: Header = json_object(&parts.header)?;
    (header.alg == HS256).then_some(parts.payload)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Jwks, JwsAlg, TokenKey, sign_jws, verify_jws};
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    fn mac(secret: &str) -> ClientMac {
        ClientMac::new(&SecretString::new(secret.to_owned())).ok().unwrap()
    }

    #[test]
    fn a_code_is_that_of_the_secrets_bytes() {
        // As openssl makes it: dgst -sha256 -hmac.
        let key = mac("a-secret-of-32-bytes-or-more-0123");
        let token = sign_jws(&key, "JWT", b"{\"a\":1}").unwrap();
        assert_eq!(
            token,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJhIjoxfQ.8E_0lLg7lw-t8vXkWaIYBroCJB7QerKFT6K5F_vOgxM"
        );
        let verified = verify_hs256(&token, &key).unwrap();
        assert_eq!(verified, VerifiedMac { typ: Some("JWT".into()), payload: b"{\"a\":1}".to_vec() });
        assert_eq!(unverified_hs256(&token).unwrap(), b"{\"a\":1}");
    }

    #[test]
    fn another_secret_and_an_altered_token_are_refused() {
        let key = mac("a-secret-of-32-bytes-or-more-0123");
        let token = sign_jws(&key, "JWT", b"{}").unwrap();
        let other = mac("a-secret-of-32-bytes-or-more-0124");
        assert_eq!(verify_hs256(&token, &other), Err(JwsError::Signature));
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let head = signed.split('.').next().unwrap();
        let altered = format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode("{\"b\":1}"));
        assert_eq!(verify_hs256(&altered, &key), Err(JwsError::Signature));
        assert_eq!(verify_hs256(&format!("{signed}."), &key), Err(JwsError::Signature));
        for (header, error) in [
            (r#"{"alg":"none"}"#, JwsError::Algorithm),
            (r#"{"alg":"ES256"}"#, JwsError::Algorithm),
            (r#"{"alg":"HS256","crit":["b64"]}"#, JwsError::Critical),
            (r#"["HS256",null,null]"#, JwsError::Malformed),
        ] {
            let signed = format!("{}.e30", URL_SAFE_NO_PAD.encode(header));
            let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes())));
            assert_eq!(verify_hs256(&token, &key), Err(error), "{header}");
        }
    }

    #[test]
    fn no_public_key_is_ever_a_secret_and_no_short_secret_a_key() {
        for alg in JwsAlg::ALL {
            let pkcs8 = TokenKey::generate_pkcs8(alg, &crate::clock::SeededEntropy::new(1)).unwrap();
            let jwk = TokenKey::from_pkcs8("k", alg, &pkcs8).unwrap().public_jwk();
            let keys = Jwks { keys: vec![jwk.clone()] }.to_value();
            // Whatever of it a verifier might take for the secret.
            let member = jwk.n.clone().or(jwk.x.clone()).unwrap();
            for taken in [serde_json::to_string(&jwk).unwrap(), keys.to_string(), member] {
                let forged = sign_jws(&mac(&taken), "JWT", b"{}").unwrap();
                assert_eq!(verify_jws(&forged, &keys, &JwsAlg::ALL).err(), Some(JwsError::Algorithm));
            }
        }
        assert_eq!(ClientMac::new(&SecretString::new("x".repeat(31))).err(), Some(CryptoError::BadKey));
        assert!(ClientMac::new(&SecretString::new("x".repeat(32))).is_ok());
    }
}
