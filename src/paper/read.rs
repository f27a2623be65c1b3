//! The file inside a PDF that somebody hands over: rubbish until shown otherwise.

use super::ATTACHED;
use hayro_syntax::Pdf;
use hayro_syntax::object::{Dict, Name, Object, Stream, String as PdfString};
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};
use thiserror::Error;

/// Larger PDFs are refused unread, in bytes: a mandate with years of history takes some hundred kilobytes.
pub const LARGEST_PAPER: usize = 16 * 1024 * 1024;
/// A file inside that unpacks to more is refused, in bytes.
const LARGEST: usize = 64 * 1024 * 1024;

/// Why a PDF gives no mandate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AttachmentError {
    /// It is larger than [`LARGEST_PAPER`], or what it holds unpacks to more than any history.
    #[error("it is larger than any mandate")]
    TooLarge,
    /// It cannot be read as a PDF.
    #[error("it cannot be read as a PDF")]
    Unreadable,
    /// It is encrypted.
    #[error("it is encrypted: save it without a password")]
    Encrypted,
    /// Nothing is attached.
    #[error("nothing is attached to it: it was printed or converted, and proves nothing")]
    Missing,
    /// More than one file is attached: which of them is meant?
    #[error("more than one file is attached to it")]
    Several,
    /// What is attached is something else.
    #[error("what is attached to it is not a mandate's file")]
    Foreign,
}

impl AttachmentError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "paper_too_large",
            Self::Unreadable => "paper_unreadable",
            Self::Encrypted => "paper_encrypted",
            Self::Missing => "paper_without_attachment",
            Self::Several => "paper_with_several_attachments",
            Self::Foreign => "paper_with_foreign_attachment",
        }
    }
}

/// Whether a file begins as a PDF does.
#[must_use]
pub fn is_pdf(file: &[u8]) -> bool {
    file.starts_with(b"%PDF-")
}

/// The one file inside a PDF that [`super::Document::to_pdf`] made. What it says is not looked at.
///
/// # Errors
/// [`AttachmentError`].
pub fn attachment(file: Vec<u8>) -> Result<String, AttachmentError> {
    if file.len() > LARGEST_PAPER {
        return Err(AttachmentError::TooLarge);
    }
    // The name stands in the clear in the trailer of whatever is encrypted, even with an empty password.
    if file.windows(ENCRYPT.len()).any(|at| at == ENCRYPT) {
        return Err(AttachmentError::Encrypted);
    }
    let pdf = Pdf::new(file).map_err(|_| AttachmentError::Unreadable)?;
    let mut attached = pdf.objects().into_iter().filter_map(|object| match object {
        Object::Dict(dict) if dict.contains_key(b"EF") => Some(dict),
        _ => None,
    });
    let specification = attached.next().ok_or(AttachmentError::Missing)?;
    if attached.next().is_some() {
        return Err(AttachmentError::Several);
    }
    unpacked(&specification)
}

const ENCRYPT: &[u8] = b"/Encrypt";

fn unpacked(specification: &Dict<'_>) -> Result<String, AttachmentError> {
    let named = specification.get::<PdfString<'_>>(b"F").ok_or(AttachmentError::Foreign)?;
    if named.as_bytes() != ATTACHED.as_bytes() {
        return Err(AttachmentError::Foreign);
    }
    let files = specification.get::<Dict<'_>>(b"EF").ok_or(AttachmentError::Unreadable)?;
    let stream = files.get::<Stream<'_>>(b"F").ok_or(AttachmentError::Unreadable)?;
    let packed = stream.raw_data();
    let filter = stream.dict().get::<Name<'_>>(b"Filter");
    // Unpacked here and not by the reader: here the size has an end.
    let text = match filter.as_deref() {
        Some(b"FlateDecode") => {
            decompress_to_vec_zlib_with_limit(&packed, LARGEST).map_err(|error| match error.status {
                TINFLStatus::HasMoreOutput => AttachmentError::TooLarge,
                _ => AttachmentError::Unreadable,
            })?
        }
        None if !stream.dict().contains_key(b"Filter") => packed.into_owned(),
        _ => return Err(AttachmentError::Foreign),
    };
    String::from_utf8(text).map_err(|_| AttachmentError::Foreign)
}
