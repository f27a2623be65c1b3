//! Every page with sample facts, once with ordinary names and once with hostile ones.

mod accounts;
mod askings;
mod auditors;
mod persons;
mod presented;
mod professionals;

use super::{
    Acting, Csrf, Flash, Frame, Granted, Guarded, Intervention, InterventionOutcome, MandateCard, Person,
    Receipt, Session, Status, Who, Wording,
};
use crate::mandate::{
    BirthDate, CATALOGUE_TOML, Catalogue, CatalogueFile, EndReason, EventId, Instant, Language, MandateId,
    MandateText, ProcedureId, ProcedureOutcome, Refusal, RepresentationId, Term, Terms,
};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use time::Duration;
use time::macros::datetime;

/// Names of the sample persons.
pub(super) struct Cast {
    pub(super) given_name: String,
    pub(super) family_name: String,
    pub(super) name_in_use: String,
    pub(super) aidant: String,
    pub(super) organisation: String,
    pub(super) service: String,
}

impl Cast {
    pub(super) fn ordinary() -> Self {
        Self {
            given_name: "Rose Élise".into(),
            family_name: "Lefèvre-D’Angelo".into(),
            name_in_use: "Marchal".into(),
            aidant: "Karim Benali".into(),
            organisation: "Médiathèque de Saint-Aubin".into(),
            service: "Caisse de démonstration".into(),
        }
    }

    /// Names that try to break out of the page, turn its direction or burst its layout.
    pub(super) fn hostile() -> Self {
        Self {
            given_name: "\u{202e}نورة\" onmouseover=\"x".into(),
            family_name: "O'Brien-".to_owned() + &"Wolfeschlegelsteinhausenbergerdorff".repeat(6),
            name_in_use: "</dd><b>d’usage</b>\u{202e}".into(),
            aidant: "<script>alert(1)</script>".into(),
            organisation: "Mairie & Cie <b>\u{4e2d}\u{592e}</b> {0} {1} {{ f }}".into(),
            service: "</title></main>".into(),
        }
    }

    pub(super) fn usager(&self) -> String {
        format!("{} {}", self.given_name, self.name_in_use)
    }

    pub(super) fn person(&self) -> Person {
        Person {
            given_name: self.given_name.clone(),
            family_name: self.family_name.clone(),
            name_in_use: Some(self.name_in_use.clone()),
            birth_date: BirthDate::parse("1942-05-12").unwrap(),
        }
    }

    pub(super) fn card(&self, digit: u8, status: Status) -> MandateCard {
        let anonymous =
            matches!(status, Status::Proposed { .. } | Status::Refused { .. } | Status::Lapsed { .. });
        MandateCard {
            id: MandateId::from_bytes([digit.wrapping_mul(37).wrapping_add(0x5b); 16]),
            usager: (!anonymous).then(|| self.usager()),
            organisation: self.organisation.clone(),
            aidant: self.aidant.clone(),
            status,
            procedures: granted(),
        }
    }

    pub(super) fn intervention(&self, digit: u8, outcome: InterventionOutcome) -> Intervention {
        Intervention {
            id: Some(RepresentationId::from_bytes([digit; 16])),
            at: minute(-20 - i64::from(digit)),
            usager: self.usager(),
            aidant: self.aidant.clone(),
            organisation: self.organisation.clone(),
            service: self.service.clone(),
            leave: matches!(outcome, InterventionOutcome::Open { .. })
                .then(|| "https://caisse.example/leave".to_owned()),
            procedure: granted().remove(0).name,
            reported: matches!(outcome, InterventionOutcome::Closed { .. })
                .then_some(ProcedureOutcome::Submitted),
            outcome,
        }
    }

    /// One of each outcome.
    pub(super) fn interventions(&self) -> Vec<Intervention> {
        vec![
            self.intervention(1, open()),
            self.intervention(
                2,
                InterventionOutcome::Closed { at: minute(-15), told: Some((minute(-15), Some(minute(-15)))) },
            ),
            self.intervention(3, InterventionOutcome::Refused(Refusal::ProcedureWithdrawn)),
        ]
    }

    pub(super) fn wording(&self) -> Wording {
        let (catalogue, procedures) = (catalogue(), chosen());
        let terms = Terms::check(catalogue, &procedures, Term::SixMonths, now()).unwrap();
        let text = MandateText::of(&self.organisation, &terms, catalogue).unwrap();
        Wording::new(&text, "9f2c4a".repeat(10) + "0bd1")
    }

    fn signed_in(&self, who: fn(&Self) -> Who, language: Language) -> Guarded {
        let who = Some(who(self));
        let session = Session { csrf: Csrf::new("csrf-of-the-session".into()), who };
        Frame::new(language, "/sample?of=page".into()).guarded(session)
    }

    pub(super) fn as_aidant(&self, language: Language) -> Guarded {
        let who = |cast: &Self| Who::Aidant {
            name: cast.aidant.clone(),
            organisation: cast.organisation.clone(),
            referent: true,
        };
        self.signed_in(who, language)
    }

    pub(super) fn as_usager(&self, language: Language) -> Guarded {
        self.signed_in(|cast| Who::Usager { name: cast.usager() }, language)
    }

    pub(super) fn as_auditor(&self, language: Language) -> Guarded {
        self.signed_in(|cast| Who::Auditor { name: cast.aidant.clone() }, language)
    }

    pub(super) fn acting(&self, language: Language) -> Guarded {
        let acting = Acting { usager: self.usager(), service: Some(self.service.clone()) };
        self.as_aidant(language).with_acting(acting)
    }

    pub(super) fn flashed(&self, language: Language) -> Guarded {
        self.as_aidant(language).with_flash(Some(Flash::MandateActive))
    }
}

pub(super) fn anonymous(language: Language) -> Frame {
    Frame::new(language, "/".into())
}

pub(super) fn handed_over(language: Language) -> Guarded {
    let csrf = Csrf::new("csrf-of-the-session".into());
    Frame::new(language, "/consent".into()).guarded(Session { csrf, who: None })
}

pub(super) fn now() -> Instant {
    Instant::from(datetime!(2026-11-23 09:00 UTC))
}

pub(super) fn minute(minutes: i64) -> Instant {
    now().plus(Duration::minutes(minutes))
}

/// The real catalogue, read once.
pub(super) fn catalogue() -> &'static Catalogue {
    static READ: LazyLock<Catalogue> = LazyLock::new(|| {
        let file: CatalogueFile = toml::from_str(CATALOGUE_TOML).unwrap();
        Catalogue::try_from(file).unwrap()
    });
    &READ
}

/// Two procedures, one of which keeps acts for the person.
fn chosen() -> BTreeSet<ProcedureId> {
    let catalogue = catalogue();
    let plain = catalogue.procedures().iter().find(|p| p.never_delegable.is_empty());
    let guarded = catalogue.procedures().iter().find(|p| !p.never_delegable.is_empty());
    plain.into_iter().chain(guarded).map(|p| p.id.clone()).collect()
}

pub(super) fn granted() -> Vec<Granted> {
    let catalogue = catalogue();
    let one = |id: &ProcedureId| {
        let acts = catalogue.procedure(id).map(|p| p.acts.clone()).unwrap_or_default();
        Granted::new(catalogue, id, acts)
    };
    chosen().iter().map(one).collect()
}

pub(super) fn in_force() -> Status {
    Status::Active { since: minute(-300_000), until: minute(20_000) }
}

pub(super) fn open() -> InterventionOutcome {
    InterventionOutcome::Open { until: minute(5) }
}

/// One of each status.
pub(super) fn statuses() -> Vec<Status> {
    let mut all = vec![
        Status::Proposed { lapses_at: minute(25) },
        Status::Consented { lapses_at: minute(12) },
        in_force(),
        Status::Refused { at: minute(-90) },
        Status::Lapsed { at: minute(-900) },
    ];
    all.extend(EndReason::ALL.map(|reason| Status::Ended { at: minute(-5_000), reason }));
    all
}

pub(super) fn receipt() -> Receipt {
    Receipt {
        event: EventId::from_bytes([0x0a; 16]),
        at: now(),
        index: 20_451,
        origin: "porteplume.example/journal".into(),
        tree_size: 20_452,
        root: "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=".into(),
        leaf_hash: "3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=".into(),
    }
}

/// A page with its facts: name, and what it renders to.
pub(super) type Sample = (&'static str, fn(&Cast, Language) -> String);

/// The printed mandate, for those who make another paper of it.
pub(super) fn printed(cast: &Cast) -> super::aidant::PrintedMandate {
    professionals::printed(cast)
}

/// Every page, some in several states.
pub(super) fn all() -> Vec<Sample> {
    [
        accounts::SAMPLES,
        askings::SAMPLES,
        persons::SAMPLES,
        presented::SAMPLES,
        professionals::SAMPLES,
        professionals::OUTSIDE,
        auditors::SAMPLES,
    ]
    .concat()
}
