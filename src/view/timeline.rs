//! The usager's timeline: everything that happened, filtered, in pages.

use super::{Frame, paths};
use crate::mandate::{Happening, MandateId, Place, StoryPart};

/// One line of the timeline. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// The mandate.
    pub mandate: MandateId,
    /// Name of the organisation.
    pub organisation: String,
    /// In words.
    pub text: String,
    /// Where it stands in the journal.
    pub places: Vec<Place>,
}

impl TimelineEntry {
    /// A line of what happened.
    #[must_use]
    pub fn new(mandate: MandateId, organisation: String, happening: Happening) -> Self {
        Self { mandate, organisation, text: happening.text, places: happening.places }
    }

    fn path(&self) -> String {
        paths::of_mandate(paths::USAGER_MANDATE, &self.mandate)
    }
}

page! {
    /// Everything that happened with every mandate, the latest first. Form `filter-form` (GET): `mandate`, `what`, `from`,
    /// `until`, button `filter-submit`. Ids `found`, `timeline`; links `link-newer`, `link-older`, `link-csv`, `link-home`.
    UsagerTimeline in Guarded from "usager/timeline.html" {
        /// Every mandate there is, by its organisation's name.
        mandates: Vec<(MandateId, String)>,
        /// The mandate chosen.
        mandate: Option<MandateId>,
        /// The subject chosen.
        part: Option<StoryPart>,
        /// The first day chosen, as `YYYY-MM-DD`; empty when none.
        from: String,
        /// The last day chosen, the same.
        until: String,
        /// How many lines were found.
        found: u64,
        /// The lines of this page.
        lines: Vec<TimelineEntry>,
        /// The page before.
        newer: Option<String>,
        /// The page after.
        older: Option<String>,
        /// The same lines as a table.
        file: String,
    }
}

impl Frame {
    /// What a line of the timeline is about.
    #[must_use]
    pub fn story_part(&self, part: &StoryPart) -> String {
        match part {
            StoryPart::Agreement => self.t("L’accord", "The agreement"),
            StoryPart::Done => self.t("Ce qui a été fait", "What was done"),
            StoryPart::Refused => self.t("Ce qui a été refusé", "What was refused"),
            StoryPart::End => self.t("Les retraits et la fin", "What was taken out, and the end"),
            StoryPart::Told => self.t("Ce dont vous avez été prévenu", "What you were told"),
            StoryPart::Looks => self.t("Qui a regardé", "Who has looked"),
            StoryPart::Other => self.t("Le reste", "The rest"),
        }
    }

    /// The headings of the table.
    #[must_use]
    pub fn timeline_headings(&self) -> Vec<String> {
        vec![
            self.t("Quand (UTC)", "When (UTC)"),
            self.t("Sujet", "Subject"),
            self.t("Structure", "Organisation"),
            self.t("Mandat", "Mandate"),
            self.t("Ce qui s’est passé", "What happened"),
            self.t("Places dans le journal", "Places in the journal"),
            self.t("Journal", "Journal"),
        ]
    }
}
