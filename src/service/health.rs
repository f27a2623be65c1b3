//! Whether this process can do its work: reach the database, write, and bring entries under a signed checkpoint.

use super::{App, Error, read};
use crate::mandate::Instant;
use crate::storage::{Engine, StoreError, Written};
use std::sync::atomic::{AtomicI64, Ordering};
use thiserror::Error as ThisError;
use time::Duration;

/// A failed write counts for this long, unless one succeeds: a process that is sent nobody must be tried again.
const LINGER: Duration = Duration::seconds(30);

/// How the last writes went.
#[derive(Debug, Default)]
pub struct Pulse {
    /// When the journal last failed to take an entry, in microseconds; 0 once it took one.
    failed_at: AtomicI64,
}

impl Pulse {
    /// Takes in how a write ended. On PostgreSQL a commit does not tell whether the entries find their place.
    pub(super) fn of_commit<T>(&self, written: &Result<Written<T>, Error>, engine: Engine, now: Instant) {
        match written {
            Err(Error::Store(error)) if is_fault(error) => {
                self.failed_at.store(now.micros(), Ordering::Relaxed);
            }
            Ok(written) if engine == Engine::Sqlite && !written.events().is_empty() => {
                self.of_inclusion(true, now);
            }
            _ => {}
        }
    }

    /// Takes in whether entries came under a signed checkpoint in time.
    pub(super) fn of_inclusion(&self, included: bool, now: Instant) {
        self.failed_at.store(if included { 0 } else { now.micros() }, Ordering::Relaxed);
    }

    fn fails(&self, now: Instant) -> bool {
        let at = self.failed_at.load(Ordering::Relaxed);
        at != 0 && now.since(Instant::from_micros(at)) < LINGER
    }
}

/// Whether it is the store that fails, and not one write: a rule of the schema, a race, a form sent twice.
const fn is_fault(error: &StoreError) -> bool {
    match error {
        StoreError::Unavailable(_)
        | StoreError::Closed
        | StoreError::Database(_)
        | StoreError::OutcomeUnknown
        | StoreError::Behind(_)
        | StoreError::Journal(_)
        | StoreError::Schema(_)
        | StoreError::Signing(_) => true,
        StoreError::Busy
        | StoreError::Conflict { .. }
        | StoreError::Taken(_)
        | StoreError::Refused(_)
        | StoreError::Inconsistent { .. }
        | StoreError::Contended
        | StoreError::WentOn
        | StoreError::Panicked
        | StoreError::TooSlow
        | StoreError::SecondStatement => false,
    }
}

/// Why the service cannot do its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum Ill {
    /// The database gives no answer.
    #[error("the database cannot be read ({0})")]
    Reading(&'static str),
    /// The journal has no checkpoint.
    #[error("the journal has not been opened")]
    NoJournal,
    /// The database is not the one we signed for.
    #[error(
        "the database was rolled back or replaced, so nothing is signed any more: restore the newest backup"
    )]
    RolledBack,
    /// The database takes no write.
    #[error("nothing can be written ({0})")]
    Writing(&'static str),
    /// The last entry did not come under a signed checkpoint.
    #[error("the journal takes no entries; if a key was rotated meanwhile, restart the service")]
    Journaling,
}

/// Looks at everything an act needs, and writes nothing.
///
/// # Errors
/// [`Ill`]: the first thing that is wrong.
pub async fn check(app: &App) -> Result<(), Ill> {
    let checkpoint = read::checkpoint(app).await.map_err(|error| Ill::Reading(error.code()))?;
    checkpoint.ok_or(Ill::NoJournal)?;
    if app.store.is_halted() {
        return Err(Ill::RolledBack);
    }
    app.commit("health.write", |_| Box::pin(async { Ok(()) }))
        .await
        .map_err(|error| Ill::Writing(error.code()))?;
    if app.pulse.fails(app.now()) { Err(Ill::Journaling) } else { Ok(()) }
}

/// Whether the service can do its work; the log says why not.
pub async fn is_ready(app: &App) -> bool {
    match check(app).await {
        Ok(()) => true,
        Err(why) => {
            tracing::error!(%why, "not ready");
            false
        }
    }
}
