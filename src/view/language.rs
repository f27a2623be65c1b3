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

/// French typography: a no-break space before double punctuation and dashes and inside guillemets, so that no line
/// begins with a mark.
#[must_use]
pub fn typeset(language: Language, text: &str) -> String {
    match language {
        Language::En => text.to_owned(),
        Language::Fr => [(" :", "\u{a0}:"), (" ;", "\u{a0};"), (" !", "\u{a0}!"), (" ?", "\u{a0}?")]
            .into_iter()
            .chain([("« ", "«\u{a0}"), (" »", "\u{a0}»"), ("n° ", "n°\u{a0}"), (" –", "\u{a0}–")])
            .fold(text.to_owned(), |text, (plain, fine)| text.replace(plain, fine)),
    }
}

/// A name written from right to left, or with direction marks in it, must not turn the sentence around it: such a
/// value is wrapped in an isolate (Unicode UAX 9). Others stay as they are.
pub(super) fn isolated(value: String) -> String {
    let turns = |c: char| {
        matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
            || ('\u{10800}'..='\u{10fff}').contains(&c)
            || ('\u{1e800}'..='\u{1efff}').contains(&c)
    };
    if value.contains(turns) { format!("\u{2068}{value}\u{2069}") } else { value }
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

    #[test]
    fn a_name_from_right_to_left_is_set_apart() {
        assert_eq!(isolated("Rose".to_owned()), "Rose");
        assert_eq!(isolated("نورة".to_owned()), "\u{2068}نورة\u{2069}");
        assert_eq!(isolated("\u{202e}esoR".to_owned()), "\u{2068}\u{202e}esoR\u{2069}");
    }
}
