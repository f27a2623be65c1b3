//! Witnesses (C2SP tlog-witness): somebody else remembers our newest checkpoint, and cosigns a new one only when it
//! continues the one remembered. Both sides of that protocol, without network and without disk.

use super::{
    Checkpoint, CheckpointError, EMPTY_ROOT, Hash, Note, NoteError, NoteSignature, Vkey, entry::decimal,
    verify_consistency,
};
use std::fmt::Write as _;
use thiserror::Error;

/// The longest proof a submission may carry.
const LONGEST_PROOF: usize = 63;
/// The content type of a refusal that tells the size last cosigned.
pub const SIZE_TYPE: &str = "text/x.tlog.size";

/// A checkpoint as it is submitted to a witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    /// Size of the checkpoint that the witness is thought to have cosigned last; 0 for none.
    pub old: u64,
    /// Proof of consistency from there.
    pub proof: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl Submission {
    /// Reads the body of a submission. Nothing is verified yet.
    ///
    /// # Errors
    /// [`WitnessRefusal::Malformed`].
    pub fn parse(body: &str) -> Result<Self, WitnessRefusal> {
        Self::read(body).ok_or(WitnessRefusal::Malformed)
    }

    fn read(body: &str) -> Option<Self> {
        let (head, checkpoint) = body.split_once("\n\n")?;
        let mut lines = head.split('\n');
        let old = decimal(lines.next()?.strip_prefix("old ")?)?;
        let proof = lines.map(Hash::parse).collect::<Option<Vec<_>>>()?;
        (proof.len() <= LONGEST_PROOF).then(|| Self { old, proof, checkpoint: checkpoint.to_owned() })
    }
}

impl std::fmt::Display for Submission {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{hash}")?;
        }
        f.write_char('\n')?;
        f.write_str(&self.checkpoint)
    }
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WitnessRefusal {
    /// Not a submission, or what it submits is no checkpoint.
    #[error("not a submission")]
    Malformed,
    /// The older size is beyond the checkpoint's own.
    #[error("the older size is the larger one")]
    OldBeyond,
    /// No log of that name is watched here.
    #[error("no log of that name is watched here")]
    UnknownLog,
    /// The log's key has not signed it.
    #[error("the log has not signed this checkpoint")]
    Unsigned,
    /// Another size was cosigned last: this one.
    #[error("the size cosigned last is {0}")]
    OtherSize(u64),
    /// A tree of that size with another root was cosigned last.
    #[error("another tree of size {0} was cosigned")]
    OtherRoot(u64),
    /// The proof does not lead from the checkpoint cosigned last to this one.
    #[error("the checkpoint does not continue the one cosigned last")]
    Inconsistent,
}

impl WitnessRefusal {
    /// Stable code, for logs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "submission_malformed",
            Self::OldBeyond => "submission_old_beyond",
            Self::UnknownLog => "submission_unknown_log",
            Self::Unsigned => "submission_unsigned",
            Self::OtherSize(_) => "submission_other_size",
            Self::OtherRoot(_) => "submission_other_root",
            Self::Inconsistent => "submission_inconsistent",
        }
    }
}

/// The size and root cosigned last.
pub type Remembered = (u64, Hash);

/// The name of the log whose checkpoint a submission holds: the origin is its first line.
#[must_use]
pub fn submitted_origin(submission: &Submission) -> &str {
    submission.checkpoint.split('\n').next().unwrap_or_default()
}

/// Decides over a submission as the specification says, in its order. `keys` are those of the log it names, none when
/// that log is not watched; `remembered` is what was cosigned last for it. What is given back is to be remembered, durably,
/// before it is cosigned.
///
/// # Errors
/// [`WitnessRefusal`]: nothing is cosigned then.
pub fn decide(
    submission: &Submission,
    keys: &[Vkey],
    remembered: Option<Remembered>,
) -> Result<Checkpoint, WitnessRefusal> {
    if keys.is_empty() {
        return Err(WitnessRefusal::UnknownLog);
    }
    let checkpoint = Checkpoint::open(&submission.checkpoint, keys).map_err(|error| match error {
        // The last of these: signed by a key we know, for another log than the one it is known for.
        CheckpointError::Note(NoteError::Unsigned | NoteError::BadSignature) | CheckpointError::Origin => {
            WitnessRefusal::Unsigned
        }
        CheckpointError::Note(NoteError::Malformed | NoteError::Name) | CheckpointError::Malformed => {
            WitnessRefusal::Malformed
        }
    })?;
    if submission.old > checkpoint.size {
        return Err(WitnessRefusal::OldBeyond);
    }
    let (size, root) = remembered.unwrap_or((0, EMPTY_ROOT));
    if submission.old != size {
        return Err(WitnessRefusal::OtherSize(size));
    }
    if checkpoint.size == size && checkpoint.root != root {
        return Err(WitnessRefusal::OtherRoot(size));
    }
    verify_consistency((size, &root), (checkpoint.size, &checkpoint.root), &submission.proof)
        .map_err(|_| WitnessRefusal::Inconsistent)?;
    Ok(checkpoint)
}

/// Why a witness's answer is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// Not what the specification has a witness say.
    #[error("the witness gives no answer of the protocol")]
    Malformed,
    /// No line is of the key we know.
    #[error("the witness did not cosign under the key we know")]
    NotCosigned,
    /// The line of the key we know does not hold.
    #[error("the witness's cosignature does not hold")]
    BadSignature,
    /// It says that it cosigned more entries than we have: our journal was rolled back, or the witness lies.
    #[error("the witness has seen {0} entries, more than there are")]
    Ahead(u64),
    /// It has another tree of the same size.
    #[error("the witness has seen another journal")]
    OtherTree,
    /// It refused.
    #[error("the witness refused with status {0}")]
    Refused(u16),
}

impl AnswerError {
    /// Stable code, for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "witness_malformed",
            Self::NotCosigned => "witness_not_cosigned",
            Self::BadSignature => "witness_bad_signature",
            Self::Ahead(_) => "witness_ahead",
            Self::OtherTree => "witness_other_tree",
            Self::Refused(_) => "witness_refused",
        }
    }
}

/// What a witness answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned: the line to keep, and when it says it saw the checkpoint (Unix seconds).
    Cosigned {
        /// The line.
        line: NoteSignature,
        /// When.
        at: u64,
    },
    /// It remembers another size: submit again from there.
    From(u64),
}

/// Reads what a witness answered to a submission of ours. Lines of keys we do not know are passed over.
///
/// # Errors
/// [`AnswerError`]. What it says is not taken on trust: [`AnswerError::Ahead`] may be a lie, and is an alarm all the same.
pub fn read_answer(
    status: u16,
    body: &str,
    submission: &Submission,
    key: &Vkey,
) -> Result<Answer, AnswerError> {
    let note = Note::parse(&submission.checkpoint).map_err(|_| AnswerError::Malformed)?;
    let ours = Checkpoint::parse(note.text()).map_err(|_| AnswerError::Malformed)?;
    match status {
        200 => cosignature(body, note.text(), key),
        409 => {
            let size = body.strip_suffix('\n').and_then(decimal::<u64>).ok_or(AnswerError::Malformed)?;
            if size > ours.size {
                Err(AnswerError::Ahead(size))
            } else if size == submission.old {
                // It agrees on the size, so it is the tree that it does not agree on.
                Err(AnswerError::OtherTree)
            } else {
                Ok(Answer::From(size))
            }
        }
        422 => Err(AnswerError::OtherTree),
        other => Err(AnswerError::Refused(other)),
    }
}

fn cosignature(body: &str, text: &str, key: &Vkey) -> Result<Answer, AnswerError> {
    let lines = body.strip_suffix('\n').ok_or(AnswerError::Malformed)?;
    let mut found = Err(AnswerError::NotCosigned);
    for line in lines.split('\n') {
        let line = NoteSignature::parse(line).map_err(|_| AnswerError::Malformed)?;
        if line.names(key) {
            let by = line.verify(text, key).ok_or(AnswerError::BadSignature)?;
            let at = by.at.ok_or(AnswerError::BadSignature)?;
            found = Ok(Answer::Cosigned { line, at });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{JournalKey, SecretBytes};
    use crate::journal::{Frontier, TileId, TileSet, consistency_path, leaf_hash};
    use proptest::prelude::*;

    fn key(seed: u8) -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
    }

    fn log() -> Vec<Vkey> {
        vec![Vkey::new("j.example", key(1).public_key()).unwrap()]
    }

    fn witness() -> Vkey {
        Vkey::cosigner("w.example", key(2).public_key()).unwrap()
    }

    /// A log of up to 255 entries: one partial tile.
    fn checkpoint(size: u64, salt: u8) -> Checkpoint {
        let mut tree = Frontier::default();
        (0..size).for_each(|number| drop(tree.append(leaf_hash(&[salt, number.to_be_bytes()[7]]))));
        Checkpoint { origin: "j.example".to_owned(), size, root: tree.root() }
    }

    fn proof(old: u64, new: u64, salt: u8) -> Vec<Hash> {
        let hashes: Vec<u8> =
            (0..new).flat_map(|n| *leaf_hash(&[salt, n.to_be_bytes()[7]]).as_bytes()).collect();
        let mut tiles = TileSet::default();
        if new > 0 {
            let width = u16::try_from(new).unwrap();
            assert!(tiles.insert(TileId { width, ..TileId::full(0, 0) }, &hashes));
        }
        consistency_path(old, new, &tiles).unwrap()
    }

    fn submission(old: u64, new: u64, salt: u8) -> Submission {
        let checkpoint = checkpoint(new, salt).sign(&key(1)).unwrap();
        Submission { old, proof: proof(old, new, salt), checkpoint }
    }

    fn remembered(size: u64, salt: u8) -> Remembered {
        (size, checkpoint(size, salt).root)
    }

    #[test]
    fn a_checkpoint_that_continues_what_is_remembered_is_cosigned() {
        for (before, old, new) in [
            (None, 0, 7),
            (None, 0, 0),
            (Some(remembered(0, 0)), 0, 9),
            (Some(remembered(7, 0)), 7, 7),
            (Some(remembered(7, 0)), 7, 200),
            (Some(remembered(64, 0)), 64, 128),
        ] {
            assert_eq!(
                decide(&submission(old, new, 0), &log(), before),
                Ok(checkpoint(new, 0)),
                "{old} {new}"
            );
        }
    }

    #[test]
    fn everything_else_is_refused_in_the_specifications_order() {
        use WitnessRefusal::{
            Inconsistent, Malformed, OldBeyond, OtherRoot, OtherSize, UnknownLog, Unsigned,
        };
        let good = submission(7, 20, 0);
        let at = Some(remembered(7, 0));
        let stranger = Note::sign(&checkpoint(20, 0).text(), "j.example", &key(9)).unwrap().to_string();
        let altered = good.checkpoint.replacen("\n20\n", "\n21\n", 1);
        let cut = good.checkpoint.trim_end().to_owned();
        let no_checkpoint = Note::sign("j.example\n20\n", "j.example", &key(1)).unwrap().to_string();
        let zeros = Note::sign(&checkpoint(20, 0).text().replace("\n20\n", "\n020\n"), "j.example", &key(1));
        let of_another = Note::sign(&checkpoint(20, 0).text().replace("j.e", "k.e"), "j.example", &key(1));
        let with = |checkpoint: String| Submission { checkpoint, ..good.clone() };
        let (mut short, mut long, mut other) = (good.clone(), good.clone(), good.clone());
        short.proof.pop();
        long.proof.push(EMPTY_ROOT);
        other.proof[0] = EMPTY_ROOT;
        let none = Submission { proof: Vec::new(), ..good.clone() };
        let padded = Submission { proof: vec![EMPTY_ROOT], ..submission(7, 7, 0) };
        let from_nothing = Submission { proof: vec![EMPTY_ROOT], ..submission(0, 20, 0) };
        let keys = log();
        let table: [(&Submission, &[Vkey], Option<Remembered>, WitnessRefusal); 19] = [
            (&good, &[], at, UnknownLog),
            (&with(stranger), &keys, at, Unsigned),
            (&with(altered), &keys, at, Unsigned),
            (&with(cut), &keys, at, Malformed),
            (&with(String::new()), &keys, at, Malformed),
            (&with(no_checkpoint), &keys, at, Malformed),
            (&with(zeros.unwrap().to_string()), &keys, at, Malformed),
            (&with(of_another.unwrap().to_string()), &keys, at, Unsigned),
            (&Submission { old: 21, ..good.clone() }, &keys, at, OldBeyond),
            (&Submission { old: 8, ..good.clone() }, &keys, at, OtherSize(7)),
            (&submission(0, 20, 0), &keys, at, OtherSize(7)),
            (&good, &keys, None, OtherSize(0)),
            (&submission(7, 7, 1), &keys, at, OtherRoot(7)),
            (&padded, &keys, at, Inconsistent),
            (&from_nothing, &keys, None, Inconsistent),
            (&submission(7, 20, 1), &keys, at, Inconsistent),
            (&short, &keys, at, Inconsistent),
            (&long, &keys, at, Inconsistent),
            (&none, &keys, at, Inconsistent),
        ];
        for (submission, keys, at, refusal) in table {
            assert_eq!(decide(submission, keys, at), Err(refusal), "{submission}");
        }
        assert_eq!(decide(&other, &keys, at), Err(Inconsistent));
    }

    #[test]
    fn bodies_of_any_other_form_are_refused() {
        let good = submission(7, 20, 0).to_string();
        assert_eq!(Submission::parse(&good), Ok(submission(7, 20, 0)));
        let bad = [
            String::new(),
            "old 0".to_owned(),
            "old 0\n".to_owned(),
            good.replacen("old 7", "old 07", 1),
            good.replacen("old 7", "old +7", 1),
            good.replacen("old 7", "old  7", 1),
            good.replacen("old 7", "old -7", 1),
            good.replacen("old 7", "new 7", 1),
            good.replacen("old 7", "old 18446744073709551616", 1),
            good.replacen("old 7\n", "old 7\r\n", 1),
            good.replacen("old 7\n", "old 7\nAAAA\n", 1),
            good.replacen("old 7\n", &format!("old 7\n{}", format!("{EMPTY_ROOT}\n").repeat(64)), 1),
            format!("\n{good}"),
        ];
        for body in bad {
            assert_eq!(Submission::parse(&body), Err(WitnessRefusal::Malformed), "{body}");
        }
        let most = good.replacen("old 7\n", &format!("old 7\n{}", format!("{EMPTY_ROOT}\n").repeat(50)), 1);
        assert!(Submission::parse(&most).is_ok());
    }

    #[test]
    fn an_answer_is_taken_when_the_line_of_the_key_we_know_holds() {
        let asked = submission(7, 20, 0);
        let text = checkpoint(20, 0).text();
        let line = NoteSignature::cosign(&text, "w.example", &key(2), 1_795_302_645).unwrap();
        let stranger = NoteSignature::cosign("x\n", "w.example", &key(9), 1).unwrap();
        let cosigned = Ok(Answer::Cosigned { line: line.clone(), at: 1_795_302_645 });
        let read = |status, body: &str| read_answer(status, body, &asked, &witness());
        assert_eq!(read(200, &format!("{line}\n")), cosigned);
        assert_eq!(read(200, &format!("{stranger}\n{line}\n")), cosigned, "a line of a key not known");
        let of_another = NoteSignature::cosign(&text.replace("20", "21"), "w.example", &key(2), 1).unwrap();
        let signed = Note::sign(&text, "w.example", &key(2)).unwrap().to_string();
        let plain = signed.lines().last().unwrap();
        for (status, body, error) in [
            (200, format!("{of_another}\n"), AnswerError::BadSignature),
            (200, format!("{line}\n{of_another}\n"), AnswerError::BadSignature),
            (200, format!("{stranger}\n"), AnswerError::NotCosigned),
            (200, format!("{plain}\n"), AnswerError::NotCosigned),
            (200, String::new(), AnswerError::Malformed),
            (200, "\n".to_owned(), AnswerError::Malformed),
            (200, line.to_string(), AnswerError::Malformed),
            (200, "<html>Welcome</html>\n".to_owned(), AnswerError::Malformed),
            (409, "<html>\n".to_owned(), AnswerError::Malformed),
            (409, "12".to_owned(), AnswerError::Malformed),
            (409, "012\n".to_owned(), AnswerError::Malformed),
            (409, "21\n".to_owned(), AnswerError::Ahead(21)),
            (409, "9223372036854775808\n".to_owned(), AnswerError::Ahead(1 << 63)),
            (409, "7\n".to_owned(), AnswerError::OtherTree),
            (422, String::new(), AnswerError::OtherTree),
            (400, String::new(), AnswerError::Refused(400)),
            (403, String::new(), AnswerError::Refused(403)),
            (404, "<html>".to_owned(), AnswerError::Refused(404)),
            (500, String::new(), AnswerError::Refused(500)),
            (204, String::new(), AnswerError::Refused(204)),
        ] {
            assert_eq!(read(status, &body), Err(error), "{status} {body}");
        }
        assert_eq!(read(409, "12\n"), Ok(Answer::From(12)));
        assert_eq!(read(409, "0\n"), Ok(Answer::From(0)));
    }

    proptest! {
        /// Whatever a log submits, in whatever order: what was cosigned is one history.
        #[test]
        fn what_a_witness_cosigns_is_one_history(
            steps in proptest::collection::vec((0..40_u64, 0..40_u64, 0..2_u8, 0..40_u64), 1..30),
        ) {
            let mut seen: Vec<(u64, u8)> = Vec::new();
            let mut at = None;
            for (old, new, salt, from) in steps {
                let proof = if from <= new { proof(from, new, salt) } else { Vec::new() };
                let asked = Submission { old, proof, ..submission(0, new, salt) };
                let before = at;
                if let Ok(checkpoint) = decide(&asked, &log(), at) {
                    at = Some((checkpoint.size, checkpoint.root));
                    seen.push((checkpoint.size, if new == 0 { 2 } else { salt }));
                } else {
                    prop_assert_eq!(at, before);
                }
            }
            prop_assert!(seen.is_sorted_by_key(|(size, _)| *size));
            let salts: std::collections::BTreeSet<u8> = seen.iter().map(|(_, salt)| *salt).filter(|s| *s < 2).collect();
            prop_assert!(salts.len() <= 1, "two histories: {:?}", seen);
        }

        #[test]
        fn any_text_is_a_submission_in_its_one_form_or_none(body in "(old [0-9]{1,3}\n)?([A-Za-z0-9+/=]{43,45}\n){0,3}\n?[a-z\n]{0,9}") {
            if let Ok(read) = Submission::parse(&body) {
                prop_assert_eq!(read.to_string(), body);
            }
        }
    }
}
