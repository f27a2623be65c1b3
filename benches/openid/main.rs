//! The Provider beside npm's `oidc-provider`, in one run on one machine: complete flows (authorize in a signed-in session, code, token,
//! userinfo), code exchange with userinfo, pushed requests with a proof of possession, discovery and keys.
//!
//! `cargo bench --bench openid`, after `tests/run` has installed the peer. Ours is durable and journaled and asks for whom one acts (a page
//! and a choice); the peer keeps everything in memory and answers at once in a session that has agreed before. Both sign with ES256.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measurement that cannot go on stops; it blocks threads of its own and reads its settings"
)]

#[path = "../instance.rs"]
mod instance;
#[path = "../load.rs"]
mod load;
mod peer;
mod proof;
#[path = "../../tests/support/settings.rs"]
mod settings;
#[path = "../../tests/support/world.rs"]
mod world;

use instance::{PROCEDURE, REDIRECT, SECRET, Server, WORKERS, Worker};
use load::{Asker, Connection, Outcome, run};
use peer::Peer;
use proof::Strict;
use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// A browser in which somebody is signed in.
#[derive(Clone)]
enum Browser {
    Ours(Worker),
    Theirs(String),
}

/// One of the two.
struct Side {
    name: &'static str,
    address: SocketAddr,
    authorize: &'static str,
    token: &'static str,
    userinfo: &'static str,
    par: &'static str,
    keys: &'static str,
    browsers: Vec<Browser>,
}

fn main() {
    // Cargo also runs benches as tests, without `--bench`: nothing to measure then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = std::env::temp_dir().join(format!("porteplume-openid-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let strict = Strict::new();

    let listen = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let database = format!("sqlite:{}", folder.join("openid.sqlite").display());
    let config = instance::configure(&database, &folder, listen);
    let workers = runtime.block_on(instance::prepare(&config, &[registration(&strict)]));
    let server = Server::start(&config, listen, &folder);
    let ours = Side {
        name: "porteplume",
        address: listen,
        authorize: "/authorize",
        token: "/token",
        userinfo: "/userinfo",
        par: "/par",
        keys: "/jwks",
        browsers: workers.into_iter().map(Browser::Ours).collect(),
    };

    let peer = Peer::start(&strict.jwk().to_string());
    let mut theirs = Side {
        name: "oidc-provider",
        address: peer.address,
        authorize: "/auth",
        token: "/token",
        userinfo: "/me",
        par: "/request",
        keys: "/jwks",
        browsers: Vec::new(),
    };
    for worker in 0..WORKERS {
        let cookies = runtime.block_on(peer.signed_in(&format!("person-{worker}"), &theirs.question("")));
        theirs.browsers.push(Browser::Theirs(cookies));
    }

    let lasting = std::env::var("PORTEPLUME_OPENID_SECONDS").ok().and_then(|text| text.parse().ok());
    let lasting = Duration::from_secs(lasting.unwrap_or(10));
    let both = [&theirs, &ours];
    compare("complete flows", both, |side| {
        run(side.flows(""), lasting / 5, None);
        run(side.flows(""), lasting, None)
    });
    compare("complete flows without a new choice", both, |side| {
        run(side.flows("&prompt=none"), lasting, None)
    });
    compare("code exchanges with userinfo", both, |side| side.exchanges(lasting));
    compare("pushed requests with a proof", both, |side| run(side.pushes(&strict), lasting, None));
    compare("discoveries", both, |side| run(side.reads("/.well-known/openid-configuration"), lasting, None));
    compare("readings of the keys", both, |side| run(side.reads(side.keys), lasting, None));
    println!(
        "memory at most: porteplume {:.0} MB, oidc-provider {:.0} MB",
        server.peak_memory(),
        peer.peak_memory()
    );
    drop((server, peer));
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Measures both, and says how many times the peer's rate ours is.
fn compare(what: &str, [theirs, ours]: [&Side; 2], measure: impl Fn(&Side) -> Outcome) {
    let (before, after) = (measure(theirs), measure(ours));
    println!("{}: {}", theirs.name, before.line(what));
    println!("{}: {}, {:.1} times", ours.name, after.line(what), after.rate() / before.rate());
}

/// The service that proves itself by a key, registered with us.
fn registration(strict: &Strict) -> Value {
    let mut registration = instance::caisse();
    for (name, value) in [
        ("id", json!("strict")),
        ("profile", json!("fapi2")),
        ("auth_method", json!("private_key_jwt")),
        ("secret_hash", Value::Null),
        ("jwks", json!({"keys": [strict.jwk()]})),
    ] {
        registration[name] = value;
    }
    registration
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// The parameters of a request, but for who asks.
fn parameters() -> String {
    format!(
        "response_type=code&redirect_uri={}&scope=openid+given_name+family_name&state=af0ifjsldkj&nonce=n-0S6_WzA2Mj\
         &code_challenge={CHALLENGE}&code_challenge_method=S256",
        encoded(REDIRECT)
    )
}

impl Side {
    fn question(&self, more: &str) -> String {
        format!("{}?client_id=caisse&{}{more}", self.authorize, parameters())
    }

    /// One asker for each browser, with a connection for it and one for the service.
    fn askers(
        &self,
        ask: impl Fn(&Browser, &mut Connection, &mut Connection) -> bool + Clone + Send + 'static,
    ) -> Vec<Asker> {
        let asker = |browser: &Browser| -> Asker {
            let (mut at_browser, mut at_service) =
                (Connection::open(self.address), Connection::open(self.address));
            let (browser, ask) = (browser.clone(), ask.clone());
            Box::new(move || ask(&browser, &mut at_browser, &mut at_service))
        };
        self.browsers.iter().map(asker).collect()
    }

    fn flows(&self, more: &str) -> Vec<Asker> {
        let (question, exchange) = (self.question(more), self.exchange());
        self.askers(move |browser, at_browser, at_service| {
            exchange(at_service, &code(at_browser, browser, &question));
            true
        })
    }

    /// In rounds: each browser fetches a code, which is not timed, and then all are exchanged.
    fn exchanges(&self, lasting: Duration) -> Outcome {
        let mut outcome = Outcome { elapsed: Duration::ZERO, latencies: Vec::new() };
        let until = Instant::now() + 2 * lasting;
        while Instant::now() < until {
            let codes = Arc::new(Mutex::new(Vec::new()));
            let (question, kept) = (self.question(""), Arc::clone(&codes));
            let fetching = self.askers(move |browser, at_browser, _| {
                let code = code(at_browser, browser, &question);
                kept.lock().unwrap().push(code);
                false
            });
            for mut fetch in fetching {
                fetch();
            }
            let (exchange, codes) = (self.exchange(), Arc::clone(&codes));
            let exchanging = self.askers(move |_, _, at_service| {
                let code = codes.lock().unwrap().pop();
                code.is_some_and(|code| {
                    exchange(at_service, &code);
                    true
                })
            });
            let round = run(exchanging, lasting, None);
            outcome.elapsed += round.elapsed;
            outcome.latencies.extend(round.latencies);
        }
        outcome.latencies.sort_unstable();
        outcome
    }

    /// Exchanges a code and asks for the claims.
    fn exchange(&self) -> impl Fn(&mut Connection, &str) + Clone + Send + 'static {
        use base64::Engine as _;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("caisse:{SECRET}"));
        let (token, userinfo) = (self.token, self.userinfo);
        move |service, code| {
            let form = format!(
                "grant_type=authorization_code&code={code}&redirect_uri={}&code_verifier={VERIFIER}",
                encoded(REDIRECT)
            );
            let tokens =
                service.ask("POST", token, &format!("authorization: Basic {basic}\r\n"), Some(&form));
            assert_eq!(tokens.status, 200, "{}", tokens.body);
            let tokens: Value = serde_json::from_str(&tokens.body).unwrap();
            let bearer = format!("authorization: Bearer {}\r\n", tokens["access_token"].as_str().unwrap());
            let claims = service.ask("GET", userinfo, &bearer, None);
            assert_eq!(claims.status, 200, "{}", claims.body);
        }
    }

    fn pushes(&self, strict: &Strict) -> Vec<Asker> {
        let (issuer, par, strict) = (format!("http://{}", self.address), self.par, strict.clone());
        self.askers(move |_, _, service| {
            let form = format!("client_id=strict&{}&{}", parameters(), strict.assertion(&issuer));
            let proof = format!("dpop: {}\r\n", strict.proof(&format!("{issuer}{par}")));
            let pushed = service.ask("POST", par, &proof, Some(&form));
            assert_eq!(pushed.status, 201, "{}", pushed.body);
            true
        })
    }

    fn reads(&self, path: &'static str) -> Vec<Asker> {
        self.askers(move |_, _, service| {
            let read = service.ask("GET", path, "", None);
            assert_eq!(read.status, 200, "{}", read.body);
            true
        })
    }
}

/// A code, by the page and the choice where there are such.
fn code(connection: &mut Connection, browser: &Browser, question: &str) -> String {
    let sent = match browser {
        Browser::Theirs(cookies) => connection.ask("GET", question, &format!("cookie: {cookies}\r\n"), None),
        Browser::Ours(worker) => {
            let cookie = format!("cookie: {}\r\n", worker.cookie);
            let page = connection.ask("GET", question, &cookie, None);
            if page.status == 303 {
                return code_in(&page.location);
            }
            assert_eq!(page.status, 200, "{}", page.body);
            let from = page.body.find("/authorize/").expect("the choice") + "/authorize/".len();
            let handle = page.body.split_at(from).1.split(['/', '?', '"']).next().unwrap();
            let form = format!("csrf={}&choice={}%3A{PROCEDURE}", worker.csrf, worker.mandates[0]);
            connection.ask("POST", &format!("/authorize/{handle}/confirm"), &cookie, Some(&form))
        }
    };
    assert!(matches!(sent.status, 302 | 303), "{}", sent.body);
    code_in(&sent.location)
}

fn code_in(location: &str) -> String {
    let (_, from) = location.split_once("code=").unwrap_or_else(|| panic!("a code: {location}"));
    from.split('&').next().unwrap_or_default().to_owned()
}
