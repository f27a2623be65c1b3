//! WebDriver, as much of it as one browser needs: chromedriver on a port of its own, JSON over HTTP.

use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The name under which WebDriver hands elements over; fixed by its specification.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
const SWITCHES: &[&str] = &[
    "--headless=new",
    "--no-sandbox", // CI runs as root; every page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--remote-debugging-pipe", // so that it ends with chromedriver, however that ends
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
];

/// A command the browser refused: WebDriver's own error code, and what it says.
#[derive(Debug)]
pub(super) struct Refused {
    /// Such as `no such element`.
    pub(super) code: String,
    /// For people.
    pub(super) message: String,
}

/// An element of the page at hand; it goes stale with the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element(String);

/// A running chromedriver with one session, both of which end with this value, panic or not.
pub(super) struct Driver {
    process: Child,
    address: String,
    session: String,
    profile: PathBuf,
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
}

impl Driver {
    /// Starts a browser with a new profile under these preferences.
    pub(super) fn start(preferences: &Value) -> Self {
        let (process, port) = start_chromedriver();
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let profile = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("chromium-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&profile).expect("a folder for the browser's profile");
        // The client asks for a TLS library to be chosen, though all of this is plain HTTP on loopback.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut driver = Self {
            process,
            address: format!("http://127.0.0.1:{port}"),
            session: String::new(),
            profile,
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"),
            client: reqwest::Client::builder()
                .no_proxy()
                .timeout(Duration::from_mins(3))
                .build()
                .expect("an HTTP client"),
        };
        driver.session = driver.begin(preferences);
        driver
    }

    fn begin(&self, preferences: &Value) -> String {
        let mut switches: Vec<String> = SWITCHES.iter().map(|&switch| switch.to_owned()).collect();
        switches.push(format!("--user-data-dir={}", self.profile.display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "timeouts": { "implicit": 0, "pageLoad": 120_000, "script": 120_000 },
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": switches, "prefs": preferences },
        }}});
        let begun = self.call("POST", &format!("{}/session", self.address), Some(&wanted));
        let begun = begun.unwrap_or_else(|refused| panic!("Chromium would not start: {}", refused.message));
        begun["sessionId"].as_str().expect("a session id").to_owned()
    }

    /// Sends a command of this session.
    pub(super) fn send(&self, method: &str, command: &str, body: &Value) -> Result<Value, Refused> {
        let address = format!("{}/session/{}/{command}", self.address, self.session);
        self.call(method, &address, (method == "POST").then_some(body))
    }

    fn call(&self, method: &str, address: &str, body: Option<&Value>) -> Result<Value, Refused> {
        let method = method.parse().expect("an HTTP method");
        let mut request = self.client.request(method, address);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let (status, body) = self.runtime.block_on(async {
            let answer = request.send().await.expect("chromedriver answers");
            (answer.status(), answer.bytes().await.expect("chromedriver's whole answer"))
        });
        let mut answer: Value = serde_json::from_slice(&body).expect("chromedriver speaks JSON");
        let value = answer["value"].take();
        if status.is_success() {
            return Ok(value);
        }
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        Err(Refused { code: text("error"), message: text("message") })
    }

    /// Every element that matches the selector, in the page's order.
    pub(super) fn find(&self, selector: &str) -> Vec<Element> {
        let how = json!({ "using": "css selector", "value": selector });
        let found =
            self.send("POST", "elements", &how).unwrap_or_else(|e| panic!("{selector}: {}", e.message));
        let found = found.as_array().into_iter().flatten();
        found.filter_map(|element| element[ELEMENT].as_str()).map(|id| Element(id.to_owned())).collect()
    }

    /// Sends a command to an element.
    pub(super) fn at(&self, on: &Element, method: &str, what: &str, body: &Value) -> Result<Value, Refused> {
        self.send(method, &format!("element/{}/{what}", on.0), body)
    }

    /// Runs a script in the page, past its content security policy and past the refusal of its own scripts.
    pub(super) fn run(&self, script: &str, arguments: &[Value]) -> Result<Value, Refused> {
        self.send("POST", "execute/sync", &json!({ "script": script, "args": arguments }))
    }

    /// As [`Self::run`], for a script that calls its last argument when done.
    pub(super) fn run_until_called(&self, script: &str) -> Result<Value, Refused> {
        self.send("POST", "execute/async", &json!({ "script": script, "args": [] }))
    }

    /// A command of Chromium's own protocol.
    pub(super) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.send("POST", "goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
            .unwrap_or_else(|e| panic!("{command}: {}", e.message))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Chromium ends with its session and tidies up behind itself; chromedriver would outlive both.
        if !self.session.is_empty() {
            let address = format!("{}/session/{}", self.address, self.session);
            let request = self.client.delete(address).timeout(Duration::from_secs(30));
            let _ = self.runtime.block_on(async { request.send().await });
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// Starts chromedriver on a free port and waits for it to name the port. The port it finds may be taken, on one of its
/// two addresses, before it has bound it; then it ends at once, and another try finds another.
fn start_chromedriver() -> (Child, u16) {
    const TRIES: usize = 5;
    (0..TRIES).find_map(|_| try_chromedriver()).unwrap_or_else(|| {
        panic!("chromedriver is missing or would not start: tests/run installs it (Debian's chromium-driver)")
    })
}

fn try_chromedriver() -> Option<(Child, u16)> {
    // setpriv has chromedriver ended should this process be killed.
    let started = Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "--", "chromedriver", "--port=0"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let mut process = started.unwrap_or_else(|error| match error.kind() {
        ErrorKind::NotFound => panic!("setpriv is missing: tests/run installs it (Debian's util-linux)"),
        _ => panic!("setpriv would not start: {error}"),
    });
    let said = BufReader::new(process.stdout.take().expect("a pipe"));
    for line in said.lines().map_while(Result::ok) {
        if let Some(port) = line.split("successfully on port ").nth(1) {
            return Some((process, port.trim_end_matches('.').parse().expect("a port")));
        }
    }
    let _ = process.wait();
    None
}

/// The script that looks for barriers, read from where `tests/run` puts it.
pub(super) fn axe() -> String {
    let path = target().join("browser/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("axe-core is missing: tests/run installs it ({})", path.display()))
}

/// Cargo's target folder.
pub(super) fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder holds tmp")
}
