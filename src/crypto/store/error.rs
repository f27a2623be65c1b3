//! What keeps a key store from opening; each message says what to do.

use crate::crypto::{CryptoError, ModuleError};
use std::path::PathBuf;
use thiserror::Error;

/// Why the key store could not be made, opened or rotated.
#[derive(Debug, Error)]
pub enum KeyStoreError {
    /// There is no key store.
    #[error("no key store in {}: run `porteplume keys init`", dir.display())]
    Missing {
        /// The directory.
        dir: PathBuf,
    },
    /// There is one already; nothing was changed.
    #[error("{} holds a key store already; `porteplume keys rotate` changes a key", dir.display())]
    Exists {
        /// The directory.
        dir: PathBuf,
    },
    /// Private keys lie there, and no manifest.
    #[error("{} holds keys but no keys.toml: restore keys.toml from the backup, or choose another directory", dir.display())]
    Orphans {
        /// The directory.
        dir: PathBuf,
    },
    /// A private key could be read by others.
    #[error("{} has mode {mode:04o}, so that others may reach a private key: run `chmod 600 {}`", path.display(), path.display())]
    LooseFile {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// A private key could be exchanged by others.
    #[error("{} has mode {mode:04o}, so that others may exchange keys: run `chmod 700 {}`", path.display(), path.display())]
    LooseDirectory {
        /// The directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The manifest cannot be right.
    #[error("{}: {reason}; restore it from the backup", path.display())]
    BadManifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A private key is not the one the manifest names.
    #[error("{} does not hold the {purpose} key that keys.toml names: restore it from the backup", path.display())]
    BadKey {
        /// The file.
        path: PathBuf,
        /// What it is for.
        purpose: &'static str,
    },
    /// This key cannot change.
    #[error("the {purpose} key cannot be rotated: {reason}")]
    NotRotatable {
        /// What it is for.
        purpose: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// No key is on its way out.
    #[error("no {purpose} key is on its way out: `porteplume keys rotate {purpose}` comes first")]
    NotLeaving {
        /// What it would be for.
        purpose: &'static str,
    },
    /// The file system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// The module that holds keys cannot be used.
    #[error(transparent)]
    Module(#[from] ModuleError),
    /// A key could not be made or used.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

impl KeyStoreError {
    /// Stable code, for logs and exit messages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "keys_missing",
            Self::Exists { .. } => "keys_exist",
            Self::Orphans { .. } => "keys_without_manifest",
            Self::LooseFile { .. } => "key_file_too_open",
            Self::LooseDirectory { .. } => "key_directory_too_open",
            Self::BadManifest { .. } => "keys_bad_manifest",
            Self::BadKey { .. } => "keys_bad_key",
            Self::NotRotatable { .. } => "key_not_rotatable",
            Self::NotLeaving { .. } => "key_not_leaving",
            Self::Io { .. } => "keys_io",
            Self::Module(error) => error.code(),
            Self::Crypto(error) => error.code(),
        }
    }
}
