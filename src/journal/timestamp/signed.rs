//! A token as CMS signs it (RFC 5652, RFC 5035): one signer, the attributes it must sign, the certificate it names.

use super::{TST_INFO, TimestampError};
use crate::crypto::Digest;
use crate::mandate::Instant;
use cms::cert::CertificateChoices;
use cms::content_info::ContentInfo;
use cms::signed_data::{SignedData, SignerIdentifier, SignerInfo};
use der::asn1::{ObjectIdentifier, OctetString, OctetStringRef};
use der::oid::db::rfc5911::{
    ID_AA_SIGNING_CERTIFICATE_V_2, ID_CONTENT_TYPE, ID_MESSAGE_DIGEST, ID_SIGNED_DATA,
};
use der::oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ID_KP_TIME_STAMPING, ID_SHA_256, ID_SHA_384, ID_SHA_512,
    RSA_ENCRYPTION, SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};
use der::{Any, Decode, Encode, Sequence};
use pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::{EndEntityCert, ring as signed_by};
use x509_cert::Certificate;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectKeyIdentifier};
use x509_cert::spki::AlgorithmIdentifierOwned;

/// Which certificate signed (RFC 5035, 3).
#[derive(Sequence)]
struct SigningCertificate {
    certs: Vec<CertificateId>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

/// One certificate by its hash; SHA-256 when no algorithm is said (RFC 5035, 4).
#[derive(Sequence)]
struct CertificateId {
    #[asn1(optional = "true")]
    hash_algorithm: Option<AlgorithmIdentifierOwned>,
    hash: OctetString,
    #[asn1(optional = "true")]
    issuer_serial: Option<Any>,
}

/// A token with its one signer.
pub(super) struct Signed {
    content: Vec<u8>,
    signer: SignerInfo,
    digest: Digest,
    certificate: Certificate,
    /// The signer's certificate as DER.
    pub(super) der: CertificateDer<'static>,
    /// What else the token brings along to lead to an authority.
    pub(super) others: Vec<CertificateDer<'static>>,
}

impl Signed {
    /// Takes a token apart. Nothing is verified yet.
    pub(super) fn read(token: &ContentInfo) -> Result<Self, TimestampError> {
        let malformed = |_| TimestampError::Malformed;
        if token.content_type != ID_SIGNED_DATA {
            return Err(TimestampError::Malformed);
        }
        let data: SignedData = token.content.decode_as().map_err(malformed)?;
        let [signer] = data.signer_infos.0.as_slice() else { return Err(TimestampError::Signers) };
        let content = data.encap_content_info.econtent.as_ref().ok_or(TimestampError::Malformed)?;
        let content: OctetStringRef<'_> = content.decode_as().map_err(malformed)?;
        if data.encap_content_info.econtent_type != TST_INFO {
            return Err(TimestampError::Malformed);
        }
        let (mut found, mut others) = (None, Vec::new());
        for choice in data.certificates.iter().flat_map(|set| set.0.iter()) {
            let CertificateChoices::Certificate(certificate) = choice else { continue };
            let der = CertificateDer::from(certificate.to_der().map_err(malformed)?);
            if is_named(certificate, &signer.sid) {
                found = Some((certificate.clone(), der));
            } else {
                others.push(der);
            }
        }
        let (certificate, der) = found.ok_or(TimestampError::Certificate)?;
        let digest = digest(signer.digest_alg.oid)?;
        let content = content.as_bytes().to_vec();
        Ok(Self { content, signer: signer.clone(), digest, certificate, der, others })
    }

    /// What is signed.
    pub(super) fn content(&self) -> &[u8] {
        &self.content
    }

    /// Verifies the signature, that it binds content and certificate, and that the certificate is for time-stamps alone.
    pub(super) fn verify(&self) -> Result<(), TimestampError> {
        let content_type: ObjectIdentifier = self.attribute(ID_CONTENT_TYPE)?;
        let hash: OctetString = self.attribute(ID_MESSAGE_DIGEST)?;
        if content_type != TST_INFO || hash.as_bytes() != self.digest.of(&self.content) {
            return Err(TimestampError::Attributes);
        }
        let named: SigningCertificate = self.attribute(ID_AA_SIGNING_CERTIFICATE_V_2)?;
        let first = named.certs.first().ok_or(TimestampError::Attributes)?;
        let by = first.hash_algorithm.as_ref().map_or(Ok(Digest::Sha256), |by| digest(by.oid))?;
        if first.hash.as_bytes() != by.of(&self.der) {
            return Err(TimestampError::Certificate);
        }
        let usage = self.certificate.tbs_certificate.get::<ExtendedKeyUsage>();
        match usage {
            Ok(Some((true, usage))) if usage.0 == [ID_KP_TIME_STAMPING] => self.holds(),
            _ => Err(TimestampError::Usage),
        }
    }

    /// The one value of a signed attribute that must be there once.
    fn attribute<'a, T>(&'a self, oid: ObjectIdentifier) -> Result<T, TimestampError>
    where
        T: Decode<'a> + der::Choice<'a> + der::DecodeValue<'a>,
    {
        let all = self.signer.signed_attrs.as_ref().ok_or(TimestampError::Attributes)?;
        let mut of_kind = all.iter().filter(|attribute| attribute.oid == oid);
        let (Some(attribute), None) = (of_kind.next(), of_kind.next()) else {
            return Err(TimestampError::Attributes);
        };
        match attribute.values.as_slice() {
            [value] => value.decode_as().map_err(|_| TimestampError::Attributes),
            _ => Err(TimestampError::Attributes),
        }
    }

    /// Whether the signature over the attributes holds (RFC 5652, 5.4: over their DER form as a SET).
    fn holds(&self) -> Result<(), TimestampError> {
        let attributes = self.signer.signed_attrs.as_ref().ok_or(TimestampError::Attributes)?;
        let message = attributes.to_der().map_err(|_| TimestampError::Malformed)?;
        let key = EndEntityCert::try_from(&self.der).map_err(|_| TimestampError::Certificate)?;
        let algorithms = algorithms(self.signer.signature_algorithm.oid, self.digest)?;
        let signature = self.signer.signature.as_bytes();
        let holds =
            |by: &&dyn SignatureVerificationAlgorithm| key.verify_signature(*by, &message, signature).is_ok();
        if algorithms.iter().any(holds) { Ok(()) } else { Err(TimestampError::Signature) }
    }

    /// Whether the certificate was valid at that instant.
    pub(super) fn was_valid(&self, at: Instant) -> Result<(), TimestampError> {
        let validity = &self.certificate.tbs_certificate.validity;
        let at = u64::try_from(at.seconds()).map_err(|_| TimestampError::Expired)?;
        let valid = validity.not_before.to_unix_duration().as_secs()
            ..=validity.not_after.to_unix_duration().as_secs();
        if valid.contains(&at) { Ok(()) } else { Err(TimestampError::Expired) }
    }
}

fn is_named(certificate: &Certificate, by: &SignerIdentifier) -> bool {
    let told = &certificate.tbs_certificate;
    match by {
        SignerIdentifier::IssuerAndSerialNumber(named) => {
            told.issuer == named.issuer && told.serial_number == named.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(named) => {
            matches!(told.get::<SubjectKeyIdentifier>(), Ok(Some((_, own))) if own == *named)
        }
    }
}

fn digest(oid: ObjectIdentifier) -> Result<Digest, TimestampError> {
    match oid {
        ID_SHA_256 => Ok(Digest::Sha256),
        ID_SHA_384 => Ok(Digest::Sha384),
        ID_SHA_512 => Ok(Digest::Sha512),
        _ => Err(TimestampError::Algorithm),
    }
}

/// How a signature that says so may have been made: which curve, the key tells.
fn algorithms(
    signature: ObjectIdentifier,
    digest: Digest,
) -> Result<Vec<&'static dyn SignatureVerificationAlgorithm>, TimestampError> {
    match (signature, digest) {
        (RSA_ENCRYPTION | SHA_256_WITH_RSA_ENCRYPTION, Digest::Sha256) => {
            Ok(vec![signed_by::RSA_PKCS1_2048_8192_SHA256])
        }
        (RSA_ENCRYPTION | SHA_384_WITH_RSA_ENCRYPTION, Digest::Sha384) => {
            Ok(vec![signed_by::RSA_PKCS1_2048_8192_SHA384])
        }
        (RSA_ENCRYPTION | SHA_512_WITH_RSA_ENCRYPTION, Digest::Sha512) => {
            Ok(vec![signed_by::RSA_PKCS1_2048_8192_SHA512])
        }
        (ECDSA_WITH_SHA_256, Digest::Sha256) => {
            Ok(vec![signed_by::ECDSA_P256_SHA256, signed_by::ECDSA_P384_SHA256])
        }
        (ECDSA_WITH_SHA_384, Digest::Sha384) => {
            Ok(vec![signed_by::ECDSA_P256_SHA384, signed_by::ECDSA_P384_SHA384])
        }
        _ => Err(TimestampError::Algorithm),
    }
}
