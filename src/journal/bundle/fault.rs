//! Why an archive is no bundle.

use super::LARGEST_BUNDLE;
use thiserror::Error;

/// Why an archive is no bundle.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BundleFault {
    /// Larger than any bundle.
    #[error("the archive is larger than {LARGEST_BUNDLE} bytes")]
    TooLarge,
    /// No tar, or one that was cut.
    #[error("not an archive, or one that was cut")]
    Malformed,
    /// A name that no file of a bundle has: with `..`, absolute, or of something else.
    #[error("a bundle holds no file {0:?}")]
    Name(String),
    /// Something in it is no plain file.
    #[error("{0:?} is no plain file")]
    Kind(String),
    /// The list of its files does not read.
    #[error("the manifest does not read")]
    Manifest,
    /// A file that is not the next one the manifest names: moved, doubled or put in.
    #[error("{0:?} is not the file that the manifest names in its place")]
    Order(String),
    /// A file that the manifest names is not there.
    #[error("{0:?} is missing")]
    Cut(String),
    /// A file is not the one the manifest names.
    #[error("{0:?} was altered")]
    Altered(String),
    /// A file does not read.
    #[error("{0:?} does not read")]
    File(String),
    /// The same content, but not in the one form a bundle has.
    #[error("the archive is not in the one form of a bundle")]
    Form,
}

impl BundleFault {
    /// Stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge => "bundle_too_large",
            Self::Malformed => "bundle_malformed",
            Self::Name(_) => "bundle_name",
            Self::Kind(_) => "bundle_kind",
            Self::Manifest => "bundle_manifest",
            Self::Order(_) => "bundle_order",
            Self::Cut(_) => "bundle_cut",
            Self::Altered(_) => "bundle_altered",
            Self::File(_) => "bundle_file",
            Self::Form => "bundle_form",
        }
    }
}
