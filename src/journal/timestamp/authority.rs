//! The authorities whose time-stamps count: their own certificates, or those of who vouches for them.

use super::TimestampError;
use super::signed::Signed;
use crate::mandate::Instant;
use der::Decode;
use pki_types::pem::PemObject as _;
use pki_types::{CertificateDer, TrustAnchor, UnixTime};
use std::time::Duration;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_cert::Certificate;
use x509_cert::ext::pkix::BasicConstraints;

/// `id-kp-timeStamping` as DER writes it. What may sign time-stamps itself must say so (RFC 3161, 2.3); who vouches for it may
/// say nothing of uses.
const TIME_STAMPING: &[u8] = &[43, 6, 1, 5, 5, 7, 3, 8];

/// Certificates that are trusted: of an authority itself, or of a certification authority that vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TimestampAuthorities(Vec<CertificateDer<'static>>);

impl TimestampAuthorities {
    /// Reads the certificates of a PEM text and adds them.
    ///
    /// # Errors
    /// [`TimestampError::Certificate`] when there is none, or one cannot be read.
    pub fn add(&mut self, pem: &[u8]) -> Result<(), TimestampError> {
        let mut found = Vec::new();
        for read in CertificateDer::pem_slice_iter(pem) {
            let der = read.map_err(|_| TimestampError::Certificate)?;
            Certificate::from_der(&der).map_err(|_| TimestampError::Certificate)?;
            EndEntityCert::try_from(&der).map_err(|_| TimestampError::Certificate)?;
            found.push(der);
        }
        if found.is_empty() {
            return Err(TimestampError::Certificate);
        }
        self.0.append(&mut found);
        Ok(())
    }

    /// Whether none is trusted.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the signer is one of them, or leads to one of them by certificates that were valid at that instant.
    pub(super) fn vouch_for(&self, signed: &Signed, at: Instant) -> bool {
        if self.0.contains(&signed.der) {
            return true;
        }
        let anchors: Vec<TrustAnchor<'_>> = self
            .0
            .iter()
            .filter(|der| is_authority(der))
            .filter_map(|der| anchor_from_trusted_cert(der).ok())
            .collect();
        let (Ok(key), Ok(seconds)) = (EndEntityCert::try_from(&signed.der), u64::try_from(at.seconds()))
        else {
            return false;
        };
        let at = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        let usage = KeyUsage::required_if_present(TIME_STAMPING);
        let path =
            key.verify_for_usage(ALL_VERIFICATION_ALGS, &anchors, &signed.others, at, usage, None, None);
        path.is_ok()
    }
}

/// Whether a certificate may vouch for others.
fn is_authority(der: &CertificateDer<'_>) -> bool {
    let Ok(certificate) = Certificate::from_der(der) else { return false };
    matches!(certificate.tbs_certificate.get::<BasicConstraints>(), Ok(Some((_, says))) if says.ca)
}
