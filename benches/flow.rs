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

mod instance;
mod load;
#[path = "../tests/support/settings.rs"]
mod settings;
#[path = "../tests/support/world.rs"]
mod world;

use instance::{PROCEDURE, REDIRECT, SECRET, Server, WORKERS, Worker, configure, prepare};
use load::{Asker, Connection, run};
use porteplume::mandate::MandateId;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
/// Half of the mark of 500 a second.
const HALF_OF_THE_MARK: f64 = 250.0;

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
    let workers = runtime().block_on(prepare(&config, &[]));
    let server = Server::start(&config, listen, folder);
    let lasting = seconds("PORTEPLUME_FLOW_SECONDS", 10);
    run(flows(listen, &workers), seconds("PORTEPLUME_FLOW_WARM", 2), None);
    let full = run(flows(listen, &workers), lasting, None);
    println!("{engine}: {} (full load, {WORKERS} browsers)", full.line("flows"));
    for rate in [full.rate() / 2.0, HALF_OF_THE_MARK] {
        let offered = run(flows(listen, &workers), lasting, Some(rate));
        println!("{engine}: {} (offered {rate:.0} a second)", offered.line("flows"));
    }
    println!("{engine}: {:.0} MB resident of the server at most", server.peak_memory());
}

/// Every worker goes through flow after flow.
fn flows(server: SocketAddr, workers: &[Worker]) -> Vec<Asker> {
    let asker = |worker: &Worker| -> Asker {
        let (worker, mut way) = (worker.clone(), Way::open(server));
        let mut mandates = (0..worker.mandates.len()).cycle();
        Box::new(move || {
            let mandate = mandates.next().expect("an endless row");
            way.flow(&worker, &worker.mandates[mandate]);
            true
        })
    };
    workers.iter().map(asker).collect()
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
