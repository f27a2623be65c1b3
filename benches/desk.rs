//! The auditor's desk over a long journal: how soon each page begins to arrive over real HTTP on loopback, the reading
//! journaled and included before, and how that compares with the same pages over a short journal.
//!
//! `cargo bench --bench desk` (with `PORTEPLUME_TEST_POSTGRES` also on PostgreSQL). `PORTEPLUME_DESK_LONG` sets the length of
//! the long journal, 100,000 entries otherwise. The mark is a first byte within 200 ms on the long one.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on stops; it reads its settings"
)]

#[path = "../tests/support/auditor.rs"]
mod auditor;

use porteplume::clock::{SystemClock, SystemEntropy};
use porteplume::crypto::to_hex;
use porteplume::demo::synth::{self, Amount};
use porteplume::demo::{Demo, DemoOptions, start};
use porteplume::mandate::{Instant as At, Language, Outcome, Reach, Slots};
use porteplume::service::session::Opened;
use porteplume::service::{App, Caller, Error, Who, audit, manage, session};
use porteplume::storage::search::{self, Filter, Found};
use porteplume::web::csrf;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

const SHORT: u64 = 10_000;
/// How often each page is asked for.
const TIMES: usize = 15;

fn main() {
    // Cargo also runs benches as tests, without `--bench`: nothing to measure then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let long = std::env::var("PORTEPLUME_DESK_LONG").ok().and_then(|text| text.parse().ok());
    let folder = std::env::temp_dir().join(format!("porteplume-desk-{}", std::process::id()));
    let postgres = std::env::var("PORTEPLUME_TEST_POSTGRES").ok();
    for (engine, admin) in [("sqlite", None), ("postgres", postgres.as_deref())] {
        if engine == "postgres" && admin.is_none() {
            println!("postgres: not measured, PORTEPLUME_TEST_POSTGRES is not set");
            continue;
        }
        let [short, long] = [SHORT, long.unwrap_or(100_000)]
            .map(|entries| over(engine, admin, &folder.join(format!("{engine}-{entries}")), entries));
        for (page, long) in &long {
            let before = short.iter().find(|(other, _)| other == page);
            let ratio = before.map_or(f64::NAN, |(_, short)| long.typical() / short.typical());
            println!(
                "{engine}: {page}: first byte p50 {:.1} ms, at most {:.1} ms, the first time {:.1} ms; {ratio:.2} times the \
                 short journal's",
                long.typical(),
                long.longest(),
                long.took[0]
            );
        }
        let worst = long.iter().max_by(|(_, one), (_, other)| one.longest().total_cmp(&other.longest()));
        let (page, worst) = worst.unwrap();
        println!("{engine}: the slowest was {page}, {:.1} ms", worst.longest());
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

/// How long a page took each time, in milliseconds.
struct Measured {
    took: Vec<f64>,
}

impl Measured {
    fn typical(&self) -> f64 {
        let mut sorted = self.took.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }

    fn longest(&self) -> f64 {
        self.took.iter().copied().fold(0.0, f64::max)
    }
}

/// Every page over a journal of so many entries.
fn over(engine: &str, admin: Option<&str>, data: &Path, entries: u64) -> Vec<(String, Measured)> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let name = format!("porteplume_desk_{}_{entries}", std::process::id());
    let database = admin.map(|admin| {
        runtime.block_on(administer(admin, format!("CREATE DATABASE {name}")));
        let mut url = url::Url::parse(admin).unwrap();
        url.set_path(&name);
        url.to_string()
    });
    let began = Instant::now();
    let amount = Amount { entries, days: 365 };
    runtime.block_on(synth::fill(data, database.clone(), amount, &|_| ())).unwrap();
    println!("{engine}: {entries} entries made up in {:.0} s", began.elapsed().as_secs_f64());
    let demo = runtime.block_on(start(DemoOptions {
        port: 0,
        data: data.to_owned(),
        database,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    }));
    let demo = demo.unwrap();
    let desk = runtime.block_on(Desk::of(&demo));
    let pages = runtime.block_on(pages(&demo.app, &desk));
    let measured = pages.into_iter().map(|(name, path)| {
        let took = (0..TIMES).map(|_| desk.first_byte(&path)).collect();
        (name, Measured { took })
    });
    let drawn = Measured { took: (0..TIMES).map(|_| desk.sample(&demo.app).0).collect() };
    let measured = measured.chain([("a sample of a year, drawn".to_owned(), drawn)]).collect();
    runtime.block_on(demo.stop());
    if let Some(admin) = admin {
        runtime.block_on(administer(admin, format!("DROP DATABASE {name} WITH (FORCE)")));
    }
    measured
}

async fn administer(admin: &str, statement: String) {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(admin).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// An auditor who may read everything, and has said why.
struct Desk {
    address: String,
    cookie: String,
    csrf: String,
}

impl Desk {
    async fn of(demo: &Demo) -> Self {
        let app = &demo.app;
        let auditor = auditor::registered(app).await;
        auditor::given(app, &auditor, Reach::Everything, Slots::METADATA).await;
        let started = session::start(app, Language::Fr).await.unwrap();
        let who = Who::Auditor { auditor, authenticated_at: app.now(), reading: None };
        let opened = session::next(app, &started.session, who).unwrap();
        let (before, after) = (started.session.id, Arc::new(opened.session.clone()));
        app.commit("bench.session", move |tx| {
            let after = Arc::clone(&after);
            Box::pin(async move { session::rotate(tx, &before, &after).await })
        })
        .await
        .unwrap();
        let caller = Caller::default();
        let purpose = audit::state_purpose(app, &opened.session, &caller, "Contrôle annuel").await;
        let Opened { cookie, session } = purpose.unwrap();
        Self {
            address: demo.service.trim_start_matches("http://").to_owned(),
            cookie: format!("porteplume={}", cookie.expose()),
            csrf: csrf::token(&session.csrf),
        }
    }

    /// Sends a request; when the answer began to arrive, and all of it.
    fn ask(&self, request: &str) -> (f64, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
        let began = Instant::now();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = vec![0];
        stream.read_exact(&mut answer).unwrap();
        let first = began.elapsed().as_secs_f64() * 1_000.0;
        stream.read_to_end(&mut answer).unwrap();
        (first, String::from_utf8_lossy(&answer).into_owned())
    }

    fn head(&self, method: &str, path: &str) -> String {
        let Self { address, cookie, .. } = self;
        format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\ncookie: {cookie}\r\nconnection: close\r\n")
    }

    fn get(&self, path: &str) -> (f64, String) {
        let (first, answer) = self.ask(&format!("{}\r\n", self.head("GET", path)));
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer:.300}");
        (first, answer)
    }

    fn first_byte(&self, path: &str) -> f64 {
        self.get(path).0
    }

    /// Draws a sample; how soon, and where it is.
    fn sample(&self, app: &App) -> (f64, String) {
        let (csrf, id) = (&self.csrf, to_hex(&app.new_id().unwrap()));
        let form = format!("csrf={csrf}&idempotency={id}&from=&to=&organisation=&kind=&count=20");
        let head = self.head("POST", "/auditor/samples");
        let (first, answer) = self.ask(&format!(
            "{head}content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{form}",
            form.len()
        ));
        assert!(answer.starts_with("HTTP/1.1 303"), "{answer:.300}");
        (first, format!("/auditor/samples/{id}"))
    }
}

async fn found(app: &App, filter: Filter) -> Vec<Found> {
    app.store
        .read("bench", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(search::find(snapshot, &filter, None, 500).await?.found) })
        })
        .await
        .unwrap()
}

/// So many days ago, as a form carries a day.
fn day(app: &App, ago: i64) -> String {
    let at = app.now().plus(time::Duration::days(-ago));
    at.date().to_string()
}

/// What is measured: each page with filters that fit much, little and nothing.
async fn pages(app: &App, desk: &Desk) -> Vec<(String, String)> {
    let everything = Filter::period(At::from_micros(0), app.now());
    let some = found(app, everything.clone()).await;
    let refused = found(app, Filter { outcome: Some(Outcome::Refused), ..everything }).await;
    let one = |of: fn(&Found) -> Option<&String>| some.iter().find_map(of).unwrap().clone();
    let (aidant, usager) =
        (one(|found| found.search.aidant.as_ref()), one(|found| found.search.usager.as_ref()));
    let mandate = one(|found| found.search.mandate.as_ref());
    let code = refused.first().unwrap().search.code.clone().unwrap();
    let organisations = manage::organisations_list(app).await.unwrap();
    let organisation = organisations.last().unwrap().id.clone();
    let (client, procedure) = ("caisse-de-demonstration", "prime-activite");
    let middle = some.len() / 2;
    let entry = some[middle].event_id.clone();
    let (_, sample) = desk.sample(app);
    let (_, page) = desk.get(&sample);
    let checklist = page.split(&format!("{sample}/entries/")).nth(1).unwrap().split('"').next().unwrap();
    let find = |filters: &str| format!("/auditor?{filters}");
    let named = [
        ("the search, empty", "/auditor".to_owned()),
        ("found by time", find("from=2000-01-01")),
        ("found by organisation", find(&format!("organisation={organisation}"))),
        ("found by aidant", find(&format!("aidant={aidant}"))),
        ("found by mandate", find(&format!("mandate={mandate}"))),
        ("found by usager", find(&format!("usager={usager}"))),
        ("found by service", find(&format!("client={client}"))),
        ("found by procedure", find(&format!("procedure={procedure}"))),
        ("found by kind, frequent", find("kind=representation.opened")),
        ("found by kind, absent", find("kind=person.erased")),
        ("found refused", find("outcome=refused")),
        ("found done", find("outcome=done")),
        ("found by code", find(&format!("code={code}"))),
        (
            "found by three filters",
            find(&format!("organisation={organisation}&procedure={procedure}&outcome=refused")),
        ),
        (
            "found by filters nothing fits",
            find(&format!("client={client}&kind=organisation.added&outcome=done")),
        ),
        ("exported by mandate", format!("/auditor/export.tar?mandate={mandate}")),
        ("an entry", format!("/auditor/entries/{entry}")),
        ("an entry's proof", format!("/auditor/entries/{entry}/proof")),
        ("a mandate followed", format!("/auditor/follow?mandate={mandate}")),
        ("a mandate at an instant", format!("/auditor/follow?mandate={mandate}&at={}T12:00", day(app, 1))),
        ("an aidant followed", format!("/auditor/follow?aidant={aidant}")),
        ("charts of a month", "/auditor/charts".to_owned()),
        ("charts of a year", format!("/auditor/charts?from={}&to={}", day(app, 364), day(app, 0))),
        ("charts of an organisation", format!("/auditor/charts?organisation={organisation}")),
        ("samples", "/auditor/samples".to_owned()),
        ("a sample", sample.clone()),
        ("an entry of a sample", format!("{sample}/entries/{checklist}")),
        ("a report", format!("{sample}/report")),
        ("content", "/auditor/content".to_owned()),
    ];
    named.map(|(name, path)| (name.to_owned(), path)).into()
}
