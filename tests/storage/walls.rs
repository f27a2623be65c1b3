//! Facts and entries commit together or not at all; the journal's tables never change, whatever way is tried.

use super::sample::{
    NOW, bytes, change, event, get, in_force, in_minutes, organisation, proposed, put, representation,
    unique, world, write,
};
use crate::support::database::{TestDatabase, on_both};
use porteplume::mandate::{AuditorId, EventId, Grant, GrantId, OrganisationId, Reach, Slots, Standing};
use porteplume::storage::auditors::AuditorRow;
use porteplume::storage::cosignatures::CosignatureRow;
use porteplume::storage::cosigned::CosignedRow;
use porteplume::storage::organisations::OrganisationRow;
use porteplume::storage::refusals::RefusalRow;
use porteplume::storage::time_stamps::TimeStampRow;
use porteplume::storage::{
    Engine, Store, StoreError, audit_grants, auditors, cosignatures, cosigned, idempotency, journal,
    organisations, refusals, representations, time_stamps,
};
use sqlx::{AnyConnection, AssertSqlSafe, Executor as _};
use std::collections::BTreeSet;

/// Runs raw SQL with every right and gives the database's answer.
async fn raw(connection: &mut AnyConnection, sql: &str) -> Result<u64, String> {
    let done = connection.execute(AssertSqlSafe(sql.to_owned())).await;
    done.map(|done| done.rows_affected()).map_err(|error| error.to_string())
}

async fn count(connection: &mut AnyConnection, table: &str) -> i64 {
    let sql = format!("SELECT COUNT(*) FROM {table}");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(connection).await.unwrap()
}

/// Enough entries that every table of the journal has rows, full tiles included.
async fn filled(store: &Store) -> EventId {
    let writes = (0..300).map(|_| {
        let store = store.clone();
        tokio::spawn(async move {
            let entry = event();
            let id = entry.event_id.clone();
            write(&store, move |tx| {
                let entry = entry.clone();
                Box::pin(async move { tx.append(entry).await })
            })
            .await
            .unwrap();
            id
        })
    });
    let mut last = None;
    for task in writes.collect::<Vec<_>>() {
        last = Some(task.await.unwrap());
    }
    last.unwrap()
}

/// The journal goes on in another shard.
async fn parted(store: &Store) {
    let entry = event();
    let opened = store.open_shard::<_, StoreError, _>("test", move |tx| {
        let entry = entry.clone();
        Box::pin(async move {
            let id = entry.event_id.clone();
            tx.append(entry).await?;
            tx.begin_shard("porteplume.test/journal/2027", &id);
            Ok(())
        })
    });
    let () = opened.await.unwrap().committed();
}

async fn refusal(store: &Store) {
    let world = world(store).await;
    let row = RefusalRow {
        id: EventId::from_bytes([3; 16]),
        mandate: None,
        organisation: world.organisation.id.clone(),
        aidant: world.aidant.id.clone(),
        usager: None,
        client: world.client.id.clone(),
        procedure: None,
        code: "no_act".to_owned(),
        at: NOW,
    };
    put!(store, [row], |tx, event| refusals::insert(tx, &row, &event)).unwrap();
}

/// A time-stamp of the first checkpoint.
async fn stamped(store: &Store) {
    let first = get!(store, [], |s| journal::checkpoints(s, 0, 1)).remove(0);
    let row = TimeStampRow {
        day: "2026-11-18".to_owned(),
        size: first.size,
        at: NOW,
        token: vec![1, 2, 3],
        event: EventId::from_bytes([3; 16]),
    };
    for day in ["2026-11-18", "2026-11-19", "2026-11-19"] {
        let row = TimeStampRow { day: day.to_owned(), ..row.clone() };
        let there = get!(store, [], |s| time_stamps::of_day(s, day)).is_some();
        let made = put!(store, [row], |tx, event| async {
            time_stamps::insert(tx, &TimeStampRow { event, ..row }).await
        });
        assert_eq!(made.is_ok(), !there, "one a day");
    }
    let kept = get!(store, [], |s| time_stamps::of_day(s, "2026-11-18")).unwrap();
    assert_eq!(kept, TimeStampRow { event: kept.event.clone(), ..row });
    assert_eq!(get!(store, [], |s| time_stamps::of_day(s, "2026-11-20")), None);
    assert_eq!(get!(store, [], |s| time_stamps::newest(s)), Some(NOW));
    assert_eq!(get!(store, [first], |s| time_stamps::between(s, 0, first.size)), [(first.size, NOW)]);
    assert!(get!(store, [first], |s| time_stamps::between(s, first.size, 1_000_000)).is_empty());
    let page = get!(store, [], |s| time_stamps::page(s, "2026-11-18", 10));
    assert_eq!(page.len(), 1);
    assert_eq!((page[0].0.day.as_str(), page[0].1.as_deref()), ("2026-11-19", Some(first.note.as_str())));
}

/// A cosignature under the first checkpoint.
async fn vouched_for(store: &Store) {
    let first = get!(store, [], |s| journal::checkpoints(s, 0, 1)).remove(0);
    let row =
        CosignatureRow { size: first.size, vkey: unique(), seen_at: NOW, line: "— w AAAAAAAA".to_owned() };
    change!(store, [row], |tx| cosignatures::insert(tx, &row)).unwrap();
    change!(store, [row], |tx| cosignatures::insert(tx, &row)).unwrap();
    assert_eq!(get!(store, [row], |s| cosignatures::of_checkpoint(s, row.size)), std::slice::from_ref(&row));
    assert_eq!(get!(store, [row], |s| cosignatures::newest_of(s, &(0..row.size), &row.vkey)), row.size);
    assert_eq!(get!(store, [], |s| cosignatures::seen_by(s, &(0..row.size), 1)), [row.size]);
    assert!(get!(store, [], |s| cosignatures::seen_by(s, &(0..row.size), 2)).is_empty());
}

/// A count of it: what comes late is refused from then on.
async fn counted(store: &Store) {
    let first = get!(store, [], |s| journal::checkpoints(s, 0, 1)).remove(0);
    assert_eq!(get!(store, [], |s| cosigned::until(s)), None);
    assert_eq!(get!(store, [], |s| cosigned::oldest(s, None)), Some(NOW));
    let row = CosignedRow { until: in_minutes(1), total: 1, digest: "0a".repeat(32) };
    put!(store, [row], |tx, event| cosigned::insert(tx, &row, &event)).unwrap();
    let again = CosignedRow { until: NOW, ..row.clone() };
    assert!(
        put!(store, [again], |tx, event| cosigned::insert(tx, &again, &event)).is_err(),
        "it only goes on"
    );
    assert_eq!(get!(store, [], |s| cosigned::until(s)), Some(row.until));
    assert_eq!(get!(store, [], |s| cosigned::oldest(s, Some(NOW))), None);
    let (kept, behind) = get!(store, [], |s| cosigned::page(s, None, 10)).remove(0);
    assert_eq!((kept, behind.len()), (row.clone(), 32));
    assert!(get!(store, [row], |s| cosigned::page(s, Some(row.until), 10)).is_empty());
    let line = "— w AAAAAAAA".to_owned();
    for (seen_at, kept) in [(row.until, false), (in_minutes(2), true)] {
        let row = CosignatureRow { size: first.size, vkey: unique(), seen_at, line: line.clone() };
        assert_eq!(change!(store, [row], |tx| cosignatures::insert(tx, &row)).is_ok(), kept);
    }
    let seen = get!(store, [], |s| cosigned::seen(s, in_minutes(1), (i64::MIN, 0, ""), 10));
    assert_eq!(seen.iter().map(|row| row.seen_at).collect::<Vec<_>>(), [NOW]);
    let place = (NOW.micros(), i64::MAX, "");
    assert_eq!(get!(store, [], |s| cosigned::seen(s, in_minutes(2), place, 10)).len(), 1);
}

on_both! {
    a_fact_whose_entry_does_not_exist_cannot_be_committed(database) {
        let store = database.store().await;
        let row = organisation();
        let nowhere = EventId::from_bytes([9; 16]);
        let (kept, id) = (row.clone(), nowhere.clone());
        let alone = write(&store, move |tx| {
            let (row, id) = (kept.clone(), id.clone());
            Box::pin(async move { organisations::insert(tx, &row, &id).await })
        }).await;
        assert!(matches!(alone, Err(StoreError::Refused(_))), "{alone:?}");
        assert_eq!(get!(&store, [row], |s| organisations::load(s, &row.id)), None);
        // The store goes on.
        put!(&store, [row], |tx, event| organisations::insert(tx, &row, &event)).unwrap();
    }

    one_fact_without_entry_does_not_take_others_down(database) {
        let store = database.store().await;
        let nowhere = EventId::from_bytes([9; 16]);
        let mut tasks = Vec::new();
        for number in 0..40 {
            let (store, row, entry, nowhere) = (store.clone(), organisation(), event(), nowhere.clone());
            tasks.push(tokio::spawn(async move {
                write(&store, move |tx| {
                    let (row, entry, nowhere) = (row.clone(), entry.clone(), nowhere.clone());
                    Box::pin(async move {
                        let id = if number == 20 { nowhere } else { entry.event_id.clone() };
                        tx.append(entry).await?;
                        organisations::insert(tx, &row, &id).await
                    })
                }).await
            }));
        }
        let mut failed = 0;
        for task in tasks {
            failed += usize::from(task.await.unwrap().is_err());
        }
        assert_eq!(failed, 1);
        assert_eq!(get!(&store, [], |s| organisations::list(s)).len(), 39);
        assert_eq!(get!(&store, [], |s| journal::head(s)).unwrap().size, 39);
    }

    a_change_that_names_no_new_entry_is_refused(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let mandate = proposed(&store, &world).await;
        let old: String = {
            let mut connection = database.raw().await;
            sqlx::query_scalar("SELECT last_event FROM organisation").fetch_one(&mut connection).await.unwrap()
        };
        let old = EventId::parse(&old).unwrap();
        let before = world.organisation.clone();
        let after = OrganisationRow { standing: Standing::Suspended, ..before.clone() };
        // Its own last entry again, or one of another fact that has its leaf already.
        let entries = get!(&store, [], |s| journal::entries(s, 0, 10));
        for id in [old, entries.last().unwrap().event_id.clone()] {
            let (before, after) = (before.clone(), after.clone());
            let silent = write(&store, move |tx| {
                let (before, after, id) = (before.clone(), after.clone(), id.clone());
                Box::pin(async move { organisations::update(tx, &before, &after, &id).await })
            }).await;
            assert!(matches!(silent, Err(StoreError::Refused(_))), "{silent:?}");
        }
        assert_eq!(get!(&store, [before], |s| organisations::load(s, &before.id)), Some(before));
        drop(mandate);
    }

    facts_change_only_with_an_entry_even_by_raw_sql(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let mandate = in_force(&store, &world).await;
        let row = representation(&world, &mandate);
        put!(&store, [row], |tx, event| representations::insert(tx, &row, &event)).unwrap();
        let mut connection = database.raw().await;
        for (table, column) in [
            ("organisation", "standing = 'suspended'"), ("aidant", "role = 'referent'"),
            ("usager", "identity_level = 'eidas3'"), ("client", "standing = 'suspended'"),
            ("mandate", "ends_at = ends_at + 1"), ("representation", "outcome = 'other'"),
        ] {
            let changed = raw(&mut connection, &format!("UPDATE {table} SET {column}")).await;
            assert!(changed.is_err_and(|error| error.contains("fact_without_entry")), "{table}");
            let deleted = raw(&mut connection, &format!("DELETE FROM {table}")).await;
            assert!(deleted.is_err(), "{table}");
        }
    }

    a_grant_never_gets_wider_whatever_is_tried(database) {
        let store = database.store().await;
        let auditor = AuditorRow {
            id: AuditorId::from_bytes(bytes()), standing: Standing::Invited, email_blind: unique(),
            identity_sealed: vec![1], identity_key: "key".to_owned(), subject: None, invited_at: NOW,
            invite_expires_at: in_minutes(60), activated_at: None, version: 1,
        };
        let organisations = BTreeSet::from([OrganisationId::from_bytes(bytes())]);
        let grant = Grant {
            id: GrantId::from_bytes(bytes()), auditor: auditor.id.clone(), slots: Slots::METADATA, from: NOW,
            reach: Reach::Named { organisations, mandates: BTreeSet::new() },
            until: in_minutes(60), given_at: NOW, ends_at: in_minutes(90), revoked_at: None,
        };
        put!(&store, [auditor, grant], |tx, event| async {
            auditors::insert(tx, &auditor, &event).await?;
            audit_grants::insert(tx, &grant, &event, |_, id| id.chars().take(16).collect()).await
        }).unwrap();
        let before = get!(&store, [grant], |s| audit_grants::load(s, &grant.id));
        let entry = event();
        let fresh = entry.event_id.clone();
        write(&store, move |tx| { let entry = entry.clone(); Box::pin(async move { tx.append(entry).await }) }).await.unwrap();
        let mut connection = database.raw().await;
        let id = &grant.id;
        let (name, other) = (unique(), unique());
        for sql in [
            "UPDATE audit_grant SET ends_at = ends_at + 1".to_owned(),
            format!("UPDATE audit_grant SET reach = 'everything', last_event = '{fresh}'"),
            format!("UPDATE audit_grant SET slots = 'act ctx sub aid', last_event = '{fresh}'"),
            "DELETE FROM audit_grant".to_owned(),
            format!("INSERT INTO audit_grant_scope (grant_id, kind, subject_id, blind) VALUES ('{id}', 'mandate', '{name}', '{}')", other.chars().take(16).collect::<String>()),
            "UPDATE audit_grant_scope SET blind = '0123456789abcdef'".to_owned(),
            "DELETE FROM audit_grant_scope".to_owned(),
        ] {
            let refused = raw(&mut connection, &sql).await;
            assert!(refused.as_ref().is_err_and(|error| error.contains("fact_")), "{sql}: {refused:?}");
        }
        assert_eq!(get!(&store, [grant], |s| audit_grants::load(s, &grant.id)), before);
    }

    every_fact_has_its_walls(database) {
        let mut connection = database.raw().await;
        let (facts, triggers) = match database.engine() {
            Engine::Sqlite => (
                "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' \
                 AND c.name = 'last_event'",
                "SELECT name FROM sqlite_master WHERE type = 'trigger'",
            ),
            Engine::Postgres => (
                "SELECT CAST(table_name AS TEXT) FROM information_schema.columns WHERE column_name = 'last_event'",
                "SELECT CAST(tgname AS TEXT) FROM pg_trigger WHERE tgenabled = 'A'",
            ),
        };
        let facts: Vec<String> = sqlx::query_scalar(facts).fetch_all(&mut connection).await.unwrap();
        let triggers: Vec<String> = sqlx::query_scalar(triggers).fetch_all(&mut connection).await.unwrap();
        assert_eq!(facts.len(), 22, "{facts:?}");
        for fact in facts {
            let changes = if ["refusal", "time_stamp", "cosigned"].contains(&fact.as_str()) { "never_changes" } else { "change_needs_entry" };
            for wall in [changes, "never_deleted"] {
                assert!(triggers.contains(&format!("{fact}_{wall}")), "{fact} lacks {wall}");
            }
        }
    }

    the_journal_refuses_update_and_delete(database) {
        let store = database.store().await;
        filled(&store).await;
        refusal(&store).await;
        vouched_for(&store).await;
        counted(&store).await;
        stamped(&store).await;
        parted(&store).await;
        let mut connection = database.raw().await;
        for (table, change) in [
            ("shard", "origin = 'x'"),
            ("event", "tag = event_id"), ("leaf", "leaf_hash = leaf_hash"), ("tile", "idx = idx + 1"),
            ("checkpoint", "note = 'x'"), ("opening", "key_id = 'x'"), ("event_search", "code = NULL"),
            ("refusal", "code = 'x'"), ("cosignature", "line = 'x'"), ("time_stamp", "gen_time = 1"), ("cosigned", "total = 2"),
        ] {
            let before = count(&mut connection, table).await;
            assert!(before > 0, "{table} has rows");
            for sql in [
                format!("UPDATE {table} SET {change}"),
                format!("UPDATE {table} SET {change} FROM organisation WHERE organisation.version > 0"),
            ] {
                let changed = raw(&mut connection, &sql).await;
                assert!(changed.clone().is_err_and(|e| e.contains("journal_immutable")), "{sql}: {changed:?}");
            }
            if !["opening", "event_search"].contains(&table) {
                let deleted = raw(&mut connection, &format!("DELETE FROM {table}")).await;
                assert!(deleted.is_err(), "{table}");
                let one = format!("DELETE FROM {table} WHERE 1 = 1");
                assert!(raw(&mut connection, &one).await.is_err(), "{table}");
            }
            assert_eq!(count(&mut connection, table).await, before, "{table}");
        }
    }

    the_journal_refuses_replacing_and_gaps(database) {
        let store = database.store().await;
        let last = filled(&store).await;
        // PostgreSQL queues an event by itself, and a store that is open gives it its place.
        store.close().await;
        let mut connection = database.raw().await;
        let hash = match database.engine() {
            Engine::Sqlite => "zeroblob(32)",
            Engine::Postgres => "decode(repeat('00', 32), 'hex')",
        };
        let fresh = unique();
        raw(&mut connection, &format!(
            "INSERT INTO event (event_id, at, tag, entry) VALUES ('{fresh}', 1, '{fresh}', {hash})"
        )).await.unwrap();
        for sql in [
            format!("INSERT INTO leaf (idx, event_id, leaf_hash) VALUES (1000, '{fresh}', {hash})"),
            format!("INSERT INTO leaf (idx, event_id, leaf_hash) VALUES (5, '{fresh}', {hash})"),
            format!("INSERT INTO leaf (idx, event_id, leaf_hash) VALUES (300, '{last}', {hash})"),
            format!("INSERT INTO shard (number, origin, start, event_id) VALUES (2, 'x', 300, '{fresh}')"),
            format!("INSERT INTO shard (number, origin, start, event_id) VALUES (1, 'x', 5, '{fresh}')"),
            format!("INSERT INTO shard (number, origin, start, event_id) VALUES (1, 'x', 300, '{last}')"),
            format!("INSERT INTO checkpoint (size, root, note) VALUES (299, {hash}, 'x')"),
            format!("INSERT INTO event (event_id, at, tag, entry) VALUES ('{last}', 1, '{}', {hash})", unique()),
            format!("INSERT INTO event (event_id, at, tag, entry) VALUES ('{}', 1, '{last}', {hash})", unique()),
        ] {
            assert!(raw(&mut connection, &sql).await.is_err(), "{sql}");
        }
        assert_eq!(count(&mut connection, "leaf").await, 300);
    }

    openings_and_search_rows_can_be_destroyed_and_nothing_else_goes(database) {
        let store = database.store().await;
        let last = filled(&store).await;
        let before = get!(&store, [], |s| journal::head(s));
        assert_eq!(get!(&store, [last], |s| journal::openings(s, &last)).len(), 4);
        let id = last.clone();
        let gone = write(&store, move |tx| {
            let id = id.clone();
            Box::pin(async move {
                porteplume::storage::search::forget(tx, &id).await?;
                journal::destroy_openings(tx, "key").await
            })
        }).await;
        assert_eq!(gone, Ok(1_200));
        assert!(get!(&store, [last], |s| journal::openings(s, &last)).is_empty());
        assert!(get!(&store, [last], |s| journal::entry(s, &last)).unwrap().leaf.is_some());
        assert_eq!(get!(&store, [], |s| journal::head(s)), before);
    }

    a_closure_that_goes_on_after_a_failed_statement_writes_nothing(database) {
        let store = database.store().await;
        let row = organisation();
        let kept = row.clone();
        let went_on = write(&store, move |tx| {
            let (row, entry) = (kept.clone(), event());
            Box::pin(async move {
                let id = entry.event_id.clone();
                tx.append(entry).await?;
                organisations::insert(tx, &row, &id).await?;
                let twice = organisations::insert(tx, &row, &id).await;
                assert!(matches!(twice, Err(StoreError::Taken(_))), "{twice:?}");
                Ok(())
            })
        }).await;
        assert_eq!(went_on, Err(StoreError::WentOn));
        assert!(get!(&store, [], |s| organisations::list(s)).is_empty());
        assert_eq!(get!(&store, [], |s| journal::head(s)), None);
    }

    a_refusal_of_the_closure_comes_back_unchanged_and_nothing_is_kept(database) {
        #[derive(Debug, PartialEq)]
        enum Act { Refused(&'static str), Store(StoreError) }
        impl From<StoreError> for Act {
            fn from(error: StoreError) -> Self { Self::Store(error) }
        }
        let store = database.store().await;
        let result = store.write("test", |tx| Box::pin(async move {
            tx.append(event()).await?;
            idempotency::claim(tx, "key", "me", "act", NOW).await?;
            Err::<(), _>(Act::Refused("mandate_expired"))
        })).await;
        assert_eq!(result.map(|written| written.events().len()), Err(Act::Refused("mandate_expired")));
        assert_eq!(get!(&store, [], |s| journal::unplaced(s, 10)), vec![]);
        assert_eq!(get!(&store, [], |s| journal::head(s)), None);
    }
}

#[tokio::test]
async fn sqlite_refuses_insert_or_replace_with_and_without_recursive_triggers() {
    let database = TestDatabase::fresh(Engine::Sqlite).await;
    let store = database.store().await;
    filled(&store).await;
    refusal(&store).await;
    vouched_for(&store).await;
    counted(&store).await;
    stamped(&store).await;
    parted(&store).await;
    let mut connection = database.raw().await;
    for triggers in ["ON", "OFF"] {
        raw(&mut connection, &format!("PRAGMA recursive_triggers = {triggers}")).await.unwrap();
        for table in [
            "event",
            "leaf",
            "tile",
            "checkpoint",
            "opening",
            "event_search",
            "refusal",
            "cosignature",
            "cosigned",
            "time_stamp",
            "shard",
        ] {
            for verb in ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE"] {
                let before = count(&mut connection, table).await;
                let sql = format!("{verb} INTO {table} SELECT * FROM {table} LIMIT 1");
                let replaced = raw(&mut connection, &sql).await;
                assert!(replaced.is_err(), "{sql}");
                assert_eq!(count(&mut connection, table).await, before);
            }
        }
        let upsert =
            "INSERT INTO checkpoint SELECT * FROM checkpoint WHERE true ON CONFLICT DO UPDATE SET note = 'x'";
        assert!(raw(&mut connection, upsert).await.is_err());
    }
}

#[tokio::test]
async fn postgres_refuses_truncate_and_changes_as_a_replica_and_through_copies() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    filled(&store).await;
    refusal(&store).await;
    vouched_for(&store).await;
    counted(&store).await;
    stamped(&store).await;
    parted(&store).await;
    let mut connection = database.raw().await;
    for role in ["origin", "replica", "local"] {
        raw(&mut connection, &format!("SET session_replication_role = {role}")).await.unwrap();
        for table in [
            "event",
            "leaf",
            "tile",
            "checkpoint",
            "refusal",
            "cosignature",
            "cosigned",
            "time_stamp",
            "shard",
        ] {
            for sql in [
                format!("TRUNCATE {table}"),
                format!("TRUNCATE {table} CASCADE"),
                format!("TRUNCATE organisation, {table} CASCADE"),
                format!("DELETE FROM {table}"),
                format!("DELETE FROM ONLY {table}"),
                format!("WITH gone AS (DELETE FROM {table} RETURNING 1) SELECT COUNT(*) FROM gone"),
            ] {
                assert!(raw(&mut connection, &sql).await.is_err(), "{role}: {sql}");
            }
        }
        let upsert =
            "INSERT INTO event SELECT * FROM event LIMIT 1 ON CONFLICT (event_id) DO UPDATE SET at = 0";
        assert!(raw(&mut connection, upsert).await.is_err(), "{role}");
        let merge = "MERGE INTO checkpoint USING (SELECT 1) AS one ON true WHEN MATCHED THEN DELETE";
        assert!(raw(&mut connection, merge).await.is_err(), "{role}");
    }
}

#[tokio::test]
async fn postgres_gives_the_services_role_no_right_to_change_the_journal() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    filled(&store).await;
    let mut connection = database.raw().await;
    raw(&mut connection, "SET ROLE porteplume_service").await.unwrap();
    for sql in [
        "UPDATE event SET at = 0",
        "DELETE FROM event",
        "DELETE FROM leaf",
        "UPDATE tile SET idx = 0",
        "DELETE FROM checkpoint",
        "INSERT INTO shard VALUES (1, 'x', 1, 'x')",
        "UPDATE shard SET origin = 'x'",
        "TRUNCATE event CASCADE",
        "UPDATE queue SET event_id = ''",
        "UPDATE refusal SET code = ''",
        "ALTER TABLE event DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TABLE leaf",
        "DELETE FROM mandate",
        "DELETE FROM organisation",
        "UPDATE opening SET key_id = ''",
        "CREATE OR REPLACE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ] {
        let refused = raw(&mut connection, sql).await;
        assert!(refused.is_err_and(|e| e.contains("denied") || e.contains("must be owner")), "{sql}");
    }
    let login: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM pg_catalog.pg_roles WHERE rolname = 'porteplume_service' AND (rolcanlogin OR rolsuper)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(login, 0, "the role has no login of its own");
}

#[tokio::test]
async fn postgres_is_served_under_the_services_role() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    get!(&store, [], |s| organisations::list(s));
    let mut connection = database.raw().await;
    raw(&mut connection, "REVOKE SELECT ON organisation FROM porteplume_service").await.unwrap();
    let refused = store.read("test", |s| Box::pin(async move { organisations::list(s).await })).await;
    assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
}
