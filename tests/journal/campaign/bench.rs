//! Where cases are tried: a database without walls, its tables as they were kept beside, and a verification that stays
//! open.

use super::values::{Kind, Value};
use crate::storage::sample::in_minutes;
use crate::support::app::TestApp;
use crate::support::database::signer;
use porteplume::journal::TimestampAuthorities;
use porteplume::service::verify::{Journal, verify};
use porteplume::storage::{Engine, Store};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _, Row as _};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Mutex;

/// A column of the catalogue.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A table as it was written.
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    /// In their order; a row is found by its number, which stands in a column of the campaign's own.
    pub(super) rows: Vec<BTreeMap<String, Value>>,
}

/// One tampering.
pub(super) struct Case {
    pub(super) what: String,
    /// The tables it touches, to be put back.
    pub(super) tables: Vec<String>,
    pub(super) statements: Vec<String>,
    /// A checkpoint that somebody outside holds.
    pub(super) outside: Option<String>,
    /// What a finding must say, one of these.
    pub(super) names: Vec<String>,
}

pub(super) struct Bench {
    test: TestApp,
    reader: Store,
    raw: Mutex<AnyConnection>,
    tables: BTreeMap<String, Table>,
    catalogue: BTreeSet<String>,
}

/// The campaign's own column.
pub(super) const NUMBER: &str = "campaign_number";

impl Bench {
    /// Over these tables of a journal; the others stay as they are.
    pub(super) async fn over(test: TestApp, tampered: &[&str]) -> Self {
        let engine = test.database.engine();
        let mut raw = test.database.raw().await;
        let catalogue = names(&mut raw, engine).await;
        if engine == Engine::Sqlite {
            let triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'";
            let triggers: Vec<String> = sqlx::query_scalar(triggers).fetch_all(&mut raw).await.unwrap();
            for trigger in triggers {
                run(&mut raw, &format!("DROP TRIGGER {trigger}")).await;
            }
            run(
                &mut raw,
                "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; PRAGMA synchronous = OFF",
            )
            .await;
        }
        let mut read = BTreeMap::new();
        for table in tampered {
            // A copy has no key, no reference, no check and no trigger.
            let columns = columns(&mut raw, engine, table).await;
            let order: Vec<String> = (1..=columns.len()).map(|number| number.to_string()).collect();
            let order = if *table == "opening" { vec!["1".into(), "2".into()] } else { order };
            for statement in [
                format!("ALTER TABLE {table} RENAME TO walled_{table}"),
                format!(
                    "CREATE TABLE kept_{table} AS SELECT sorted.*, ROW_NUMBER() OVER () - 1 AS {NUMBER} FROM \
                     (SELECT * FROM walled_{table} ORDER BY {}) AS sorted",
                    order.first().unwrap()
                ),
                format!("CREATE TABLE {table} AS SELECT * FROM kept_{table}"),
            ] {
                run(&mut raw, &statement).await;
            }
            if engine == Engine::Postgres {
                run(&mut raw, &format!("GRANT SELECT ON {table} TO porteplume_service")).await;
            }
            let rows = sqlx::query(AssertSqlSafe(format!("SELECT * FROM {table} ORDER BY {NUMBER}")));
            let rows = rows.fetch_all(&mut raw).await.unwrap();
            let rows = rows.iter().map(|row| cells(row, &columns)).collect();
            read.insert((*table).to_owned(), Table { columns, rows });
        }
        let reader = Store::open_for_reading(&test.database.options()).await.unwrap();
        let bench = Self { test, reader, raw: Mutex::new(raw), tables: read, catalogue };
        let said = bench.verified(None).await;
        assert_eq!(said, Vec::<String>::new(), "what nobody touched holds");
        bench
    }

    pub(super) fn engine(&self) -> Engine {
        self.test.database.engine()
    }

    pub(super) fn table(&self, name: &str) -> &Table {
        &self.tables[name]
    }

    /// The tables there are.
    pub(super) fn catalogue(&self) -> BTreeSet<String> {
        self.catalogue.clone()
    }

    /// Tries each case, and says how many there were.
    pub(super) async fn run(&self, cases: Vec<Case>) -> usize {
        let mut missed = Vec::new();
        let number = cases.len();
        for case in cases {
            let changed = format!("BEGIN; {}; COMMIT", case.statements.join("; "));
            run(&mut *self.raw.lock().await, &changed).await;
            let outside = case.outside.map(|note| {
                let path = self.test.database.folder().join("outside");
                std::fs::write(&path, note).unwrap();
                path
            });
            let said = self.verified(outside).await;
            if !said.iter().any(|line| case.names.iter().any(|name| says(line, name))) {
                missed.push(format!("{}: expected one of {:?} in {:#?}", case.what, case.names, said));
            }
            let back = case
                .tables
                .iter()
                .map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}"));
            let back = format!("BEGIN; {}; COMMIT", back.collect::<Vec<_>>().join("; "));
            run(&mut *self.raw.lock().await, &back).await;
        }
        let shown = missed.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert!(missed.is_empty(), "{} of {number} were not found, or not named:\n{shown}", missed.len());
        assert_eq!(self.verified(None).await, Vec::<String>::new(), "put back, it holds again");
        number
    }

    async fn verified(&self, published: Option<PathBuf>) -> Vec<String> {
        let verified = verify(Journal {
            store: self.reader.clone(),
            keys: Arc::clone(&self.test.web.app.keys),
            verifiers: vec![signer().verifier()],
            published,
            authorities: TimestampAuthorities::default(),
            now: in_minutes(60),
        });
        match verified.await {
            Ok(report) => report.lines(),
            Err(error) => vec![error.to_string()],
        }
    }
}

/// Whether a line says a name, and not a longer one that begins with it.
fn says(line: &str, name: &str) -> bool {
    line.split(name).skip(1).any(|rest| !rest.starts_with(|next: char| next.is_ascii_alphanumeric()))
}

async fn run(raw: &mut AnyConnection, statements: &str) {
    let done = raw.execute(AssertSqlSafe(statements.to_owned())).await;
    done.unwrap_or_else(|error| panic!("{statements}: {error}"));
}

async fn names(raw: &mut AnyConnection, engine: Engine) -> BTreeSet<String> {
    let query = match engine {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'"
        }
    };
    let names: Vec<String> = sqlx::query_scalar(query).fetch_all(raw).await.unwrap();
    names.into_iter().collect()
}

async fn columns(raw: &mut AnyConnection, engine: Engine, table: &str) -> Vec<Column> {
    let query = match engine {
        Engine::Sqlite => format!("SELECT name, type FROM pragma_table_info('{table}') ORDER BY cid"),
        Engine::Postgres => format!(
            "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT) FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
        ),
    };
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(raw).await.unwrap();
    let column = |row: &AnyRow| Column { name: row.get(0), kind: Kind::declared(&row.get::<String, _>(1)) };
    rows.iter().map(column).collect()
}

fn cells(row: &AnyRow, columns: &[Column]) -> BTreeMap<String, Value> {
    let cell = |column: &Column| {
        let name = column.name.as_str();
        let value = match column.kind {
            Kind::Number => row.get::<Option<i64>, _>(name).map(Value::Number),
            Kind::Text => row.get::<Option<String>, _>(name).map(Value::Text),
            Kind::Bytes => row.get::<Option<Vec<u8>>, _>(name).map(Value::Bytes),
        };
        (name.to_owned(), value.unwrap_or(Value::Null))
    };
    columns.iter().map(cell).collect()
}
