//! Verification of everything we claim: the journal is the one that was signed, and what is stored now follows
//! from it.
//!
//! [`crate::journal::Audit`] holds entries, tiles and checkpoints against each other. Beside it stands what only this
//! room can know: whether an opening that is missing may be; whether each mandate, its paper and each use of it are what
//! their entries tell; whether each line of the refusals, each fact of the desk and of the watch and each closed procedure is; and whether each party was registered, and who is
//! suspended, by an entry. It
//! reads one consistent view, writes nothing, and works on a database the service would refuse to open.

mod closings;
mod dates;
mod facts;
mod finding;
mod found;
mod mandates;
mod openings;
mod parties;
mod refusals;
mod shards;
mod timestamps;
mod told;
mod tree;
mod witnesses;

pub use finding::{Finding, MandateFault, Report};

use super::Error;
use crate::crypto::KeyStore;
use crate::journal::{Checkpoint, CheckpointError, TimestampAuthorities, Vkey, is_shard_of};
use crate::mandate::Instant;
pub use crate::storage::audit::ListedEntry;
use crate::storage::{Store, audit, extent};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A journal to verify.
#[derive(Clone)]
pub struct Journal {
    /// The database.
    pub store: Store,
    /// The keys, to open what is sealed.
    pub keys: Arc<KeyStore>,
    /// The keys under which checkpoints count: the current one and those before it.
    pub verifiers: Vec<Vkey>,
    /// Where the checkpoint last published was kept outside the database.
    pub published: Option<PathBuf>,
    /// The authorities whose time-stamps count; when none is known, that they are whole is all that is verified of them.
    pub authorities: TimestampAuthorities,
    /// Now, to judge what may have been erased already.
    pub now: Instant,
}

/// Verifies everything; what is wrong stands in the report.
///
/// # Errors
/// [`Error::Store`] when the database cannot be read at all.
pub async fn verify(journal: Journal) -> Result<Report, Error> {
    let mut report = Report::default();
    let known = published(&journal, &mut report).await;
    let store = journal.store.clone();
    store
        .read("journal.verify", move |snapshot| {
            Box::pin(async move {
                let engine = journal.store.engine();
                let mut openings = openings::Openings::new(&journal, snapshot).await?;
                let mut notes = tree::Notes::default();
                let shards = shards::stored(snapshot, &journal.verifiers, &mut notes.lies).await?;
                report.tree =
                    tree::audit(&journal, &shards, known, snapshot, &mut openings, &mut notes).await?;
                for lie in std::mem::take(&mut notes.lies) {
                    report.add(lie);
                }
                for (event, slot) in audit::stray_openings(snapshot).await? {
                    report.add(Finding::OpeningOfNothing { event, slot });
                }
                for event in audit::stray_queue(snapshot, engine).await? {
                    report.add(Finding::QueuedInVain { event });
                }
                found::check(snapshot, &openings, notes.erased, &mut report).await?;
                if openings.gone > notes.destroyed {
                    report.add(Finding::ErasedUntold { gone: openings.gone, told: notes.destroyed });
                }
                for id in audit::keyless(snapshot).await? {
                    report.add(Finding::KeyOfUsager { id });
                }
                report.erased_persons = audit::erased(snapshot).await?;
                mandates::check(snapshot, &mut openings, &mut report).await?;
                let (standings, registrations) = (&notes.standings, notes.registrations);
                parties::check(snapshot, &mut openings, standings, registrations, &mut report).await?;
                facts::check(snapshot, &mut openings, notes.facts, &mut report).await?;
                closings::check(snapshot, &openings, notes.closings, &mut report).await?;
                refusals::check(snapshot, &openings, notes.refusals, &mut report).await?;
                witnesses::check(snapshot, &mut report).await?;
                shards::check(snapshot, &shards, notes.shards, &mut report).await?;
                timestamps::check(snapshot, &journal.authorities, notes.stamps, &mut report).await?;
                Ok(report)
            })
        })
        .await
}

/// The checkpoint last published, when there is one.
async fn published(journal: &Journal, report: &mut Report) -> Vec<Checkpoint> {
    let Some(path) = &journal.published else { return Vec::new() };
    let opened = match tokio::fs::read_to_string(path).await {
        Ok(note) => open_any(&note, &journal.verifiers).map_err(|error| error.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => Err(error.to_string()),
    };
    match opened {
        Ok(checkpoint) => vec![checkpoint],
        Err(why) => {
            report.add(Finding::PublishedUnreadable { why });
            Vec::new()
        }
    }
}

/// Reads a checkpoint of whichever shard of the journal whose keys these are.
///
/// # Errors
/// [`CheckpointError`].
pub(super) fn open_any(note: &str, keys: &[Vkey]) -> Result<Checkpoint, CheckpointError> {
    let origin = note.lines().next().unwrap_or_default();
    let of_shard = keys.iter().filter(|key| is_shard_of(key.name(), origin)).map(|key| key.called(origin));
    let of_shard: Vec<Vkey> = of_shard.collect::<Result<_, _>>().map_err(|_| CheckpointError::Malformed)?;
    Checkpoint::open(note, if of_shard.is_empty() { keys } else { &of_shard })
}

/// The name of the journal's first shard, as the oldest stored checkpoint or else the published one says: for a journal whose
/// configuration is not at hand. Whether they may say so shows when they are verified.
///
/// # Errors
/// [`Error::Store`].
pub async fn origin(store: &Store, published: Option<&Path>) -> Result<Option<String>, Error> {
    let stored = store.read("journal.oldest", |snapshot| Box::pin(extent::oldest_note(snapshot))).await?;
    let note = match (stored, published) {
        (None, Some(path)) => tokio::fs::read_to_string(path).await.ok(),
        (stored, _) => stored,
    };
    Ok(note.and_then(|note| note.lines().next().map(str::to_owned)))
}

/// Entries in their order, from place `from` on.
///
/// # Errors
/// [`Error::Store`].
pub async fn entries(store: &Store, from: u64, limit: u32) -> Result<Vec<ListedEntry>, Error> {
    Ok(store.read("journal.entries", move |snapshot| Box::pin(audit::listed(snapshot, from, limit))).await?)
}
