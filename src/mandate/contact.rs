//! How a usager wants to be told what is done in their name: a channel of their choice, and the address it needs.

use super::Language;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why a text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not an address that can be written to")]
pub struct InvalidAddress;

/// The longest e-mail address (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const LONGEST_EMAIL: usize = 254;
/// The longest part before the at sign (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL: usize = 64;

/// An e-mail address in the form mail servers take everywhere: a dot-atom and a domain in ASCII (RFC 5321). Personal data: no
/// `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// Reads an address; spaces around it are not part of it. A domain of another script is written in its ASCII form
    /// (`xn--`).
    ///
    /// # Errors
    /// [`InvalidAddress`] for quoted parts, address literals, domains of one label and whatever else is no such address.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidAddress)?;
        let atom = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&c);
        let dotted =
            |part: &str, of: &dyn Fn(&str) -> bool| part.split('.').all(|one| !one.is_empty() && of(one));
        let label = |one: &str| {
            let inner = one.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
            inner && one.len() <= 63 && !one.starts_with('-') && !one.ends_with('-')
        };
        let local_fits = local.len() <= LONGEST_LOCAL && dotted(local, &|one| one.bytes().all(atom));
        let named = domain.rsplit('.').next().is_some_and(|top| top.bytes().any(|c| c.is_ascii_alphabetic()));
        let domain_fits = domain.contains('.') && named && dotted(domain, &label);
        if text.len() > LONGEST_EMAIL || !local_fits || !domain_fits {
            return Err(InvalidAddress);
        }
        Ok(Self(format!("{local}@{}", domain.to_ascii_lowercase())))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = InvalidAddress;
    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        Self::parse(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.0
    }
}

/// Country codes of France: the mainland, and the regions and territories overseas (Arcep, plan national de numérotation).
const FRANCE: [&str; 9] = ["33", "262", "590", "594", "596", "508", "681", "687", "689"];

/// A telephone number as all networks know it (E.164): a plus sign, the country and the number. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Telephone(String);

impl Telephone {
    /// Reads a number as people write it: `06 12 34 56 78` is one of the mainland's, `0033` is `+33`, and the `(0)` after a
    /// country goes. The mainland's numbers that begin as overseas ones do (`0262`, `0692`, …) are theirs.
    ///
    /// # Errors
    /// [`InvalidAddress`] for numbers outside France, and for what is no number.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim().replace("(0)", "");
        let plain = |c: &char| !matches!(c, ' ' | '.' | '-' | '(' | ')' | '\u{a0}' | '\u{202f}');
        let text: String = text.chars().filter(plain).collect();
        let digits = |text: &str| text.bytes().all(|c| c.is_ascii_digit());
        let number = if let Some(number) = text.strip_prefix('+') {
            number.to_owned()
        } else if let Some(number) = text.strip_prefix("00") {
            number.to_owned()
        } else if let Some(number) = text.strip_prefix('0') {
            format!("{}{number}", overseas(number).unwrap_or("33"))
        } else {
            return Err(InvalidAddress);
        };
        let country = FRANCE.iter().find(|country| number.starts_with(**country)).ok_or(InvalidAddress)?;
        let own = number.strip_prefix(country).unwrap_or_default();
        let fits = match *country {
            // Nine digits after the code, the first of which is no zero.
            "33" | "262" | "590" | "594" | "596" => own.len() == 9 && !own.starts_with('0'),
            // Six digits, and eight in French Polynesia.
            "508" | "681" | "687" => own.len() == 6 || (*country == "508" && own.len() == 9),
            _ => own.len() == 8,
        };
        if fits && digits(&number) { Ok(Self(format!("+{number}"))) } else { Err(InvalidAddress) }
    }

    /// The number, with its plus sign.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The country code behind a number dialled within France: overseas ranges share the mainland's plan.
fn overseas(number: &str) -> Option<&'static str> {
    let begins = |starts: &[&str]| starts.iter().any(|start| number.starts_with(start));
    match number {
        _ if begins(&["262", "263", "269", "639", "692", "693"]) => Some("262"),
        _ if begins(&["590", "690", "691"]) => Some("590"),
        _ if begins(&["594", "694"]) => Some("594"),
        _ if begins(&["596", "696", "697"]) => Some("596"),
        _ => None,
    }
}

impl TryFrom<String> for Telephone {
    type Error = InvalidAddress;
    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        Self::parse(&text)
    }
}

impl From<Telephone> for String {
    fn from(number: Telephone) -> String {
        number.0
    }
}

/// By which way a usager is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// By e-mail.
    Email,
    /// By text message.
    Sms,
    /// By a call that reads the text out.
    Voice,
    /// On paper, handed over at the desk: what everybody gets who has chosen nothing.
    Paper,
    /// Not at all: they look into their space themselves.
    None,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 5] = [Self::Email, Self::Sms, Self::Voice, Self::Paper, Self::None];

    /// The stable name, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Voice => "voice",
            Self::Paper => "paper",
            Self::None => "none",
        }
    }

    /// The channel of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }

    /// Whether somebody carries the text away, by a wire or a network.
    #[must_use]
    pub const fn is_carried(self) -> bool {
        matches!(self, Self::Email | Self::Sms | Self::Voice)
    }
}

/// Why a choice cannot be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidContact {
    /// E-mail was chosen, and there is no e-mail address.
    #[error("an e-mail address is needed for that channel")]
    EmailNeeded,
    /// A call or a text message was chosen, and there is no number.
    #[error("a telephone number is needed for that channel")]
    TelephoneNeeded,
}

/// What a usager chose. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// Their e-mail address, if they gave one.
    pub email: Option<EmailAddress>,
    /// Their telephone number, if they gave one.
    pub telephone: Option<Telephone>,
    /// The way they chose.
    pub channel: Channel,
    /// The language they are told in.
    pub language: Language,
}

impl Contact {
    /// Where the chosen channel leads; nothing when it leads nowhere.
    #[must_use]
    pub fn address(&self) -> Option<&str> {
        match self.channel {
            Channel::Email => self.email.as_ref().map(EmailAddress::as_str),
            Channel::Sms | Channel::Voice => self.telephone.as_ref().map(Telephone::as_str),
            Channel::Paper | Channel::None => None,
        }
    }

    /// Checks that the chosen channel has the address it needs.
    ///
    /// # Errors
    /// [`InvalidContact`].
    pub fn check(self) -> Result<Self, InvalidContact> {
        match self.channel {
            Channel::Email if self.email.is_none() => Err(InvalidContact::EmailNeeded),
            Channel::Sms | Channel::Voice if self.telephone.is_none() => Err(InvalidContact::TelephoneNeeded),
            _ => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_are_read_and_nothing_else_is() {
        for (text, read) in [
            ("marie@exemple.fr", "marie@exemple.fr"),
            (" Marie.L+a@Exemple.FR ", "Marie.L+a@exemple.fr"),
            ("o'neil@xn--tampes-9ua.example", "o'neil@xn--tampes-9ua.example"),
        ] {
            assert_eq!(EmailAddress::parse(text).unwrap().as_str(), read);
        }
        let (long_local, long) = (format!("{}@a.fr", "a".repeat(65)), format!("a@{}fr", "a.".repeat(130)));
        for text in [
            "",
            "marie",
            "marie@",
            "@exemple.fr",
            "marie@exemple",
            "a b@exemple.fr",
            "a@b@exemple..fr",
            ".a@exemple.fr",
            "a.@exemple.fr",
            "\"a\"@exemple.fr",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "a@-a.fr",
            "a@étampes.fr",
            "é@a.fr",
            "a@a.fr\r\nBcc: b@b.fr",
            "a@a.fr,b@b.fr",
            "<a@a.fr>",
            "a@a.fr\0",
            &long_local,
            &long,
        ] {
            assert!(EmailAddress::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn numbers_of_france_are_read_as_people_write_them() {
        for (text, read) in [
            ("06 12 34 56 78", "+33612345678"),
            ("01.23.45.67.89", "+33123456789"),
            ("+33 (0)6 12 34 56 78", "+33612345678"),
            ("0033612345678", "+33612345678"),
            ("0692 12 34 56", "+262692123456"),
            ("+262 692 12 34 56", "+262692123456"),
            ("0690 12 34 56", "+590690123456"),
            ("+594 694 12 34 56", "+594694123456"),
            ("0696-12-34-56", "+596696123456"),
            ("+508 41 23 45", "+508412345"),
            ("+681 72 12 34", "+681721234"),
            ("+687 26 12 34", "+687261234"),
            ("+689 87 12 34 56", "+68987123456"),
        ] {
            assert_eq!(Telephone::parse(text).unwrap().as_str(), read, "{text}");
        }
        for text in [
            "",
            "12",
            "0612345",
            "061234567890",
            "+1 202 555 0100",
            "+33 06 12 34 56 78",
            "06 12 34 56 7a",
            "+",
            "0000",
            "+33612345678\n",
            "tel:+33612345678",
            "٠٦١٢٣٤٥٦٧٨",
            "+689 1234567",
        ] {
            let read = Telephone::parse(text);
            // A line's end around it is no part of it; inside it is nothing of a number.
            assert!(read.is_err() || text.ends_with('\n'), "{text:?}");
        }
        assert!(Telephone::parse("06123\n45678").is_err());
    }

    #[test]
    fn a_channel_without_its_address_cannot_be_chosen() {
        let of = |channel, email: Option<&str>, number: Option<&str>| Contact {
            email: email.map(|text| EmailAddress::parse(text).unwrap()),
            telephone: number.map(|text| Telephone::parse(text).unwrap()),
            channel,
            language: Language::Fr,
        };
        let (email, number) = (Some("a@exemple.fr"), Some("0612345678"));
        for (channel, alone) in [
            (Channel::Email, Err(InvalidContact::EmailNeeded)),
            (Channel::Sms, Err(InvalidContact::TelephoneNeeded)),
            (Channel::Voice, Err(InvalidContact::TelephoneNeeded)),
            (Channel::Paper, Ok(())),
            (Channel::None, Ok(())),
        ] {
            assert_eq!(of(channel, None, None).check().map(drop), alone);
            let whole = of(channel, email, number);
            assert_eq!(whole.address().is_some(), channel.is_carried());
            assert!(whole.check().is_ok());
            assert_eq!(Channel::parse(channel.as_str()), Some(channel));
        }
    }
}
