//! The outcome of a write: committed, perhaps not yet included.

use super::journal::is_included;
use super::store::Store;
use super::waiting::Ticket;
use crate::mandate::EventId;
use std::time::Duration;
use tokio::time::Instant;

/// The value of a committed write, kept until its entries are included under a signed checkpoint
/// (invariant 3). Say [`Self::included`] to wait, or [`Self::committed`] when the commit alone suffices.
#[must_use = "say whether inclusion is waited for"]
pub struct Written<T> {
    value: T,
    events: Vec<EventId>,
    pending: Option<Ticket>,
}

/// The entries were not included in time. They are committed and will be: ask again, or show "being
/// recorded" and let the person resume. Nothing may be released meanwhile.
#[derive(thiserror::Error)]
#[error("not included in time")]
pub struct NotIncluded<T>(
    /// The write, to wait on again.
    pub Written<T>,
);

impl<T> std::fmt::Debug for NotIncluded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NotIncluded")
    }
}

impl<T> Written<T> {
    pub(super) const fn included_already(value: T, events: Vec<EventId>) -> Self {
        Self { value, events, pending: None }
    }

    pub(super) fn pending(value: T, ticket: Ticket) -> Self {
        Self { value, events: ticket.events().to_vec(), pending: Some(ticket) }
    }

    /// The entries this write appended.
    #[must_use]
    pub fn events(&self) -> &[EventId] {
        &self.events
    }

    /// The value, without waiting: for what leaves nothing the process must not leave before inclusion.
    #[must_use]
    pub fn committed(self) -> T {
        self.value
    }

    /// The value, once every entry is included. At once on SQLite.
    ///
    /// # Errors
    /// [`NotIncluded`] when the time runs out first.
    pub async fn included(self, timeout: Duration) -> Result<T, NotIncluded<T>> {
        let Some(ticket) = &self.pending else { return Ok(self.value) };
        if ticket.placed(Instant::now() + timeout).await { Ok(self.value) } else { Err(NotIncluded(self)) }
    }
}

impl Store {
    /// Waits for entries that were committed earlier, here or elsewhere. Whether they were included in time.
    pub async fn included(&self, events: &[EventId], timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        // Whoever waits before asking misses no placing.
        let ticket = self.awaiting(events);
        if self.are_placed(events).await {
            return true;
        }
        match ticket {
            Some(ticket) => ticket.placed(until).await,
            None => false,
        }
    }

    async fn are_placed(&self, events: &[EventId]) -> bool {
        let events = events.to_vec();
        let asked = self.read("inclusion", move |snapshot| {
            Box::pin(async move {
                for event in &events {
                    if !is_included(snapshot, event).await? {
                        return Ok::<_, super::StoreError>(false);
                    }
                }
                Ok(true)
            })
        });
        // A database that does not answer has not said that the entry is included.
        asked.await.unwrap_or(false)
    }
}
