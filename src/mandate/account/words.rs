//! The sentences of an account.

use super::{EndingWay, EventThen, GrantedThen, Learned, UseThen, WhatThen};
use crate::mandate::notice_text::{clean, ending, moment, outcome};
use crate::mandate::{Act, EndReason, EndingMotive, EventKind, Language, NoticeKind};

fn acts(language: Language, acts: &[Act]) -> String {
    acts.iter().map(|act| act.phrase(language)).collect::<Vec<_>>().join(", ")
}

impl GrantedThen {
    pub(super) fn words(&self, language: Language) -> String {
        let (name, acts) = (clean(self.name.text(language)), acts(language, &self.acts));
        let out = self.withdrawn.map(|at| moment(language, at));
        match (language, out) {
            (Language::Fr, None) => format!("{name} : {acts}."),
            (Language::En, None) => format!("{name}: {acts}."),
            (Language::Fr, Some(at)) => format!("{name} : {acts}. Démarche retirée {at}."),
            (Language::En, Some(at)) => format!("{name}: {acts}. Taken out {at}."),
        }
    }
}

fn person(language: Language, name: &str) -> String {
    match (name.is_empty(), language) {
        (false, _) => clean(name),
        (true, Language::Fr) => "une personne dont le nom a été effacé".to_owned(),
        (true, Language::En) => "a person whose name was erased".to_owned(),
    }
}

impl UseThen {
    pub(super) fn words(&self, language: Language) -> String {
        let fr = language == Language::Fr;
        let (begun, aidant) = (moment(language, self.at.0), person(language, &self.aidant));
        let (procedure, service) = (clean(self.procedure.text(language)), clean(&self.service));
        let may = acts(language, &self.acts);
        let mut said = vec![if fr {
            format!("{begun}, {aidant}, auprès de {service} : {procedure} ({may}).")
        } else {
            format!("{begun}, {aidant}, at {service}: {procedure} ({may}).")
        }];
        if let Some(over) = self.at.1 {
            let over = moment(language, over);
            said.push(if fr { format!("Terminé {over}.") } else { format!("Over {over}.") });
        }
        let silent = if fr {
            "le service n’a rien dit pour le moment"
        } else {
            "the service has said nothing so far"
        };
        let came = self.reported.as_ref().map_or(silent, |(came, _)| outcome(language, *came));
        let receipt = self.reported.as_ref().and_then(|(_, receipt)| receipt.as_ref());
        let number = receipt.map(|receipt| clean(receipt.as_str()));
        said.push(match (number, fr) {
            (Some(number), true) => format!("Résultat : {came}, reçu n° {number}."),
            (Some(number), false) => format!("Result: {came}, receipt no. {number}."),
            (None, true) => format!("Résultat : {came}."),
            (None, false) => format!("Result: {came}."),
        });
        let text = said.join(" ");
        let mut first = text.chars();
        // A line begins like a sentence.
        first.next().map(|c| c.to_uppercase().chain(first).collect()).unwrap_or_default()
    }
}

impl EventThen {
    pub(super) fn words(&self, language: Language) -> String {
        let fr = language == Language::Fr;
        let at = moment(language, self.at);
        let said = match &self.what {
            WhatThen::Step(kind) => step(language, *kind),
            WhatThen::Refused(service, procedure) => {
                let service = clean(service);
                let procedure =
                    procedure.as_ref().map_or_else(String::new, |name| clean(name.text(language)));
                match (fr, procedure.is_empty()) {
                    (true, true) => format!("une intervention auprès de {service} a été refusée"),
                    (true, false) => {
                        format!("une intervention auprès de {service} a été refusée : {procedure}")
                    }
                    (false, true) => format!("an intervention at {service} was refused"),
                    (false, false) => format!("an intervention at {service} was refused: {procedure}"),
                }
            }
            WhatThen::Withdrawn(name, way) => {
                let (name, way) = (clean(name.text(language)), by_way(language, *way));
                if fr {
                    format!("la démarche « {name} » a été retirée{way}")
                } else {
                    format!("the procedure “{name}” was taken out{way}")
                }
            }
            WhatThen::Ended(reason, way, motive) => {
                let way = by_way(language, *way);
                let mut said =
                    if fr { format!("le mandat a pris fin{way}") } else { format!("the mandate ended{way}") };
                if let Some(reason) = reason {
                    said.push_str(". ");
                    said.push_str(ending_of(language, *reason));
                }
                if let Some(motive) = motive {
                    said.push_str(". ");
                    said.push_str(motive_words(language, *motive));
                }
                said
            }
            WhatThen::Known(who) => match (who, fr) {
                (Learned::Organisation, true) => "la structure a su que le mandat avait pris fin".to_owned(),
                (Learned::Organisation, false) => {
                    "the organisation learned that the mandate had ended".to_owned()
                }
                (Learned::Usager, true) => "la personne a vu que le mandat avait pris fin".to_owned(),
                (Learned::Usager, false) => "the person saw that the mandate had ended".to_owned(),
                (Learned::Service(name), true) => {
                    format!("{} a su que le mandat avait pris fin", clean(name))
                }
                (Learned::Service(name), false) => {
                    format!("{} learned that the mandate had ended", clean(name))
                }
            },
            WhatThen::Told(kind, of) => told_words(language, *kind, *of),
            WhatThen::Looked(kind, purpose) => {
                let look = look(language, *kind);
                match purpose.as_deref().map(clean) {
                    Some(purpose) if fr => format!("{look} (motif : {purpose})"),
                    Some(purpose) => format!("{look} (purpose: {purpose})"),
                    None => look.to_owned(),
                }
            }
        };
        let by = if self.by.is_empty() { String::new() } else { format!(" ({})", clean(&self.by)) };
        let text = if fr { format!("{at} : {said}{by}.") } else { format!("{at}: {said}{by}.") };
        let mut first = text.chars();
        first.next().map(|c| c.to_uppercase().chain(first).collect()).unwrap_or_default()
    }
}

fn by_way(language: Language, way: Option<EndingWay>) -> String {
    way.map_or_else(String::new, |way| format!(", {}", way.phrase(language)))
}

/// The end's reason, for whoever reads: the letter speaks to the usager, the account to both.
const fn ending_of(language: Language, reason: EndReason) -> &'static str {
    match (reason, language) {
        (EndReason::Revoked, Language::Fr) => "La personne y a mis fin",
        (EndReason::Revoked, Language::En) => "The person ended it",
        _ => ending(language, reason),
    }
}

const fn motive_words(language: Language, motive: EndingMotive) -> &'static str {
    match (motive, language) {
        (EndingMotive::Done, Language::Fr) => "Motif donné : l’aide n’est plus utile",
        (EndingMotive::Done, Language::En) => "Reason given: help is no longer needed",
        (EndingMotive::OtherHelp, Language::Fr) => "Motif donné : quelqu’un d’autre aide maintenant",
        (EndingMotive::OtherHelp, Language::En) => "Reason given: somebody else helps now",
        (EndingMotive::NotContent, Language::Fr) => "Motif donné : l’aide ne convenait pas",
        (EndingMotive::NotContent, Language::En) => "Reason given: the help was not what was wanted",
        (EndingMotive::Worried, Language::Fr) => "Motif donné : une inquiétude",
        (EndingMotive::Worried, Language::En) => "Reason given: a worry",
    }
}

fn step(language: Language, kind: EventKind) -> String {
    let fr = language == Language::Fr;
    let pick = |french: &'static str, english: &'static str| if fr { french } else { english }.to_owned();
    match kind {
        EventKind::MandateProposed => pick("le mandat a été préparé", "the mandate was prepared"),
        EventKind::ScreenHandedOver => {
            pick("l’écran a été confié à la personne", "the screen was handed to the person")
        }
        EventKind::ScreenUnlocked => pick("l’aidant a repris l’écran", "the aidant took the screen back"),
        EventKind::UsagerIdentified => pick("la personne s’est identifiée", "the person was identified"),
        EventKind::ConsentAsked => pick(
            "l’accord de la personne a été demandé par un autre moyen que l’écran",
            "the person’s agreement was asked for by another way than the screen",
        ),
        EventKind::AskingSent => pick("un code a été envoyé à la personne", "a code was sent to the person"),
        EventKind::AskingNotSent => pick("le code n’a pas pu être envoyé", "the code could not be sent"),
        EventKind::AskingOpened => {
            pick("la proposition a été ouverte avec le code", "the proposal was opened with the code")
        }
        EventKind::AskingRefused => {
            pick("un code faux a été donné pour l’accord", "a wrong code was given for the agreement")
        }
        EventKind::AskingLocked => pick(
            "trop de codes faux : l’accord est à demander de nouveau",
            "too many wrong codes: the agreement has to be asked for again",
        ),
        EventKind::ConsentAnswered => pick(
            "la personne a dit oui, une seconde personne doit le confirmer",
            "the person said yes, a second person has to confirm it",
        ),
        EventKind::ConsentRejected => {
            pick("la seconde personne n’a pas confirmé", "the second person did not confirm")
        }
        EventKind::MandateConsented => pick("la personne a dit oui", "the person said yes"),
        EventKind::MandateAccepted => pick("la structure a accepté", "the organisation accepted"),
        EventKind::MandateRefused => pick("la personne a dit non", "the person said no"),
        EventKind::MandateLapsed => pick("personne n’a répondu à temps", "nobody answered in time"),
        EventKind::CardMade => pick(
            "une autre carte a été faite pour arrêter le mandat",
            "another card was made to end the mandate",
        ),
        EventKind::CardRefused => {
            pick("un code faux a été donné pour la carte", "a wrong code was given for the card")
        }
        EventKind::CardLocked => {
            pick("la carte a été bloquée : trop de codes faux", "the card was locked: too many wrong codes")
        }
        EventKind::PersonErased => {
            pick("les données de la personne ont été effacées", "the person’s data were erased")
        }
        EventKind::AccountRendered => pick("ce compte rendu a été donné", "this account was given"),
        other if fr => format!("une écriture technique ({})", other.as_str()),
        other => format!("a technical entry ({})", other.as_str()),
    }
}

const fn look(language: Language, kind: EventKind) -> &'static str {
    let fr = matches!(language, Language::Fr);
    match kind {
        EventKind::MandateRead => {
            if fr {
                "un aidant de la structure a lu le mandat"
            } else {
                "an aidant of the organisation read the mandate"
            }
        }
        EventKind::MandatePrinted => {
            if fr {
                "le mandat a été imprimé"
            } else {
                "the mandate was printed"
            }
        }
        _ if fr => "un contrôle a regardé ce qui concerne ce mandat",
        _ => "somebody who checks looked at what concerns this mandate",
    }
}

fn told_words(language: Language, kind: EventKind, of: Option<NoticeKind>) -> String {
    let fr = language == Language::Fr;
    let what = match (of, fr) {
        (Some(NoticeKind::Receipt), true) => "un reçu",
        (Some(NoticeKind::Receipt), false) => "a receipt",
        (Some(NoticeKind::Ended), true) => "l’annonce de la fin",
        (Some(NoticeKind::Ended), false) => "word of the end",
        (Some(NoticeKind::Withdrawn), true) => "l’annonce d’un retrait",
        (Some(NoticeKind::Withdrawn), false) => "word of what was taken out",
        (Some(NoticeKind::Statement), true) => "le compte rendu du mandat",
        (Some(NoticeKind::Statement), false) => "the account of the mandate",
        (Some(NoticeKind::EndsInAMonth | NoticeKind::EndsInAWeek), true) => "le rappel de la fin prochaine",
        (Some(NoticeKind::EndsInAMonth | NoticeKind::EndsInAWeek), false) => "the reminder that it ends soon",
        (Some(NoticeKind::Unused), true) => "le rappel que le mandat ne sert pas",
        (Some(NoticeKind::Unused), false) => "the reminder that the mandate is not used",
        (None, true) => "un message",
        (None, false) => "a message",
    };
    match (kind, fr) {
        (EventKind::NoticeDue, true) => format!("{what} est à donner à la personne"),
        (EventKind::NoticeDue, false) => format!("{what} is to be given to the person"),
        (EventKind::NoticeNotSent, true) => format!("{what} n’a pas pu être envoyé : à remettre sur papier"),
        (EventKind::NoticeNotSent, false) => format!("{what} could not be sent: to be handed over on paper"),
        (EventKind::NoticeHandedOver, true) => format!("{what} : remis sur papier"),
        (EventKind::NoticeHandedOver, false) => format!("{what}: handed over on paper"),
        (_, true) => format!("{what} : envoyé"),
        (_, false) => format!("{what}: sent"),
    }
}
