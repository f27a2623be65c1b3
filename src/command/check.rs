//! `journal check`: verifies a receipt or a mandate's history that somebody was given. Offline, without database or keys:
//! nothing is trusted but the policy.

use super::{Refused, policies, say};
use crate::journal::{Entry, History, LogProof, Opening, Policy, Slot, Witnessed};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Larger files are refused unread: the longest history is some megabytes.
const LARGEST: u64 = 64 * 1024 * 1024;
/// How a receipt begins; anything else must be a history.
const RECEIPT: &str = "c2sp.org/tlog-proof@";

/// What the `act` slot of an entry tells.
#[derive(Deserialize)]
struct Act {
    kind: String,
}

/// Verifies the file under the policy and says what it proves.
pub(super) async fn run(file: &Path, paths: &[PathBuf]) -> Result<(), Refused> {
    let text = read(file).await?;
    let trusted = policies::trusted(paths)?;
    let policy = trusted.ok_or_else(|| Refused::other("give the policy you trust with --policy"))?;
    if text.starts_with(RECEIPT) { receipt(&text, &policy) } else { history(&text, &policy) }
}

async fn read(path: &Path) -> Result<String, Refused> {
    let cannot =
        |error: std::io::Error| Refused::other(format!("{} cannot be read: {error}", path.display()));
    if tokio::fs::metadata(path).await.map_err(cannot)?.len() > LARGEST {
        return Err(Refused::other(format!("{} is larger than any receipt or history", path.display())));
    }
    tokio::fs::read_to_string(path).await.map_err(cannot)
}

fn receipt(text: &str, policy: &Policy) -> Result<(), Refused> {
    let proof = LogProof::parse(text).map_err(|error| Refused::other(format!("not proved: {error}")))?;
    let proved = proof.verify_under(policy);
    let (entry, witnessed) = proved.map_err(|error| Refused::other(format!("not proved: {error}")))?;
    say(&format!("{} {}", stands(&entry, proof.index, &witnessed), seen(&witnessed)));
    Ok(())
}

fn stands(entry: &Entry, index: u64, witnessed: &Witnessed) -> String {
    let checkpoint = &witnessed.checkpoint;
    format!(
        "entry {} of {} stands at place {index} of {} in {}",
        entry.id(),
        entry.at().to_utc(),
        checkpoint.size,
        checkpoint.origin
    )
}

fn seen(witnessed: &Witnessed) -> String {
    match witnessed.seen.as_slice() {
        [] => "(no witness)".to_owned(),
        seen => {
            let names: Vec<&str> = seen.iter().map(|(name, _)| name.as_str()).collect();
            format!("(seen by {})", names.join(", "))
        }
    }
}

fn history(text: &str, policy: &Policy) -> Result<(), Refused> {
    let told = |error: crate::journal::HistoryError| {
        Refused::other(format!("the history does not hold ({}): {error}", error.code()))
    };
    let history = History::parse(text).map_err(told)?;
    let proved = history.verify(policy).map_err(told)?;
    for (number, (step, proved)) in (1_u64..).zip(history.steps.iter().zip(&proved)) {
        let act = step.openings.iter().find(|opening| opening.slot() == Slot::Act);
        let kind = act.and_then(Opening::read::<Act>).map_or_else(|| "erased".to_owned(), |act| act.kind);
        say(&format!("{number:>5}  {}  {kind}", proved.entry.at().to_utc()));
    }
    let covered = proved.iter().map(|step| step.witnessed.checkpoint.size).min().unwrap_or_default();
    say(&format!("entries 1 to {} of one mandate, none left out between them", proved.len()));
    say(&format!(
        "nothing followed if no entry of the journal before place {covered} carries the tag {}",
        history.next_tag().to_hex()
    ));
    Ok(())
}
