//! "I do not recognise this": a usager says so of a representation in their name. It is an entry of the mandate's history, from
//! which the watch raises an anomaly for the referent and the auditors (`watch`); whether to end the mandate is asked next.

use super::names::Names;
use super::steps::{Actor, note};
use super::uses::{self, Use};
use super::{App, Caller, Error, Record, Session, record};
use crate::mandate::{EventKind, Instant, MandateId, RepresentationId, StateName, UsagerId};
use crate::storage::data_keys::{self, KeyKind};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::representations::{self, RepresentationRow};
use crate::storage::search::{self, Filter};
use crate::storage::{Snapshot, Tx};
use serde_json::Value;
use std::sync::Arc;

/// More than anybody disputes of one mandate.
const MOST: u32 = 1_000;

/// A representation, for its usager to say that they do not recognise it.
pub struct Asked {
    /// What was done.
    pub one: Use,
    /// The mandate it was done with.
    pub mandate: MandateId,
    /// Whether they have said so already.
    pub said: bool,
}

/// What follows a usager's word.
pub struct Said {
    /// The mandate it was done with.
    pub mandate: MandateId,
    /// Whether it can still be ended.
    pub stands: bool,
}

/// One representation in the name of the signed-in usager. The reading is journaled.
///
/// # Errors
/// [`Error::NotFound`], journaled, for one that is not in their name; [`Error::BeingRecorded`].
pub async fn ask(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &RepresentationId,
) -> Result<Asked, Error> {
    let visit = Visit::new(app, session, caller, id)?;
    app.include("dispute.ask", move |tx| {
        let visit = Arc::clone(&visit);
        Box::pin(async move { visit.ask(tx).await })
    })
    .await?
}

/// The signed-in usager does not recognise it. Said twice it is written once.
///
/// # Errors
/// As [`ask`].
pub async fn say(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &RepresentationId,
) -> Result<Said, Error> {
    let visit = Visit::new(app, session, caller, id)?;
    app.include("dispute.say", move |tx| {
        let visit = Arc::clone(&visit);
        Box::pin(async move { visit.say(tx).await })
    })
    .await?
}

struct Visit {
    app: App,
    usager: UsagerId,
    caller: Caller,
    id: RepresentationId,
    now: Instant,
}

impl Visit {
    fn new(app: &App, session: &Session, caller: &Caller, id: &RepresentationId) -> Result<Arc<Self>, Error> {
        let (usager, caller, id) = (session.usager()?.clone(), caller.clone(), id.clone());
        Ok(Arc::new(Self { app: Arc::clone(app), usager, caller, id, now: app.now() }))
    }

    /// What is in their name; anything else is not there, and that it was asked for is journaled.
    async fn own(&self, tx: &mut Tx) -> Result<Result<(RepresentationRow, MandateRow), Error>, Error> {
        let found = representations::load(tx, &self.id).await?.filter(|of| of.usager == self.usager);
        let kept = match &found {
            Some(of) => data_keys::of_subject(tx, KeyKind::Mandate, of.mandate.as_str()).await?.is_some(),
            None => false,
        };
        let Some(of) = found.filter(|_| kept) else {
            let record = Record::refused(EventKind::AccessRefused, Error::NotFound.code());
            record.usager(&self.usager).append(&self.app, tx, &self.caller, self.now).await?;
            return Ok(Err(Error::NotFound));
        };
        let row = mandates::load(tx, &of.mandate).await?.ok_or(Error::Unreadable)?;
        Ok(Ok((of, row)))
    }

    async fn ask(&self, tx: &mut Tx) -> Result<Result<Asked, Error>, Error> {
        let (of, row) = match self.own(tx).await? {
            Ok(own) => own,
            Err(error) => return Ok(Err(error)),
        };
        let record = Record::done(EventKind::UsagerSpaceRead).usager(&self.usager).about(&of.mandate);
        record.append(&self.app, tx, &self.caller, self.now).await?;
        let said = said(&self.app, tx, &row.mandate.id, &of.id).await?;
        let mandate = of.mandate.clone();
        let mut told = uses::told(&self.app, tx, &mut Names::default(), &[of], &[]).await?;
        let one = told.pop().ok_or(Error::Unreadable)?;
        Ok(Ok(Asked { one, mandate, said }))
    }

    async fn say(&self, tx: &mut Tx) -> Result<Result<Said, Error>, Error> {
        let (of, mut row) = match self.own(tx).await? {
            Ok(own) => own,
            Err(error) => return Ok(Err(error)),
        };
        if !said(&self.app, tx, &row.mandate.id, &of.id).await? {
            let record = Record::done(EventKind::RepresentationDisputed)
                .client(&of.client)
                .procedure(&of.procedure)
                .detail("representation", of.id.as_str());
            // The entry tells of the aidant whose representation it was.
            let by = (Actor::Aidant(&of.aidant), &self.caller, self.now);
            note(&self.app, tx, &mut row, record, by).await?;
        }
        let stands = row.mandate.state.name() == StateName::Active;
        Ok(Ok(Said { mandate: of.mandate, stands }))
    }
}

/// Whether it was said before, as the mandate's history tells.
async fn said(
    app: &App,
    snapshot: &mut Snapshot,
    mandate: &MandateId,
    id: &RepresentationId,
) -> Result<bool, Error> {
    let ever = Filter::period(Instant::from_micros(0), Instant::from_micros(i64::MAX));
    let of = Some(app.keys.index().blind("mandate", &[mandate.as_str()]));
    let wanted = Filter { kind: Some(EventKind::RepresentationDisputed), mandate: of, ..ever };
    for found in search::find(snapshot, &wanted, None, MOST).await?.found {
        let act = record::act(app, snapshot, &found.event_id).await?.unwrap_or_default();
        if act.pointer("/detail/representation").and_then(Value::as_str) == Some(id.as_str()) {
            return Ok(true);
        }
    }
    Ok(false)
}
