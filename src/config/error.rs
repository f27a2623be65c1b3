//! What is wrong with a configuration, in one line.

use thiserror::Error;

/// Why a configuration cannot be used. Its text names the key, the value (unless secret) and the cure.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file is not there, or may not be read.
    #[error("the configuration file {path} cannot be read ({cause}): give its path with --config")]
    Unreadable {
        /// Its path.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The text is not TOML.
    #[error("the configuration is not TOML, line {line}: {problem}")]
    Syntax {
        /// Line, from 1.
        line: usize,
        /// What the parser says.
        problem: String,
    },
    /// A section that does not exist.
    #[error("[{section}] is not a section: there are {known}")]
    UnknownSection {
        /// Its name.
        section: String,
        /// Those that exist.
        known: String,
    },
    /// A key that does not exist.
    #[error("{key} is not a setting: its section has {known}")]
    UnknownKey {
        /// Its name.
        key: String,
        /// Those that exist.
        known: String,
    },
    /// A key that must be there is not.
    #[error("{key} is missing: {cure}")]
    Missing {
        /// Its name.
        key: String,
        /// What to do.
        cure: String,
    },
    /// A value that cannot be used.
    #[error("{key} = {value} cannot be used: {cure}")]
    Invalid {
        /// Its key.
        key: String,
        /// The value, or `(hidden)`.
        value: String,
        /// What to do.
        cure: String,
    },
    /// A secret given twice.
    #[error("{key} and {key}_file are both set: keep one of them")]
    SecretTwice {
        /// The secret's key.
        key: String,
    },
    /// The file of a secret cannot be read.
    #[error("{key} = {path:?} cannot be read ({cause}): name a file that holds the secret")]
    SecretFile {
        /// The key that names the file.
        key: String,
        /// The file.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
}
