//! The journal: entries, the Merkle tree over them, checkpoints, proofs, verification.
//!
//! Pure: bytes in, bytes out; no database, no network, no clock.
//!
//! * An [`Entry`] is a short text without personal data: an identifier, an instant, a tag, four commitments. What
//!   it commits to, the [`Opening`]s, is kept apart and can be erased.
//! * Entries are the leaves of one Merkle tree (RFC 6962). A [`Frontier`] extends it and gives full tiles
//!   (C2SP tlog-tiles) as they fill up.
//! * A [`Checkpoint`] signs the tree's size and root (C2SP tlog-checkpoint in a signed note).
//! * A [`Link`] beside each checkpoint signs which one came before, so that none can be taken from between others.
//! * A [`LogProof`] (C2SP tlog-proof) convinces anyone who knows the journal's public key that an entry stands in
//!   it, without asking us.
//! * A [`Policy`] (C2SP tlog-policy) says which keys count, and how many witnesses must have seen a checkpoint. What
//!   a witness says, and how it decides, stands in [`Submission`], [`decide`] and [`read_answer`] (C2SP tlog-witness).
//! * A [`Timestamp`] (RFC 3161) is an authority's word that a checkpoint was there at an instant.
//! * An [`Audit`] goes through a whole journal and names what was altered, removed, inserted or reordered.

mod audit;
mod bundle;
mod checkpoint;
mod cosigner;
mod entry;
mod file_finding;
mod hash;
mod history;
mod json;
mod link;
mod mirror;
mod note;
mod opening;
mod path;
mod policy;
mod promise;
mod proof;
mod sample;
mod shard;
mod tile;
mod timestamp;
mod told;
mod tree;
mod vkey;
mod witness;

pub use audit::{
    Audit, AuditPage, AuditTerms, Extent, Fault, Finding, PageRange, Report, StoredCheckpoint, StoredEvent,
    StoredLeaf, StoredOpening, StoredTile,
};
pub use bundle::{BundleFault, BundleVerdict, BundledEntry, BundledShard, LARGEST_BUNDLE, ProofBundle};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use cosigner::{Cosigner, CosignerError};
pub use entry::{Draft, Drafted, Entry, EntryError, MandateKey, Slot, Tag, new_event_id};
pub use file_finding::FileFinding;
pub use hash::{EMPTY_ROOT, Hash, leaf_hash, node_hash};
pub use history::{History, HistoryError, ProvedStep, Step};
pub use json::{NotCanonical, canonical_json};
pub use link::Link;
pub use mirror::Mirrored;
pub use note::{Note, NoteError, NoteSignature, SignedBy};
pub use opening::Opening;
pub use path::{
    PathError, consistency_path, consistency_tiles, inclusion_path, inclusion_tiles, verify_consistency,
    verify_inclusion,
};
pub use policy::{GROUP, NamedWitness, Policy, PolicyError, Witnessed, policy};
pub use promise::{MERGE_DELAY, Promise};
pub use proof::{LogProof, ProofError};
pub use sample::{Drawing, SampleSeed};
pub use shard::{is_shard_of, shard_name};
pub use tile::{
    BundleError, HashedTile, TILE_WIDTH, TileId, TileKind, TileSet, decode_bundle, encode_bundle,
    partial_tiles,
};
pub use timestamp::{Timestamp, TimestampAuthorities, TimestampError, TimestampRequest};
pub use told::{ToldError, told};
pub use tree::{Frontier, FrontierError, FullTile};
pub use vkey::{Vkey, VkeyError, VkeyKind};
pub use witness::{
    Answer, AnswerError, Remembered, SIZE_TYPE, Submission, WitnessRefusal, decide, read_answer,
    submitted_origin,
};
