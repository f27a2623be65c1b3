//! The card that ends a mandate: how often its code may be guessed, and what its holder may say.

use super::Instant;
use time::Duration;

/// Wrong codes before a card is locked.
const MOST_FAILURES: u8 = 5;
/// How long the first lock holds; each further one holds twice as long as the one before.
const FIRST_LOCK: Duration = Duration::hours(1);
/// The longest lock: whoever guesses at a card must not keep its holder from it for long.
const LONGEST_LOCK: Duration = Duration::days(1);

/// The wrong codes tried on a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tries {
    /// Wrong codes since the card was made or last locked.
    pub failures: u8,
    /// How many times it was locked.
    pub locks: u32,
    /// The end of the last lock; present exactly when there was one.
    pub locked_until: Option<Instant>,
}

impl Tries {
    /// Whether no code is looked at, not even the right one: else whoever guesses would go on guessing.
    #[must_use]
    pub fn is_locked(&self, now: Instant) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// After one more wrong code: the fifth locks.
    #[must_use]
    pub fn failed(self, now: Instant) -> Self {
        let failures = self.failures.saturating_add(1);
        if failures < MOST_FAILURES {
            return Self { failures, ..self };
        }
        let doubled = FIRST_LOCK.saturating_mul(1 << self.locks.min(5));
        let until = now.plus(doubled.min(LONGEST_LOCK));
        Self { failures: 0, locks: self.locks.saturating_add(1), locked_until: Some(until) }
    }
}

/// Why somebody ends a mandate, if they care to say: a choice and never a text, so that nobody is told of there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndingMotive {
    /// It is done: help is no longer needed.
    Done,
    /// Somebody else helps now.
    OtherHelp,
    /// The help was not what they wanted.
    NotContent,
    /// Something worries them.
    Worried,
}

impl EndingMotive {
    /// Every motive, in the order they are offered.
    pub const ALL: [Self; 4] = [Self::Done, Self::OtherHelp, Self::NotContent, Self::Worried];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::OtherHelp => "other_help",
            Self::NotContent => "not_content",
            Self::Worried => "worried",
        }
    }

    /// The motive of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|motive| motive.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(1_700_000_000_000_000);

    fn five(mut tries: Tries, now: Instant) -> Tries {
        for _ in 0..5 {
            assert!(!tries.is_locked(now));
            tries = tries.failed(now);
        }
        tries
    }

    #[test]
    fn the_fifth_wrong_code_locks_for_an_hour_and_each_further_lock_twice_as_long_a_day_at_most() {
        let (mut tries, mut now) = (Tries::default(), NOW);
        for (locks, hours) in (1..).zip([1, 2, 4, 8, 16, 24, 24, 24]) {
            tries = five(tries, now);
            let until = now.plus(Duration::hours(hours));
            assert_eq!(tries, Tries { failures: 0, locks, locked_until: Some(until) });
            assert!(tries.is_locked(until.plus(Duration::microseconds(-1))) && !tries.is_locked(until));
            now = until;
        }
        let ever = Tries { locks: u32::MAX, failures: u8::MAX, ..tries };
        assert_eq!(ever.failed(now).locked_until, Some(now.plus(LONGEST_LOCK)));
    }

    #[test]
    fn motives_read_back() {
        for motive in EndingMotive::ALL {
            assert_eq!(EndingMotive::parse(motive.as_str()), Some(motive));
        }
        assert_eq!(EndingMotive::parse("because"), None);
    }
}
