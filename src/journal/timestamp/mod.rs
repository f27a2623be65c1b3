//! Time-stamps (RFC 3161, with the certificate binding of RFC 5816): an authority that is not us signs that a checkpoint
//! was there at an instant, so that nothing under it can be back-dated later. Requests made, answers verified; without
//! network, without clock.
//!
//! What is stamped is the signed note of a checkpoint, byte for byte. An answer is kept as it came, so that `openssl ts -verify`
//! reads it.

mod authority;
mod signed;

pub use authority::TimestampAuthorities;

use crate::clock::{Entropy, random};
use crate::crypto::sha256;
use crate::mandate::Instant;
use der::asn1::{Int, ObjectIdentifier, OctetString};
use der::oid::db::rfc5912::ID_SHA_256;
use der::{Any, Decode, Encode, Sequence, Tag, Tagged};
use signed::Signed;
use thiserror::Error;
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_tsp::{MessageImprint, TimeStampReq, TimeStampResp, TspVersion};

/// The content of a token (RFC 3161, 2.4.2).
const TST_INFO: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// A time as DER writes it, without fraction and zone.
const SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day][hour][minute][second]");

/// Why an answer is no time-stamp to keep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TimestampError {
    /// Not an answer of the protocol, or more than one.
    #[error("not an answer to a request for a time-stamp")]
    Malformed,
    /// The authority did not grant it.
    #[error("the authority refused")]
    Rejected,
    /// It stamps something else.
    #[error("the time-stamp is of something else")]
    Imprint,
    /// It answers another request.
    #[error("the time-stamp answers another request")]
    Nonce,
    /// Not signed by exactly one signer.
    #[error("the time-stamp has not exactly one signature")]
    Signers,
    /// The signed attributes do not say what they must.
    #[error("the time-stamp does not sign what it must")]
    Attributes,
    /// An algorithm that is not accepted: RSA (PKCS#1) and ECDSA on P-256 and P-384, with SHA-256 and stronger, are.
    #[error("the time-stamp is signed in a way that is not accepted")]
    Algorithm,
    /// The certificate of who signed is not there, or not the one that the signature names.
    #[error("the certificate of who signed is not in the time-stamp")]
    Certificate,
    /// The certificate is not for time-stamping, or not for that alone.
    #[error("the certificate of who signed is not for time-stamps alone")]
    Usage,
    /// The signature does not hold.
    #[error("the signature of the time-stamp does not hold")]
    Signature,
    /// The certificate was not valid at the instant that the time-stamp tells.
    #[error("the certificate of who signed was not valid at that time")]
    Expired,
    /// Signed by an authority that is not trusted.
    #[error("the time-stamp is not of an authority that is trusted")]
    Untrusted,
    /// Chance could not be had.
    #[error("the system gives no chance")]
    NoEntropy,
}

impl TimestampError {
    /// Stable code, for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "timestamp_malformed",
            Self::Rejected => "timestamp_rejected",
            Self::Imprint => "timestamp_imprint",
            Self::Nonce => "timestamp_nonce",
            Self::Signers => "timestamp_signers",
            Self::Attributes => "timestamp_attributes",
            Self::Algorithm => "timestamp_algorithm",
            Self::Certificate => "timestamp_certificate",
            Self::Usage => "timestamp_usage",
            Self::Signature => "timestamp_signature",
            Self::Expired => "timestamp_expired",
            Self::Untrusted => "timestamp_untrusted",
            Self::NoEntropy => "timestamp_no_entropy",
        }
    }
}

/// A request for the time-stamp of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampRequest {
    note: Vec<u8>,
    nonce: Vec<u8>,
    der: Vec<u8>,
}

impl TimestampRequest {
    /// Asks for the time-stamp of a signed note, with the authority's certificates in the answer.
    ///
    /// # Errors
    /// [`TimestampError::NoEntropy`].
    pub fn new(note: &str, entropy: &dyn Entropy) -> Result<Self, TimestampError> {
        let mut nonce: [u8; 8] = random(entropy).map_err(|_| TimestampError::NoEntropy)?;
        if let Some(first) = nonce.first_mut() {
            // A positive number of eight bytes in its one form.
            *first = *first & 0x7f | 0x40;
        }
        let der = Self::encode(note, &nonce).map_err(|_| TimestampError::Malformed)?;
        Ok(Self { note: note.as_bytes().to_vec(), nonce: nonce.to_vec(), der })
    }

    fn encode(note: &str, nonce: &[u8]) -> der::Result<Vec<u8>> {
        TimeStampReq {
            version: TspVersion::V1,
            message_imprint: MessageImprint {
                hash_algorithm: AlgorithmIdentifierOwned { oid: ID_SHA_256, parameters: Some(Any::null()) },
                hashed_message: OctetString::new(sha256(note.as_bytes()))?,
            },
            req_policy: None,
            nonce: Some(Int::new(nonce)?),
            cert_req: true,
            extensions: None,
        }
        .to_der()
    }

    /// What is sent to the authority (`application/timestamp-query`).
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        self.der.clone()
    }

    /// Verifies the authority's answer: as [`Timestamp::verify`], and that it answers this request.
    ///
    /// # Errors
    /// [`TimestampError`]: nothing is kept then.
    pub fn verify(&self, answer: &[u8], trusted: &TimestampAuthorities) -> Result<Timestamp, TimestampError> {
        let (stamp, info) = verified(answer, &self.note, Some(trusted))?;
        if info.nonce.as_ref().map(Int::as_bytes) == Some(&self.nonce) {
            Ok(stamp)
        } else {
            Err(TimestampError::Nonce)
        }
    }
}

/// What a time-stamp tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    /// When the authority says that the checkpoint was there.
    pub at: Instant,
}

impl Timestamp {
    /// Verifies a time-stamp that was kept: that it was granted for this signed note, that one signer signed it, whose
    /// certificate it holds, was for time-stamps alone and valid at that time, and, where authorities are given, leads to one of
    /// them.
    ///
    /// # Errors
    /// [`TimestampError`].
    pub fn verify(
        answer: &[u8],
        note: &str,
        trusted: Option<&TimestampAuthorities>,
    ) -> Result<Self, TimestampError> {
        verified(answer, note.as_bytes(), trusted).map(|(stamp, _)| stamp)
    }
}

/// What is signed (RFC 3161, 2.4.2). Not the library's, whose time has no fractions of a second.
#[derive(Sequence)]
struct Info {
    version: TspVersion,
    policy: ObjectIdentifier,
    message_imprint: MessageImprint,
    serial_number: Int,
    gen_time: Any,
    #[asn1(optional = "true")]
    accuracy: Option<x509_tsp::Accuracy>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    tsa: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<x509_cert::ext::Extensions>,
}

impl Info {
    fn is_of(&self, note: &[u8]) -> bool {
        let imprint = &self.message_imprint;
        imprint.hash_algorithm.oid == ID_SHA_256 && imprint.hashed_message.as_bytes() == sha256(note)
    }

    /// The instant, of which what is finer than a microsecond is left out.
    fn at(&self) -> Option<Instant> {
        if self.gen_time.tag() != Tag::GeneralizedTime {
            return None;
        }
        let text = str::from_utf8(self.gen_time.value()).ok()?.strip_suffix('Z')?;
        let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if seconds.len() != 14 || fraction.is_empty() || !fraction.bytes().all(|digit| digit.is_ascii_digit())
        {
            return None;
        }
        let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
        let at = PrimitiveDateTime::parse(seconds, SECONDS).ok()?.assume_utc();
        Some(Instant::from(at).plus(time::Duration::microseconds(micros.parse().ok()?)))
    }
}

fn verified(
    answer: &[u8],
    note: &[u8],
    trusted: Option<&TimestampAuthorities>,
) -> Result<(Timestamp, Info), TimestampError> {
    let answer = TimeStampResp::from_der(answer).map_err(|_| TimestampError::Malformed)?;
    // 0 granted, 1 granted with modifications: what was modified shows below.
    if !matches!(answer.status.status as u8, 0 | 1) {
        return Err(TimestampError::Rejected);
    }
    let token = answer.time_stamp_token.ok_or(TimestampError::Malformed)?;
    let signed = Signed::read(&token)?;
    signed.verify()?;
    let info = Info::from_der(signed.content()).map_err(|_| TimestampError::Malformed)?;
    let at = info.at().ok_or(TimestampError::Malformed)?;
    if !info.is_of(note) {
        return Err(TimestampError::Imprint);
    }
    signed.was_valid(at)?;
    match trusted {
        Some(trusted) if !trusted.vouch_for(&signed, at) => Err(TimestampError::Untrusted),
        _ => Ok((Timestamp { at }, info)),
    }
}
