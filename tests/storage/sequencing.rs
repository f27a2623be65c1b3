//! Sequencing on PostgreSQL when things go wrong in the middle: whatever happens to whoever gives entries their place, there
//! is one dense, verified order in the end, and everything confirmed stands in it.

use super::order::{append, verified};
use super::sample::NOW;
use crate::support::database::TestDatabase;
use porteplume::mandate::EventId;
use porteplume::storage::{Engine, Store, StoreError};
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _};
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Writes at each of two replicas, both of which give entries their place.
const WRITES: usize = 60;

async fn run(raw: &mut AnyConnection, statement: &str) {
    raw.execute(AssertSqlSafe(statement.to_owned())).await.unwrap();
}

/// Something that happens when a round commits.
async fn at_commit(raw: &mut AnyConnection, what: &str) {
    let trigger = format!(
        "CREATE SEQUENCE test_rounds; CREATE FUNCTION test_round() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ \
         BEGIN {what} RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER test_round AFTER INSERT ON checkpoint DEFERRABLE \
         INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION test_round()"
    );
    run(raw, &trigger).await;
}

async fn writes(stores: &[Store]) -> BTreeSet<EventId> {
    let mut tasks = Vec::new();
    for store in stores.iter().cycle().take(WRITES * stores.len()) {
        let store = store.clone();
        tasks.push(tokio::spawn(async move { append(&store).await }));
        sleep(Duration::from_millis(2)).await;
    }
    let mut confirmed = BTreeSet::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(id) => drop(confirmed.insert(id)),
            Err(StoreError::Unavailable(_) | StoreError::OutcomeUnknown | StoreError::Database(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
    confirmed
}

async fn two(database: &TestDatabase) -> [Store; 2] {
    [database.store().await, database.store().await]
}

/// Everything that was written has its place, and each confirmed entry is among it.
async fn all_in_order(stores: &[Store; 2], raw: &mut AnyConnection, confirmed: &BTreeSet<EventId>) {
    let placed = async {
        loop {
            let waits =
                "SELECT CAST(count(*) AS TEXT) FROM event LEFT JOIN leaf USING (event_id) WHERE idx IS NULL";
            let waits: String = sqlx::query_scalar(waits).fetch_one(&mut *raw).await.unwrap();
            if waits == "0" {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_mins(1), placed).await.expect("every entry finds its place");
    let order: BTreeSet<EventId> = verified(&stores[0]).await.into_iter().collect();
    assert!(!confirmed.is_empty() && confirmed.is_subset(&order), "what was confirmed stands");
}

#[tokio::test]
async fn sequencers_killed_in_their_rounds_leave_one_dense_order() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let (stores, mut raw) = (two(&database).await, database.raw().await);
    let mut killer = database.raw().await;
    let killing = tokio::spawn(async move {
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
                    AND pid <> pg_backend_pid() AND state <> 'idle' AND (query LIKE '%queue%' OR query LIKE '%INTO leaf%' \
                    OR query LIKE '%INTO checkpoint%')";
        loop {
            run(&mut killer, kill).await;
            sleep(Duration::from_millis(15)).await;
        }
    });
    let confirmed = writes(&stores).await;
    killing.abort();
    let _ = killing.await;
    all_in_order(&stores, &mut raw, &confirmed).await;
}

#[tokio::test]
async fn rounds_whose_commit_ends_nobody_knows_how_leave_one_dense_order() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let (stores, mut raw) = (two(&database).await, database.raw().await);
    let cut =
        "IF nextval('test_rounds') % 3 = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;";
    at_commit(&mut raw, cut).await;
    let confirmed = writes(&stores).await;
    run(&mut raw, "DROP TRIGGER test_round ON checkpoint").await;
    all_in_order(&stores, &mut raw, &confirmed).await;
}

#[tokio::test]
async fn rounds_that_commit_slowly_at_two_replicas_leave_one_dense_order() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let (stores, mut raw) = (two(&database).await, database.raw().await);
    at_commit(&mut raw, "PERFORM pg_sleep(0.15);").await;
    let confirmed = writes(&stores).await;
    assert_eq!(confirmed.len(), 2 * WRITES, "slow is no failure");
    all_in_order(&stores, &mut raw, &confirmed).await;
}

#[tokio::test]
async fn queue_rows_stolen_under_way_are_queued_again_and_their_entries_placed() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let (stores, mut raw) = (two(&database).await, database.raw().await);
    run(
        &mut raw,
        "CREATE FUNCTION test_steals() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.qid % 4 = 0 \
        THEN RETURN NULL; END IF; RETURN NEW; END $$; CREATE TRIGGER test_steals BEFORE INSERT ON queue \
        FOR EACH ROW EXECUTE FUNCTION test_steals()",
    )
    .await;
    let mut committed = BTreeSet::new();
    for number in 0..40 {
        let entry = super::sample::event();
        let id = entry.event_id.clone();
        let written = stores[number % 2].write("test", move |tx| {
            let entry = entry.clone();
            Box::pin(async move { tx.append(entry).await })
        });
        written.await.map(porteplume::storage::Written::committed).unwrap();
        committed.insert(id);
    }
    run(&mut raw, "DROP TRIGGER test_steals ON queue").await;
    // The entries are of NOW; the minute job asks a little later.
    let found = stores[1].requeue_lost(NOW, NOW.plus(time::Duration::minutes(1))).await.unwrap();
    assert!(found > 0, "each is told, to be an alarm");
    all_in_order(&stores, &mut raw, &committed).await;
}

#[tokio::test]
async fn a_database_made_read_only_in_the_middle_is_refused_with_a_code_and_takes_writes_again() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let (stores, mut raw) = (two(&database).await, database.raw().await);
    let mut confirmed = BTreeSet::from([append(&stores[0]).await.unwrap()]);
    let name: String =
        sqlx::query_scalar("SELECT CAST(current_database() AS TEXT)").fetch_one(&mut raw).await.unwrap();
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
               AND pid <> pg_backend_pid()";
    run(&mut raw, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    run(&mut raw, cut).await;
    for _ in 0..5 {
        let refused = append(&stores[0]).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    }
    let events: String =
        sqlx::query_scalar("SELECT CAST(count(*) AS TEXT) FROM event").fetch_one(&mut raw).await.unwrap();
    assert_eq!(events, "1", "nothing was written");
    run(&mut raw, &format!("ALTER DATABASE {name} SET default_transaction_read_only = off")).await;
    run(&mut raw, cut).await;
    let again = async {
        loop {
            match append(&stores[1]).await {
                Ok(id) => return id,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
    };
    confirmed.insert(timeout(Duration::from_mins(1), again).await.unwrap());
    all_in_order(&stores, &mut raw, &confirmed).await;
}
