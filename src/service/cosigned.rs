//! Which cosignatures there are, told in an entry once a day: their number and a hash over them, so that one taken away is
//! missed (contract journal.md, 4.5). What is counted is settled: a cosignature that comes with an older time is refused.

use super::{App, Caller, Error, Record, facts};
use crate::crypto::{sha256, to_hex};
use crate::mandate::{EventKind, Instant};
use crate::storage::cosigned::{self, CosignedRow};
use crate::storage::{Snapshot, StoreError, Tx};
use std::sync::Arc;
use time::Duration;

/// A count is made so long after the one before.
const PERIOD: Duration = Duration::days(1);
/// What is younger is left for the next count: witnesses may still be answering.
const SETTLED: Duration = Duration::minutes(10);
/// Rows read at once.
const PAGE: u32 = 1_000;

/// Counts what is due; one after the other until none is.
///
/// # Errors
/// [`Error::Store`].
pub async fn round(app: &App) -> Result<(), Error> {
    while due(app).await?.is_some() {
        let (app_, now) = (Arc::clone(app), app.now());
        let done = app.commit("cosigned.count", move |tx| {
            let app = Arc::clone(&app_);
            Box::pin(async move { count(&app, tx, now).await })
        });
        match done.await {
            // Another process of ours counted.
            Err(Error::Store(StoreError::Taken(_))) => return Ok(()),
            done => done?,
        }
    }
    Ok(())
}

async fn due(app: &App) -> Result<Option<(Option<Instant>, Instant)>, Error> {
    let now = app.now();
    app.store.read("cosigned.due", move |snapshot| Box::pin(async move { range(snapshot, now).await })).await
}

/// What the next count is of: after the one before, until an instant a day later at most, so that much to catch up with is
/// counted in parts.
async fn range(snapshot: &mut Snapshot, now: Instant) -> Result<Option<(Option<Instant>, Instant)>, Error> {
    let before = cosigned::until(snapshot).await?;
    let Some(oldest) = cosigned::oldest(snapshot, before).await? else { return Ok(None) };
    let (due, until) = (before.unwrap_or(oldest).plus(PERIOD), now.plus(-SETTLED));
    let until = until.min(oldest.plus(PERIOD));
    Ok((due <= now && oldest <= until).then_some((before, until)))
}

async fn count(app: &App, tx: &mut Tx, now: Instant) -> Result<(), Error> {
    let Some((before, until)) = range(tx, now).await? else { return Ok(()) };
    let row = counted(tx, before, until).await?;
    let record = Record::done(EventKind::JournalCosigned)
        .detail("until", row.until.micros())
        .detail("cosignatures", row.total)
        .detail("digest", row.digest.as_str())
        .stands(facts::cosigned(&app.keys, &row));
    let event = record.append(app, tx, &Caller::default(), now).await?;
    Ok(cosigned::insert(tx, &row, &event).await?)
}

/// How many cosignatures were given after an instant and until another, and the SHA-256 over the sorted SHA-256 of each one's
/// size, key, time in microseconds and line (with spaces between): no order of any database counts.
pub(super) async fn counted(
    snapshot: &mut Snapshot,
    after: Option<Instant>,
    until: Instant,
) -> Result<CosignedRow, Error> {
    let mut place = (after.map_or(i64::MIN, Instant::micros), i64::MAX, String::new());
    let mut hashes = Vec::new();
    loop {
        let page = cosigned::seen(snapshot, until, (place.0, place.1, &place.2), PAGE).await?;
        let Some(last) = page.last() else { break };
        place = (last.seen_at.micros(), i64::try_from(last.size).unwrap_or(i64::MAX), last.vkey.clone());
        hashes.extend(page.iter().map(|row| {
            let told = format!("{} {} {} {}", row.size, row.vkey, row.seen_at.micros(), row.line);
            sha256(told.as_bytes())
        }));
    }
    hashes.sort_unstable();
    let total = u64::try_from(hashes.len()).unwrap_or(u64::MAX);
    Ok(CosignedRow { until, total, digest: to_hex(&sha256(&hashes.concat())) })
}
