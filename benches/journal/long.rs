//! A short journal and a long one: searching and proving must not take longer because much happened; and how fast
//! the long one verifies.

use super::{quantile, settings, timed};
use porteplume::clock::{Clock as _, SystemClock, SystemEntropy};
use porteplume::config::Config;
use porteplume::demo::synth::{self, Amount};
use porteplume::journal::{Mirrored, Policy};
use porteplume::mandate::Instant as At;
use porteplume::service::export::{Export, export};
use porteplume::service::verify::{self, Journal};
use porteplume::service::{App, Error, proof};
use porteplume::storage::search::{self, Filter};
use porteplume::storage::{JournalSigner, Store, StoreOptions, journal};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SHORT: u64 = 10_000;
const LASTING: Duration = Duration::from_secs(2);

pub(super) async fn compare(folder: &Path) {
    let long = std::env::var("PORTEPLUME_JOURNAL_LONG").ok().and_then(|text| text.parse().ok());
    let mut before: Option<Vec<f64>> = None;
    for entries in [SHORT, long.unwrap_or(1_000_000)] {
        let data = folder.join(format!("long-{entries}"));
        let began = Instant::now();
        synth::fill(&data, None, Amount { entries, days: 365 }, &|_| ()).await.unwrap();
        println!("{entries} entries made up in {:.0} s", began.elapsed().as_secs_f64());
        let app = open(&data).await;
        let medians = measure(&app, entries).await;
        if let Some(before) = &before {
            let ratios: Vec<String> =
                medians.iter().zip(before).map(|(long, short)| format!("{:.2}", long / short)).collect();
            println!("long to short: {}", ratios.join(", "));
        }
        before = Some(medians);
        mirror(&app, &folder.join(format!("mirror-{entries}"))).await;
        app.store.close().await;
        check(&data, entries).await;
    }
}

async fn open(data: &Path) -> App {
    let url = format!("sqlite:{}", data.join("porteplume.sqlite").display());
    let text = settings::configuration("127.0.0.1:0", "http://127.0.0.1:8080", &url, &data.join("keys"), "");
    let text = text.replace("porteplume.test/journal", "porteplume.example/demonstration");
    let config = Config::parse(&text, [], &|_| unreachable!("no secret stands in a file")).unwrap();
    porteplume::app::open(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap()
}

/// Median milliseconds of a page of results by organisation, by aidant, by time, and of a proof.
async fn measure(app: &App, entries: u64) -> Vec<f64> {
    let (from, until) = (At::from_micros(0), SystemClock.now());
    let some = find(app, Filter::period(from, until), 50).await;
    let organisation = some.iter().find_map(|found| found.search.organisation.clone());
    let aidant = some.iter().find_map(|found| found.search.aidant.clone());
    let filters = [
        ("by organisation", Filter { organisation, ..Filter::period(from, until) }),
        ("by aidant", Filter { aidant, ..Filter::period(from, until) }),
        ("by time", Filter::period(from, until)),
    ];
    let mut medians = Vec::new();
    for (name, filter) in filters {
        let took = timed(LASTING, |_| {
            let filter = filter.clone();
            async move { assert!(find(app, filter, 51).await.len() > 1) }
        })
        .await;
        medians.push(told(entries, &format!("a page {name}"), &took));
    }
    let took = timed(LASTING, |number| async move {
        let at = (u64::try_from(number).unwrap() * 7_919) % (entries * 9 / 10);
        let by = Arc::clone(app);
        app.store
            .read("bench", move |snapshot| {
                Box::pin(async move {
                    let row = journal::entries(snapshot, at, 1).await?;
                    assert!(proof::of(&by, snapshot, &row[0]).await?.is_some());
                    Ok::<_, Error>(())
                })
            })
            .await
            .unwrap();
    })
    .await;
    medians.push(told(entries, "a proof", &took));
    medians
}

/// How fast anybody who mirrors the journal verifies it from its files.
async fn mirror(app: &App, dir: &Path) {
    let signer = JournalSigner::new(app.origin.clone(), Arc::clone(&app.keys)).unwrap();
    let keys = signer.verifiers().to_vec();
    let wanted = Export {
        store: app.store.clone(),
        keys: keys.clone(),
        witnesses: Arc::default(),
        dir: dir.to_owned(),
    };
    export(&wanted).await.unwrap();
    let began = Instant::now();
    let mirrored = Mirrored::verify(&Policy::of_log(&keys), |path| std::fs::read(dir.join(path)));
    let took = began.elapsed().as_secs_f64();
    assert!(mirrored.holds(), "{:?}", mirrored.findings);
    #[expect(clippy::cast_precision_loss, reason = "a count of a million")]
    let rate = mirrored.entries as f64 / took;
    println!("{} entries: a mirror verified in {took:.2} s, {rate:.0} entries a second", mirrored.entries);
}

fn told(entries: u64, what: &str, took: &[Duration]) -> f64 {
    let median = quantile(took, 0.5);
    println!("{entries} entries: {what}: p50 {median:.2} ms, p99 {:.2} ms", quantile(took, 0.99));
    median
}

async fn find(app: &App, filter: Filter, limit: u32) -> Vec<search::Found> {
    app.store
        .read("bench", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(search::find(snapshot, &filter, None, limit).await?.found) })
        })
        .await
        .unwrap()
}

async fn check(data: &Path, entries: u64) {
    let url = format!("sqlite:{}", data.join("porteplume.sqlite").display());
    let store = Store::open_for_reading(&StoreOptions::new(&url)).await.unwrap();
    let keys = Arc::new(porteplume::crypto::KeyStore::open(&data.join("keys")).unwrap());
    let signer = JournalSigner::new("porteplume.example/demonstration", Arc::clone(&keys)).unwrap();
    let verifiers = signer.verifiers().to_vec();
    let published = Some(data.join("checkpoint"));
    let authorities = porteplume::journal::TimestampAuthorities::default();
    let began = Instant::now();
    let report =
        verify::verify(Journal { store, keys, verifiers, published, authorities, now: SystemClock.now() })
            .await
            .unwrap();
    assert!(report.is_clean());
    #[expect(clippy::cast_precision_loss, reason = "a count of a million")]
    let rate = report.tree.entries as f64 / began.elapsed().as_secs_f64();
    println!(
        "{entries} entries: everything verified (openings, facts, mandates) in {:.1} s, {rate:.0} entries a second",
        began.elapsed().as_secs_f64()
    );
}
