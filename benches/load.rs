//! A load over real HTTP on loopback, and what it saw. Shared by the benches.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What a run gave.
pub(crate) struct Outcome {
    pub(crate) elapsed: Duration,
    /// Shortest first.
    pub(crate) latencies: Vec<Duration>,
}

impl Outcome {
    /// Throughput and latencies, of what is counted.
    pub(crate) fn line(&self, what: &str) -> String {
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
        format!("{rate:.0} {what} a second, p50 {:.1} ms, p99 {:.1} ms", of(0.50), of(0.99))
    }

    /// How many a second.
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }
}

/// One who asks, again and again.
pub(crate) type Asker = Box<dyn FnMut() -> bool + Send>;

/// Each asks until there is no more time, or nothing more to ask; at a given rate each is measured from when it was due.
pub(crate) fn run(askers: Vec<Asker>, lasting: Duration, rate: Option<f64>) -> Outcome {
    let began = Instant::now();
    let until = began + lasting;
    let count = askers.len();
    #[expect(clippy::cast_precision_loss, reason = "a few dozen")]
    let pause = rate.map(|rate| Duration::from_secs_f64(count as f64 / rate));
    let threads: Vec<_> = askers
        .into_iter()
        .enumerate()
        .map(|(number, mut ask)| {
            let offset = pause.map_or(Duration::ZERO, |pause| {
                pause * u32::try_from(number).unwrap() / u32::try_from(count).unwrap()
            });
            std::thread::spawn(move || {
                let mut latencies = Vec::new();
                let mut due = began + offset;
                loop {
                    if pause.is_some() {
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    } else {
                        due = Instant::now();
                    }
                    if due >= until || !ask() {
                        break;
                    }
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
    assert!(!latencies.is_empty(), "nothing was completed");
    Outcome { elapsed, latencies }
}

/// The most memory a process had, in megabytes.
pub(crate) fn peak_memory(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: f64 = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0.0);
    kilobytes / 1024.0
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) body: String,
}

/// HTTP/1.1, one request at a time: no more than the load needs, so that the load costs little.
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    server: SocketAddr,
}

impl Connection {
    pub(crate) fn open(server: SocketAddr) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::with_capacity(64 * 1024, stream), server }
    }

    pub(crate) fn ask(&mut self, method: &str, path: &str, headers: &str, form: Option<&str>) -> Answer {
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
            let (name, value) =
                text.split_once(": ").map_or((None, ""), |(n, v)| (Some(n.to_ascii_lowercase()), v));
            match name.as_deref() {
                None => status = text.split(' ').nth(1).unwrap().parse().unwrap(),
                Some("location") => value.clone_into(&mut location),
                Some("content-length") => length = value.parse().unwrap(),
                Some("transfer-encoding") => panic!("the server does not know how much it says"),
                Some(_) => {}
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).unwrap();
        Answer { status, location, body: String::from_utf8(body).unwrap() }
    }
}
