//! The journal in yearly shards: where one ends and the next begins, what is proved in each, and what is refused.

use super::rollback::{configured, porteplume, said};
use super::witnesses::{grow, our_policy, watched_by, watching};
use crate::storage::sample::get;
use crate::support::app::TestApp;
use crate::support::database::{TestSigner, on_both, signer};
use axum::body::{Body, to_bytes};
use axum::http::Request;
use porteplume::clock::Clock as _;
use porteplume::journal::{Checkpoint, LogProof, Policy, ProofBundle, leaf_hash, policy};
use porteplume::mandate::{EventKind, Instant, Slots};
use porteplume::service::bundle::{self, Wanted};
use porteplume::service::restored::{self, RestoredError};
use porteplume::service::shards::{self as opening, ShardError};
use porteplume::service::{Caller, Error, Record, proof, read, timestamps, witnesses};
use porteplume::storage::shards::{self, Shards};
use porteplume::storage::{CheckpointSigner as _, Engine, JournalSigner, StoreError, StoreOptions, journal};
use porteplume::web::{self, router};
use std::process::Command;
use std::sync::Arc;
use tower::ServiceExt as _;

const FIRST: &str = "porteplume.test/journal";
/// The first second of 2027 in Paris.
pub(super) const NEW_YEAR: i64 = 1_798_758_000;

pub(super) fn at(test: &TestApp, second: i64) {
    test.clock.advance(Instant::from_micros(second * 1_000_000).since(test.clock.now()));
}

async fn all(test: &TestApp) -> Shards {
    get!(&test.web.app.store, [], |s| shards::all(s, FIRST))
}

async fn size(test: &TestApp) -> u64 {
    get!(&test.web.app.store, [], |s| journal::head(s)).map_or(0, |head| head.size)
}

/// The receipt of the entry at a place.
async fn receipt(test: &TestApp, place: u64) -> LogProof {
    let by = Arc::clone(&test.web.app);
    let proof = test.web.app.store.read::<_, Error, _>("test", move |snapshot| {
        Box::pin(async move {
            let row = journal::entries(snapshot, place, 1).await?.remove(0);
            proof::of(&by, snapshot, &row).await
        })
    });
    proof.await.unwrap().unwrap().log
}

/// Trust in a shard's key, as anybody outside holds it.
fn trust(origin: &str) -> Policy {
    Policy::parse(policy(&[TestSigner::called(origin).verifier()], None, &[], 0).as_bytes()).unwrap()
}

/// Status and body of an answer.
async fn fetched(test: &TestApp, path: &str) -> (u16, Vec<u8>) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(test.web.clone()).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    (status, to_bytes(response.into_body(), 100_000).await.unwrap().to_vec())
}

/// Every entry is proved in its own shard, in a tree that begins where the shard does.
async fn proved(test: &TestApp) {
    let shards = all(test).await;
    for place in 0..size(test).await {
        let (shard, proof) = (shards.at(place), receipt(test, place).await);
        let (_, witnessed) = proof.verify_under(&trust(&shard.origin)).unwrap();
        assert_eq!((proof.index, witnessed.checkpoint.origin), (place - shard.start, shard.origin.clone()));
        let end = shard.end.unwrap_or(size(test).await);
        assert_eq!(
            witnessed.checkpoint.size,
            end - shard.start,
            "its newest checkpoint, final once it is closed"
        );
    }
}

on_both! {
    a_journal_over_three_years_is_three_shards_that_verify_as_one(database) {
        let test = TestApp::over(database).await;
        let app = &test.web.app;
        assert_eq!(opening::open_due(app).await.unwrap(), None, "an empty journal has nothing to close");
        grow(&test, 3).await.unwrap();
        let before = receipt(&test, 1).await;
        at(&test, NEW_YEAR - 1);
        assert_eq!(opening::open_due(app).await.unwrap(), None, "a second before the new year");
        at(&test, NEW_YEAR);
        let opened = opening::open_due(app).await.unwrap();
        assert_eq!(opened.as_deref(), Some("porteplume.test/journal/2027"));
        assert_eq!(opening::open_due(app).await.unwrap(), None, "once a year");
        grow(&test, 4).await.unwrap();
        at(&test, NEW_YEAR + 366 * 86_400);
        assert_eq!(opening::open_due(app).await.unwrap().as_deref(), Some("porteplume.test/journal/2028"));
        grow(&test, 2).await.unwrap();
        let starts: Vec<_> = all(&test).await.each().map(|shard| (shard.start, shard.end)).collect();
        assert_eq!(starts, [(0, Some(3)), (3, Some(8)), (8, None)]);
        proved(&test).await;
        let (entry, witnessed) = before.verify_under(&trust(FIRST)).unwrap();
        assert_eq!((witnessed.checkpoint.size, entry.at()), (3, Instant::from_micros(1_790_000_000_000_000)));
        let report = test.report(None, app.now()).await;
        assert_eq!((report.lines(), report.shards, report.tree.entries), (Vec::new(), 3, 11));
        test.verifies().await;
        // A service that starts now reads only the newest shard's edge, and goes on.
        let restarted = test.replica().await;
        grow(&restarted, 2).await.unwrap();
        grow(&test, 1).await.unwrap();
        assert_eq!(size(&test).await, 14);
        test.verifies().await;
    }

    shards_closed_at_the_edges_of_tiles_are_whole(database) {
        let test = TestApp::over(database).await;
        for (number, entries) in [(0, 1), (1, 255), (2, 256), (3, 299)] {
            grow(&test, entries).await.unwrap();
            if number < 3 {
                opening::open_now(&test.web.app, "edge").await.unwrap();
            }
        }
        let sizes: Vec<_> = all(&test).await.each().map(|shard| shard.end.unwrap_or(814) - shard.start).collect();
        assert_eq!(sizes, [1, 256, 257, 300]);
        let restarted = test.replica().await;
        for place in [0, 1, 2, 256, 257, 258, 512, 513, 514, 768, 813] {
            let shards = all(&restarted).await;
            let shard = shards.at(place);
            let proof = receipt(&restarted, place).await;
            assert_eq!(proof.index, place - shard.start);
            proof.verify_under(&trust(&shard.origin)).unwrap();
        }
        for (path, width) in [
            ("0/tile/0/000.p/1", 1), ("1/tile/0/000", 256), ("1/tile/1/000.p/1", 1), ("2/tile/0/000", 256),
            ("2/tile/0/001.p/1", 1), ("2/tile/1/000.p/1", 1), ("3/tile/0/001.p/44", 44),
        ] {
            let (status, bytes) = fetched(&test, &format!("/journal/shards/{path}")).await;
            assert_eq!((status, bytes.len()), (200, width * 32), "{path}");
        }
        // Nothing of the next shard shows in the one before.
        for path in [
            "0/tile/0/000.p/2", "0/tile/0/000", "0/tile/1/000.p/1", "1/tile/0/001.p/1", "1/tile/1/000.p/2", "2/tile/0/001.p/2",
            "3/tile/0/001.p/45", "4/checkpoint", "4/policy", "00/checkpoint", "x/checkpoint", "3/tile/1/000.p/2",
        ] {
            assert_eq!(fetched(&test, &format!("/journal/shards/{path}")).await.0, 404, "{path}");
        }
        for (number, size) in sizes.into_iter().enumerate() {
            let (_, note) = fetched(&test, &format!("/journal/shards/{number}/checkpoint")).await;
            let (_, ours) = fetched(&test, &format!("/journal/shards/{number}/policy")).await;
            assert!(String::from_utf8_lossy(&ours).contains(&format!(" https://mandats.example.fr/journal/shards/{number}\n")));
            let counts = Policy::parse(&ours).unwrap().open(&String::from_utf8(note).unwrap());
            // The policy names the keys of the configuration, the journal is signed with the tests' own.
            assert!(counts.is_err());
            let origin = all(&test).await.numbered(number as u64).unwrap().origin.clone();
            let (_, note) = fetched(&test, &format!("/journal/shards/{number}/checkpoint")).await;
            let counts = trust(&origin).open(&String::from_utf8(note).unwrap()).unwrap();
            assert_eq!(counts.checkpoint.size, size);
        }
        let page = String::from_utf8(fetched(&test, "/journal").await.1).unwrap();
        for number in 0..4 {
            let link = format!("href=\"/journal/shards/{number}/policy\"");
            assert_eq!(page.contains(&link), number < 3, "closed ones are listed: {number}");
        }
        assert_eq!(fetched(&test, "/journal/checkpoint").await.1, fetched(&test, "/journal/shards/3/checkpoint").await.1);
        test.verifies().await;
    }

    of_two_who_open_a_shard_at_once_one_does(database) {
        let test = TestApp::over(database).await;
        let other = test.replica().await;
        grow(&test, 2).await.unwrap();
        at(&test, NEW_YEAR);
        let (one, two) = tokio::join!(opening::open_due(&test.web.app), opening::open_due(&other.web.app));
        let opened: Vec<_> = [one.unwrap(), two.unwrap()].into_iter().flatten().collect();
        assert_eq!(opened, ["porteplume.test/journal/2027"]);
        grow(&other, 1).await.unwrap();
        grow(&test, 1).await.unwrap();
        assert_eq!((size(&test).await, all(&test).await.each().count()), (5, 2));
        test.verifies().await;
    }

    writes_while_a_shard_is_opened_all_get_their_place(database) {
        let test = TestApp::over(database).await;
        let other = test.replica().await;
        grow(&test, 1).await.unwrap();
        let busy: Vec<_> = (0..30).map(|number| {
            let test = if number % 2 == 0 { test.clone() } else { other.clone() };
            tokio::spawn(async move { grow(&test, 3).await })
        }).collect();
        for reason in ["one", "two"] {
            opening::open_now(&other.web.app, reason).await.unwrap();
        }
        for busy in busy {
            busy.await.unwrap().unwrap();
        }
        grow(&test, 1).await.unwrap();
        assert_eq!(size(&test).await, 1 + 90 + 2 + 1);
        let year: Vec<_> = all(&test).await.each().map(|shard| shard.origin.clone()).collect();
        assert_eq!(year, [FIRST, "porteplume.test/journal/2026", "porteplume.test/journal/2026-2"]);
        proved(&test).await;
        test.verifies().await;
    }

    a_shard_whose_opening_fails_leaves_everything_as_it_was(database) {
        let test = TestApp::over(database).await;
        grow(&test, 2).await.unwrap();
        for table in ["checkpoint", "leaf", "shard"] {
            test.database.refuses("INSERT", table).await;
            opening::open_now(&test.web.app, "incident").await.expect_err("refused");
            test.database.takes_again(table).await;
            assert_eq!((size(&test).await, all(&test).await.each().count()), (2, 1), "{table}");
        }
        for reason in ["", "  ", "a\nb", &"x".repeat(101)] {
            assert!(matches!(opening::open_now(&test.web.app, reason).await, Err(ShardError::Reason)), "{reason:?}");
        }
        test.verifies().await;
        opening::open_now(&test.web.app, "incident").await.unwrap();
        grow(&test, 1).await.unwrap();
        assert_eq!(size(&test).await, 4);
        test.verifies().await;
    }

    a_write_among_others_cannot_open_a_shard(database) {
        let test = TestApp::over(database).await;
        grow(&test, 2).await.unwrap();
        let (app_, now) = (Arc::clone(&test.web.app), test.web.app.now());
        let sneaked = test.web.app.include("test", move |tx| {
            let app = Arc::clone(&app_);
            Box::pin(async move {
                let event = Record::done(EventKind::JournalShardOpened).append(&app, tx, &Caller::default(), now).await?;
                tx.begin_shard("porteplume.test/journal/2026", &event);
                Ok(())
            })
        });
        assert!(matches!(sneaked.await, Err(Error::Store(StoreError::Refused(_)))));
        assert_eq!((size(&test).await, all(&test).await.each().count()), (2, 1));
        grow(&test, 1).await.unwrap();
        test.verifies().await;
    }

    where_shards_are_not_wanted_the_calendar_opens_none(database) {
        let test = TestApp::over(database).await.undivided();
        grow(&test, 2).await.unwrap();
        at(&test, NEW_YEAR + 3 * 366 * 86_400);
        assert_eq!(opening::open_due(&test.web.app).await.unwrap(), None);
        assert_eq!(all(&test).await.each().count(), 1);
    }

    a_database_without_the_newest_shard_is_not_served(database) {
        let test = TestApp::over(database).await;
        grow(&test, 3).await.unwrap();
        let published = test.database.folder().join("published");
        let options = StoreOptions { published_checkpoint: Some(published.clone()), ..test.database.options() };
        let root = leaf_hash(b"lost");
        let lost = TestSigner::called("porteplume.test/journal/2027").sign(1, &root).unwrap();
        std::fs::write(&published, &lost).unwrap();
        assert!(matches!(test.database.try_store(&options).await, Err(StoreError::Behind(_))));
        let said = test.report(Some(published.clone()), test.web.app.now()).await.lines();
        assert!(said.iter().any(|line| line.starts_with("shard porteplume.test/journal/2027: it is not there")), "{said:?}");
        // Of a shard that is there, the published checkpoint counts from its start.
        at(&test, NEW_YEAR);
        opening::open_due(&test.web.app).await.unwrap().unwrap();
        let note = read::checkpoint(&test.web.app).await.unwrap().unwrap();
        std::fs::write(&published, &note).unwrap();
        let served = test.database.try_store(&options).await.unwrap();
        served.close().await;
        assert_eq!(test.report(Some(published.clone()), test.web.app.now()).await.lines(), Vec::<String>::new());
        std::fs::write(&published, TestSigner::called("porteplume.test/journal/2027").sign(2, &root).unwrap()).unwrap();
        assert!(matches!(test.database.try_store(&options).await, Err(StoreError::Behind(_))));
        std::fs::write(&published, TestSigner::called("elsewhere.test/2027").sign(1, &root).unwrap()).unwrap();
        assert!(matches!(test.database.try_store(&options).await, Err(StoreError::Behind(_))), "not ours");
        // Somebody shows a shard that is gone: nothing is signed any more.
        assert!(test.web.app.store.hold_to(&note).await.unwrap());
        let newer = TestSigner::called("porteplume.test/journal/2028").sign(1, &root).unwrap();
        assert!(matches!(test.web.app.store.hold_to(&newer).await, Err(StoreError::Behind(_))));
        assert!(test.web.app.store.is_halted());
    }

    a_restore_that_lost_a_whole_shard_says_so(database) {
        let test = TestApp::over(database).await;
        grow(&test, 3).await.unwrap();
        let app = &test.web.app;
        let signed = |name: &str, size| {
            let signer = JournalSigner::new(name, Arc::clone(&app.keys)).unwrap();
            signer.sign(size, &leaf_hash(b"lost")).unwrap()
        };
        let noted = async || {
            let mut raw = test.database.raw().await;
            let count = "SELECT count(*) FROM event_search WHERE kind = 'journal.restored'";
            sqlx::query_scalar::<_, i64>(count).fetch_one(&mut raw).await.unwrap()
        };
        let foreign = restored::note(app, "incident 17", Some(&signed("elsewhere.test/journal/2027", 4))).await;
        assert!(matches!(foreign, Err(RestoredError::NotOurs(_))));
        assert_eq!(noted().await, 0);
        let next = signed("porteplume.test/journal/2027", 4);
        assert_eq!(restored::note(app, "incident 17", Some(&next)).await.unwrap(), 4, "all of it");
        assert_eq!(noted().await, 1);
        // Once the shard is there again and longer, nothing of it is lost.
        at(&test, NEW_YEAR);
        opening::open_due(app).await.unwrap().unwrap();
        let shorter = restored::note(app, "incident 18", Some(&signed("porteplume.test/journal/2027", 1))).await;
        assert!(matches!(shorter, Err(RestoredError::NothingLost { .. })), "{shorter:?}");
        assert_eq!(restored::note(app, "incident 18", Some(&next)).await.unwrap(), 3, "it holds its first entry");
        test.verifies().await;
    }

    a_witness_follows_to_the_next_shard_and_sees_the_final_checkpoint_of_the_one_before(database) {
        let test = TestApp::over(database).await;
        grow(&test, 3).await.unwrap();
        at(&test, NEW_YEAR - 60);
        let next = "porteplume.test/journal/2027";
        let known = [signer().verifier(), TestSigner::called(next).verifier()];
        let follows = watching("follows", &known, &test.clock).await;
        let stays = watching("stays", &known[..1], &test.clock).await;
        let named = vec![follows.clone(), stays];
        let test = test.watched_by(watched_by(named.clone(), 1));
        witnesses::round(&test.web.app).await.unwrap();
        grow(&test, 2).await.unwrap();
        at(&test, NEW_YEAR);
        opening::open_due(&test.web.app).await.unwrap().unwrap();
        witnesses::round(&test.web.app).await.unwrap();
        let current = read::checkpoint(&test.web.app).await.unwrap().unwrap();
        let last = read::checkpoint_of(&test.web.app, Some(0)).await.unwrap().unwrap();
        let seen = |note: &str, origin: &str| {
            let rules = policy(&[TestSigner::called(origin).verifier()], None, &named, 1);
            let counted = Policy::parse(rules.as_bytes()).unwrap().open(note).unwrap();
            (counted.checkpoint.size, counted.seen.len())
        };
        assert_eq!(seen(&current, next), (1, 1), "who does not know the new name stays behind");
        assert_eq!(seen(&last, FIRST), (5, 2));
        assert!(our_policy(&named, 1).open(&current).is_err(), "the old policy does not name the new shard");
        grow(&test, 1).await.unwrap();
        witnesses::round(&test.web.app).await.unwrap();
        assert_eq!(seen(&read::checkpoint(&test.web.app).await.unwrap().unwrap(), next), (2, 1));
        receipt(&test, 0).await.verify_under(&our_policy(&named, 1)).unwrap();
        assert_eq!(test.report(None, test.web.app.now()).await.lines(), Vec::<String>::new());
        timestamps::round(&test.web.app).await.unwrap();
    }

    an_operator_opens_a_shard_verifies_and_publishes_both(database) {
        let (config, published) = configured(&database);
        assert!(porteplume("doctor", &config).status.code().is_some());
        let run = |args: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_porteplume"));
            let done = command.args(args).arg("--config").arg(&config).output().unwrap();
            (done.status.code(), said(&done))
        };
        let shown = std::fs::read_to_string(&published).unwrap();
        assert!(shown.starts_with("porteplume.test/journal\n1\n"), "{shown}");
        let (code, refused) = run(&["journal", "shard", "--reason", " "]);
        assert!(code == Some(1) && refused.contains("--reason"), "{refused}");
        let (code, told) = run(&["journal", "shard", "--reason", "incident 2026-17"]);
        assert_eq!(code, Some(0), "{told}");
        let (_, name) = told.split_once("goes on as ").unwrap();
        let name = name.split(';').next().unwrap();
        assert!(told.contains(&format!("\nlog {name}+")), "the new policy: {told}");
        let shown = std::fs::read_to_string(&published).unwrap();
        assert!(shown.starts_with(&format!("{name}\n1\n")), "{shown}");
        let (code, verified) = run(&["journal", "verify"]);
        assert!(code == Some(0) && verified.contains("2 shards"), "{verified}");
        let dir = database.folder().join("published");
        let (code, written) = run(&["journal", "export", "--dir", dir.to_str().unwrap()]);
        assert!(code == Some(0) && written.contains("2 entries written"), "{written}");
        for (folder, origin) in [(dir.clone(), "porteplume.test/journal"), (dir.join("shards/1"), name)] {
            let read = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap();
            let policy = Policy::parse(read("policy").as_bytes()).unwrap();
            let checkpoint = policy.open(&read("checkpoint")).unwrap().checkpoint;
            assert_eq!((checkpoint.origin.as_str(), checkpoint.size), (origin, 1));
            assert_eq!(std::fs::read(folder.join("tile/0/000.p/1")).unwrap(), checkpoint.root.as_bytes());
            assert!(folder.join("tile/entries/000.p/1").exists());
        }
        let (_, doctor) = run(&["doctor"]);
        assert!(doctor.contains(&format!("of the shard {name}")), "{doctor}");
    }

    a_bundle_over_two_shards_verifies_offline_under_the_policy_of_each(database) {
        let test = TestApp::over(database).await;
        grow(&test, 3).await.unwrap();
        opening::open_now(&test.web.app, "incident").await.unwrap();
        grow(&test, 2).await.unwrap();
        let wanted = Wanted::Places { from: 1, limit: 5 };
        let made = bundle::export(&test.web.app, &wanted, Slots::METADATA).await.unwrap();
        let archive = web::archive(made).unwrap();
        let read = ProofBundle::read(&archive).unwrap();
        assert_eq!(read.shards().map(|(_, _, entries)| entries.len()).collect::<Vec<_>>(), [2, 3]);
        let (old, new) = (trust(FIRST), trust("porteplume.test/journal/2026"));
        let both = read.verify(&old.clone().or(new.clone()));
        assert!(both.holds(), "{:?}", both.findings);
        assert_eq!((both.entries, both.witnessed.len()), (5, 2));
        for one in [old, new] {
            assert!(!read.verify(&one).holds(), "one policy names one shard");
        }
        for at in (0..archive.len()).step_by(997) {
            let mut bytes = archive.clone();
            bytes[at] ^= 1;
            assert!(ProofBundle::read(&bytes).is_err(), "byte {at}");
        }
    }
}

/// On PostgreSQL an opening does not wait for the queue: what is in it gets its place in the new shard.
#[tokio::test]
async fn what_is_queued_while_a_shard_is_opened_gets_its_place_behind_the_opening() {
    let database = crate::support::database::TestDatabase::fresh(Engine::Postgres).await;
    let test = TestApp::over(database).await;
    grow(&test, 2).await.unwrap();
    let held = test.held_back().await;
    for _ in 0..3 {
        assert!(matches!(grow(&held, 2).await, Err(Error::Promised(_))));
    }
    opening::open_now(&held.web.app, "queued").await.unwrap();
    assert_eq!(size(&held).await, 3, "the opening alone");
    assert_eq!(held.web.app.store.sequence_once().await.unwrap(), 6);
    assert_eq!((size(&held).await, all(&held).await.current().start), (9, 2));
    proved(&held).await;
    let note = get!(&held.web.app.store, [], |s| journal::head(s)).unwrap().note;
    let verifier = TestSigner::called("porteplume.test/journal/2026").verifier();
    assert_eq!(Checkpoint::open(&note, &[verifier]).unwrap().size, 7);
    held.verifies().await;
}
