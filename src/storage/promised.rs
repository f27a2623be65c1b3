//! Promises for entries that are committed and wait for their place (contract of the journal, 4.3).

use super::{Store, StoreError, journal};
use crate::journal::leaf_hash;
use crate::mandate::{EventId, Instant};

impl Store {
    /// A signed promise for each of these entries that is committed, in their order.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when nobody signs here; [`StoreError::Behind`] when signing has ended;
    /// [`StoreError::Signing`]; any fault of reading.
    pub async fn promise(
        &self,
        events: &[EventId],
        now: Instant,
    ) -> Result<Vec<(EventId, String)>, StoreError> {
        let warden = self.warden().ok_or(StoreError::Closed)?;
        // Where signing has ended no place is given any more: that would be promised in vain.
        warden.halt.check()?;
        let signer = &warden.signer;
        let asked = events.to_vec();
        let rows = self.read("promise", move |snapshot| {
            Box::pin(async move {
                let mut rows = Vec::with_capacity(asked.len());
                for event in &asked {
                    rows.extend(journal::entry(snapshot, event).await?);
                }
                Ok::<_, StoreError>(rows)
            })
        });
        let promised = rows.await?.into_iter().map(|row| {
            let note = signer.promise(&row.event_id, &leaf_hash(&row.entry), now);
            Ok((row.event_id, note.map_err(StoreError::Signing)?))
        });
        promised.collect()
    }
}
