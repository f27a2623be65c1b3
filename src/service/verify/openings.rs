//! Opening what entries commit to, and telling an erased opening from a removed one.

use super::Journal;
use super::found::Says;
use crate::crypto::KeyStore;
use crate::journal::{Opening, Slot, StoredOpening};
use crate::mandate::{EventId, Instant};
use crate::service::vault::OpenKey;
use crate::service::{Error, record};
use crate::storage::audit::{LeafRow, SealedOpening};
use crate::storage::data_keys::{self, KeyKind};
use crate::storage::{Snapshot, StoreError, audit};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use time::Duration;

/// Nothing is erased by the passing of time before this: the shortest retention there is.
const RETENTION: Duration = Duration::days(365);
/// Opened keys kept; beyond that the lot is dropped and filled again.
const MOST_KEPT: usize = 65_536;
/// Openings said to be erased that are kept, to be named where nobody was.
const MOST_CLAIMED: usize = 1_000;
const PAGE: u32 = 1_000;

/// What became of a data key.
enum Held {
    Open(Box<OpenKey>),
    /// It is there but does not open.
    Broken,
    Gone,
}

/// The keys under which openings are sealed.
pub(super) struct Openings {
    keys: Arc<KeyStore>,
    now: Instant,
    held: HashMap<String, Held>,
    /// Blind indexes of the persons whose keys are there: nothing of theirs was erased.
    usagers: HashSet<String>,
    aidants: HashSet<String>,
    subjects: HashSet<(KeyKind, String)>,
    /// Openings that are gone as if whom they named was erased, the first of them.
    claimed: Vec<(String, Slot)>,
    /// Mandates of usagers who were erased.
    of_erased: HashSet<String>,
    /// Openings that every entry has and that are gone by an erasure.
    pub(super) gone: u64,
}

impl Openings {
    pub(super) async fn new(journal: &Journal, snapshot: &mut Snapshot) -> Result<Self, Error> {
        let mut openings = Self {
            keys: Arc::clone(&journal.keys),
            now: journal.now,
            held: HashMap::new(),
            usagers: HashSet::new(),
            aidants: HashSet::new(),
            subjects: HashSet::new(),
            claimed: Vec::new(),
            of_erased: audit::mandates_of_erased(snapshot).await?.into_iter().collect(),
            gone: 0,
        };
        let mut after = String::new();
        loop {
            let page = data_keys::page(snapshot, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(openings) };
            last.id.clone_into(&mut after);
            for row in page {
                openings.note_subject(row.kind, row.subject_id);
            }
        }
    }

    fn note_subject(&mut self, kind: KeyKind, subject: String) {
        let index = self.keys.index();
        match kind {
            KeyKind::Usager => {
                self.usagers.insert(index.blind("usager", &[&subject]));
            }
            KeyKind::Aidant => {
                self.aidants.insert(index.blind("aidant", &[&subject]));
                self.subjects.insert((kind, subject));
            }
            KeyKind::Auditor => {
                self.subjects.insert((kind, subject));
            }
            KeyKind::Organisation | KeyKind::Mandate | KeyKind::System => {}
        }
    }

    pub(super) fn keys(&self) -> &KeyStore {
        &self.keys
    }

    /// The same, to be held on to.
    pub(super) fn shared_keys(&self) -> Arc<KeyStore> {
        Arc::clone(&self.keys)
    }

    /// Openings that are gone as if whom they named was erased.
    pub(super) fn claimed(&self) -> &[(String, Slot)] {
        &self.claimed
    }

    /// Whether that person's key is there.
    pub(super) fn has_key(&self, kind: KeyKind, subject: &str) -> bool {
        self.subjects.contains(&(kind, subject.to_owned()))
    }

    /// Whether what was written then may have been destroyed since: the shortest retention is over.
    pub(super) fn is_past(&self, at: Instant) -> bool {
        self.now.since(at) >= RETENTION
    }

    /// The key of that subject; none when it is gone or does not open.
    pub(super) async fn key_of(
        &self,
        snapshot: &mut Snapshot,
        kind: KeyKind,
        subject: &str,
    ) -> Result<Option<OpenKey>, Error> {
        let row = data_keys::of_subject(snapshot, kind, subject).await?;
        Ok(row.and_then(|row| OpenKey::of(&self.keys, row).ok()))
    }

    async fn held(&mut self, snapshot: &mut Snapshot, id: &str) -> Result<&Held, StoreError> {
        if self.held.len() >= MOST_KEPT {
            self.held.clear();
        }
        if !self.held.contains_key(id) {
            let held = match data_keys::load(snapshot, id).await? {
                None => Held::Gone,
                Some(row) => {
                    OpenKey::of(&self.keys, row).map_or(Held::Broken, |key| Held::Open(Box::new(key)))
                }
            };
            self.held.insert(id.to_owned(), held);
        }
        Ok(self.held.get(id).unwrap_or(&Held::Gone))
    }

    /// Opens one row.
    pub(super) async fn open(
        &mut self,
        snapshot: &mut Snapshot,
        row: &SealedOpening,
    ) -> Result<StoredOpening, StoreError> {
        let unreadable = || StoredOpening::Unreadable { slot: row.slot.clone() };
        let (Ok(event), Some(slot)) = (EventId::parse(&row.event_id), Slot::parse(&row.slot)) else {
            return Ok(unreadable());
        };
        let key = match self.held(snapshot, &row.key_id).await? {
            Held::Open(key) => key,
            Held::Broken => return Ok(unreadable()),
            Held::Gone => return Ok(StoredOpening::Erased),
        };
        let opened = key.open(&record::opening_cell(&event, slot), &row.sealed).ok();
        let opened = opened.and_then(|bytes| Opening::from_bytes(slot, &bytes).ok());
        Ok(opened.map_or_else(unreadable, StoredOpening::Readable))
    }

    /// The slots of a leaf's entry that must be there and are not: what every entry has, before any retention can
    /// have run out, and what tells of a person who was not erased. Gone by an erasure is what an erased person did by
    /// themselves: of a mandate's history the circumstances, of anything else the whole, which nothing finds then either.
    pub(super) fn missing(
        &mut self,
        leaf: &LeafRow,
        there: &[StoredOpening],
        says: &Says,
    ) -> Vec<StoredOpening> {
        let Some(event) = &leaf.event else { return Vec::new() };
        if self.is_past(event.at) {
            return Vec::new();
        }
        let mut wrong = Vec::new();
        let stands =
            |blind: Option<&String>, all: &HashSet<String>| blind.is_some_and(|blind| all.contains(blind));
        let found = leaf.found.as_ref();
        let due = [
            (Slot::Act, true),
            (Slot::Sub, stands(found.and_then(|row| row.usager.as_ref()), &self.usagers)),
            (Slot::Aid, stands(found.and_then(|row| row.aidant.as_ref()), &self.aidants)),
            (Slot::Ctx, true),
        ];
        for (slot, due) in
            due.into_iter().filter(|(slot, _)| !there.iter().any(|opening| names(opening, *slot)))
        {
            if self.is_erased(leaf, says, slot) {
                self.gone += 1;
                wrong.push(StoredOpening::Erased);
            } else if due {
                wrong.push(StoredOpening::Unreadable { slot: slot.as_str().to_owned() });
            } else if says.fills(slot) == Some(true) && self.claimed.len() < MOST_CLAIMED {
                self.claimed.push((leaf.event_id.clone(), slot));
            }
        }
        wrong
    }
}

impl Openings {
    /// Whether an opening that every entry has may be gone by an erasure.
    fn is_erased(&self, leaf: &LeafRow, says: &Says, slot: Slot) -> bool {
        match &leaf.found {
            None => matches!(slot, Slot::Act | Slot::Ctx),
            Some(row) => {
                let alone = row.usager.is_none() && row.aidant.is_none();
                slot == Slot::Ctx && alone && says.mandate().is_some_and(|id| self.of_erased.contains(id))
            }
        }
    }
}

/// Whether an opening, good or bad, stands for that slot.
fn names(opening: &StoredOpening, slot: Slot) -> bool {
    match opening {
        StoredOpening::Readable(opening) => opening.slot() == slot,
        StoredOpening::Unreadable { slot: named } => named == slot.as_str(),
        StoredOpening::Erased => false,
    }
}
