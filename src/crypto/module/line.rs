//! One session of a token: finding, making, using and removing keys. The only place that speaks PKCS#11's language.

use super::{ModuleError, failed, told};
use crate::crypto::store::KeyPurpose;
use crate::crypto::{Jwk, JwsAlg, sha256};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::eddsa::{EddsaParams, EddsaSignatureScheme};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use std::collections::BTreeMap;

/// Of RSA keys; the same as of those in files.
const BITS: u64 = 2048;
/// 65537, big-endian.
const EXPONENT: &[u8] = &[1, 0, 1];
/// The salt of PS256 is as long as its hash, in bytes (RFC 7518, section 3.5).
const SALT: u64 = 32;
/// `OBJECT IDENTIFIER` 1.2.840.10045.3.1.7, P-256, as DER.
const P256: &[u8] = &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// Ed25519 as DER, in both forms that PKCS#11 3.0 (section 2.3.5) knows: `OBJECT IDENTIFIER` 1.3.101.112, and
/// `PrintableString` "edwards25519".
const ED25519: [&[u8]; 2] = [&[0x06, 0x03, 0x2b, 0x65, 0x70], b"\x13\x0cedwards25519"];

/// A session, and the private keys it has found.
pub(super) struct Line {
    session: Session,
    /// The token's label, for errors.
    token: String,
    found: BTreeMap<String, ObjectHandle>,
}

impl Line {
    pub(super) fn new(session: Session, token: &str) -> Self {
        Self { session, token: token.to_owned(), found: BTreeMap::new() }
    }

    fn find(&self, kid: &str, class: ObjectClass) -> Result<Option<ObjectHandle>, ModuleError> {
        let wanted = [Attribute::Token(true), Attribute::Class(class), id(kid)];
        Ok(self.session.find_objects(&wanted).map_err(failed("look for a key"))?.first().copied())
    }

    /// Signs; nothing when there is no such key.
    pub(super) fn sign(
        &mut self,
        kid: &str,
        alg: JwsAlg,
        message: &[u8],
    ) -> Result<Option<Vec<u8>>, ModuleError> {
        let key = match self.found.get(kid) {
            Some(key) => *key,
            None => match self.find(kid, ObjectClass::PRIVATE_KEY)? {
                Some(key) => *self.found.entry(kid.to_owned()).or_insert(key),
                None => return Ok(None),
            },
        };
        let pss = PkcsPssParams {
            hash_alg: MechanismType::SHA256,
            mgf: PkcsMgfType::MGF1_SHA256,
            s_len: SALT.into(),
        };
        let signed = match alg {
            JwsAlg::Es256 => self.session.sign(&Mechanism::Ecdsa, key, &sha256(message)),
            JwsAlg::Rs256 => self.session.sign(&Mechanism::Sha256RsaPkcs, key, message),
            JwsAlg::Ps256 => self.session.sign(&Mechanism::Sha256RsaPkcsPss(pss), key, message),
            JwsAlg::EdDsa => {
                let pure = EddsaParams::new(EddsaSignatureScheme::Pure);
                self.session.sign(&Mechanism::Eddsa(pure), key, message)
            }
        };
        signed.map(Some).map_err(|error| self.unless_unknown("sign", alg, error))
    }

    /// The public half of a key; nothing when there is no such key.
    pub(super) fn public(&self, kid: &str, alg: JwsAlg) -> Result<Option<Jwk>, ModuleError> {
        let Some(key) = self.find(kid, ObjectClass::PUBLIC_KEY)? else { return Ok(None) };
        let wanted: &[AttributeType] = match alg {
            JwsAlg::Es256 | JwsAlg::EdDsa => &[AttributeType::EcPoint],
            JwsAlg::Rs256 | JwsAlg::Ps256 => &[AttributeType::Modulus, AttributeType::PublicExponent],
        };
        let told = self.session.get_attributes(key, wanted).map_err(failed("read a public key"))?;
        let jwk = match (alg, told.as_slice()) {
            (JwsAlg::Es256, [Attribute::EcPoint(point)]) => {
                octets(point, 65).map(|point| Jwk::p256(kid, point))
            }
            (JwsAlg::EdDsa, [Attribute::EcPoint(point)]) => {
                octets(point, 32).map(|point| Jwk::okp(kid, point))
            }
            (
                JwsAlg::Rs256 | JwsAlg::Ps256,
                [Attribute::Modulus(n), Attribute::PublicExponent(e)]
                | [Attribute::PublicExponent(e), Attribute::Modulus(n)],
            ) => Some(Jwk::rsa(kid, alg, without_zeros(n), without_zeros(e))),
            _ => None,
        };
        let unread = || ModuleError::Failed {
            what: "tell a public key",
            reason: "it is of an unknown form".to_owned(),
        };
        jwk.ok_or_else(unread).map(Some)
    }

    /// Makes a pair that can sign, and do nothing else, and whose private half stays where it is.
    pub(super) fn generate(&mut self, kid: &str, alg: JwsAlg) -> Result<(), ModuleError> {
        let (curves, mechanism): (&[&[u8]], _) = match alg {
            JwsAlg::Es256 => (&[P256], Mechanism::EccKeyPairGen),
            JwsAlg::EdDsa => (&ED25519, Mechanism::EccEdwardsKeyPairGen),
            JwsAlg::Rs256 | JwsAlg::Ps256 => (&[&[]], Mechanism::RsaPkcsKeyPairGen),
        };
        let label =
            || Attribute::Label(format!("porteplume {} {kid}", KeyPurpose::of_tokens(alg).as_str()).into());
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Decrypt(false),
            Attribute::Unwrap(false),
            label(),
            id(kid),
        ];
        let mut said = None;
        for curve in curves {
            let mut public = vec![Attribute::Token(true), Attribute::Verify(true), label(), id(kid)];
            if curve.is_empty() {
                public.push(Attribute::ModulusBits(BITS.into()));
                public.push(Attribute::PublicExponent(EXPONENT.to_vec()));
            } else {
                public.push(Attribute::EcParams(curve.to_vec()));
            }
            match self.session.generate_key_pair(&mechanism, &public, &private) {
                Ok((_, key)) => return self.stays(key),
                Err(error) => said = Some(error),
            }
        }
        Err(match said {
            Some(error) => self.unless_unknown("make a key", alg, error),
            None => ModuleError::Failed { what: "make a key", reason: "no curve".to_owned() },
        })
    }

    /// The error of an act, unless it says that the token does not know how.
    fn unless_unknown(&self, what: &'static str, alg: JwsAlg, error: Error) -> ModuleError {
        if is_unknown(&error) {
            let (token, alg) = (self.token.clone(), alg.as_str());
            return ModuleError::Unsupported { token, alg, reason: told(&error) };
        }
        failed(what)(error)
    }

    /// Asks the token whether it took the two words seriously.
    fn stays(&self, key: ObjectHandle) -> Result<(), ModuleError> {
        let asked = [AttributeType::Sensitive, AttributeType::Extractable];
        let told = self.session.get_attributes(key, &asked).map_err(failed("describe a key"))?;
        if told.contains(&Attribute::Sensitive(true)) && told.contains(&Attribute::Extractable(false)) {
            Ok(())
        } else {
            Err(ModuleError::Extractable { token: self.token.clone() })
        }
    }

    /// Removes both halves of a key.
    pub(super) fn remove(&mut self, kid: &str) -> Result<(), ModuleError> {
        self.found.remove(kid);
        for class in [ObjectClass::PRIVATE_KEY, ObjectClass::PUBLIC_KEY] {
            while let Some(object) = self.find(kid, class)? {
                self.session.destroy_object(object).map_err(failed("remove a key"))?;
            }
        }
        Ok(())
    }
}

fn id(kid: &str) -> Attribute {
    Attribute::Id(kid.as_bytes().to_vec())
}

/// Whether the token says that it does not know how.
const fn is_unknown(error: &Error) -> bool {
    matches!(
        error,
        Error::NullFunctionPointer
            | Error::Pkcs11(
                RvError::MechanismInvalid
                    | RvError::MechanismParamInvalid
                    | RvError::FunctionNotSupported
                    | RvError::CurveNotSupported
                    | RvError::DomainParamsInvalid
                    | RvError::KeySizeRange,
                _
            )
    )
}

/// A point of that many bytes: bare, as some tokens tell it, or within a DER `OCTET STRING`, as PKCS#11 2.40 wants it.
fn octets(told: &[u8], size: usize) -> Option<&[u8]> {
    match told {
        [0x04, length, point @ ..] if usize::from(*length) == size && point.len() == size => Some(point),
        point if point.len() == size => Some(point),
        _ => None,
    }
}

/// JWK wants no leading zeros (RFC 7518, section 6.3.1); some tokens tell one.
fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_in_both_forms_and_in_no_other() {
        let point = [4; 65];
        let wrapped = [&[0x04, 65][..], &point].concat();
        assert_eq!(octets(&wrapped, 65), Some(&point[..]));
        assert_eq!(octets(&point, 65), Some(&point[..]));
        for bad in [&wrapped[..66], &point[..64], &[], &[&wrapped[..], &[0]].concat()] {
            assert_eq!(octets(bad, 65), None, "{bad:?}");
        }
        assert_eq!(without_zeros(&[0, 0, 1, 0]), [1, 0]);
        assert_eq!(without_zeros(&[0]), [0_u8; 0]);
    }
}
