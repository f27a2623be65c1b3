//! Erasing a usager (invariant 8): what told of them is destroyed, and every proof stays.
//!
//! Their key goes, and with it everything it sealed: identity, and the `sub` opening of each entry. Their name at the
//! provider, their indexes, the codes of their mandates and their sessions go, too. Of what they did by themselves (signing in,
//! reading, ending a mandate) the address and session go as well: `ctx` is theirs alone there. What an aidant did for
//! them stays readable, under the aidant's and the mandate's keys: who, what, when, at which service, and no more for whom.
//! What stays of the person is a random identifier that leads nowhere.

use super::end::end_mandate;
use super::steps::Actor;
use super::{App, Caller, Error, Record, Stream, asking, card, contacts, facts};
use crate::journal::Slot;
use crate::mandate::{EndReason, EventKind, Instant, MandateId, Retention, StateName, UsagerId};
use crate::storage::data_keys::{self, KeyKind};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::search::{self, Filter, Found};
use crate::storage::{Snapshot, Tx, askings, contacts as choices, journal, papers, sessions, usagers, watch};
use std::sync::Arc;
use thiserror::Error as ThisError;

/// Entries taken up at a time.
const PAGE: u32 = 500;

/// Why nobody was erased.
#[derive(Debug, ThisError)]
pub enum EraseError {
    /// The person has mandates that are not over.
    #[error("{0} of their mandates are not over: end them first, or give --end-mandates")]
    MandatesStand(usize),
    /// Anything else.
    #[error("{0}")]
    Other(#[from] Error),
}

/// What an erasure destroyed. Counted in its entry, so that nobody can hide a removal behind it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Openings, of every slot.
    pub openings: u64,
    /// Of these, those every entry has (`act` and `ctx`).
    pub common: u64,
    /// Entries that cannot be found by the person any more.
    pub entries: u64,
    /// Mandates of theirs.
    pub mandates: u64,
}

/// Whose mandate it is, by its identifier: from the paper the person holds.
///
/// # Errors
/// [`Error::NotFound`] when there is none, or nobody consented to it.
pub async fn usager_of(app: &App, mandate: &MandateId) -> Result<UsagerId, Error> {
    let mandate = mandate.clone();
    app.store
        .read("erase.usager_of", |snapshot| {
            Box::pin(async move {
                let row = mandates::load(snapshot, &mandate).await?.ok_or(Error::NotFound)?;
                row.mandate.usager().cloned().ok_or(Error::NotFound)
            })
        })
        .await
}

/// Erases a usager. With `end` the mandates that stand are ended first, each with its entries; without it they stand
/// against it. Erasing again takes away what a process that did not know yet has written since.
///
/// # Errors
/// [`EraseError::MandatesStand`]; [`Error::NotFound`]; [`Error::BeingRecorded`] when it is done but its entries wait.
pub async fn usager(app: &App, id: &UsagerId, end: bool) -> Result<Erased, EraseError> {
    let (standing, now) = (standing(app, id).await?, app.now());
    if !end && !standing.is_empty() {
        return Err(EraseError::MandatesStand(standing.len()));
    }
    for mandate in standing {
        self::end(app, mandate, now).await?;
    }
    let (app_, usager) = (Arc::clone(app), id.clone());
    let done = app
        .include("erase.usager", move |tx| {
            let (app, usager) = (Arc::clone(&app_), usager.clone());
            Box::pin(async move { run(&app, tx, &usager, now).await })
        })
        .await?;
    app.vault.forget(KeyKind::Usager, id.as_str());
    done.map_err(EraseError::MandatesStand)
}

const fn is_over(state: StateName) -> bool {
    matches!(state, StateName::Ended | StateName::Refused | StateName::Lapsed)
}

/// The mandates of theirs that are not over.
async fn standing(app: &App, id: &UsagerId) -> Result<Vec<MandateId>, Error> {
    let id = id.clone();
    app.store
        .read("erase.standing", |snapshot| {
            Box::pin(async move {
                usagers::load(snapshot, &id).await?.ok_or(Error::NotFound)?;
                let own = mandates::of_usager(snapshot, &id).await?;
                let standing = own.into_iter().filter(|row| !is_over(row.mandate.state.name()));
                Ok::<_, Error>(standing.map(|row| row.mandate.id).collect())
            })
        })
        .await
}

async fn end(app: &App, mandate: MandateId, now: Instant) -> Result<(), Error> {
    let app_ = Arc::clone(app);
    app.include("erase.end", move |tx| {
        let (app, mandate) = (Arc::clone(&app_), mandate.clone());
        Box::pin(async move {
            let mut row = mandates::load(tx, &mandate).await?.ok_or(Error::NotFound)?;
            let by = (Actor::Operator, &Caller::default(), now);
            end_mandate(&app, tx, &mut row, EndReason::Revoked, by).await
        })
    })
    .await
}

/// All in one transaction. The inner error: how many mandates stand since.
pub(super) async fn run(
    app: &App,
    tx: &mut Tx,
    id: &UsagerId,
    now: Instant,
) -> Result<Result<Erased, usize>, Error> {
    let row = usagers::load(tx, id).await?.ok_or(Error::NotFound)?;
    let own = mandates::of_usager(tx, id).await?;
    let standing = own.iter().filter(|row| !is_over(row.mandate.state.name())).count();
    if standing > 0 {
        return Ok(Err(standing));
    }
    let mut erased = entries(app, tx, id).await?;
    if row.is_erased() {
        if erased != Erased::default() {
            told(Record::done(EventKind::PersonErased), erased)
                .append(app, tx, &Caller::default(), now)
                .await?;
        }
        return Ok(Ok(erased));
    }
    erased.mandates = u64::try_from(own.len()).unwrap_or(u64::MAX);
    if let Some(key) = data_keys::of_subject(tx, KeyKind::Usager, id.as_str()).await? {
        erased.openings += journal::destroy_openings(tx, &key.id).await?;
        data_keys::destroy(tx, &key.id).await?;
    }
    usagers::forget(tx, id).await?;
    watch::forget_usager(tx, &app.keys.index().blind("usager", &[id.as_str()])).await?;
    sessions::delete_of_usager(tx, id).await?;
    let record = told(Record::done(EventKind::PersonErased), erased);
    let contact = contacts::erased(tx, id).await?;
    let record = match &contact {
        Some((_, after)) => record.stands(facts::contact(&app.keys, after)),
        None => record,
    };
    let event = record.append(app, tx, &Caller::default(), now).await?;
    if let Some((before, after)) = &contact {
        choices::update(tx, before, after, &event).await?;
    }
    usagers::erase(tx, &row, &event).await?;
    let consented: Vec<_> = own.iter().map(|row| row.mandate.id.clone()).collect();
    for row in own {
        mandate(app, tx, row, now).await?;
    }
    // What they were asked and never answered.
    for asking in askings::of_usager(tx, id).await? {
        if !consented.contains(&asking.mandate) {
            let row = mandates::load(tx, &asking.mandate).await?.ok_or(Error::Unreadable)?;
            mandate(app, tx, row, now).await?;
        }
    }
    Ok(Ok(erased))
}

/// The entry names nobody: it counts.
fn told(record: Record, erased: Erased) -> Record {
    record
        .detail("openings", erased.openings)
        .detail("common", erased.common)
        .detail("entries", erased.entries)
        .detail("mandates", erased.mandates)
}

/// Takes the codes of a mandate away. Its history says by its tag that it lost its person, and does not say whom.
async fn mandate(app: &App, tx: &mut Tx, mut row: MandateRow, now: Instant) -> Result<(), Error> {
    let id = row.mandate.id.clone();
    papers::erase(tx, &id).await?;
    // A mandate past its time has no key and no history to go on with. Asked of the database: a key at hand may be gone.
    if data_keys::of_subject(tx, KeyKind::Mandate, id.as_str()).await?.is_none() {
        return Ok(());
    }
    let seq = row.seq + 1;
    let stream = Stream { mandate: id, seq, previous: row.last_leaf.take() };
    let record = Record::done(EventKind::PersonErased).organisation(&row.mandate.organisation);
    let emptied = card::emptied(tx, &row.mandate.id).await?;
    let record = match &emptied {
        Some((_, after)) => record.stands(facts::card(&app.keys, after)),
        None => record,
    };
    let cleared = asking::cleared(tx, &row.mandate.id).await?;
    let record = match &cleared {
        Some((_, after)) => record.stands(facts::asking(&app.keys, after)),
        None => record,
    };
    let event = record.in_stream(stream).append(app, tx, &Caller::default(), now).await?;
    card::store(tx, emptied, &event).await?;
    asking::store(tx, cleared, &event).await?;
    let after = MandateRow { seq, verification_code_hash: None, ..row.clone() };
    Ok(mandates::update(tx, &row, &after, &event).await?)
}

/// Takes the person out of every entry that is found by them.
async fn entries(app: &App, tx: &mut Tx, id: &UsagerId) -> Result<Erased, Error> {
    let ever = Filter::period(Instant::from_micros(i64::MIN), Instant::from_micros(i64::MAX));
    let blind = app.keys.index().blind("usager", &[id.as_str()]);
    let theirs = Filter { usager: Some(blind), ..ever };
    let mut erased = Erased::default();
    loop {
        let found = found(tx, &theirs).await?;
        if found.is_empty() {
            return Ok(erased);
        }
        for one in found {
            entry(tx, &one, &mut erased).await?;
        }
    }
}

async fn found(snapshot: &mut Snapshot, theirs: &Filter) -> Result<Vec<Found>, Error> {
    Ok(search::find(snapshot, theirs, None, PAGE).await?.found)
}

async fn entry(tx: &mut Tx, found: &Found, erased: &mut Erased) -> Result<(), Error> {
    let event = &found.event_id;
    erased.entries += 1;
    erased.openings += journal::destroy_opening(tx, event, Slot::Sub.as_str()).await?;
    if found.search.aidant.is_some() {
        return Ok(search::forget_usager(tx, found).await?);
    }
    // Nobody else took part.
    let mut common = journal::destroy_opening(tx, event, Slot::Ctx.as_str()).await?;
    if found.search.kind.retention() == Retention::Technical {
        common += journal::destroy_opening(tx, event, Slot::Act.as_str()).await?;
        search::forget(tx, event).await?;
    } else {
        search::forget_usager(tx, found).await?;
    }
    erased.common += common;
    erased.openings += common;
    Ok(())
}
