//! Shards: each begins where the one before ends, with the entry that opened it, and that entry tells the final checkpoint
//! of the one before (contract journal.md, 4.5). Between them the journal has no other place to be.

use super::told::Told;
use super::{Finding, Report};
use crate::journal::{Hash, Vkey, is_shard_of};
use crate::mandate::EventKind;
use crate::service::Error;
use crate::storage::Snapshot;
use crate::storage::audit;
use crate::storage::extent::{self, RawShard, Window};
use std::collections::BTreeMap;

/// A shard as it is stored, and the keys its checkpoints count under.
pub(super) struct Stored {
    pub(super) number: u64,
    pub(super) origin: String,
    pub(super) window: Window,
    pub(super) keys: Vec<Vkey>,
    event: Option<String>,
}

/// A shard as the entry that opened it tells.
struct Opened {
    place: u64,
    origin: Option<String>,
    closed: Option<String>,
    size: Option<u64>,
    root: Option<String>,
}

/// Shards as their entries tell them, by entry.
#[derive(Default)]
pub(super) struct Chain(BTreeMap<String, Opened>);

/// Whether entries of that kind open a shard.
pub(super) const fn is_kept(kind: EventKind) -> bool {
    matches!(kind, EventKind::JournalShardOpened)
}

impl Chain {
    /// Takes in what the entry at a place tells.
    pub(super) fn note(&mut self, event: &str, place: u64, told: &Told) {
        if told.kind().is_some_and(is_kept) && told.is_done() {
            let opened = Opened {
                place,
                origin: told.text("shard"),
                closed: told.text("closed"),
                size: told.number("closed_size"),
                root: told.text("closed_root"),
            };
            self.0.insert(event.to_owned(), opened);
        }
    }
}

/// The shards as stored, the first one under these keys; what cannot follow the one before is told and left out.
pub(super) async fn stored(
    snapshot: &mut Snapshot,
    keys: &[Vkey],
    lies: &mut Vec<Finding>,
) -> Result<Vec<Stored>, Error> {
    let origin = keys.first().map_or_else(String::new, |key| key.name().to_owned());
    let mut last = Stored { number: 0, origin, window: Window::default(), keys: keys.to_vec(), event: None };
    let mut shards: Vec<Stored> = Vec::new();
    for row in extent::shards(snapshot).await? {
        let known = shards.iter().chain([&last]).any(|before| before.origin == row.origin);
        let ours = keys.iter().all(|key| is_shard_of(key.name(), &row.origin));
        match follower(&last, &row).filter(|_| ours && !known) {
            Some(next) => {
                last.window.end = Some(next.window.start);
                shards.push(std::mem::replace(&mut last, next));
            }
            None => lies.push(Finding::Shard {
                origin: row.origin,
                what: "does not follow the one before".to_owned(),
            }),
        }
    }
    shards.push(last);
    Ok(shards)
}

/// What a row says, when it can follow a shard.
fn follower(last: &Stored, row: &RawShard) -> Option<Stored> {
    let number = u64::try_from(row.number).ok().filter(|number| *number == last.number + 1)?;
    let start = u64::try_from(row.start).ok().filter(|start| *start > last.window.start)?;
    let keys = last.keys.iter().map(|key| key.called(&row.origin)).collect::<Result<_, _>>().ok()?;
    let window = Window { start, end: None };
    Some(Stored { number, origin: row.origin.clone(), window, keys, event: Some(row.event_id.clone()) })
}

/// Holds each shard against the entry that opened it, and finds those that were removed.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    shards: &[Stored],
    mut told: Chain,
    report: &mut Report,
) -> Result<(), Error> {
    for (before, shard) in shards.iter().zip(shards.iter().skip(1)) {
        let opened = shard.event.as_ref().and_then(|event| told.0.remove(event));
        if let Some(what) = fault(snapshot, before, shard, opened).await? {
            report.add(Finding::Shard { origin: shard.origin.clone(), what });
        }
    }
    for opened in told.0.into_values() {
        let origin = opened.origin.unwrap_or_default();
        let what = format!("was opened by entry {}, and was removed or begins with another", opened.place);
        report.add(Finding::Shard { origin, what });
    }
    report.shards = shards.len();
    Ok(())
}

async fn fault(
    snapshot: &mut Snapshot,
    before: &Stored,
    shard: &Stored,
    opened: Option<Opened>,
) -> Result<Option<String>, Error> {
    let start = shard.window.start;
    let last = audit::checkpoints(snapshot, Some(start - 1), start).await?.pop();
    let Some(last) = last else {
        return Ok(Some(format!("begins behind the checkpoint of size {start}, which was removed")));
    };
    let Some(opened) = opened else { return Ok(Some("stands without an entry that opened it".to_owned())) };
    let what = if opened.place != start {
        "begins elsewhere than the entry that opened it"
    } else if opened.origin.as_ref() != Some(&shard.origin) {
        "has another name than its first entry tells"
    } else if opened.closed.as_ref() != Some(&before.origin)
        || opened.size != start.checked_sub(before.window.start)
        || opened.root != Hash::from_slice(&last.root).map(|root| root.to_string())
    {
        "begins behind another checkpoint than its first entry tells"
    } else {
        return Ok(None);
    };
    Ok(Some(what.to_owned()))
}
