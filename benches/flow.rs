//! Complete representations per second over real HTTP on loopback: the page of the choice, the choice, the tokens, the
//! claims; each journaled and included before its answer. The server is a process of its own; this one is the load.
//!
//! `cargo bench --bench flow` (with `PORTEPLUME_TEST_POSTGRES` also on PostgreSQL). Prints throughput and latencies at full
//! load, latencies at half of it and at half of the mark, and the server's peak memory.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on stops; it blocks threads of its own and reads its settings"
)]

#[path = "../tests/support/settings.rs"]
mod settings;
#[path = "../tests/support/world.rs"]
mod world;

use porteplume::clock::{SystemClock, SystemEntropy};
use porteplume::config::Config;
use porteplume::crypto::KeyStore;
use porteplume::mandate::{MandateId, Term};
use porteplume::storage::Store;
use porteplume::web::csrf;
use serde_json::json;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

const WORKERS: usize = 64;
const MANDATES_EACH: usize = 4;
const PROCEDURE: &str = "prime-activite";
const SECRET: &str = "a-secret-of-the-caisse-0123456789";
const REDIRECT: &str = "https://caisse.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Half of the mark of 500 a second.
const HALF_OF_THE_MARK: f64 = 250.0;

/// One aidant at work: a signed-in session and mandates to use.
#[derive(Clone)]
struct Worker {
    cookie: String,
    csrf: String,
    mandates: Vec<MandateId>,
}

fn seconds(name: &str, usual: u64) -> Duration {
    let set = std::env::var(name).ok().and_then(|text| text.parse().ok());
    Duration::from_secs(set.unwrap_or(usual))
}

fn main() {
    // Cargo also runs benches as tests, without `--bench`: nothing to measure then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("porteplume-flow-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    measure("sqlite", &format!("sqlite:{}", folder.join("flow.sqlite").display()), &folder.join("sqlite"));
    match std::env::var("PORTEPLUME_TEST_POSTGRES") {
        Ok(url) => postgres(&url, &folder),
        Err(_) => println!("postgres: not measured, PORTEPLUME_TEST_POSTGRES is not set"),
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

fn postgres(admin: &str, folder: &Path) {
    let name = format!("porteplume_flow_{}", std::process::id());
    let mut url = url::Url::parse(admin).unwrap();
    url.set_path(&name);
    administer(admin, format!("CREATE DATABASE {name}"));
    measure("postgres", url.as_str(), &folder.join("postgres"));
    administer(admin, format!("DROP DATABASE {name} WITH (FORCE)"));
}

fn administer(admin: &str, statement: String) {
    use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
    runtime().block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(admin).await.unwrap();
        connection.execute(AssertSqlSafe(statement)).await.unwrap();
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn measure(engine: &str, database: &str, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let config = configure(database, folder, listen);
    let workers = runtime().block_on(prepare(&config));
    let server = Server::start(&config, listen, folder);
    run(listen, &workers, seconds("PORTEPLUME_FLOW_WARM", 2), None);
    let full = run(listen, &workers, seconds("PORTEPLUME_FLOW_SECONDS", 10), None);
    println!("{engine}: {} (full load, {WORKERS} browsers)", full.line());
    for rate in [full.rate() / 2.0, HALF_OF_THE_MARK] {
        let offered = run(listen, &workers, seconds("PORTEPLUME_FLOW_SECONDS", 10), Some(rate));
        println!("{engine}: {} (offered {rate:.0} a second)", offered.line());
    }
    println!("{engine}: {} of the server at most", server.peak_memory());
}

fn configure(database: &str, folder: &Path, listen: SocketAddr) -> PathBuf {
    let keys = folder.join("keys");
    KeyStore::init(&keys, &SystemEntropy, &SystemClock).unwrap();
    let more = "[limits]
        authorize_per_address = 1000000
        authorize_per_account = 1000000
        token_per_address = 1000000
        token_per_account = 1000000
        [telemetry]
        format = \"json\"";
    let text =
        settings::configuration(&listen.to_string(), &format!("http://{listen}"), database, &keys, more);
    let path = folder.join("porteplume.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// Writes the world straight into the database, through the service layer.
async fn prepare(config: &Path) -> Vec<Worker> {
    let text = std::fs::read_to_string(config).unwrap();
    let config = Config::parse(&text, [], &|_| unreachable!("no secret stands in a file")).unwrap();
    Store::migrate(config.database.url.expose()).await.unwrap();
    let app = porteplume::app::open(&config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap();
    let organisation = world::organisation(&app, "Mairie de Démonstration").await;
    let registration = json!({
        "id": "caisse",
        "name": "Caisse de démonstration",
        "profile": "oidc",
        "redirect_uris": [REDIRECT],
        "auth_method": "client_secret_basic",
        "secret_hash": world::secret_hash(SECRET),
        "claims": ["given_name", "family_name", "birthdate"],
        "procedures": [PROCEDURE],
    });
    world::client(&app, registration).await;
    let mut workers = Vec::new();
    for worker in 0..WORKERS {
        let aidant = world::aidant(&app, &organisation).await;
        let mut mandates = Vec::new();
        for number in 0..MANDATES_EACH {
            let identity = world::identity("Rose", &format!("Martin{worker}n{number}"), "1942-02-28");
            let usager = world::usager(&app, &organisation, identity).await;
            let by = (&organisation, &aidant);
            let row = world::mandate(&app, by, &usager, &[PROCEDURE, "carte-vitale"], Term::Month).await;
            mandates.push(row.mandate.id);
        }
        let opened = world::session_of(&app, world::fresh(&app, &aidant)).await;
        let cookie = format!("porteplume={}", opened.cookie.expose());
        workers.push(Worker { cookie, csrf: csrf::token(&opened.session.csrf), mandates });
    }
    app.store.close().await;
    workers
}

/// The server's process; ends with this value.
struct Server(Child);

impl Server {
    fn start(config: &Path, listen: SocketAddr, folder: &Path) -> Self {
        let log = std::fs::File::create(folder.join("server.log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_porteplume"))
            .args(["serve", "--config"])
            .arg(config)
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self(child);
        for _ in 0..200 {
            if TcpStream::connect(listen).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server does not answer; see {}", folder.join("server.log").display());
    }

    fn peak_memory(&self) -> String {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes: f64 =
            line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0.0);
        format!("{:.0} MB resident", kilobytes / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a run gave.
struct Outcome {
    elapsed: Duration,
    latencies: Vec<Duration>,
}

impl Outcome {
    fn line(&self) -> String {
        let of = |share: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "an index"
            )]
            let at = (self.latencies.len() as f64 * share) as usize;
            self.latencies[at.min(self.latencies.len() - 1)].as_secs_f64() * 1000.0
        };
        let rate = self.rate();
        format!("{rate:.0} flows a second, p50 {:.1} ms, p99 {:.1} ms", of(0.50), of(0.99))
    }

    /// Flows a second.
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// Every worker goes through flow after flow; at a given rate each flow is measured from when it was due.
fn run(server: SocketAddr, workers: &[Worker], lasting: Duration, rate: Option<f64>) -> Outcome {
    let began = Instant::now();
    let until = began + lasting;
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let pause = rate.map(|rate| Duration::from_secs_f64(workers.len() as f64 / rate));
    let threads: Vec<_> = workers
        .iter()
        .enumerate()
        .map(|(number, worker)| {
            let worker = worker.clone();
            let offset = pause.map_or(Duration::ZERO, |pause| {
                pause * u32::try_from(number).unwrap() / u32::try_from(WORKERS).unwrap()
            });
            std::thread::spawn(move || {
                let mut way = Way::open(server);
                let mut latencies = Vec::new();
                let mut due = began + offset;
                for mandate in worker.mandates.iter().cycle() {
                    if pause.is_some() {
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    } else {
                        due = Instant::now();
                    }
                    if due >= until {
                        break;
                    }
                    way.flow(&worker, mandate);
                    latencies.push(due.elapsed());
                    due += pause.unwrap_or_default();
                }
                latencies
            })
        })
        .collect();
    let mut latencies: Vec<Duration> =
        threads.into_iter().flat_map(|thread| thread.join().expect("a worker")).collect();
    let elapsed = began.elapsed();
    latencies.sort_unstable();
    assert!(!latencies.is_empty(), "no flow was completed");
    Outcome { elapsed, latencies }
}

/// Two kept-alive connections: the browser's and the service's.
struct Way {
    browser: Connection,
    service: Connection,
    basic: String,
    question: String,
}

impl Way {
    fn open(server: SocketAddr) -> Self {
        use base64::Engine as _;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("caisse:{SECRET}"));
        let redirect: String = url::form_urlencoded::byte_serialize(REDIRECT.as_bytes()).collect();
        let question = format!(
            "/authorize?response_type=code&client_id=caisse&redirect_uri={redirect}&scope=openid+given_name+family_name&\
             state=af0ifjsldkj&nonce=n-0S6_WzA2Mj&code_challenge={CHALLENGE}&code_challenge_method=S256"
        );
        Self { browser: Connection::open(server), service: Connection::open(server), basic, question }
    }

    /// One complete representation.
    fn flow(&mut self, worker: &Worker, mandate: &MandateId) {
        let cookie = format!("cookie: {}\r\n", worker.cookie);
        let page = self.browser.ask("GET", &self.question, &cookie, None);
        assert_eq!(page.status, 200, "{}", page.body);
        let from = page.body.find("/authorize/").expect("the choice") + "/authorize/".len();
        let handle = page.body.split_at(from).1.split('/').next().unwrap();
        let form = format!("csrf={}&choice={mandate}%3A{PROCEDURE}", worker.csrf);
        let sent = self.browser.ask("POST", &format!("/authorize/{handle}/confirm"), &cookie, Some(&form));
        assert_eq!(sent.status, 303, "{}", sent.body);
        let code = sent.location.split("code=").nth(1).expect("a code").split('&').next().unwrap();
        let redirect: String = url::form_urlencoded::byte_serialize(REDIRECT.as_bytes()).collect();
        let form = format!(
            "grant_type=authorization_code&code={code}&redirect_uri={redirect}&code_verifier={VERIFIER}"
        );
        let basic = format!("authorization: Basic {}\r\n", self.basic);
        let tokens = self.service.ask("POST", "/token", &basic, Some(&form));
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        let tokens: serde_json::Value = serde_json::from_str(&tokens.body).unwrap();
        let bearer = format!("authorization: Bearer {}\r\n", tokens["access_token"].as_str().unwrap());
        let claims = self.service.ask("GET", "/userinfo", &bearer, None);
        assert_eq!(claims.status, 200, "{}", claims.body);
    }
}

struct Answer {
    status: u16,
    location: String,
    body: String,
}

/// HTTP/1.1, one request at a time: no more than the load needs, so that the load costs little.
struct Connection {
    stream: BufReader<TcpStream>,
    server: SocketAddr,
}

impl Connection {
    fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::with_capacity(64 * 1024, stream), server }
    }

    fn ask(&mut self, method: &str, path: &str, headers: &str, form: Option<&str>) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n{headers}", self.server);
        if let Some(form) = form {
            let length = form.len();
            write!(
                request,
                "content-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n"
            )
            .unwrap();
        }
        request.push_str("\r\n");
        request.push_str(form.unwrap_or_default());
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        self.answer()
    }

    fn answer(&mut self) -> Answer {
        let (mut status, mut location, mut length) = (0, String::new(), 0);
        let mut line = String::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            match text.split_once(": ") {
                None => status = text.split(' ').nth(1).unwrap().parse().unwrap(),
                Some(("location", value)) => value.clone_into(&mut location),
                Some(("content-length", value)) => length = value.parse().unwrap(),
                Some(("transfer-encoding", _)) => panic!("the server does not know how much it says"),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Answer { status, location, body: String::from_utf8(body).unwrap() }
    }
}
