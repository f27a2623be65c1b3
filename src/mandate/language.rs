//! The languages of the pages and of the mandate's text.

use serde::{Deserialize, Serialize};

/// A language everything is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// French: the one that binds.
    Fr,
    /// English: a translation that helps to read.
    En,
}

impl Language {
    /// Every language, the binding one first.
    pub const ALL: [Self; 2] = [Self::Fr, Self::En];

    /// The language tag (BCP 47), as stored and as in the pages' `lang`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fr => "fr",
            Self::En => "en",
        }
    }

    /// The language of that tag.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.as_str() == tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_read_back_and_nothing_else_does() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.as_str()), Some(language));
        }
        for other in ["", "FR", "fr-FR", "de"] {
            assert_eq!(Language::parse(other), None, "{other}");
        }
    }
}
