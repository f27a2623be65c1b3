//! What closures get: [`Snapshot`] to look, [`Tx`] to change facts and append entries.

use super::column::Columns;
use super::statement::statements;
use super::{StoreError, engine};
use crate::journal::{Hash, leaf_hash};
use crate::mandate::{EventId, EventKind, Instant, Outcome};
use sqlx::any::{Any, AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{AnyConnection, AnyPool, Connection as _, Transaction};
use std::ops::{Deref, DerefMut};

statements! {
    INSERT_EVENT = "INSERT INTO event (event_id, at, tag, entry) VALUES ($1, $2, $3, $4)";
    INSERT_OPENING_1 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES ($1, $2, $3, $4)";
    INSERT_OPENING_2 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES ($1, $2, $3, $4), \
        ($5, $6, $7, $8)";
    INSERT_OPENING_3 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES ($1, $2, $3, $4), \
        ($5, $6, $7, $8), ($9, $10, $11, $12)";
    INSERT_OPENING_4 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES ($1, $2, $3, $4), \
        ($5, $6, $7, $8), ($9, $10, $11, $12), ($13, $14, $15, $16)";
    INSERT_SEARCH = "INSERT INTO event_search (event_id, at, kind, outcome, code, organisation, aidant, mandate, \
        usager, client, procedure) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
}

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
}

/// A consistent view of the database.
pub struct Snapshot {
    link: Link,
    fault: Option<StoreError>,
}

impl Snapshot {
    pub(super) async fn begin(pool: &AnyPool, begin: &'static str) -> Result<Self, StoreError> {
        Ok(Self { link: Link::Transaction(pool.begin_with(begin).await?), fault: None })
    }

    pub(super) fn connection(&mut self) -> &mut AnyConnection {
        match &mut self.link {
            Link::Writer(connection) => connection,
            Link::Transaction(transaction) => transaction,
        }
    }

    /// Ends the view; a transaction of its own commits.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self.link {
            Link::Writer(_) => Ok(()),
            Link::Transaction(transaction) => Ok(transaction.commit().await?),
        }
    }

    /// Closes the writer's own connection; rolls a transaction of its own back.
    pub(super) async fn close(self) -> Result<(), StoreError> {
        match self.link {
            Link::Writer(connection) => Ok(connection.close().await?),
            Link::Transaction(transaction) => Ok(transaction.rollback().await?),
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
        let rows = statement.fetch_all(self.connection()).await;
        self.note(rows)
    }

    pub(super) async fn first(&mut self, statement: Bound) -> Result<Option<AnyRow>, StoreError> {
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
        let done = statement.execute(self.connection()).await;
        self.note(done).map(|done| done.rows_affected())
    }
}

/// A transaction that may change facts and append entries. Everything a [`Snapshot`] can, it can too.
pub struct Tx {
    snapshot: Snapshot,
    appended: Vec<Appended>,
}

/// An entry appended in this transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The entry.
    pub event_id: EventId,
    pub(super) leaf_hash: Hash,
}

/// A new journal entry with all that goes with it.
#[derive(Clone)]
pub struct NewEvent {
    /// Identifier, a `UUIDv7`.
    pub event_id: EventId,
    /// When.
    pub at: Instant,
    /// The mandate's (or other stream's) tag, 32 hexadecimal digits, unique in the journal.
    pub tag: String,
    /// The canonical bytes, hashed for ever.
    pub entry: Vec<u8>,
    /// Sealed openings of its commitments, at most one per slot.
    pub openings: Vec<NewOpening>,
    /// How it can be found.
    pub search: SearchRow,
}

/// What opens one commitment of an entry, sealed under a person's key.
#[derive(Clone)]
pub struct NewOpening {
    /// `act`, `sub`, `aid` or `ctx`.
    pub slot: &'static str,
    /// The data key it is sealed under.
    pub key_id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// How an entry can be found: names of what happened, and parties as blind indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRow {
    /// What it tells of.
    pub kind: EventKind,
    /// How it came out.
    pub outcome: Outcome,
    /// The refusal's code; present exactly when refused.
    pub code: Option<String>,
    /// Blind index of the organisation.
    pub organisation: Option<String>,
    /// Blind index of the aidant.
    pub aidant: Option<String>,
    /// Blind index of the mandate.
    pub mandate: Option<String>,
    /// Blind index of the usager.
    pub usager: Option<String>,
    /// Blind index of the relying party.
    pub client: Option<String>,
    /// Blind index of the procedure.
    pub procedure: Option<String>,
}

impl SearchRow {
    /// A row that names no party yet.
    #[must_use]
    pub const fn new(kind: EventKind, outcome: Outcome) -> Self {
        Self {
            kind,
            outcome,
            code: None,
            organisation: None,
            aidant: None,
            mandate: None,
            usager: None,
            client: None,
            procedure: None,
        }
    }
}

impl Tx {
    pub(super) fn of_writer(connection: AnyConnection) -> Self {
        Self { snapshot: Snapshot { link: Link::Writer(connection), fault: None }, appended: Vec::new() }
    }

    pub(super) async fn begin(pool: &AnyPool) -> Result<Self, StoreError> {
        let snapshot = Snapshot::begin(pool, engine::POSTGRES_BEGIN).await?;
        Ok(Self { snapshot, appended: Vec::new() })
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

    /// Appends an entry to the journal: event, openings and search row in three statements. Its place
    /// in the tree is given at commit (SQLite) or right after (PostgreSQL).
    ///
    /// # Errors
    /// [`StoreError::Taken`] when the identifier or the tag stands already, [`StoreError::Refused`] when a
    /// field breaks the schema, or any fault of the database.
    pub async fn append(&mut self, event: NewEvent) -> Result<(), StoreError> {
        let leaf_hash = leaf_hash(&event.entry);
        let insert = sql(INSERT_EVENT)
            .bind(event.event_id.as_str())
            .bind(event.at.micros())
            .bind(event.tag)
            .bind(event.entry);
        self.execute(insert).await?;
        self.append_openings(&event.event_id, event.openings).await?;
        let search = event.search;
        let insert = sql(INSERT_SEARCH)
            .bind(event.event_id.as_str())
            .bind(event.at.micros())
            .bind(search.kind.as_str())
            .bind(search.outcome.as_str())
            .bind(search.code)
            .bind(search.organisation)
            .bind(search.aidant)
            .bind(search.mandate)
            .bind(search.usager)
            .bind(search.client)
            .bind(search.procedure);
        self.execute(insert).await?;
        self.appended.push(Appended { event_id: event.event_id, leaf_hash });
        Ok(())
    }

    async fn append_openings(&mut self, id: &EventId, openings: Vec<NewOpening>) -> Result<(), StoreError> {
        let text = match openings.len() {
            0 => return Ok(()),
            1 => INSERT_OPENING_1,
            2 => INSERT_OPENING_2,
            3 => INSERT_OPENING_3,
            4 => INSERT_OPENING_4,
            _ => return Err(StoreError::Refused("an entry has four slots".to_owned())),
        };
        let mut insert = sql(text);
        for opening in openings {
            insert = insert.bind(id.as_str()).bind(opening.slot).bind(opening.key_id).bind(opening.sealed);
        }
        self.execute(insert).await.map(|_| ())
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
