//! PostgreSQL's roles: each may what its work takes, and nothing else.

use super::order::append;
use super::parties::auditor;
use super::sample::{NOW, bytes, event, get, in_minutes, put, unique, write};
use crate::support::database::{TestDatabase, signer};
use porteplume::mandate::{AuditorId, Grant, GrantId, Instant, OrganisationId, Reach, Slots};
use porteplume::storage::{Engine, Store, StoreError, StoreOptions, Written, audit_grants, auditors};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};
use std::collections::BTreeSet;
use std::sync::Arc;

const SERVICE: &str = "porteplume_service";
const SEQUENCER: &str = "porteplume_sequencer";
const AUDITOR: &str = "porteplume_auditor";

/// Every right there is on a table.
const RIGHTS: [&str; 7] = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"];

/// Who may do what to which tables. What stands in no row is refused.
const MAY: [(&str, &str, &[&str]); 12] = [
    (SERVICE, "SELECT", &["_sqlx_migrations", "leaf", "tile", "checkpoint", "shard", "queue"]),
    (
        SERVICE,
        "SELECT INSERT",
        &[
            "event",
            "refusal",
            "audit_grant_scope",
            "cosignature",
            "cosigned",
            "audit_sample",
            "time_stamp",
            "anomaly_comment",
        ],
    ),
    (SERVICE, "INSERT", &["queue"]),
    (SERVICE, "SELECT UPDATE", &["watch_mark"]),
    (SERVICE, "SELECT INSERT DELETE", &["opening", "event_search", "audit_seen"]),
    (
        SERVICE,
        "SELECT INSERT UPDATE",
        &[
            "organisation",
            "aidant",
            "factor",
            "usager",
            "auditor",
            "reading",
            "client",
            "mandate",
            "mandate_paper",
            "representation",
            "audit_grant",
            "break_glass",
            "audit_answer",
            "anomaly",
            "contact",
            "notice",
            "revocation_card",
            "asking",
        ],
    ),
    (
        SERVICE,
        "SELECT INSERT UPDATE DELETE",
        &[
            "data_key",
            "closed_procedure",
            "recovery_code",
            "usager_index",
            "mandate_procedure",
            "session",
            "login_flow",
            "authorization_request",
            "authorization_code",
            "access_token",
            "used_assertion",
            "idempotency",
            "saved_search",
            "watch_device",
            "outbox",
            "notice_queue",
            "asking_queue",
            "asking_scan",
        ],
    ),
    (SEQUENCER, "SELECT", &["event"]),
    (SEQUENCER, "SELECT INSERT", &["leaf", "tile", "checkpoint", "shard"]),
    (SEQUENCER, "SELECT INSERT DELETE", &["queue"]),
    (AUDITOR, "SELECT", &["event", "leaf", "tile", "checkpoint", "shard"]),
    (AUDITOR, "SELECT", &["opening", "event_search"]),
];

async fn list(raw: &mut AnyConnection, query: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_all(raw).await.unwrap()
}

#[tokio::test]
async fn each_role_may_what_its_work_takes_and_nothing_else() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let mut raw = database.raw().await;
    let query = "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                 AND relkind IN ('r', 'p', 'v', 'm', 'f')";
    let tables = list(&mut raw, query).await;
    let (mut may, mut can) = (BTreeSet::new(), BTreeSet::new());
    for (role, rights, tables) in MAY {
        for (table, right) in
            tables.iter().flat_map(|table| rights.split(' ').map(move |right| (table, right)))
        {
            may.insert(format!("{role} may {right} {table}"));
        }
    }
    for role in [SERVICE, SEQUENCER, AUDITOR, "public"] {
        for table in &tables {
            for right in RIGHTS {
                // A right on one column counts as one on the table.
                let of_column = ["SELECT", "INSERT", "UPDATE", "REFERENCES"].contains(&right);
                let asked = if of_column { "has_any_column_privilege" } else { "has_table_privilege" };
                let query = format!(
                    "SELECT CAST('x' AS TEXT) WHERE {asked}('{role}', '{table}', '{right}') \
                     OR has_table_privilege('{role}', '{table}', '{right} WITH GRANT OPTION')"
                );
                if !list(&mut raw, &query).await.is_empty() {
                    can.insert(format!("{role} may {right} {table}"));
                }
            }
        }
    }
    let beyond: Vec<_> = can.difference(&may).collect();
    let lacking: Vec<_> = may.difference(&can).collect();
    assert!(beyond.is_empty() && lacking.is_empty(), "beyond the table: {beyond:#?}\nlacking: {lacking:#?}");
}

#[tokio::test]
async fn no_role_signs_in_or_owns_and_all_is_owned_by_one_that_nobody_works_under() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let mut raw = database.raw().await;
    let query = "SELECT CAST(rolname AS TEXT) FROM pg_catalog.pg_roles WHERE rolname LIKE 'porteplume%' AND (rolcanlogin \
                 OR rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)";
    assert_eq!(list(&mut raw, query).await, Vec::<String>::new());
    let query = "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                 AND relkind IN ('r', 'v') AND relowner <> 'porteplume_tables'::regrole";
    assert_eq!(list(&mut raw, query).await, ["_sqlx_migrations"]);
    let query = "SELECT CAST(proname AS TEXT) FROM pg_proc WHERE pronamespace = 'public'::regnamespace \
                 AND proowner <> 'porteplume_tables'::regrole";
    assert_eq!(list(&mut raw, query).await, Vec::<String>::new());
    for role in [SERVICE, SEQUENCER, AUDITOR] {
        let member = format!(
            "SELECT CAST(rolname AS TEXT) FROM pg_catalog.pg_roles WHERE rolname LIKE 'porteplume%' AND rolname <> '{role}' \
             AND pg_has_role('{role}', oid, 'MEMBER')"
        );
        assert_eq!(list(&mut raw, &member).await, Vec::<String>::new(), "{role} can become no other");
        let makes =
            format!("SELECT CAST('x' AS TEXT) WHERE has_schema_privilege('{role}', 'public', 'CREATE')");
        assert_eq!(list(&mut raw, &makes).await, Vec::<String>::new(), "{role} makes nothing");
        let sequence = format!(
            "SELECT CAST(relname AS TEXT) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND \
             CASE WHEN relkind = 'S' THEN has_sequence_privilege('{role}', oid, 'USAGE, SELECT, UPDATE') ELSE FALSE END"
        );
        assert_eq!(list(&mut raw, &sequence).await, Vec::<String>::new(), "{role}");
    }
}

#[tokio::test]
async fn entries_are_given_their_place_under_the_sequencers_role_and_added_under_the_services() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let options = StoreOptions { sequencing: false, ..database.options() };
    let store = database.try_store(&options).await.unwrap();
    let mut raw = database.raw().await;
    let committed = |entry: porteplume::storage::NewEvent| {
        store.write("test", move |tx| {
            let entry = entry.clone();
            Box::pin(async move { tx.append(entry).await })
        })
    };
    committed(event()).await.map(Written::committed).unwrap();
    for (table, right) in [("leaf", "INSERT"), ("checkpoint", "INSERT"), ("queue", "DELETE")] {
        raw.execute(AssertSqlSafe(format!("REVOKE {right} ON {table} FROM {SEQUENCER}"))).await.unwrap();
        assert!(matches!(store.sequence_once().await, Err(StoreError::Refused(_))), "{table}");
        raw.execute(AssertSqlSafe(format!("GRANT {right} ON {table} TO {SEQUENCER}"))).await.unwrap();
    }
    assert_eq!(store.sequence_once().await, Ok(1));
    raw.execute(AssertSqlSafe(format!("REVOKE INSERT ON event FROM {SERVICE}"))).await.unwrap();
    assert!(matches!(committed(event()).await.map(|_| ()), Err(StoreError::Refused(_))));
}

/// An account that can sign in, with these roles.
async fn account(database: &TestDatabase, roles: &[&str]) -> (String, String) {
    account_named(database, format!("account_{}", unique()), roles).await
}

async fn account_named(database: &TestDatabase, name: String, roles: &[&str]) -> (String, String) {
    let mut raw = database.raw().await;
    raw.execute(AssertSqlSafe(format!("CREATE ROLE {name} LOGIN PASSWORD 'secret'"))).await.unwrap();
    for role in roles {
        raw.execute(AssertSqlSafe(format!("GRANT {role} TO {name}"))).await.unwrap();
    }
    (url_of(database, &name), name)
}

fn url_of(database: &TestDatabase, name: &str) -> String {
    let mut url = url::Url::parse(&database.options().url).unwrap();
    url.set_username(name).unwrap();
    url.set_password(Some("secret")).unwrap();
    url.into()
}

async fn forget(database: &TestDatabase, name: &str) {
    let mut raw = database.raw().await;
    raw.execute(AssertSqlSafe(format!("DROP OWNED BY {name}; DROP ROLE {name}"))).await.unwrap();
}

#[tokio::test]
async fn an_account_with_both_roles_serves_and_one_that_lacks_the_sequencers_is_told() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let (both, name) = account(&database, &[SERVICE, SEQUENCER]).await;
    let options = StoreOptions { url: both, ..database.options() };
    let store = Store::open(&options, Arc::new(signer())).await.unwrap();
    append(&store).await.unwrap();
    store.close().await;
    forget(&database, &name).await;

    let (one, name) = account(&database, &[SERVICE]).await;
    let options = StoreOptions { url: one, ..database.options() };
    let refused = Store::open(&options, Arc::new(signer())).await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("GRANT porteplume_sequencer"), "{refused}");
    forget(&database, &name).await;
}

#[tokio::test]
async fn an_auditor_without_a_grant_sees_no_entry_whatever_they_say_of_themselves() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    write(&store, |tx| Box::pin(async move { tx.append(event()).await })).await.unwrap();
    let (url, name) = account(&database, &[AUDITOR]).await;
    let mut auditor = AnyConnection::connect(&url).await.unwrap();
    auditor.execute("SELECT set_config('porteplume.auditor', repeat('a', 32), false)").await.unwrap();
    for table in ["event", "event_search", "opening"] {
        let seen = list(&mut auditor, &format!("SELECT CAST(count(*) AS TEXT) FROM {table}")).await;
        assert_eq!(seen, ["0"], "{table}");
    }
    let public = list(&mut auditor, "SELECT CAST(count(*) AS TEXT) FROM leaf").await;
    assert_eq!(public, ["1"], "what is public anyway");
    for refused in [
        "SELECT * FROM mandate",
        "SELECT * FROM data_key",
        "DELETE FROM opening",
        "SET row_security = off; SELECT * FROM event",
        "SET ROLE porteplume_service",
        "ALTER TABLE event DISABLE ROW LEVEL SECURITY",
    ] {
        assert!(auditor.execute(refused).await.is_err(), "{refused}");
    }
    auditor.close().await.unwrap();
    forget(&database, &name).await;
}

/// A grant of the organisation that every test's blind index calls `aaaaaaaaaaaaaaaa`.
fn grant(auditor: &AuditorId, slots: Slots) -> Grant {
    Grant {
        id: GrantId::from_bytes(bytes()),
        auditor: auditor.clone(),
        reach: Reach::Named {
            organisations: BTreeSet::from([OrganisationId::from_bytes(bytes())]),
            mandates: BTreeSet::new(),
        },
        slots,
        from: in_minutes(-10),
        until: in_minutes(10),
        given_at: Instant::from_micros(0),
        ends_at: Instant::from_micros(i64::MAX / 2),
        revoked_at: None,
    }
}

#[tokio::test]
async fn an_auditor_sees_the_entries_and_slots_that_a_standing_grant_reaches_and_no_other() {
    let database = TestDatabase::fresh(Engine::Postgres).await;
    let store = database.store().await;
    let (row, other) = (auditor(), auditor());
    put!(&store, [row, other], |tx, event| async {
        auditors::insert(tx, &row, &event).await?;
        auditors::insert(tx, &other, &event).await
    })
    .unwrap();
    for (organisation, at) in [("a", NOW), ("a", in_minutes(10)), ("b", NOW)] {
        let mut entry = event();
        (entry.at, entry.search.organisation) = (at, Some(organisation.repeat(16)));
        write(&store, move |tx| {
            let entry = entry.clone();
            Box::pin(async move { tx.append(entry).await })
        })
        .await
        .unwrap();
    }
    let blind = |_: &str, _: &str| "a".repeat(16);
    let given = grant(&row.id, Slots::METADATA);
    put!(&store, [given], |tx, event| audit_grants::insert(tx, &given, &event, blind)).unwrap();

    let (url, name) = account_named(&database, format!("auditor_{}", row.id), &[AUDITOR]).await;
    let (their, their_name) = account_named(&database, format!("auditor_{}", other.id), &[AUDITOR]).await;
    let mut one = AnyConnection::connect(&url).await.unwrap();
    let mut none = AnyConnection::connect(&their).await.unwrap();
    let impersonates = format!("SELECT set_config('porteplume.auditor', '{}', false)", row.id);
    none.execute(AssertSqlSafe(impersonates)).await.unwrap();
    let count = |table: &str| format!("SELECT CAST(count(*) AS TEXT) FROM {table}");
    for (table, seen) in [("event_search", "1"), ("event", "1"), ("opening", "2")] {
        assert_eq!(list(&mut one, &count(table)).await, [seen], "{table}");
        assert_eq!(list(&mut none, &count(table)).await, ["0"], "{table}: another auditor's grant");
    }
    // The service vouches for whom it reads.
    let mut raw = database.raw().await;
    let as_auditor =
        format!("SET ROLE porteplume_auditor; SELECT set_config('porteplume.auditor', '{}', false)", row.id);
    raw.execute(AssertSqlSafe(as_auditor)).await.unwrap();
    assert_eq!(list(&mut raw, &count("opening")).await, ["2"]);

    let id = given.id.clone();
    let before = get!(&store, [id], |s| audit_grants::load(s, &id)).unwrap();
    put!(&store, [before], |tx, event| audit_grants::revoke(tx, &before, NOW, &event)).unwrap();
    for table in ["event_search", "event", "opening"] {
        assert_eq!(list(&mut one, &count(table)).await, ["0"], "{table}: taken back");
    }
    for (connection, name) in [(one, name), (none, their_name)] {
        connection.close().await.unwrap();
        forget(&database, &name).await;
    }
}
