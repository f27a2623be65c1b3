//! A rotation in two steps, so that it can be journaled before it counts.

use super::files::{Directory, Lock};
use super::manifest::{KeyListing, KeyPurpose, KeyState, Manifest, Record};
use super::{KeyPlace, KeyStoreError, Modules, load_token, make};
use crate::clock::{Clock, Entropy};
use crate::crypto::module::Module;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A rotation that is ready, or the end of its overlap: a fresh key is written, and the manifest does not know it yet. The
/// key store stays locked until this is gone. A running service sees the rotation when it opens the store again.
pub struct Rotation {
    directory: Directory,
    module: Option<Arc<Module>>,
    _lock: File,
    manifest: Manifest,
    changed: Vec<KeyListing>,
    fresh: Vec<Record>,
}

impl Rotation {
    /// Makes the fresh key of a purpose; nothing counts yet. Where the store lacks the purpose, being older than it, its
    /// first key is made as well. The key that is to sign from now on must be able to.
    ///
    /// # Errors
    /// [`KeyStoreError::NotRotatable`] and nothing changed for the index and pairwise keys; as
    /// [`super::KeyStore::open`].
    pub fn prepare(
        place: impl Into<KeyPlace>,
        purpose: KeyPurpose,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
    ) -> Result<Self, KeyStoreError> {
        if let Some(reason) = purpose.why_not_rotatable() {
            return Err(KeyStoreError::NotRotatable { purpose: purpose.as_str(), reason });
        }
        let place = place.into();
        let (directory, lock, mut manifest) = opened(&place.dir)?;
        let module = place.opened()?;
        if manifest.leaving(purpose).is_some() {
            let reason = "the one before still signs beside it; `porteplume keys retire` ends that";
            return Err(KeyStoreError::NotRotatable { purpose: purpose.as_str(), reason });
        }
        let before = manifest.listing();
        let born = if purpose.token_alg().is_some() { KeyState::Next } else { KeyState::Current };
        let modules = Modules::Configured(module.as_ref());
        if let (Some(alg), Some(next)) = (purpose.token_alg(), manifest.next(purpose)) {
            load_token(&directory, next, alg, modules)?;
        }
        let make = |state| make((&directory, module.as_ref()), purpose, state, entropy, clock);
        let record = make(born)?;
        let mut fresh = vec![record.clone()];
        if manifest.knows(purpose) {
            manifest.rotate(record);
        } else {
            let first = match make(KeyState::Current) {
                Ok(first) => first,
                Err(error) => {
                    remove_all(&directory, module.as_deref(), &fresh)?;
                    return Err(error);
                }
            };
            fresh.push(first.clone());
            manifest.add(first);
            manifest.add(record);
        }
        let changed = changed(&before, &manifest);
        Ok(Self { directory, module, _lock: lock, manifest, changed, fresh })
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
        Ok(Self { directory, module: None, _lock: lock, manifest, changed, fresh: Vec::new() })
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
            if let Err(error) = remove(&self.directory, self.module.as_deref(), record) {
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
        remove_all(&self.directory, self.module.as_deref(), &self.fresh)
    }
}

fn remove_all(
    directory: &Directory,
    module: Option<&Module>,
    records: &[Record],
) -> Result<(), KeyStoreError> {
    records.iter().try_for_each(|record| remove(directory, module, record))
}

/// Removes a private key from where it is, if it is still there. One in a token that is not the one of the configuration any
/// more stays.
fn remove(directory: &Directory, module: Option<&Module>, record: &Record) -> Result<(), KeyStoreError> {
    match (&record.token, module) {
        (None, _) => directory.remove_key(&record.kid),
        (Some(token), Some(module)) if module.token() == token => Ok(module.remove(&record.kid)?),
        (Some(_), _) => Ok(()),
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
