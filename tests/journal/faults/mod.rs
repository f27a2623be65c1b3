//! Faults of the machine, injected into processes that live a scripted hour of work: whatever they acknowledged stands,
//! every receipt they gave holds, no fact is without its entry and no entry without its fact.

mod hour;
mod postgres;
mod sqlite;

use crate::support::app::{Pace, TestApp};
use crate::support::database::TestDatabase;
use hour::{ADDRESS, FOLDER, KEYS};
use porteplume::storage::Engine;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Whether everything is to be run, and not a sample.
#[expect(clippy::disallowed_methods, reason = "how much is run is the caller's to say")]
fn all() -> bool {
    std::env::var("PORTEPLUME_TEST_FAULTS").is_ok()
}

/// Says what a run did that took long.
#[expect(clippy::print_stderr, reason = "the counts are worth a line")]
fn tell(counts: &str) {
    eprintln!("{counts}");
}

/// Adds what makes the command live an hour.
fn to_live(command: &mut Command, address: &str, folder: &Path) {
    command.args(["--exact", "journal::faults::hour::an_hour_of_work", "--nocapture", "--test-threads=1"]);
    command.env(ADDRESS, address).env(FOLDER, folder).env(KEYS, crate::support::app::keys());
}

/// What an hour said.
fn said(output: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(output);
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter_map(|line| line.split_once("hour: ").map(|(_, what)| what.to_owned())).collect()
}

async fn count(raw: &mut AnyConnection, query: &str) -> i64 {
    sqlx::query(AssertSqlSafe(query.to_owned())).fetch_one(raw).await.unwrap().get(0)
}

/// Starts the service again on what is left, and holds it to what was said. How much of that was acknowledged.
async fn holds(database: TestDatabase, hour: &[String], what: &str) -> usize {
    let engine = database.engine();
    let pace = Pace { patience: Duration::from_secs(30), request_seconds: 60 };
    let options = database.options();
    let test = TestApp::opened(database, &options, pace).await.unwrap();
    while test.web.app.store.sequence_once().await.unwrap() > 0 {}
    let published = Some(test.database.folder().join("checkpoint"));
    let report = test.report(published, test.web.app.now()).await;
    assert!(report.is_clean(), "{what}: {:?}", report.lines());
    let mut raw = test.database.raw().await;
    let mut acknowledged = 0;
    for line in hour {
        let words: Vec<&str> = line.split(' ').collect();
        let hash =
            if engine == Engine::Sqlite { "lower(hex(leaf_hash))" } else { "encode(leaf_hash, 'hex')" };
        let query = match words.as_slice() {
            ["organisation", id] => format!("SELECT count(*) FROM organisation WHERE id = '{id}'"),
            ["entry", event] => {
                format!("SELECT count(*) FROM leaf JOIN event USING (event_id) WHERE event_id = '{event}'")
            }
            ["receipt", event, index, leaf, size] => format!(
                "SELECT count(*) FROM leaf, checkpoint WHERE event_id = '{event}' AND idx = {index} \
                 AND {hash} = '{leaf}' AND size = {size}"
            ),
            ["refused", code] => {
                assert!(
                    code.starts_with("store_") || *code == "being_recorded" || *code == "conflict",
                    "{what}: {line}"
                );
                continue;
            }
            ["over"] => continue,
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(count(&mut raw, &query).await, 1, "{what}: acknowledged and lost: {line}");
        acknowledged += 1;
    }
    let alone = "SELECT (SELECT count(*) FROM organisation) - (SELECT count(*) FROM event_search WHERE kind = \
                 'organisation.added')";
    assert_eq!(count(&mut raw, alone).await, 0, "{what}: a fact or an entry alone");
    test.web.app.store.close().await;
    acknowledged
}
