//! A small log of the tests' own, as witnesses know logs: by its key and what it signs.

use porteplume::crypto::{JournalKey, SecretBytes};
use porteplume::journal::{
    Checkpoint, Frontier, Hash, Submission, TileId, TileSet, Vkey, consistency_path, leaf_hash,
};

/// A log of up to 255 entries, which are what `salt` makes them.
pub(crate) struct TestLog {
    pub(crate) origin: &'static str,
    pub(crate) salt: u8,
}

impl TestLog {
    fn key() -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([33; 32])).unwrap()
    }

    pub(crate) fn vkey(&self) -> Vkey {
        Vkey::new(self.origin, Self::key().public_key()).unwrap()
    }

    fn leaves(&self, size: u64) -> impl Iterator<Item = Hash> {
        let salt = self.salt;
        (0..size).map(move |number| leaf_hash(&[salt, u8::try_from(number).unwrap()]))
    }

    pub(crate) fn checkpoint(&self, size: u64) -> Checkpoint {
        let mut tree = Frontier::default();
        self.leaves(size).for_each(|leaf| drop(tree.append(leaf)));
        Checkpoint { origin: self.origin.to_owned(), size, root: tree.root() }
    }

    pub(crate) fn note(&self, size: u64) -> String {
        self.checkpoint(size).sign(&Self::key()).unwrap()
    }

    pub(crate) fn submission(&self, old: u64, new: u64) -> Submission {
        let mut tiles = TileSet::default();
        if let Ok(width @ 1..) = u16::try_from(new) {
            let bytes: Vec<u8> = self.leaves(new).flat_map(|leaf| *leaf.as_bytes()).collect();
            assert!(tiles.insert(TileId { width, ..TileId::full(0, 0) }, &bytes));
        }
        let proof = consistency_path(old.min(new), new, &tiles).unwrap();
        Submission { old, proof, checkpoint: self.note(new) }
    }
}
