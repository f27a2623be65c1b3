//! The report of a bundle of proofs: one page for people, in a file of its own. It proves nothing; it tells what the
//! files beside it prove.

use super::{dates, sentences};
use crate::mandate::{EventKind, Instant, Language, Outcome};
use askama::Template;

/// A bundle, to read.
pub struct Report {
    /// Name of the journal.
    pub origin: String,
    /// Size of the tree under the checkpoint.
    pub size: u64,
    /// The signed checkpoint.
    pub checkpoint: String,
    /// The entries.
    pub lines: Vec<ReportLine>,
}

/// One entry of it.
#[derive(Clone)]
pub struct ReportLine {
    /// Its place.
    pub index: u64,
    /// When.
    pub at: Instant,
    /// What, when its `act` is told.
    pub kind: Option<EventKind>,
    /// How it came out.
    pub outcome: Option<Outcome>,
    /// The code of a refusal.
    pub code: Option<String>,
    /// What else is told: slot and JSON.
    pub told: Vec<(&'static str, String)>,
}

impl ReportLine {
    fn says(&self, language: Language) -> &'static str {
        match (self.kind, language) {
            (Some(kind), language) => sentences::event(kind, language),
            (None, Language::Fr) => "Ce que dit cette écriture n’est pas communiqué.",
            (None, Language::En) => "What this entry tells is not disclosed.",
        }
    }

    fn came(&self, language: Language) -> &'static str {
        self.outcome.map_or("", |outcome| sentences::outcome(outcome).in_language(language))
    }

    fn when(&self, language: Language) -> String {
        dates::moment(language, self.at)
    }
}

#[derive(Template)]
#[template(path = "auditor/bundle.html")]
struct Page<'a> {
    p: &'a Report,
    fr: Language,
    en: Language,
}

impl Report {
    /// The page as HTML, French first, then English.
    #[must_use]
    pub fn render(&self) -> String {
        super::written(Page { p: self, fr: Language::Fr, en: Language::En }.render())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_tells_each_entry_in_both_languages_and_escapes_what_it_shows() {
        let line = ReportLine {
            index: 7,
            at: Instant::from_micros(1_790_000_000_000_000),
            kind: Some(EventKind::MandateEnded),
            outcome: Some(Outcome::Done),
            code: None,
            told: vec![("act", "{\"detail\":\"<script>\"}".to_owned())],
        };
        let silent = ReportLine { kind: None, outcome: None, told: Vec::new(), index: 8, ..line.clone() };
        let report = Report {
            origin: "journal.example/2026".to_owned(),
            size: 9,
            checkpoint: "journal.example/2026\n9\n".to_owned(),
            lines: vec![line, silent],
        };
        let page = report.render();
        for text in ["Le mandat a pris fin.", "The mandate ended.", "n’est pas communiqué", "lang=\"en\""]
        {
            assert!(page.contains(text), "{text} in {page}");
        }
        assert!(!page.contains("<script>"), "{page}");
    }
}
