//! SHA-2, HMAC-SHA-256 and the hexadecimal form of bytes.

use super::CryptoError;
use ring::{digest, hmac};

/// SHA-256 of the bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sized(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// SHA-256 of the parts put one behind the other, without putting them into one buffer first.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    sized(context.finish().as_ref())
}

/// A hash function that others sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// The hash of the bytes.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}

/// HMAC-SHA-256 of the bytes under a key used once; who computes many keeps an [`HmacKey`].
#[must_use]
pub fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    HmacKey::new(key).tag(&[bytes])
}

/// A prepared HMAC-SHA-256 key. Has no `Debug`.
#[derive(Clone)]
pub struct HmacKey(hmac::Key);

impl HmacKey {
    /// Prepares the key.
    #[must_use]
    pub fn new(key: &[u8]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// HMAC of the parts put one behind the other. Where parts could run into one another, the caller
    /// marks their ends.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        sized(context.sign().as_ref())
    }

    /// HMAC of fields, each led by its length in 8 bytes big-endian, so that no two lists of fields
    /// give the same bytes.
    #[must_use]
    pub fn tag_fields(&self, fields: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for field in fields {
            context.update(&length(field));
            context.update(field);
        }
        sized(context.sign().as_ref())
    }
}

/// A field's length as 8 bytes big-endian.
pub(super) fn length(field: &[u8]) -> [u8; 8] {
    (field.len() as u64).to_be_bytes()
}

/// A digest as an array; what ring gives for SHA-256 always has 32 bytes.
fn sized(digest: &[u8]) -> [u8; 32] {
    digest.try_into().unwrap_or([0; 32])
}

/// Lower-case hexadecimal.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads exactly `N` bytes from lower-case hexadecimal.
///
/// # Errors
/// [`CryptoError::BadText`].
pub fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], CryptoError> {
    let digit = |c: u8| match c {
        b'0'..=b'9' => Ok(c - b'0'),
        b'a'..=b'f' => Ok(c - b'a' + 10),
        _ => Err(CryptoError::BadText),
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return Err(CryptoError::BadText);
    };
    let mut out = [0; N];
    if pairs.len() != N {
        return Err(CryptoError::BadText);
    }
    for (byte, [high, low]) in out.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_digests_come_out() {
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(to_hex(&sha256(b"abc")), abc);
        assert_eq!(sha256_parts(&[b"a", b"", b"bc"]), sha256(b"abc"));
        // RFC 4231, test case 2.
        let tag = hmac_sha256(b"Jefe", b"what do ya want for nothing?");
        assert_eq!(to_hex(&tag), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn fields_cannot_run_into_one_another() {
        let key = HmacKey::new(b"k");
        assert_eq!(key.tag(&[b"a", b"bc"]), key.tag(&[b"ab", b"c"]));
        assert_ne!(key.tag_fields(&[b"a", b"bc"]), key.tag_fields(&[b"ab", b"c"]));
        assert_ne!(key.tag_fields(&[b"a", b""]), key.tag_fields(&[b"a"]));
    }

    #[test]
    fn hexadecimal_reads_back_and_refuses_the_rest() {
        assert_eq!(from_hex::<3>(&to_hex(&[0, 0xab, 0xff])), Ok([0, 0xab, 0xff]));
        for bad in ["", "0", "00", "0000", "00000", "0000000", "00AB00", "00zz00", "é0000"] {
            assert_eq!(from_hex::<3>(bad), Err(CryptoError::BadText), "{bad}");
        }
    }
}
