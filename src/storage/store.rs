//! The store: opened once, cloned freely.

mod opening;

use super::halt::{Halt, Warden};
use super::head::{self, Publisher};
use super::postgres::Sequencing;
use super::reading::Reading;
use super::sequence::Sequencer;
use super::signer::CheckpointSigner;
use super::tx::{Snapshot, Tx};
use super::waiting::Ticket;
use super::writer::{Job, Writer, guarded, queued};
use super::written::Written;
use super::{BoxFuture, Engine, Statement, StoreError, StoreOptions, engine, placed, pressure, rewrite};
use crate::mandate::{self, EventId};
use crate::telemetry;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// The database with its journal. Clones share everything; [`Store::close`] ends it for all.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    reading: Reading,
    writing: Writing,
    /// None when opened for reading.
    warden: Option<Warden>,
}

enum Writing {
    /// Opened for reading.
    Never,
    Sqlite {
        sender: Mutex<Option<mpsc::Sender<Box<dyn Job>>>>,
        ended: Mutex<Option<oneshot::Receiver<()>>>,
    },
    Postgres {
        sequencing: Arc<Sequencing>,
        tasks: Mutex<Vec<JoinHandle<()>>>,
    },
}

impl Store {
    /// Brings the schema of a database up to date; on SQLite makes the file when it is not there.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], or [`StoreError::Schema`] when a step was altered or fails.
    pub async fn migrate(url: &str) -> Result<(), StoreError> {
        engine::migrate(url).await
    }

    /// Opens a migrated database. Refuses on doubt: another schema, a journal whose right edge does not give
    /// the signed root, a journal behind the checkpoint last published from here.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Schema`], [`StoreError::Journal`], [`StoreError::Behind`].
    pub async fn open(options: &StoreOptions, signer: Arc<dyn CheckpointSigner>) -> Result<Self, StoreError> {
        let reading = Reading::open(options).await?;
        let known = match &options.published_checkpoint {
            Some(path) => head::read(path, signer.as_ref()).await?,
            None => None,
        };
        let halt = Halt::default();
        let sequencer = Sequencer::new(Arc::clone(&signer), known, halt.clone());
        let publisher = Arc::new(Publisher::start(options.published_checkpoint.clone()));
        let warden = Some(Warden { signer, publisher: Arc::clone(&publisher), halt });
        let writing = match &reading {
            Reading::Sqlite(readers) => {
                let writer = Writer::open(readers.path(), sequencer, publisher).await?;
                Writing::sqlite(writer, options.waiting_writes)?
            }
            Reading::Postgres(pool) => {
                let sequencing = Sequencing::new(pool.clone(), options, sequencer, publisher).await?;
                let sequencing = Arc::new(sequencing);
                sequencing.verify().await?;
                let mut tasks = vec![
                    tokio::spawn(pressure::watch(Arc::downgrade(&sequencing))),
                    tokio::spawn(placed::follow(Arc::downgrade(&sequencing))),
                ];
                tasks.extend(options.sequencing.then(|| tokio::spawn(sequence(Arc::downgrade(&sequencing)))));
                Writing::Postgres { sequencing, tasks: Mutex::new(tasks) }
            }
        };
        Ok(Self(Arc::new(Inner { reading, writing, warden })))
    }

    /// Writes the database's files anew, so that nothing erased is left in them. On PostgreSQL the address is the
    /// tables' owner's.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when somebody still reads what was there before.
    pub async fn rewrite(url: &str) -> Result<(), StoreError> {
        rewrite::rewrite(url).await
    }

    /// Opens a migrated database for reading only: without a signer, and whatever its journal looks like. For
    /// verification, which must name what is wrong where [`Store::open`] only refuses.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Schema`].
    pub async fn open_for_reading(options: &StoreOptions) -> Result<Self, StoreError> {
        let reading = Reading::open(options).await?;
        Ok(Self(Arc::new(Inner { reading, writing: Writing::Never, warden: None })))
    }

    /// The engine behind it.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.0.reading.engine()
    }

    /// Runs a named write. The closure changes facts and appends entries through [`Tx`]; it may run twice,
    /// so it must own no side effect. `Ok` commits; `Err` rolls back and comes back unchanged.
    ///
    /// # Errors
    /// The closure's own, or a [`StoreError`] turned into it.
    pub async fn write<T, E, F>(&self, name: &'static str, work: F) -> Result<Written<T>, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + Sync + 'static,
    {
        let started = Instant::now();
        let result = match &self.0.writing {
            Writing::Never => Err(StoreError::Closed.into()),
            Writing::Sqlite { sender, .. } => {
                let sender = sender.lock().unwrap_or_else(PoisonError::into_inner).clone();
                queued(sender, work, false).await
            }
            Writing::Postgres { sequencing, .. } => self.serialised(sequencing, name, work).await,
        };
        measure(name, started, result.is_ok());
        result
    }

    async fn serialised<T, E, F>(
        &self,
        sequencing: &Arc<Sequencing>,
        name: &'static str,
        work: F,
    ) -> Result<Written<T>, E>
    where
        E: From<StoreError>,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    {
        sequencing.pressure.admit(sequencing.waiting.count())?;
        let mut pause = Duration::from_millis(1);
        for attempt in 0..=engine::MOST_RETRIES {
            if attempt > 0 {
                tokio::time::sleep(jittered(pause)).await;
                pause = (pause * 2).min(engine::LONGEST_PAUSE);
            }
            let _turn = sequencing.turn(attempt).await;
            let started = Instant::now();
            match self.once(sequencing, &work).await {
                Err(Ended::Contended) => telemetry::transaction(name, "retried", started.elapsed()),
                Err(Ended::Failed(error)) => return Err(error),
                Ok(written) => return Ok(written),
            }
        }
        Err(StoreError::Contended.into())
    }

    async fn once<T, E, F>(&self, sequencing: &Arc<Sequencing>, work: &F) -> Result<Written<T>, Ended<E>>
    where
        E: From<StoreError>,
        F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
    {
        let mut tx = Tx::of_pool(sequencing.pool());
        let result = guarded(work(&mut tx)).await?;
        // A failed statement decides, whatever the closure made of it.
        match tx.take_fault() {
            Some(StoreError::Contended) => return Err(Ended::Contended),
            Some(_) if result.is_ok() => return Err(StoreError::WentOn.into()),
            _ => {}
        }
        let value = result.map_err(Ended::Failed)?;
        if tx.take_opening().is_some() {
            return Err(StoreError::Refused("a shard is opened by a commit of its own".to_owned()).into());
        }
        let events = tx.take_appended().into_iter().map(|entry| entry.event_id).collect::<Vec<_>>();
        if events.is_empty() {
            tx.finish().await?;
            return Ok(Written::included_already(value, events));
        }
        let ticket = sequencing.waiting.enter(events);
        tx.finish().await?;
        sequencing.kick();
        Ok(Written::pending(value, ticket))
    }

    /// Runs a named read on one consistent view.
    ///
    /// # Errors
    /// The closure's own, or a [`StoreError`] turned into it.
    pub async fn read<T, E, F>(&self, name: &'static str, look: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Snapshot) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.look(name, usize::MAX, look).await
    }

    /// Runs a named read of one statement: a consistent view by itself, so no transaction is opened for it.
    ///
    /// # Errors
    /// The closure's own, or a [`StoreError`] turned into it; [`StoreError::SecondStatement`] at the second one.
    pub async fn read_one<T, E, F>(&self, name: &'static str, look: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Snapshot) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.look(name, 1, look).await
    }

    async fn look<T, E, F>(&self, name: &'static str, statements: usize, look: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Snapshot) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let started = Instant::now();
        let result = self.0.reading.look(statements, look).await;
        measure(name, started, result.is_ok());
        result
    }

    /// One round of sequencing; how many entries were placed. Nothing to do on SQLite. The store does this
    /// by itself when `sequencing` is on.
    ///
    /// # Errors
    /// Any [`StoreError`]; nothing was placed, or the outcome is not known and the next round finds out.
    pub async fn sequence_once(&self) -> Result<usize, StoreError> {
        match &self.0.writing {
            Writing::Never | Writing::Sqlite { .. } => Ok(0),
            Writing::Postgres { sequencing, .. } => sequencing.once().await,
        }
    }

    /// Queues again entries older than five seconds that have neither a place nor a queue row (a lost or
    /// stolen queue row). Looks back to `from`. How many were found; each deserves an alarm.
    ///
    /// # Errors
    /// Any fault of the database.
    pub async fn requeue_lost(
        &self,
        from: mandate::Instant,
        now: mandate::Instant,
    ) -> Result<u64, StoreError> {
        match &self.0.writing {
            Writing::Never | Writing::Sqlite { .. } => Ok(0),
            Writing::Postgres { sequencing, .. } => {
                sequencing.requeue(from, now.plus(time::Duration::seconds(-5))).await
            }
        }
    }

    /// A place among those who wait; none where nothing is ever committed without its place.
    pub(super) fn awaiting(&self, events: &[EventId]) -> Option<Ticket> {
        match &self.0.writing {
            Writing::Never | Writing::Sqlite { .. } => None,
            Writing::Postgres { sequencing, .. } => Some(sequencing.waiting.enter(events.to_vec())),
        }
    }

    pub(super) fn warden(&self) -> Option<&Warden> {
        self.0.warden.as_ref()
    }

    /// Prepares every statement without running it: what `doctor` and a test ask.
    ///
    /// # Errors
    /// The first statement that does not fit the schema, by name.
    pub async fn prepare_all(&self) -> Result<usize, StoreError> {
        let mut all: Vec<Statement> = super::all_statements();
        if self.engine() == Engine::Postgres {
            all.extend_from_slice(super::append::POSTGRES_STATEMENTS);
            all.extend_from_slice(placed::STATEMENTS);
            all.extend_from_slice(super::postgres::STATEMENTS);
        }
        for statement in &all {
            self.0
                .reading
                .prepare(statement.text)
                .await
                .map_err(|error| StoreError::Schema(format!("{}: {error}", statement.name)))?;
        }
        Ok(all.len())
    }

    /// Finishes what waits, writes the last published checkpoint, and closes every connection.
    pub async fn close(&self) {
        match &self.0.writing {
            Writing::Never => {}
            Writing::Sqlite { sender, ended } => {
                sender.lock().unwrap_or_else(PoisonError::into_inner).take();
                let ended = ended.lock().unwrap_or_else(PoisonError::into_inner).take();
                if let Some(ended) = ended {
                    // A writer that died has ended, too.
                    let _ = ended.await;
                }
            }
            Writing::Postgres { sequencing, tasks } => {
                let tasks = std::mem::take(&mut *tasks.lock().unwrap_or_else(PoisonError::into_inner));
                for task in tasks {
                    task.abort();
                    // An aborted round rolls back; its entries stay queued.
                    let _ = task.await;
                }
                sequencing.finish().await;
            }
        }
        self.0.reading.close().await;
    }
}

impl Writing {
    /// The writer waits for the disk at each commit: it has a thread of its own.
    fn sqlite(writer: Writer, most_waiting: usize) -> Result<Self, StoreError> {
        let (sender, jobs) = mpsc::channel(most_waiting.max(1));
        let (done, ended) = oneshot::channel();
        let runtime = Handle::current();
        std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || {
                runtime.block_on(writer.work(jobs));
                // Whoever closes the store may have gone.
                let _ = done.send(());
            })
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self::Sqlite { sender: Mutex::new(Some(sender)), ended: Mutex::new(Some(ended)) })
    }
}

/// How one attempt on PostgreSQL ended without a commit.
enum Ended<E> {
    Contended,
    Failed(E),
}

impl<E: From<StoreError>> From<StoreError> for Ended<E> {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Contended => Self::Contended,
            other => Self::Failed(other.into()),
        }
    }
}

async fn sequence(sequencing: Weak<Sequencing>) {
    loop {
        let Some(sequencing) = sequencing.upgrade() else { return };
        match sequencing.once().await {
            Ok(0) => sequencing.next_round().await,
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, code = error.code(), "entries could not be placed");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Half to the whole of the pause. Spreading retries guards nothing, so the hasher's seed is chance enough.
fn jittered(pause: Duration) -> Duration {
    let spread = RandomState::new().hash_one(()) % 256;
    pause / 2 + pause / 512 * u32::try_from(spread).unwrap_or(0)
}

fn measure(name: &'static str, started: Instant, done: bool) {
    telemetry::transaction(name, if done { "committed" } else { "failed" }, started.elapsed());
}
