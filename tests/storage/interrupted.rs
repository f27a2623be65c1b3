//! Writes interrupted wherever they stand: dropped, killed with their process, cut off from the database. What was
//! confirmed is there, and the journal verifies.

use super::order::{append, append_many, verified};
use crate::support::database::{TestDatabase, on_both, signer};
use porteplume::mandate::EventId;
use porteplume::storage::{Engine, Store};
use sqlx::{AssertSqlSafe, Executor as _};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

on_both! {
    a_write_dropped_by_its_caller_is_whole_or_not_there(database) {
        let store = database.store().await;
        let answered = Arc::new(Mutex::new(BTreeSet::new()));
        for pause in [0, 1, 2, 4, 8, 16] {
            // Dropping the set drops every write in it, wherever it stands.
            let mut impatient = JoinSet::new();
            for _ in 0..50 {
                let (store, answered) = (store.clone(), Arc::clone(&answered));
                impatient.spawn(async move {
                    let id = append(&store).await.unwrap();
                    answered.lock().unwrap().insert(id);
                });
            }
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
        append(&store).await.unwrap();
        let order: BTreeSet<EventId> = verified(&store).await.into_iter().collect();
        assert!(answered.lock().unwrap().is_subset(&order), "what was answered is there");
        let mut connection = database.raw().await;
        for table in ["event", "event_search", "leaf"] {
            let sql = format!("SELECT COUNT(*) FROM {table}");
            let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
            assert_eq!(usize::try_from(rows), Ok(order.len()), "{table}");
        }
    }
}

#[test]
fn a_writer_killed_in_the_middle_leaves_a_journal_that_verifies() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let checker = runtime();
    let database = checker.block_on(TestDatabase::fresh(Engine::Sqlite));
    let mut confirmed = BTreeSet::new();
    for round in 0..8_u64 {
        // The runtime is torn down with writes in flight: tasks stop wherever they stand.
        let doomed = runtime();
        let (sender, receiver) = std::sync::mpsc::channel();
        let options = database.options();
        doomed.spawn(async move {
            let store = Store::open(&options, Arc::new(signer())).await.unwrap();
            for _ in 0..500 {
                let (store, sender) = (store.clone(), sender.clone());
                tokio::spawn(async move {
                    if let Ok(id) = append(&store).await {
                        let _ = sender.send(id);
                    }
                });
            }
        });
        checker.block_on(async { tokio::time::sleep(Duration::from_millis(5 + round * 13)).await });
        doomed.shutdown_background();
        checker.block_on(async { tokio::time::sleep(Duration::from_millis(100)).await });
        confirmed.extend(receiver.try_iter());
    }
    checker.block_on(async {
        let store = database.store().await;
        let order: BTreeSet<EventId> = verified(&store).await.into_iter().collect();
        assert!(confirmed.is_subset(&order), "what was confirmed is there");
        store.close().await;
    });
}

#[tokio::test]
async fn connections_cut_in_the_middle_lose_nothing_that_was_confirmed() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    let mut connection = database.raw().await;
    let mut confirmed = BTreeSet::new();
    for round in 0..5 {
        let writes = tokio::spawn({
            let store = store.clone();
            async move { append_many_or_less(&store, 40).await }
        });
        tokio::time::sleep(Duration::from_millis(10 + 20 * round)).await;
        connection
            .execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = current_database() AND pid <> pg_backend_pid()",
            )
            .await
            .unwrap();
        confirmed.extend(writes.await.unwrap());
    }
    // The store finds its way back by itself.
    let id = append(&store).await.unwrap();
    let order: BTreeSet<EventId> = verified(&store).await.into_iter().collect();
    assert!(order.contains(&id) && confirmed.is_subset(&order));
}

/// The entries that were confirmed; a write that fails says so and is no harm.
async fn append_many_or_less(store: &Store, number: usize) -> Vec<EventId> {
    append_many(store, number).await.into_iter().flatten().collect()
}
