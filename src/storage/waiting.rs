//! Who waits for which entry (PostgreSQL): the local sequencer wakes them; entries placed by another
//! replica are found by asking, one question for all who wait.

use crate::mandate::EventId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout_at;

/// The entries someone here waits for.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<EventId, Awaited>>);

/// An entry someone waits for.
struct Awaited {
    since: Instant,
    /// Woken when it has its place; more than one may wait for it.
    woken: Vec<Arc<Notify>>,
}

impl Waiting {
    fn entries(&self) -> MutexGuard<'_, HashMap<EventId, Awaited>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Some of the entries that have been waited for longer than that.
    pub(super) fn longer_than(&self, age: Duration, most: usize) -> Vec<EventId> {
        let entries = self.entries();
        let long = entries.iter().filter(|(_, awaited)| awaited.since.elapsed() > age);
        long.map(|(event, _)| event.clone()).take(most).collect()
    }

    /// How many entries are waited for.
    pub(super) fn count(&self) -> usize {
        self.entries().len()
    }

    /// Begins to wait; before the commit, so that no placing is missed.
    pub(super) fn enter(self: &Arc<Self>, events: Vec<EventId>) -> Ticket {
        let woken = Arc::new(Notify::new());
        let mut entries = self.entries();
        for event in &events {
            let awaited = entries
                .entry(event.clone())
                .or_insert_with(|| Awaited { since: Instant::now(), woken: Vec::new() });
            awaited.woken.push(Arc::clone(&woken));
        }
        drop(entries);
        Ticket { waiting: Arc::clone(self), events, woken }
    }

    /// The entry has its place.
    pub(super) fn placed(&self, event: &EventId) {
        let awaited = self.entries().remove(event);
        for woken in awaited.into_iter().flat_map(|awaited| awaited.woken) {
            woken.notify_one();
        }
    }
}

/// A place in the waiting room; leaves it when dropped.
pub(super) struct Ticket {
    waiting: Arc<Waiting>,
    events: Vec<EventId>,
    woken: Arc<Notify>,
}

impl Ticket {
    /// Whether every entry has its place.
    pub(super) fn all_placed(&self) -> bool {
        let entries = self.waiting.entries();
        !self.events.iter().any(|event| entries.contains_key(event))
    }

    /// Waits until every entry has its place, or the time is up; whether they have.
    pub(super) async fn placed(&self, until: tokio::time::Instant) -> bool {
        while !self.all_placed() {
            if timeout_at(until, self.woken.notified()).await.is_err() {
                return self.all_placed();
            }
        }
        true
    }

    pub(super) fn events(&self) -> &[EventId] {
        &self.events
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut entries = self.waiting.entries();
        for event in &self.events {
            let Some(awaited) = entries.get_mut(event) else { continue };
            awaited.woken.retain(|woken| !Arc::ptr_eq(woken, &self.woken));
            if awaited.woken.is_empty() {
                entries.remove(event);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(number: u8) -> Vec<EventId> {
        (0..number).map(|n| EventId::from_bytes([n; 16])).collect()
    }

    fn soon() -> tokio::time::Instant {
        tokio::time::Instant::now() + Duration::from_millis(20)
    }

    #[tokio::test]
    async fn a_ticket_is_done_when_every_entry_was_placed() {
        let waiting = Arc::new(Waiting::default());
        let ticket = waiting.enter(events(2));
        waiting.placed(&EventId::from_bytes([0; 16]));
        assert!(!ticket.placed(soon()).await);
        waiting.placed(&EventId::from_bytes([1; 16]));
        assert!(ticket.placed(soon()).await);
        waiting.placed(&EventId::from_bytes([9; 16]));
    }

    #[tokio::test]
    async fn all_who_wait_for_one_entry_are_woken_and_leave_one_by_one() {
        let waiting = Arc::new(Waiting::default());
        let (first, second) = (waiting.enter(events(1)), waiting.enter(events(1)));
        drop(waiting.enter(events(1)));
        assert_eq!(waiting.count(), 1);
        let both = async { tokio::join!(first.placed(soon()), second.placed(soon())) };
        let place = async {
            tokio::task::yield_now().await;
            waiting.placed(&EventId::from_bytes([0; 16]));
        };
        assert_eq!(tokio::join!(both, place).0, (true, true));
    }

    #[tokio::test]
    async fn only_entries_that_wait_for_long_are_asked_for() {
        let waiting = Arc::new(Waiting::default());
        let _ticket = waiting.enter(events(3));
        assert!(waiting.longer_than(Duration::from_mins(1), 9).is_empty());
        tokio::time::sleep(Duration::from_millis(2)).await;
        assert_eq!(waiting.longer_than(Duration::from_millis(1), 9).len(), 3);
        assert_eq!(waiting.longer_than(Duration::from_millis(1), 2).len(), 2);
    }

    #[test]
    fn who_stops_waiting_leaves_no_trace() {
        let waiting = Arc::new(Waiting::default());
        drop(waiting.enter(events(3)));
        assert_eq!(waiting.count(), 0);
    }
}
