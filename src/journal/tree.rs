//! Extending the tree: the right edge, and the tiles that fill up.

use super::{EMPTY_ROOT, Hash, TILE_WIDTH, node_hash, tile::tile_width};
use thiserror::Error;

/// What must be known of a tree to append to it: its size, the roots of the complete subtrees along its right
/// edge, and the hashes of its partial tiles (fewer than 256 a level).
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    /// Roots of the complete subtrees that make up the tree, largest first: one for each bit set in `size`.
    edge: Vec<Hash>,
    /// The partial tile of each level, from level 0 up.
    partial: Vec<Vec<Hash>>,
}

/// A tile that has just become full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullTile {
    /// Level: 0 holds leaf hashes.
    pub level: u8,
    /// Index within the level.
    pub index: u64,
    /// 256 hashes.
    pub hashes: Vec<Hash>,
    /// Their root, which is a hash of the tile above.
    pub root: Hash,
}

impl FullTile {
    /// The 8,192 bytes as stored and served.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        super::tile::to_bytes(&self.hashes)
    }
}

/// Stored partial tiles that do not make up a tree of that size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the stored right edge does not fit a tree of {size} entries")]
pub struct FrontierError {
    /// The size asked for.
    pub size: u64,
}

impl Frontier {
    /// Takes up a tree where it was left, from the hashes of its partial tiles, level 0 first (an empty list for
    /// a level without one). The caller compares [`Self::root`] with the signed root before appending.
    ///
    /// # Errors
    /// [`FrontierError`] when the number of hashes on some level is not what the size demands.
    pub fn resume(size: u64, partial: Vec<Vec<Hash>>) -> Result<Self, FrontierError> {
        let mut edge = Vec::with_capacity(64);
        let levels = u8::try_from(partial.len()).map_err(|_| FrontierError { size })?;
        if size.checked_shr(8 * u32::from(levels)).unwrap_or(0) != 0 {
            return Err(FrontierError { size });
        }
        for (level, hashes) in (0..levels).zip(&partial).rev() {
            if tile_width(level, size) != hashes.len() {
                return Err(FrontierError { size });
            }
            let mut rest = hashes.as_slice();
            for bit in (0..8).rev().filter(|bit| hashes.len() >> bit & 1 == 1) {
                let (subtree, after) = rest.split_at_checked(1 << bit).ok_or(FrontierError { size })?;
                edge.push(super::hash::root_of(subtree));
                rest = after;
            }
        }
        Ok(Self { size, edge, partial })
    }

    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Root hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut subtrees = self.edge.iter().rev();
        let smallest = subtrees.next().copied().unwrap_or(EMPTY_ROOT);
        subtrees.fold(smallest, |right, left| node_hash(left, &right))
    }

    /// Appends a leaf; gives back the tiles it filled, lowest level first (none in 255 of 256 cases).
    pub fn append(&mut self, leaf: Hash) -> Vec<FullTile> {
        let mut filled = Vec::new();
        let mut node = leaf;
        let mut height = 0_u32;
        self.extend_tile(0, node);
        // A set bit of the old size is a complete subtree of that height, waiting for its right sibling.
        while let Some(left) = (self.size >> height & 1 == 1).then(|| self.edge.pop()).flatten() {
            node = node_hash(&left, &node);
            height += 1;
            if height.is_multiple_of(8) {
                let level = (height / 8 - 1) as usize;
                filled.push(self.take_tile(level, height, node));
                self.extend_tile(level + 1, node);
            }
        }
        self.edge.push(node);
        self.size += 1;
        filled
    }

    fn extend_tile(&mut self, level: usize, hash: Hash) {
        if self.partial.len() <= level {
            self.partial.resize_with(level + 1, || Vec::with_capacity(TILE_WIDTH));
        }
        if let Some(tile) = self.partial.get_mut(level) {
            tile.push(hash);
        }
    }

    fn take_tile(&mut self, level: usize, height: u32, root: Hash) -> FullTile {
        let hashes = self
            .partial
            .get_mut(level)
            .map(|tile| std::mem::replace(tile, Vec::with_capacity(TILE_WIDTH)))
            .unwrap_or_default();
        FullTile { level: u8::try_from(level).unwrap_or(u8::MAX), index: self.size >> height, hashes, root }
    }
}
