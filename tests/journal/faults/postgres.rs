//! A PostgreSQL of its own, killed at random with whatever is under way: the server, one of its processes (the one that
//! sequences among them), a replica of the service.

use super::{all, holds, said, tell, to_live};
use crate::support::database::TestDatabase;
use porteplume::clock::{SystemEntropy, random};
use porteplume::storage::Store;
use sqlx::{AnyConnection, Connection as _, Executor as _, Row as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Kills in `tests/run`; behind `PORTEPLUME_TEST_FAULTS`, three hundred.
const SAMPLE: usize = 6;
const WHOLE: usize = 300;
/// Replicas that work at once.
const REPLICAS: usize = 2;

/// A server of this test's own.
struct Server {
    folder: PathBuf,
    port: u16,
    running: Child,
}

fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.retain(|programs| programs.join("initdb").exists());
    found.sort();
    found.pop().expect("PostgreSQL's programs under /usr/lib/postgresql (tests/run installs them)")
}

/// PostgreSQL refuses to run as root: it gets the account that was made for it.
fn as_server(program: &str) -> Command {
    let program = programs().join(program);
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
    command
}

fn started(folder: &Path, port: u16) -> Child {
    let log = std::fs::File::options().append(true).create(true).open(folder.join("log")).unwrap();
    let mut command = as_server("postgres");
    command.arg("-D").arg(folder.join("data")).arg("-k").arg(folder);
    command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "fsync=off", "-c", "max_connections=60"]);
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

impl Server {
    async fn fresh() -> Self {
        let chance = u32::from_be_bytes(random::<4>(&SystemEntropy).unwrap());
        let folder = std::env::temp_dir().join(format!("porteplume-faults-{chance}"));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).unwrap();
        let mut initdb = as_server("initdb");
        initdb.arg("-D").arg(folder.join("data")).args(["--username=tests", "--auth=trust", "--no-sync"]);
        let made = initdb.args(["--encoding=UTF8", "--locale=C"]).current_dir("/").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = 20_000 + u16::try_from(chance % 12_000).unwrap();
        let running = started(&folder, port);
        let mut server = Self { folder, port, running };
        server.answers().await;
        server
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://tests@127.0.0.1:{}/{database}", self.port)
    }

    /// Waits until it answers; starts it again when it went away.
    async fn answers(&mut self) {
        sqlx::any::install_default_drivers();
        let answering = async {
            loop {
                if self.running.try_wait().unwrap().is_some() {
                    self.running = started(&self.folder, self.port);
                }
                if let Ok(mut raw) = AnyConnection::connect(&self.url("postgres")).await
                    && raw.execute("SELECT 1").await.is_ok()
                {
                    return;
                }
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_mins(2), answering).await.expect("the server comes back");
    }

    /// One of the processes that serve connections.
    async fn process(&self, sequencing: bool) -> Option<String> {
        let which = if sequencing { "AND query LIKE '%queue%'" } else { "" };
        let query = format!(
            "SELECT CAST(pid AS TEXT) FROM pg_stat_activity WHERE datname = 'hour' AND pid <> pg_backend_pid() {which} \
             ORDER BY random() LIMIT 1"
        );
        let mut raw = AnyConnection::connect(&self.url("postgres")).await.ok()?;
        raw.fetch_optional(sqlx::AssertSqlSafe(query)).await.ok()?.map(|row| row.get(0))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.running.kill();
        let _ = self.running.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn replica(server: &Server, folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    to_live(&mut command, &server.url("hour"), folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// What is killed, in turn; when, is left to chance.
async fn harm(server: &mut Server, replicas: &mut [Child], number: usize) {
    let pause = u64::from(random::<1>(&SystemEntropy).unwrap()[0]) * 6;
    sleep(Duration::from_millis(200 + pause)).await;
    match number % 3 {
        0 => server.running.kill().unwrap(),
        1 => {
            if let Some(process) = server.process(number.is_multiple_of(2)).await {
                let _ = Command::new("kill").args(["-9", &process]).status();
            }
        }
        _ => replicas[number % REPLICAS].kill().unwrap(),
    }
}

#[tokio::test]
async fn whatever_is_killed_of_server_sequencer_and_replicas_no_acknowledged_act_is_lost() {
    let mut server = Server::fresh().await;
    let mut raw = AnyConnection::connect(&server.url("postgres")).await.unwrap();
    raw.execute("CREATE DATABASE hour").await.unwrap();
    raw.close().await.unwrap();
    Store::migrate(&server.url("hour")).await.unwrap();
    let folders: Vec<PathBuf> =
        (0..REPLICAS).map(|number| server.folder.join(format!("replica-{number}"))).collect();
    for folder in &folders {
        std::fs::create_dir_all(folder).unwrap();
    }
    let rounds = if all().is_some() { WHOLE } else { SAMPLE };
    let mut everything = Vec::new();
    for number in 0..rounds {
        let mut replicas: Vec<Child> = folders.iter().map(|folder| replica(&server, folder)).collect();
        harm(&mut server, &mut replicas, number).await;
        server.answers().await;
        for replica in replicas {
            let output =
                tokio::task::spawn_blocking(move || replica.wait_with_output().unwrap()).await.unwrap();
            everything.extend(said(&output.stdout));
        }
    }
    for folder in &folders {
        let database = TestDatabase::lent(&server.url("hour"), folder);
        holds(database, &everything, "after every kill").await;
    }
    let acknowledged =
        everything.iter().filter(|line| !line.starts_with("refused") && *line != "over").count();
    tell(&format!("{rounds} kills, {acknowledged} acknowledgements held"));
    assert!(acknowledged > 0);
}
