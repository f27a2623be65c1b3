//! The history of one mandate: every step of its life and every use is numbered in its own stream.

use super::facts::Stands;
use super::{App, Caller, Error, Record, Stream, notices};
use crate::mandate::{
    AidantId, EndingMotive, EventId, EventKind, Instant, LifeFact, Mandate, OrganisationId,
};
use crate::storage::Tx;
use crate::storage::mandates::{self, MandateRow};
use crate::storage::notices::NoticeRow;

/// Who makes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor<'a> {
    /// The usager of the mandate.
    Usager,
    /// Whoever holds the card of the mandate: the usager, as far as anybody can know.
    Card {
        /// Who keyed it in at a desk, and for which organisation, when it was read out to somebody.
        desk: Option<(&'a AidantId, &'a OrganisationId)>,
        /// Why, if they cared to say.
        motive: Option<EndingMotive>,
    },
    /// Whoever has the telephone that a message of ours went to, by a reply to it: the usager, as far as anybody can know.
    Reply {
        /// The aidant whose asking is answered.
        to: Option<&'a AidantId>,
    },
    /// An aidant or referent of its organisation.
    Aidant(&'a AidantId),
    /// Nobody: the service, when a time has passed.
    Service,
    /// The operator, from the command line.
    Operator,
}

impl Actor<'_> {
    /// The stable name of the way by which something came.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Usager => "usager",
            Self::Card { desk: None, .. } => "card",
            Self::Card { desk: Some(_), .. } => "desk",
            Self::Reply { .. } => "reply",
            Self::Aidant(_) => "aidant",
            Self::Service => "service",
            Self::Operator => "operator",
        }
    }

    /// Names the persons concerned: the aidant who acts, and the usager once one has consented.
    fn name(self, record: Record, mandate: &Mandate) -> Record {
        let record = record.organisation(&mandate.organisation);
        let record = match mandate.usager() {
            Some(usager) => record.usager(usager),
            None => record,
        };
        match self {
            Self::Aidant(aidant) | Self::Reply { to: Some(aidant) } => record.aidant(aidant),
            Self::Card { desk: Some((aidant, organisation)), .. } => {
                record.aidant(aidant).detail("desk", organisation.as_str())
            }
            Self::Usager
            | Self::Card { desk: None, .. }
            | Self::Reply { to: None }
            | Self::Service
            | Self::Operator => record,
        }
    }

    /// Tells by which way something ended, and why where that was said.
    fn ends(self, record: Record) -> Record {
        let record = record.detail("by", self.as_str());
        match self {
            Self::Card { motive: Some(motive), .. } => record.detail("motive", motive.as_str()),
            _ => record,
        }
    }
}

/// Takes a mandate one step on in its life: entry and fact together. The row becomes what is now stored.
pub(super) async fn take(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    next: Mandate,
    fact: LifeFact,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<EventId, Error> {
    take_telling(app, tx, row, next, (fact, None), by).await
}

/// The same, for a step the usager is told of: the notice is drafted, and is stored with it.
pub(super) async fn take_telling(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    next: Mandate,
    (fact, notice): (LifeFact, Option<NoticeRow>),
    by: (Actor<'_>, &Caller, Instant),
) -> Result<EventId, Error> {
    take_making(app, tx, row, next, (fact, notice, None), by).await
}

/// The same, where the step may also make the row of another fact: the entry tells how that stands.
pub(super) async fn take_making(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    next: Mandate,
    (fact, notice, made): (LifeFact, Option<NoticeRow>, Option<Stands>),
    by: (Actor<'_>, &Caller, Instant),
) -> Result<EventId, Error> {
    let record = Record::life(fact);
    let record = match made {
        Some(made) => record.stands(made),
        None => record,
    };
    take_recorded(app, tx, row, next, (record, notice), by).await
}

/// The same, for a step whose entry says more than its fact.
pub(super) async fn take_recorded(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    next: Mandate,
    (record, notice): (Record, Option<NoticeRow>),
    (actor, caller, now): (Actor<'_>, &Caller, Instant),
) -> Result<EventId, Error> {
    let seq = row.seq + 1;
    let stream = Stream { mandate: next.id.clone(), seq, previous: row.last_leaf.take() };
    // A mandate may end in several ways; who consented or refused did so on the screen of the aidant named.
    let ending = matches!(record.fact(), Some(LifeFact::Ended { .. } | LifeFact::Withdrawn { .. }));
    let record = actor.name(record, &next).in_stream(stream);
    let replied = matches!(actor, Actor::Reply { .. });
    let record = if ending || replied { actor.ends(record) } else { record };
    let record = notices::told(app, record, notice.as_ref());
    let event = record.append(app, tx, caller, now).await?;
    let after = MandateRow { mandate: next, seq, ..row.clone() };
    mandates::update(tx, row, &after, &event).await?;
    notices::keep(tx, notice.as_ref(), &event).await?;
    *row = MandateRow { version: row.version + 1, ..after };
    Ok(event)
}

/// Adds an entry to a mandate's history that changes nothing else of it: a use, its end, a printing.
pub async fn note(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    record: Record,
    (actor, caller, now): (Actor<'_>, &Caller, Instant),
) -> Result<EventId, Error> {
    let previous = row.last_leaf.take();
    let stream = Stream { mandate: row.mandate.id.clone(), seq: row.seq + 1, previous };
    let record = actor.name(record, &row.mandate).in_stream(stream);
    let event = record.append(app, tx, caller, now).await?;
    row.seq = mandates::touch(tx, row, &event).await?;
    row.version += 1;
    Ok(event)
}

/// Journals that a step was refused and gives the refusal back, for the write to commit it.
pub(super) async fn refuse(
    app: &App,
    tx: &mut Tx,
    mandate: &Mandate,
    error: Error,
    (actor, caller, now): (Actor<'_>, &Caller, Instant),
) -> Result<Error, Error> {
    let record = Record::refused(EventKind::MandateStepRefused, error.code());
    let record = actor.name(record, mandate).about(&mandate.id);
    record.append(app, tx, caller, now).await?;
    Ok(error)
}
