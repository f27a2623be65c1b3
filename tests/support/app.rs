//! What acts need, over a test database: manual clock, fresh keys, providers that nobody answers for.

use super::database::TestDatabase;
use porteplume::clock::{ManualClock, SystemEntropy};
use porteplume::config::Config;
use porteplume::crypto::KeyStore;
use porteplume::mandate::Instant;
use porteplume::relying::{HttpClient, HttpPolicy, RelyingParty};
use porteplume::service::{self, App, Ctx, Vault};
use porteplume::web::{Edge, Web};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// When every test begins.
const START: Instant = Instant::from_micros(1_790_000_000_000_000);

/// An instance, as far as in-process tests need one.
pub(crate) struct TestApp {
    pub(crate) web: Web,
    pub(crate) clock: ManualClock,
    pub(crate) database: TestDatabase,
}

/// The keys of this run, shared: making RSA keys takes seconds.
fn keys() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keys");
        let _ = std::fs::remove_dir_all(&folder);
        KeyStore::init(&folder, &SystemEntropy, &ManualClock::at(START)).expect("fresh keys");
        folder
    })
}

/// A configuration on loopback.
fn config() -> Config {
    let text = format!(
        r#"
        [server]
        listen = "127.0.0.1:0"
        issuer = "https://mandats.example.fr"
        [database]
        url = "sqlite:opened-by-the-test"
        [keys]
        dir = "{}"
        [journal]
        origin = "porteplume.test/journal"
        [citizens]
        issuer = "http://127.0.0.1:1"
        client_id = "porteplume"
        client_secret = "secret"
        [agents]
        issuer = "http://127.0.0.1:2"
        client_id = "porteplume"
        client_secret = "secret"
        "#,
        keys().display()
    );
    Config::parse(&text, [], &|_| unreachable!("no secret stands in a file")).expect("a configuration")
}

impl TestApp {
    pub(crate) async fn over(database: TestDatabase) -> Self {
        let config = config();
        let clock = ManualClock::at(START);
        let http = HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }).unwrap();
        let party = |name, provider, path| {
            let back = format!("{}{path}", config.server.issuer.as_str()).parse().unwrap();
            RelyingParty::new(name, provider, back, http.clone()).unwrap()
        };
        let app: App = Arc::new(Ctx {
            store: database.store().await,
            keys: KeyStore::open(&config.keys.dir).unwrap().into(),
            vault: Vault::default(),
            catalogue: service::catalogue().unwrap(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SystemEntropy),
            citizens: party("citizens", config.citizens.clone(), "/usager/callback"),
            agents: party("agents", config.agents.clone(), "/aidant/callback"),
            issuer: porteplume::provider::Issuer::parse(config.server.issuer.as_str()).unwrap(),
            origin: config.journal.origin.clone(),
            patience: Duration::from_secs(5),
        });
        let edge = Edge::new(&config.server, config.limits, Arc::new(clock.clone()), Arc::new(SystemEntropy));
        Self { web: Web { app, edge }, clock, database }
    }
}
