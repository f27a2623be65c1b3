//! Pages for anybody and for the usager.

use super::*;
use crate::mandate::MandateNumber;
use crate::mandate::{Channel, EventKind, ProcedureOutcome, ReceiptNumber, RepresentationId, ServiceReport};
use crate::mandate::{SHIPPED_TEXTS, Translation, TranslationFile};
use crate::view::card::{CardStanding, Place, RevocationCard, Revoke, RevokeWhat, Revoked};
use crate::view::consent::{Answer, Decision, Done, Identity, Welcome};
use crate::view::errors::{BeingRecorded, ErrorPage, Fault, OtherAccount, RefusedPage};
use crate::view::history::{History, HistoryLine, Proved, Whose};
use crate::view::public::{
    Accessibility, ClosedShard, Door, EndSession, Help, Landing, Leaving, Legal, SignIn, SignedOut,
    VerifyJournal,
};
use crate::view::usager::{
    CardOf, Dispute, EndMandate, Ended, Look, OwnCard, UsagerContact, UsagerHome, UsagerMandate,
};
use crate::view::{Problem, Qr, ReadingChoice, ReadingHelp, Readings, sentences};

const CHECKPOINT: &str = "porteplume.example/journal\n20452\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— \
                          porteplume.example/journal 3q2+7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs=\n";

fn done(answer: Answer) -> impl Fn(&Cast, Language) -> String {
    move |cast, language| {
        let page = Done {
            answer,
            aidant: cast.aidant.clone(),
            provider: "FranceConnect".into(),
            own: answer == Answer::Lapsed,
            still_open: answer == Answer::Refused,
        };
        page.render(&handed_over(language))
    }
}

/// The languages there are, one of them chosen.
fn readings(cast: &Cast, tag: &str) -> Readings {
    let files = SHIPPED_TEXTS.iter().map(|(_, file)| toml::from_str::<TranslationFile>(file).unwrap());
    let all: Vec<_> = files.map(|file| Translation::try_from(file).unwrap()).collect();
    let chosen = all.iter().find(|one| one.reading().as_str() == tag).unwrap();
    let terms = Terms::check(catalogue(), &super::chosen(), Term::SixMonths, now()).unwrap();
    let text = MandateText::of(&cast.organisation, &terms, catalogue()).unwrap();
    let names = terms.procedures.keys().filter_map(|id| catalogue().procedure(id));
    let names = names.map(|procedure| chosen.procedure(procedure)).collect();
    let help = ReadingHelp::new(chosen, text.translated(chosen), Term::SixMonths, names);
    Readings {
        choices: all.iter().map(ReadingChoice::of).collect(),
        chosen: Some(help),
        presented: String::new(),
    }
}

fn decision(cast: &Cast, problems: Vec<Problem>) -> Decision {
    Decision {
        problems,
        usager: cast.usager(),
        organisation: cast.organisation.clone(),
        procedures: granted(),
        term: Term::SixMonths,
        text: cast.wording(),
        readings: Readings::default(),
        protected: None,
    }
}

fn sign_in(door: Door, provider: &str, language: Language) -> String {
    let (provider, problems, email) = (Some(provider.into()), Vec::new(), String::new());
    SignIn { door, provider, problems, email, next: "/usager".into() }.render(&handed_over(language))
}

fn sign_in_by_address(problems: Vec<Problem>, language: Language) -> String {
    let (email, next) = (if problems.is_empty() { "" } else { "nora.legoff" }.into(), String::new());
    SignIn { door: Door::Aidant, provider: None, problems, email, next }.render(&handed_over(language))
}

fn usager_mandate(cast: &Cast, mandate: MandateCard, language: Language) -> String {
    let page = UsagerMandate {
        mandate,
        interventions: cast.interventions(),
        looks: looks(cast),
        revocation: Some(CardStanding { tried: true, locked_until: None }),
        receipt: Some(receipt()),
    };
    page.render(&cast.as_usager(language))
}

fn dispute(said: bool, cast: &Cast, language: Language) -> String {
    let mut interventions = cast.interventions();
    interventions.truncate(1);
    let representation = RepresentationId::from_bytes([7; 16]);
    Dispute { representation, interventions, said }.render(&cast.as_usager(language))
}

fn contact(problems: Vec<Problem>, cast: &Cast, language: Language) -> String {
    let page = UsagerContact {
        channel: problems.is_empty().then_some(Channel::Email),
        email_is_given: problems.is_empty(),
        problems,
        offered: Channel::ALL.to_vec(),
        email: "amina.diallo@exemple.fr".into(),
        telephone: String::new(),
        language,
    };
    page.render(&cast.as_usager(language))
}

fn revoked(cast: &Cast, place: Place, before: bool, one: bool) -> Revoked {
    let number = MandateNumber::of(&cast.card(1, in_force()).id);
    let procedure = one.then(|| granted().remove(0).name);
    Revoked { place, number, procedure, at: now(), receipt: (!before).then(receipt) }
}

fn what(cast: &Cast, place: Place) -> RevokeWhat {
    RevokeWhat {
        place,
        number: MandateNumber::of(&cast.card(1, in_force()).id),
        organisation: cast.organisation.clone(),
        procedures: granted(),
        until: Some(minute(20_000)),
        pass: "pass".into(),
    }
}

fn revoke(problems: Vec<Problem>, place: Place) -> Revoke {
    let number = if problems.is_empty() { "" } else { "1820-035-728" }.into();
    Revoke { problems, place, number }
}

fn ended(cast: &Cast, one: bool, language: Language) -> String {
    let status = Status::Ended { at: now(), reason: EndReason::Revoked };
    let page = Ended {
        mandate: cast.card(1, status),
        procedure: one.then(|| granted().remove(0).name),
        at: now(),
        stopped: if one { 1 } else { 3 },
        receipt: receipt(),
    };
    page.render(&cast.as_usager(language))
}

fn reported(kind: EventKind) -> Option<ServiceReport> {
    let receipt = ReceiptNumber::parse("2026-CAF-0042");
    let report = ServiceReport::new(ProcedureOutcome::Submitted, receipt).unwrap();
    (kind == EventKind::OutcomeReported).then_some(report)
}

fn history(whose: Whose) -> History {
    let line = |(number, kind): (u64, EventKind)| {
        let at = minute(-600 + i64::try_from(number).unwrap());
        HistoryLine { number, at, kind, reported: reported(kind) }
    };
    let kinds = [
        (58, EventKind::RepresentationClosed),
        (57, EventKind::OutcomeReported),
        (56, EventKind::RepresentationOpened),
        (55, EventKind::MandatePrinted),
        (54, EventKind::MandateAccepted),
        (53, EventKind::MandateConsented),
        (52, EventKind::MandateProposed),
    ];
    History {
        whose,
        mandate: MandateId::from_bytes([0x5b; 16]),
        organisation: "Médiathèque de Saint-Aubin".into(),
        lines: kinds.map(line).into(),
        length: 58,
        before: Some(52),
    }
}

fn proved(whose: Whose) -> Proved {
    Proved {
        whose,
        mandate: MandateId::from_bytes([0x5b; 16]),
        line: HistoryLine {
            number: 5,
            at: minute(-30),
            kind: EventKind::OutcomeReported,
            reported: reported(EventKind::OutcomeReported),
        },
        receipt: receipt(),
        qr: Qr::of_much(&"c2sp.org/tlog-proof@v1 ".repeat(60)),
    }
}

fn error(fault: Fault, language: Language) -> String {
    let back = (fault == Fault::Conflict).then(|| "/aidant".into());
    ErrorPage { fault, code: "stable_code".into(), request_id: "01JD5Z6Y7X".into(), back }
        .render(&anonymous(language))
}

fn looks(cast: &Cast) -> Vec<Look> {
    let kinds = [EventKind::ContentRead, EventKind::MandateRead];
    let look = |kind: EventKind| Look {
        at: minute(-90),
        kind,
        by: cast.aidant.clone(),
        purpose: (kind == EventKind::ContentRead).then(|| cast.service.clone()),
    };
    kinds.map(look).to_vec()
}

pub(super) const SAMPLES: &[Sample] = &[
    ("landing", |_, l| Landing.render(&anonymous(l))),
    ("help", |_, l| Help.render(&anonymous(l))),
    ("help-signed-in", |cast, l| Help.render(&cast.as_usager(l))),
    ("accessibility", |_, l| {
        Accessibility { contact: "acces@porteplume.example".into() }.render(&anonymous(l))
    }),
    ("legal", |cast, l| {
        let page = Legal { operator: cast.organisation.clone(), contact: "dpo@porteplume.example".into() };
        page.render(&anonymous(l))
    }),
    ("verify", |_, l| {
        let origin = "porteplume.example/journal".into();
        VerifyJournal {
            origin,
            checkpoint: Some(CHECKPOINT.into()),
            closed: vec![ClosedShard { number: 0, name: "porteplume.example/journal/2025".into() }],
        }
        .render(&anonymous(l))
    }),
    ("signed-out", |_, l| SignedOut { open_at: None }.render(&anonymous(l))),
    ("signed-out-still-open", |_, l| SignedOut { open_at: Some("ProConnect".into()) }.render(&anonymous(l))),
    ("leaving", |_, l| {
        Leaving { provider: "FranceConnect".into(), address: "/signed-out".into() }.render(&anonymous(l))
    }),
    ("end-session", |cast, l| EndSession {}.render(&cast.as_aidant(l))),
    ("sign-in-usager", |_, l| sign_in(Door::Usager, "FranceConnect", l)),
    ("sign-in-aidant", |_, l| sign_in(Door::Aidant, "ProConnect", l)),
    ("sign-in-by-address", |_, l| sign_in_by_address(Vec::new(), l)),
    ("sign-in-no-address", |_, l| sign_in_by_address(vec![Problem::EmailInvalid], l)),
    ("sign-in-auditor", |_, l| sign_in(Door::Auditor, "ProConnect", l)),
    ("consent-welcome", |cast, l| {
        let page = Welcome {
            organisation: cast.organisation.clone(),
            aidant: cast.aidant.clone(),
            procedures: granted(),
            term: Term::SixMonths,
            lapses_at: minute(25),
            provider: "FranceConnect".into(),
            identified: false,
            readings: Readings::default(),
        };
        page.render(&handed_over(l))
    }),
    ("consent-welcome-arabic", |cast, l| {
        let page = Welcome {
            organisation: cast.organisation.clone(),
            aidant: cast.aidant.clone(),
            procedures: granted(),
            term: Term::SixMonths,
            lapses_at: minute(25),
            provider: "FranceConnect".into(),
            identified: true,
            readings: readings(cast, "ar"),
        };
        page.render(&handed_over(l))
    }),
    ("consent-decision-arabic", |cast, l| {
        Decision { readings: readings(cast, "ar"), ..decision(cast, vec![]) }.render(&handed_over(l))
    }),
    ("consent-identity", |cast, l| {
        Identity { person: cast.person(), reading: String::new() }.render(&handed_over(l))
    }),
    ("consent-decision", |cast, l| decision(cast, vec![]).render(&handed_over(l))),
    ("consent-decision-problem", |cast, l| {
        decision(cast, vec![Problem::ProtectionUnanswered]).render(&handed_over(l))
    }),
    ("consent-given", |cast, l| done(Answer::Given)(cast, l)),
    ("consent-refused", |cast, l| done(Answer::Refused)(cast, l)),
    ("consent-protected", |cast, l| done(Answer::Protected)(cast, l)),
    ("consent-minor", |cast, l| done(Answer::Minor)(cast, l)),
    ("consent-not-you", |cast, l| done(Answer::NotYou)(cast, l)),
    ("consent-lapsed", |cast, l| done(Answer::Lapsed)(cast, l)),
    ("usager-home", |cast, l| {
        let cards = (1..).zip(statuses()).filter(|(_, status)| !matches!(status, Status::Proposed { .. }));
        let mandates = cards.map(|(digit, status)| cast.card(digit, status)).collect();
        UsagerHome { mandates, interventions: cast.interventions() }.render(&cast.as_usager(l))
    }),
    ("usager-home-empty", |cast, l| {
        UsagerHome { mandates: vec![], interventions: vec![] }.render(&cast.as_usager(l))
    }),
    ("usager-contact", |cast, l| contact(vec![], cast, l)),
    ("usager-contact-problems", |cast, l| {
        contact(vec![Problem::ChannelMissing, Problem::AddressInvalid, Problem::TelephoneInvalid], cast, l)
    }),
    ("usager-dispute", |cast, l| dispute(false, cast, l)),
    ("usager-dispute-said", |cast, l| dispute(true, cast, l)),
    ("usager-mandate", |cast, l| usager_mandate(cast, cast.card(1, in_force()), l)),
    ("usager-mandate-withdrawn", |cast, l| {
        let mut mandate = cast.card(1, in_force());
        mandate.procedures[0].withdrawn = Some(minute(-60));
        usager_mandate(cast, mandate, l)
    }),
    ("usager-end", |cast, l| {
        EndMandate { mandate: cast.card(1, in_force()), procedure: None }.render(&cast.as_usager(l))
    }),
    ("usager-end-procedure", |cast, l| {
        let procedure = Some(granted().remove(0));
        EndMandate { mandate: cast.card(1, in_force()), procedure }.render(&cast.as_usager(l))
    }),
    ("usager-end-last-procedure", |cast, l| {
        let mut mandate = cast.card(1, in_force());
        mandate.procedures.truncate(1);
        EndMandate { mandate, procedure: Some(granted().remove(0)) }.render(&cast.as_usager(l))
    }),
    ("usager-history", |cast, l| history(Whose::Usager).render(&cast.as_usager(l))),
    ("usager-receipt", |cast, l| proved(Whose::Usager).render(&cast.as_usager(l))),
    ("aidant-history", |cast, l| history(Whose::Aidant).render(&cast.as_aidant(l))),
    ("aidant-receipt", |cast, l| proved(Whose::Aidant).render(&cast.as_aidant(l))),
    ("usager-ended", |cast, l| ended(cast, false, l)),
    ("usager-card", |cast, l| {
        let card =
            RevocationCard { code: "4rta2m9xk7qfm".into(), address: "porteplume.example/revoquer".into() };
        OwnCard { mandate: CardOf { id: cast.card(1, in_force()).id }, card }.render(&cast.as_usager(l))
    }),
    ("revoke", |_, l| revoke(vec![], Place::Anywhere).render(&handed_over(l))),
    ("revoke-refused", |_, l| revoke(vec![Problem::CardRefused], Place::Anywhere).render(&handed_over(l))),
    ("revoke-missing", |_, l| {
        revoke(vec![Problem::NumberMissing, Problem::CodeMissing], Place::Anywhere).render(&handed_over(l))
    }),
    ("revoke-desk", |cast, l| revoke(vec![], Place::Desk).render(&cast.as_aidant(l))),
    ("revoke-desk-over", |cast, l| {
        revoke(vec![Problem::CardStepOver], Place::Desk).render(&cast.as_aidant(l))
    }),
    ("revoke-what", |cast, l| what(cast, Place::Anywhere).render(&handed_over(l))),
    ("revoke-what-desk", |cast, l| what(cast, Place::Desk).render(&cast.as_aidant(l))),
    ("revoked", |cast, l| revoked(cast, Place::Anywhere, false, false).render(&handed_over(l))),
    ("revoked-procedure", |cast, l| revoked(cast, Place::Anywhere, false, true).render(&handed_over(l))),
    ("revoked-before", |cast, l| revoked(cast, Place::Anywhere, true, false).render(&handed_over(l))),
    ("revoked-desk", |cast, l| revoked(cast, Place::Desk, false, false).render(&cast.as_aidant(l))),
    ("usager-ended-procedure", |cast, l| ended(cast, true, l)),
    ("error-not-found", |_, l| error(Fault::NotFound, l)),
    ("error-too-many-requests", |_, l| error(Fault::TooManyRequests, l)),
    ("error-form-expired", |_, l| error(Fault::FormExpired, l)),
    ("error-session-expired", |_, l| error(Fault::SessionExpired, l)),
    ("error-other-browser", |_, l| error(Fault::OtherBrowser, l)),
    ("error-bad-request", |_, l| error(Fault::BadRequest, l)),
    ("error-too-large", |_, l| error(Fault::TooLarge, l)),
    ("error-service-request", |_, l| error(Fault::ServiceRequest, l)),
    ("error-provider", |_, l| error(Fault::Provider, l)),
    ("error-not-registered", |_, l| error(Fault::NotRegistered, l)),
    ("error-no-grant", |_, l| error(Fault::NoGrant, l)),
    ("error-other-account", |_, l| {
        let (account, code, request_id) = ("k7mw-3xha".into(), "other_sign_in".into(), "01JD5Z6Y7X".into());
        OtherAccount { account, code, request_id, back: None }.render(&anonymous(l))
    }),
    ("error-suspended", |_, l| error(Fault::Suspended, l)),
    ("error-conflict", |_, l| error(Fault::Conflict, l)),
    ("error-behind", |_, l| error(Fault::Behind, l)),
    ("error-unavailable", |_, l| error(Fault::Unavailable, l)),
    ("error-internal", |_, l| error(Fault::Internal, l)),
    ("refused", |cast, l| {
        let advice = sentences::refusal(Refusal::Revoked);
        let (code, request_id) = (Refusal::Revoked.code().into(), "01JD5Z6Y7X".into());
        RefusedPage { advice, code, request_id, back: Some("/aidant".into()) }.render(&cast.as_aidant(l))
    }),
    ("being-recorded", |cast, l| {
        let promise = "journal.porteplume.example/2026/receipt\n0192f3c47d2e7c1a9b3f0e5d6c7b8a90\n\
            2l7cQWnFP8Mm3Y0oU5M1cVvZ0b2kq5n3hK8m9r4t6wE=\n1795302645123\n\n\
            — journal.porteplume.example/2026/receipt \
            kq4wZ0v1c2l7cQWnFP8Mm3Y0oU5M1cVvZ0b2kq5n3hK8m9r4t6wEkq4wZ0v1c2l7cQWnFP8Mm3Y0oU5M1cVvZ0b2kq5n3hK8m9r4t6wE\n";
        let resume = "/usager/mandates/1/ended".into();
        BeingRecorded { resume, promises: vec![promise.into()] }.render(&cast.as_usager(l))
    }),
];
