//! A journal that cannot keep up takes nothing new on, whichever replica is asked, and goes on by itself.

use super::order::verified;
use super::sample::event;
use crate::support::database::TestDatabase;
use porteplume::mandate::EventId;
use porteplume::storage::{Engine, Store, StoreError, StoreOptions, Written};
use sqlx::Row as _;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// A write whose commit alone is waited for.
async fn commit(store: &Store) -> Result<EventId, StoreError> {
    let entry = event();
    let id = entry.event_id.clone();
    let written = store.write("test", move |tx| {
        let entry = entry.clone();
        Box::pin(async move { tx.append(entry).await })
    });
    written.await.map(Written::committed).map(|()| id)
}

/// Asks again until it is as it should be.
async fn until(what: &str, store: &Store, busy: bool) {
    let looked = async {
        loop {
            let asked = store.write("test", |_| Box::pin(async { Ok::<_, StoreError>(()) })).await;
            match asked.map(Written::committed) {
                Err(StoreError::Busy) if busy => return,
                Ok(()) if !busy => return,
                Ok(()) | Err(StoreError::Busy) => sleep(Duration::from_millis(20)).await,
                Err(other) => panic!("{other}"),
            }
        }
    };
    timeout(Duration::from_mins(1), looked).await.unwrap_or_else(|_| panic!("{what}"));
}

async fn events(database: &TestDatabase) -> i64 {
    sqlx::query("SELECT count(*) FROM event").fetch_one(&mut database.raw().await).await.unwrap().get(0)
}

async fn stops_and_goes_on(options: impl Fn(StoreOptions) -> StoreOptions, entries: usize) {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let held = options(StoreOptions { sequencing: false, ..database.options() });
    let (here, there) = (database.try_store(&held).await.unwrap(), database.try_store(&held).await.unwrap());
    let mut committed = Vec::new();
    for _ in 0..entries {
        committed.push(commit(&here).await.unwrap());
    }
    until("the one that committed them stops", &here, true).await;
    until("and so does the other, which knows of them from the database alone", &there, true).await;
    assert_eq!(commit(&there).await, Err(StoreError::Busy));
    assert_eq!(events(&database).await, i64::try_from(entries).unwrap(), "nothing was written");
    while there.sequence_once().await.unwrap() > 0 {}
    until("it goes on by itself", &here, false).await;
    until("and so does the other", &there, false).await;
    committed.push(commit(&there).await.unwrap());
    while there.sequence_once().await.unwrap() > 0 {}
    assert_eq!(verified(&here).await, committed);
}

#[tokio::test]
async fn when_an_entry_waits_too_long_no_replica_takes_anything_new_on_until_it_has_its_place() {
    stops_and_goes_on(|options| StoreOptions { longest_wait: Duration::from_millis(300), ..options }, 1)
        .await;
}

#[tokio::test]
async fn when_too_many_entries_wait_no_replica_takes_anything_new_on_until_they_have_their_place() {
    stops_and_goes_on(|options| StoreOptions { most_waiting: 5, ..options }, 6).await;
}
