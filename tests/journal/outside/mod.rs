//! Others look at our journal: Go's reference implementation, pymerkle, and a witness that is not ours (aics-witness).
//! `tests/run` installs them; without them these tests fail.

use super::witnesses::{our_policy, served, watched_by};
use crate::storage::sample::bytes;
use crate::support::app::TestApp;
use crate::support::database::{TestDatabase, signer};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use porteplume::journal::{
    Checkpoint, Frontier, Hash, NamedWitness, Policy, ProofBundle, TileId, TileKind, Vkey, decode_bundle,
    leaf_hash,
};
use porteplume::mandate::{EventId, EventKind, Outcome, Slots};
use porteplume::service::export::{Export, export};
use porteplume::service::health;
use porteplume::service::{Error, bundle, witnesses};
use porteplume::storage::{Engine, NewEvent, SearchRow};
use porteplume::web::router;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

const ENTRIES: u64 = 70_000;
const BATCH: u64 = 2_500;

/// A log of so many entries, the fastest way.
async fn long(entries: u64) -> TestApp {
    let app = TestApp::over(TestDatabase::fresh(Engine::Sqlite).await).await;
    for first in (0..entries).step_by(usize::try_from(BATCH).unwrap()) {
        let (number, now) = (BATCH.min(entries - first), app.web.app.now());
        let appended = app.web.app.include::<_, _>("test", move |tx| {
            Box::pin(async move {
                for _ in 0..number {
                    let event_id = EventId::from_bytes(bytes());
                    let entry =
                        format!("an entry of about the usual size, {event_id}\n{}\n", "x".repeat(230));
                    let search = SearchRow::new(EventKind::SignedOut, Outcome::Done);
                    let (tag, openings) = (event_id.to_string(), Vec::new());
                    tx.append(NewEvent {
                        event_id,
                        at: now,
                        tag,
                        entry: entry.into_bytes(),
                        openings,
                        search,
                    })
                    .await?;
                }
                Ok::<_, Error>(())
            })
        });
        appended.await.unwrap();
    }
    app
}

async fn exported(app: &TestApp) -> PathBuf {
    let dir = app.database.folder().join("export");
    let witnesses = Arc::default();
    let what = Export {
        store: app.web.app.store.clone(),
        keys: vec![signer().verifier()],
        witnesses,
        dir: dir.clone(),
    };
    let size = export(&what).await.unwrap();
    // A second time, over what is there.
    assert_eq!(export(&what).await.unwrap(), size);
    dir
}

async fn serving(app: &TestApp) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let service = router(app.web.clone());
    tokio::spawn(async move { axum::serve(listener, service).await });
    url
}

fn tools() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("outside")
}

/// A program of the Python environment that `tests/run` makes.
fn python(program: &str) -> Command {
    let program = tools().join("venv/bin").join(program);
    assert!(program.exists(), "{} is missing: tests/run installs it", program.display());
    Command::new(program)
}

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journal/outside").join(path)
}

/// The verifier in Go, built from its source with what Debian packages.
fn go() -> PathBuf {
    let verifier = Path::new(env!("CARGO_TARGET_TMPDIR")).join("verify-in-go");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&verifier)
        .args([source("go/main.go"), source("go/bundle.go")])
        .env("GO111MODULE", "off")
        .env("GOPATH", "/usr/share/gocode")
        .env("GOCACHE", tools().join("gocache"))
        .output()
        .expect("go is missing: tests/run installs it");
    assert!(built.status.success(), "{}", said(&built));
    verifier
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Whether Go's reference finds that key's signature on a checkpoint, through a bundle's proof.
pub(crate) fn go_knows(key: &Vkey, archive: &Path) -> bool {
    Command::new(go()).arg(key.to_string()).arg(archive).output().unwrap().status.success()
}

fn go_verifies(verifier: &Path, log: &str, bundles: &Path) -> Output {
    let key = signer().verifier().to_string();
    Command::new(verifier).args([key.as_str(), log]).arg(bundles).output().unwrap()
}

fn pymerkle_verifies(dir: &Path, questions: &str) -> Output {
    let mut asked = python("python")
        .arg(source("python/tree.py"))
        .arg(dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have refused before it read them all.
    let _ = asked.stdin.take().unwrap().write_all(questions.as_bytes());
    asked.wait_with_output().unwrap()
}

/// Our own check of exported files: every entry up to the signed root, and every tile.
fn we_verify(dir: &Path) -> Result<Vec<Hash>, String> {
    let note = std::fs::read_to_string(dir.join("checkpoint")).map_err(|error| error.to_string())?;
    let checkpoint = Checkpoint::open(&note, &[signer().verifier()]).map_err(|error| error.to_string())?;
    let (mut tree, mut leaves, mut full) = (Frontier::default(), Vec::new(), Vec::new());
    for index in 0..checkpoint.size.div_ceil(256) {
        let width = u16::try_from((checkpoint.size - index * 256).min(256)).unwrap();
        let bundle =
            std::fs::read(dir.join(TileId { kind: TileKind::Entries, index, width }.path())).unwrap();
        for entry in decode_bundle(&bundle).map_err(|error| error.to_string())? {
            leaves.push(leaf_hash(entry));
            full.extend(tree.append(leaf_hash(entry)));
        }
    }
    if tree.root() != checkpoint.root {
        return Err("the entries do not give the signed root".to_owned());
    }
    for tile in full {
        let stored = std::fs::read(dir.join(TileId::full(tile.level, tile.index).path())).unwrap();
        if stored != tile.to_bytes() {
            return Err(format!("tile {} {}", tile.level, tile.index));
        }
    }
    Ok(leaves)
}

#[tokio::test(flavor = "multi_thread")]
async fn go_and_pymerkle_agree_on_seventy_thousand_entries_and_a_flipped_byte_is_refused_by_all() {
    let app = long(ENTRIES).await;
    let (dir, url) = (exported(&app).await, serving(&app).await);
    let verifier = go();
    let holds = format!("{ENTRIES} entries hold\n");
    let output = go_verifies(&verifier, &format!("{url}/journal"), &dir);
    assert_eq!(said(&output), holds);

    let leaves = we_verify(&dir).unwrap();
    let mut questions = String::new();
    for index in [0, 1, 255, 256, 42_000, ENTRIES - 2, ENTRIES - 1] {
        let by = Arc::clone(&app.web.app);
        let row = by
            .clone()
            .store
            .read::<_, Error, _>("test", move |snapshot| {
                Box::pin(async move {
                    let row = porteplume::storage::journal::entries(snapshot, index, 1).await?.remove(0);
                    porteplume::service::proof::of(&by, snapshot, &row).await
                })
            })
            .await
            .unwrap()
            .unwrap();
        let path: Vec<String> = row.log.path.iter().map(ToString::to_string).collect();
        let _ = writeln!(questions, "inclusion {index} {} {}", row.leaf, path.join(" "));
    }
    let mut tree = Frontier::default();
    for (leaf, size) in leaves.iter().zip(1..) {
        tree.append(*leaf);
        if [1, 255, 256, 257, 65_536, ENTRIES - 1].contains(&size) {
            let _ = writeln!(questions, "consistency {size} {}", tree.root());
        }
    }
    assert_eq!(said(&pymerkle_verifies(&dir, &questions)), holds);
    let lie = format!("consistency 256 {}\n", STANDARD.encode([0; 32]));
    assert!(!pymerkle_verifies(&dir, &lie).status.success());

    for (file, reads_tiles_only) in [("tile/entries/100", false), ("checkpoint", false), ("tile/0/100", true)]
    {
        let path = dir.join(file);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        let at = if file == "checkpoint" { 40 } else { bad.len() / 2 };
        bad[at] ^= 1;
        std::fs::write(&path, &bad).unwrap();
        assert!(we_verify(&dir).is_err(), "{file}");
        let refused = go_verifies(&verifier, dir.to_str().unwrap(), &dir);
        assert!(!refused.status.success(), "{file}: {}", said(&refused));
        // It reads no tiles.
        assert!(reads_tiles_only || !pymerkle_verifies(&dir, "").status.success(), "{file}");
        std::fs::write(&path, good).unwrap();
    }
    assert!(go_verifies(&verifier, dir.to_str().unwrap(), &dir).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn go_and_pymerkle_agree_on_a_bundle_and_a_flipped_byte_is_refused_by_all() {
    let (test, mandate) = super::history::written(TestDatabase::fresh(Engine::Sqlite).await).await;
    let made =
        bundle::export(&test.web.app, &bundle::Wanted::Mandate(mandate), Slots::METADATA).await.unwrap();
    let root = made.verify(&Policy::of_log(&[signer().verifier()])).witnessed[0].checkpoint.root;
    let archive = porteplume::web::archive(made).unwrap();
    let file = test.database.folder().join("b.tar");
    std::fs::write(&file, &archive).unwrap();
    let (verifier, key) = (go(), signer().verifier().to_string());
    let in_go = || Command::new(&verifier).arg(&key).arg(&file).output().unwrap();
    let in_python = || python("python").arg(source("python/bundle.py")).arg(&file).output().unwrap();
    assert_eq!(said(&in_go()), "4 entries and 8 openings hold\n");
    assert_eq!(said(&in_python()), format!("4 entries are proved under {root}\n"));
    let of = |text: &str| archive.windows(text.len()).position(|found| found == text.as_bytes()).unwrap();
    // In an entry, in the path of a proof, in what a checkpoint signs, in what opens an entry.
    let (entry, openings) = (of("\nextra ") + 60, of("\"act\": \"") + 60);
    let path = of("\nindex ") + 20;
    let size = path + archive[path..].windows(2).position(|found| found == b"\n\n").unwrap() + 2;
    let signed = size + archive[size..].iter().position(|byte| *byte == b'\n').unwrap() + 2;
    for (at, proves_inclusion) in [(entry, true), (path, true), (signed, false), (openings, false)] {
        let mut bad = archive.clone();
        // Another letter of base64, so that it is not refused for its form.
        bad[at] = if bad[at] == b'A' { b'B' } else { b'A' };
        std::fs::write(&file, &bad).unwrap();
        assert!(!in_go().status.success(), "byte {at}");
        assert!(!proves_inclusion || !in_python().status.success(), "byte {at}");
        assert!(ProofBundle::read(&bad).is_err(), "byte {at}");
    }
}

/// The other witness, ended with its owner.
pub(crate) struct Aics(Child);

impl Drop for Aics {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn aics(dir: &Path, arguments: &[&str]) -> String {
    let output = python("aics-witness").current_dir(dir).args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// It watches that log from now on.
pub(crate) async fn watching(dir: &Path, log: &Vkey) -> (Aics, NamedWitness) {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let address = format!("127.0.0.1:{port}");
    let key = aics(dir, &["init", "--name", "witness.example/aics", "--listen", &address]);
    aics(dir, &["add-log", "--origin", log.name(), "--vkey", &log.to_string()]);
    let mut witness = python("aics-witness");
    witness.current_dir(dir).args(["serve"]).stdout(Stdio::null()).stderr(Stdio::null());
    let running = Aics(witness.spawn().unwrap());
    for _ in 0..300 {
        if std::net::TcpStream::connect(&address).is_ok() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let key = Vkey::parse(key.trim()).unwrap();
    (running, NamedWitness { name: "aics".to_owned(), key, url: format!("http://{address}") })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_is_not_ours_cosigns_our_journal() {
    let app = long(300).await;
    // Cosignatures tell the time: theirs is the machine's.
    let now =
        time::Duration::microseconds(porteplume::clock::Clock::now(&porteplume::clock::SystemClock).micros());
    app.clock.advance(now - time::Duration::microseconds(app.web.app.now().micros()));
    let (_running, named) = watching(app.database.folder(), &signer().verifier()).await;
    let named = vec![named];
    let policy = our_policy(&named, 1);
    let app = app.watched_by(watched_by(named, 1));
    let mut size = 300;
    for more in [0, 1, 700] {
        super::witnesses::grow(&app, more).await.unwrap();
        size += u64::try_from(more).unwrap();
        witnesses::round(&app.web.app).await.unwrap();
        let witnessed = policy.open(&served(&app).await).unwrap();
        assert_eq!(witnessed.checkpoint.size, size);
        assert_eq!(witnessed.seen.len(), 1);
    }
    // It remembers more than an older copy of the same journal has, shows it with our signature, and is believed.
    let other = long(5).await;
    let other = other.watched_by(watched_by(app.web.app.witnesses.named(), 1));
    other.clock.advance(app.web.app.now().since(other.web.app.now()));
    witnesses::round(&other.web.app).await.unwrap();
    assert_eq!(health::check(&other.web.app).await, Err(health::Ill::RolledBack));
}
