//! Random samples: drawing one, its checklist, its report.

use super::{Choice, EntryLine};
use crate::mandate::{Answers, EventId, EventKind, Instant, SampleId, SampleQuestion, Verdict};
use crate::view::{Frame, Problem, Text, paths};

/// The question, in words.
const fn question(question: SampleQuestion) -> Text {
    match question {
        SampleQuestion::Covered => {
            Text { fr: "Un mandat en vigueur le couvrait-il ?", en: "Did a mandate in force cover it?" }
        }
        SampleQuestion::Agreed => Text {
            fr: "L’accord vient-il bien de la personne ?",
            en: "Did the agreement come from the person?",
        },
        SampleQuestion::Within => Text {
            fr: "Reste-t-il dans la démarche et les actes accordés ?",
            en: "Does it stay within the procedure and the acts granted?",
        },
        SampleQuestion::Ordinary => Text {
            fr: "L’heure, le lieu et le rythme sont-ils ordinaires ?",
            en: "Are hour, place and rhythm ordinary?",
        },
    }
}

const fn verdict(verdict: Verdict) -> Text {
    match verdict {
        Verdict::Yes => Text { fr: "oui", en: "yes" },
        Verdict::No => Text { fr: "non", en: "no" },
        Verdict::Unclear => Text { fr: "on ne peut pas le dire", en: "it cannot be told" },
    }
}

pub(in crate::view) fn ask(f: &Frame, of: &SampleQuestion) -> String {
    f.text(&question(*of))
}

pub(in crate::view) fn say(f: &Frame, of: &Verdict) -> String {
    f.text(&verdict(*of))
}

/// A sample in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleLine {
    /// Identifier.
    pub id: SampleId,
    /// When it was drawn.
    pub at: Instant,
    /// How many entries.
    pub drawn: usize,
    /// From how many.
    pub population: u64,
}

impl SampleLine {
    fn path(&self) -> String {
        of_sample(paths::SAMPLE, &self.id)
    }
}

/// The address with its sample put in.
fn of_sample(pattern: &str, id: &SampleId) -> String {
    pattern.replace("{sample}", id.as_str())
}

page! {
    /// Draws a sample; the auditor's own stand below.
    ///
    /// Form `draw-form` (POST `/auditor/samples`): `csrf`, `idempotency`, `from`, `to`, `organisation`, `kind`, `count`;
    /// button `draw-submit`; links `sample-<id>`.
    Samples in Guarded from "auditor/samples.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// First day as typed.
        from: String,
        /// Last day as typed.
        to: String,
        /// Organisations to choose from.
        organisations: Vec<Choice>,
        /// The one chosen.
        organisation: String,
        /// The kind chosen.
        kind: Option<EventKind>,
        /// How many, as typed.
        count: String,
        /// Key under which a repeated submission draws once.
        idempotency: String,
        /// Samples drawn before, latest first.
        samples: Vec<SampleLine>,
    }
}

/// One entry of a sample. Notes may name persons: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct SampledEntry {
    /// The entry.
    pub event: EventId,
    /// What is known of it.
    pub line: Option<EntryLine>,
    /// The answers, once given.
    pub answers: Option<Answers>,
    /// The note.
    pub note: String,
}

impl SampledEntry {
    fn is(&self, question: &SampleQuestion, verdict: &Verdict) -> bool {
        self.answer(question) == Some(*verdict)
    }

    fn answer(&self, question: &SampleQuestion) -> Option<Verdict> {
        let place = SampleQuestion::ALL.iter().position(|one| one == question)?;
        self.answers.and_then(|answers| answers.0.get(place).copied())
    }

    fn path(&self, sample: &SampleId) -> String {
        paths::of_event(&of_sample(paths::SAMPLE_ENTRY, sample), &self.event)
    }
}

/// How a sample came about.
#[derive(Clone, PartialEq, Eq)]
pub struct SampleFacts {
    /// Identifier.
    pub id: SampleId,
    /// When it was drawn.
    pub at: Instant,
    /// From what and how many, as the seed hashes it.
    pub parameters: String,
    /// From how many entries.
    pub population: u64,
    /// The seed, in hexadecimal.
    pub seed: String,
    /// Identifier of the purpose, as the seed hashes it.
    pub reading: String,
    /// The purpose.
    pub purpose: String,
    /// The checkpoint.
    pub checkpoint: String,
    /// Whether the seed follows from them.
    pub follows: bool,
}

page! {
    /// A sample: its entries and how far the checklist is. Links `entry-<id>`, `link-report`.
    Sample in Guarded from "auditor/sample.html" {
        /// How it came about.
        facts: SampleFacts,
        /// Its entries, by rank.
        entries: Vec<SampledEntry>,
    }
}

impl Sample {
    fn answered(&self) -> usize {
        self.entries.iter().filter(|one| one.answers.is_some()).count()
    }

    fn report(&self) -> String {
        of_sample(paths::SAMPLE_REPORT, &self.facts.id)
    }
}

page! {
    /// The checklist of one entry.
    ///
    /// Form `checklist-form` (POST to the same address): `csrf`, `covered`, `agreed`, `within`, `ordinary` (each `yes`,
    /// `no` or `unclear`), `note`; button `checklist-submit`; link `link-entry`.
    Checklist in Guarded from "auditor/checklist.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The sample.
        sample: SampleId,
        /// The entry.
        entry: SampledEntry,
    }
}

impl Checklist {
    fn back(&self) -> String {
        of_sample(paths::SAMPLE, &self.sample)
    }
}

page! {
    /// The report of a sample: printable, and complete enough to draw it again.
    SampleReport in Guarded from "auditor/report.html" {
        /// How it came about.
        facts: SampleFacts,
        /// Its entries, by rank.
        entries: Vec<SampledEntry>,
    }
}

impl SampleReport {
    fn count(&self, question: &SampleQuestion, verdict: &Verdict) -> usize {
        self.entries.iter().filter(|one| one.is(question, verdict)).count()
    }

    fn unanswered(&self) -> usize {
        self.entries.iter().filter(|one| one.answers.is_none()).count()
    }
}
