//! An instance for the benches: its configuration, its people and its process.

use super::load::peak_memory;
use super::{settings, world};
use porteplume::clock::{SystemClock, SystemEntropy};
use porteplume::config::Config;
use porteplume::crypto::KeyStore;
use porteplume::mandate::{MandateId, Term};
use porteplume::storage::Store;
use porteplume::web::csrf;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

/// How many browsers there are.
pub(crate) const WORKERS: usize = 64;
const MANDATES_EACH: usize = 4;
pub(crate) const PROCEDURE: &str = "prime-activite";
pub(crate) const SECRET: &str = "a-secret-of-the-caisse-0123456789";
pub(crate) const REDIRECT: &str = "https://caisse.example/cb";

/// One aidant at work: a signed-in session and mandates to use.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) cookie: String,
    pub(crate) csrf: String,
    pub(crate) mandates: Vec<MandateId>,
}

/// Writes a configuration and keys into the folder.
pub(crate) fn configure(database: &str, folder: &Path, listen: SocketAddr) -> PathBuf {
    let keys = folder.join("keys");
    KeyStore::init(&keys, &SystemEntropy, &SystemClock).unwrap();
    let more = "[limits]
        authorize_per_address = 1000000
        authorize_per_account = 1000000
        token_per_address = 1000000
        token_per_account = 1000000
        [telemetry]
        format = \"json\"";
    let text =
        settings::configuration(&listen.to_string(), &format!("http://{listen}"), database, &keys, more);
    let path = folder.join("porteplume.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Writes the world straight into the database, through the service layer.
pub(crate) async fn prepare(config: &Path, more: &[Value]) -> Vec<Worker> {
    let text = std::fs::read_to_string(config).unwrap();
    let config = Config::parse(&text, [], &|_| unreachable!("no secret stands in a file")).unwrap();
    Store::migrate(config.database.url.expose()).await.unwrap();
    let app = porteplume::app::open(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap();
    let organisation = world::organisation(&app, "Mairie de Démonstration").await;
    world::client(&app, caisse()).await;
    for registration in more {
        world::client(&app, registration.clone()).await;
    }
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let aidant = world::aidant(&app, &organisation).await;
        let mut mandates = Vec::new();
        for number in 0..MANDATES_EACH {
            let identity = world::identity("Rose", &format!("Martin{worker}n{number}"), "1942-02-28");
            let usager = world::usager(&app, &organisation, identity).await;
            let by = (&organisation, &aidant);
            let row = world::mandate(&app, by, &usager, &[PROCEDURE, "carte-vitale"], Term::Month).await;
            mandates.push(row.mandate.id);
        }
        let opened = world::session_of(&app, world::fresh(&app, &aidant)).await;
        let cookie = format!("porteplume={}", opened.cookie.expose());
        workers.push(Worker { cookie, csrf: csrf::token(&opened.session.csrf), mandates });
    }
    app.store.close().await;
    workers
}

/// The service that the browsers come from.
pub(crate) fn caisse() -> Value {
    json!({
        "id": "caisse",
        "name": "Caisse de démonstration",
        "profile": "oidc",
        "redirect_uris": [REDIRECT],
        "auth_method": "client_secret_basic",
        "secret_hash": world::secret_hash(SECRET),
        "claims": ["given_name", "family_name", "birthdate"],
        "procedures": [PROCEDURE],
    })
}

/// The server's process; ends with this value.
pub(crate) struct Server(Child);

impl Server {
    pub(crate) fn start(config: &Path, listen: SocketAddr, folder: &Path) -> Self {
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_porteplume"))
            .args(["serve", "--config"])
            .arg(config)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self(child);
        for _ in 0..200 {
            if TcpStream::connect(listen).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not answer; see {}", folder.join("server.log").display());
    }

    pub(crate) fn peak_memory(&self) -> f64 {
        peak_memory(self.0.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
