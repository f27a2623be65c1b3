//! The card that ends a mandate (Code civil art. 2004): a number and a code, on paper, for whoever has no device. It is
//! keyed in by anybody on the public page, or at any desk of any organisation.
//!
//! Two codes, two powers: the verification code stands on the paper that is shown to services, so it must not end
//! anything; the card's code is made apart, hashed under another name and bound to its mandate, and verifies nothing.
//!
//! A wrong number, a wrong code and a locked card are answered alike. The holder of the right code proves it once and is
//! given a [`Pass`] for their own browser, so that the code travels no further.

mod keep;
mod message;
mod renew;

pub use keep::Standing;
pub(super) use keep::{code, draw, emptied, standing, store};
pub(super) use message::end_by_message;
pub use renew::{at_office as renew_at_office, own as renew_own, own_code};

use super::end::{end_mandate, withdraw_procedure};
use super::office::Office;
use super::receipt::{self, Receipt};
use super::steps::{Actor, note, refuse};
use super::{App, Caller, CardError, Error, Record, Session, facts};
use crate::crypto::{normalise_code, same};
use crate::mandate::{
    AidantId, EndReason, EndingMotive, EventKind, Instant, Mandate, MandateId, MandateNumber, OrganisationId,
    ProcedureId, State,
};
use crate::storage::cards::{self, CardRow};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::{Snapshot, Tx, organisations};
use std::sync::Arc;
use time::Duration;

/// How long the holder of a right code may take to decide.
pub const PASS_LIFE: Duration = Duration::minutes(15);

/// What somebody may do who gave the right code, in the browser they gave it in: an opaque text for the next form.
pub struct Pass(String);

impl Pass {
    /// The text for the form.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Where a card is keyed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On the public page, by whoever holds it.
    Anywhere,
    /// At a desk, by an aidant of any organisation, to whom it is read out.
    Desk,
}

/// Who keys a card in at a desk.
struct Desk {
    aidant: AidantId,
    organisation: OrganisationId,
}

impl Desk {
    async fn of(snapshot: &mut Snapshot, session: &Session, place: Place) -> Result<Option<Self>, Error> {
        match place {
            Place::Anywhere => Ok(None),
            Place::Desk => {
                let office = Office::of(snapshot, session).await?;
                Ok(Some(Self { aidant: office.aidant.id, organisation: office.organisation.id }))
            }
        }
    }
}

/// The mandate of a card, for its holder: nothing of persons.
pub struct Held {
    /// The mandate.
    pub mandate: Mandate,
    /// Name of its organisation.
    pub organisation: String,
    /// When it ended, if it has.
    pub over: Option<Instant>,
    /// For the next form; none when there is nothing to end any more.
    pub pass: Option<Pass>,
}

/// What the holder of a card ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// One procedure; none for the whole mandate.
    pub procedure: Option<ProcedureId>,
    /// Why, if they care to say.
    pub motive: Option<EndingMotive>,
}

/// What came of it.
pub struct Done {
    /// The mandate's number.
    pub number: MandateNumber,
    /// The procedure that was taken out; none when the whole mandate has ended.
    pub procedure: Option<ProcedureId>,
    /// When.
    pub at: Instant,
    /// Its place in the journal; none when it had ended before.
    pub receipt: Option<Receipt>,
}

/// Since when nobody can use a mandate any more, whether that is recorded or not.
#[must_use]
pub fn over_since(mandate: &Mandate, now: Instant) -> Option<Instant> {
    match &mandate.state {
        State::Ended { at, .. } => Some(*at),
        State::Active { acceptance, .. } if acceptance.ends_at <= now => Some(acceptance.ends_at),
        _ => None,
    }
}

/// Looks at a number and a code as somebody typed them.
///
/// # Errors
/// [`CardError::Refused`] whatever is wrong: the number, the code, or the card, which is locked; a wrong code for a card
/// is counted in its entry.
pub async fn open(
    app: &App,
    session: &Session,
    caller: &Caller,
    place: Place,
    (number, code): (&str, &str),
) -> Result<Held, Error> {
    let typed = Arc::new((MandateNumber::parse(number), normalise_code(code)));
    let (app_, session, caller, now) = (Arc::clone(app), session.clone(), caller.clone(), app.now());
    app.commit("card.open", move |tx| {
        let (app, session, caller) = (Arc::clone(&app_), session.clone(), caller.clone());
        let typed = Arc::clone(&typed);
        Box::pin(async move {
            let desk = Desk::of(tx, &session, place).await?;
            let (number, code) = &*typed;
            match find(&app, tx, *number, code, (desk.as_ref(), &caller, now)).await? {
                Some(found) => held(&app, tx, &session, found, now).await.map(Ok),
                None => Ok(Err(CardError::Refused.into())),
            }
        })
    })
    .await?
}

async fn held(
    app: &App,
    tx: &mut Tx,
    session: &Session,
    (row, card): (MandateRow, CardRow),
    now: Instant,
) -> Result<Held, Error> {
    let over = over_since(&row.mandate, now);
    let organisation = organisations::load(tx, &row.mandate.organisation).await?.ok_or(Error::Unreadable)?;
    let pass = over.is_none().then(|| pass(app, session, &card, now.plus(PASS_LIFE)));
    Ok(Held { organisation: organisation.name, mandate: row.mandate, over, pass })
}

/// The mandate and the card that a number and a code open; none, counted, when they open nothing.
async fn find(
    app: &App,
    tx: &mut Tx,
    number: Option<MandateNumber>,
    code: &str,
    by: (Option<&Desk>, &Caller, Instant),
) -> Result<Option<(MandateRow, CardRow)>, Error> {
    let candidates = match number {
        Some(number) => cards::by_number(tx, number).await?,
        None => Vec::new(),
    };
    if candidates.is_empty() {
        // As much is computed for a number that nobody has.
        let nobody = MandateId::from_bytes([0; 16]);
        let _ = same(hash(app, &nobody, code).as_bytes(), hash(app, &nobody, "").as_bytes());
        return Ok(None);
    }
    let mut wrong = Vec::new();
    for card in candidates {
        let matches = card
            .code
            .as_ref()
            .is_some_and(|(kept, _)| same(kept.as_bytes(), hash(app, &card.mandate, code).as_bytes()));
        if matches && !card.tries.is_locked(by.2) {
            let row = mandates::load(tx, &card.mandate).await?.ok_or(Error::Unreadable)?;
            return Ok(Some((row, card)));
        }
        wrong.push(card);
    }
    for card in wrong {
        count(app, tx, card, by).await?;
    }
    Ok(None)
}

/// Counts a wrong code, in the mandate's own history. Once a card is locked nothing is looked at and nothing counted.
async fn count(
    app: &App,
    tx: &mut Tx,
    card: CardRow,
    (desk, caller, now): (Option<&Desk>, &Caller, Instant),
) -> Result<(), Error> {
    if card.tries.is_locked(now) {
        return Ok(());
    }
    let mut row = mandates::load(tx, &card.mandate).await?.ok_or(Error::Unreadable)?;
    let tries = card.tries.failed(now);
    let after = CardRow { tries, version: card.version + 1, ..card.clone() };
    let kind = if tries.is_locked(now) { EventKind::CardLocked } else { EventKind::CardRefused };
    let record = Record::refused(kind, CardError::Refused.code()).stands(facts::card(&app.keys, &after));
    let event = note(app, tx, &mut row, record, (actor(desk, None), caller, now)).await?;
    Ok(cards::update(tx, &card, &after, &event).await?)
}

const fn actor(desk: Option<&Desk>, motive: Option<EndingMotive>) -> Actor<'_> {
    let desk = match desk {
        Some(desk) => Some((&desk.aidant, &desk.organisation)),
        None => None,
    };
    Actor::Card { desk, motive }
}

/// Ends what the holder of a card wishes. It holds from its commit; what comes back does so once its entry is under a signed
/// checkpoint (invariant 3).
///
/// # Errors
/// [`CardError::Over`] for a pass of another browser, one that has run out, or one of a card that was replaced;
/// [`Error::Transition`], journaled, for a procedure that is not granted any more; [`Error::BeingRecorded`].
pub async fn end(
    app: &App,
    session: &Session,
    caller: &Caller,
    place: Place,
    (pass, wish): (&str, &Wish),
) -> Result<Done, Error> {
    let now = app.now();
    let (app_, session, caller) = (Arc::clone(app), session.clone(), caller.clone());
    let asked = Arc::new((pass.to_owned(), wish.clone()));
    let ended = app
        .include("card.end", move |tx| {
            let (app, session, caller) = (Arc::clone(&app_), session.clone(), caller.clone());
            let asked = Arc::clone(&asked);
            Box::pin(async move {
                let desk = Desk::of(tx, &session, place).await?;
                let (pass, wish) = &*asked;
                let Some(row) = passed(&app, tx, &session, pass, now).await? else {
                    return Ok(Err(CardError::Over.into()));
                };
                run(&app, tx, row, wish, (desk.as_ref(), &caller, now)).await
            })
        })
        .await??;
    told(app, ended).await
}

/// What [`run`] found or did: entry `step` of the mandate's history, if it did anything.
struct Ended {
    mandate: MandateId,
    procedure: Option<ProcedureId>,
    at: Instant,
    step: Option<u64>,
}

async fn run(
    app: &App,
    tx: &mut Tx,
    mut row: MandateRow,
    wish: &Wish,
    (desk, caller, now): (Option<&Desk>, &Caller, Instant),
) -> Result<Result<Ended, Error>, Error> {
    let (mandate, procedure) = (row.mandate.id.clone(), wish.procedure.clone());
    if let Some(at) = over_since(&row.mandate, now) {
        return Ok(Ok(Ended { mandate, procedure: None, at, step: None }));
    }
    let (by, step) = ((actor(desk, wish.motive), caller, now), Some(row.seq + 1));
    let done = match &wish.procedure {
        None => end_mandate(app, tx, &mut row, EndReason::Revoked, by).await,
        Some(procedure) => withdraw_procedure(app, tx, &mut row, procedure, by).await,
    };
    match done {
        // The domain refused before anything was written.
        Err(error @ Error::Transition(_)) => refuse(app, tx, &row.mandate, error, by).await.map(Err),
        Err(error) => Err(error),
        Ok(()) => Ok(Ok(Ended { mandate, procedure, at: now, step })),
    }
}

async fn told(app: &App, ended: Ended) -> Result<Done, Error> {
    let number = MandateNumber::of(&ended.mandate);
    let app_ = Arc::clone(app);
    app.store
        .read("card.ended", move |snapshot| {
            Box::pin(async move {
                let receipt = match ended.step {
                    Some(step) => {
                        let found = receipt::of_step(&app_, snapshot, &ended.mandate, step).await?;
                        Some(found.ok_or(Error::BeingRecorded)?)
                    }
                    None => None,
                };
                Ok(Done { number, procedure: ended.procedure, at: ended.at, receipt })
            })
        })
        .await
}

/// What stands in a form: the mandate, until when, and a keyed hash that binds both to the session and to this very card.
fn pass(app: &App, session: &Session, card: &CardRow, until: Instant) -> Pass {
    let (mandate, until) = (card.mandate.as_str(), until.micros().to_string());
    let code = card.code.as_ref().map(|(hash, _)| hash.clone()).unwrap_or_default();
    let parts = [session.id.to_hex(), mandate.to_owned(), code, until.clone()];
    let tag = app.keys.index().keyed_hash("card_pass", &parts.each_ref().map(String::as_str));
    Pass(format!("{mandate}.{until}.{tag}"))
}

/// The mandate that a pass opens in this browser.
async fn passed(
    app: &App,
    snapshot: &mut Snapshot,
    session: &Session,
    given: &str,
    now: Instant,
) -> Result<Option<MandateRow>, Error> {
    let mut parts = given.splitn(3, '.');
    let (Some(mandate), Some(until)) = (parts.next(), parts.next()) else { return Ok(None) };
    let (Ok(mandate), Ok(until)) = (MandateId::parse(mandate), until.parse().map(Instant::from_micros))
    else {
        return Ok(None);
    };
    let card = cards::load(snapshot, &mandate).await?.filter(|card| card.code.is_some());
    let Some(card) = card.filter(|_| now < until) else { return Ok(None) };
    if !same(pass(app, session, &card, until).expose().as_bytes(), given.as_bytes()) {
        return Ok(None);
    }
    Ok(mandates::load(snapshot, &mandate).await?)
}

/// How a card's code is kept: bound to its mandate, under a name of its own.
fn hash(app: &App, mandate: &MandateId, code: &str) -> String {
    app.keys.index().keyed_hash("revocation_code", &[mandate.as_str(), code])
}
