//! What can go wrong with keys and sealed bytes.

use crate::clock::NoEntropy;
use thiserror::Error;

/// Why a cryptographic step failed. Says nothing about the secrets involved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CryptoError {
    /// The operating system gave no random bytes.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
    /// Sealed bytes were altered, belong to another cell, or were sealed under another key.
    #[error("sealed bytes do not open with this key in this place")]
    DoesNotOpen,
    /// Sealed bytes are of a form this version does not know.
    #[error("sealed bytes are of an unknown form")]
    UnknownForm,
    /// A key was wrapped under a key-encryption key that is not in the key store.
    #[error("wrapped under a key-encryption key this key store does not hold")]
    UnknownKey,
    /// Key material that is not a key.
    #[error("not a usable key")]
    BadKey,
    /// A token is to be signed by an algorithm for which the key store has no key.
    #[error("there is no {0} key: run `porteplume keys rotate {0}`, then restart every running service")]
    NoTokenKey(&'static str),
    /// A signature could not be made.
    #[error("could not sign")]
    Signing,
    /// A text is not the expected number of hexadecimal digits, or not of the expected form.
    #[error("not of the expected text form")]
    BadText,
}

impl CryptoError {
    /// Stable code, for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoEntropy(_) => "no_entropy",
            Self::DoesNotOpen => "does_not_open",
            Self::UnknownForm => "unknown_sealed_form",
            Self::UnknownKey => "unknown_key",
            Self::BadKey => "bad_key",
            Self::NoTokenKey(_) => "no_token_key",
            Self::Signing => "signing_failed",
            Self::BadText => "bad_text",
        }
    }
}
