//! A mirror of a journal, or of one shard of it: the files it is published as (C2SP tlog-tiles), verified from their bytes
//! alone. Signatures and witnesses count under the verifier's own policy.

use super::tile::to_bytes;
use super::{
    Entry, FileFinding, Frontier, FullTile, Hash, Policy, Tag, TileId, TileKind, Witnessed, decode_bundle,
    leaf_hash, partial_tiles,
};
use std::collections::HashSet;
use std::io;

/// Findings after which the rest is left unsaid.
const MOST: usize = 100;

/// What verification says of a mirror.
#[derive(Debug, Clone, Default)]
pub struct Mirrored {
    /// The checkpoint and the witnesses who have seen it, when it counts.
    pub witnessed: Option<Witnessed>,
    /// Entries read.
    pub entries: u64,
    /// What does not hold; nothing when all does. At most a hundred.
    pub findings: Vec<FileFinding>,
}

impl Mirrored {
    /// Verifies the files that `read` gives by their path below the journal's prefix: the checkpoint under the policy, that
    /// every entry reads and bears a tag of its own, and that the entries give every tile and the signed root.
    pub fn verify(policy: &Policy, read: impl FnMut(&str) -> io::Result<Vec<u8>>) -> Self {
        let mut mirror = Mirror {
            read,
            told: Self::default(),
            tree: Frontier::default(),
            rows: Vec::new(),
            tags: HashSet::new(),
        };
        mirror.checkpoint(policy);
        let size = mirror.told.witnessed.as_ref().map_or(0, |witnessed| witnessed.checkpoint.size);
        for index in 0..size.div_ceil(256) {
            if mirror.told.findings.len() >= MOST || !mirror.bundle(index, size) {
                return mirror.told;
            }
        }
        for id in partial_tiles(size) {
            let expected = mirror.row(id).map(to_bytes).unwrap_or_default();
            mirror.tile(id, &expected);
        }
        mirror.root();
        mirror.told
    }

    /// Whether everything holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.findings.is_empty() && self.witnessed.is_some()
    }
}

/// A mirror being read.
struct Mirror<R> {
    read: R,
    told: Mirrored,
    tree: Frontier,
    /// The hashes of the tile at the right edge, by level.
    rows: Vec<Vec<Hash>>,
    tags: HashSet<Tag>,
}

impl<R: FnMut(&str) -> io::Result<Vec<u8>>> Mirror<R> {
    fn find(&mut self, file: String, code: &'static str, why: &dyn ToString) {
        if self.told.findings.len() < MOST {
            self.told.findings.push(FileFinding { file, code, why: why.to_string() });
        }
    }

    fn file(&mut self, path: &str) -> Option<Vec<u8>> {
        (self.read)(path).map_err(|error| self.find(path.to_owned(), "mirror_file", &error)).ok()
    }

    fn checkpoint(&mut self, policy: &Policy) {
        let Some(bytes) = self.file("checkpoint") else { return };
        match policy.open(&String::from_utf8_lossy(&bytes)) {
            Ok(witnessed) => self.told.witnessed = Some(witnessed),
            Err(error) => self.find("checkpoint".to_owned(), error.code(), &error),
        }
    }

    /// Reads a bundle of entries; whether the next one can follow.
    fn bundle(&mut self, index: u64, size: u64) -> bool {
        let width = (size - index * 256).min(256);
        let id = TileId { kind: TileKind::Entries, index, width: u16::try_from(width).unwrap_or(u16::MAX) };
        let path = id.path();
        let Some(bytes) = self.file(&path) else { return false };
        let entries = match decode_bundle(&bytes) {
            Ok(entries) if entries.len() as u64 == width => entries,
            Ok(entries) => {
                let why = format!("{} entries, {width} are signed for", entries.len());
                self.find(path, "mirror_bundle", &why);
                return false;
            }
            Err(error) => {
                self.find(path, "mirror_bundle", &error);
                return false;
            }
        };
        for entry in entries {
            self.entry(&path, entry);
        }
        true
    }

    fn entry(&mut self, path: &str, bytes: &[u8]) {
        let place = self.told.entries;
        self.told.entries += 1;
        match Entry::parse(bytes) {
            Ok(entry) if self.tags.insert(entry.tag()) => {}
            Ok(_) => {
                let why = format!("entry {place} bears another one's tag");
                self.find(path.to_owned(), "mirror_tag", &why);
            }
            Err(error) => {
                let why = format!("entry {place}: {error}");
                self.find(path.to_owned(), error.code(), &why);
            }
        }
        let leaf = leaf_hash(bytes);
        self.push(0, leaf);
        for full in self.tree.append(leaf) {
            let FullTile { level, index, root, .. } = full;
            self.tile(TileId::full(level, index), &full.to_bytes());
            if let Some(row) = self.rows.get_mut(usize::from(level)) {
                row.clear();
            }
            self.push(usize::from(level) + 1, root);
        }
    }

    fn push(&mut self, level: usize, hash: Hash) {
        if self.rows.len() <= level {
            self.rows.resize_with(level + 1, Vec::new);
        }
        if let Some(row) = self.rows.get_mut(level) {
            row.push(hash);
        }
    }

    fn row(&self, id: TileId) -> Option<&[Hash]> {
        let TileKind::Hashes(level) = id.kind else { return None };
        self.rows.get(usize::from(level)).map(Vec::as_slice)
    }

    fn tile(&mut self, id: TileId, expected: &[u8]) {
        let path = id.path();
        if self.file(&path).is_some_and(|found| found != expected) {
            self.find(path, "mirror_tile", &"not what the entries give");
        }
    }

    fn root(&mut self) {
        let Some(signed) = self.told.witnessed.as_ref().map(|witnessed| witnessed.checkpoint.root) else {
            return;
        };
        if self.tree.root() != signed {
            self.find("checkpoint".to_owned(), "mirror_root", &"the entries do not give the signed root");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use crate::crypto::{JournalKey, SecretBytes};
    use crate::journal::{Checkpoint, Draft, Vkey, encode_bundle, new_event_id};
    use crate::mandate::Instant;
    use std::collections::BTreeMap;

    const ORIGIN: &str = "journal.example/2026";

    type Files = BTreeMap<String, Vec<u8>>;

    fn policy() -> Policy {
        let key = JournalKey::from_seed(&SecretBytes::new([1; 32])).unwrap();
        Policy::of_log(&[Vkey::new(ORIGIN, key.public_key()).unwrap()])
    }

    fn entries(number: u64) -> Vec<Vec<u8>> {
        let at = Instant::from_micros(1_790_000_000_000_000);
        let one = || {
            let id = new_event_id(at, &SystemEntropy).unwrap();
            Draft::new(id, at, Tag::random(&SystemEntropy).unwrap()).unwrap().finish(&SystemEntropy).unwrap()
        };
        (0..number).map(|_| one().bytes).collect()
    }

    /// The files of a journal of these entries.
    fn files(entries: &[Vec<u8>]) -> Files {
        let mut files = Files::new();
        let mut tree = Frontier::default();
        let mut rows = vec![Vec::new(); 9];
        for entry in entries {
            let leaf = leaf_hash(entry);
            rows[0].push(leaf);
            for full in tree.append(leaf) {
                let level = usize::from(full.level);
                files.insert(TileId::full(full.level, full.index).path(), full.to_bytes());
                rows[level].clear();
                rows[level + 1].push(full.root);
            }
        }
        for id in partial_tiles(tree.size()) {
            let TileKind::Hashes(level) = id.kind else { unreachable!() };
            files.insert(id.path(), to_bytes(&rows[usize::from(level)]));
        }
        for (index, bundle) in (0..).zip(entries.chunks(256)) {
            let width = u16::try_from(bundle.len()).unwrap();
            let id = TileId { kind: TileKind::Entries, index, width };
            let entries: Vec<&[u8]> = bundle.iter().map(Vec::as_slice).collect();
            files.insert(id.path(), encode_bundle(&entries).unwrap());
        }
        let key = JournalKey::from_seed(&SecretBytes::new([1; 32])).unwrap();
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: tree.size(), root: tree.root() };
        files.insert("checkpoint".to_owned(), checkpoint.sign(&key).unwrap().into_bytes());
        files
    }

    fn verified(files: &Files) -> Mirrored {
        Mirrored::verify(&policy(), |path| {
            files.get(path).cloned().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
        })
    }

    #[test]
    fn a_mirror_of_any_size_holds() {
        for size in [1, 2, 255, 256, 257, 600] {
            let mirrored = verified(&files(&entries(size)));
            assert!(mirrored.holds(), "{size}: {:?}", mirrored.findings);
            assert_eq!(mirrored.entries, size);
        }
    }

    #[test]
    fn every_file_of_a_mirror_is_missed_and_every_changed_byte_found() {
        let good = files(&entries(600));
        for path in good.keys() {
            let mut without = good.clone();
            without.remove(path);
            let found = verified(&without);
            assert_eq!(
                (found.findings[0].file.as_str(), found.findings[0].code),
                (path.as_str(), "mirror_file")
            );
            for at in [0, good[path].len() / 2, good[path].len() - 1] {
                let mut changed = good.clone();
                changed.get_mut(path).unwrap()[at] ^= 1;
                assert!(!verified(&changed).holds(), "byte {at} of {path}");
            }
        }
    }

    #[test]
    fn entries_moved_doubled_or_left_out_are_found_though_their_tiles_fit() {
        let good = entries(300);
        let signed = files(&good)["checkpoint"].clone();
        let codes = |entries: &[Vec<u8>]| {
            let mut altered = files(entries);
            altered.insert("checkpoint".to_owned(), signed.clone());
            verified(&altered).findings.into_iter().map(|finding| finding.code).collect::<Vec<_>>()
        };
        assert!(codes(&good).is_empty());
        let mut moved = good.clone();
        moved.swap(3, 299);
        assert_eq!(codes(&moved), ["mirror_root"]);
        let mut doubled = good.clone();
        doubled[299] = doubled[3].clone();
        assert_eq!(codes(&doubled), ["mirror_tag", "mirror_root"]);
        assert!(codes(&good[..299]).contains(&"mirror_file"));
    }

    #[test]
    fn a_mirror_under_another_key_says_nothing_of_its_entries() {
        let key = JournalKey::from_seed(&SecretBytes::new([2; 32])).unwrap();
        let other = Policy::of_log(&[Vkey::new(ORIGIN, key.public_key()).unwrap()]);
        let files = files(&entries(3));
        let found = Mirrored::verify(&other, |path| Ok(files[path].clone()));
        assert_eq!((found.entries, found.holds(), found.findings.len()), (0, false, 1));
    }
}
