//! The languages the mandate's text can be read in, and proof of which one was presented.

use super::{App, Error, Session, propose};
use crate::crypto::{sha256, to_hex};
use crate::mandate::{
    BadTranslation, Catalogue, Instant, Language, Mandate, MandateId, MandateText, SHIPPED_TEXTS, Section,
    Translation, TranslationFile, binding_text, reading_text,
};
use std::path::Path;
use thiserror::Error as ThisError;

/// Why a language's file cannot be used.
#[derive(Debug, ThisError)]
pub enum BadText {
    /// It is not there, or not text.
    #[error("{0} in mandate.texts cannot be read: {1}")]
    Unread(String, std::io::Error),
    /// It is not the TOML it should be.
    #[error("the translation {0} cannot be read: {1}")]
    Form(String, Box<toml::de::Error>),
    /// It breaks a rule.
    #[error("the translation {0} cannot be used: {1}")]
    Rule(String, BadTranslation),
    /// Two files are of one language.
    #[error("the translation {0} is of a language another file has: keep one of them")]
    Twice(String),
    /// It translates a procedure, or keeps an act with the person, that the catalogue does not know.
    #[error("the translation {0} names procedures.{1}, which the catalogue does not know: take it out")]
    Unknown(String, String),
}

/// A language's file.
#[derive(Debug, Clone)]
pub struct Text {
    /// What it says.
    pub translation: Translation,
    /// SHA-256 of the file, in hexadecimal.
    pub file_hash: String,
}

/// Every language but French and English, in the order of their tags.
#[derive(Debug, Clone)]
pub struct Texts(Vec<Text>);

impl Texts {
    /// The languages this program carries, with those of `more` (file names and what the files hold).
    ///
    /// # Errors
    /// [`BadText`] names the file and what is wrong in it.
    pub fn new(more: &[(String, String)], catalogue: &Catalogue) -> Result<Self, BadText> {
        let mut all: Vec<Text> = Vec::new();
        let shipped = SHIPPED_TEXTS.iter().copied();
        for (name, text) in shipped.chain(more.iter().map(|(name, text)| (name.as_str(), text.as_str()))) {
            let file: TranslationFile =
                toml::from_str(text).map_err(|error| BadText::Form(name.to_owned(), Box::new(error)))?;
            let translation =
                Translation::try_from(file).map_err(|error| BadText::Rule(name.to_owned(), error))?;
            if let Some(id) = translation.procedures().find(|id| catalogue.procedure(id).is_none()) {
                return Err(BadText::Unknown(name.to_owned(), id.to_string()));
            }
            if all.iter().any(|other| other.translation.reading() == translation.reading()) {
                return Err(BadText::Twice(name.to_owned()));
            }
            all.push(Text { translation, file_hash: to_hex(&sha256(text.as_bytes())) });
        }
        all.sort_by(|a, b| a.translation.reading().cmp(b.translation.reading()));
        Ok(Self(all))
    }

    /// The same, with the files (`.toml`) of a folder.
    ///
    /// # Errors
    /// [`BadText`].
    pub fn with_folder(folder: Option<&Path>, catalogue: &Catalogue) -> Result<Self, BadText> {
        let mut more = Vec::new();
        if let Some(folder) = folder {
            let unread = |error| BadText::Unread(folder.display().to_string(), error);
            for entry in std::fs::read_dir(folder).map_err(unread)? {
                let path = entry.map_err(unread)?.path();
                if path.extension().is_some_and(|extension| extension == "toml") {
                    let name = path.display().to_string();
                    let text = std::fs::read_to_string(&path);
                    more.push((name.clone(), text.map_err(|error| BadText::Unread(name, error))?));
                }
            }
        }
        Self::new(&more, catalogue)
    }

    /// Each language.
    pub fn each(&self) -> impl Iterator<Item = &Text> {
        self.0.iter()
    }

    /// The language of that tag.
    #[must_use]
    pub fn of(&self, tag: &str) -> Option<&Translation> {
        self.each().map(|text| &text.translation).find(|one| one.reading().as_str() == tag)
    }
}

/// What was presented, and since when: only this service can have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Tag of the language.
    pub language: String,
    /// When the page with the text was made.
    pub opened: Instant,
}

impl Presented {
    fn mac(&self, app: &App, session: &Session, mandate: &MandateId) -> String {
        let opened = self.opened.micros().to_string();
        let parts = [&session.sid, mandate.as_str(), &self.language, &opened];
        app.keys.index().keyed_hash("text_presented", &parts)
    }

    /// The value that the form on that page carries: bound to the session and the mandate.
    #[must_use]
    pub fn seal(&self, app: &App, session: &Session, mandate: &MandateId) -> String {
        format!("{}.{}.{}", self.language, self.opened.micros(), self.mac(app, session, mandate))
    }

    /// Reads such a value back; none when this service did not write it for this session and mandate.
    #[must_use]
    pub fn unseal(sealed: &str, app: &App, session: &Session, mandate: &MandateId) -> Option<Self> {
        let mut parts = sealed.split('.');
        let (language, opened, mac) = (parts.next()?, parts.next()?, parts.next()?);
        let opened = Instant::from_micros(opened.parse().ok()?);
        let presented = Self { language: language.to_owned(), opened };
        let same = crate::crypto::same(presented.mac(app, session, mandate).as_bytes(), mac.as_bytes());
        (same && parts.next().is_none()).then_some(presented)
    }
}

/// The words a language puts beside the sealed text, as long as today's words still give the very text that was sealed.
#[must_use]
pub fn sections(
    app: &App,
    mandate: &Mandate,
    organisation: &str,
    sealed: &str,
    to: &Translation,
) -> Option<Vec<Section>> {
    let today = MandateText::of(organisation, &mandate.terms, &app.catalogue).ok()?;
    (binding_text(&today) == sealed).then(|| today.translated(to))
}

/// SHA-256, in hexadecimal, of the text as presented in that language.
///
/// # Errors
/// [`Error::NotFound`] for a language nobody can have read it in.
pub fn presented_hash(
    app: &App,
    mandate: &Mandate,
    organisation: &str,
    sealed: &str,
    tag: &str,
) -> Result<String, Error> {
    let today = MandateText::of(organisation, &mandate.terms, &app.catalogue).ok();
    let today = today.filter(|today| binding_text(today) == sealed);
    Ok(match (Language::parse(tag), app.texts.of(tag), today) {
        (Some(Language::En), _, Some(today)) => propose::text_hash(&reading_text(&today, Language::En)),
        (Some(_), _, _) => propose::text_hash(sealed),
        (None, Some(to), Some(today)) => propose::text_hash(&today.translated_text(to)),
        _ => return Err(Error::NotFound),
    })
}
