//! Opening the next shard of the journal: a write in a commit of its own.

use super::{Store, Writing, measure};
use crate::mandate::EventId;
use crate::storage::sequence::Opening;
use crate::storage::writer::queued;
use crate::storage::{BoxFuture, StoreError, Tx, Written};
use std::sync::PoisonError;
use std::time::Instant;

impl Tx {
    /// Says that the next shard of the journal, of that name, begins with the entry this closure appended. For the closure of
    /// [`Store::open_shard`] alone; a write that shares its commit with others is refused by it.
    pub fn begin_shard(&mut self, origin: &str, event: &EventId) {
        self.opening = Some(Opening { origin: origin.to_owned(), event: event.clone() });
    }

    /// The shard that is to begin; it is forgotten here.
    pub(in crate::storage) fn take_opening(&mut self) -> Option<Opening> {
        self.opening.take()
    }
}

impl Store {
    /// Runs the write that opens the next shard of the journal, in a commit of its own in which its entry gets its place: what
    /// was placed before is in the shard before, and nobody gives out places meanwhile. The closure appends one entry and says
    /// [`Tx::begin_shard`], or does nothing at all.
    ///
    /// # Errors
    /// The closure's own, or a [`StoreError`] turned into it; the journal is then as it was, unless the outcome of the
    /// commit is not known.
    pub async fn open_shard<T, E, F>(&self, name: &'static str, work: F) -> Result<Written<T>, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
    {
        let started = Instant::now();
        let result = match &self.0.writing {
            Writing::Never => Err(StoreError::Closed.into()),
            Writing::Sqlite { sender, .. } => {
                let sender = sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
                queued(sender, work, true).await
            }
            Writing::Postgres { sequencing, .. } => sequencing.open_shard(&work).await,
        };
        measure(name, started, result.is_ok());
        result
    }
}
