//! When people work, by the legal time of metropolitan France.

use crate::mandate::{Instant, paris};
use time::{Time, Weekday};

/// The days as settings write them.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Hours of some days of the week: from the first minute on, before the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    days: (u8, u8),
    from: (u8, u8),
    until: (u8, u8),
}

/// The opening hours: what lies in none of these spans lies outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningHours(Vec<Span>);

impl OpeningHours {
    /// Reads spans such as `mon-fri 08:00-20:00, sat 09:00-24:00`.
    #[must_use]
    pub fn parse(spans: &str) -> Option<Self> {
        spans.split(',').map(|text| span(text.trim())).collect::<Option<_>>().map(Self)
    }

    /// Whether the instant lies within them.
    #[must_use]
    pub fn covers(&self, at: Instant) -> bool {
        let local = paris(at);
        let (day, now) = (local.weekday().number_days_from_monday(), minute(local.time()));
        let covers =
            |span: &Span| (span.days.0..=span.days.1).contains(&day) && span.from <= now && now < span.until;
        self.0.iter().any(covers)
    }
}

impl Default for OpeningHours {
    /// Monday to Saturday, from seven to nine in the evening.
    fn default() -> Self {
        Self(vec![Span { days: (0, 5), from: (7, 0), until: (21, 0) }])
    }
}

const fn minute(time: Time) -> (u8, u8) {
    (time.hour(), time.minute())
}

fn span(text: &str) -> Option<Span> {
    let (days, hours) = text.split_once(' ')?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let (from, until) = hours.split_once('-')?;
    let span = Span { days: (day(first)?, day(last)?), from: clock(from)?, until: clock(until)? };
    (span.days.0 <= span.days.1 && span.from < span.until).then_some(span)
}

fn day(name: &str) -> Option<u8> {
    let named = DAYS.iter().find(|(known, _)| *known == name);
    named.map(|(_, day)| day.number_days_from_monday())
}

/// `08:00`; `24:00` is the end of the day.
fn clock(text: &str) -> Option<(u8, u8)> {
    let (hour, minute) = text.split_once(':').filter(|(h, m)| h.len() == 2 && m.len() == 2)?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?;
    let at = (digits(hour)?, digits(minute)?);
    (at.1 < 60 && at <= (24, 0)).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::OffsetDateTime;
    use time::macros::datetime;

    fn hours(spans: &str) -> OpeningHours {
        OpeningHours::parse(spans).unwrap()
    }

    fn covers(hours: &OpeningHours, at: OffsetDateTime) -> bool {
        hours.covers(Instant::from(at))
    }

    #[test]
    fn the_first_minute_is_open_and_the_last_is_not() {
        let hours = hours("mon-fri 08:00-20:00, sat 09:00-24:00");
        // Monday 23 November 2026, winter time.
        assert!(!covers(&hours, datetime!(2026-11-23 06:59:59 UTC)));
        assert!(covers(&hours, datetime!(2026-11-23 07:00 UTC)));
        assert!(covers(&hours, datetime!(2026-11-23 18:59:59 UTC)));
        assert!(!covers(&hours, datetime!(2026-11-23 19:00 UTC)));
        assert!(covers(&hours, datetime!(2026-11-28 22:59:59 UTC)), "Saturday until midnight");
        assert!(!covers(&hours, datetime!(2026-11-28 23:00 UTC)), "Sunday in Paris");
    }

    #[test]
    fn hours_are_those_of_paris_in_summer_and_in_winter() {
        let hours = hours("mon-sun 08:00-20:00");
        assert!(covers(&hours, datetime!(2026-07-01 06:00 UTC)));
        assert!(!covers(&hours, datetime!(2026-12-01 06:00 UTC)));
        assert!(!covers(&hours, datetime!(2026-07-01 18:00 UTC)));
        assert!(covers(&hours, datetime!(2026-12-01 18:00 UTC)));
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for wrong in [
            "",
            "mon",
            "mon 08:00",
            "fri-mon 08:00-20:00",
            "lun 08:00-20:00",
            "mon 20:00-08:00",
            "mon 8:00-20:00",
            "mon 08:00-24:01",
            "mon 08:60-20:00",
            "mon 08:00-20:00 x",
            "mon 08:00-08:00",
            "mon +8:00-20:00",
            "mon 08:00-20:00,",
        ] {
            assert_eq!(OpeningHours::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_default_is_read_as_it_is_written() {
        assert_eq!(hours("mon-sat 07:00-21:00"), OpeningHours::default());
    }
}
