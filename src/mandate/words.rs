//! Acts, terms and days in plain words, as the mandate's text and the pages say them.

use super::{Act, Language, Term};
use time::{Date, Month};

impl Act {
    /// The act after "the aidant can" or "the aidant can never".
    #[must_use]
    pub const fn phrase(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Prepare, Language::Fr) => "réunir vos documents et vos informations",
            (Self::Prepare, Language::En) => "gather your documents and information",
            (Self::Fill, Language::Fr) => "remplir le formulaire",
            (Self::Fill, Language::En) => "fill in the form",
            (Self::Submit, Language::Fr) => "envoyer la demande",
            (Self::Submit, Language::En) => "send the request",
            (Self::Sign, Language::Fr) => "signer à votre place",
            (Self::Sign, Language::En) => "sign in your place",
            (Self::Receive, Language::Fr) => "recevoir la réponse",
            (Self::Receive, Language::En) => "receive the answer",
        }
    }
}

impl Term {
    /// How long, on a button or in a list.
    #[must_use]
    pub fn label(self, language: Language) -> String {
        let text = match (self, language) {
            (Self::Day, Language::Fr) => "1\u{a0}jour",
            (Self::Day, Language::En) => "1\u{a0}day",
            (Self::Month, Language::Fr) => "1\u{a0}mois (31\u{a0}jours)",
            (Self::Month, Language::En) => "1\u{a0}month (31\u{a0}days)",
            (Self::SixMonths, Language::Fr) => "6\u{a0}mois (182\u{a0}jours)",
            (Self::SixMonths, Language::En) => "6\u{a0}months (182\u{a0}days)",
            (Self::Year, Language::Fr) => "1\u{a0}an (365\u{a0}jours)",
            (Self::Year, Language::En) => "1\u{a0}year (365\u{a0}days)",
            (Self::Until(day), Language::Fr) => return format!("jusqu’au {}", language.day(day)),
            (Self::Until(day), Language::En) => return format!("until {}", language.day(day)),
        };
        text.to_owned()
    }
}

impl Language {
    /// A calendar day in words: "1er janvier 2027", "1 January 2027".
    #[must_use]
    pub fn day(self, day: Date) -> String {
        let first = if self == Self::Fr && day.day() == 1 { "er" } else { "" };
        format!("{}{first}\u{a0}{} {}", day.day(), self.month(day.month()), day.year())
    }

    const fn month(self, month: Month) -> &'static str {
        let (fr, en) = match month {
            Month::January => ("janvier", "January"),
            Month::February => ("février", "February"),
            Month::March => ("mars", "March"),
            Month::April => ("avril", "April"),
            Month::May => ("mai", "May"),
            Month::June => ("juin", "June"),
            Month::July => ("juillet", "July"),
            Month::August => ("août", "August"),
            Month::September => ("septembre", "September"),
            Month::October => ("octobre", "October"),
            Month::November => ("novembre", "November"),
            Month::December => ("décembre", "December"),
        };
        match self {
            Self::Fr => fr,
            Self::En => en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use time::macros::date;

    #[test]
    fn days_are_said_as_people_say_them() {
        assert_eq!(Language::Fr.day(date!(2027 - 01 - 01)), "1er\u{a0}janvier 2027");
        assert_eq!(Language::Fr.day(date!(2026 - 08 - 15)), "15\u{a0}août 2026");
        assert_eq!(Language::En.day(date!(2027 - 01 - 01)), "1\u{a0}January 2027");
        let until = Term::Until(date!(2026 - 12 - 31));
        assert_eq!(until.label(Language::Fr), "jusqu’au 31\u{a0}décembre 2026");
        assert_eq!(until.label(Language::En), "until 31\u{a0}December 2026");
    }

    #[test]
    fn no_two_acts_or_terms_are_said_alike() {
        let terms = [Term::Day, Term::Month, Term::SixMonths, Term::Year];
        for language in Language::ALL {
            let acts: BTreeSet<_> = Act::ALL.iter().map(|act| act.phrase(language)).collect();
            assert_eq!(acts.len(), Act::ALL.len());
            let labels: BTreeSet<_> = terms.iter().map(|term| term.label(language)).collect();
            assert_eq!(labels.len(), terms.len());
        }
    }
}
