//! The auditor's pages: a purpose, a search, an entry with its proof.

mod content;
mod find;
mod follow;
mod sample;
mod tabs;

pub use content::{AskContent, Asked, Content, ContentRequest};
pub use find::{Choice, EntryLine, Filters, Kept, Search};
pub use follow::{Charts, Follow, Followed, Then};
pub use sample::{Checklist, Sample, SampleFacts, SampleLine, SampleReport, SampledEntry, Samples};
pub(super) use sample::{ask, say};
pub use tabs::Tab;

use super::{Frame, Problem};

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
        /// Whom it names, as (usager, aidant or auditor; name), where another auditor opened it.
        persons: Vec<(&'static str, String)>,
        /// Where its content can be asked for; absent where it is open.
        ask: Option<String>,
        /// Its proof; absent while it waits for inclusion.
        proof: Option<Proof>,
    }
}

/// The title of a chart of the desk.
pub(super) fn chart_title(f: &Frame, id: &str) -> String {
    match id {
        "days" => f.t("Interventions jour après jour", "Interventions day by day"),
        "hours" => f.t("Interventions selon l’heure", "Interventions by hour of the day"),
        "weekdays" => f.t("Interventions selon le jour de la semaine", "Interventions by day of the week"),
        "procedures" => f.t("Interventions par démarche", "Interventions by procedure"),
        "codes" => f.t("Refus par code", "Refusals by code"),
        "waits" => f.t("De l’accord à la première intervention", "From consent to the first intervention"),
        _ => f.t("Accords selon le canal", "Consents by channel"),
    }
}
