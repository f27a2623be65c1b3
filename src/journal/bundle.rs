//! A bundle of proofs to take away: entries with their proofs, what opens them as far as that is permitted, the
//! checkpoint, the policy, and a report to read, in one archive that verifies without us.
//!
//! The archive is a tar of one form only: the same bundle gives the same bytes, and what reads back otherwise is
//! refused. In this order it holds `manifest.json` (names and SHA-256 of what follows), `policy` (C2SP tlog-policy),
//! `checkpoint` (C2SP tlog-checkpoint, with the witnesses' lines), `report.html`, and for each entry, by its place in
//! twelve digits, `entries/N.tlog-proof` (C2SP tlog-proof, the entry in it) and `entries/N.json` (by slot, the salt and
//! the bytes committed to, in base64). What stands in further shards of the journal follows, oldest first, for each with a
//! number `K` from 1: `policy-K`, `checkpoint-K`, and its entries as `entries/K-N.…`. Nothing is ever written to a disk by the
//! names in it.

mod fault;
mod names;

pub use fault::BundleFault;

use super::{Entry, FileFinding, LogProof, Opening, Policy, PolicyError, ProofError, Slot, Witnessed};
use crate::crypto::{sha256, to_hex};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use names::{FIXED, is_lawful, openings_name, proof_name, shard_name};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::iter::Peekable;

const FORMAT: &str = "porteplume-bundle/v1";
/// Larger archives are refused unread.
pub const LARGEST_BUNDLE: usize = 64 * 1024 * 1024;

/// One entry of a bundle. No `Debug`: openings may tell of persons.
#[derive(Clone, PartialEq, Eq)]
pub struct BundledEntry {
    /// Its proof, with the entry in it.
    pub proof: LogProof,
    /// What opens its commitments, as far as it is told.
    pub openings: Vec<Opening>,
}

/// What of a bundle stands in one further shard of the journal. No `Debug`: openings may tell of persons.
#[derive(Clone, PartialEq, Eq)]
pub struct BundledShard {
    /// Under which keys and witnesses its checkpoint counts.
    pub policy: String,
    /// The checkpoint its proofs lead to.
    pub checkpoint: String,
    /// The entries, by their place.
    pub entries: Vec<BundledEntry>,
}

/// A bundle of proofs. No `Debug`: openings may tell of persons.
#[derive(Clone, PartialEq, Eq)]
pub struct ProofBundle {
    /// Under which keys and witnesses the checkpoint counts, as the journal's operator says.
    pub policy: String,
    /// The checkpoint every proof leads to.
    pub checkpoint: String,
    /// A page to read. It proves nothing.
    pub report: String,
    /// The entries, by their place.
    pub entries: Vec<BundledEntry>,
    /// What stands in further shards of the journal, in their order.
    pub further: Vec<BundledShard>,
}

/// What verification says of a bundle.
#[derive(Debug, Clone, Default)]
pub struct BundleVerdict {
    /// The checkpoint of each shard and the witnesses who have seen it, as far as it counts.
    pub witnessed: Vec<Witnessed>,
    /// Entries that are proved.
    pub entries: usize,
    /// Openings that are what their entries commit to.
    pub openings: usize,
    /// What does not hold; nothing when all does.
    pub findings: Vec<FileFinding>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    format: String,
    files: Vec<(String, String)>,
}

impl BundledEntry {
    fn told(&self) -> String {
        let told: BTreeMap<&str, String> = self
            .openings
            .iter()
            .map(|opening| (opening.slot().as_str(), STANDARD.encode(opening.to_bytes())))
            .collect();
        // Texts in a map always have a JSON form.
        serde_json::to_string_pretty(&told).unwrap_or_default()
    }
}

fn openings(text: &str) -> Option<Vec<Opening>> {
    let told: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    let read = |(slot, bytes): (String, String)| {
        Opening::from_bytes(Slot::parse(&slot)?, &STANDARD.decode(bytes).ok()?).ok()
    };
    // In the order of the slots, as they are written.
    let mut openings = told.into_iter().map(read).collect::<Option<Vec<_>>>()?;
    openings.sort_by_key(Opening::slot);
    Some(openings)
}

impl ProofBundle {
    /// What follows the manifest, in its order.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let fixed = [&self.policy, &self.checkpoint, &self.report];
        let mut files: Vec<(String, Vec<u8>)> = FIXED
            .iter()
            .zip(fixed)
            .map(|(name, text)| ((*name).to_owned(), text.clone().into_bytes()))
            .collect();
        for (number, (_, _, entries)) in self.shards().enumerate() {
            if let Some(shard) = number.checked_sub(1).and_then(|further| self.further.get(further)) {
                files.push((shard_name(number, "policy"), shard.policy.clone().into_bytes()));
                files.push((shard_name(number, "checkpoint"), shard.checkpoint.clone().into_bytes()));
            }
            for entry in entries {
                let index = entry.proof.index;
                files.push((proof_name(number, index), entry.proof.to_string().into_bytes()));
                if !entry.openings.is_empty() {
                    files.push((openings_name(number, index), entry.told().into_bytes()));
                }
            }
        }
        files
    }

    /// Policy, checkpoint and entries of each shard, in their order.
    pub fn shards(&self) -> impl Iterator<Item = (&str, &str, &[BundledEntry])> {
        let first = (self.policy.as_str(), self.checkpoint.as_str(), self.entries.as_slice());
        let further = self.further.iter();
        std::iter::once(first).chain(
            further.map(|shard| (shard.policy.as_str(), shard.checkpoint.as_str(), shard.entries.as_slice())),
        )
    }

    /// How many entries it proves, over all shards.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shards().map(|(_, _, entries)| entries.len()).sum()
    }

    /// The archive. The entries stand by their place.
    ///
    /// # Errors
    /// [`BundleFault::TooLarge`].
    pub fn to_archive(&self) -> Result<Vec<u8>, BundleFault> {
        let files = self.files();
        let listed = files.iter().map(|(name, bytes)| (name.clone(), to_hex(&sha256(bytes))));
        let manifest = Manifest { format: FORMAT.to_owned(), files: listed.collect() };
        let manifest = serde_json::to_vec_pretty(&manifest).map_err(|_| BundleFault::Manifest)?;
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in [("manifest.json".to_owned(), manifest)].into_iter().chain(files) {
            let mut header = tar::Header::new_ustar();
            header.set_size(u64::try_from(bytes.len()).map_err(|_| BundleFault::TooLarge)?);
            header.set_mode(0o644);
            archive.append_data(&mut header, &name, bytes.as_slice()).map_err(|_| BundleFault::Malformed)?;
        }
        let bytes = archive.into_inner().map_err(|_| BundleFault::Malformed)?;
        if bytes.len() > LARGEST_BUNDLE { Err(BundleFault::TooLarge) } else { Ok(bytes) }
    }

    /// Reads an archive. Nothing is proved yet.
    ///
    /// # Errors
    /// [`BundleFault`]: the first thing that is wrong with it.
    pub fn read(archive: &[u8]) -> Result<Self, BundleFault> {
        if archive.len() > LARGEST_BUNDLE {
            return Err(BundleFault::TooLarge);
        }
        let mut files = unpacked(archive)?.into_iter();
        let manifest = files.next().filter(|(name, _)| name == "manifest.json");
        let (_, manifest) = manifest.ok_or(BundleFault::Manifest)?;
        let manifest: Manifest = serde_json::from_slice(&manifest).map_err(|_| BundleFault::Manifest)?;
        if manifest.format != FORMAT {
            return Err(BundleFault::Manifest);
        }
        let mut listed = Vec::new();
        for (name, hash) in manifest.files {
            let Some((found, bytes)) = files.next() else { return Err(BundleFault::Cut(name)) };
            if found != name {
                return Err(BundleFault::Order(found));
            }
            if to_hex(&sha256(&bytes)) != hash {
                return Err(BundleFault::Altered(name));
            }
            listed.push((name, bytes));
        }
        if let Some((name, _)) = files.next() {
            return Err(BundleFault::Order(name));
        }
        let bundle = Self::of(listed)?;
        // The same bundle has the same bytes: nothing else hides in the archive.
        if bundle.to_archive()? == archive { Ok(bundle) } else { Err(BundleFault::Form) }
    }

    fn of(files: Vec<(String, Vec<u8>)>) -> Result<Self, BundleFault> {
        let mut texts = Vec::with_capacity(files.len());
        for (name, bytes) in files {
            let text = String::from_utf8(bytes).map_err(|_| BundleFault::File(name.clone()))?;
            texts.push((name, text));
        }
        let mut texts = texts.into_iter().peekable();
        let mut fixed = |name: &str| match texts.next_if(|(found, _)| found == name) {
            Some((_, text)) => Ok(text),
            None => Err(BundleFault::Cut(name.to_owned())),
        };
        let (policy, checkpoint, report) = (fixed("policy")?, fixed("checkpoint")?, fixed("report.html")?);
        let entries = entries_of(&mut texts, 0)?;
        let mut further = Vec::new();
        while let Some((name, policy)) = texts.next() {
            let number = further.len() + 1;
            if name != shard_name(number, "policy") {
                return Err(BundleFault::Order(name));
            }
            let checkpoint = shard_name(number, "checkpoint");
            let found = texts.next_if(|(found, _)| *found == checkpoint);
            let (_, checkpoint) = found.ok_or(BundleFault::Cut(checkpoint))?;
            further.push(BundledShard { policy, checkpoint, entries: entries_of(&mut texts, number)? });
        }
        Ok(Self { policy, checkpoint, report, entries, further })
    }

    /// Verifies every proof and opening under a policy: the bundle's own is only what its maker says.
    #[must_use]
    pub fn verify(&self, policy: &Policy) -> BundleVerdict {
        let mut verdict = BundleVerdict::default();
        for (number, (_, checkpoint, entries)) in self.shards().enumerate() {
            match policy.open(checkpoint) {
                Ok(witnessed) => verdict.witnessed.push(witnessed),
                Err(error) => {
                    verdict.find(shard_name(number, "checkpoint"), error.code(), error.to_string());
                }
            }
            for entry in entries {
                let name = proof_name(number, entry.proof.index);
                if entry.proof.checkpoint != checkpoint {
                    let why = "the proof leads to another checkpoint than the bundle's".to_owned();
                    verdict.find(name, "bundle_swapped", why);
                    continue;
                }
                match entry.proof.verify_under(policy) {
                    Ok((proved, _)) => verdict.entry(number, entry, &proved),
                    Err(error) => verdict.find(name, code(error), error.to_string()),
                }
            }
        }
        verdict
    }

    /// The policies the bundle brings along, as its maker says.
    ///
    /// # Errors
    /// [`PolicyError`] of the first that does not read.
    pub fn own_policy(&self) -> Result<Policy, PolicyError> {
        let own = Policy::parse(self.policy.as_bytes())?;
        self.further.iter().try_fold(own, |all, shard| Ok(all.or(Policy::parse(shard.policy.as_bytes())?)))
    }
}

/// The entries of a shard, as long as its files follow one another.
fn entries_of<I>(texts: &mut Peekable<I>, shard: usize) -> Result<Vec<BundledEntry>, BundleFault>
where
    I: Iterator<Item = (String, String)>,
{
    let mut entries: Vec<BundledEntry> = Vec::new();
    let next = shard_name(shard + 1, "policy");
    while let Some((name, text)) = texts.next_if(|(name, _)| *name != next) {
        let proof = LogProof::parse(&text).map_err(|_| BundleFault::File(name.clone()))?;
        let before = entries.last().map(|entry| entry.proof.index);
        if name != proof_name(shard, proof.index) || before.is_some_and(|before| before >= proof.index) {
            return Err(BundleFault::Order(name));
        }
        let told = openings_name(shard, proof.index);
        let openings = match texts.next_if(|(found, _)| *found == told) {
            Some((name, text)) => openings(&text).ok_or(BundleFault::File(name))?,
            None => Vec::new(),
        };
        entries.push(BundledEntry { proof, openings });
    }
    Ok(entries)
}

impl BundleVerdict {
    /// Whether everything holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.findings.is_empty() && !self.witnessed.is_empty()
    }

    fn find(&mut self, file: String, code: &'static str, why: String) {
        self.findings.push(FileFinding { file, code, why });
    }

    fn entry(&mut self, shard: usize, of: &BundledEntry, proved: &Entry) {
        self.entries += 1;
        for opening in &of.openings {
            if proved.is_opened_by(opening) {
                self.openings += 1;
            } else {
                let slot = opening.slot().as_str();
                let why = format!("the entry does not commit to what is said to open its slot {slot}");
                self.find(openings_name(shard, of.proof.index), "bundle_opening", why);
            }
        }
    }
}

const fn code(error: ProofError) -> &'static str {
    match error {
        ProofError::Malformed => "proof_malformed",
        ProofError::NoEntry => "proof_no_entry",
        ProofError::Checkpoint(error) => error.code(),
        ProofError::Policy(error) => error.code(),
        ProofError::Path(_) => "proof_path",
        ProofError::Entry(error) => error.code(),
    }
}

/// The files of an archive, in their order.
fn unpacked(archive: &[u8]) -> Result<Vec<(String, Vec<u8>)>, BundleFault> {
    let mut tar = tar::Archive::new(archive);
    let mut files = Vec::new();
    for entry in tar.entries().map_err(|_| BundleFault::Malformed)? {
        let mut entry = entry.map_err(|_| BundleFault::Malformed)?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if !is_lawful(&name) {
            return Err(BundleFault::Name(name));
        }
        if entry.header().entry_type() != tar::EntryType::Regular {
            return Err(BundleFault::Kind(name));
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(|_| BundleFault::Malformed)?;
        files.push((name, bytes));
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;
    use crate::crypto::{JournalKey, SecretBytes};
    use crate::journal::{Checkpoint, Draft, Tag, Vkey, leaf_hash, new_event_id, node_hash, policy};
    use crate::mandate::Instant;

    const ORIGIN: &str = "journal.example/2026";

    fn key(seed: u8) -> JournalKey {
        JournalKey::from_seed(&SecretBytes::new([seed; 32])).unwrap()
    }

    fn vkey(seed: u8) -> Vkey {
        Vkey::new(ORIGIN, key(seed).public_key()).unwrap()
    }

    fn trust(seed: u8) -> Policy {
        Policy::of_log(&[vkey(seed)])
    }

    /// Two entries under a checkpoint signed by that key.
    fn bundle(seed: u8) -> ProofBundle {
        let drafted = |text: &str| {
            let id = new_event_id(Instant::from_micros(1_790_000_000_000_000), &SystemEntropy).unwrap();
            let tag = Tag::random(&SystemEntropy).unwrap();
            let draft = Draft::new(id, Instant::from_micros(1_790_000_000_000_000), tag).unwrap();
            let draft = draft.fill(&SystemEntropy, Slot::Act, &serde_json::json!({ "kind": text })).unwrap();
            draft.finish(&SystemEntropy).unwrap()
        };
        let (first, second) = (drafted("mandate.proposed"), drafted("mandate.ended"));
        let (left, right) = (leaf_hash(&first.bytes), leaf_hash(&second.bytes));
        let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: 2, root: node_hash(&left, &right) };
        let checkpoint = checkpoint.sign(&key(seed)).unwrap();
        let entry = |drafted: crate::journal::Drafted, index, sibling| BundledEntry {
            proof: LogProof {
                entry: Some(drafted.bytes),
                index,
                path: vec![sibling],
                checkpoint: checkpoint.clone(),
            },
            openings: drafted.openings,
        };
        ProofBundle {
            policy: policy(&[vkey(seed)], None, &[], 0),
            report: "<!doctype html><title>x</title>".to_owned(),
            entries: vec![entry(first, 0, right), entry(second, 1, left)],
            checkpoint,
            further: Vec::new(),
        }
    }

    /// An archive of these files, whatever they are.
    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            let field = &mut header.as_ustar_mut().unwrap().name;
            field[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        }
        tar.into_inner().unwrap()
    }

    /// The files of a bundle with one change, listed anew in the manifest when `listed`.
    fn changed(bundle: &ProofBundle, listed: bool, change: impl Fn(&mut Vec<(String, Vec<u8>)>)) -> Vec<u8> {
        let mut files = bundle.files();
        let names = |files: &[(String, Vec<u8>)]| {
            files.iter().map(|(name, bytes)| (name.clone(), to_hex(&sha256(bytes)))).collect()
        };
        let before = names(&files);
        change(&mut files);
        let files_listed = if listed { names(&files) } else { before };
        let manifest = Manifest { format: FORMAT.to_owned(), files: files_listed };
        let manifest = serde_json::to_vec_pretty(&manifest).unwrap();
        let mut all: Vec<(&str, &[u8])> = vec![("manifest.json", &manifest)];
        all.extend(files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())));
        archive(&all)
    }

    #[test]
    fn a_bundle_reads_back_and_the_same_bundle_has_the_same_bytes() {
        let bundle = bundle(1);
        let bytes = bundle.to_archive().unwrap();
        assert_eq!(bytes, bundle.to_archive().unwrap());
        let read = ProofBundle::read(&bytes).unwrap();
        assert!(read == bundle);
        let verdict = read.verify(&Policy::parse(read.policy.as_bytes()).unwrap());
        assert!(verdict.holds(), "{:?}", verdict.findings);
        assert_eq!((verdict.entries, verdict.openings), (2, 2));
    }

    #[test]
    fn archives_cut_reordered_padded_or_altered_are_refused_with_their_code() {
        let bundle = bundle(1);
        let whole = bundle.to_archive().unwrap();
        let policy = bundle.policy.as_bytes();
        let table: Vec<(&str, Vec<u8>)> = vec![
            ("bundle_manifest", Vec::new()),
            ("bundle_malformed", b"no archive at all, though longer than a line".repeat(20)),
            ("bundle_malformed", whole[..whole.len() / 2 - 100].to_vec()),
            ("bundle_form", whole[..whole.len() - 512].to_vec()),
            ("bundle_form", [whole.as_slice(), &[0; 512]].concat()),
            ("bundle_form", [whole.as_slice(), b"more"].concat()),
            ("bundle_name", archive(&[("manifest.json", b"{}"), ("../policy", policy)])),
            ("bundle_name", archive(&[("/etc/passwd", policy)])),
            ("bundle_name", archive(&[("entries/../../x.json", policy)])),
            ("bundle_name", archive(&[("entries/1.tlog-proof", policy)])),
            ("bundle_manifest", archive(&[("policy", policy)])),
            ("bundle_manifest", archive(&[("manifest.json", b"{\"format\":\"other/v1\",\"files\":[]}")])),
            (
                "bundle_cut",
                archive(&[("manifest.json", b"{\"format\":\"porteplume-bundle/v1\",\"files\":[]}")]),
            ),
            ("bundle_order", changed(&bundle, false, |files| files.swap(3, 5))),
            ("bundle_order", changed(&bundle, true, |files| files[3..].rotate_left(2))),
            ("bundle_order", changed(&bundle, true, |files| files.push(files[3].clone()))),
            ("bundle_order", changed(&bundle, false, |files| files.push(files[3].clone()))),
            ("bundle_cut", changed(&bundle, false, |files| drop(files.pop()))),
            ("bundle_cut", changed(&bundle, true, |files| drop(files.remove(1)))),
            ("bundle_altered", changed(&bundle, false, |files| files[2].1.push(b' '))),
            ("bundle_file", changed(&bundle, true, |files| files[3].1 = b"no proof".to_vec())),
            ("bundle_file", changed(&bundle, true, |files| files[4].1 = b"[]".to_vec())),
            ("bundle_file", changed(&bundle, true, |files| files[2].1 = vec![0xff])),
        ];
        for (number, (code, bytes)) in table.into_iter().enumerate() {
            let refused = ProofBundle::read(&bytes).err().map(|fault| fault.code());
            assert_eq!(refused, Some(code), "case {number}");
        }
        let mut link = tar::Header::new_ustar();
        link.set_entry_type(tar::EntryType::Symlink);
        link.set_size(0);
        let mut tar = tar::Builder::new(Vec::new());
        tar.append_link(&mut link, "policy", "/etc/passwd").unwrap();
        let refused = ProofBundle::read(&tar.into_inner().unwrap());
        assert_eq!(refused.err(), Some(BundleFault::Kind("policy".to_owned())));
        assert_eq!(ProofBundle::read(&vec![0; LARGEST_BUNDLE + 1]).err(), Some(BundleFault::TooLarge));
    }

    #[test]
    fn what_is_not_proved_is_named() {
        let (ours, theirs) = (bundle(1), bundle(2));
        let codes = |bundle: &ProofBundle, trust: &Policy| -> Vec<&'static str> {
            bundle.verify(trust).findings.iter().map(|finding| finding.code).collect()
        };
        assert!(codes(&theirs, &trust(2)).is_empty());
        assert_eq!(codes(&theirs, &trust(1)).len(), 3, "another log's: checkpoint and both proofs");
        let mixed = ProofBundle { entries: theirs.entries.clone(), ..ours.clone() };
        assert_eq!(codes(&mixed, &trust(1)), ["bundle_swapped", "bundle_swapped"]);
        let mut moved = ours.clone();
        moved.entries[0].proof.path.clone_from(&ours.entries[1].proof.path);
        assert_eq!(codes(&moved, &trust(1)), ["proof_path"]);
        let mut told = ours.clone();
        told.entries[0].openings.clone_from(&ours.entries[1].openings);
        assert_eq!(codes(&told, &trust(1)), ["bundle_opening"]);
        assert!(!told.verify(&trust(1)).holds() && ours.verify(&trust(1)).holds());
        let empty = ProofBundle { entries: Vec::new(), ..ours };
        assert!(empty.verify(&trust(1)).holds() && !empty.verify(&trust(2)).holds());
    }
}
