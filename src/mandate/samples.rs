//! Parties and mandates for the tests of this room.

use super::*;
use std::collections::{BTreeMap, BTreeSet};
use time::macros::datetime;
use time::{Duration, OffsetDateTime};

pub(super) const START: OffsetDateTime = datetime!(2026-11-22 10:00 UTC);

/// The start, some minutes later.
pub(super) fn minute(minutes: i64) -> Instant {
    Instant::from(START).plus(Duration::minutes(minutes))
}

pub(super) fn procedure(id: &str) -> ProcedureId {
    ProcedureId::parse(id).unwrap()
}

/// Three procedures, of which the third asks for nothing that binds.
pub(super) fn catalogue() -> Catalogue {
    let both = |text: &str| Bilingual { fr: text.to_owned(), en: format!("{text}, in English") };
    let theme = ThemeId::parse("argent").unwrap();
    let entry = |id: &str, acts: &[Act], never: &[Act]| Procedure {
        id: procedure(id),
        theme: theme.clone(),
        name: both(id),
        summary: both("L’aidant fait la démarche."),
        acts: acts.iter().copied().collect(),
        never_delegable: never
            .iter()
            .map(|act| NeverDelegable { act: *act, why: both("Vous seul le pouvez.") })
            .collect(),
        consent: Strength::Reached,
    };
    let usual = [Act::Prepare, Act::Fill, Act::Submit];
    Catalogue::try_from(CatalogueFile {
        version: "sample".to_owned(),
        themes: vec![Theme { id: theme.clone(), name: both("Argent"), rep_scope: "Argent".to_owned() }],
        procedures: vec![
            entry("impots", &usual, &[]),
            entry("dettes", &[Act::Prepare, Act::Fill], &[Act::Sign]),
            entry("releve", &[Act::Receive], &[]),
        ],
    })
    .unwrap()
}

pub(super) fn organisation() -> Organisation {
    Organisation {
        id: OrganisationId::from_bytes([1; 16]),
        standing: Standing::Active,
        closed_procedures: BTreeSet::new(),
    }
}

pub(super) fn aidant() -> Aidant {
    Aidant {
        id: AidantId::from_bytes([2; 16]),
        organisation: organisation().id,
        role: Role::Aidant,
        standing: Standing::Active,
        closed_procedures: BTreeSet::new(),
    }
}

pub(super) fn service() -> RelyingParty {
    RelyingParty {
        id: ClientId::parse("caisse").unwrap(),
        standing: Standing::Active,
        procedures: catalogue().procedures().iter().map(|procedure| procedure.id.clone()).collect(),
        consent: Strength::Identified,
    }
}

/// Terms on the first two sample procedures, leaving the third ungranted.
pub(super) fn terms(term: Term) -> Terms {
    let chosen = BTreeSet::from([procedure("impots"), procedure("dettes")]);
    Terms::check(&catalogue(), &chosen, term, minute(0)).unwrap()
}

pub(super) fn consent_at(at: Instant) -> Consent {
    Consent {
        usager: UsagerId::from_bytes([3; 16]),
        at,
        identified_at: at,
        identity_level: "eidas1".to_owned(),
        text_hash: "00".repeat(32),
        language: Language::Fr.as_str().to_owned(),
        channel: ConsentChannel::InPresence,
    }
}

pub(super) const DECLARED: Declarations = Declarations { not_protected: true, may_be_minor: false };

/// Proposed at minute 0 for one day.
pub(super) fn proposed() -> Mandate {
    let id = MandateId::from_bytes([4; 16]);
    Mandate::propose(id, organisation().id, aidant().id, terms(Term::Day), minute(0))
}

/// Consented to at minute 1.
pub(super) fn consented() -> Mandate {
    proposed().consent(consent_at(minute(1)), DECLARED).unwrap()
}

/// Accepted at minute 2.
pub(super) fn active() -> Mandate {
    consented().accept(aidant().id, minute(2)).unwrap()
}

/// One mandate in each state, with the instant it came there.
pub(super) fn in_each_state() -> BTreeMap<&'static str, (Mandate, Instant)> {
    let all = [
        (proposed(), minute(0)),
        (consented(), minute(1)),
        (active(), minute(2)),
        (active().end(EndReason::Revoked, minute(3)).unwrap(), minute(3)),
        (proposed().refuse(minute(1)).unwrap(), minute(1)),
        (proposed().lapse(minute(30)).unwrap(), minute(30)),
    ];
    all.into_iter().map(|(mandate, at)| (mandate.state.name().as_str(), (mandate, at))).collect()
}
