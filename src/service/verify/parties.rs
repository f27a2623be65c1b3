//! Who is suspended: the last entry about each party against the party's row.

use super::openings::Openings;
use super::{Finding, Report};
use crate::journal::{Entry, Slot, StoredOpening};
use crate::mandate::{EventKind, Standing};
use crate::service::Error;
use crate::storage::audit::LeafRow;
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, aidants, auditors, clients, organisations};
use serde_json::Value;
use std::collections::HashMap;

/// What the last entry about each party made of it: whether it is suspended.
#[derive(Default)]
pub(super) struct Standings(HashMap<(&'static str, String), bool>);

/// Which party an entry of that kind suspends (true) or reinstates, and the slot that names it.
const fn changes(kind: EventKind) -> Option<(&'static str, Slot, bool)> {
    match kind {
        EventKind::OrganisationSuspended => Some(("organisation", Slot::Ctx, true)),
        EventKind::OrganisationReinstated => Some(("organisation", Slot::Ctx, false)),
        EventKind::AidantSuspended => Some(("aidant", Slot::Aid, true)),
        EventKind::AidantReinstated => Some(("aidant", Slot::Aid, false)),
        EventKind::AuditorSuspended => Some(("auditor", Slot::Aid, true)),
        EventKind::AuditorReinstated => Some(("auditor", Slot::Aid, false)),
        EventKind::ClientSuspended => Some(("client", Slot::Ctx, true)),
        EventKind::ClientReinstated => Some(("client", Slot::Ctx, false)),
        _ => None,
    }
}

impl Standings {
    /// Notes what an entry says, as far as its openings are what it commits to.
    pub(super) fn note(&mut self, leaf: &LeafRow, openings: &[StoredOpening]) {
        let Some(act) = value(openings, Slot::Act) else { return };
        let kind = act.get("kind").and_then(Value::as_str).and_then(EventKind::parse);
        let Some((party, slot, suspended)) = kind.and_then(changes) else { return };
        let done = act.get("outcome").and_then(Value::as_str) == Some("done");
        let entry = leaf.event.as_ref().and_then(|event| Entry::parse(&event.entry).ok());
        let ours = entry.is_some_and(|entry| {
            let mut readable = openings.iter().filter_map(readable);
            readable.all(|opening| entry.is_opened_by(opening))
        });
        let named = value(openings, slot).and_then(|named| Some(named.get(party)?.as_str()?.to_owned()));
        if let (true, true, Some(id)) = (done, ours, named) {
            self.0.insert((party, id), suspended);
        }
    }

    fn of(&self, party: &'static str, id: &str) -> Option<bool> {
        self.0.get(&(party, id.to_owned())).copied()
    }
}

fn readable(opening: &StoredOpening) -> Option<&crate::journal::Opening> {
    match opening {
        StoredOpening::Readable(opening) => Some(opening),
        StoredOpening::Erased | StoredOpening::Unreadable { .. } => None,
    }
}

fn value(openings: &[StoredOpening], slot: Slot) -> Option<Value> {
    openings.iter().filter_map(readable).find(|opening| opening.slot() == slot)?.read()
}

/// Holds every party's row against its last entry.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    openings: &Openings,
    standings: &Standings,
    report: &mut Report,
) -> Result<(), Error> {
    let mut rows: Vec<(&'static str, String, Standing)> = Vec::new();
    for organisation in organisations::list(snapshot).await? {
        for row in aidants::of_organisation(snapshot, &organisation.id).await? {
            rows.push(("aidant", row.id.to_string(), row.standing));
        }
        rows.push(("organisation", organisation.id.to_string(), organisation.standing));
    }
    for row in auditors::list(snapshot).await? {
        rows.push(("auditor", row.id.to_string(), row.standing));
    }
    for row in clients::list(snapshot).await? {
        rows.push(("client", row.id.to_string(), row.standing));
    }
    for (party, id, standing) in rows {
        // The entries about an erased person name nobody any more.
        let erased = match party {
            "aidant" => !openings.has_key(KeyKind::Aidant, &id),
            "auditor" => !openings.has_key(KeyKind::Auditor, &id),
            _ => false,
        };
        let suspended = standing == Standing::Suspended;
        if !erased && standings.of(party, &id).unwrap_or(false) != suspended {
            report.add(Finding::Standing { party, id });
        }
    }
    Ok(())
}
