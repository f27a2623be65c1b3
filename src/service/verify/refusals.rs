//! What was refused in a usager's name: each line against its entry, and each entry against its line.

use super::openings::Openings;
use super::told::Told;
use super::{Finding, Report};
use crate::mandate::{EventId, EventKind, Instant, MandateId, ProcedureId, StateName, UsagerId};
use crate::service::Error;
use crate::storage::audit;
use crate::storage::data_keys::KeyKind;
use crate::storage::refusals::{self, RefusalRow};
use crate::storage::{Snapshot, journal, mandates};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: u32 = 500;

/// What entries tell of refusals whose line is kept, by event.
#[derive(Default)]
pub(super) struct Refusals(BTreeMap<String, Kept>);

/// A refusal, as its entry tells it.
struct Kept {
    code: Option<String>,
    mandate: Option<String>,
    procedure: Option<String>,
    organisation: String,
    aidant: String,
    client: String,
    usager: Option<String>,
    at: Instant,
}

/// Whether refusals of that kind, when they name who asked for which service, are kept for the usager.
pub(super) const fn is_kept(kind: EventKind) -> bool {
    matches!(
        kind,
        EventKind::RepresentationRefused
            | EventKind::CodeExchangeRefused
            | EventKind::RefreshRefused
            | EventKind::CodeReplayed
            | EventKind::ClaimsRefused
            | EventKind::StandingRefused
    )
}

impl Refusals {
    /// Notes what an entry says. One that names no aidant has no line: nobody was known, or they were erased.
    pub(super) fn note(&mut self, event: &str, told: &Told) {
        if told.is_done() || !told.kind().is_some_and(is_kept) {
            return;
        }
        let named = (told.names("organisation"), told.names("aidant"), told.names("client"));
        let (Some(organisation), Some(aidant), Some(client)) = named else { return };
        let text = |what: &str| told.says(what).map(str::to_owned);
        let kept = Kept {
            code: text("code"),
            mandate: text("mandate"),
            procedure: text("procedure"),
            organisation,
            aidant,
            client,
            usager: told.names("usager"),
            at: told.entry.at(),
        };
        self.0.insert(event.to_owned(), kept);
    }
}

impl Kept {
    fn gives(&self, row: &RefusalRow) -> bool {
        let usager = row.usager.as_ref().map(UsagerId::as_str);
        self.code.as_deref() == Some(row.code.as_str())
            && self.mandate.as_deref() == row.mandate.as_ref().map(MandateId::as_str)
            && self.procedure.as_deref() == row.procedure.as_ref().map(ProcedureId::as_str)
            && self.organisation == row.organisation.as_str()
            && self.aidant == row.aidant.as_str()
            && self.client == row.client.as_str()
            // Of a usager who was erased the entry names nobody any more.
            && (self.usager.is_none() || self.usager.as_deref() == usager)
            && self.at.millis() == row.at.millis()
    }
}

/// Holds every line against its entry, and finds the entries whose line was removed.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    openings: &Openings,
    mut told: Refusals,
    report: &mut Report,
) -> Result<(), Error> {
    let mut after = String::new();
    let mut before = None;
    let mut named = BTreeSet::new();
    loop {
        let page = refusals::page(snapshot, &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        last.id.as_str().clone_into(&mut after);
        for row in page {
            let twice = before.replace(row.id.clone()).is_some_and(|before| before == row.id);
            let what = match told.0.remove(row.id.as_str()) {
                _ if twice => "stands twice",
                Some(kept) if kept.gives(&row) => continue,
                Some(_) => "is not what the entry says",
                // Its entry waits for its place, or its aidant was erased.
                None if !openings.has_key(KeyKind::Aidant, row.aidant.as_str()) => continue,
                None if waits(snapshot, &row.id).await? => continue,
                None if past(snapshot, openings, row.mandate.as_ref()).await? => continue,
                None => "stands without an entry that tells of it",
            };
            named.insert(row.id.to_string());
            report.add(Finding::Refusal { event: row.id.to_string(), what });
        }
    }
    for event in audit::stray_refusals(snapshot).await? {
        if named.contains(&event) {
            continue;
        }
        report.add(Finding::Refusal { event, what: "carries another entry" });
    }
    for event in told.0.into_keys() {
        report.add(Finding::Refusal { event, what: "was removed" });
    }
    Ok(())
}

/// Whether an entry is there and has no place yet.
async fn waits(snapshot: &mut Snapshot, event: &EventId) -> Result<bool, Error> {
    Ok(journal::entry(snapshot, event).await?.is_some_and(|entry| entry.leaf.is_none()))
}

/// Whether the mandate is over and its key gone: what its entries told was past its time.
async fn past(
    snapshot: &mut Snapshot,
    openings: &Openings,
    mandate: Option<&MandateId>,
) -> Result<bool, Error> {
    let Some(mandate) = mandate else { return Ok(false) };
    let Some(row) = mandates::load(snapshot, mandate).await? else { return Ok(false) };
    let over = matches!(row.mandate.state.name(), StateName::Ended | StateName::Refused | StateName::Lapsed);
    Ok(over && openings.key_of(snapshot, KeyKind::Mandate, mandate.as_str()).await?.is_none())
}
