//! What an auditor answers about each entry of a sample.

/// A question of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SampleQuestion {
    /// Did a mandate in force cover it?
    Covered,
    /// Does the agreement come from the person: channel, identification, time to read?
    Agreed,
    /// Does it stay within the procedure and the acts granted?
    Within,
    /// Are hour, place and rhythm ordinary?
    Ordinary,
}

impl SampleQuestion {
    /// Every question, in the order in which they are asked and answers are kept.
    pub const ALL: [Self; 4] = [Self::Covered, Self::Agreed, Self::Within, Self::Ordinary];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Agreed => "agreed",
            Self::Within => "within",
            Self::Ordinary => "ordinary",
        }
    }
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Yes,
    /// No.
    No,
    /// It does not apply to this entry, or cannot be told from it.
    Unclear,
}

impl Verdict {
    /// Every answer.
    pub const ALL: [Self; 3] = [Self::Yes, Self::No, Self::Unclear];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unclear => "unclear",
        }
    }

    /// The answer of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == name)
    }
}

/// The answers to every question, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answers(pub [Verdict; 4]);

impl Answers {
    /// The stable form: the answers' names, separated by a space.
    #[must_use]
    pub fn to_text(self) -> String {
        self.0.map(Verdict::as_str).join(" ")
    }

    /// The answers of that form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let answers: Option<Vec<Verdict>> = text.split(' ').map(Verdict::parse).collect();
        answers?.try_into().ok().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_read_back_and_nothing_else_does() {
        for first in Verdict::ALL {
            let answers = Answers([first, Verdict::Yes, Verdict::No, Verdict::Unclear]);
            assert_eq!(Answers::parse(&answers.to_text()), Some(answers));
        }
        for text in ["", "yes", "yes no yes", "yes no yes no yes", "yes no yes maybe", "yes  no yes no"] {
            assert_eq!(Answers::parse(text), None, "{text}");
        }
    }
}
