//! Documents for keeps: PDF/A-3a and PDF/UA-1 (ISO 19005-3, ISO 14289-1), tagged, with a file inside, and the way back to
//! that file.
//!
//! What a page says is decided elsewhere: a [`Document`] comes in as blocks of text, bytes go out. Nothing is loaded
//! from the machine; the fonts are part of the program (DejaVu: Latin, Cyrillic, Greek, Arabic with its Persian and Pashto
//! letters). What they lack shows as `�`.

mod flow;
mod pages;
mod read;
mod text;

pub use read::{AttachmentError, LARGEST_PAPER, attachment, is_pdf};

use thiserror::Error;
use time::OffsetDateTime;

/// A document was not made. Says nothing of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the document was not made: {0}")]
pub struct PaperError(&'static str);

/// What becomes a PDF. Holds personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    /// Language of its text (BCP 47).
    pub language: &'static str,
    /// Title, shown in the reader's window.
    pub title: String,
    /// Who issues it.
    pub author: String,
    /// What stands at the foot of each page, before the number of the page.
    pub foot: String,
    /// When it is made.
    pub made_at: OffsetDateTime,
    /// What it says.
    pub blocks: Vec<Block>,
    /// The file inside.
    pub attachment: Attachment,
}

/// A piece of a document.
#[derive(Clone, PartialEq, Eq)]
pub enum Block {
    /// The title of the whole.
    Title(String),
    /// The title of a section.
    Heading(String),
    /// The title of a part of it.
    Subheading(String),
    /// A paragraph.
    Paragraph(String),
    /// A paragraph that must not be missed.
    Strong(String),
    /// A list, one paragraph each.
    List(Vec<String>),
    /// Facts in two columns.
    Facts(Vec<Fact>),
    /// A QR code.
    Code(Code),
    /// What is cut out: a frame around it, and never parted by the end of a page.
    Cut(Vec<Self>),
    /// The same document in another language (BCP 47).
    In(&'static str, Vec<Self>),
    /// What follows begins a page.
    NewPage,
}

/// A line of two columns.
#[derive(Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// The fact, one paragraph each.
    pub lines: Vec<String>,
    /// Whether it must not be missed.
    pub strong: bool,
}

/// A QR code, module by module.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// Modules a side.
    pub width: usize,
    /// Row by row, which are dark: `width` times `width`.
    pub dark: Vec<bool>,
    /// What it holds, in words.
    pub alt: String,
    /// How long a side is, in millimetres, with the white around it.
    pub side: u8,
}

/// A file inside a document, which the document was made from (AFRelationship `Data`).
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is, in words.
    pub description: String,
    /// Its bytes: JSON.
    pub data: Vec<u8>,
}

/// How the file inside is called.
pub const ATTACHED: &str = "mandat.json";

impl Document {
    /// The PDF. Takes some tens of milliseconds of computing.
    ///
    /// # Errors
    /// [`PaperError`] when the library finds that the document breaks PDF/A or PDF/UA.
    pub fn to_pdf(self) -> Result<Vec<u8>, PaperError> {
        let mut setter = text::Typesetter::new()?;
        let flowed = flow::flow(&mut setter, &self.blocks);
        let sheets = pages::paginate(flowed.rows);
        pages::write(&mut setter, self, sheets, &flowed.tree)
    }
}

#[cfg(test)]
mod tests;
