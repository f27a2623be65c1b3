//! What the service says of itself when it cannot do its work, and entries that lost their place.

use crate::mandates::world::World;
use crate::storage::sample::event;
use crate::support::app::{Pace, TestApp};
use crate::support::database::{TestDatabase, TestSigner, on_both, signer};
use crate::support::world::whereabouts;
use axum::body::Body;
use axum::http::Request;
use porteplume::crypto::{JournalKey, SecretBytes};
use porteplume::journal::{Checkpoint, Hash, Link, Vkey};
use porteplume::mandate::{EventId, EventKind, Instant};
use porteplume::service::{Caller, Record, manage};
use porteplume::storage::{CheckpointSigner, Engine, Store, StoreError, StoreOptions};
use porteplume::{jobs, service::read};
use sqlx::{Executor as _, Row as _};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tower::ServiceExt as _;

/// Signs under the key that followed a rotation, and knows the one before.
struct Rotated(JournalKey, TestSigner);

impl Rotated {
    fn new() -> Self {
        Self(JournalKey::from_seed(&SecretBytes::new([8; 32])).unwrap(), signer())
    }

    fn is_new(&self, note: &str) -> bool {
        let key = Vkey::new("porteplume.test/journal", self.0.public_key()).unwrap();
        Checkpoint::open(note, &[key]).is_ok()
    }
}

impl CheckpointSigner for Rotated {
    fn origin(&self) -> &'static str {
        "porteplume.test/journal"
    }

    fn called(&self, origin: &str) -> Result<Arc<dyn CheckpointSigner>, String> {
        Err(format!("there is no {origin}"))
    }

    fn sign(&self, size: u64, root: &Hash) -> Result<String, String> {
        let checkpoint = Checkpoint { origin: "porteplume.test/journal".to_owned(), size, root: *root };
        checkpoint.sign(&self.0).map_err(|error| error.to_string())
    }

    fn link(&self, before: u64, size: u64, root: &Hash) -> Result<String, String> {
        let link = Link { origin: "porteplume.test/journal".to_owned(), before, size, root: *root };
        link.sign(&self.0).map_err(|error| error.to_string())
    }

    fn promise(&self, event: &EventId, leaf: &Hash, now: Instant) -> Result<String, String> {
        self.1.promise(event, leaf, now)
    }

    fn open(&self, note: &str) -> Option<(u64, Hash)> {
        let key = Vkey::new("porteplume.test/journal", self.0.public_key()).unwrap();
        let checkpoint = Checkpoint::open(note, &[key, self.1.verifier()]).ok()?;
        Some((checkpoint.size, checkpoint.root))
    }
}

/// The world served by an instance that waits less.
async fn hurried(world: &World) -> World {
    let patience = Duration::from_secs(2);
    let options = StoreOptions { patience, ..world.test.database.options() };
    let pace = Pace { patience, request_seconds: 60 };
    world.beside(world.test.opened_with(&options, pace).await)
}

async fn ready(world: &World) -> u16 {
    let asked = Request::get("/health/ready").body(Body::empty()).unwrap();
    world.service.clone().oneshot(asked).await.unwrap().status().as_u16()
}

on_both! {
    a_service_whose_entries_find_no_place_is_not_ready(database) {
        let first = World::over(database).await;
        let world = hurried(&first).await;
        first.app.store.close().await;
        assert_eq!(ready(&world).await, 200);
        let rotated = Arc::new(Rotated::new());
        let elsewhere =
            Store::open(&world.test.database.options(), Arc::clone(&rotated) as Arc<dyn CheckpointSigner>).await;
        let elsewhere = elsewhere.unwrap();
        // Of two processes on PostgreSQL either may give an entry its place.
        while !rotated.is_new(&read::checkpoint(&world.app).await.unwrap().unwrap()) {
            let written = elsewhere.write("test", |tx| Box::pin(async move { tx.append(event()).await })).await;
            let written = written.map_err(|error: StoreError| error).unwrap();
            written.included(Duration::from_mins(1)).await.unwrap();
        }
        elsewhere.close().await;
        manage::add_organisation(&world.app, "Autre", "13002526500013", &whereabouts()).await.unwrap_err();
        assert_eq!(ready(&world).await, 503);
        world.test.clock.advance(time::Duration::seconds(31));
        assert_eq!(ready(&world).await, 200, "it is tried again");
        manage::add_organisation(&world.app, "Encore", "13002526500014", &whereabouts()).await.unwrap_err();
        assert_eq!(ready(&world).await, 503);
    }

    a_service_without_its_database_is_not_ready_until_it_is_back(database) {
        let first = World::over(database).await;
        let world = hurried(&first).await;
        first.app.store.close().await;
        let outage = world.test.database.outage().await;
        assert_eq!(ready(&world).await, 503);
        manage::add_organisation(&world.app, "Autre", "13002526500013", &whereabouts()).await.unwrap_err();
        outage.ends().await;
        let open = tokio::time::timeout(Duration::from_mins(2), async {
            while manage::add_organisation(&world.app, "Autre", "13002526500013", &whereabouts()).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        open.await.unwrap();
        assert_eq!(ready(&world).await, 200, "one entry that finds its place is proof enough");
    }
}

#[tokio::test]
async fn the_jobs_queue_again_an_entry_whose_queue_row_was_stolen() {
    let test = TestApp::over(TestDatabase::fresh(Engine::Postgres).await).await.held_back().await;
    let (app, now) = (Arc::clone(&test.web.app), test.web.app.now());
    let kept = Arc::clone(&app);
    let written = app.commit("test.lost", move |tx| {
        let app = Arc::clone(&kept);
        Box::pin(async move {
            Record::done(EventKind::SignedOut).append(&app, tx, &Caller::default(), now).await.map(drop)
        })
    });
    written.await.unwrap();
    let mut raw = test.database.raw().await;
    raw.execute("DELETE FROM queue").await.unwrap();
    test.clock.advance(time::Duration::minutes(1));
    let (stop, stopped) = watch::channel(false);
    let jobs = jobs::start(&app, stopped);
    let queued = tokio::time::timeout(Duration::from_mins(2), async {
        while raw.fetch_one("SELECT count(*) FROM queue").await.unwrap().get::<i64, _>(0) == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    queued.await.unwrap();
    stop.send_replace(true);
    jobs.finish().await;
    assert_eq!(app.store.sequence_once().await, Ok(1));
    test.verifies().await;
}
