//! The "Caisse de démonstration": a public service that trusts Porteplume as an OpenID Provider. It shows what a
//! relying party can show and check: whose file is open, by whom, under which mandate and until when; and it asks
//! again, at the moment that counts, whether access still stands.

mod declaration;
mod file;
mod mandate;
mod sign_in;
mod told;

use super::memory::Memory;
use super::server::{SandboxError, with_headers};
use super::site::{Site, cookie};
use crate::clock::{Clock, Entropy};
use crate::config::{Algorithm, AuthMethod, Provider, Secret, UserinfoFormat};
use crate::crypto::SecretString;
use crate::mandate::{CATALOGUE_TOML, Catalogue, CatalogueFile, Instant};
use crate::relying::{Expected, HttpClient, RelyingParty};
use axum::Router;
use axum::http::HeaderMap;
use axum::routing::{get, post};
use declaration::Receipt;
use mandate::Opening;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use time::Duration;
use told::{EVENTS, LOGOUT};
use url::Url;

/// The procedures this service receives: a client must be registered at Porteplume for some of them.
pub const PROCEDURES: [&str; 3] = ["rsa-declaration-trimestrielle", "prime-activite", "aide-logement"];
/// The claims about the usager it asks for, one scope each.
pub const SCOPES: [&str; 4] = ["given_name", "family_name", "preferred_username", "birthdate"];

/// How long someone may take to sign in.
const FLOW_LIFE: Duration = Duration::minutes(30);
/// How long a file stays open without being asked for.
const VISIT_LIFE: Duration = Duration::minutes(30);

/// How the service is set up.
#[derive(Clone)]
pub struct PublicServiceConfig {
    /// Its own origin, without a slash at the end.
    pub origin: String,
    /// Porteplume's issuer.
    pub issuer: String,
    /// Its client identifier at Porteplume.
    pub client_id: String,
    /// Its client secret at Porteplume (`client_secret_basic`).
    pub client_secret: Secret,
    /// Its way out; it must allow loopback.
    pub http: HttpClient,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
}

impl PublicServiceConfig {
    /// The redirect URI to register at Porteplume.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("{}/callback", self.origin)
    }

    /// The post-logout redirect URI to register at Porteplume.
    #[must_use]
    pub fn post_logout_redirect_uri(&self) -> String {
        format!("{}/signed-out", self.origin)
    }

    /// Where it takes logout tokens.
    #[must_use]
    pub fn backchannel_logout_uri(&self) -> String {
        format!("{}{LOGOUT}", self.origin)
    }

    /// Where it takes security events.
    #[must_use]
    pub fn security_events_uri(&self) -> String {
        format!("{}{EVENTS}", self.origin)
    }
}

/// The service. Clones are one and the same.
#[derive(Clone)]
pub struct PublicService(Arc<Service>);

struct Service {
    porteplume: RelyingParty,
    issuer: String,
    client_id: String,
    http: HttpClient,
    signed_out: Url,
    catalogue: Catalogue,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Sign-ins that were begun, by `state`, each with the browser that began it.
    flows: Memory<(String, Expected)>,
    visits: Memory<Visit>,
    /// What was submitted, by the form's one-time key.
    receipts: Memory<Receipt>,
    submitted: AtomicU32,
}

/// An open file: what Porteplume said when it was opened.
#[derive(Clone)]
struct Visit {
    opening: Arc<Opening>,
    subject: String,
    /// The session at Porteplume.
    sid: String,
    /// Whether Porteplume said that it has ended.
    ended: bool,
    id_token: SecretString,
    access_token: SecretString,
    /// What every form of this visit carries.
    csrf: String,
}

impl PublicService {
    /// The service, not yet served.
    ///
    /// # Errors
    /// [`SandboxError::Setup`] for an address that is none.
    pub fn new(config: PublicServiceConfig) -> Result<Self, SandboxError> {
        let address =
            |text: &str| Url::parse(text).map_err(|_| SandboxError::Setup("an address is malformed"));
        let (redirect_uri, signed_out) =
            (address(&config.redirect_uri())?, address(&config.post_logout_redirect_uri())?);
        let provider = Provider {
            label: "Porteplume".to_owned(),
            issuer: config.issuer.clone(),
            client_id: config.client_id.clone(),
            client_secret: config.client_secret,
            auth_method: AuthMethod::ClientSecretBasic,
            scopes: SCOPES.map(str::to_owned).to_vec(),
            acr_values: Vec::new(),
            accepted_acr: Vec::new(),
            pkce: true,
            ui_locales: true,
            login_hint: false,
            claims: None,
            userinfo: UserinfoFormat::Json,
            algorithms: vec![Algorithm::Es256],
            second_factor_acr: Vec::new(),
            second_factor_amr: Vec::new(),
        };
        let porteplume = RelyingParty::new("caisse", provider, redirect_uri, config.http.clone())
            .map_err(|_| SandboxError::Setup("Porteplume's issuer is malformed"))?;
        Ok(Self(Arc::new(Service {
            porteplume,
            issuer: config.issuer,
            client_id: config.client_id,
            http: config.http,
            signed_out,
            catalogue: catalogue()?,
            clock: config.clock,
            entropy: config.entropy,
            flows: Memory::default(),
            visits: Memory::default(),
            receipts: Memory::default(),
            submitted: AtomicU32::new(0),
        })))
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        let router = Router::new()
            .route("/", get(sign_in::home))
            .route("/sign-in", get(sign_in::begin))
            .route("/callback", get(sign_in::callback))
            .route("/file", get(file::show))
            .route("/file/declaration", post(declaration::submit))
            .route("/receipt/{key}", get(declaration::receipt))
            .route("/sign-out", post(sign_in::sign_out))
            .route("/signed-out", get(sign_in::signed_out))
            .route(LOGOUT, post(told::logout))
            .route(EVENTS, post(told::event))
            .with_state(Arc::clone(&self.0))
            .merge(Site::Caisse.common());
        with_headers(router)
    }
}

fn catalogue() -> Result<Catalogue, SandboxError> {
    let file: CatalogueFile =
        toml::from_str(CATALOGUE_TOML).map_err(|_| SandboxError::Setup("the catalogue cannot be read"))?;
    Catalogue::try_from(file).map_err(|_| SandboxError::Setup("the catalogue cannot be used"))
}

type State = axum::extract::State<Arc<Service>>;

impl Service {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The browser's open file, and the name its session has; being asked for keeps it open.
    fn visit(&self, headers: &HeaderMap) -> Option<(String, Visit)> {
        let now = self.now();
        let name = cookie(headers, Site::Caisse.cookie())?;
        let visit = self.visits.get(name, now)?;
        self.visits.put(name, visit.clone(), now, VISIT_LIFE);
        Some((name.to_owned(), visit))
    }
}
