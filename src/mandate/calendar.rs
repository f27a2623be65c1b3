//! The calendar people live by: legal time in metropolitan France.

use super::Instant;
use time::{Date, Duration, Month, OffsetDateTime, Time, UtcOffset};

/// The instant in Paris: UTC+1, and UTC+2 from the last Sunday of March, 01:00 UTC, to the last Sunday of
/// October, 01:00 UTC (directive 2000/84/CE, articles 2 and 3).
#[must_use]
pub fn paris(at: Instant) -> OffsetDateTime {
    let utc = at.to_utc();
    let summer = change(utc.year(), Month::March) <= utc && utc < change(utc.year(), Month::October);
    let hours = if summer { 2 } else { 1 };
    UtcOffset::from_hms(hours, 0, 0).map_or(utc, |offset| utc.to_offset(offset))
}

/// The last Sunday of the month, 01:00 UTC.
fn change(year: i32, month: Month) -> OffsetDateTime {
    let last = Date::from_calendar_date(year, month, 31).unwrap_or(Date::MIN);
    let back = i64::from(last.weekday().number_days_from_sunday());
    let one = Time::from_hms(1, 0, 0).unwrap_or(Time::MIDNIGHT);
    last.saturating_sub(Duration::days(back)).with_time(one).assume_utc()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    fn at(utc: OffsetDateTime) -> String {
        paris(Instant::from(utc)).to_string()
    }

    #[test]
    fn legal_time_changes_on_the_last_sundays_of_march_and_october() {
        for (utc, local) in [
            (datetime!(2026-03-29 00:59:59 UTC), "2026-03-29 1:59:59.0 +01:00:00"),
            (datetime!(2026-03-29 01:00:00 UTC), "2026-03-29 3:00:00.0 +02:00:00"),
            (datetime!(2026-10-25 00:59:59 UTC), "2026-10-25 2:59:59.0 +02:00:00"),
            (datetime!(2026-10-25 01:00:00 UTC), "2026-10-25 2:00:00.0 +01:00:00"),
            (datetime!(2027-12-31 23:30:00 UTC), "2028-01-01 0:30:00.0 +01:00:00"),
            (datetime!(2028-03-26 01:00:00 UTC), "2028-03-26 3:00:00.0 +02:00:00"),
        ] {
            assert_eq!(at(utc), local);
        }
    }
}
