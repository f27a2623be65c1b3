//! How a usager is asked for their consent when they are not in front of the aidant's screen: the ways, what each needs, and
//! the words that carry a code.

use super::{Channel, ConsentChannel, EmailAddress, Language, NoticeText, Telephone, clean};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use time::Date;

/// Wrong codes after which an asking is dead: it can only be asked again.
pub const MOST_WRONG_CODES: u8 = 5;

/// Where a code is sent. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CodeAddress {
    /// By e-mail.
    Email(EmailAddress),
    /// By text message.
    Sms(Telephone),
    /// By a call that reads it out.
    Voice(Telephone),
}

impl CodeAddress {
    /// Who carries it.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Sms(_) => Channel::Sms,
            Self::Voice(_) => Channel::Voice,
        }
    }

    /// The address or number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Email(address) => address.as_str(),
            Self::Sms(number) | Self::Voice(number) => number.as_str(),
        }
    }

    /// Enough of it to recognise it, and too little to use it.
    #[must_use]
    pub fn masked(&self) -> String {
        match self {
            Self::Email(address) => {
                let (local, domain) = address.as_str().split_once('@').unwrap_or_default();
                format!("{}…@{domain}", local.chars().next().unwrap_or('…'))
            }
            Self::Sms(number) | Self::Voice(number) => {
                let digits: Vec<char> = number.as_str().chars().collect();
                let last: String = digits.iter().skip(digits.len().saturating_sub(2)).collect();
                format!("…{last}")
            }
        }
    }
}

/// The kinds of identity documents an aidant may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// A national identity card.
    IdentityCard,
    /// A passport.
    Passport,
    /// A residence permit.
    ResidencePermit,
    /// A driving licence.
    DrivingLicence,
}

impl DocumentKind {
    /// Every kind, in the order they are offered.
    pub const ALL: [Self; 4] =
        [Self::IdentityCard, Self::Passport, Self::ResidencePermit, Self::DrivingLicence];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IdentityCard => "identity_card",
            Self::Passport => "passport",
            Self::ResidencePermit => "residence_permit",
            Self::DrivingLicence => "driving_licence",
        }
    }

    /// The kind of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// A document that was shown: its kind, and the last four signs of its number. No more of it is kept, and no copy. Personal
/// data: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenDocument {
    /// What it is.
    pub kind: DocumentKind,
    /// The last four letters or digits of its number, in capitals.
    pub last: String,
}

/// Why a document's number cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the last four letters or digits of the number are asked for, and no more")]
pub struct InvalidDocument;

impl SeenDocument {
    /// What was shown.
    ///
    /// # Errors
    /// [`InvalidDocument`] for fewer signs, and for more: the whole number must not be kept.
    pub fn new(kind: DocumentKind, last: &str) -> Result<Self, InvalidDocument> {
        let last = last.trim().to_ascii_uppercase();
        let fits = last.len() == 4 && last.bytes().all(|c| c.is_ascii_alphanumeric());
        if fits { Ok(Self { kind, last }) } else { Err(InvalidDocument) }
    }
}

/// What the parties alone may know of an asking. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskingEvidence {
    /// The code, to be sent or printed; none where none is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Where the code is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<CodeAddress>,
    /// The language of what is sent.
    pub language: Language,
    /// The document that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<SeenDocument>,
    /// The language the answer was given in, where a second person has yet to confirm it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_in: Option<String>,
    /// The day written beside the signature; the instant the paper was received is the answer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_on: Option<Date>,
}

/// What a letter with a code says.
#[derive(Clone, Copy)]
pub struct CodeLetter<'a> {
    /// By which way the usager is asked.
    pub channel: ConsentChannel,
    /// Name of the organisation.
    pub organisation: &'a str,
    /// The code as it is shown.
    pub code: &'a str,
    /// Where it is typed, without the scheme.
    pub address: &'a str,
    /// Whether a text message in reply reaches us.
    pub answered: bool,
}

impl CodeLetter<'_> {
    /// The text in that language. It names the organisation, never the person.
    #[must_use]
    pub fn text(&self, language: Language) -> NoticeText {
        let (organisation, code, address) = (clean(self.organisation), self.code, self.address);
        let spoken = self.channel == ConsentChannel::Telephone;
        let (subject, what, never) = match language {
            Language::Fr => (
                "Votre code",
                if spoken {
                    format!(
                        "{organisation} vous demande votre accord au téléphone. Si vous êtes d’accord, dites ce code : {code}"
                    )
                } else {
                    format!(
                        "{organisation} vous demande votre accord. Pour lire et répondre : {address} Code : {code}"
                    )
                },
                "Vous n’avez rien demandé ? Ne donnez ce code à personne : rien ne se passera.",
            ),
            Language::En => (
                "Your code",
                if spoken {
                    format!(
                        "{organisation} asks for your agreement on the telephone. If you agree, say this code: {code}"
                    )
                } else {
                    format!(
                        "{organisation} asks for your agreement. To read and answer: {address} Code: {code}"
                    )
                },
                "You have asked for nothing? Give this code to nobody: nothing will happen.",
            ),
        };
        let short = if self.answered { format!("{what}\n{}", self.replies(language)) } else { what.clone() };
        NoticeText { subject: subject.to_owned(), body: format!("{what}\n\n{never}\n"), short }
    }

    /// What can be answered. Agreeing says what is asked on the telephone and on every page (Code civil art. 1990).
    const fn replies(&self, language: Language) -> &'static str {
        match (matches!(self.channel, ConsentChannel::Telephone), language) {
            (true, Language::Fr) => {
                "Ou répondez OUI et le code, si vous n’êtes ni sous tutelle ni sous curatelle. Pas d’accord : répondez NON."
            }
            (true, Language::En) => {
                "Or answer YES and the code, if you are under no legal protection. You do not agree: answer NO."
            }
            (false, Language::Fr) => "Pas d’accord : répondez NON.",
            (false, Language::En) => "You do not agree: answer NO.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_signs_of_a_document_are_kept_and_never_its_whole_number() {
        for good in ["12ab", " 9Z8Y "] {
            assert_eq!(
                SeenDocument::new(DocumentKind::Passport, good).ok().unwrap().last,
                good.trim().to_uppercase()
            );
        }
        for bad in ["", "123", "12345", "12AB34567", "12-4", "é123"] {
            assert!(SeenDocument::new(DocumentKind::Passport, bad).is_err(), "{bad}");
        }
        for kind in DocumentKind::ALL {
            assert_eq!(DocumentKind::parse(kind.as_str()), Some(kind));
        }
    }

    #[test]
    fn an_address_is_recognised_and_cannot_be_used() {
        let email = CodeAddress::Email(EmailAddress::parse("odette.martin@example.org").unwrap());
        let number = CodeAddress::Sms(Telephone::parse("06 12 34 56 78").unwrap());
        assert_eq!((email.masked().as_str(), number.masked().as_str()), ("o…@example.org", "…78"));
        assert_eq!((email.channel(), number.channel()), (Channel::Email, Channel::Sms));
    }

    #[test]
    fn a_letter_says_who_asks_where_to_answer_and_what_to_do_if_nobody_was_asked() {
        for (channel, language, says) in [
            (ConsentChannel::OwnDevice, Language::Fr, "porteplume.example/accord"),
            (ConsentChannel::Telephone, Language::En, "say this code"),
        ] {
            let letter = CodeLetter {
                channel,
                organisation: "Mairie de\nSaint-Aubin\u{202e}",
                code: "abcd-efgh",
                address: "porteplume.example/accord",
                answered: false,
            };
            assert!(!letter.text(language).short.contains("NO"));
            let replies = CodeLetter { answered: true, ..letter }.text(language).short;
            assert!(
                replies.contains(if language == Language::Fr { "répondez NON" } else { "answer NO" }),
                "{replies}"
            );
            let text = letter.text(language);
            assert!(text.body.contains(says) && text.short.contains(says), "{}", text.body);
            assert!(text.short.contains("Mairie de Saint-Aubin ") && text.short.contains("abcd-efgh"));
            assert!(!text.subject.contains("abcd") && !text.short.contains('\n'));
        }
    }
}
