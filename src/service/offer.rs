//! Whom and what an aidant may choose for a service's request: what stands, and what this service may receive.

use super::authorize::{Waiting, append, look};
use super::grounds::Parties;
use super::{App, Caller, Error, Record, Session, people};
use crate::mandate::{
    Act, BirthDate, EventKind, Identity, Instant, Mandate, MandateId, OrganisationId, ProcedureId, Refusal,
    UsagerId,
};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::usagers::{self, UsagerRow};
use crate::storage::{Snapshot, authorizations};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many persons are offered without being looked up.
const OFFERED: usize = 12;
/// How far back "recently" reaches, in representations of the aidant.
const RECENT: u32 = 24;
/// How many standing mandates fill the list of an aidant who has helped few yet.
const FILLING: u32 = 16;
/// How many mandates of one usager are shown, standing or not.
const SHOWN: u32 = 20;

/// A usager to choose.
pub struct Candidate {
    /// Identifier.
    pub usager: UsagerId,
    /// Who it is. Personal data.
    pub identity: Identity,
    /// Their mandates under which something is possible here.
    pub mandates: Vec<MandateId>,
}

/// Whom the aidant may choose.
pub struct Offer {
    /// The request.
    pub waiting: Waiting,
    /// For whom the aidant acts.
    pub organisation: OrganisationId,
    /// Whether they come from a search.
    pub searched: bool,
    /// The persons.
    pub candidates: Vec<Candidate>,
}

/// One procedure of one mandate.
pub struct Choice {
    /// The mandate.
    pub mandate: MandateId,
    /// The procedure.
    pub procedure: ProcedureId,
    /// The acts it would be opened for.
    pub acts: BTreeSet<Act>,
    /// Until when at most, or why not.
    pub decided: Result<Instant, Refusal>,
}

/// What the aidant may choose for one usager.
pub struct Choices {
    /// The request.
    pub waiting: Waiting,
    /// In whose name.
    pub usager: UsagerId,
    /// Who that is. Personal data.
    pub identity: Identity,
    /// What stands, and what does not with its reason.
    pub choices: Vec<Choice>,
}

/// Offers the persons this aidant helped last, or whose mandates stand.
pub async fn offer(app: &App, session: &Session, caller: &Caller, handle: &str) -> Result<Offer, Error> {
    let now = app.now();
    let waiting = look(app, session, handle, now).await?;
    let offer = recent(app, session, waiting, now).await?;
    note_offer(app, session, caller, &offer, false, now).await?;
    Ok(offer)
}

/// Looks a usager up by birth name and birth date, within the own organisation only; the look-up is journaled.
pub async fn find(
    app: &App,
    session: &Session,
    caller: &Caller,
    handle: &str,
    family_name: &str,
    birthdate: &BirthDate,
) -> Result<Offer, Error> {
    let now = app.now();
    let waiting = look(app, session, handle, now).await?;
    let aidant = session.aidant()?.aidant.clone();
    let (app_, row, name, birthdate) =
        (Arc::clone(app), waiting.client_row.clone(), family_name.to_owned(), birthdate.clone());
    let (parties, found) = app
        .store
        .read("authorize.find", move |snapshot| {
            Box::pin(async move {
                let parties = Parties::read(snapshot, &aidant, &row).await?;
                let blind = people::usager_blind(&app_, &parties.organisation.id, &name, &birthdate);
                let mut found = Vec::new();
                for usager in usagers::found(snapshot, &parties.organisation.id, &blind).await? {
                    let organisation = &parties.organisation.id;
                    let rows = mandates::of_usager_in(snapshot, &usager.id, organisation, SHOWN).await?;
                    let identity = people::identity(&app_, snapshot, &usager).await?;
                    // A blind index gives candidates only: the opened value decides.
                    if is_meant(&identity, &name, &birthdate) && !rows.is_empty() {
                        found.push((usager.id, identity, rows));
                    }
                }
                Ok::<_, Error>((parties, found))
            })
        })
        .await?;
    // Whoever is found is shown, with what stands or with nothing: the next page tells why.
    let candidates: Vec<Candidate> = found
        .into_iter()
        .map(|(usager, identity, rows)| Candidate {
            mandates: rows
                .iter()
                .filter(|row| possible(app, &parties, &waiting, row, now))
                .map(|row| row.mandate.id.clone())
                .collect(),
            usager,
            identity,
        })
        .collect();
    let record = Record::done(EventKind::UsagerLookedUp)
        .organisation(&parties.organisation.id)
        .aidant(&parties.aidant.id)
        .client(&waiting.request.client)
        .detail("found", candidates.len());
    let record = match candidates.as_slice() {
        [one] => record.usager(&one.usager),
        _ => record,
    };
    append(app, caller, "authorize.looked_up", record, now).await?;
    Ok(Offer { waiting, organisation: parties.organisation.id, searched: true, candidates })
}

fn is_meant(identity: &Identity, family_name: &str, birthdate: &BirthDate) -> bool {
    let typed = people::plain_name(family_name);
    let names = [Some(&identity.family_name), identity.preferred_username.as_ref()];
    identity.birthdate == *birthdate
        && names.into_iter().flatten().any(|name| people::plain_name(name) == typed)
}

/// What the aidant may choose for one usager of the own organisation.
///
/// # Errors
/// [`Error::NotFound`] for anybody else's usager.
pub async fn choices(
    app: &App,
    session: &Session,
    caller: &Caller,
    handle: &str,
    usager: &UsagerId,
) -> Result<Choices, Error> {
    let now = app.now();
    let waiting = look(app, session, handle, now).await?;
    let aidant = session.aidant()?.aidant.clone();
    let (app_, row, id) = (Arc::clone(app), waiting.client_row.clone(), usager.clone());
    let (parties, rows, identity) = app
        .store
        .read("authorize.choices", move |snapshot| {
            Box::pin(async move {
                let parties = Parties::read(snapshot, &aidant, &row).await?;
                let rows = mandates::of_usager_in(snapshot, &id, &parties.organisation.id, SHOWN).await?;
                if rows.is_empty() {
                    return Err(Error::NotFound);
                }
                let (_, identity) = people::usager(&app_, snapshot, &id).await?;
                Ok((parties, rows, identity))
            })
        })
        .await?;
    let choices: Vec<Choice> =
        rows.iter().flat_map(|row| of_mandate(app, &parties, &waiting, &row.mandate, now)).collect();
    let record = Record::done(EventKind::ChoiceOffered)
        .organisation(&parties.organisation.id)
        .aidant(&parties.aidant.id)
        .usager(usager)
        .client(&waiting.request.client)
        .detail("offered", choices.iter().filter(|choice| choice.decided.is_ok()).count())
        .detail("refused", refused(&choices));
    append(app, caller, "authorize.offered", record, now).await?;
    Ok(Choices { waiting, usager: usager.clone(), identity, choices })
}

/// Why what was not offered was not: the codes of `decide()`, each once.
fn refused(choices: &[Choice]) -> Vec<&'static str> {
    let codes = choices.iter().filter_map(|choice| choice.decided.as_ref().err().map(|code| code.code()));
    codes.collect::<BTreeSet<_>>().into_iter().collect()
}

pub(super) async fn recent(
    app: &App,
    session: &Session,
    waiting: Waiting,
    now: Instant,
) -> Result<Offer, Error> {
    let aidant = session.aidant()?.aidant.clone();
    let (app_, client) = (Arc::clone(app), waiting.client_row.clone());
    let (parties, rows, mut identities) = app
        .store
        .read("authorize.recent", move |snapshot| {
            Box::pin(async move {
                let parties = Parties::read(snapshot, &aidant, &client).await?;
                let organisation = &parties.organisation.id;
                let mut rows =
                    mandates::standing_of_helped(snapshot, organisation, &aidant, now, RECENT).await?;
                let mut usagers = usagers::helped(snapshot, &aidant, RECENT).await?;
                if usagers.len() < OFFERED {
                    rows.extend(mandates::some_standing(snapshot, organisation, now, FILLING).await?);
                    usagers.extend(usagers::of_some_standing(snapshot, organisation, now, FILLING).await?);
                }
                let identities = identities(&app_, snapshot, &rows, usagers).await?;
                Ok::<_, Error>((parties, rows, identities))
            })
        })
        .await?;
    let mut offered: BTreeMap<UsagerId, BTreeSet<MandateId>> = BTreeMap::new();
    for row in &rows {
        let Some(usager) = row.mandate.usager() else { continue };
        let room = offered.len() < OFFERED || offered.contains_key(usager);
        if room && possible(app, &parties, &waiting, row, now) {
            offered.entry(usager.clone()).or_default().insert(row.mandate.id.clone());
        }
    }
    let candidates = offered.into_iter().filter_map(|(usager, mandates)| {
        let identity = identities.remove(&usager)?;
        Some(Candidate { usager, identity, mandates: mandates.into_iter().collect() })
    });
    let organisation = parties.organisation.id;
    Ok(Offer { candidates: candidates.collect(), waiting, organisation, searched: false })
}

/// Opens the identities of the usagers of these mandates, each once. Whoever was erased is left out.
async fn identities(
    app: &App,
    snapshot: &mut Snapshot,
    rows: &[MandateRow],
    usagers: Vec<UsagerRow>,
) -> Result<BTreeMap<UsagerId, Identity>, Error> {
    let usagers: BTreeMap<UsagerId, UsagerRow> =
        usagers.into_iter().map(|row| (row.id.clone(), row)).collect();
    let mut opened = BTreeMap::new();
    for row in rows.iter().filter_map(|row| usagers.get(row.mandate.usager()?)) {
        if opened.contains_key(&row.id) {
            continue;
        }
        match people::identity(app, snapshot, row).await {
            Ok(identity) => drop(opened.insert(row.id.clone(), identity)),
            Err(Error::Unreadable) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(opened)
}

fn of_mandate<'a>(
    app: &'a App,
    parties: &'a Parties,
    waiting: &'a Waiting,
    mandate: &'a Mandate,
    now: Instant,
) -> impl Iterator<Item = Choice> + 'a {
    mandate.terms.procedures.keys().map(move |procedure| Choice {
        mandate: mandate.id.clone(),
        procedure: procedure.clone(),
        acts: waiting.acts(mandate, procedure),
        decided: waiting.decide(app, parties, mandate, procedure, now).map(|allowed| allowed.until),
    })
}

/// Whether something is possible here under a mandate.
fn possible(app: &App, parties: &Parties, waiting: &Waiting, row: &MandateRow, now: Instant) -> bool {
    of_mandate(app, parties, waiting, &row.mandate, now).any(|choice| choice.decided.is_ok())
}

/// Journals what was offered; keeps the request in the same write when it is new.
pub(super) async fn note_offer(
    app: &App,
    session: &Session,
    caller: &Caller,
    offer: &Offer,
    new: bool,
    now: Instant,
) -> Result<(), Error> {
    let record = Record::done(EventKind::ChoiceOffered)
        .organisation(&offer.organisation)
        .aidant(session.aidant()?.aidant)
        .client(&offer.waiting.request.client)
        .detail("persons", offer.candidates.len());
    let (app_, caller) = (Arc::clone(app), caller.clone());
    let row = new.then(|| offer.waiting.row.clone());
    app.commit("authorize.offer", move |tx| {
        let (app, caller, record, row) = (Arc::clone(&app_), caller.clone(), record.clone(), row.clone());
        Box::pin(async move {
            if let Some(row) = &row {
                authorizations::insert(tx, row).await?;
            }
            record.append(&app, tx, &caller, now).await.map(drop)
        })
    })
    .await
}
