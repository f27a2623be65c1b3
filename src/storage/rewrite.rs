//! Writing the database's files anew, so that nothing deleted is left in them.

use super::StoreError;
use super::engine::{self, Engine};
use super::sqlite;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _, Row as _};
use std::time::Duration;

/// The tables in which erasing a person deletes or changes rows.
const TABLES: [&str; 11] = [
    "opening",
    "event_search",
    "usager",
    "usager_index",
    "data_key",
    "mandate",
    "mandate_paper",
    "asking",
    "revocation_card",
    "session",
    "login_flow",
];

/// A transaction number later than every erasure so far.
const NOW: &str = "SELECT CAST(CAST(pg_current_xact_id() AS xid) AS TEXT)";
/// Who can still see what was there before it: views that began before in this database, and writes that began before in
/// any database of the server, since a view taken now looks back as far as the oldest of them.
const OLDER: &str = "SELECT COUNT(*) FROM pg_stat_activity WHERE pid <> pg_backend_pid() \
    AND (age(backend_xid) > age(CAST($1 AS xid)) \
    OR (datname = current_database() AND age(backend_xmin) > age(CAST($1 AS xid))))";
/// How often, and how many times, older transactions are looked for: a minute.
const LOOK_EVERY: Duration = Duration::from_millis(100);
const MOST_LOOKS: u32 = 600;

/// Writes the files anew that hold what was deleted or changed by an erasure. On SQLite the whole file and its log; on
/// PostgreSQL the tables concerned, which needs their owner (`database.owner_url`) and locks each meanwhile.
///
/// # Errors
/// [`StoreError::Unavailable`] when somebody still reads what was there before: call it again.
pub(super) async fn rewrite(url: &str) -> Result<(), StoreError> {
    let engine = Engine::of(url)?;
    let mut connection = AnyConnection::connect_with(&engine::options(url)?).await?;
    let done = match engine {
        Engine::Sqlite => whole_file(&mut connection).await,
        Engine::Postgres => tables(&mut connection).await,
    };
    connection.close().await?;
    done
}

async fn whole_file(connection: &mut AnyConnection) -> Result<(), StoreError> {
    connection.execute(sqlite::SESSION).await?;
    connection.execute("PRAGMA busy_timeout = 60000; PRAGMA secure_delete = ON").await?;
    connection.execute("VACUUM").await?;
    // The log held the pages as they were before: folded into the file, it is cut to nothing.
    let folded = connection.fetch_one("PRAGMA wal_checkpoint(TRUNCATE)").await?;
    match folded.try_get::<i64, _>(0) {
        Ok(0) => Ok(()),
        _ => Err(StoreError::Unavailable("somebody still reads the database as it was before".to_owned())),
    }
}

async fn tables(connection: &mut AnyConnection) -> Result<(), StoreError> {
    connection.execute("SET lock_timeout = '60s'").await?;
    older_are_over(connection).await?;
    for table in TABLES {
        connection.execute(AssertSqlSafe(format!("VACUUM (FULL) {table}"))).await?;
    }
    Ok(())
}

/// Waits until no transaction is left that could still see what was there before: it would be written anew as well. Those
/// of other accounts show themselves to members of `pg_read_all_stats` only.
async fn older_are_over(connection: &mut AnyConnection) -> Result<(), StoreError> {
    let now: String = sqlx::query_scalar(NOW).fetch_one(&mut *connection).await?;
    for _ in 0..MOST_LOOKS {
        let older: i64 = sqlx::query_scalar(OLDER).bind(now.clone()).fetch_one(&mut *connection).await?;
        if older == 0 {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Err(StoreError::Unavailable("somebody still reads the database as it was before".to_owned()))
}
