//! The whole of what a verifier must trust, as a file (C2SP tlog-policy, as of commit 13027ee): which logs, which
//! witnesses, and how many of these must have seen a checkpoint before it counts.

use super::{Checkpoint, CheckpointError, Note, NoteError, SignedBy, Vkey, VkeyError, VkeyKind};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use thiserror::Error;

/// Longer policies are refused unread: a thousand witnesses and their groups fit in.
const LONGEST: usize = 256 * 1024;
/// Means that no witness is asked.
const NONE: &[u8] = b"none";

/// A witness that our policy names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedWitness {
    /// What the policy calls it.
    pub name: String,
    /// The key it cosigns under.
    pub key: Vkey,
    /// Where checkpoints are submitted to it.
    pub url: String,
}

/// The policy under which a checkpoint of this journal counts, as text: signed by one of its keys, the current one
/// first, and cosigned by as many of the witnesses as the quorum says. The address is where checkpoint and tiles are served.
#[must_use]
pub fn policy(keys: &[Vkey], address: Option<&str>, witnesses: &[NamedWitness], quorum: usize) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for key in keys {
        let address = address.map(|address| format!(" {address}")).unwrap_or_default();
        let _ = writeln!(text, "log {key}{address}");
    }
    for witness in witnesses {
        let _ = writeln!(text, "witness {} {} {}", witness.name, witness.key, witness.url);
    }
    let names: Vec<&str> = witnesses.iter().map(|witness| witness.name.as_str()).collect();
    if quorum == 0 || names.is_empty() {
        text.push_str("quorum none\n");
    } else {
        // No witness is called like its group: configuration refuses it.
        let _ = writeln!(text, "group {GROUP} {quorum} {}\nquorum {GROUP}", names.join(" "));
    }
    text
}

/// What our policy calls all its witnesses together; none of them may be called so.
pub const GROUP: &str = "witnesses";

/// Why a policy does not read, or a checkpoint does not count under it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PolicyError {
    /// Longer than any policy, or with octets that none may hold, or its last line is not ended.
    #[error("not a policy")]
    Malformed,
    /// A line that is none of the four, or has too few or too many parts.
    #[error("line {0} of the policy is none")]
    Line(usize),
    /// A key that does not read, or is of the wrong kind for its line.
    #[error("the key in line {0} of the policy cannot be used")]
    Key(usize),
    /// A name or a key given twice, or the name `none` given to something.
    #[error("line {0} of the policy defines something again")]
    Again(usize),
    /// A name that no line before defines, or that is a member already.
    #[error("line {0} of the policy names what it may not")]
    Name(usize),
    /// A number of members that the group does not have.
    #[error("the number in line {0} of the policy cannot be reached")]
    Threshold(usize),
    /// No quorum, or a second one.
    #[error("a policy has exactly one quorum")]
    Quorum,
    /// The checkpoint itself does not convince.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// Too few witnesses have cosigned it.
    #[error("too few witnesses have seen this checkpoint")]
    Unwitnessed,
}

impl PolicyError {
    /// Stable code, for logs and reports.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "policy_malformed",
            Self::Line(_) => "policy_line",
            Self::Key(_) => "policy_key",
            Self::Again(_) => "policy_again",
            Self::Name(_) => "policy_name",
            Self::Threshold(_) => "policy_threshold",
            Self::Quorum => "policy_quorum",
            Self::Checkpoint(error) => error.code(),
            Self::Unwitnessed => "checkpoint_unwitnessed",
        }
    }
}

/// What a name stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Named {
    /// A witness, by its place among the keys.
    Witness(usize),
    /// A group: how many of its members must have seen the checkpoint. They are named before it.
    Group { least: usize, members: Vec<usize> },
}

/// A policy that was read: names are octets, as the specification has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Vkey>,
    witnesses: Vec<Vkey>,
    names: Vec<(Vec<u8>, Named)>,
    members: BTreeSet<usize>,
    /// Place of the quorum among the names; none when nobody is asked.
    quorum: Option<usize>,
    /// Policies for other logs.
    others: Vec<Policy>,
}

/// A checkpoint that counts, and who saw it when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Each witness's key name and the Unix second at which it says it saw the checkpoint.
    pub seen: Vec<(String, u64)>,
}

impl Policy {
    /// Trust in a journal's own keys alone.
    #[must_use]
    pub fn of_log(keys: &[Vkey]) -> Self {
        Self { logs: keys.to_vec(), ..Self::empty() }
    }

    /// The keys of every log it trusts.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Vkey> {
        self.logs.iter().chain(self.others.iter().flat_map(|other| &other.logs))
    }

    fn empty() -> Self {
        let (logs, witnesses, names) = (Vec::new(), Vec::new(), Vec::new());
        Self { logs, witnesses, names, members: BTreeSet::new(), quorum: None, others: Vec::new() }
    }

    /// Trust in what either of them trusts. One policy cannot name two shards of a journal (their names differ and their
    /// key is the same, which the specification calls duplicate), so there is one for each.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.others.extend(other.others.clone());
        self.others.push(Self { others: Vec::new(), ..other });
        self
    }

    /// Reads a policy file. Whoever reads one trusts it: it is not signed.
    ///
    /// # Errors
    /// [`PolicyError`], with the number of the line from 1.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        let allowed = |byte: &u8| matches!(byte, b'\t' | b'\n' | 0x20..=0x7e | 0x80..);
        let lines = text.strip_suffix(b"\n").ok_or(PolicyError::Malformed)?;
        if text.len() > LONGEST || !text.iter().all(allowed) {
            return Err(PolicyError::Malformed);
        }
        let (mut policy, mut has_quorum) = (Self::empty(), false);
        for (line, number) in lines.split(|byte| *byte == b'\n').zip(1..) {
            let mut items = line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|item| !item.is_empty());
            let Some(word) = items.next().filter(|word| !word.starts_with(b"#")) else { continue };
            let items: Vec<&[u8]> = items.collect();
            match (word, items.as_slice()) {
                (b"log", [key] | [key, _]) => policy.add_log(key, number)?,
                (b"witness", [name, key] | [name, key, _]) => policy.add_witness(name, key, number)?,
                (b"group", [name, least, members @ ..]) => policy.add_group(name, least, members, number)?,
                (b"quorum", [_]) if has_quorum => return Err(PolicyError::Quorum),
                (b"quorum", [name]) => {
                    has_quorum = true;
                    policy.quorum = if *name == NONE { None } else { Some(policy.find(name, number)?) };
                }
                _ => return Err(PolicyError::Line(number)),
            }
        }
        if has_quorum { Ok(policy) } else { Err(PolicyError::Quorum) }
    }

    fn add_log(&mut self, key: &[u8], line: usize) -> Result<(), PolicyError> {
        let key = read_key(key, VkeyKind::Signer, line)?;
        add_key(&mut self.logs, key, line)
    }

    fn add_witness(&mut self, name: &[u8], key: &[u8], line: usize) -> Result<(), PolicyError> {
        let key = read_key(key, VkeyKind::Cosigner, line)?;
        add_key(&mut self.witnesses, key, line)?;
        self.define(name, Named::Witness(self.witnesses.len() - 1), line)
    }

    fn add_group(
        &mut self,
        name: &[u8],
        least: &[u8],
        members: &[&[u8]],
        line: usize,
    ) -> Result<(), PolicyError> {
        let least = match least {
            b"any" => 1,
            b"all" => members.len(),
            number => str::from_utf8(number)
                .ok()
                .and_then(super::entry::decimal)
                .ok_or(PolicyError::Threshold(line))?,
        };
        if !(1..=members.len()).contains(&least) {
            return Err(PolicyError::Threshold(line));
        }
        let mut places = Vec::with_capacity(members.len());
        for member in members {
            let place = self.find(member, line)?;
            // Each may count once only, towards one group.
            if !self.members.insert(place) {
                return Err(PolicyError::Name(line));
            }
            places.push(place);
        }
        self.define(name, Named::Group { least, members: places }, line)
    }

    fn define(&mut self, name: &[u8], what: Named, line: usize) -> Result<(), PolicyError> {
        if name == NONE || self.names.iter().any(|(known, _)| known == name) {
            return Err(PolicyError::Again(line));
        }
        self.names.push((name.to_vec(), what));
        Ok(())
    }

    fn find(&self, name: &[u8], line: usize) -> Result<usize, PolicyError> {
        self.names.iter().position(|(known, _)| known == name).ok_or(PolicyError::Name(line))
    }

    /// Reads a checkpoint that counts under this policy: signed by one of the logs, seen by the quorum.
    ///
    /// # Errors
    /// [`PolicyError::Checkpoint`] as [`Checkpoint::open`], also when the line of a witness we know does not hold;
    /// [`PolicyError::Unwitnessed`].
    pub fn open(&self, note: &str) -> Result<Witnessed, PolicyError> {
        let note = Note::parse(note).map_err(CheckpointError::Note)?;
        let mut counted = self.count(&note);
        for other in &self.others {
            if !matches!(counted, Err(PolicyError::Checkpoint(CheckpointError::Note(NoteError::Unsigned)))) {
                break;
            }
            counted = other.count(&note);
        }
        counted
    }

    fn count(&self, note: &Note) -> Result<Witnessed, PolicyError> {
        let known: Vec<&Vkey> = self.logs.iter().chain(&self.witnesses).collect();
        let signed = note.signed_by(&known).map_err(CheckpointError::Note)?;
        let checkpoint = Checkpoint::of(note, &signed)?;
        if !self.is_seen(&signed) {
            return Err(PolicyError::Unwitnessed);
        }
        let seen = signed.iter().filter_map(|by| Some((by.key.name().to_owned(), by.at?))).collect();
        Ok(Witnessed { checkpoint, seen })
    }

    /// Whether the quorum is among who signed. Members are named before their groups, so one pass tells.
    fn is_seen(&self, signed: &[SignedBy<'_>]) -> bool {
        let Some(quorum) = self.quorum else { return true };
        let mut seen: Vec<bool> = Vec::with_capacity(self.names.len());
        for (_, what) in &self.names {
            let one = match what {
                Named::Witness(place) => {
                    self.witnesses.get(*place).is_some_and(|key| signed.iter().any(|by| by.key == key))
                }
                Named::Group { least, members } => {
                    members.iter().filter(|member| seen.get(**member) == Some(&true)).count() >= *least
                }
            };
            seen.push(one);
        }
        seen.get(quorum) == Some(&true)
    }
}

fn read_key(text: &[u8], kind: VkeyKind, line: usize) -> Result<Vkey, PolicyError> {
    let text = str::from_utf8(text).map_err(|_| PolicyError::Key(line))?;
    let key = Vkey::parse(text).map_err(|_: VkeyError| PolicyError::Key(line))?;
    if key.kind() == kind { Ok(key) } else { Err(PolicyError::Key(line)) }
}

fn add_key(keys: &mut Vec<Vkey>, key: Vkey, line: usize) -> Result<(), PolicyError> {
    if keys.iter().any(|known| known.is_same_key(&key)) {
        return Err(PolicyError::Again(line));
    }
    keys.push(key);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{JournalKey, SecretBytes};
    use crate::journal::{NoteSignature, leaf_hash};
    use proptest::prelude::*;

    fn key(seed: u8) -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
    }

    fn log() -> Vkey {
        Vkey::new("j.example", key(100).public_key()).unwrap()
    }

    fn witness(seed: u8) -> Vkey {
        Vkey::cosigner(&format!("w{seed}.example"), key(seed).public_key()).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "j.example".to_owned(), size: 7, root: leaf_hash(b"x") }
    }

    /// The checkpoint, cosigned by these.
    fn cosigned(by: &[u8]) -> String {
        let mut note = Note::parse(&checkpoint().sign(&key(100)).unwrap()).unwrap();
        for seed in by {
            let name = format!("w{seed}.example");
            note.add(
                NoteSignature::cosign(&checkpoint().text(), &name, &key(*seed), 1_000 + u64::from(*seed))
                    .unwrap(),
            );
        }
        note.to_string()
    }

    fn read(text: &str) -> Policy {
        Policy::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// The specification's own example, with keys.
    fn two_levels() -> String {
        let mut text = format!("# ours\n\n \t# also\nlog {} https://j.example/\n", log());
        for (group, seeds) in [("X", 1..=3), ("Y", 4..=6)] {
            for seed in seeds.clone() {
                let _ = writeln!(text, "\twitness  {group}{seed}\t{} ", witness(seed));
            }
            let least = if group == "X" { "2" } else { "any" };
            let names: Vec<String> = seeds.map(|seed| format!("{group}{seed}")).collect();
            let _ = writeln!(text, "group {group}-witnesses {least} {}", names.join(" "));
        }
        text.push_str("group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n");
        text
    }

    #[test]
    fn our_policy_names_every_key_and_witness_and_reads_back() {
        let keys = [Vkey::new("j.example", &[1; 32]).unwrap(), log()];
        let address = "https://j.example/journal";
        let alone = format!("log {} {address}\nlog {} {address}\nquorum none\n", keys[0], keys[1]);
        assert_eq!(policy(&keys, Some(address), &[], 0), alone);
        assert_eq!(policy(&keys[..1], None, &[], 0), format!("log {}\nquorum none\n", keys[0]));
        let named = |seed: u8| NamedWitness {
            name: format!("w{seed}"),
            key: witness(seed),
            url: format!("https://w{seed}.example"),
        };
        let text = policy(&keys, Some(address), &[named(1), named(2), named(3)], 2);
        assert!(text.ends_with("group witnesses 2 w1 w2 w3\nquorum witnesses\n"), "{text}");
        assert!(text.contains(&format!("\nwitness w2 {} https://w2.example\n", witness(2))), "{text}");
        let ours = read(&text);
        assert_eq!(ours.open(&cosigned(&[1])), Err(PolicyError::Unwitnessed));
        let seen = vec![("w3.example".to_owned(), 1_003), ("w1.example".to_owned(), 1_001)];
        assert_eq!(ours.open(&cosigned(&[3, 1])), Ok(Witnessed { checkpoint: checkpoint(), seen }));
        let nobody = read(&policy(&keys, None, &[named(1)], 0));
        assert!(nobody.open(&cosigned(&[])).is_ok());
    }

    #[test]
    fn a_checkpoint_counts_once_the_quorum_has_seen_it() {
        let policy = read(&two_levels());
        let table: [(&[u8], bool); 9] = [
            (&[], false),
            (&[1, 2], false),
            (&[1, 4], false),
            (&[4, 5, 6], false),
            (&[1, 1, 4], false),
            (&[1, 2, 4], true),
            (&[6, 3, 2], true),
            (&[1, 2, 3, 4, 5, 6, 9], true),
            (&[9, 8, 7], false),
        ];
        for (by, counts) in table {
            let read = policy.open(&cosigned(by));
            assert_eq!(read.is_ok(), counts, "{by:?}");
            assert!(counts || read == Err(PolicyError::Unwitnessed), "{by:?}");
        }
        let one = read(&format!("log {}\nwitness a {}\nquorum a\n", log(), witness(1)));
        assert!(one.open(&cosigned(&[1])).is_ok() && one.open(&cosigned(&[2])).is_err());
    }

    #[test]
    fn unknown_signatures_are_passed_over_and_a_known_one_that_fails_condemns_the_checkpoint() {
        let policy = read(&two_levels());
        let good = cosigned(&[1, 2, 4]);
        let bad = PolicyError::Checkpoint(NoteError::BadSignature.into());
        // A witness's line over another checkpoint, and a signer's line under a witness's name and id.
        for other in ["j.example\n8\n", "k.example\n7\n"] {
            let text = format!("{other}{}\n", leaf_hash(b"x"));
            let line = NoteSignature::cosign(&text, "w5.example", &key(5), 1_005).unwrap();
            assert_eq!(policy.open(&format!("{good}{line}\n")), Err(bad), "{other}");
            let line = NoteSignature::cosign(&text, "stranger.example", &key(50), 1_005).unwrap();
            assert!(policy.open(&format!("{good}{line}\n")).is_ok(), "{other}");
        }
        let unsigned = Err(PolicyError::Checkpoint(NoteError::Unsigned.into()));
        let unsigned_note: String =
            good.lines().filter(|line| !line.starts_with("— j.")).fold(String::new(), |mut text, line| {
                let _ = writeln!(text, "{line}");
                text
            });
        assert_eq!(policy.open(&unsigned_note), unsigned, "witnesses do not stand in for the log");
        assert_eq!(read("quorum none\n").open(&good), unsigned, "a policy without logs trusts none");
    }

    #[test]
    fn policies_of_any_other_form_are_refused() {
        let (log, w1, w2) = (log().to_string(), witness(1).to_string(), witness(2).to_string());
        let same = Vkey::cosigner("other", key(1).public_key()).unwrap();
        let named = format!("witness a {w1}\nwitness b {w2}\n");
        let table = [
            (String::new(), PolicyError::Malformed),
            ("quorum none".to_owned(), PolicyError::Malformed),
            ("quorum none\r\n".to_owned(), PolicyError::Malformed),
            ("#\u{1}\nquorum none\n".to_owned(), PolicyError::Malformed),
            ("#\u{7f}\nquorum none\n".to_owned(), PolicyError::Malformed),
            (format!("quorum none\n{}", "#\n".repeat(200_000)), PolicyError::Malformed),
            ("\n".to_owned(), PolicyError::Quorum),
            (format!("log {log}\n"), PolicyError::Quorum),
            ("quorum none\nquorum none\n".to_owned(), PolicyError::Quorum),
            ("quorum none none\n".to_owned(), PolicyError::Line(1)),
            ("quorum\n".to_owned(), PolicyError::Line(1)),
            ("\nlogs x\nquorum none\n".to_owned(), PolicyError::Line(2)),
            (format!("log {log} a b\nquorum none\n"), PolicyError::Line(1)),
            ("log\nquorum none\n".to_owned(), PolicyError::Line(1)),
            (format!("witness {w1}\nquorum none\n"), PolicyError::Line(1)),
            ("log x\nquorum none\n".to_owned(), PolicyError::Key(1)),
            (format!("log {w1}\nquorum none\n"), PolicyError::Key(1)),
            (format!("witness a {log}\nquorum none\n"), PolicyError::Key(1)),
            (format!("log {log}\nlog {log}\nquorum none\n"), PolicyError::Again(2)),
            (format!("witness a {w1}\nwitness b {same}\nquorum none\n"), PolicyError::Again(2)),
            (format!("witness a {w1}\nwitness a {w2}\nquorum none\n"), PolicyError::Again(2)),
            (format!("witness none {w1}\nquorum none\n"), PolicyError::Again(1)),
            (format!("{named}group a any b\nquorum none\n"), PolicyError::Again(3)),
            ("quorum a\n".to_owned(), PolicyError::Name(1)),
            (format!("quorum a\nwitness a {w1}\n"), PolicyError::Name(1)),
            (format!("{named}group g any a none\nquorum g\n"), PolicyError::Name(3)),
            (format!("{named}group g any g\nquorum g\n"), PolicyError::Name(3)),
            (format!("{named}group g any a a\nquorum g\n"), PolicyError::Name(3)),
            (format!("{named}group g any a\ngroup h all a b\nquorum h\n"), PolicyError::Name(4)),
            (format!("{named}group g any\nquorum g\n"), PolicyError::Threshold(3)),
            (format!("{named}group g all\nquorum g\n"), PolicyError::Threshold(3)),
            (format!("{named}group g 0 a b\nquorum g\n"), PolicyError::Threshold(3)),
            (format!("{named}group g 3 a b\nquorum g\n"), PolicyError::Threshold(3)),
            (format!("{named}group g 02 a b\nquorum g\n"), PolicyError::Threshold(3)),
            (format!("{named}group g +1 a b\nquorum g\n"), PolicyError::Threshold(3)),
            (format!("{named}group g 99999999999999999999 a\nquorum g\n"), PolicyError::Threshold(3)),
        ];
        for (text, error) in table {
            assert_eq!(Policy::parse(text.as_bytes()), Err(error), "{text:.200}");
        }
        // Octets beyond ASCII are names like any other, whether they are UTF-8 or not.
        let octets =
            [b"witness \xff " as &[u8], w1.as_bytes(), b" http://\xfe/\n# \x80\nquorum \xff\n"].concat();
        assert!(Policy::parse(&octets).is_ok());
        let many: String = (0..64).fold(String::new(), |mut text, number| {
            let _ = writeln!(text, "witness {number} {}", witness(number));
            text
        });
        assert!(Policy::parse(format!("{many}quorum 63\n").as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn a_group_counts_exactly_from_its_number_of_members_on(
            cosigners in proptest::sample::subsequence((1..=6_u8).collect::<Vec<_>>(), 0..=6),
            least in 1..=6_usize,
        ) {
            let witnesses: Vec<NamedWitness> = (1..=6)
                .map(|seed| NamedWitness { name: seed.to_string(), key: witness(seed), url: "-".to_owned() })
                .collect();
            let text = policy(&[log()], None, &witnesses, least);
            let opened = read(&text).open(&cosigned(&cosigners));
            prop_assert_eq!(opened.is_ok(), cosigners.len() >= least);
        }

        #[test]
        fn any_octets_are_a_policy_or_are_refused(text in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Policy::parse(&text);
        }
    }
}
