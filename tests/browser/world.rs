//! The whole demonstration in this process, with a clock of the test's own, and the telephones of its aidants.

use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::totp;
use porteplume::clock::{Clock, ManualClock, SystemClock, SystemEntropy};
use porteplume::crypto::{TotpSeed, TotpStep};
use porteplume::demo::{self, Demo, DemoOptions};
use porteplume::storage::Engine;
use std::sync::Arc;
use time::Duration;
use tokio::runtime::Runtime;
use url::form_urlencoded;

/// A running demonstration, gone with this value.
pub(super) struct World {
    demo: Option<Demo>,
    clock: ManualClock,
    runtime: Runtime,
    _database: TestDatabase,
}

impl World {
    /// A new demonstration over this engine.
    pub(super) fn on(engine: Engine) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let clock = ManualClock::at(SystemClock.now());
        let database = runtime.block_on(TestDatabase::fresh(engine));
        let options = DemoOptions {
            port: 0,
            data: database.folder().join("demonstration"),
            database: (engine == Engine::Postgres).then(|| database.options().url),
            clock: Arc::new(clock.clone()),
            entropy: Arc::new(SystemEntropy),
        };
        let demo = runtime.block_on(demo::start(options)).expect("the demonstration starts");
        Self { demo: Some(demo), clock, runtime, _database: database }
    }

    fn demo(&self) -> &Demo {
        self.demo.as_ref().expect("stopped at the end only")
    }

    /// Opens the service's first page.
    pub(super) fn visit(&self, browser: &Browser) {
        browser.goto(&self.service("/"));
        browser.is_at("page-landing");
        browser.look();
    }

    /// An address of the service.
    pub(super) fn service(&self, path: &str) -> String {
        format!("{}{path}", self.demo().service)
    }

    /// Opens the public service's first page.
    pub(super) fn visit_caisse(&self, browser: &Browser) {
        browser.goto(&self.demo().caisse);
        browser.is_at("page-home");
        browser.look();
    }

    /// An address of the public service.
    pub(super) fn caisse(&self, path: &str) -> String {
        format!("{}{path}", self.demo().caisse)
    }

    /// Lets time pass.
    pub(super) fn wait(&self, time: Duration) {
        self.clock.advance(time);
    }

    /// A moment of real time, in which the service's jobs go on.
    pub(super) fn pause(&self) {
        self.runtime.block_on(tokio::time::sleep(std::time::Duration::from_millis(200)));
    }

    /// Signs a person in from the door (`aidant`, `usager`, `auditor`) on the first page.
    pub(super) fn sign_in(&self, browser: &Browser, door: &str, person: &str) {
        self.go_and_sign_in(browser, door);
        browser.is_at("page-people");
        browser.look();
        browser.press(&format!("person-{person}"));
    }

    /// From the first page through the door to the provider, which may know already who is there.
    pub(super) fn go_and_sign_in(&self, browser: &Browser, door: &str) {
        self.visit(browser);
        browser.press(&format!("sign-in-{door}"));
        browser.is_at("page-sign-in");
        browser.look();
        browser.press("sign-in-submit");
    }

    /// The callback that the provider's page at hand would lead to, for the browser that chooses this person there;
    /// it stays unused.
    pub(super) fn callback(&self, browser: &Browser, person: &str) -> String {
        let request = browser.attribute("[name=request]", "value").expect("a pending request");
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("request", &request)
            .append_pair("person", person)
            .finish();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
        let choice = client
            .build()
            .expect("an HTTP client")
            .post(browser.address().join("/choose").expect("an address"))
            .header("cookie", browser.cookies())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form);
        let answer = self.runtime.block_on(async { choice.send().await }).expect("the provider answers");
        answer.headers()["location"].to_str().expect("an address").to_owned()
    }

    /// A telephone into which this key was typed.
    pub(super) fn phone(&self, key: &str) -> Phone {
        Phone::showing(key, self.clock.clone())
    }

    /// Signs an aidant in for the first time: enrols the code application whose key the page shows.
    pub(super) fn enrol(&self, browser: &Browser, aidant: &str) -> Phone {
        self.sign_in(browser, "aidant", aidant);
        browser.is_at("page-enrol");
        browser.look();
        let phone = self.phone(&browser.text_of("#totp-key"));
        browser.fill("code", &phone.code());
        browser.press("enrol-submit");
        browser.is_at("page-recovery-codes");
        browser.look();
        browser.press("link-continue");
        browser.is_at("page-aidant-home");
        phone
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(demo) = self.demo.take() {
            self.runtime.block_on(demo.stop());
        }
    }
}

/// An aidant's telephone with a code application.
pub(super) struct Phone {
    seed: TotpSeed,
    clock: ManualClock,
}

impl Phone {
    /// Takes the key over as it is typed.
    fn showing(key: &str, clock: ManualClock) -> Self {
        Self { seed: totp::seed(key), clock }
    }

    /// The next code: each serves once, so its owner waits for it.
    pub(super) fn code(&self) -> String {
        self.clock.advance(Duration::seconds(30));
        self.seed.code(TotpStep::at(self.clock.now())).expose().to_owned()
    }

    /// A code that is not this telephone's.
    pub(super) fn wrong_code(&self) -> String {
        let right = self.code();
        right.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect()
    }
}
