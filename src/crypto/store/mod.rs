//! The key store: one directory, one file per private key, one manifest without secrets.
//!
//! `keys.toml` says which keys there are and in which state; it is replaced atomically and is the only commit
//! point, so that a process killed at any moment leaves a store that opens. Private keys are files `<kid>.key`
//! of mode 0600; the store refuses to open while one of them is looser. Keys that sign tokens may be in a token of a PKCS#11
//! module instead, which the manifest then names: where each is made is up to [`KeyPlace`], and where it is stays.
//!
//! Token-signing keys go `next -> current -> retired`: a key is published before it signs, and stays published
//! after it has signed until the one that follows it retires. Other keys are born `current`. The journal's key
//! before goes `leaving` and signs beside the new one until it is retired. The private half
//! of a retired signing key is removed; a retired key-encryption key is kept, since it still unwraps.

mod error;
mod files;
mod manifest;
mod rotation;

pub use error::KeyStoreError;
pub use manifest::{KeyListing, KeyPurpose, KeyState};
pub use rotation::Rotation;

use super::module::Module;
use super::{
    CryptoError, IndexKey, JournalKey, Jwk, Jwks, JwsAlg, KeyEncryptionKey, ModuleAccess, ModuleError,
    PairwiseKey, SecretBytes, TokenKey, to_hex,
};
use crate::clock::{Clock, Entropy, random};
use files::{Directory, Lock};
use manifest::{Manifest, Record};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// Where the keys of an instance are: its folder and, where one is configured, a PKCS#11 module beside it.
#[derive(Clone)]
pub struct KeyPlace {
    /// The folder.
    pub dir: PathBuf,
    /// The module.
    pub module: Option<Arc<ModuleAccess>>,
}

impl KeyPlace {
    /// The module, opened.
    fn opened(&self) -> Result<Option<Arc<Module>>, ModuleError> {
        self.module.as_ref().map(Module::open).transpose()
    }
}

impl From<&Path> for KeyPlace {
    fn from(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), module: None }
    }
}

impl From<&PathBuf> for KeyPlace {
    fn from(dir: &PathBuf) -> Self {
        dir.as_path().into()
    }
}

impl From<&Self> for KeyPlace {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

/// What there is to open keys in a module with.
#[derive(Clone, Copy)]
enum Modules<'a> {
    /// This one, or none.
    Configured(Option<&'a Arc<Module>>),
    /// Nobody will sign tokens: keys in a module are passed over.
    PassedOver,
}

/// The opened keys of one instance. Has no `Debug`.
pub struct KeyStore {
    key_encryption: KeyEncryptionKey,
    index: IndexKey,
    pairwise: PairwiseKey,
    tokens: BTreeMap<JwsAlg, TokenKey>,
    journal: JournalKey,
    leaving_journal: Option<JournalKey>,
    former_journal: Vec<[u8; 32]>,
    published: Jwks,
    listing: Vec<KeyListing>,
}

impl KeyStore {
    /// Whether the directory holds a key store.
    #[must_use]
    pub fn exists(dir: &Path) -> bool {
        Directory::new(dir).has_manifest()
    }

    /// Makes a key store with a key for each purpose. Finishes what an `init` that was killed had begun.
    ///
    /// # Errors
    /// [`KeyStoreError::Exists`] and nothing changed when there is a key store already;
    /// [`KeyStoreError::Orphans`] when there are keys without a manifest; others from files and entropy.
    pub fn init(
        place: impl Into<KeyPlace>,
        entropy: &dyn Entropy,
        clock: &dyn Clock,
    ) -> Result<Self, KeyStoreError> {
        let place = place.into();
        // First, so that nothing lies there when the module cannot be used.
        let module = place.opened()?;
        let directory = Directory::create(&place.dir)?;
        {
            let _lock = directory.lock(Lock::Exclusive)?;
            directory.begin_init()?;
            let mut manifest = Manifest::default();
            for purpose in KeyPurpose::ALL {
                let states: &[KeyState] = match purpose.token_alg() {
                    Some(_) => &[KeyState::Current, KeyState::Next],
                    None => &[KeyState::Current],
                };
                for state in states {
                    let made = make((&directory, module.as_ref()), purpose, *state, entropy, clock);
                    match made {
                        Ok(record) => manifest.add(record),
                        Err(error) => {
                            // Files are cleared away by the next `init`; nobody would clear the token.
                            clear(&manifest, module.as_deref());
                            return Err(error);
                        }
                    }
                }
            }
            directory.save(&manifest)?;
            directory.end_init()?;
        }
        Self::opened(&place.dir, Modules::Configured(module.as_ref()))
    }

    /// Opens the key store.
    ///
    /// # Errors
    /// [`KeyStoreError::LooseFile`] and [`KeyStoreError::LooseDirectory`] when others could read a private key
    /// or exchange one; [`KeyStoreError::Missing`], [`KeyStoreError::BadManifest`], [`KeyStoreError::BadKey`];
    /// [`KeyStoreError::Module`] when the module of the configuration, or one that holds keys, cannot be used.
    pub fn open(place: impl Into<KeyPlace>) -> Result<Self, KeyStoreError> {
        let place = place.into();
        if !Self::exists(&place.dir) {
            return Err(KeyStoreError::Missing { dir: place.dir });
        }
        let module = place.opened()?;
        Self::opened(&place.dir, Modules::Configured(module.as_ref()))
    }

    /// Opens the key store for who signs no token: keys in a module are passed over, and the module is left alone.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_files(dir: &Path) -> Result<Self, KeyStoreError> {
        Self::opened(dir, Modules::PassedOver)
    }

    fn opened(dir: &Path, modules: Modules<'_>) -> Result<Self, KeyStoreError> {
        let directory = Directory::new(dir);
        if !directory.has_manifest() {
            return Err(KeyStoreError::Missing { dir: dir.to_owned() });
        }
        let _lock = directory.lock(Lock::Shared)?;
        directory.check_modes()?;
        Self::load(&directory, &directory.manifest()?, modules)
    }

    fn load(directory: &Directory, manifest: &Manifest, modules: Modules<'_>) -> Result<Self, KeyStoreError> {
        let secret = |purpose| load_secret(directory, manifest.current(purpose)?);
        let former_kek = manifest
            .retired(KeyPurpose::KeyEncryption)
            .map(|record| load_secret(directory, record))
            .collect::<Result<Vec<_>, _>>()?;
        let (mut published, mut tokens) = (Jwks::default(), BTreeMap::new());
        for alg in JwsAlg::ALL {
            let purpose = KeyPurpose::of_tokens(alg);
            published.keys.extend(manifest.published(purpose).filter_map(|record| record.public.clone()));
            if manifest.knows(purpose)
                && let Some(key) = load_token(directory, manifest.current(purpose)?, alg, modules)?
            {
                tokens.insert(alg, key);
            }
        }
        let leaving_journal = manifest.leaving(KeyPurpose::Journal);
        let former_journal = manifest
            .former(KeyPurpose::Journal)
            .map(|record| {
                record.ed25519().ok_or_else(|| directory.bad_manifest("a journal key lacks its public half"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            key_encryption: KeyEncryptionKey::new(&secret(KeyPurpose::KeyEncryption)?, &former_kek)?,
            index: IndexKey::new(&secret(KeyPurpose::BlindIndex)?),
            pairwise: PairwiseKey::new(&secret(KeyPurpose::PairwiseSubject)?),
            tokens,
            journal: load_journal(directory, manifest.current(KeyPurpose::Journal)?)?,
            leaving_journal: leaving_journal.map(|record| load_journal(directory, record)).transpose()?,
            former_journal,
            published,
            listing: manifest.listing(),
        })
    }

    /// Lists the keys without opening any; never a secret.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn list(dir: &Path) -> Result<Vec<KeyListing>, KeyStoreError> {
        let directory = Directory::new(dir);
        if !directory.has_manifest() {
            return Err(KeyStoreError::Missing { dir: dir.to_owned() });
        }
        Ok(directory.manifest()?.listing())
    }

    /// Wraps and unwraps data keys.
    #[must_use]
    pub const fn key_encryption(&self) -> &KeyEncryptionKey {
        &self.key_encryption
    }

    /// Makes blind indexes.
    #[must_use]
    pub const fn index(&self) -> &IndexKey {
        &self.index
    }

    /// Makes pairwise subjects.
    #[must_use]
    pub const fn pairwise(&self) -> &PairwiseKey {
        &self.pairwise
    }

    /// The key that signs tokens now.
    ///
    /// # Errors
    /// [`CryptoError::NoTokenKey`] in a store made before the algorithm was known.
    pub fn token_key(&self, alg: JwsAlg) -> Result<&TokenKey, CryptoError> {
        self.tokens.get(&alg).ok_or(CryptoError::NoTokenKey(KeyPurpose::of_tokens(alg).as_str()))
    }

    /// The algorithms there are keys for.
    pub fn token_algs(&self) -> impl Iterator<Item = JwsAlg> {
        self.tokens.keys().copied()
    }

    /// The public keys to publish: what will sign, signs, and signed last.
    #[must_use]
    pub const fn published(&self) -> &Jwks {
        &self.published
    }

    /// The key that signs checkpoints now.
    #[must_use]
    pub const fn journal(&self) -> &JournalKey {
        &self.journal
    }

    /// The keys that sign checkpoints now: the current one, and in the overlap of a rotation the one before.
    #[must_use]
    pub fn journal_keys(&self) -> Vec<&JournalKey> {
        std::iter::once(&self.journal).chain(&self.leaving_journal).collect()
    }

    /// Public keys that signed checkpoints before the current one, oldest first.
    #[must_use]
    pub fn former_journal_keys(&self) -> &[[u8; 32]] {
        &self.former_journal
    }

    /// What [`Self::list`] gives, as of opening.
    #[must_use]
    pub fn listing(&self) -> &[KeyListing] {
        &self.listing
    }
}

/// Makes a key, in the module or as a file, and gives the record that makes it known.
fn make(
    (directory, module): (&Directory, Option<&Arc<Module>>),
    purpose: KeyPurpose,
    state: KeyState,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<Record, KeyStoreError> {
    let kid = to_hex(&random::<8>(entropy).map_err(CryptoError::from)?);
    let created = clock.now().to_utc();
    let (private, public) = match (purpose.token_alg(), purpose) {
        (Some(alg), _) => {
            if let Some(module) = module.filter(|module| module.makes(alg)) {
                let public = Some(module.generate(&kid, alg)?);
                let token = Some(module.token().to_owned());
                return Ok(Record { kid, purpose, state, created, token, public });
            }
            let pkcs8 = TokenKey::generate_pkcs8(alg, entropy)?;
            let public = TokenKey::from_pkcs8(&kid, alg, &pkcs8)?.public_jwk();
            (pkcs8, Some(public))
        }
        (None, KeyPurpose::Journal) => {
            let seed = SecretBytes::generate(entropy).map_err(CryptoError::from)?;
            let public = Jwk::ed25519(&kid, JournalKey::from_seed(&seed)?.public_key());
            (Zeroizing::new(seed.expose().to_vec()), Some(public))
        }
        (None, _) => {
            let bytes = SecretBytes::<32>::generate(entropy).map_err(CryptoError::from)?;
            (Zeroizing::new(bytes.expose().to_vec()), None)
        }
    };
    directory.write_key(&kid, &private)?;
    Ok(Record { kid, purpose, state, created, token: None, public })
}

/// Removes the keys of a manifest that never counted from the token again.
fn clear(manifest: &Manifest, module: Option<&Module>) {
    let Some(module) = module else { return };
    for key in manifest.listing().iter().filter(|key| key.token.is_some()) {
        if let Err(error) = module.remove(&key.kid) {
            tracing::warn!(%error, kid = key.kid, "a key that was made for nothing stays in the token; it does no harm");
        }
    }
}

fn load_secret(directory: &Directory, record: &Record) -> Result<SecretBytes<32>, KeyStoreError> {
    let bytes = directory.read_key(&record.kid)?;
    SecretBytes::from_slice(&bytes).ok_or_else(|| directory.bad_key(record))
}

/// A key that signs tokens; nothing when it is passed over.
fn load_token(
    directory: &Directory,
    record: &Record,
    alg: JwsAlg,
    modules: Modules<'_>,
) -> Result<Option<TokenKey>, KeyStoreError> {
    if let Some(holds) = &record.token {
        let (holds, purpose, kid) = (holds.clone(), record.purpose.as_str(), record.kid.clone());
        return Ok(match modules {
            Modules::PassedOver => None,
            Modules::Configured(None) => {
                return Err(ModuleError::NotConfigured { holds, purpose, kid }.into());
            }
            Modules::Configured(Some(module)) if module.token() != holds => {
                let token = module.token().to_owned();
                return Err(ModuleError::OtherToken { token, holds, purpose, kid }.into());
            }
            Modules::Configured(Some(module)) => Some(module.key(&kid, alg, record.public.as_ref())?),
        });
    }
    let pkcs8 = directory.read_key(&record.kid)?;
    let key = TokenKey::from_pkcs8(&record.kid, alg, &pkcs8).map_err(|_| directory.bad_key(record))?;
    if record.public.as_ref() == Some(&key.public_jwk()) {
        Ok(Some(key))
    } else {
        Err(directory.bad_key(record))
    }
}

fn load_journal(directory: &Directory, record: &Record) -> Result<JournalKey, KeyStoreError> {
    let key = JournalKey::from_seed(&load_secret(directory, record)?)?;
    if record.ed25519() == Some(*key.public_key()) { Ok(key) } else { Err(directory.bad_key(record)) }
}

#[cfg(test)]
mod tests;
