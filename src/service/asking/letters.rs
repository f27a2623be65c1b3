//! Sending codes: again and again until somebody has taken one over, or the time to answer is over. A code leaves only once the
//! entry that tells of its asking is under a signed checkpoint (invariant 3).

use super::keep::{evidence, named, with};
use super::open_proposal;
use crate::courier::{LONGEST_HANDING, Letter, NotTaken};
use crate::mandate::{CodeLetter, EventId, EventKind, Instant};
use crate::service::reply::{self, Of};
use crate::service::steps::{Actor, note};
use crate::service::{App, Caller, Error, Record, facts};
use crate::storage::askings::{self, Delivery, Queued};
use crate::storage::{Snapshot, Tx, organisations};
use std::sync::Arc;
use time::Duration;
use tokio::task::JoinSet;

/// Letters under way at once.
const UNDER_WAY: usize = 32;
/// The longest time between two attempts: the person waits.
const SELDOM: Duration = Duration::minutes(1);

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
    let due = app.store.read("asking.due", move |snapshot| {
        Box::pin(async move { Ok::<_, Error>(askings::due(snapshot, now, room).await?) })
    });
    for queued in due.await? {
        if let Some(queued) = take(app, queued, now).await? {
            let app = Arc::clone(app);
            under_way.spawn(async move {
                if let Err(error) = deliver(&app, queued).await {
                    tracing::error!(code = error.code(), "what became of a code could not be written down");
                }
            });
        }
    }
    Ok(())
}

/// Takes a letter, unless another replica did; it comes back counted.
async fn take(app: &App, queued: Queued, now: Instant) -> Result<Option<Queued>, Error> {
    let taken_for = Duration::seconds(i64::try_from(LONGEST_HANDING).unwrap_or(60) * 2);
    app.commit("asking.take", move |tx| {
        let queued = queued.clone();
        Box::pin(async move {
            let taken = askings::take(tx, &queued, now.plus(taken_for)).await?;
            Ok(taken.then(|| Queued { attempts: queued.attempts.saturating_add(1), ..queued }))
        })
    })
    .await
}

/// Hands one over and writes down what became of it.
async fn deliver(app: &App, queued: Queued) -> Result<(), Error> {
    let (app_, one) = (Arc::clone(app), queued.clone());
    let made = app
        .store
        .read("asking.letter", move |snapshot| Box::pin(async move { letter(&app_, snapshot, &one).await }));
    let handed = match made.await? {
        None => Err(NotTaken::Refused("no_address")),
        Some((event, _)) if !app.store.included(std::slice::from_ref(&event), app.patience).await => {
            Err(NotTaken::Later("not_included"))
        }
        Some((_, letter)) => match app.couriers.of(letter.channel) {
            Some(courier) => courier.hand(&letter).await,
            None => Err(NotTaken::Refused("no_courier")),
        },
    };
    let app_ = Arc::clone(app);
    app.commit("asking.settle", move |tx| {
        let (app, queued) = (Arc::clone(&app_), queued.clone());
        Box::pin(async move { settle(&app, tx, &queued, handed).await })
    })
    .await
}

/// What is to be handed over, and the entry it follows from.
async fn letter(
    app: &App,
    snapshot: &mut Snapshot,
    queued: &Queued,
) -> Result<Option<(EventId, Letter)>, Error> {
    let Some((row, event)) = askings::with_entry(snapshot, &queued.mandate).await? else { return Ok(None) };
    let Some(evidence) = evidence(app, snapshot, &row).await? else { return Ok(None) };
    let (Some(code), Some(to)) = (evidence.code, evidence.address) else { return Ok(None) };
    let mandate = crate::storage::mandates::load(snapshot, &row.mandate).await?.ok_or(Error::Unreadable)?;
    let organisation = organisations::load(snapshot, &mandate.mandate.organisation).await?;
    let organisation = organisation.ok_or(Error::Unreadable)?.name;
    let issuer = app.issuer.as_str();
    let address = format!("{}{}", issuer.strip_prefix("https://").unwrap_or(issuer), super::ADDRESS);
    let shown = super::grouped(&code);
    let reply_reference = reply::reference(app, Of::Asking(&row.mandate), to.channel(), to.as_str());
    let letter = CodeLetter {
        channel: row.channel,
        organisation: &organisation,
        code: &shown,
        address: &address,
        answered: reply_reference.is_some(),
    };
    let letter = Letter {
        id: queued.letter.clone(),
        channel: to.channel(),
        to: to.as_str().to_owned(),
        language: evidence.language,
        text: letter.text(evidence.language),
        reply_reference,
        written_at: row.asked_at,
        sent_at: app.now(),
    };
    Ok(Some((event, letter)))
}

/// Writes down what became of handing a code over, unless it was asked anew meanwhile.
async fn settle(app: &App, tx: &mut Tx, queued: &Queued, handed: Result<(), NotTaken>) -> Result<(), Error> {
    let now = app.now();
    let asking = askings::load(tx, &queued.mandate).await?.filter(|row| row.delivery == Delivery::Waiting);
    let Some(asking) = asking else { return Ok(()) };
    if !askings::is_queued(tx, queued).await? {
        return Ok(());
    }
    let Some(mut row) = open_proposal(tx, &asking, now).await? else {
        return Ok(askings::unqueue(tx, &queued.mandate).await?);
    };
    let (delivery, code) = match handed {
        Ok(()) => (Delivery::Sent, None),
        Err(NotTaken::Refused(code)) => (Delivery::Failed, Some(code)),
        Err(NotTaken::Later(_)) => {
            let pause =
                Duration::seconds(1_i64.checked_shl(queued.attempts.min(8)).unwrap_or(60)).min(SELDOM);
            return Ok(askings::put_off(tx, queued, now.plus(pause)).await?);
        }
    };
    let kind = if code.is_none() { EventKind::AskingSent } else { EventKind::AskingNotSent };
    let after = with(&asking, |row| row.delivery = delivery);
    let record = named(Record::done(kind), asking.usager.as_ref()).detail("attempt", queued.attempts);
    let record = match code {
        Some(code) => record.detail("error", code),
        None => record,
    };
    let record = record.stands(facts::asking(&app.keys, &after));
    let event = note(app, tx, &mut row, record, (Actor::Service, &Caller::default(), now)).await?;
    askings::keep(tx, Some(&asking), &after, &event).await?;
    Ok(askings::unqueue(tx, &queued.mandate).await?)
}
