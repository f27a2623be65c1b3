//! Instants: whole microseconds since 1970-01-01T00:00:00Z, never a local time.

use serde::{Deserialize, Serialize};
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime};

/// A point in time, in microseconds UTC. Where it comes from is the business of the `Clock` port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Instant(i64);

impl Instant {
    /// An instant from microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the Unix epoch, as journal entries carry them.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// This instant without what is finer than a millisecond. Entries tell time in milliseconds, so
    /// facts that must be told again from entries happen at such instants.
    #[must_use]
    pub const fn to_the_millisecond(self) -> Self {
        Self(self.millis().saturating_mul(1_000))
    }

    /// Whole seconds since the Unix epoch, as tokens carry them.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This instant moved by a duration; saturates at the ends of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(saturated(duration.whole_microseconds())))
    }

    /// How much later this instant is than the other (negative when earlier).
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::microseconds(self.0.saturating_sub(earlier.0))
    }

    /// The instant as a date and time in UTC; the calendar's first or last one when out of its range.
    #[must_use]
    pub fn to_utc(self) -> OffsetDateTime {
        let nearest = if self.0 < 0 { PrimitiveDateTime::MIN } else { PrimitiveDateTime::MAX };
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000)
            .unwrap_or_else(|_| nearest.assume_utc())
    }

    /// The calendar day in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        self.to_utc().date()
    }
}

impl From<OffsetDateTime> for Instant {
    fn from(at: OffsetDateTime) -> Self {
        Self(saturated(at.unix_timestamp_nanos().div_euclid(1_000)))
    }
}

fn saturated(micros: i128) -> i64 {
    i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::{date, datetime};

    #[test]
    fn whole_units_round_down_on_both_sides_of_the_epoch() {
        let at = Instant::from_micros(1_234_567);
        assert_eq!((at.millis(), at.seconds()), (1_234, 1));
        let before = Instant::from_micros(-1);
        assert_eq!((before.millis(), before.seconds()), (-1, -1));
        assert_eq!(before.to_the_millisecond().micros(), -1_000);
        assert_eq!(before.date(), date!(1969 - 12 - 31));
        assert_eq!(Instant::from(datetime!(1969-12-31 23:59:59.999_999_9 UTC)).micros(), -1);
    }

    #[test]
    fn instants_read_back_from_the_calendar() {
        for micros in [0, -1, 1, 1_795_302_645_123_456, -62_135_596_800_000_000] {
            let at = Instant::from_micros(micros);
            assert_eq!(Instant::from(at.to_utc()), at);
        }
        assert_eq!(Instant::from(datetime!(2026-11-22 01:00 +1)).to_utc(), datetime!(2026-11-22 0:00 UTC));
    }

    #[test]
    fn moving_saturates_at_both_ends_and_never_wraps() {
        let (first, last) = (Instant::from_micros(i64::MIN), Instant::from_micros(i64::MAX));
        let now = Instant::from_micros(0);
        assert_eq!(now.plus(Duration::MAX), last);
        assert_eq!(now.plus(Duration::MIN), first);
        assert_eq!(last.plus(Duration::microseconds(1)), last);
        assert_eq!(first.plus(Duration::microseconds(-1)), first);
        assert_eq!(last.since(first), Duration::microseconds(i64::MAX));
        assert_eq!(first.since(last), Duration::microseconds(i64::MIN));
    }

    #[test]
    fn instants_outside_the_calendar_show_as_its_ends() {
        assert_eq!(Instant::from_micros(i64::MAX).date(), Date::MAX);
        assert_eq!(Instant::from_micros(i64::MIN).date(), Date::MIN);
    }

    #[test]
    fn instants_are_written_as_a_bare_number() {
        assert_eq!(serde_json::to_string(&Instant::from_micros(-5)).unwrap(), "-5");
        assert_eq!(serde_json::from_str::<Instant>("-5").unwrap(), Instant::from_micros(-5));
    }
}
