//! The right edge of the tree: the tiles that are not full yet. Enough to append without reading.

use crate::crypto::sha256;

pub(super) type Hash = [u8; 32];

/// Hashes in a full tile.
pub(super) const TILE_WIDTH: u64 = 256;

/// A tile that has just become full.
pub(super) struct FullTile {
    pub(super) level: u8,
    pub(super) index: u64,
    pub(super) root: Hash,
    pub(super) hashes: Vec<Hash>,
}

/// The partial tiles, lowest level first.
pub(super) struct Edge {
    levels: Vec<Vec<Hash>>,
    size: u64,
}

/// RFC 6962, 2.1: the hash of a leaf.
pub(super) fn leaf_hash(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry].concat())
}

fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left.as_slice(), right.as_slice()].concat())
}

impl Edge {
    pub(super) const fn of(levels: Vec<Vec<Hash>>, size: u64) -> Self {
        Self { levels, size }
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf; tiles that become full are moved to `full`.
    pub(super) fn push(&mut self, leaf: Hash, full: &mut Vec<FullTile>) {
        self.size += 1;
        let mut carried = leaf;
        let mut width = 1;
        for level in 0..8_u8 {
            if self.levels.len() <= usize::from(level) {
                self.levels.push(Vec::new());
            }
            let Some(tile) = self.levels.get_mut(usize::from(level)) else { return };
            tile.push(carried);
            width *= TILE_WIDTH;
            if tile.len() < 256 {
                return;
            }
            let hashes = std::mem::take(tile);
            carried = root(&hashes);
            full.push(FullTile { level, index: self.size / width - 1, root: carried, hashes });
        }
    }

    /// The root of the whole tree.
    pub(super) fn root(&self) -> Hash {
        let right_to_left = self.levels.iter().flat_map(|tile| peaks(tile));
        right_to_left.reduce(|right, left| node(&left, &right)).unwrap_or_else(|| sha256(&[]))
    }
}

/// The roots of the complete subtrees of a partial tile, rightmost first.
fn peaks(tile: &[Hash]) -> Vec<Hash> {
    let mut rest = tile;
    let mut peaks = Vec::new();
    while !rest.is_empty() {
        let (left, right) = rest.split_at(1 << rest.len().ilog2());
        peaks.push(root(left));
        rest = right;
    }
    peaks.reverse();
    peaks
}

/// The root over a power of two of hashes.
fn root(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node(left, right),
                other => other.first().copied().unwrap_or([0; 32]),
            })
            .collect();
    }
    row.first().copied().unwrap_or_else(|| sha256(&[]))
}
