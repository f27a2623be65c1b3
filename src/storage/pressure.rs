//! Back-pressure on PostgreSQL (contract journal.md, 4.3): how many entries wait for their place, whoever committed
//! them, and for how long. A service that cannot journal stops, and goes on by itself once places are given again.

use super::bound::sql;
use super::postgres::Sequencing;
use super::tx::Snapshot;
use super::{StoreError, StoreOptions};
use sqlx::AnyPool;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What waits, counted no further than matters.
pub(super) const WAITING: &str = "SELECT COUNT(*) AS total, COALESCE(MIN(qid), 0) AS oldest, \
    COALESCE(MAX(qid), 0) AS newest FROM (SELECT qid FROM queue ORDER BY qid LIMIT CAST($1 AS BIGINT)) AS waiting";

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(250);
/// The alarm that nothing new is taken on.
const BEHIND: &str = "journal_behind";

/// Whether the journal keeps up.
pub(super) struct Pressure {
    most: u64,
    longest: Duration,
    behind: AtomicBool,
}

/// The newest entry that waited at an instant: as long as an older one waits, it has waited since then.
#[derive(Clone, Copy)]
struct Mark {
    newest: i64,
    since: Instant,
}

impl Pressure {
    pub(super) fn new(options: &StoreOptions) -> Self {
        Self { most: options.most_waiting, longest: options.longest_wait, behind: AtomicBool::new(false) }
    }

    /// Refuses what is new while the journal is behind.
    ///
    /// # Errors
    /// [`StoreError::Busy`].
    pub(super) fn admit(&self, waiting_here: usize) -> Result<(), StoreError> {
        let behind = self.behind.load(Ordering::Relaxed) || waiting_here as u64 >= self.most;
        if behind { Err(StoreError::Busy) } else { Ok(()) }
    }

    /// Looks at what waits in the database. A database that does not answer has not said that it waits.
    async fn look(&self, pool: &AnyPool, mark: Option<Mark>) -> Result<Option<Mark>, StoreError> {
        let limit = i64::try_from(self.most).unwrap_or(i64::MAX).saturating_add(1);
        let mut snapshot = Snapshot::single(pool).await?;
        let waiting = snapshot
            .find("queue", sql(WAITING).bind(limit), |row| {
                Ok((row.count("total")?, row.number("oldest")?, row.number("newest")?))
            })
            .await?;
        let (total, oldest, newest) = waiting.unwrap_or_default();
        let mark = match mark {
            _ if total == 0 => None,
            Some(mark) if oldest <= mark.newest => Some(mark),
            _ => Some(Mark { newest, since: Instant::now() }),
        };
        let late = mark.is_some_and(|mark| mark.since.elapsed() >= self.longest);
        self.say(total > self.most || late, total);
        Ok(mark)
    }

    fn say(&self, behind: bool, waiting: u64) {
        if self.behind.swap(behind, Ordering::Relaxed) == behind {
            return;
        }
        if behind {
            tracing::error!(
                code = BEHIND,
                waiting,
                "entries wait too long for their place: nothing new is taken on"
            );
            crate::telemetry::refused(BEHIND);
        } else {
            tracing::info!(code = BEHIND, "entries find their place again");
        }
    }
}

/// Looks whether the journal keeps up.
pub(super) async fn watch(sequencing: Weak<Sequencing>) {
    let mut mark = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(sequencing) = sequencing.upgrade() else { return };
        match sequencing.pressure.look(sequencing.pool(), mark).await {
            Ok(seen) => mark = seen,
            Err(error) => tracing::debug!(code = error.code(), "what waits could not be looked at"),
        }
    }
}
