//! Telling services that a representation has ended (invariant 4): the message is written with the fact and sent after
//! its commit, again and again until the service answers or a day has passed. What it answered, or that it did not,
//! stands in the mandate's history: "ended at" and "known at" are two facts.

use super::known::{self, Party};
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, projection, registry};
use crate::mandate::{EventKind, Instant, MessageId};
use crate::provider::{Initiator, Notice, SECURITY_EVENT_TYPE};
use crate::storage::outbox::{self, MessageKind, MessageRow};
use crate::storage::representations::{self, CloseReason, RepresentationRow};
use crate::storage::{Snapshot, Tx, clients, mandates};
use std::sync::Arc;
use time::Duration;
use tokio::task::JoinSet;
use url::form_urlencoded;

/// Messages under way at once: a service that does not answer must not hold up the others.
const UNDER_WAY: usize = 64;
/// A message taken is left to who took it for this long: longer than any call lasts.
const TAKEN: Duration = Duration::seconds(15);
/// The longest time between two attempts.
const SELDOM: Duration = Duration::hours(1);
/// After this time nothing is sent any more. Codes and tokens are long dead: the service finds that out by asking.
const GIVEN_UP: Duration = Duration::days(1);

/// What is sent, and where.
struct Letter {
    address: String,
    media_type: &'static str,
    body: Vec<u8>,
}

/// Writes, within a write, what a service is to be told of a representation that is being closed: nothing when it gave
/// no address for that.
pub(super) async fn write(app: &App, tx: &mut Tx, of: &RepresentationRow, now: Instant) -> Result<(), Error> {
    let Some(client) = clients::load(tx, &of.client).await? else { return Ok(()) };
    let ways =
        [(MessageKind::LogoutToken, &client.logout_uri), (MessageKind::SecurityEvent, &client.events_uri)];
    for (kind, address) in ways {
        if address.is_some() {
            let id = MessageId::from_bytes(app.new_id()?);
            let row = MessageRow { id, kind, representation: of.id.clone(), created_at: now, attempts: 0 };
            outbox::insert(tx, &row).await?;
        }
    }
    Ok(())
}

/// Sends what is due, without waiting for the answers: they are waited for in `under_way`.
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
    let due = app
        .store
        .read("outbox.due", move |snapshot| {
            Box::pin(async move { Ok::<_, Error>(outbox::due(snapshot, now, room).await?) })
        })
        .await?;
    for message in due {
        let app_ = Arc::clone(app);
        if let Some(message) = take(app, message, now).await? {
            under_way.spawn(async move {
                if let Err(error) = deliver(&app_, message).await {
                    tracing::error!(
                        code = error.code(),
                        "what became of a message could not be written down"
                    );
                }
            });
        }
    }
    Ok(())
}

/// Takes a message, unless another replica did; it comes back counted.
async fn take(app: &App, message: MessageRow, now: Instant) -> Result<Option<MessageRow>, Error> {
    app.commit("outbox.take", move |tx| {
        let message = message.clone();
        Box::pin(async move {
            let taken = outbox::take(tx, &message, now.plus(TAKEN)).await?;
            Ok(taken.then(|| MessageRow { attempts: message.attempts.saturating_add(1), ..message }))
        })
    })
    .await
}

/// Sends one message and writes down what became of it.
async fn deliver(app: &App, message: MessageRow) -> Result<(), Error> {
    let told = app.now();
    let (app_, message_) = (Arc::clone(app), message.clone());
    let letter = app
        .store
        .read("outbox.letter", move |snapshot| {
            Box::pin(async move { letter(&app_, snapshot, &message_, told).await })
        })
        .await;
    let refused = match letter {
        Ok(Some(letter)) => send(app, letter).await.err(),
        // The service gave its address back since.
        Ok(None) => Some("no_address"),
        // Nothing signs for the moment: as if the service had not answered, and told alike.
        Err(error @ Error::Crypto(_)) => Some(error.code()),
        Err(error) => return Err(error),
    };
    let (app_, message) = (Arc::clone(app), Arc::new(message));
    app.commit("outbox.answered", move |tx| {
        let (app, message) = (Arc::clone(&app_), Arc::clone(&message));
        Box::pin(async move {
            match refused {
                None => acknowledged(&app, tx, &message, told).await,
                Some(code) => unanswered(&app, tx, &message, (told, code)).await,
            }
        })
    })
    .await
}

/// Makes the token anew at each attempt: it is short-lived; its identifier stays.
async fn letter(
    app: &App,
    snapshot: &mut Snapshot,
    message: &MessageRow,
    now: Instant,
) -> Result<Option<Letter>, Error> {
    let of = representations::load(snapshot, &message.representation).await?.ok_or(Error::Unreadable)?;
    let row = clients::load(snapshot, &of.client).await?.ok_or(Error::Unreadable)?;
    let client = registry::registration(&row)?;
    let subject = projection::subject(app, &client, &of);
    let (ended_at, reason) = of.closed.ok_or(Error::Unreadable)?;
    let notice = Notice {
        issuer: &app.issuer,
        client: client.id(),
        subject: &subject,
        representation: &of.id,
        id: &message.id,
        now,
        ended_at,
        initiator: initiator(reason),
    };
    let key = app.keys.token_key(client.signing_alg())?;
    let address = match message.kind {
        MessageKind::LogoutToken => row.logout_uri,
        MessageKind::SecurityEvent => row.events_uri,
    };
    let Some(address) = address else { return Ok(None) };
    let (media_type, body) = match message.kind {
        MessageKind::LogoutToken => {
            let token = notice.logout_token(key)?;
            let form =
                form_urlencoded::Serializer::new(String::new()).append_pair("logout_token", &token).finish();
            ("application/x-www-form-urlencoded", form)
        }
        MessageKind::SecurityEvent => (SECURITY_EVENT_TYPE, notice.security_event(key)?),
    };
    Ok(Some(Letter { address, media_type, body: body.into_bytes() }))
}

const fn initiator(reason: CloseReason) -> Initiator {
    match reason {
        CloseReason::Revoked => Initiator::User,
        CloseReason::SignedOut | CloseReason::Ended | CloseReason::Suspended => Initiator::Admin,
        CloseReason::Expired | CloseReason::Replayed | CloseReason::Replaced => Initiator::Policy,
    }
}

/// Sends; the code of what went wrong otherwise. 200 or 204 for a logout token (Back-Channel Logout, section 2.8), 202 for
/// an event (RFC 8935, section 2.2).
async fn send(app: &App, letter: Letter) -> Result<(), &'static str> {
    match app.http.post(&letter.address, letter.media_type, letter.body).await {
        Ok((200 | 202 | 204, _)) => Ok(()),
        Ok(_) => Err("answer_refused"),
        Err(error) => Err(error.code()),
    }
}

/// The service has answered that it knows.
async fn acknowledged(app: &App, tx: &mut Tx, message: &MessageRow, told: Instant) -> Result<(), Error> {
    let now = app.now();
    if !outbox::remove(tx, &message.id).await? {
        return Ok(());
    }
    let of = representations::load(tx, &message.representation).await?.ok_or(Error::Unreadable)?;
    let mut row = mandates::load(tx, &of.mandate).await?.ok_or(Error::Unreadable)?;
    let caller = Caller::default();
    let by = (Actor::Service, &caller, now);
    let record = about(EventKind::ServiceTold, &of, message).detail("told", told.millis());
    let event = note(app, tx, &mut row, record, by).await?;
    let first = of.told.map_or(told, |(at, _)| at);
    if !matches!(of.told, Some((_, Some(_)))) {
        let after = RepresentationRow { told: Some((first, Some(now))), ..of.clone() };
        representations::update(tx, &of, &after, &event).await?;
    }
    known::note(app, tx, &mut row, Party::Service(&of.client), by).await
}

/// The service did not answer, or refused: told the first time and the last, and tried again in between.
async fn unanswered(
    app: &App,
    tx: &mut Tx,
    message: &MessageRow,
    (told, code): (Instant, &'static str),
) -> Result<(), Error> {
    let now = app.now();
    let over = now.since(message.created_at) >= GIVEN_UP;
    if over {
        outbox::remove(tx, &message.id).await?;
    } else {
        outbox::put_off(tx, message, now.plus(pause(message.attempts))).await?;
    }
    if !over && message.attempts != 1 {
        return Ok(());
    }
    let of = representations::load(tx, &message.representation).await?.ok_or(Error::Unreadable)?;
    let mut row = mandates::load(tx, &of.mandate).await?.ok_or(Error::Unreadable)?;
    let record = about(EventKind::ServiceNotTold, &of, message)
        .detail("told", told.millis())
        .detail("error", code)
        .detail("given_up", over);
    let event = note(app, tx, &mut row, record, (Actor::Service, &Caller::default(), now)).await?;
    if of.told.is_none() {
        let after = RepresentationRow { told: Some((told, None)), ..of.clone() };
        representations::update(tx, &of, &after, &event).await?;
    }
    Ok(())
}

fn about(kind: EventKind, of: &RepresentationRow, message: &MessageRow) -> Record {
    Record::done(kind)
        .client(&of.client)
        .procedure(&of.procedure)
        .detail("representation", of.id.as_str())
        .detail("message", message.id.as_str())
        .detail("way", message.kind.as_str())
        .detail("attempt", message.attempts)
}

/// How long a message rests after so many attempts: two seconds, then twice as long each time, an hour at most.
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
