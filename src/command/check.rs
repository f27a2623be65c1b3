//! `journal check`: verifies a receipt, a promise or a mandate's history that somebody was given. Offline, without database or keys:
//! nothing is trusted but the policy.

use super::{Refused, policies, say};
use crate::journal::{
    CheckpointError, Entry, History, HistoryError, LogProof, Opening, Policy, Promise, ProofError,
    ProvedStep, Slot, Witnessed,
};
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

/// Verifies the file under the policy and says what it proves; of a promise also whether that proof keeps it.
pub(super) async fn run(file: &Path, paths: &[PathBuf], proof: Option<&Path>) -> Result<(), Refused> {
    let text = read(file).await?;
    let trusted = policies::trusted(paths)?;
    let policy = trusted.ok_or_else(no_policy)?;
    if Promise::is_one(&text) {
        let proof = match proof {
            Some(path) => Some(read(path).await?),
            None => None,
        };
        return promise(&text, proof.as_deref(), &policy);
    }
    if proof.is_some() {
        return Err(Refused::other("--proof keeps a promise, and this file is none: leave it out"));
    }
    if text.starts_with(RECEIPT) { receipt(&text, &policy) } else { history(&text, &policy) }
}

pub(super) fn no_policy() -> Refused {
    Refused::other("give the policy you trust with --policy")
}

pub(super) async fn read(path: &Path) -> Result<String, Refused> {
    let bytes = read_bytes(path).await?;
    String::from_utf8(bytes)
        .map_err(|_| Refused::other(format!("{} cannot be read: it is not text", path.display())))
}

/// The same, whatever it holds.
pub(super) async fn read_bytes(path: &Path) -> Result<Vec<u8>, Refused> {
    let cannot =
        |error: std::io::Error| Refused::other(format!("{} cannot be read: {error}", path.display()));
    if tokio::fs::metadata(path).await.map_err(cannot)?.len() > LARGEST {
        return Err(Refused::other(format!("{} is larger than any receipt or history", path.display())));
    }
    tokio::fs::read(path).await.map_err(cannot)
}

fn receipt(text: &str, policy: &Policy) -> Result<(), Refused> {
    let proof = LogProof::parse(text).map_err(|error| Refused::other(format!("not proved: {error}")))?;
    let proved = proof.verify_under(policy);
    let (entry, witnessed) = proved.map_err(|error| Refused::other(format!("not proved: {error}")))?;
    say(&format!("{} {}", stands(&entry, proof.index, &witnessed), seen(&witnessed)));
    Ok(())
}

/// A promise convicts whoever made it when no proof keeps it.
fn promise(text: &str, proof: Option<&str>, policy: &Policy) -> Result<(), Refused> {
    let told = |error: CheckpointError| {
        Refused::other(format!("not promised by that journal ({}): {error}", error.code()))
    };
    let promise = Promise::open(text, policy).map_err(told)?;
    let Promise { origin, event, leaf, .. } = &promise;
    say(&format!(
        "{origin} promised entry {event} a place by {}, as the leaf {leaf}",
        promise.due().to_utc()
    ));
    let Some(proof) = proof else {
        say(&format!("ask it for the proof at /journal/promised/{event}, and give that with --proof"));
        return Ok(());
    };
    let broken = |error: ProofError| Refused::other(format!("that proof does not keep the promise: {error}"));
    let proof = LogProof::parse(proof).map_err(broken)?;
    let kept = promise.kept_by(&proof, policy).map_err(broken)?;
    let (size, origin) = (kept.checkpoint.size, &kept.checkpoint.origin);
    say(&format!("kept: it stands at place {} of {size} in {origin} {}", proof.index, seen(&kept)));
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

/// A history that holds under the policy, step by step.
pub(super) fn proved(text: &str, policy: &Policy) -> Result<(History, Vec<ProvedStep>), Refused> {
    let told = |error: HistoryError| {
        Refused::other(format!("the history does not hold ({}): {error}", error.code()))
    };
    let history = History::parse(text).map_err(told)?;
    let proved = history.verify(policy).map_err(told)?;
    Ok((history, proved))
}

fn history(text: &str, policy: &Policy) -> Result<(), Refused> {
    let (history, proved) = proved(text, policy)?;
    for (number, (step, proved)) in (1_u64..).zip(history.steps.iter().zip(&proved)) {
        let act = step.openings.iter().find(|opening| opening.slot() == Slot::Act);
        let kind = act.and_then(Opening::read::<Act>).map_or_else(|| "erased".to_owned(), |act| act.kind);
        say(&format!("{number:>5}  {}  {kind}", proved.entry.at().to_utc()));
    }
    complete(&history, &proved);
    Ok(())
}

/// Says how far a history is complete, and how whoever has a copy of the journal sees that nothing followed.
pub(super) fn complete(history: &History, proved: &[ProvedStep]) {
    let covered = proved.iter().map(|step| step.witnessed.checkpoint.size).min().unwrap_or_default();
    say(&format!("entries 1 to {} of one mandate, none left out between them", proved.len()));
    say(&format!(
        "nothing followed if no entry of the journal before place {covered} carries the tag {}",
        history.next_tag().to_hex()
    ));
}
