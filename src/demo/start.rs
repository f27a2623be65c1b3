//! The whole demonstration on loopback: the service, its two sandbox providers, the sandbox public service, and
//! fictional people registered in it.

use super::people::{AGENTS, ORGANISATIONS, Post};
use super::postbox::{self, Postbox};
use super::{
    Flavour, IdentityProvider, PublicService, PublicServiceConfig, SandboxClient, SandboxError,
    public_service,
};
use crate::app::{self, StartError};
use crate::clock::{Clock, Entropy, NoEntropy, random};
use crate::config::{
    Config, Database, Issuer, Journal, Keys, Limits, Messages, Networks, Outgoing, Rate, Secret, Server,
    Telemetry,
};
use crate::crypto::{KeyStore, KeyStoreError, SecretString, to_hex};
use crate::mandate::{
    ClientId, Instant, LONGEST_GRANT, ProcedureId, Reach, Role, Slots, Strength, Thresholds, Whereabouts,
};
use crate::provider::{
    Claim, ClientAuthMethod, ClientDraft, IdTokenAlg, Pkce, Profile, Refresh, RequestObjects, Subject,
    UserinfoFormat,
};
use crate::relying::{HttpClient, HttpError, HttpPolicy};
use crate::service::audit::grants::{self, Given};
use crate::service::manage::{self, Invited, Manager};
use crate::service::{self, App, Caller};
use crate::storage::{Store, StoreError};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Why the demonstration does not start.
#[derive(Debug, Error)]
pub enum DemoError {
    /// A file of the data directory.
    #[error("{0} cannot be used: {1}")]
    File(PathBuf, std::io::Error),
    /// What the data directory remembers cannot be read.
    #[error("{0} cannot be read; delete the directory to begin anew")]
    Remembered(PathBuf),
    /// A port is taken.
    #[error("port {0} of this computer is taken: end what uses it, or choose others with --port")]
    Port(u16, std::io::Error),
    /// The service.
    #[error("{0}")]
    Start(#[from] StartError),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The keys.
    #[error("{0}")]
    Keys(#[from] KeyStoreError),
    /// A sandbox.
    #[error("{0}")]
    Sandbox(#[from] SandboxError),
    /// Registering the fictional people.
    #[error("the fictional people cannot be registered: {0}")]
    People(#[from] service::Error),
    /// The HTTP client.
    #[error("{0}")]
    Http(#[from] HttpError),
    /// Chance.
    #[error("{0}")]
    Entropy(#[from] NoEntropy),
    /// A constant of the demonstration is wrong.
    #[error("the demonstration is built wrongly: {0}")]
    Built(&'static str),
}

/// What the data directory remembers, so that people registered at one address are found at it again.
#[derive(Serialize, Deserialize)]
struct Remembered {
    ports: [u16; 4],
    citizens_secret: String,
    agents_secret: String,
    caisse_secret: String,
}

/// How a demonstration is started.
pub struct DemoOptions {
    /// First of four ports; 0 takes free ones. What the data directory remembers comes first.
    pub port: u16,
    /// Where database and keys are.
    pub data: PathBuf,
    /// Another database than the embedded one, migrated already.
    pub database: Option<String>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

/// A running demonstration.
pub struct Demo {
    /// Address of the service.
    pub service: String,
    /// Address of the agents' provider.
    pub agents: String,
    /// Address of the public service.
    pub caisse: String,
    /// Where the messages that people are sent can be read.
    pub messages: String,
    /// The service's context.
    pub app: App,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Demo {
    /// Ends everything and waits for it.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if task.await.is_err() {
                tracing::error!("a server of the demonstration died");
            }
        }
    }
}

/// Starts everything.
///
/// # Errors
/// [`DemoError`].
pub async fn start(options: DemoOptions) -> Result<Demo, DemoError> {
    let DemoOptions { port, data, database, clock, entropy } = options;
    std::fs::create_dir_all(&data).map_err(|error| DemoError::File(data.clone(), error))?;
    let (remembered, listeners) = remember(&data, port, &*entropy).await?;
    let addresses = remembered.ports.map(|port| format!("http://127.0.0.1:{port}"));
    let [service, citizens, agents, caisse] = addresses;
    let (as_citizens, as_agents) = (
        client("citizens", &service, &remembered.citizens_secret),
        client("agents", &service, &remembered.agents_secret),
    );
    let out = HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() })?;
    let postbox = Postbox::new(Arc::clone(&clock), Arc::clone(&entropy), (&service, out.clone()))?;
    let config = configuration(
        &data,
        database,
        (&service, postbox.messages(&caisse)),
        remembered.ports,
        [
            as_citizens.registration(Flavour::Citizens, &citizens),
            as_agents.registration(Flavour::Agents, &agents),
        ],
    )?;
    if !KeyStore::exists(&config.keys.dir) {
        KeyStore::init(&config.keys.dir, &*entropy, &*clock)?;
    }
    Store::migrate(config.database.url.expose()).await?;
    let app = app::open(&config, Arc::clone(&clock), Arc::clone(&entropy)).await?;
    let caisse_config = PublicServiceConfig {
        origin: caisse.clone(),
        issuer: service.clone(),
        client_id: CAISSE.to_owned(),
        client_secret: Secret::new(remembered.caisse_secret.clone()),
        http: out,
        clock: Arc::clone(&clock),
        entropy: Arc::clone(&entropy),
    };
    register(&app, &caisse_config).await?;
    let (stop, stopped) = watch::channel(false);
    let [l_service, l_citizens, l_agents, l_caisse] = listeners;
    let sandbox = |flavour, origin: &str, client| {
        IdentityProvider::new(flavour, origin, vec![client], Arc::clone(&clock), Arc::clone(&entropy))
    };
    let mut tasks = vec![
        spawn(l_citizens, sandbox(Flavour::Citizens, &citizens, as_citizens)?.router(), &stopped),
        spawn(l_agents, sandbox(Flavour::Agents, &agents, as_agents)?.router(), &stopped),
        spawn(l_caisse, PublicService::new(caisse_config)?.router().merge(postbox.router()), &stopped),
    ];
    tasks.push(tokio::spawn({
        let app = Arc::clone(&app);
        async move {
            if let Err(error) = app::serve(&config, app, l_service, stopped).await {
                tracing::error!(%error, "the service failed");
            }
        }
    }));
    let messages = format!("{caisse}{}", postbox::SHOWN);
    Ok(Demo { service, agents, caisse, messages, app, stop, tasks })
}

pub(super) const CAISSE: &str = "caisse-de-demonstration";

fn client(name: &str, service: &str, secret: &str) -> SandboxClient {
    SandboxClient {
        client_id: format!("porteplume-{name}"),
        name: "Porteplume".to_owned(),
        client_secret: Secret::new(secret.to_owned()),
        redirect_uris: vec![format!("{service}/callback/{name}")],
        post_logout_redirect_uris: vec![format!("{service}/signed-out")],
    }
}

fn spawn(listener: TcpListener, router: axum::Router, stopped: &watch::Receiver<bool>) -> JoinHandle<()> {
    let mut stopped = stopped.clone();
    tokio::spawn(async move {
        let end = async move {
            // A sender that is gone means stop as well.
            let _ = stopped.wait_for(|stop| *stop).await;
        };
        if let Err(error) = super::serve(listener, router, end).await {
            tracing::error!(%error, "a sandbox failed");
        }
    })
}

/// Reads what the directory remembers, or makes it; binds the four ports.
async fn remember(
    data: &Path,
    port: u16,
    entropy: &dyn Entropy,
) -> Result<(Remembered, [TcpListener; 4]), DemoError> {
    let file = data.join("demo.toml");
    match std::fs::read_to_string(&file) {
        Ok(text) => {
            let remembered: Remembered =
                toml::from_str(&text).map_err(|_| DemoError::Remembered(file.clone()))?;
            let listeners = bind(remembered.ports).await?;
            Ok((remembered, listeners))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let from = |offset: u16| if port == 0 { 0 } else { port.saturating_add(offset) };
            let listeners = bind([from(0), from(1), from(2), from(3)]).await?;
            let mut ports = [0; 4];
            for (port, listener) in ports.iter_mut().zip(&listeners) {
                *port = listener.local_addr().map_err(|error| DemoError::Port(0, error))?.port();
            }
            let secret = || random::<32>(entropy).map(|bytes| to_hex(&bytes));
            let remembered = Remembered {
                ports,
                citizens_secret: secret()?,
                agents_secret: secret()?,
                caisse_secret: secret()?,
            };
            write(&file, &remembered).map_err(|error| DemoError::File(file, error))?;
            Ok((remembered, listeners))
        }
        Err(error) => Err(DemoError::File(file, error)),
    }
}

/// Written beside and renamed, so that a kill leaves the file whole or absent.
fn write(file: &Path, remembered: &Remembered) -> std::io::Result<()> {
    let text = toml::to_string(remembered).map_err(std::io::Error::other)?;
    let beside = file.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut open = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    std::io::Write::write_all(&mut open, text.as_bytes())?;
    open.sync_all()?;
    std::fs::rename(beside, file)
}

async fn bind(ports: [u16; 4]) -> Result<[TcpListener; 4], DemoError> {
    let one = async |port: u16| {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpListener::bind(address).await.map_err(|error| DemoError::Port(port, error))
    };
    let [a, b, c, d] = ports;
    Ok([one(a).await?, one(b).await?, one(c).await?, one(d).await?])
}

fn configuration(
    data: &Path,
    database: Option<String>,
    (service, messages): (&str, Messages),
    [port, ..]: [u16; 4],
    [citizens, agents]: [crate::config::Provider; 2],
) -> Result<Config, DemoError> {
    let url = database.unwrap_or_else(|| format!("sqlite:{}", data.join("porteplume.sqlite").display()));
    // One computer plays everybody here: what one address may ask for must do for all of them.
    let generous = Rate { per_address: 6_000, per_account: 600 };
    Ok(Config {
        server: Server {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            issuer: Issuer::parse(service).ok_or(DemoError::Built("issuer"))?,
            operator: "Porteplume, démonstration".to_owned(),
            contact: "demonstration@porteplume.example".to_owned(),
            trusted_proxies: Networks::parse(&[]).ok_or(DemoError::Built("networks"))?,
            metrics_listen: None,
        },
        database: Database { url: Secret::new(url), owner_url: None, connections: 8, wait_seconds: 5 },
        keys: Keys { dir: data.join("keys"), pkcs11: None },
        journal: Journal {
            origin: "porteplume.example/demonstration".to_owned(),
            // A demonstration's past is made up: its years are nobody's.
            yearly: false,
            checkpoint_file: Some(data.join("checkpoint")),
            witnesses: Vec::new(),
            timestamp_url: None,
            timestamp_certificates: Vec::new(),
            quorum: 0,
        },
        citizens,
        agents,
        other_agents: Vec::new(),
        outgoing: Outgoing::default(),
        messages,
        themes: Vec::new(),
        texts: None,
        limits: Limits { sign_in: generous, authorize: generous, ..Limits::default() },
        watch: Thresholds::default(),
        telemetry: Telemetry::at_a_terminal(),
    })
}

/// Registers the fictional people and the public service; those that are registered already stay as they are.
async fn register(app: &App, caisse: &PublicServiceConfig) -> Result<(), DemoError> {
    for organisation in ORGANISATIONS {
        let at = Whereabouts {
            address: organisation.address.to_owned(),
            town: organisation.town.to_owned(),
            telephone: Some(organisation.telephone.to_owned()),
        };
        known(manage::add_organisation(app, organisation.name, organisation.siret, &at).await)?;
    }
    let organisations = manage::organisations_list(app).await?;
    for agent in AGENTS {
        let role = match agent.post {
            Post::Referent(_) => Role::Referent,
            Post::Aidant(_) => Role::Aidant,
            Post::Auditor => {
                let added = manage::add_auditor(app, agent.given_name, agent.usual_name, agent.email).await;
                if let Ok(auditor) = &added {
                    let ends_at = app.now().plus(LONGEST_GRANT);
                    let (reach, slots) = (Reach::Everything, Slots::METADATA);
                    let from = Instant::from_micros(0);
                    grants::give(app, auditor, Given { reach, slots, from, until: ends_at, ends_at }).await?;
                }
                known(added)?;
                continue;
            }
            Post::Stranger => continue,
        };
        let siret = agent.post.organisation().map(|organisation| organisation.siret);
        let organisation = organisations
            .iter()
            .find(|row| Some(row.siret.as_str()) == siret)
            .ok_or(DemoError::Built("organisation"))?;
        let invited =
            Invited { given_name: agent.given_name, family_name: agent.usual_name, email: agent.email, role };
        let caller = Caller::default();
        known(manage::invite_aidant(app, &Manager::Operator, &caller, &organisation.id, invited).await)?;
    }
    let secret = SecretString::new(caisse.client_secret.expose().to_owned());
    known(manage::register_client(app, registration(caisse)?, Some(secret)).await)
}

/// Being registered already is no fault.
fn known<T>(done: Result<T, service::Error>) -> Result<(), DemoError> {
    match done {
        Ok(_) | Err(service::Error::Conflict) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn registration(caisse: &PublicServiceConfig) -> Result<ClientDraft, DemoError> {
    let procedures = public_service::PROCEDURES.iter().map(|id| ProcedureId::parse(id));
    Ok(ClientDraft {
        id: ClientId::parse(CAISSE).map_err(|_| DemoError::Built("client"))?,
        name: "Caisse de démonstration".to_owned(),
        profile: Profile::Oidc,
        redirect_uris: vec![caisse.redirect_uri()],
        post_logout_redirect_uris: vec![caisse.post_logout_redirect_uri()],
        backchannel_logout_uri: Some(caisse.backchannel_logout_uri()),
        security_events_uri: Some(caisse.security_events_uri()),
        auth_method: ClientAuthMethod::SecretBasic,
        secret_hash: None,
        jwks: None,
        id_token_alg: IdTokenAlg::Es256,
        pkce: Pkce::Demanded,
        refresh: Refresh::None,
        request_objects: RequestObjects::Optional,
        subject: Subject::Usager,
        userinfo: UserinfoFormat::Json,
        leave_uri: None,
        // It takes whoever comes, and is told how they agreed.
        consent: Strength::Reached,
        claims: public_service::SCOPES.iter().filter_map(|name| Claim::parse(name)).collect(),
        procedures: procedures.collect::<Result<_, _>>().map_err(|_| DemoError::Built("procedures"))?,
        sector: None,
    })
}
