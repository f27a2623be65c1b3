//! A minimal OpenID Provider where one signs in by choosing a fictional person. Used twice: as the citizens' provider
//! it keeps to what FranceConnect does, as the agents' to what ProConnect does, as far as a relying party sees it, and
//! refuses what they refuse (contract `franceconnect.md`, sections 2 and 3).

mod authenticator;
pub(super) use authenticator::base32;
mod authorize;
mod claims;
mod end_session;
mod level;
mod person;
mod request;
mod shape;
mod token;
mod userinfo;

use super::memory::Memory;
use super::server::{SandboxError, with_headers};
use super::site::Site;
use crate::clock::{Clock, Entropy};
use crate::config::{Algorithm, AuthMethod, Provider, Secret, UserinfoFormat};
use crate::crypto::{Jwks, JwsAlg, TokenKey};
use crate::mandate::Instant;
use axum::routing::{get, post};
use axum::{Json, Router};
use person::Person;
use request::AuthorizationRequest;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use std::sync::Arc;
use time::Duration;

/// Where both French providers have their protocol addresses; their issuer ends with it.
const API: &str = "/api/v2";

fn issuer_at(origin: &str) -> String {
    format!("{origin}{API}")
}

/// Which provider a sandbox stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// FranceConnect: identifies usagers.
    Citizens,
    /// FranceConnect+: the same with higher levels of identity and shorter sessions.
    CitizensPlus,
    /// ProConnect: identifies aidants and auditors.
    Agents,
}

impl Flavour {
    const fn site(self) -> Site {
        match self {
            Self::Citizens | Self::CitizensPlus => Site::Citizens,
            Self::Agents => Site::Agents,
        }
    }

    const fn is_franceconnect(self) -> bool {
        matches!(self, Self::Citizens | Self::CitizensPlus)
    }

    /// How long a code may wait: 30 s at FranceConnect, 60 s at ProConnect.
    const fn code_life(self) -> Duration {
        match self {
            Self::Citizens | Self::CitizensPlus => Duration::seconds(30),
            Self::Agents => Duration::seconds(60),
        }
    }

    /// How long access and ID tokens live.
    const fn token_life(self) -> Duration {
        match self {
            Self::Citizens | Self::CitizensPlus => Duration::seconds(60),
            Self::Agents => Duration::hours(1),
        }
    }

    /// How long a sign-in here serves for further ones.
    const fn session_life(self) -> Duration {
        match self {
            Self::Citizens => Duration::minutes(30),
            Self::CitizensPlus => Duration::minutes(10),
            Self::Agents => Duration::hours(12),
        }
    }

    /// How long the page of people may wait for a choice.
    const fn request_life(self) -> Duration {
        match self {
            Self::CitizensPlus => Duration::minutes(10),
            Self::Citizens | Self::Agents => Duration::minutes(30),
        }
    }
}

/// A relying party of a sandbox.
#[derive(Debug, Clone)]
pub struct SandboxClient {
    /// Client identifier.
    pub client_id: String,
    /// Name on the sandbox's pages.
    pub name: String,
    /// Client secret.
    pub client_secret: Secret,
    /// Addresses browsers may be sent back to, compared byte for byte.
    pub redirect_uris: Vec<String>,
    /// Addresses browsers may be sent to after signing out, compared byte for byte.
    pub post_logout_redirect_uris: Vec<String>,
}

impl SandboxClient {
    /// How the client must be configured to sign people in at the sandbox of that flavour at that origin.
    #[must_use]
    pub fn registration(&self, flavour: Flavour, origin: &str) -> Provider {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let citizens = flavour.is_franceconnect();
        let (asked, accepted): (&[&str], &[&str]) = match flavour {
            Flavour::Citizens => (&["eidas1"], &["eidas1"]),
            Flavour::CitizensPlus => (&["eidas2"], &["eidas2", "eidas3"]),
            Flavour::Agents => (&[], &[]),
        };
        Provider {
            label: if citizens { "Identité citoyenne" } else { "Identité professionnelle" }.to_owned(),
            issuer: issuer_at(origin),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret.clone(),
            auth_method: AuthMethod::ClientSecretPost,
            scopes: if citizens {
                texts(&["identite_pivot", "email", "preferred_username", "idp_birthdate"])
            } else {
                texts(&["given_name", "usual_name", "email", "uid", "siret"])
            },
            acr_values: texts(asked),
            accepted_acr: texts(accepted),
            pkce: !citizens,
            ui_locales: true,
            login_hint: false,
            claims: (!citizens).then(|| json!({"id_token": {"amr": null}})),
            userinfo: if citizens { UserinfoFormat::Jwt } else { UserinfoFormat::Json },
            algorithms: vec![Algorithm::Es256],
            second_factor_acr: texts(&["eidas2", "eidas3"]),
            second_factor_amr: texts(&["mfa"]),
        }
    }
}

/// A sandbox identity provider. Clones are one and the same.
#[derive(Clone)]
pub struct IdentityProvider(Arc<Sandbox>);

struct Sandbox {
    flavour: Flavour,
    issuer: String,
    clients: Vec<SandboxClient>,
    key: TokenKey,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    /// Requests that wait for a choice, with the browser that brought them.
    requests: Memory<(String, AuthorizationRequest)>,
    /// Signed-in browsers.
    sessions: Memory<SignIn>,
    codes: Memory<Grant>,
    /// Codes that were exchanged, with the access token each gave.
    spent: Memory<String>,
    tokens: Memory<Grant>,
}

/// Who signed in here, and when.
#[derive(Clone, Copy)]
struct SignIn {
    person: Person,
    at: Instant,
}

/// What a code or an access token stands for.
#[derive(Clone)]
struct Grant {
    sign_in: SignIn,
    acr: &'static str,
    request: AuthorizationRequest,
}

impl IdentityProvider {
    /// A sandbox at that origin, with a signing key of its own, which dies with it.
    ///
    /// # Errors
    /// [`SandboxError::Setup`] when no key can be made.
    pub fn new(
        flavour: Flavour,
        origin: &str,
        clients: Vec<SandboxClient>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, SandboxError> {
        Ok(Self(Arc::new(Sandbox {
            flavour,
            issuer: issuer_at(origin),
            clients,
            key: signing_key().ok_or(SandboxError::Setup("no signing key"))?,
            clock,
            entropy,
            requests: Memory::default(),
            sessions: Memory::default(),
            codes: Memory::default(),
            spent: Memory::default(),
            tokens: Memory::default(),
        })))
    }

    /// Its routes.
    pub fn router(&self) -> Router {
        let api = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/authorize", get(authorize::ask).post(authorize::ask_by_form))
            .route("/token", post(token::exchange))
            .route("/userinfo", get(userinfo::give))
            .route("/session/end", get(end_session::by_get).post(end_session::by_post));
        let mut router = Router::new()
            .nest(API, api)
            .route("/", get(authorize::home))
            .route("/choose", post(authorize::choose));
        if self.0.flavour == Flavour::Agents {
            router = router.route("/authenticator", get(authenticator::ask).post(authenticator::show));
        }
        with_headers(router.with_state(Arc::clone(&self.0)).merge(self.0.flavour.site().common()))
    }
}

impl Sandbox {
    fn now(&self) -> Instant {
        self.clock.now()
    }

    fn client(&self, id: &str) -> Option<&SandboxClient> {
        self.clients.iter().find(|client| client.client_id == id)
    }

    fn jwks(&self) -> Value {
        Jwks { keys: vec![self.key.public_jwk()] }.to_value()
    }
}

#[expect(clippy::disallowed_methods, reason = "ring takes no other source for P-256 keys")]
fn signing_key() -> Option<TokenKey> {
    let random = ring::rand::SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).ok()?;
    TokenKey::from_pkcs8("sandbox-1", JwsAlg::Es256, document.as_ref()).ok()
}

type State = axum::extract::State<Arc<Sandbox>>;

async fn discovery(sandbox: State) -> Json<Value> {
    let issuer = &sandbox.issuer;
    let flavour = sandbox.flavour;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/session/end"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": [if flavour.is_franceconnect() { "pairwise" } else { "public" }],
        "id_token_signing_alg_values_supported": ["ES256"],
        "userinfo_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
        // FranceConnect says so too, and refuses the parameter all the same.
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": level::levels(flavour),
        "scopes_supported": claims::scopes(flavour),
        "claims_parameter_supported": true,
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(sandbox: State) -> Json<Value> {
    Json(sandbox.jwks())
}
