//! What keeps a PKCS#11 module from signing; each message is one line that says what to do, and ends with its code.

use std::path::PathBuf;
use thiserror::Error;

/// Why a PKCS#11 module, its token or a key in it cannot be used. Never holds the PIN.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ModuleError {
    /// The library is not there, or is none.
    #[error(
        "the PKCS#11 module {} cannot be loaded ({reason}): install it, or mend keys.pkcs11_module ({})",
        path.display(),
        self.code()
    )]
    Missing {
        /// The library.
        path: PathBuf,
        /// What the loader said.
        reason: String,
    },
    /// No token bears that label.
    #[error(
        "the PKCS#11 module has no token {token:?}, only {found}: connect it, or mend keys.pkcs11_token ({})",
        self.code()
    )]
    NoToken {
        /// The label.
        token: String,
        /// The labels there are.
        found: String,
    },
    /// Several tokens bear that label, and nothing tells which is meant.
    #[error(
        "the PKCS#11 module has more than one token {token:?}: give them labels of their own ({})",
        self.code()
    )]
    Ambiguous {
        /// The label.
        token: String,
    },
    /// The PIN is wrong. It is not tried again by this process, so that the token does not lock itself.
    #[error(
        "the token {token:?} refuses its PIN: mend keys.pkcs11_pin, then restart what runs; it is not tried again ({})",
        self.code()
    )]
    WrongPin {
        /// The token.
        token: String,
    },
    /// The token takes no PIN any more.
    #[error(
        "the token {token:?} has locked its PIN after wrong ones: its security officer sets a new one ({})",
        self.code()
    )]
    LockedPin {
        /// The token.
        token: String,
    },
    /// The token has no such key.
    #[error(
        "the token {token:?} does not hold the {purpose} key {kid} that keys.toml names: bring it back from the token's backup, \
         or see \"Keys in a hardware module\" in docs/operator.md ({})",
        self.code()
    )]
    NoKey {
        /// The token.
        token: String,
        /// What the key is for.
        purpose: &'static str,
        /// Its identifier.
        kid: String,
    },
    /// The key there is another one than the one that is published.
    #[error(
        "what the token {token:?} holds as the {purpose} key {kid} does not sign for the public key in keys.toml: bring both back \
         from the backup of one day ({})",
        self.code()
    )]
    OtherKey {
        /// The token.
        token: String,
        /// What the key is for.
        purpose: &'static str,
        /// Its identifier.
        kid: String,
    },
    /// Keys are in another token than the one of the configuration.
    #[error(
        "the {purpose} key {kid} is in the token {holds:?}, and keys.pkcs11_token names {token:?}: name that one ({})",
        self.code()
    )]
    OtherToken {
        /// The token of the configuration.
        token: String,
        /// The token that keys.toml names.
        holds: String,
        /// What the key is for.
        purpose: &'static str,
        /// Its identifier.
        kid: String,
    },
    /// Keys are in a module, and none is configured.
    #[error(
        "the {purpose} key {kid} is in the token {holds:?} of a PKCS#11 module, and none is configured: set keys.pkcs11_module, \
         keys.pkcs11_token and keys.pkcs11_pin ({})",
        self.code()
    )]
    NotConfigured {
        /// The token that keys.toml names.
        holds: String,
        /// What the key is for.
        purpose: &'static str,
        /// Its identifier.
        kid: String,
    },
    /// The token does not know the algorithm.
    #[error(
        "the token {token:?} does not sign by {alg} ({reason}): leave {alg} out of keys.pkcs11_algorithms, and its keys stay files ({})",
        self.code()
    )]
    Unsupported {
        /// The token.
        token: String,
        /// The algorithm.
        alg: &'static str,
        /// What it said.
        reason: String,
    },
    /// The token made a key that it would hand out.
    #[error("the token {token:?} made a key that can be taken out of it: keep no keys there ({})", self.code())]
    Extractable {
        /// The token.
        token: String,
    },
    /// Every line to the token is in use, for seconds.
    #[error("the token {token:?} gives no answer in time: see to it, or to the network before it ({})", self.code())]
    Busy {
        /// The token.
        token: String,
    },
    /// Whatever else the module says.
    #[error("the PKCS#11 module could not {what} ({reason}): see to the token, and to the module's own log ({})", self.code())]
    Failed {
        /// What it was to do.
        what: &'static str,
        /// What it said.
        reason: String,
    },
}

impl ModuleError {
    /// Stable code, for logs and exit messages.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "pkcs11_module_missing",
            Self::NoToken { .. } => "pkcs11_no_token",
            Self::Ambiguous { .. } => "pkcs11_token_ambiguous",
            Self::WrongPin { .. } => "pkcs11_wrong_pin",
            Self::LockedPin { .. } => "pkcs11_locked_pin",
            Self::NoKey { .. } => "pkcs11_no_key",
            Self::OtherKey { .. } => "pkcs11_other_key",
            Self::OtherToken { .. } => "pkcs11_other_token",
            Self::NotConfigured { .. } => "pkcs11_not_configured",
            Self::Unsupported { .. } => "pkcs11_unsupported",
            Self::Extractable { .. } => "pkcs11_extractable",
            Self::Busy { .. } => "pkcs11_busy",
            Self::Failed { .. } => "pkcs11_failed",
        }
    }
}
