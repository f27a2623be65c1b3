//! PostgreSQL: serialisable writes with retries, and the sequencer that follows them.

use super::bound::sql;
use super::head::Publisher;
use super::pressure::{self, Pressure};
use super::sequence::{Head, Sequencer};
use super::tx::{Appended, Snapshot, Tx, of_commit};
use super::waiting::Waiting;
use super::writer::guarded;
use super::written::Written;
use super::{BoxFuture, Statement, StoreError, StoreOptions, audit, engine};
use crate::journal::leaf_hash;
use crate::mandate::{EventId, Instant};
use sqlx::AnyPool;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Any number will do, as long as every replica takes the same.
const LOCK: &str = "SELECT pg_advisory_xact_lock(7305797240)";
const TAKE: &str = "WITH taken AS (DELETE FROM queue WHERE qid IN \
    (SELECT qid FROM queue ORDER BY qid LIMIT CAST($1 AS BIGINT)) RETURNING qid, event_id) SELECT taken.event_id AS event_id, event.entry AS entry FROM taken \
    JOIN event ON event.event_id = taken.event_id LEFT JOIN leaf ON leaf.event_id = taken.event_id \
    WHERE leaf.idx IS NULL ORDER BY taken.qid";
const UNQUEUE: &str = "DELETE FROM queue WHERE event_id = $1";
const REQUEUE: &str = "INSERT INTO queue (event_id) SELECT event.event_id FROM event \
    LEFT JOIN leaf ON leaf.event_id = event.event_id LEFT JOIN queue ON queue.event_id = event.event_id \
    WHERE event.event_id >= $1 AND event.at < $2 AND leaf.idx IS NULL AND queue.qid IS NULL ORDER BY event.event_id";

/// Statements that only PostgreSQL knows.
pub(super) const STATEMENTS: &[Statement] = &[
    Statement { name: "storage::postgres::LOCK", text: LOCK },
    Statement { name: "storage::postgres::TAKE", text: TAKE },
    Statement { name: "storage::postgres::UNQUEUE", text: UNQUEUE },
    Statement { name: "storage::postgres::REQUEUE", text: REQUEUE },
    Statement { name: "storage::audit::WITHOUT_LEAF_OR_QUEUE", text: audit::WITHOUT_LEAF_OR_QUEUE },
    Statement { name: "storage::audit::STRAY_QUEUE", text: audit::STRAY_QUEUE },
    Statement { name: "storage::pressure::WAITING", text: pressure::WAITING },
];

/// Entries placed in one round at most.
const BATCH: i64 = 4_096;
/// How often the queue is looked at when nothing was committed here: others' entries, lost wake-ups.
const TICK: Duration = Duration::from_millis(100);

/// What the sequencer shares with the writes of its replica.
pub(super) struct Sequencing {
    pool: AnyPool,
    /// How a round begins.
    begin: &'static str,
    pub(super) pressure: Pressure,
    sequencer: Mutex<Sequencer>,
    publisher: Arc<Publisher>,
    pub(super) waiting: Arc<Waiting>,
    kick: Notify,
    gate: RwLock<()>,
}

/// The right to run one attempt of a write.
pub(super) enum Turn<'s> {
    /// Beside others.
    Shared(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'s, ()>),
    /// Alone in this replica.
    Alone(#[expect(dead_code, reason = "held, not read")] RwLockWriteGuard<'s, ()>),
}

impl Sequencing {
    pub(super) async fn new(
        pool: AnyPool,
        options: &StoreOptions,
        sequencer: Sequencer,
        publisher: Arc<Publisher>,
    ) -> Result<Self, StoreError> {
        let waiting = Arc::new(Waiting::default());
        Ok(Self {
            begin: engine::sequencing_begin(&pool).await?,
            pressure: Pressure::new(options),
            pool,
            sequencer: Mutex::new(sequencer),
            publisher,
            waiting,
            kick: Notify::new(),
            gate: RwLock::default(),
        })
    }

    pub(super) const fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Waits for a turn. The first attempt runs beside others. Whoever lost a race runs alone: on small tables
    /// serialisable transactions meet on the same index pages so often that some would never get through.
    pub(super) async fn turn(&self, attempt: u32) -> Turn<'_> {
        if attempt == 0 { Turn::Shared(self.gate.read().await) } else { Turn::Alone(self.gate.write().await) }
    }

    /// Something was committed: run at once.
    pub(super) fn kick(&self) {
        self.kick.notify_one();
    }

    /// Ends at the next kick or tick.
    pub(super) async fn next_round(&self) {
        let _ = tokio::time::timeout(TICK, self.kick.notified()).await;
    }

    /// Verifies the right edge before anything is served.
    pub(super) async fn verify(&self) -> Result<(), StoreError> {
        let mut snapshot = Snapshot::begin(&self.pool, self.begin).await?;
        self.sequencer.lock().await.catch_up(&mut snapshot).await?;
        snapshot.commit().await
    }

    /// One round: places what is queued, up to a batch, and says how many entries were placed. Safe in
    /// any number of replicas: one lock, and the keys of leaf and checkpoint behind it.
    pub(super) async fn once(&self) -> Result<usize, StoreError> {
        let mut sequencer = self.sequencer.lock().await;
        let mut snapshot = Snapshot::begin(&self.pool, self.begin).await?;
        let appended = take(&mut snapshot).await?;
        if appended.is_empty() {
            snapshot.commit().await?;
            return Ok(0);
        }
        let head = sequencer.extend(&mut snapshot, &appended, None).await?;
        if let Err(error) = snapshot.commit().await {
            sequencer.forget();
            return Err(error);
        }
        self.publish(&mut sequencer, &head, &appended);
        Ok(appended.len())
    }

    fn publish(&self, sequencer: &mut Sequencer, head: &Head, appended: &[Appended]) {
        self.publisher.publish(head);
        sequencer.committed();
        for entry in appended {
            self.waiting.placed(&entry.event_id);
        }
    }

    /// Runs the write that opens a shard, and gives its entry its place in the same commit, under the lock of every round: the
    /// head it sees is the last one of the shard before, and what is queued gets its place in the new one.
    pub(super) async fn open_shard<T, E, F>(&self, work: &F) -> Result<Written<T>, E>
    where
        E: From<StoreError>,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut sequencer = self.sequencer.lock().await;
        // Not serialisable: what was committed before the lock was given must be seen.
        let mut tx = Tx::begin(&self.pool, engine::POSTGRES_BEGIN_SEQUENCING).await?;
        tx.change(sql(LOCK)).await?;
        let result = guarded(work(&mut tx)).await?;
        if result.is_ok() && tx.take_fault().is_some() {
            return Err(StoreError::WentOn.into());
        }
        let value = result?;
        tx.write_appended().await?;
        let (opening, appended) = (tx.take_opening(), tx.take_appended());
        let mut snapshot = tx.into_snapshot();
        let Some(opening) = opening else {
            if !appended.is_empty() {
                return Err(
                    StoreError::Refused("an entry was appended, and no shard begins".to_owned()).into()
                );
            }
            snapshot.commit().await?;
            return Ok(Written::included_already(value, Vec::new()));
        };
        if let Some(role) = engine::sequencing_role(self.begin) {
            snapshot.change(sql(role)).await?;
        }
        snapshot.change(sql(UNQUEUE).bind(opening.event.as_str())).await?;
        let placed = sequencer.extend(&mut snapshot, &appended, Some(&opening)).await;
        let committed = match placed {
            Ok(head) => snapshot.commit().await.map_err(of_commit).map(|()| head),
            Err(error) => Err(error),
        };
        match committed {
            Ok(head) => self.publish(&mut sequencer, &head, &appended),
            Err(error) => {
                sequencer.forget();
                return Err(error.into());
            }
        }
        Ok(Written::included_already(value, appended.into_iter().map(|entry| entry.event_id).collect()))
    }

    /// Queues again the entries of `from..before` that have neither place nor queue row.
    pub(super) async fn requeue(&self, from: Instant, before: Instant) -> Result<u64, StoreError> {
        let mut snapshot = Snapshot::begin(&self.pool, self.begin).await?;
        snapshot.change(sql(LOCK)).await?;
        // A UUIDv7 begins with its milliseconds, so the key itself bounds the search.
        let first = format!("{:012x}", from.millis().max(0));
        let queued = snapshot.change(sql(REQUEUE).bind(first).bind(before.micros())).await?;
        snapshot.commit().await?;
        self.kick();
        Ok(queued)
    }

    pub(super) async fn finish(&self) {
        self.publisher.finish().await;
    }
}

async fn take(snapshot: &mut Snapshot) -> Result<Vec<Appended>, StoreError> {
    snapshot.change(sql(LOCK)).await?;
    let mut seen = BTreeSet::new();
    let rows = snapshot
        .list("queue", sql(TAKE).bind(BATCH), |row| {
            let event_id: EventId = row.id("event_id")?;
            Ok(Appended { event_id, leaf_hash: leaf_hash(&row.bytes("entry")?) })
        })
        .await?;
    Ok(rows.into_iter().filter(|entry| seen.insert(entry.event_id.clone())).collect())
}
