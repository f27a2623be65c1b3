//! Opaque tokens: handed out once, kept as their hash (invariant 10).

use super::{CryptoError, SecretString, from_hex, hash::sha256, to_hex};
use crate::clock::{Entropy, NoEntropy, random};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// A bearer secret of 256 bits: session cookie, code, access token, invitation.
#[derive(Clone)]
pub struct OpaqueToken(SecretString);

impl OpaqueToken {
    /// A fresh token.
    ///
    /// # Errors
    /// [`NoEntropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, NoEntropy> {
        let bytes = Zeroizing::new(random::<32>(entropy)?);
        Ok(Self(SecretString::new(URL_SAFE_NO_PAD.encode(*bytes))))
    }

    /// The token's text: 43 characters of base64url, to be given to its holder and to nobody else.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What to store.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        Self::hash_of(self.expose())
    }

    /// The hash to look a presented token up by, whatever the text is.
    #[must_use]
    pub fn hash_of(presented: &str) -> TokenHash {
        TokenHash(sha256(presented.as_bytes()))
    }
}

/// SHA-256 of an opaque token. Enough without salt or stretching, since the token has 256 random bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The form to store: 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        to_hex(&self.0)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`CryptoError::BadText`].
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        from_hex(text).map(Self)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Display for TokenHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_hex())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn a_token_is_found_again_by_its_hash_only() {
        let entropy = SeededEntropy::new(1);
        let token = OpaqueToken::generate(&entropy).unwrap();
        let other = OpaqueToken::generate(&entropy).unwrap();
        assert_eq!(token.expose().len(), 43);
        assert_eq!(OpaqueToken::hash_of(token.expose()), token.hash());
        assert_ne!(other.hash(), token.hash());
        assert!(!token.hash().to_hex().contains(token.expose()));
        assert_eq!(TokenHash::parse(&token.hash().to_hex()), Ok(token.hash()));
    }
}
