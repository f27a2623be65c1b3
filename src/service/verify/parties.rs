//! Who is suspended: the last entry about each party against the party's row.

use super::openings::Openings;
use super::told::Told;
use super::{Finding, Report};
use crate::mandate::{EventKind, Standing};
use crate::service::Error;
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, aidants, auditors, clients, organisations};
use std::collections::HashMap;

/// What the last entry about each party made of it: whether it is suspended.
#[derive(Default)]
pub(super) struct Standings(HashMap<(&'static str, String), bool>);

/// Which party an entry of that kind suspends (true) or reinstates.
pub(super) const fn changes(kind: EventKind) -> Option<(&'static str, bool)> {
    match kind {
        EventKind::OrganisationSuspended => Some(("organisation", true)),
        EventKind::OrganisationReinstated => Some(("organisation", false)),
        EventKind::AidantSuspended => Some(("aidant", true)),
        EventKind::AidantReinstated => Some(("aidant", false)),
        EventKind::AuditorSuspended => Some(("auditor", true)),
        EventKind::AuditorReinstated => Some(("auditor", false)),
        EventKind::ClientSuspended => Some(("client", true)),
        EventKind::ClientReinstated => Some(("client", false)),
        _ => None,
    }
}

impl Standings {
    /// Notes what an entry says.
    pub(super) fn note(&mut self, told: &Told) {
        let Some((party, suspended)) = told.kind().and_then(changes) else { return };
        if let (true, Some(id)) = (told.is_done(), told.names(party)) {
            self.0.insert((party, id), suspended);
        }
    }

    fn of(&self, party: &'static str, id: &str) -> Option<bool> {
        self.0.get(&(party, id.to_owned())).copied()
    }
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
