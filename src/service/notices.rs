//! Telling usagers what is done in their name: a notice is written with the fact it tells of and stands in that fact's entry; it
//! is sent once that entry is under a signed checkpoint, again and again until somebody has taken it over or days have passed.
//! What could not be sent is handed over on paper. Text and address are made when it is sent: the notice holds neither.
//!
//! Each notice is handed to its courier under one identifier, however often; it is settled in one transaction with its entry.
//! Between the courier's yes and that transaction a crash leaves it unsettled: it is handed over again under the same
//! identifier, by which a webhook or a mailbox knows it as the one it has.

use super::names::Names;
use super::reply::{self, Of};
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, account, contacts, facts};
use crate::courier::{LONGEST_HANDING, Letter, NotTaken};
use crate::mandate::{
    Channel, EndReason, EventId, EventKind, Instant, Language, Mandate, NoticeId, NoticeKind, NoticeState,
    ProcedureId, Reminder, RepresentationId, State, Told, stop_offered,
};
use crate::storage::notices::{self, NoticeRow, Queued};
use crate::storage::representations::{self, RepresentationRow};
use crate::storage::{Snapshot, Tx, contacts as choices, mandates, organisations};
use std::sync::Arc;
use time::Duration;
use tokio::task::JoinSet;

/// Notices under way at once.
const UNDER_WAY: usize = 32;
/// The longest time between two attempts.
const SELDOM: Duration = Duration::hours(1);
/// After this time it is handed over on paper.
const GIVEN_UP: Duration = Duration::days(3);
/// Where the usager's space is, below our own address.
const SPACE: &str = "/usager";

/// What a notice is about.
pub(super) enum About<'a> {
    /// A representation that is over.
    Receipt(&'a RepresentationRow),
    /// The mandate's end.
    Ended(EndReason),
    /// The end of one procedure of it.
    Withdrawn(&'a ProcedureId),
    /// The account of a mandate that ended for that reason.
    Statement(EndReason),
    /// A reminder.
    Reminder(Reminder),
}

/// A notice of what is being written, for the entry to tell and [`keep`] to store; nothing for whoever wants none, and of a
/// death.
pub(super) async fn draft(
    app: &App,
    tx: &mut Tx,
    mandate: &Mandate,
    about: About<'_>,
    now: Instant,
) -> Result<Option<NoticeRow>, Error> {
    let Some(usager) = mandate.usager().cloned() else { return Ok(None) };
    let (kind, representation, procedure) = match about {
        About::Receipt(of) => (NoticeKind::Receipt, Some(of.id.clone()), None),
        About::Ended(EndReason::Deceased) | About::Statement(EndReason::Deceased) => return Ok(None),
        About::Statement(_) => (NoticeKind::Statement, None, None),
        About::Reminder(reminder) => (reminder.notice(), None, None),
        About::Ended(_) => (NoticeKind::Ended, None, None),
        About::Withdrawn(procedure) => (NoticeKind::Withdrawn, None, Some(procedure.clone())),
    };
    let chosen = choices::load(tx, &usager).await?.map_or(Channel::Paper, |row| row.channel);
    let channel = match chosen {
        Channel::None => return Ok(None),
        carried if app.couriers.of(carried).is_some() => carried,
        _ => Channel::Paper,
    };
    Ok(Some(NoticeRow {
        id: NoticeId::from_bytes(app.new_id()?),
        number: notices::last(tx, &usager).await? + 1,
        usager,
        kind,
        mandate: mandate.id.clone(),
        representation,
        procedure,
        channel,
        state: if channel.is_carried() { NoticeState::Waiting } else { NoticeState::OnPaper },
        code: None,
        created_at: now,
        settled_at: None,
        version: 1,
    }))
}

/// Tells in an entry that a notice is written by it.
pub(super) fn told(app: &App, record: Record, notice: Option<&NoticeRow>) -> Record {
    match notice {
        Some(notice) => record.stands(facts::notice(&app.keys, notice)),
        None => record,
    }
}

/// Stores what was drafted.
pub(super) async fn keep(tx: &mut Tx, notice: Option<&NoticeRow>, event: &EventId) -> Result<(), Error> {
    match notice {
        Some(notice) => Ok(notices::insert(tx, notice, event).await?),
        None => Ok(()),
    }
}

/// Hands over what is due, without waiting for the couriers: they are waited for in `under_way`.
///
/// # Errors
/// [`Error::Store`].
pub async fn send_due(app: &App, under_way: &mut JoinSet<()>) -> Result<(), Error> {
    while under_way.try_join_next().is_some() {}
    let room = u32::try_from(UNDER_WAY.saturating_sub(under_way.len())).unwrap_or(0);
    if room == 0 {
        return Ok(());
    }
    let now = app.now();
    let due = app.store.read("notice.due", move |snapshot| {
        Box::pin(async move { Ok::<_, Error>(notices::due(snapshot, now, room).await?) })
    });
    for queued in due.await? {
        if let Some(queued) = take(app, queued, now).await? {
            let app = Arc::clone(app);
            under_way.spawn(async move {
                if let Err(error) = deliver(&app, queued).await {
                    tracing::error!(code = error.code(), "what became of a notice could not be written down");
                }
            });
        }
    }
    Ok(())
}

/// Takes a notice, unless another replica did; it comes back counted.
async fn take(app: &App, queued: Queued, now: Instant) -> Result<Option<Queued>, Error> {
    // Longer than any courier takes, and the wait for inclusion before.
    let taken_for = Duration::seconds(i64::try_from(LONGEST_HANDING).unwrap_or(60) * 2);
    app.commit("notice.take", move |tx| {
        let queued = queued.clone();
        Box::pin(async move {
            let taken = notices::take(tx, &queued, now.plus(taken_for)).await?;
            Ok(taken.then(|| Queued { attempts: queued.attempts.saturating_add(1), ..queued }))
        })
    })
    .await
}

/// Hands one notice over and writes down what became of it.
async fn deliver(app: &App, queued: Queued) -> Result<(), Error> {
    let (app_, id) = (Arc::clone(app), queued.id.clone());
    let made = app
        .store
        .read("notice.letter", move |snapshot| Box::pin(async move { letter(&app_, snapshot, &id).await }));
    let Some((event, letter)) = made.await? else { return Ok(()) };
    // No word before inclusion (invariant 3).
    let handed = if !app.store.included(&[event], app.patience).await {
        Err(NotTaken::Later("not_included"))
    } else if let Some(letter) = letter {
        match app.couriers.of(letter.channel) {
            Some(courier) => courier.hand(&letter).await,
            None => Err(NotTaken::Refused("no_courier")),
        }
    } else {
        Err(NotTaken::Refused("no_address"))
    };
    let app_ = Arc::clone(app);
    app.commit("notice.settle", move |tx| {
        let (app, queued) = (Arc::clone(&app_), queued.clone());
        Box::pin(async move { settle(&app, tx, &queued, handed).await })
    })
    .await
}

/// What is to be handed over, and the entry it follows from; nothing when it is settled already. The letter is absent when
/// there is no address any more.
async fn letter(
    app: &App,
    snapshot: &mut Snapshot,
    id: &NoticeId,
) -> Result<Option<(EventId, Option<Letter>)>, Error> {
    let Some((row, event)) = notices::with_entry(snapshot, id).await? else { return Ok(None) };
    if row.state != NoticeState::Waiting {
        return Ok(None);
    }
    let chosen = choices::load(snapshot, &row.usager).await?;
    let Some(mut contact) = contacts::opened(app, snapshot, chosen.as_ref()).await? else {
        return Ok(Some((event, None)));
    };
    // As it was chosen when the notice was written; the address is today's.
    contact.channel = row.channel;
    let Some(to) = contact.address().map(str::to_owned) else { return Ok(Some((event, None))) };
    let mut text = telling(app, snapshot, &row, contact.language).await?.text(contact.language);
    let (channel, language) = (row.channel, contact.language);
    let reply_reference = reply::reference(app, Of::Notice(&row.id), channel, &to);
    if reply_reference.is_some() && row.kind.may_be_stopped() {
        text.short = stop_offered(&text.short, language);
    }
    let letter = Letter {
        id: row.id,
        channel,
        to,
        language,
        text,
        reply_reference,
        written_at: row.created_at,
        sent_at: app.now(),
    };
    Ok(Some((event, Some(letter))))
}

/// What a notice tells, from the facts as they stand.
pub(super) async fn telling(
    app: &App,
    snapshot: &mut Snapshot,
    row: &NoticeRow,
    language: Language,
) -> Result<Told, Error> {
    let stored = mandates::load(snapshot, &row.mandate).await?.ok_or(Error::Unreadable)?;
    let account = match row.kind {
        NoticeKind::Statement => account::of(app, snapshot, &stored).await?.lines(language),
        _ => Vec::new(),
    };
    let mandate = stored.mandate;
    let organisation =
        organisations::load(snapshot, &mandate.organisation).await?.ok_or(Error::Unreadable)?;
    let procedure_of = |id: &ProcedureId| {
        let procedure = app.catalogue.procedure(id);
        procedure.map_or_else(|| id.to_string(), |procedure| procedure.name.text(language).to_owned())
    };
    let mut told = Told {
        kind: row.kind,
        at: row.created_at,
        until: None,
        aidant: String::new(),
        organisation: organisation.name,
        telephone: organisation.whereabouts.and_then(|at| at.telephone),
        service: String::new(),
        procedure: row.procedure.as_ref().map(procedure_of).unwrap_or_default(),
        outcome: None,
        reason: None,
        account,
        space: format!("{}{SPACE}", app.issuer.as_str()),
    };
    if let Some(id) = &row.representation {
        let of = representations::load(snapshot, id).await?.ok_or(Error::Unreadable)?;
        let mut names = Names::default();
        told.at = of.opened_at;
        told.until = of.closed.map(|(at, _)| at);
        told.aidant = names.aidant(app, snapshot, &of.aidant).await?;
        told.service = names.service(snapshot, &of.client).await?;
        told.procedure = procedure_of(&of.procedure);
        told.outcome = of.outcome;
    } else if let State::Ended { reason, .. } = mandate.state {
        told.reason = Some(reason);
    } else if let State::Active { acceptance, .. } = &mandate.state {
        told.until = Some(acceptance.ends_at);
    }
    Ok(told)
}

/// Writes down what became of handing a notice over.
async fn settle(app: &App, tx: &mut Tx, queued: &Queued, handed: Result<(), NotTaken>) -> Result<(), Error> {
    let now = app.now();
    let Some(before) = notices::load(tx, &queued.id).await? else { return Ok(()) };
    if before.state != NoticeState::Waiting {
        return Ok(());
    }
    let (state, code) = match handed {
        Ok(()) => (NoticeState::Sent, None),
        Err(NotTaken::Refused(code)) => (NoticeState::Refused, Some(code)),
        Err(NotTaken::Later(code)) if now.since(before.created_at) >= GIVEN_UP => {
            (NoticeState::GivenUp, Some(code))
        }
        Err(NotTaken::Later(_)) => {
            return Ok(notices::put_off(tx, queued, now.plus(pause(queued.attempts))).await?);
        }
    };
    let kind = if code.is_none() { EventKind::NoticeSent } else { EventKind::NoticeNotSent };
    let record = about(kind, &before).detail("attempt", queued.attempts);
    let record = match code {
        Some(code) => record.detail("state", state.as_str()).detail("error", code),
        None => record,
    };
    let state = before.state.settle(state).map_err(|_| Error::Conflict)?;
    let after = NoticeRow { state, code: code.map(str::to_owned), ..before.clone() };
    step(app, tx, &before, after, record, (Actor::Service, &Caller::default(), now)).await
}

/// Takes a notice one step on, with its entry in the mandate's history.
pub(super) async fn step(
    app: &App,
    tx: &mut Tx,
    before: &NoticeRow,
    after: NoticeRow,
    record: Record,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let mut mandate = mandates::load(tx, &before.mandate).await?.ok_or(Error::Unreadable)?;
    let after = NoticeRow { settled_at: Some(by.2), version: before.version + 1, ..after };
    let event = note(app, tx, &mut mandate, told(app, record, Some(&after)), by).await?;
    Ok(notices::update(tx, before, &after, &event).await?)
}

/// An entry about a notice: which one, by which way, of what; never an address.
pub(super) fn about(kind: EventKind, notice: &NoticeRow) -> Record {
    let record = Record::done(kind)
        .detail("notice", notice.id.as_str())
        .detail("of", notice.kind.as_str())
        .detail("channel", notice.channel.as_str());
    match notice.representation.as_ref().map(RepresentationId::as_str) {
        Some(representation) => record.detail("told_of", representation),
        None => record,
    }
}

/// How long a notice rests after so many attempts: two seconds, then twice as long each time, an hour at most.
fn pause(attempts: u32) -> Duration {
    Duration::seconds(1_i64.checked_shl(attempts.min(12)).unwrap_or(i64::MAX)).min(SELDOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_become_rarer_and_never_rarer_than_hourly() {
        let pauses: Vec<i64> = (1..=14).map(|attempts| pause(attempts).whole_seconds()).collect();
        assert_eq!(pauses[..4], [2, 4, 8, 16]);
        assert!(pauses.windows(2).all(|two| two[0] <= two[1]));
        assert_eq!((pauses[13], pause(u32::MAX)), (3_600, SELDOM));
    }
}
