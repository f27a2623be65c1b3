//! An OpenID Provider that can be told to err in any way, on loopback.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use porteplume::crypto::{Jwks, JwsAlg, TokenKey, sign_jws};
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

/// The client secret it shares with us.
pub(crate) const SECRET: &str = "a secret of more than thirty-two characters";

/// How a token is signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    /// By the published key.
    Own,
    /// By a key nobody published, under the published key's name.
    Stranger,
    /// By the second key, published once [`Script::rotated`] is set.
    Second,
    /// Not at all: `alg` is `none`.
    None,
    /// With the client secret, HS256.
    Secret,
}

/// What an endpoint answers.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(body: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }

    fn into_response(self) -> Response {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers {
            headers.insert(name, value.parse().unwrap());
        }
        (StatusCode::from_u16(self.status).unwrap(), headers, self.body).into_response()
    }
}

/// What it says. Tests bend it.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) discovery: Value,
    pub(crate) rotated: bool,
    pub(crate) id_token: Value,
    pub(crate) id_token_signature: Signature,
    pub(crate) userinfo: Value,
    /// Nothing for plain JSON.
    pub(crate) userinfo_signature: Option<Signature>,
    /// Instead of what an endpoint would answer.
    pub(crate) instead: BTreeMap<&'static str, Answer>,
}

struct Inner {
    keys: [TokenKey; 3],
    script: Mutex<Script>,
    calls: Mutex<BTreeMap<&'static str, usize>>,
    last_token_request: Mutex<String>,
}

#[derive(Clone)]
pub(crate) struct Forger {
    pub(crate) issuer: String,
    inner: Arc<Inner>,
}

#[expect(clippy::disallowed_methods, reason = "ring takes no other source for P-256 keys")]
fn key(kid: &str) -> TokenKey {
    let random = ring::rand::SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    TokenKey::from_pkcs8(kid, JwsAlg::Es256, document.as_ref()).unwrap()
}

impl Forger {
    /// Starts it; it dies with the test's runtime.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let script = Script {
            discovery: json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
                "authorization_response_iss_parameter_supported": true,
            }),
            rotated: false,
            id_token: json!({}),
            id_token_signature: Signature::Own,
            userinfo: json!({"sub": "person-1", "given_name": "Rose"}),
            userinfo_signature: None,
            instead: BTreeMap::new(),
        };
        let inner = Arc::new(Inner {
            keys: [key("first"), key("first"), key("second")],
            script: Mutex::new(script),
            calls: Mutex::default(),
            last_token_request: Mutex::default(),
        });
        let forger = Self { issuer, inner };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(discovery))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .route("/userinfo", get(userinfo))
            .route("/elsewhere", post(token))
            .with_state(forger.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        forger
    }

    pub(crate) fn bend(&self, twist: impl FnOnce(&mut Script)) {
        twist(&mut self.inner.script.lock().unwrap());
    }

    /// How often an endpoint was called.
    pub(crate) fn calls(&self, endpoint: &str) -> usize {
        self.inner.calls.lock().unwrap().get(endpoint).copied().unwrap_or(0)
    }

    /// The body of the last token request.
    pub(crate) fn last_token_request(&self) -> String {
        self.inner.last_token_request.lock().unwrap().clone()
    }

    fn called(&self, endpoint: &'static str) -> (Script, Option<Answer>) {
        *self.inner.calls.lock().unwrap().entry(endpoint).or_default() += 1;
        let script = self.inner.script.lock().unwrap().clone();
        let instead = script.instead.get(endpoint).cloned();
        (script, instead)
    }

    fn signed(&self, claims: &Value, signature: Signature) -> String {
        let by = |key: &TokenKey| sign_jws(key, "JWT", claims.to_string().as_bytes()).unwrap();
        let [own, stranger, second] = &self.inner.keys;
        match signature {
            Signature::Own => by(own),
            Signature::Stranger => by(stranger),
            Signature::Second => by(second),
            Signature::None => format!("{}.", unsigned("none", claims)),
            Signature::Secret => {
                let unsigned = unsigned("HS256", claims);
                let tag =
                    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), unsigned.as_bytes());
                format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(tag))
            }
        }
    }
}

fn unsigned(alg: &str, claims: &Value) -> String {
    let header = json!({"alg": alg, "typ": "JWT"}).to_string();
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

async fn discovery(State(forger): State<Forger>) -> Response {
    let (script, instead) = forger.called("discovery");
    instead.unwrap_or_else(|| Answer::json(&script.discovery)).into_response()
}

async fn jwks(State(forger): State<Forger>) -> Response {
    let (script, instead) = forger.called("jwks");
    let [own, _, second] = &forger.inner.keys;
    let key = if script.rotated { second } else { own };
    let keys = Jwks { keys: vec![key.public_jwk()] };
    instead.unwrap_or_else(|| Answer::json(&keys.to_value())).into_response()
}

async fn token(State(forger): State<Forger>, body: String) -> Response {
    let (script, instead) = forger.called("token");
    *forger.inner.last_token_request.lock().unwrap() = body;
    let answer = Answer::json(&json!({
        "access_token": "access-token",
        "token_type": "Bearer",
        "expires_in": 60,
        "id_token": forger.signed(&script.id_token, script.id_token_signature),
    }));
    instead.unwrap_or(answer).into_response()
}

async fn userinfo(State(forger): State<Forger>, headers: HeaderMap) -> Response {
    let (script, instead) = forger.called("userinfo");
    assert_eq!(headers["authorization"], "Bearer access-token");
    let answer = match script.userinfo_signature {
        None => Answer::json(&script.userinfo),
        Some(signature) => Answer {
            status: 200,
            headers: vec![("content-type", "application/jwt".to_owned())],
            body: forger.signed(&script.userinfo, signature).into_bytes(),
        },
    };
    instead.unwrap_or(answer).into_response()
}
