//! A rotation in two steps, so that it can be journaled before it counts.

use super::files::{Directory, Lock};
use super::manifest::{KeyListing, KeyPurpose, KeyState, Manifest};
use super::{KeyStoreError, make};
use crate::clock::{Clock, Entropy};
use std::fs::File;
use std::path::Path;

/// A rotation that is ready, or the end of its overlap: a fresh key is written, and the manifest does not know it yet. The
/// key store stays locked until this is gone. A running service sees the rotation when it opens the store again.
pub struct Rotation {
    directory: Directory,
    _lock: File,
    manifest: Manifest,
    changed: Vec<KeyListing>,
    fresh: Vec<String>,
}

impl Rotation {
    /// Makes the fresh key of a purpose; nothing counts yet. Where the store lacks the purpose, being older than it, its
    /// first key is made as well.
    ///
    /// # Errors
    /// [`KeyStoreError::NotRotatable`] and nothing changed for the index and pairwise keys; as
    /// [`super::KeyStore::open`].
    pub fn prepare(
        dir: &Path,
        purpose: KeyPurpose,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
    ) -> Result<Self, KeyStoreError> {
        if let Some(reason) = purpose.why_not_rotatable() {
            return Err(KeyStoreError::NotRotatable { purpose: purpose.as_str(), reason });
        }
        let (directory, lock, mut manifest) = opened(dir)?;
        if manifest.leaving(purpose).is_some() {
            let reason = "the one before still signs beside it; `porteplume keys retire` ends that";
            return Err(KeyStoreError::NotRotatable { purpose: purpose.as_str(), reason });
        }
        let before = manifest.listing();
        let born = if purpose.token_alg().is_some() { KeyState::Next } else { KeyState::Current };
        let record = make(&directory, purpose, born, entropy, clock)?;
        let mut fresh = vec![record.kid.clone()];
        if manifest.knows(purpose) {
            manifest.rotate(record);
        } else {
            let first = make(&directory, purpose, KeyState::Current, entropy, clock)?;
            fresh.push(first.kid.clone());
            manifest.add(first);
            manifest.add(record);
        }
        let changed = changed(&before, &manifest);
        Ok(Self { directory, _lock: lock, manifest, changed, fresh })
    }

    /// Ends the overlap of a purpose's rotation; nothing counts yet.
    ///
    /// # Errors
    /// [`KeyStoreError::NotLeaving`] and nothing changed when there is none; as [`super::KeyStore::open`].
    pub fn prepare_end(dir: &Path, purpose: KeyPurpose) -> Result<Self, KeyStoreError> {
        let (directory, lock, mut manifest) = opened(dir)?;
        let before = manifest.listing();
        if !manifest.retire(purpose) {
            return Err(KeyStoreError::NotLeaving { purpose: purpose.as_str() });
        }
        let changed = changed(&before, &manifest);
        Ok(Self { directory, _lock: lock, manifest, changed, fresh: Vec::new() })
    }

    /// The keys that change, as they will stand.
    #[must_use]
    pub fn changed(&self) -> &[KeyListing] {
        &self.changed
    }

    /// Makes it count, and gives the keys that changed. A retired private key that cannot be removed is logged: the
    /// rotation counts all the same, and the next one tries again.
    ///
    /// # Errors
    /// From the manifest; it is the old one or the new one, never a mixture.
    pub fn carry_out(self) -> Result<Vec<KeyListing>, KeyStoreError> {
        self.directory.save(&self.manifest)?;
        for record in self.manifest.spent() {
            if let Err(error) = self.directory.remove_key(&record.kid) {
                tracing::error!(%error, "a retired private key could not be removed");
            }
        }
        Ok(self.changed)
    }

    /// Takes the fresh keys away again, if there are any.
    ///
    /// # Errors
    /// From the files; a key the manifest does not know does no harm.
    pub fn abandon(self) -> Result<(), KeyStoreError> {
        self.fresh.iter().try_for_each(|fresh| self.directory.remove_key(fresh))
    }
}

/// The store, locked for a change.
fn opened(dir: &Path) -> Result<(Directory, File, Manifest), KeyStoreError> {
    let directory = Directory::new(dir);
    if !directory.has_manifest() {
        return Err(KeyStoreError::Missing { dir: dir.to_owned() });
    }
    let lock = directory.lock(Lock::Exclusive)?;
    directory.check_modes()?;
    let manifest = directory.manifest()?;
    Ok((directory, lock, manifest))
}

fn changed(before: &[KeyListing], after: &Manifest) -> Vec<KeyListing> {
    after.listing().into_iter().filter(|key| !before.contains(key)).collect()
}
