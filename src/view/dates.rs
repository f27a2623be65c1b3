//! Instants as people read them: legal time in metropolitan France, long form.

pub(super) use crate::mandate::paris;

use crate::mandate::{BirthDate, Instant, Language};
use time::{Date, Month, OffsetDateTime, Weekday};

const fn weekday_name(language: Language, day: Weekday) -> &'static str {
    match language {
        Language::Fr => match day {
            Weekday::Monday => "lundi",
            Weekday::Tuesday => "mardi",
            Weekday::Wednesday => "mercredi",
            Weekday::Thursday => "jeudi",
            Weekday::Friday => "vendredi",
            Weekday::Saturday => "samedi",
            Weekday::Sunday => "dimanche",
        },
        Language::En => match day {
            Weekday::Monday => "Monday",
            Weekday::Tuesday => "Tuesday",
            Weekday::Wednesday => "Wednesday",
            Weekday::Thursday => "Thursday",
            Weekday::Friday => "Friday",
            Weekday::Saturday => "Saturday",
            Weekday::Sunday => "Sunday",
        },
    }
}

/// "dimanche 22 novembre 2026", "Sunday 22 November 2026".
pub(super) fn day(language: Language, date: Date) -> String {
    format!("{} {}", weekday_name(language, date.weekday()), language.day(date))
}

/// "14 h 05", "14:05".
pub(super) fn clock(language: Language, at: OffsetDateTime) -> String {
    match language {
        Language::Fr => format!("{}\u{a0}h\u{a0}{:02}", at.hour(), at.minute()),
        Language::En => format!("{:02}:{:02}", at.hour(), at.minute()),
    }
}

/// "novembre 2026", "November 2026": the day in words without its number.
#[must_use]
pub fn month(language: Language, date: Date) -> String {
    language.day(date).split_once('\u{a0}').map_or_else(String::new, |(_, month)| month.to_owned())
}

/// "dimanche 22 novembre 2026 à 14 h 05", "Sunday 22 November 2026 at 14:05".
#[must_use]
pub fn moment(language: Language, at: Instant) -> String {
    let local = paris(at);
    let joined = match language {
        Language::Fr => "à",
        Language::En => "at",
    };
    format!("{} {joined}\u{a0}{}", day(language, local.date()), clock(language, local))
}

/// "12 mai 1942", "mai 1942" or "1942": as much as the civil register knows.
#[must_use]
pub fn birth(language: Language, date: &BirthDate) -> String {
    let text = date.to_string();
    let mut parts = text.split('-');
    let year = parts.next().unwrap_or_default();
    let mut small = parts.map(|part| part.parse::<u8>().unwrap_or(0));
    let month_of_year = small.next().and_then(|month| Month::try_from(month).ok());
    let number = small.next().unwrap_or(0);
    let date = |day| Date::from_calendar_date(year.parse().ok()?, month_of_year?, day).ok();
    match (date(number), date(1)) {
        (Some(day), _) => language.day(day),
        (None, Some(first)) => month(language, first),
        (None, None) => year.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn instants_are_said_in_full() {
        let noon = Instant::from(datetime!(2026-11-01 13:05 UTC));
        assert_eq!(moment(Language::Fr, noon), "dimanche 1er\u{a0}novembre 2026 à\u{a0}14\u{a0}h\u{a0}05");
        assert_eq!(moment(Language::En, noon), "Sunday 1\u{a0}November 2026 at\u{a0}14:05");
    }

    #[test]
    fn an_unknown_birth_day_is_left_out() {
        for (date, fr, en) in [
            ("1942-05-12", "12\u{a0}mai 1942", "12\u{a0}May 1942"),
            ("1942-05-00", "mai 1942", "May 1942"),
            ("1942-00-00", "1942", "1942"),
        ] {
            let date = BirthDate::parse(date).unwrap();
            assert_eq!(birth(Language::Fr, &date), fr);
            assert_eq!(birth(Language::En, &date), en);
        }
    }
}
