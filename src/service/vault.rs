//! Keys per person: found, made, opened and kept at hand.
//!
//! Each person, organisation and mandate has one data key; it rests wrapped in the database and is opened
//! by the key-encryption key. Destroying the wrapped form erases what it sealed (invariant 8).

use super::Error;
use crate::clock::{Entropy, random};
use crate::crypto::{Cell, DataKey, KeyStore, to_hex};
use crate::journal::MandateKey;
use crate::mandate::Instant;
use crate::storage::data_keys::{self, DataKeyRow, KeyKind};
use crate::storage::{Snapshot, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Opened keys kept at hand; beyond that the lot is dropped and filled again.
const MOST_AT_HAND: usize = 16_384;

/// An opened key and its name in the database.
pub struct OpenKey {
    /// Identifier of the wrapped form.
    pub id: String,
    key: DataKey,
}

impl OpenKey {
    /// Opens a stored key.
    pub(super) fn of(keys: &KeyStore, row: DataKeyRow) -> Result<Self, Error> {
        Ok(Self { key: keys.key_encryption().unwrap(&row.id, &row.wrapped)?, id: row.id })
    }

    /// Seals bytes for one cell.
    pub fn seal(&self, entropy: &dyn Entropy, cell: &Cell<'_>, plain: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.key.seal(entropy, cell, plain)?)
    }

    /// Seals a value, as JSON, for one cell.
    pub fn seal_json<T: Serialize>(
        &self,
        entropy: &dyn Entropy,
        cell: &Cell<'_>,
        value: &T,
    ) -> Result<Vec<u8>, Error> {
        let json = serde_json::to_vec(value).map_err(|_| Error::Unreadable)?;
        self.seal(entropy, cell, &json)
    }

    /// Opens the bytes of one cell.
    pub fn open(&self, cell: &Cell<'_>, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self.key.open(cell, sealed)?.to_vec())
    }

    /// Opens the value of one cell.
    pub fn open_json<T: DeserializeOwned>(&self, cell: &Cell<'_>, sealed: &[u8]) -> Result<T, Error> {
        let json = self.key.open(cell, sealed)?;
        serde_json::from_slice(&json).map_err(|_| Error::Unreadable)
    }

    /// The key of a mandate's tags, when this is a mandate's key.
    pub fn tags(&self) -> Result<MandateKey, Error> {
        MandateKey::from_slice(self.key.derive("journal tags").expose()).ok_or(Error::Unreadable)
    }
}

/// The opened keys of this process.
#[derive(Default)]
pub struct Vault {
    at_hand: RwLock<HashMap<String, Arc<OpenKey>>>,
    /// The last erasure this process knows of, in microseconds.
    erased: AtomicI64,
}

impl Vault {
    fn name(kind: KeyKind, subject: &str) -> String {
        format!("{}/{subject}", kind.as_str())
    }

    fn get(&self, name: &str) -> Option<Arc<OpenKey>> {
        self.at_hand.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    fn keep(&self, name: String, key: &Arc<OpenKey>) {
        let mut at_hand = self.at_hand.write().unwrap_or_else(PoisonError::into_inner);
        if at_hand.len() >= MOST_AT_HAND {
            at_hand.clear();
        }
        at_hand.insert(name, Arc::clone(key));
    }

    /// The key of a subject, if it has one (it has none before it is first written of, and after erasure).
    pub async fn find(
        &self,
        keys: &KeyStore,
        snapshot: &mut Snapshot,
        kind: KeyKind,
        subject: &str,
    ) -> Result<Option<Arc<OpenKey>>, Error> {
        let name = Self::name(kind, subject);
        if let Some(key) = self.get(&name) {
            return Ok(Some(key));
        }
        let Some(row) = data_keys::of_subject(snapshot, kind, subject).await? else { return Ok(None) };
        // Perhaps it was made by this very transaction: if that is undone and run again, the key is not there.
        let lasting = !snapshot.has_made(&row.id);
        let key = Arc::new(OpenKey::of(keys, row)?);
        if lasting {
            self.keep(name, &key);
        }
        Ok(Some(key))
    }

    /// The key of a subject, made now if it has none. A new key is kept at hand only once a later
    /// transaction finds it committed.
    pub async fn find_or_make(
        &self,
        keys: &KeyStore,
        entropy: &dyn Entropy,
        tx: &mut Tx,
        (kind, subject): (KeyKind, &str),
        now: Instant,
    ) -> Result<Arc<OpenKey>, Error> {
        if let Some(key) = self.find(keys, tx, kind, subject).await? {
            return Ok(key);
        }
        let id = to_hex(&random::<16>(entropy)?);
        let key = DataKey::generate(entropy)?;
        let wrapped = keys.key_encryption().wrap(entropy, &id, &key)?;
        let row =
            DataKeyRow { id: id.clone(), kind, subject_id: subject.to_owned(), wrapped, created_at: now };
        data_keys::insert(tx, &row).await?;
        Ok(Arc::new(OpenKey { id, key }))
    }

    /// Forgets every key at hand when somebody was erased since this was last asked: the key may be among them.
    pub fn forget_erased(&self, last: Instant) {
        if self.erased.swap(last.micros(), Ordering::Relaxed) != last.micros() {
            self.at_hand.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Forgets a key at hand, when its wrapped form was destroyed.
    pub fn forget(&self, kind: KeyKind, subject: &str) {
        let mut at_hand = self.at_hand.write().unwrap_or_else(PoisonError::into_inner);
        at_hand.remove(&Self::name(kind, subject));
    }
}
