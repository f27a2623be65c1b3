//! Acts journaled through the service: sealed, appended, included under a signed checkpoint before the answer.

use super::quantile;
use porteplume::mandate::{AidantId, EventKind, OrganisationId, UsagerId};
use porteplume::service::{App, Caller, Error, Record};
use sqlx::{AssertSqlSafe, Connection as _, Row as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

const LASTING: Duration = Duration::from_secs(4);

/// What was measured.
pub(super) struct Appended {
    pub(super) rate: f64,
    pub(super) latency: String,
}

pub(super) async fn run(app: &App, waiting: usize) -> Appended {
    let began = Instant::now();
    let tasks: Vec<_> =
        (0..waiting).map(|_| tokio::spawn(append(Arc::clone(app), began + LASTING))).collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    #[expect(clippy::cast_precision_loss, reason = "a count of some thousands")]
    let rate = took.len() as f64 / began.elapsed().as_secs_f64();
    took.sort_unstable();
    let latency =
        format!("included after p50 {:.1} ms, p99 {:.1} ms", quantile(&took, 0.5), quantile(&took, 0.99));
    Appended { rate, latency }
}

async fn append(app: App, until: Instant) -> Vec<Duration> {
    let mut took = Vec::new();
    while Instant::now() < until {
        let began = Instant::now();
        act(&app).await;
        took.push(began.elapsed());
    }
    took
}

/// One act with all four slots filled.
async fn act(app: &App) {
    let (app_, now) = (Arc::clone(app), app.now());
    let written = app.include("bench", move |tx| {
        let app = Arc::clone(&app_);
        Box::pin(async move {
            let record = Record::done(EventKind::UsagerLookedUp)
                .organisation(&OrganisationId::from_bytes([1; 16]))
                .aidant(&AidantId::from_bytes([2; 16]))
                .usager(&UsagerId::from_bytes([3; 16]));
            record.append(&app, tx, &Caller::default(), now).await?;
            Ok::<_, Error>(())
        })
    });
    written.await.unwrap();
}

/// What one act takes in the tables of the journal: measured over a thousand of them.
pub(super) async fn bytes_an_act(app: &App, url: &str) -> f64 {
    let before = size(url).await;
    for _ in 0..10 {
        let acts: Vec<_> = (0..200)
            .map(|_| {
                let app = Arc::clone(app);
                tokio::spawn(async move { act(&app).await })
            })
            .collect();
        for done in acts {
            done.await.unwrap();
        }
    }
    (size(url).await - before) / 2_000.0
}

/// Bytes of the whole database.
async fn size(url: &str) -> f64 {
    let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
    let text = if url.starts_with("sqlite") {
        "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
    } else {
        "SELECT pg_database_size(current_database()) AS bytes"
    };
    let row = sqlx::query(AssertSqlSafe(text.to_owned())).fetch_one(&mut connection).await.unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a size of some megabytes")]
    let bytes = row.get::<i64, _>("bytes") as f64;
    bytes
}
