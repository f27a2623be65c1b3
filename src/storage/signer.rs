//! Who signs the journal's head. The key never comes near the database.

use crate::crypto::KeyStore;
use crate::journal::{Checkpoint, Hash, Link, Promise, Vkey, VkeyError, is_shard_of};
use crate::mandate::{EventId, Instant};
use std::sync::Arc;

/// Signs the journal's head, and knows its own signatures again. Passed to [`super::Store::open`].
pub trait CheckpointSigner: Send + Sync + 'static {
    /// The journal's name, which is the name of its key: of its first shard, or of the one this signs for.
    fn origin(&self) -> &str;

    /// The same keys for the shard of that name.
    ///
    /// # Errors
    /// A sentence saying why the name cannot be one of a key.
    fn called(&self, origin: &str) -> Result<Arc<dyn CheckpointSigner>, String>;

    /// The signed note of a tree of `size` entries with this root.
    ///
    /// # Errors
    /// A sentence saying why it could not be signed; the batch is then not committed.
    fn sign(&self, size: u64, root: &Hash) -> Result<String, String>;

    /// The signed link of that checkpoint to the one before, of size `before`; 0 where the chain begins.
    ///
    /// # Errors
    /// As [`Self::sign`].
    fn link(&self, before: u64, size: u64, root: &Hash) -> Result<String, String>;

    /// The signed promise that an entry with that leaf will have its place.
    ///
    /// # Errors
    /// As [`Self::sign`].
    fn promise(&self, event: &EventId, leaf: &Hash, now: Instant) -> Result<String, String>;

    /// Size and root of a note that we signed; none for anything else.
    fn open(&self, note: &str) -> Option<(u64, Hash)>;
}

/// Reads a checkpoint that we signed, of whichever shard.
pub(super) fn open_any(signer: &dyn CheckpointSigner, note: &str) -> Option<Checkpoint> {
    let origin = note.lines().next()?;
    let (size, root) = if origin == signer.origin() {
        signer.open(note)?
    } else if is_shard_of(signer.origin(), origin) {
        signer.called(origin).ok()?.open(note)?
    } else {
        return None;
    };
    Some(Checkpoint { origin: origin.to_owned(), size, root })
}

/// Signs under the key store's journal key.
pub struct JournalSigner {
    origin: String,
    keys: Arc<KeyStore>,
    known: Vec<Vkey>,
}

impl JournalSigner {
    /// A signer for the journal of that origin.
    ///
    /// # Errors
    /// [`VkeyError::Name`] when the origin is no key name.
    pub fn new(origin: impl Into<String>, keys: Arc<KeyStore>) -> Result<Self, VkeyError> {
        let origin = origin.into();
        let public = std::iter::once(keys.journal().public_key()).chain(keys.former_journal_keys());
        let known = public.map(|public| Vkey::new(&origin, public)).collect::<Result<_, _>>()?;
        Ok(Self { origin, keys, known })
    }

    /// The keys under which the journal's checkpoints verify, the current one first.
    #[must_use]
    pub fn verifiers(&self) -> &[Vkey] {
        &self.known
    }
}

impl CheckpointSigner for JournalSigner {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn called(&self, origin: &str) -> Result<Arc<dyn CheckpointSigner>, String> {
        let signer = Self::new(origin, Arc::clone(&self.keys)).map_err(|error| error.to_string())?;
        Ok(Arc::new(signer))
    }

    fn sign(&self, size: u64, root: &Hash) -> Result<String, String> {
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root: *root };
        checkpoint.sign_with(&self.keys.journal_keys()).map_err(|error| error.to_string())
    }

    fn link(&self, before: u64, size: u64, root: &Hash) -> Result<String, String> {
        let link = Link { origin: self.origin.clone(), before, size, root: *root };
        link.sign_with(&self.keys.journal_keys()).map_err(|error| error.to_string())
    }

    fn promise(&self, event: &EventId, leaf: &Hash, now: Instant) -> Result<String, String> {
        let promise = Promise::new(&self.origin, event, leaf, now);
        promise.sign_with(&self.keys.journal_keys()).map_err(|error| error.to_string())
    }

    fn open(&self, note: &str) -> Option<(u64, Hash)> {
        let checkpoint = Checkpoint::open(note, &self.known).ok()?;
        Some((checkpoint.size, checkpoint.root))
    }
}
