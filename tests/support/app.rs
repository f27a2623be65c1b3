//! What acts need, over a test database: manual clock, fresh keys, providers that nobody answers for.

use super::database::{TestDatabase, signer};
use porteplume::clock::{ManualClock, SystemEntropy};
use porteplume::config::{Config, Limits, Provider};
use porteplume::crypto::{KeyPlace, KeyStore};
use porteplume::mandate::{Instant, ThemeId, Thresholds};
use porteplume::relying::{HttpClient, HttpPolicy, RelyingParty};
use porteplume::service::agents::{Agents, OtherAgents};
use porteplume::service::verify::{Journal, Report, verify};
use porteplume::service::{self, App, Ctx, Tiles, Vault};
use porteplume::storage::{Store, StoreError, StoreOptions};
use porteplume::web::{Edge, Web};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// When every test begins.
const START: Instant = Instant::from_micros(1_790_000_000_000_000);

/// An instance, as far as in-process tests need one. Clones are the same instance.
#[derive(Clone)]
pub(crate) struct TestApp {
    pub(crate) web: Web,
    pub(crate) clock: ManualClock,
    pub(crate) database: Arc<TestDatabase>,
}

/// How long an instance waits.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// For the journal.
    pub(crate) patience: Duration,
    /// For an answer, in seconds.
    pub(crate) request_seconds: u32,
}

/// Long enough for a busy machine: only what waits in vain notices.
const USUAL: Pace = Pace { patience: Duration::from_secs(30), request_seconds: 60 };

/// Names the keys of the run whose process this one was started by.
pub(crate) const KEYS: &str = "PORTEPLUME_TEST_KEYS";

#[expect(clippy::disallowed_methods, reason = "said by the process that started this one")]
fn lent_keys() -> Option<PathBuf> {
    std::env::var(KEYS).ok().map(PathBuf::from)
}

/// The keys of this run, shared: making RSA keys takes seconds.
pub(crate) fn keys() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        if let Some(folder) = lent_keys() {
            return folder;
        }
        // Each run has its own: two that share a folder would take each other's keys away.
        let among = Path::new(env!("CARGO_TARGET_TMPDIR"));
        for entry in std::fs::read_dir(among).expect("the folder of the tests").flatten() {
            let name = entry.file_name();
            let run = name.to_str().and_then(|name| name.strip_prefix("keys_"));
            if run.is_some_and(|run| !Path::new("/proc").join(run).exists()) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
        let folder = among.join(format!("keys_{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        KeyStore::init(&folder, &SystemEntropy, &ManualClock::at(START)).expect("fresh keys");
        folder
    })
}

/// A configuration on loopback.
fn config() -> Config {
    known_as("https://mandats.example.fr")
}

fn known_as(issuer: &str) -> Config {
    let text = super::settings::configuration("127.0.0.1:0", issuer, "sqlite:opened-by-the-test", keys(), "");
    Config::parse(&text, [], &|_| unreachable!("no secret stands in a file")).expect("a configuration")
}

/// Porteplume at that provider.
fn party(name: &str, provider: Provider) -> RelyingParty {
    let http = HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }).unwrap();
    party_over(name, provider, http)
}

fn party_over(name: &str, provider: Provider, http: HttpClient) -> RelyingParty {
    let back = format!("{}/callback/{name}", config().server.issuer.as_str()).parse().unwrap();
    RelyingParty::new(name.to_owned(), provider, back, http).unwrap()
}

impl TestApp {
    pub(crate) async fn over(database: TestDatabase) -> Self {
        let store = database.store().await;
        Self::of(Arc::new(database), store, ManualClock::at(START), USUAL)
    }

    /// A service over that database, reached in its own way.
    pub(crate) async fn opened(
        database: TestDatabase,
        options: &StoreOptions,
        pace: Pace,
    ) -> Result<Self, StoreError> {
        let store = database.try_store(options).await?;
        Ok(Self::of(Arc::new(database), store, ManualClock::at(START), pace))
    }

    /// Another process of the same service: the same database, keys and time.
    pub(crate) async fn replica(&self) -> Self {
        let store = self.database.store().await;
        Self::of(Arc::clone(&self.database), store, self.clock.clone(), USUAL)
    }

    /// The same service after a restart in which nobody gives entries their place (PostgreSQL) until
    /// [`Store::sequence_once`] is called.
    pub(crate) async fn held_back(&self) -> Self {
        self.web.app.store.close().await;
        let options = StoreOptions { sequencing: false, ..self.database.options() };
        self.opened_with(&options, Pace { patience: Duration::from_millis(400), ..USUAL }).await
    }

    /// Another process of the same service, its database reached in its own way.
    pub(crate) async fn opened_with(&self, options: &StoreOptions, pace: Pace) -> Self {
        let store = self.database.try_store(options).await.expect("open the store");
        Self::of(Arc::clone(&self.database), store, self.clock.clone(), pace)
    }

    /// The same service, its usagers identified by that provider.
    pub(crate) fn identified_by(self, citizens: Provider) -> Self {
        let party = party("citizens", citizens);
        self.with(|ctx| ctx.citizens = party)
    }

    /// The same service, its aidants and auditors identified by that provider.
    pub(crate) fn employed_by(self, agents: Provider) -> Self {
        self.employed_by_several(agents, Vec::new())
    }

    /// The same service, its aidants and auditors identified by that provider, and by others that speak for a domain.
    pub(crate) fn employed_by_several(self, usual: Provider, others: Vec<(&str, &str, Provider)>) -> Self {
        let others = others.into_iter().map(|(id, domain, provider)| OtherAgents {
            id: id.to_owned(),
            domains: vec![domain.to_owned()],
            party: party(&format!("agents/{id}"), provider),
        });
        let agents = Agents::new(party("agents", usual), others.collect());
        self.with(|ctx| ctx.agents = agents)
    }

    /// The same service, its aidants and auditors identified by that provider, called by that client.
    pub(crate) fn employed_over(self, agents: Provider, http: &HttpClient) -> Self {
        let party = party_over("agents", agents, http.clone());
        self.with(|ctx| ctx.agents = Agents::new(party, Vec::new()))
    }

    /// The same service at that address, calling others by that client.
    pub(crate) fn known_as(self, issuer: &str, http: &HttpClient) -> Self {
        let (server, limits) = (known_as(issuer).server, self.web.edge.limits);
        let edge = Edge::new(&server, limits, Arc::new(self.clock.clone()), Arc::new(SystemEntropy));
        let issuer = porteplume::provider::Issuer::parse(issuer).unwrap();
        let known = self.with(|ctx| (ctx.issuer, ctx.http) = (issuer, http.clone()));
        Self { web: Web { app: known.web.app, edge }, ..known }
    }

    /// The same service, its journal seen by those witnesses.
    pub(crate) fn watched_by(self, witnesses: service::Witnesses) -> Self {
        // The writer drops a closure right after it answered: the last one's may still hold the service.
        while Arc::strong_count(&self.web.app) > 1 {
            std::thread::yield_now();
        }
        self.with(|ctx| ctx.witnesses = witnesses)
    }

    /// The same service, its checkpoints stamped by that authority.
    pub(crate) fn stamped_by(self, timestamps: service::Timestamps) -> Self {
        while Arc::strong_count(&self.web.app) > 1 {
            std::thread::yield_now();
        }
        self.with(|ctx| ctx.timestamps = timestamps)
    }

    /// The same service, whose journal goes on in one shard.
    pub(crate) fn undivided(self) -> Self {
        self.with(|ctx| ctx.yearly = false)
    }

    /// The same service, to which FranceConnect has given other labels of themes.
    pub(crate) fn labelled(self, labels: &[(&str, &str)]) -> Self {
        let labels: Vec<_> =
            labels.iter().map(|(id, label)| (ThemeId::parse(id).unwrap(), (*label).to_owned())).collect();
        self.with(|ctx| ctx.catalogue = service::catalogue_labelled(&labels).unwrap())
    }

    /// The same service, its rules speaking from other numbers on.
    pub(crate) fn told_from(self, watch: Thresholds) -> Self {
        self.with(|ctx| ctx.watch = watch)
    }

    /// The same service, with other keys.
    pub(crate) fn holding(self, keys: KeyStore) -> Self {
        self.with(|ctx| ctx.keys = keys.into())
    }

    /// The same service, what usagers are told carried by those.
    pub(crate) fn carried_by(self, couriers: porteplume::courier::Couriers) -> Self {
        self.with(|ctx| ctx.couriers = couriers)
    }

    fn with(self, change: impl FnOnce(&mut Ctx)) -> Self {
        let mut ctx = Arc::into_inner(self.web.app).expect("nobody uses the service yet");
        change(&mut ctx);
        Self { web: Web { app: Arc::new(ctx), edge: self.web.edge }, ..self }
    }

    /// Demands that the whole journal verifies, and that every fact follows from it.
    pub(crate) async fn verifies(&self) {
        let report = self.report(None, self.web.app.now()).await;
        assert!(report.is_clean(), "{:?}", report.lines());
        super::slots::fit(&self.database).await;
    }

    /// What verification finds at that instant, beside a checkpoint known from outside.
    pub(crate) async fn report(&self, published: Option<PathBuf>, now: Instant) -> Report {
        let store = Store::open_for_reading(&self.database.options()).await.unwrap();
        let (keys, verifiers) = (Arc::clone(&self.web.app.keys), vec![signer().verifier()]);
        let authorities = self.web.app.timestamps.trusted().clone();
        let report = verify(Journal { store: store.clone(), keys, verifiers, published, authorities, now })
            .await
            .unwrap();
        store.close().await;
        report
    }

    fn of(database: Arc<TestDatabase>, store: Store, clock: ManualClock, pace: Pace) -> Self {
        let config = config();
        let app: App = Arc::new(Ctx {
            store,
            keys: KeyStore::open(KeyPlace { dir: config.keys.dir.clone(), module: super::token::lent() })
                .unwrap()
                .into(),
            vault: Vault::default(),
            catalogue: service::catalogue().unwrap(),
            texts: service::texts::Texts::new(&[], &service::catalogue().unwrap()).unwrap(),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SystemEntropy),
            citizens: party("citizens", config.citizens.clone()),
            agents: Agents::new(party("agents", config.agents.clone()), Vec::new()),
            issuer: porteplume::provider::Issuer::parse(config.server.issuer.as_str()).unwrap(),
            origin: config.journal.origin.clone(),
            yearly: config.journal.yearly,
            patience: pace.patience,
            pulse: service::Pulse::default(),
            witnesses: service::Witnesses::default(),
            timestamps: service::Timestamps::default(),
            http: HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }).unwrap(),
            couriers: porteplume::courier::Couriers::default(),
            tiles: Tiles::default(),
            watch: config.watch.clone(),
        });
        let limits = Limits { request_seconds: pace.request_seconds, ..config.limits };
        let edge = Edge::new(&config.server, limits, Arc::new(clock.clone()), Arc::new(SystemEntropy));
        Self { web: Web { app, edge }, clock, database }
    }
}
