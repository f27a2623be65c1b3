//! The auditor's pages: a purpose, a search, an entry with its proof.

mod find;
mod tabs;

pub use find::{Choice, EntryLine, Filters, Search};
pub use tabs::Tab;

use super::Problem;

page! {
    /// States why the journal is read.
    ///
    /// Form `purpose-form` (POST `/auditor/purpose`): `csrf`, `idempotency`, `purpose`; button `purpose-submit`.
    Purpose in Guarded from "auditor/purpose.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// As typed before.
        purpose: String,
        /// Key under which a repeated submission changes nothing twice.
        idempotency: String,
    }
}

/// Proof that an entry is included under a signed checkpoint (RFC 6962).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Index of the leaf.
    pub index: u64,
    /// Size of the tree.
    pub tree_size: u64,
    /// Root of the tree.
    pub root: String,
    /// Hash of the leaf.
    pub leaf_hash: String,
    /// Hashes on the way to the root, from the leaf up.
    pub hashes: Vec<String>,
    /// The signed checkpoint, as it is served.
    pub checkpoint: String,
}

page! {
    /// One entry: its canonical bytes, what it opens to, its proof. Ids: `openings`, `proof`, `checkpoint`.
    Entry in Guarded from "auditor/entry.html" {
        /// The entry.
        entry: EntryLine,
        /// Its canonical bytes, as text.
        canonical: String,
        /// What its commitments open to, as (name, value); empty once erased.
        openings: Vec<(String, String)>,
        /// Its proof; absent while it waits for inclusion.
        proof: Option<Proof>,
    }
}
