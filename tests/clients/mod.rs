//! Certified peers that are not ours, over TLS under an authority of the test's own: openid-client and Apache's
//! mod_auth_openidc as services, oidc-provider as a provider that aidants come from.

mod apache;
mod foreign_provider;
mod openid_client;

use crate::openid::{Browser, PRIME, Town, handle_in};
use crate::support::app::TestApp;
use crate::support::database::TestDatabase;
use crate::support::front::Front;
use porteplume::clock::{Clock as _, ManualClock, SystemClock};
use porteplume::relying::{Authority, HttpClient, HttpPolicy};
use porteplume::storage::mandates::MandateRow;
use reqwest::header::{ACCEPT, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Certificate, redirect};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// Where `tests/run` installs what these scripts use.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    assert!(
        folder.join("node_modules").is_dir(),
        "run tests/run once: it installs openid-client and oidc-provider"
    );
    folder
}

/// Starts a script of ours with Node.js, which trusts whom that front has its certificate from.
fn node(front: Option<&Front>, name: &str, script: &str, arguments: &[&str]) -> Child {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let path = folder().join(format!("{}_{name}", NUMBER.fetch_add(1, Ordering::Relaxed)));
    std::fs::write(&path, script).unwrap();
    let mut node = Command::new("node");
    node.arg(path).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    if let Some(front) = front {
        node.env("NODE_EXTRA_CA_CERTS", front.authority());
    }
    node.spawn().expect("Node.js")
}

/// Our own client, which trusts whom that front has its certificate from.
fn trusting(front: &Front) -> HttpClient {
    let authorities = Authority::read(&std::fs::read(front.authority()).unwrap()).unwrap();
    HttpClient::new(&HttpPolicy { allow_loopback: true, authorities, ..HttpPolicy::default() }).unwrap()
}

/// Keeps a clock at the machine's time: others look at their own.
struct RealTime(JoinHandle<()>);

fn in_real_time(clock: &ManualClock) -> RealTime {
    let clock = clock.clone();
    let tick = move || clock.advance(SystemClock.now().since(clock.now()));
    tick();
    RealTime(tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            tick();
        }
    }))
}

impl Drop for RealTime {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The instance, served over TLS, in real time.
struct Stage {
    town: Town,
    front: Front,
    site: JoinHandle<()>,
    _time: RealTime,
}

impl Stage {
    async fn new(database: TestDatabase, more: impl FnOnce(&Front) -> String) -> Self {
        let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = Front::before(&format!("http://{}", inside.local_addr().unwrap()), more).await;
        let test = TestApp::over(database).await.known_as(&front.origin(), &trusting(&front));
        let time = in_real_time(&test.clock);
        let town = Town::of(test).await;
        let site = town.service.clone();
        let site = tokio::spawn(async move { axum::serve(inside, site).await.unwrap() });
        Self { town, front, site, _time: time }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.site.abort();
    }
}

/// A browser at a site that is not ours: its cookies, and no redirection followed.
struct Outside {
    client: reqwest::Client,
    cookies: BTreeMap<String, String>,
}

/// What it was shown, or where it was sent.
struct Shown {
    status: u16,
    location: String,
    body: String,
}

impl Outside {
    fn new(front: &Front) -> Self {
        let authority = Certificate::from_pem(&std::fs::read(front.authority()).unwrap()).unwrap();
        let client =
            reqwest::Client::builder().add_root_certificate(authority).redirect(redirect::Policy::none());
        Self { client: client.build().unwrap(), cookies: BTreeMap::new() }
    }

    /// Asks for a page, saying who is there.
    async fn get_as(&mut self, address: &str, person: &str) -> Shown {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let asked = self.client.get(address).header(ACCEPT, "text/html").header(COOKIE, cookies.join("; "));
        let answer = asked.header("x-person", person).send().await.unwrap();
        for line in answer.headers().get_all(SET_COOKIE) {
            let (name, value) = line.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let status = answer.status().as_u16();
        let location = answer.headers().get(LOCATION).map_or("", |value| value.to_str().unwrap());
        // Relative to the page, as browsers read it.
        let location = answer.url().join(location).map(String::from).unwrap();
        Shown { status, location, body: answer.text().await.unwrap() }
    }
}

/// Goes where a service sends the browser, signs in anew where it must, makes the choice; gives where that leads.
async fn visit(stage: &Stage, browser: &mut Browser<'_>, address: &str) -> Value {
    let path = address.strip_prefix(&stage.front.origin()).expect("an address of ours");
    let mut answer = browser.get(path).await;
    if answer.location().starts_with("/authorize/") {
        let waits = answer.location().to_owned();
        browser.signs_in_anew().await;
        answer = browser.get(&waits).await;
    }
    if answer.status == 200 && answer.body.contains("/authorize/") {
        let mandate: &MandateRow = &stage.town.mandate;
        answer = browser.confirms(&handle_in(&answer.body), mandate, PRIME).await;
    }
    let location = (answer.status == 303).then(|| answer.location().to_owned());
    json!({"status": answer.status, "location": location})
}
