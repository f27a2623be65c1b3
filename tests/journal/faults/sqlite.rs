//! SQLite under `strace`: every call to the file system of an hour of work fails (EIO), or is the last one (SIGKILL).

use super::{all, holds, said, tell, to_live};
use crate::support::database::TestDatabase;
use porteplume::storage::Engine;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The calls that change or find files.
const CALLS: &str = "openat,pwrite64,write,fsync,fdatasync,ftruncate,rename,renameat,renameat2,unlink,unlinkat,fallocate,\
                     pread64,fcntl";
/// Cases of each kind of harm in `tests/run`; all of them behind `PORTEPLUME_TEST_FAULTS`.
const SAMPLE: usize = 10;

/// The harm after which nothing more is said.
const KILLED: &str = "signal=SIGKILL";

/// A database, and what an hour on it said.
struct Hour {
    database: TestDatabase,
    said: Vec<String>,
    /// Whether it came to its end by itself: whoever is refused goes on or gives up, and does not fall.
    ended: bool,
}

fn files(folder: &Path) -> Vec<PathBuf> {
    ["porteplume.sqlite", "porteplume.sqlite-wal", "porteplume.sqlite-shm", "checkpoint", "checkpoint.new"]
        .iter()
        .map(|name| folder.join(name))
        .collect()
}

/// Lives an hour under `strace` with these options.
async fn lived(options: &[String], log: &str) -> Hour {
    let database = TestDatabase::fresh(Engine::Sqlite).await;
    let folder = database.folder().to_owned();
    let mut command = Command::new("strace");
    command.args(["-f", "--seccomp-bpf", "-qq", "-o", log, "-e", &format!("trace={CALLS}")]);
    for file in files(&folder) {
        command.arg("-P").arg(file);
    }
    command.args(options).arg(std::env::current_exe().unwrap());
    to_live(&mut command, &database.options().url, &folder);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().expect("strace runs")).await.unwrap();
    Hour { said: said(&output.stdout), ended: output.status.success(), database }
}

/// How often each call was made by the thread that made it most often.
async fn calls() -> BTreeMap<String, usize> {
    let place = TestDatabase::fresh(Engine::Sqlite).await;
    let log = place.folder().join("calls");
    let hour = lived(&[], log.to_str().unwrap()).await;
    assert!(hour.said.contains(&"over".to_owned()), "{:?}", hour.said);
    let mut made: BTreeMap<(String, String), usize> = BTreeMap::new();
    for line in std::fs::read_to_string(&log).unwrap().lines() {
        let mut words = line.split_whitespace();
        let (Some(thread), Some(call)) = (words.next(), words.next()) else { continue };
        if let Some((call, _)) = call.split_once('(') {
            *made.entry((call.to_owned(), thread.to_owned())).or_default() += 1;
        }
    }
    let mut most = BTreeMap::new();
    for ((call, _), times) in made {
        let known = most.entry(call).or_default();
        *known = times.max(*known);
    }
    assert!(
        holds(hour.database, &hour.said, "unharmed").await >= 40,
        "every act of the hour was acknowledged"
    );
    most
}

async fn every_call(harm: &str) {
    let calls = calls().await;
    let mut cases: Vec<(String, usize)> = Vec::new();
    for (call, times) in &calls {
        cases.extend((1..=*times).map(|number| (call.clone(), number)));
    }
    let all = all();
    if let Some(named) = all.as_deref().filter(|all| *all != "1") {
        cases.retain(|(call, _)| named.split(',').any(|one| one == call));
    }
    let step = if all.is_some() { 1 } else { cases.len().div_ceil(SAMPLE) };
    let (mut run, mut acknowledged) = (0, 0);
    for (call, number) in cases.iter().skip(step / 2).step_by(step) {
        let what = format!("{harm} at {call} number {number}");
        let hour =
            lived(&["-e".to_owned(), format!("inject={call}:{harm}:when={number}")], "/dev/null").await;
        assert!(hour.ended || harm == KILLED, "{what}: {:?}", hour.said);
        acknowledged += holds(hour.database, &hour.said, &what).await;
        run += 1;
    }
    tell(&format!(
        "{harm}: {run} of {} calls, {acknowledged} acknowledgements held ({calls:?})",
        cases.len()
    ));
    assert!(run > 0);
}

#[tokio::test]
async fn whatever_call_to_the_file_system_fails_no_acknowledged_act_is_lost() {
    every_call("error=EIO").await;
}

#[tokio::test]
async fn at_whatever_call_to_the_file_system_the_process_is_killed_no_acknowledged_act_is_lost() {
    every_call(KILLED).await;
}

/// The hour goes through a time in which writing is refused with that error.
async fn recovers(error: &str) {
    let refused = format!("inject=pwrite64,ftruncate,fallocate:error={error}:when=40..43");
    let hour = lived(&["-e".to_owned(), refused], "/dev/null").await;
    let first = hour.said.iter().position(|line| line.starts_with("refused store_"));
    let first = first.unwrap_or_else(|| panic!("a coded reason: {:?}", hour.said));
    assert!(
        hour.said[first..].iter().any(|line| line.starts_with("receipt ")),
        "it goes on: {:?}",
        hour.said
    );
    assert!(hour.said.contains(&"over".to_owned()));
    holds(hour.database, &hour.said, error).await;
}

#[tokio::test]
async fn a_full_disk_is_refused_with_a_code_and_the_service_goes_on_once_there_is_room() {
    recovers("ENOSPC").await;
}

#[tokio::test]
async fn a_file_made_read_only_in_the_middle_is_refused_with_a_code_and_the_service_goes_on() {
    recovers("EROFS").await;
}
