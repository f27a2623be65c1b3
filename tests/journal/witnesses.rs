//! Our journal and its witnesses: who vouches for it, who says nonsense, and who proves that we were rolled back.

use super::history;
use crate::storage::sample::in_minutes;
use crate::support::app::TestApp;
use crate::support::database::{TestDatabase, on_both, signer};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use porteplume::clock::{Clock as _, ManualClock, SystemEntropy};
use porteplume::crypto::{JournalKey, SecretBytes};
use porteplume::journal::{
    Checkpoint, Hash, LogProof, NamedWitness, Note, NoteSignature, Policy, PolicyError, Submission, TileSet,
    Vkey, Witnessed, inclusion_path, inclusion_tiles, leaf_hash, policy, verify_inclusion,
};
use porteplume::mandate::{EventKind, MandateId};
use porteplume::relying::{HttpClient, HttpPolicy};
use porteplume::service::health::{self, Ill};
use porteplume::service::witness::{self, Witness};
use porteplume::service::{Caller, Error, Record, Witnesses, proof, witnesses};
use porteplume::storage::cosignatures::of_checkpoint;
use porteplume::storage::{Engine, Store, StoreError, StoreOptions, journal};
use porteplume::web::router;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use time::Duration as Span;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// Serves a router on loopback for as long as the test runs.
async fn serving(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// A real witness of ours that watches the tests' journal.
async fn honest(name: &str, clock: &ManualClock) -> NamedWitness {
    watching(name, &[signer().verifier()], clock).await
}

/// A real witness of ours that knows these keys of a journal.
pub(super) async fn watching(name: &str, keys: &[Vkey], clock: &ManualClock) -> NamedWitness {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let dir = format!("porteplume_witnesses_{}_{number}", std::process::id());
    let dir: PathBuf = std::env::temp_dir().join(dir);
    let _ = std::fs::remove_dir_all(&dir);
    let key = witness::init(&dir, &format!("{name}.example/1"), &SystemEntropy).unwrap();
    for known in keys {
        witness::watch(&dir, &known.to_string()).unwrap();
    }
    let witness = Arc::new(Witness::open(&dir, Arc::new(clock.clone())).unwrap());
    let url = serving(porteplume::web::witness(witness)).await;
    NamedWitness { name: name.to_owned(), key, url }
}

fn key(seed: u8) -> JournalKey {
    JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
}

fn vkey() -> Vkey {
    Vkey::cosigner("liar.example", key(61).public_key()).unwrap()
}

/// A journal, at the time of its newest entry.
async fn written(database: TestDatabase) -> (TestApp, MandateId) {
    let (app, mandate) = history::written(database).await;
    app.clock.advance(in_minutes(5).since(app.clock.now()));
    (app, mandate)
}

/// The second of its newest entry.
const NOW: u64 = 1_795_000_300;

/// How a bad witness answers: to submissions, and to monitors.
type Lie = fn(&str, u64) -> Response;

#[derive(Clone)]
struct Liar {
    says: Lie,
    shows: Option<String>,
    asked: Arc<AtomicU64>,
}

async fn lying(says: Lie, shows: Option<String>) -> (NamedWitness, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let state = Liar { says, shows, asked: Arc::clone(&asked) };
    let router = Router::new()
        .route(
            "/add-checkpoint",
            post(async |State(liar): State<Liar>, body: String| {
                (liar.says)(&body, liar.asked.fetch_add(1, Ordering::SeqCst))
            }),
        )
        .route(
            "/{log}/checkpoint",
            get(async |State(liar): State<Liar>| liar.shows.ok_or(StatusCode::NOT_FOUND)),
        )
        .with_state(state);
    (NamedWitness { name: "liar".to_owned(), key: vkey(), url: serving(router).await }, asked)
}

/// The text of the checkpoint submitted.
fn submitted(body: &str) -> String {
    Note::parse(&Submission::parse(body).unwrap().checkpoint).unwrap().text().to_owned()
}

fn line(text: &str, name: &str, seed: u8, at: u64) -> String {
    format!("{}\n", NoteSignature::cosign(text, name, &key(seed), at).unwrap())
}

pub(super) fn watched_by(named: Vec<NamedWitness>, quorum: usize) -> Witnesses {
    let policy = HttpPolicy {
        allow_loopback: true,
        timeout: Duration::from_millis(1500),
        response_limit: 64 * 1024,
        ..HttpPolicy::default()
    };
    Witnesses::new(named, quorum, &HttpClient::new(&policy).unwrap())
}

pub(super) fn our_policy(named: &[NamedWitness], quorum: usize) -> Policy {
    Policy::parse(policy(&[signer().verifier()], None, named, quorum).as_bytes()).unwrap()
}

async fn body(app: &TestApp, path: &str) -> Vec<u8> {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(app.web.clone()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    to_bytes(response.into_body(), 100_000).await.unwrap().to_vec()
}

pub(super) async fn served(app: &TestApp) -> String {
    String::from_utf8(body(app, "/journal/checkpoint").await).unwrap()
}

fn counts(note: &str, policy: &Policy) -> Result<(u64, Vec<String>), PolicyError> {
    let Witnessed { checkpoint, seen } = policy.open(note)?;
    Ok((checkpoint.size, seen.into_iter().map(|(name, _)| name).collect()))
}

pub(super) async fn grow(app: &TestApp, by: usize) -> Result<(), Error> {
    let (app_, now) = (Arc::clone(&app.web.app), app.web.app.now());
    let grown = app.web.app.include("test", move |tx| {
        let app = Arc::clone(&app_);
        Box::pin(async move {
            for _ in 0..by {
                Record::done(EventKind::SignedOut).append(&app, tx, &Caller::default(), now).await?;
            }
            Ok(())
        })
    });
    grown.await
}

async fn holds(app: &TestApp) {
    let report = app.report(None, app.web.app.now()).await;
    assert!(report.is_clean(), "{:?}", report.lines());
}

async fn size(app: &TestApp) -> u64 {
    let head =
        app.web.app.store.read::<_, StoreError, _>("test", |snapshot| Box::pin(journal::head(snapshot)));
    head.await.unwrap().unwrap().size
}

async fn rows(app: &TestApp, size: u64) -> usize {
    let rows = app
        .web
        .app
        .store
        .read::<_, StoreError, _>("test", move |snapshot| Box::pin(of_checkpoint(snapshot, size)));
    rows.await.unwrap().len()
}

/// The receipt of the entry at a place.
async fn receipt(app: &TestApp, index: u64) -> LogProof {
    let by = Arc::clone(&app.web.app);
    let proof = app.web.app.store.read::<_, Error, _>("test", move |snapshot| {
        Box::pin(async move {
            let row = journal::entries(snapshot, index, 1).await?.remove(0);
            proof::of(&by, snapshot, &row).await
        })
    });
    proof.await.unwrap().unwrap().log
}

on_both! {
    a_checkpoint_is_served_once_its_quorum_has_seen_it(database) {
        let (app, _) = written(database).await;
        let clock = app.clock.clone();
        let named = vec![honest("a", &clock).await, honest("b", &clock).await, honest("c", &clock).await];
        let policy = our_policy(&named, 2);
        let mut three = named.clone();
        "http://127.0.0.1:1".clone_into(&mut three[2].url);
        let app = app.watched_by(watched_by(three, 2));
        let first = size(&app).await;
        assert_eq!(counts(&served(&app).await, &policy), Err(PolicyError::Unwitnessed), "nobody was asked yet");

        witnesses::round(&app.web.app).await.unwrap();
        let mut seen = vec!["a.example/1".to_owned(), "b.example/1".to_owned()];
        let (counted, mut by) = counts(&served(&app).await, &policy).unwrap();
        by.sort();
        assert_eq!((counted, &by), (first, &seen), "the one that is away is not waited for");

        grow(&app, 260).await.unwrap();
        let note = served(&app).await;
        assert_eq!(counts(&note, &policy).unwrap().0, first, "what nobody has seen is not served yet");
        // The tiles cover the checkpoint served, although the journal is larger.
        let checkpoint = policy.open(&note).unwrap().checkpoint;
        let mut tiles = TileSet::default();
        for id in inclusion_tiles(300, checkpoint.size).unwrap() {
            assert!(tiles.insert(id, &body(&app, &format!("/journal/{}", id.path())).await));
        }
        let path = inclusion_path(300, checkpoint.size, &tiles).unwrap();
        let entries = app.web.app.store.read::<_, StoreError, _>("test", |s| Box::pin(journal::entries(s, 300, 1)));
        let leaf = leaf_hash(&entries.await.unwrap()[0].entry);
        verify_inclusion(300, checkpoint.size, &leaf, &path, &checkpoint.root).unwrap();
        let receipt = receipt(&app, 300).await;
        assert_eq!(receipt.verify_under(&policy).map(|(_, seen)| seen.checkpoint.size), Ok(first));

        witnesses::round(&app.web.app).await.unwrap();
        let (counted, mut by) = counts(&served(&app).await, &policy).unwrap();
        by.sort();
        assert_eq!((counted, by), (first + 260, std::mem::take(&mut seen)));
        holds(&app).await;
    }

    a_checkpoint_that_stays_the_newest_is_seen_again_after_a_while(database) {
        let (app, _) = written(database).await;
        let named = vec![honest("a", &app.clock).await];
        let app = app.watched_by(watched_by(named, 1));
        let newest = size(&app).await;
        for (wait, expected) in [(0, 1), (60, 1), (600, 2), (5, 2)] {
            app.clock.advance(Span::seconds(wait));
            witnesses::round(&app.web.app).await.unwrap();
            assert_eq!(rows(&app, newest).await, expected, "{wait}");
        }
        let note = served(&app).await;
        assert_eq!(note.matches("a.example/1").count(), 1, "the newest line of each: {note}");
        holds(&app).await;
    }

    two_replicas_and_a_witness_that_forgot_are_no_alarm(database) {
        let (app, _) = written(database).await;
        let witness = honest("a", &app.clock).await;
        let app = app.watched_by(watched_by(vec![witness.clone()], 1));
        witnesses::round(&app.web.app).await.unwrap();
        grow(&app, 3).await.unwrap();
        if app.database.engine() == Engine::Postgres {
            let other = app.replica().await.watched_by(watched_by(vec![witness.clone()], 1));
            let (one, two) =
                tokio::join!(witnesses::round(&app.web.app), witnesses::round(&other.web.app));
            one.and(two).unwrap();
            other.web.app.store.close().await;
        }
        witnesses::round(&app.web.app).await.unwrap();
        // The same witness after it lost its memory: it begins at 0, and is taken along from there.
        let again = honest("a", &app.clock).await;
        let app = app.watched_by(watched_by(vec![again.clone()], 1));
        grow(&app, 3).await.unwrap();
        witnesses::round(&app.web.app).await.unwrap();
        let newest = size(&app).await;
        assert_eq!(counts(&served(&app).await, &our_policy(&[again], 1)).unwrap().0, newest);
        assert_eq!(health::check(&app.web.app).await, Ok(()));
    }

    a_witness_that_talks_nonsense_is_left_alone_and_the_service_goes_on(database) {
        let (mut app, _) = written(database).await;
        let lies: [(&str, Lie); 12] = [
            ("html", |_, _| ([(header::CONTENT_TYPE, "text/html")], "<html>Welcome</html>\n").into_response()),
            ("nothing", |_, _| String::new().into_response()),
            ("no text", |_, _| vec![0xff_u8, 0xfe, b'\n'].into_response()),
            ("a bad signature", |body, _| {
                let text = submitted(body).replacen("\n3", "\n4", 1);
                line(&text, "liar.example", 61, NOW).into_response()
            }),
            ("another key", |body, _| line(&submitted(body), "liar.example", 62, NOW).into_response()),
            ("a time to come", |body, _| line(&submitted(body), "liar.example", 61, NOW + 9_999).into_response()),
            ("a time long past", |body, _| line(&submitted(body), "liar.example", 61, NOW - 3_600).into_response()),
            ("no time at all", |body, _| {
                let signed = Note::sign(&submitted(body), "liar.example", &key(61)).unwrap().to_string();
                format!("{}\n", signed.lines().last().unwrap()).into_response()
            }),
            ("one size after another", |_, number| (StatusCode::CONFLICT, format!("{}\n", number + 1)).into_response()),
            ("an error", |_, _| StatusCode::INTERNAL_SERVER_ERROR.into_response()),
            ("a redirection", |_, _| (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response()),
            ("too much", |_, _| "x".repeat(100_000).into_response()),
        ];
        for (name, lie) in lies {
            let (liar, asked) = lying(lie, None).await;
            app = app.watched_by(watched_by(vec![liar], 1));
            let newest = size(&app).await;
            witnesses::round(&app.web.app).await.unwrap();
            let first = asked.load(Ordering::SeqCst);
            assert!((1..=3).contains(&first), "{name}");
            assert_eq!(rows(&app, newest).await, 0, "{name}");
            witnesses::round(&app.web.app).await.unwrap();
            assert_eq!(asked.load(Ordering::SeqCst), first, "{name}: it is left alone at first");
            app.clock.advance(Span::seconds(6));
            witnesses::round(&app.web.app).await.unwrap();
            assert!(asked.load(Ordering::SeqCst) > first, "{name}: and asked again later");
            assert_eq!(health::check(&app.web.app).await, Ok(()), "{name}");
            grow(&app, 1).await.unwrap();
            Checkpoint::open(&served(&app).await, &[signer().verifier()]).unwrap();
        }
        holds(&app).await;
    }

    a_witness_that_only_says_it_has_seen_more_is_an_alarm_and_stops_nobody(database) {
        let (mut app, _) = written(database).await;
        let newest = size(&app).await;
        let bigger = Checkpoint { origin: signer().verifier().name().to_owned(), size: newest + 9, root: leaf_hash(b"?") };
        let forged = bigger.sign(&key(61)).unwrap();
        let known = served(&app).await;
        let says: [Lie; 3] = [
            |_, _| (StatusCode::CONFLICT, "999999\n").into_response(),
            |_, _| StatusCode::UNPROCESSABLE_ENTITY.into_response(),
            |body, _| (StatusCode::CONFLICT, format!("{}\n", Submission::parse(body).unwrap().old)).into_response(),
        ];
        for lie in says {
            for shows in [None, Some(String::new()), Some("<html>".to_owned()), Some(forged.clone()), Some(known.clone())] {
                let (liar, asked) = lying(lie, shows).await;
                app = app.watched_by(watched_by(vec![liar], 1));
                witnesses::round(&app.web.app).await.unwrap();
                assert_eq!(asked.load(Ordering::SeqCst), 1);
                assert_eq!(health::check(&app.web.app).await, Ok(()));
            }
        }
        grow(&app, 1).await.unwrap();
        assert_eq!(size(&app).await, newest + 1);
    }

    a_witness_that_shows_our_own_signature_under_what_is_not_there_ends_signing(database) {
        let kept = database.folder().join("checkpoint");
        let options = StoreOptions { published_checkpoint: Some(kept.clone()), ..database.options() };
        let (app, _) = written(database).await;
        let (newest, origin) = (size(&app).await, signer().verifier().name().to_owned());
        for (size_, root, says) in [
            (newest + 9, leaf_hash(b"?"), "999999\n"),
            // As many as there are, and others.
            (newest, leaf_hash(b"!"), "0\n"),
        ] {
            let ours = sign(&origin, size_, root);
            let lie: Lie = if says == "0\n" {
                |_, _| StatusCode::UNPROCESSABLE_ENTITY.into_response()
            } else {
                |_, _| (StatusCode::CONFLICT, "999999\n").into_response()
            };
            let (witness, _) = lying(lie, Some(ours.clone())).await;
            let pace = crate::support::app::Pace { patience: Duration::from_millis(300), request_seconds: 60 };
            let replica = app.opened_with(&options, pace).await.watched_by(watched_by(vec![witness], 0));
            assert_eq!(health::check(&replica.web.app).await, Ok(()));
            witnesses::round(&replica.web.app).await.unwrap();
            assert_eq!(health::check(&replica.web.app).await, Err(Ill::RolledBack));
            // On PostgreSQL another replica, which has not been told yet, may place what is queued: that one is closed.
            app.web.app.store.close().await;
            // A round that was under way when the proof came is waited for.
            let _ = replica.web.app.store.sequence_once().await;
            let before = size(&replica).await;
            let grown = grow(&replica, 1).await;
            match replica.database.engine() {
                Engine::Sqlite => assert!(matches!(grown, Err(Error::Store(StoreError::Behind(_)))), "{grown:?}"),
                Engine::Postgres => assert!(matches!(grown, Err(Error::BeingRecorded)), "{grown:?}"),
            }
            assert_eq!(size(&replica).await, before, "nothing is signed");
            replica.web.app.store.close().await;
            if size_ > newest {
                assert_eq!(std::fs::read_to_string(&kept).unwrap(), ours);
                let again = Store::open(&options, Arc::new(signer())).await.err();
                assert!(matches!(again, Some(StoreError::Behind(_))), "a restart is refused, too: {again:?}");
                std::fs::remove_file(&kept).unwrap();
            }
        }
    }

    a_spoiled_cosignature_is_found_and_is_not_served(database) {
        let (app, _) = written(database).await;
        let named = vec![honest("a", &app.clock).await];
        let policy = our_policy(&named, 1);
        let app = app.watched_by(watched_by(named, 1));
        witnesses::round(&app.web.app).await.unwrap();
        holds(&app).await;
        let newest = size(&app).await;
        let other = line("x\n", "a.example/1", 9, 1).trim_end().to_owned();
        for change in [
            format!("line = '{other}'"),
            "line = 'x'".to_owned(),
            format!("vkey = '{}'", vkey()),
            "vkey = 'x'".to_owned(),
            "seen_at = seen_at + 1000000".to_owned(),
            "size = (SELECT MIN(size) FROM checkpoint)".to_owned(),
        ] {
            spoil(&app.database, &change).await;
            let report = app.report(None, app.web.app.now()).await;
            assert!(!report.is_clean(), "{change}");
            assert!(report.lines()[0].contains("cosignature"), "{change}: {:?}", report.lines());
            if !change.starts_with("seen_at") {
                assert_eq!(counts(&served(&app).await, &policy), Err(PolicyError::Unwitnessed), "{change}");
            }
            restore(&app.database).await;
            assert_eq!(counts(&served(&app).await, &policy).unwrap().0, newest);
        }
    }
}

fn sign(origin: &str, size: u64, root: Hash) -> String {
    use porteplume::storage::CheckpointSigner as _;
    assert_eq!(origin, signer().verifier().name());
    signer().sign(size, &root).unwrap()
}

/// Changes the one cosignature as somebody with every right can, and keeps what stood.
async fn spoil(database: &TestDatabase, change: &str) {
    use sqlx::{AssertSqlSafe, Executor as _};
    let mut raw = database.raw().await;
    let walls_down: &[&str] = match database.engine() {
        Engine::Sqlite => {
            &["DROP TRIGGER cosignature_never_changes", "DROP TRIGGER cosignature_never_deleted"]
        }
        Engine::Postgres => &["ALTER TABLE cosignature DISABLE TRIGGER USER"],
    };
    for statement in walls_down {
        // Down already, the second time.
        let _ = raw.execute(*statement).await;
    }
    raw.execute("CREATE TABLE IF NOT EXISTS kept_cosignature AS SELECT * FROM cosignature").await.unwrap();
    raw.execute(AssertSqlSafe(format!("UPDATE cosignature SET {change}"))).await.unwrap();
}

async fn restore(database: &TestDatabase) {
    use sqlx::Executor as _;
    let mut raw = database.raw().await;
    raw.execute("DELETE FROM cosignature").await.unwrap();
    raw.execute("INSERT INTO cosignature SELECT * FROM kept_cosignature").await.unwrap();
}

/// The whole way: a backup is restored, work goes on, and the witness remembers.
#[tokio::test]
async fn a_witness_finds_out_that_an_old_backup_was_restored() {
    let (app, _) = written(TestDatabase::fresh(Engine::Sqlite).await).await;
    let witness = honest("a", &app.clock).await;
    let (file, backup) =
        (app.database.folder().join("porteplume.sqlite"), app.database.folder().join("backup.sqlite"));
    app.web.app.store.close().await;
    std::fs::copy(&file, &backup).unwrap();
    let app = app.replica().await.watched_by(watched_by(vec![witness.clone()], 1));
    grow(&app, 20).await.unwrap();
    witnesses::round(&app.web.app).await.unwrap();
    app.web.app.store.close().await;
    for beside in ["porteplume.sqlite-wal", "porteplume.sqlite-shm"] {
        let _ = std::fs::remove_file(app.database.folder().join(beside));
    }
    std::fs::copy(&backup, &file).unwrap();
    for entries in [1, 40] {
        // Fewer entries than the witness has seen, and more: other ones in either case.
        let app = app.replica().await.watched_by(watched_by(vec![witness.clone()], 1));
        grow(&app, entries).await.unwrap();
        witnesses::round(&app.web.app).await.unwrap();
        assert_eq!(health::check(&app.web.app).await, Err(Ill::RolledBack), "{entries}");
        assert!(grow(&app, 1).await.is_err());
        app.web.app.store.close().await;
    }
}

#[tokio::test]
async fn a_witness_that_is_slow_holds_nobody_up_for_longer_than_a_call_may_take() {
    let (app, _) = written(TestDatabase::fresh(Engine::Sqlite).await).await;
    let silent = Router::new().route(
        "/add-checkpoint",
        post(async || {
            tokio::time::sleep(Duration::from_mins(1)).await;
            "late\n"
        }),
    );
    let silent = NamedWitness { name: "silent".to_owned(), key: vkey(), url: serving(silent).await };
    let quick = honest("quick", &app.clock).await;
    let policy = our_policy(std::slice::from_ref(&quick), 1);
    let app = app.watched_by(watched_by(vec![silent, quick], 1));
    let started = std::time::Instant::now();
    let (asked, grown) = tokio::join!(witnesses::round(&app.web.app), grow(&app, 1));
    asked.and(grown).unwrap();
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(counts(&served(&app).await, &policy).is_ok(), "the others count meanwhile");
}
