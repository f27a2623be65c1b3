//! The mandate's text in a language of the person's own, beside the French one that binds.

use crate::mandate::{PageWords, Section, Term, Translation};

/// A language to read in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingChoice {
    /// Its tag (BCP 47).
    pub tag: String,
    /// Its own name.
    pub name: String,
    /// `ltr` or `rtl`.
    pub dir: &'static str,
}

impl ReadingChoice {
    /// The choice of that translation.
    #[must_use]
    pub fn of(translation: &Translation) -> Self {
        Self {
            tag: translation.reading().as_str().to_owned(),
            name: translation.name().to_owned(),
            dir: translation.direction().as_str(),
        }
    }
}

/// What is shown in the language chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadingHelp {
    /// The language.
    pub choice: ReadingChoice,
    /// The words of the page.
    pub words: PageWords,
    /// Whether somebody reviewed them.
    pub reviewed: bool,
    /// The whole text.
    pub sections: Vec<Section>,
    /// How long.
    pub term: String,
    names: Vec<String>,
}

impl ReadingHelp {
    /// The text in that translation; `names` of the procedures in the order of the mandate.
    #[must_use]
    pub fn new(translation: &Translation, sections: Vec<Section>, term: Term, names: Vec<String>) -> Self {
        Self {
            choice: ReadingChoice::of(translation),
            words: translation.page().clone(),
            reviewed: translation.reviewed(),
            sections,
            term: translation.term(term),
            names,
        }
    }

    /// The procedures' names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }
}

/// Whether a line is in French within a text of another language: it stands whole in an isolate.
pub(super) fn is_french(line: &str) -> bool {
    line.strip_prefix('\u{2068}').is_some_and(|rest| rest.ends_with('\u{2069}'))
}

/// What the pages of a handed-over screen know of languages to read in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Readings {
    /// The languages there are.
    pub choices: Vec<ReadingChoice>,
    /// The one chosen, with its text.
    pub chosen: Option<ReadingHelp>,
    /// What the answer tells of the page it answers.
    pub presented: String,
}

impl Readings {
    /// The tag chosen; nothing without one.
    pub(super) fn tag(&self) -> &str {
        self.chosen.as_ref().map_or("", |help| help.choice.tag.as_str())
    }

    /// The address of a page with a language chosen.
    pub(super) fn address(path: &str, tag: &str) -> String {
        format!("{path}?reading={tag}")
    }
}
