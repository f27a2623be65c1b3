//! A lost card: another one, by the person in their space or by the organisation, and the former code is dead.

use super::{code, draw, over_since};
use crate::crypto::SecretString;
use crate::mandate::{EventKind, Instant, MandateId, State, TransitionError};
use crate::service::office::Office;
use crate::service::space::Visit;
use crate::service::steps::{Actor, note, refuse};
use crate::service::{App, Caller, Error, Record, Session, facts};
use crate::storage::mandates::MandateRow;
use crate::storage::{Tx, cards};
use std::sync::Arc;

/// Makes another card for a mandate in force of the aidant's organisation: the former code is dead at once.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate of another organisation; [`Error::Transition`], journaled, when it is not
/// in force; [`Error::BeingRecorded`].
pub async fn at_office(app: &App, session: &Session, caller: &Caller, id: &MandateId) -> Result<(), Error> {
    session.aidant()?;
    let now = app.now();
    let asked = Arc::new((Arc::clone(app), session.clone(), caller.clone(), id.clone()));
    app.include("mandate.card", move |tx| {
        let asked = Arc::clone(&asked);
        Box::pin(async move {
            let (app, session, caller, id) = &*asked;
            let office = Office::of(tx, session).await?;
            let mut row = match office.mandate(tx, id).await {
                Ok(row) => row,
                Err(error) => return office.refuse_access(app, tx, error, (caller, now)).await.map(Err),
            };
            renew(app, tx, &mut row, (Actor::Aidant(&office.aidant.id), caller, now)).await
        })
    })
    .await?
}

/// The same for one of the signed-in usager's mandates.
///
/// # Errors
/// As [`at_office`], for a mandate that is not theirs.
pub async fn own(app: &App, session: &Session, caller: &Caller, id: &MandateId) -> Result<(), Error> {
    let (visit, id) = (Visit::new(app, session, caller)?, id.clone());
    app.include("space.renew_card", move |tx| {
        let (visit, id) = (Arc::clone(&visit), id.clone());
        Box::pin(async move {
            let mut row = match visit.own_or_refused(tx, &id).await? {
                Ok(row) => row,
                Err(error) => return Ok(Err(error)),
            };
            renew(&visit.app, tx, &mut row, (Actor::Usager, &visit.caller, visit.now)).await
        })
    })
    .await?
}

/// The code on the card of one of the signed-in usager's mandates in force. Each reading is journaled.
///
/// # Errors
/// [`Error::NotFound`] for a mandate that is not theirs, journaled, or one that has no card to end it by.
pub async fn own_code(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
) -> Result<SecretString, Error> {
    let (visit, id) = (Visit::new(app, session, caller)?, id.clone());
    app.include("space.card", move |tx| {
        let (visit, id) = (Arc::clone(&visit), id.clone());
        Box::pin(async move {
            let row = match visit.own_or_refused(tx, &id).await? {
                Ok(row) => row,
                Err(error) => return Ok(Err(error)),
            };
            visit.note_reading(tx, &id).await?;
            if over_since(&row.mandate, visit.now).is_some() {
                return Ok(Err(Error::NotFound));
            }
            Ok(code(&visit.app, tx, &id).await?.ok_or(Error::NotFound))
        })
    })
    .await?
}

/// Makes another card for a mandate in force, within a write: the former code is dead from the commit on. The row becomes
/// what is now stored.
///
/// # Errors
/// [`Error::Transition`] when the mandate is not in force; nothing is written then.
async fn replace(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let State::Active { .. } = row.mandate.state else {
        return Err(TransitionError::NotFrom(row.mandate.state.name()).into());
    };
    let id = row.mandate.id.clone();
    let before = cards::load(tx, &id).await?;
    let version = before.as_ref().map_or(1, |card| card.version + 1);
    let card = draw(app, tx, &id, version, by.2).await?;
    let record = Record::done(EventKind::CardMade)
        .detail("replaced", u64::from(before.is_some()))
        .stands(facts::card(&app.keys, &card));
    let event = note(app, tx, row, record, by).await?;
    match before {
        Some(before) => Ok(cards::update(tx, &before, &card, &event).await?),
        None => Ok(cards::insert(tx, &card, &event).await?),
    }
}

/// The same; a refusal is journaled and comes back inside `Ok`, for the write to commit it.
async fn renew(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<Result<(), Error>, Error> {
    match replace(app, tx, row, by).await {
        Err(error @ Error::Transition(_)) => refuse(app, tx, &row.mandate, error, by).await.map(Err),
        Err(error) => Err(error),
        Ok(()) => Ok(Ok(())),
    }
}
