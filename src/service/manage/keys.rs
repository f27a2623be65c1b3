//! Rotating a key of the instance: an act of the operator, journaled like any other.

use super::Manager;
use crate::crypto::{KeyListing, KeyPlace, KeyPurpose, KeyStoreError, Rotation};
use crate::journal::{Checkpoint, Vkey};
use crate::mandate::EventKind;
use crate::service::{App, Caller, Error, Record};
use crate::storage::{StoreError, journal};
use std::path::Path;
use std::sync::Arc;
use thiserror::Error as ThisError;

/// Why a key was not rotated.
#[derive(Debug, ThisError)]
pub enum RotationError {
    /// The key store refuses, or fails.
    #[error("{0}")]
    Keys(#[from] KeyStoreError),
    /// Nobody has seen the new key sign: whoever still runs under the old one alone would be cut off.
    #[error(
        "the newest checkpoint does not bear the new key's signature: restart every running service, and try again once one of \
         them has written"
    )]
    Unseen,
    /// It could not be journaled, so it did not happen.
    #[error("the key was not rotated, because that could not be journaled: {0}")]
    Journal(#[from] Error),
}

/// Rotates the key of a purpose: first the entry, then the key. The entry is signed under the journal key of
/// before, which a service that runs meanwhile knows.
///
/// # Errors
/// [`RotationError`]; the keys are then as they were. When the entry stands all the same, or may, because the files
/// failed after it or the outcome of its commit is not known, a second entry says so.
pub async fn rotate_key(
    app: &App,
    place: impl Into<KeyPlace>,
    purpose: KeyPurpose,
) -> Result<Vec<KeyListing>, RotationError> {
    let rotation = Rotation::prepare(place, purpose, &*app.entropy, &*app.clock)?;
    journaled(app, purpose, rotation).await
}

/// Ends the overlap in the rotation of a purpose's key: from now on the new one signs alone. Its entry is the last
/// one under both.
///
/// # Errors
/// As [`rotate_key`], and [`RotationError::Unseen`] while the newest checkpoint is not signed under the new key.
pub async fn retire_key(
    app: &App,
    dir: &Path,
    purpose: KeyPurpose,
) -> Result<Vec<KeyListing>, RotationError> {
    let end = Rotation::prepare_end(dir, purpose)?;
    let newest = app.store.read("manage.newest_checkpoint", |snapshot| {
        Box::pin(async move { Ok::<_, Error>(journal::head(snapshot).await?) })
    });
    let newest = newest.await?.ok_or(RotationError::Unseen)?;
    let current =
        Vkey::new(&newest.origin, app.keys.journal().public_key()).map_err(|_| Error::Unreadable)?;
    Checkpoint::open(&newest.note, &[current]).map_err(|_| RotationError::Unseen)?;
    journaled(app, purpose, end).await
}

/// The entry, then the keys.
async fn journaled(
    app: &App,
    purpose: KeyPurpose,
    rotation: Rotation,
) -> Result<Vec<KeyListing>, RotationError> {
    let keys = rotation.changed().iter().map(|key| format!("{} {}", key.kid, key.state.as_str()));
    let record = Record::done(EventKind::KeyRotated)
        .detail("purpose", purpose.as_str())
        .detail("keys", keys.collect::<Vec<_>>());
    if let Err(error) = append(app, record).await {
        if let Err(left) = rotation.abandon() {
            tracing::warn!(error = %left, "the key of a rotation given up stays there; it does no harm");
        }
        if matches!(error, Error::Store(StoreError::OutcomeUnknown)) {
            take_back(app, purpose).await;
        }
        return Err(error.into());
    }
    match rotation.carry_out() {
        Ok(changed) => Ok(changed),
        Err(error) => {
            take_back(app, purpose).await;
            Err(error.into())
        }
    }
}

/// Journals that the keys stayed as they were, though an entry says or may say that one was rotated.
async fn take_back(app: &App, purpose: KeyPurpose) {
    let undone = Record::refused(EventKind::KeyRotated, "keys_not_written");
    if let Err(error) = append(app, undone.detail("purpose", purpose.as_str())).await {
        tracing::error!(code = error.code(), "that a key was not rotated could not be journaled");
    }
}

/// Appends an entry. One that only waits for its place is committed and finds it in time: it counts.
async fn append(app: &App, record: Record) -> Result<(), Error> {
    let (app_, now) = (Arc::clone(app), app.now());
    let included = app.include("manage.key_rotated", move |tx| {
        let (app, record) = (Arc::clone(&app_), Manager::Operator.sign(record.clone()));
        Box::pin(async move { record.append(&app, tx, &Caller::default(), now).await.map(drop) })
    });
    match included.await {
        Err(Error::BeingRecorded | Error::Promised(_)) => {
            tracing::warn!("the entry of a key's rotation still waits for its place in the journal");
            Ok(())
        }
        done => done,
    }
}
