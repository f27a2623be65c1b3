//! Uses, refusals and papers changed behind our back, and what `journal verify` says of them.

use super::*;
use crate::mandates::world::World;
use crate::support::database::on_both;
use porteplume::service::verify::{Journal, verify};
use porteplume::storage::{Engine, Store};
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _};
use std::sync::Arc;

/// A connection that no wall stops.
async fn without_walls(test: &TestApp) -> AnyConnection {
    let mut raw = test.database.raw().await;
    match test.database.engine() {
        Engine::Sqlite => {
            let triggers = "SELECT name FROM sqlite_master WHERE type = 'trigger'";
            for row in sqlx::query(triggers).fetch_all(&mut raw).await.unwrap() {
                let drop = format!("DROP TRIGGER {}", row.get::<String, _>(0));
                raw.execute(AssertSqlSafe(drop)).await.unwrap();
            }
            raw.execute("PRAGMA foreign_keys = OFF").await.unwrap();
        }
        Engine::Postgres => {
            raw.execute("SET session_replication_role = replica").await.unwrap();
            for table in
                ["representation", "refusal", "mandate_paper", "revocation_card", "asking", "mandate"]
            {
                let open = format!("ALTER TABLE {table} DISABLE TRIGGER USER");
                raw.execute(AssertSqlSafe(open)).await.unwrap();
            }
        }
    }
    raw
}

/// What `journal verify` finds.
pub(crate) async fn lines(test: &TestApp) -> Vec<String> {
    let store = Store::open_for_reading(&test.database.options()).await.unwrap();
    let journal = Journal {
        authorities: porteplume::journal::TimestampAuthorities::default(),
        store: store.clone(),
        keys: Arc::clone(&test.web.app.keys),
        verifiers: vec![crate::support::database::signer().verifier()],
        published: None,
        now: test.web.app.now(),
    };
    let report = verify(journal).await.unwrap();
    store.close().await;
    report.lines()
}

/// Makes each change alone, demands that the one line found says so, and takes it back.
pub(crate) async fn each_is_found(test: &TestApp, attacks: &[(&str, &str, &str)]) {
    let mut raw = without_walls(test).await;
    assert_eq!(lines(test).await, Vec::<String>::new());
    for (change, back, said) in attacks {
        raw.execute(AssertSqlSafe((*change).to_owned())).await.unwrap();
        let found = lines(test).await;
        assert!(found.len() == 1 && found[0].contains(said), "{change}: {found:?}");
        raw.execute(AssertSqlSafe((*back).to_owned())).await.unwrap();
        assert_eq!(lines(test).await, Vec::<String>::new(), "{back}");
    }
}

on_both! {
    a_use_told_otherwise_than_its_entries_is_found(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let first = browser.code(&[]).await;
        assert_eq!(town.exchange(&first, &[]).await.status, 200);
        browser.code(&[]).await;
        assert_eq!((town.representations().await, town.open_representations().await), (2, 1), "one closed, one open");
        let other = "11111111111111111111111111111111";
        let back = |column: &str, was: &str| format!("UPDATE representation SET {column} = '{was}'");
        let (aidant, usager) = (back("aidant_id", town.aidant.as_str()), back("usager_id", town.usager.as_str()));
        let organisation = back("organisation_id", town.organisation.as_str());
        let said = "its representation";
        each_is_found(&town.test, &[
            (&back("aidant_id", other), &aidant, said),
            (&back("usager_id", other), &usager, said),
            (&back("organisation_id", other), &organisation, said),
            ("UPDATE representation SET client_id = 'elsewhere'", "UPDATE representation SET client_id = 'caisse'", said),
            (&back("procedure_id", PASSPORT), &back("procedure_id", PRIME), said),
            (
                "UPDATE representation SET ends_at = ends_at + 60000000",
                "UPDATE representation SET ends_at = ends_at - 60000000",
                said,
            ),
            (
                "UPDATE representation SET opened_at = opened_at - 60000000",
                "UPDATE representation SET opened_at = opened_at + 60000000",
                said,
            ),
            (
                "UPDATE representation SET close_reason = 'expired' WHERE state = 'closed'",
                "UPDATE representation SET close_reason = 'replaced' WHERE state = 'closed'",
                said,
            ),
            (
                "UPDATE representation SET state = 'open', closed_at = NULL, close_reason = NULL, sid = \
                 CAST(closed_at AS TEXT) WHERE state = 'closed'",
                "UPDATE representation SET state = 'closed', close_reason = 'replaced', closed_at = \
                 CAST(sid AS BIGINT) WHERE length(sid) = 16",
                said,
            ),
            (
                "UPDATE representation SET outcome = 'submitted' WHERE state = 'closed'",
                "UPDATE representation SET outcome = NULL WHERE outcome IS NOT NULL",
                said,
            ),
            (
                "UPDATE representation SET outcome = 'made up' WHERE state = 'closed'",
                "UPDATE representation SET outcome = NULL WHERE outcome IS NOT NULL",
                "outcome",
            ),
        ]).await;
    }

    a_refusal_told_otherwise_invented_or_taken_away_is_found(database) {
        let town = Town::new(database).await;
        let browser = town.browser().await;
        let handle = browser.asks(&[]).await;
        browser.confirms(&handle, &town.mandate, VITALE).await;
        assert_eq!(town.refused_rows().await, 1);
        let aidant = format!("UPDATE refusal SET aidant_id = '{}'", town.aidant);
        each_is_found(&town.test, &[
            (
                "UPDATE refusal SET code = code || 'x'",
                "UPDATE refusal SET code = substr(code, 1, length(code) - 1)",
                "is not what the entry says",
            ),
            (
                "UPDATE refusal SET aidant_id = '11111111111111111111111111111111'",
                &aidant,
                "is not what the entry says",
            ),
            ("UPDATE refusal SET at = at + 1000", "UPDATE refusal SET at = at - 1000", "is not what the entry says"),
            (
                "INSERT INTO refusal SELECT 'ffffffffffffffffffffffffffffffff', mandate_id, organisation_id, aidant_id, \
                 usager_id, client_id, procedure_id, code, at, last_event FROM refusal",
                "DELETE FROM refusal WHERE id = 'ffffffffffffffffffffffffffffffff'",
                "stands without an entry",
            ),
            (
                "CREATE TABLE kept AS SELECT * FROM refusal; DELETE FROM refusal",
                "INSERT INTO refusal SELECT * FROM kept",
                "was removed",
            ),
        ]).await;
    }

    a_paper_changed_or_taken_away_after_the_proposal_is_found(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        world.active(&mut browser).await;
        let said = "the text kept of it";
        each_is_found(&world.test, &[
            (
                "UPDATE mandate_paper SET text = text || 'x'",
                "UPDATE mandate_paper SET text = substr(text, 1, length(text) - 1)",
                said,
            ),
            (
                "CREATE TABLE kept AS SELECT * FROM mandate_paper; DELETE FROM mandate_paper",
                "INSERT INTO mandate_paper SELECT * FROM kept",
                said,
            ),
        ]).await;
    }
}
