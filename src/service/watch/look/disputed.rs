//! A usager does not recognise what was done in their name.

use super::Watcher;
use crate::mandate::{Rule, Trace};
use crate::service::Error;
use crate::storage::search::Found;

impl Watcher<'_> {
    /// One word of one person is enough. While an anomaly about the mandate is open, it raises none other.
    pub(super) async fn disputed(&mut self, found: &Found) -> Result<(), Error> {
        let Some(blind) = found.search.mandate.clone() else { return Ok(()) };
        if self.since(Rule::Disputed, &blind, found.at).await?.is_none() {
            return Ok(());
        }
        let told = self.told(found).await?;
        let trace = Trace { event: found.event_id.clone(), at: found.at, usager: None };
        self.raise(Some(self.rules.disputed(&trace)), &blind, &told, found.at);
        Ok(())
    }
}
