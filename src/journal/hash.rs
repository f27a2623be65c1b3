//! Hashing of leaves and nodes (RFC 6962, 2.1).

use crate::crypto::{sha256, sha256_parts, to_hex};
use base64::{Engine as _, display::Base64Display, engine::general_purpose::STANDARD};

/// A SHA-256 hash in the tree, or a commitment.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; 32]);

/// Root of the tree without leaves: SHA-256 of nothing.
pub const EMPTY_ROOT: Hash = Hash([
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
]);

impl Hash {
    /// A hash from its bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A hash from a slice, when it has 32 bytes.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads standard base64 with padding, as checkpoints and proofs write it; nothing else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        // 44 characters decode to 32 bytes; base64 wants room for the 33 they could be.
        let mut bytes = [0; 33];
        let length = STANDARD.decode_slice(text, &mut bytes).ok()?;
        Self::from_slice(bytes.get(..length)?)
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Base64Display::new(&self.0, &STANDARD).fmt(f)
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

/// Hash of a leaf: SHA-256 of 0x00 and the entry.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash(sha256_parts(&[&[0], entry]))
}

/// Hash of an inner node: SHA-256 of 0x01 and both children.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut node = [1; 65];
    if let Some((first, second)) = node.get_mut(1..).and_then(|children| children.split_at_mut_checked(32)) {
        first.copy_from_slice(&left.0);
        second.copy_from_slice(&right.0);
    }
    Hash(sha256(&node))
}

/// Root over hashes that stand side by side: the largest power of two below their number goes left.
pub(super) fn root_of(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => EMPTY_ROOT,
        [one] => *one,
        more => {
            let left = 1 << (more.len() - 1).checked_ilog2().unwrap_or(0);
            let (left, right) = more.split_at(left);
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_and_nodes_hash_as_in_rfc_6962() {
        // Known from Certificate Transparency's own tests.
        assert_eq!(
            format!("{:?}", leaf_hash(b"")),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let (left, right) = (leaf_hash(b""), leaf_hash(b"\x00"));
        assert_eq!(
            format!("{:?}", node_hash(&left, &right)),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
        );
        assert_eq!(EMPTY_ROOT, Hash(sha256(b"")));
    }

    #[test]
    fn a_hash_reads_back_from_its_one_text_form() {
        let hash = leaf_hash(b"x");
        assert_eq!(Hash::parse(&hash.to_string()), Some(hash));
        let text = hash.to_string();
        for bad in
            ["", text.trim_end_matches('='), &format!("{text} "), &text.replace('=', "A"), &text.repeat(2)]
        {
            assert_eq!(Hash::parse(bad), None, "{bad}");
        }
    }
}
