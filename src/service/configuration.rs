//! Under which configuration the service runs: an entry each time it starts under another one.

use super::{App, Caller, Error, Record, record};
use crate::mandate::{EventKind, Instant, Outcome};
use crate::storage::Snapshot;
use crate::storage::search::{self, Filter};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Later than any entry.
const EVER: Instant = Instant::from_micros(i64::MAX);

/// A section of the configuration: its name, and all its settings as text, secrets included.
pub type Section = (&'static str, String);

/// Journals that the service starts under another configuration than the last time, and which sections changed. Of the
/// settings themselves the entry tells nothing: it holds a hash of each section, under a key that is not in the
/// database.
///
/// # Errors
/// [`Error::Store`].
pub async fn note(app: &App, sections: &[Section]) -> Result<(), Error> {
    let index = app.keys.index();
    let hashes: Map<String, Value> = sections
        .iter()
        .map(|(name, text)| ((*name).to_owned(), index.keyed_hash("configuration", &[name, text]).into()))
        .collect();
    let (app_, now) = (Arc::clone(app), app.now());
    app.commit("configuration.note", move |tx| {
        let (app, hashes) = (Arc::clone(&app_), hashes.clone());
        Box::pin(async move {
            let before = last(&app, tx).await?;
            let changed: Vec<&str> = hashes
                .iter()
                .filter(|(name, hash)| before.get(*name) != Some(*hash))
                .map(|(name, _)| name.as_str())
                .collect();
            if !changed.is_empty() {
                let record = Record::done(EventKind::ConfigurationChanged).detail("changed", changed);
                record.detail("sections", hashes.clone()).append(&app, tx, &Caller::default(), now).await?;
            }
            Ok(())
        })
    })
    .await
}

/// The hashes the last such entry tells; none before the first.
async fn last(app: &App, snapshot: &mut Snapshot) -> Result<Map<String, Value>, Error> {
    let wanted = Filter {
        kind: Some(EventKind::ConfigurationChanged),
        outcome: Some(Outcome::Done),
        ..Filter::period(Instant::from_micros(0), EVER)
    };
    let Some(found) = search::find(snapshot, &wanted, None, 1).await?.found.pop() else {
        return Ok(Map::new());
    };
    let act = record::act(app, snapshot, &found.event_id).await?.unwrap_or_default();
    Ok(act.pointer("/detail/sections").and_then(Value::as_object).cloned().unwrap_or_default())
}
