//! The account of a mandate (Code civil art. 1993), gathered from the facts and from its history in the journal, so that what
//! it tells and what the journal has are the same. Whoever is given it is journaled.

use super::audit;
use super::names::Names;
use super::notices::About;
use super::office::Office;
use super::space::Visit;
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, Session, history, known, notices, record};
use crate::mandate::{
    Account, Bilingual, ClientId, EndReason, EndingMotive, EndingWay, EventKind, EventThen, GrantedThen,
    Instant, Learned, Mandate, MandateId, MandateNumber, NoticeKind, Place, ProcedureId, ServiceReport,
    State, UseThen, WhatThen,
};
use crate::storage::journal::{self, EntryRow};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::refusals::RefusalRow;
use crate::storage::representations::{self, RepresentationRow};
use crate::storage::shards::{self, Shards};
use crate::storage::{Snapshot, Tx, refusals};
use serde_json::Value;
use std::sync::Arc;

/// Uses and refusals of one mandate; nobody acts so often in a year.
const MOST: u32 = 10_000;

/// What one entry says.
struct Said {
    number: u64,
    row: EntryRow,
    kind: EventKind,
    act: Value,
}

impl Said {
    fn detail(&self, name: &str) -> Option<&str> {
        self.act.get("detail").and_then(|detail| detail.get(name)).and_then(Value::as_str)
    }
}

/// What an account is made from.
struct Making<'a> {
    app: &'a App,
    names: Names,
    shards: Shards,
}

/// The account of a mandate as it stands.
///
/// # Errors
/// [`Error::Unreadable`] when its history was destroyed; any fault of the store.
pub(super) async fn of(app: &App, snapshot: &mut Snapshot, row: &MandateRow) -> Result<Account, Error> {
    let shards = shards::all(snapshot, &app.origin).await?;
    Making { app, names: Names::default(), shards }.account(snapshot, row).await
}

impl Making<'_> {
    async fn account(mut self, snapshot: &mut Snapshot, row: &MandateRow) -> Result<Account, Error> {
        let (app, mandate) = (self.app, &row.mandate);
        let said = self.said(snapshot, row).await?;
        // A refusal is told as one, wherever its entry stands.
        let refused = refusals::of_mandate(snapshot, &mandate.id, MOST).await?;
        let is_refusal = |one: &Said| refused.iter().any(|refusal| refusal.id == one.row.event_id);
        let (refusals, mut said): (Vec<Said>, Vec<Said>) = said.into_iter().partition(is_refusal);
        let mut uses = Vec::new();
        let mut rows = representations::of_mandate(snapshot, &mandate.id, MOST).await?;
        rows.reverse();
        for used in rows {
            let of = |one: &Said| one.detail("representation") == Some(used.id.as_str());
            let (own, others): (Vec<Said>, Vec<Said>) = said.into_iter().partition(of);
            said = others;
            uses.push(self.used(snapshot, &used, &own).await?);
        }
        let mut events = Vec::with_capacity(said.len());
        for one in &said {
            events.push(self.event(snapshot, mandate, one).await?);
        }
        for refusal in &refused {
            let own = refusals.iter().find(|one| one.row.event_id == refusal.id);
            events.push(self.refused(snapshot, refusal, own).await?);
        }
        for look in audit::at_mandate(app, snapshot, &mut self.names, &mandate.id).await? {
            // A printing is of the history: it is told there.
            if !said.iter().any(|one| one.row.event_id == look.event) {
                let row = journal::entry(snapshot, &look.event).await?.ok_or(Error::Unreadable)?;
                let what = WhatThen::Looked(look.kind, look.purpose);
                events.push(EventThen { at: look.at, what, by: look.by, place: self.place(None, &row) });
            }
        }
        events.sort_by_key(|event| event.at);
        let usager = match mandate.usager() {
            Some(id) => self.names.usager(app, snapshot, id).await?,
            None => String::new(),
        };
        let (term, ended, withdrawn) = match &mandate.state {
            State::Active { acceptance, withdrawn, .. } => (Some(acceptance), None, Some(withdrawn)),
            State::Ended { acceptance, withdrawn, at, reason, .. } => {
                (acceptance.as_ref(), Some((*at, *reason)), Some(withdrawn))
            }
            _ => (None, None, None),
        };
        let organisation = self.names.organisation(snapshot, &mandate.organisation).await?;
        let granted = mandate.terms.procedures.iter().map(|(id, acts)| GrantedThen {
            name: self.procedure(id),
            acts: acts.iter().copied().collect(),
            withdrawn: withdrawn.and_then(|out| out.get(id)).copied(),
        });
        Ok(Account {
            number: MandateNumber::of(&mandate.id),
            usager,
            organisation,
            term: term.map(|term| (term.at, term.ends_at)),
            ended,
            granted: granted.collect(),
            uses,
            events,
            made_at: app.now(),
        })
    }

    /// Every entry of the history, the first first.
    async fn said(&self, snapshot: &mut Snapshot, row: &MandateRow) -> Result<Vec<Said>, Error> {
        let tags = history::tags(self.app, snapshot, row).await?;
        let mut said = Vec::new();
        for number in 1..=row.seq {
            let row = history::entry(snapshot, &tags, number).await?;
            let act = record::act(self.app, snapshot, &row.event_id).await?.ok_or(Error::Unreadable)?;
            let kind = act.get("kind").and_then(Value::as_str).and_then(EventKind::parse);
            said.push(Said { number, row, kind: kind.ok_or(Error::Unreadable)?, act });
        }
        Ok(said)
    }

    fn place(&self, number: Option<u64>, row: &EntryRow) -> Place {
        let shard = row.leaf.map(|(place, _)| (place, self.shards.at(place)));
        Place {
            number,
            index: shard.as_ref().map(|(place, shard)| place.saturating_sub(shard.start)),
            origin: shard.map_or_else(|| self.app.origin.clone(), |(_, shard)| shard.origin.clone()),
        }
    }

    fn procedure(&self, id: &ProcedureId) -> Bilingual {
        let plain = || Bilingual { fr: id.to_string(), en: id.to_string() };
        self.app.catalogue.procedure(id).map_or_else(plain, |procedure| procedure.name.clone())
    }

    async fn used(
        &mut self,
        snapshot: &mut Snapshot,
        used: &RepresentationRow,
        own: &[Said],
    ) -> Result<UseThen, Error> {
        let reported = own.iter().filter_map(|one| history::reported(one.kind, &one.act)).next_back();
        let receipt = reported.as_ref().and_then(ServiceReport::receipt).cloned();
        Ok(UseThen {
            at: (used.opened_at, used.closed.map(|(at, _)| at)),
            aidant: self.names.aidant(self.app, snapshot, &used.aidant).await?,
            service: self.names.service(snapshot, &used.client).await?,
            procedure: self.procedure(&used.procedure),
            acts: used.acts.iter().copied().collect(),
            reported: used.outcome.map(|came| (came, receipt)),
            places: own.iter().map(|one| self.place(Some(one.number), &one.row)).collect(),
        })
    }

    /// An entry of the history that is of no representation.
    async fn event(
        &mut self,
        snapshot: &mut Snapshot,
        mandate: &Mandate,
        one: &Said,
    ) -> Result<EventThen, Error> {
        let way = one.detail("by").and_then(EndingWay::parse);
        let what = match one.kind {
            EventKind::ProcedureWithdrawn => {
                let fact = one.act.get("fact").and_then(|fact| fact.get("procedure"));
                let id = fact.and_then(Value::as_str).and_then(|id| ProcedureId::parse(id).ok());
                let id = id.ok_or(Error::Unreadable)?;
                WhatThen::Withdrawn(self.procedure(&id), way)
            }
            EventKind::MandateEnded => {
                let motive = one.detail("motive").and_then(EndingMotive::parse);
                WhatThen::Ended(ended(mandate), way, motive)
            }
            EventKind::EndingKnown => WhatThen::Known(self.learned(snapshot, one).await?),
            EventKind::NoticeDue
            | EventKind::NoticeSent
            | EventKind::NoticeNotSent
            | EventKind::NoticeHandedOver => {
                WhatThen::Told(one.kind, one.detail("of").and_then(NoticeKind::parse))
            }
            EventKind::MandatePrinted => WhatThen::Looked(one.kind, None),
            other => WhatThen::Step(other),
        };
        let by = match (one.kind, &mandate.state) {
            (EventKind::MandateProposed, _) => {
                self.names.aidant(self.app, snapshot, &mandate.proposed_by).await?
            }
            (
                EventKind::MandateAccepted,
                State::Active { acceptance, .. } | State::Ended { acceptance: Some(acceptance), .. },
            ) => self.names.aidant(self.app, snapshot, &acceptance.by).await?,
            _ => String::new(),
        };
        Ok(EventThen { at: one.row.at, what, by, place: self.place(Some(one.number), &one.row) })
    }

    async fn learned(&mut self, snapshot: &mut Snapshot, one: &Said) -> Result<Learned, Error> {
        Ok(match one.detail("party").ok_or(Error::Unreadable)? {
            known::ORGANISATION => Learned::Organisation,
            known::USAGER => Learned::Usager,
            service => {
                let id = ClientId::parse(service).map_err(|_| Error::Unreadable)?;
                Learned::Service(self.names.service(snapshot, &id).await?)
            }
        })
    }

    /// A use that was refused; `own` is its entry when it is one of the history.
    async fn refused(
        &mut self,
        snapshot: &mut Snapshot,
        refusal: &RefusalRow,
        own: Option<&Said>,
    ) -> Result<EventThen, Error> {
        let place = if let Some(one) = own {
            self.place(Some(one.number), &one.row)
        } else {
            let row = journal::entry(snapshot, &refusal.id).await?.ok_or(Error::Unreadable)?;
            self.place(None, &row)
        };
        let service = self.names.service(snapshot, &refusal.client).await?;
        let procedure = refusal.procedure.as_ref().map(|id| self.procedure(id));
        Ok(EventThen {
            at: refusal.at,
            what: WhatThen::Refused(service, procedure),
            by: self.names.aidant(self.app, snapshot, &refusal.aidant).await?,
            place,
        })
    }
}

const fn ended(mandate: &Mandate) -> Option<EndReason> {
    match mandate.state {
        State::Ended { reason, .. } => Some(reason),
        _ => None,
    }
}

/// The account of one of the signed-in usager's mandates. That it is given is journaled and waited for first: so everything it
/// tells has its place.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate that is not theirs; [`Error::BeingRecorded`].
pub async fn of_usager(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
) -> Result<Account, Error> {
    let by = Arc::new((Visit::new(app, session, caller)?, id.clone()));
    app.include("account.usager", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (visit, id) = &*by;
            match visit.own_or_refused(tx, id).await? {
                Ok(row) => {
                    given(&visit.app, tx, row, (Actor::Usager, &visit.caller, visit.now)).await.map(Ok)
                }
                Err(error) => Ok(Err(error)),
            }
        })
    })
    .await??;
    made(app, id).await
}

/// The account of a mandate of the aidant's organisation, to be printed for its usager. That it is given is journaled and
/// waited for first.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate of another organisation; the same for one that nobody consented to;
/// [`Error::BeingRecorded`].
pub async fn of_office(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
) -> Result<Account, Error> {
    session.aidant()?;
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone(), id.clone(), app.now()));
    app.include("account.office", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, caller, id, now) = &*by;
            let office = Office::of(tx, session).await?;
            match office.mandate(tx, id).await {
                Ok(row) if row.mandate.usager().is_some() => {
                    given(app, tx, row, (Actor::Aidant(&office.aidant.id), caller, *now)).await.map(Ok)
                }
                Ok(_) => Ok(Err(Error::NotFound)),
                Err(error) => office.refuse_access(app, tx, error, (caller, *now)).await.map(Err),
            }
        })
    })
    .await??;
    made(app, id).await
}

/// Writes down that the account is given. Whoever is given it knows that the mandate has ended.
async fn given(
    app: &App,
    tx: &mut Tx,
    mut row: MandateRow,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let party = if by.0 == Actor::Usager { known::Party::Usager } else { known::Party::Organisation };
    known::note(app, tx, &mut row, party, by).await?;
    note(app, tx, &mut row, Record::done(EventKind::AccountRendered), by).await.map(drop)
}

/// The account as it stands, apart from every write: a long life takes long to tell.
async fn made(app: &App, id: &MandateId) -> Result<Account, Error> {
    let (app_, id) = (Arc::clone(app), id.clone());
    let made = app.store.read("account.made", move |snapshot| {
        Box::pin(async move {
            let row = mandates::load(snapshot, &id).await?.ok_or(Error::NotFound)?;
            of(&app_, snapshot, &row).await
        })
    });
    made.await
}

/// That a mandate ended makes its account due (Code civil art. 1993): it is to be given by the way the usager chose, once.
pub(super) async fn due(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    (caller, now): (&Caller, Instant),
) -> Result<(), Error> {
    let Some(reason) = ended(&row.mandate) else { return Ok(()) };
    let notice = notices::draft(app, tx, &row.mandate, About::Statement(reason), now).await?;
    let Some(notice) = notice else { return Ok(()) };
    let record = notices::told(app, notices::about(EventKind::NoticeDue, &notice), Some(&notice));
    let event = note(app, tx, row, record, (Actor::Service, caller, now)).await?;
    notices::keep(tx, Some(&notice), &event).await
}
