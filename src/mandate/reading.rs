//! The languages a mandate's text is read in, and their direction.

use serde::Deserialize;
use std::fmt;

/// A language somebody reads in: a BCP 47 tag of a language with at most a script and a region, written as BCP 47
/// recommends (`ar`, `fa-AF`, `zh-Hant-TW`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reading(String);

impl Reading {
    /// The language of that tag; none for anything else.
    #[must_use]
    pub fn parse(tag: &str) -> Option<Self> {
        let lower = |part: &str| part.bytes().all(|b| b.is_ascii_lowercase());
        let title = |part: &str| {
            let mut bytes = part.bytes();
            bytes.next().is_some_and(|b| b.is_ascii_uppercase()) && bytes.all(|b| b.is_ascii_lowercase())
        };
        let region = |part: &str| match part.len() {
            2 => part.bytes().all(|b| b.is_ascii_uppercase()),
            3 => part.bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        };
        let mut parts = tag.split('-').peekable();
        let language = parts.next().is_some_and(|part| matches!(part.len(), 2 | 3) && lower(part));
        parts.next_if(|part| part.len() == 4 && title(part));
        parts.next_if(|part| region(part));
        (language && parts.next().is_none()).then(|| Self(tag.to_owned()))
    }

    /// The tag.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The reading direction of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Left to right.
    Ltr,
    /// Right to left.
    Rtl,
}

impl Direction {
    /// As in the `dir` attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ltr => "ltr",
            Self::Rtl => "rtl",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_as_bcp_47_writes_them_and_nothing_else_is() {
        for tag in ["ar", "ps", "prs", "fa-AF", "zh-Hant-TW", "es-419"] {
            assert_eq!(Reading::parse(tag).unwrap().as_str(), tag);
        }
        for other in ["", "AR", "a", "arab", "fa-af", "fa_AF", "ar-", "-ar", "fa-AF-x", "ar.1", "ar\"", "é"]
        {
            assert_eq!(Reading::parse(other), None, "{other}");
        }
    }
}
