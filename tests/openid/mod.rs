//! Porteplume as OpenID Provider, over the real router and both engines. Tests that stand for a module of the
//! conformance suite carry its name.

mod algorithms;
mod authority;
mod authorize;
mod bytes;
mod choice;
mod conformance;
mod endings;
pub(crate) mod facts;
mod flow;
mod franceconnect;
mod hardware;
mod inclusion;
mod introspection;
mod journaled;
mod killed;
mod names;
mod outage;
pub(crate) mod refusals;
mod registering;
mod replicas;
mod schemas;
mod silence;
mod stolen;
mod told;

use crate::support::app::TestApp;
use crate::support::database::TestDatabase;
use crate::support::world;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use porteplume::mandate::{AidantId, OrganisationId, Term, UsagerId};
use porteplume::service::session::Opened;
use porteplume::service::{App, Session, Who};
use porteplume::storage::mandates::MandateRow;
use porteplume::web::csrf;
use serde_json::{Value, json};
use sqlx::Row as _;
use tower::ServiceExt as _;
use url::form_urlencoded;

/// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const ISSUER: &str = "https://mandats.example.fr";
pub(crate) const REDIRECT: &str = "https://caisse.example/cb?dummy1=lorem";
const AFTER: &str = "https://caisse.example/post_logout_redirect";
pub(crate) const SECRET: &str = "a-secret-of-the-caisse-0123456789";
const STATE: &str = "af0ifjsldkj";
/// A procedure the service may receive.
pub(crate) const PRIME: &str = "prime-activite";
/// One it may receive, in which signing stays with the person.
const PASSPORT: &str = "carte-identite-passeport";
/// One it may not receive.
pub(crate) const VITALE: &str = "carte-vitale";

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON: {}", self.body))
    }

    /// A parameter of the address it leads to, or of the signed answer in it.
    pub(crate) fn sent_on(&self, name: &str) -> Option<String> {
        let query = self.location().split_once('?')?.1;
        let find = |name: &str| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(found, _)| found == name)
                .map(|(_, v)| v.into_owned())
        };
        find(name).or_else(|| claims(&find("response")?)[name].as_str().map(str::to_owned))
    }
}

/// A world with one of everybody, and the way in.
pub(crate) struct Town {
    pub(crate) test: TestApp,
    pub(crate) service: Router,
    pub(crate) organisation: OrganisationId,
    pub(crate) aidant: AidantId,
    pub(crate) usager: UsagerId,
    pub(crate) mandate: MandateRow,
}

/// A browser with its session.
pub(crate) struct Browser<'t> {
    town: &'t Town,
    cookie: String,
    session: Option<Session>,
}

fn form(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// The pairs of a usual authorization request, after these changes; an empty value takes one away.
pub(crate) fn request(changes: &[(&str, &str)]) -> String {
    let mut pairs = vec![
        ("response_type", "code"),
        ("client_id", "caisse"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid given_name family_name birthdate"),
        ("state", STATE),
        ("nonce", "n-0S6_WzA2Mj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        pairs.retain(|(found, _)| found != name);
        if !value.is_empty() {
            pairs.push((name, value));
        }
    }
    form(&pairs)
}

pub(crate) fn draft(id: &str) -> Value {
    json!({
        "id": id,
        "name": "Caisse de démonstration",
        "profile": "oidc",
        "redirect_uris": [REDIRECT, "https://caisse.example/other"],
        "post_logout_redirect_uris": [AFTER],
        "auth_method": "client_secret_basic",
        "secret_hash": world::secret_hash(SECRET),
        "claims": ["given_name", "birthdate", "email"],
        "procedures": [PRIME, PASSPORT],
        "sector": "caisse.example",
    })
}

pub(crate) fn basic(client: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))
}

fn claims(jwt: &str) -> Value {
    let payload = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

impl Town {
    async fn new(database: TestDatabase) -> Self {
        Self::of(TestApp::over(database).await).await
    }

    /// The same in that instance.
    pub(crate) async fn of(test: TestApp) -> Self {
        let app = &test.web.app;
        let organisation = world::organisation(app, "Mairie de Démonstration").await;
        let aidant = world::aidant(app, &organisation).await;
        let rose = world::identity("Rose", "D'Almeida-Müller", "1942-02-28");
        let usager = world::usager(app, &organisation, rose).await;
        world::client(app, draft("caisse")).await;
        let by = (&organisation, &aidant);
        let mandate = world::mandate(app, by, &usager, &[PRIME, PASSPORT, VITALE], Term::Month).await;
        let service = porteplume::web::router(test.web.clone());
        Self { test, service, organisation, aidant, usager, mandate }
    }

    /// The same town, served by another instance.
    fn beside(&self, test: TestApp) -> Self {
        Self {
            service: porteplume::web::router(test.web.clone()),
            test,
            organisation: self.organisation.clone(),
            aidant: self.aidant.clone(),
            usager: self.usager.clone(),
            mandate: self.mandate.clone(),
        }
    }

    pub(crate) fn app(&self) -> &App {
        &self.test.web.app
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let response = self.service.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = to_bytes(response.into_body(), 1_000_000).await.unwrap();
        Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, authorization: &str, body: impl Into<Body>) -> Answer {
        let request =
            Request::post(path).header("content-type", "application/x-www-form-urlencoded; charset=utf-8");
        let request = match authorization {
            "" => request,
            line => request.header("authorization", line),
        };
        self.ask(request.body(body.into()).unwrap()).await
    }

    /// A browser in which this aidant has signed in just now.
    pub(crate) async fn browser(&self) -> Browser<'_> {
        self.browser_of(world::fresh(self.app(), &self.aidant)).await
    }

    pub(crate) async fn browser_of(&self, who: Who) -> Browser<'_> {
        Browser::holding(self, world::session_of(self.app(), who).await)
    }

    pub(crate) fn stranger(&self) -> Browser<'_> {
        Browser { town: self, cookie: String::new(), session: None }
    }

    /// Exchanges a code the usual way, after these changes.
    async fn exchange(&self, code: &str, changes: &[(&str, &str)]) -> Answer {
        self.exchange_as(&basic("caisse", SECRET), code, changes).await
    }

    pub(crate) async fn exchange_as(
        &self,
        authorization: &str,
        code: &str,
        changes: &[(&str, &str)],
    ) -> Answer {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        for (name, value) in changes {
            pairs.retain(|(found, _)| found != name);
            pairs.push((name, value));
        }
        self.post("/token", authorization, form(&pairs)).await
    }

    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let request = Request::get("/userinfo").header("authorization", format!("Bearer {token}"));
        self.ask(request.body(Body::empty()).unwrap()).await
    }

    /// The codes of the refused entries of a kind (empty for what was done), in their order.
    async fn entries(&self, kind: &str) -> Vec<String> {
        let mut raw = self.test.database.raw().await;
        let text = "SELECT COALESCE(code, '') FROM event_search WHERE kind = $1 ORDER BY at, event_id";
        let rows = sqlx::query(text).bind(kind.to_owned()).fetch_all(&mut raw).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// How many rows a question gives.
    async fn count(&self, question: &'static str) -> i64 {
        let mut raw = self.test.database.raw().await;
        sqlx::query(question).fetch_one(&mut raw).await.unwrap().get(0)
    }

    async fn representations(&self) -> i64 {
        self.count("SELECT count(*) FROM representation").await
    }

    async fn open_representations(&self) -> i64 {
        self.count("SELECT count(*) FROM representation WHERE state = 'open'").await
    }

    async fn refused_rows(&self) -> i64 {
        self.count("SELECT count(*) FROM refusal").await
    }
}

impl<'t> Browser<'t> {
    /// A browser with that session.
    pub(crate) fn holding(town: &'t Town, opened: Opened) -> Self {
        let cookie = format!("__Host-porteplume={}", opened.cookie.expose());
        Self { town, cookie, session: Some(opened.session) }
    }
}

impl Browser<'_> {
    /// The same browser, its next requests answered by another instance.
    fn at<'o>(&self, town: &'o Town) -> Browser<'o> {
        Browser { town, cookie: self.cookie.clone(), session: self.session.clone() }
    }

    /// The aidant signs in again in this browser.
    pub(crate) async fn signs_in_anew(&mut self) {
        let (app, before) = (self.town.app(), self.session.as_ref().expect("a session"));
        let opened = world::next(app, before, world::fresh(app, &self.town.aidant)).await;
        *self = Browser::holding(self.town, opened);
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", &self.cookie);
        self.town.ask(request.body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> Answer {
        let token = csrf::token(&self.session.as_ref().expect("a session").csrf);
        let body = form(&[pairs, &[("csrf", token.as_str())]].concat());
        let request = Request::post(path)
            .header("cookie", &self.cookie)
            .header("content-type", "application/x-www-form-urlencoded");
        self.town.ask(request.body(Body::from(body)).unwrap()).await
    }

    /// Asks for a representation; the page of the choice must come. Gives its handle.
    async fn asks(&self, changes: &[(&str, &str)]) -> String {
        let page = self.get(&format!("/authorize?{}", request(changes))).await;
        assert_eq!(page.status, 200, "{}", page.body);
        handle_in(&page.body)
    }

    pub(crate) async fn confirms(&self, handle: &str, mandate: &MandateRow, procedure: &str) -> Answer {
        let choice = format!("{}:{procedure}", mandate.mandate.id);
        self.post(&format!("/authorize/{handle}/confirm"), &[("choice", &choice)]).await
    }

    /// Carries the choice through; gives the code.
    async fn code(&self, changes: &[(&str, &str)]) -> String {
        let handle = self.asks(changes).await;
        let sent = self.confirms(&handle, &self.town.mandate, PRIME).await;
        assert_eq!(sent.status, 303, "{}", sent.body);
        sent.sent_on("code").unwrap_or_else(|| panic!("a code: {}", sent.location()))
    }
}

/// The handle of the request a page belongs to.
pub(crate) fn handle_in(page: &str) -> String {
    let (_, from) = page.split_once("/authorize/").expect("a form of the choice");
    from.split(['/', '?', '"']).next().unwrap().to_owned()
}

use porteplume::mandate::ClientId;
use porteplume::service::Caller;
use porteplume::service::manage::{self, Manager, Party};

async fn suspend(town: &Town, party: Party) {
    manage::suspend(town.app(), &Manager::Operator, &Caller::default(), &party).await.unwrap();
}
