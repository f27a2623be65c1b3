//! Compact JWS (RFC 7515): ours to sign, others' to verify.
//!
//! Verification follows RFC 8725: an allow-list of algorithms the caller names, no `none`, the key's own
//! algorithm and use respected, critical headers refused. What the payload claims is the caller's to check.

use super::sign::{Jwk, TokenKey};
use super::{CryptoError, Jwks};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longer texts are refused unread.
const LONGEST: usize = 16 * 1024;

/// Algorithms we can verify.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JwsAlg {
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
}

impl JwsAlg {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Es256, Self::Rs256, Self::Ps256, Self::EdDsa];

    /// The name in JOSE headers (RFC 7518, RFC 8037).
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::EdDsa => "EdDSA",
        }
    }

    fn fits(self, key: &Jwk) -> bool {
        let (kty, crv) = match self {
            Self::Es256 => ("EC", Some("P-256")),
            Self::EdDsa => ("OKP", Some("Ed25519")),
            Self::Rs256 | Self::Ps256 => ("RSA", None),
        };
        key.kty == kty
            && (crv.is_none() || key.crv.as_deref() == crv)
            && key.alg.as_deref().is_none_or(|alg| alg == self.as_str())
            && key.usage.as_deref().is_none_or(|usage| usage == "sig")
    }
}

/// Why a JWS was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JwsError {
    /// Not three parts of base64url with a JSON header, or too long.
    #[error("not a compact JWS")]
    Malformed,
    /// The algorithm is not among those allowed.
    #[error("algorithm not allowed")]
    Algorithm,
    /// The header demands something we do not know (`crit`).
    #[error("critical header not understood")]
    Critical,
    /// The key set is not a JWK Set.
    #[error("not a set of keys")]
    BadKeys,
    /// No key, or more than one, fits the header's `kid` and algorithm.
    #[error("no single fitting key")]
    NoKey,
    /// The signature does not hold.
    #[error("signature does not hold")]
    Signature,
}

impl JwsError {
    /// Stable code, for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "jws_malformed",
            Self::Algorithm => "jws_algorithm",
            Self::Critical => "jws_critical",
            Self::BadKeys => "jws_bad_keys",
            Self::NoKey => "jws_no_key",
            Self::Signature => "jws_signature",
        }
    }
}

/// The verified header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JwsHeader {
    /// Algorithm.
    pub alg: JwsAlg,
    /// Key identifier, when given.
    pub kid: Option<String>,
    /// Type, when given.
    pub typ: Option<String>,
}

/// A JWS whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedJws {
    /// The header.
    pub header: JwsHeader,
    /// The payload's bytes.
    pub payload: Vec<u8>,
}

#[derive(Deserialize)]
struct RawHeader {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
}

/// Verifies a compact JWS against a set of public keys, with the algorithms allowed.
///
/// # Errors
/// [`JwsError`]; nothing of the payload is given back unless the signature holds.
pub fn verify_jws(
    compact: &str,
    jwks: &serde_json::Value,
    allowed: &[JwsAlg],
) -> Result<VerifiedJws, JwsError> {
    if compact.len() > LONGEST {
        return Err(JwsError::Malformed);
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
    let header: RawHeader = serde_json::from_slice(&decode(header)?).map_err(|_| JwsError::Malformed)?;
    let (payload, signature) = (decode(payload)?, decode(signature)?);
    let alg = allowed.iter().copied().find(|alg| alg.as_str() == header.alg).ok_or(JwsError::Algorithm)?;
    if header.crit.is_some() {
        return Err(JwsError::Critical);
    }
    let key = choose(jwks, alg, header.kid.as_deref())?;
    check(alg, &key, signed.as_bytes(), &signature)?;
    Ok(VerifiedJws { header: JwsHeader { alg, kid: header.kid, typ: header.typ }, payload })
}

fn decode(part: &str) -> Result<Vec<u8>, JwsError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| JwsError::Malformed)
}

/// The one key that fits. Keys of kinds we do not know are passed over (RFC 7517, 5).
fn choose(jwks: &serde_json::Value, alg: JwsAlg, kid: Option<&str>) -> Result<Jwk, JwsError> {
    let keys = jwks.get("keys").and_then(serde_json::Value::as_array).ok_or(JwsError::BadKeys)?;
    let mut fitting = keys
        .iter()
        .filter_map(|key| Jwk::deserialize(key).ok())
        .filter(|key| alg.fits(key) && (kid.is_none() || key.kid.as_deref() == kid));
    match (fitting.next(), fitting.next()) {
        (Some(key), None) => Ok(key),
        _ => Err(JwsError::NoKey),
    }
}

fn check(alg: JwsAlg, key: &Jwk, message: &[u8], signature: &[u8]) -> Result<(), JwsError> {
    let member = |text: &Option<String>| {
        text.as_deref().and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).ok_or(JwsError::BadKeys)
    };
    let rsa = |parameters: &'static RsaParameters| {
        let public = RsaPublicKeyComponents { n: member(&key.n)?, e: member(&key.e)? };
        public.verify(parameters, message, signature).map_err(|_| JwsError::Signature)
    };
    match alg {
        JwsAlg::Rs256 => rsa(&RSA_PKCS1_2048_8192_SHA256),
        JwsAlg::Ps256 => rsa(&RSA_PSS_2048_8192_SHA256),
        JwsAlg::Es256 => {
            let point = [vec![4], member(&key.x)?, member(&key.y)?].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(message, signature)
                .map_err(|_| JwsError::Signature)
        }
        JwsAlg::EdDsa => UnparsedPublicKey::new(&ED25519, member(&key.x)?)
            .verify(message, signature)
            .map_err(|_| JwsError::Signature),
    }
}

/// Signs a payload as a compact JWS under the key, with `alg`, `typ` and `kid` in the header.
///
/// # Errors
/// [`CryptoError::Signing`].
pub fn sign_jws(key: &TokenKey, typ: &str, payload: &[u8]) -> Result<String, CryptoError> {
    #[derive(Serialize)]
    struct Header<'a> {
        alg: &'a str,
        typ: &'a str,
        kid: &'a str,
    }
    let header = Header { alg: key.alg().as_str(), typ, kid: key.kid() };
    let header = serde_json::to_vec(&header).map_err(|_| CryptoError::Signing)?;
    let mut compact = URL_SAFE_NO_PAD.encode(header);
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut compact);
    let signature = key.sign(compact.as_bytes())?;
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut compact);
    Ok(compact)
}

impl Jwks {
    /// The set as a JSON value, as [`verify_jws`] takes it.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}
