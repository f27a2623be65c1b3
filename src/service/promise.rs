//! What is handed out while an entry waits for its place: a signed promise now, the proof that keeps it later (contract
//! of the journal, 4.3).

use super::{App, Ctx, Error, proof};
use crate::journal::LogProof;
use crate::mandate::EventId;
use crate::storage::journal;
use std::sync::Arc;

/// Promises for the entries of one act: signed notes, in their order. Whoever holds one can convict us should the entry
/// never appear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promises(Arc<[Promised]>);

/// One promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promised {
    /// The entry.
    pub event: EventId,
    /// The signed note.
    pub note: String,
}

impl Promises {
    /// Each of them.
    #[must_use]
    pub fn each(&self) -> &[Promised] {
        &self.0
    }
}

impl Ctx {
    /// What somebody is told whose entries are committed and wait for their place: a promise where one can be made.
    pub(super) async fn promised(&self, events: &[EventId]) -> Error {
        match self.store.promise(events, self.now()).await {
            Ok(promised) if !promised.is_empty() => {
                let each = promised.into_iter().map(|(event, note)| Promised { event, note });
                Error::Promised(Promises(each.collect()))
            }
            Ok(_) => Error::BeingRecorded,
            Err(error) => {
                tracing::warn!(code = error.code(), "what waits for its place could not be promised");
                Error::BeingRecorded
            }
        }
    }
}

/// The proof that the entry stands in the journal, for whoever knows its identifier: without the entry, whose hash a
/// promise names.
///
/// # Errors
/// [`Error::NotFound`] when the journal has no such entry; [`Error::BeingRecorded`] while it waits for its place.
pub async fn kept(app: &App, event: EventId) -> Result<LogProof, Error> {
    let app_ = App::clone(app);
    app.store
        .read("promise.kept", move |snapshot| {
            Box::pin(async move {
                let row = journal::entry(snapshot, &event).await?.ok_or(Error::NotFound)?;
                let proof = proof::of(&app_, snapshot, &row).await?.ok_or(Error::BeingRecorded)?;
                Ok(LogProof { entry: None, ..proof.log })
            })
        })
        .await
}
