//! Proofs of inclusion and of consistency (RFC 6962, 2.1.1 and 2.1.2), made from tiles, verified from nothing.

use super::tile::{Node, TileId, TileSet};
use super::{EMPTY_ROOT, Hash, node_hash};
use std::collections::BTreeSet;
use thiserror::Error;

/// Why a proof cannot be made or does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PathError {
    /// There is no such entry, or no such older tree, in a tree of that size.
    #[error("out of the tree's range")]
    Range,
    /// A tile the proof is made from was not given.
    #[error("a tile is missing")]
    MissingTile,
    /// The proof does not hold.
    #[error("the proof does not hold")]
    DoesNotHold,
}

/// Leaves `from..to` of a tree.
#[derive(Clone, Copy)]
struct Span {
    from: u64,
    to: u64,
}

impl Span {
    const fn whole(size: u64) -> Self {
        Self { from: 0, to: size }
    }

    const fn width(self) -> u64 {
        self.to - self.from
    }

    /// Both halves: the largest power of two below the width goes left. Asked for widths above 1.
    fn halves(self) -> (Self, Self) {
        let left = 1 << (self.width() - 1).checked_ilog2().unwrap_or(0);
        let middle = self.from + left;
        (Self { from: self.from, to: middle }, Self { from: middle, to: self.to })
    }

    /// The complete subtrees that make it up, from left to right.
    fn nodes(self) -> impl Iterator<Item = Node> {
        let mut from = self.from;
        std::iter::from_fn(move || {
            let height = (self.to - from).checked_ilog2()?;
            let node = Node { height, index: from >> height };
            from += 1 << height;
            Some(node)
        })
    }

    fn hash(self, tiles: &TileSet) -> Result<Hash, PathError> {
        let mut hashes = Vec::new();
        for node in self.nodes() {
            hashes.push(tiles.node(node).ok_or(PathError::MissingTile)?);
        }
        let mut hashes = hashes.iter().rev();
        let smallest = hashes.next().copied().unwrap_or(EMPTY_ROOT);
        Ok(hashes.fold(smallest, |right, left| node_hash(left, &right)))
    }
}

/// The siblings on the way from an entry up to the root.
fn inclusion_spans(index: u64, size: u64) -> Result<Vec<Span>, PathError> {
    if index >= size {
        return Err(PathError::Range);
    }
    let mut spans = Vec::new();
    let mut span = Span::whole(size);
    while span.width() > 1 {
        let (left, right) = span.halves();
        let (inside, sibling) = if index < right.from { (left, right) } else { (right, left) };
        spans.push(sibling);
        span = inside;
    }
    spans.reverse();
    Ok(spans)
}

/// The subtrees that lead from the older root to the newer one.
fn consistency_spans(old: u64, new: u64) -> Result<Vec<Span>, PathError> {
    if old > new {
        return Err(PathError::Range);
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let mut spans = Vec::new();
    let mut span = Span::whole(new);
    while span.to != old {
        let (left, right) = span.halves();
        let (inside, sibling) = if old <= left.to { (left, right) } else { (right, left) };
        spans.push(sibling);
        span = inside;
    }
    // When it begins at 0, it is the older tree itself, whose root the verifier knows.
    if span.from != 0 {
        spans.push(span);
    }
    spans.reverse();
    Ok(spans)
}

fn tiles_for(spans: &[Span], size: u64) -> Vec<TileId> {
    let tiles: BTreeSet<_> = spans.iter().flat_map(|span| span.nodes()).map(|node| node.tile(size)).collect();
    tiles.into_iter().collect()
}

fn hashes(spans: &[Span], tiles: &TileSet) -> Result<Vec<Hash>, PathError> {
    spans.iter().map(|span| span.hash(tiles)).collect()
}

/// The tiles a proof of inclusion is made from.
///
/// # Errors
/// [`PathError::Range`].
pub fn inclusion_tiles(index: u64, size: u64) -> Result<Vec<TileId>, PathError> {
    Ok(tiles_for(&inclusion_spans(index, size)?, size))
}

/// The tiles a proof of consistency is made from.
///
/// # Errors
/// [`PathError::Range`].
pub fn consistency_tiles(old: u64, new: u64) -> Result<Vec<TileId>, PathError> {
    Ok(tiles_for(&consistency_spans(old, new)?, new))
}

/// Proof that the entry at `index` stands in the tree of `size`: hashes from the leaf's sibling upward.
///
/// # Errors
/// [`PathError::Range`], [`PathError::MissingTile`].
pub fn inclusion_path(index: u64, size: u64, tiles: &TileSet) -> Result<Vec<Hash>, PathError> {
    hashes(&inclusion_spans(index, size)?, tiles)
}

/// Proof that the tree of size `new` begins with the tree of size `old`.
///
/// # Errors
/// [`PathError::Range`], [`PathError::MissingTile`].
pub fn consistency_path(old: u64, new: u64, tiles: &TileSet) -> Result<Vec<Hash>, PathError> {
    hashes(&consistency_spans(old, new)?, tiles)
}

/// Verifies a proof of inclusion (RFC 9162, 2.1.3.2).
///
/// # Errors
/// [`PathError::Range`], [`PathError::DoesNotHold`].
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    path: &[Hash],
    root: &Hash,
) -> Result<(), PathError> {
    if index >= size {
        return Err(PathError::Range);
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(PathError::DoesNotHold);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A node at the right edge without sibling rises unchanged.
            let rise = if node & 1 == 1 { 0 } else { node.trailing_zeros() };
            (node, last) = (node >> rise, last >> rise);
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(PathError::DoesNotHold) }
}

/// Verifies a proof of consistency (RFC 9162, 2.1.4.2).
///
/// # Errors
/// [`PathError::Range`], [`PathError::DoesNotHold`].
pub fn verify_consistency(
    (old, old_root): (u64, &Hash),
    (new, new_root): (u64, &Hash),
    path: &[Hash],
) -> Result<(), PathError> {
    if old > new {
        return Err(PathError::Range);
    }
    let holds = if old == new {
        path.is_empty() && old_root == new_root
    } else if old == 0 {
        path.is_empty() && *old_root == EMPTY_ROOT
    } else {
        leads_to_both((old, old_root), (new, new_root), path)
    };
    if holds { Ok(()) } else { Err(PathError::DoesNotHold) }
}

fn leads_to_both((old, old_root): (u64, &Hash), (new, new_root): (u64, &Hash), path: &[Hash]) -> bool {
    // The older tree, when complete, is itself the first subtree.
    let (first, rest) = match path.split_first() {
        _ if old.is_power_of_two() => (old_root, path),
        Some(split) => split,
        None => return false,
    };
    let rise = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> rise, (new - 1) >> rise);
    let (mut from_old, mut from_new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(sibling, &from_old);
            from_new = node_hash(sibling, &from_new);
            let rise = if node & 1 == 1 { 0 } else { node.trailing_zeros() };
            (node, last) = (node >> rise, last >> rise);
        } else {
            from_new = node_hash(&from_new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    last == 0 && from_old == *old_root && from_new == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tile::{TileKind, to_bytes};
    use crate::journal::{Frontier, leaf_hash};
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
    use proptest::prelude::*;
    use sha2::Sha256;

    type Theirs = MemoryBackedTree<Sha256, Vec<u8>>;

    fn leaf(at: u64) -> Vec<u8> {
        format!("entry {at}").into_bytes()
    }

    /// The root of a tree and all its tiles, full and partial, as they would be served at that size.
    fn tree(size: u64) -> (Hash, TileSet) {
        let mut frontier = Frontier::default();
        let mut tiles = TileSet::default();
        let mut level = Vec::new();
        for at in 0..size {
            let hash = leaf_hash(&leaf(at));
            level.push(hash);
            for full in frontier.append(hash) {
                assert!(tiles.insert(TileId::full(full.level, full.index), &full.to_bytes()));
            }
        }
        // Level by level; a level whose last tile is full has no partial one.
        let partial = crate::journal::partial_tiles(size);
        for above in 0..8 {
            let (full, rest) = level.as_chunks::<256>();
            for tile in partial.iter().filter(|tile| tile.kind == TileKind::Hashes(above)) {
                assert!(tiles.insert(*tile, &to_bytes(rest)));
            }
            level = full.iter().map(|tile| crate::journal::hash::root_of(tile)).collect();
        }
        (frontier.root(), tiles)
    }

    fn only(tiles: &TileSet, wanted: &[TileId]) -> TileSet {
        let mut some = TileSet::default();
        for id in wanted {
            assert!(some.insert(*id, &tiles.bytes(*id).unwrap()));
        }
        some
    }

    fn flat(path: &[Hash]) -> Vec<u8> {
        to_bytes(path)
    }

    #[test]
    fn every_proof_in_small_trees_holds_and_is_the_one_others_make() {
        let mut theirs = Theirs::new();
        let mut roots = vec![EMPTY_ROOT];
        for size in 1..=70 {
            theirs.push(leaf(size - 1));
            let (root, tiles) = tree(size);
            assert_eq!(root.as_bytes().as_slice(), theirs.root().as_bytes().as_slice());
            roots.push(root);
            for index in 0..size {
                let path = inclusion_path(index, size, &tiles).unwrap();
                let at = usize::try_from(index).unwrap();
                assert_eq!(flat(&path), theirs.prove_inclusion(at).as_bytes(), "{index} in {size}");
                verify_inclusion(index, size, &leaf_hash(&leaf(index)), &path, &root).unwrap();
            }
            for (old, old_root) in (0..).zip(&roots) {
                let path = consistency_path(old, size, &tiles).unwrap();
                verify_consistency((old, old_root), (size, &root), &path).unwrap();
                if old > 0 {
                    let added = usize::try_from(size - old).unwrap();
                    assert_eq!(flat(&path), theirs.prove_consistency(added).as_bytes(), "{old} to {size}");
                }
            }
        }
    }

    #[test]
    fn nothing_outside_the_tree_can_be_proved() {
        let (root, tiles) = tree(5);
        assert_eq!(inclusion_path(5, 5, &tiles), Err(PathError::Range));
        assert_eq!(inclusion_path(0, 0, &tiles), Err(PathError::Range));
        assert_eq!(consistency_path(6, 5, &tiles), Err(PathError::Range));
        assert_eq!(inclusion_path(1, 5, &TileSet::default()), Err(PathError::MissingTile));
        assert_eq!(inclusion_path(1, 300, &tiles), Err(PathError::MissingTile));
        assert_eq!(verify_inclusion(5, 5, &root, &[], &root), Err(PathError::Range));
        assert_eq!(verify_consistency((6, &root), (5, &root), &[]), Err(PathError::Range));
        // An empty path must not pass for a proof between different trees.
        let empty = [];
        assert_eq!(verify_consistency((5, &root), (5, &EMPTY_ROOT), &empty), Err(PathError::DoesNotHold));
        assert_eq!(verify_consistency((0, &root), (5, &root), &empty), Err(PathError::DoesNotHold));
        assert_eq!(verify_consistency((3, &root), (5, &root), &empty), Err(PathError::DoesNotHold));
        assert_eq!(verify_consistency((4, &root), (5, &root), &empty), Err(PathError::DoesNotHold));
    }

    /// Sizes below a bound, those where a tile has just become full more often than chance would.
    fn sizes(below: u64) -> impl Strategy<Value = u64> {
        prop_oneof![3 => 2..below, 1 => (1..=below / 256).prop_map(|tiles| tiles * 256)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn proofs_need_only_the_tiles_they_name_and_others_accept_them(size in sizes(1500), a: u64, b: u64) {
            let (root, tiles) = tree(size);
            let (index, old) = (a % size, 1 + b % size);
            let needed = inclusion_tiles(index, size).unwrap();
            prop_assert!(needed.len() <= 4);
            let path = inclusion_path(index, size, &only(&tiles, &needed)).unwrap();
            verify_inclusion(index, size, &leaf_hash(&leaf(index)), &path, &root).unwrap();
            let their_root = RootHash::<Sha256>::new((*root.as_bytes()).into(), size);
            let proof = InclusionProof::from_bytes(flat(&path));
            prop_assert!(their_root.verify_inclusion(&leaf(index), index, &proof).is_ok());

            let needed = consistency_tiles(old, size).unwrap();
            let path = consistency_path(old, size, &only(&tiles, &needed)).unwrap();
            let (old_root, _) = tree(old);
            verify_consistency((old, &old_root), (size, &root), &path).unwrap();
            let their_old = RootHash::<Sha256>::new((*old_root.as_bytes()).into(), old);
            let proof = ConsistencyProof::try_from_bytes(flat(&path)).unwrap();
            prop_assert!(their_root.verify_consistency(&their_old, &proof).is_ok());
            let hashes = |path: &[Hash]| path.iter().map(|hash| tlog_tiles::Hash(*hash.as_bytes())).collect();
            let (new, older) = (tlog_tiles::Hash(*root.as_bytes()), tlog_tiles::Hash(*old_root.as_bytes()));
            prop_assert!(tlog_tiles::check_tree(&hashes(&path), size, new, old, older).is_ok());
        }

        #[test]
        fn an_altered_proof_never_holds(size in sizes(600), a: u64, b: u64, byte: u8) {
            let (root, tiles) = tree(size);
            let (index, old) = (a % size, 1 + b % (size - 1));
            let good = leaf_hash(&leaf(index));
            let path = inclusion_path(index, size, &tiles).unwrap();
            prop_assert!(verify_inclusion(index, size, &leaf_hash(b"other"), &path, &root).is_err());
            prop_assert!(verify_inclusion((index + 1) % size, size, &good, &path, &root).is_err());
            prop_assert!(verify_inclusion(index, size, &good, &path, &good).is_err());
            for bad in neighbours(&path, byte) {
                prop_assert!(verify_inclusion(index, size, &good, &bad, &root).is_err());
            }
            let (old_root, _) = tree(old);
            let path = consistency_path(old, size, &tiles).unwrap();
            prop_assert!(verify_consistency((old, &EMPTY_ROOT), (size, &root), &path).is_err());
            for bad in neighbours(&path, byte) {
                prop_assert!(verify_consistency((old, &old_root), (size, &root), &bad).is_err());
            }
        }
    }

    /// The path with one byte altered in each hash, one hash less, one more.
    fn neighbours(path: &[Hash], byte: u8) -> Vec<Vec<Hash>> {
        let mut bad = vec![[path, &[EMPTY_ROOT]].concat()];
        for at in 0..path.len() {
            let mut altered = path.to_vec();
            let mut bytes = *altered[at].as_bytes();
            bytes[usize::from(byte) % 32] ^= 1;
            altered[at] = Hash::from_bytes(bytes);
            bad.push(altered);
            let mut shorter = path.to_vec();
            shorter.remove(at);
            bad.push(shorter);
        }
        bad
    }
}
