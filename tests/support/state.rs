//! What a database holds, for "nothing changed".

use super::database::TestDatabase;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use porteplume::crypto::to_hex;
use porteplume::storage::Engine;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use std::collections::BTreeMap;

/// Facts: every row has a version.
const FACTS: [&str; 11] = [
    "aidant",
    "asking",
    "auditor",
    "client",
    "factor",
    "mandate",
    "organisation",
    "reading",
    "representation",
    "revocation_card",
    "usager",
];
/// What somebody is given, or may do once: a row more or less is an effect.
const EFFECTS: [&str; 8] = [
    "access_token",
    "authorization_code",
    "closed_procedure",
    "idempotency",
    "mandate_paper",
    "mandate_procedure",
    "recovery_code",
    "usager_index",
];

/// Everything a refusal must leave as it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct State(BTreeMap<String, String>);

async fn number(connection: &mut AnyConnection, text: String) -> i64 {
    sqlx::query(AssertSqlSafe(text)).fetch_one(connection).await.expect("a count").get(0)
}

impl State {
    pub(crate) async fn of(database: &TestDatabase) -> Self {
        let mut raw = database.raw().await;
        let mut found = BTreeMap::new();
        for table in FACTS {
            let rows = number(&mut raw, format!("SELECT count(*) FROM {table}")).await;
            let versions = format!("SELECT CAST(coalesce(sum(version), 0) AS BIGINT) FROM {table}");
            found.insert(
                table.to_owned(),
                format!("{rows} rows, versions {}", number(&mut raw, versions).await),
            );
        }
        for table in EFFECTS {
            let rows = number(&mut raw, format!("SELECT count(*) FROM {table}")).await;
            found.insert(table.to_owned(), format!("{rows} rows"));
        }
        for table in ["access_token", "authorization_code"] {
            let live = format!("SELECT count(*) FROM {table} WHERE revoked_at IS NULL");
            found.insert(format!("{table}, live"), number(&mut raw, live).await.to_string());
        }
        Self(found)
    }
}

/// How many entries tell of something done, and how many of a refusal.
pub(crate) async fn entries(database: &TestDatabase) -> (i64, i64) {
    let mut raw = database.raw().await;
    let mut told = async |outcome: &str| {
        number(&mut raw, format!("SELECT count(*) FROM event_search WHERE outcome = '{outcome}'")).await
    };
    (told("done").await, told("refused").await)
}

/// The journal as it stands: every placed entry in its order, then every checkpoint.
pub(crate) async fn journal(database: &TestDatabase) -> (Vec<String>, Vec<String>) {
    let mut raw = database.raw().await;
    let hex = |column: &str| match database.engine() {
        Engine::Sqlite => format!("hex({column})"),
        Engine::Postgres => format!("encode({column}, 'hex')"),
    };
    let entries = format!(
        "SELECT event.event_id || ' ' || tag || ' ' || {} || ' ' || {} FROM leaf JOIN event \
         ON event.event_id = leaf.event_id ORDER BY leaf.idx",
        hex("leaf_hash"),
        hex("entry")
    );
    let checkpoints = "SELECT note FROM checkpoint ORDER BY size".to_owned();
    let mut told = async |text: String| {
        let rows = sqlx::query(AssertSqlSafe(text)).fetch_all(&mut raw).await.expect("the journal");
        rows.iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    (told(entries).await, told(checkpoints).await)
}

/// Every byte a database keeps, as far as somebody who steals it could read it; each as the character of its number.
pub(crate) struct Stolen(String);

fn characters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

impl Stolen {
    pub(crate) async fn from(database: &TestDatabase) -> Self {
        let mut bytes = Vec::new();
        match database.engine() {
            Engine::Sqlite => {
                for file in std::fs::read_dir(database.folder()).expect("the database's folder") {
                    bytes.extend(std::fs::read(file.expect("a file").path()).expect("its bytes"));
                }
            }
            Engine::Postgres => {
                let mut raw = database.raw().await;
                let tables = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'";
                let tables = sqlx::query(tables).fetch_all(&mut raw).await.expect("the tables");
                for table in tables {
                    let text =
                        format!("SELECT CAST(row_to_json(t) AS TEXT) FROM {} t", table.get::<String, _>(0));
                    for row in sqlx::query(AssertSqlSafe(text)).fetch_all(&mut raw).await.expect("the rows") {
                        bytes.extend_from_slice(row.get::<String, _>(0).as_bytes());
                    }
                }
            }
        }
        Self(characters(&bytes))
    }

    /// Whether it holds this in clear: as it is, in hexadecimal (as columns of bytes are read, too) or in base64.
    pub(crate) fn holds(&self, text: impl AsRef<[u8]>) -> bool {
        let bytes = text.as_ref();
        let hex = to_hex(bytes);
        [
            characters(bytes),
            hex.to_uppercase(),
            hex,
            STANDARD_NO_PAD.encode(bytes),
            URL_SAFE_NO_PAD.encode(bytes),
        ]
        .iter()
        .any(|form| self.0.contains(form))
    }
}
