//! Writes interrupted wherever they stand: dropped, killed with their process, cut off from the database. What was
//! confirmed is there, and the journal verifies. So does it after closures that panic or never end.

use super::order::{append, verified};
use super::sample::{event, get, write};
use crate::support::database::{TestDatabase, on_both, signer};
use porteplume::mandate::EventId;
use porteplume::storage::{Engine, Store, StoreError, journal};
use sqlx::{AssertSqlSafe, Executor as _};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{sleep, timeout};

/// Begins so many writes at once; each that is confirmed says so. Dropped, they stop wherever they stand.
fn begin(store: &Store, number: usize, confirmed: &UnboundedSender<EventId>) -> JoinSet<()> {
    let mut writes = JoinSet::new();
    for _ in 0..number {
        let (store, confirmed) = (store.clone(), confirmed.clone());
        writes.spawn(async move {
            // One that fails says so, and is no harm.
            if let Ok(id) = append(&store).await {
                let _ = confirmed.send(id);
            }
        });
    }
    writes
}

/// Waits until one is confirmed, so that a slow machine interrupts no sooner than a fast one.
async fn first(confirmed: &mut UnboundedReceiver<EventId>) -> EventId {
    timeout(Duration::from_mins(2), confirmed.recv()).await.expect("one is confirmed").unwrap()
}

fn rest(confirmed: &mut UnboundedReceiver<EventId>) -> impl Iterator<Item = EventId> {
    std::iter::from_fn(|| confirmed.try_recv().ok())
}

on_both! {
    a_write_dropped_by_its_caller_is_whole_or_not_there(database) {
        let store = database.store().await;
        let (sender, mut receiver) = unbounded_channel();
        let mut answered = BTreeSet::new();
        for pause in [0, 1, 2, 4, 8, 16] {
            let impatient = begin(&store, 50, &sender);
            sleep(Duration::from_millis(pause)).await;
            drop(impatient);
        }
        let impatient = begin(&store, 50, &sender);
        answered.insert(first(&mut receiver).await);
        drop(impatient);
        sleep(Duration::from_millis(200)).await;
        append(&store).await.unwrap();
        let order: BTreeSet<EventId> = verified(&store).await.into_iter().collect();
        answered.extend(rest(&mut receiver));
        assert!(answered.len() < 7 * 50, "none was dropped in the middle");
        assert!(answered.is_subset(&order), "what was answered is there");
        let mut connection = database.raw().await;
        for table in ["event", "event_search", "leaf"] {
            let sql = format!("SELECT COUNT(*) FROM {table}");
            let rows: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
            assert_eq!(usize::try_from(rows), Ok(order.len()), "{table}");
        }
    }

    a_read_dropped_while_it_begins_leaves_no_transaction_behind(database) {
        let store = database.store().await;
        append(&store).await.unwrap();
        for pause in 0..200 {
            let mut reads = JoinSet::new();
            for _ in 0..4 {
                let store = store.clone();
                reads.spawn(async move { store.read("test", |_| Box::pin(async { Ok::<_, StoreError>(()) })).await });
            }
            let begun = std::time::Instant::now();
            while begun.elapsed() < Duration::from_micros(pause * 20) {
                yield_now().await;
            }
            drop(reads);
        }
        // What was begun for somebody who is gone is undone: no look sees the past, and no write is refused.
        sleep(Duration::from_millis(300)).await;
        let mut connection = database.raw().await;
        if database.engine() == Engine::Postgres {
            let stuck = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
                         AND state = 'idle in transaction'";
            assert_eq!(sqlx::query_scalar::<_, i64>(stuck).fetch_one(&mut connection).await.unwrap(), 0);
        }
        for _ in 0..20 {
            append(&store).await.unwrap();
        }
    }

    a_closure_that_panics_or_never_ends_writes_nothing_and_the_store_goes_on(database) {
        let store = database.store().await;
        let panicked = write::<(), _>(&store, |tx| Box::pin(async move {
            tx.append(event()).await?;
            panic!("a fault of ours");
        })).await;
        assert_eq!(panicked, Err(StoreError::Panicked));
        let endless = write::<(), _>(&store, |tx| Box::pin(async move {
            tx.append(event()).await?;
            sleep(Duration::from_hours(1)).await;
            Ok(())
        })).await;
        assert_eq!(endless, Err(StoreError::TooSlow));
        let asking = write::<(), _>(&store, |tx| Box::pin(async move {
            tx.append(event()).await?;
            loop {
                journal::head(tx).await?;
            }
        })).await;
        assert_eq!(asking, Err(StoreError::TooSlow));
        write(&store, |tx| Box::pin(async move { tx.append(event()).await })).await.unwrap();
        assert_eq!(get!(&store, [], |s| journal::head(s)).unwrap().size, 1);
    }

    a_closure_that_never_ends_costs_those_who_share_its_commit_nothing_but_time(database) {
        let store = database.store().await;
        let slow = tokio::spawn({
            let store = store.clone();
            // Holds the writer while the others queue behind it.
            async move {
                write(&store, |tx| Box::pin(async move {
                    sleep(Duration::from_millis(300)).await;
                    tx.append(event()).await
                })).await
            }
        });
        sleep(Duration::from_millis(100)).await;
        let (quick, endless) = tokio::join!(
            write(&store, |tx| Box::pin(async move { tx.append(event()).await })),
            write::<(), _>(&store, |tx| Box::pin(async move {
                tx.append(event()).await?;
                loop {
                    journal::head(tx).await?;
                }
            })),
        );
        assert_eq!(endless, Err(StoreError::TooSlow));
        quick.unwrap();
        slow.await.unwrap().unwrap();
        assert_eq!(verified(&store).await.len(), 2);
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
        let (sender, mut receiver) = unbounded_channel();
        let options = database.options();
        doomed.spawn(async move {
            let store = Store::open(&options, Arc::new(signer())).await.unwrap();
            begin(&store, 500, &sender).join_all().await;
        });
        checker.block_on(async {
            // Now while it opens its store, now among its writes.
            if round % 2 == 1 {
                confirmed.insert(first(&mut receiver).await);
            }
            sleep(Duration::from_millis(5 + round * 13)).await;
        });
        doomed.shutdown_background();
        checker.block_on(async { sleep(Duration::from_millis(100)).await });
        confirmed.extend(rest(&mut receiver));
    }
    checker.block_on(async {
        let store = database.store().await;
        let order: BTreeSet<EventId> = verified(&store).await.into_iter().collect();
        assert!(confirmed.len() >= 4 && confirmed.is_subset(&order), "what was confirmed is there");
        store.close().await;
    });
}

#[tokio::test]
async fn connections_cut_in_the_middle_lose_nothing_that_was_confirmed() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    let mut connection = database.raw().await;
    let (sender, mut receiver) = unbounded_channel();
    let mut confirmed = BTreeSet::new();
    for round in 0..5 {
        let writes = begin(&store, 40, &sender);
        if round % 2 == 1 {
            confirmed.insert(first(&mut receiver).await);
        }
        sleep(Duration::from_millis(10 + 20 * round)).await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        connection.execute(cut).await.unwrap();
        writes.join_all().await;
        confirmed.extend(rest(&mut receiver));
    }
    // The store finds its way back by itself.
    let id = append(&store).await.unwrap();
    let order: BTreeSet<EventId> = verified(&store).await.into_iter().collect();
    assert!(order.contains(&id) && confirmed.len() >= 2 && confirmed.is_subset(&order));
}

#[tokio::test]
async fn connections_cut_while_they_lie_idle_cost_nobody_an_answer() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    let mut raw = database.raw().await;
    for _ in 0..3 {
        let (sender, _receiver) = unbounded_channel();
        begin(&store, 20, &sender).join_all().await;
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
                   AND pid <> pg_backend_pid()";
        raw.execute(cut).await.unwrap();
        // One that appends alone, one in a transaction, one look of one statement, one of several.
        append(&store).await.unwrap();
        raw.execute(cut).await.unwrap();
        let both = store.write("test", |tx| {
            Box::pin(async move {
                let head = journal::head(tx).await?;
                tx.append(event()).await?;
                Ok::<_, StoreError>(head.is_some())
            })
        });
        // Looked at below, so it must not find its place in between.
        assert!(both.await.unwrap().included(Duration::from_secs(30)).await.unwrap());
        raw.execute(cut).await.unwrap();
        let head = store.read_one("test", |snapshot| Box::pin(journal::head(snapshot)));
        assert!(head.await.unwrap().is_some());
        raw.execute(cut).await.unwrap();
        assert!(!verified(&store).await.is_empty());
    }
}

#[tokio::test]
async fn an_entry_appended_alone_is_there_or_said_to_be_unknown_or_refused() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    let mut raw = database.raw().await;
    let counted = "SELECT count(*) FROM event";
    raw.execute(
        "CREATE SEQUENCE test_cuts; \
         CREATE FUNCTION test_cut() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
         IF nextval('test_cuts') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL; END $$; \
         CREATE TRIGGER test_cut AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION test_cut()",
    )
    .await
    .unwrap();
    assert_eq!(append(&store).await, Err(StoreError::OutcomeUnknown));
    let there: i64 = sqlx::query_scalar(counted).fetch_one(&mut raw).await.unwrap();
    assert_eq!(there, 0);
    let twice = event();
    for expected in [true, false] {
        let entry = twice.clone();
        let written = store.write::<(), StoreError, _>("test", move |tx| {
            let entry = entry.clone();
            Box::pin(async move { tx.append(entry).await })
        });
        match written.await {
            Ok(written) => assert!(expected, "{:?}", written.events()),
            Err(error) => assert!(!expected && matches!(error, StoreError::Taken(_)), "{error}"),
        }
    }
    let there: i64 = sqlx::query_scalar(counted).fetch_one(&mut raw).await.unwrap();
    assert_eq!(there, 1);
}
