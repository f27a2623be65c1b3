//! What a mandate grants: listed procedures with their acts, and for how long.

use super::{Act, Catalogue, Instant, ProcedureId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;
use time::{Date, Duration, Time};

/// How long a mandate stands, from the moment the organisation accepts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// One day.
    Day,
    /// 31 days.
    Month,
    /// 182 days.
    SixMonths,
    /// 365 days.
    Year,
    /// Until the end of a given day, UTC; within 365 days. Written `YYYY-MM-DD`.
    #[serde(with = "iso_date")]
    Until(Date),
}

time::serde::format_description!(iso_date, Date, "[year]-[month]-[day]");

/// The longest a mandate may stand.
pub const LONGEST: Duration = Duration::days(365);

impl Term {
    /// The instant the mandate ends when it starts at `start`: never more than [`LONGEST`] later, so
    /// that a last day exactly a year away ends at the hour it began, not at that day's midnight.
    #[must_use]
    pub fn end(self, start: Instant) -> Instant {
        let longest = start.plus(LONGEST);
        match self {
            Self::Day => start.plus(Duration::days(1)),
            Self::Month => start.plus(Duration::days(31)),
            Self::SixMonths => start.plus(Duration::days(182)),
            Self::Year => longest,
            Self::Until(day) => end_of(day).min(longest),
        }
    }

    /// The last day that can be chosen as an end date at `now`.
    #[must_use]
    pub fn last_day(now: Instant) -> Date {
        now.plus(LONGEST).date()
    }
}

fn end_of(day: Date) -> Instant {
    Instant::from(day.with_time(Time::MIDNIGHT).assume_utc()).plus(Duration::days(1))
}

/// Why terms cannot be proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidTerms {
    /// No procedure is listed: there is no general mandate (Code civil art. 1988).
    #[error("no procedure is listed")]
    NoProcedure,
    /// A procedure is not in the catalogue.
    #[error("a procedure is unknown")]
    UnknownProcedure,
    /// The end is not after the start.
    #[error("the end date is in the past")]
    EndInPast,
    /// The end is beyond a year.
    #[error("the end date is more than a year away")]
    TooLong,
}

impl InvalidTerms {
    /// Stable code, shown beside the message.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoProcedure => "no_procedure",
            Self::UnknownProcedure => "unknown_procedure",
            Self::EndInPast => "end_in_past",
            Self::TooLong => "end_beyond_a_year",
        }
    }
}

/// Checked terms: at least one known procedure, only delegable acts, an end within a year.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// Granted acts by procedure.
    pub procedures: BTreeMap<ProcedureId, BTreeSet<Act>>,
    /// How long.
    pub term: Term,
    /// Version of the catalogue they were chosen from.
    pub catalogue: String,
}

impl Terms {
    /// Checks a choice of procedures and a term against the catalogue, today.
    ///
    /// # Errors
    /// [`InvalidTerms`] naming the first rule that does not hold.
    pub fn check(
        catalogue: &Catalogue,
        procedures: &BTreeSet<ProcedureId>,
        term: Term,
        now: Instant,
    ) -> Result<Self, InvalidTerms> {
        if procedures.is_empty() {
            return Err(InvalidTerms::NoProcedure);
        }
        let mut granted = BTreeMap::new();
        for id in procedures {
            let procedure = catalogue.procedure(id).ok_or(InvalidTerms::UnknownProcedure)?;
            granted.insert(id.clone(), procedure.acts.clone());
        }
        Self::check_term(term, now)?;
        Ok(Self { procedures: granted, term, catalogue: catalogue.version().to_owned() })
    }

    /// Checks again that the term still gives a future end within a year; asked at proposal,
    /// at consent and at acceptance.
    ///
    /// # Errors
    /// [`InvalidTerms::EndInPast`] or [`InvalidTerms::TooLong`].
    pub fn check_term(term: Term, now: Instant) -> Result<(), InvalidTerms> {
        if let Term::Until(day) = term {
            if day < now.date() {
                return Err(InvalidTerms::EndInPast);
            }
            if day > Term::last_day(now) {
                return Err(InvalidTerms::TooLong);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{catalogue, procedure};
    use super::*;
    use time::OffsetDateTime;
    use time::macros::{date, datetime};

    fn at(moment: OffsetDateTime) -> Instant {
        Instant::from(moment)
    }

    #[test]
    fn each_term_ends_where_it_says() {
        let start = at(datetime!(2026-11-22 10:00 UTC));
        for (term, end) in [
            (Term::Day, datetime!(2026-11-23 10:00 UTC)),
            (Term::Month, datetime!(2026-12-23 10:00 UTC)),
            (Term::SixMonths, datetime!(2027-05-23 10:00 UTC)),
            (Term::Year, datetime!(2027-11-22 10:00 UTC)),
            (Term::Until(date!(2026 - 11 - 22)), datetime!(2026-11-23 00:00 UTC)),
            (Term::Until(date!(2026 - 12 - 31)), datetime!(2027-01-01 00:00 UTC)),
            (Term::Until(date!(2027 - 11 - 21)), datetime!(2027-11-22 00:00 UTC)),
            // A year to the day ends at the hour it began.
            (Term::Until(date!(2027 - 11 - 22)), datetime!(2027-11-22 10:00 UTC)),
        ] {
            assert_eq!(term.end(start), at(end), "{term:?}");
        }
    }

    #[test]
    fn a_leap_day_is_a_day_like_another() {
        let start = at(datetime!(2027-03-01 00:00 UTC));
        assert_eq!(Term::Year.end(start), at(datetime!(2028-02-29 00:00 UTC)));
        assert_eq!(Term::last_day(start), date!(2028 - 02 - 29));
        assert_eq!(Terms::check_term(Term::Until(date!(2028 - 02 - 29)), start), Ok(()));
        let next = Term::Until(date!(2028 - 03 - 01));
        assert_eq!(Terms::check_term(next, start), Err(InvalidTerms::TooLong));
        let leap = at(datetime!(2028-02-28 12:00 UTC));
        assert_eq!(Term::Until(date!(2028 - 02 - 29)).end(leap), at(datetime!(2028-03-01 0:00 UTC)));
    }

    #[test]
    fn an_end_date_is_today_at_the_earliest_and_a_year_away_at_the_latest() {
        let noon = at(datetime!(2026-11-22 12:00 UTC));
        let last_moment = Instant::from_micros(at(datetime!(2026-11-23 0:00 UTC)).micros() - 1);
        for now in [noon, last_moment] {
            for (day, expected) in [
                (date!(2026 - 11 - 21), Err(InvalidTerms::EndInPast)),
                (date!(2026 - 11 - 22), Ok(())),
                (date!(2027 - 11 - 22), Ok(())),
                (date!(2027 - 11 - 23), Err(InvalidTerms::TooLong)),
                (Date::MIN, Err(InvalidTerms::EndInPast)),
                (Date::MAX, Err(InvalidTerms::TooLong)),
            ] {
                assert_eq!(Terms::check_term(Term::Until(day), now), expected, "{day}");
            }
        }
        for term in [Term::Day, Term::Month, Term::SixMonths, Term::Year] {
            assert_eq!(Terms::check_term(term, noon), Ok(()));
        }
    }

    #[test]
    fn terms_take_their_acts_from_the_catalogue_and_nothing_unknown() {
        let now = at(datetime!(2026-11-22 12:00 UTC));
        let check = |ids: &[&str]| {
            let chosen = ids.iter().map(|id| procedure(id)).collect();
            Terms::check(&catalogue(), &chosen, Term::Year, now)
        };
        assert_eq!(check(&[]), Err(InvalidTerms::NoProcedure));
        assert_eq!(check(&["dettes", "inconnue"]), Err(InvalidTerms::UnknownProcedure));
        let terms = check(&["dettes"]).unwrap();
        let granted = BTreeMap::from([(procedure("dettes"), BTreeSet::from([Act::Prepare, Act::Fill]))]);
        assert_eq!((terms.procedures, terms.catalogue.as_str()), (granted, "sample"));
        let past = Term::Until(date!(2026 - 11 - 21));
        let chosen = BTreeSet::from([procedure("dettes")]);
        assert_eq!(Terms::check(&catalogue(), &chosen, past, now), Err(InvalidTerms::EndInPast));
    }

    #[test]
    fn terms_are_written_plainly_and_read_back() {
        let written = r#"{"procedures":{"dettes":["prepare","fill"]},"term":{"until":"2027-02-28"},"catalogue":"sample"}"#;
        let terms: Terms = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string(&terms).unwrap(), written);
        assert_eq!(serde_json::to_string(&Term::SixMonths).unwrap(), r#""six_months""#);
        assert!(serde_json::from_str::<Term>(r#"{"until":"2027-02-29"}"#).is_err());
    }

    #[test]
    fn codes_are_stable() {
        for (error, code) in [
            (InvalidTerms::NoProcedure, "no_procedure"),
            (InvalidTerms::UnknownProcedure, "unknown_procedure"),
            (InvalidTerms::EndInPast, "end_in_past"),
            (InvalidTerms::TooLong, "end_beyond_a_year"),
        ] {
            assert_eq!(error.code(), code);
        }
    }
}
