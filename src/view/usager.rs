//! The usager's own space: what they granted, what was done with it, and how to end it.

use super::parts::{Granted, Intervention, MandateCard, Receipt};
use crate::mandate::{Bilingual, EventKind, Instant};

page! {
    /// Mandates as cards, and everything done with them. Links: `mandate-<id>`, `end-<id>`.
    UsagerHome in Guarded from "usager/home.html" {
        /// Mandates, latest first.
        mandates: Vec<MandateCard>,
        /// Interventions, latest first, refused ones included.
        interventions: Vec<Intervention>,
    }
}

impl UsagerHome {
    fn current(&self) -> Vec<&MandateCard> {
        self.mandates.iter().filter(|mandate| !mandate.status.is_over()).collect()
    }

    fn over(&self) -> Vec<&MandateCard> {
        self.mandates.iter().filter(|mandate| mandate.status.is_over()).collect()
    }
}

page! {
    /// One mandate. Links: `link-end`, `end-procedure-<id>`.
    UsagerMandate in Guarded from "usager/mandate.html" {
        /// The mandate.
        mandate: MandateCard,
        /// Interventions, latest first, refused ones included.
        interventions: Vec<Intervention>,
        /// Who looked at what concerns it, latest first.
        looks: Vec<Look>,
        /// Receipt of its latest step.
        receipt: Option<Receipt>,
    }
}

/// Somebody looked at what concerns a mandate. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Look {
    /// When.
    pub at: Instant,
    /// What they did.
    pub kind: EventKind,
    /// First and last name; empty once erased.
    pub by: String,
    /// Why, where a purpose had to be stated.
    pub purpose: Option<String>,
}

page! {
    /// Asks before ending a mandate or one procedure of it: the one confirmed step.
    ///
    /// Form `end-form` (POST to the same address): `csrf`; button `end-submit`; link `link-keep`.
    EndMandate in Guarded from "usager/end.html" {
        /// The mandate.
        mandate: MandateCard,
        /// The procedure, when only one is ended.
        procedure: Option<Granted>,
    }
}

impl EndMandate {
    fn action(&self) -> String {
        self.procedure.as_ref().map_or_else(
            || self.mandate.path(super::paths::USAGER_END),
            |granted| self.mandate.procedure_path(super::paths::USAGER_END_PROCEDURE, &granted.id),
        )
    }

    /// Taking the last procedure out ends the mandate.
    fn is_last(&self) -> bool {
        self.procedure.is_some() && self.mandate.standing().count() == 1
    }
}

page! {
    /// It is ended. Receipt in `receipt`; link `link-home`.
    Ended in Guarded from "usager/ended.html" {
        /// The mandate.
        mandate: MandateCard,
        /// Name of the procedure, when only one was ended.
        procedure: Option<Bilingual>,
        /// When it ended.
        at: Instant,
        /// How many interventions were stopped by it.
        stopped: u64,
        /// Its place in the journal.
        receipt: Receipt,
    }
}
