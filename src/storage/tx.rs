//! What closures get: [`Snapshot`] to look, [`Tx`] to change facts and append entries.

use super::append::{self, NewEvent};
use super::column::Columns;
use super::{StoreError, engine};
use crate::journal::{Hash, leaf_hash};
use crate::mandate::EventId;
use sqlx::any::{Any, AnyArguments, AnyRow};
use sqlx::pool::PoolConnection;
use sqlx::query::Query;
use sqlx::{AnyConnection, AnyPool, Connection as _, Transaction};
use std::ops::{Deref, DerefMut};

/// A bound statement.
pub(super) type Bound = Query<'static, Any, AnyArguments>;

/// A statement of this room, ready for its values.
pub(super) fn sql(text: &'static str) -> Bound {
    sqlx::query(text)
}

/// The connection a transaction runs on.
enum Link {
    /// SQLite's one writer: begin and commit are the writer's business.
    Writer(AnyConnection),
    /// A transaction of its own; dropping it rolls back.
    Transaction(Transaction<'static, Any>),
    /// No transaction: good for one statement, which is a consistent view by itself.
    Single(PoolConnection<Any>),
}

/// A consistent view of the database.
pub struct Snapshot {
    link: Link,
    fault: Option<StoreError>,
    /// How many statements may still run.
    left: usize,
}

impl Snapshot {
    pub(super) async fn begin(pool: &AnyPool, begin: &'static str) -> Result<Self, StoreError> {
        Ok(Self::over(Link::Transaction(pool.begin_with(begin).await?), usize::MAX))
    }

    /// A view for one statement.
    pub(super) async fn single(pool: &AnyPool) -> Result<Self, StoreError> {
        Ok(Self::over(Link::Single(pool.acquire().await?), 1))
    }

    const fn over(link: Link, left: usize) -> Self {
        Self { link, fault: None, left }
    }

    /// Counts a statement.
    fn one_more(&mut self) -> Result<(), StoreError> {
        let left = self.left.checked_sub(1).ok_or(StoreError::SecondStatement);
        self.left = left.clone().inspect_err(|error| self.fault = Some(error.clone()))?;
        Ok(())
    }

    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        match &mut self.link {
            Link::Writer(connection) => connection,
            Link::Transaction(transaction) => transaction,
            Link::Single(connection) => connection,
        }
    }

    /// Ends the view; a transaction of its own commits.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self.link {
            Link::Writer(_) | Link::Single(_) => Ok(()),
            Link::Transaction(transaction) => Ok(transaction.commit().await?),
        }
    }

    /// Closes the writer's own connection; rolls a transaction of its own back.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        match self.link {
            Link::Writer(connection) => Ok(connection.close().await?),
            Link::Transaction(transaction) => Ok(transaction.rollback().await?),
            Link::Single(_) => Ok(()),
        }
    }

    /// The first statement that failed: from there on nothing of this transaction may be kept.
    pub(super) fn take_fault(&mut self) -> Option<StoreError> {
        self.fault.take()
    }

    fn note<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        result.map_err(|error| {
            let error = StoreError::from(error);
            self.fault.get_or_insert_with(|| error.clone());
            error
        })
    }

    pub(super) async fn all(&mut self, statement: Bound) -> Result<Vec<AnyRow>, StoreError> {
        self.one_more()?;
        let rows = statement.fetch_all(self.connection()).await;
        self.note(rows)
    }

    pub(super) async fn first(&mut self, statement: Bound) -> Result<Option<AnyRow>, StoreError> {
        self.one_more()?;
        let row = statement.fetch_optional(self.connection()).await;
        self.note(row)
    }

    /// Every row of a table, read by `read`.
    pub(super) async fn list<T>(
        &mut self,
        table: &'static str,
        statement: Bound,
        read: impl Fn(&Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        self.all(statement).await?.iter().map(|row| read(&Columns::of(table, row))).collect()
    }

    /// The one row of a table, if it stands, read by `read`.
    pub(super) async fn find<T>(
        &mut self,
        table: &'static str,
        statement: Bound,
        read: impl Fn(&Columns<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        self.first(statement).await?.map(|row| read(&Columns::of(table, &row))).transpose()
    }

    async fn run(&mut self, statement: Bound) -> Result<u64, StoreError> {
        self.one_more()?;
        let done = statement.execute(self.connection()).await;
        self.note(done).map(|done| done.rows_affected())
    }
}

/// A transaction that may change facts and append entries. Everything a [`Snapshot`] can, it can too.
pub struct Tx {
    snapshot: Snapshot,
    /// What the closure that runs appended.
    appended: Vec<Appended>,
    /// What all closures of this commit appended and is not written yet.
    unwritten: Vec<NewEvent>,
}

/// An entry appended in this transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The entry.
    pub event_id: EventId,
    pub(super) leaf_hash: Hash,
}

impl Tx {
    pub(super) fn of_writer(connection: AnyConnection) -> Self {
        Self::over(Snapshot::over(Link::Writer(connection), usize::MAX))
    }

    pub(super) async fn begin(pool: &AnyPool) -> Result<Self, StoreError> {
        Ok(Self::over(Snapshot::begin(pool, engine::POSTGRES_BEGIN).await?))
    }

    const fn over(snapshot: Snapshot) -> Self {
        Self { snapshot, appended: Vec::new(), unwritten: Vec::new() }
    }

    pub(super) fn into_snapshot(self) -> Snapshot {
        self.snapshot
    }

    /// The entries appended so far; the list starts anew.
    pub(super) fn take_appended(&mut self) -> Vec<Appended> {
        std::mem::take(&mut self.appended)
    }

    /// Runs a statement that changes rows; gives how many it touched.
    pub(super) async fn execute(&mut self, statement: Bound) -> Result<u64, StoreError> {
        self.snapshot.run(statement).await
    }

    /// Runs a guarded change that must touch exactly one row.
    pub(super) async fn change_one(
        &mut self,
        table: &'static str,
        statement: Bound,
    ) -> Result<(), StoreError> {
        match self.execute(statement).await? {
            1 => Ok(()),
            _ => Err(StoreError::Conflict { table }),
        }
    }

    /// Appends an entry to the journal. It is written when the closures that share a commit have run, in few
    /// statements for all of them; its place in the tree is given at commit (SQLite) or right after (PostgreSQL).
    /// That the identifier and the tag are new is found out then, too.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when it has more than four openings.
    pub fn append(&mut self, event: NewEvent) -> Result<(), StoreError> {
        if event.openings.len() > 4 {
            return Err(StoreError::Refused("an entry has four slots".to_owned()));
        }
        let leaf_hash = leaf_hash(&event.entry);
        self.appended.push(Appended { event_id: event.event_id.clone(), leaf_hash });
        self.unwritten.push(event);
        Ok(())
    }

    /// The bytes of an entry with that tag that is appended and not written yet.
    pub(super) fn unwritten_by_tag(&self, tag: &str) -> Option<&[u8]> {
        self.unwritten.iter().rev().find(|event| event.tag == tag).map(|event| event.entry.as_slice())
    }

    /// The leaf hash of an entry this closure appended.
    pub(super) fn leaf_of(&self, event: &EventId) -> Option<Hash> {
        let appended = self.appended.iter().rev().find(|appended| appended.event_id == *event);
        appended.map(|appended| appended.leaf_hash)
    }

    /// How many entries wait to be written.
    pub(super) const fn unwritten(&self) -> usize {
        self.unwritten.len()
    }

    /// Takes back the entries appended since there were `unwritten`: their closure's changes are not kept.
    pub(super) fn forget_appended(&mut self, unwritten: usize) {
        self.unwritten.truncate(unwritten);
    }

    /// Forgets all that a commit that failed left behind.
    pub(super) fn reset(&mut self) {
        self.appended.clear();
        self.unwritten.clear();
        self.snapshot.fault = None;
    }

    /// Writes what was appended.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when an identifier or a tag stands already, [`StoreError::Refused`] when a field
    /// breaks the schema, or any fault of the database.
    pub(super) async fn write_appended(&mut self) -> Result<(), StoreError> {
        let events = std::mem::take(&mut self.unwritten);
        append::write(self, events).await
    }
}

impl Deref for Tx {
    type Target = Snapshot;

    fn deref(&self) -> &Snapshot {
        &self.snapshot
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Snapshot {
        &mut self.snapshot
    }
}
