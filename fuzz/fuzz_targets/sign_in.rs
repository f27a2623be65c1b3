//! What a provider answers to us as relying party, over a connection on loopback as in life. The first line says what the
//! rest is: `id-token` a header, a payload and the body of userinfo, a line each, the ID token signed with the provider's key;
//! `userinfo` a header and a payload that it signs likewise; `discovery` what it says of itself; anything else is
//! the body of the whole token answer. `@issuer` stands for its address.
#![no_main]

use axum::http::Uri;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use libfuzzer_sys::fuzz_target;
use porteplume::config::{Algorithm, AuthMethod, Provider, Secret, UserinfoFormat};
use porteplume::crypto::SecretString;
use porteplume::relying::{
    CallbackQuery, Expected, HttpClient, HttpPolicy, RelyingError, RelyingParty, SignedIn,
};
use porteplume_fuzz::{JWKS, NOW, from_now, line, object, seconds, signed, text};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock, Mutex};
use time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use url::Url;

const SUBJECT: &str = "person-1";
const HEADER: &[u8] = br#"{"alg":"ES256","kid":"k"}"#;
const SKEW: Duration = Duration::seconds(30);

/// What the provider answers now; an answer that is empty is the sound one.
#[derive(Default, Clone)]
struct Answers {
    discovery: Vec<u8>,
    token: Vec<u8>,
    userinfo: Vec<u8>,
}

struct World {
    runtime: Runtime,
    issuer: String,
    answers: Arc<Mutex<Answers>>,
    http: HttpClient,
    /// With plain userinfo, and with signed.
    parties: [RelyingParty; 2],
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
    let issuer = format!("http://{}", listener.local_addr().expect("an address"));
    let answers = Arc::new(Mutex::new(Answers::default()));
    let (own, said) = (issuer.clone(), answers.clone());
    let router = axum::Router::new().fallback(async move |uri: Uri| {
        let said = said.lock().expect("no panic goes on").clone();
        answer(&own, uri.path(), said)
    });
    runtime.spawn(async move { axum::serve(listener, router).await });
    let http =
        HttpClient::new(&HttpPolicy { allow_loopback: true, ..HttpPolicy::default() }).expect("a client");
    let parties = [UserinfoFormat::Json, UserinfoFormat::Jwt].map(|format| party(&issuer, format, &http));
    World { runtime, issuer, answers, http, parties }
});

fn answer(issuer: &str, path: &str, said: Answers) -> Response {
    let or =
        |said: Vec<u8>, sound: Value| if said.is_empty() { sound.to_string().into_bytes() } else { said };
    let body = match path {
        "/.well-known/openid-configuration" => or(
            said.discovery,
            json!({
                "issuer": issuer,
                "authorization_endpoint": format!("{issuer}/authorize"),
                "token_endpoint": format!("{issuer}/token"),
                "userinfo_endpoint": format!("{issuer}/userinfo"),
                "jwks_uri": format!("{issuer}/jwks"),
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }),
        ),
        "/jwks" => JWKS.to_string().into_bytes(),
        "/token" => said.token,
        _ => or(said.userinfo, json!({"sub": SUBJECT, "given_name": "Rose"})),
    };
    let compact = path == "/userinfo" && body.first() != Some(&b'{');
    ([(CONTENT_TYPE, if compact { "application/jwt" } else { "application/json" })], body).into_response()
}

fn party(issuer: &str, userinfo: UserinfoFormat, http: &HttpClient) -> RelyingParty {
    let provider = Provider {
        label: String::new(),
        issuer: issuer.to_owned(),
        client_id: "porteplume".to_owned(),
        client_secret: Secret::new("a secret of more than thirty-two characters".to_owned()),
        auth_method: AuthMethod::ClientSecretPost,
        scopes: Vec::new(),
        acr_values: Vec::new(),
        accepted_acr: vec!["eidas1".to_owned(), "eidas2".to_owned()],
        pkce: true,
        ui_locales: true,
        login_hint: false,
        claims: None,
        userinfo,
        algorithms: vec![Algorithm::Es256],
        second_factor_acr: vec!["eidas2".to_owned()],
        second_factor_amr: vec!["mfa".to_owned()],
    };
    let redirect_uri = Url::parse("http://127.0.0.1:1/callback").expect("an address");
    RelyingParty::new("fuzz", provider, redirect_uri, http.clone()).expect("a party")
}

fn sign_in(party: &RelyingParty, answers: Answers) -> Result<SignedIn, RelyingError> {
    *WORLD.answers.lock().expect("no panic goes on") = answers;
    let secret = |text: &str| SecretString::new(text.to_owned());
    let expected = Expected {
        state: secret("state"),
        nonce: secret("nonce-of-this-sign-in"),
        pkce_verifier: Some(secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
        begun_at: NOW,
        authenticated_since: Some(NOW),
    };
    let text = |text: &str| Some(text.to_owned());
    let query = CallbackQuery { code: text("code"), state: text("state"), iss: None, error: None };
    WORLD.runtime.block_on(party.complete(&query, &expected, NOW))
}

fn token_answer(id_token: &str) -> Vec<u8> {
    let answer =
        json!({"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": id_token});
    answer.to_string().into_bytes()
}

fn sound_payload() -> Value {
    json!({
        "iss": WORLD.issuer, "sub": SUBJECT, "aud": "porteplume", "nonce": "nonce-of-this-sign-in", "acr": "eidas1",
        "iat": NOW.seconds(), "exp": NOW.seconds() + 60, "auth_time": NOW.seconds(),
    })
}

fn check(signed_in: &SignedIn, header: &[u8], payload: &[u8]) {
    // The library takes a header that is a list, too.
    let header: Value = serde_json::from_slice(header).expect("JSON");
    assert!(header["alg"] == json!("ES256") || header[0] == json!("ES256"));
    let claims = object(payload);
    assert_eq!(
        (text(&claims, "iss"), signed_in.issuer.as_str()),
        (WORLD.issuer.as_str(), WORLD.issuer.as_str())
    );
    assert_eq!(text(&claims, "sub"), signed_in.subject);
    assert!(
        (1..=255).contains(&signed_in.subject.len())
            && signed_in.subject.bytes().all(|b| b.is_ascii_graphic())
    );
    let ours = json!("porteplume");
    assert!(claims["aud"] == ours || claims["aud"].as_array().is_some_and(|several| several.contains(&ours)));
    assert!(claims.get("azp").is_none_or(|party| party.is_null() || *party == ours));
    assert_eq!(text(&claims, "nonce"), "nonce-of-this-sign-in");
    assert!(["eidas1", "eidas2"].contains(&text(&claims, "acr")));
    // The library cuts seconds off where they have a fraction.
    assert!(seconds(&claims, "exp").is_some_and(|at| at > from_now(-SKEW) - 1.0));
    assert!(seconds(&claims, "iat").is_some_and(|at| (at - from_now(Duration::ZERO)).abs() < 31.0));
    assert!(seconds(&claims, "auth_time").is_some_and(|at| at > from_now(-SKEW) - 1.0));
}

fuzz_target!(
    init: {
        let payload = sound_payload().to_string();
        let token = token_answer(&signed(HEADER, payload.as_bytes()));
        let plain = sign_in(&WORLD.parties[0], Answers { token: token.clone(), ..Answers::default() });
        check(&plain.ok().expect("a person"), HEADER, payload.as_bytes());
        let userinfo = signed(HEADER, json!({"sub": SUBJECT}).to_string().as_bytes()).into_bytes();
        assert!(sign_in(&WORLD.parties[1], Answers { token, userinfo, ..Answers::default() }).is_ok());
    },
    |data: &[u8]| {
        let data = String::from_utf8_lossy(data).replace("@issuer", &WORLD.issuer);
        let (kind, rest) = line(data.as_bytes());
        let (header, payload) = line(rest);
        let [plain, compact] = &WORLD.parties;
        match kind {
            b"id-token" => {
                let (payload, userinfo) = line(payload);
                let token = token_answer(&signed(header, payload));
                let answers = Answers { token, userinfo: userinfo.to_owned(), ..Answers::default() };
                if let Ok(signed_in) = sign_in(plain, answers) {
                    check(&signed_in, header, payload);
                }
            }
            b"userinfo" => {
                let token = token_answer(&signed(HEADER, sound_payload().to_string().as_bytes()));
                let userinfo = signed(header, payload).into_bytes();
                if sign_in(compact, Answers { token, userinfo, ..Answers::default() }).is_ok() {
                    assert_eq!(text(&object(payload), "sub"), SUBJECT, "somebody else's claims");
                }
            }
            b"discovery" => {
                let asked = party(&WORLD.issuer, UserinfoFormat::Json, &WORLD.http);
                *WORLD.answers.lock().expect("no panic goes on") =
                    Answers { discovery: rest.to_owned(), ..Answers::default() };
                if WORLD.runtime.block_on(asked.probe(NOW)).is_ok() && !rest.is_empty() {
                    let said: Value = serde_json::from_slice(rest).expect("JSON");
                    assert_eq!(said["issuer"], json!(WORLD.issuer), "another issuer's metadata");
                }
            }
            _ => {
                let answers = Answers { token: data.clone().into_bytes(), ..Answers::default() };
                assert!(sign_in(plain, answers).is_err(), "nobody but the provider signs ID tokens");
            }
        }
    }
);
