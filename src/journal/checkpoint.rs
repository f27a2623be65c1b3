//! Checkpoints (C2SP tlog-checkpoint): origin, size and root, signed.

use super::{Hash, Note, NoteError, SignedBy, Vkey, VkeyKind, entry::decimal};
use crate::crypto::JournalKey;
use thiserror::Error;

/// Why a checkpoint does not read or does not convince.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CheckpointError {
    /// The note does not read or does not convince.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The signed text is not origin, size and root.
    #[error("not a checkpoint")]
    Malformed,
    /// It is another journal's checkpoint.
    #[error("a checkpoint of another journal")]
    Origin,
}

impl CheckpointError {
    /// Stable code, for logs and reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Note(NoteError::Malformed) => "note_malformed",
            Self::Note(NoteError::BadSignature) => "note_bad_signature",
            Self::Note(NoteError::Unsigned) => "note_unsigned",
            Self::Note(NoteError::Name) => "note_name",
            Self::Malformed => "checkpoint_malformed",
            Self::Origin => "checkpoint_origin",
        }
    }
}

/// The head of the tree at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The journal's name, which is the name of its key as well.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root hash.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Signs it under the journal's key: the note to store and publish.
    ///
    /// # Errors
    /// [`CheckpointError::Note`] when the origin is no key name.
    pub fn sign(&self, key: &JournalKey) -> Result<String, CheckpointError> {
        self.sign_with(&[key])
    }

    /// The same under each of the journal's keys that sign now: two in the overlap of a rotation.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn sign_with(&self, keys: &[&JournalKey]) -> Result<String, CheckpointError> {
        Ok(Note::sign_with(&self.text(), &self.origin, keys)?.to_string())
    }

    /// Reads a signed checkpoint of the journal whose keys these are (the current one and those before it).
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(note: &str, keys: &[Vkey]) -> Result<Self, CheckpointError> {
        let note = Note::parse(note)?;
        let signed = note.signed_by(&keys.iter().collect::<Vec<_>>())?;
        Self::of(&note, &signed)
    }

    /// The checkpoint a note holds, given whose signatures hold: one must be of the journal itself.
    pub(super) fn of(note: &Note, signed: &[SignedBy<'_>]) -> Result<Self, CheckpointError> {
        let mut signers = signed.iter().filter(|by| by.key.kind() == VkeyKind::Signer).peekable();
        if signers.peek().is_none() {
            return Err(NoteError::Unsigned.into());
        }
        let checkpoint = Self::parse(note.text())?;
        let own = signers.any(|by| by.key.name() == checkpoint.origin);
        if own { Ok(checkpoint) } else { Err(CheckpointError::Origin) }
    }

    /// Reads the text. Extension lines, which no one could audit, are refused; so are sizes beyond 2^63 - 1, which
    /// others (Go, SQL) could not hold.
    pub(super) fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split('\n');
        let (Some(origin), Some(size), Some(root), Some(""), None) =
            (lines.next(), lines.next(), lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Malformed);
        };
        let size = decimal(size).filter(|size| i64::try_from(*size).is_ok());
        let size = size.ok_or(CheckpointError::Malformed)?;
        let root = Hash::parse(root).ok_or(CheckpointError::Malformed)?;
        if origin.is_empty() {
            return Err(CheckpointError::Malformed);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretBytes;
    use crate::journal::{EMPTY_ROOT, leaf_hash};
    use proptest::prelude::*;

    fn key() -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([1; 32])).unwrap()
    }

    fn keys(origin: &str) -> Vec<Vkey> {
        vec![Vkey::new(origin, key().public_key()).unwrap()]
    }

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint { origin: "journal.example/2026".to_owned(), size, root: leaf_hash(b"x") }
    }

    #[test]
    fn a_signed_checkpoint_reads_back_under_its_own_key_and_origin_only() {
        let note = checkpoint(7).sign(&key()).unwrap();
        assert_eq!(Checkpoint::open(&note, &keys("journal.example/2026")), Ok(checkpoint(7)));
        let unsigned = Err(CheckpointError::Note(NoteError::Unsigned));
        assert_eq!(Checkpoint::open(&note, &keys("other.example")), unsigned);
        let foreign = Note::sign(&checkpoint(7).text(), "other.example", &key()).unwrap().to_string();
        assert_eq!(Checkpoint::open(&foreign, &keys("other.example")), Err(CheckpointError::Origin));
        let altered = note.replacen("\n7\n", "\n8\n", 1);
        let bad = Err(CheckpointError::Note(NoteError::BadSignature));
        assert_eq!(Checkpoint::open(&altered, &keys("journal.example/2026")), bad);
    }

    #[test]
    fn a_signed_text_that_is_no_checkpoint_is_refused() {
        let root = EMPTY_ROOT.to_string();
        let bad = [
            "o\n".to_owned(),
            "o\n1\n".to_owned(),
            format!("o\n01\n{root}\n"),
            format!("o\n-1\n{root}\n"),
            format!("o\n+1\n{root}\n"),
            format!("o\n1 \n{root}\n"),
            format!("o\n\n{root}\n"),
            format!("o\n9223372036854775808\n{root}\n"),
            format!("o\n18446744073709551616\n{root}\n"),
            format!("o\n1\n{root}\nextension\n"),
            format!("o\n1\n{root}\n\n"),
            format!("\n1\n{root}\n"),
            format!("o\n1\n{}\n", root.trim_end_matches('=')),
            "o\n1\nAAAA\n".to_owned(),
        ];
        for text in bad {
            let note = Note::sign(&text, "o", &key()).unwrap().to_string();
            assert_eq!(Checkpoint::open(&note, &keys("o")), Err(CheckpointError::Malformed), "{text}");
        }
    }

    proptest! {
        #[test]
        fn others_read_our_checkpoints_as_we_do(size: u64, bytes: [u8; 32]) {
            let ours = Checkpoint { size, root: Hash::from_bytes(bytes), ..checkpoint(0) };
            let theirs = tlog_tiles::Checkpoint::from_bytes(ours.text().as_bytes());
            let again = Checkpoint::parse(&ours.text());
            if i64::try_from(size).is_ok() {
                let theirs = theirs.unwrap();
                prop_assert_eq!(theirs.origin(), ours.origin.as_str());
                prop_assert_eq!(theirs.size(), size);
                prop_assert_eq!(theirs.hash().0, bytes);
                prop_assert_eq!(again, Ok(ours));
            } else {
                prop_assert_eq!(again, Err(CheckpointError::Malformed));
            }
        }
    }
}
