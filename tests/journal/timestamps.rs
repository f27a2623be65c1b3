//! The time-stamp of the day's checkpoint: asked for, kept, exported, verified, and missed when it is gone.

use super::history;
use super::rollback::{configured, porteplume, said};
use super::witnesses::grow;
use crate::support::app::TestApp;
use crate::support::authority::Authority;
use crate::support::database::{TestDatabase, on_both, signer};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use porteplume::clock::{Clock as _, SystemClock, SystemEntropy};
use porteplume::crypto::{JournalKey, SecretBytes};
use porteplume::journal::{
    Note, NoteSignature, Timestamp, TimestampAuthorities, TimestampRequest, Vkey, leaf_hash,
};
use porteplume::mandate::paris;
use porteplume::relying::{HttpClient, HttpPolicy};
use porteplume::service::export::{Export, export};
use porteplume::service::timestamps::{self, Kept};
use porteplume::service::{Timestamps, Witnesses};
use porteplume::storage::cosignatures::{self, CosignatureRow};
use porteplume::storage::journal::{self, CheckpointRow};
use porteplume::storage::{CheckpointSigner as _, Engine, StoreError};
use std::sync::{Arc, Mutex};
use time::Duration as Span;
use tokio::net::TcpListener;

/// What an authority on the wire says to a request.
type Says = fn(&Authority, &[u8]) -> Response;

#[derive(Clone)]
struct Wire {
    authority: Arc<Authority>,
    says: Arc<Mutex<(Says, u32)>>,
    url: String,
}

fn honest(authority: &Authority, query: &[u8]) -> Response {
    authority.answer(query).into_response()
}

impl Wire {
    /// An authority on loopback, for as long as the test runs.
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/stamp", listener.local_addr().unwrap());
        let says: Arc<Mutex<(Says, u32)>> = Arc::new(Mutex::new((honest, 0)));
        let wire = Self { authority: Arc::new(Authority::new()), says, url };
        let answer = async |State(wire): State<Self>, query: Bytes| {
            let says = {
                let mut says = wire.says.lock().unwrap();
                says.1 += 1;
                says.0
            };
            says(&wire.authority, &query)
        };
        let router = Router::new().route("/stamp", post(answer)).with_state(wire.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        wire
    }

    fn says(&self, says: Says) {
        self.says.lock().unwrap().0 = says;
    }

    fn asked(&self) -> u32 {
        self.says.lock().unwrap().1
    }

    fn trusted(&self) -> TimestampAuthorities {
        let mut trusted = TimestampAuthorities::default();
        trusted.add(&self.authority.pem("ca")).unwrap();
        trusted
    }

    fn asked_by(&self, app: TestApp) -> TestApp {
        app.stamped_by(of(Some(self.url.clone()), self.trusted()))
    }
}

fn of(url: Option<String>, trusted: TimestampAuthorities) -> Timestamps {
    let policy = HttpPolicy { allow_loopback: true, response_limit: 64 * 1024, ..HttpPolicy::default() };
    Timestamps::new(url, trusted, &HttpClient::new(&policy).unwrap())
}

/// A journal of some entries, at the time of this very moment: authorities tell no other.
async fn written(database: TestDatabase) -> TestApp {
    let (app, _) = history::written(database).await;
    app.clock.advance(SystemClock.now().since(app.clock.now()));
    app
}

fn day(app: &TestApp) -> String {
    paris(app.web.app.now()).date().to_string()
}

async fn head(app: &TestApp) -> CheckpointRow {
    let head = app.web.app.store.read::<_, StoreError, _>("test", |s| Box::pin(journal::head(s)));
    head.await.unwrap().unwrap()
}

/// How many time-stamps are kept, and how many entries tell of one.
async fn kept(app: &TestApp) -> (i64, i64) {
    let mut raw = app.database.raw().await;
    let rows = sqlx::query_scalar("SELECT COUNT(*) FROM time_stamp").fetch_one(&mut raw).await.unwrap();
    let entries = "SELECT COUNT(*) FROM event_search WHERE kind = 'journal.timestamped'";
    (rows, sqlx::query_scalar(entries).fetch_one(&mut raw).await.unwrap())
}

async fn lines(app: &TestApp) -> Vec<String> {
    app.report(None, app.web.app.now()).await.lines()
}

async fn round(app: &TestApp) {
    timestamps::round(&app.web.app).await.unwrap();
}

on_both! {
    the_days_checkpoint_is_stamped_once_whoever_asks(database) {
        let wire = Wire::new().await;
        let app = wire.asked_by(written(database).await);
        assert_eq!(timestamps::overdue(&app.web.app).await.unwrap().is_some(), Span::days(2) < entries_are(&app).await);
        if app.database.engine() == Engine::Postgres {
            let other = wire.asked_by(app.replica().await);
            let (one, two) = tokio::join!(timestamps::round(&app.web.app), timestamps::round(&other.web.app));
            one.and(two).unwrap();
            other.web.app.store.close().await;
        } else {
            let (one, two) = tokio::join!(timestamps::round(&app.web.app), timestamps::round(&app.web.app));
            one.and(two).unwrap();
        }
        assert_eq!(kept(&app).await, (1, 1));
        let asked = wire.asked();
        grow(&app, 2).await.unwrap();
        round(&app).await;
        assert_eq!((wire.asked(), kept(&app).await), (asked, (1, 1)), "not again on the same day");
        assert_eq!(timestamps::overdue(&app.web.app).await.unwrap(), None);
        assert_eq!(lines(&app).await, Vec::<String>::new());
        assert_eq!(app.report(None, app.web.app.now()).await.timestamps, 1);

        app.clock.advance(Span::days(1));
        round(&app).await;
        assert_eq!(kept(&app).await, (2, 2), "{}", day(&app));
        assert_eq!(timestamps::overdue(&app.web.app).await.unwrap(), None);
        app.clock.advance(Span::days(1));
        round(&app).await;
        assert_eq!(kept(&app).await, (2, 2), "an authority whose clock is a day behind our entries is not believed");
        app.clock.advance(Span::days(1));
        assert!(timestamps::overdue(&app.web.app).await.unwrap().is_some());
        assert_eq!(lines(&app).await, Vec::<String>::new());
    }

    what_is_no_time_stamp_of_that_checkpoint_is_not_kept_and_the_authority_is_asked_again(database) {
        let wire = Wire::new().await;
        let mut app = wire.asked_by(written(database).await);
        let lies: [(&str, Says); 7] = [
            ("an error", |_, _| StatusCode::SERVICE_UNAVAILABLE.into_response()),
            ("a page", |_, _| "<html>Welcome</html>".into_response()),
            ("nothing", |_, _| ().into_response()),
            ("too much", |_, _| vec![0_u8; 100_000].into_response()),
            ("a refusal", |_, _| vec![0x30_u8, 5, 0x30, 3, 2, 1, 2].into_response()),
            ("another checkpoint", |authority, _| {
                let other = signer().sign(9, &leaf_hash(b"another")).unwrap();
                authority.answer(&TimestampRequest::new(&other, &SystemEntropy).unwrap().to_der()).into_response()
            }),
            ("another authority", |_, query| Authority::new().answer(query).into_response()),
        ];
        let before = head(&app).await;
        for (name, lie) in lies {
            wire.says(lie);
            let asked = wire.asked();
            round(&app).await;
            assert_eq!(wire.asked(), asked + 1, "{name}");
            round(&app).await;
            assert_eq!(wire.asked(), asked + 1, "{name}: it is left alone at first");
            assert_eq!(kept(&app).await, (0, 0), "{name}");
            app = wire.asked_by(app);
        }
        let nowhere = of(Some("http://127.0.0.1:1/".to_owned()), wire.trusted());
        app = app.stamped_by(nowhere);
        round(&app).await;
        assert_eq!(kept(&app).await, (0, 0));
        assert_eq!(head(&app).await, before, "nothing was written");

        let app = wire.asked_by(app);
        wire.says(|_, _| StatusCode::SERVICE_UNAVAILABLE.into_response());
        round(&app).await;
        wire.says(honest);
        app.clock.advance(Span::seconds(61));
        round(&app).await;
        assert_eq!(kept(&app).await, (1, 1), "asked again when it was back");
        assert_eq!(lines(&app).await, Vec::<String>::new());
    }

    an_export_holds_the_time_stamps_as_openssl_verifies_them(database) {
        let wire = Wire::new().await;
        let app = wire.asked_by(written(database).await);
        let stamped = head(&app).await;
        round(&app).await;
        grow(&app, 3).await.unwrap();
        let dir = app.database.folder().join("log");
        let (store, keys) = (app.web.app.store.clone(), vec![signer().verifier()]);
        let wanted = Export { store, keys, witnesses: Arc::new(Witnesses::default()), dir: dir.clone() };
        export(&wanted).await.unwrap();
        let beside = |kind: &str| dir.join(format!("timestamps/{}.{kind}", day(&app)));
        assert_eq!(std::fs::read_to_string(beside("checkpoint")).unwrap(), stamped.note);
        assert!(wire.authority.openssl_verifies(&beside("tsr"), &beside("checkpoint")));
        assert!(!wire.authority.openssl_verifies(&beside("tsr"), &dir.join("checkpoint")));
    }

    a_time_stamp_that_is_of_nobody_trusted_or_gone_is_named(database) {
        let wire = Wire::new().await;
        let app = wire.asked_by(written(database).await);
        round(&app).await;
        let name = format!("time-stamp of {}: ", day(&app));
        let app = app.stamped_by(of(None, Wire::new().await.trusted()));
        assert_eq!(lines(&app).await, [format!("{name}the time-stamp is not of an authority that is trusted")]);
        let app = wire.asked_by(app);
        assert_eq!(lines(&app).await, Vec::<String>::new());

        let mut raw = app.database.raw().await;
        let walls: &[&str] = match app.database.engine() {
            Engine::Sqlite => &["DROP TRIGGER time_stamp_never_deleted"],
            Engine::Postgres => &["ALTER TABLE time_stamp DISABLE TRIGGER USER"],
        };
        for statement in walls.iter().chain(&["DELETE FROM time_stamp"]) {
            sqlx::query(sqlx::AssertSqlSafe((*statement).to_owned())).execute(&mut raw).await.unwrap();
        }
        let said = lines(&app).await;
        assert!(said.len() == 1 && said[0].starts_with(&name) && said[0].ends_with("it was removed"), "{said:?}");
    }

    an_entry_dated_after_others_saw_it_is_named(database) {
        let authority = Authority::new();
        let app = written(database).await;
        app.clock.advance(Span::minutes(4));
        grow(&app, 1).await.unwrap();
        stamped_by_force(&app, &authority, "2026-11-20").await;
        cosigned_by_force(&app).await;
        assert_eq!(lines(&app).await, Vec::<String>::new(), "clocks may be some minutes apart");

        for (by, saw) in [(0, "an authority time-stamped"), (1, "a witness saw")] {
            app.clock.advance(Span::hours(1));
            grow(&app, 1).await.unwrap();
            let late = head(&app).await.size - 1;
            if by == 0 {
                stamped_by_force(&app, &authority, "2026-11-21").await;
            } else {
                cosigned_by_force(&app).await;
            }
            let entries = app.web.app.store.read::<_, StoreError, _>("test", move |s| Box::pin(journal::entries(s, late, 1)));
            let event = entries.await.unwrap().remove(0).event_id;
            let said = lines(&app).await;
            let expected = format!(
                "event {event}: it says that it was written after {saw} the checkpoint of {} entries that covers it",
                late + 1
            );
            assert!(said.contains(&expected), "{expected}: {said:?}");
        }
    }
}

#[tokio::test]
async fn doctor_says_how_it_stands_with_the_authority_and_whom_it_cannot_trust() {
    let database = TestDatabase::fresh(Engine::Sqlite).await;
    let (config, _) = configured(&database);
    let plain = std::fs::read_to_string(&config).unwrap();
    let authority = Authority::new();
    let origin = "origin = \"porteplume.test/journal\"";
    let with = |certificates: &str| {
        let asked = "timestamp_url = \"http://127.0.0.1:1/\"";
        let text =
            plain.replace(origin, &format!("{origin}\n{asked}\ntimestamp_certificates = [{certificates}]"));
        std::fs::write(&config, text).unwrap();
        said(&porteplume("doctor", &config))
    };
    let known = |name: &str| format!("\"{}\"", authority.path(name).display());
    assert!(with("").contains("journal.timestamp_url needs journal.timestamp_certificates"));
    for bad in ["ca.key", "conf", "nowhere.pem"] {
        let text = with(&known(bad));
        assert!(text.contains("journal.timestamp_certificates cannot be used"), "{bad}: {text}");
    }
    let text = with(&known("ca.pem"));
    assert!(text.contains("ok    time-stamps: none is overdue"), "{text}");
}

/// How long ago the first entry says it was written.
async fn entries_are(app: &TestApp) -> Span {
    let first = app.web.app.store.read::<_, StoreError, _>("test", |s| Box::pin(journal::entries(s, 0, 1)));
    app.web.app.now().since(first.await.unwrap().remove(0).at)
}

/// Keeps a time-stamp of the newest checkpoint whatever it says.
async fn stamped_by_force(app: &TestApp, authority: &Authority, day: &str) {
    let head = head(app).await;
    let request = TimestampRequest::new(&head.note, &SystemEntropy).unwrap();
    let token = authority.answer(&request.to_der());
    let at = Timestamp::verify(&token, &head.note, None).unwrap().at;
    let kept = Kept { day: day.to_owned(), size: head.size, at, token };
    timestamps::keep(&app.web.app, kept).await.unwrap();
    grow(app, 1).await.unwrap();
}

/// Keeps a cosignature of the newest checkpoint, of this very moment, whatever entries say.
async fn cosigned_by_force(app: &TestApp) {
    let head = head(app).await;
    let key = JournalKey::from_seed(&SecretBytes::new([61; 32])).unwrap();
    let vkey = Vkey::cosigner("w.example", key.public_key()).unwrap().to_string();
    let text = Note::parse(&head.note).unwrap().text().to_owned();
    let seconds = SystemClock.now().seconds();
    let line = NoteSignature::cosign(&text, "w.example", &key, u64::try_from(seconds).unwrap()).unwrap();
    let seen_at = porteplume::mandate::Instant::from_micros(seconds * 1_000_000);
    let row = CosignatureRow { size: head.size, vkey, seen_at, line: line.to_string() };
    let written = app.web.app.store.write::<_, StoreError, _>("test", move |tx| {
        let row = row.clone();
        Box::pin(async move { cosignatures::insert(tx, &row).await })
    });
    let () = written.await.unwrap().committed();
}
