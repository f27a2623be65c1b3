//! A fresh, migrated database per test, on either engine.
//!
//! SQLite lives in a file of its own in the temporary folder. PostgreSQL is reached through the administrator's
//! address in `PORTEPLUME_TEST_POSTGRES`; without it the test fails, it is never skipped.

use porteplume::crypto::{JournalKey, SecretBytes};
use porteplume::journal::{Checkpoint, Hash, Link, Promise, Vkey};
use porteplume::mandate::{EventId, Instant};
use porteplume::storage::{CheckpointSigner, Engine, Store, StoreError, StoreOptions};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

static NUMBER: AtomicU64 = AtomicU64::new(0);
/// The migrated PostgreSQL database the others are copied from.
static TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A migrated database that goes away with its owner.
pub(crate) struct TestDatabase {
    engine: Engine,
    url: String,
    folder: PathBuf,
    name: String,
    /// It stays when its owner goes.
    lent: bool,
}

/// Signs under a key that guards nothing.
pub(crate) struct TestSigner {
    key: JournalKey,
    origin: String,
}

const ORIGIN: &str = "porteplume.test/journal";

/// The tests' signer.
pub(crate) fn signer() -> TestSigner {
    TestSigner::called(ORIGIN)
}

impl TestSigner {
    /// The same signer for the shard of that name.
    pub(crate) fn called(origin: &str) -> Self {
        let key = JournalKey::from_seed(&SecretBytes::new([7; 32])).expect("a seed");
        Self { key, origin: origin.to_owned() }
    }

    /// The key its checkpoints verify under.
    pub(crate) fn verifier(&self) -> Vkey {
        Vkey::new(&self.origin, self.key.public_key()).expect("a key name")
    }
}

impl CheckpointSigner for TestSigner {
    fn origin(&self) -> &str {
        &self.origin
    }

    fn called(&self, origin: &str) -> Result<Arc<dyn CheckpointSigner>, String> {
        Ok(Arc::new(Self::called(origin)))
    }

    fn sign(&self, size: u64, root: &Hash) -> Result<String, String> {
        let checkpoint = Checkpoint { origin: self.origin.clone(), size, root: *root };
        checkpoint.sign(&self.key).map_err(|error| error.to_string())
    }

    fn link(&self, before: u64, size: u64, root: &Hash) -> Result<String, String> {
        let link = Link { origin: self.origin.clone(), before, size, root: *root };
        link.sign(&self.key).map_err(|error| error.to_string())
    }

    fn promise(&self, event: &EventId, leaf: &Hash, now: Instant) -> Result<String, String> {
        Promise::new(&self.origin, event, leaf, now)
            .sign_with(&[&self.key])
            .map_err(|error| error.to_string())
    }

    fn open(&self, note: &str) -> Option<(u64, Hash)> {
        let checkpoint = Checkpoint::open(note, &[self.verifier()]).ok()?;
        Some((checkpoint.size, checkpoint.root))
    }
}

#[expect(clippy::disallowed_methods, reason = "the tests' one setting")]
fn admin_url() -> String {
    std::env::var("PORTEPLUME_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!("PostgreSQL is missing: PORTEPLUME_TEST_POSTGRES is not set (tests/run starts a server and sets it)")
    })
}

fn with_database(url: &str, name: &str) -> String {
    let mut url = url::Url::parse(url).expect("PORTEPLUME_TEST_POSTGRES is an address");
    url.set_path(name);
    url.into()
}

async fn administer(statement: String) {
    sqlx::any::install_default_drivers();
    let mut admin = AnyConnection::connect(&admin_url()).await.expect("PostgreSQL answers");
    admin.execute(AssertSqlSafe(statement)).await.expect("an administrator's statement");
    admin.close().await.expect("close");
}

async fn template() -> &'static str {
    TEMPLATE
        .get_or_init(|| async {
            let name = format!("porteplume_template_{}", std::process::id());
            administer(format!("CREATE DATABASE {name}")).await;
            Store::migrate(&with_database(&admin_url(), &name)).await.expect("migrate");
            name
        })
        .await
}

impl TestDatabase {
    /// A fresh, migrated database.
    pub(crate) async fn fresh(engine: Engine) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("porteplume_test_{}_{number}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let url = match engine {
            Engine::Sqlite => format!("sqlite:{}", folder.join("porteplume.sqlite").display()),
            Engine::Postgres => with_database(&admin_url(), &name),
        };
        match engine {
            Engine::Sqlite => Store::migrate(&url).await.expect("migrate"),
            Engine::Postgres => {
                let template = template().await;
                administer(format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
            }
        }
        Self { engine, url, folder, name, lent: false }
    }

    /// A migrated database of somebody else's.
    pub(crate) fn lent(url: &str, folder: &std::path::Path) -> Self {
        let engine = Engine::of(url).expect("an address");
        Self { engine, url: url.to_owned(), folder: folder.to_owned(), name: String::new(), lent: true }
    }

    /// Its engine.
    pub(crate) fn engine(&self) -> Engine {
        self.engine
    }

    /// A folder of its own, for files beside the database.
    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// Options to open it with.
    pub(crate) fn options(&self) -> StoreOptions {
        // Patient: on a busy machine hundreds of writes share eight connections.
        let patience = Duration::from_mins(1);
        // A starved machine is no reason to stop: tests of back-pressure say when they want it.
        let longest_wait = Duration::from_mins(10);
        StoreOptions { connections: 8, patience, longest_wait, ..StoreOptions::new(self.url.clone()) }
    }

    /// Opens it with a signer of the tests'.
    pub(crate) async fn store(&self) -> Store {
        self.try_store(&self.options()).await.expect("open the store")
    }

    /// Opens it with these options.
    pub(crate) async fn try_store(&self, options: &StoreOptions) -> Result<Store, StoreError> {
        Store::open(options, Arc::new(signer())).await
    }

    /// Takes the database away: PostgreSQL lets nobody in and cuts who is in; SQLite's file is locked by somebody else.
    pub(crate) async fn outage(&self) -> Outage {
        let holder = match self.engine {
            Engine::Sqlite => {
                let mut holder = self.raw().await;
                holder.execute("BEGIN IMMEDIATE").await.expect("the lock");
                Some(holder)
            }
            Engine::Postgres => {
                administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS false", self.name)).await;
                let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname =";
                administer(format!("{cut} '{}'", self.name)).await;
                None
            }
        };
        Outage { name: self.name.clone(), holder }
    }

    /// From now on a table takes no `INSERT` (or `UPDATE`, `DELETE`) any more.
    pub(crate) async fn refuses(&self, verb: &str, table: &str) {
        let when = format!("CREATE TRIGGER test_refuses BEFORE {verb} ON {table}");
        let statement = match self.engine {
            Engine::Sqlite => format!("{when} BEGIN SELECT RAISE(ABORT, 'refused by the test'); END"),
            Engine::Postgres => format!(
                "CREATE OR REPLACE FUNCTION test_refuses() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION \
                 'refused by the test'; END $$; {when} FOR EACH ROW EXECUTE FUNCTION test_refuses()"
            ),
        };
        self.raw().await.execute(AssertSqlSafe(statement)).await.expect("the refusal");
    }

    /// It takes them again.
    pub(crate) async fn takes_again(&self, table: &str) {
        let statement = match self.engine {
            Engine::Sqlite => "DROP TRIGGER test_refuses".to_owned(),
            Engine::Postgres => format!("DROP TRIGGER test_refuses ON {table}"),
        };
        self.raw().await.execute(AssertSqlSafe(statement)).await.expect("no refusal any more");
    }

    /// A bare connection with every right, past the store.
    pub(crate) async fn raw(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.url).await.expect("a bare connection")
    }
}

/// A database that is away.
pub(crate) struct Outage {
    name: String,
    holder: Option<AnyConnection>,
}

impl Outage {
    /// It is back.
    pub(crate) async fn ends(self) {
        match self.holder {
            Some(mut holder) => {
                holder.execute("ROLLBACK").await.expect("the lock is given back");
            }
            None => administer(format!("ALTER DATABASE {} ALLOW_CONNECTIONS true", self.name)).await,
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.lent {
            return;
        }
        let _ = std::fs::remove_dir_all(&self.folder);
        if self.engine == Engine::Postgres {
            let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            let dropped = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(administer(drop));
            });
            let _ = dropped.join();
        }
    }
}

/// Runs each test once per engine: `on_both! { name(database) { ... } }`.
macro_rules! on_both {
    ($($(#[$meta:meta])* $name:ident($database:ident) $body:block)*) => {
        $($(#[$meta])* async fn $name($database: $crate::support::database::TestDatabase) $body)*
        mod sqlite {
            $(#[tokio::test] async fn $name() {
                use $crate::support::database::TestDatabase;
                super::$name(TestDatabase::fresh(porteplume::storage::Engine::Sqlite).await).await;
            })*
        }
        mod postgres {
            $(#[tokio::test] async fn $name() {
                use $crate::support::database::TestDatabase;
                super::$name(TestDatabase::fresh(porteplume::storage::Engine::Postgres).await).await;
            })*
        }
    };
}
pub(crate) use on_both;
