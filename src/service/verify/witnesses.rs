//! Cosignatures: each is a line that its witness wrote under the checkpoint it stands at. Whether enough of them are
//! there is for whoever has a policy to say; that none was taken away, the counts say that entries tell.

use super::{Finding, Report};
use crate::journal::{Note, NoteSignature, Vkey};
use crate::service::Error;
use crate::service::cosigned::counted;
use crate::storage::cosignatures::{self, CosignatureRow};
use crate::storage::{Snapshot, cosigned};

/// Rows read at once.
const PAGE: u32 = 1_000;

/// Goes through all of them.
pub(super) async fn check(snapshot: &mut Snapshot, report: &mut Report) -> Result<(), Error> {
    let mut last: Option<CosignatureRow> = None;
    loop {
        let page = cosignatures::page(snapshot, last.as_ref(), PAGE).await?;
        for (row, note) in &page {
            if let Some(what) = fault(row, note.as_deref()) {
                report.add(Finding::Cosignature { size: row.size, vkey: row.vkey.clone(), what });
            }
        }
        match page.into_iter().next_back() {
            Some((row, _)) => last = Some(row),
            None => break,
        }
    }
    counts(snapshot, report).await
}

/// Holds every count against the cosignatures there are.
async fn counts(snapshot: &mut Snapshot, report: &mut Report) -> Result<(), Error> {
    let mut after = None;
    loop {
        let page = cosigned::page(snapshot, after, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for (row, _) in page {
            let there = counted(snapshot, after, row.until).await?;
            if there != row {
                let (there, told) = (there.total, row.total);
                report.add(Finding::Cosigned { until: row.until, there, told });
            }
            after = Some(row.until);
        }
    }
}

fn fault(row: &CosignatureRow, note: Option<&str>) -> Option<&'static str> {
    let Some(note) = note.and_then(|note| Note::parse(note).ok()) else {
        return Some("stands below no checkpoint");
    };
    let (Ok(key), Ok(line)) = (Vkey::parse(&row.vkey), NoteSignature::parse(&row.line)) else {
        return Some("cannot be read");
    };
    let told = line.names(&key).then(|| line.verify(note.text(), &key)).flatten();
    match told.and_then(|by| by.at) {
        None => Some("does not hold for its checkpoint"),
        Some(at)
            if i64::try_from(at).ok().and_then(|at| at.checked_mul(1_000_000))
                == Some(row.seen_at.micros()) =>
        {
            None
        }
        Some(_) => Some("tells another time than it is stored with"),
    }
}
