//! The report of a bundle of proofs: one page for people, in a file of its own. It proves nothing; it tells what the
//! files beside it prove.

use super::Frame;
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

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;\
    color:#1b1b1b;background:#fff}table{border-collapse:collapse;width:100%}th,td{border:1px solid #767676;\
    padding:.4rem .6rem;text-align:left;vertical-align:top}pre,code{white-space:pre-wrap;overflow-wrap:anywhere}";
const COMMAND: &str = "porteplume journal verify --bundle BUNDLE --policy POLICY";

#[derive(Template)]
#[template(path = "auditor/bundle.html")]
struct Page<'a> {
    p: Both<'a>,
}

/// The report in both languages, since it goes to whoever it goes to: French first, then English.
struct Both<'a> {
    of: &'a Report,
    fr: Frame,
    en: Frame,
}

impl Both<'_> {
    const fn languages(&self) -> [&Frame; 2] {
        [&self.fr, &self.en]
    }
}

impl Report {
    /// The page as HTML, French first, then English.
    #[must_use]
    pub fn render(&self) -> String {
        let frame = |language| Frame::new(language, String::new());
        super::written(
            Page { p: Both { of: self, fr: frame(Language::Fr), en: frame(Language::En) } }.render(),
        )
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
