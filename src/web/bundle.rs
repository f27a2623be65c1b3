//! Bundles of proofs: the report written for people, and the file to take away.

use crate::journal::{BundleFault, BundledEntry, Entry, Opening, ProofBundle, Slot};
use crate::mandate::{EventKind, Outcome};
use crate::view::report::{Report, ReportLine};
use serde_json::Value;

/// The archive of a bundle, its report written.
///
/// # Errors
/// [`BundleFault::TooLarge`].
pub fn archive(bundle: ProofBundle) -> Result<Vec<u8>, BundleFault> {
    let mut head = bundle.checkpoint.lines();
    let (origin, size) = (head.next().unwrap_or_default().to_owned(), head.next().unwrap_or_default());
    let report = Report {
        origin,
        size: size.parse().unwrap_or_default(),
        checkpoint: bundle.checkpoint.clone(),
        lines: bundle
            .shards()
            .flat_map(|(_, _, entries)| entries)
            .filter_map(|entry| line(entry.proof.index, entry))
            .collect(),
    };
    ProofBundle { report: report.render(), ..bundle }.to_archive()
}

fn line(index: u64, entry: &BundledEntry) -> Option<ReportLine> {
    let read = Entry::parse(entry.proof.entry.as_deref()?).ok()?;
    let act = entry.openings.iter().find(|opening| opening.slot() == Slot::Act);
    let act: Value = act.and_then(Opening::read).unwrap_or_default();
    let text = |name: &str| act.get(name).and_then(Value::as_str);
    Some(ReportLine {
        index,
        at: read.at(),
        kind: text("kind").and_then(EventKind::parse),
        outcome: text("outcome").and_then(Outcome::parse),
        code: text("code").map(str::to_owned),
        told: entry.openings.iter().map(told).collect(),
    })
}

fn told(opening: &Opening) -> (&'static str, String) {
    (opening.slot().as_str(), String::from_utf8_lossy(opening.json()).into_owned())
}
