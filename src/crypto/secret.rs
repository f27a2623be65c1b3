//! Types for what must not be seen.

use crate::clock::{Entropy, NoEntropy, random};
use ring::hmac;
use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Whether two byte strings are equal, without telling by its time where they differ.
///
/// Compares keyed hashes ("double HMAC"), since ring offers no comparison of its own for outside use.
#[must_use]
pub fn same(a: &[u8], b: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"porteplume equality");
    hmac::verify(&key, b, hmac::sign(&key, a).as_ref()).is_ok()
}

/// `N` secret bytes: wiped when dropped, compared in constant time, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes<const N: usize>(Box<[u8; N]>);

impl<const N: usize> SecretBytes<N> {
    /// Takes the bytes over. The caller's copy is the caller's to wipe.
    #[must_use]
    pub fn new(bytes: [u8; N]) -> Self {
        Self(Box::new(bytes))
    }

    /// Fresh secret bytes.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let bytes = Zeroizing::new(random::<N>(entropy)?);
        Ok(Self::new(*bytes))
    }

    /// The bytes, when there are exactly `N` of them.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes = Zeroizing::new(<[u8; N]>::try_from(bytes).ok()?);
        Some(Self::new(*bytes))
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> PartialEq for SecretBytes<N> {
    fn eq(&self, other: &Self) -> bool {
        same(self.expose(), other.expose())
    }
}

impl<const N: usize> Eq for SecretBytes<N> {}

/// A secret text: wiped when dropped, compared in constant time, never printed.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SecretString(String);

impl SecretString {
    /// Takes the text over.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl PartialEq for SecretString {
    fn eq(&self, other: &Self) -> bool {
        same(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl Eq for SecretString {}

impl<'de> Deserialize<'de> for SecretString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn secrets_compare_by_content() {
        let one = SecretBytes::<32>::generate(&SeededEntropy::new(1)).unwrap();
        let again = SecretBytes::<32>::generate(&SeededEntropy::new(1)).unwrap();
        let other = SecretBytes::<32>::generate(&SeededEntropy::new(2)).unwrap();
        assert!(one == again);
        assert!(one != other);
        assert!(SecretString::new("a".into()) == SecretString::new("a".into()));
        assert!(SecretString::new("a".into()) != SecretString::new("ab".into()));
        assert!(!same(b"", b"a"));
    }

    #[test]
    fn secret_bytes_take_only_their_own_length() {
        assert!(SecretBytes::<4>::from_slice(&[1, 2, 3]).is_none());
        assert_eq!(SecretBytes::<3>::from_slice(&[1, 2, 3]).unwrap().expose(), &[1, 2, 3]);
    }
}
