//! Faults of the machine, injected into processes that live a scripted hour of work: whatever they acknowledged stands,
//! every receipt they gave holds, no fact is without its entry and no entry without its fact.

mod hour;
mod postgres;
mod sqlite;
mod uses;

use crate::support::app::{Pace, TestApp};
use crate::support::database::TestDatabase;
use hour::{ADDRESS, FOLDER, KEYS};
use porteplume::storage::Engine;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Whether everything is to be run, and not a sample: `1`, or the calls to be harmed on SQLite, by commas.
#[expect(clippy::disallowed_methods, reason = "how much is run is the caller's to say")]
fn all() -> Option<String> {
    std::env::var("PORTEPLUME_TEST_FAULTS").ok()
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
    let (mut acknowledged, mut read) = (0, 0);
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
            ["aidant", id] => format!("SELECT count(*) FROM aidant WHERE id = '{id}'"),
            ["client", id] => format!("SELECT count(*) FROM client WHERE id = '{id}'"),
            ["opened", mandate] => {
                format!("SELECT count(*) FROM representation WHERE mandate_id = '{mandate}'")
            }
            ["refusal", mandate] => format!(
                "SELECT CASE WHEN count(*) > 0 THEN 1 ELSE 0 END FROM refusal WHERE mandate_id = '{mandate}'"
            ),
            ["token", hash] => format!("SELECT count(*) FROM access_token WHERE token_hash = '{hash}'"),
            ["ended", mandate] => {
                format!("SELECT count(*) FROM mandate WHERE id = '{mandate}' AND state = 'ended'")
            }
            ["refused", code] => {
                let known = ["being_recorded", "conflict", "come_again"];
                assert!(code.starts_with("store_") || known.contains(code), "{what}: {line}");
                continue;
            }
            ["read"] => {
                read += 1;
                continue;
            }
            ["over"] => continue,
            other => panic!("{what}: {other:?}"),
        };
        assert_eq!(count(&mut raw, &query).await, 1, "{what}: acknowledged and lost: {line}");
        acknowledged += 1;
    }
    let told = "SELECT count(*) FROM event_search WHERE kind = 'usager.space_read'";
    assert!(count(&mut raw, told).await >= read, "{what}: pages of persons were shown without an entry");
    let alone = "SELECT (SELECT count(*) FROM organisation) - (SELECT count(*) FROM event_search WHERE kind = \
                 'organisation.added')";
    assert_eq!(count(&mut raw, alone).await, 0, "{what}: a fact or an entry alone");
    test.web.app.store.close().await;
    acknowledged
}
