//! The desk's own rows, and the indexes its searches walk.

use super::sample::{NOW, bytes, change, get, in_minutes, put, unique};
use crate::support::database::{TestDatabase, on_both};
use porteplume::mandate::{AuditorId, Glass, GlassId, GlassState, MandateId, ReadingId, SearchId, Standing};
use porteplume::storage::auditors::{AuditorRow, ReadingRow};
use porteplume::storage::break_glass::{self, GlassRow};
use porteplume::storage::saved_searches::{self, SavedRow};
use porteplume::storage::{Engine, Store, StoreError, all_statements, auditors, seen};
use sqlx::{AssertSqlSafe, Executor as _, Row as _};

fn auditor() -> AuditorRow {
    AuditorRow {
        id: AuditorId::from_bytes(bytes()),
        standing: Standing::Invited,
        email_blind: unique(),
        identity_sealed: vec![1],
        identity_key: "key".to_owned(),
        subject: None,
        invited_at: NOW,
        invite_expires_at: in_minutes(60),
        activated_at: None,
        version: 1,
    }
}

/// Two auditors, the first with a purpose.
async fn two(store: &Store) -> (AuditorRow, AuditorRow, ReadingId) {
    let (one, other) = (auditor(), auditor());
    let reading = ReadingRow {
        id: ReadingId::from_bytes(bytes()),
        auditor: one.id.clone(),
        purpose_sealed: vec![4],
        opened_at: NOW,
        closed_at: None,
        version: 1,
    };
    put!(store, [one, other, reading], |tx, event| async {
        auditors::insert(tx, &one, &event).await?;
        auditors::insert(tx, &other, &event).await?;
        auditors::open_reading(tx, &reading, &event).await
    })
    .unwrap();
    (one, other, reading.id)
}

on_both! {
    a_request_for_content_is_answered_once_and_by_another(database) {
        let store = database.store().await;
        let (one, other, reading) = two(&store).await;
        let entries = get!(&store, [], |s| porteplume::storage::journal::entries(s, 0, 1));
        let glass = Glass {
            id: GlassId::from_bytes(bytes()), auditor: one.id.clone(), reading, mandate: None,
            entry: Some(entries[0].event_id.clone()), asked_at: NOW, state: GlassState::Asked,
        };
        put!(&store, [glass], |tx, event| break_glass::insert(tx, &glass, &[7], &event)).unwrap();
        let row = GlassRow { glass: glass.clone(), reason_sealed: vec![7], version: 1 };
        assert!(get!(&store, [glass], |s| break_glass::load(s, &glass.id)) == Some(row.clone()));
        assert_eq!(get!(&store, [], |s| break_glass::due(s, in_minutes(-1), 10)).len(), 0);
        assert_eq!(get!(&store, [], |s| break_glass::due(s, NOW, 10)).len(), 1);

        let own = GlassState::Open { by: one.id.clone(), at: in_minutes(5) };
        let refused = put!(&store, [row, own], |tx, event| break_glass::decide(tx, &row, &own, &event));
        assert!(matches!(refused, Err(StoreError::Refused(_))), "the database itself wants two: {refused:?}");
        let open = GlassState::Open { by: other.id.clone(), at: in_minutes(5) };
        put!(&store, [row, open], |tx, event| break_glass::decide(tx, &row, &open, &event)).unwrap();
        let again = put!(&store, [row, open], |tx, event| break_glass::decide(tx, &row, &open, &event));
        assert_eq!(again, Err(StoreError::Conflict { table: "break_glass" }));
        let found = get!(&store, [one], |s| break_glass::open(s, &one.id, NOW));
        assert!(found == vec![GlassRow { glass: Glass { state: open, ..glass }, version: 2, ..row }]);
        assert!(get!(&store, [other], |s| break_glass::open(s, &other.id, NOW)).is_empty());
        assert!(get!(&store, [one], |s| break_glass::open(s, &one.id, in_minutes(5))).is_empty());
        assert_eq!(get!(&store, [], |s| break_glass::latest(s, in_minutes(-1), 10)).len(), 1);
        assert!(get!(&store, [], |s| break_glass::latest(s, NOW, 10)).is_empty());

        let mut connection = database.raw().await;
        for sql in ["UPDATE break_glass SET state = 'asked'", "DELETE FROM break_glass", "UPDATE break_glass SET reason_sealed = reason_sealed"] {
            assert!(connection.execute(AssertSqlSafe(sql.to_owned())).await.is_err(), "{sql}");
        }
    }

    a_search_is_kept_and_forgotten_by_its_own_auditor_only(database) {
        let store = database.store().await;
        let (one, other, _) = two(&store).await;
        let row = SavedRow { id: SearchId::from_bytes(bytes()), name_sealed: vec![1], query_sealed: vec![2] };
        change!(&store, [one, row], |tx| saved_searches::insert(tx, &one.id, &row, NOW)).unwrap();
        assert!(get!(&store, [one], |s| saved_searches::of_auditor(s, &one.id, 10)) == vec![row.clone()]);
        assert!(get!(&store, [other], |s| saved_searches::of_auditor(s, &other.id, 10)).is_empty());
        assert_eq!(change!(&store, [other, row], |tx| saved_searches::delete(tx, &other.id, &row.id)), Ok(false));
        assert_eq!(change!(&store, [one, row], |tx| saved_searches::delete(tx, &one.id, &row.id)), Ok(true));
        assert!(get!(&store, [one], |s| saved_searches::of_auditor(s, &one.id, 10)).is_empty());
    }

    what_was_seen_of_a_mandate_is_found_latest_first_and_never_changes(database) {
        let store = database.store().await;
        let mandate: String = MandateId::from_bytes(bytes()).as_str().chars().take(16).collect();
        let mut noted = Vec::new();
        for minute in [1, 3, 2] {
            let event = porteplume::mandate::EventId::from_bytes(bytes());
            let (of, id) = (vec![mandate.clone()], event.clone());
            change!(&store, [of, id], |tx| seen::note(tx, &of, in_minutes(minute), &id)).unwrap();
            noted.push((minute, event));
        }
        noted.sort();
        let latest: Vec<_> = noted.into_iter().rev().map(|(_, event)| event).collect();
        assert_eq!(get!(&store, [mandate], |s| seen::of_mandate(s, &mandate, 10)), latest);
        assert_eq!(get!(&store, [mandate], |s| seen::of_mandate(s, &mandate, 2)), latest[..2]);
        let mut connection = database.raw().await;
        assert!(connection.execute("UPDATE audit_seen SET at = 0").await.is_err());
    }

    no_filter_of_the_desk_scans_the_journal(database) {
        let plans = plans(&database).await;
        assert!(plans.len() >= 20, "{}", plans.len());
        for (name, plan) in plans {
            let scans = match database.engine() {
                Engine::Sqlite => plan.contains("SCAN event_search") && !plan.contains("USING"),
                Engine::Postgres => plan.contains("Seq Scan on event_search"),
            };
            let walks = plan.contains("event_search_") || plan.contains("event_search_pkey") || plan.contains("PRIMARY KEY");
            assert!(!scans && walks, "{name}:\n{plan}");
            // Results come in the index's own order: none is sorted first.
            if name.contains("_REACHED") {
                assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{name}:\n{plan}");
            }
        }
    }
}

/// How each engine would run every search, over a journal of some thousand entries.
async fn plans(database: &TestDatabase) -> Vec<(&'static str, String)> {
    let store = database.store().await;
    store.close().await;
    let mut connection = database.raw().await;
    let numbers = match database.engine() {
        Engine::Sqlite => {
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 8000) SELECT i FROM n"
        }
        Engine::Postgres => "SELECT i FROM generate_series(1, 8000) AS n(i)",
    };
    let fill = format!(
        "INSERT INTO event_search (event_id, at, kind, outcome, code, organisation, aidant, mandate, usager, client, procedure) \
         SELECT 'e' || CAST(100000 + i AS TEXT), i, 'k' || CAST(i % 50 AS TEXT), CASE WHEN i % 40 = 0 THEN 'refused' ELSE 'done' END, \
         CASE WHEN i % 40 = 0 THEN 'c' || CAST(i % 3 AS TEXT) END, 'o' || CAST(i % 90 AS TEXT), 'a' || CAST(i % 300 AS TEXT), \
         'm' || CAST(i % 2000 AS TEXT), 'u' || CAST(i % 1500 AS TEXT), 's' || CAST(i % 70 AS TEXT), 'p' || CAST(i % 60 AS TEXT) \
         FROM ({numbers}) AS numbers"
    );
    connection.execute(AssertSqlSafe(fill)).await.unwrap();
    connection.execute("ANALYZE").await.unwrap();
    let searches = all_statements().into_iter();
    let searches =
        searches.filter(|one| one.name.contains("::search::") || one.name.contains("::population::"));
    let mut plans = Vec::new();
    for (number, statement) in (0..).zip(searches) {
        let plan = match database.engine() {
            Engine::Sqlite => {
                let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {}", statement.text)));
                let rows = rows.fetch_all(&mut connection).await.unwrap();
                rows.iter().map(|row| row.get::<String, _>(3)).collect::<Vec<_>>()
            }
            Engine::Postgres => prepared(&mut connection, number, statement.text).await,
        };
        plans.push((statement.name, plan.join("\n")));
    }
    plans
}

/// The plan PostgreSQL keeps for a prepared statement, whatever its values.
async fn prepared(connection: &mut sqlx::AnyConnection, number: i32, text: &str) -> Vec<String> {
    let values = if text.contains("OFFSET CAST($5") {
        "1, 8000, 8000, 'g', 100"
    } else if text.contains("idx < $7") {
        "1, 8000, 8000, 'g', 1, '', 8000"
    } else if text.contains("OFFSET CAST($14") {
        "1, 8000, 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 8000, 'g', 100"
    } else if text.contains("idx < $16") {
        "1, 8000, 'x', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 8000, 'g', 1, '', 8000"
    } else if text.contains("$16") {
        "1, 8000, 8000, 'g', 'x', 5000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 50"
    } else if text.contains("$6") {
        "1, 8000, 8000, 'g', 'x', 5000"
    } else {
        "'x'"
    };
    for sql in
        ["SET plan_cache_mode = force_generic_plan".to_owned(), format!("PREPARE plan_{number} AS {text}")]
    {
        connection.execute(AssertSqlSafe(sql)).await.unwrap();
    }
    let explain = format!("EXPLAIN EXECUTE plan_{number}({values})");
    let rows = sqlx::query(AssertSqlSafe(explain)).fetch_all(connection).await.unwrap();
    rows.iter().map(|row| row.get::<String, _>(0)).collect()
}
