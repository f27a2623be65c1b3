//! Entries appended, sealed, included and signed per second, by how many wait at once: what sharing commits gives.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot go on stops; it reads its settings"
)]

#[path = "../tests/support/settings.rs"]
mod settings;

use porteplume::clock::{SystemClock, SystemEntropy};
use porteplume::config::Config;
use porteplume::crypto::KeyStore;
use porteplume::mandate::{EventKind, OrganisationId};
use porteplume::service::{App, Caller, Error, Record};
use porteplume::storage::Store;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const LASTING: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("porteplume-append-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let app = open(&folder).await;
    let mut alone = 0.0;
    for waiting in [1, 8, 64, 256] {
        let rate = run(&app, waiting).await;
        if waiting == 1 {
            alone = rate;
        }
        println!("{waiting:>3} at once: {rate:>6.0} entries a second, {:.1} times one alone", rate / alone);
    }
    app.store.close().await;
    std::fs::remove_dir_all(&folder).unwrap();
}

async fn open(folder: &Path) -> App {
    let keys = folder.join("keys");
    KeyStore::init(&keys, &SystemEntropy, &SystemClock).unwrap();
    let url = format!("sqlite:{}", folder.join("append.sqlite").display());
    let text = settings::configuration("127.0.0.1:0", "http://127.0.0.1:8080", &url, &keys, "");
    let config = Config::parse(&text, [], &|_| unreachable!("no secret stands in a file")).unwrap();
    Store::migrate(config.database.url.expose()).await.unwrap();
    porteplume::app::open(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap()
}

async fn run(app: &App, waiting: usize) -> f64 {
    let began = Instant::now();
    let tasks: Vec<_> =
        (0..waiting).map(|_| tokio::spawn(append(Arc::clone(app), began + LASTING))).collect();
    let mut appended = 0_u32;
    for task in tasks {
        appended += task.await.unwrap();
    }
    f64::from(appended) / began.elapsed().as_secs_f64()
}

async fn append(app: App, until: Instant) -> u32 {
    let organisation = OrganisationId::from_bytes([1; 16]);
    let mut appended = 0;
    while Instant::now() < until {
        let (app_, organisation, now) = (Arc::clone(&app), organisation.clone(), app.now());
        let written = app.include("bench", move |tx| {
            let (app, organisation) = (Arc::clone(&app_), organisation.clone());
            Box::pin(async move {
                let record = Record::done(EventKind::ChoiceOffered).organisation(&organisation);
                record.append(&app, tx, &Caller::default(), now).await?;
                Ok::<_, Error>(())
            })
        });
        written.await.unwrap();
        appended += 1;
    }
    appended
}
