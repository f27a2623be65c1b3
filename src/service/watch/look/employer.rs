//! Whom an aidant's provider says they work for, where that is not their organisation.

use super::{HABIT, Watcher, up_to};
use crate::journal::{Opening, Slot};
use crate::mandate::{EventId, EventKind, Rule};
use crate::service::{Error, record};
use crate::storage::anomalies;
use crate::storage::search::{Filter, Found};
use serde_json::Value;

impl Watcher<'_> {
    /// An aidant signed in. What one employer was said about once, looked at or not, is not said again.
    pub(super) async fn employer(&mut self, found: &Found) -> Result<(), Error> {
        if self.rules.other_employer == 0 {
            return Ok(());
        }
        let Some(aidant) = found.search.aidant.clone() else { return Ok(()) };
        let told = self.told(found).await?;
        let Some(which) = told.employer.clone() else { return Ok(()) };
        let known = self.raised.iter().any(|raised| raised.subject == which)
            || anomalies::last(self.snapshot, Rule::OtherEmployer, &which).await?.is_some();
        if known {
            return Ok(());
        }
        let kind = Some(EventKind::AidantSignedIn);
        let before = Filter { aidant: Some(aidant), kind, ..up_to(found.at.plus(-HABIT), found.at) };
        let mut same = Vec::new();
        for trace in self.traces(&before).await? {
            if self.employer_of(&trace.event).await?.as_ref() == Some(&which) {
                same.push(trace);
            }
        }
        let finding = self.rules.other_employer(&same);
        self.raise(finding, &which, &told, found.at);
        Ok(())
    }

    async fn employer_of(&mut self, event: &EventId) -> Result<Option<String>, Error> {
        let openings = record::openings(self.app, self.snapshot, event, |slot| slot == Slot::Act).await?;
        let act: Value = openings.first().and_then(Opening::read).unwrap_or_default();
        Ok(act.pointer("/detail/employer_index").and_then(Value::as_str).map(str::to_owned))
    }
}
