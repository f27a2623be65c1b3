//! oidc-provider (npm), the peer: its process, and browsers signed in there.

use super::load::peak_memory;
use super::{REDIRECT, SECRET};
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

const SCRIPT: &str = include_str!("provider.mjs");

/// Its process; ends with this value.
pub(crate) struct Peer {
    child: Child,
    /// Held open: it notes things there.
    _said: Lines<BufReader<ChildStdout>>,
    pub(crate) address: SocketAddr,
}

impl Peer {
    /// Starts it; `jwk` is the public key of the service that proves itself by one.
    pub(crate) fn start(jwk: &str) -> Self {
        let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients");
        assert!(packages.join("node_modules").is_dir(), "run tests/run once: it installs oidc-provider");
        let script = packages.join("bench-provider.mjs");
        std::fs::write(&script, SCRIPT).unwrap();
        let mut node = Command::new("node");
        node.arg(script).args([REDIRECT, SECRET, jwk]).env("NODE_ENV", "production");
        let mut child =
            node.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Node.js");
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let port: u16 = line(&mut said).parse().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        child.stdin.as_mut().unwrap().write_all(format!("http://{address}\n").as_bytes()).unwrap();
        assert_eq!(line(&mut said), "ready");
        Self { child, _said: said, address }
    }

    /// The cookies of a browser in which that person has signed in and agreed; `question` is a request's path.
    pub(crate) async fn signed_in(&self, person: &str, question: &str) -> String {
        let client = reqwest::Client::builder().redirect(redirect::Policy::none()).build().unwrap();
        let mut cookies: BTreeMap<String, String> = BTreeMap::new();
        let mut at = format!("http://{}{question}", self.address);
        loop {
            let held: Vec<_> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let asked = client.get(&at).header(COOKIE, held.join("; ")).header("x-person", person);
            let answer = asked.send().await.unwrap();
            for set in answer.headers().get_all(SET_COOKIE) {
                let (name, value) = set.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
                cookies.insert(name.to_owned(), value.to_owned());
            }
            let location = answer.headers().get(LOCATION).expect("a redirection").to_str().unwrap();
            if location.starts_with(REDIRECT) {
                assert!(location.contains("code="), "{location}");
                let kept = cookies.iter().filter(|(name, _)| name.starts_with("_session"));
                return kept.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
            }
            at = answer.url().join(location).unwrap().into();
        }
    }

    pub(crate) fn peak_memory(&self) -> f64 {
        peak_memory(self.child.id())
    }
}

fn line(said: &mut Lines<BufReader<ChildStdout>>) -> String {
    said.next().expect("a line").unwrap()
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
