//! Signing keys: ES256, PS256, EdDSA and RS256 for tokens, here or in a PKCS#11 module; Ed25519 for the journal.

use super::module::Module;
use super::{CryptoError, JwsAlg, SecretBytes, rsa_key};
use crate::clock::Entropy;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use zeroize::Zeroizing;

/// ring's own random source, whose trait is sealed: the one place it is named.
#[expect(clippy::disallowed_methods, reason = "ring takes no other source for ECDSA nonces and P-256 keys")]
fn ring_random() -> SystemRandom {
    SystemRandom::new()
}

/// A public key as JSON (RFC 7517). Holds no member a private key would need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jwk {
    /// Key type: `EC`, `RSA`, `OKP`.
    pub kty: String,
    /// Curve.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crv: Option<String>,
    /// First coordinate, or the whole Ed25519 key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub x: Option<String>,
    /// Second coordinate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub y: Option<String>,
    /// RSA modulus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<String>,
    /// RSA exponent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e: Option<String>,
    /// Key identifier, never used for a second key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
    /// The one algorithm the key is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alg: Option<String>,
    /// `sig`.
    #[serde(default, rename = "use", skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
}

impl Jwk {
    /// The public half of an Ed25519 key (RFC 8037).
    #[must_use]
    pub fn ed25519(kid: &str, public: &[u8; 32]) -> Self {
        Self::okp(kid, public)
    }

    /// The same, for bytes known to be a key.
    pub(super) fn okp(kid: &str, public: &[u8]) -> Self {
        Self {
            crv: Some("Ed25519".to_owned()),
            x: Some(URL_SAFE_NO_PAD.encode(public)),
            ..Self::bare("OKP", kid, "EdDSA")
        }
    }

    /// The public half of a P-256 key: an uncompressed point, 0x04 and then both coordinates.
    pub(super) fn p256(kid: &str, point: &[u8]) -> Self {
        let coordinates = point.get(1..).unwrap_or_default();
        let (x, y) = coordinates.split_at(coordinates.len() / 2);
        Self {
            crv: Some("P-256".to_owned()),
            x: Some(URL_SAFE_NO_PAD.encode(x)),
            y: Some(URL_SAFE_NO_PAD.encode(y)),
            ..Self::bare("EC", kid, "ES256")
        }
    }

    /// The public half of an RSA key, for one algorithm: modulus and exponent, big-endian, without leading zeros.
    pub(super) fn rsa(kid: &str, alg: JwsAlg, n: &[u8], e: &[u8]) -> Self {
        let text = |bytes: &[u8]| Some(URL_SAFE_NO_PAD.encode(bytes));
        Self { n: text(n), e: text(e), ..Self::bare("RSA", kid, alg.as_str()) }
    }

    fn bare(kty: &str, kid: &str, alg: &str) -> Self {
        Self {
            kty: kty.to_owned(),
            crv: None,
            x: None,
            y: None,
            n: None,
            e: None,
            kid: Some(kid.to_owned()),
            alg: Some(alg.to_owned()),
            usage: Some("sig".to_owned()),
        }
    }
}

/// A set of public keys (RFC 7517, 5).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Jwks {
    /// The keys.
    pub keys: Vec<Jwk>,
}

enum Pair {
    Ecdsa(EcdsaKeyPair),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ed25519(Ed25519KeyPair),
    /// Its private half is in the module; here is the public one.
    Module(Arc<Module>, Box<Jwk>),
}

/// A private key that signs tokens.
pub struct TokenKey {
    kid: String,
    alg: JwsAlg,
    pair: Pair,
}

impl TokenKey {
    /// A fresh private key in PKCS#8. For RSA this takes a second or so.
    ///
    /// # Errors
    /// [`CryptoError::NoEntropy`], [`CryptoError::BadKey`].
    pub(super) fn generate_pkcs8(
        alg: JwsAlg,
        entropy: &dyn Entropy,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        match alg {
            JwsAlg::Es256 => {
                let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &ring_random());
                Ok(Zeroizing::new(document.map_err(|_| CryptoError::BadKey)?.as_ref().to_vec()))
            }
            JwsAlg::Rs256 | JwsAlg::Ps256 => rsa_key::generate(entropy),
            JwsAlg::EdDsa => {
                let document = Ed25519KeyPair::generate_pkcs8(&ring_random());
                Ok(Zeroizing::new(document.map_err(|_| CryptoError::BadKey)?.as_ref().to_vec()))
            }
        }
    }

    /// Reads a private key from PKCS#8.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`].
    pub fn from_pkcs8(kid: &str, alg: JwsAlg, pkcs8: &[u8]) -> Result<Self, CryptoError> {
        let pair = match alg {
            JwsAlg::Es256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &ring_random())
                    .map(Pair::Ecdsa)
            }
            JwsAlg::Rs256 => RsaKeyPair::from_pkcs8(pkcs8).map(|pair| Pair::Rsa(pair, &RSA_PKCS1_SHA256)),
            JwsAlg::Ps256 => RsaKeyPair::from_pkcs8(pkcs8).map(|pair| Pair::Rsa(pair, &RSA_PSS_SHA256)),
            JwsAlg::EdDsa => Ed25519KeyPair::from_pkcs8(pkcs8).map(Pair::Ed25519),
        };
        Ok(Self { kid: kid.to_owned(), alg, pair: pair.map_err(|_| CryptoError::BadKey)? })
    }

    /// The key in a module that has this identifier and public half.
    pub(super) fn in_module(kid: &str, alg: JwsAlg, module: Arc<Module>, public: Jwk) -> Self {
        Self { kid: kid.to_owned(), alg, pair: Pair::Module(module, Box::new(public)) }
    }

    /// Key identifier.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// Algorithm.
    #[must_use]
    pub const fn alg(&self) -> JwsAlg {
        self.alg
    }

    /// Signs the bytes; for ES256 the signature is `r || s`, 64 bytes, as JWS wants it.
    ///
    /// # Errors
    /// [`CryptoError::Signing`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        match &self.pair {
            Pair::Ecdsa(pair) => {
                pair.sign(&ring_random(), message).map(|signature| signature.as_ref().to_vec())
            }
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(*encoding, &ring_random(), message, &mut signature).map(|()| signature)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Module(module, _) => {
                let signed = module.sign(&self.kid, self.alg, message);
                return signed.map_err(|error| {
                    tracing::error!(code = error.code(), %error, "a token could not be signed");
                    CryptoError::Signing
                });
            }
        }
        .map_err(|_| CryptoError::Signing)
    }

    /// The public half, to publish.
    #[must_use]
    pub fn public_jwk(&self) -> Jwk {
        match &self.pair {
            Pair::Ecdsa(pair) => Jwk::p256(&self.kid, pair.public_key().as_ref()),
            Pair::Rsa(pair, _) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
                Jwk::rsa(&self.kid, self.alg, &public.n, &public.e)
            }
            Pair::Ed25519(pair) => Jwk::okp(&self.kid, pair.public_key().as_ref()),
            Pair::Module(_, public) => Jwk::clone(public),
        }
    }
}

/// The key that signs the journal's checkpoints.
pub struct JournalKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl JournalKey {
    /// The key of a seed (RFC 8032, 5.1.5).
    ///
    /// # Errors
    /// [`CryptoError::BadKey`].
    pub fn from_seed(seed: &SecretBytes<32>) -> Result<Self, CryptoError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| CryptoError::BadKey)?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| CryptoError::BadKey)?;
        Ok(Self { pair, public })
    }

    /// The public key, 32 bytes.
    #[must_use]
    pub const fn public_key(&self) -> &[u8; 32] {
        &self.public
    }

    /// Signs the bytes.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut out = [0; 64];
        let signature = self.pair.sign(message);
        for (to, from) in out.iter_mut().zip(signature.as_ref()) {
            *to = *from;
        }
        out
    }
}

/// Whether an Ed25519 signature holds.
#[must_use]
pub fn verify_ed25519(public: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&ED25519, public).verify(message, signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{NoEntropy, SeededEntropy};
    use crate::crypto::{JwsError, from_hex, sign_jws, to_hex, verify_jws};
    use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256};

    #[test]
    fn ed25519_signs_as_in_rfc_8032() {
        // RFC 8032, 7.1, test 2.
        let seed = from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").unwrap();
        let key = JournalKey::from_seed(&SecretBytes::new(seed)).unwrap();
        assert_eq!(
            to_hex(key.public_key()),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
        );
        let signature = key.sign(b"\x72");
        assert_eq!(
            to_hex(&signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert!(verify_ed25519(key.public_key(), b"\x72", &signature));
        assert!(!verify_ed25519(key.public_key(), b"\x73", &signature));
    }

    #[test]
    fn an_es256_signature_is_r_and_s_and_verifies_with_the_published_key() {
        let pkcs8 = TokenKey::generate_pkcs8(JwsAlg::Es256, &SeededEntropy::new(1)).unwrap();
        let key = TokenKey::from_pkcs8("k1", JwsAlg::Es256, &pkcs8).unwrap();
        let signature = key.sign(b"message").unwrap();
        assert_eq!(signature.len(), 64);
        let jwk = key.public_jwk();
        let decode = |text: Option<String>| URL_SAFE_NO_PAD.decode(text.unwrap()).unwrap();
        let point = [vec![4], decode(jwk.x), decode(jwk.y)].concat();
        assert_eq!(point.len(), 65);
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        assert!(public.verify(b"message", &signature).is_ok());
        assert!(public.verify(b"massage", &signature).is_err());
    }

    #[test]
    fn an_rs256_signature_verifies_with_the_published_key() {
        let pkcs8 = TokenKey::generate_pkcs8(JwsAlg::Rs256, &SeededEntropy::new(1)).unwrap();
        let key = TokenKey::from_pkcs8("k2", JwsAlg::Rs256, &pkcs8).unwrap();
        let signature = key.sign(b"message").unwrap();
        let jwk = key.public_jwk();
        let decode = |text: Option<String>| URL_SAFE_NO_PAD.decode(text.unwrap()).unwrap();
        let public = RsaPublicKeyComponents { n: decode(jwk.n), e: decode(jwk.e) };
        assert!(public.verify(&RSA_PKCS1_2048_8192_SHA256, b"message", &signature).is_ok());
        assert!(public.verify(&RSA_PKCS1_2048_8192_SHA256, b"massage", &signature).is_err());
        assert_eq!(TokenKey::from_pkcs8("k2", JwsAlg::Es256, &pkcs8).err(), Some(CryptoError::BadKey));
    }

    #[test]
    fn a_signature_of_each_algorithm_verifies_under_that_algorithm_alone() {
        let keys = JwsAlg::ALL.map(|alg| {
            let pkcs8 = TokenKey::generate_pkcs8(alg, &SeededEntropy::new(1)).unwrap();
            TokenKey::from_pkcs8(alg.as_str(), alg, &pkcs8).unwrap()
        });
        for key in &keys {
            let token = sign_jws(key, "JWT", b"{}").unwrap();
            let verify = |jwk: Jwk, allowed: &[JwsAlg]| {
                verify_jws(&token, &Jwks { keys: vec![jwk] }.to_value(), allowed)
                    .map(|verified| verified.header)
            };
            let jwk = key.public_jwk();
            assert_eq!(jwk.alg.as_deref(), Some(key.alg().as_str()));
            assert_eq!(jwk.kid.as_deref(), Some(key.alg().as_str()));
            assert_eq!(jwk.usage.as_deref(), Some("sig"));
            let header = verify(jwk.clone(), &JwsAlg::ALL).unwrap();
            assert_eq!(header.alg.as_str(), key.alg().as_str());
            for other in JwsAlg::ALL.into_iter().filter(|alg| alg.as_str() != key.alg().as_str()) {
                assert_eq!(verify(jwk.clone(), &[other]), Err(JwsError::Algorithm), "{other:?}");
                let lent = Jwk { alg: Some(other.as_str().to_owned()), ..jwk.clone() };
                assert_eq!(verify(lent, &JwsAlg::ALL), Err(JwsError::NoKey), "{other:?}");
            }
        }
        // The same RSA key for both paddings: one does not pass for the other.
        let pkcs8 = TokenKey::generate_pkcs8(JwsAlg::Rs256, &SeededEntropy::new(1)).unwrap();
        let [pkcs1, pss] = [JwsAlg::Rs256, JwsAlg::Ps256]
            .map(|alg| TokenKey::from_pkcs8("k", alg, &pkcs8).unwrap().sign(b"message").unwrap());
        let public = RsaKeyPair::from_pkcs8(&pkcs8).unwrap();
        let public = RsaPublicKeyComponents::<Vec<u8>>::from(public.public());
        assert!(public.verify(&RSA_PSS_2048_8192_SHA256, b"message", &pss).is_ok());
        assert!(public.verify(&RSA_PSS_2048_8192_SHA256, b"message", &pkcs1).is_err());
        assert!(public.verify(&RSA_PKCS1_2048_8192_SHA256, b"message", &pss).is_err());
    }

    struct Dry;
    impl Entropy for Dry {
        fn fill(&self, _: &mut [u8]) -> Result<(), NoEntropy> {
            Err(NoEntropy)
        }
    }

    #[test]
    fn no_rsa_key_is_made_without_entropy() {
        let made = TokenKey::generate_pkcs8(JwsAlg::Rs256, &Dry);
        assert_eq!(made.err(), Some(CryptoError::NoEntropy(NoEntropy)));
    }

    #[test]
    fn a_public_key_shows_no_private_member() {
        let pkcs8 = TokenKey::generate_pkcs8(JwsAlg::Es256, &SeededEntropy::new(1)).unwrap();
        let jwk = TokenKey::from_pkcs8("k1", JwsAlg::Es256, &pkcs8).unwrap().public_jwk();
        let json = serde_json::to_value(jwk).unwrap();
        let members: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    }
}
