//! How a write on PostgreSQL ends.

use super::{Link, Tx, living};
use crate::storage::{StoreError, append};
use sqlx::Connection as _;

impl Tx {
    /// Writes what waited for the end, and commits (PostgreSQL).
    ///
    /// # Errors
    /// Those of [`Self::append`]; [`StoreError::OutcomeUnknown`] when the commit broke off.
    pub(in crate::storage) async fn finish(mut self) -> Result<(), StoreError> {
        // A write that asked nothing and has one entry to append is one statement, which commits by itself. It need not
        // be serialisable: what it writes hangs on nothing it read, and it extends no mandate's stream, which it would
        // have had to read.
        if let (Link::Unbegun(pool), [event]) = (&self.link, self.unwritten.as_slice())
            && append::is_one_statement(event)
        {
            self.snapshot.link = Link::Single(living(pool).await?);
            return self.finish_alone().await;
        }
        self.write_appended().await?;
        self.snapshot.commit().await.map_err(of_commit)
    }

    /// One statement without a transaction. A server that refused it still answers: nothing was written then.
    async fn finish_alone(&mut self) -> Result<(), StoreError> {
        let Err(error) = self.write_appended().await else { return Ok(()) };
        let answers = match &mut self.snapshot.link {
            Link::Single(connection) => connection.ping().await.is_ok(),
            _ => false,
        };
        Err(if answers { error } else { of_commit(error) })
    }

    /// Writes what waited for the end (PostgreSQL).
    ///
    /// # Errors
    /// Those of [`Self::append`].
    pub(in crate::storage) async fn write_appended(&mut self) -> Result<(), StoreError> {
        for event in std::mem::take(&mut self.unwritten) {
            append::write_at_once(self, event).await?;
        }
        Ok(())
    }
}

/// A commit the database refused was not written; one that broke may have been.
pub(in crate::storage) fn of_commit(error: StoreError) -> StoreError {
    match error {
        StoreError::Unavailable(_) | StoreError::Database(_) => StoreError::OutcomeUnknown,
        refused => refused,
    }
}
