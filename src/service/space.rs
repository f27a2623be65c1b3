//! The usager's own space: what they granted, what was done with it, and how to end it (Code civil art. 1993, 2004).
//!
//! Nobody else's mandate exists here. Ending holds from the commit; the confirmation waits for inclusion.

use super::audit::{self, Look};
use super::desk::{self, Card};
use super::end::{end_mandate, withdraw_procedure};
use super::history::{self, Lines, Proved};
use super::names::Names;
use super::receipt::{self, Receipt};
use super::steps::{Actor, refuse};
use super::uses::{self, Use};
use super::{App, Caller, Error, Record, Session, card, known};
use crate::journal;
use crate::mandate::{EndReason, EventKind, Instant, Mandate, MandateId, ProcedureId, State, UsagerId};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::representations::{self, CloseReason};
use crate::storage::{BoxFuture, Snapshot, Tx, refusals};
use std::sync::Arc;

/// At most so many lines of what was done, the latest first.
const MOST_USES: u32 = 1_000;

/// Everything a usager granted, and everything done with it.
pub struct Space {
    /// Their mandates, latest first.
    pub mandates: Vec<Card>,
    /// Representations and refusals, latest first.
    pub uses: Vec<Use>,
    /// When the page was made.
    pub now: Instant,
}

/// One of a usager's mandates.
pub struct Own {
    /// The mandate.
    pub card: Card,
    /// Representations and refusals, latest first.
    pub uses: Vec<Use>,
    /// Receipt of its latest entry, once included.
    pub receipt: Option<Receipt>,
    /// Who looked at what concerns it, latest first.
    pub looks: Vec<Look>,
    /// How the card that ends it stands, if it has one.
    pub revocation: Option<card::Standing>,
    /// When the page was made.
    pub now: Instant,
}

/// Something a usager ended, with its proof.
pub struct Ending {
    /// The mandate, as it stands now.
    pub card: Card,
    /// The procedure that was taken out; none when the whole mandate ended.
    pub procedure: Option<ProcedureId>,
    /// When.
    pub at: Instant,
    /// How many open representations it stopped.
    pub stopped: u64,
    /// Its place in the journal.
    pub receipt: Receipt,
    /// When the page was made.
    pub now: Instant,
}

/// What a usager ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The whole mandate.
    Mandate,
    /// One procedure of it.
    Procedure(ProcedureId),
}

/// The signed-in usager's space. Each reading is journaled, and the page waits for that entry: so everything it tells
/// stands in the journal before it (invariant 3).
///
/// # Errors
/// [`Error::BeingRecorded`] when that takes too long.
pub async fn home(app: &App, session: &Session, caller: &Caller) -> Result<Space, Error> {
    let visit = Visit::new(app, session, caller)?;
    app.include("space.home", move |tx| {
        let visit = Arc::clone(&visit);
        Box::pin(async move { visit.home(tx).await })
    })
    .await
}

/// One of the signed-in usager's mandates. Each reading is journaled, and waited for as in [`home`].
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate that is not theirs; [`Error::BeingRecorded`].
pub async fn mandate(app: &App, session: &Session, caller: &Caller, id: &MandateId) -> Result<Own, Error> {
    let (visit, id) = (Visit::new(app, session, caller)?, id.clone());
    app.include("space.mandate", move |tx| {
        let (visit, id) = (Arc::clone(&visit), id.clone());
        Box::pin(async move { visit.mandate(tx, &id).await })
    })
    .await?
}

/// Ends a mandate of the signed-in usager, or one procedure of it, and everything that lives of it. Gives the number
/// of the entry in the mandate's own history, by which [`ending`] finds its receipt.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate that is not theirs; [`Error::Transition`], journaled, when it is
/// ended already; [`Error::BeingRecorded`] when it holds but is not under a signed checkpoint yet.
pub async fn end(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    ended: &Ended,
) -> Result<u64, Error> {
    let (visit, id, ended) = (Visit::new(app, session, caller)?, id.clone(), ended.clone());
    app.include("space.end", move |tx| {
        let (visit, id, ended) = (Arc::clone(&visit), id.clone(), ended.clone());
        Box::pin(async move { visit.end(tx, &id, &ended).await })
    })
    .await?
}

/// What entry `number` of a mandate's history ended.
///
/// # Errors
/// [`Error::NotFound`] for a mandate that is not theirs, journaled, or an entry that ended nothing;
/// [`Error::BeingRecorded`] while the entry is not under a signed checkpoint.
pub async fn ending(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    number: u64,
) -> Result<Ending, Error> {
    let (visit, id) = (Visit::new(app, session, caller)?, id.clone());
    app.include("space.ending", move |tx| {
        let (visit, id) = (Arc::clone(&visit), id.clone());
        Box::pin(async move { visit.ending(tx, &id, number).await })
    })
    .await?
}

/// A page of the history of one of the signed-in usager's mandates. Each reading is journaled, as in [`home`].
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate that is not theirs; [`Error::BeingRecorded`].
pub async fn history(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    before: Option<u64>,
) -> Result<(Card, Lines), Error> {
    read(app, session, caller, id, move |app, snapshot, row| {
        Box::pin(async move {
            let lines = history::lines(&app, snapshot, &row, before).await?;
            Ok((desk::card(&app, snapshot, &mut Names::default(), row.mandate).await?, lines))
        })
    })
    .await
}

/// One entry of that history with its proof.
///
/// # Errors
/// As [`history()`]; [`Error::NotFound`] for a number the history has not.
pub async fn proved(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    number: u64,
) -> Result<Proved, Error> {
    read(app, session, caller, id, move |app, snapshot, row| {
        Box::pin(async move { history::proved(&app, snapshot, &row, number).await })
    })
    .await
}

/// The whole history as a file that proves itself.
///
/// # Errors
/// As [`history()`].
pub async fn whole(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
) -> Result<journal::History, Error> {
    read(app, session, caller, id, |app, snapshot, row| {
        Box::pin(async move { history::whole(&app, snapshot, &row).await })
    })
    .await
}

/// Reads of one of the signed-in usager's mandates; the reading is journaled, and so is its refusal. It is looked up before,
/// so that a long look keeps nobody who writes waiting.
async fn read<T, F>(
    app: &App,
    session: &Session,
    caller: &Caller,
    id: &MandateId,
    look: F,
) -> Result<T, Error>
where
    T: Send + 'static,
    F: for<'t> FnOnce(App, &'t mut Snapshot, MandateRow) -> BoxFuture<'t, Result<T, Error>> + Send + 'static,
{
    let visit = Visit::new(app, session, caller)?;
    let (reader, of) = (Arc::clone(&visit), id.clone());
    let found = app.store.read("space.history", move |snapshot| {
        Box::pin(async move {
            let row = reader.own(snapshot, &of).await?;
            look(Arc::clone(&reader.app), snapshot, row).await
        })
    });
    let found = found.await;
    if found.as_ref().is_err_and(|error| !matches!(error, Error::NotFound)) {
        return found;
    }
    let (seen, id) = (found.is_ok(), id.clone());
    app.include("space.history.note", move |tx| {
        let (visit, id) = (Arc::clone(&visit), id.clone());
        Box::pin(async move {
            if !seen {
                return visit.refuse_access(tx).await;
            }
            visit.note_reading(tx, &id).await?;
            let mut row = visit.own(tx, &id).await?;
            visit.sees(tx, &mut row).await
        })
    })
    .await?;
    found
}

/// A usager in their space.
pub(super) struct Visit {
    pub(super) app: App,
    usager: UsagerId,
    pub(super) caller: Caller,
    pub(super) now: Instant,
}

impl Visit {
    pub(super) fn new(app: &App, session: &Session, caller: &Caller) -> Result<Arc<Self>, Error> {
        let (usager, caller) = (session.usager()?.clone(), caller.clone());
        Ok(Arc::new(Self { app: Arc::clone(app), usager, caller, now: app.now() }))
    }

    /// A mandate this usager consented to. One that lapsed afterwards is theirs to see, too.
    async fn own(&self, snapshot: &mut Snapshot, id: &MandateId) -> Result<MandateRow, Error> {
        let own = mandates::of_usager(snapshot, &self.usager).await?;
        own.into_iter().find(|row| row.mandate.id == *id).ok_or(Error::NotFound)
    }

    /// The same, its refusal journaled.
    pub(super) async fn own_or_refused(
        &self,
        tx: &mut Tx,
        id: &MandateId,
    ) -> Result<Result<MandateRow, Error>, Error> {
        match self.own(tx, id).await {
            Err(error @ Error::NotFound) => {
                self.refuse_access(tx).await?;
                Ok(Err(error))
            }
            Err(error) => Err(error),
            Ok(row) => Ok(Ok(row)),
        }
    }

    /// Journals that something that is not theirs was asked for.
    async fn refuse_access(&self, tx: &mut Tx) -> Result<(), Error> {
        let record = Record::refused(EventKind::AccessRefused, Error::NotFound.code()).usager(&self.usager);
        record.append(&self.app, tx, &self.caller, self.now).await.map(drop)
    }

    /// The usager sees one of their mandates: from then on they know when it has ended.
    async fn sees(&self, tx: &mut Tx, row: &mut MandateRow) -> Result<(), Error> {
        let by = (Actor::Usager, &self.caller, self.now);
        known::note(&self.app, tx, row, known::Party::Usager, by).await
    }

    async fn home(&self, tx: &mut Tx) -> Result<Space, Error> {
        self.note_home(tx).await?;
        let mut names = Names::default();
        let mut cards = Vec::new();
        for mut row in mandates::of_usager(tx, &self.usager).await? {
            self.sees(tx, &mut row).await?;
            cards.push(desk::card(&self.app, tx, &mut names, row.mandate).await?);
        }
        let opened = representations::of_usager(tx, &self.usager, MOST_USES).await?;
        let refused = refusals::of_usager(tx, &self.usager, MOST_USES).await?;
        let uses = uses::told(&self.app, tx, &mut names, &opened, &refused).await?;
        Ok(Space { mandates: cards, uses, now: self.now })
    }

    /// Who they are.
    pub(super) const fn usager(&self) -> &UsagerId {
        &self.usager
    }

    /// That they read of all their mandates.
    pub(super) async fn note_home(&self, tx: &mut Tx) -> Result<(), Error> {
        let record = Record::done(EventKind::UsagerSpaceRead).usager(&self.usager);
        record.append(&self.app, tx, &self.caller, self.now).await.map(drop)
    }

    pub(super) async fn note_reading(&self, tx: &mut Tx, id: &MandateId) -> Result<(), Error> {
        let record = Record::done(EventKind::UsagerSpaceRead).usager(&self.usager).about(id);
        record.append(&self.app, tx, &self.caller, self.now).await.map(drop)
    }

    async fn mandate(&self, tx: &mut Tx, id: &MandateId) -> Result<Result<Own, Error>, Error> {
        let mut row = match self.own_or_refused(tx, id).await? {
            Ok(row) => row,
            Err(error) => return Ok(Err(error)),
        };
        self.note_reading(tx, id).await?;
        let last = row.seq;
        self.sees(tx, &mut row).await?;
        let mut names = Names::default();
        let opened = representations::of_mandate(tx, id, MOST_USES).await?;
        let refused = refusals::of_mandate(tx, id, MOST_USES).await?;
        Ok(Ok(Own {
            uses: uses::told(&self.app, tx, &mut names, &opened, &refused).await?,
            looks: audit::at_mandate(&self.app, tx, &mut names, id).await?,
            receipt: receipt::of_step(&self.app, tx, id, last).await?,
            revocation: card::standing(tx, id, self.now).await?,
            card: desk::card(&self.app, tx, &mut names, row.mandate).await?,
            now: self.now,
        }))
    }

    async fn end(&self, tx: &mut Tx, id: &MandateId, ended: &Ended) -> Result<Result<u64, Error>, Error> {
        let mut row = match self.own_or_refused(tx, id).await? {
            Ok(row) => row,
            Err(error) => return Ok(Err(error)),
        };
        let (by, number) = ((Actor::Usager, &self.caller, self.now), row.seq + 1);
        let done = match ended {
            Ended::Mandate => end_mandate(&self.app, tx, &mut row, EndReason::Revoked, by).await,
            Ended::Procedure(procedure) => withdraw_procedure(&self.app, tx, &mut row, procedure, by).await,
        };
        match done {
            // The domain refused before anything was written.
            Err(error @ Error::Transition(_)) => {
                refuse(&self.app, tx, &row.mandate, error, by).await.map(Err)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(Ok(number)),
        }
    }

    async fn ending(&self, tx: &mut Tx, id: &MandateId, number: u64) -> Result<Result<Ending, Error>, Error> {
        let row = match self.own_or_refused(tx, id).await? {
            Ok(row) => row,
            Err(error) => return Ok(Err(error)),
        };
        if !(1..=row.seq).contains(&number) {
            return Err(Error::NotFound);
        }
        let receipt = receipt::of_step(&self.app, tx, id, number).await?.ok_or(Error::BeingRecorded)?;
        let procedure = ended_at(&row.mandate, receipt.at)?;
        let stopped = representations::of_mandate(tx, id, MOST_USES).await?;
        let stopped =
            stopped.iter().filter(|one| one.closed == Some((receipt.at, CloseReason::Revoked))).count();
        Ok(Ok(Ending {
            card: desk::card(&self.app, tx, &mut Names::default(), row.mandate).await?,
            procedure,
            at: receipt.at,
            stopped: u64::try_from(stopped).unwrap_or(u64::MAX),
            receipt,
            now: self.now,
        }))
    }
}

/// What ended at that instant: the whole mandate (no procedure), or one procedure; nothing otherwise.
fn ended_at(mandate: &Mandate, at: Instant) -> Result<Option<ProcedureId>, Error> {
    match &mandate.state {
        State::Ended { at: end, .. } if *end == at => Ok(None),
        State::Active { withdrawn, .. } | State::Ended { withdrawn, .. } => {
            let procedure = withdrawn.iter().find(|(_, since)| **since == at).ok_or(Error::NotFound)?.0;
            Ok(Some(procedure.clone()))
        }
        State::Proposed | State::Consented(_) | State::Refused { .. } | State::Lapsed { .. } => {
            Err(Error::NotFound)
        }
    }
}
