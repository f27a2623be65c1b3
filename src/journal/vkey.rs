//! Verifier keys: whose signatures count, and of which kind they are (C2SP signed-note, tlog-cosignature).

use crate::crypto::{from_hex, sha256_parts, to_hex, verify_ed25519};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use thiserror::Error;

/// Why a text is no public key of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VkeyError {
    /// The name is empty or has spaces, control characters or plus signs.
    #[error("not a key name")]
    Name,
    /// Not `name+id+key` in its one form.
    #[error("not a verifier key")]
    Malformed,
    /// Neither an Ed25519 key nor one of Ed25519 cosignatures.
    #[error("a kind of key not known here")]
    Unknown,
    /// The id is not that of name and key.
    #[error("the key id does not fit the key")]
    Id,
}

/// What a key's signatures say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VkeyKind {
    /// "I say this": Ed25519 over the text (signed-note, type 0x01). The kind of a journal's key.
    Signer,
    /// "I saw this at that time, and it continues what I saw before": Ed25519 over time and text (tlog-cosignature,
    /// type 0x04). The kind of a witness's key.
    Cosigner,
}

impl VkeyKind {
    /// The type byte of the specification.
    const fn byte(self) -> u8 {
        match self {
            Self::Signer => 0x01,
            Self::Cosigner => 0x04,
        }
    }
}

/// A name, and the Ed25519 key that signs, or cosigns, under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vkey {
    name: String,
    kind: VkeyKind,
    id: [u8; 4],
    public: [u8; 32],
}

pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c < ' ')
}

impl Vkey {
    /// The verifier key of a name and a public key that signs.
    ///
    /// # Errors
    /// [`VkeyError::Name`].
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, VkeyError> {
        Self::of(name, VkeyKind::Signer, public)
    }

    /// The verifier key of a name and a public key that cosigns.
    ///
    /// # Errors
    /// [`VkeyError::Name`].
    pub fn cosigner(name: &str, public: &[u8; 32]) -> Result<Self, VkeyError> {
        Self::of(name, VkeyKind::Cosigner, public)
    }

    fn of(name: &str, kind: VkeyKind, public: &[u8; 32]) -> Result<Self, VkeyError> {
        if !is_name(name) {
            return Err(VkeyError::Name);
        }
        let digest = sha256_parts(&[name.as_bytes(), b"\n", &[kind.byte()], public]);
        let id = digest.first_chunk().copied().unwrap_or_default();
        Ok(Self { name: name.to_owned(), kind, id, public: *public })
    }

    /// The same key under another name, as a journal's shards have it.
    ///
    /// # Errors
    /// [`VkeyError::Name`].
    pub fn called(&self, name: &str) -> Result<Self, VkeyError> {
        Self::of(name, self.kind, &self.public)
    }

    /// Reads `name+id+base64(type || key)`.
    ///
    /// # Errors
    /// [`VkeyError`].
    pub fn parse(text: &str) -> Result<Self, VkeyError> {
        let (name, rest) = text.split_once('+').ok_or(VkeyError::Malformed)?;
        let (id, key) = rest.split_once('+').ok_or(VkeyError::Malformed)?;
        let id = from_hex::<4>(id).map_err(|_| VkeyError::Malformed)?;
        let key = STANDARD.decode(key).map_err(|_| VkeyError::Malformed)?;
        let (byte, public) = key.split_first().ok_or(VkeyError::Malformed)?;
        let kinds = [VkeyKind::Signer, VkeyKind::Cosigner];
        let kind = kinds.into_iter().find(|kind| kind.byte() == *byte).ok_or(VkeyError::Unknown)?;
        let vkey = Self::of(name, kind, public.try_into().map_err(|_| VkeyError::Malformed)?)?;
        if vkey.id == id { Ok(vkey) } else { Err(VkeyError::Id) }
    }

    /// The key's name; for a journal's key, the journal's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its signatures say.
    #[must_use]
    pub const fn kind(&self) -> VkeyKind {
        self.kind
    }

    /// The first four bytes of the hash of name, kind and key: they stand in each signature line.
    pub(super) const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether both are the same key, whatever they are called.
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.public == other.public
    }

    pub(super) fn holds(&self, message: &[u8], signature: &[u8]) -> bool {
        verify_ed25519(&self.public, message, signature)
    }
}

impl std::fmt::Display for Vkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = STANDARD.encode([[self.kind.byte()].as_slice(), &self.public].concat());
        write!(f, "{}+{}+{key}", self.name, to_hex(&self.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A key of Go's own tests (golang.org/x/mod/sumdb/note).
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn keys_of_any_other_form_are_refused() {
        let table = [
            ("", VkeyError::Malformed),
            ("PeterNeumann+c74f20a3", VkeyError::Malformed),
            ("PeterNeumann+c74f20a3+", VkeyError::Malformed),
            (&PETER.replace("c74f20a3", "C74F20A3"), VkeyError::Malformed),
            (&PETER.replace("c74f20a3", "c74f20a4"), VkeyError::Id),
            (&PETER.replace("PeterNeumann", "PeterNeuman"), VkeyError::Id),
            (&PETER.replace("PeterNeumann", ""), VkeyError::Name),
            (&PETER.replace("PeterNeumann", "Peter Neumann"), VkeyError::Name),
            (&PETER.replace("ARpc", "BBpc"), VkeyError::Id),
            (&PETER.replace("ARpc", "Bhpc"), VkeyError::Unknown),
            (&PETER.replace("10TW", ""), VkeyError::Malformed),
        ];
        for (text, error) in table {
            assert_eq!(Vkey::parse(text), Err(error), "{text}");
        }
        for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\u{1}"] {
            assert_eq!(Vkey::new(name, &[0; 32]), Err(VkeyError::Name), "{name:?}");
            assert_eq!(Vkey::cosigner(name, &[0; 32]), Err(VkeyError::Name), "{name:?}");
        }
    }

    #[test]
    fn one_key_has_two_ids_by_what_it_is_for() {
        let (signer, cosigner) = (Vkey::new("w", &[3; 32]).unwrap(), Vkey::cosigner("w", &[3; 32]).unwrap());
        assert_ne!(signer.id(), cosigner.id());
        assert!(signer.is_same_key(&cosigner));
        for key in [signer, cosigner] {
            assert_eq!(Vkey::parse(&key.to_string()), Ok(key));
        }
    }
}
