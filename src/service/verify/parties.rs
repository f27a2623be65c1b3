//! Who is registered, as what, and who is suspended: the last entry about each party against the party's row.

use super::openings::Openings;
use super::told::Told;
use super::{Finding, Report};
use crate::crypto::KeyStore;
use crate::mandate::{EventId, EventKind, Standing};
use crate::service::{Error, registered};
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, aidants, auditors, clients, held, journal, organisations, usagers};
use std::collections::{HashMap, HashSet};

const PAGE: u32 = 500;

/// What the last entry about each party made of it: whether it is suspended.
#[derive(Default)]
pub(super) struct Standings(HashMap<(&'static str, String), bool>);

/// The parties that entries register, with what the last one told of it as a keyed hash. Entries from before they told it
/// only say that there is one.
#[derive(Default)]
pub(super) struct Registrations(HashMap<(&'static str, String), Option<String>>);

/// Whom an entry of that kind registers or binds.
pub(super) const fn registers(kind: EventKind) -> Option<&'static str> {
    match kind {
        EventKind::OrganisationAdded => Some("organisation"),
        EventKind::AidantInvited
        | EventKind::InvitationAccepted
        | EventKind::OtherSignInAsked
        | EventKind::OtherSignInConfirmed
        | EventKind::OtherSignInDenied => Some("aidant"),
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
        if let (true, Some(id)) = (told.is_done(), told.names(party)) {
            let hash = self.0.entry((party, id)).or_default();
            *hash = told.registered().or_else(|| hash.take());
        }
    }

    /// Holds a row against what was told of it, once.
    fn hold(&mut self, row: &Party) -> Held {
        let Some(told) = self.0.remove(&(row.kind, row.id.clone())) else { return Held::Unknown };
        let told = told.unwrap_or_default();
        let both = |hashes: &str| match hashes.split_once(' ') {
            Some((who, rest)) => (who.to_owned(), Some(rest.to_owned())),
            None => (hashes.to_owned(), None),
        };
        let ((told, told_rest), (who, rest)) = (both(&told), both(&row.hash));
        match (told.is_empty() || told == who, told_rest.is_none() || told_rest == rest) {
            (true, true) => Held::AsTold,
            (true, false) => Held::Older,
            (false, _) => Held::Another,
        }
    }
}

/// How a row of a party came out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Held {
    AsTold,
    /// It is the party told of, and something else in the row is otherwise.
    Older,
    /// It is another one than told.
    Another,
    /// Nothing tells of it.
    Unknown,
}

/// A row of a party: which, and what is registered of it.
struct Party {
    kind: &'static str,
    id: String,
    hash: String,
    /// Whether it is still to come for the first time.
    invited: bool,
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

/// The parties whose rows are held against what was told.
struct Checked<'a> {
    openings: &'a mut Openings,
    told: Registrations,
    report: &'a mut Report,
    standings: &'a Standings,
    /// Entries of erasure that stand behind somebody who was erased.
    erasures: HashSet<String>,
}

/// Holds every party's row against its last entry.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    openings: &mut Openings,
    standings: &Standings,
    told: Registrations,
    report: &mut Report,
) -> Result<(), Error> {
    let mut checked = Checked { openings, told, report, standings, erasures: HashSet::new() };
    for row in organisations::list(snapshot).await? {
        let (id, hash) = (row.id.to_string(), registered::organisation(checked.keys(), &row));
        checked
            .hold(snapshot, &Party { kind: "organisation", id, hash, invited: false }, row.standing)
            .await?;
    }
    checked.aidants(snapshot).await?;
    for row in auditors::list(snapshot).await? {
        let (id, hash) = (row.id.to_string(), registered::auditor(checked.keys(), &row));
        let invited = row.subject.is_none();
        checked.hold(snapshot, &Party { kind: "auditor", id, hash, invited }, row.standing).await?;
    }
    for row in clients::list(snapshot).await? {
        let (id, hash) = (row.id.to_string(), registered::client(checked.keys(), &row));
        checked.hold(snapshot, &Party { kind: "client", id, hash, invited: false }, row.standing).await?;
    }
    checked.usagers(snapshot).await?;
    // Whoever is still told of has no row any more.
    for ((party, id), hash) in checked.told.0 {
        if hash.is_some() {
            checked.report.add(Finding::Registered { party, id });
        }
    }
    Ok(())
}

impl Checked<'_> {
    fn keys(&self) -> &KeyStore {
        self.openings.keys()
    }

    async fn hold(&mut self, snapshot: &mut Snapshot, row: &Party, standing: Standing) -> Result<(), Error> {
        self.registered(snapshot, row).await?;
        let Party { kind: party, id, .. } = row;
        // The entries about an erased person name nobody any more.
        let erased = match *party {
            "aidant" => !self.openings.has_key(KeyKind::Aidant, id),
            "auditor" => !self.openings.has_key(KeyKind::Auditor, id),
            _ => false,
        };
        let told = match self.standings.of(party, id) {
            Some(true) => Standing::Suspended,
            _ if row.invited => Standing::Invited,
            _ => Standing::Active,
        };
        if !erased && told != standing {
            self.report.add(Finding::Standing { party, id: id.clone() });
        }
        Ok(())
    }

    async fn registered(&mut self, snapshot: &mut Snapshot, row: &Party) -> Result<(), Error> {
        let held = self.told.hold(row);
        if held == Held::AsTold || self.may_stand(snapshot, row, held).await? {
            return Ok(());
        }
        let (party, id) = (row.kind, row.id.clone());
        self.report.add(match held {
            Held::Unknown => Finding::Unregistered { party, id },
            _ => Finding::Registered { party, id },
        });
        Ok(())
    }

    async fn aidants(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let page = aidants::page(snapshot, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            last.id.as_str().clone_into(&mut after);
            for row in page {
                let (id, hash) = (row.id.to_string(), registered::aidant(self.keys(), &row));
                let invited = row.subject.is_none();
                self.hold(snapshot, &Party { kind: "aidant", id, hash, invited }, row.standing).await?;
            }
        }
    }

    async fn usagers(&mut self, snapshot: &mut Snapshot) -> Result<(), Error> {
        let mut after = String::new();
        loop {
            let page = usagers::page(snapshot, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            last.id.as_str().clone_into(&mut after);
            for row in page {
                let id = row.id.to_string();
                let hash = registered::usager(self.keys(), &row);
                self.registered(snapshot, &Party { kind: "usager", id, hash, invited: false }).await?;
            }
        }
    }

    /// Whether a row that is not as told may stand there: the entry behind it waits for its place, tells of an erasure, or
    /// is past its time. Only usagers are registered by entries that are destroyed in time.
    async fn may_stand(&mut self, snapshot: &mut Snapshot, row: &Party, held: Held) -> Result<bool, Error> {
        let behind = held::behind(snapshot, row.kind, &row.id).await?;
        let Some(event) = behind.and_then(|event| EventId::parse(&event).ok()) else { return Ok(false) };
        let Some(entry) = journal::entry(snapshot, &event).await? else { return Ok(false) };
        let Some(told) = Told::read(snapshot, self.openings, &event, &entry.entry).await? else {
            let past = entry.leaf.is_some() && self.openings.is_past(entry.at);
            return Ok(row.kind == "usager" && held != Held::Another && past);
        };
        // Each entry of an erasure stands behind one person.
        let erased =
            row.kind == "usager" && held == Held::Unknown && told.kind() == Some(EventKind::PersonErased);
        let waits = entry.leaf.is_none() && told.names(row.kind).as_ref() == Some(&row.id);
        Ok(waits || (erased && self.erasures.insert(event.to_string())))
    }
}
