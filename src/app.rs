//! Wiring: from a configuration to a running service.

use crate::clock::{Clock, Entropy};
use crate::config::{Config, EmailWay, Hook, MailTls, TokenAlgorithm};
use crate::courier::{Courier, Couriers, Replies, Smtp, SmtpSettings, SmtpTls, Webhook};
use crate::crypto::{JwsAlg, KeyPlace, KeyStore, KeyStoreError, ModuleAccess, SecretString};
use crate::journal::{self, NamedWitness, Policy, PolicyError, TimestampAuthorities, Vkey, VkeyError};
use crate::mandate::EventKind;
use crate::provider::Issuer;
use crate::relying::{Authority, HttpClient, HttpError, HttpPolicy, RelyingError, RelyingParty};
use crate::service::agents::{Agents, OtherAgents};
use crate::service::texts::{BadText, Texts};
use crate::service::witness::Witness;
use crate::service::{
    self, App, BadCatalogue, Caller, Ctx, Pulse, Record, Tiles, Timestamps, Vault, Witnesses,
};
use crate::storage::{self, JournalSigner, Store, StoreError, StoreOptions};
use crate::web::{self, Edge, Web};
use crate::{jobs, telemetry};
use axum::Router;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a person waits for inclusion before they read "being recorded".
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer of a witness, time-stamping authority or service that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;
const NO_CERTIFICATE: &str = "it holds no certificate, or one that cannot be read";
/// How long open requests may take to finish at shutdown.
const FAREWELL: Duration = Duration::from_secs(10);

/// Why the service does not start. Each says what to do.
#[derive(Debug, Error)]
pub enum StartError {
    /// The keys.
    #[error("{0}")]
    Keys(#[from] KeyStoreError),
    /// The languages of the mandate's text.
    #[error("{0}")]
    Texts(#[from] BadText),
    /// The database.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The journal's origin.
    #[error(
        "journal.origin cannot be used: {0}; write a host and a path, such as \"mandats.example.fr/journal\""
    )]
    Origin(#[from] VkeyError),
    /// A witness's key.
    #[error("the key of the witness {0} in journal.witnesses cannot be used: {1}")]
    Witness(String, VkeyError),
    /// More witnesses are needed than there are.
    #[error("journal.quorum asks for {0} witnesses, and journal.witnesses has {1}")]
    Quorum(usize, usize),
    /// The witnesses together.
    #[error(
        "journal.witnesses cannot be used: {0}; give each witness a name and a key of its own, and none the name \
         \"none\" or \"witnesses\""
    )]
    Witnesses(#[from] PolicyError),
    /// A certificate of a time-stamping authority.
    #[error(
        "{0} in journal.timestamp_certificates cannot be used: {1}; write the path of certificates as PEM"
    )]
    Authority(PathBuf, String),
    /// A certificate of an authority that calls trust.
    #[error("{0} in outgoing.authorities cannot be used: {1}; write the path of certificates as PEM")]
    Outgoing(PathBuf, String),
    /// An authority that nothing vouches for.
    #[error(
        "journal.timestamp_url needs journal.timestamp_certificates: the certificates that the authority is known by"
    )]
    NoAuthority,
    /// The catalogue.
    #[error("{0}")]
    Catalogue(#[from] BadCatalogue),
    /// A provider.
    #[error("the provider in [{0}] cannot be used: {1}")]
    Provider(String, RelyingError),
    /// The HTTP client.
    #[error("outgoing calls cannot be set up: {0}")]
    Http(#[from] HttpError),
    /// The mail server.
    #[error("the mail server in messages.smtp_host cannot be used: {0}")]
    Mail(&'static str),
    /// The public address.
    #[error("server.issuer cannot be used as an address")]
    Issuer,
    /// The listening socket.
    #[error("cannot listen on {0}: {1}; is another service using the port?")]
    Listen(SocketAddr, std::io::Error),
    /// The first entry of a new journal, or the one about the configuration.
    #[error("the journal could not be opened: {0}")]
    Journal(#[from] service::Error),
    /// The socket failed while serving.
    #[error("serving failed: {0}")]
    Serve(std::io::Error),
}

/// Opens everything an instance needs: keys, database, journal, providers.
///
/// # Errors
/// [`StartError`]; on doubt it refuses.
pub async fn open(
    config: &Config,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
) -> Result<App, StartError> {
    let keys = Arc::new(KeyStore::open(key_place(config))?);
    let signer = JournalSigner::new(config.journal.origin.clone(), Arc::clone(&keys))?;
    let signer_keys = signer.verifiers().to_vec();
    let options = StoreOptions {
        connections: config.database.connections,
        patience: Duration::from_secs(config.database.wait_seconds.into()),
        published_checkpoint: config.journal.checkpoint_file.clone(),
        ..StoreOptions::new(config.database.url.expose())
    };
    let store = Store::open(&options, Arc::new(signer)).await?;
    let issuer = config.server.issuer.as_str().to_owned();
    let http = HttpClient::new(&outgoing(config)?)?;
    let party = |name: &str, provider: &crate::config::Provider| {
        let back = format!("{issuer}/callback/{name}").parse().map_err(|_| StartError::Issuer)?;
        RelyingParty::new(name.to_owned(), provider.clone(), back, http.clone())
            .map_err(|e| StartError::Provider(name.to_owned(), e))
    };
    let witnesses = witnesses(config, &signer_keys)?;
    let timestamps = timestamps(config)?;
    let citizens = party("citizens", &config.citizens)?;
    let others = config.other_agents.iter().map(|other| {
        let at = format!("agents/{}", other.id);
        let (id, domains) = (other.id.clone(), other.domains.clone());
        Ok(OtherAgents { party: party(&at, &other.provider)?, id, domains })
    });
    let others = others.collect::<Result<Vec<_>, StartError>>()?;
    let agents = Agents::new(party("agents", &config.agents)?, others);
    let catalogue = service::catalogue_labelled(&config.themes)?;
    let app = Arc::new(Ctx {
        store,
        keys,
        vault: Vault::default(),
        texts: Texts::with_folder(config.texts.as_deref(), &catalogue)?,
        catalogue,
        clock,
        entropy,
        citizens,
        agents,
        issuer: Issuer::parse(&issuer).map_err(|_| StartError::Issuer)?,
        origin: config.journal.origin.clone(),
        yearly: config.journal.yearly,
        patience: PATIENCE,
        pulse: Pulse::default(),
        witnesses,
        timestamps,
        http: HttpClient::new(&HttpPolicy { response_limit: LONGEST_ANSWER, ..outgoing(config)? })?,
        couriers: couriers(config)?,
        tiles: Tiles::default(),
        watch: config.watch.clone(),
    });
    open_journal(&app).await?;
    Ok(app)
}

/// Where the configuration has the keys.
pub(crate) fn key_place(config: &Config) -> KeyPlace {
    let module = config.keys.pkcs11.as_ref().map(|pkcs11| {
        let alg = |named: &TokenAlgorithm| match named {
            TokenAlgorithm::Es256 => JwsAlg::Es256,
            TokenAlgorithm::Rs256 => JwsAlg::Rs256,
            TokenAlgorithm::Ps256 => JwsAlg::Ps256,
            TokenAlgorithm::EdDsa => JwsAlg::EdDsa,
        };
        Arc::new(ModuleAccess {
            path: pkcs11.module.clone(),
            token: pkcs11.token.clone(),
            pin: SecretString::new(pkcs11.pin.expose().to_owned()),
            algs: pkcs11.algorithms.iter().map(alg).collect(),
        })
    });
    KeyPlace { dir: config.keys.dir.clone(), module }
}

/// What outgoing calls may do: an instance on loopback may call loopback.
///
/// # Errors
/// [`StartError::Outgoing`].
fn outgoing(config: &Config) -> Result<HttpPolicy, StartError> {
    let mut trusted = Vec::new();
    for path in &config.outgoing.authorities {
        let refused = |why: String| StartError::Outgoing(path.clone(), why);
        let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
        let found = Authority::read(&pem);
        trusted.extend(found.ok_or_else(|| refused(NO_CERTIFICATE.to_owned()))?);
    }
    Ok(HttpPolicy {
        allow_loopback: !config.server.issuer.is_https(),
        private_hosts: config.outgoing.private_hosts.iter().cloned().collect(),
        authorities: trusted,
        ..HttpPolicy::default()
    })
}

/// Who carries what usagers are told.
///
/// # Errors
/// [`StartError::Mail`], [`StartError::Outgoing`], [`StartError::Http`].
fn couriers(config: &Config) -> Result<Couriers, StartError> {
    let hook = |hook: &Hook| -> Result<Arc<dyn Courier>, StartError> {
        let http = HttpClient::new(&HttpPolicy { response_limit: LONGEST_ANSWER, ..outgoing(config)? })?;
        Ok(Arc::new(Webhook::new(hook.url.clone(), hook.secret.expose(), http)))
    };
    let email = match &config.messages.email {
        Some(EmailWay::Hook(by)) => Some(hook(by)?),
        Some(EmailWay::Smtp(server)) => {
            let pems = config.outgoing.authorities.iter().map(|path| {
                std::fs::read(path).map_err(|error| StartError::Outgoing(path.clone(), error.to_string()))
            });
            let settings = SmtpSettings {
                host: &server.host,
                port: server.port,
                tls: match server.tls {
                    MailTls::Starttls => SmtpTls::Starttls,
                    MailTls::Implicit => SmtpTls::Implicit,
                    MailTls::None => SmtpTls::None,
                },
                credentials: server
                    .credentials
                    .as_ref()
                    .map(|(user, password)| (user.as_str(), password.expose())),
                from: &server.from,
                authorities: &pems.collect::<Result<Vec<_>, _>>()?,
            };
            Some(Arc::new(Smtp::new(&settings).map_err(StartError::Mail)?) as Arc<dyn Courier>)
        }
        None => None,
    };
    let (sms, voice) = (config.messages.sms.as_ref(), config.messages.voice.as_ref());
    let replies = sms.filter(|_| config.messages.sms_replies);
    Ok(Couriers {
        email,
        sms: sms.map(hook).transpose()?,
        voice: voice.map(hook).transpose()?,
        replies: replies.map(|hook| Arc::new(Replies::new(hook.secret.expose()))),
    })
}

/// The witnesses of the configuration. Our policy is read as any verifier would read it: what that refuses cannot be
/// configured.
///
/// # Errors
/// [`StartError::Witness`], [`StartError::Quorum`], [`StartError::Witnesses`], [`StartError::Http`].
pub(crate) fn witnesses(config: &Config, keys: &[Vkey]) -> Result<Witnesses, StartError> {
    let mut named = Vec::new();
    for witness in &config.journal.witnesses {
        let key = Vkey::parse(&witness.vkey);
        let key = key.map_err(|error| StartError::Witness(witness.name.clone(), error))?;
        named.push(NamedWitness { name: witness.name.clone(), key, url: witness.url.clone() });
    }
    let quorum = usize::try_from(config.journal.quorum).unwrap_or(usize::MAX);
    if quorum > named.len() {
        return Err(StartError::Quorum(quorum, named.len()));
    }
    let text = journal::policy(keys, Some(config.server.issuer.as_str()), &named, quorum);
    Policy::parse(text.as_bytes())?;
    let http = HttpClient::new(&HttpPolicy { response_limit: LONGEST_ANSWER, ..outgoing(config)? })?;
    Ok(Witnesses::new(named, quorum, &http))
}

/// The authorities whose time-stamps count.
///
/// # Errors
/// [`StartError::Authority`].
pub(crate) fn authorities(config: &Config) -> Result<TimestampAuthorities, StartError> {
    let mut trusted = TimestampAuthorities::default();
    for path in &config.journal.timestamp_certificates {
        let pem =
            std::fs::read(path).map_err(|error| StartError::Authority(path.clone(), error.to_string()))?;
        trusted.add(&pem).map_err(|_| StartError::Authority(path.clone(), NO_CERTIFICATE.to_owned()))?;
    }
    Ok(trusted)
}

/// Who time-stamps the day's checkpoint.
fn timestamps(config: &Config) -> Result<Timestamps, StartError> {
    let (url, trusted) = (config.journal.timestamp_url.clone(), authorities(config)?);
    if url.is_some() && trusted.is_empty() {
        return Err(StartError::NoAuthority);
    }
    let http = HttpClient::new(&HttpPolicy { response_limit: LONGEST_ANSWER, ..outgoing(config)? })?;
    Ok(Timestamps::new(url, trusted, &http))
}

/// The journal's first entry, when there is none yet.
async fn open_journal(app: &App) -> Result<(), service::Error> {
    let app_ = Arc::clone(app);
    let now = app.now();
    app.include("journal.open", move |tx| {
        let app = Arc::clone(&app_);
        Box::pin(async move {
            if storage::journal::head(tx).await?.is_none()
                && storage::journal::unplaced(tx, 1).await?.is_empty()
            {
                Record::done(EventKind::JournalOpened).append(&app, tx, &Caller::default(), now).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Everything the public reaches.
pub fn router(config: &Config, app: &App) -> Router {
    let edge = Edge::new(&config.server, config.limits, Arc::clone(&app.clock), Arc::clone(&app.entropy));
    web::router(Web { app: Arc::clone(app), edge })
}

/// Serves until `stop` says so, then lets open requests finish, ends the jobs and closes the database.
///
/// # Errors
/// [`StartError::Serve`].
pub async fn serve(
    config: &Config,
    app: App,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StartError> {
    service::configuration::note(&app, &config.sections()).await?;
    let service = router(config, &app).into_make_service_with_connect_info::<SocketAddr>();
    let jobs = jobs::start(&app, stop.clone());
    let mut ending = stop.clone();
    let stopped = async move {
        // A sender that is gone means stop as well.
        let _ = ending.wait_for(|stop| *stop).await;
    };
    let serving = axum::serve(listener, service).with_graceful_shutdown(stopped);
    let served = tokio::select! {
        served = serving => served.map_err(StartError::Serve),
        () = async {
            let _ = stop.wait_for(|stop| *stop).await;
            tokio::time::sleep(FAREWELL).await;
        } => Ok(()),
    };
    jobs.finish().await;
    app.store.close().await;
    served
}

/// Serves a witness until `stop` says so.
///
/// # Errors
/// [`StartError::Serve`].
pub async fn serve_witness(
    witness: Witness,
    listener: TcpListener,
    mut stop: watch::Receiver<bool>,
) -> Result<(), StartError> {
    let stopped = async move {
        // A sender that is gone means stop as well.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let serving = axum::serve(listener, web::witness(Arc::new(witness))).with_graceful_shutdown(stopped);
    serving.await.map_err(StartError::Serve)
}

/// Listens on the configured address.
///
/// # Errors
/// [`StartError::Listen`].
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| StartError::Listen(address, error))
}

/// Serves `/metrics` on a listener of its own, when one is configured.
///
/// # Errors
/// [`StartError::Listen`].
pub async fn serve_metrics(config: &Config, metrics: telemetry::Metrics) -> Result<(), StartError> {
    let Some(address) = config.server.metrics_listen else { return Ok(()) };
    let listener = listen(address).await?;
    let page = web::metrics(move || metrics.render());
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, page).await {
            tracing::error!(%error, "the metrics' listener failed");
        }
    });
    Ok(())
}
