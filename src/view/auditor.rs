//! The auditor's pages: a purpose, a search, an entry with its proof.

use super::{Problem, paths};
use crate::mandate::{EventId, EventKind, Instant, Outcome};

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

/// Filters as typed; empty for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, `YYYY-MM-DD`.
    pub to: String,
    /// Identifier of an organisation.
    pub organisation: String,
    /// Identifier of an aidant.
    pub aidant: String,
    /// Identifier of a mandate.
    pub mandate: String,
    /// Kind of entry.
    pub kind: Option<EventKind>,
    /// Outcome.
    pub outcome: Option<Outcome>,
}

impl Filters {
    fn is_kind(&self, kind: &EventKind) -> bool {
        self.kind == Some(*kind)
    }

    fn is_outcome(&self, outcome: &Outcome) -> bool {
        self.outcome == Some(*outcome)
    }
}

/// An entry in a list of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLine {
    /// Identifier.
    pub id: EventId,
    /// Index of its leaf; absent while it waits for inclusion.
    pub index: Option<u64>,
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
    /// How it came out.
    pub outcome: Outcome,
    /// Code of the refusal.
    pub code: Option<String>,
    /// Identifiers it bears, as (name, value): organisation, aidant, mandate …
    pub subjects: Vec<(String, String)>,
}

impl EntryLine {
    fn path(&self) -> String {
        paths::of_event(paths::ENTRY, &self.id)
    }
}

page! {
    /// Search and results.
    ///
    /// Form `search-form` (**GET** `/auditor`): `from`, `to`, `organisation`, `aidant`, `mandate`, `kind`,
    /// `outcome`; button `search-submit`. Results in `results`; links `entry-<id>`, `link-next`
    /// (the same filters and `after`).
    Search in Guarded from "auditor/search.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The purpose stated.
        purpose: String,
        /// Filters in force.
        filters: Filters,
        /// Results, latest first; absent before the first search.
        results: Option<Vec<EntryLine>>,
        /// Cursor of the next page, sent back in `after`.
        next: Option<String>,
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
