//! Time-stamps: each stamps the checkpoint it stands at, is what its entry tells, and is signed by an authority that is trusted
//! (where one is known); none was taken away.

use super::told::Told;
use super::{Finding, Report};
use crate::crypto::{sha256, to_hex};
use crate::journal::{Timestamp, TimestampAuthorities};
use crate::mandate::EventKind;
use crate::service::Error;
use crate::storage::time_stamps::{self, TimeStampRow};
use crate::storage::{Snapshot, journal};
use std::collections::BTreeMap;

/// Rows read at once.
const PAGE: u32 = 500;

/// Time-stamps as their entries tell them, by entry.
#[derive(Default)]
pub(super) struct Stamps(BTreeMap<String, Kept>);

struct Kept {
    day: Option<String>,
    size: Option<u64>,
    at: Option<u64>,
    token: Option<String>,
}

/// Whether entries of that kind tell of a time-stamp.
pub(super) const fn is_kept(kind: EventKind) -> bool {
    matches!(kind, EventKind::JournalTimestamped)
}

impl Stamps {
    /// Takes in what an entry tells.
    pub(super) fn note(&mut self, event: &str, told: &Told) {
        if told.kind().is_some_and(is_kept) && told.is_done() {
            let kept = Kept {
                day: told.text("day"),
                size: told.number("size"),
                at: told.number("at"),
                token: told.text("token"),
            };
            self.0.insert(event.to_owned(), kept);
        }
    }
}

impl Kept {
    fn gives(&self, row: &TimeStampRow) -> bool {
        self.day.as_deref() == Some(row.day.as_str())
            && self.size == Some(row.size)
            && self.at == u64::try_from(row.at.micros()).ok()
            && self.token == Some(to_hex(&sha256(&row.token)))
    }
}

/// Goes through all of them, and finds the entries whose time-stamp was removed.
pub(super) async fn check(
    snapshot: &mut Snapshot,
    trusted: &TimestampAuthorities,
    mut told: Stamps,
    report: &mut Report,
) -> Result<(), Error> {
    let (mut after, mut before) = (String::new(), None);
    loop {
        let page = time_stamps::page(snapshot, &after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        last.day.clone_into(&mut after);
        for (row, note) in page {
            let twice = before.replace(row.day.clone()).is_some_and(|before| before == row.day);
            let what = match told.0.remove(row.event.as_str()) {
                _ if twice => Some("it stands twice".to_owned()),
                Some(kept) if kept.gives(&row) => fault(&row, note.as_deref(), trusted),
                Some(_) => Some("it is not what its entry tells".to_owned()),
                None if waits(snapshot, &row).await? => fault(&row, note.as_deref(), trusted),
                None => Some("it stands without an entry that tells of it".to_owned()),
            };
            match what {
                Some(what) => report.add(Finding::TimeStamp { day: row.day, what }),
                None => report.timestamps += 1,
            }
        }
    }
    for (event, kept) in told.0 {
        let what = format!("event {event} tells of it, and it was removed");
        report.add(Finding::TimeStamp { day: kept.day.unwrap_or_default(), what });
    }
    Ok(())
}

/// Whether its entry is there and has no place yet.
async fn waits(snapshot: &mut Snapshot, row: &TimeStampRow) -> Result<bool, Error> {
    Ok(journal::entry(snapshot, &row.event).await?.is_some_and(|entry| entry.leaf.is_none()))
}

fn fault(row: &TimeStampRow, note: Option<&str>, trusted: &TimestampAuthorities) -> Option<String> {
    let Some(note) = note else { return Some("it stands at no checkpoint".to_owned()) };
    match Timestamp::verify(&row.token, note, (!trusted.is_empty()).then_some(trusted)) {
        Ok(stamp) if stamp.at == row.at => None,
        Ok(_) => Some("it tells another time than it is stored with".to_owned()),
        Err(error) => Some(error.to_string()),
    }
}
