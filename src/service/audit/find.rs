//! Searches: what an auditor's grants cover, newest first, in pages that neither count nor slow down.

use super::saved::{self, Saved};
use super::sight::Sight;
use crate::mandate::{ClientId, EventId, EventKind, Instant, OrganisationId, Outcome, ProcedureId};
use crate::service::{App, Caller, Error, Record, Session};
use crate::storage::search::{self, Filter, Place, Walked};
use crate::storage::{Snapshot, clients, organisations};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Entries on a page of results.
const PAGE: usize = 50;

/// A person or a mandate, as auditors name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// By identifier.
    Identifier(String),
    /// By pseudonym: the blind index under which entries are found.
    Pseudonym(String),
}

impl Named {
    /// Reads either form: 32 or 16 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match text.len() {
            32 if hex => Some(Self::Identifier(text.to_owned())),
            16 if hex => Some(Self::Pseudonym(text.to_owned())),
            _ => None,
        }
    }

    /// The pseudonym of a mandate, an aidant or a usager (`field`).
    pub(super) fn blind(&self, app: &App, field: &str) -> String {
        match self {
            Self::Identifier(id) => app.keys.index().blind(field, &[id]),
            Self::Pseudonym(blind) => blind.clone(),
        }
    }
}

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// From this instant on.
    pub from: Instant,
    /// Before this instant.
    pub until: Instant,
    /// Only of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Only of this aidant.
    pub aidant: Option<Named>,
    /// Only of this mandate.
    pub mandate: Option<Named>,
    /// Only of this usager.
    pub usager: Option<Named>,
    /// Only at this service.
    pub client: Option<ClientId>,
    /// Only of this procedure.
    pub procedure: Option<ProcedureId>,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only this code of a refusal.
    pub code: Option<String>,
    /// Only older than this one, the last of the page before.
    pub after: Option<Place>,
}

/// An entry in a list: persons and mandates by pseudonym, organisations and services by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Identifier.
    pub id: EventId,
    /// Place, once it has one.
    pub index: Option<u64>,
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
    /// How it came out.
    pub outcome: Outcome,
    /// The refusal's code.
    pub code: Option<String>,
    /// Name of the organisation.
    pub organisation: Option<String>,
    /// Name of the service.
    pub service: Option<String>,
    /// The procedure.
    pub procedure: Option<ProcedureId>,
    /// Pseudonym of the aidant.
    pub aidant: Option<String>,
    /// Pseudonym of the usager.
    pub usager: Option<String>,
    /// Pseudonym of the mandate.
    pub mandate: Option<String>,
}

/// A page of results.
pub struct Found {
    /// The entries, latest first.
    pub entries: Vec<Line>,
    /// Where the next page begins.
    pub next: Option<Place>,
}

/// What a search may choose from, under the purpose stated.
pub struct Offered {
    /// The purpose.
    pub purpose: String,
    /// Organisations in sight: identifier and name.
    pub organisations: Vec<(OrganisationId, String)>,
    /// Services: identifier and name.
    pub services: Vec<(ClientId, String)>,
    /// Searches kept under a name.
    pub saved: Vec<Saved>,
}

/// What a search may choose from.
///
/// # Errors
/// [`Error::Session`] without a purpose or a grant; [`Error::SignIn`] when suspended.
pub async fn offered(app: &App, session: &Session) -> Result<Offered, Error> {
    let purpose = super::purpose(app, session).await?;
    let (app_, session) = (Arc::clone(app), session.clone());
    app.store
        .read("audit.offered", |snapshot| {
            Box::pin(async move {
                let sight = super::sight(&app_, snapshot, &session).await?;
                let organisations = organisations::list(snapshot).await?.into_iter();
                let services = clients::list(snapshot).await?.into_iter();
                let saved = saved::of(&app_, snapshot, &session).await?;
                Ok(Offered {
                    purpose,
                    saved,
                    organisations: organisations
                        .filter(|row| sight.names(&row.id))
                        .map(|row| (row.id, row.name))
                        .collect(),
                    services: services.map(|row| (row.id, row.name)).collect(),
                })
            })
        })
        .await
}

/// Searches, under the purpose stated.
///
/// # Errors
/// [`Error::Session`] without a purpose or a grant; [`Error::SignIn`] when suspended.
pub async fn search(app: &App, session: &Session, caller: &Caller, wanted: Wanted) -> Result<Found, Error> {
    let filter = filter(app, &wanted);
    let record = told(EventKind::JournalSearched, &filter, &wanted);
    let (app_, session_) = (Arc::clone(app), session.clone());
    let found = app
        .store
        .read("audit.search", |snapshot| {
            Box::pin(async move {
                let sight = super::sight(&app_, snapshot, &session_).await?;
                let (found, next) = in_sight(snapshot, &sight, &filter, wanted.after.as_ref()).await?;
                let names = Known::read(&app_, snapshot).await?;
                Ok::<_, Error>(Found {
                    entries: found.into_iter().map(|one| names.line(one)).collect(),
                    next,
                })
            })
        })
        .await?;
    let seen = found.entries.iter().filter_map(|line| line.mandate.clone()).collect();
    super::note(app, session, caller, record, seen).await?;
    Ok(found)
}

/// What the entry of a search or an export tells: persons and mandates by pseudonym.
pub(super) fn told(kind: EventKind, filter: &Filter, wanted: &Wanted) -> Record {
    let mut record =
        Record::done(kind).detail("from", filter.from.millis()).detail("until", filter.until.millis());
    let named = [
        ("organisation", wanted.organisation.as_ref().map(OrganisationId::as_str)),
        ("aidant", filter.aidant.as_deref()),
        ("mandate", filter.mandate.as_deref()),
        ("usager", filter.usager.as_deref()),
        ("client", wanted.client.as_ref().map(ClientId::as_str)),
        ("procedure", wanted.procedure.as_ref().map(ProcedureId::as_str)),
        ("kind", filter.kind.map(EventKind::as_str)),
        ("outcome", filter.outcome.map(Outcome::as_str)),
        ("code", filter.code.as_deref()),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            record = record.detail(name, value);
        }
    }
    record
}

/// Identifiers become the blind indexes entries are found by.
pub(super) fn filter(app: &App, wanted: &Wanted) -> Filter {
    let index = app.keys.index();
    let blind = |field: &str, id: Option<&str>| id.map(|id| index.blind(field, &[id]));
    let person = |field: &str, named: &Option<Named>| named.as_ref().map(|named| named.blind(app, field));
    Filter {
        from: wanted.from,
        until: wanted.until,
        kind: wanted.kind,
        outcome: wanted.outcome,
        code: wanted.code.clone(),
        organisation: blind("organisation", wanted.organisation.as_ref().map(OrganisationId::as_str)),
        aidant: person("aidant", &wanted.aidant),
        mandate: person("mandate", &wanted.mandate),
        usager: person("usager", &wanted.usager),
        client: blind("client", wanted.client.as_ref().map(ClientId::as_str)),
        procedure: blind("procedure", wanted.procedure.as_ref().map(ProcedureId::as_str)),
    }
}

/// A page of what fits and is in sight, and where the next one begins.
pub(super) async fn in_sight(
    snapshot: &mut Snapshot,
    sight: &Sight,
    filter: &Filter,
    after: Option<&Place>,
) -> Result<(Vec<search::Found>, Option<Place>), Error> {
    let mut walks = Vec::new();
    for narrowed in sight.narrow(filter) {
        walks.push(
            search::find(snapshot, &narrowed, after, u32::try_from(PAGE + 1).unwrap_or(u32::MAX)).await?,
        );
    }
    Ok(merged(walks))
}

/// Several walks as one, newest first. What lies beyond the place that one of them has not reached yet waits for the
/// next page, so that none is missed and none comes twice.
fn merged(walks: Vec<Walked>) -> (Vec<search::Found>, Option<Place>) {
    let frontier = walks.iter().filter_map(|walk| walk.reached.clone()).max();
    let found = walks.into_iter().flat_map(|walk| walk.found);
    let mut by_place: BTreeMap<Place, search::Found> =
        found.map(|one| ((one.at, one.event_id.clone()), one)).collect();
    if let Some(frontier) = &frontier {
        by_place = by_place.split_off(frontier);
    }
    let more = by_place.len() > PAGE;
    let page: Vec<search::Found> = by_place.into_values().rev().take(PAGE).collect();
    let last = page.last().map(|last| (last.at, last.event_id.clone()));
    (page, if more { last } else { frontier })
}

/// Names of organisations, services and procedures, by the blind index that stands in entries' place.
pub(super) struct Known {
    organisations: HashMap<String, String>,
    services: HashMap<String, String>,
    procedures: HashMap<String, ProcedureId>,
}

impl Known {
    pub(super) async fn read(app: &App, snapshot: &mut Snapshot) -> Result<Self, Error> {
        let index = app.keys.index();
        let organisations = organisations::list(snapshot).await?.into_iter();
        let services = clients::list(snapshot).await?.into_iter();
        let procedures = app.catalogue.procedures().iter();
        Ok(Self {
            organisations: organisations
                .map(|row| (index.blind("organisation", &[row.id.as_str()]), row.name))
                .collect(),
            services: services.map(|row| (index.blind("client", &[row.id.as_str()]), row.name)).collect(),
            procedures: procedures
                .map(|one| (index.blind("procedure", &[one.id.as_str()]), one.id.clone()))
                .collect(),
        })
    }

    pub(super) fn line(&self, found: search::Found) -> Line {
        let search::Found { event_id, at, search, index } = found;
        // What is not known any more goes by its pseudonym.
        let name =
            |known: &HashMap<String, String>, blind: String| known.get(&blind).cloned().unwrap_or(blind);
        Line {
            id: event_id,
            index,
            at,
            kind: search.kind,
            outcome: search.outcome,
            code: search.code,
            organisation: search.organisation.map(|blind| name(&self.organisations, blind)),
            service: search.client.map(|blind| name(&self.services, blind)),
            procedure: search.procedure.and_then(|blind| self.procedures.get(&blind).cloned()),
            aidant: search.aidant,
            usager: search.usager,
            mandate: search.mandate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::SearchRow;
    use proptest::prelude::*;

    fn found(at: i64) -> search::Found {
        let search = SearchRow {
            kind: EventKind::SignedOut,
            outcome: Outcome::Done,
            code: None,
            organisation: None,
            aidant: None,
            mandate: None,
            usager: None,
            client: None,
            procedure: None,
        };
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&at.to_be_bytes());
        search::Found {
            event_id: EventId::from_bytes(bytes),
            at: Instant::from_micros(at),
            search,
            index: None,
        }
    }

    /// A walk over a window of entries, that stops after so many.
    fn walk(window: &[i64], after: Option<&Place>, stop: usize) -> Walked {
        let mut rest: Vec<_> = window.iter().map(|at| found(*at)).collect();
        rest.sort_by_key(|one| std::cmp::Reverse(one.at));
        rest.dedup();
        rest.retain(|one| after.is_none_or(|after| (one.at, one.event_id.clone()) < *after));
        let reached = (rest.len() > stop).then(|| (rest[stop - 1].at, rest[stop - 1].event_id.clone()));
        rest.truncate(stop);
        Walked { found: rest, reached }
    }

    proptest! {
        #[test]
        fn windows_are_read_as_one_list_in_order_without_gap_or_repetition(
            windows in prop::collection::vec((prop::collection::vec(0_i64..400, 0..200), 1_usize..60), 0..5),
        ) {
            let mut expected: Vec<i64> = windows.iter().flat_map(|(window, _)| window.clone()).collect();
            expected.sort_unstable();
            expected.dedup();
            expected.reverse();
            let (mut after, mut seen) = (None, Vec::new());
            for _ in 0..1_000 {
                let walks = windows.iter().map(|(window, stop)| walk(window, after.as_ref(), *stop)).collect();
                let (page, next) = merged(walks);
                prop_assert!(page.len() <= PAGE);
                seen.extend(page.iter().map(|one| one.at.micros()));
                after = next;
                if after.is_none() { break }
            }
            prop_assert_eq!(seen, expected);
        }
    }

    #[test]
    fn a_person_is_named_by_identifier_or_pseudonym_and_by_nothing_else() {
        let (long, short) = ("0192f3c47d2e7c1a9b3f0e5d6c7b8a90", "0192f3c47d2e7c1a");
        assert_eq!(Named::parse(long), Some(Named::Identifier(long.to_owned())));
        assert_eq!(Named::parse(short), Some(Named::Pseudonym(short.to_owned())));
        for bad in ["", "nobody", "192f3c47d2e7c1a", &long.to_uppercase(), &"é".repeat(16)] {
            assert_eq!(Named::parse(bad), None, "{bad}");
        }
    }
}
