//! Bundles of proofs to take away: what an operator, or an auditor within their grants, exports.

use super::{App, Caller, Error, Record, proof, read, record};
use crate::journal::{BundledEntry, BundledShard, ProofBundle, Slot};
use crate::mandate::{EventId, EventKind, MandateId, Slots};
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, journal, shards};
use std::sync::Arc;

/// The most entries a bundle holds.
pub const MOST_ENTRIES: u32 = 5_000;

/// Which entries an operator exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// From this place on, so many.
    Places {
        /// The first place.
        from: u64,
        /// How many.
        limit: u32,
    },
    /// The whole history of a mandate.
    Mandate(MandateId),
}

/// Makes a bundle of these entries, opened as far as these slots go; its report is still to be written. The export is
/// an entry, and the bundle leaves once that stands.
///
/// # Errors
/// [`Error::NotFound`] when nothing has its place there; [`Error::BeingRecorded`].
pub async fn export(app: &App, wanted: &Wanted, slots: Slots) -> Result<ProofBundle, Error> {
    let (app_, wanted_) = (Arc::clone(app), wanted.clone());
    let bundle = app
        .store
        .read("bundle.export", move |snapshot| {
            Box::pin(async move {
                let events = events(&app_, snapshot, &wanted_).await?;
                let events = events.into_iter().map(|event| (event, slots)).collect();
                collect(&app_, snapshot, events).await
            })
        })
        .await?;
    let record = Record::done(EventKind::JournalExported)
        .detail("by", "operator")
        .detail("slots", slots.as_str())
        .detail("entries", bundle.count());
    let record = match wanted {
        Wanted::Places { from, .. } => record.detail("from", *from),
        Wanted::Mandate(id) => record.about(id),
    };
    let (app_, now) = (Arc::clone(app), app.now());
    app.include("bundle.exported", move |tx| {
        let (app, record) = (Arc::clone(&app_), record.clone());
        Box::pin(async move { record.append(&app, tx, &Caller::default(), now).await.map(drop) })
    })
    .await?;
    Ok(bundle)
}

async fn events(app: &App, snapshot: &mut Snapshot, wanted: &Wanted) -> Result<Vec<EventId>, Error> {
    match wanted {
        Wanted::Places { from, limit } => {
            let rows = journal::entries(snapshot, *from, (*limit).min(MOST_ENTRIES)).await?;
            Ok(rows.into_iter().map(|row| row.event_id).collect())
        }
        Wanted::Mandate(id) => {
            let key = app.vault.find(&app.keys, snapshot, KeyKind::Mandate, id.as_str()).await?;
            let tags = key.ok_or(Error::NotFound)?.tags()?;
            let mut events = Vec::new();
            for number in 1..=u64::from(MOST_ENTRIES) {
                match journal::by_tag(snapshot, &tags.tag(number).to_hex()).await? {
                    Some(row) => events.push(row.event_id),
                    None => break,
                }
            }
            Ok(events)
        }
    }
}

/// Entries with their proofs and what opens them as far as each one's slots go. Who waits for a place is left out.
///
/// # Errors
/// [`Error::NotFound`] when none is left.
pub(super) async fn collect(
    app: &App,
    snapshot: &mut Snapshot,
    events: Vec<(EventId, Slots)>,
) -> Result<ProofBundle, Error> {
    let mut rows = Vec::with_capacity(events.len());
    for (event, slots) in events {
        rows.push((journal::entry(snapshot, &event).await?.ok_or(Error::NotFound)?, slots));
    }
    let heads = proof::covering(app, snapshot, rows.iter().map(|(row, _)| row)).await?;
    let shards = shards::all(snapshot, &app.origin).await?;
    let mut parts = Vec::with_capacity(heads.len());
    for head in &heads {
        let mut entries = Vec::new();
        for (row, slots) in &rows {
            let Some(proof) = proof::under(app, snapshot, row, std::slice::from_ref(head)).await? else {
                continue;
            };
            let shown = |slot: Slot| slots.shows(slot.as_str());
            let openings = record::openings(app, snapshot, &row.event_id, shown).await?;
            entries.push(BundledEntry { proof: proof.log, openings });
        }
        entries.sort_by_key(|entry| entry.proof.index);
        let policy = read::told(app, &app.keys, shards.at(head.start))?;
        parts.push(BundledShard { policy, checkpoint: head.note.clone(), entries });
    }
    let mut parts = parts.into_iter().filter(|part| !part.entries.is_empty());
    let BundledShard { policy, checkpoint, entries } = parts.next().ok_or(Error::NotFound)?;
    Ok(ProofBundle { policy, checkpoint, report: String::new(), entries, further: parts.collect() })
}
