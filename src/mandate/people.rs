//! The parties of a mandate and their standing.

use super::{AidantId, ClientId, Instant, OrganisationId, ProcedureId, Strength, UsagerId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use thiserror::Error;
use time::{Date, Month};

/// Whether a party may act at all. Suspension is reversible; it ends nothing by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Invited, not yet bound to a sign-in of their own.
    Invited,
    /// May act.
    Active,
    /// May not act until reinstated.
    Suspended,
}

/// What an aidant may do beside acting for usagers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Records mandates and carries out procedures.
    Aidant,
    /// Also manages the aidants of the own organisation.
    Referent,
}

/// Where an organisation is, and how to reach it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// Its address on one line, 1 to 200 characters.
    pub address: String,
    /// The town: where its mandates are made.
    pub town: String,
    /// Its telephone number.
    pub telephone: Option<String>,
}

/// The mandatary, as far as decisions need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Identifier.
    pub id: OrganisationId,
    /// Whether it may act.
    pub standing: Standing,
    /// Procedures its referent has closed for everyone in it.
    pub closed_procedures: BTreeSet<ProcedureId>,
}

/// The professional, as far as decisions need them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aidant {
    /// Identifier.
    pub id: AidantId,
    /// The one organisation they act for.
    pub organisation: OrganisationId,
    /// Their role in it.
    pub role: Role,
    /// Whether they may act.
    pub standing: Standing,
    /// Procedures the referent has closed for them.
    pub closed_procedures: BTreeSet<ProcedureId>,
}

/// A relying party, as far as decisions need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelyingParty {
    /// Identifier.
    pub id: ClientId,
    /// Whether the operator lets it in.
    pub standing: Standing,
    /// The procedures it is registered to receive.
    pub procedures: BTreeSet<ProcedureId>,
    /// How much a consent must prove for a mandate to be of use there.
    pub consent: Strength,
}

/// A person's date of birth as civil registers give it: the day, or the month too, may be unknown
/// (`1962-00-00`). It is replayed exactly as first received (contract `franceconnect.md`, 1.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BirthDate {
    year: u16,
    month: u8,
    day: u8,
}

/// Why a text is not a date of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a date of birth is written YYYY-MM-DD, with 00 for an unknown day or month")]
pub struct InvalidBirthDate;

impl BirthDate {
    /// Reads `YYYY-MM-DD`, `YYYY-MM-00` or `YYYY-00-00`.
    ///
    /// # Errors
    /// [`InvalidBirthDate`] for anything else, or a day that does not exist.
    pub fn parse(text: &str) -> Result<Self, InvalidBirthDate> {
        let number = |range: std::ops::Range<usize>| {
            text.get(range)
                .filter(|part| part.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|part| part.parse::<u16>().ok())
                .ok_or(InvalidBirthDate)
        };
        let dashes = text.get(4..5) == Some("-") && text.get(7..8) == Some("-");
        if text.len() != 10 || !dashes {
            return Err(InvalidBirthDate);
        }
        let small = |n: u16| u8::try_from(n).map_err(|_| InvalidBirthDate);
        let date = Self { year: number(0..4)?, month: small(number(5..7)?)?, day: small(number(8..10)?)? };
        let exists = match (date.month, date.day) {
            (0..=12, 0) => true,
            _ => date.exact().is_some(),
        };
        if exists && date.year >= 1850 { Ok(date) } else { Err(InvalidBirthDate) }
    }

    fn exact(&self) -> Option<Date> {
        let month = Month::try_from(self.month).ok()?;
        Date::from_calendar_date(i32::from(self.year), month, self.day).ok()
    }

    /// Whether the person could be under 18 on that day. An unknown day or month counts as the
    /// latest possible one: what cannot be checked is refused (invariant 12).
    #[must_use]
    pub fn may_be_minor(&self, today: Date) -> bool {
        let latest =
            (if self.month == 0 { 12 } else { self.month }, if self.day == 0 { 31 } else { self.day });
        let years = today.year() - i32::from(self.year);
        let reached = (u8::from(today.month()), today.day()) >= latest;
        years < 18 || (years == 18 && !reached)
    }
}

impl std::fmt::Display for BirthDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl TryFrom<String> for BirthDate {
    type Error = InvalidBirthDate;
    fn try_from(text: String) -> Result<Self, InvalidBirthDate> {
        Self::parse(&text)
    }
}

impl From<BirthDate> for String {
    fn from(date: BirthDate) -> String {
        date.to_string()
    }
}

/// The pivot identity of a usager exactly as the citizens' provider gave it. Personal data: it rests
/// sealed under the person's key and has no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// All first names, separated by spaces.
    pub given_name: String,
    /// Birth name.
    pub family_name: String,
    /// Name in use, where different.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferred_username: Option<String>,
    /// `male`, `female` or `unspecified`.
    pub gender: String,
    /// Date of birth, partial dates kept.
    pub birthdate: BirthDate,
    /// COG code of the place of birth; empty when born abroad.
    pub birthplace: String,
    /// COG code of the country of birth.
    pub birthcountry: String,
    /// E-mail address, when the provider gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// A professional's name and address as their provider gave it. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfessionalIdentity {
    /// First name.
    pub given_name: String,
    /// Name in use.
    pub family_name: String,
    /// Professional e-mail address.
    pub email: String,
}

/// The usager as decisions see them: a pseudonymous identifier and when they were last identified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usager {
    /// Identifier.
    pub id: UsagerId,
    /// When the citizens' provider last identified them.
    pub identified_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::date;

    #[test]
    fn birth_dates_keep_what_is_unknown() {
        for text in ["1962-00-00", "1962-07-00", "1942-02-28", "2000-02-29"] {
            assert_eq!(BirthDate::parse(text).map(|d| d.to_string()), Ok(text.to_owned()));
        }
        for bad in
            ["1962-00-12", "1962-7-1", "1962-13-01", "2001-02-29", "", "1962-07-01T00:00", "+962-01-01"]
        {
            assert_eq!(BirthDate::parse(bad), Err(InvalidBirthDate), "{bad}");
        }
    }

    #[test]
    fn a_person_who_may_be_under_eighteen_is_a_minor() {
        let today = date!(2026 - 11 - 22);
        for (birth, minor) in [
            ("2008-11-22", false),
            ("2008-11-23", true),
            ("2008-00-00", true),
            ("2007-00-00", false),
            ("2008-11-00", true),
            ("2008-10-00", false),
            ("2019-01-01", true),
        ] {
            assert_eq!(BirthDate::parse(birth).map(|d| d.may_be_minor(today)), Ok(minor), "{birth}");
        }
    }
}
