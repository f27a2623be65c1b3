//! A translation of the mandate's fixed sentences: one file per language, for reading only. The French text binds.
//!
//! What a file must hold is fixed by the French sentences: the same sections with as many lines each. A file that
//! says more or less, or of another version, is refused, so that nobody reads half a contract.

use super::text_fixed::{self as fixed, Fixed};
use super::{
    Act, Block, Direction, MandateText, Procedure, ProcedureId, Reading, Section, TEXT_VERSION, Term,
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;
use time::Date;

/// The translations this program carries, by file name.
pub const SHIPPED_TEXTS: &[(&str, &str)] = &[
    ("porteplume-mandat-1.ar.toml", include_str!("texts/porteplume-mandat-1.ar.toml")),
    ("porteplume-mandat-1.fa-AF.toml", include_str!("texts/porteplume-mandat-1.fa-AF.toml")),
    ("porteplume-mandat-1.pt.toml", include_str!("texts/porteplume-mandat-1.pt.toml")),
    ("porteplume-mandat-1.tr.toml", include_str!("texts/porteplume-mandat-1.tr.toml")),
];

/// The longest sentence, in characters: a plain one is far shorter.
const LONGEST: usize = 400;

/// The words of the page around the text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageWords {
    /// "For reading only: the French text binds."
    pub reading_only: String,
    /// "Nobody has reviewed this translation yet."
    pub not_reviewed: String,
    /// "Do you agree?"
    pub question: String,
    /// "Are you under legal protection?"
    pub protection: String,
    /// "No, I am not."
    pub protection_no: String,
    /// "Yes, I am."
    pub protection_yes: String,
    /// "Yes, I agree."
    pub agree: String,
    /// "No, I refuse."
    pub refuse: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Phrases {
    object: String,
    until: String,
    lasts: String,
    can: String,
    never: String,
    day: String,
    months: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct TermWords {
    day: String,
    month: String,
    six_months: String,
    year: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct SectionWords {
    title: String,
    before: Vec<String>,
    #[serde(default)]
    items: Vec<String>,
    #[serde(default)]
    after: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcedureWords {
    name: String,
    summary: String,
    #[serde(default)]
    never: BTreeMap<Act, String>,
}

/// A translation as its file writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TranslationFile {
    version: String,
    language: String,
    name: String,
    direction: Direction,
    reviewed: bool,
    page: PageWords,
    phrases: Phrases,
    terms: TermWords,
    acts: BTreeMap<Act, String>,
    sections: BTreeMap<String, SectionWords>,
    #[serde(default)]
    procedures: BTreeMap<ProcedureId, ProcedureWords>,
}

/// Why a translation cannot be used: at which key, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{key}: {why}")]
pub struct BadTranslation {
    /// The key in the file.
    pub key: String,
    /// What is wrong.
    pub why: &'static str,
}

fn bad<T>(key: impl Into<String>, why: &'static str) -> Result<T, BadTranslation> {
    Err(BadTranslation { key: key.into(), why })
}

/// A checked translation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    reading: Reading,
    file: TranslationFile,
}

impl TryFrom<TranslationFile> for Translation {
    type Error = BadTranslation;

    fn try_from(file: TranslationFile) -> Result<Self, BadTranslation> {
        if file.version != TEXT_VERSION {
            return bad("version", "is not the version of the sentences this program has");
        }
        let Some(reading) = Reading::parse(&file.language) else {
            return bad("language", "is no language tag such as ar or fa-AF");
        };
        if matches!(reading.as_str(), "fr" | "en") {
            return bad("language", "French and English come with the program");
        }
        let mut acts = Act::ALL.iter();
        if let Some(act) = acts.find(|act| !file.acts.contains_key(act)) {
            return bad(format!("acts.{}", act.as_str()), "is missing");
        }
        if file.phrases.months.len() != 12 {
            return bad("phrases.months", "must name twelve months");
        }
        let known: BTreeSet<&str> = fixed::in_order().map(|fixed| fixed.id).collect();
        if let Some(id) = file.sections.keys().find(|id| !known.contains(id.as_str())) {
            return bad(format!("sections.{id}"), "is superfluous");
        }
        for fixed in fixed::in_order() {
            like(fixed, file.sections.get(fixed.id))?;
        }
        for (key, line, places) in lines(&file) {
            sound(line, places).or_else(|why| bad(key, why))?;
        }
        Ok(Self { reading, file })
    }
}

fn like(fixed: &Fixed, words: Option<&SectionWords>) -> Result<(), BadTranslation> {
    let Some(words) = words else { return bad(format!("sections.{}", fixed.id), "is missing") };
    for (name, have, need) in [
        ("before", words.before.len(), fixed.before.len()),
        ("items", words.items.len(), fixed.items.len()),
        ("after", words.after.len(), fixed.after.len()),
    ] {
        if have != need {
            let why = if have < need { "has too few sentences" } else { "has too many sentences" };
            return bad(format!("sections.{}.{name}", fixed.id), why);
        }
    }
    Ok(())
}

/// Every line of a file with its key and how many values go into it.
fn lines(file: &TranslationFile) -> Vec<(String, &str, usize)> {
    let (page, phrases, terms) = (&file.page, &file.phrases, &file.terms);
    let mut all: Vec<(String, &str, usize)> = [
        ("name", &file.name, 0),
        ("page.reading_only", &page.reading_only, 0),
        ("page.not_reviewed", &page.not_reviewed, 0),
        ("page.question", &page.question, 0),
        ("page.protection", &page.protection, 0),
        ("page.protection_no", &page.protection_no, 0),
        ("page.protection_yes", &page.protection_yes, 0),
        ("page.agree", &page.agree, 0),
        ("page.refuse", &page.refuse, 0),
        ("phrases.object", &phrases.object, 1),
        ("phrases.until", &phrases.until, 1),
        ("phrases.lasts", &phrases.lasts, 1),
        ("phrases.can", &phrases.can, 0),
        ("phrases.never", &phrases.never, 1),
        ("phrases.day", &phrases.day, 3),
        ("terms.day", &terms.day, 0),
        ("terms.month", &terms.month, 0),
        ("terms.six_months", &terms.six_months, 0),
        ("terms.year", &terms.year, 0),
    ]
    .into_iter()
    .map(|(key, line, places)| (key.to_owned(), line.as_str(), places))
    .collect();
    let mut plain = |key: String, line| all.push((key, line, 0));
    phrases.months.iter().for_each(|month| plain("phrases.months".to_owned(), month));
    file.acts.iter().for_each(|(act, line)| plain(format!("acts.{}", act.as_str()), line));
    for (id, words) in &file.sections {
        let parts = [("before", &words.before), ("items", &words.items), ("after", &words.after)];
        plain(format!("sections.{id}.title"), &words.title);
        for (name, lines) in parts {
            for line in lines {
                plain(format!("sections.{id}.{name}"), line);
            }
        }
    }
    for (id, words) in &file.procedures {
        plain(format!("procedures.{id}.name"), &words.name);
        plain(format!("procedures.{id}.summary"), &words.summary);
        words.never.values().for_each(|why| plain(format!("procedures.{id}.never"), why));
    }
    all
}

/// A line is text: no markup, nothing invisible, nothing that turns what stands around it (UAX 9).
fn sound(line: &str, places: usize) -> Result<(), &'static str> {
    let invisible = |c: char| matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    if line.trim().is_empty() || line.trim() != line {
        return Err("is empty, or has blanks around it");
    }
    if line.chars().count() > LONGEST {
        return Err("is longer than 400 characters");
    }
    if line.chars().any(|c| c.is_control() || invisible(c)) {
        return Err("holds a control character or one that turns the reading direction");
    }
    if line.contains(['<', '>', '&']) || line.starts_with(['#', '-']) {
        return Err("holds markup");
    }
    let whole = (0..places).all(|place| line.matches(&format!("{{{place}}}")).count() == 1);
    if !whole || line.matches(['{', '}']).count() != places * 2 {
        return Err("does not name each of its values once, as {0}");
    }
    Ok(())
}

impl Translation {
    /// Its language.
    #[must_use]
    pub const fn reading(&self) -> &Reading {
        &self.reading
    }

    /// The language's own name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.file.name
    }

    /// Its direction.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.file.direction
    }

    /// Whether somebody who speaks it has reviewed the file.
    #[must_use]
    pub const fn reviewed(&self) -> bool {
        self.file.reviewed
    }

    /// The procedures it names.
    pub fn procedures(&self) -> impl Iterator<Item = &ProcedureId> {
        self.file.procedures.keys()
    }

    /// The words of the page around the text.
    #[must_use]
    pub const fn page(&self) -> &PageWords {
        &self.file.page
    }

    /// How long, in that language.
    #[must_use]
    pub fn term(&self, term: Term) -> String {
        let words = &self.file.terms;
        match term {
            Term::Day => words.day.clone(),
            Term::Month => words.month.clone(),
            Term::SixMonths => words.six_months.clone(),
            Term::Year => words.year.clone(),
            Term::Until(day) => self.file.phrases.until.replace("{0}", &self.day(day)),
        }
    }

    fn day(&self, day: Date) -> String {
        let months = &self.file.phrases.months;
        let month = months.get(usize::from(u8::from(day.month())) - 1).map_or("", String::as_str);
        let text = self.file.phrases.day.replace("{0}", &day.day().to_string());
        text.replace("{1}", month).replace("{2}", &day.year().to_string())
    }

    /// The procedure's name, in isolated French where the file does not have it.
    #[must_use]
    pub fn procedure(&self, procedure: &Procedure) -> String {
        let words = self.file.procedures.get(&procedure.id);
        words.map_or_else(|| isolated(&procedure.name.fr), |words| words.name.clone())
    }

    fn section(&self, id: &'static str) -> Section {
        let Some(words) = self.file.sections.get(id) else {
            return Section { id, title: String::new(), blocks: Vec::new() };
        };
        let paragraph = |line: &String| Block::Paragraph(line.clone());
        let mut blocks: Vec<_> = words.before.iter().map(paragraph).collect();
        if !words.items.is_empty() {
            blocks.push(Block::List(words.items.clone()));
        }
        blocks.extend(words.after.iter().map(paragraph));
        Section { id, title: words.title.clone(), blocks }
    }

    fn one_procedure(&self, procedure: &Procedure, acts: &BTreeSet<Act>) -> Vec<Block> {
        let words = self.file.procedures.get(&procedure.id);
        let act = |act: &Act| self.file.acts.get(act).cloned().unwrap_or_default();
        let summary = words.map_or_else(|| isolated(&procedure.summary.fr), |words| words.summary.clone());
        let mut blocks = vec![
            Block::Heading(self.procedure(procedure)),
            Block::Paragraph(summary),
            Block::Paragraph(self.file.phrases.can.clone()),
            Block::List(acts.iter().map(act).collect()),
        ];
        for never in &procedure.never_delegable {
            let why = words.and_then(|words| words.never.get(&never.act)).cloned();
            blocks.push(Block::Paragraph(self.file.phrases.never.replace("{0}", &act(&never.act))));
            blocks.push(Block::Paragraph(why.unwrap_or_else(|| isolated(&never.why.fr))));
        }
        blocks
    }
}

/// French words in a text of another language, in an isolate (UAX 9). A line that is all in one is in French.
fn isolated(words: &str) -> String {
    format!("\u{2068}{words}\u{2069}")
}

impl MandateText<'_> {
    /// The text in a translation, in the sections of the French one.
    #[must_use]
    pub fn translated(&self, to: &Translation) -> Vec<Section> {
        let object = to.file.phrases.object.replace("{0}", &isolated(self.organisation()));
        let length = match self.term() {
            Term::Until(_) => to.term(self.term()),
            term => to.file.phrases.lasts.replace("{0}", &to.term(term)),
        };
        let sections = fixed::in_order().map(|fixed| {
            let mut section = to.section(fixed.id);
            match fixed.id {
                "objet" => section.blocks.insert(0, Block::Paragraph(object.clone())),
                "demarches" => section.blocks.extend(
                    self.procedures().flat_map(|(procedure, acts)| to.one_procedure(procedure, acts)),
                ),
                "duree" => section.blocks.insert(1, Block::Paragraph(length.clone())),
                _ => {}
            }
            section
        });
        sections.collect()
    }

    /// The same as one string: the bytes whose SHA-256 says what was presented.
    #[must_use]
    pub fn translated_text(&self, to: &Translation) -> String {
        self.composed(to.reading.as_str(), self.translated(to))
    }
}
