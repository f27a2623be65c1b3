//! The journal's speed on both engines, against the naive way in the same run: entries appended, sealed, included and
//! signed; searches and proofs in a short and in a long journal; verification; bytes an act.
//!
//! `cargo bench --bench journal` (with `PORTEPLUME_TEST_POSTGRES` also on PostgreSQL). `PORTEPLUME_JOURNAL_LONG` sets the
//! length of the long journal; making up a million entries takes some minutes.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on stops; it reads its settings"
)]

mod append;
mod long;
mod naive;
#[path = "../../tests/support/settings.rs"]
mod settings;

use porteplume::clock::{SystemClock, SystemEntropy};
use porteplume::config::Config;
use porteplume::crypto::KeyStore;
use porteplume::service::App;
use porteplume::storage::Store;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How many wait at once.
const WAITING: [usize; 4] = [1, 16, 64, 256];

#[tokio::main]
async fn main() {
    // Cargo also runs benches as tests, without `--bench`: nothing to measure then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("porteplume-journal-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let sqlite = format!("sqlite:{}", folder.join("append.sqlite").display());
    appending("sqlite", &sqlite, &folder.join("sqlite")).await;
    match std::env::var("PORTEPLUME_TEST_POSTGRES") {
        Ok(admin) => postgres(&admin, &folder).await,
        Err(_) => println!("postgres: not measured, PORTEPLUME_TEST_POSTGRES is not set"),
    }
    long::compare(&folder).await;
    std::fs::remove_dir_all(&folder).unwrap();
}

async fn postgres(admin: &str, folder: &Path) {
    let name = format!("porteplume_journal_{}", std::process::id());
    let mut url = url::Url::parse(admin).unwrap();
    url.set_path(&name);
    naive::run(admin, format!("CREATE DATABASE {name}")).await;
    appending("postgres", url.as_str(), &folder.join("postgres")).await;
    naive::run(admin, format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn appending(engine: &str, url: &str, folder: &Path) {
    let app = open(url, folder).await;
    for waiting in WAITING {
        let ours = append::run(&app, waiting).await;
        let naive = naive::rate(url, waiting).await;
        println!(
            "{engine}: {waiting:>3} at once: {:>6.0} acts a second ({}), {:.1} times the naive {naive:.0}",
            ours.rate,
            ours.latency,
            ours.rate / naive
        );
    }
    println!("{engine}: {:.0} bytes an act", append::bytes_an_act(&app, url).await);
    app.store.close().await;
}

async fn open(url: &str, folder: &Path) -> App {
    let keys = folder.join("keys");
    std::fs::create_dir_all(folder).unwrap();
    KeyStore::init(&keys, &SystemEntropy, &SystemClock).unwrap();
    let text = settings::configuration("127.0.0.1:0", "http://127.0.0.1:8080", url, &keys, "");
    let config = Config::parse(&text, [], &|_| unreachable!("no secret stands in a file")).unwrap();
    Store::migrate(config.database.url.expose()).await.unwrap();
    porteplume::app::open(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap()
}

/// The value below which that share of the measurements lies, in milliseconds.
fn quantile(sorted: &[Duration], share: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a count"
    )]
    let at = ((sorted.len() - 1) as f64 * share) as usize;
    sorted[at].as_secs_f64() * 1_000.0
}

/// Runs work again and again for a while; how long each took, in order.
async fn timed<F, W>(lasting: Duration, mut work: F) -> Vec<Duration>
where
    F: FnMut(usize) -> W,
    W: Future<Output = ()>,
{
    let began = Instant::now();
    let mut took = Vec::new();
    while began.elapsed() < lasting {
        let start = Instant::now();
        work(took.len()).await;
        took.push(start.elapsed());
    }
    took.sort_unstable();
    took
}
