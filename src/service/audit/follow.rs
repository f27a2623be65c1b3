//! One mandate or one aidant as a timeline, and the state of the mandate at any past instant, told again from its
//! entries alone.

use super::entry::{Concerned, opened};
use super::find::{Known, Line, Named, in_sight};
use super::glass::mandate_in_sight;
use super::sight::Sight;
use crate::journal::Slot;
use crate::mandate::{EventKind, Instant, LifeFact, Mandate, MandateId, replay};
use crate::service::receipt;
use crate::service::{App, Caller, Error, Record, Session};
use crate::storage::search::{Filter, Place};
use crate::storage::{Snapshot, mandates};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Whom a timeline is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// One mandate.
    Mandate(Named),
    /// One aidant.
    Aidant(Named),
}

/// A mandate as its entries tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retold {
    /// At the instant asked for; nothing when it did not exist yet.
    pub then: Option<Mandate>,
    /// The instant.
    pub at: Instant,
    /// Whether the whole history gives what is stored.
    pub agrees: bool,
}

/// A timeline.
pub struct Timeline {
    /// The pseudonym it is of.
    pub pseudonym: String,
    /// What happened, latest first.
    pub lines: Vec<Line>,
    /// Where the next page begins.
    pub next: Option<Place>,
    /// The mandate as its entries tell it; nothing of an aidant, or once the history was erased.
    pub retold: Option<Retold>,
}

/// Follows a mandate or an aidant, under the purpose stated.
///
/// # Errors
/// [`Error::NotFound`], journaled, when nothing of it is in sight; [`Error::Session`] without a purpose or a grant;
/// [`Error::SignIn`] when suspended.
pub async fn timeline(
    app: &App,
    session: &Session,
    caller: &Caller,
    whom: Whom,
    at: Option<Instant>,
    after: Option<Place>,
) -> Result<Timeline, Error> {
    let (app_, session_, whom_) = (Arc::clone(app), session.clone(), whom.clone());
    let read = app
        .store
        .read("audit.follow", move |snapshot| {
            Box::pin(async move {
                let sight = super::sight(&app_, snapshot, &session_).await?;
                followed(&app_, snapshot, &sight, &whom_, at, after.as_ref()).await
            })
        })
        .await;
    let (field, named) = match &whom {
        Whom::Mandate(named) => ("mandate", named),
        Whom::Aidant(named) => ("aidant", named),
    };
    let pseudonym = named.blind(app, field);
    match read {
        Ok((timeline, concerned)) => {
            let record = Record::done(EventKind::TimelineRead);
            let record = if field == "aidant" { record.detail(field, pseudonym.as_str()) } else { record };
            let seen = timeline.lines.iter().filter_map(|line| line.mandate.clone());
            let seen = if field == "aidant" { seen.collect() } else { BTreeSet::new() };
            super::note(app, session, caller, concerned.in_record(record), seen).await?;
            Ok(timeline)
        }
        Err(error @ Error::NotFound) => {
            let record = Record::refused(EventKind::AccessRefused, error.code());
            super::note(app, session, caller, record.detail(field, pseudonym), BTreeSet::new()).await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

async fn followed(
    app: &App,
    snapshot: &mut Snapshot,
    sight: &Sight,
    whom: &Whom,
    at: Option<Instant>,
    after: Option<&Place>,
) -> Result<(Timeline, Concerned), Error> {
    let everything = Filter::period(Instant::from_micros(0), Instant::from_micros(i64::MAX));
    let (filter, pseudonym, concerned, retold) = match whom {
        Whom::Mandate(named) => {
            let blind = named.blind(app, "mandate");
            let mandate = mandate_in_sight(app, snapshot, sight, named).await?;
            let retold = retell(app, snapshot, &mandate, at.unwrap_or_else(|| app.now())).await?;
            let filter = Filter { mandate: Some(blind.clone()), ..everything };
            (filter, blind, Concerned::by(snapshot, Some(mandate)).await?, retold)
        }
        Whom::Aidant(named) => {
            let blind = named.blind(app, "aidant");
            (Filter { aidant: Some(blind.clone()), ..everything }, blind, Concerned::default(), None)
        }
    };
    let (found, next) = in_sight(snapshot, sight, &filter, after).await?;
    if found.is_empty() && next.is_none() && after.is_none() {
        return Err(Error::NotFound);
    }
    let known = Known::read(app, snapshot).await?;
    let lines = found.into_iter().map(|one| known.line(one)).collect();
    Ok((Timeline { pseudonym, lines, next, retold }, concerned))
}

/// Tells a mandate again from its own entries, found by their tags; nothing once its key is gone.
async fn retell(
    app: &App,
    snapshot: &mut Snapshot,
    id: &MandateId,
    at: Instant,
) -> Result<Option<Retold>, Error> {
    let Some(row) = mandates::load(snapshot, id).await? else { return Ok(None) };
    let mut facts = Vec::new();
    for number in 1..=row.seq {
        let Some(entry) = receipt::step(app, snapshot, id, number).await? else { return Ok(None) };
        for (slot, value) in opened(app, snapshot, &entry.event_id).await? {
            if slot == Slot::Act
                && let Some(fact) = value.get("fact")
            {
                let fact: LifeFact = serde_json::from_value(fact.clone()).map_err(|_| Error::Unreadable)?;
                facts.push((entry.at, fact));
            }
        }
    }
    let agrees = replay(id.clone(), facts.clone()).is_ok_and(|told| told == row.mandate);
    let until: Vec<_> = facts.into_iter().filter(|(when, _)| *when <= at).collect();
    let then = if until.is_empty() { None } else { replay(id.clone(), until).ok() };
    Ok(Some(Retold { then, at, agrees }))
}
