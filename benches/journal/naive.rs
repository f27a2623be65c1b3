//! The naive way: each act locks the one row that holds the head, chains its hash, and commits by itself.

use super::quantile;
use sqlx::{AnyPool, AssertSqlSafe, Connection as _, Executor as _, Row as _};
use std::time::{Duration, Instant};

const LASTING: Duration = Duration::from_secs(2);

/// Runs one statement on a connection of its own.
pub(super) async fn run(url: &str, statement: String) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    connection.execute(AssertSqlSafe(statement)).await.unwrap();
}

/// Acts a second, so many at once, in two tables of their own in that database.
pub(super) async fn rate(url: &str, waiting: usize) -> f64 {
    let sqlite = url.starts_with("sqlite");
    run(url, "DROP TABLE IF EXISTS naive_head".to_owned()).await;
    run(url, "DROP TABLE IF EXISTS naive_event".to_owned()).await;
    run(url, "CREATE TABLE naive_head (size BIGINT NOT NULL, root TEXT NOT NULL)".to_owned()).await;
    run(url, "CREATE TABLE naive_event (idx BIGINT PRIMARY KEY, entry TEXT NOT NULL)".to_owned()).await;
    run(url, "INSERT INTO naive_head VALUES (0, '')".to_owned()).await;
    // SQLite has one writer whatever is done: more connections only wait for its lock.
    let connections = if sqlite { 1 } else { u32::try_from(waiting.min(32)).unwrap() };
    let pool = sqlx::any::AnyPoolOptions::new().max_connections(connections);
    let pool = pool.acquire_timeout(Duration::from_mins(1)).connect(url).await.unwrap();
    if sqlite {
        pool.execute("PRAGMA journal_mode = WAL").await.unwrap();
        pool.execute("PRAGMA synchronous = FULL").await.unwrap();
    }
    let until = Instant::now() + LASTING;
    let began = Instant::now();
    let tasks: Vec<_> = (0..waiting).map(|_| tokio::spawn(append(pool.clone(), sqlite, until))).collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    debug_assert!(quantile(&took, 0.5) > 0.0);
    pool.close().await;
    rate
}

async fn append(pool: AnyPool, sqlite: bool, until: Instant) -> Vec<Duration> {
    let (begin, look) = if sqlite {
        ("BEGIN IMMEDIATE", "SELECT size, root FROM naive_head")
    } else {
        ("BEGIN", "SELECT size, root FROM naive_head FOR UPDATE")
    };
    let mut took = Vec::new();
    while Instant::now() < until {
        let start = Instant::now();
        let mut tx = pool.begin_with(begin).await.unwrap();
        let head = sqlx::query(look).fetch_one(&mut *tx).await.unwrap();
        let (size, root): (i64, String) = (head.get("size"), head.get("root"));
        let entry = format!("{root}{}", "x".repeat(300));
        let root = porteplume::crypto::to_hex(&porteplume::crypto::sha256(entry.as_bytes()));
        sqlx::query("INSERT INTO naive_event VALUES ($1, $2)")
            .bind(size)
            .bind(entry)
            .execute(&mut *tx)
            .await
            .unwrap();
        sqlx::query("UPDATE naive_head SET size = $1, root = $2")
            .bind(size + 1)
            .bind(root)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        took.push(start.elapsed());
    }
    took
}
