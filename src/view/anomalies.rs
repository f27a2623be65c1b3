//! What the watch found, for auditors and for the referent of the organisation: the same pages for both.

use super::{Frame, Problem, paths};
use crate::mandate::{AnomalyId, Closing, Finding, Instant, MandateId, Rule};

/// Whose page it is: decides where the links lead and what may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looker {
    /// An auditor's.
    Auditor,
    /// A referent's.
    Referent,
}

impl Looker {
    /// The list.
    #[must_use]
    pub const fn list(self) -> &'static str {
        match self {
            Self::Auditor => paths::ANOMALIES,
            Self::Referent => paths::ORGANISATION_ANOMALIES,
        }
    }

    /// One anomaly (GET), or what is said about it (POST).
    #[must_use]
    pub const fn one(self) -> &'static str {
        match self {
            Self::Auditor => paths::ANOMALY,
            Self::Referent => paths::ORGANISATION_ANOMALY,
        }
    }
}

/// Where an anomaly stands.
#[derive(Clone, PartialEq, Eq)]
pub enum Standing {
    /// Open.
    Open,
    /// Closed.
    Closed {
        /// First and last name of the auditor; empty in a list.
        by: String,
        /// When.
        at: Instant,
        /// Why.
        reason: Closing,
    },
}

/// An anomaly. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// Identifier.
    pub id: AnomalyId,
    /// What was found.
    pub finding: Finding,
    /// When what made it happen happened.
    pub at: Instant,
    /// Name of the organisation.
    pub organisation: Option<String>,
    /// The aidant: name for the referent, pseudonym for auditors.
    pub aidant: Option<String>,
    /// The mandate.
    pub mandate: Option<MandateId>,
    /// Its pseudonym.
    pub pseudonym: Option<String>,
    /// Where it stands.
    pub standing: Standing,
}

/// The name of a rule.
pub(super) fn name(f: &Frame, rule: Rule) -> String {
    match rule {
        Rule::OutsideHours => {
            f.t("Interventions hors des heures d’ouverture", "Interventions outside opening hours")
        }
        Rule::Burst => f.t("Beaucoup d’interventions en peu de temps", "Many interventions in a short time"),
        Rule::NeverUsed => f.t("Un mandat jamais utilisé", "A mandate never used"),
        Rule::UsedAtOnce => f.t("Des mandats toujours utilisés aussitôt", "Mandates always used at once"),
        Rule::HastyConsent => f.t("Un accord très rapide", "A very quick consent"),
        Rule::SharedDevice => f.t("Un appareil pour beaucoup de personnes", "One device for many people"),
        Rule::MostRefusals => {
            f.t("La plupart des refus chez un seul aidant", "Most refusals with one aidant")
        }
        Rule::WeakConsents => f.t("Des accords plus faibles que la norme", "Consents weaker than the norm"),
        Rule::UsedBeforeRevocation => {
            f.t("Une intervention juste avant la révocation", "An intervention right before the revocation")
        }
        Rule::LookUpsAlone => f.t("Des recherches sans suite", "Look-ups that nothing followed"),
        Rule::OtherEmployer => f.t("Un autre employeur", "Another employer"),
        Rule::Disputed => f.t(
            "Une personne ne reconnaît pas une intervention",
            "A person does not recognise an intervention",
        ),
    }
}

/// What was counted, and from how many on it is told.
pub(super) fn sentence(f: &Frame, found: &Finding) -> String {
    let (fr, en) = match found.rule {
        Rule::OutsideHours => (
            "En un jour, {0} interventions ont été ouvertes hors des heures d’ouverture (seuil : {1}).",
            "In one day, {0} interventions were opened outside opening hours (threshold: {1}).",
        ),
        Rule::Burst => (
            "{0} interventions ont été ouvertes en {2} minutes (seuil : {1}).",
            "{0} interventions were opened within {2} minutes (threshold: {1}).",
        ),
        Rule::NeverUsed => (
            "Ce mandat est en vigueur depuis {0} jours et n’a jamais servi (seuil : {1}).",
            "This mandate has been in force for {0} days and was never used (threshold: {1}).",
        ),
        Rule::UsedAtOnce => (
            "Les {0} derniers mandats de cet aidant ont servi dans les {2} minutes après l’accord (seuil : {1}).",
            "The last {0} mandates of this aidant were used within {2} minutes of the consent (threshold: {1}).",
        ),
        Rule::HastyConsent => (
            "L’accord est venu {0} secondes après l’identification. En moins de {1} secondes, personne ne peut lire.",
            "The consent came {0} seconds after the identification. In less than {1} seconds, nobody can read.",
        ),
        Rule::SharedDevice => (
            "En un jour, {0} personnes ont ouvert leur espace depuis le même appareil (seuil : {1}).",
            "In one day, {0} people opened their space from the same device (threshold: {1}).",
        ),
        Rule::MostRefusals => (
            "En {2} jours, {0} demandes de cet aidant ont été refusées : c’est la plupart des refus de la structure (seuil : {1}).",
            "In {2} days, {0} requests of this aidant were refused: most of the organisation’s refusals (threshold: {1}).",
        ),
        Rule::WeakConsents => (
            "En {2} jours, la part d’accords faibles de cet aidant dépasse de {0} points celle de ses collègues (seuil : {1}).",
            "In {2} days, this aidant’s part of weak consents exceeds that of their colleagues by {0} points (threshold: {1}).",
        ),
        Rule::UsedBeforeRevocation => (
            "Interventions dans les {2} minutes avant que la personne révoque son mandat : {0} (seuil : {1}).",
            "Interventions within {2} minutes before the person revoked their mandate: {0} (threshold: {1}).",
        ),
        Rule::LookUpsAlone => (
            "En un jour, {0} recherches de personnes n’ont été suivies d’aucun acte dans les {2} heures (seuil : {1}).",
            "In one day, {0} look-ups of people were followed by no act within {2} hours (threshold: {1}).",
        ),
        Rule::OtherEmployer => (
            "Le fournisseur d’identité de cet aidant indique un autre employeur (SIRET) que votre structure. Connexions : {0} (seuil : {1}). S’il a changé d’employeur, suspendez-le.",
            "This aidant’s identity provider names another employer (SIRET) than your organisation. Sign-ins: {0} (threshold: {1}). If they changed employer, suspend them.",
        ),
        Rule::Disputed => (
            "La personne dit qu’elle ne reconnaît pas ce qui a été fait en son nom. Parlez-lui, et à l’aidant. Signalements : {0} (seuil : {1}).",
            "The person says that they do not recognise what was done in their name. Talk to them, and to the aidant. Reports: {0} (threshold: {1}).",
        ),
    };
    f.t3(fr, en, found.measured, found.threshold, found.span)
}

/// Why an anomaly is closed.
pub(super) fn reason(f: &Frame, reason: Closing) -> String {
    match reason {
        Closing::Explained => f.t("Il y a une bonne explication.", "There is a good explanation."),
        Closing::Mended => {
            f.t("Quelque chose n’allait pas et a été corrigé.", "Something was wrong and was put right.")
        }
        Closing::Reported => {
            f.t("Le point a été transmis à qui de droit.", "It was passed on to whom it concerns.")
        }
    }
}

impl Anomaly {
    fn name(&self, f: &Frame) -> String {
        name(f, self.finding.rule)
    }

    fn sentence(&self, f: &Frame) -> String {
        sentence(f, &self.finding)
    }

    fn standing(&self, f: &Frame) -> String {
        match &self.standing {
            Standing::Open => f.t("À regarder", "To look at"),
            Standing::Closed { at, reason: why, .. } => {
                f.t2("Classé le {0}. {1}", "Closed on {0}. {1}", f.date(at), reason(f, *why))
            }
        }
    }

    fn is_open(&self) -> bool {
        self.standing == Standing::Open
    }

    fn path(&self, pattern: &str) -> String {
        of_anomaly(pattern, &self.id)
    }

    /// Where the rest of the story is read.
    fn follow(&self) -> Option<String> {
        let (field, pseudonym) = match (&self.pseudonym, &self.aidant) {
            (Some(mandate), _) => ("mandate", mandate),
            (None, Some(aidant)) => ("aidant", aidant),
            (None, None) => return None,
        };
        Some(format!("{}?{field}={pseudonym}", paths::FOLLOW))
    }
}

/// The address with its anomaly put in.
#[must_use]
pub fn of_anomaly(path: &str, id: &AnomalyId) -> String {
    path.replace("{anomaly}", id.as_str())
}

/// What somebody said about an anomaly.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment {
    /// First and last name.
    pub by: String,
    /// Whether an auditor said it, else a referent.
    pub auditor: bool,
    /// When.
    pub at: Instant,
    /// What.
    pub text: String,
}

impl Comment {
    fn said_by(&self, f: &Frame) -> String {
        if self.auditor {
            f.t1("{0}, auditeur", "{0}, auditor", &self.by)
        } else {
            f.t1("{0}, référent de la structure", "{0}, referent of the organisation", &self.by)
        }
    }
}

page! {
    /// What the watch found, in a list. Links: `open-<id>`, `link-open`, `link-closed`, `link-older`.
    Anomalies in Guarded from "anomalies/list.html" {
        /// Whose page.
        looker: Looker,
        /// Whether those that are open, else those that are closed.
        open: bool,
        /// The anomalies, the latest first.
        anomalies: Vec<Anomaly>,
        /// Where the next page begins.
        next: Option<String>,
    }
}

impl Anomalies {
    fn address(&self, open: bool) -> String {
        if open { self.looker.list().to_owned() } else { format!("{}?closed=1", self.looker.list()) }
    }

    fn older(&self) -> Option<String> {
        let next = self.next.as_ref()?;
        let closed = if self.open { "" } else { "closed=1&" };
        Some(format!("{}?{closed}after={next}", self.looker.list()))
    }
}

page! {
    /// One anomaly with what was said about it.
    ///
    /// Form `comment-form` (POST to the same address): `csrf`, `idempotency`, `text`; button `comment-submit`. Links
    /// `entry-<id>`, `link-follow`, `link-close` (auditors), `link-mandate` (referents), `link-list`.
    OneAnomaly in Guarded from "anomalies/one.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// Whose page.
        looker: Looker,
        /// The anomaly.
        anomaly: Anomaly,
        /// What was said, in order.
        comments: Vec<Comment>,
        /// As typed before.
        text: String,
        /// Key under which a repeated submission says it once.
        idempotency: String,
    }
}

impl OneAnomaly {
    fn action(&self) -> String {
        self.anomaly.path(self.looker.one())
    }
}

page! {
    /// Closes an anomaly.
    ///
    /// Form `close-form` (POST to the same address): `csrf`, `idempotency`, `reason` (ids `reason-<value>`), `text`; button
    /// `close-submit`; link `link-keep`.
    CloseAnomaly in Guarded from "anomalies/close.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The anomaly.
        anomaly: Anomaly,
        /// As typed before.
        text: String,
        /// Key under which a repeated submission closes once.
        idempotency: String,
    }
}
