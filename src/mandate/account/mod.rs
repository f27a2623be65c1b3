//! The account of a mandate (Code civil art. 1993): who, what was granted, everything that was done, refused, told and looked
//! at, how it ended, and where each of it stands in the journal. One wording for the screen, the letter and the paper.

mod story;
mod way;
mod words;

pub use story::{Happening, StoryPart};
pub use way::EndingWay;

use super::notice_text::{clean, moment};
use super::{
    Act, Bilingual, EndReason, EndingMotive, EventKind, Instant, Language, MandateNumber, NoticeKind,
    ProcedureOutcome, ReceiptNumber,
};

/// An entry of a mandate's history, and where the journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its number in the mandate's history, from 1; none for an entry that is about it and not of it (a look, a refusal).
    pub number: Option<u64>,
    /// Its index in the tree of its shard; none while it waits for its place.
    pub index: Option<u64>,
    /// The shard's name.
    pub origin: String,
}

/// Who learned that a mandate had ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Learned {
    /// The organisation.
    Organisation,
    /// The usager.
    Usager,
    /// A service, by its name.
    Service(String),
}

/// One procedure that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedThen {
    /// Its name.
    pub name: Bilingual,
    /// What may be done within it.
    pub acts: Vec<Act>,
    /// When it was taken out, if it was.
    pub withdrawn: Option<Instant>,
}

/// One representation. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct UseThen {
    /// From when to when; open when there is no end.
    pub at: (Instant, Option<Instant>),
    /// First and last name of the aidant; empty once erased.
    pub aidant: String,
    /// Name of the service.
    pub service: String,
    /// The procedure's name.
    pub procedure: Bilingual,
    /// What the aidant might do.
    pub acts: Vec<Act>,
    /// What the service reported, and the number of its receipt.
    pub reported: Option<(ProcedureOutcome, Option<ReceiptNumber>)>,
    /// Its entries.
    pub places: Vec<Place>,
}

/// Something else that stands in the journal. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct EventThen {
    /// When.
    pub at: Instant,
    /// What.
    pub what: WhatThen,
    /// First and last name of who did it, if it was a person that is named.
    pub by: String,
    /// Its entry.
    pub place: Place,
}

/// What an entry tells besides its kind. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum WhatThen {
    /// A step of the agreement, or what fits nowhere else.
    Step(EventKind),
    /// A use that was refused: at which service, which procedure.
    Refused(String, Option<Bilingual>),
    /// A procedure was taken out.
    Withdrawn(Bilingual, Option<EndingWay>),
    /// The mandate ended.
    Ended(Option<EndReason>, Option<EndingWay>, Option<EndingMotive>),
    /// Somebody learned that it had ended.
    Known(Learned),
    /// The usager was told of something, or was to be.
    Told(EventKind, Option<NoticeKind>),
    /// Somebody looked, for that purpose.
    Looked(EventKind, Option<String>),
}

/// The account of one mandate. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The mandate's number.
    pub number: MandateNumber,
    /// First and last name of the usager; empty once erased.
    pub usager: String,
    /// Name of the organisation.
    pub organisation: String,
    /// From when to when it was to stand, once accepted.
    pub term: Option<(Instant, Instant)>,
    /// When and why it ended, if it has.
    pub ended: Option<(Instant, EndReason)>,
    /// What was granted.
    pub granted: Vec<GrantedThen>,
    /// What was done, the first first.
    pub uses: Vec<UseThen>,
    /// Everything else, the first first.
    pub events: Vec<EventThen>,
    /// When the account was made.
    pub made_at: Instant,
}

/// A line of an account.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountLine {
    /// What it says.
    pub text: String,
    /// Where it stands.
    pub places: Vec<Place>,
}

/// A part of an account, ready to be read.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountPart {
    /// Stable name, for links.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it says; never empty.
    pub lines: Vec<AccountLine>,
}

/// Which part an event belongs to.
const fn part(what: &WhatThen) -> StoryPart {
    match what {
        WhatThen::Step(
            EventKind::MandateProposed
            | EventKind::ScreenHandedOver
            | EventKind::ScreenUnlocked
            | EventKind::UsagerIdentified
            | EventKind::ConsentAsked
            | EventKind::AskingSent
            | EventKind::AskingNotSent
            | EventKind::AskingOpened
            | EventKind::AskingRefused
            | EventKind::AskingLocked
            | EventKind::ConsentAnswered
            | EventKind::ConsentRejected
            | EventKind::MandateConsented
            | EventKind::MandateAccepted
            | EventKind::MandateRefused
            | EventKind::MandateLapsed,
        ) => StoryPart::Agreement,
        WhatThen::Step(_) => StoryPart::Other,
        WhatThen::Refused(..) => StoryPart::Refused,
        WhatThen::Withdrawn(..) | WhatThen::Ended(..) | WhatThen::Known(_) => StoryPart::End,
        WhatThen::Told(..) => StoryPart::Told,
        WhatThen::Looked(..) => StoryPart::Looks,
    }
}

impl Account {
    /// The account in words, part by part. Every entry it knows of stands in exactly one line.
    #[must_use]
    pub fn parts(&self, language: Language) -> Vec<AccountPart> {
        let pick = |fr: &'static str, en: &'static str| if language == Language::Fr { fr } else { en };
        let plain = |text: String| AccountLine { text, places: Vec::new() };
        let mut parts = vec![
            AccountPart {
                name: "parties",
                title: pick("Qui", "Who"),
                lines: self.parties(language).into_iter().map(plain).collect(),
            },
            AccountPart {
                name: "granted",
                title: pick("Ce qui était permis", "What was granted"),
                lines: self.granted.iter().map(|one| plain(one.words(language))).collect(),
            },
        ];
        let uses = self.uses.iter();
        let uses = uses
            .map(|one| AccountLine { text: one.words(language), places: one.places.clone() })
            .collect::<Vec<_>>();
        let named = [
            ("agreement", pick("L’accord", "The agreement"), ""),
            (
                "done",
                pick("Ce qui a été fait", "What was done"),
                pick("Rien n’a été fait.", "Nothing was done."),
            ),
            (
                "refused",
                pick("Ce qui a été refusé", "What was refused"),
                pick("Rien n’a été refusé.", "Nothing was refused."),
            ),
            (
                "end",
                pick("Les retraits et la fin", "What was taken out, and the end"),
                pick("Le mandat n’a pas pris fin.", "The mandate has not ended."),
            ),
            (
                "told",
                pick("Ce dont la personne a été prévenue", "What the person was told"),
                pick("Rien pour le moment.", "Nothing so far."),
            ),
            (
                "looks",
                pick("Qui a regardé", "Who has looked"),
                pick("Personne pour le moment.", "Nobody so far."),
            ),
            ("other", pick("Le reste", "The rest"), ""),
        ];
        for (name, title, nothing) in named {
            let mut lines = if name == "done" { uses.clone() } else { Vec::new() };
            let of = self.events.iter().filter(|event| part(&event.what).as_str() == name);
            lines.extend(
                of.map(|event| AccountLine {
                    text: event.words(language),
                    places: vec![event.place.clone()],
                }),
            );
            if lines.is_empty() && !nothing.is_empty() {
                lines.push(plain(nothing.to_owned()));
            }
            if !lines.is_empty() {
                parts.push(AccountPart { name, title, lines });
            }
        }
        parts
    }

    /// The same as lines of a letter, with the places in the journal in round brackets.
    #[must_use]
    pub fn lines(&self, language: Language) -> Vec<String> {
        let mut lines = Vec::new();
        for part in self.parts(language) {
            lines.push(String::new());
            lines.push(part.title.to_uppercase());
            lines.extend(part.lines.iter().map(|line| line.with_places(language)));
        }
        lines
    }

    /// The journal's names that places are counted in, each once, as they come.
    #[must_use]
    pub fn origins(&self) -> Vec<String> {
        let uses = self.uses.iter().flat_map(|one| &one.places);
        let mut origins: Vec<String> = Vec::new();
        for place in self.events.iter().map(|event| &event.place).chain(uses) {
            if !origins.contains(&place.origin) {
                origins.push(place.origin.clone());
            }
        }
        origins
    }

    fn parties(&self, language: Language) -> Vec<String> {
        let fr = language == Language::Fr;
        let usager = if self.usager.is_empty() {
            if fr {
                "effacée à sa demande ou par la loi"
            } else {
                "erased, as they asked or as the law says"
            }
            .to_owned()
        } else {
            clean(&self.usager)
        };
        let mut lines = vec![
            if fr { format!("La personne : {usager}") } else { format!("The person: {usager}") },
            if fr {
                format!("La structure : {}", clean(&self.organisation))
            } else {
                format!("The organisation: {}", clean(&self.organisation))
            },
            if fr {
                format!("Le mandat : n° {}", self.number)
            } else {
                format!("The mandate: no. {}", self.number)
            },
        ];
        if let Some((from, until)) = self.term {
            let (from, until) = (moment(language, from), moment(language, until));
            lines.push(if fr {
                format!("Durée prévue : commence {from}, finit {until}")
            } else {
                format!("Agreed term: begins {from}, ends {until}")
            });
        }
        lines.push(match (self.ended, fr) {
            (Some((at, _)), true) => format!("Le mandat a pris fin {}.", moment(language, at)),
            (Some((at, _)), false) => format!("The mandate ended {}.", moment(language, at)),
            (None, true) => format!("Compte rendu établi {}.", moment(language, self.made_at)),
            (None, false) => format!("Account made {}.", moment(language, self.made_at)),
        });
        lines
    }
}

impl AccountLine {
    /// The line with its places.
    #[must_use]
    pub fn with_places(&self, language: Language) -> String {
        if self.places.is_empty() {
            return self.text.clone();
        }
        let places: Vec<String> = self.places.iter().map(|place| place.words(language)).collect();
        format!("- {} [{} {}]", self.text, journal(language), places.join(", "))
    }
}

const fn journal(language: Language) -> &'static str {
    match language {
        Language::Fr => "journal :",
        Language::En => "journal:",
    }
}

impl Place {
    /// Its index, as it is written.
    #[must_use]
    pub fn words(&self, language: Language) -> String {
        match (self.index, language) {
            (Some(index), _) => index.to_string(),
            (None, Language::Fr) => "en cours d’écriture".to_owned(),
            (None, Language::En) => "being written".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn place(number: u64) -> Place {
        Place { number: Some(number), index: Some(number + 100), origin: "journal.example/2026".to_owned() }
    }

    fn at(minute: i64) -> Instant {
        Instant::from_micros(1_795_000_000_000_000 + minute * 60_000_000)
    }

    fn name(fr: &str, en: &str) -> Bilingual {
        Bilingual { fr: fr.to_owned(), en: en.to_owned() }
    }

    fn account() -> Account {
        let taxes = name("Déclarer ses revenus", "Declare income");
        let event = |number: u64, what: WhatThen| EventThen {
            at: at(i64::try_from(number).unwrap()),
            what,
            by: String::new(),
            place: place(number),
        };
        Account {
            number: MandateNumber::parse("1820-035-728").unwrap(),
            usager: "Amina Diallo".to_owned(),
            organisation: "Médiathèque de Saint-Aubin".to_owned(),
            term: Some((at(3), at(40_000))),
            ended: Some((at(9), EndReason::Revoked)),
            granted: vec![GrantedThen { name: taxes.clone(), acts: vec![Act::Fill], withdrawn: None }],
            uses: vec![UseThen {
                at: (at(4), Some(at(5))),
                aidant: "Nora\r\nLe Goff\u{202e}".to_owned(),
                service: "Caisse".to_owned(),
                procedure: taxes.clone(),
                acts: vec![Act::Fill, Act::Submit],
                reported: Some((ProcedureOutcome::Submitted, ReceiptNumber::parse("2026-CAF-0042"))),
                places: vec![place(4), place(5), place(6)],
            }],
            events: vec![
                event(1, WhatThen::Step(EventKind::MandateProposed)),
                event(2, WhatThen::Step(EventKind::MandateConsented)),
                event(3, WhatThen::Step(EventKind::MandateAccepted)),
                event(7, WhatThen::Refused("Caisse".to_owned(), Some(taxes.clone()))),
                event(8, WhatThen::Withdrawn(taxes, Some(EndingWay::Card))),
                event(9, WhatThen::Ended(Some(EndReason::Revoked), Some(EndingWay::Desk), None)),
                event(10, WhatThen::Known(Learned::Organisation)),
                event(11, WhatThen::Told(EventKind::NoticeSent, Some(NoticeKind::Receipt))),
                event(12, WhatThen::Looked(EventKind::MandateRead, None)),
                event(13, WhatThen::Step(EventKind::CardRefused)),
            ],
            made_at: at(20),
        }
    }

    #[test]
    fn every_entry_stands_in_exactly_one_line_of_either_language() {
        for language in Language::ALL {
            let parts = account().parts(language);
            let lines = parts.iter().flat_map(|part| &part.lines);
            let mut numbers: Vec<u64> =
                lines.flat_map(|line| &line.places).filter_map(|p| p.number).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=13).collect::<Vec<u64>>());
            let names: BTreeSet<_> = parts.iter().map(|part| part.name).collect();
            assert_eq!(names.len(), 9);
        }
    }

    #[test]
    fn it_says_who_what_when_with_what_result_and_how_it_ended() {
        let said = account().lines(Language::Fr).join("\n");
        for needed in [
            "Amina Diallo",
            "Médiathèque de Saint-Aubin",
            "1820-035-728",
            "Nora Le Goff, auprès de Caisse : Déclarer ses revenus (remplir le formulaire, envoyer la demande)",
            "la demande a été envoyée, reçu n° 2026-CAF-0042. [journal : 104, 105, 106]",
            "avec la carte, à l’accueil d’une structure",
            "la structure a su que le mandat avait pris fin",
        ] {
            assert!(said.contains(needed), "{needed}: {said}");
        }
        assert!(!said.contains(['\r', '\u{202e}']), "no name adds a line or turns one around");
        let english = account().lines(Language::En).join("\n");
        assert!(english.contains("with the card, at the desk of an organisation"), "{english}");
    }

    #[test]
    fn who_was_erased_is_not_named_and_what_waits_says_so() {
        let mut one = account();
        one.usager.clear();
        one.uses[0].aidant.clear();
        one.uses[0].places[0].index = None;
        let said = one.lines(Language::Fr).join("\n");
        assert!(said.contains("La personne : effacée") && said.contains("dont le nom a été effacé"));
        assert!(said.contains("[journal : en cours d’écriture, 105, 106]"), "{said}");
    }

    #[test]
    fn ways_read_back() {
        for way in EndingWay::ALL {
            assert_eq!(EndingWay::parse(way.as_str()), Some(way));
        }
        assert_eq!(EndingWay::parse("nobody"), None);
    }
}
