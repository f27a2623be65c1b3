//! A journal in tables of the test's own, and ways to tamper with it.

mod beside;
mod entries;

use super::*;
use crate::clock::SeededEntropy;
use crate::crypto::{JournalKey, SecretBytes};
use crate::journal::{Draft, Link, Opening, Slot, Tag, Vkey, new_event_id};
use crate::mandate::Instant;
use serde_json::json;
use std::collections::BTreeMap;

const ORIGIN: &str = "journal.example/2026";

struct Event {
    at: Instant,
    tag: String,
    entry: Vec<u8>,
    openings: Vec<(Slot, Vec<u8>)>,
}

#[derive(Clone)]
struct Leaf {
    event_id: String,
    hash: Vec<u8>,
}

/// A journal as its tables hold it, to be tampered with.
#[derive(Default)]
struct Tables {
    events: BTreeMap<String, Event>,
    leaves: BTreeMap<u64, Leaf>,
    tiles: BTreeMap<(u8, u64), (Vec<u8>, Vec<u8>)>,
    checkpoints: BTreeMap<u64, (Vec<u8>, String, Option<String>)>,
}

fn key(seed: u8) -> JournalKey {
    JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
}

fn event(seed: u64) -> (String, Event) {
    let entropy = SeededEntropy::new(seed);
    let at = Instant::from_micros(1_795_302_645_123_000);
    let id = new_event_id(at, &entropy).unwrap();
    let tag = Tag::random(&entropy).unwrap();
    let draft = Draft::new(id.clone(), at, tag).unwrap();
    let drafted = draft.fill(&entropy, Slot::Act, &json!({"seq": seed})).unwrap().finish(&entropy).unwrap();
    let openings =
        drafted.openings.iter().map(|opening| (opening.slot(), opening.to_bytes().to_vec())).collect();
    (id.to_string(), Event { at, tag: tag.to_hex(), entry: drafted.bytes, openings })
}

fn sign(before: u64, size: u64, root: Hash) -> (Vec<u8>, String, Option<String>) {
    let note = Checkpoint { origin: ORIGIN.into(), size, root }.sign(&key(1)).unwrap();
    let link = Link { origin: ORIGIN.into(), before, size, root }.sign(&key(1)).unwrap();
    (root.as_bytes().to_vec(), note, Some(link))
}

/// A journal of `size` entries with a checkpoint every `batch` and at the end.
fn journal(size: u64, batch: u64) -> Tables {
    let mut tables = Tables::default();
    let mut tree = Frontier::default();
    for index in 0..size {
        let (event_id, event) = event(index);
        let hash = leaf_hash(&event.entry);
        tables.events.insert(event_id.clone(), event);
        tables.leaves.insert(index, Leaf { event_id, hash: hash.as_bytes().to_vec() });
        for tile in tree.append(hash) {
            let root = tile.root.as_bytes().to_vec();
            tables.tiles.insert((tile.level, tile.index), (tile.to_bytes(), root));
        }
        if (index + 1) % batch == 0 || index + 1 == size {
            let before = tables.checkpoints.last_key_value().map_or(0, |(size, _)| *size);
            tables.checkpoints.insert(index + 1, sign(before, index + 1, tree.root()));
        }
    }
    tables
}

impl Tables {
    fn audit(&self) -> Report {
        self.audit_knowing(Vec::new())
    }

    /// Feeds the audit as storage does.
    fn audit_knowing(&self, known: Vec<Checkpoint>) -> Report {
        let extent = Extent {
            leaves_end: self.leaves.last_key_value().map_or(0, |(index, _)| index + 1),
            newest_note: self.checkpoints.last_key_value().map(|(_, (_, note, _))| note.clone()),
            leaves: self.leaves.len() as u64,
            tiles: self.tiles.len() as u64,
            checkpoints: self.checkpoints.len() as u64,
        };
        let keys = vec![Vkey::new(ORIGIN, key(1).public_key()).unwrap()];
        let mut audit = Audit::new(AuditTerms { keys, known, extent });
        while let Some(range) = audit.wants() {
            self.page(&mut audit, range);
        }
        let standing: std::collections::HashSet<_> =
            self.leaves.values().map(|leaf| &leaf.event_id).collect();
        for (id, event) in self.events.iter().filter(|(id, _)| !standing.contains(id)) {
            audit.event_without_leaf(id, &event.entry);
        }
        audit.finish()
    }

    fn page(&self, audit: &mut Audit, range: PageRange) {
        let within: Vec<_> = self.leaves.range(range.start..range.end).collect();
        let openings: Vec<Vec<StoredOpening>> =
            within.iter().map(|(_, leaf)| self.openings(&leaf.event_id)).collect();
        let leaves: Vec<_> = within
            .iter()
            .zip(&openings)
            .map(|((index, leaf), openings)| StoredLeaf {
                index: **index,
                event_id: &leaf.event_id,
                leaf_hash: &leaf.hash,
                event: self.events.get(&leaf.event_id).map(|event| StoredEvent {
                    at: event.at,
                    tag: &event.tag,
                    entry: &event.entry,
                    openings,
                }),
            })
            .collect();
        let tiles: Vec<_> = range
            .tiles()
            .into_iter()
            .filter_map(|at| self.tiles.get_key_value(&at))
            .map(|((level, index), (hashes, root))| StoredTile { level: *level, index: *index, hashes, root })
            .collect();
        let from = if range.start == 0 { 0 } else { range.start + 1 };
        let checkpoints: Vec<_> = self
            .checkpoints
            .range(from..=range.end)
            .map(|(size, (root, note, link))| StoredCheckpoint {
                size: *size,
                root,
                note,
                link: link.as_deref(),
            })
            .collect();
        audit.page(&AuditPage { leaves: &leaves, tiles: &tiles, checkpoints: &checkpoints });
    }

    fn openings(&self, event_id: &str) -> Vec<StoredOpening> {
        let event = self.events.get(event_id);
        let openings = event.into_iter().flat_map(|event| &event.openings);
        openings
            .map(|(slot, bytes)| match Opening::from_bytes(*slot, bytes) {
                Ok(opening) => StoredOpening::Readable(opening),
                Err(_) if bytes.is_empty() => StoredOpening::Erased,
                Err(_) => StoredOpening::Unreadable { slot: slot.as_str().to_owned() },
            })
            .collect()
    }

    fn id(&self, index: u64) -> String {
        self.leaves[&index].event_id.clone()
    }

    fn event_at(&mut self, index: u64) -> &mut Event {
        let id = self.id(index);
        self.events.get_mut(&id).unwrap()
    }

    /// Alters the entry and, if told so, makes the leaf hash and the level-0 tile agree with it.
    fn alter_entry(&mut self, index: u64, leaf_too: bool, tile_too: bool) {
        let event = self.event_at(index);
        let at = event.entry.len() - 9;
        event.entry[at] = if event.entry[at] == b'A' { b'B' } else { b'A' };
        let hash = leaf_hash(&event.entry).as_bytes().to_vec();
        if tile_too && let Some((hashes, _)) = self.tiles.get_mut(&(0, index / 256)) {
            let at = usize::try_from(index % 256).unwrap() * 32;
            hashes[at..at + 32].copy_from_slice(&hash);
        }
        if leaf_too {
            self.leaves.get_mut(&index).unwrap().hash = hash;
        }
    }

    /// Takes leaf `index` out and moves all behind it one up.
    fn remove_and_renumber(&mut self, index: u64) {
        let mut behind = self.leaves.split_off(&index);
        let removed = behind.pop_first().unwrap().1;
        self.events.remove(&removed.event_id);
        self.leaves.extend(behind.into_iter().map(|(index, leaf)| (index - 1, leaf)));
    }

    /// Puts a forged leaf in at `index` and moves all behind it one down.
    fn insert_and_renumber(&mut self, index: u64) -> String {
        let behind = self.leaves.split_off(&index);
        self.leaves.extend(behind.into_iter().map(|(index, leaf)| (index + 1, leaf)));
        let (event_id, event) = event(999_999);
        let hash = leaf_hash(&event.entry).as_bytes().to_vec();
        self.events.insert(event_id.clone(), event);
        self.leaves.insert(index, Leaf { event_id: event_id.clone(), hash });
        event_id
    }

    fn swap_rows(&mut self, one: u64, other: u64) {
        let (a, b) = (self.leaves[&one].clone(), self.leaves[&other].clone());
        self.leaves.insert(one, b);
        self.leaves.insert(other, a);
    }
}

/// Every finding as (index, code).
fn told(report: &Report) -> Vec<(Option<u64>, &'static str)> {
    report.findings().iter().map(|finding| (finding.index, finding.fault.code())).collect()
}

fn first(report: &Report) -> (Option<u64>, &'static str) {
    report.first().map_or((None, "clean"), |finding| (finding.index, finding.fault.code()))
}
