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
