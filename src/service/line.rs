//! A line of text that people write and others read: a name, a reference, a reason.

use super::InputError;

/// Why a text is no such line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoLine {
    /// Nothing, or a control character in it.
    Unreadable,
    /// More characters than fit.
    TooLong,
}

impl NoLine {
    /// The same of the field it stood in.
    pub(super) const fn in_field(self, field: &'static str) -> InputError {
        match self {
            Self::Unreadable => InputError::Field(field),
            Self::TooLong => InputError::TooLong(field),
        }
    }
}

/// The line without the spaces around it; at most so many characters.
pub(super) fn line(text: &str, longest: usize) -> Result<&str, NoLine> {
    let text = text.trim();
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(NoLine::Unreadable);
    }
    if text.chars().count() > longest { Err(NoLine::TooLong) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_short_clean_and_not_empty() {
        assert_eq!(line("  L’Haÿ ", 5), Ok("L’Haÿ"));
        assert_eq!(line("L’Haÿ", 4), Err(NoLine::TooLong));
        for bad in ["", "  ", "a\nb", "a\u{0}b"] {
            assert_eq!(line(bad, 10), Err(NoLine::Unreadable), "{bad:?}");
        }
    }
}
