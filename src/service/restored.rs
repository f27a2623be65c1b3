//! A database that was restored: said in the journal itself, with what was lost.

use super::line::line;
use super::{App, Caller, Error, Record, verify};
use crate::journal::CheckpointError;
use crate::mandate::EventKind;
use crate::storage::{JournalSigner, journal, shards};
use std::sync::Arc;
use thiserror::Error as ThisError;

/// Longest reference, in characters.
const LONGEST_REFERENCE: usize = 100;

/// Why a restore was not written down.
#[derive(Debug, ThisError)]
pub enum RestoredError {
    /// The reference is missing or endless.
    #[error(
        "give a reference of your decision with --reference, of at most {LONGEST_REFERENCE} characters, such as \"2026-17\""
    )]
    Reference,
    /// The file is no checkpoint of this journal.
    #[error("this is no checkpoint signed by this journal: {0}")]
    NotOurs(#[from] CheckpointError),
    /// Everything the checkpoint covers is there.
    #[error("nothing was lost: {lost} entries were published and {held} are there; leave --lost away")]
    NothingLost {
        /// How many were published.
        lost: u64,
        /// How many there are.
        held: u64,
    },
    /// Anything else.
    #[error("{0}")]
    Other(#[from] Error),
}

/// Writes down that the database was restored: under which decision (a reference, no name), how many entries it held, and
/// the published checkpoint it falls short of, if any. Gives how many entries were lost.
///
/// # Errors
/// [`RestoredError`]; nothing was written. [`Error::BeingRecorded`] when the entry waits for its place.
pub async fn note(app: &App, reference: &str, lost: Option<&str>) -> Result<u64, RestoredError> {
    let reference = line(reference, LONGEST_REFERENCE).map_err(|_| RestoredError::Reference)?;
    let signer = JournalSigner::new(app.origin.clone(), Arc::clone(&app.keys));
    let signer = signer.map_err(|_| Error::Unreadable)?;
    let lost = lost.map(|note| verify::open_any(note, signer.verifiers())).transpose()?;
    let first = app.origin.clone();
    let there = app.store.read("restored.head", |snapshot| {
        Box::pin(async move {
            Ok::<_, Error>((journal::head(snapshot).await?, shards::all(snapshot, &first).await?))
        })
    });
    let (newest, shards) = there.await?;
    let held = newest.map_or(0, |head| head.size);
    let mut record =
        Record::done(EventKind::JournalRestored).detail("reference", reference).detail("held", held);
    let mut missing = 0;
    if let Some(lost) = lost {
        // A shard that is not there was lost as a whole.
        let start = shards.named(&lost.origin).map_or(held, |shard| shard.start);
        let published = start.saturating_add(lost.size);
        missing = published.saturating_sub(held);
        if missing == 0 {
            return Err(RestoredError::NothingLost { lost: published, held });
        }
        record = record
            .detail("lost_shard", lost.origin)
            .detail("lost_size", lost.size)
            .detail("lost_root", lost.root.to_string());
    }
    let (by, now) = (Arc::new((Arc::clone(app), record)), app.now());
    app.include("restored.note", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move { by.1.clone().append(&by.0, tx, &Caller::default(), now).await.map(drop) })
    })
    .await?;
    Ok(missing)
}
