//! Pages for aidants, referents and auditors, and for services' requests.

use super::auditors::{for_referent, one_anomaly};
use super::*;
use crate::mandate::Rule;
use crate::mandate::{AidantId, ConsentChannel, EventKind, NoticeId, Role, Standing, UsagerId};
use crate::view::aidant::*;
use crate::view::anomalies::{Anomalies, Looker};
use crate::view::authorize::{AuthorizeRefused, Candidate, Choice, ChooseMandate, ChooseUsager, Confirm};
use crate::view::card::{CardStanding, RevocationCard};
use crate::view::referent::*;
use crate::view::{Closed, Problem, ProcedureChoice, Qr, ThemeChoice, TimelineLine};
use time::macros::date;

fn papers(count: u8, cast: &Cast, language: Language) -> String {
    let paper = |number: u8| PaperReceipt {
        id: NoticeId::from_bytes([number; 16]),
        at: now(),
        language: Language::Fr,
        subject: "Une démarche a été faite en votre nom".into(),
        lines: vec!["Bonjour,".into(), "Par qui : Nora Le Goff".into()],
    };
    let page = PaperReceipts {
        mandate: MandateId::from_bytes([0x5b; 16]),
        usager: "Amina Diallo".into(),
        papers: (0..count).map(paper).collect(),
    };
    page.render(&cast.as_aidant(language))
}

fn themes() -> Vec<ThemeChoice> {
    let (catalogue, chosen) = (catalogue(), chosen());
    let theme = |theme: &crate::mandate::Theme| ThemeChoice {
        theme: theme.clone(),
        procedures: (0..)
            .zip(catalogue.of_theme(&theme.id))
            .map(|(at, procedure)| ProcedureChoice {
                procedure: procedure.clone(),
                checked: chosen.contains(&procedure.id),
                closed: match at {
                    3 => Some(Closed::ForOrganisation),
                    4 => Some(Closed::ForAidant),
                    _ => None,
                },
            })
            .collect(),
    };
    catalogue.themes().iter().map(theme).collect()
}

fn cards(cast: &Cast) -> Vec<MandateCard> {
    (1..).zip(statuses()).map(|(digit, status)| cast.card(digit, status)).collect()
}

fn term_page(problems: Vec<Problem>, chosen: Option<TermChoice>) -> NewMandateTerm {
    NewMandateTerm {
        problems,
        procedures: granted(),
        chosen,
        until: String::new(),
        earliest: date!(2026 - 11 - 23),
        latest: date!(2027 - 11 - 22),
        idempotency: "idempotency-key".into(),
    }
}

fn factor(problems: Vec<Problem>, reason: FactorReason) -> Factor {
    Factor { problems, reason, next: "/aidant".into() }
}

fn timeline(cast: &Cast) -> Vec<TimelineLine> {
    let line = |at, kind| TimelineLine { at: minute(at), kind, by: Some(cast.aidant.clone()) };
    let usager = TimelineLine { by: None, ..line(-299_990, EventKind::MandateConsented) };
    vec![line(-300_000, EventKind::MandateProposed), usager, line(-299_980, EventKind::MandateAccepted)]
}

pub(super) fn printed(cast: &Cast) -> PrintedMandate {
    PrintedMandate {
        mandate: cast.card(1, in_force()),
        usager: cast.person(),
        consented_at: minute(-300_010),
        channel: ConsentChannel::InPresence,
        accepted_at: minute(-300_000),
        accepted_by: cast.aidant.clone(),
        ends_at: minute(20_000),
        place: "Saint-Aubin".into(),
        contact: vec!["2, place de l’Église, 01000 Saint-Aubin".into(), "04 74 00 00 00".into()],
        space_address: "porteplume.example/usager".into(),
        text: cast.wording(),
        verification_code: "K7QF-2M9X-4RTA".into(),
        card: Some(RevocationCard {
            code: "4rta2m9xk7qfm".into(),
            address: "porteplume.example/revoquer".into(),
        }),
        verification_address: "porteplume.example/verifier".into(),
        qr: Qr::of("https://porteplume.example/verifier/1820035728/k7qf2m9x4rtab"),
        receipt: receipt(),
        proof: Qr::of_much(&"c2sp.org/tlog-proof@v1 ".repeat(60)),
    }
}

fn line(cast: &Cast, digit: u8, standing: Standing) -> AidantLine {
    AidantLine {
        id: AidantId::from_bytes([digit; 16]),
        name: cast.aidant.clone(),
        email: "karim.benali@saint-aubin.example".into(),
        role: if digit == 1 { Role::Referent } else { Role::Aidant },
        standing,
        asked: (digit == 2 && standing == Standing::Active).then(|| minute(-90)),
        since: (standing != Standing::Invited).then(|| minute(-4_000)),
        closed: u64::from(digit) - 1,
        is_self: digit == 1,
    }
}

pub(super) const SAMPLES: &[Sample] = &[
    ("aidant-home", |cast, l| {
        let page = AidantHome {
            open: vec![cast.intervention(1, open())],
            waiting: vec![cast.card(1, Status::Consented { lapses_at: minute(12) })],
            soon: vec![cast.card(3, in_force())],
            standing: 12,
            done: cast.interventions().split_off(1),
        };
        page.render(&cast.flashed(l))
    }),
    ("aidant-home-empty", |cast, l| {
        let page = AidantHome { open: vec![], waiting: vec![], soon: vec![], standing: 0, done: vec![] };
        page.render(&cast.as_aidant(l))
    }),
    ("factor", |cast, l| factor(vec![], FactorReason::SignIn).render(&cast.as_aidant(l))),
    ("factor-wrong", |cast, l| {
        factor(vec![Problem::CodeWrong { left: 3 }], FactorReason::Act).render(&cast.as_aidant(l))
    }),
    ("factor-locked", |cast, l| {
        let locked = Problem::FactorLocked { until: minute(15) };
        factor(vec![locked], FactorReason::SignIn).render(&cast.as_aidant(l))
    }),
    ("enrol", |cast, l| {
        let key = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        let qr = Qr::of(&format!("otpauth://totp/Porteplume:karim?secret={key}&issuer=Porteplume"));
        Enrol { problems: vec![], qr, key: key.into() }.render(&cast.as_aidant(l))
    }),
    ("recovery-codes", |cast, l| {
        let codes = (0..10).map(|n| format!("{n}K7QF-2M9XA")).collect();
        RecoveryCodes { codes, next: "/aidant".into() }.render(&cast.as_aidant(l))
    }),
    ("mandates", |cast, l| MandateList { mandates: cards(cast) }.render(&cast.as_aidant(l))),
    ("new-mandate", |cast, l| NewMandate { problems: vec![], themes: themes() }.render(&cast.as_aidant(l))),
    ("new-mandate-problem", |cast, l| {
        let problems = vec![Problem::Terms(crate::mandate::InvalidTerms::NoProcedure)];
        NewMandate { problems, themes: themes() }.render(&cast.as_aidant(l))
    }),
    ("new-mandate-term", |cast, l| term_page(vec![], Some(TermChoice::Month)).render(&cast.as_aidant(l))),
    ("new-mandate-term-problem", |cast, l| {
        let problems = vec![Problem::TermMissing, Problem::Terms(crate::mandate::InvalidTerms::TooLong)];
        term_page(problems, None).render(&cast.as_aidant(l))
    }),
    ("proposal", |cast, l| {
        let mandate = cast.card(1, Status::Proposed { lapses_at: minute(30) });
        Proposal { mandate, term: Term::Until(date!(2027 - 03 - 01)) }.render(&cast.as_aidant(l))
    }),
    ("locked", |cast, l| {
        let page = Locked { problems: vec![], aidant: cast.aidant.clone(), answered: false };
        page.render(&handed_over(l))
    }),
    ("locked-wrong", |cast, l| {
        let problems = vec![Problem::CodeWrong { left: 1 }];
        Locked { problems, aidant: cast.aidant.clone(), answered: true }.render(&handed_over(l))
    }),
    ("accept", |cast, l| {
        let mandate = cast.card(1, Status::Consented { lapses_at: minute(12) });
        Accept { mandate, term: Term::SixMonths }.render(&cast.as_aidant(l))
    }),
    ("proposal-refused", |cast, l| {
        ProposalOver { mandate: cast.card(1, Status::Refused { at: minute(-1) }) }.render(&cast.as_aidant(l))
    }),
    ("proposal-lapsed", |cast, l| {
        ProposalOver { mandate: cast.card(1, Status::Lapsed { at: minute(-1) }) }.render(&cast.as_aidant(l))
    }),
    ("mandate", |cast, l| {
        let page = MandateDetail {
            mandate: cast.card(1, in_force()),
            timeline: timeline(cast),
            interventions: cast.interventions(),
            revocation: Some(CardStanding { tried: true, locked_until: Some(minute(50)) }),
            receipt: Some(receipt()),
            papers: 2,
        };
        page.render(&cast.acting(l))
    }),
    ("papers", |cast, l| papers(1, cast, l)),
    ("papers-none", |cast, l| papers(0, cast, l)),
    ("renounce", |cast, l| Renounce { mandate: cast.card(1, in_force()) }.render(&cast.as_aidant(l))),
    ("printed", |cast, l| printed(cast).render(&cast.as_aidant(l))),
    ("referent-anomalies", |cast, l| {
        let all = vec![for_referent(cast, Rule::HastyConsent, 3), for_referent(cast, Rule::OutsideHours, 4)];
        let page = Anomalies { looker: Looker::Referent, open: true, anomalies: all, next: None };
        page.render(&cast.as_aidant(l))
    }),
    ("referent-anomaly", |cast, l| {
        let anomaly = for_referent(cast, Rule::HastyConsent, 3);
        let page = one_anomaly(cast, Looker::Referent, anomaly, vec![Problem::CommentMissing]);
        page.render(&cast.as_aidant(l))
    }),
    ("referent-aidants", |cast, l| {
        let all = [Standing::Active, Standing::Active, Standing::Suspended, Standing::Invited];
        let aidants = (1..).zip(all).map(|(digit, standing)| line(cast, digit, standing)).collect();
        Aidants { aidants }.render(&cast.as_aidant(l))
    }),
    ("referent-invite", |cast, l| {
        let page = Invite {
            problems: vec![Problem::FamilyNameMissing, Problem::EmailInvalid, Problem::RoleMissing],
            given_name: cast.aidant.clone(),
            family_name: String::new(),
            email: "pas une adresse".into(),
            role: None,
            idempotency: "idempotency-key".into(),
        };
        page.render(&cast.as_aidant(l))
    }),
    ("referent-other-sign-in", |cast, l| {
        let (aidant, asked) = (line(cast, 2, Standing::Active), minute(-90));
        OtherSignIn { aidant, asked, problems: Vec::new() }.render(&cast.as_aidant(l))
    }),
    ("referent-other-sign-in-wrong", |cast, l| {
        let (aidant, asked) = (line(cast, 2, Standing::Active), minute(-90));
        OtherSignIn { aidant, asked, problems: vec![Problem::AccountCodeWrong] }.render(&cast.as_aidant(l))
    }),
    ("referent-suspend", |cast, l| {
        ChangeStanding { aidant: line(cast, 2, Standing::Active) }.render(&cast.as_aidant(l))
    }),
    ("referent-reinstate", |cast, l| {
        ChangeStanding { aidant: line(cast, 2, Standing::Suspended) }.render(&cast.as_aidant(l))
    }),
    ("referent-procedures", |cast, l| {
        OpenProcedures { aidant: None, themes: themes() }.render(&cast.as_aidant(l))
    }),
    ("referent-procedures-aidant", |cast, l| {
        let aidant = Some(line(cast, 2, Standing::Active));
        OpenProcedures { aidant, themes: themes() }.render(&cast.as_aidant(l))
    }),
    ("referent-mandates", |cast, l| {
        OrganisationMandates { mandates: cards(cast) }.render(&cast.as_aidant(l))
    }),
    ("referent-end", |cast, l| {
        OrganisationEnd { mandate: cast.card(1, in_force()) }.render(&cast.as_aidant(l))
    }),
];

fn choice() -> Choice {
    Choice { mandate: MandateId::from_bytes([0x5b; 16]), granted: granted().remove(0), until: minute(20_000) }
}

fn choose_usager(cast: &Cast, problems: Vec<Problem>, found: bool, searched: bool) -> ChooseUsager {
    let candidate = |digit: u8| Candidate {
        id: UsagerId::from_bytes([digit; 16]),
        person: cast.person(),
        mandates: vec![MandateId::from_bytes([digit; 16]), MandateId::from_bytes([digit + 7; 16])],
    };
    ChooseUsager {
        problems,
        request: "request-1".into(),
        service: cast.service.clone(),
        searched,
        candidates: if found { vec![candidate(1), candidate(2)] } else { vec![] },
        family_name: cast.family_name.clone(),
        birth_day: "12".into(),
        birth_month: String::new(),
        birth_year: "1942".into(),
        open: vec![cast.intervention(1, open())],
    }
}

pub(super) const OUTSIDE: &[Sample] = &[
    ("authorize-usager", |cast, l| choose_usager(cast, vec![], true, false).render(&cast.as_aidant(l))),
    ("authorize-usager-found", |cast, l| {
        choose_usager(cast, vec![Problem::UsagerMissing], true, true).render(&cast.as_aidant(l))
    }),
    ("authorize-usager-none", |cast, l| {
        choose_usager(cast, vec![Problem::BirthDateInvalid], false, true).render(&cast.as_aidant(l))
    }),
    ("authorize-mandate", |cast, l| {
        let page = ChooseMandate {
            problems: vec![Problem::ChoiceMissing],
            request: "request-1".into(),
            service: cast.service.clone(),
            usager_id: UsagerId::from_bytes([3; 16]),
            usager: cast.person(),
            choices: vec![choice(), Choice { mandate: MandateId::from_bytes([2; 16]), ..choice() }],
            refused: granted()
                .into_iter()
                .zip([Refusal::ServiceNotEntitled, Refusal::ProcedureWithdrawn])
                .collect(),
        };
        page.render(&cast.as_aidant(l))
    }),
    ("authorize-mandate-none", |cast, l| {
        let page = ChooseMandate {
            problems: vec![],
            request: "request-1".into(),
            service: cast.service.clone(),
            usager_id: UsagerId::from_bytes([3; 16]),
            usager: cast.person(),
            choices: vec![],
            refused: vec![],
        };
        page.render(&cast.as_aidant(l))
    }),
    ("authorize-confirm", |cast, l| {
        let page = Confirm {
            request: "request-1".into(),
            service: cast.service.clone(),
            aidant: cast.aidant.clone(),
            organisation: cast.organisation.clone(),
            usager_id: UsagerId::from_bytes([3; 16]),
            usager: cast.person(),
            choice: choice(),
            outlives: true,
            told_who_acts: true,
            idempotency: "idempotency-key".into(),
        };
        page.render(&cast.acting(l))
    }),
    ("authorize-refused", |cast, l| {
        let page = AuthorizeRefused {
            request: "request-1".into(),
            service: cast.service.clone(),
            refusal: Refusal::Revoked,
            request_id: "01JD5Z6Y7X".into(),
        };
        page.render(&cast.as_aidant(l))
    }),
];
