//! The journal's order: dense, verified, one for everybody, whatever happens in between.

use super::sample::{
    NOW, event, get, in_force, in_minutes, organisation, procedure, put, unique, world, write,
};
use crate::support::database::{TestDatabase, on_both, signer};
use porteplume::journal::{Checkpoint, Frontier, Hash, leaf_hash};
use porteplume::mandate::{EndReason, EventId, EventKind, Instant, Outcome};
use porteplume::storage::mandates::MandateRow;
use porteplume::storage::search::Filter;
use porteplume::storage::{
    CheckpointSigner, Engine, NewEvent, SearchRow, Store, StoreError, StoreOptions, journal, mandates,
    organisations, search,
};
use sqlx::Executor as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

type Fits<'f> = &'f dyn Fn(&NewEvent) -> bool;

pub(super) async fn append(store: &Store) -> Result<EventId, StoreError> {
    let entry = event();
    let id = entry.event_id.clone();
    write(store, move |tx| {
        let entry = entry.clone();
        Box::pin(async move { tx.append(entry).await })
    })
    .await
    .map(|()| id)
}

pub(super) async fn append_many(store: &Store, number: usize) -> Vec<Result<EventId, StoreError>> {
    let mut tasks = Vec::new();
    for _ in 0..number {
        let store = store.clone();
        tasks.push(tokio::spawn(async move { append(&store).await }));
    }
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

/// Reads the whole journal and holds each part against the others; gives its entries in order.
pub(super) async fn verified(store: &Store) -> Vec<EventId> {
    let mut tree = Frontier::default();
    let (mut ids, mut roots, mut full) = (Vec::new(), vec![tree.root()], Vec::new());
    loop {
        let from = ids.len() as u64;
        let page = get!(store, [], |s| journal::entries(s, from, 100));
        if page.is_empty() {
            break;
        }
        for entry in page {
            let (index, hash) = entry.leaf.unwrap();
            assert_eq!((index, hash), (ids.len() as u64, leaf_hash(&entry.entry)));
            full.extend(tree.append(hash));
            roots.push(tree.root());
            ids.push(entry.event_id);
        }
    }
    let checkpoints = get!(store, [], |s| journal::checkpoints(s, 0, 10_000));
    for row in &checkpoints {
        let signed = Checkpoint::open(&row.note, &[signer().verifier()]).unwrap();
        assert_eq!((signed.size, signed.root), (row.size, row.root));
        assert_eq!(row.root, roots[usize::try_from(row.size).unwrap()]);
    }
    assert_eq!(
        checkpoints.last().map_or(0, |row| row.size),
        ids.len() as u64,
        "nothing stands beyond the head"
    );
    for tile in full {
        let stored = get!(store, [tile], |s| journal::tile(s, tile.level, tile.index)).unwrap();
        assert_eq!((stored.root, stored.hashes), (tile.root, tile.to_bytes()));
        let hashes = get!(store, [tile], |s| journal::level_hashes(s, tile.level, tile.index * 256, 256));
        assert_eq!(hashes, tile.hashes);
    }
    ids
}

on_both! {
    many_writes_at_once_give_one_dense_verified_order(database) {
        let store = database.store().await;
        let ids: BTreeSet<EventId> =
            append_many(&store, 700).await.into_iter().collect::<Result<_, _>>().unwrap();
        let order = verified(&store).await;
        assert_eq!(order.len(), 700);
        assert_eq!(order.into_iter().collect::<BTreeSet<_>>(), ids);
        let tiles = get!(&store, [], |s| journal::tiles(s, 0, 0, 10));
        assert_eq!(tiles.iter().map(|tile| tile.index).collect::<Vec<_>>(), [0, 1]);
    }

    a_store_opened_again_goes_on_where_it_stopped(database) {
        for round in 1..=4 {
            let store = database.store().await;
            append_many(&store, 200).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
            assert_eq!(verified(&store).await.len(), 200 * round);
            store.close().await;
            let closed = append(&store).await;
            assert!(matches!(closed, Err(StoreError::Closed)), "{closed:?}");
        }
    }

    two_stores_on_one_database_keep_one_order(database) {
        let (first, second) = (database.store().await, database.store().await);
        for _ in 0..3 {
            let (a, b) = tokio::join!(append_many(&first, 100), append_many(&second, 100));
            assert!(a.iter().chain(&b).all(Result::is_ok), "{a:?} {b:?}");
        }
        assert_eq!(verified(&first).await.len(), 600);
    }

    of_two_guarded_changes_at_once_one_wins(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let before = in_force(&store, &world).await;
        let mut tasks = Vec::new();
        for reason in [EndReason::Revoked, EndReason::Renounced, EndReason::Revoked, EndReason::Renounced] {
            let mandate = before.mandate.clone().end(reason, in_minutes(5)).unwrap();
            let after = MandateRow { mandate, seq: before.seq + 1, ..before.clone() };
            let (store, before) = (store.clone(), before.clone());
            tasks.push(tokio::spawn(async move {
                put!(&store, [before, after], |tx, event| mandates::update(tx, &before, &after, &event))
            }));
        }
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        let won = results.iter().filter(|result| result.is_ok()).count();
        assert_eq!(won, 1, "{results:?}");
        let lost = StoreError::Conflict { table: "mandate" };
        assert!(results.iter().all(|result| result.as_ref().err().is_none_or(|error| *error == lost)), "{results:?}");
        assert_eq!(verified(&store).await.len(), 5, "what lost left no entry");
    }

    entries_are_found_by_what_is_known_of_them(database) {
        let store = database.store().await;
        let (home, other, mandate) = (unique(), unique(), unique());
        let mut made = Vec::new();
        for number in 0..30_i64 {
            let mut entry = event();
            entry.at = in_minutes(number / 2);
            let refused = number % 5 == 0;
            let outcome = if refused { Outcome::Refused } else { Outcome::Done };
            let kind = if number % 3 == 0 { EventKind::RepresentationOpened } else { EventKind::MandateRead };
            entry.search = SearchRow {
                code: refused.then(|| "mandate_expired".to_owned()),
                organisation: Some(if number % 2 == 0 { home.clone() } else { other.clone() }),
                mandate: (number % 4 == 0).then(|| mandate.clone()),
                procedure: Some(procedure("declare-income").to_string()),
                ..SearchRow::new(kind, outcome)
            };
            made.push(entry.clone());
            write(&store, move |tx| {
                let entry = entry.clone();
                Box::pin(async move { tx.append(entry).await })
            }).await.unwrap();
        }
        made.sort_by_key(|entry| std::cmp::Reverse((entry.at, entry.event_id.clone())));
        let everything = Filter::period(NOW, in_minutes(100));
        let of_home = |e: &NewEvent| e.search.organisation.as_ref() == Some(&home) && e.search.code.is_none();
        let table: [(Filter, Fits<'_>); 7] = [
            (everything.clone(), &|_| true),
            (Filter { kind: Some(EventKind::MandateRead), ..everything.clone() },
                &|e| e.search.kind == EventKind::MandateRead),
            (Filter { outcome: Some(Outcome::Refused), ..everything.clone() }, &|e| e.search.code.is_some()),
            (Filter { organisation: Some(home.clone()), outcome: Some(Outcome::Done), ..everything.clone() }, &of_home),
            (Filter { mandate: Some(mandate.clone()), ..everything.clone() }, &|e| e.search.mandate.is_some()),
            (Filter { mandate: Some(unique()), ..everything.clone() }, &|_| false),
            (Filter::period(in_minutes(3), in_minutes(5)), &|e| e.at >= in_minutes(3) && e.at < in_minutes(5)),
        ];
        for (number, (filter, fits)) in table.into_iter().enumerate() {
            let expected: Vec<EventId> =
                made.iter().filter(|entry| fits(entry)).map(|entry| entry.event_id.clone()).collect();
            let (mut found, mut after): (Vec<EventId>, Option<search::Place>) = (Vec::new(), None);
            loop {
                let page = get!(&store, [filter, after], |s| async {
                    search::find(s, &filter, after.as_ref(), 7).await
                });
                assert!(page.found.iter().all(|found| found.index.is_some()));
                found.extend(page.found.into_iter().map(|found| found.event_id));
                after = page.reached;
                if after.is_none() { break }
            }
            assert_eq!(found, expected, "filter {number}");
        }
    }

    a_signer_that_fails_lets_nothing_through(database) {
        struct Moody(Arc<AtomicBool>);
        impl CheckpointSigner for Moody {
            fn origin(&self) -> &'static str { "porteplume.test/journal" }
            fn called(&self, origin: &str) -> Result<Arc<dyn CheckpointSigner>, String> { signer().called(origin) }
            fn sign(&self, size: u64, root: &Hash) -> Result<String, String> {
                if self.0.load(Ordering::SeqCst) { signer().sign(size, root) } else { Err("the key is away".to_owned()) }
            }
            fn link(&self, before: u64, size: u64, root: &Hash) -> Result<String, String> {
                signer().link(before, size, root)
            }
            fn promise(&self, event: &EventId, leaf: &Hash, now: Instant) -> Result<String, String> {
                signer().promise(event, leaf, now)
            }
            fn open(&self, note: &str) -> Option<(u64, Hash)> { signer().open(note) }
        }
        let well = Arc::new(AtomicBool::new(true));
        let store = Store::open(&database.options(), Arc::new(Moody(Arc::clone(&well)))).await.unwrap();
        append(&store).await.unwrap();
        well.store(false, Ordering::SeqCst);
        let entry = event();
        let result = store.write("test", move |tx| {
            let entry = entry.clone();
            Box::pin(async move { tx.append(entry).await })
        }).await;
        match (database.engine(), result) {
            (Engine::Sqlite, Err(StoreError::Signing(_))) => {}
            (Engine::Postgres, Ok(written)) => {
                written.included(Duration::from_millis(300)).await.expect_err("not included, so nothing is released");
            }
            (engine, result) => panic!("{engine:?}: {:?}", result.map(|_| ())),
        }
        assert_eq!(get!(&store, [], |s| journal::head(s)).unwrap().size, 1);
        well.store(true, Ordering::SeqCst);
        append(&store).await.unwrap();
        verified(&store).await;
    }

    a_database_behind_what_was_published_is_not_served(database) {
        let path = database.folder().join("published");
        let options = StoreOptions { published_checkpoint: Some(path.clone()), ..database.options() };
        let store = database.try_store(&options).await.unwrap();
        append_many(&store, 10).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
        store.close().await;
        let kept = std::fs::read_to_string(&path).unwrap();
        assert_eq!(signer().open(&kept).map(|(size, _)| size), Some(10), "written at shutdown");
        database.try_store(&options).await.unwrap().close().await;

        let (behind, beside) = (signer().sign(11, &leaf_hash(b"x")), signer().sign(10, &leaf_hash(b"x")));
        for note in [behind.unwrap(), beside.unwrap(), "not a checkpoint".to_owned()] {
            std::fs::write(&path, note).unwrap();
            let refused = database.try_store(&options).await;
            assert!(matches!(refused, Err(StoreError::Behind(_))), "{:?}", refused.map(|_| ()));
        }
    }

    a_journal_that_was_altered_is_not_served(database) {
        let store = database.store().await;
        append_many(&store, 300).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
        store.close().await;
        let mut connection = database.raw().await;
        let (disable, enable) = match database.engine() {
            Engine::Sqlite => ("DROP TRIGGER leaf_never_changes", "SELECT 1"),
            Engine::Postgres => ("ALTER TABLE leaf DISABLE TRIGGER leaf_never_changes",
                "ALTER TABLE leaf ENABLE ALWAYS TRIGGER leaf_never_changes"),
        };
        connection.execute(disable).await.unwrap();
        connection.execute("UPDATE leaf SET leaf_hash = (SELECT leaf_hash FROM leaf WHERE idx = 1) WHERE idx = 299")
            .await.unwrap();
        connection.execute(enable).await.unwrap();
        let refused = database.try_store(&database.options()).await;
        assert!(matches!(refused, Err(StoreError::Journal(_))), "{:?}", refused.map(|_| ()));
    }

    a_schema_of_another_age_is_not_served(database) {
        let mut connection = database.raw().await;
        connection.execute("DELETE FROM _sqlx_migrations WHERE version = 5").await.unwrap();
        let refused = database.try_store(&database.options()).await;
        assert!(matches!(refused, Err(StoreError::Schema(_))), "{:?}", refused.map(|_| ()));
    }
}

#[tokio::test]
async fn a_full_queue_of_writes_answers_busy() {
    let database = TestDatabase::fresh(Engine::Sqlite).await;
    let options = StoreOptions { waiting_writes: 4, ..database.options() };
    let store = database.try_store(&options).await.unwrap();
    let results = append_many(&store, 200).await;
    let busy = results.iter().filter(|result| matches!(result, Err(StoreError::Busy))).count();
    assert!(busy > 0, "back-pressure");
    assert_eq!(verified(&store).await.len(), 200 - busy);
}

#[tokio::test]
async fn a_lost_race_is_run_again() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    let rows = [organisation(), organisation()];
    for row in rows.clone() {
        put!(&store, [row], |tx, event| organisations::insert(tx, &row, &event)).unwrap();
    }
    // Write skew: each reads both and changes one. Serialisable lets one of them run again.
    let runs = Arc::new(AtomicU32::new(0));
    let barrier = Arc::new(tokio::sync::Barrier::new(2));
    let mut tasks = Vec::new();
    for row in rows {
        let (store, runs, barrier) = (store.clone(), Arc::clone(&runs), Arc::clone(&barrier));
        tasks.push(tokio::spawn(async move {
            write(&store, move |tx| {
                let (row, runs, barrier, entry) =
                    (row.clone(), Arc::clone(&runs), Arc::clone(&barrier), event());
                Box::pin(async move {
                    let all = organisations::list(tx).await?;
                    if runs.fetch_add(1, Ordering::SeqCst) < 2 {
                        barrier.wait().await;
                    }
                    let before = all.into_iter().find(|found| found.id == row.id).unwrap();
                    let id = entry.event_id.clone();
                    tx.append(entry).await?;
                    organisations::update(tx, &before, &before, &id).await
                })
            })
            .await
        }));
    }
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(runs.load(Ordering::SeqCst) > 2, "one of them ran twice");
    assert_eq!(verified(&store).await.len(), 4);
}

#[tokio::test]
async fn an_entry_whose_queue_row_was_stolen_is_queued_again() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let options = StoreOptions { sequencing: false, ..database.options() };
    let store = database.try_store(&options).await.unwrap();
    let mut waiting = Vec::new();
    for _ in 0..3 {
        let entry = event();
        let written = store.write("test", move |tx| {
            let entry = entry.clone();
            Box::pin(async move { tx.append(entry).await })
        });
        waiting.push(written.await.map_err(|error: StoreError| error).unwrap());
    }
    let mut connection = database.raw().await;
    connection.execute("DELETE FROM queue WHERE qid = (SELECT MIN(qid) FROM queue)").await.unwrap();
    assert_eq!(store.sequence_once().await, Ok(2));
    assert_eq!(get!(&store, [], |s| journal::unplaced(s, 10)).len(), 1);
    assert_eq!(store.requeue_lost(NOW, in_minutes(0)).await, Ok(0), "too young to be lost");
    assert_eq!(store.requeue_lost(NOW, in_minutes(1)).await, Ok(1));
    assert_eq!(store.requeue_lost(NOW, in_minutes(1)).await, Ok(0));
    assert_eq!(store.sequence_once().await, Ok(1));
    assert_eq!(store.sequence_once().await, Ok(0));
    for written in waiting {
        written.included(Duration::from_mins(1)).await.unwrap();
    }
    assert_eq!(verified(&store).await.len(), 3);
}

#[tokio::test]
async fn a_replica_learns_what_another_one_placed() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let quiet = StoreOptions { sequencing: false, ..database.options() };
    let (here, there) = (database.try_store(&quiet).await.unwrap(), database.store().await);
    let written = here.write("test", |tx| Box::pin(async move { tx.append(event()).await })).await;
    let written = written.map_err(|error: StoreError| error).unwrap();
    written.included(Duration::from_mins(1)).await.unwrap();
    assert_eq!(verified(&there).await.len(), 1);
}
