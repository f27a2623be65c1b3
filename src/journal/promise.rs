//! Promises: what is handed out when an entry is committed and does not have its place yet (contract of the journal, 4.3).
//! The journal signs that this leaf will stand in it within [`MERGE_DELAY`]; should it never appear, the promise
//! convicts us, as a signed certificate time-stamp does in Certificate Transparency (RFC 6962, section 3).
//!
//! A signed note under the journal's keys, named after the promises: so its key ids are none of a checkpoint's.

use super::{
    CheckpointError, Hash, LogProof, Note, Policy, ProofError, Vkey, Witnessed, entry::decimal, is_shard_of,
};
use crate::crypto::JournalKey;
use crate::mandate::{EventId, Instant};
use std::time::Duration;

/// An entry has its place within this long of its promise, or the promise is broken.
pub const MERGE_DELAY: Duration = Duration::from_secs(5);

/// What stands behind the journal's name on the first line, and in the name of the keys.
const MARK: &str = "/receipt";

/// That an entry which is committed will have its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// The journal's name: of its first shard, whichever shard the entry comes to stand in.
    pub origin: String,
    /// The entry.
    pub event: EventId,
    /// Hash of its leaf.
    pub leaf: Hash,
    /// When it was promised, in milliseconds of Unix time.
    pub at: u64,
}

impl Promise {
    /// The promise of the journal of that name, made at that instant.
    #[must_use]
    pub fn new(origin: &str, event: &EventId, leaf: &Hash, now: Instant) -> Self {
        let at = u64::try_from(now.millis()).unwrap_or_default();
        Self { origin: origin.to_owned(), event: event.clone(), leaf: *leaf, at }
    }

    /// Whether a text is, by its first line, a promise, of whatever journal.
    #[must_use]
    pub fn is_one(text: &str) -> bool {
        text.lines().next().is_some_and(|line| line.ends_with(MARK))
    }

    /// Signs it under each of the journal's keys that sign now.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] when the origin is no key name.
    pub fn sign_with(&self, keys: &[&JournalKey]) -> Result<String, CheckpointError> {
        let Self { origin, event, leaf, at } = self;
        let name = format!("{origin}{MARK}");
        Ok(Note::sign_with(&format!("{name}\n{event}\n{leaf}\n{at}\n"), &name, keys)?.to_string())
    }

    /// Reads a promise of a journal that the policy trusts, under whichever of its shards.
    ///
    /// # Errors
    /// [`CheckpointError`]; [`CheckpointError::Origin`] when the policy names no shard of that journal.
    pub fn open(note: &str, policy: &Policy) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let promise = Self::parse(note.text()).ok_or(CheckpointError::Malformed)?;
        let ours = policy.keys().filter(|key| is_shard_of(&promise.origin, key.name()));
        let name = format!("{}{MARK}", promise.origin);
        let known: Vec<Vkey> = ours.filter_map(|key| key.called(&name).ok()).collect();
        if known.is_empty() {
            return Err(CheckpointError::Origin);
        }
        note.verify(&known)?;
        Ok(promise)
    }

    /// Whether a proof keeps it: the promised leaf stands in a shard of that journal, under a checkpoint that counts.
    ///
    /// # Errors
    /// [`ProofError`]; [`CheckpointError::Origin`] in it when the proof is of another journal.
    pub fn kept_by(&self, proof: &LogProof, policy: &Policy) -> Result<Witnessed, ProofError> {
        let witnessed = proof.verify_leaf_under(&self.leaf, policy)?;
        let ours = is_shard_of(&self.origin, &witnessed.checkpoint.origin);
        if ours { Ok(witnessed) } else { Err(CheckpointError::Origin.into()) }
    }

    /// When the entry has its place at the latest.
    #[must_use]
    pub fn due(&self) -> Instant {
        let delay = u64::try_from(MERGE_DELAY.as_millis()).unwrap_or(u64::MAX);
        let micros = self.at.saturating_add(delay).saturating_mul(1_000);
        Instant::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split('\n');
        let origin = lines.next()?.strip_suffix(MARK).filter(|origin| !origin.is_empty())?.to_owned();
        let event = EventId::parse(lines.next()?).ok()?;
        let leaf = Hash::parse(lines.next()?)?;
        let at = decimal(lines.next()?)?;
        let ends = (lines.next(), lines.next()) == (Some(""), None);
        ends.then_some(Self { origin, event, leaf, at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretBytes;
    use crate::journal::{Checkpoint, Frontier, leaf_hash};

    const ORIGIN: &str = "journal.example/2026";

    fn key(seed: u8) -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
    }

    fn trusting(name: &str, seed: u8) -> Policy {
        Policy::of_log(&[Vkey::new(name, key(seed).public_key()).unwrap()])
    }

    fn promise() -> Promise {
        let event = EventId::parse("0192f3c47d2e7c1a9b3f0e5d6c7b8a90").unwrap();
        Promise { origin: ORIGIN.to_owned(), event, leaf: leaf_hash(b"x"), at: 1_795_302_645_123 }
    }

    /// The proof that this leaf stands alone in the journal of that name.
    fn proof(leaf: Hash, origin: &str) -> LogProof {
        let mut tree = Frontier::default();
        tree.append(leaf);
        let checkpoint = Checkpoint { origin: origin.to_owned(), size: 1, root: tree.root() };
        LogProof { entry: None, index: 0, path: Vec::new(), checkpoint: checkpoint.sign(&key(1)).unwrap() }
    }

    #[test]
    fn a_promise_reads_as_the_contract_writes_it_and_comes_back_from_its_note() {
        let note = promise().sign_with(&[&key(1)]).unwrap();
        let leaf = leaf_hash(b"x");
        let text = format!(
            "journal.example/2026/receipt\n0192f3c47d2e7c1a9b3f0e5d6c7b8a90\n{leaf}\n1795302645123\n\n\u{2014} \
             journal.example/2026/receipt "
        );
        assert!(note.starts_with(&text), "{note}");
        assert!(Promise::is_one(&note));
        assert_eq!(Promise::open(&note, &trusting(ORIGIN, 1)), Ok(promise()));
        assert_eq!(promise().due().micros(), 1_795_302_650_123_000);
    }

    #[test]
    fn a_promise_is_the_journals_alone_and_holds_in_a_later_shard() {
        let note = promise().sign_with(&[&key(1)]).unwrap();
        assert!(Promise::open(&note, &trusting("journal.example/2027", 1)).is_ok());
        assert!(Promise::open(&note, &trusting(ORIGIN, 2)).is_err(), "another key");
        let other = Promise::open(&note, &trusting("other.example/2026", 1));
        assert_eq!(other, Err(CheckpointError::Origin));
        let turned = note.replace("1795302645123", "1795302645124");
        assert!(Promise::open(&turned, &trusting(ORIGIN, 1)).is_err(), "another instant");
    }

    #[test]
    fn a_promise_is_no_checkpoint_and_a_checkpoint_is_no_promise() {
        let keys = [Vkey::new(ORIGIN, key(1).public_key()).unwrap()];
        let note = promise().sign_with(&[&key(1)]).unwrap();
        assert!(Checkpoint::open(&note, &keys).is_err());
        let checkpoint = proof(leaf_hash(b"x"), ORIGIN).checkpoint;
        assert!(!Promise::is_one(&checkpoint));
        assert_eq!(Promise::open(&checkpoint, &trusting(ORIGIN, 1)), Err(CheckpointError::Malformed));
        // Signed under the checkpoints' name, it is nobody's promise.
        let text = note.split_once("\n\n").unwrap().0;
        let wrong = Note::sign(&format!("{text}\n"), ORIGIN, &key(1)).unwrap().to_string();
        assert!(Promise::open(&wrong, &trusting(ORIGIN, 1)).is_err());
    }

    #[test]
    fn only_the_promised_leaf_in_that_journal_keeps_a_promise() {
        let trusted =
            trusting(ORIGIN, 1).or(trusting("journal.example/2027", 1)).or(trusting("other.example", 1));
        let keeps = |proof: &LogProof| promise().kept_by(proof, &trusted);
        assert_eq!(keeps(&proof(leaf_hash(b"x"), ORIGIN)).unwrap().checkpoint.size, 1);
        assert!(
            keeps(&proof(leaf_hash(b"x"), "journal.example/2027")).is_ok(),
            "it came after the turn of the year"
        );
        assert!(matches!(keeps(&proof(leaf_hash(b"y"), ORIGIN)), Err(ProofError::Path(_))));
        let elsewhere = keeps(&proof(leaf_hash(b"x"), "other.example"));
        assert_eq!(elsewhere, Err(ProofError::Checkpoint(CheckpointError::Origin)));
    }

    #[test]
    fn what_is_not_in_the_one_form_is_no_promise() {
        let note = promise().sign_with(&[&key(1)]).unwrap();
        let text = note.split_once("\n\n").unwrap().0;
        let name = format!("{ORIGIN}{MARK}");
        for (from, to) in [
            ("1795302645123", "01795302645123"),
            ("1795302645123", "-1"),
            ("1795302645123", "1795302645123\nmore"),
            ("0192f3c4", "0192F3C4"),
            ("/receipt", ""),
            ("journal.example/2026/receipt\n", "journal.example/2026/receipt\n\n"),
        ] {
            let text = text.replacen(from, to, 1);
            let Ok(note) = Note::sign(&format!("{text}\n"), &name, &key(1)) else { continue };
            let opened = Promise::open(&note.to_string(), &trusting(ORIGIN, 1));
            assert_eq!(opened, Err(CheckpointError::Malformed), "{text}");
        }
    }
}
