//! `porteplume witness`: what it answers, what it remembers, and that it never vouches for two histories.

use super::log::TestLog;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use porteplume::clock::{ManualClock, SystemEntropy};
use porteplume::crypto::{sha256, to_hex};
use porteplume::journal::{
    Answer, Checkpoint, Note, Submission, Vkey, WitnessRefusal, read_answer, submitted_origin,
};
use porteplume::mandate::Instant;
use porteplume::service::witness::{self, FolderError, NotCosigned, Witness};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use time::Duration;
use tower::ServiceExt as _;

const LOG: TestLog = TestLog { origin: "log.example/2026", salt: 0 };
/// The same log with another history.
const FORK: TestLog = TestLog { salt: 1, ..LOG };
const NOW: Instant = Instant::from_micros(1_795_000_000_000_000);

/// A witness's folder that goes away with its owner.
struct Place(PathBuf);

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Place {
    /// A new witness that watches the log.
    fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("porteplume_witness_{}_{number}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        witness::init(&dir, "witness.example/1", &SystemEntropy).unwrap();
        assert_eq!(witness::watch(&dir, &LOG.vkey().to_string()).unwrap(), LOG.origin);
        Self(dir)
    }

    fn open(&self, clock: &ManualClock) -> Witness {
        Witness::open(&self.0, Arc::new(clock.clone())).unwrap()
    }

    fn state(&self) -> PathBuf {
        self.0.join("logs").join(to_hex(&sha256(LOG.origin.as_bytes())))
    }
}

fn clock() -> ManualClock {
    ManualClock::at(NOW)
}

/// When the witness says it saw what was submitted.
fn seen(line: &str, submission: &Submission, key: &Vkey) -> u64 {
    match read_answer(200, line, submission, key) {
        Ok(Answer::Cosigned { at, .. }) => at,
        other => panic!("{other:?}"),
    }
}

async fn ask(witness: &Arc<Witness>, request: Request<Body>) -> (u16, String, String) {
    let response = porteplume::web::witness(Arc::clone(witness)).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let kind = response.headers().get("content-type").map(|kind| kind.to_str().unwrap().to_owned());
    let body = to_bytes(response.into_body(), 100_000).await.unwrap();
    (status, kind.unwrap_or_default(), String::from_utf8(body.to_vec()).unwrap())
}

async fn post(witness: &Arc<Witness>, body: impl Into<Body>) -> (u16, String, String) {
    ask(witness, Request::post("/add-checkpoint").body(body.into()).unwrap()).await
}

#[tokio::test]
async fn a_witness_answers_as_the_specification_says() {
    let place = Place::new();
    let witness = Arc::new(place.open(&clock()));
    let first = LOG.submission(0, 7);
    let (status, kind, line) = post(&witness, first.to_string()).await;
    assert_eq!((status, kind.as_str()), (200, "text/plain; charset=utf-8"));
    assert_eq!(seen(&line, &first, witness.vkey()), 1_795_000_000);

    let stranger = TestLog { origin: "other.example", salt: 0 };
    let altered = LOG.submission(7, 20).to_string().replacen("\n20\n", "\n21\n", 1);
    let long = format!("{}{}", LOG.submission(7, 20), "— x AAAAAAAA\n".repeat(12_000));
    let before = std::fs::read(place.state()).unwrap();
    for (body, status, size) in [
        ("<html>".to_owned(), 400, None),
        (String::new(), 400, None),
        (LOG.submission(7, 20).to_string().trim_end().to_owned(), 400, None),
        (Submission { old: 8, ..LOG.submission(0, 7) }.to_string(), 400, None),
        (altered, 403, None),
        (stranger.submission(0, 7).to_string(), 404, None),
        (LOG.submission(0, 20).to_string(), 409, Some("7\n")),
        (LOG.submission(6, 20).to_string(), 409, Some("7\n")),
        (LOG.submission(3, 5).to_string(), 409, Some("7\n")),
        (FORK.submission(7, 7).to_string(), 409, Some("7\n")),
        (FORK.submission(7, 20).to_string(), 422, None),
        (Submission { proof: Vec::new(), ..LOG.submission(7, 20) }.to_string(), 422, None),
        (long, 413, None),
    ] {
        let (answered, kind, text) = post(&witness, body.clone()).await;
        assert_eq!(answered, status, "{body:.200}");
        assert_eq!(size.is_some(), kind == "text/x.tlog.size", "{body:.200}");
        assert!(size.is_none_or(|size| size == text), "{text}");
    }
    assert_eq!(post(&witness, vec![0xff, 0xfe]).await.0, 400);
    assert_eq!(ask(&witness, Request::get("/add-checkpoint").body(Body::empty()).unwrap()).await.0, 405);
    assert_eq!(std::fs::read(place.state()).unwrap(), before, "a refusal changes nothing that is remembered");

    let next = LOG.submission(7, 200);
    let (status, _, line) = post(&witness, next.to_string()).await;
    assert_eq!(status, 200);
    seen(&line, &next, witness.vkey());
}

#[tokio::test]
async fn monitors_read_what_was_cosigned_last() {
    let place = Place::new();
    let witness = Arc::new(place.open(&clock()));
    let path = format!("/{}/checkpoint", to_hex(&sha256(LOG.origin.as_bytes())));
    let get = || Request::get(&path).body(Body::empty()).unwrap();
    assert_eq!(ask(&witness, get()).await.0, 404, "nothing yet");
    let with_lines = LOG.submission(0, 9).to_string() + "— grease.example AAAAAAAA\n";
    assert_eq!(post(&witness, with_lines).await.0, 200);
    let (status, _, note) = ask(&witness, get()).await;
    assert_eq!(status, 200);
    assert_eq!(Checkpoint::open(&note, &[LOG.vkey()]), Ok(LOG.checkpoint(9)));
    let key = witness.vkey().clone();
    let by = Note::parse(&note).unwrap();
    assert_eq!(by.signed_by(&[&key]).unwrap().len(), 1);
    assert_eq!(note.lines().count(), 6, "nobody else's lines are passed on: {note}");
    for path in ["/x/checkpoint", "/../key", "/..%2fkey/checkpoint", "/key"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        assert_eq!(ask(&witness, request).await.0, 404, "{path}");
    }
}

#[test]
fn a_witness_started_again_remembers() {
    let (place, clock) = (Place::new(), clock());
    let witness = place.open(&clock);
    witness.add(&LOG.submission(0, 7).to_string()).unwrap();
    drop(witness);
    // A process killed while it wrote leaves this beside.
    std::fs::write(place.state().with_extension("new"), "half a fi").unwrap();
    let witness = place.open(&clock);
    let refused = witness.add(&LOG.submission(0, 9).to_string());
    assert_eq!(refused, Err(NotCosigned::Refused(WitnessRefusal::OtherSize(7))));
    witness.add(&LOG.submission(7, 9).to_string()).unwrap();
}

#[test]
fn a_clock_that_goes_back_makes_no_cosignature_older_than_one_before() {
    let (place, clock) = (Place::new(), clock());
    let witness = place.open(&clock);
    witness.add(&LOG.submission(0, 7).to_string()).unwrap();
    clock.advance(Duration::hours(-1));
    for submission in [LOG.submission(7, 7), LOG.submission(7, 8)] {
        let line = witness.add(&submission.to_string()).unwrap();
        assert_eq!(seen(&line, &submission, witness.vkey()), 1_795_000_000);
    }
    drop(witness);
    let (witness, submission) = (place.open(&clock), LOG.submission(8, 9));
    let line = witness.add(&submission.to_string()).unwrap();
    assert_eq!(seen(&line, &submission, witness.vkey()), 1_795_000_000);
}

#[test]
fn submissions_at_the_same_instant_never_make_a_witness_vouch_for_two_histories() {
    for _ in 0..10 {
        let place = Place::new();
        let (witness, start) = (&place.open(&clock()), &Barrier::new(8));
        // Half of them of one history, half of the other, of several sizes.
        let asked = (0..8_u64).map(|number| {
            let log = if number % 2 == 0 { &LOG } else { &FORK };
            log.submission(0, 1 + number / 2)
        });
        let cosigned: Vec<Checkpoint> = std::thread::scope(|scope| {
            let tasks: Vec<_> = asked
                .map(|submission| {
                    scope.spawn(move || {
                        start.wait();
                        let cosigned = witness.add(&submission.to_string()).is_ok();
                        cosigned.then(|| Checkpoint::open(&submission.checkpoint, &[LOG.vkey()]).unwrap())
                    })
                })
                .collect();
            tasks.into_iter().filter_map(|task| task.join().unwrap()).collect()
        });
        // All submit from the same size, so the first one taken makes the others stale.
        assert_eq!(cosigned.len(), 1, "{cosigned:?}");
        let kept = std::fs::read_to_string(place.state()).unwrap();
        assert!(kept.contains(&cosigned[0].text()), "what was cosigned is what is remembered");
    }
}

#[test]
fn what_cannot_be_kept_is_not_cosigned_and_the_disk_is_believed_afterwards() {
    let place = Place::new();
    let witness = place.open(&clock());
    witness.add(&LOG.submission(0, 7).to_string()).unwrap();
    // Where the new file would be written stands a folder.
    let beside = place.state().with_extension("new");
    std::fs::create_dir(&beside).unwrap();
    let refused = witness.add(&LOG.submission(7, 20).to_string());
    assert_eq!(refused, Err(NotCosigned::Memory));
    let refused = witness.add(&FORK.submission(7, 7).to_string());
    assert_eq!(
        refused,
        Err(NotCosigned::Refused(WitnessRefusal::OtherRoot(7))),
        "what was before still counts"
    );
    std::fs::remove_dir(&beside).unwrap();
    witness.add(&LOG.submission(7, 20).to_string()).unwrap();
    // A state that is spoiled under a running witness is found at the next doubt.
    std::fs::create_dir(&beside).unwrap();
    assert_eq!(witness.add(&LOG.submission(20, 30).to_string()), Err(NotCosigned::Memory));
    std::fs::write(place.state(), "").unwrap();
    std::fs::remove_dir(&beside).unwrap();
    assert_eq!(witness.add(&LOG.submission(20, 30).to_string()), Err(NotCosigned::Memory));
}

#[test]
fn a_witness_in_doubt_does_not_start() {
    let place = Place::new();
    let witness = place.open(&clock());
    witness.add(&LOG.submission(0, 7).to_string()).unwrap();
    let open = || Witness::open(&place.0, Arc::new(clock())).err();
    assert!(matches!(open(), Some(FolderError::Busy(_))), "two at work would vouch for two histories");
    assert!(matches!(witness::watch(&place.0, &LOG.vkey().to_string()), Err(FolderError::Busy(_))));
    drop(witness);
    let good = std::fs::read_to_string(place.state()).unwrap();
    for bad in [
        good.replacen("\n7\n", "\n6\n", 1),
        good.trim_end().to_owned(),
        good.lines().filter(|line| !line.starts_with("— witness")).fold(String::new(), |t, l| t + l + "\n"),
        good.replacen("log.example", "lag.example", 1),
        good.replacen("log.example", "lag.example", 9),
        String::new(),
    ] {
        std::fs::write(place.state(), bad).unwrap();
        assert!(matches!(open(), Some(FolderError::Doubt(_))));
    }
    std::fs::write(place.state(), good).unwrap();
    let key = place.0.join("key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(open(), Some(FolderError::Loose(_))));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(open().is_none());
    // A log whose memory is gone is not begun anew: it is not watched any more.
    std::fs::remove_file(place.state()).unwrap();
    let refused = place.open(&clock()).add(&FORK.submission(0, 7).to_string());
    assert_eq!(refused, Err(NotCosigned::Refused(WitnessRefusal::UnknownLog)));
}

#[test]
fn a_witness_has_one_key_and_takes_a_logs_further_ones() {
    let place = Place::new();
    let again = witness::init(&place.0, "witness.example/2", &SystemEntropy);
    assert!(matches!(again, Err(FolderError::Exists(_))));
    let further = Vkey::new(LOG.origin, &[5; 32]).unwrap().to_string();
    let witness = place.open(&clock());
    witness.add(&LOG.submission(0, 7).to_string()).unwrap();
    let own = witness.vkey().to_string();
    drop(witness);
    witness::watch(&place.0, &further).unwrap();
    for bad in ["", "log.example/2026", own.as_str()] {
        assert!(matches!(witness::watch(&place.0, bad), Err(FolderError::LogKey(_))), "{bad}");
    }
    let witness = place.open(&clock());
    assert_eq!((witness.watched(), witness.vkey().to_string()), (1, own));
    let submission = LOG.submission(7, 9);
    assert_eq!(submitted_origin(&submission), LOG.origin);
    witness.add(&submission.to_string()).unwrap();
}
