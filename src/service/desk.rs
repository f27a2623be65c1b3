//! What an aidant sees of their organisation's mandates: today, the list, one of them.

use super::names::Names;
use super::office::Office;
use super::receipt::{self, Receipt};
use super::steps::Actor;
use super::uses::{self, Use};
use super::{App, Caller, Error, Record, Session, card, handing, known};
use crate::mandate::{EventKind, Instant, Mandate, MandateId, State, StateName};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::representations::{self, Scope};
use crate::storage::{Snapshot, Tx, refusals};
use std::sync::Arc;
use time::Duration;

/// A mandate that ends within this long is shown as ending soon.
const SOON: Duration = Duration::days(30);
/// At most so many lines of what was done.
const MOST_USES: u32 = 100;
/// At most so many mandates of one state in the list.
const MOST_LISTED: u32 = 200;

/// A mandate with the names of its parties. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// The mandate.
    pub mandate: Mandate,
    /// First and last name of the usager, once one has consented.
    pub usager: Option<String>,
    /// Name of the organisation.
    pub organisation: String,
    /// First and last name of the aidant who proposed it.
    pub aidant: String,
}

/// Names the parties of a mandate.
pub async fn card(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    mandate: Mandate,
) -> Result<Card, Error> {
    let usager = match mandate.usager() {
        Some(id) => Some(names.usager(app, snapshot, id).await?),
        None => None,
    };
    Ok(Card {
        usager,
        organisation: names.organisation(snapshot, &mandate.organisation).await?,
        aidant: names.aidant(app, snapshot, &mandate.proposed_by).await?,
        mandate,
    })
}

async fn cards(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    rows: Vec<MandateRow>,
) -> Result<Vec<Card>, Error> {
    let mut cards = Vec::with_capacity(rows.len());
    for row in rows {
        cards.push(card(app, snapshot, names, row.mandate).await?);
    }
    Ok(cards)
}

/// An aidant's day.
pub struct Today {
    /// Representations still open.
    pub open: Vec<Use>,
    /// Mandates that wait for the usager or for acceptance.
    pub waiting: Vec<Card>,
    /// Mandates in force that end soon.
    pub soon: Vec<Card>,
    /// How many mandates stand.
    pub standing: u64,
    /// What this aidant did today, refusals included.
    pub done: Vec<Use>,
    /// When the page was made.
    pub now: Instant,
}

/// Today, for the signed-in aidant.
pub async fn today(app: &App, session: &Session) -> Result<Today, Error> {
    let (app_, session, now) = (Arc::clone(app), session.clone(), app.now());
    app.store
        .read("aidant.today", move |snapshot| {
            Box::pin(async move {
                let office = Office::of(snapshot, &session).await?;
                let (organisation, aidant) = (&office.organisation.id, &office.aidant.id);
                let mut names = Names::default();
                let open = representations::open(snapshot, &Scope::Aidant(aidant.clone())).await?;
                let mut waiting = Vec::new();
                for state in [StateName::Consented, StateName::Proposed] {
                    waiting
                        .extend(mandates::of_organisation(snapshot, organisation, state, MOST_LISTED).await?);
                }
                waiting.retain(|row| now < row.mandate.lapses_at());
                let soon = mandates::ending(snapshot, organisation, now, now.plus(SOON)).await?;
                let midnight = Instant::from(now.date().midnight().assume_utc());
                let done = representations::of_aidant(snapshot, aidant, midnight, MOST_USES).await?;
                let refused = refusals::of_aidant(snapshot, aidant, midnight, MOST_USES).await?;
                Ok(Today {
                    open: uses::told(&app_, snapshot, &mut names, &open, &[]).await?,
                    waiting: cards(&app_, snapshot, &mut names, waiting).await?,
                    soon: cards(&app_, snapshot, &mut names, soon).await?,
                    standing: mandates::count_standing(snapshot, organisation, now).await?,
                    done: uses::told(&app_, snapshot, &mut names, &done, &refused).await?,
                    now,
                })
            })
        })
        .await
}

/// The mandates of the aidant's organisation, of each state the latest first, and when the list was made.
pub async fn list(app: &App, session: &Session) -> Result<(Vec<Card>, Instant), Error> {
    let (app_, session, now) = (Arc::clone(app), session.clone(), app.now());
    app.store
        .read("mandate.list", move |snapshot| {
            Box::pin(async move {
                let office = Office::of(snapshot, &session).await?;
                let (mut names, mut listed) = (Names::default(), Vec::new());
                for state in StateName::ALL {
                    let of = &office.organisation.id;
                    let rows = mandates::of_organisation(snapshot, of, state, MOST_LISTED).await?;
                    listed.extend(cards(&app_, snapshot, &mut names, rows).await?);
                }
                listed.sort_by_key(|card| std::cmp::Reverse(card.mandate.proposed_at));
                Ok((listed, now))
            })
        })
        .await
}

/// One step of a mandate's life.
#[derive(Clone, PartialEq, Eq)]
pub struct Stage {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
    /// First and last name of who did it, if it was a person.
    pub by: Option<String>,
}

/// One mandate with all that is known of it.
pub struct Detail {
    /// The mandate.
    pub card: Card,
    /// Its life, oldest first.
    pub life: Vec<Stage>,
    /// What was done with it, the latest first.
    pub uses: Vec<Use>,
    /// How the card that ends it stands, if it has one.
    pub revocation: Option<card::Standing>,
    /// Receipt of its latest entry, once included.
    pub receipt: Option<Receipt>,
    /// How many receipts are to be handed over on paper.
    pub papers: u64,
    /// When the page was made.
    pub now: Instant,
}

/// One mandate of the aidant's organisation. Reading about a person is journaled, and the page waits for that entry: so
/// everything it tells stands in the journal before it (invariant 3).
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate of another organisation; [`Error::BeingRecorded`].
pub async fn detail(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
) -> Result<Detail, Error> {
    let reading = Reading::new(app, session, caller, mandate)?;
    app.include("mandate.read", move |tx| {
        let reading = Arc::clone(&reading);
        Box::pin(async move { reading.detail(tx).await })
    })
    .await?
}

struct Reading {
    app: App,
    session: Session,
    caller: Caller,
    mandate: MandateId,
    now: Instant,
}

impl Reading {
    fn new(app: &App, session: &Session, caller: &Caller, mandate: &MandateId) -> Result<Arc<Self>, Error> {
        session.aidant()?;
        let (session, caller, mandate) = (session.clone(), caller.clone(), mandate.clone());
        Ok(Arc::new(Self { app: Arc::clone(app), session, caller, mandate, now: app.now() }))
    }

    async fn find(&self, tx: &mut Tx, office: &Office) -> Result<Result<MandateRow, Error>, Error> {
        match office.mandate(tx, &self.mandate).await {
            Ok(row) => Ok(Ok(row)),
            Err(error) => office.refuse_access(&self.app, tx, error, (&self.caller, self.now)).await.map(Err),
        }
    }

    async fn detail(&self, tx: &mut Tx) -> Result<Result<Detail, Error>, Error> {
        let office = Office::of(tx, &self.session).await?;
        let mut row = match self.find(tx, &office).await? {
            Ok(row) => row,
            Err(error) => return Ok(Err(error)),
        };
        let last = row.seq;
        let by = (Actor::Aidant(&office.aidant.id), &self.caller, self.now);
        known::note(&self.app, tx, &mut row, known::Party::Organisation, by).await?;
        if let Some(usager) = row.mandate.usager() {
            Record::done(EventKind::MandateRead)
                .organisation(&office.organisation.id)
                .aidant(&office.aidant.id)
                .usager(usager)
                .about(&self.mandate)
                .append(&self.app, tx, &self.caller, self.now)
                .await?;
        }
        let mut names = Names::default();
        let uses = representations::of_mandate(tx, &self.mandate, MOST_USES).await?;
        let refused = refusals::of_mandate(tx, &self.mandate, MOST_USES).await?;
        Ok(Ok(Detail {
            life: life(&self.app, tx, &mut names, &row.mandate).await?,
            uses: uses::told(&self.app, tx, &mut names, &uses, &refused).await?,
            revocation: card::standing(tx, &self.mandate, self.now).await?,
            receipt: receipt::of_step(&self.app, tx, &self.mandate, last).await?,
            papers: handing::waiting(tx, &self.mandate).await?,
            card: card(&self.app, tx, &mut names, row.mandate).await?,
            now: self.now,
        }))
    }
}

/// The life of a mandate from the facts it carries.
pub async fn life(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    mandate: &Mandate,
) -> Result<Vec<Stage>, Error> {
    let aidant = names.aidant(app, snapshot, &mandate.proposed_by).await?;
    let mut life =
        vec![Stage { at: mandate.proposed_at, kind: EventKind::MandateProposed, by: Some(aidant) }];
    let by_nobody = |at: Instant, kind: EventKind| Stage { at, kind, by: None };
    let (consent, acceptance, withdrawn) = match &mandate.state {
        State::Consented(consent) => (Some(consent), None, None),
        State::Active { consent, acceptance, withdrawn } => {
            (Some(consent), Some(acceptance), Some(withdrawn))
        }
        State::Ended { consent, acceptance, withdrawn, .. } => {
            (Some(consent), acceptance.as_ref(), Some(withdrawn))
        }
        State::Lapsed { consent, .. } => (consent.as_ref(), None, None),
        State::Proposed | State::Refused { .. } => (None, None, None),
    };
    if let Some(consent) = consent {
        let by = Some(names.usager(app, snapshot, &consent.usager).await?);
        life.push(Stage { at: consent.at, kind: EventKind::MandateConsented, by });
    }
    if let Some(acceptance) = acceptance {
        let by = Some(names.aidant(app, snapshot, &acceptance.by).await?);
        life.push(Stage { at: acceptance.at, kind: EventKind::MandateAccepted, by });
    }
    let mut taken: Vec<Instant> = withdrawn.into_iter().flatten().map(|(_, at)| *at).collect();
    taken.sort_unstable();
    life.extend(taken.into_iter().map(|at| by_nobody(at, EventKind::ProcedureWithdrawn)));
    match &mandate.state {
        State::Refused { at } => life.push(by_nobody(*at, EventKind::MandateRefused)),
        State::Lapsed { at, .. } => life.push(by_nobody(*at, EventKind::MandateLapsed)),
        State::Ended { at, .. } => life.push(by_nobody(*at, EventKind::MandateEnded)),
        State::Proposed | State::Consented(_) | State::Active { .. } => {}
    }
    Ok(life)
}
