//! What opens a commitment: kept apart from the entry, sealed, erasable.

use super::{Hash, NotCanonical, Slot, canonical_json};
use crate::clock::{Entropy, random};
use crate::crypto::{CryptoError, sha256_parts};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const SALT: usize = 32;

/// The salt and the exact bytes one slot of an entry commits to. Has no `Debug`: it may tell of persons.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Opening {
    #[zeroize(skip)]
    slot: Slot,
    salt: [u8; SALT],
    json: Vec<u8>,
}

impl Opening {
    /// Commits to a value under a fresh salt.
    ///
    /// # Errors
    /// [`super::EntryError::NoEntropy`], [`super::EntryError::NotCanonical`].
    pub fn new(entropy: &dyn Entropy, slot: Slot, value: &impl Serialize) -> Result<Self, super::EntryError> {
        let json = canonical_json(value).map_err(|NotCanonical| super::EntryError::NotCanonical)?;
        Ok(Self { slot, salt: random(entropy)?, json })
    }

    /// The slot it opens.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.slot
    }

    /// The exact bytes committed to: JSON in canonical form.
    #[must_use]
    pub fn json(&self) -> &[u8] {
        &self.json
    }

    /// The value committed to, when the bytes are one of this type.
    #[must_use]
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(&self.json).ok()
    }

    /// The commitment: SHA-256 of `porteplume-journal/v1/`, slot, 0x00, salt and JSON.
    #[must_use]
    pub fn commitment(&self) -> Hash {
        let slot = self.slot.as_str().as_bytes();
        Hash::from_bytes(sha256_parts(&[b"porteplume-journal/v1/", slot, &[0], &self.salt, &self.json]))
    }

    /// The form to seal and store: salt, then JSON.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(SALT + self.json.len()));
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.json);
        bytes
    }

    /// Reads the stored form after it was opened.
    ///
    /// # Errors
    /// [`CryptoError::UnknownForm`] when shorter than a salt.
    pub fn from_bytes(slot: Slot, bytes: &[u8]) -> Result<Self, CryptoError> {
        let (salt, json) = bytes.split_first_chunk::<SALT>().ok_or(CryptoError::UnknownForm)?;
        Ok(Self { slot, salt: *salt, json: json.to_vec() })
    }
}
