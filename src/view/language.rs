//! Texts that exist in both languages.

use crate::mandate::Language;

/// A sentence in both languages; neither can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// French.
    pub fr: &'static str,
    /// English.
    pub en: &'static str,
}

impl Text {
    /// The sentence in one language.
    #[must_use]
    pub const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::Fr => self.fr,
            Language::En => self.en,
        }
    }
}

/// French typography: a no-break space before double punctuation and inside guillemets, so that no line begins
/// with a mark.
pub(super) fn typeset(language: Language, text: &str) -> String {
    match language {
        Language::En => text.to_owned(),
        Language::Fr => [(" :", "\u{a0}:"), (" ;", "\u{a0};"), (" !", "\u{a0}!"), (" ?", "\u{a0}?")]
            .into_iter()
            .chain([("« ", "«\u{a0}"), (" »", "\u{a0}»")])
            .fold(text.to_owned(), |text, (plain, fine)| text.replace(plain, fine)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn french_marks_never_begin_a_line() {
        assert_eq!(
            typeset(Language::Fr, "Êtes-vous « Rose » ? Oui : moi !"),
            "Êtes-vous «\u{a0}Rose\u{a0}»\u{a0}? Oui\u{a0}: moi\u{a0}!"
        );
        assert_eq!(typeset(Language::En, "Who: me ?"), "Who: me ?");
    }
}
