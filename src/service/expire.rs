//! What time does by itself: proposals lapse, mandates expire, representations run out. Called by the jobs; each
//! change is its own write, so one that fails holds up no other.

use super::end::{close_one, end_mandate};
use super::steps::{Actor, take};
use super::{App, Caller, Error};
use crate::mandate::{EndReason, Instant, LifeFact, MandateId, RepresentationId, TransitionError};
use crate::storage::representations::{self, CloseReason};
use crate::storage::{Tx, mandates};
use std::sync::Arc;

/// How many are taken up at a time.
const BATCH: u32 = 100;

/// Something whose time has passed.
#[derive(Debug, Clone)]
enum Due {
    Proposal(MandateId),
    Mandate(MandateId),
    Representation(RepresentationId),
}

/// Lapses proposals nobody answered in time; how many were found.
pub async fn lapse_due(app: &App) -> Result<usize, Error> {
    let now = app.now();
    let due = app
        .store
        .read("mandate.lapsed", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(mandates::lapsed(snapshot, now, BATCH).await?) })
        })
        .await?;
    all(app, due.into_iter().map(Due::Proposal).collect(), "mandate.lapse", now).await
}

/// Ends mandates whose term has run out; how many were found. Nobody can act with them meanwhile: `decide()` asks
/// the time itself.
pub async fn expire_due(app: &App) -> Result<usize, Error> {
    let now = app.now();
    let due = app
        .store
        .read("mandate.expired", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(mandates::expired(snapshot, now, BATCH).await?) })
        })
        .await?;
    all(app, due.into_iter().map(Due::Mandate).collect(), "mandate.expire", now).await
}

/// Closes representations whose time has run out; how many were found.
pub async fn close_due(app: &App) -> Result<usize, Error> {
    let now = app.now();
    let due = app
        .store
        .read("representation.overdue", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(representations::overdue(snapshot, now, BATCH).await?) })
        })
        .await?;
    let due = due.into_iter().map(|row| Due::Representation(row.id)).collect();
    all(app, due, "representation.expire", now).await
}

async fn all(app: &App, due: Vec<Due>, name: &'static str, now: Instant) -> Result<usize, Error> {
    let found = due.len();
    for one in due {
        let app_ = Arc::clone(app);
        let done = app
            .commit(name, move |tx| {
                let (app, one) = (Arc::clone(&app_), one.clone());
                Box::pin(async move { change(&app, tx, &one, now).await })
            })
            .await;
        match done {
            // Somebody answered, ended or closed it between the look and the write.
            Err(Error::Transition(TransitionError::NotFrom(_) | TransitionError::TooEarly)) | Ok(()) => {}
            Err(error) => tracing::error!(code = error.code(), %error, name, "time could not do its work"),
        }
    }
    Ok(found)
}

async fn change(app: &App, tx: &mut Tx, due: &Due, now: Instant) -> Result<(), Error> {
    let caller = Caller::default();
    let by = (Actor::Service, &caller, now);
    match due {
        Due::Proposal(id) => {
            let mut row = mandates::load(tx, id).await?.ok_or(Error::NotFound)?;
            let next = row.mandate.clone().lapse(now)?;
            take(app, tx, &mut row, next, LifeFact::Lapsed, by).await.map(drop)
        }
        Due::Mandate(id) => {
            let mut row = mandates::load(tx, id).await?.ok_or(Error::NotFound)?;
            end_mandate(app, tx, &mut row, EndReason::Expired, by).await
        }
        Due::Representation(id) => {
            let Some(open) = representations::load(tx, id).await? else { return Ok(()) };
            close_one(app, tx, &open, CloseReason::Expired, by).await
        }
    }
}
