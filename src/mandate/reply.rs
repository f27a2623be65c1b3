//! What a person writes back to a text message, and what they are answered.

use super::notice_text::moment;
use super::{Instant, Language, MandateNumber};

/// The longest text that is looked at, in characters; nobody writes more to say so little.
pub const LONGEST_REPLY: usize = 320;

/// What somebody wrote back.
#[derive(Clone, PartialEq, Eq)]
pub enum Said {
    /// What was done in their name ends: "STOP".
    Stop,
    /// Their mandate ends, by its card: "STOP", the number and the code. No message of ours is needed for that.
    Card {
        /// The mandate's number.
        number: MandateNumber,
        /// The code on the card, as it was written. A secret: no `Debug`.
        code: String,
    },
    /// They do not agree: "NON".
    No,
    /// They agree: "OUI" and the code, or the code alone.
    Yes {
        /// The code as it was written.
        code: String,
    },
    /// Something else.
    Unclear,
}

/// Words that end.
const STOP: [&str; 4] = ["STOP", "ARRET", "ARRETER", "ARRETEZ"];
/// Words that say no.
const NO: [&str; 3] = ["NON", "NO", "REFUS"];
/// Words that say yes.
const YES: [&str; 4] = ["OUI", "YES", "OK", "ACCORD"];
/// Digits of a code that is said on the telephone.
const CODE: usize = 6;

impl Said {
    /// Reads a text as people write it: capitals or not, accents or not, with a greeting before or a signature behind. Of a text
    /// that says no and yes, the no counts; one that says neither is unclear and does nothing.
    #[must_use]
    pub fn read(text: &str) -> Self {
        if text.chars().count() > LONGEST_REPLY {
            return Self::Unclear;
        }
        let plain: String = text.chars().flat_map(char::to_uppercase).map(plain).collect();
        let words: Vec<&str> = plain.split_whitespace().collect();
        let says = |of: &[&str]| words.iter().any(|word| of.contains(word));
        if says(&STOP) {
            return Self::stop(&words);
        }
        if says(&NO) {
            return Self::No;
        }
        let digits: Vec<&str> =
            words.iter().copied().filter(|word| word.bytes().all(|c| c.is_ascii_digit())).collect();
        let code = digits.concat();
        let others = words.len() - digits.len();
        if code.len() == CODE && (says(&YES) || others == 0) { Self::Yes { code } } else { Self::Unclear }
    }

    /// A stop: of the message it answers, or of the mandate whose number and code follow the word.
    fn stop(words: &[&str]) -> Self {
        let after = words.iter().position(|word| STOP.contains(word)).map_or(0, |at| at + 1);
        let rest: String = words.iter().skip(after).copied().collect();
        let (number, code) = rest.split_at_checked(10).unwrap_or((&rest, ""));
        match MandateNumber::parse(number) {
            Some(number) if !code.is_empty() => Self::Card { number, code: code.to_owned() },
            _ => Self::Stop,
        }
    }
}

/// A capital without its accent; whatever is neither letter nor digit parts words.
const fn plain(letter: char) -> char {
    match letter {
        'À' | 'Â' | 'Ä' => 'A',
        'É' | 'È' | 'Ê' | 'Ë' => 'E',
        'Î' | 'Ï' => 'I',
        'Ô' | 'Ö' => 'O',
        'Ù' | 'Û' | 'Ü' => 'U',
        'A'..='Z' | '0'..='9' => letter,
        _ => ' ',
    }
}

/// A short text with what to answer to end the mandate it is about.
#[must_use]
pub fn stop_offered(short: &str, language: Language) -> String {
    match language {
        Language::Fr => format!("{short} Pour mettre fin au mandat, répondez STOP."),
        Language::En => format!("{short} To end the mandate, answer STOP."),
    }
}

/// What a person is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The mandate has ended.
    Ended(MandateNumber),
    /// It was over before, since then.
    OverSince(MandateNumber, Instant),
    /// Their no is kept.
    Denied,
    /// Their yes is kept.
    Agreed,
    /// There is nothing to answer to any more.
    TooLate,
    /// The code is wrong, or counts no more.
    CodeRefused,
    /// Agreeing goes by the page that the message names.
    OnPage,
    /// Nothing was found to end: the number, the code, or the telephone is another.
    NotFound,
    /// It was not understood.
    Unclear,
}

impl Answer {
    /// The text in that language; `revoke` is the address of the page for cards.
    #[must_use]
    pub fn text(self, language: Language, revoke: &str) -> String {
        let pick = |fr: &str, en: &str| if language == Language::Fr { fr.to_owned() } else { en.to_owned() };
        match self {
            Self::Ended(number) => match language {
                Language::Fr => {
                    format!("C’est fait. Le mandat {number} est terminé. Plus personne ne peut s’en servir.")
                }
                Language::En => {
                    format!("It is done. The mandate {number} has ended. Nobody can use it any more.")
                }
            },
            Self::OverSince(number, at) => {
                let at = moment(language, at);
                match language {
                    Language::Fr => {
                        format!("Le mandat {number} est déjà terminé ({at}). Vous n’avez rien à faire.")
                    }
                    Language::En => {
                        format!("The mandate {number} has already ended ({at}). You need do nothing.")
                    }
                }
            }
            Self::Denied => pick(
                "C’est noté : vous n’êtes pas d’accord. Personne ne peut agir en votre nom avec cette demande.",
                "We have noted that you do not agree. Nobody can act in your name by this request.",
            ),
            Self::Agreed => pick(
                "C’est noté : vous êtes d’accord. Vous pouvez changer d’avis à tout moment : répondez STOP.",
                "We have noted that you agree. You can change your mind at any time: answer STOP.",
            ),
            Self::TooLate => pick(
                "Cette demande n’attend plus de réponse. Rien n’a changé.",
                "This request waits for no answer any more. Nothing has changed.",
            ),
            Self::CodeRefused => pick(
                "Ce code n’est pas le bon, ou il n’est plus valable. Rien n’a changé. Demandez un autre code à votre aidant.",
                "This code is wrong, or no longer valid. Nothing has changed. Ask your helper for another code.",
            ),
            Self::OnPage => pick(
                "Pour dire oui, ouvrez la page indiquée dans notre message. Pour dire non, répondez NON.",
                "To agree, open the page named in our message. To say no, answer NO.",
            ),
            Self::NotFound => match language {
                Language::Fr => format!(
                    "Nous n’avons pas trouvé ce mandat. Rien n’a changé. Vérifiez le numéro et le code de la carte, ou allez sur {revoke}"
                ),
                Language::En => format!(
                    "We have not found this mandate. Nothing has changed. Check the number and the code of the card, or go to {revoke}"
                ),
            },
            Self::Unclear => match language {
                Language::Fr => format!(
                    "Nous n’avons pas compris. Rien n’a changé. Pour mettre fin au mandat, répondez STOP, ou allez sur {revoke}"
                ),
                Language::En => format!(
                    "We have not understood. Nothing has changed. To end the mandate, answer STOP, or go to {revoke}"
                ),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(text: &str) -> &'static str {
        match Said::read(text) {
            Said::Stop => "stop",
            Said::Card { .. } => "card",
            Said::No => "no",
            Said::Yes { .. } => "yes",
            Said::Unclear => "unclear",
        }
    }

    #[test]
    fn a_reply_is_understood_as_people_write_it() {
        for (text, expected) in [
            ("STOP", "stop"),
            (" stop. ", "stop"),
            ("Bonjour, stop svp. Mme Martin", "stop"),
            ("Arrêtez !", "stop"),
            ("NON", "no"),
            ("non merci", "no"),
            ("oui non", "no"),
            ("stop oui 123456", "stop"),
            ("oui 123 456", "yes"),
            ("OUI:123-456", "yes"),
            ("123456", "yes"),
            ("ok", "unclear"),
            ("oui", "unclear"),
            ("oui 12345", "unclear"),
            ("rendez-vous le 123456 ?", "unclear"),
            ("", "unclear"),
            ("قف", "unclear"),
            ("nonne", "unclear"),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
        assert_eq!(kind(&"STOP ".repeat(100)), "unclear");
    }

    #[test]
    fn a_stop_with_number_and_code_is_of_a_card() {
        for text in ["STOP 1820-035-728 abcd-efgh-jkmn-p", "stop 1820035728 ABCDEFGHJKMNP"] {
            let Said::Card { number, code } = Said::read(text) else { panic!("{text}") };
            assert_eq!((number.to_string().as_str(), code.as_str()), ("1820-035-728", "ABCDEFGHJKMNP"));
        }
        assert_eq!(kind("STOP 1820035728"), "stop", "a number alone ends what the message was about");
    }

    #[test]
    fn an_answer_says_what_happened_and_names_nobody() {
        let number = MandateNumber::parse("1820-035-728").unwrap();
        let at = Instant::from_micros(1_795_000_000_000_000);
        for answer in [
            Answer::Ended(number),
            Answer::OverSince(number, at),
            Answer::Denied,
            Answer::Agreed,
            Answer::TooLate,
            Answer::CodeRefused,
            Answer::OnPage,
            Answer::NotFound,
            Answer::Unclear,
        ] {
            let french = answer.text(Language::Fr, "mandats.example.fr/revoquer");
            let english = answer.text(Language::En, "mandats.example.fr/revoquer");
            assert_ne!(french, english);
            let changed = matches!(answer, Answer::Ended(_) | Answer::Denied | Answer::Agreed);
            let nothing = french.contains("Rien n’a changé") || french.contains("rien à faire");
            assert!(changed || nothing || answer == Answer::OnPage, "{french}");
            assert!(french.chars().count() <= 160, "{french}");
        }
    }
}
