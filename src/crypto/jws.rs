//! Compact JWS (RFC 7515): ours to sign, others' to verify.
//!
//! Verification follows RFC 8725: an allow-list of algorithms the caller names, no `none`, the key's own
//! algorithm and use respected, critical headers refused. What the payload claims is the caller's to check.

use super::sign::{Jwk, TokenKey};
use super::{ClientMac, CryptoError, Digest, Jwks};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Longer texts are refused unread.
const LONGEST: usize = 16 * 1024;

/// Algorithms we can sign and verify by, with a pair of keys (RFC 7518, RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum JwsAlg {
    /// ECDSA on P-256 with SHA-256, the default.
    #[serde(rename = "ES256")]
    Es256,
    /// RSA PKCS#1 v1.5 with SHA-256, for relying parties that know no other.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSA-PSS with SHA-256 and a salt of 32 bytes.
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

    /// The hash its signatures rest on, with which an ID token hashes the access token beside it (OpenID Connect Core,
    /// section 3.1.3.6; Ed25519 hashes with SHA-512, RFC 8032, section 5.1).
    #[must_use]
    pub const fn digest(self) -> Digest {
        match self {
            Self::Es256 | Self::Rs256 | Self::Ps256 => Digest::Sha256,
            Self::EdDsa => Digest::Sha512,
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
    let Parts { signed, header, payload, signature } = parts(compact)?;
    let header: RawHeader = json_object(&header).ok_or(JwsError::Malformed)?;
    let alg = allowed.iter().copied().find(|alg| alg.as_str() == header.alg).ok_or(JwsError::Algorithm)?;
    if header.crit.is_some() {
        return Err(JwsError::Critical);
    }
    let key = choose(jwks, alg, header.kid.as_deref())?;
    check(alg, &key, signed.as_bytes(), &signature)?;
    Ok(VerifiedJws { header: JwsHeader { alg, kid: header.kid, typ: header.typ }, payload })
}

/// A compact JWS taken apart: what is signed, and its parts decoded.
pub(super) struct Parts<'a> {
    pub(super) signed: &'a str,
    pub(super) header: Vec<u8>,
    pub(super) payload: Vec<u8>,
    pub(super) signature: Vec<u8>,
}

/// Takes a compact JWS apart, without trusting any of it.
pub(super) fn parts(compact: &str) -> Result<Parts<'_>, JwsError> {
    if compact.len() > LONGEST {
        return Err(JwsError::Malformed);
    }
    let (signed, signature) = compact.rsplit_once('.').ok_or(JwsError::Malformed)?;
    let (header, payload) = signed.split_once('.').ok_or(JwsError::Malformed)?;
    Ok(Parts { signed, header: decode(header)?, payload: decode(payload)?, signature: decode(signature)? })
}

/// The JSON object in these bytes: a header, claims. Left alone, serde takes a list for a struct too, its members told
/// by their place, and does not look into members that nobody asks for, UTF-8 or not: it is read whole first, so
/// that no other reader finds something else in it.
#[must_use]
pub fn json_object<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(bytes).ok()?;
    serde_json::from_slice(bytes).ok()
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

/// Whether a signature holds under a public key.
pub(super) fn check(alg: JwsAlg, key: &Jwk, message: &[u8], signature: &[u8]) -> Result<(), JwsError> {
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

/// What signs for a client: a key of ours or, where it takes nothing better, its own secret.
#[derive(Clone, Copy)]
pub enum Signer<'a> {
    /// A key of ours.
    Key(&'a TokenKey),
    /// The client's secret (HS256).
    Secret(&'a ClientMac),
}

impl<'a> From<&'a TokenKey> for Signer<'a> {
    fn from(key: &'a TokenKey) -> Self {
        Self::Key(key)
    }
}

impl<'a> From<&'a ClientMac> for Signer<'a> {
    fn from(secret: &'a ClientMac) -> Self {
        Self::Secret(secret)
    }
}

impl Signer<'_> {
    /// The hash it signs with ([`super::JwsAlg::digest`]).
    #[must_use]
    pub const fn digest(self) -> Digest {
        match self {
            Self::Key(key) => key.alg().digest(),
            Self::Secret(_) => Digest::Sha256,
        }
    }

    fn sign(self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match self {
            Self::Key(key) => key.sign(message),
            Self::Secret(secret) => Ok(secret.sign(message).to_vec()),
        }
    }
}

/// Signs a payload as a compact JWS, with `alg`, `typ` and, for a key of ours, `kid` in the header.
///
/// # Errors
/// [`CryptoError::Signing`].
pub fn sign_jws<'a>(by: impl Into<Signer<'a>>, typ: &str, payload: &[u8]) -> Result<String, CryptoError> {
    #[derive(Serialize)]
    struct Header<'a> {
        alg: &'a str,
        typ: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        kid: Option<&'a str>,
    }
    let by = by.into();
    let (alg, kid) = match by {
        Signer::Key(key) => (key.alg().as_str(), Some(key.kid())),
        Signer::Secret(_) => ("HS256", None),
    };
    let header = Header { alg, typ, kid };
    let header = serde_json::to_vec(&header).map_err(|_| CryptoError::Signing)?;
    let mut compact = URL_SAFE_NO_PAD.encode(header);
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut compact);
    let signature = by.sign(compact.as_bytes())?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;
    use crate::crypto::{JwsAlg, SecretBytes, sign::JournalKey};
    use serde_json::{Value, json};

    // RFC 7515, appendix A.2 (RS256), A.3 (ES256); RFC 8037, appendix A.4 (Ed25519).
    const RS256: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    const EDDSA: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    fn rfc_keys() -> Value {
        json!({"keys": [
            {"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ"},
            {"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
            {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
            {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
        ]})
    }

    fn key() -> TokenKey {
        let pkcs8 = TokenKey::generate_pkcs8(JwsAlg::Es256, &SeededEntropy::new(1)).unwrap();
        TokenKey::from_pkcs8("k1", JwsAlg::Es256, &pkcs8).unwrap()
    }

    fn with_header(header: &Value, signed_by: &TokenKey) -> String {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", text(header.to_string().as_bytes()), text(b"{}"));
        let signature = text(&signed_by.sign(signed.as_bytes()).unwrap());
        format!("{signed}.{signature}")
    }

    fn set(keys: &[Jwk]) -> Value {
        Jwks { keys: keys.to_vec() }.to_value()
    }

    #[test]
    fn the_examples_of_the_rfcs_verify_and_their_neighbours_do_not() {
        for (token, alg) in [(RS256, JwsAlg::Rs256), (ES256, JwsAlg::Es256), (EDDSA, JwsAlg::EdDsa)] {
            let verified = verify_jws(token, &rfc_keys(), &JwsAlg::ALL).unwrap();
            assert_eq!(verified.header, JwsHeader { alg, kid: None, typ: None });
            let (head, body) = token.split_once('.').unwrap();
            let altered = format!("{head}.A{}", body.get(1..).unwrap());
            let refused = verify_jws(&altered, &rfc_keys(), &JwsAlg::ALL);
            assert_eq!(refused, Err(JwsError::Signature), "{alg:?}");
        }
        let payload = verify_jws(EDDSA, &rfc_keys(), &JwsAlg::ALL).unwrap().payload;
        assert_eq!(payload, b"Example of Ed25519 signing");
    }

    #[test]
    fn an_algorithm_not_allowed_is_refused_and_none_cannot_be_allowed() {
        assert_eq!(verify_jws(RS256, &rfc_keys(), &[JwsAlg::Es256, JwsAlg::Ps256]), Err(JwsError::Algorithm));
        for alg in ["none", "None", "HS256", "es256", ""] {
            let token = with_header(&json!({"alg": alg}), &key());
            let keys = set(&[key().public_jwk()]);
            assert_eq!(verify_jws(&token, &keys, &JwsAlg::ALL), Err(JwsError::Algorithm), "{alg}");
            let unsigned = token.rsplit_once('.').unwrap().0.to_owned() + ".";
            assert_eq!(verify_jws(&unsigned, &keys, &JwsAlg::ALL), Err(JwsError::Algorithm), "{alg}");
        }
    }

    #[test]
    fn a_token_of_ours_verifies_and_carries_type_and_key() {
        let key = key();
        let token = sign_jws(&key, "at+jwt", b"{\"a\":1}").unwrap();
        let verified = verify_jws(&token, &set(&[key.public_jwk()]), &[JwsAlg::Es256]).unwrap();
        assert_eq!(verified.payload, b"{\"a\":1}");
        assert_eq!(verified.header.kid.as_deref(), Some("k1"));
        assert_eq!(verified.header.typ.as_deref(), Some("at+jwt"));
    }

    #[test]
    fn the_key_must_be_the_one_named_and_must_be_for_this() {
        let (mine, other) = (key(), key());
        let token = sign_jws(&mine, "JWT", b"{}").unwrap();
        let verify = |keys: &[Jwk]| verify_jws(&token, &set(keys), &JwsAlg::ALL);
        let jwk = mine.public_jwk();
        assert!(verify(std::slice::from_ref(&jwk)).is_ok());
        assert_eq!(verify(&[]), Err(JwsError::NoKey));
        assert_eq!(verify(&[other.public_jwk()]), Err(JwsError::Signature));
        assert_eq!(verify(&[Jwk { kid: Some("k2".into()), ..jwk.clone() }]), Err(JwsError::NoKey));
        assert_eq!(verify(&[Jwk { kid: None, ..jwk.clone() }]), Err(JwsError::NoKey));
        assert_eq!(verify(&[Jwk { usage: Some("enc".into()), ..jwk.clone() }]), Err(JwsError::NoKey));
        assert_eq!(verify(&[Jwk { alg: Some("RS256".into()), ..jwk.clone() }]), Err(JwsError::NoKey));
        assert_eq!(verify(&[jwk.clone(), jwk.clone()]), Err(JwsError::NoKey), "two of that name");
        assert_eq!(verify(&[Jwk { y: None, ..jwk }]), Err(JwsError::BadKeys));
        assert_eq!(verify_jws(&token, &json!([]), &JwsAlg::ALL), Err(JwsError::BadKeys));
        // Without a name, one fitting key is enough and two are too many.
        let nameless = with_header(&json!({"alg": "ES256"}), &mine);
        let verify = |keys: &[Jwk]| verify_jws(&nameless, &set(keys), &JwsAlg::ALL);
        assert!(verify(&[mine.public_jwk()]).is_ok());
        assert_eq!(verify(&[mine.public_jwk(), other.public_jwk()]), Err(JwsError::NoKey));
    }

    #[test]
    fn an_object_is_read_whole() {
        #[derive(Deserialize)]
        struct One {
            a: u8,
        }
        let read = |bytes: &[u8]| json_object::<One>(bytes).map(|one| one.a);
        assert_eq!(read(br#" {"a":1,"b":[{"c":null}]}"#), Some(1));
        for bad in [&b"[1]"[..], b"", b"1", b"{\"a\":1,\"b\":\"\xff\"}", b"{\"a\":1,\"a\":1}", b"{\"a\":1}{}"]
        {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn malformed_texts_and_critical_headers_are_refused() {
        let key = key();
        let keys = set(&[key.public_jwk()]);
        let token = sign_jws(&key, "JWT", b"{}").unwrap();
        let long = format!("{token}{}", "A".repeat(LONGEST));
        for bad in
            ["", ".", "..", "a.b", token.get(1..).unwrap(), &format!("{token}."), &format!("{token}="), &long]
        {
            assert_eq!(verify_jws(bad, &keys, &JwsAlg::ALL), Err(JwsError::Malformed), "{bad}");
        }
        let critical = with_header(&json!({"alg": "ES256", "crit": ["b64"], "b64": false}), &key);
        assert_eq!(verify_jws(&critical, &keys, &JwsAlg::ALL), Err(JwsError::Critical));
        let list = with_header(&json!(["ES256", "k1", "JWT", null]), &key);
        assert_eq!(verify_jws(&list, &keys, &JwsAlg::ALL), Err(JwsError::Malformed));
    }

    #[test]
    fn an_ed25519_key_of_ours_is_published_as_others_read_it() {
        let key = JournalKey::from_seed(&SecretBytes::new([7; 32])).unwrap();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let signed = format!("{}.{}", text(br#"{"alg":"EdDSA","kid":"j"}"#), text(b"{}"));
        let token = format!("{signed}.{}", text(&key.sign(signed.as_bytes())));
        let keys = set(&[Jwk::ed25519("j", key.public_key())]);
        assert!(verify_jws(&token, &keys, &[JwsAlg::EdDsa]).is_ok());
    }
}
