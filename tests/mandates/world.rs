//! Two organisations, their aidants, a usager, and browsers.

pub(crate) use super::people::{born, marie};
use crate::support::app::TestApp;
use crate::support::database::TestDatabase;
use crate::support::totp;
use crate::support::world::{aidant_named, fresh, known_usager, next, session_of, whereabouts};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use porteplume::crypto::{TotpSeed, TotpStep};
use porteplume::mandate::{AidantId, EventKind, Identity, MandateId, OrganisationId, UsagerId};
use porteplume::service::{App, Caller, Identified, Session, Who, factor, manage, session};
use porteplume::web::{csrf, router};
use sqlx::Row as _;
use std::sync::Arc;
use time::Duration;
use tower::ServiceExt as _;

/// Everything a test of mandates begins with.
pub(crate) struct World {
    pub(crate) test: TestApp,
    pub(crate) app: App,
    pub(crate) service: Router,
    pub(crate) organisation: OrganisationId,
    pub(crate) aidant: AidantId,
}

/// One person's browser: a session cookie and nothing else.
pub(crate) struct Browser<'w> {
    world: &'w World,
    pub(crate) cookie: String,
    factor: Option<Factor>,
}

/// What an aidant keeps of the factor they enrolled.
#[derive(Clone)]
pub(crate) struct Factor {
    pub(crate) seed: TotpSeed,
    pub(crate) recovery: Vec<String>,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: String,
}

impl World {
    pub(crate) async fn over(database: TestDatabase) -> Self {
        Self::of(TestApp::over(database).await).await
    }

    /// The same over a service of the test's own.
    pub(crate) async fn of(test: TestApp) -> Self {
        let app = Arc::clone(&test.web.app);
        let organisation =
            manage::add_organisation(&app, "Mairie de L’Haÿ-les-Roses", "21940038500017", &whereabouts())
                .await
                .unwrap();
        let aidant = aidant_named(&app, &organisation, "Camille", "Le Goff-O’Brien").await;
        Self::peopled(test, organisation, aidant)
    }

    /// A service in which that aidant is registered.
    pub(crate) fn peopled(test: TestApp, organisation: OrganisationId, aidant: AidantId) -> Self {
        let (app, service) = (Arc::clone(&test.web.app), router(test.web.clone()));
        Self { test, app, service, organisation, aidant }
    }

    /// The same world, served by another instance.
    pub(crate) fn beside(&self, test: TestApp) -> Self {
        Self::peopled(test, self.organisation.clone(), self.aidant.clone())
    }

    /// An aidant of another organisation.
    pub(crate) async fn stranger(&self) -> AidantId {
        let other =
            manage::add_organisation(&self.app, "Association d’à côté", "13002526500013", &whereabouts())
                .await
                .unwrap();
        aidant_named(&self.app, &other, "Dominique", "Durand").await
    }

    /// A colleague of the same organisation.
    pub(crate) async fn colleague(&self) -> AidantId {
        aidant_named(&self.app, &self.organisation, "Sacha", "Nguyễn").await
    }

    /// The aidant's browser: signed in, a factor of ours enrolled and proved.
    pub(crate) async fn signed_in(&self, aidant: &AidantId) -> Browser<'_> {
        let opened = self.session_of(fresh(&self.app, aidant)).await;
        let mut browser = Browser { world: self, cookie: opened.cookie.expose().to_owned(), factor: None };
        if factor::is_enrolled(&self.app, aidant).await.unwrap() {
            return browser;
        }
        let enrolment = factor::enrolment(&self.app, &opened.session).await.unwrap();
        let seed = totp::seed(enrolment.key.expose());
        let code = code(&self.app, &seed);
        let enrolled = factor::enrol(&self.app, &opened.session, &Caller::default(), &code).await.unwrap();
        enrolled.opened.cookie.expose().clone_into(&mut browser.cookie);
        let recovery = enrolled.codes.iter().map(|code| code.expose().to_owned()).collect();
        browser.factor = Some(Factor { seed, recovery });
        browser
    }

    /// The same aidant in a browser of today, with the factor they enrolled in that one.
    pub(crate) async fn signed_in_again(&self, aidant: &AidantId, before: &mut Browser<'_>) -> Browser<'_> {
        Browser { factor: before.factor.clone(), ..self.signed_in(aidant).await }
    }

    /// A session put straight into one person's hands.
    pub(crate) async fn session_of(&self, who: Who) -> session::Opened {
        session_of(&self.app, who).await
    }

    /// A browser that holds such a session.
    pub(crate) async fn in_hands_of(&self, who: Who) -> Browser<'_> {
        let opened = self.session_of(who).await;
        Browser { world: self, cookie: opened.cookie.expose().to_owned(), factor: None }
    }

    /// Does what the citizens' provider and its callback do: somebody is identified in front of that screen.
    pub(crate) async fn identify(&self, browser: &mut Browser<'_>, identity: Identity) -> UsagerId {
        let session = browser.session().await.unwrap();
        let usager = known_usager(&self.app, None, identity).await;
        let identified =
            Some(Identified { usager: usager.clone(), at: self.app.now(), level: "eidas1".to_owned() });
        let who = match session.who.clone() {
            Who::HandedOver { aidant, authenticated_at, level, mandate, .. } => {
                Who::HandedOver { aidant, authenticated_at, level, mandate, identified }
            }
            Who::Consenting { mandate, .. } => Who::Consenting { mandate, identified },
            _ => panic!("nobody is asked to consent in this browser"),
        };
        let opened = next(&self.app, &session, who).await;
        opened.cookie.expose().clone_into(&mut browser.cookie);
        usager
    }

    pub(crate) fn wait(&self, minutes: i64) {
        self.test.clock.advance(Duration::minutes(minutes));
    }

    /// Every mandate's facts, for "nothing changed".
    pub(crate) async fn facts(&self) -> Vec<String> {
        let mut raw = self.test.database.raw().await;
        let text = "SELECT id || ' ' || state || ' ' || CAST(version AS TEXT) || ' ' || CAST(seq AS TEXT) AS fact \
                    FROM mandate ORDER BY id";
        sqlx::query(text).fetch_all(&mut raw).await.unwrap().iter().map(|row| row.get("fact")).collect()
    }

    /// How many entries tell of that kind with that code.
    pub(crate) async fn entries(&self, kind: EventKind, code: Option<&str>) -> i64 {
        let mut raw = self.test.database.raw().await;
        let text = "SELECT count(*) AS entries FROM event_search WHERE kind = $1 AND coalesce(code, '') = $2";
        let query = sqlx::query(text).bind(kind.as_str()).bind(code.unwrap_or_default());
        query.fetch_one(&mut raw).await.unwrap().get("entries")
    }

    /// The state of a mandate, as stored.
    pub(crate) async fn state(&self, mandate: &MandateId) -> String {
        let mut raw = self.test.database.raw().await;
        let query = sqlx::query("SELECT state FROM mandate WHERE id = $1").bind(mandate.as_str());
        query.fetch_one(&mut raw).await.unwrap().get("state")
    }

    /// A mandate proposed by that browser.
    pub(crate) async fn proposed(&self, browser: &Browser<'_>) -> MandateId {
        self.proposed_for(browser, &[self.procedure()]).await
    }

    /// The same for these procedures.
    pub(crate) async fn proposed_for(&self, browser: &Browser<'_>, procedures: &[&str]) -> MandateId {
        self.proposed_of(browser, procedures, "month").await
    }

    /// The same for a term of that name.
    async fn proposed_of(&self, browser: &Browser<'_>, procedures: &[&str], term: &str) -> MandateId {
        let key = porteplume::service::propose::form_key(&self.app).unwrap();
        let mut fields: Vec<_> = procedures.iter().map(|id| ("procedure", *id)).collect();
        fields.extend([("term", term), ("until", ""), ("idempotency", key.as_str())]);
        let answer = browser.post("/aidant/mandates/new/duration", &fields).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
        let id = answer.location.rsplit('/').next().unwrap();
        MandateId::parse(id).unwrap()
    }

    /// Any procedure of the catalogue.
    pub(crate) fn procedure(&self) -> &str {
        self.app.catalogue.procedures()[0].id.as_str()
    }

    /// A mandate consented to, its screen still locked.
    pub(crate) async fn consented(&self, browser: &mut Browser<'_>) -> MandateId {
        let mandate = self.proposed(browser).await;
        self.agreed(browser, &mandate).await;
        mandate
    }

    /// A mandate in force.
    pub(crate) async fn active(&self, browser: &mut Browser<'_>) -> MandateId {
        let mandate = self.consented(browser).await;
        self.accepted(browser, &mandate).await;
        mandate
    }

    /// A mandate in force for these procedures.
    pub(crate) async fn active_for(&self, browser: &mut Browser<'_>, procedures: &[&str]) -> MandateId {
        let mandate = self.proposed_for(browser, procedures).await;
        self.agreed(browser, &mandate).await;
        self.accepted(browser, &mandate).await;
        mandate
    }

    /// A mandate in force for a term of that name.
    pub(crate) async fn active_of(&self, browser: &mut Browser<'_>, term: &str) -> MandateId {
        let mandate = self.proposed_of(browser, &[self.procedure()], term).await;
        self.agreed(browser, &mandate).await;
        self.accepted(browser, &mandate).await;
        mandate
    }

    /// The usager agrees on the screen handed over to them.
    async fn agreed(&self, browser: &mut Browser<'_>, mandate: &MandateId) {
        browser.hand_over(mandate).await;
        self.identify(browser, marie()).await;
        let said = browser.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!((said.status, said.location.as_str()), (303, "/consent/done"), "{}", said.body);
    }

    /// The aidant takes the screen back and accepts.
    async fn accepted(&self, browser: &mut Browser<'_>, mandate: &MandateId) {
        browser.unlock().await;
        let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(accepted.status, 303, "{}", accepted.body);
    }
}

impl Browser<'_> {
    /// The session behind the cookie, if it still is one.
    pub(crate) async fn session(&self) -> Option<Session> {
        session::resume(&self.world.app, &self.cookie).await.unwrap()
    }

    /// The same browser, its next requests answered by another instance.
    pub(crate) fn at<'o>(&self, world: &'o World) -> Browser<'o> {
        Browser { world, cookie: self.cookie.clone(), factor: self.factor.clone() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path), Body::empty()).await
    }

    /// Sends a form with the session's own token.
    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await.unwrap_or_default();
        self.post_with(path, fields, &token).await
    }

    /// Sends a form with a token of the test's choice.
    pub(crate) async fn post_with(&self, path: &str, fields: &[(&str, &str)], token: &str) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", token).extend_pairs(fields);
        self.post_bytes(path, form.finish().into_bytes()).await
    }

    /// Sends bytes that claim to be a form.
    pub(crate) async fn post_bytes(&self, path: &str, body: Vec<u8>) -> Answer {
        let request = Request::post(path).header("content-type", "application/x-www-form-urlencoded");
        self.ask(request, Body::from(body)).await
    }

    /// Sends JSON under a header of a program's.
    pub(crate) async fn post_json(&self, path: &str, (name, value): (&str, &str), body: String) -> Answer {
        let request = Request::post(path).header("content-type", "application/json").header(name, value);
        self.ask(request, Body::from(body)).await
    }

    /// Sends a form with a file and the session's own token.
    pub(crate) async fn post_file(&self, path: &str, fields: &[(&str, &str)], file: &[u8]) -> Answer {
        let token = self.token().await.unwrap_or_default();
        let mut body = Vec::new();
        for (name, value) in [("csrf", token.as_str())].iter().chain(fields) {
            let part =
                format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = "--limit\r\nContent-Disposition: form-data; name=\"scan\"; filename=\"scan.jpg\"\r\n\r\n";
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--limit--\r\n");
        let request = Request::post(path).header("content-type", "multipart/form-data; boundary=limit");
        self.ask(request, Body::from(body)).await
    }

    /// Follows an address and keeps the session the answer brings.
    pub(crate) async fn follow(&mut self, path: &str) -> Answer {
        let answer = self.get(path).await;
        if let Some(cookie) = answer.rotated() {
            self.cookie = cookie;
        }
        answer
    }

    /// Sends a form and keeps the session the answer brings.
    pub(crate) async fn send(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let answer = self.post(path, fields).await;
        if let Some(cookie) = answer.rotated() {
            self.cookie = cookie;
        }
        answer
    }

    /// A file as it is sent: its media type and its bytes.
    pub(crate) async fn download(&self, path: &str) -> (String, Vec<u8>) {
        let response = self.response(Request::get(path), Body::empty()).await;
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["cache-control"], "no-store");
        (kind, to_bytes(response.into_body(), 2_000_000).await.unwrap().to_vec())
    }

    async fn response(&self, request: axum::http::request::Builder, body: Body) -> axum::response::Response {
        let cookie = format!("__Host-porteplume={}", self.cookie);
        let request = request.header("cookie", cookie).body(body).unwrap();
        self.world.service.clone().oneshot(request).await.unwrap()
    }

    async fn ask(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        let response = self.response(request, body).await;
        let status = response.status().as_u16();
        let header = |name: &str| {
            let all = response.headers().get_all(name).iter();
            all.map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join("\n")
        };
        let (location, cookies) = (header("location"), header("set-cookie"));
        let body = to_bytes(response.into_body(), 2_000_000).await.unwrap();
        let body = format!("{}\n{cookies}", String::from_utf8_lossy(&body));
        Answer { status, location, body }
    }

    pub(crate) async fn hand_over(&mut self, mandate: &MandateId) {
        let answer = self.send(&format!("/aidant/mandates/{mandate}/hand-over"), &[]).await;
        assert_eq!((answer.status, answer.location.as_str()), (303, "/consent"), "{}", answer.body);
    }

    /// Unlocks with a code not used before.
    pub(crate) async fn unlock(&mut self) {
        let code = self.fresh_code();
        let answer = self.send("/aidant/unlock", &[("code", &code)]).await;
        assert_eq!(answer.status, 303, "{}", answer.body);
    }

    /// A code not used before: time passes.
    pub(crate) fn fresh_code(&self) -> String {
        self.world.test.clock.advance(Duration::seconds(31));
        code(&self.world.app, &self.factor().seed)
    }

    pub(crate) fn factor(&self) -> &Factor {
        self.factor.as_ref().expect("this browser enrolled the factor")
    }

    /// The token of the session's forms.
    pub(crate) async fn token(&self) -> Option<String> {
        self.session().await.map(|session| csrf::token(&session.csrf))
    }
}

impl Answer {
    /// The verification code on a paper, as it is printed.
    pub(crate) fn verification_code(&self) -> String {
        let (_, rest) = self.body.split_once("id=\"verification-code\">").unwrap();
        let (groups, _) = rest.split_once("</p>").unwrap();
        groups.replace("<span>", "").replace("</span>", "")
    }

    /// The session's new cookie, if it changed.
    fn rotated(&self) -> Option<String> {
        let (_, rest) = self.body.rsplit_once("__Host-porteplume=")?;
        rest.split(';').next().map(str::to_owned)
    }
}

fn code(app: &App, seed: &TotpSeed) -> String {
    seed.code(TotpStep::at(app.now())).expose().to_owned()
}
