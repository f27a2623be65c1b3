//! Rate limits: who asks too often waits.

use crate::config::{Limits, Rate};
use crate::mandate::Instant;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// A minute, in microseconds: the time every rate is given for, and after which an idle caller is as good as new.
const MINUTE: i64 = 60_000_000;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Beginning or answering a sign-in.
    SignIn,
    /// Trying a second-factor code.
    Factor,
    /// An authorisation request.
    Authorize,
    /// A token request.
    Token,
    /// Keying in a card that ends a mandate, or the code of a paper to be verified.
    Card,
}

/// Asked too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooOften {
    /// Whole seconds after which the same question is let through.
    pub retry_after: u32,
}

#[derive(Hash)]
enum Caller<'a> {
    Address(IpAddr),
    Account(&'a str),
    /// All whom there is no more memory for.
    Overflow(bool),
}

/// One token bucket per caller and action, holding a minute's worth: a caller may spend it at once and then gets it
/// back evenly (generic cell rate algorithm, one number a bucket).
///
/// Callers are kept as keyed hashes, so that no address and no account rests here. Memory is bounded: a
/// caller idle for a minute is forgotten without loss, and beyond the bound newcomers share one bucket.
#[derive(Debug)]
pub struct RateLimiter {
    limits: Limits,
    hasher: RandomState,
    buckets: Mutex<Buckets>,
}

/// Two generations, a minute each: what is in neither has a full bucket.
#[derive(Debug, Default)]
struct Buckets {
    current: HashMap<u64, i64>,
    previous: HashMap<u64, i64>,
    turned_at: i64,
}

impl RateLimiter {
    /// A limiter that has seen nobody.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self { limits, hasher: RandomState::new(), buckets: Mutex::default() }
    }

    /// Counts a request from a network address.
    ///
    /// # Errors
    /// [`TooOften`]; the request is then not counted.
    pub fn by_address(&self, action: Action, address: IpAddr, now: Instant) -> Result<(), TooOften> {
        self.count(action, &Caller::Address(address), self.rate(action).per_address, now)
    }

    /// Counts a request for an account, whatever names it: an identifier, or what a person typed.
    ///
    /// # Errors
    /// [`TooOften`]; the request is then not counted.
    pub fn by_account(&self, action: Action, account: &str, now: Instant) -> Result<(), TooOften> {
        self.count(action, &Caller::Account(account), self.rate(action).per_account, now)
    }

    const fn rate(&self, action: Action) -> Rate {
        match action {
            Action::SignIn => self.limits.sign_in,
            Action::Factor => self.limits.factor,
            Action::Authorize => self.limits.authorize,
            Action::Token => self.limits.token,
            Action::Card => self.limits.card,
        }
    }

    fn count(&self, action: Action, caller: &Caller<'_>, rate: u32, now: Instant) -> Result<(), TooOften> {
        let now = now.micros();
        let room = usize::try_from(self.limits.callers / 2).unwrap_or(usize::MAX);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.turn(now);
        let mut key = self.hasher.hash_one((action, caller));
        if buckets.is_unknown(key) && buckets.current.len() >= room {
            let overflow = Caller::Overflow(matches!(caller, Caller::Address(_)));
            key = self.hasher.hash_one((action, overflow));
        }
        // The instant at which this caller's bucket is full again.
        let full_at = buckets.full_at(key).max(now);
        let next = full_at.saturating_add(MINUTE / i64::from(rate.max(1)));
        let wait = next.saturating_sub(now).saturating_sub(MINUTE);
        if wait > 0 {
            let seconds = wait.saturating_add(999_999) / 1_000_000;
            return Err(TooOften { retry_after: u32::try_from(seconds).unwrap_or(u32::MAX) });
        }
        buckets.current.insert(key, next);
        Ok(())
    }
}

impl Buckets {
    fn turn(&mut self, now: i64) {
        let age = now.saturating_sub(self.turned_at);
        if age >= MINUTE {
            self.previous = std::mem::take(&mut self.current);
            if age >= 2 * MINUTE {
                self.previous.clear();
            }
            self.turned_at = now;
        }
    }

    fn is_unknown(&self, key: u64) -> bool {
        !self.current.contains_key(&key) && !self.previous.contains_key(&key)
    }

    fn full_at(&self, key: u64) -> i64 {
        self.current.get(&key).or_else(|| self.previous.get(&key)).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use time::Duration;

    const START: Instant = Instant::from_micros(1_700_000_000_000_000);

    fn limiter(per_account: u32, callers: u32) -> RateLimiter {
        let rate = Rate { per_address: per_account, per_account };
        RateLimiter::new(Limits { sign_in: rate, factor: rate, callers, ..Limits::default() })
    }

    fn ask(limiter: &RateLimiter, who: &str, now: Instant) -> Result<(), TooOften> {
        limiter.by_account(Action::Factor, who, now)
    }

    #[test]
    fn a_minutes_worth_may_be_spent_at_once_and_comes_back_evenly() {
        let limiter = limiter(6, 1000);
        for _ in 0..6 {
            assert_eq!(ask(&limiter, "a", START), Ok(()));
        }
        assert_eq!(ask(&limiter, "a", START), Err(TooOften { retry_after: 10 }));
        let later = START.plus(Duration::seconds(9));
        assert_eq!(ask(&limiter, "a", later), Err(TooOften { retry_after: 1 }));
        assert_eq!(ask(&limiter, "a", START.plus(Duration::seconds(10))), Ok(()));
        assert!(ask(&limiter, "a", START.plus(Duration::seconds(10))).is_err());
    }

    #[test]
    fn callers_actions_and_kinds_are_counted_apart() {
        let limiter = limiter(1, 1000);
        let address = IpAddr::from([192, 0, 2, 1]);
        assert_eq!(ask(&limiter, "192.0.2.1", START), Ok(()));
        assert_eq!(limiter.by_address(Action::Factor, address, START), Ok(()));
        assert_eq!(limiter.by_address(Action::SignIn, address, START), Ok(()));
        assert_eq!(ask(&limiter, "b", START), Ok(()));
        assert!(ask(&limiter, "b", START).is_err());
    }

    #[test]
    fn memory_is_bounded_and_newcomers_beyond_it_share_a_bucket() {
        let limiter = limiter(10, 1000);
        for n in 0..5000 {
            let _ = ask(&limiter, &n.to_string(), START);
        }
        let held = limiter.buckets.lock().unwrap();
        assert!(held.current.len() + held.previous.len() <= 501, "{}", held.current.len());
        drop(held);
        assert_eq!(ask(&limiter, "0", START), Ok(()), "whoever is known keeps an own bucket");
        assert!(ask(&limiter, "one more", START).is_err());
        let after = START.plus(Duration::minutes(2));
        assert_eq!(ask(&limiter, "one more", after), Ok(()), "and room comes back");
    }

    #[test]
    fn no_caller_is_kept_in_the_clear() {
        let limiter = limiter(1, 1000);
        let _ = ask(&limiter, "rose@example.fr", START);
        assert!(!format!("{limiter:?}").contains("rose"));
    }

    proptest! {
        /// Whatever the rhythm of asking: in any span, at most a minute's worth plus what came back meanwhile.
        #[test]
        fn nobody_gets_more_than_the_rate(rate in 1_u32..30, pauses in prop::collection::vec(0_i64..20_000, 1..200)) {
            let limiter = limiter(rate, 1000);
            let (mut now, mut granted) = (START, 0_i64);
            for pause in pauses {
                now = now.plus(Duration::milliseconds(pause));
                granted += i64::from(ask(&limiter, "a", now).is_ok());
            }
            let came_back = now.since(START).whole_microseconds() * i128::from(rate) / i128::from(MINUTE);
            prop_assert!(i128::from(granted) <= i128::from(rate) + came_back + 1);
        }
    }
}
