//! The key store: one directory, one file per private key, one manifest without secrets.
//!
//! `keys.toml` says which keys there are and in which state; it is replaced atomically and is the only commit
//! point, so that a process killed at any moment leaves a store that opens. Private keys are files `<kid>.key`
//! of mode 0600; the store refuses to open while one of them is looser.
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

use super::{
    CryptoError, IndexKey, JournalKey, Jwk, Jwks, KeyEncryptionKey, PairwiseKey, SecretBytes, TokenAlg,
    TokenKey, to_hex,
};
use crate::clock::{Clock, Entropy, random};
use files::{Directory, Lock};
use manifest::{Manifest, Record};
use std::collections::BTreeMap;
use std::path::Path;
use zeroize::Zeroizing;

/// The opened keys of one instance. Has no `Debug`.
pub struct KeyStore {
    key_encryption: KeyEncryptionKey,
    index: IndexKey,
    pairwise: PairwiseKey,
    tokens: BTreeMap<TokenAlg, TokenKey>,
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
    pub fn init(dir: &Path, entropy: &dyn Entropy, clock: &dyn Clock) -> Result<Self, KeyStoreError> {
        let directory = Directory::create(dir)?;
        {
            let _lock = directory.lock(Lock::Exclusive)?;
            directory.begin_init()?;
            let mut manifest = Manifest::default();
            for purpose in KeyPurpose::ALL {
                manifest.add(make(&directory, purpose, KeyState::Current, entropy, clock)?);
                if purpose.token_alg().is_some() {
                    manifest.add(make(&directory, purpose, KeyState::Next, entropy, clock)?);
                }
            }
            directory.save(&manifest)?;
            directory.end_init()?;
        }
        Self::open(dir)
    }

    /// Opens the key store.
    ///
    /// # Errors
    /// [`KeyStoreError::LooseFile`] and [`KeyStoreError::LooseDirectory`] when others could read a private key
    /// or exchange one; [`KeyStoreError::Missing`], [`KeyStoreError::BadManifest`], [`KeyStoreError::BadKey`].
    pub fn open(dir: &Path) -> Result<Self, KeyStoreError> {
        let directory = Directory::new(dir);
        if !directory.has_manifest() {
            return Err(KeyStoreError::Missing { dir: dir.to_owned() });
        }
        let _lock = directory.lock(Lock::Shared)?;
        directory.check_modes()?;
        Self::load(&directory, &directory.manifest()?)
    }

    fn load(directory: &Directory, manifest: &Manifest) -> Result<Self, KeyStoreError> {
        let secret = |purpose| load_secret(directory, manifest.current(purpose)?);
        let former_kek = manifest
            .retired(KeyPurpose::KeyEncryption)
            .map(|record| load_secret(directory, record))
            .collect::<Result<Vec<_>, _>>()?;
        let (mut published, mut tokens) = (Jwks::default(), BTreeMap::new());
        for alg in TokenAlg::ALL {
            let purpose = KeyPurpose::of_tokens(alg);
            published.keys.extend(manifest.published(purpose).filter_map(|record| record.public.clone()));
            if manifest.knows(purpose) {
                tokens.insert(alg, load_token(directory, manifest.current(purpose)?, alg)?);
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
    pub fn token_key(&self, alg: TokenAlg) -> Result<&TokenKey, CryptoError> {
        self.tokens.get(&alg).ok_or(CryptoError::NoTokenKey(KeyPurpose::of_tokens(alg).as_str()))
    }

    /// The algorithms there are keys for.
    pub fn token_algs(&self) -> impl Iterator<Item = TokenAlg> {
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

/// Makes a key, writes its private half and gives the record that makes it known.
fn make(
    directory: &Directory,
    purpose: KeyPurpose,
    state: KeyState,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<Record, KeyStoreError> {
    let kid = to_hex(&random::<8>(entropy).map_err(CryptoError::from)?);
    let (private, public) = match (purpose.token_alg(), purpose) {
        (Some(alg), _) => {
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
    Ok(Record { kid, purpose, state, created: clock.now().to_utc(), public })
}

fn load_secret(directory: &Directory, record: &Record) -> Result<SecretBytes<32>, KeyStoreError> {
    let bytes = directory.read_key(&record.kid)?;
    SecretBytes::from_slice(&bytes).ok_or_else(|| directory.bad_key(record))
}

fn load_token(directory: &Directory, record: &Record, alg: TokenAlg) -> Result<TokenKey, KeyStoreError> {
    let pkcs8 = directory.read_key(&record.kid)?;
    let key = TokenKey::from_pkcs8(&record.kid, alg, &pkcs8).map_err(|_| directory.bad_key(record))?;
    if record.public.as_ref() == Some(&key.public_jwk()) { Ok(key) } else { Err(directory.bad_key(record)) }
}

fn load_journal(directory: &Directory, record: &Record) -> Result<JournalKey, KeyStoreError> {
    let key = JournalKey::from_seed(&load_secret(directory, record)?)?;
    if record.ed25519() == Some(*key.public_key()) { Ok(key) } else { Err(directory.bad_key(record)) }
}

#[cfg(test)]
mod tests;
