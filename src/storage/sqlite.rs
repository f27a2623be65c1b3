//! SQLite, called directly. A statement takes microseconds; sqlx hands each to a thread of its connection and waits to
//! be woken, which costs ten times that (measured: 1.6 against 17 microseconds, and half the flows a second of
//! `benches/flow.rs`). Nothing here yields; whoever calls stands on a thread that may wait.

use super::bound::{Bound, Value};
use super::column::Row;
use super::{StoreError, engine};
use rusqlite::types::{ToSql, ToSqlOutput, Value as Owned, ValueRef};
use rusqlite::{CachedStatement, Connection, OpenFlags, ffi};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// synchronous=FULL: NORMAL may lose acknowledged commits. recursive_triggers: INSERT OR REPLACE would
/// otherwise delete past the triggers. temp_store: each savepoint's old pages would go through a file. The rest
/// bounds memory, waiting, and the log that is folded back into the file: 16 MB, for a longer one keeps whoever
/// waits for that too long, and folding it from another thread makes commits wait for the same disk.
pub(super) const SESSION: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
     PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA busy_timeout = 5000; \
     PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY; \
     PRAGMA wal_autocheckpoint = 4000;";
/// Readers are many: each keeps two megabytes of its own.
const READER: &str = "PRAGMA query_only = ON; PRAGMA cache_size = -2000;";
/// Every statement of the room stays prepared.
const PREPARED: usize = 400;

/// One connection, with the names of the columns each of its statements gives.
pub(super) struct Sqlite {
    connection: Connection,
    columns: HashMap<&'static str, Arc<[String]>>,
}

impl Sqlite {
    /// The connection that writes.
    pub(super) fn writer(path: &Path) -> Result<Self, StoreError> {
        Self::open(path, SESSION)
    }

    fn open(path: &Path, session: &str) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.execute_batch(session)?;
        connection.set_prepared_statement_cache_capacity(PREPARED);
        Ok(Self { connection, columns: HashMap::new() })
    }

    /// Every row a statement gives.
    pub(super) fn rows(&mut self, statement: &Bound) -> Result<Vec<Row>, StoreError> {
        let mut prepared = bound(&self.connection, statement)?;
        let names = || prepared.column_names().into_iter().map(str::to_owned).collect();
        let columns = Arc::clone(self.columns.entry(statement.text).or_insert_with(names));
        let mut found = Vec::new();
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next()? {
            let values = (0..columns.len()).map(|at| row.get_ref(at).map(owned));
            let values = values.collect::<Result<_, _>>()?;
            found.push(Row::Sqlite { columns: Arc::clone(&columns), values });
        }
        Ok(found)
    }

    /// Runs a statement that changes rows; gives how many it touched.
    pub(super) fn change(&self, statement: &Bound) -> Result<u64, StoreError> {
        let touched = bound(&self.connection, statement)?.raw_execute()?;
        Ok(u64::try_from(touched).unwrap_or(u64::MAX))
    }

    /// Begins, ends or marks a transaction.
    pub(super) fn control(&self, text: &'static str) -> Result<(), StoreError> {
        self.connection.prepare_cached(text)?.raw_execute()?;
        Ok(())
    }

    /// Whether the statement fits the schema.
    pub(super) fn prepare(&self, text: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(text)?;
        Ok(())
    }

    pub(super) fn close(self) -> Result<(), StoreError> {
        self.connection.close().map_err(|(_, error)| error.into())
    }
}

/// To SQLite `$2` is a name like any other: it counts placeholders as it meets them.
fn bound<'c>(connection: &'c Connection, statement: &Bound) -> Result<CachedStatement<'c>, StoreError> {
    let mut prepared = connection.prepare_cached(statement.text)?;
    for met in 1..=prepared.parameter_count() {
        let number = prepared.parameter_name(met).and_then(|name| name.strip_prefix('$')?.parse().ok());
        let value = number.and_then(|number: usize| statement.values.get(number.checked_sub(1)?));
        let value = value.ok_or_else(|| StoreError::Database(format!("no value for placeholder {met}")))?;
        prepared.raw_bind_parameter(met, value)?;
    }
    Ok(prepared)
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let value = match self {
            Self::Text(text) => text.as_ref().map(|text| ValueRef::Text(text.as_bytes())),
            Self::Number(number) => number.map(ValueRef::Integer),
            Self::Bytes(bytes) => bytes.as_deref().map(ValueRef::Blob),
        };
        Ok(ToSqlOutput::Borrowed(value.unwrap_or(ValueRef::Null)))
    }
}

/// Text that is no text stays bytes: whoever reads the column says which row is damaged.
fn owned(value: ValueRef<'_>) -> Owned {
    match value {
        ValueRef::Null => Owned::Null,
        ValueRef::Integer(number) => Owned::Integer(number),
        ValueRef::Real(number) => Owned::Real(number),
        ValueRef::Text(bytes) => match String::from_utf8(bytes.to_vec()) {
            Ok(text) => Owned::Text(text),
            Err(damaged) => Owned::Blob(damaged.into_bytes()),
        },
        ValueRef::Blob(bytes) => Owned::Blob(bytes.to_vec()),
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let rusqlite::Error::SqliteFailure(failure, message) = error else {
            return Self::Database(error.to_string());
        };
        let message = message.unwrap_or_else(|| failure.to_string());
        let code = failure.extended_code.to_string();
        match failure.extended_code {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => Self::Taken(message),
            _ if engine::is_unavailable(&code) => Self::Unavailable(message),
            _ if engine::is_refusal(&code) => Self::Refused(message),
            _ => Self::Database(message),
        }
    }
}

/// The connections for reading.
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Sqlite>>,
    turns: Arc<Semaphore>,
    most: u32,
    patience: Duration,
}

impl Readers {
    /// None is open yet: each is opened when all that are stand in use.
    pub(super) fn new(path: PathBuf, most: u32, patience: Duration) -> Self {
        let turns = Arc::new(Semaphore::new(most as usize));
        Self { path, idle: Mutex::default(), turns, most, patience }
    }

    /// The database's file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for a connection.
    pub(super) async fn take(self: &Arc<Self>) -> Result<Reader, StoreError> {
        let turn = tokio::time::timeout(self.patience, Arc::clone(&self.turns).acquire_owned())
            .await
            .map_err(|_| StoreError::Unavailable("no connection became free".to_owned()))?
            .map_err(|_| StoreError::Closed)?;
        Ok(Reader { connection: None, readers: Arc::clone(self), _turn: turn })
    }

    /// Waits until none is in use, and closes all.
    pub(super) async fn close(&self) {
        let _ = tokio::time::timeout(self.patience, self.turns.acquire_many(self.most)).await;
        self.turns.close();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A connection for reading, given back when dropped.
pub(super) struct Reader {
    connection: Option<Sqlite>,
    readers: Arc<Readers>,
    _turn: OwnedSemaphorePermit,
}

impl Reader {
    /// The connection, opened at its first use.
    pub(super) fn connection(&mut self) -> Result<&mut Sqlite, StoreError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.idle_or_new()?,
        };
        Ok(self.connection.insert(connection))
    }

    fn idle_or_new(&self) -> Result<Sqlite, StoreError> {
        let idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let opened = Sqlite::open(&self.readers.path, SESSION)?;
        opened.connection.execute_batch(READER)?;
        Ok(opened)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        // A connection that cannot even roll back is not used again.
        let clean = connection.connection.is_autocommit() || connection.control("ROLLBACK").is_ok();
        if clean && !self.readers.turns.is_closed() {
            self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::bound::sql;
    use super::super::column::Columns;
    use super::*;

    /// An empty database in a folder of its own.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let folder =
                std::env::temp_dir().join(format!("porteplume-sqlite-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            let file = folder.join("some.sqlite");
            let schema = "CREATE TABLE thing (id TEXT NOT NULL PRIMARY KEY, size INTEGER, bytes BLOB) STRICT";
            Connection::open(&file).unwrap().execute_batch(schema).unwrap();
            Self(file)
        }

        fn readers(&self, most: u32) -> Arc<Readers> {
            Arc::new(Readers::new(self.0.clone(), most, Duration::from_millis(50)))
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
        }
    }

    fn insert(id: &str, size: Option<i64>) -> Bound {
        sql("INSERT INTO thing (size, bytes, id) VALUES ($2, $3, $1)").bind(id).bind(size).bind(vec![7_u8])
    }

    #[test]
    fn values_meet_the_placeholder_of_their_number() {
        let place = Place::new("numbers");
        let mut writer = Sqlite::writer(&place.0).unwrap();
        assert_eq!(writer.change(&insert("a", Some(5))), Ok(1));
        assert_eq!(writer.change(&insert("b", None)), Ok(1));
        for _ in 0..2 {
            let rows =
                writer.rows(&sql("SELECT id, size, bytes FROM thing WHERE id >= $1 ORDER BY id").bind("a"));
            let rows = rows.unwrap();
            let read = |at: usize| {
                let row = Columns::of("thing", &rows[at]);
                (row.text("id").unwrap(), row.number_or_none("size").unwrap(), row.bytes("bytes").unwrap())
            };
            assert_eq!(rows.len(), 2);
            assert_eq!(read(0), ("a".to_owned(), Some(5), vec![7]));
            assert_eq!(read(1), ("b".to_owned(), None, vec![7]));
        }
        let missing = writer.change(&sql("INSERT INTO thing (id, size) VALUES ($1, $2)").bind("c"));
        assert!(matches!(missing, Err(StoreError::Database(_))), "{missing:?}");
        assert_eq!(writer.rows(&sql("SELECT id FROM thing")).unwrap().len(), 2);
    }

    #[test]
    fn faults_are_told_apart() {
        let place = Place::new("faults");
        let writer = Sqlite::writer(&place.0).unwrap();
        writer.change(&insert("a", None)).unwrap();
        assert!(matches!(writer.change(&insert("a", None)), Err(StoreError::Taken(_))));
        let wrong = writer.change(&sql("INSERT INTO thing (id, size) VALUES ('b', 'many')"));
        assert!(matches!(wrong, Err(StoreError::Refused(_))), "{wrong:?}");
        let gone = Sqlite::writer(&place.0.with_file_name("other.sqlite")).map(drop);
        assert!(matches!(gone, Err(StoreError::Unavailable(_))), "{gone:?}");
    }

    #[test]
    fn text_that_is_no_text_names_its_row() {
        let place = Place::new("text");
        let mut writer = Sqlite::writer(&place.0).unwrap();
        writer.change(&insert("a", None)).unwrap();
        let damaged = writer.rows(&sql("SELECT id, CAST(x'ff' AS TEXT) AS name FROM thing")).unwrap();
        let error = Columns::of("thing", &damaged[0]).text("name").unwrap_err();
        assert_eq!(error, StoreError::Inconsistent { table: "thing", column: "name", id: "a".to_owned() });
    }

    #[tokio::test]
    async fn a_reader_changes_nothing_waits_for_its_turn_and_leaves_no_transaction_behind() {
        let place = Place::new("readers");
        let readers = place.readers(1);
        let mut reader = readers.take().await.unwrap();
        let connection = reader.connection().unwrap();
        connection.control("BEGIN DEFERRED").unwrap();
        assert!(connection.rows(&sql("SELECT id FROM thing")).unwrap().is_empty());
        assert!(connection.change(&insert("a", None)).is_err());
        assert!(matches!(readers.take().await.map(drop), Err(StoreError::Unavailable(_))));
        let writer = Sqlite::writer(&place.0).unwrap();
        writer.change(&insert("b", None)).unwrap();
        drop(reader);
        // The next look begins anew, and sees what was written meanwhile.
        let mut reader = readers.take().await.unwrap();
        assert_eq!(reader.connection().unwrap().rows(&sql("SELECT id FROM thing")).unwrap().len(), 1);
        drop(reader);
        readers.close().await;
        assert!(matches!(readers.take().await.map(drop), Err(StoreError::Closed)));
    }
}
