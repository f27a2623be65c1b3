//! What takes several steps: entries rewritten and hashed again up to the root, signed again with the stolen key,
//! dropped, moved in, exchanged; the journal cut short or shown otherwise to others (contract journal.md, 4.6).

use super::bench::{Bench, Case, NUMBER};
use super::values::Value;
use crate::support::database::signer;
use porteplume::journal::{Entry, Frontier, Hash, leaf_hash};
use porteplume::storage::CheckpointSigner as _;

/// Entries of a large journal that are tampered with; of a small one each is.
const MOST: usize = 24;

/// What stands in the tree, in its order.
#[derive(Clone)]
struct Log {
    entries: Vec<(String, Vec<u8>)>,
    /// Sizes that were signed.
    sizes: Vec<usize>,
    newest: String,
}

fn text(value: &Value) -> String {
    value.shown()
}

impl Log {
    fn of(bench: &Bench) -> Self {
        let events = &bench.table("event").rows;
        let entry = |id: &str| {
            let row = events.iter().find(|row| row["event_id"].shown() == id).unwrap();
            row["entry"].bytes().to_vec()
        };
        let mut leaves: Vec<_> = bench.table("leaf").rows.iter().collect();
        leaves.sort_by_key(|row| row["idx"].number());
        let ids = leaves.iter().map(|row| text(&row["event_id"]));
        let checkpoints = &bench.table("checkpoint").rows;
        let mut sizes: Vec<usize> =
            checkpoints.iter().map(|row| usize::try_from(row["size"].number()).unwrap()).collect();
        sizes.sort_unstable();
        let newest = checkpoints.iter().max_by_key(|row| row["size"].number()).unwrap();
        Self {
            entries: ids.map(|id| (id.clone(), entry(&id))).collect(),
            sizes,
            newest: text(&newest["note"]),
        }
    }

    /// The first signed size that covers the entry.
    fn signed_after(&self, index: usize) -> usize {
        self.sizes.iter().copied().find(|size| *size > index).unwrap()
    }

    /// The statements that write leaves and tiles anew, and, with the stolen key, the checkpoints.
    fn written(&self, bench: &Bench, signed: bool) -> Vec<String> {
        let engine = bench.engine();
        let bytes = |hash: &Hash| Value::Bytes(hash.as_bytes().to_vec()).sql(engine);
        let mut done = vec!["DELETE FROM leaf".to_owned(), "DELETE FROM tile".to_owned()];
        let (mut tree, mut before, mut checkpoints) = (Frontier::default(), 0, Vec::new());
        for (index, (id, entry)) in self.entries.iter().enumerate() {
            let hash = leaf_hash(entry);
            done.push(format!(
                "INSERT INTO leaf (idx, event_id, leaf_hash, {NUMBER}) VALUES ({index}, '{id}', {}, {index})",
                bytes(&hash)
            ));
            for tile in tree.append(hash) {
                done.push(format!(
                    "INSERT INTO tile (level, idx, root, hashes, {NUMBER}) VALUES ({}, {}, {}, {}, {index})",
                    tile.level,
                    tile.index,
                    bytes(&tile.root),
                    Value::Bytes(tile.to_bytes()).sql(engine)
                ));
            }
            let size = index as u64 + 1;
            if self.sizes.contains(&(index + 1)) || index + 1 == self.entries.len() {
                let note = Value::Text(signer().sign(size, &tree.root()).unwrap()).sql(engine);
                let link = Value::Text(signer().link(before, size, &tree.root()).unwrap()).sql(engine);
                checkpoints.push(format!(
                    "INSERT INTO checkpoint (size, root, note, link, {NUMBER}) VALUES ({size}, {}, {note}, {link}, {index})",
                    bytes(&tree.root())
                ));
                before = size;
            }
        }
        if signed {
            done.push("DELETE FROM checkpoint".to_owned());
            done.extend(checkpoints);
        }
        done
    }
}

/// The entry as if it had been written at another time.
fn at_another_time(entry: &[u8], by: i64) -> (Vec<u8>, i64) {
    let read = Entry::parse(entry).unwrap();
    let (old, new) = (read.at().millis(), read.at().millis() + by);
    let text = String::from_utf8(entry.to_vec()).unwrap();
    let text = text.replacen(&format!("\nat {old}\n"), &format!("\nat {new}\n"), 1);
    assert!(Entry::parse(text.as_bytes()).is_ok());
    (text.into_bytes(), new * 1_000)
}

/// Every scheme against this journal.
pub(super) fn of(bench: &Bench) -> Vec<Case> {
    let log = Log::of(bench);
    let step = (log.entries.len() / MOST).max(1);
    let mut cases = Vec::new();
    for index in (0..log.entries.len()).step_by(step) {
        cases.extend(rewritten(bench, &log, index));
        cases.push(dropped(bench, &log, index));
        cases.push(moved_in(bench, &log, index));
        cases.push(exchanged(bench, &log, index));
    }
    cases.extend(log.sizes.iter().take(log.sizes.len() - 1).map(|size| cut(bench, &log, *size)));
    cases.push(split(&log));
    cases
}

const TREE: [&str; 3] = ["leaf", "tile", "checkpoint"];

fn case(what: String, more: &[&str], statements: Vec<String>, outside: Option<String>, name: String) -> Case {
    let tables = TREE.iter().chain(more).map(|table| (*table).to_owned()).collect();
    Case { what, tables, statements, outside, names: vec![name] }
}

fn forked(log: &Log) -> String {
    format!("not the journal that the known checkpoint of size {} was signed for", log.entries.len())
}

/// Back-dated and post-dated: hashed again up to the root, and then signed again.
fn rewritten(bench: &Bench, log: &Log, index: usize) -> Vec<Case> {
    let mut cases = Vec::new();
    for (by, signed) in [(1, false), (-3_600_000, false), (1, true), (-3_600_000, true)] {
        let mut log = log.clone();
        let (entry, micros) = at_another_time(&log.entries[index].1, by);
        let id = log.entries[index].0.clone();
        let mut statements = vec![format!(
            "UPDATE event SET entry = {}, at = {micros} WHERE event_id = '{id}'",
            Value::Bytes(entry.clone()).sql(bench.engine())
        )];
        statements.push(format!("UPDATE event_search SET at = {micros} WHERE event_id = '{id}'"));
        log.entries[index].1 = entry;
        statements.extend(log.written(bench, signed));
        let what = format!("entry {index} re-dated by {by} ms, hashed again, signed again: {signed}");
        let (outside, name) = if signed {
            (Some(log.newest.clone()), forked(&log))
        } else {
            (None, format!("before entry {}", log.signed_after(index)))
        };
        cases.push(case(what, &["event", "event_search"], statements, outside, name));
    }
    cases
}

/// An entry and all that is its taken out, the others moved up and signed again.
fn dropped(bench: &Bench, log: &Log, index: usize) -> Case {
    let mut less = log.clone();
    let (id, _) = less.entries.remove(index);
    let mut statements: Vec<String> = ["event", "opening", "event_search"]
        .iter()
        .map(|table| format!("DELETE FROM {table} WHERE event_id = '{id}'"))
        .collect();
    statements.push(format!("DELETE FROM refusal WHERE id = '{id}'"));
    statements.extend(less.written(bench, true));
    let what = format!("entry {index} dropped and everything signed again");
    let name = format!("a checkpoint known from outside signs {} entries", log.entries.len());
    case(what, &["event", "opening", "event_search", "refusal"], statements, Some(log.newest.clone()), name)
}

/// An entry that was never journaled moved in before another, and everything signed again.
fn moved_in(bench: &Bench, log: &Log, index: usize) -> Case {
    let mut more = log.clone();
    let (other, entry) = &log.entries[index];
    let forged = "face".repeat(8);
    let text = String::from_utf8(entry.clone()).unwrap();
    let tag = Entry::parse(entry).unwrap().tag().to_hex();
    let entry = text.replacen(other.as_str(), &forged, 1).replacen(&tag, &forged, 1).into_bytes();
    let statements = vec![format!(
        "INSERT INTO event (event_id, at, tag, entry, {NUMBER}) SELECT '{forged}', at, '{forged}', {}, 1000000 \
         FROM event WHERE event_id = '{other}'",
        Value::Bytes(entry.clone()).sql(bench.engine())
    )];
    more.entries.insert(index, (forged, entry));
    let what = format!("an entry moved in at {index} and everything signed again");
    let all = [statements, more.written(bench, true)].concat();
    case(what, &["event"], all, Some(log.newest.clone()), forked(log))
}

/// Two neighbours exchanged and everything signed again.
fn exchanged(bench: &Bench, log: &Log, index: usize) -> Case {
    let mut other = log.clone();
    let next = if index + 1 < log.entries.len() { index + 1 } else { 0 };
    other.entries.swap(index, next);
    let what = format!("entries {index} and {next} exchanged and everything signed again");
    case(what, &[], other.written(bench, true), Some(log.newest.clone()), forked(log))
}

/// Cut back to a size that was signed once: an old copy put back.
fn cut(bench: &Bench, log: &Log, size: usize) -> Case {
    let mut old = log.clone();
    let mut statements = Vec::new();
    for (id, _) in old.entries.drain(size..) {
        for table in ["event", "opening", "event_search"] {
            statements.push(format!("DELETE FROM {table} WHERE event_id = '{id}'"));
        }
    }
    old.sizes.retain(|signed| *signed <= size);
    statements.extend(old.written(bench, true));
    let name = format!("a checkpoint known from outside signs {} entries", log.entries.len());
    let what = format!("cut back to {size}");
    case(what, &["event", "opening", "event_search"], statements, Some(log.newest.clone()), name)
}

/// Somebody outside was shown another journal of the same size.
fn split(log: &Log) -> Case {
    let shown = signer().sign(log.entries.len() as u64, &leaf_hash(b"another")).unwrap();
    let what = "another journal was shown outside".to_owned();
    case(what, &[], vec!["SELECT 1".to_owned()], Some(shown), forked(log))
}
