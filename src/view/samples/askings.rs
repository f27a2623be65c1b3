//! Pages on which usagers are asked for their consent by other ways than the aidant's screen.

use super::*;
use crate::mandate::{Channel, ConsentChannel, DocumentKind, SeenDocument, UsagerId};
use crate::view::asking::*;
use crate::view::{MandateCard, Problem, Qr};
use time::macros::date;

fn proposal(cast: &Cast) -> MandateCard {
    MandateCard { usager: None, ..cast.card(1, Status::Proposed { lapses_at: minute(30) }) }
}

fn form(way: ConsentChannel, problems: Vec<Problem>, known: Vec<KnownPerson>) -> AskForm {
    let by: &[Channel] = match way {
        ConsentChannel::OwnDevice => &[Channel::Sms, Channel::Email],
        ConsentChannel::Telephone => &[Channel::Sms, Channel::Voice],
        _ => &[],
    };
    let typed = Typed {
        given_name: "Odette".into(),
        family_name: "Martin".into(),
        preferred_username: "Durand".into(),
        birth_day: "7".into(),
        birth_month: "3".into(),
        birth_year: "1941".into(),
        email: "odette.martin@exemple.fr".into(),
        telephone: "06 12 34 56 78".into(),
        last: "4567".into(),
    };
    AskForm {
        problems,
        mandate: MandateId::from_bytes([0x5b; 16]),
        way,
        typed,
        by: by.to_vec(),
        chosen: Some(Channel::Sms),
        document: Some(DocumentKind::Passport),
        known,
    }
}

fn asked(cast: &Cast, way: ConsentChannel, standing: AskedStanding, sending: Sending) -> AskedPage {
    AskedPage {
        problems: Vec::new(),
        mandate: proposal(cast),
        term: Term::SixMonths,
        way,
        standing,
        sending,
        to: (sending != Sending::None).then(|| "…78".into()),
        person: (way != ConsentChannel::OwnDevice).then(|| cast.person()),
        text: cast.wording(),
        until: minute(30),
        today: date!(2026 - 11 - 23),
    }
}

fn compare(cast: &Cast, way: ConsentChannel) -> Compare {
    let paper = way == ConsentChannel::Paper;
    Compare {
        mandate: proposal(cast),
        term: Term::SixMonths,
        way,
        person: cast.person(),
        document: SeenDocument::new(DocumentKind::ResidencePermit, "45Z7").ok().filter(|_| !paper),
        signed_on: paper.then_some(date!(2026 - 11 - 20)),
        by_you: true,
        has_scan: false,
    }
}

fn print(cast: &Cast, way: ConsentChannel) -> AskingPrint {
    AskingPrint {
        mandate: proposal(cast),
        term: Term::SixMonths,
        way,
        person: cast.person(),
        text: cast.wording(),
        code: (way == ConsentChannel::PostedCode).then(|| "t4e4 eacm nath g".into()),
        address: "mandats.example.fr/accord".into(),
        qr: Qr::of("1820-035-728"),
        until: minute(20_000),
    }
}

pub(super) const SAMPLES: &[Sample] = &[
    ("ask-ways", |cast, l| {
        let ways = ConsentChannel::ALL.into_iter().skip(1);
        let ways = ways.map(|way| (way, way != ConsentChannel::Telephone)).collect();
        AskWays { mandate: proposal(cast), ways }.render(&cast.as_aidant(l))
    }),
    ("ask-own-device", |cast, l| form(ConsentChannel::OwnDevice, vec![], vec![]).render(&cast.as_aidant(l))),
    ("ask-telephone-problems", |cast, l| {
        let problems = vec![Problem::GivenNameMissing, Problem::BirthDateInvalid, Problem::TelephoneInvalid];
        form(ConsentChannel::Telephone, problems, vec![]).render(&cast.as_aidant(l))
    }),
    ("ask-paper-known", |cast, l| {
        let known = vec![KnownPerson { id: UsagerId::from_bytes([7; 16]), person: cast.person() }];
        form(ConsentChannel::Paper, vec![Problem::KnownMissing], known).render(&cast.as_aidant(l))
    }),
    ("ask-document", |cast, l| {
        form(ConsentChannel::SeenDocument, vec![Problem::LastInvalid], vec![]).render(&cast.as_aidant(l))
    }),
    ("asked-own-device", |cast, l| {
        asked(cast, ConsentChannel::OwnDevice, AskedStanding::Waiting, Sending::Sent)
            .render(&cast.as_aidant(l))
    }),
    ("asked-telephone", |cast, l| {
        let page = asked(cast, ConsentChannel::Telephone, AskedStanding::Waiting, Sending::Sent);
        AskedPage { problems: vec![Problem::SaidCodeWrong], ..page }.render(&cast.as_aidant(l))
    }),
    ("asked-telephone-dead", |cast, l| {
        asked(cast, ConsentChannel::Telephone, AskedStanding::Dead, Sending::Failed)
            .render(&cast.as_aidant(l))
    }),
    ("asked-paper", |cast, l| {
        let page = asked(cast, ConsentChannel::Paper, AskedStanding::Waiting, Sending::None);
        AskedPage { problems: vec![Problem::ScanRefused], ..page }.render(&cast.as_aidant(l))
    }),
    ("asked-posted", |cast, l| {
        asked(cast, ConsentChannel::PostedCode, AskedStanding::Waiting, Sending::None)
            .render(&cast.as_aidant(l))
    }),
    ("asked-document", |cast, l| {
        asked(cast, ConsentChannel::SeenDocument, AskedStanding::Waiting, Sending::None)
            .render(&cast.as_aidant(l))
    }),
    ("asked-answered", |cast, l| {
        asked(cast, ConsentChannel::Paper, AskedStanding::Answered { by_you: true }, Sending::None)
            .render(&cast.as_aidant(l))
    }),
    ("asked-answered-own", |cast, l| {
        asked(cast, ConsentChannel::Paper, AskedStanding::Answered { by_you: false }, Sending::None)
            .render(&cast.as_aidant(l))
    }),
    ("compare-paper", |cast, l| compare(cast, ConsentChannel::Paper).render(&cast.as_aidant(l))),
    ("compare-document", |cast, l| compare(cast, ConsentChannel::SeenDocument).render(&cast.as_aidant(l))),
    ("asking-form", |cast, l| print(cast, ConsentChannel::Paper).render(&cast.as_aidant(l))),
    ("asking-letter", |cast, l| print(cast, ConsentChannel::PostedCode).render(&cast.as_aidant(l))),
    ("accord", |_, l| Accord { problems: vec![] }.render(&handed_over(l))),
    ("accord-refused", |_, l| Accord { problems: vec![Problem::AskingRefused] }.render(&handed_over(l))),
];
