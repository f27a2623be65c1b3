//! A witness's folder: its key, and one file for each log it watches.
//!
//! ```text
//! key                  the secret key, mode 0600
//! logs/<hex>           the log's keys, one a line; an empty line; the checkpoint last cosigned, if there is one
//! ```
//! `<hex>` is the SHA-256 of the log's name. A file that is gone is a log that is not watched: nothing is cosigned
//! for it from the beginning again by accident.

use super::{opened, place};
use crate::clock::Entropy;
use crate::crypto::{SecretString, from_hex};
use crate::journal::{Checkpoint, Cosigner, CosignerError, Vkey, VkeyError, VkeyKind};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use thiserror::Error as ThisError;

/// Why a witness's folder cannot be used. Each says what to do.
#[derive(Debug, ThisError)]
pub enum FolderError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is a key already.
    #[error("{0} has a key already: a second `witness init` would make another witness of it")]
    Exists(PathBuf),
    /// Others can read the key.
    #[error("{0} can be read by others: chmod 600 it")]
    Loose(PathBuf),
    /// The key does not read.
    #[error("the witness's key cannot be used: {0}")]
    Key(#[from] CosignerError),
    /// A log's key does not read, or is not one that logs sign with.
    #[error("{0}: give the log's key as its policy writes it, name+id+key")]
    LogKey(VkeyError),
    /// What is remembered of a log does not verify.
    #[error(
        "{0} does not verify: what this witness last cosigned is not known for certain; restore the file, or retire this \
         witness and make a new one"
    )]
    Doubt(PathBuf),
    /// Another process is at work on it.
    #[error("{0} is in use by another process: stop it first")]
    Busy(PathBuf),
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FolderError {
    let path = path.to_owned();
    move |source| FolderError::Io { path, source }
}

/// What is remembered of a log.
#[derive(Debug, Clone)]
pub(super) struct Log {
    /// The keys it signs with.
    pub(super) keys: Vec<Vkey>,
    /// The checkpoint last cosigned.
    pub(super) last: Option<Checkpoint>,
    /// The same, signed and cosigned; empty for none.
    pub(super) note: String,
    /// When it was last cosigned, in Unix seconds.
    pub(super) at: u64,
}

/// The folder, with nobody else at work on it.
pub(super) struct Folder {
    dir: PathBuf,
    _lock: File,
}

/// Makes the folder of a new witness, and its key.
///
/// # Errors
/// [`FolderError`]; a folder that has a key is left alone.
pub fn init(dir: &Path, name: &str, entropy: &dyn Entropy) -> Result<Vkey, FolderError> {
    let (cosigner, secret) = Cosigner::generate(name, entropy)?;
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(at(dir))?;
    let path = dir.join("key");
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(FolderError::Exists(dir.to_owned()));
        }
        opened => opened.map_err(at(&path))?,
    };
    file.write_all(secret.expose().as_bytes()).and_then(|()| file.sync_all()).map_err(at(&path))?;
    let logs = dir.join("logs");
    DirBuilder::new().recursive(true).mode(0o700).create(&logs).map_err(at(&logs))?;
    sync(dir)?;
    Ok(cosigner.vkey().clone())
}

/// Begins to watch a log, or takes a further key of one that is watched (after it rotated its key). Gives the log's
/// name.
///
/// # Errors
/// [`FolderError`]; nothing is changed then.
pub fn watch(dir: &Path, key: &str) -> Result<String, FolderError> {
    let key = Vkey::parse(key).map_err(FolderError::LogKey)?;
    if key.kind() != VkeyKind::Signer {
        return Err(FolderError::LogKey(VkeyError::Unknown));
    }
    let folder = Folder::lock(dir)?;
    let own = folder.key()?;
    let (origin, place) = (key.name().to_owned(), place(key.name()));
    let mut log = if folder.log(&place).exists() {
        folder.read(&place, own.vkey())?
    } else {
        Log { keys: Vec::new(), last: None, note: String::new(), at: 0 }
    };
    if !log.keys.contains(&key) {
        log.keys.push(key);
        folder.write(&place, &log)?;
    }
    Ok(origin)
}

fn sync(dir: &Path) -> Result<(), FolderError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

impl Folder {
    /// Takes the folder over, for as long as this lives.
    pub(super) fn lock(dir: &Path) -> Result<Self, FolderError> {
        let lock = File::open(dir).map_err(at(dir))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { dir: dir.to_owned(), _lock: lock }),
            Err(fs::TryLockError::WouldBlock) => Err(FolderError::Busy(dir.to_owned())),
            Err(fs::TryLockError::Error(error)) => Err(at(dir)(error)),
        }
    }

    pub(super) fn key(&self) -> Result<Cosigner, FolderError> {
        let path = self.dir.join("key");
        let mode = fs::metadata(&path).map_err(at(&path))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(FolderError::Loose(path));
        }
        Ok(Cosigner::parse(&SecretString::new(fs::read_to_string(&path).map_err(at(&path))?))?)
    }

    fn log(&self, place: &str) -> PathBuf {
        self.dir.join("logs").join(place)
    }

    /// Where the logs are that are watched. What a killed process left half written is no log.
    pub(super) fn places(&self) -> Result<Vec<String>, FolderError> {
        let logs = self.dir.join("logs");
        let mut places = Vec::new();
        for entry in fs::read_dir(&logs).map_err(at(&logs))? {
            let name = entry.map_err(at(&logs))?.file_name();
            places.extend(name.to_str().filter(|name| from_hex::<32>(name).is_ok()).map(str::to_owned));
        }
        Ok(places)
    }

    /// Reads what is remembered of a log, and verifies it.
    pub(super) fn read(&self, place: &str, own: &Vkey) -> Result<Log, FolderError> {
        let path = self.log(place);
        let text = fs::read_to_string(&path).map_err(at(&path))?;
        parse(&text, place, own).ok_or(FolderError::Doubt(path))
    }

    /// Remembers a log as it now stands: beside, on disk, and then in the place of what was remembered.
    pub(super) fn write(&self, place: &str, log: &Log) -> Result<(), FolderError> {
        let (path, logs) = (self.log(place), self.dir.join("logs"));
        let beside = path.with_extension("new");
        let keys: Vec<String> = log.keys.iter().map(ToString::to_string).collect();
        let text = format!("{}\n\n{}", keys.join("\n"), log.note);
        let mut file = File::create(&beside).map_err(at(&beside))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(at(&beside))?;
        fs::rename(&beside, &path).map_err(at(&path))?;
        sync(&logs)
    }
}

fn parse(text: &str, at: &str, own: &Vkey) -> Option<Log> {
    let (keys, note) = text.split_once("\n\n")?;
    let keys = keys.split('\n').map(|key| Vkey::parse(key).ok()).collect::<Option<Vec<_>>>()?;
    let in_place = keys.iter().all(|key| place(key.name()) == at && key.kind() == VkeyKind::Signer);
    if !in_place {
        return None;
    }
    if note.is_empty() {
        return Some(Log { keys, last: None, note: String::new(), at: 0 });
    }
    let (last, seen_at) = opened(note, &keys, own)?;
    Some(Log { keys, last: Some(last), note: note.to_owned(), at: seen_at })
}
