//! The complete history of one mandate as a file: whoever holds it can prove every step, and that no step is
//! missing between the first and the last, without asking us (contract journal.md, 4.1).
//!
//! The file is JSON: `format`, `key` (the key of the mandate's tags), and for each entry, in the order of their numbers
//! from 1, its `proof` (C2SP tlog-proof with the entry in it) and what opens its commitments, by slot. Who holds
//! the key finds these entries in any copy of the journal; it opens nothing.

use super::{Entry, LogProof, MandateKey, Opening, Policy, ProofError, Slot, Tag, Witnessed};
use crate::crypto::{SecretBytes, from_hex, to_hex};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use thiserror::Error;

const FORMAT: &str = "porteplume-history/v1";

/// Why a history does not read or does not convince. Numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HistoryError {
    /// Not a history in its one form.
    #[error("not a history of a mandate")]
    Malformed,
    /// It tells of nothing.
    #[error("the history is empty")]
    Empty,
    /// A proof does not convince.
    #[error("entry {0} is not proved: {1}")]
    Proof(u64, ProofError),
    /// An entry does not carry the tag of its number: one is missing, doubled or of another mandate.
    #[error("entry {0} is not the mandate's entry number {0}")]
    Number(u64),
    /// An opening is not what the entry commits to.
    #[error("entry {0} does not commit to what is said to open its slot {slot}", slot = .1.as_str())]
    Opening(u64, Slot),
}

impl HistoryError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "history_malformed",
            Self::Empty => "history_empty",
            Self::Proof(..) => "history_proof",
            Self::Number(_) => "history_number",
            Self::Opening(..) => "history_opening",
        }
    }
}

/// One step of a history: its proof, and what opens its entry. No `Debug`: openings may tell of persons.
#[derive(Clone, PartialEq, Eq)]
pub struct Step {
    /// The proof, with the entry in it.
    pub proof: LogProof,
    /// What opens its commitments, those that are told.
    pub openings: Vec<Opening>,
}

/// A step that was verified.
pub struct ProvedStep {
    /// The entry.
    pub entry: Entry,
    /// The checkpoint that covers it, and who saw it.
    pub witnessed: Witnessed,
}

/// The history of one mandate, from its first entry on.
#[derive(Clone)]
pub struct History {
    key: MandateKey,
    /// The steps, in their order.
    pub steps: Vec<Step>,
}

/// The file's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    key: String,
    entries: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    proof: String,
    openings: BTreeMap<String, String>,
}

impl History {
    /// A history to hand out.
    #[must_use]
    pub const fn new(key: MandateKey, steps: Vec<Step>) -> Self {
        Self { key, steps }
    }

    /// Reads a file. Nothing is verified yet.
    ///
    /// # Errors
    /// [`HistoryError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, HistoryError> {
        let file: File = serde_json::from_str(text).map_err(|_| HistoryError::Malformed)?;
        Self::read(&file).ok_or(HistoryError::Malformed)
    }

    fn read(file: &File) -> Option<Self> {
        let key: [u8; 32] = from_hex(&file.key).ok()?;
        let key = MandateKey::from_slice(SecretBytes::new(key).expose())?;
        let steps = file.entries.iter().map(Line::read).collect::<Option<_>>()?;
        (file.format == FORMAT).then_some(Self { key, steps })
    }

    /// The file.
    #[must_use]
    pub fn to_json(&self) -> String {
        let file = File {
            format: FORMAT.to_owned(),
            key: to_hex(self.key.expose()),
            entries: self.steps.iter().map(Line::of).collect(),
        };
        // Texts in maps and lists always have a JSON form.
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }

    /// The tag the next entry would carry: found in no copy of the journal when the history is complete up to there.
    #[must_use]
    pub fn next_tag(&self) -> Tag {
        self.key.tag(u64::try_from(self.steps.len()).map_or(u64::MAX, |told| told.saturating_add(1)))
    }

    /// Verifies every step under a policy: its proof, its number, its openings.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn verify(&self, policy: &Policy) -> Result<Vec<ProvedStep>, HistoryError> {
        if self.steps.is_empty() {
            return Err(HistoryError::Empty);
        }
        (1..).zip(&self.steps).map(|(number, step)| self.verify_step(number, step, policy)).collect()
    }

    fn verify_step(&self, number: u64, step: &Step, policy: &Policy) -> Result<ProvedStep, HistoryError> {
        let (entry, witnessed) =
            step.proof.verify_under(policy).map_err(|error| HistoryError::Proof(number, error))?;
        if entry.tag() != self.key.tag(number) {
            return Err(HistoryError::Number(number));
        }
        match step.openings.iter().find(|opening| !entry.is_opened_by(opening)) {
            Some(opening) => Err(HistoryError::Opening(number, opening.slot())),
            None => Ok(ProvedStep { entry, witnessed }),
        }
    }
}

impl Line {
    fn of(step: &Step) -> Self {
        let openings = step.openings.iter();
        let openings = openings
            .map(|opening| (opening.slot().as_str().to_owned(), STANDARD.encode(&*opening.to_bytes())));
        Self { proof: step.proof.to_string(), openings: openings.collect() }
    }

    fn read(&self) -> Option<Step> {
        let opening = |(slot, bytes): (&String, &String)| {
            Opening::from_bytes(Slot::parse(slot)?, &STANDARD.decode(bytes).ok()?).ok()
        };
        let openings = self.openings.iter().map(opening).collect::<Option<_>>()?;
        Some(Step { proof: LogProof::parse(&self.proof).ok()?, openings })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;
    use crate::crypto::JournalKey;
    use crate::journal::{
        Checkpoint, Draft, Frontier, TileId, TileSet, Vkey, inclusion_path, leaf_hash, new_event_id,
    };
    use crate::mandate::Instant;
    use serde_json::json;

    fn signer() -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([1; 32])).unwrap()
    }

    fn policy() -> Policy {
        Policy::of_log(&[Vkey::new("journal.example", signer().public_key()).unwrap()])
    }

    /// A journal of nine entries, of which the second, fifth and eighth are the mandate's.
    fn history() -> History {
        let entropy = SeededEntropy::new(7);
        let (now, key) =
            (Instant::from_micros(1_795_302_645_123_000), MandateKey::generate(&entropy).unwrap());
        let mut told = Vec::new();
        let (mut tree, mut level) = (Frontier::default(), Vec::new());
        for index in 0..9_u64 {
            let own = (index % 3 == 1).then_some(index / 3 + 1);
            let tag = own.map_or_else(|| Tag::random(&entropy).unwrap(), |number| key.tag(number));
            let draft = Draft::new(new_event_id(now, &entropy).unwrap(), now, tag).unwrap();
            let draft = draft.fill(&entropy, Slot::Act, &json!({ "seq": own })).unwrap();
            let drafted = draft.finish(&entropy).unwrap();
            level.extend_from_slice(leaf_hash(&drafted.bytes).as_bytes());
            tree.append(leaf_hash(&drafted.bytes));
            if own.is_some() {
                told.push((index, drafted));
            }
        }
        let mut tiles = TileSet::default();
        assert!(tiles.insert(TileId { width: 9, ..TileId::full(0, 0) }, &level));
        let checkpoint = Checkpoint { origin: "journal.example".into(), size: 9, root: tree.root() };
        let checkpoint = checkpoint.sign(&signer()).unwrap();
        let step = |(index, drafted): (u64, crate::journal::Drafted)| Step {
            proof: LogProof {
                entry: Some(drafted.bytes),
                index,
                path: inclusion_path(index, 9, &tiles).unwrap(),
                checkpoint: checkpoint.clone(),
            },
            openings: drafted.openings,
        };
        History::new(key, told.into_iter().map(step).collect())
    }

    #[test]
    fn a_history_convinces_whoever_knows_the_journals_key() {
        let history = History::parse(&history().to_json()).unwrap();
        let proved = history.verify(&policy()).unwrap();
        assert_eq!(proved.len(), 3);
        assert!(proved.iter().all(|step| step.witnessed.checkpoint.size == 9));
        assert_eq!(history.next_tag(), history.key.tag(4));
        let other = JournalKey::from_seed(&SecretBytes::new([2; 32])).unwrap();
        let other = Policy::of_log(&[Vkey::new("journal.example", other.public_key()).unwrap()]);
        assert!(matches!(history.verify(&other), Err(HistoryError::Proof(1, _))));
    }

    #[test]
    fn a_step_left_out_doubled_moved_or_of_another_mandate_is_named() {
        let whole = history();
        let changed = |change: &dyn Fn(&mut Vec<Step>)| {
            let mut history = whole.clone();
            change(&mut history.steps);
            history.verify(&policy()).map(|proved| proved.len())
        };
        assert_eq!(changed(&|steps| drop(steps.remove(0))), Err(HistoryError::Number(1)));
        assert_eq!(changed(&|steps| drop(steps.remove(1))), Err(HistoryError::Number(2)));
        assert_eq!(changed(&|steps| steps.swap(1, 2)), Err(HistoryError::Number(2)));
        assert_eq!(changed(&|steps| steps.insert(1, steps[0].clone())), Err(HistoryError::Number(2)));
        assert_eq!(changed(&Vec::clear), Err(HistoryError::Empty));
        // What is cut off at the end is told by the next tag, which the journal then holds.
        assert_eq!(changed(&|steps| drop(steps.pop())), Ok(2));
        let other = History::new(MandateKey::generate(&SeededEntropy::new(9)).unwrap(), whole.steps.clone());
        assert!(matches!(other.verify(&policy()), Err(HistoryError::Number(1))));
    }

    #[test]
    fn openings_of_another_entry_or_altered_ones_are_named() {
        let mut history = history();
        let moved = history.steps[1].openings.clone();
        history.steps[2].openings = moved;
        assert!(matches!(history.verify(&policy()), Err(HistoryError::Opening(3, Slot::Act))));
        history.steps[2].openings.clear();
        assert!(history.verify(&policy()).is_ok(), "what was erased need not be told");
    }

    #[test]
    fn what_is_no_history_is_refused() {
        let text = history().to_json();
        for altered in [
            String::new(),
            "{}".to_owned(),
            "<html>".to_owned(),
            text.replace("history/v1", "history/v2"),
            text.replacen("\"key\": \"", "\"key\": \"0", 1),
            text.replacen("\"act\"", "\"tca\"", 1),
            text.replacen("index 1", "index 01", 1),
            text.replacen("\"format\"", "\"more\": 1, \"format\"", 1),
        ] {
            assert!(matches!(History::parse(&altered), Err(HistoryError::Malformed)), "{altered}");
        }
    }
}
