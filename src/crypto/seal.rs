//! Sealing of cells: AES-256-GCM under a key per person, itself wrapped under a key-encryption key.
//!
//! Sealed bytes are `0x01 || nonce[12] || ciphertext || tag[16]`. The associated data names table, row and
//! column, so that a sealed value moved to another cell does not open.
//! Nonces are random: a key may seal 2^32 values (NIST SP 800-38D, 8.3); a person's key seals some hundreds.

use super::{CryptoError, HmacKey, SecretBytes, hash::length, sha256};
use crate::clock::{Entropy, random};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

const FORM: u8 = 1;

/// The place a sealed value belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Table.
    pub table: &'a str,
    /// Identifier of the row.
    pub row: &'a str,
    /// Column.
    pub column: &'a str,
}

impl Cell<'_> {
    fn associated_data(&self) -> Vec<u8> {
        let fields = [self.table, self.row, self.column];
        let mut data = Vec::with_capacity(fields.iter().map(|field| field.len() + 8).sum());
        for field in fields {
            data.extend_from_slice(&length(field.as_bytes()));
            data.extend_from_slice(field.as_bytes());
        }
        data
    }
}

fn prepare(key: &SecretBytes<32>) -> Result<LessSafeKey, CryptoError> {
    UnboundKey::new(&AES_256_GCM, key.expose()).map(LessSafeKey::new).map_err(|_| CryptoError::BadKey)
}

fn seal(key: &LessSafeKey, entropy: &dyn Entropy, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let nonce = random::<NONCE_LEN>(entropy)?;
    let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
    sealed.push(FORM);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, body) = sealed.split_at_mut(1 + NONCE_LEN);
    let tag = key
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), body)
        .map_err(|_| CryptoError::DoesNotOpen)?;
    sealed.extend_from_slice(tag.as_ref());
    Ok(sealed)
}

fn open(key: &LessSafeKey, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let Some((&FORM, rest)) = sealed.split_first() else {
        return Err(CryptoError::UnknownForm);
    };
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(CryptoError::UnknownForm)?;
    let mut plain = Zeroizing::new(body.to_vec());
    let length = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), plain.as_mut_slice())
        .map_err(|_| CryptoError::DoesNotOpen)?
        .len();
    plain.truncate(length);
    Ok(plain)
}

/// The key of one person (or organisation) for the cells that tell of them. Destroying its wrapped form
/// erases them (invariant 8).
pub struct DataKey {
    bytes: SecretBytes<32>,
    // Prepared once: opening a cell costs no key schedule.
    prepared: LessSafeKey,
}

impl DataKey {
    /// A fresh key.
    ///
    /// # Errors
    /// [`CryptoError::NoEntropy`].
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, CryptoError> {
        Self::from_bytes(SecretBytes::generate(entropy)?)
    }

    fn from_bytes(bytes: SecretBytes<32>) -> Result<Self, CryptoError> {
        let prepared = prepare(&bytes)?;
        Ok(Self { bytes, prepared })
    }

    /// A key for one other purpose (a mandate's tags), from which this one cannot be found.
    #[must_use]
    pub fn derive(&self, purpose: &str) -> SecretBytes<32> {
        let parts: [&[u8]; 2] = [b"porteplume derived key\0", purpose.as_bytes()];
        SecretBytes::new(HmacKey::new(self.bytes.expose()).tag(&parts))
    }

    /// Seals a value for its cell.
    ///
    /// # Errors
    /// [`CryptoError::NoEntropy`].
    pub fn seal(&self, entropy: &dyn Entropy, cell: &Cell<'_>, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        seal(&self.prepared, entropy, &cell.associated_data(), plain)
    }

    /// Opens a sealed value read from its cell.
    ///
    /// # Errors
    /// [`CryptoError::DoesNotOpen`] when altered, moved from another cell or sealed under another key;
    /// [`CryptoError::UnknownForm`].
    pub fn open(&self, cell: &Cell<'_>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        open(&self.prepared, &cell.associated_data(), sealed)
    }
}

struct Wrapping {
    // Names the key inside what it wraps: the start of a digest of it.
    id: [u8; 8],
    prepared: LessSafeKey,
}

impl Wrapping {
    fn new(key: &SecretBytes<32>) -> Result<Self, CryptoError> {
        let digest = sha256(&Zeroizing::new([b"porteplume key id\0".as_slice(), key.expose()].concat()));
        let id = digest.first_chunk::<8>().copied().ok_or(CryptoError::BadKey)?;
        Ok(Self { id, prepared: prepare(key)? })
    }
}

/// The key-encryption keys: the current one wraps, all of them unwrap.
///
/// A wrapped key is `key id[8] || sealed`, bound to the identifier of the data key.
pub struct KeyEncryptionKey {
    current: Wrapping,
    former: Vec<Wrapping>,
}

impl KeyEncryptionKey {
    /// The current key and those it replaced.
    ///
    /// # Errors
    /// [`CryptoError::BadKey`].
    pub fn new(current: &SecretBytes<32>, former: &[SecretBytes<32>]) -> Result<Self, CryptoError> {
        let former = former.iter().map(Wrapping::new).collect::<Result<_, _>>()?;
        Ok(Self { current: Wrapping::new(current)?, former })
    }

    /// Wraps a data key under the current key, bound to the data key's identifier.
    ///
    /// # Errors
    /// [`CryptoError::NoEntropy`].
    pub fn wrap(&self, entropy: &dyn Entropy, key_id: &str, key: &DataKey) -> Result<Vec<u8>, CryptoError> {
        let sealed = seal(&self.current.prepared, entropy, &binding(key_id), key.bytes.expose())?;
        Ok([self.current.id.as_slice(), &sealed].concat())
    }

    /// Unwraps a data key.
    ///
    /// # Errors
    /// [`CryptoError::UnknownKey`] when wrapped under a key not held; [`CryptoError::DoesNotOpen`] when
    /// altered or another data key's; [`CryptoError::UnknownForm`].
    pub fn unwrap(&self, key_id: &str, wrapped: &[u8]) -> Result<DataKey, CryptoError> {
        let (id, sealed) = wrapped.split_first_chunk::<8>().ok_or(CryptoError::UnknownForm)?;
        let wrapping = std::iter::once(&self.current)
            .chain(&self.former)
            .find(|wrapping| wrapping.id == *id)
            .ok_or(CryptoError::UnknownKey)?;
        let bytes = open(&wrapping.prepared, &binding(key_id), sealed)?;
        DataKey::from_bytes(SecretBytes::from_slice(&bytes).ok_or(CryptoError::BadKey)?)
    }

    /// Whether a wrapped key is under a former key and wants wrapping anew.
    #[must_use]
    pub fn is_outdated(&self, wrapped: &[u8]) -> bool {
        wrapped.first_chunk::<8>() != Some(&self.current.id)
    }
}

fn binding(key_id: &str) -> Vec<u8> {
    [b"porteplume data key\0", key_id.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    const CELL: Cell<'_> = Cell { table: "usager", row: "01", column: "identity_sealed" };

    #[test]
    fn a_sealed_value_opens_in_its_cell_only() {
        let entropy = SeededEntropy::new(1);
        let key = DataKey::generate(&entropy).unwrap();
        let sealed = key.seal(&entropy, &CELL, b"Durand").unwrap();
        assert_eq!(key.open(&CELL, &sealed).unwrap().as_slice(), b"Durand");
        let elsewhere = [
            Cell { table: "aidant", ..CELL },
            Cell { row: "02", ..CELL },
            Cell { column: "note_sealed", ..CELL },
            // The same letters, cut elsewhere.
            Cell { table: "usager0", row: "1", ..CELL },
        ];
        for cell in elsewhere {
            assert_eq!(key.open(&cell, &sealed).err(), Some(CryptoError::DoesNotOpen), "{cell:?}");
        }
        let other = DataKey::generate(&entropy).unwrap();
        assert_eq!(other.open(&CELL, &sealed).err(), Some(CryptoError::DoesNotOpen));
    }

    #[test]
    fn no_altered_or_shortened_sealed_value_opens() {
        let entropy = SeededEntropy::new(2);
        let key = DataKey::generate(&entropy).unwrap();
        let sealed = key.seal(&entropy, &CELL, b"x").unwrap();
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(key.open(&CELL, &altered).is_err(), "byte {at}");
            assert!(key.open(&CELL, &sealed[..at]).is_err(), "length {at}");
        }
    }

    #[test]
    fn the_same_value_never_seals_to_the_same_bytes() {
        let entropy = SeededEntropy::new(3);
        let key = DataKey::generate(&entropy).unwrap();
        assert_ne!(key.seal(&entropy, &CELL, b"x").unwrap(), key.seal(&entropy, &CELL, b"x").unwrap());
    }

    #[test]
    fn a_wrapped_key_unwraps_under_its_own_identifier_also_after_rotation() {
        let entropy = SeededEntropy::new(4);
        let (old, new) = (SecretBytes::new([1; 32]), SecretBytes::new([2; 32]));
        let before = KeyEncryptionKey::new(&old, &[]).unwrap();
        let after = KeyEncryptionKey::new(&new, &[old]).unwrap();
        let key = DataKey::generate(&entropy).unwrap();
        let sealed = key.seal(&entropy, &CELL, b"x").unwrap();
        let wrapped = before.wrap(&entropy, "k1", &key).unwrap();
        assert!(!before.is_outdated(&wrapped));
        assert!(after.is_outdated(&wrapped));
        for keys in [&before, &after] {
            assert_eq!(keys.unwrap("k1", &wrapped).unwrap().open(&CELL, &sealed).unwrap().as_slice(), b"x");
            assert_eq!(keys.unwrap("k2", &wrapped).err(), Some(CryptoError::DoesNotOpen));
        }
        let rewrapped = after.wrap(&entropy, "k1", &key).unwrap();
        assert_eq!(before.unwrap("k1", &rewrapped).err(), Some(CryptoError::UnknownKey));
        assert_eq!(before.unwrap("k1", &[]).err(), Some(CryptoError::UnknownForm));
    }
}
