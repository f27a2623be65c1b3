//! What several pages show: persons, granted procedures, mandates, interventions, receipts.

use crate::mandate::{
    Act, Bilingual, BirthDate, Catalogue, EndReason, EventId, EventKind, Instant, Language, Mandate,
    MandateId, MandateText, NeverDelegable, Procedure, ProcedureId, ProcedureOutcome, Refusal,
    RepresentationId, Section, State, Theme, stored_sections,
};
use std::collections::BTreeSet;

/// A usager as professionals and the person themselves see them. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// First names.
    pub given_name: String,
    /// Birth name.
    pub family_name: String,
    /// Name in use, where it is another.
    pub name_in_use: Option<String>,
    /// Date of birth.
    pub birth_date: BirthDate,
}

impl Person {
    /// First names, and the name by which people know the person.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.given_name, self.name_in_use.as_ref().unwrap_or(&self.family_name))
    }
}

/// A procedure within a mandate or a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Identifier.
    pub id: ProcedureId,
    /// Name.
    pub name: Bilingual,
    /// What the aidant will do, in one sentence; empty when the procedure left the catalogue.
    pub summary: Bilingual,
    /// Acts granted.
    pub acts: BTreeSet<Act>,
    /// Acts that stay with the person, and why.
    pub stays: Vec<NeverDelegable>,
    /// When the person took it out, if they did.
    pub withdrawn: Option<Instant>,
}

impl Granted {
    /// A procedure with its words from the catalogue; one that left it goes by its identifier.
    #[must_use]
    pub fn new(catalogue: &Catalogue, id: &ProcedureId, acts: BTreeSet<Act>) -> Self {
        let both = |text: &str| Bilingual { fr: text.to_owned(), en: text.to_owned() };
        let (name, summary, stays) = match catalogue.procedure(id) {
            Some(Procedure { name, summary, never_delegable, .. }) => {
                (name.clone(), summary.clone(), never_delegable.clone())
            }
            None => (both(id.as_str()), both(""), Vec::new()),
        };
        Self { id: id.clone(), name, summary, acts, stays, withdrawn: None }
    }

    /// Everything a mandate lists, withdrawn procedures included.
    #[must_use]
    pub fn of_mandate(mandate: &Mandate, catalogue: &Catalogue) -> Vec<Self> {
        let withdrawn = match &mandate.state {
            State::Active { withdrawn, .. } | State::Ended { withdrawn, .. } => Some(withdrawn),
            _ => None,
        };
        let granted = mandate.terms.procedures.iter().map(|(id, acts)| Self {
            withdrawn: withdrawn.and_then(|since| since.get(id).copied()),
            ..Self::new(catalogue, id, acts.clone())
        });
        granted.collect()
    }
}

/// Where a mandate stands at the instant a page is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Waiting for the usager.
    Proposed {
        /// When it lapses.
        lapses_at: Instant,
    },
    /// Waiting for the organisation.
    Consented {
        /// When it lapses.
        lapses_at: Instant,
    },
    /// In force.
    Active {
        /// Since when.
        since: Instant,
        /// Until when.
        until: Instant,
    },
    /// Over.
    Ended {
        /// When.
        at: Instant,
        /// Why.
        reason: EndReason,
    },
    /// The usager said no.
    Refused {
        /// When.
        at: Instant,
    },
    /// Nobody answered in time.
    Lapsed {
        /// When.
        at: Instant,
    },
}

impl Status {
    /// Whether there is something to end.
    #[must_use]
    pub const fn can_end(&self) -> bool {
        matches!(self, Self::Consented { .. } | Self::Active { .. })
    }

    /// Where the mandate stands now; what has run out shows as over, even before it is recorded.
    #[must_use]
    pub fn of(mandate: &Mandate, now: Instant) -> Self {
        let lapses_at = mandate.lapses_at();
        match &mandate.state {
            State::Proposed | State::Consented(_) if now >= lapses_at => Self::Lapsed { at: lapses_at },
            State::Proposed => Self::Proposed { lapses_at },
            State::Consented(_) => Self::Consented { lapses_at },
            State::Active { acceptance, .. } if now >= acceptance.ends_at => {
                Self::Ended { at: acceptance.ends_at, reason: EndReason::Expired }
            }
            State::Active { acceptance, .. } => {
                Self::Active { since: acceptance.at, until: acceptance.ends_at }
            }
            State::Ended { at, reason, .. } => Self::Ended { at: *at, reason: *reason },
            State::Refused { at } => Self::Refused { at: *at },
            State::Lapsed { at, .. } => Self::Lapsed { at: *at },
        }
    }

    pub(super) const fn is_active(&self) -> bool {
        matches!(self, Self::Active { .. })
    }

    pub(super) const fn is_waiting(&self) -> bool {
        matches!(self, Self::Proposed { .. } | Self::Consented { .. })
    }

    pub(super) const fn is_over(&self) -> bool {
        !self.is_active() && !self.is_waiting()
    }

    pub(super) const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    pub(super) const fn is_consented(&self) -> bool {
        matches!(self, Self::Consented { .. })
    }

    /// Class of the badge that says it.
    pub(super) const fn badge(&self) -> &'static str {
        match self {
            Self::Proposed { .. } | Self::Consented { .. } => "badge warn",
            Self::Active { .. } => "badge good",
            Self::Ended { .. } | Self::Lapsed { .. } => "badge",
            Self::Refused { .. } => "badge bad",
        }
    }
}

/// A mandate as lists and cards show it. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct MandateCard {
    /// Identifier.
    pub id: MandateId,
    /// First and last name of the usager, once one has consented.
    pub usager: Option<String>,
    /// Name of the organisation.
    pub organisation: String,
    /// Name of the aidant who prepared it.
    pub aidant: String,
    /// Where it stands.
    pub status: Status,
    /// What it grants.
    pub procedures: Vec<Granted>,
}

impl MandateCard {
    pub(super) fn standing(&self) -> impl Iterator<Item = &Granted> {
        self.procedures.iter().filter(|granted| granted.withdrawn.is_none())
    }

    /// Address of one of its pages: a pattern of [`super::paths`].
    pub(super) fn path(&self, pattern: &str) -> String {
        super::paths::of_mandate(pattern, &self.id)
    }

    pub(super) fn procedure_path(&self, pattern: &str, procedure: &ProcedureId) -> String {
        super::paths::of_procedure(pattern, &self.id, procedure)
    }
}

/// How an intervention (a representation) came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InterventionOutcome {
    /// Still open.
    Open {
        /// When it closes by itself.
        until: Instant,
    },
    /// Over.
    Closed {
        /// When.
        at: Instant,
        /// When the service was told, and when it answered.
        told: Option<(Instant, Option<Instant>)>,
    },
    /// It was refused and nothing was done.
    Refused(Refusal),
}

/// One use of a mandate. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Intervention {
    /// Identifier; absent when it was refused before it began.
    pub id: Option<RepresentationId>,
    /// When it began or was refused.
    pub at: Instant,
    /// First and last name of the usager.
    pub usager: String,
    /// First and last name of the aidant.
    pub aidant: String,
    /// Name of the organisation.
    pub organisation: String,
    /// Name of the service.
    pub service: String,
    /// Where the session that the service keeps of its own is ended, if it keeps one.
    pub leave: Option<String>,
    /// Name of the procedure.
    pub procedure: Bilingual,
    /// How it came out.
    pub outcome: InterventionOutcome,
    /// What the service reported.
    pub reported: Option<ProcedureOutcome>,
}

impl Intervention {
    /// Where the service's own session is ended, unless none was begun.
    pub(super) fn leaving(&self) -> Option<&str> {
        let begun = !matches!(self.outcome, InterventionOutcome::Refused(_));
        self.leave.as_deref().filter(|_| begun)
    }

    /// Identifier and address to close it, while it is open.
    pub(super) fn closing(&self) -> Option<(&str, String)> {
        match (&self.outcome, &self.id) {
            (InterventionOutcome::Open { .. }, Some(id)) => {
                Some((id.as_str(), super::paths::of_representation(super::paths::CLOSE, id)))
            }
            _ => None,
        }
    }
}

/// One line of a mandate's life.
#[derive(Clone, PartialEq, Eq)]
pub struct TimelineLine {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
    /// By whom, in words.
    pub by: Option<String>,
}

/// Where an entry stands in the journal. Hashes are written as the journal's formats write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Identifier of the entry.
    pub event: EventId,
    /// When it was written.
    pub at: Instant,
    /// Index of its leaf.
    pub index: u64,
    /// Name of the journal.
    pub origin: String,
    /// Size of the tree it is included in.
    pub tree_size: u64,
    /// Root of that tree.
    pub root: String,
    /// Hash of its leaf.
    pub leaf_hash: String,
}

impl Receipt {
    /// Everything that ties a paper to the journal, on one line (contract journal.md, 4.5).
    pub(super) fn line(&self) -> String {
        format!("{} {}/{} {} {}", self.origin, self.index, self.tree_size, self.root, self.leaf_start())
    }

    /// Enough of the leaf's hash to compare by eye.
    pub(super) fn leaf_start(&self) -> String {
        self.leaf_hash.chars().take(16).collect()
    }
}

/// The mandate's own text, laid out for reading, and the hash of the French one, which binds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wording {
    fr: Vec<Section>,
    en: Vec<Section>,
    hash: String,
}

impl Wording {
    /// The text with the SHA-256 of its binding form, in hexadecimal.
    #[must_use]
    pub fn new(text: &MandateText<'_>, hash: String) -> Self {
        Self { fr: text.sections(Language::Fr), en: text.sections(Language::En), hash }
    }

    /// A text as stored: what was agreed to, when today's words differ. Only the French one was kept.
    #[must_use]
    pub fn stored(text: &str, hash: String) -> Self {
        let fr = stored_sections(text);
        Self { en: fr.clone(), fr, hash }
    }

    pub(super) fn reading(&self, frame: &super::Frame) -> &[Section] {
        match frame.language {
            Language::Fr => &self.fr,
            Language::En => &self.en,
        }
    }

    pub(super) fn binding(&self) -> &[Section] {
        &self.fr
    }

    pub(super) fn hash(&self) -> &str {
        &self.hash
    }
}

/// Why a procedure cannot be ticked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The organisation does not carry it out.
    ForOrganisation,
    /// The referent closed it for this aidant.
    ForAidant,
}

/// A procedure to tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcedureChoice {
    /// The procedure.
    pub procedure: Procedure,
    /// Whether it is ticked.
    pub checked: bool,
    /// Why it cannot be ticked, if so.
    pub closed: Option<Closed>,
}

/// A theme that opens into its procedures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThemeChoice {
    /// The theme.
    pub theme: Theme,
    /// Its procedures.
    pub procedures: Vec<ProcedureChoice>,
}

impl ThemeChoice {
    pub(super) fn checked(&self) -> usize {
        self.procedures.iter().filter(|choice| choice.checked && choice.closed.is_none()).count()
    }
}
