//! Rows that have had their time: sessions, sign-ins, requests, codes, used assertions, idempotency keys.

use super::authorize::REQUEST_LIFE;
use super::{App, Error, IDLE};
use crate::mandate::{EventKind, Instant};
use crate::storage::search::{self, Filter};
use crate::storage::{assertions, authorizations, idempotency, login_flows, sessions, tokens};
use time::Duration;

/// How far back entries are looked for that lost their place in the queue.
const LOST_SINCE: Duration = Duration::days(1);

/// Used codes, used assertions and dead tokens are kept this long after their end: a replay must still be known for one,
/// also by a replica whose clock is behind.
const REPLAY_MEMORY: Duration = Duration::hours(1);
/// A form sent again within this time changes nothing twice.
const IDEMPOTENCY_MEMORY: Duration = Duration::days(1);

/// Queues again the entries that wait for their place and stand in no queue any more; how many. None is lost by
/// itself: somebody took the row away, or a crash of the database did.
///
/// # Errors
/// [`Error::Store`].
pub async fn requeue_lost(app: &App) -> Result<u64, Error> {
    let now = app.now();
    Ok(app.store.requeue_lost(now.plus(-LOST_SINCE), now).await?)
}

/// Forgets the keys at hand when another process erased somebody, or destroyed what was past its time.
///
/// # Errors
/// [`Error::Store`].
pub async fn forget_erased(app: &App) -> Result<(), Error> {
    let last = app
        .store
        .read("upkeep.erased", |snapshot| {
            Box::pin(async move {
                let mut last = Instant::from_micros(0);
                for kind in [EventKind::PersonErased, EventKind::RetentionRun] {
                    let ever = Filter::period(Instant::from_micros(0), Instant::from_micros(i64::MAX));
                    let wanted = Filter { kind: Some(kind), ..ever };
                    let found = search::find(snapshot, &wanted, None, 1).await?.found.pop();
                    last = found.map_or(last, |found| last.max(found.at));
                }
                Ok::<_, Error>(last)
            })
        })
        .await?;
    app.vault.forget_erased(last);
    Ok(())
}

/// Removes what can no longer serve.
pub async fn purge(app: &App) -> Result<(), Error> {
    let now = app.now();
    app.commit("upkeep.purge", move |tx| {
        Box::pin(async move {
            sessions::purge(tx, now, now.plus(-IDLE)).await?;
            login_flows::purge(tx, now).await?;
            // What was pushed must still be known as used while a choice that it began is open.
            authorizations::purge(tx, now.plus(-REQUEST_LIFE)).await?;
            tokens::purge(tx, now.plus(-REPLAY_MEMORY)).await?;
            assertions::purge(tx, now.plus(-REPLAY_MEMORY)).await?;
            idempotency::purge(tx, now.plus(-IDEMPOTENCY_MEMORY)).await?;
            Ok(())
        })
    })
    .await
}
