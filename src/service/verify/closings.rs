//! Procedures closed in organisations and for aidants: those that the last entry about each tells, and no others.

use super::openings::Openings;
use super::told::Told;
use super::{Finding, Report};
use crate::mandate::{EventId, EventKind};
use crate::service::Error;
use crate::storage::data_keys::KeyKind;
use crate::storage::held::{self, ClosedRow};
use crate::storage::{Snapshot, journal};
use std::collections::HashMap;

const PAGE: u32 = 500;

/// For whom procedures are closed: an organisation, and one aidant of it or (empty) everybody.
type Whom = (String, String);

/// What the last entry about each told to be closed, in order.
#[derive(Default)]
pub(super) struct Closings(HashMap<Whom, Vec<String>>);

/// Whether entries of that kind tell what is closed.
pub(super) const fn is_kept(kind: EventKind) -> bool {
    matches!(kind, EventKind::ProceduresRestricted)
}

impl Closings {
    /// Notes what an entry says. One about an aidant who was erased names nobody any more.
    pub(super) fn note(&mut self, told: &Told) {
        if !told.kind().is_some_and(is_kept) || !told.is_done() {
            return;
        }
        let (Some(organisation), aidant) = (told.names("organisation"), told.names("aidant")) else { return };
        let names_aidant = told.says("slots").is_some_and(|slots| slots.split(' ').any(|slot| slot == "aid"));
        if names_aidant && aidant.is_none() {
            return;
        }
        let mut closed = told.texts("closed");
        closed.sort();
        self.0.insert((organisation, aidant.unwrap_or_default()), closed);
    }
}

/// Holds the rows of each against what was told.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    openings: &Openings,
    mut told: Closings,
    report: &mut Report,
) -> Result<(), Error> {
    let (mut after, mut group) = (ClosedRow::default(), None::<(Whom, Vec<String>)>);
    loop {
        let page = held::closed(snapshot, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        last.clone_into(&mut after);
        for row in page {
            let whom = (row.organisation, row.aidant);
            match &mut group {
                Some((of, closed)) if *of == whom => closed.push(row.procedure),
                other => {
                    if let Some((whom, closed)) = other.replace((whom, vec![row.procedure])) {
                        hold(snapshot, openings, &mut told, (whom, closed), report).await?;
                    }
                }
            }
        }
    }
    if let Some(last) = group {
        hold(snapshot, openings, &mut told, last, report).await?;
    }
    // What is told to be closed for whom nothing is.
    for whom in told.0.iter().filter(|(_, closed)| !closed.is_empty()).map(|(whom, _)| whom.clone()) {
        differs(snapshot, openings, whom, report).await?;
    }
    Ok(())
}

async fn hold(
    snapshot: &mut Snapshot,
    openings: &Openings,
    told: &mut Closings,
    (whom, mut closed): (Whom, Vec<String>),
    report: &mut Report,
) -> Result<(), Error> {
    closed.sort();
    if told.0.remove(&whom).as_ref() == Some(&closed) {
        return Ok(());
    }
    differs(snapshot, openings, whom, report).await
}

/// Names whom it is about, unless they were erased or their last entry waits for its place.
async fn differs(
    snapshot: &mut Snapshot,
    openings: &Openings,
    (organisation, aidant): Whom,
    report: &mut Report,
) -> Result<(), Error> {
    let (party, id) = if aidant.is_empty() { ("organisation", organisation) } else { ("aidant", aidant) };
    let behind = held::behind(snapshot, party, &id).await?;
    let waits = match behind.as_deref().map(EventId::parse) {
        Some(Ok(event)) => journal::entry(snapshot, &event).await?.is_some_and(|entry| entry.leaf.is_none()),
        _ => false,
    };
    let erased = party == "aidant" && behind.is_some() && !openings.has_key(KeyKind::Aidant, &id);
    if !waits && !erased {
        report.add(Finding::Closed { party, id });
    }
    Ok(())
}
