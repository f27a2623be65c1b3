//! What closures get: [`Snapshot`] to look, [`Tx`] to change facts and append entries.

mod finish;

pub(super) use finish::of_commit;

use super::append::{self, NewEvent};
use super::bound::Bound;
use super::column::{Columns, Row};
use super::sequence::Opening;
use super::sqlite::{Reader, Sqlite};
use super::{StoreError, engine};
use crate::journal::{Hash, leaf_hash};
use crate::mandate::EventId;
use sqlx::any::Any;
use sqlx::pool::PoolConnection;
use sqlx::{AnyConnection, AnyPool, Connection as _, Transaction};
use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

/// The connection a transaction runs on.
enum Link {
    /// SQLite's one writer: begin and commit are the writer's business.
    Writer(Sqlite),
    /// One of SQLite's readers; dropping it rolls back.
    Reader(Reader),
    /// PostgreSQL, a write that has not begun: its first statement begins it.
    Unbegun(AnyPool),
    /// PostgreSQL, a transaction of its own; dropping it rolls back.
    Transaction(Transaction<'static, Any>),
    /// PostgreSQL without a transaction: good for one statement, which is a consistent view by itself.
    Single(PoolConnection<Any>),
}

/// What runs a statement.
enum Runner<'l> {
    Sqlite(&'l mut Sqlite),
    Postgres(&'l mut AnyConnection),
}

/// A consistent view of the database.
pub struct Snapshot {
    link: Link,
    fault: Option<StoreError>,
    /// How many statements may still run.
    left: usize,
    /// Until when.
    until: Option<Instant>,
    /// Data keys made since the transaction began: until it commits, they may come to nothing.
    made: Vec<String>,
}

impl Snapshot {
    pub(super) async fn begin(pool: &AnyPool, begin: &'static str) -> Result<Self, StoreError> {
        Ok(Self::over(Link::Transaction(heard(pool, begin).await?), usize::MAX))
    }

    /// A view for one statement.
    pub(super) async fn single(pool: &AnyPool) -> Result<Self, StoreError> {
        Ok(Self::over(Link::Single(living(pool).await?), 1))
    }

    /// A view of SQLite's: one statement needs no transaction.
    pub(super) fn of_reader(mut reader: Reader, statements: usize) -> Result<Self, StoreError> {
        if statements > 1 {
            reader.connection()?.control("BEGIN DEFERRED")?;
        }
        Ok(Self::over(Link::Reader(reader), statements))
    }

    const fn over(link: Link, left: usize) -> Self {
        Self { link, fault: None, left, until: None, made: Vec::new() }
    }

    /// A transaction begins: nothing was made in it yet.
    pub(super) fn begun(&mut self) {
        self.made.clear();
    }

    /// A data key was made.
    pub(super) fn made(&mut self, key: &str) {
        self.made.push(key.to_owned());
    }

    /// Whether that data key was made in this transaction, by this closure or by one that shares its commit. Whoever keeps
    /// it in memory keeps what may never be committed.
    #[must_use]
    pub fn has_made(&self, key: &str) -> bool {
        self.made.iter().any(|made| made == key)
    }

    /// Counts a statement.
    fn one_more(&mut self) -> Result<(), StoreError> {
        let left = match self.left.checked_sub(1) {
            _ if self.until.is_some_and(|until| Instant::now() > until) => Err(StoreError::TooSlow),
            left => left.ok_or(StoreError::SecondStatement),
        };
        self.left = self.note(left)?;
        Ok(())
    }

    /// Lets statements run for so long: on SQLite nothing else interrupts a closure that keeps asking. None lifts the
    /// limit: what the store does after the closure is not the closure's time.
    pub(super) fn limit(&mut self, longest: Option<Duration>) {
        self.until = longest.and_then(|longest| Instant::now().checked_add(longest));
    }

    async fn runner(&mut self) -> Result<Runner<'_>, StoreError> {
        if let Link::Unbegun(pool) = &self.link {
            self.link = Link::Transaction(heard(pool, engine::POSTGRES_BEGIN).await?);
        }
        match &mut self.link {
            Link::Writer(connection) => Ok(Runner::Sqlite(connection)),
            Link::Reader(reader) => Ok(Runner::Sqlite(reader.connection()?)),
            Link::Transaction(transaction) => Ok(Runner::Postgres(transaction)),
            Link::Single(connection) => Ok(Runner::Postgres(connection)),
            Link::Unbegun(_) => Err(StoreError::Closed),
        }
    }

    /// Ends the view; a transaction of its own commits.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self.link {
            Link::Writer(_) | Link::Reader(_) | Link::Single(_) | Link::Unbegun(_) => Ok(()),
            Link::Transaction(transaction) => Ok(transaction.commit().await?),
        }
    }

    /// Begins, marks or ends a transaction of SQLite's writer.
    pub(super) fn control(&mut self, text: &'static str) -> Result<(), StoreError> {
        match &self.link {
            Link::Writer(connection) => connection.control(text),
            _ => Err(StoreError::Refused("only SQLite's writer ends a transaction in words".to_owned())),
        }
    }

    /// Closes the writer's own connection.
    pub(super) fn close(self) -> Result<(), StoreError> {
        match self.link {
            Link::Writer(connection) => connection.close(),
            Link::Reader(_) | Link::Transaction(_) | Link::Single(_) | Link::Unbegun(_) => Ok(()),
        }
    }

    /// The first statement that failed: from there on nothing of this transaction may be kept.
    pub(super) fn take_fault(&mut self) -> Option<StoreError> {
        self.fault.take()
    }

    fn note<T>(&mut self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        result.inspect_err(|error| {
            self.fault.get_or_insert_with(|| error.clone());
        })
    }

    pub(super) async fn all(&mut self, statement: Bound) -> Result<Vec<Row>, StoreError> {
        self.one_more()?;
        let rows = match self.runner().await {
            Ok(Runner::Sqlite(connection)) => connection.rows(&statement),
            Ok(Runner::Postgres(connection)) => rows(statement, connection).await,
            Err(error) => Err(error),
        };
        self.note(rows)
    }

    pub(super) async fn first(&mut self, statement: Bound) -> Result<Option<Row>, StoreError> {
        Ok(self.all(statement).await?.into_iter().next())
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
        let done = self.change(statement).await;
        self.note(done)
    }

    /// Changes rows for the store itself, which decides what a failure means.
    pub(super) async fn change(&mut self, statement: Bound) -> Result<u64, StoreError> {
        match self.runner().await? {
            Runner::Sqlite(connection) => connection.change(&statement),
            Runner::Postgres(connection) => Ok(statement.query().execute(connection).await?.rows_affected()),
        }
    }
}

/// Begins on a connection of the pool. sqlx forgets a BEGIN whose caller is gone before its answer: the connection would
/// go back into the pool inside that transaction, and the next one to use it would see the past, or be refused to write.
/// A task of its own always hears the answer.
async fn heard(pool: &AnyPool, begin: &'static str) -> Result<Transaction<'static, Any>, StoreError> {
    let pool = pool.clone();
    let task = tokio::spawn(async move { begun(&pool, begin).await });
    Ok(task.await.map_err(|_| StoreError::Panicked)??)
}

/// Begins on a connection of the pool. One that was cut while it lay idle fails at once and is thrown away: nothing has
/// run on it, so the next takes its place. The pool itself would ask each before it gives it, one more round trip.
async fn begun(pool: &AnyPool, begin: &'static str) -> Result<Transaction<'static, Any>, sqlx::Error> {
    let mut left = pool.size();
    loop {
        match pool.begin_with(begin).await {
            Err(error) if left > 0 && was_cut(&error) => left -= 1,
            answer => return answer,
        }
    }
}

/// A connection of the pool that still answers.
async fn living(pool: &AnyPool) -> Result<PoolConnection<Any>, sqlx::Error> {
    let mut left = pool.size();
    loop {
        let mut connection = pool.acquire().await?;
        match connection.ping().await {
            Err(error) if left > 0 && was_cut(&error) => left -= 1,
            Err(error) => return Err(error),
            Ok(()) => return Ok(connection),
        }
    }
}

/// Whether the connection is gone, and not the pool's patience.
fn was_cut(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        sqlx::Error::Database(database) => {
            database.code().is_some_and(|code| code.starts_with("08") || code.starts_with("57"))
        }
        _ => false,
    }
}

async fn rows(statement: Bound, connection: &mut AnyConnection) -> Result<Vec<Row>, StoreError> {
    let rows = statement.query().fetch_all(connection).await?;
    Ok(rows.into_iter().map(Row::Postgres).collect())
}

/// A transaction that may change facts and append entries. Everything a [`Snapshot`] can, it can too.
pub struct Tx {
    snapshot: Snapshot,
    /// What the closure that runs appended.
    appended: Vec<Appended>,
    /// What it appended and is not written yet.
    unwritten: Vec<NewEvent>,
    /// The shard that begins with it.
    pub(super) opening: Option<Opening>,
}

/// An entry appended in this transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The entry.
    pub event_id: EventId,
    pub(super) leaf_hash: Hash,
}

impl Tx {
    pub(super) fn of_writer(connection: Sqlite) -> Self {
        Self::over(Snapshot::over(Link::Writer(connection), usize::MAX))
    }

    /// A write on PostgreSQL; nothing is sent before its first statement.
    pub(super) fn of_pool(pool: &AnyPool) -> Self {
        Self::over(Snapshot::over(Link::Unbegun(pool.clone()), usize::MAX))
    }

    /// One that begins at once, in that way.
    pub(super) async fn begin(pool: &AnyPool, begin: &'static str) -> Result<Self, StoreError> {
        Ok(Self::over(Snapshot::begin(pool, begin).await?))
    }

    const fn over(snapshot: Snapshot) -> Self {
        Self { snapshot, appended: Vec::new(), unwritten: Vec::new(), opening: None }
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

    /// Appends an entry to the journal. Its place in the tree is given at commit (SQLite) or right after (PostgreSQL).
    ///
    /// On SQLite it is written at once: append before the change that names the entry, or SQLite looks through every
    /// table for rows that waited for it. On PostgreSQL it is written at the end: two writes at one mandate then meet
    /// at its row, where the loser is run again, and not at the entry's tag, where it would be told it is taken.
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the identifier or the tag stands already, [`StoreError::Refused`] when it has
    /// more than four openings or a field breaks the schema, or any fault of the database; on PostgreSQL the write
    /// itself ends with them.
    pub async fn append(&mut self, event: NewEvent) -> Result<(), StoreError> {
        let appended = Appended { event_id: event.event_id.clone(), leaf_hash: leaf_hash(&event.entry) };
        match &self.link {
            Link::Writer(_) | Link::Reader(_) => append::write(self, event).await?,
            Link::Unbegun(_) | Link::Transaction(_) | Link::Single(_) => self.unwritten.push(event),
        }
        self.appended.push(appended);
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

    /// Forgets all that a commit that failed left behind.
    pub(super) fn reset(&mut self) {
        self.appended.clear();
        self.opening = None;
        self.snapshot.fault = None;
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
