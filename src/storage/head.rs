//! The last published checkpoint, kept in a file outside the database. A database restored from an old
//! backup is behind it, and the store refuses to sign (contract journal.md, 4.5).

use super::StoreError;
use super::sequence::Head;
use super::signer::{CheckpointSigner, open_any};
use crate::journal::Checkpoint;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// At most one writing of the file in this time; the last head is written at shutdown.
const PACE: Duration = Duration::from_secs(1);

/// Reads the file; none when there is no file yet. A file that is not a checkpoint of ours is refused.
pub(super) async fn read(
    path: &Path,
    signer: &dyn CheckpointSigner,
) -> Result<Option<Checkpoint>, StoreError> {
    let note = match tokio::fs::read_to_string(path).await {
        Ok(note) => note,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(path, &error.to_string())),
    };
    open_any(signer, &note).map(Some).ok_or_else(|| unreadable(path, "it is not a checkpoint of ours"))
}

fn unreadable(path: &Path, why: &str) -> StoreError {
    StoreError::Behind(format!("{} cannot be read: {why}", path.display()))
}

/// Where a new head is announced to the task that writes the file.
pub(super) struct Publisher {
    heads: watch::Sender<Option<Head>>,
    stop: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Publisher {
    pub(super) fn start(path: Option<PathBuf>) -> Self {
        let (heads, seen) = watch::channel(None);
        let stop = Arc::new(Notify::new());
        let task = path.map(|path| tokio::spawn(keep(path, seen, Arc::clone(&stop))));
        Self { heads, stop, task: Mutex::new(task) }
    }

    pub(super) fn publish(&self, head: &Head) {
        self.heads.send_replace(Some(head.clone()));
    }

    /// Writes the last head and ends.
    pub(super) async fn finish(&self) {
        self.stop.notify_one();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task
            && task.await.is_err()
        {
            tracing::error!("the task that keeps the published checkpoint died");
        }
    }
}

async fn keep(path: PathBuf, mut heads: watch::Receiver<Option<Head>>, stop: Arc<Notify>) {
    let mut written = 0;
    let mut open = true;
    while open {
        open = tokio::select! {
            changed = heads.changed() => changed.is_ok(),
            () = stop.notified() => false,
        };
        if open {
            open = tokio::select! {
                () = tokio::time::sleep(PACE) => true,
                () = stop.notified() => false,
            };
        }
        let head = heads.borrow_and_update().clone();
        let Some(head) = head.filter(|head| head.size > written) else { continue };
        match write(&path, &head.note).await {
            Ok(()) => written = head.size,
            Err(error) => {
                tracing::error!(%error, path = %path.display(), "the published checkpoint could not be kept");
            }
        }
    }
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
async fn write(path: &Path, note: &str) -> std::io::Result<()> {
    let beside = path.with_extension("new");
    tokio::fs::write(&beside, note).await?;
    tokio::fs::File::open(&beside).await?.sync_all().await?;
    tokio::fs::rename(&beside, path).await
}
