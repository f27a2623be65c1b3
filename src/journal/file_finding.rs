//! What a verifier of files says of one that does not hold.

/// Something in a file of a bundle or a mirror that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFinding {
    /// The file.
    pub file: String,
    /// Stable code.
    pub code: &'static str,
    /// Why.
    pub why: String,
}
