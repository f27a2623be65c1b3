//! What can go wrong between a service and its database. Values of rows never stand in a message.

use super::engine;
use thiserror::Error;

/// Why the store could not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The database cannot be reached, or did not answer in time. Nothing was written.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// Too many writes are waiting; nothing was written. Answer "try again later".
    #[error("too many writes are waiting")]
    Busy,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// The row is not (any more) as the caller knew it: a guarded change touched no row.
    #[error("a row of {table} is no longer as it was")]
    Conflict {
        /// The table.
        table: &'static str,
    },
    /// A row with that key stands already.
    #[error("taken already: {0}")]
    Taken(String),
    /// A rule of the schema forbids it: a check, a reference, a wall around the journal.
    #[error("the database refuses: {0}")]
    Refused(String),
    /// A row fits no state of the domain.
    #[error("the row {id} of {table} is inconsistent in {column}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key, as text.
        id: String,
    },
    /// The database lost a race between serialisable transactions. Retried inside the store.
    #[error("lost a race with another transaction")]
    Contended,
    /// The database failed in a way the store does not know.
    #[error("the database failed: {0}")]
    Database(String),
    /// The commit was sent, but its outcome is not known: it may have been written or not.
    #[error("whether it was written is not known")]
    OutcomeUnknown,
    /// A closure went on after one of its statements had failed.
    #[error("a transaction went on after a failed statement")]
    WentOn,
    /// A read of one statement ran a second one, which might see another state.
    #[error("a single look ran a second statement")]
    SecondStatement,
    /// A closure panicked; nothing of it was written.
    #[error("a transaction panicked")]
    Panicked,
    /// A closure took longer than a transaction may; nothing of it was written.
    #[error("a transaction took too long")]
    TooSlow,
    /// The database's journal is behind, or beside, the checkpoint last published from here.
    #[error(
        "the journal is behind what was published: {0}; nothing is signed for it: look for a newer copy of the database \
         (another replica, a later backup), and see \"Backup and restore\" in docs/operator.md"
    )]
    Behind(String),
    /// The journal's tables contradict themselves or the signed checkpoint.
    #[error("the journal does not verify: {0}")]
    Journal(String),
    /// The schema is not the one this program knows.
    #[error("the schema does not fit: {0}; run `porteplume migrate`")]
    Schema(String),
    /// The checkpoint could not be signed.
    #[error("the checkpoint could not be signed: {0}")]
    Signing(String),
}

impl StoreError {
    /// Whether so much waits that nothing new is taken on for the moment.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        matches!(self, Self::Busy)
    }

    /// Stable code, for metrics and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "store_unavailable",
            Self::Busy => "store_busy",
            Self::Closed => "store_closed",
            Self::Conflict { .. } => "store_conflict",
            Self::Taken(_) => "store_taken",
            Self::Refused(_) => "store_refused",
            Self::Inconsistent { .. } => "store_inconsistent",
            Self::Contended => "store_contended",
            Self::Database(_) => "store_database",
            Self::OutcomeUnknown => "store_outcome_unknown",
            Self::WentOn => "store_went_on",
            Self::SecondStatement => "store_second_statement",
            Self::Panicked => "store_panicked",
            Self::TooSlow => "store_too_slow",
            Self::Behind(_) => "store_behind",
            Self::Journal(_) => "store_journal",
            Self::Schema(_) => "store_schema",
            Self::Signing(_) => "store_signing",
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(database) => of_database(database.as_ref()),
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => {
                Self::Unavailable("the connection broke".to_owned())
            }
            sqlx::Error::PoolTimedOut => Self::Unavailable("no connection became free".to_owned()),
            sqlx::Error::PoolClosed => Self::Closed,
            other => Self::Database(other.to_string()),
        }
    }
}

fn of_database(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    // Only the message is kept: on PostgreSQL the detail repeats values of the row.
    let message = error.message().to_owned();
    match error.code() {
        Some(code) if engine::is_lost_race(&code) => StoreError::Contended,
        Some(code) if engine::is_unavailable(&code) => StoreError::Unavailable(message),
        _ if error.is_unique_violation() => StoreError::Taken(message),
        Some(code) if engine::is_refusal(&code) => StoreError::Refused(message),
        _ => StoreError::Database(message),
    }
}
