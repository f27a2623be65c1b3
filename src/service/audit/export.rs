//! What an auditor takes out: a bundle of proofs of what a search gives, opened as far as the grants go.

use super::find::{self, Wanted};
use crate::journal::ProofBundle;
use crate::mandate::EventKind;
use crate::service::{App, Caller, Error, Session, bundle};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Makes a bundle of what a search gives, newest first, at most [`bundle::MOST_ENTRIES`]; its report is still to be written.
/// The export is an entry, shown to every person whose mandate it tells of, and the bundle leaves once that stands.
///
/// # Errors
/// [`Error::Session`] without a purpose or a grant; [`Error::SignIn`] when suspended; [`Error::NotFound`] when nothing is
/// found.
pub async fn export(
    app: &App,
    session: &Session,
    caller: &Caller,
    wanted: Wanted,
) -> Result<ProofBundle, Error> {
    let filter = find::filter(app, &wanted);
    let record = find::told(EventKind::JournalExported, &filter, &wanted);
    let (app_, session_) = (Arc::clone(app), session.clone());
    let (made, seen) = app
        .store
        .read("audit.export", move |snapshot| {
            Box::pin(async move {
                let sight = super::sight(&app_, snapshot, &session_).await?;
                let (mut taken, mut after) = (Vec::new(), wanted.after.clone());
                loop {
                    let (page, next) = find::in_sight(snapshot, &sight, &filter, after.as_ref()).await?;
                    for found in page {
                        if let Some(slots) = sight.slots(&found) {
                            taken.push((found.event_id, slots, found.search.mandate));
                        }
                    }
                    match next {
                        Some(next) if taken.len() < bundle::MOST_ENTRIES as usize => after = Some(next),
                        _ => break,
                    }
                }
                taken.truncate(bundle::MOST_ENTRIES as usize);
                let seen: BTreeSet<String> =
                    taken.iter().filter_map(|(_, _, mandate)| mandate.clone()).collect();
                let events = taken.into_iter().map(|(event, slots, _)| (event, slots)).collect();
                Ok::<_, Error>((bundle::collect(&app_, snapshot, events).await?, seen))
            })
        })
        .await?;
    super::note(app, session, caller, record.detail("entries", made.count()), seen).await?;
    Ok(made)
}
