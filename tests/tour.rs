//! The tour: as its users start it, killed at each line, and on the engine the demonstration does not embed.

use crate::support::database::TestDatabase;
use porteplume::clock::{SystemClock, SystemEntropy};
use porteplume::demo::{self, DemoOptions, tour};
use porteplume::storage::Engine;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Steps of the whole tour.
const STEPS: usize = 17;

/// A data directory that goes away with this value.
struct Data(PathBuf);

impl Data {
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("porteplume-tour-{}-{number}", std::process::id()));
        // What a test process of the same number left behind when it was killed.
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn porteplume(arguments: &[&str], data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
    command
        .args(arguments)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A demonstration in a process of its own, dead with this value.
struct Process {
    child: Child,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Process {
    fn start(arguments: &[&str], data: &Path) -> Self {
        let mut child = porteplume(arguments, data).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The same on data that are there already. Their ports are free again, unless a stranger's connection has taken
    /// one meanwhile: it will give it back.
    #[expect(clippy::disallowed_methods, reason = "this thread serves the test alone")]
    fn start_again(data: &Path) -> Self {
        for _ in 0..60 {
            let mut again = Self::start(&["demo"], data);
            if again.lines.by_ref().map(Result::unwrap).any(|line| line.starts_with("Ctrl-C")) {
                return again;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("it does not start again");
    }

    fn line(&mut self) -> String {
        match self.lines.next() {
            Some(line) => line.unwrap(),
            None => panic!("the tour ended early: {}", self.complaint()),
        }
    }

    /// What it said last, on the way out.
    fn complaint(&mut self) -> String {
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SIGKILL: nothing of ours runs any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn verify(data: &Path) -> Output {
    porteplume(&["journal", "verify"], data).output().unwrap()
}

fn assert_verifies(data: &Path, when: &str) {
    let verified = verify(data);
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(verified.status.success(), "{when}: {said}");
    assert!(said.contains("entries") && said.contains("hold"), "{when}: {said}");
}

/// The tour until `steps` lines are said and a moment more, then the end without warning.
#[expect(clippy::disallowed_methods, reason = "this thread serves the test alone")]
fn killed_after(steps: usize) -> Data {
    let data = Data::new();
    let mut tour = Process::start(&["demo", "--tour", "--port", "0"], &data.0);
    for step in 1..=steps {
        let line = tour.line();
        assert!(line.trim_start().starts_with(&format!("{step}. ")), "{line}");
    }
    // Not always at the same place between two lines.
    std::thread::sleep(Duration::from_millis(steps as u64 * 7 % 40));
    drop(tour);
    data
}

/// A demonstration that was killed comes up again, and its journal holds before and after.
fn comes_back(data: &Path, killed: usize) {
    if killed > 0 {
        assert_verifies(data, &format!("killed at line {killed}"));
    }
    drop(Process::start_again(data));
    assert_verifies(data, &format!("killed at line {killed} and started again"));
}

#[test]
fn a_killed_tour_leaves_a_journal_that_verifies() {
    let waiting = Mutex::new((0..STEPS).collect::<Vec<_>>());
    let next = || waiting.lock().unwrap().pop();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(steps) = next() {
                    comes_back(&killed_after(steps).0, steps);
                }
            });
        }
    });
}

#[test]
fn a_killed_tour_can_be_taken_again_to_its_end() {
    let data = killed_after(8);
    drop(Process::start_again(&data.0));
    let mut lines = Vec::new();
    let mut tour = Process::start(&["demo", "--tour"], &data.0);
    lines.extend(tour.lines.by_ref().map(Result::unwrap));
    assert!(tour.child.wait().unwrap().success(), "{lines:?} {}", tour.complaint());
    assert_eq!(lines.last().map(String::as_str), Some("17 steps, each verified"), "{lines:?}");
    assert_verifies(&data.0, "after two tours");
}

#[test]
fn the_tour_passes_on_postgres() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let database = TestDatabase::fresh(Engine::Postgres).await;
        let data = database.folder().join("demonstration");
        let demo = demo::start(DemoOptions {
            port: 0,
            data: data.clone(),
            database: Some(database.options().url),
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
        });
        let demo = demo.await.unwrap();
        let said = Mutex::new(Vec::new());
        tour::run(&demo, &data, &|line: &str| said.lock().unwrap().push(line.to_owned())).await.unwrap();
        assert_eq!(said.lock().unwrap().len(), STEPS + 1);
        demo.stop().await;
    });
}

#[test]
fn a_made_up_past_verifies_and_the_demonstration_goes_on_from_it() {
    let data = Data::new();
    let made =
        porteplume(&["journal", "synth", "--entries", "600", "--days", "90"], &data.0).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_verifies(&data.0, "after making it up");
    let again = porteplume(&["journal", "synth", "--entries", "10"], &data.0).output().unwrap();
    assert_eq!(again.status.code(), Some(1), "a second past does not follow the first");
    assert_verifies(&data.0, "after a refused second past");
    drop(Process::start_again(&data.0));
    assert_verifies(&data.0, "after the demonstration went on");
}
