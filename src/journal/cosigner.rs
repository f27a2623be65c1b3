//! The key of a witness, with the name it cosigns under, as one secret text.

use super::{NoteError, NoteSignature, Vkey, VkeyError};
use crate::clock::Entropy;
use crate::crypto::{CryptoError, JournalKey, SecretBytes, SecretString, to_hex};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use thiserror::Error;
use zeroize::Zeroizing;

const HEAD: &str = "PRIVATE+KEY+";
/// The kind of an Ed25519 cosigner, before the seed.
const KIND: u8 = 0x04;

/// Why a witness's key cannot be made or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CosignerError {
    /// The name.
    #[error(transparent)]
    Name(#[from] VkeyError),
    /// The key, or the chance it is made from.
    #[error(transparent)]
    Key(#[from] CryptoError),
    /// Not a secret key in its one form.
    #[error("not the secret key of a witness")]
    Malformed,
}

/// A name and the key that cosigns under it.
pub struct Cosigner {
    key: JournalKey,
    vkey: Vkey,
}

impl Cosigner {
    /// Makes a key for a name, and gives the text to keep it as: `PRIVATE+KEY+name+id+base64(type || seed)`, the form
    /// of Go's `golang.org/x/mod/sumdb/note`.
    ///
    /// # Errors
    /// [`CosignerError`].
    pub fn generate(name: &str, entropy: &dyn Entropy) -> Result<(Self, SecretString), CosignerError> {
        let seed = SecretBytes::generate(entropy).map_err(CryptoError::from)?;
        let cosigner = Self::of(name, &seed)?;
        let mut bytes = Zeroizing::new(vec![KIND]);
        bytes.extend_from_slice(seed.expose());
        let id = to_hex(&cosigner.vkey.id());
        let text = format!("{HEAD}{name}+{id}+{}", *Zeroizing::new(STANDARD.encode(&*bytes)));
        Ok((cosigner, SecretString::new(text)))
    }

    fn of(name: &str, seed: &SecretBytes<32>) -> Result<Self, CosignerError> {
        let key = JournalKey::from_seed(seed)?;
        let vkey = Vkey::cosigner(name, key.public_key())?;
        Ok(Self { key, vkey })
    }

    /// Reads the text of a key.
    ///
    /// # Errors
    /// [`CosignerError::Malformed`], also when the id is not that of name and key.
    pub fn parse(text: &SecretString) -> Result<Self, CosignerError> {
        let mut parts = text.expose().strip_prefix(HEAD).ok_or(CosignerError::Malformed)?.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(CosignerError::Malformed);
        };
        let bytes = Zeroizing::new(STANDARD.decode(key).map_err(|_| CosignerError::Malformed)?);
        let Some((&KIND, seed)) = bytes.split_first() else { return Err(CosignerError::Malformed) };
        let seed = SecretBytes::from_slice(seed).ok_or(CosignerError::Malformed)?;
        let cosigner = Self::of(name, &seed)?;
        if to_hex(&cosigner.vkey.id()) == id { Ok(cosigner) } else { Err(CosignerError::Malformed) }
    }

    /// The key to publish.
    #[must_use]
    pub const fn vkey(&self) -> &Vkey {
        &self.vkey
    }

    /// Cosigns a checkpoint's text, seen at that time (Unix seconds).
    ///
    /// # Errors
    /// As [`NoteSignature::cosign`].
    pub fn cosign(&self, text: &str, at: u64) -> Result<NoteSignature, NoteError> {
        NoteSignature::cosign(text, self.vkey.name(), &self.key, at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn a_witnesss_key_reads_back_from_its_text_and_from_no_other() {
        // Many, since base64 has plus signs of its own.
        for seed in 1..50 {
            let (made, text) = Cosigner::generate("w.example/w1", &SeededEntropy::new(seed)).unwrap();
            let again = Cosigner::parse(&text).ok().unwrap();
            assert_eq!(again.vkey(), made.vkey());
            assert_eq!(again.cosign("x\n", 7), made.cosign("x\n", 7));
        }
        let (_, text) = Cosigner::generate("w.example/w1", &SeededEntropy::new(1)).unwrap();
        assert!(text.expose().starts_with("PRIVATE+KEY+w.example/w1+"));
        let text = text.expose();
        for bad in [
            String::new(),
            text.replace("PRIVATE", "PUBLIC"),
            text.replace("w.example/w1", "w.example/w2"),
            format!("{text}\n"),
            text.replace("+B", "+A"),
            format!("{text}AAAA"),
        ] {
            assert!(Cosigner::parse(&SecretString::new(bad.clone())).is_err(), "{bad}");
        }
        let unnamed = Cosigner::generate("two words", &SeededEntropy::new(1)).err();
        assert_eq!(unnamed, Some(CosignerError::Name(VkeyError::Name)));
    }
}
