//! Links between checkpoints. A checkpoint signs a size and a root and tells of no other one, so whoever took one away
//! from between two others left nothing that differs. A link is kept beside each: the journal's signature over the size
//! of the checkpoint before it. It is our own (no C2SP format has one), stays in the database and serves verification.

use super::{CheckpointError, Hash, Note, Vkey, entry::decimal};
use crate::crypto::JournalKey;

/// The second line, which no checkpoint has.
const MARK: &str = "link";

/// Which checkpoint came before one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The journal's name.
    pub origin: String,
    /// Size of the checkpoint before; 0 where the chain begins.
    pub before: u64,
    /// Size of the checkpoint it stands beside.
    pub size: u64,
    /// Root of that checkpoint.
    pub root: Hash,
}

impl Link {
    /// Signs it under the journal's key.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] when the origin is no key name.
    pub fn sign(&self, key: &JournalKey) -> Result<String, CheckpointError> {
        self.sign_with(&[key])
    }

    /// The same under each of the journal's keys that sign now.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn sign_with(&self, keys: &[&JournalKey]) -> Result<String, CheckpointError> {
        let Self { origin, before, size, root } = self;
        let text = format!("{origin}\n{MARK}\n{before}\n{size}\n{root}\n");
        Ok(Note::sign_with(&text, origin, keys)?.to_string())
    }

    /// Reads the link of a journal whose keys these are.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(link: &str, keys: &[Vkey]) -> Result<Self, CheckpointError> {
        let note = Note::parse(link)?;
        let link = Self::parse(note.verify(keys)?).ok_or(CheckpointError::Malformed)?;
        if keys.iter().any(|key| key.name() == link.origin) { Ok(link) } else { Err(CheckpointError::Origin) }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (origin, mark) = (lines.next()?, lines.next()?);
        let (before, size) = (decimal(lines.next()?)?, decimal(lines.next()?)?);
        let root = Hash::parse(lines.next()?)?;
        let ends = (lines.next(), lines.next()) == (Some(""), None);
        (mark == MARK && ends && before < size).then(|| Self {
            origin: origin.to_owned(),
            before,
            size,
            root,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretBytes;
    use crate::journal::{Checkpoint, leaf_hash};

    const ORIGIN: &str = "journal.example/2026";

    fn key() -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([1; 32])).unwrap()
    }

    fn keys() -> [Vkey; 1] {
        [Vkey::new(ORIGIN, key().public_key()).unwrap()]
    }

    #[test]
    fn a_link_comes_back_from_its_note() {
        let link = Link { origin: ORIGIN.to_owned(), before: 7, size: 9, root: leaf_hash(b"x") };
        assert_eq!(Link::open(&link.sign(&key()).unwrap(), &keys()), Ok(link));
    }

    #[test]
    fn a_link_is_no_checkpoint_and_a_checkpoint_is_no_link() {
        let root = leaf_hash(b"x");
        let link = Link { origin: ORIGIN.to_owned(), before: 7, size: 9, root }.sign(&key()).unwrap();
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 9, root }.sign(&key()).unwrap();
        assert_eq!(Checkpoint::open(&link, &keys()), Err(CheckpointError::Malformed));
        assert_eq!(Link::open(&checkpoint, &keys()), Err(CheckpointError::Malformed));
    }

    #[test]
    fn a_link_that_leads_nowhere_is_none() {
        let root = leaf_hash(b"x");
        for (before, size) in [(9, 9), (10, 9)] {
            let link = Link { origin: ORIGIN.to_owned(), before, size, root }.sign(&key()).unwrap();
            assert_eq!(Link::open(&link, &keys()), Err(CheckpointError::Malformed));
        }
        let link = Link { origin: "other.example".to_owned(), before: 0, size: 9, root };
        assert!(Link::open(&link.sign(&key()).unwrap(), &keys()).is_err());
    }
}
