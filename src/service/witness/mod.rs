//! Being a witness for other logs (C2SP tlog-witness): remembering the newest checkpoint of each, and cosigning only
//! what continues it. It has its own small folder and none of the service's database.
//!
//! What is remembered is on disk before a cosignature leaves. What cannot be read back with certainty is refused.

mod folder;

pub use folder::{FolderError, init, watch};

use crate::clock::Clock;
use crate::crypto::{sha256, to_hex};
use crate::journal::{
    Checkpoint, Cosigner, Note, Submission, Vkey, WitnessRefusal, decide, submitted_origin,
};
use folder::{Folder, Log};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error as ThisError;

/// Why a submission was not cosigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum NotCosigned {
    /// The protocol refuses it.
    #[error(transparent)]
    Refused(#[from] WitnessRefusal),
    /// What is to be remembered could not be kept, or what was remembered cannot be read.
    #[error("the witness cannot keep what it sees")]
    Memory,
}

impl NotCosigned {
    /// Stable code, for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Memory => "witness_memory",
        }
    }
}

/// A witness at work. While it lives no other process can work on its folder.
pub struct Witness {
    folder: Folder,
    key: Cosigner,
    clock: Arc<dyn Clock>,
    /// The logs, by the hash of their names. None stands for what must be read from disk again.
    logs: BTreeMap<String, Mutex<Option<Log>>>,
}

/// Where a log is found: the SHA-256 of its name, in hexadecimal.
fn place(origin: &str) -> String {
    to_hex(&sha256(origin.as_bytes()))
}

impl Witness {
    /// Opens the folder that [`init`] made, and reads what is remembered of each log.
    ///
    /// # Errors
    /// [`FolderError`] on any doubt: a key others can read, a log whose last checkpoint does not verify, another process
    /// at work.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, FolderError> {
        let folder = Folder::lock(dir)?;
        let key = folder.key()?;
        let mut logs = BTreeMap::new();
        for place in folder.places()? {
            let log = folder.read(&place, key.vkey())?;
            logs.insert(place, Mutex::new(Some(log)));
        }
        Ok(Self { folder, key, clock, logs })
    }

    /// The key under which this witness cosigns.
    #[must_use]
    pub const fn vkey(&self) -> &Vkey {
        self.key.vkey()
    }

    /// How many logs it watches.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.logs.len()
    }

    /// Takes a submission and gives the cosignature's line, once what it cosigns is remembered on disk. Submissions for
    /// one log are taken one after the other, from reading to remembering.
    ///
    /// # Errors
    /// [`NotCosigned`]; what is remembered is then as before.
    pub fn add(&self, body: &str) -> Result<String, NotCosigned> {
        let submission = Submission::parse(body)?;
        let origin = submitted_origin(&submission);
        let place = place(origin);
        let watched = self.logs.get(&place).ok_or(WitnessRefusal::UnknownLog)?;
        let mut memory = watched.lock().unwrap_or_else(PoisonError::into_inner);
        let log = match memory.take() {
            Some(log) => log,
            None => self.folder.read(&place, self.vkey()).map_err(|error| forgotten(&error))?,
        };
        let answer = self.cosign(&place, &submission, &log);
        match answer {
            Ok((line, newer)) => {
                *memory = Some(newer);
                tracing::info!(origin, "cosigned");
                Ok(line)
            }
            Err(refused) => {
                // After a failed write the disk alone knows what is remembered: it is read at the next submission.
                if refused != NotCosigned::Memory {
                    *memory = Some(log);
                }
                if let NotCosigned::Refused(WitnessRefusal::OtherRoot(_) | WitnessRefusal::Inconsistent) =
                    refused
                {
                    // The note is public, and may be the proof that a log signed two histories.
                    tracing::error!(
                        origin,
                        code = refused.code(),
                        note = submission.checkpoint,
                        "not cosigned"
                    );
                } else {
                    tracing::warn!(origin, code = refused.code(), "not cosigned");
                }
                Err(refused)
            }
        }
    }

    fn cosign(&self, place: &str, submission: &Submission, log: &Log) -> Result<(String, Log), NotCosigned> {
        let remembered = log.last.as_ref().map(|last| (last.size, last.root));
        let checkpoint = decide(submission, &log.keys, remembered)?;
        // The clock may have gone back; what was said to be seen then was seen by now.
        let now = u64::try_from(self.clock.now().seconds()).unwrap_or(0).max(log.at);
        let line = self.key.cosign(&checkpoint.text(), now).map_err(|_| NotCosigned::Memory)?;
        let mut note = Note::parse(&submission.checkpoint).map_err(|_| WitnessRefusal::Malformed)?;
        note.keep(&log.keys);
        note.add(line.clone());
        let grown = remembered != Some((checkpoint.size, checkpoint.root));
        let newer = Log { keys: log.keys.clone(), last: Some(checkpoint), note: note.to_string(), at: now };
        if grown {
            self.folder.write(place, &newer).map_err(|error| forgotten(&error))?;
        }
        Ok((format!("{line}\n"), newer))
    }

    /// The checkpoint last cosigned for the log of that place, as monitors ask for it; none when there is none.
    #[must_use]
    pub fn last(&self, place: &str) -> Option<String> {
        let memory = self.logs.get(place)?.lock().unwrap_or_else(PoisonError::into_inner);
        memory.as_ref().filter(|log| log.last.is_some()).map(|log| log.note.clone())
    }
}

fn forgotten(error: &FolderError) -> NotCosigned {
    tracing::error!(%error, "the witness cannot keep what it sees");
    NotCosigned::Memory
}

/// What a state file says of a log's last checkpoint.
fn opened(note: &str, keys: &[Vkey], own: &Vkey) -> Option<(Checkpoint, u64)> {
    let checkpoint = Checkpoint::open(note, keys).ok()?;
    let note = Note::parse(note).ok()?;
    let at = note.signed_by(&[own]).ok()?.iter().filter_map(|by| by.at).max()?;
    Some((checkpoint, at))
}
