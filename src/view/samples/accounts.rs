//! The account of a mandate, and the timeline.

use super::*;
use crate::mandate::{
    Account, Act, EndingWay, EventKind, EventThen, GrantedThen, Learned, MandateNumber, NoticeKind,
    Place as Stood, ReceiptNumber, StoryPart, UseThen, WhatThen,
};
use crate::view::history::{AccountPage, Whose};
use crate::view::timeline::{TimelineEntry, UsagerTimeline};

fn account(cast: &Cast, whose: Whose) -> AccountPage {
    let place = |number: u64| Stood {
        number: Some(number),
        index: Some(20_400 + number),
        origin: "porteplume.example/journal".into(),
    };
    let taxes = granted().remove(0);
    let acts: Vec<Act> = taxes.acts.iter().copied().collect();
    let event = |number: u64, what: WhatThen, by: &str| EventThen {
        at: minute(-600 + i64::try_from(number).unwrap()),
        what,
        by: by.to_owned(),
        place: place(number),
    };
    let reported = (ProcedureOutcome::Submitted, ReceiptNumber::parse("2026-CAF-0042"));
    let account = Account {
        number: MandateNumber::of(&MandateId::from_bytes([0x5b; 16])),
        usager: cast.usager(),
        organisation: cast.organisation.clone(),
        term: Some((minute(-597), minute(40_000))),
        ended: Some((now(), EndReason::Revoked)),
        granted: vec![GrantedThen { name: taxes.name.clone(), acts: acts.clone(), withdrawn: None }],
        uses: vec![UseThen {
            at: (minute(-590), Some(minute(-580))),
            aidant: cast.aidant.clone(),
            service: "Caisse de démonstration".into(),
            procedure: taxes.name.clone(),
            acts,
            reported: Some(reported),
            places: vec![place(4), place(5), place(6)],
        }],
        events: vec![
            event(1, WhatThen::Step(EventKind::MandateProposed), &cast.aidant),
            event(2, WhatThen::Step(EventKind::MandateConsented), ""),
            event(3, WhatThen::Step(EventKind::MandateAccepted), &cast.aidant),
            event(7, WhatThen::Refused("Caisse de démonstration".into(), Some(taxes.name)), &cast.aidant),
            event(8, WhatThen::Looked(EventKind::MandatePrinted, None), ""),
            event(9, WhatThen::Ended(Some(EndReason::Revoked), Some(EndingWay::Desk), None), ""),
            event(10, WhatThen::Known(Learned::Organisation), ""),
            event(11, WhatThen::Told(EventKind::NoticeSent, Some(NoticeKind::Receipt)), ""),
            event(12, WhatThen::Step(EventKind::AccountRendered), ""),
        ],
        made_at: now(),
    };
    AccountPage { whose, mandate: MandateId::from_bytes([0x5b; 16]), account }
}

fn timeline(cast: &Cast, any: bool, language: Language) -> String {
    let mandate = MandateId::from_bytes([0x5b; 16]);
    let story = account(cast, Whose::Usager).account.story(language);
    let entry = |one| TimelineEntry::new(mandate.clone(), cast.organisation.clone(), one);
    let page = UsagerTimeline {
        mandates: vec![(mandate.clone(), cast.organisation.clone())],
        mandate: any.then(|| mandate.clone()),
        part: any.then_some(StoryPart::Done),
        from: "2026-11-01".into(),
        until: String::new(),
        found: if any { 130 } else { 0 },
        lines: story.into_iter().filter(|_| any).map(entry).collect(),
        newer: any.then(|| "/usager/timeline".into()),
        older: any.then(|| "/usager/timeline?page=2".into()),
        file: "/usager/timeline/file".into(),
    };
    page.render(&cast.as_usager(language))
}

pub(super) const SAMPLES: &[Sample] = &[
    ("usager-account", |cast, l| account(cast, Whose::Usager).render(&cast.as_usager(l))),
    ("aidant-account", |cast, l| account(cast, Whose::Aidant).render(&cast.as_aidant(l))),
    ("usager-timeline", |cast, l| timeline(cast, true, l)),
    ("usager-timeline-none", |cast, l| timeline(cast, false, l)),
];
