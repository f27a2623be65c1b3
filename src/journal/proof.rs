//! Proofs to hand out (C2SP tlog-proof, as of commit 0065ea5): index, inclusion path, checkpoint, and the entry.

use super::{
    Checkpoint, CheckpointError, Entry, EntryError, Hash, PathError, Policy, PolicyError, Vkey, Witnessed,
    entry::decimal, leaf_hash, verify_inclusion,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt::Write as _;
use thiserror::Error;

const HEAD: &str = "c2sp.org/tlog-proof@v1";
/// A path has at most one hash a level.
const LONGEST_PATH: usize = 64;

/// Why a proof does not read or does not convince.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ProofError {
    /// Not a proof in its one form.
    #[error("not a journal proof")]
    Malformed,
    /// The proof carries no entry.
    #[error("the proof carries no entry")]
    NoEntry,
    /// The checkpoint does not convince.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint does not count under the policy.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// The path does not lead from the entry to the checkpoint's root.
    #[error(transparent)]
    Path(#[from] PathError),
    /// What the proof carries is no entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
}

/// A proof that an entry stands in the journal, verifiable without us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogProof {
    /// The entry's bytes. Proved by the rest, not part of the format's own guarantees.
    pub entry: Option<Vec<u8>>,
    /// Index of the entry.
    pub index: u64,
    /// Hashes from the leaf's sibling upward.
    pub path: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl LogProof {
    /// Reads a `.tlog-proof`. Nothing is verified yet.
    ///
    /// # Errors
    /// [`ProofError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        Self::read(text).ok_or(ProofError::Malformed)
    }

    fn read(text: &str) -> Option<Self> {
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.strip_prefix(HEAD)?.strip_prefix('\n')?.split('\n').peekable();
        let extra = lines.peek().and_then(|line| line.strip_prefix("extra "));
        let entry = match extra {
            Some(text) => {
                lines.next();
                Some(STANDARD.decode(text).ok()?)
            }
            None => None,
        };
        let index = decimal(lines.next()?.strip_prefix("index ")?)?;
        let path = lines.map(Hash::parse).collect::<Option<Vec<_>>>()?;
        let fits = path.len() <= LONGEST_PATH;
        fits.then(|| Self { entry, index, path, checkpoint: checkpoint.to_owned() })
    }

    /// Verifies that a leaf stands at the index in the journal whose keys these are; gives its checkpoint.
    ///
    /// # Errors
    /// [`ProofError::Checkpoint`], [`ProofError::Path`].
    pub fn verify_leaf(&self, leaf: &Hash, keys: &[Vkey]) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, keys)?;
        self.leads(leaf, &checkpoint)?;
        Ok(checkpoint)
    }

    fn leads(&self, leaf: &Hash, to: &Checkpoint) -> Result<(), PathError> {
        verify_inclusion(self.index, to.size, leaf, &self.path, &to.root)
    }

    /// Verifies that the entry the proof carries stands in the journal whose keys these are.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify(&self, keys: &[Vkey]) -> Result<(Entry, Checkpoint), ProofError> {
        let bytes = self.entry.as_deref().ok_or(ProofError::NoEntry)?;
        let checkpoint = self.verify_leaf(&leaf_hash(bytes), keys)?;
        Ok((Entry::parse(bytes)?, checkpoint))
    }

    /// Verifies that the entry the proof carries stands under a checkpoint that counts under the policy: also that
    /// the witnesses it names have seen it.
    ///
    /// # Errors
    /// [`ProofError`].
    pub fn verify_under(&self, policy: &Policy) -> Result<(Entry, Witnessed), ProofError> {
        let bytes = self.entry.as_deref().ok_or(ProofError::NoEntry)?;
        let witnessed = self.verify_leaf_under(&leaf_hash(bytes), policy)?;
        Ok((Entry::parse(bytes)?, witnessed))
    }

    /// Verifies that a leaf stands under a checkpoint that counts under the policy.
    ///
    /// # Errors
    /// [`ProofError::Policy`], [`ProofError::Path`].
    pub fn verify_leaf_under(&self, leaf: &Hash, policy: &Policy) -> Result<Witnessed, ProofError> {
        let witnessed = policy.open(&self.checkpoint)?;
        self.leads(leaf, &witnessed.checkpoint)?;
        Ok(witnessed)
    }
}

impl std::fmt::Display for LogProof {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEAD}")?;
        if let Some(entry) = &self.entry {
            writeln!(f, "extra {}", STANDARD.encode(entry))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{hash}")?;
        }
        f.write_char('\n')?;
        f.write_str(&self.checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SeededEntropy;
    use crate::crypto::{JournalKey, SecretBytes};
    use crate::journal::{
        Draft, EMPTY_ROOT, Frontier, Note, NoteSignature, Tag, TileId, TileSet, inclusion_path, new_event_id,
    };
    use crate::mandate::Instant;

    fn key(seed: u8) -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
    }

    fn keys(seed: u8) -> Vec<Vkey> {
        vec![Vkey::new("journal.example/2026", key(seed).public_key()).unwrap()]
    }

    /// The proof of entry 5 in a journal of 9.
    fn proof() -> LogProof {
        let entropy = SeededEntropy::new(1);
        let now = Instant::from_micros(1_795_302_645_123_000);
        let entries: Vec<_> = (0..9)
            .map(|_| {
                let id = new_event_id(now, &entropy).unwrap();
                let draft = Draft::new(id, now, Tag::random(&entropy).unwrap()).unwrap();
                draft.finish(&entropy).unwrap().bytes
            })
            .collect();
        let mut tree = Frontier::default();
        let mut level = Vec::new();
        for entry in &entries {
            level.extend_from_slice(leaf_hash(entry).as_bytes());
            tree.append(leaf_hash(entry));
        }
        let mut tiles = TileSet::default();
        assert!(tiles.insert(TileId { width: 9, ..TileId::full(0, 0) }, &level));
        let checkpoint = Checkpoint { origin: "journal.example/2026".into(), size: 9, root: tree.root() };
        LogProof {
            entry: Some(entries[5].clone()),
            index: 5,
            path: inclusion_path(5, 9, &tiles).unwrap(),
            checkpoint: checkpoint.sign(&key(1)).unwrap(),
        }
    }

    #[test]
    fn a_proof_convinces_who_knows_the_journals_key_and_nobody_else() {
        let proof = LogProof::parse(&proof().to_string()).unwrap();
        let (entry, checkpoint) = proof.verify(&keys(1)).unwrap();
        assert_eq!(Some(entry.to_bytes()), proof.entry);
        assert_eq!(checkpoint.size, 9);
        assert!(matches!(proof.verify(&keys(2)), Err(ProofError::Checkpoint(_))));
    }

    #[test]
    fn a_proof_convinces_under_a_policy_once_its_witnesses_have_seen_the_checkpoint() {
        let alone = proof();
        let witness = Vkey::cosigner("w.example", key(3).public_key()).unwrap();
        let text = format!("log {}\nwitness w {witness}\nquorum w\n", keys(1)[0]);
        let policy = Policy::parse(text.as_bytes()).unwrap();
        assert_eq!(alone.verify_under(&policy), Err(ProofError::Policy(PolicyError::Unwitnessed)));
        let mut note = Note::parse(&alone.checkpoint).unwrap();
        let line = NoteSignature::cosign(note.text(), "w.example", &key(3), 1_795_302_700).unwrap();
        note.add(line);
        let seen = LogProof { checkpoint: note.to_string(), ..alone.clone() };
        let (entry, witnessed) = LogProof::parse(&seen.to_string()).unwrap().verify_under(&policy).unwrap();
        assert_eq!(Some(entry.to_bytes()), alone.entry);
        assert_eq!(witnessed.seen, [("w.example".to_owned(), 1_795_302_700)]);
        assert!(
            seen.verify(&keys(1)).is_ok(),
            "without the policy, a line of a key not known is passed over"
        );
        let elsewhere = LogProof { index: 4, ..seen.clone() };
        assert_eq!(elsewhere.verify_under(&policy), Err(ProofError::Path(PathError::DoesNotHold)));
        assert_eq!(LogProof { entry: None, ..seen }.verify_under(&policy), Err(ProofError::NoEntry));
    }

    #[test]
    fn paths_too_short_too_long_or_beyond_the_tree_convince_nobody() {
        let proof = proof();
        let (mut short, mut long) = (proof.clone(), proof.clone());
        short.path.pop();
        long.path.push(long.path[0]);
        let none = LogProof { path: Vec::new(), ..proof.clone() };
        for (bad, error) in [
            (short, PathError::DoesNotHold),
            (long, PathError::DoesNotHold),
            (none, PathError::DoesNotHold),
            (LogProof { index: 9, ..proof.clone() }, PathError::Range),
            (LogProof { index: u64::MAX, ..proof.clone() }, PathError::Range),
        ] {
            assert_eq!(bad.verify(&keys(1)), Err(ProofError::Path(error)), "{bad}");
        }
        let empty = Checkpoint { origin: "journal.example/2026".into(), size: 0, root: EMPTY_ROOT };
        let of_nothing =
            LogProof { path: Vec::new(), index: 0, checkpoint: empty.sign(&key(1)).unwrap(), ..proof };
        assert_eq!(of_nothing.verify(&keys(1)), Err(ProofError::Path(PathError::Range)));
        let endless =
            format!("c2sp.org/tlog-proof@v1\nindex 0\n{}\nx\n", format!("{EMPTY_ROOT}\n").repeat(65));
        assert_eq!(LogProof::parse(&endless), Err(ProofError::Malformed));
    }

    #[test]
    fn a_proof_is_the_text_of_the_specification() {
        let proof = proof();
        let text = proof.to_string();
        let expected = format!(
            "c2sp.org/tlog-proof@v1\nextra {}\nindex 5\n{}\n{}\n{}\n{}\n\njournal.example/2026\n9\n",
            STANDARD.encode(proof.entry.as_deref().unwrap()),
            proof.path[0],
            proof.path[1],
            proof.path[2],
            proof.path[3],
        );
        assert!(text.starts_with(&expected), "{text}");
        assert_eq!(LogProof::parse(&text), Ok(proof.clone()));
        let bare = LogProof { entry: None, ..proof };
        assert_eq!(LogProof::parse(&bare.to_string()).unwrap(), bare);
        assert_eq!(bare.verify(&keys(1)), Err(ProofError::NoEntry));
        assert!(bare.verify_leaf(&leaf_hash(b"another"), &keys(1)).is_err());
    }

    #[test]
    fn no_altered_proof_convinces() {
        let text = proof().to_string();
        for at in 0..text.len() {
            for replacement in ["A", "0", "\n", ""] {
                let Some(rest) = text.get(at + 1..) else { continue };
                let Some(start) = text.get(..at) else { continue };
                let altered = format!("{start}{replacement}{rest}");
                if altered != text {
                    let read = LogProof::parse(&altered);
                    assert!(read.as_ref().is_ok_and(|proof| proof.to_string() == altered) || read.is_err());
                    let convinced = read.and_then(|proof| proof.verify(&keys(1)));
                    assert!(convinced.is_err(), "at {at}: {altered}");
                }
            }
        }
    }

    #[test]
    fn proofs_without_sibling_hold_for_a_journal_of_one() {
        let entry = proof().entry.unwrap();
        let checkpoint =
            Checkpoint { origin: "journal.example/2026".into(), size: 1, root: leaf_hash(&entry) };
        let checkpoint = checkpoint.sign(&key(1)).unwrap();
        let proof = LogProof { entry: Some(entry), index: 0, path: Vec::new(), checkpoint };
        assert!(LogProof::parse(&proof.to_string()).unwrap().verify(&keys(1)).is_ok());
    }
}
