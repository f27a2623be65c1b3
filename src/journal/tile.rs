//! Tiles and entry bundles: coordinates, paths, contents (C2SP tlog-tiles).

use super::{EMPTY_ROOT, Hash, entry::decimal, hash::root_of, node_hash};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// Hashes in a full tile, and entries in a full bundle.
pub const TILE_WIDTH: usize = 256;
/// Highest level a path may name.
const HIGHEST_LEVEL: u8 = 63;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of a level.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// Coordinates of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// What it holds.
    pub kind: TileKind,
    /// Index within its level.
    pub index: u64,
    /// How many hashes or entries: 256 when full, else 1 to 255.
    pub width: u16,
}

impl TileId {
    /// A full tile of hashes.
    #[must_use]
    pub const fn full(level: u8, index: u64) -> Self {
        Self { kind: TileKind::Hashes(level), index, width: 256 }
    }

    /// Whether the tile is full.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.width == 256
    }

    /// The path below the journal's prefix: `tile/0/x001/234.p/5`, `tile/entries/000`.
    #[must_use]
    pub fn path(&self) -> String {
        let mut number = format!("{:03}", self.index % 1000);
        let mut rest = self.index / 1000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1000);
            rest /= 1000;
        }
        let kind = match self.kind {
            TileKind::Hashes(level) => level.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };
        if self.is_full() {
            format!("tile/{kind}/{number}")
        } else {
            format!("tile/{kind}/{number}.p/{}", self.width)
        }
    }

    /// Reads a path; only the one form [`Self::path`] writes.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(decimal(level).filter(|level| *level <= HIGHEST_LEVEL)?),
        };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, decimal(width).filter(|width| (1..=255).contains(width))?),
            None => (rest, 256),
        };
        let mut index = 0_u64;
        for group in number.split('/') {
            let digits = group.strip_prefix('x').unwrap_or(group);
            if digits.len() != 3 || !digits.bytes().all(|c| c.is_ascii_digit()) {
                return None;
            }
            index = index.checked_mul(1000)?.checked_add(digits.parse().ok()?)?;
        }
        let id = Self { kind, index, width };
        // Groups wrongly marked, or leading groups of zeros, write differently.
        (id.path() == path).then_some(id)
    }
}

/// How many hashes the partial tile of a level has in a tree of that size; 0 when there is none.
pub(super) fn tile_width(level: u8, size: u64) -> usize {
    let shifted = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    (shifted & 0xff) as usize
}

/// The partial tiles of hashes of a tree, lowest level first.
#[must_use]
pub fn partial_tiles(size: u64) -> Vec<TileId> {
    (0..8)
        .filter_map(|level| {
            let width = u16::try_from(tile_width(level, size)).ok().filter(|width| *width > 0)?;
            let index = size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
            Some(TileId { kind: TileKind::Hashes(level), index, width })
        })
        .collect()
}

/// Hashes as bytes, one behind the other.
pub(super) fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(hashes.len() * 32);
    for hash in hashes {
        bytes.extend_from_slice(hash.as_bytes());
    }
    bytes
}

/// Bytes as hashes, when they are whole ones.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<Vec<Hash>> {
    let (hashes, []) = bytes.as_chunks::<32>() else {
        return None;
    };
    Some(hashes.iter().copied().map(Hash::from_bytes).collect())
}

/// The complete subtree of `2^height` leaves that begins at leaf `index * 2^height`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Node {
    pub(super) height: u32,
    pub(super) index: u64,
}

impl Node {
    /// Level and index of the tile it lies in or below, and its first hash there; it spans
    /// `2^(height % 8)` of them.
    fn place(self) -> (u8, u64, usize) {
        let level = u8::try_from(self.height / 8).unwrap_or(u8::MAX);
        let first = self.index << (self.height % 8);
        (level, first >> 8, (first & 0xff) as usize)
    }

    /// The tile to read its hash from in a tree of that size.
    pub(super) fn tile(self, size: u64) -> TileId {
        let (level, index, _) = self.place();
        let full = size.checked_shr(8 * (u32::from(level) + 1)).unwrap_or(0);
        let width = if index < full { TILE_WIDTH } else { tile_width(level, size) };
        TileId { kind: TileKind::Hashes(level), index, width: u16::try_from(width).unwrap_or(u16::MAX) }
    }
}

/// A tile of hashes with the inner nodes over them: hashed once, for a tile that many proofs go through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedTile {
    /// By height over the tile's own hashes; a row ends where no complete subtree is left.
    rows: Vec<Vec<Hash>>,
}

impl HashedTile {
    /// The bytes of a tile; none when they are no whole hashes, or none or too many.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut row = from_bytes(bytes).filter(|hashes| (1..=TILE_WIDTH).contains(&hashes.len()))?;
        let mut rows = Vec::new();
        while !row.is_empty() {
            let (pairs, _) = row.as_chunks::<2>();
            let above = pairs.iter().map(|[left, right]| node_hash(left, right)).collect();
            rows.push(std::mem::replace(&mut row, above));
        }
        Some(Self { rows })
    }

    /// The root over a full tile; over another, that of its largest complete subtree from the left.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.rows.last().and_then(|row| row.first()).copied().unwrap_or(EMPTY_ROOT)
    }

    fn node(&self, first: usize, height: u32) -> Option<Hash> {
        self.rows.get(height as usize)?.get(first >> height).copied()
    }
}

/// A tile in a set.
#[derive(Debug, Clone)]
enum Held {
    /// Its hashes alone.
    Plain(Vec<Hash>),
    /// With the nodes over them.
    Hashed(Arc<HashedTile>),
}

/// Tiles read for a proof.
#[derive(Debug, Clone, Default)]
pub struct TileSet(BTreeMap<(u8, u64), Held>);

impl TileSet {
    /// Puts a tile of hashes in. False, and nothing put in, when the bytes are not as many hashes as its width.
    pub fn insert(&mut self, id: TileId, bytes: &[u8]) -> bool {
        let (TileKind::Hashes(level), Some(hashes)) = (id.kind, from_bytes(bytes)) else {
            return false;
        };
        let fits = hashes.len() == usize::from(id.width);
        if fits {
            self.0.insert((level, id.index), Held::Plain(hashes));
        }
        fits
    }

    /// Puts a full tile of a level in that was hashed before.
    pub fn insert_hashed(&mut self, level: u8, index: u64, tile: Arc<HashedTile>) {
        self.0.insert((level, index), Held::Hashed(tile));
    }

    /// The bytes of a tile, as put in.
    #[cfg(test)]
    pub(super) fn bytes(&self, id: TileId) -> Option<Vec<u8>> {
        let TileKind::Hashes(level) = id.kind else {
            return None;
        };
        let hashes = match self.0.get(&(level, id.index))? {
            Held::Plain(hashes) => hashes,
            Held::Hashed(tile) => tile.rows.first()?,
        };
        Some(to_bytes(hashes))
    }

    /// The hash of a node, when its tile is here.
    pub(super) fn node(&self, node: Node) -> Option<Hash> {
        let (level, index, first) = node.place();
        let height = node.height % 8;
        match self.0.get(&(level, index))? {
            Held::Plain(hashes) => hashes.get(first..first + (1 << height)).map(root_of),
            Held::Hashed(tile) => tile.node(first, height),
        }
    }
}

/// Why entries do not make a bundle, or a bundle does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BundleError {
    /// More than 256 entries, or none.
    #[error("not 1 to 256 entries")]
    Count,
    /// An entry beyond 65,535 bytes.
    #[error("an entry of more than 65535 bytes")]
    TooLong,
    /// Bytes end within an entry.
    #[error("the bundle ends within an entry")]
    CutShort,
}

/// Entries as a bundle: each behind its length in two bytes.
///
/// # Errors
/// [`BundleError::Count`], [`BundleError::TooLong`].
pub fn encode_bundle<T: AsRef<[u8]>>(entries: &[T]) -> Result<Vec<u8>, BundleError> {
    if entries.is_empty() || entries.len() > TILE_WIDTH {
        return Err(BundleError::Count);
    }
    let mut bundle = Vec::new();
    for entry in entries.iter().map(AsRef::as_ref) {
        let length = u16::try_from(entry.len()).map_err(|_| BundleError::TooLong)?;
        bundle.extend_from_slice(&length.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    Ok(bundle)
}

/// The entries of a bundle.
///
/// # Errors
/// [`BundleError::Count`], [`BundleError::CutShort`].
pub fn decode_bundle(bundle: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
    let mut entries = Vec::new();
    let mut rest = bundle;
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let (entry, after) = after.split_at_checked(length).ok_or(BundleError::CutShort)?;
        entries.push(entry);
        rest = after;
    }
    if !rest.is_empty() {
        return Err(BundleError::CutShort);
    }
    if entries.is_empty() || entries.len() > TILE_WIDTH { Err(BundleError::Count) } else { Ok(entries) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tile(level: u8, index: u64, width: u16) -> TileId {
        TileId { kind: TileKind::Hashes(level), index, width }
    }

    #[test]
    fn paths_are_those_of_the_specification() {
        let table = [
            (tile(0, 1_234_067, 256), "tile/0/x001/x234/067"),
            (tile(0, 0, 256), "tile/0/000"),
            (tile(1, 999, 1), "tile/1/999.p/1"),
            (tile(63, 1000, 255), "tile/63/x001/000.p/255"),
            (TileId { kind: TileKind::Entries, index: 5, width: 17 }, "tile/entries/005.p/17"),
        ];
        for (id, path) in table {
            assert_eq!(id.path(), path);
            assert_eq!(TileId::parse(path), Some(id));
        }
    }

    #[test]
    fn paths_of_any_other_form_are_refused() {
        let bad = [
            "",
            "tile",
            "tile/0",
            "tile/0/",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/x000",
            "tile/0/x000/000",
            "tile/0/001/002",
            "tile/0/x001/x002",
            "tile/64/000",
            "tile/00/000",
            "tile/-1/000",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/000.p/",
            "tile/0/000.p",
            "tile/0/000/",
            "/tile/0/000",
            "tile/data/000",
            "tile/0/..",
            "tile/0/é00",
            "tile/entries/x001/000.p/5/",
            "tile/8/0/000",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
        ];
        for path in bad {
            assert_eq!(TileId::parse(path), None, "{path}");
        }
    }

    #[test]
    fn partial_tiles_are_those_of_the_specifications_example() {
        assert_eq!(partial_tiles(70_000), [tile(0, 273, 112), tile(1, 1, 17), tile(2, 0, 1)]);
        assert_eq!(partial_tiles(256), [tile(1, 0, 1)]);
        assert_eq!(partial_tiles(0), []);
    }

    #[test]
    fn bundles_read_back_and_refuse_to_end_early() {
        let entries: [&[u8]; 3] = [b"one", b"", b"three"];
        let bundle = encode_bundle(&entries).unwrap();
        assert_eq!(bundle, b"\x00\x03one\x00\x00\x00\x05three");
        assert_eq!(decode_bundle(&bundle).unwrap(), entries);
        for end in [1, 2, 4, 6, 8, bundle.len() - 1] {
            assert_eq!(decode_bundle(&bundle[..end]), Err(BundleError::CutShort), "{end}");
        }
        assert_eq!(decode_bundle(b""), Err(BundleError::Count));
        assert_eq!(encode_bundle(&[b""; 257]), Err(BundleError::Count));
        assert_eq!(encode_bundle(&[vec![0; 65_536]]), Err(BundleError::TooLong));
    }

    proptest! {
        #[test]
        fn what_reads_as_a_path_writes_the_same(path in "tile/([0-9]{1,2}|entries)/(x[0-9]{3}/){0,3}[0-9x]{3}(\\.p/[0-9]{1,3})?") {
            if let Some(id) = TileId::parse(&path) {
                prop_assert_eq!(id.path(), path);
            }
        }

        #[test]
        fn every_path_is_what_other_logs_write(level in 0u8..8, index in 0u64..2_000_000_000, width in 1u16..=256) {
            let theirs = tlog_tiles::Tile::new(8, level, index, u32::from(width), false).path();
            // Theirs carries the height in front, as Go's checksum database does.
            prop_assert_eq!(theirs.replacen("tile/8/", "tile/", 1), tile(level, index, width).path());
        }
    }

    #[test]
    fn a_tile_hashed_once_has_the_same_nodes_and_no_others() {
        for width in [1_u16, 2, 5, 255, 256] {
            let hashes: Vec<Hash> =
                (0..width).map(|at| crate::journal::leaf_hash(&at.to_be_bytes())).collect();
            let (mut plain, mut once) = (TileSet::default(), TileSet::default());
            assert!(plain.insert(TileId { kind: TileKind::Hashes(1), index: 3, width }, &to_bytes(&hashes)));
            once.insert_hashed(1, 3, Arc::new(HashedTile::of(&to_bytes(&hashes)).unwrap()));
            for height in 8..16 {
                for index in 0..=(1 << (18 - height)) {
                    let node = Node { height, index };
                    assert_eq!(plain.node(node), once.node(node), "{width}: {node:?}");
                }
            }
        }
        let full: Vec<Hash> = (0..256_u16).map(|at| crate::journal::leaf_hash(&at.to_be_bytes())).collect();
        assert_eq!(HashedTile::of(&to_bytes(&full)).unwrap().root(), root_of(&full));
        for wrong in [0, 31, 33, 257 * 32] {
            assert_eq!(HashedTile::of(&vec![0; wrong]), None, "{wrong} bytes");
        }
    }
}
