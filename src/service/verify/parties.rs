//! Who is suspended, and what is registered of whom: the last entry about each party against the party's row.

use super::openings::Openings;
use super::told::Told;
use super::{Finding, Report};
use crate::mandate::{EventKind, Standing, UsagerId};
use crate::service::{Error, registered};
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, aidants, auditors, clients, organisations, usagers};
use std::collections::HashMap;

/// What the last entry about each party made of it: whether it is suspended.
#[derive(Default)]
pub(super) struct Standings(HashMap<(&'static str, String), bool>);

/// What the last entry about each party told of its registration, as a keyed hash. Entries from before they told it say
/// nothing.
#[derive(Default)]
pub(super) struct Registrations(HashMap<(&'static str, String), String>);

/// Whom an entry of that kind registers or binds.
pub(super) const fn registers(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::OrganisationAdded => Some("organisation"),
        EventKind::AidantInvited | EventKind::InvitationAccepted => Some("aidant"),
        EventKind::AuditorAdded | EventKind::AuditorBound => Some("auditor"),
        EventKind::UsagerIdentified | EventKind::UsagerSignedIn => Some("usager"),
        EventKind::ClientAdded => Some("client"),
        _ => None,
    }
}

impl Registrations {
    /// Notes what an entry says.
    pub(super) fn note(&mut self, told: &Told) {
        let Some(party) = told.kind().and_then(registers) else { return };
        if let (true, Some(id), Some(hash)) = (told.is_done(), told.names(party), told.registered()) {
            self.0.insert((party, id), hash);
        }
    }

    /// Holds a row against what was told of it, once.
    fn hold(&mut self, party: &'static str, id: &str, hash: &str, report: &mut Report) {
        if self.0.remove(&(party, id.to_owned())).is_some_and(|told| told != hash) {
            report.add(Finding::Registered { party, id: id.to_owned() });
        }
    }
}

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
    mut registrations: Registrations,
    report: &mut Report,
) -> Result<(), Error> {
    let mut rows: Vec<(&'static str, String, Standing)> = Vec::new();
    let (keys, told) = (openings.keys(), &mut registrations);
    for organisation in organisations::list(snapshot).await? {
        for row in aidants::of_organisation(snapshot, &organisation.id).await? {
            told.hold("aidant", row.id.as_str(), &registered::aidant(keys, &row), report);
            rows.push(("aidant", row.id.to_string(), row.standing));
        }
        let id = organisation.id.as_str();
        told.hold("organisation", id, &registered::organisation(keys, &organisation), report);
        rows.push(("organisation", organisation.id.to_string(), organisation.standing));
    }
    for row in auditors::list(snapshot).await? {
        told.hold("auditor", row.id.as_str(), &registered::auditor(keys, &row), report);
        rows.push(("auditor", row.id.to_string(), row.standing));
    }
    for row in clients::list(snapshot).await? {
        told.hold("client", row.id.as_str(), &registered::client(keys, &row), report);
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
    of_usagers(snapshot, openings, registrations, report).await
}

/// Holds the usagers told of against their rows; whoever else is still told of has no row any more.
async fn of_usagers(
    snapshot: &mut Snapshot,
    openings: &Openings,
    mut told: Registrations,
    report: &mut Report,
) -> Result<(), Error> {
    let usagers: Vec<String> =
        told.0.keys().filter(|(party, _)| *party == "usager").map(|(_, id)| id.clone()).collect();
    for id in usagers {
        let row = match UsagerId::parse(&id) {
            Ok(typed) => usagers::load(snapshot, &typed).await?,
            Err(_) => None,
        };
        if let Some(row) = row {
            told.hold("usager", &id, &registered::usager(openings.keys(), &id, &row.iss, &row.sub), report);
        }
    }
    for (party, id) in told.0.into_keys() {
        report.add(Finding::Registered { party, id });
    }
    Ok(())
}
