//! The engines: their schema, how PostgreSQL is opened and begun, and how errors are told apart.

use super::{StoreError, StoreOptions};
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AnyConnection, AnyPool, Connection as _, Executor as _, SqlSafeStr as _};
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::Duration;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// enable_seqscan: reading a small table from end to end would count as having read every row of it, and lose the
/// race against whoever changes any. The rest bounds waiting.
const POSTGRES_SESSION: &str = "SET enable_seqscan = off; SET statement_timeout = '10s'; SET idle_in_transaction_session_timeout = '10s'; \
     SET lock_timeout = '5s'; SET synchronous_commit = on; SET timezone = 'UTC'; SET jit = off;";
const POSTGRES_IS_MEMBER: &str = "SELECT COUNT(*) FROM pg_roles WHERE rolname = 'porteplume_service' \
     AND pg_has_role(current_user, oid, 'MEMBER')";
const POSTGRES_ROLE: &str = "SET ROLE porteplume_service";
const POSTGRES_ROLES: &str = "SELECT pg_has_role(session_user, 'porteplume_service', 'MEMBER') AS service, \
     pg_has_role(session_user, 'porteplume_sequencer', 'MEMBER') AS sequencer";
/// Every table belongs to the role that nobody works under.
const POSTGRES_HAND_OVER: &str = "SELECT porteplume_hand_over()";

/// A database engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Embedded, one writing process.
    Sqlite,
    /// A server; many replicas of the service.
    Postgres,
}

impl Engine {
    /// The engine an address names.
    ///
    /// # Errors
    /// [`StoreError::Schema`] never; [`StoreError::Unavailable`] when the address names neither engine.
    pub fn of(url: &str) -> Result<Self, StoreError> {
        match url.split(':').next() {
            Some("sqlite") => Ok(Self::Sqlite),
            Some("postgres" | "postgresql") => Ok(Self::Postgres),
            _ => Err(StoreError::Unavailable("the address must begin with sqlite: or postgres:".to_owned())),
        }
    }

    /// The name, for messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    fn migrations(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE_MIGRATIONS,
            Self::Postgres => &POSTGRES_MIGRATIONS,
        }
    }
}

/// Begins a consistent view for reading on PostgreSQL.
pub(super) const POSTGRES_BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// Begins a write on PostgreSQL.
pub(super) const POSTGRES_BEGIN: &str = "BEGIN ISOLATION LEVEL SERIALIZABLE";
/// Begins a round of sequencing: each statement must see what was committed before it, so a snapshot
/// taken before the lock was granted would be too old.
pub(super) const POSTGRES_BEGIN_SEQUENCING: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";
/// The same under the sequencer's role, in one message: the service itself gives no entry its place.
const POSTGRES_BEGIN_AS_SEQUENCER: &str =
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL ROLE porteplume_sequencer";

/// What takes the sequencer's role in the midst of a transaction, where rounds begin under it.
pub(super) fn sequencing_role(begin: &str) -> Option<&'static str> {
    (begin == POSTGRES_BEGIN_AS_SEQUENCER).then_some("SET LOCAL ROLE porteplume_sequencer")
}

/// Whether the code says that a serialisable transaction, or a deadlock, was lost and may be run again.
pub(super) fn is_lost_race(code: &str) -> bool {
    matches!(code, "40001" | "40P01")
}

/// Whether the code says that the database cannot work now: PostgreSQL's classes 08, 53, 57 and a lock
/// that did not come; a database made read-only;
/// SQLite's busy, locked, read-only, full, I/O (primary codes, low byte of the extended ones).
pub(super) fn is_unavailable(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(sqlite) if code.len() < 5 => matches!(sqlite & 0xff, 5 | 6 | 8 | 10 | 13 | 14),
        _ => {
            ["08", "53", "57"].iter().any(|class| code.starts_with(class))
                || ["55P03", "25006"].contains(&code)
        }
    }
}

/// Whether the code says that a rule of the schema refused: PostgreSQL's class 23 and lacking rights;
/// SQLite's constraint codes.
pub(super) fn is_refusal(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(sqlite) if code.len() < 5 => sqlite & 0xff == 19,
        _ => code.starts_with("23") || code == "42501",
    }
}

pub(super) fn options(url: &str) -> Result<AnyConnectOptions, StoreError> {
    install_default_drivers();
    AnyConnectOptions::from_str(url)
        .map_err(|_| StoreError::Unavailable("the address cannot be read".to_owned()))
}

/// More prepared statements than the default: every statement of the room stays prepared.
fn with_statement_cache(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}statement-cache-capacity=400")
}

/// The connections of PostgreSQL, if its schema fits.
pub(super) async fn connect_pool(config: &StoreOptions) -> Result<AnyPool, StoreError> {
    let pool = AnyPoolOptions::new()
        .max_connections(config.connections.max(2))
        .acquire_timeout(config.patience)
        // Whoever takes one tests it with the first thing it does: see `Snapshot`.
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(prepare_postgres_session(connection)));
    let pool = pool
        .connect_with(options(&with_statement_cache(&config.url))?)
        .await
        .map_err(|error| unopened(Engine::Postgres, error))?;
    check_schema(Engine::Postgres, &mut *pool.acquire().await?).await?;
    Ok(pool)
}

/// How a round of sequencing begins for the account that serves.
///
/// # Errors
/// [`StoreError::Refused`] for an account that has the service's role and not the sequencer's.
pub(super) async fn sequencing_begin(pool: &AnyPool) -> Result<&'static str, StoreError> {
    let roles: (bool, bool) = sqlx::query_as(POSTGRES_ROLES).fetch_one(pool).await?;
    match roles {
        (_, true) => Ok(POSTGRES_BEGIN_AS_SEQUENCER),
        (false, false) => Ok(POSTGRES_BEGIN_SEQUENCING),
        (true, false) => Err(StoreError::Refused(
            "the account may add entries and not give them their place: GRANT porteplume_sequencer to it"
                .to_owned(),
        )),
    }
}

/// Says more than that it failed: whoever sets an instance up meets these first.
fn unopened(engine: Engine, error: sqlx::Error) -> StoreError {
    match (engine, error) {
        // Connections refused are tried again until the time is up.
        (Engine::Postgres, sqlx::Error::PoolTimedOut) => {
            StoreError::Unavailable("no server answers at its address".to_owned())
        }
        (Engine::Sqlite, error) => match error.into() {
            StoreError::Unavailable(why) => {
                StoreError::Unavailable(format!("{why}; `porteplume migrate` makes a new file"))
            }
            other => other,
        },
        (Engine::Postgres, error) => error.into(),
    }
}

/// The service works under its own role where it may: that role cannot change the journal at all.
async fn prepare_postgres_session(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    connection.execute(POSTGRES_SESSION).await?;
    let member: i64 = sqlx::query_scalar(POSTGRES_IS_MEMBER).fetch_one(&mut *connection).await?;
    if member > 0 {
        connection.execute(POSTGRES_ROLE).await?;
    }
    Ok(())
}

/// Brings the schema up to date; makes the database's file on SQLite when it is not there.
pub(super) async fn migrate(url: &str) -> Result<(), StoreError> {
    let engine = Engine::of(url)?;
    let url = match engine {
        Engine::Sqlite => format!("{url}{}mode=rwc", if url.contains('?') { '&' } else { '?' }),
        Engine::Postgres => url.to_owned(),
    };
    let mut connection = AnyConnection::connect_with(&options(&url)?).await?;
    if engine == Engine::Sqlite {
        connection.execute(super::sqlite::SESSION).await?;
    }
    let done = engine.migrations().run_direct(None, &mut connection, false).await;
    let owned = match (engine, &done) {
        (Engine::Postgres, Ok(())) => connection.execute(POSTGRES_HAND_OVER).await.map(drop),
        _ => Ok(()),
    };
    connection.close().await?;
    done.map_err(|error| StoreError::Schema(error.to_string()))?;
    Ok(owned?)
}

/// The file of an SQLite address, if its schema fits.
pub(super) async fn sqlite_file(url: &str) -> Result<PathBuf, StoreError> {
    let connected = AnyConnection::connect_with(&options(url)?).await;
    let mut connection = connected.map_err(|error| unopened(Engine::Sqlite, error))?;
    let fits = check_schema(Engine::Sqlite, &mut connection).await;
    connection.close().await?;
    fits?;
    let file = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::Unavailable("the address cannot be read".to_owned()))?;
    Ok(file.get_filename().to_owned())
}

/// Refuses a schema that is older, newer or altered.
async fn check_schema(engine: Engine, connection: &mut AnyConnection) -> Result<(), StoreError> {
    let applied: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations ORDER BY version")
            .fetch_all(connection)
            .await
            .map_err(|_| StoreError::Schema("the database has none that this account may read".to_owned()))?;
    let known: Vec<(i64, Vec<u8>)> =
        engine.migrations().iter().map(|m| (m.version, m.checksum.to_vec())).collect();
    if applied == known {
        return Ok(());
    }
    Err(StoreError::Schema(format!("{} steps are known, {} are applied", known.len(), applied.len())))
}

/// Prepares a statement without running it.
pub(super) async fn prepare(pool: &AnyPool, text: &'static str) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await?;
    connection.prepare(text.into_sql_str()).await?;
    Ok(())
}

/// The longest pause before a retry, doubled from a millisecond on.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_millis(64);
/// How often a lost race is run again.
pub(super) const MOST_RETRIES: u32 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_both_engines_are_told_apart() {
        let kind = |code| (is_lost_race(code), is_unavailable(code), is_refusal(code));
        for code in ["40001", "40P01"] {
            assert_eq!(kind(code), (true, false, false), "{code}");
        }
        // Busy, locked, busy snapshot, read-only, full, I/O; connection lost, out of memory, shutting down, no lock, read-only.
        for code in ["5", "6", "517", "8", "13", "10", "1034", "08006", "53200", "57P01", "55P03", "25006"] {
            assert_eq!(kind(code), (false, true, false), "{code}");
        }
        // Constraint, foreign key, unique, trigger; PostgreSQL's class 23 and lacking rights.
        for code in ["19", "787", "2067", "1811", "23503", "23514", "42501"] {
            assert_eq!(kind(code), (false, false, true), "{code}");
        }
        for code in ["1", "42P01", "22001", ""] {
            assert_eq!(kind(code), (false, false, false), "{code}");
        }
    }

    #[test]
    fn an_address_names_its_engine() {
        assert_eq!(Engine::of("sqlite:/var/lib/porteplume.sqlite"), Ok(Engine::Sqlite));
        assert_eq!(Engine::of("postgres://db/porteplume"), Ok(Engine::Postgres));
        assert_eq!(Engine::of("postgresql://db/porteplume"), Ok(Engine::Postgres));
        for other in ["", "mysql://db/porteplume", "/var/lib/porteplume.sqlite"] {
            assert!(Engine::of(other).is_err(), "{other}");
        }
    }

    #[test]
    fn both_folders_hold_the_same_steps() {
        let steps = |engine: Engine| -> Vec<_> {
            engine.migrations().iter().map(|step| (step.version, step.description.clone())).collect()
        };
        assert_eq!(steps(Engine::Sqlite), steps(Engine::Postgres));
    }
}
