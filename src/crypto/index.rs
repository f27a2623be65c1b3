//! Keyed hashes to find things by, and the pairwise subject.

use super::{HmacKey, SecretBytes, SpokenCode, to_hex};
use crate::mandate::{AidantId, UsagerId};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// The key of blind indexes: finds a sealed value again without the database knowing it.
pub struct IndexKey(HmacKey);

impl IndexKey {
    /// Prepares the key.
    #[must_use]
    pub fn new(key: &SecretBytes<32>) -> Self {
        Self(HmacKey::new(key.expose()))
    }

    /// A blind index: 16 hexadecimal digits. Cut to 8 bytes so that it yields candidates only; the reader
    /// compares the opened values. For values few can have (a kind, an organisation), give an owner's id among
    /// the parts, or equal values show as equal.
    #[must_use]
    pub fn blind(&self, field: &str, parts: &[&str]) -> String {
        let tag = self.tag(field, parts);
        to_hex(tag.first_chunk::<8>().map_or(&[], |head| head.as_slice()))
    }

    /// A keyed hash at full length, 64 hexadecimal digits: what is stored of a short code (recovery,
    /// verification), which a plain hash would give away to whoever tries all codes.
    #[must_use]
    pub fn keyed_hash(&self, field: &str, parts: &[&str]) -> String {
        to_hex(&self.tag(field, parts))
    }

    /// A short code of a thing, for two people to say to each other.
    #[must_use]
    pub fn spoken_code(&self, field: &str, parts: &[&str]) -> SpokenCode {
        SpokenCode::of(&self.tag(field, parts))
    }

    fn tag(&self, field: &str, parts: &[&str]) -> [u8; 32] {
        let mut fields = Vec::with_capacity(parts.len() + 1);
        fields.push(field.as_bytes());
        fields.extend(parts.iter().map(|part| part.as_bytes()));
        self.0.tag_fields(&fields)
    }
}

/// The key from which each sector's subject identifiers come (OpenID Connect Core 8.1).
pub struct PairwiseKey(HmacKey);

impl PairwiseKey {
    /// Prepares the key.
    #[must_use]
    pub fn new(key: &SecretBytes<32>) -> Self {
        Self(HmacKey::new(key.expose()))
    }

    /// The usager's `sub` in a sector: the same at every sign-in, unlinkable between sectors.
    #[must_use]
    pub fn subject(&self, sector: &str, usager: &UsagerId) -> String {
        self.name(b"pairwise-subject/v1", sector, usager.as_str())
    }

    /// The aidant's name in a sector, as the `act` claim gives it (RFC 8693, 4.1).
    #[must_use]
    pub fn actor(&self, sector: &str, aidant: &AidantId) -> String {
        self.name(b"pairwise-actor/v1", sector, aidant.as_str())
    }

    fn name(&self, role: &[u8], sector: &str, id: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.0.tag_fields(&[role, sector.as_bytes(), id.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blind_index_tells_fields_and_parts_apart() {
        let key = IndexKey::new(&SecretBytes::new([1; 32]));
        let other = IndexKey::new(&SecretBytes::new([2; 32]));
        let index = key.blind("name", &["org", "durand"]);
        assert_eq!(index.len(), 16);
        assert_eq!(index, key.blind("name", &["org", "durand"]));
        assert_ne!(index, key.blind("name", &["orgd", "urand"]));
        assert_ne!(index, key.blind("nameorg", &["durand"]));
        assert_ne!(index, other.blind("name", &["org", "durand"]));
        assert!(key.keyed_hash("name", &["org", "durand"]).starts_with(&index));
    }

    #[test]
    fn a_subject_is_stable_in_a_sector_and_differs_between_sectors_and_persons() {
        let key = PairwiseKey::new(&SecretBytes::new([1; 32]));
        let (one, two) = (UsagerId::from_bytes([1; 16]), UsagerId::from_bytes([2; 16]));
        let sub = key.subject("caisse.example", &one);
        assert_eq!(sub, key.subject("caisse.example", &one));
        assert_ne!(sub, key.subject("impots.example", &one));
        assert_ne!(sub, key.subject("caisse.example", &two));
        assert_eq!(sub.len(), 43);
    }
}
