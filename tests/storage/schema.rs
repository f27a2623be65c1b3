//! The schema: same on both engines, every statement fits it.

use crate::support::database::on_both;
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _, Executor as _};

on_both! {
    every_statement_can_be_prepared(database) {
        let store = database.store().await;
        let prepared = store.prepare_all().await.unwrap();
        assert!(prepared > 100, "{prepared}");
    }
}

/// SQLite takes another column for the algorithm of a client's tokens, which must not lose what the rows said, nor the wall.
#[tokio::test]
async fn clients_from_before_all_algorithms_keep_theirs() {
    let mut raw = AnyConnection::connect("sqlite::memory:").await.unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let at = files.iter().position(|file| file.to_str().unwrap().contains("/0026_")).unwrap();
    let (before, after) = files.split_at(at);
    for file in before {
        raw.execute(AssertSqlSafe(std::fs::read_to_string(file).unwrap())).await.unwrap();
    }
    raw.execute("PRAGMA foreign_keys = OFF").await.unwrap();
    for (id, alg) in [("a", "RS256"), ("b", "ES256")] {
        let insert = format!(
            "INSERT INTO client (id, name, standing, profile, auth_method, secret_hash, id_token_alg, redirect_uris, \
             post_logout_redirect_uris, scopes, procedures, sector, created_at, version, last_event) VALUES ('{id}', 'n', \
             'active', 'oidc', 'client_secret_basic', 'h', '{alg}', 'u', '', '', '', 's', 0, 1, 'e')"
        );
        raw.execute(AssertSqlSafe(insert)).await.unwrap();
    }
    for file in after {
        raw.execute(AssertSqlSafe(std::fs::read_to_string(file).unwrap())).await.unwrap();
    }
    let kept: Vec<String> =
        sqlx::query_scalar("SELECT id_token_alg FROM client ORDER BY id").fetch_all(&mut raw).await.unwrap();
    assert_eq!(kept, ["RS256", "ES256"]);
    for (sql, refused) in [
        ("UPDATE client SET id_token_alg = 'PS256'", "fact_without_entry: client"),
        ("UPDATE client SET id_token_alg = 'HS256', last_event = 'f'", "CHECK constraint"),
        ("UPDATE client SET id_token_alg = 'none', last_event = 'f'", "CHECK constraint"),
    ] {
        let error = raw.execute(sql).await.unwrap_err().to_string();
        assert!(error.contains(refused), "{sql}: {error}");
    }
    raw.execute("UPDATE client SET id_token_alg = 'EdDSA', last_event = 'f'").await.unwrap();
}
