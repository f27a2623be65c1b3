//! Certified peers that are not ours, over TLS under an authority of the test's own: openid-client and Apache's
//! mod_auth_openidc as services, oidc-provider as a provider that aidants come from.

mod apache;
mod foreign_provider;
mod openid_client;

use crate::openid::{Browser, PRIME, Town, handle_in};
use crate::support::app::TestApp;
use crate::support::database::TestDatabase;
use crate::support::front::Front;
use porteplume::clock::{Clock as _, SystemClock};
use porteplume::relying::{Authority, HttpClient, HttpPolicy};
use porteplume::storage::mandates::MandateRow;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Where `tests/run` installs what these scripts use.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
    assert!(folder.join("node_modules").is_dir(), "run tests/run once: it installs openid-client and oidc-provider");
    folder
}

/// The instance, served over TLS, in the time of the machine: others look at their own clock.
struct Stage {
    town: Town,
    front: Front,
    ended: Arc<AtomicBool>,
    site: JoinHandle<()>,
}

impl Stage {
    async fn new(database: TestDatabase, more: impl FnOnce(&Front) -> String) -> Self {
        let inside = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = Front::before(&format!("http://{}", inside.local_addr().unwrap()), more);
        let authorities = Authority::read(&std::fs::read(front.authority()).unwrap()).unwrap();
        let http = HttpClient::new(&HttpPolicy { allow_loopback: true, authorities, ..HttpPolicy::default() }).unwrap();
        let test = TestApp::over(database).await.known_as(&front.origin(), &http);
        let ended = Arc::new(AtomicBool::new(false));
        let (clock, stop) = (test.clock.clone(), Arc::clone(&ended));
        let tick = move || clock.advance(SystemClock.now().since(clock.now()));
        tick();
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                tick();
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let town = Town::of(test).await;
        let site = town.service.clone();
        let site = tokio::spawn(async move { axum::serve(inside, site).await.unwrap() });
        Self { town, front, ended, site }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        self.site.abort();
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
