//! Extending the tree: the right edge, and the tiles that fill up.

use super::{EMPTY_ROOT, Hash, TILE_WIDTH, node_hash, tile::tile_width};
use thiserror::Error;

/// Size and root of a tree that grows: the roots of the complete subtrees along its right edge, and no more.
#[derive(Debug, Clone, Default)]
pub(super) struct CompactRange {
    size: u64,
    /// Largest subtree first: one for each bit set in `size`.
    edge: Vec<Hash>,
}

impl CompactRange {
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn root(&self) -> Hash {
        let mut subtrees = self.edge.iter().rev();
        let smallest = subtrees.next().copied().unwrap_or(EMPTY_ROOT);
        subtrees.fold(smallest, |right, left| node_hash(left, &right))
    }

    /// Appends a leaf and tells of every subtree it completes, with its height, from the leaf itself upward.
    pub(super) fn append(&mut self, leaf: Hash, mut completed: impl FnMut(u32, Hash)) {
        let mut node = leaf;
        let mut height = 0;
        completed(height, node);
        // A set bit of the old size is a complete subtree of that height, waiting for its right sibling.
        while let Some(left) = (self.size >> height & 1 == 1).then(|| self.edge.pop()).flatten() {
            node = node_hash(&left, &node);
            height += 1;
            completed(height, node);
        }
        self.edge.push(node);
        self.size += 1;
    }
}

/// What must be known of a tree to append to it: its right edge, and the hashes of its partial tiles (fewer
/// than 256 a level).
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    range: CompactRange,
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
        Ok(Self { range: CompactRange { size, edge }, partial })
    }

    /// Number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.range.size()
    }

    /// Root hash.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.range.root()
    }

    /// Its right edge alone.
    pub(super) const fn range(&self) -> &CompactRange {
        &self.range
    }

    /// Appends a leaf; gives back the tiles it filled, lowest level first (none in 255 of 256 cases).
    pub fn append(&mut self, leaf: Hash) -> Vec<FullTile> {
        let mut filled = Vec::new();
        let (size, partial) = (self.range.size, &mut self.partial);
        self.range.append(leaf, |height, node| {
            if !height.is_multiple_of(8) {
                return;
            }
            let level = (height / 8) as usize;
            // A subtree of 256 hashes of the level below: that level's tile is full, and this is its root.
            if let Some(tile) = level.checked_sub(1).and_then(|below| partial.get_mut(below)) {
                let hashes = std::mem::replace(tile, Vec::with_capacity(TILE_WIDTH));
                let level = u8::try_from(level - 1).unwrap_or(u8::MAX);
                filled.push(FullTile { level, index: size >> height, hashes, root: node });
            }
            if partial.len() <= level {
                partial.resize_with(level + 1, || Vec::with_capacity(TILE_WIDTH));
            }
            if let Some(tile) = partial.get_mut(level) {
                tile.push(node);
            }
        });
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::from_hex;
    use crate::journal::{leaf_hash, tile::partial_tiles};

    /// The partial tiles a tree of these leaves leaves behind, computed from their definition.
    fn partial_by_definition(leaves: &[Hash]) -> Vec<Vec<Hash>> {
        let mut levels = Vec::new();
        let mut hashes = leaves.to_vec();
        while !hashes.is_empty() {
            let (full, rest) = hashes.as_chunks::<TILE_WIDTH>();
            levels.push(rest.to_vec());
            hashes = full.iter().map(|tile| crate::journal::hash::root_of(tile)).collect();
        }
        levels
    }

    fn leaves(number: u32) -> Vec<Hash> {
        (0..number).map(|at| leaf_hash(&at.to_be_bytes())).collect()
    }

    #[test]
    fn roots_are_those_certificate_transparency_knows() {
        let table: [(&[u8], &str); 8] = [
            (b"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (b"\x00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (b"\x10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (b"\x20\x21", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            (b"\x30\x31", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (b"\x40\x41\x42\x43", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
            (b"PQRSTUVW", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
            (b"`abcdefghijklmno", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ];
        let mut tree = Frontier::default();
        assert_eq!(tree.root(), EMPTY_ROOT);
        for (leaf, root) in table {
            tree.append(leaf_hash(leaf));
            assert_eq!(tree.root(), Hash::from_bytes(from_hex(root).unwrap()), "size {}", tree.size());
        }
    }

    #[test]
    fn tiles_come_out_full_in_order_and_with_their_root() {
        let leaves = leaves(70_000);
        let mut tree = Frontier::default();
        let mut tiles = Vec::new();
        for leaf in &leaves {
            tiles.extend(tree.append(*leaf));
        }
        let of = |level| tiles.iter().filter(move |tile| tile.level == level);
        assert_eq!((of(0).count(), of(1).count(), of(2).count()), (273, 1, 0));
        for (at, tile) in (0..).zip(of(0)) {
            assert_eq!(tile.index, at);
            let first = usize::try_from(at).unwrap() * TILE_WIDTH;
            assert_eq!(tile.hashes, leaves[first..first + TILE_WIDTH]);
            assert_eq!(tile.root, crate::journal::hash::root_of(&tile.hashes));
            assert_eq!(tile.to_bytes().len(), 8192);
        }
        let above: Vec<_> = of(0).take(TILE_WIDTH).map(|tile| tile.root).collect();
        assert_eq!(of(1).next().unwrap().hashes, above);
    }

    #[test]
    fn a_tree_taken_up_again_goes_on_as_if_never_left() {
        let leaves = leaves(66_000);
        for size in [0, 1, 2, 3, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 65_900] {
            let (before, after) = leaves.split_at(size);
            let mut whole = Frontier::default();
            for leaf in before {
                whole.append(*leaf);
            }
            let mut resumed = Frontier::resume(size as u64, partial_by_definition(before)).unwrap();
            assert_eq!(resumed.root(), whole.root(), "{size}");
            for leaf in &after[..100] {
                assert_eq!(resumed.append(*leaf), whole.append(*leaf), "{size}");
            }
            assert_eq!(resumed.root(), whole.root(), "{size}");
        }
    }

    #[test]
    fn hashes_that_do_not_make_up_the_size_are_refused() {
        let leaves = leaves(70_000);
        let partial = partial_by_definition(&leaves);
        assert_eq!(
            partial.iter().map(Vec::len).collect::<Vec<_>>(),
            partial_tiles(70_000).iter().map(|tile| usize::from(tile.width)).collect::<Vec<_>>()
        );
        for size in [0, 1, 69_999, 70_001, 70_000 + 65_536, 70_000 + (1 << 24)] {
            assert!(Frontier::resume(size, partial.clone()).is_err(), "{size}");
        }
        assert!(Frontier::resume(70_000, partial[..2].to_vec()).is_err());
        assert!(Frontier::resume(1 << 24, vec![Vec::new(); 3]).is_err());
    }
}
