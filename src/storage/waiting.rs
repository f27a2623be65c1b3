//! Who waits for which entry (PostgreSQL): the local sequencer wakes them; entries placed by another
//! replica are found by asking.

use crate::mandate::EventId;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The entries someone here waits for.
#[derive(Default)]
pub(super) struct Waiting(Mutex<HashMap<EventId, Arc<Notify>>>);

impl Waiting {
    fn entries(&self) -> MutexGuard<'_, HashMap<EventId, Arc<Notify>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
            entries.insert(event.clone(), Arc::clone(&woken));
        }
        drop(entries);
        Ticket { waiting: Arc::clone(self), events, woken }
    }

    /// The entry has its place.
    pub(super) fn placed(&self, event: &EventId) {
        let woken = self.entries().remove(event);
        if let Some(woken) = woken {
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
    /// Whether the local sequencer has placed every entry.
    pub(super) fn all_placed(&self) -> bool {
        let entries = self.waiting.entries();
        !self.events.iter().any(|event| entries.contains_key(event))
    }

    /// Ends when one more entry was placed here.
    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    pub(super) fn events(&self) -> &[EventId] {
        &self.events
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut entries = self.waiting.entries();
        for event in &self.events {
            entries.remove(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(number: u8) -> Vec<EventId> {
        (0..number).map(|n| EventId::from_bytes([n; 16])).collect()
    }

    #[tokio::test]
    async fn a_ticket_is_done_when_every_entry_was_placed() {
        let waiting = Arc::new(Waiting::default());
        let ticket = waiting.enter(events(2));
        waiting.placed(&EventId::from_bytes([0; 16]));
        ticket.woken().await;
        assert!(!ticket.all_placed());
        waiting.placed(&EventId::from_bytes([1; 16]));
        ticket.woken().await;
        assert!(ticket.all_placed());
        waiting.placed(&EventId::from_bytes([9; 16]));
    }

    #[test]
    fn who_stops_waiting_leaves_no_trace() {
        let waiting = Arc::new(Waiting::default());
        drop(waiting.enter(events(3)));
        assert_eq!(waiting.count(), 0);
    }
}
