//! The end of signing: once it is known that the database is not the one we signed for, nothing is signed any more.

use super::head::Publisher;
use super::sequence::{self, Head};
use super::signer::{CheckpointSigner, open_any};
use super::{Store, StoreError, shards};
use crate::journal::Checkpoint;
use std::sync::{Arc, OnceLock};

/// Why nothing is signed any more, once that is so. Shared by whoever signs and whoever finds out.
#[derive(Clone, Default)]
pub(super) struct Halt(Arc<OnceLock<String>>);

impl Halt {
    /// # Errors
    /// [`StoreError::Behind`] once signing has ended.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match self.0.get() {
            None => Ok(()),
            Some(why) => Err(StoreError::Behind(why.clone())),
        }
    }

    /// Whether signing has ended.
    pub(super) fn is_on(&self) -> bool {
        self.0.get().is_some()
    }
}

/// What it takes to hold the database to a checkpoint that somebody else kept.
pub(super) struct Warden {
    pub(super) signer: Arc<dyn CheckpointSigner>,
    pub(super) publisher: Arc<Publisher>,
    pub(super) halt: Halt,
}

impl Warden {
    /// Ends signing for a checkpoint of ours that is not in the database. It is kept outside the database as what
    /// was published last, so that a restart is refused, too.
    fn end(&self, checkpoint: &Checkpoint, note: &str) -> StoreError {
        let text = format!(
            "somebody holds our signed checkpoint of {} entries, and it is not there",
            checkpoint.size
        );
        // The first reason stays.
        let _ = self.halt.0.set(text.clone());
        // Nothing that was kept is newer than what is lost, whatever its size in its shard.
        self.publisher.publish(&Head { size: u64::MAX, root: checkpoint.root, note: note.to_owned() });
        StoreError::Behind(text)
    }
}

impl Store {
    /// Holds the database to a checkpoint that somebody else kept: a witness, an auditor. True when it stands here,
    /// false when it is none of ours.
    ///
    /// # Errors
    /// [`StoreError::Behind`] when we signed it and it is not here: the database was rolled back or replaced. From
    /// then on nothing is signed, here and after a restart. Any fault of the database.
    pub async fn hold_to(&self, note: &str) -> Result<bool, StoreError> {
        let warden = self.warden().ok_or(StoreError::Closed)?;
        let Some(checkpoint) = open_any(&*warden.signer, note) else { return Ok(false) };
        let (first, wanted) = (warden.signer.origin().to_owned(), checkpoint.clone());
        let look = self.read("journal.hold_to", move |snapshot| {
            Box::pin(async move {
                match shards::all(snapshot, &first).await?.named(&wanted.origin) {
                    Some(shard) => sequence::root_at(snapshot, shard.start.saturating_add(wanted.size)).await,
                    None => Ok::<_, StoreError>(None),
                }
            })
        });
        if look.await? == Some(checkpoint.root) {
            return Ok(true);
        }
        Err(warden.end(&checkpoint, note))
    }

    /// Whether signing has ended, because the database is not the one we signed for.
    #[must_use]
    pub fn is_halted(&self) -> bool {
        self.warden().is_some_and(|warden| warden.halt.is_on())
    }
}
