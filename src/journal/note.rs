//! Signed notes (C2SP signed-note): text, an empty line, signature lines; and cosignatures on checkpoints (C2SP
//! tlog-cosignature), which are signature lines that tell the time as well.

use super::vkey::{Vkey, VkeyKind, is_name};
use crate::crypto::JournalKey;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use thiserror::Error;

/// Longer notes are refused unread. Sixteen signatures of the largest kind known (5 kB) fit in.
const LONGEST: usize = 128 * 1024;
const DASH: &str = "\u{2014} ";

/// Why a note does not read or does not convince.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NoteError {
    /// Not a signed note.
    #[error("not a signed note")]
    Malformed,
    /// A signature of a key we know does not hold: the note is worth nothing.
    #[error("a known key's signature does not hold")]
    BadSignature,
    /// No key we know has signed.
    #[error("no known key has signed")]
    Unsigned,
    /// The signer's name is no key name.
    #[error("not a key name")]
    Name,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    name: String,
    id: [u8; 4],
    signature: Vec<u8>,
}

/// A signature that holds, of a key we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedBy<'k> {
    /// The key.
    pub key: &'k Vkey,
    /// When a cosigner says it saw the text: Unix seconds. None for a signer, which does not say.
    pub at: Option<u64>,
}

impl NoteSignature {
    /// Cosigns a checkpoint's text, seen at that time (Unix seconds).
    ///
    /// # Errors
    /// [`NoteError::Malformed`] for a text no note can hold, or a time beyond what the format holds; [`NoteError::Name`].
    pub fn cosign(text: &str, name: &str, key: &JournalKey, at: u64) -> Result<Self, NoteError> {
        if !is_text(text) || i64::try_from(at).is_err() {
            return Err(NoteError::Malformed);
        }
        let vkey = Vkey::cosigner(name, key.public_key()).map_err(|_| NoteError::Name)?;
        let signature = [at.to_be_bytes().as_slice(), &key.sign(cosigned(text, at).as_bytes())].concat();
        Ok(Self { name: name.to_owned(), id: vkey.id(), signature })
    }

    /// Reads one line, without its newline.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        read_signature(line).ok_or(NoteError::Malformed)
    }

    /// The key's name, as the line says it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the line says it is of that key.
    #[must_use]
    pub fn names(&self, key: &Vkey) -> bool {
        self.name == key.name() && self.id == key.id()
    }

    /// Verifies the line as the key's on a text; none when it does not hold.
    #[must_use]
    pub fn verify<'k>(&self, text: &str, key: &'k Vkey) -> Option<SignedBy<'k>> {
        match key.kind() {
            VkeyKind::Signer => {
                key.holds(text.as_bytes(), &self.signature).then_some(SignedBy { key, at: None })
            }
            VkeyKind::Cosigner => {
                let (at, signature) = self.signature.split_first_chunk::<8>()?;
                let at = u64::from_be_bytes(*at);
                let told = i64::try_from(at).is_ok() && key.holds(cosigned(text, at).as_bytes(), signature);
                told.then_some(SignedBy { key, at: Some(at) })
            }
        }
    }
}

impl std::fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let signature = STANDARD.encode([self.id.as_slice(), &self.signature].concat());
        write!(f, "{DASH}{} {signature}", self.name)
    }
}

/// What a cosigner signs.
fn cosigned(text: &str, at: u64) -> String {
    format!("cosignature/v1\ntime {at}\n{text}")
}

/// A text and its signatures. The text means nothing before [`Self::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl Note {
    /// Signs a text, which ends in a newline.
    ///
    /// # Errors
    /// [`NoteError::Malformed`] for a text no note can hold; [`NoteError::Name`].
    pub fn sign(text: &str, name: &str, key: &JournalKey) -> Result<Self, NoteError> {
        Self::sign_with(text, name, &[key])
    }

    /// Signs a text under several keys of one name, a line for each.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn sign_with(text: &str, name: &str, keys: &[&JournalKey]) -> Result<Self, NoteError> {
        if !is_text(text) {
            return Err(NoteError::Malformed);
        }
        let line = |key: &&JournalKey| {
            let vkey = Vkey::new(name, key.public_key()).map_err(|_| NoteError::Name)?;
            let signature = key.sign(text.as_bytes()).to_vec();
            Ok(NoteSignature { name: name.to_owned(), id: vkey.id(), signature })
        };
        let signatures = keys.iter().map(line).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// Reads a note. Signatures are not checked yet.
    ///
    /// # Errors
    /// [`NoteError::Malformed`].
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        if note.len() > LONGEST || has_control(note) {
            return Err(NoteError::Malformed);
        }
        // The last empty line parts text and signatures; the text keeps its own last newline.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError::Malformed)?;
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Malformed)?;
        let signatures = lines.split('\n').map(read_signature).collect::<Option<Vec<_>>>();
        Ok(Self { text: format!("{text}\n"), signatures: signatures.ok_or(NoteError::Malformed)? })
    }

    /// Checks every signature of a key we know and gives the text back if there is one and all hold.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`], [`NoteError::Unsigned`].
    pub fn verify(&self, known: &[Vkey]) -> Result<&str, NoteError> {
        let known: Vec<&Vkey> = known.iter().collect();
        if self.signed_by(&known)?.is_empty() { Err(NoteError::Unsigned) } else { Ok(&self.text) }
    }

    /// Which of the keys we know have signed. Lines of unknown keys are passed over.
    ///
    /// # Errors
    /// [`NoteError::BadSignature`] when a line of a known key does not hold: the whole note is then worth nothing.
    pub fn signed_by<'k>(&self, known: &[&'k Vkey]) -> Result<Vec<SignedBy<'k>>, NoteError> {
        let mut signed = Vec::new();
        for line in &self.signatures {
            if let Some(key) = known.iter().find(|key| line.names(key)) {
                signed.push(line.verify(&self.text, key).ok_or(NoteError::BadSignature)?);
            }
        }
        Ok(signed)
    }

    /// The text, whoever signed it: nobody, perhaps.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Keeps the lines of these keys alone.
    pub fn keep(&mut self, keys: &[Vkey]) {
        self.signatures.retain(|line| keys.iter().any(|key| line.names(key)));
    }

    /// Adds a line below those that are there.
    pub fn add(&mut self, signature: NoteSignature) {
        self.signatures.push(signature);
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

/// Whether a note can hold it.
fn is_text(text: &str) -> bool {
    text.ends_with('\n') && !has_control(text)
}

fn has_control(text: &str) -> bool {
    text.bytes().any(|c| c < b' ' && c != b'\n')
}

fn read_signature(line: &str) -> Option<NoteSignature> {
    let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
    let signature = STANDARD.decode(signature).ok()?;
    let (id, signature) = signature.split_first_chunk::<4>()?;
    let well_formed = is_name(name) && !signature.is_empty();
    well_formed.then(|| NoteSignature { name: name.to_owned(), id: *id, signature: signature.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SecretBytes;
    use proptest::prelude::*;
    use signed_note::{Note as TheirNote, StandardVerifier, VerifierList};

    // The note and keys of Go's own tests (golang.org/x/mod/sumdb/note).
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const ENOCH: &str = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
                        then you don't know what your problem is.\n";
    const PETERS: &str = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    const ENOCHS: &str = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

    fn vkey(text: &str) -> Vkey {
        Vkey::parse(text).unwrap()
    }

    fn key(seed: u8) -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
    }

    #[test]
    fn the_known_note_verifies_with_either_key_and_writes_itself_again() {
        let whole = format!("{TEXT}\n{PETERS}{ENOCHS}");
        let note = Note::parse(&whole).unwrap();
        assert_eq!(note.to_string(), whole);
        for known in [vec![vkey(PETER)], vec![vkey(ENOCH)], vec![vkey(ENOCH), vkey(PETER)]] {
            assert_eq!(note.verify(&known), Ok(TEXT));
        }
        assert_eq!(note.verify(&[]), Err(NoteError::Unsigned));
        assert_eq!(note.verify(&[Vkey::new("PeterNeumann", &[1; 32]).unwrap()]), Err(NoteError::Unsigned));
        assert_eq!(vkey(PETER).to_string(), PETER);
    }

    #[test]
    fn a_failing_signature_of_a_known_key_condemns_the_note() {
        let altered = format!("{}\n{PETERS}{ENOCHS}", TEXT.replace("don't", "do"));
        let note = Note::parse(&altered).unwrap();
        assert_eq!(note.verify(&[vkey(PETER)]), Err(NoteError::BadSignature));
        let one_bad = PETERS.replace("x08go/Z", "x08go/Y");
        let note = Note::parse(&format!("{TEXT}\n{one_bad}{ENOCHS}")).unwrap();
        assert_eq!(note.verify(&[vkey(ENOCH), vkey(PETER)]), Err(NoteError::BadSignature));
        assert_eq!(note.verify(&[vkey(ENOCH)]), Ok(TEXT), "Peter is not known here");
    }

    #[test]
    fn texts_that_are_no_notes_are_refused() {
        let bad = [
            String::new(),
            TEXT.to_owned(),
            format!("{TEXT}\n"),
            format!("{TEXT}{PETERS}"),
            format!("{TEXT}\n{}", PETERS.trim_end()),
            format!("{TEXT}\n{PETERS}\n"),
            format!("{TEXT}\n{}", PETERS.replace('—', "-")),
            format!("{TEXT}\n{}", PETERS.replace("— ", "—  ")),
            format!("{TEXT}\n{}", PETERS.replace("PeterNeumann", "Peter+Neumann")),
            format!("{TEXT}\n— PeterNeumann x08gow==\n"),
            format!("{TEXT}\n{}", PETERS.replace("AM=", "AM")),
            format!("{TEXT}\t\n{PETERS}"),
            format!("{TEXT}\r\n\n{PETERS}"),
            format!("{TEXT}\n{}", PETERS.repeat(2000)),
        ];
        for text in bad {
            assert_eq!(Note::parse(&text), Err(NoteError::Malformed), "{text}");
        }
        assert!(Note::parse(&format!("{TEXT}\n{}", PETERS.repeat(16))).is_ok());
        assert_eq!(Note::parse(&format!("a\n\nb\n\n{PETERS}")).unwrap().text, "a\n\nb\n");
    }

    #[test]
    fn a_cosignature_tells_the_time_and_holds_for_its_text_key_and_time_alone() {
        let (text, key) = ("j.example\n7\nAAAA\n", key(4));
        let witness = Vkey::cosigner("w.example/w1", key.public_key()).unwrap();
        let line = NoteSignature::cosign(text, witness.name(), &key, 1_679_315_147).unwrap();
        assert_eq!(NoteSignature::parse(&line.to_string()), Ok(line.clone()));
        assert_eq!(line.signature.len(), 72, "eight bytes of time, then Ed25519");
        let message = "cosignature/v1\ntime 1679315147\nj.example\n7\nAAAA\n";
        assert_eq!(line.signature.get(8..), Some(key.sign(message.as_bytes()).as_slice()));
        let by = SignedBy { key: &witness, at: Some(1_679_315_147) };
        assert_eq!(line.verify(text, &witness), Some(by));
        assert_eq!(line.verify("j.example\n8\nAAAA\n", &witness), None);
        for at in 0..72 {
            let mut altered = line.clone();
            altered.signature[at] ^= 1;
            assert_eq!(altered.verify(text, &witness), None, "byte {at}");
        }
        let short = NoteSignature { signature: line.signature[..71].to_vec(), ..line.clone() };
        assert_eq!(short.verify(text, &witness), None);
        // A plain signature says no time: it is no cosignature, and a cosignature no signature.
        let signer = Vkey::new("w.example/w1", key.public_key()).unwrap();
        assert!(!line.names(&signer));
        assert_eq!(line.verify(text, &signer), None);
        assert_eq!(NoteSignature::cosign(text, "w.example", &key, 1 << 63), Err(NoteError::Malformed));
        assert_eq!(NoteSignature::cosign("no newline", "w.example", &key, 1), Err(NoteError::Malformed));
        assert_eq!(NoteSignature::cosign(text, "w example", &key, 1), Err(NoteError::Name));
        // Its time counts as a signed number of 64 bits; one beyond is refused although the signature holds.
        let at = 1_u64 << 63;
        let bytes = key.sign(cosigned(text, at).as_bytes());
        let beyond = NoteSignature { signature: [&at.to_be_bytes()[..], &bytes].concat(), ..line };
        assert_eq!(beyond.verify(text, &witness), None);
    }

    #[test]
    fn what_cannot_stand_in_a_note_is_not_signed() {
        for text in ["", "no newline", "tab\there\n"] {
            assert_eq!(Note::sign(text, "name", &key(1)), Err(NoteError::Malformed), "{text}");
        }
        assert_eq!(Note::sign("text\n", "a name", &key(1)), Err(NoteError::Name));
    }

    proptest! {
        #[test]
        fn others_verify_what_we_sign(text in "([ -~é€]{0,20}\n){1,5}", seed: u8) {
            let key = key(seed);
            let vkey = Vkey::new("journal.example/2026", key.public_key()).unwrap();
            let note = Note::sign(&text, vkey.name(), &key).unwrap().to_string();
            let theirs = TheirNote::from_bytes(note.as_bytes()).unwrap();
            let verifier = StandardVerifier::new(&vkey.to_string()).unwrap();
            let (verified, _) = theirs.verify(&VerifierList::new(vec![Box::new(verifier)])).unwrap();
            prop_assert_eq!(verified.len(), 1);
            let ours = Note::parse(&note).unwrap();
            prop_assert_eq!(ours.verify(&[vkey]).unwrap(), &text);
        }

        #[test]
        fn any_text_is_read_or_refused_and_never_misread(note in "([ -~—\n]{0,9}\n){0,4}\n?(— [a-z]{1,3} [A-Za-z0-9+/]{8}\n){0,3}") {
            if let Ok(read) = Note::parse(&note) {
                prop_assert_eq!(read.to_string(), note);
            }
        }
    }
}
