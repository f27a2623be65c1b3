//! Opening the next shard of the journal (contract journal.md, 4.5): once a year by itself, and by hand after a compromise.
//! Its first entry tells the final checkpoint of the shard before, so that the two are one history.

use super::line::line;
use super::{App, Caller, Error, Record};
use crate::journal::shard_name;
use crate::mandate::{EventKind, paris};
use crate::storage::shards::{self, Shard, Shards};
use crate::storage::{Snapshot, Tx, journal};
use std::sync::Arc;
use thiserror::Error as ThisError;

/// Longest reason, in characters.
const LONGEST_REASON: usize = 100;
/// The reason of a shard that the calendar opened.
const NEW_YEAR: &str = "new year";

/// Why no shard was opened by hand.
#[derive(Debug, ThisError)]
pub enum ShardError {
    /// The reason is missing or endless.
    #[error(
        "give a reason with --reason, of at most {LONGEST_REASON} characters and without a name, such as \"incident 2026-17\""
    )]
    Reason,
    /// The journal is empty, or somebody else opened one meanwhile.
    #[error("no shard was opened: the journal is empty, or another process opened one at this moment")]
    NotNow,
    /// Anything else.
    #[error("{0}")]
    Other(#[from] Error),
}

/// Opens the shard of the year when the calendar in metropolitan France has passed the year in which the current one began;
/// gives its name. Of several processes one opens it. Nothing happens where shards are not wanted.
///
/// # Errors
/// [`Error::Store`].
pub async fn open_due(app: &App) -> Result<Option<String>, Error> {
    if !app.yearly {
        return Ok(None);
    }
    let app_ = Arc::clone(app);
    let look = app.store.read("shards.due", move |snapshot| {
        Box::pin(async move {
            let shards = shards::all(snapshot, &app_.origin).await?;
            let due = is_due(&app_, snapshot, shards.current()).await?;
            Ok::<_, Error>(due.then(|| shards.current().number))
        })
    });
    match look.await? {
        Some(current) => open(app, current, NEW_YEAR).await,
        None => Ok(None),
    }
}

/// Whether the year has changed since the first entry of a shard.
async fn is_due(app: &App, snapshot: &mut Snapshot, shard: &Shard) -> Result<bool, Error> {
    let first = journal::entries(snapshot, shard.start, 1).await?;
    Ok(first.first().is_some_and(|first| paris(app.now()).year() > paris(first.at).year()))
}

/// Opens the next shard now, for a reason (of yours, no name); gives its name.
///
/// # Errors
/// [`ShardError`]; nothing was written.
pub async fn open_now(app: &App, reason: &str) -> Result<String, ShardError> {
    let reason = line(reason, LONGEST_REASON).map_err(|_| ShardError::Reason)?;
    let app_ = Arc::clone(app);
    let look = app.store.read("shards.current", move |snapshot| {
        Box::pin(async move { Ok::<_, Error>(shards::all(snapshot, &app_.origin).await?.current().number) })
    });
    open(app, look.await?, reason).await?.ok_or(ShardError::NotNow)
}

/// Opens the shard after that one, unless somebody did meanwhile.
async fn open(app: &App, current: u64, reason: &str) -> Result<Option<String>, Error> {
    let by = Arc::new((Arc::clone(app), reason.to_owned()));
    let opened = app.store.open_shard("shards.open", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move { next(&by.0, tx, current, &by.1).await })
    });
    Ok(opened.await?.committed())
}

async fn next(app: &App, tx: &mut Tx, current: u64, reason: &str) -> Result<Option<String>, Error> {
    let shards = shards::all(tx, &app.origin).await?;
    let before = shards.current();
    let Some(last) = journal::head(tx).await?.filter(|_| before.number == current) else { return Ok(None) };
    if last.origin != before.origin || last.start != before.start {
        return Err(Error::Unreadable);
    }
    let now = app.now();
    let origin = name(&shards, paris(now).year());
    let record = Record::done(EventKind::JournalShardOpened)
        .detail("shard", origin.as_str())
        .detail("reason", reason)
        .detail("closed", before.origin.as_str())
        .detail("closed_size", last.tree_size())
        .detail("closed_root", last.root.to_string());
    let event = record.append(app, tx, &Caller::default(), now).await?;
    tx.begin_shard(&origin, &event);
    Ok(Some(origin))
}

/// The next shard's name, one that none has.
fn name(shards: &Shards, year: i32) -> String {
    let first = shards.numbered(0).map_or("", |first| first.origin.as_str());
    let mut number = 1;
    loop {
        let name = shard_name(first, year, number);
        if shards.named(&name).is_none() {
            return name;
        }
        number += 1;
    }
}
