//! What a sandbox remembers: things under unguessable names, each for a while.

use crate::clock::{Entropy, NoEntropy, random};
use crate::mandate::Instant;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use time::Duration;

/// Things under names, each with its end.
pub(super) struct Memory<T>(Mutex<HashMap<String, (Instant, T)>>);

impl<T> Default for Memory<T> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<T: Clone> Memory<T> {
    /// Keeps a thing under a fresh name.
    pub(super) fn keep(
        &self,
        entropy: &dyn Entropy,
        thing: T,
        now: Instant,
        life: Duration,
    ) -> Result<String, NoEntropy> {
        let name = fresh(entropy)?;
        self.put(&name, thing, now, life);
        Ok(name)
    }

    /// Keeps a thing under that name, in the place of what was there; forgets what has ended.
    pub(super) fn put(&self, name: &str, thing: T, now: Instant, life: Duration) {
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        things.retain(|_, (end, _)| now < *end);
        things.insert(name.to_owned(), (now.plus(life), thing));
    }

    /// The thing of that name.
    pub(super) fn get(&self, name: &str, now: Instant) -> Option<T> {
        let things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        things.get(name).filter(|(end, _)| now < *end).map(|(_, thing)| thing.clone())
    }

    /// Changes what is there.
    pub(super) fn change(&self, mut change: impl FnMut(&mut T)) {
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        things.values_mut().for_each(|(_, thing)| change(thing));
    }

    /// Takes the thing of that name away: the next who asks finds nothing.
    pub(super) fn take(&self, name: &str, now: Instant) -> Option<T> {
        let mut things = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        things.remove(name).filter(|(end, _)| now < *end).map(|(_, thing)| thing)
    }
}

/// A fresh name nobody can guess.
pub(super) fn fresh(entropy: &dyn Entropy) -> Result<String, NoEntropy> {
    random::<32>(entropy).map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;

    #[test]
    fn things_end_and_are_taken_once() {
        let (memory, entropy) = (Memory::default(), SeededEntropy::new(1));
        let at = Instant::from_micros(0);
        let name = memory.keep(&entropy, "thing", at, Duration::seconds(30)).unwrap();
        let later = at.plus(Duration::seconds(30));
        assert_eq!(memory.get(&name, at), Some("thing"));
        assert_eq!(memory.get(&name, later), None);
        assert_eq!(memory.take(&name, at), Some("thing"));
        assert_eq!(memory.take(&name, at), None);
    }
}
