//! SQLite's one writer: jobs queue to it and share commits; the journal grows in the same commit.

use super::head::Publisher;
use super::sequence::{Head, Opening, Sequencer};
use super::sqlite::Sqlite;
use super::tx::{Appended, Tx};
use super::written::Written;
use super::{BoxFuture, StoreError};
use crate::mandate::EventId;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Jobs that share one commit at most.
const BATCH: usize = 256;
/// The longest a job may hold the writer.
const LONGEST_JOB: Duration = Duration::from_secs(5);

/// One write waiting for the writer.
pub(super) trait Job: Send {
    /// Whether it shares no commit, since it opens a shard.
    fn alone(&self) -> bool;
    /// Whether somebody still waits for the answer.
    fn wanted(&self) -> bool;
    /// Runs the closure; whether its changes are to be kept.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool>;
    /// Its changes were not kept, for a reason of the store's.
    fn fail(&mut self, error: StoreError);
    /// Gives the answer.
    fn answer(self: Box<Self>, events: Vec<EventId>);
}

/// A closure with its result and whoever waits for it.
pub(super) struct Write<T, E, F> {
    pub(super) work: F,
    pub(super) alone: bool,
    pub(super) result: Option<Result<T, E>>,
    pub(super) answer: oneshot::Sender<Result<(T, Vec<EventId>), E>>,
}

impl<T, E, F> Job for Write<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    fn alone(&self) -> bool {
        self.alone
    }

    fn wanted(&self) -> bool {
        !self.answer.is_closed()
    }

    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, bool> {
        Box::pin(async move {
            let result = guarded((self.work)(tx)).await.unwrap_or_else(|error| Err(error.into()));
            let keep = result.is_ok();
            self.result = Some(result);
            keep
        })
    }

    fn fail(&mut self, error: StoreError) {
        // A refusal of the closure's own stays what it is: it kept nothing anyway.
        if !matches!(self.result, Some(Err(_))) {
            self.result = Some(Err(error.into()));
        }
    }

    fn answer(self: Box<Self>, events: Vec<EventId>) {
        let result = self.result.unwrap_or_else(|| Err(StoreError::Closed.into()));
        // Nobody may wait any more; the commit stands all the same.
        let _ = self.answer.send(result.map(|value| (value, events)));
    }
}

/// Queues a write, alone or among others, and waits for its answer.
pub(super) async fn queued<T, E, F>(
    sender: Option<mpsc::Sender<Box<dyn Job>>>,
    work: F,
    alone: bool,
) -> Result<Written<T>, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: for<'t> Fn(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    let sender = sender.ok_or(StoreError::Closed)?;
    let (answer, answered) = oneshot::channel();
    let job = Box::new(Write { work, alone, result: None, answer });
    sender.try_send(job).map_err(|refused| match refused {
        mpsc::error::TrySendError::Full(_) => StoreError::Busy,
        mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
    })?;
    drop(sender);
    let (value, events) = answered.await.map_err(|_| StoreError::OutcomeUnknown)??;
    Ok(Written::included_already(value, events))
}

/// Runs a closure's future: a panic or endless waiting becomes an error.
pub(super) async fn guarded<T>(mut work: BoxFuture<'_, T>) -> Result<T, StoreError> {
    let caught = std::future::poll_fn(move |context| {
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_) => Poll::Ready(Err(StoreError::Panicked)),
        }
    });
    tokio::time::timeout(LONGEST_JOB, caught).await.unwrap_or(Err(StoreError::TooSlow))
}

/// A job of a batch, with what it appended.
struct Entered {
    job: Box<dyn Job>,
    appended: Vec<Appended>,
    opening: Option<Opening>,
}

/// The writer.
pub(super) struct Writer {
    path: PathBuf,
    tx: Option<Tx>,
    sequencer: Sequencer,
    publisher: Arc<Publisher>,
}

impl Writer {
    /// Opens the connection that writes and verifies the journal's right edge.
    pub(super) async fn open(
        path: &Path,
        mut sequencer: Sequencer,
        publisher: Arc<Publisher>,
    ) -> Result<Self, StoreError> {
        let mut tx = Tx::of_writer(Sqlite::writer(path)?);
        sequencer.catch_up(&mut tx).await?;
        Ok(Self { path: path.to_owned(), tx: Some(tx), sequencer, publisher })
    }

    /// Works until every sender is gone, then closes the connection.
    pub(super) async fn work(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        while let Some(first) = jobs.recv().await {
            let mut apart = first.alone();
            let mut batch = vec![entered(first)];
            while batch.len() < BATCH
                && !apart
                && let Ok(job) = jobs.try_recv()
            {
                apart = job.alone();
                batch.push(entered(job));
            }
            let last = if apart { batch.pop() } else { None };
            for batch in std::iter::once(batch).chain(last.map(|last| vec![last])) {
                self.serve(batch).await;
            }
        }
        self.publisher.finish().await;
        if let Some(tx) = self.tx
            && let Err(error) = tx.into_snapshot().close()
        {
            tracing::warn!(%error, "the writer's connection did not close cleanly");
        }
    }

    async fn serve(&mut self, batch: Vec<Entered>) {
        if batch.is_empty() {
            return;
        }
        let alone = batch.len() == 1;
        let again = self.commit(batch, alone).await;
        // The database refused the commit as a whole, for one job's sake: each on its own finds out whose.
        for one in again {
            self.commit(vec![one], true).await;
        }
    }

    /// Runs and commits a batch, and answers. Gives back the jobs to run again one by one.
    async fn commit(&mut self, mut batch: Vec<Entered>, alone: bool) -> Vec<Entered> {
        let outcome = self.attempt(&mut batch).await;
        match outcome {
            Ok(head) => {
                if let Some(head) = head {
                    self.publisher.publish(&head);
                    self.sequencer.committed();
                }
            }
            Err(Failed::Refused(_)) if !alone => return batch,
            Err(Failed::Refused(error) | Failed::NotWritten(error)) => fail_all(&mut batch, &error),
            Err(Failed::Unknown(error)) => {
                tracing::error!(%error, "the outcome of a shared commit is not known");
                fail_all(&mut batch, &StoreError::OutcomeUnknown);
            }
        }
        for entered in batch {
            entered.job.answer(entered.appended.into_iter().map(|entry| entry.event_id).collect());
        }
        Vec::new()
    }

    async fn attempt(&mut self, batch: &mut [Entered]) -> Result<Option<Head>, Failed> {
        let mut tx = self.connect().map_err(Failed::NotWritten)?;
        let outcome = self.transact(&mut tx, batch).await;
        if outcome.is_ok() {
            self.tx = Some(tx);
        } else {
            self.sequencer.forget();
            tx.reset();
            // A connection that cannot even roll back is dropped; the next batch opens another.
            if tx.control("ROLLBACK").is_ok() {
                self.tx = Some(tx);
            }
        }
        outcome
    }

    fn connect(&mut self) -> Result<Tx, StoreError> {
        match self.tx.take() {
            Some(tx) => Ok(tx),
            None => Sqlite::writer(&self.path).map(Tx::of_writer),
        }
    }

    async fn transact(&mut self, tx: &mut Tx, batch: &mut [Entered]) -> Result<Option<Head>, Failed> {
        tx.begun();
        let mut step = Step::Begin;
        let among = batch.len() > 1;
        let mut appended = Vec::new();
        for entered in batch.iter_mut().filter(|entered| entered.job.wanted()) {
            step.take(tx, among).map_err(Failed::NotWritten)?;
            step = if run_one(tx, entered).await { Step::Keep } else { Step::Undo };
            appended.extend_from_slice(&entered.appended);
        }
        match step {
            Step::Begin => return Ok(None),
            Step::Undo => step.take(tx, among).map_err(Failed::NotWritten)?,
            Step::Keep => {}
        }
        let head = if appended.is_empty() {
            None
        } else {
            let opening = batch.iter_mut().find_map(|entered| entered.opening.take());
            let head = self.sequencer.extend(tx, &appended, opening.as_ref()).await;
            Some(head.map_err(Failed::NotWritten)?)
        };
        match tx.control("COMMIT") {
            Ok(()) => Ok(head),
            Err(error @ StoreError::Refused(_)) => Err(Failed::Refused(error)),
            Err(error) => Err(Failed::Unknown(error)),
        }
    }
}

/// What stands between two jobs of a batch. A savepoint is open while a job runs among others; the commit closes the
/// last one. A job by itself needs none: SQLite would keep the old content of each page it changes twice.
#[derive(Clone, Copy)]
enum Step {
    Begin,
    Keep,
    Undo,
}

impl Step {
    /// Plain BEGIN would fail at the first write when another process has committed meanwhile, in spite of the busy
    /// timeout.
    fn take(self, tx: &mut Tx, among: bool) -> Result<(), StoreError> {
        let texts: &[&str] = match self {
            Self::Begin if among => &["BEGIN IMMEDIATE", "SAVEPOINT job"],
            Self::Begin => &["BEGIN IMMEDIATE"],
            Self::Keep => &["RELEASE job", "SAVEPOINT job"],
            Self::Undo if among => &["ROLLBACK TO job"],
            // Nothing is left for the commit.
            Self::Undo => &["ROLLBACK", "BEGIN"],
        };
        texts.iter().try_for_each(|text| tx.control(text))
    }
}

/// Why a batch was not committed.
enum Failed {
    /// A rule refused the journal's rows or the commit; nothing was written.
    Refused(StoreError),
    /// It failed before the commit; nothing was written.
    NotWritten(StoreError),
    /// The commit itself failed.
    Unknown(StoreError),
}

const fn entered(job: Box<dyn Job>) -> Entered {
    Entered { job, appended: Vec::new(), opening: None }
}

fn fail_all(batch: &mut [Entered], error: &StoreError) {
    for entered in batch {
        entered.job.fail(error.clone());
    }
}

/// Runs one job within its savepoint; whether its changes are kept.
async fn run_one(tx: &mut Tx, entered: &mut Entered) -> bool {
    tx.limit(Some(LONGEST_JOB));
    let keep = entered.job.run(tx).await;
    tx.limit(None);
    let (appended, opening) = (tx.take_appended(), tx.take_opening());
    let fault = tx.take_fault();
    let misplaced = opening.is_some() && !entered.job.alone();
    let kept = keep && fault.is_none() && !misplaced;
    (entered.appended, entered.opening) = if kept { (appended, opening) } else { (Vec::new(), None) };
    if let Some(fault) = fault {
        tracing::debug!(code = fault.code(), "a job failed in the database");
        entered.job.fail(StoreError::WentOn);
    } else if misplaced {
        entered.job.fail(StoreError::Refused("a shard is opened by a commit of its own".to_owned()));
    }
    kept
}
