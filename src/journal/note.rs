//! Signed notes (C2SP signed-note): text, an empty line, signature lines.

use crate::crypto::{JournalKey, from_hex, sha256_parts, to_hex, verify_ed25519};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use thiserror::Error;

/// Type byte of Ed25519 signatures.
const ED25519: u8 = 1;
/// Longer notes are refused unread. Sixteen signatures of the largest kind known (5 kB) fit in.
const LONGEST: usize = 128 * 1024;
const DASH: &str = "\u{2014} ";

/// Why a text is no public key of a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VkeyError {
    /// The name is empty or has spaces, control characters or plus signs.
    #[error("not a key name")]
    Name,
    /// Not `name+id+key` in its one form.
    #[error("not a verifier key")]
    Malformed,
    /// Not an Ed25519 key.
    #[error("a kind of key not known here")]
    Unknown,
    /// The id is not that of name and key.
    #[error("the key id does not fit the key")]
    Id,
}

/// A name, and the Ed25519 key that signs under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vkey {
    name: String,
    id: [u8; 4],
    public: [u8; 32],
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c < ' ')
}

impl Vkey {
    /// The verifier key of a name and a public key.
    ///
    /// # Errors
    /// [`VkeyError::Name`].
    pub fn new(name: &str, public: &[u8; 32]) -> Result<Self, VkeyError> {
        if !is_name(name) {
            return Err(VkeyError::Name);
        }
        let digest = sha256_parts(&[name.as_bytes(), b"\n", &[ED25519], public]);
        let id = digest.first_chunk().copied().unwrap_or_default();
        Ok(Self { name: name.to_owned(), id, public: *public })
    }

    /// Reads `name+id+base64(type || key)`.
    ///
    /// # Errors
    /// [`VkeyError`].
    pub fn parse(text: &str) -> Result<Self, VkeyError> {
        let (name, rest) = text.split_once('+').ok_or(VkeyError::Malformed)?;
        let (id, key) = rest.split_once('+').ok_or(VkeyError::Malformed)?;
        let id = from_hex::<4>(id).map_err(|_| VkeyError::Malformed)?;
        let key = STANDARD.decode(key).map_err(|_| VkeyError::Malformed)?;
        let public = match key.split_first() {
            Some((&ED25519, public)) => public.try_into().map_err(|_| VkeyError::Malformed)?,
            _ => return Err(VkeyError::Unknown),
        };
        let vkey = Self::new(name, public)?;
        if vkey.id == id { Ok(vkey) } else { Err(VkeyError::Id) }
    }

    /// The key's name; for a journal's key, the journal's origin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl std::fmt::Display for Vkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = STANDARD.encode([[ED25519].as_slice(), &self.public].concat());
        write!(f, "{}+{}+{key}", self.name, to_hex(&self.id))
    }
}

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
        if !text.ends_with('\n') || has_control(text) {
            return Err(NoteError::Malformed);
        }
        let vkey = Vkey::new(name, key.public_key()).map_err(|_| NoteError::Name)?;
        let signature = key.sign(text.as_bytes()).to_vec();
        let signature = NoteSignature { name: vkey.name, id: vkey.id, signature };
        Ok(Self { text: text.to_owned(), signatures: vec![signature] })
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
        let mut signed = false;
        for line in &self.signatures {
            let Some(key) = known.iter().find(|key| key.name == line.name && key.id == line.id) else {
                continue;
            };
            if !verify_ed25519(&key.public, self.text.as_bytes(), &line.signature) {
                return Err(NoteError::BadSignature);
            }
            signed = true;
        }
        if signed { Ok(&self.text) } else { Err(NoteError::Unsigned) }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for line in &self.signatures {
            let signature = STANDARD.encode([line.id.as_slice(), &line.signature].concat());
            writeln!(f, "{DASH}{} {signature}", line.name)?;
        }
        Ok(())
    }
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
    fn keys_of_any_other_form_are_refused() {
        let table = [
            ("", VkeyError::Malformed),
            ("PeterNeumann+c74f20a3", VkeyError::Malformed),
            (&PETER.replace("c74f20a3", "C74F20A3"), VkeyError::Malformed),
            (&PETER.replace("c74f20a3", "c74f20a4"), VkeyError::Id),
            (&PETER.replace("PeterNeumann", "PeterNeuman"), VkeyError::Id),
            (&PETER.replace("PeterNeumann", ""), VkeyError::Name),
            (&PETER.replace("PeterNeumann", "Peter Neumann"), VkeyError::Name),
            (&PETER.replace("ARpc", "BBpc"), VkeyError::Unknown),
            (&PETER.replace("10TW", ""), VkeyError::Malformed),
        ];
        for (text, error) in table {
            assert_eq!(Vkey::parse(text), Err(error), "{text}");
        }
        for name in ["", "a b", "a+b", "a\u{a0}b", "a\nb", "a\u{1}"] {
            assert_eq!(Vkey::new(name, &[0; 32]), Err(VkeyError::Name), "{name:?}");
        }
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
