//! What codes mean, in plain words: states, refusals, journal entries. Every match is exhaustive, so that
//! a new code does not compile before it has its sentence in both languages.

mod catalogue;
mod event;
mod refusal;

pub use catalogue::catalogue;
pub use event::event;
pub use refusal::{Advice, anomaly, glass, refusal, transition};

use super::Text;
use crate::mandate::{ConsentChannel, EndReason, InvalidTerms, Outcome, Role, Standing, Strength};

/// A pair, written short: these tables are read by the hundred.
const fn text(fr: &'static str, en: &'static str) -> Text {
    Text { fr, en }
}

/// How what an entry tells of came out.
#[must_use]
pub const fn outcome(outcome: Outcome) -> Text {
    match outcome {
        Outcome::Done => text("fait", "done"),
        Outcome::Refused => text("refusé", "refused"),
    }
}

/// By which way somebody consented.
#[must_use]
pub const fn consent_channel(channel: ConsentChannel) -> Text {
    match channel {
        ConsentChannel::InPresence => text("en présence", "in presence"),
        ConsentChannel::OwnDevice => text("sur son propre appareil", "on a device of their own"),
        ConsentChannel::Telephone => text("par téléphone", "by telephone"),
        ConsentChannel::Paper => text("sur papier signé", "on signed paper"),
        ConsentChannel::PostedCode => text("par un code reçu par la poste", "by a code from the post"),
        ConsentChannel::SeenDocument => {
            text("en présence, avec une pièce d’identité", "in presence, with an identity document")
        }
    }
}

/// How much a consent proves.
#[must_use]
pub const fn strength(strength: Strength) -> Text {
    match strength {
        Strength::Reached => text("la personne a été jointe", "the person was reached"),
        Strength::Witnessed => text("deux professionnels l’ont vérifié", "two professionals checked it"),
        Strength::Identified => text("la personne a prouvé son identité", "the person proved their identity"),
    }
}

/// Why a mandate ended.
#[must_use]
pub const fn end_reason(reason: EndReason) -> Text {
    match reason {
        EndReason::Revoked => text("la personne y a mis fin", "the person ended it"),
        EndReason::Renounced => text("l’aidant y a renoncé", "the aidant renounced it"),
        EndReason::EndedByOrganisation => text("la structure y a mis fin", "the organisation ended it"),
        EndReason::Expired => text("sa durée est écoulée", "its term has run out"),
        EndReason::Deceased => text("la personne est décédée", "the person has died"),
        EndReason::Protected => {
            text("une mesure de protection a été prononcée", "a legal protection measure was pronounced")
        }
    }
}

/// Whether a party may act.
#[must_use]
pub const fn standing(standing: Standing) -> Text {
    match standing {
        Standing::Invited => text("invité, pas encore venu", "invited, not yet signed in"),
        Standing::Active => text("actif", "active"),
        Standing::Suspended => text("suspendu", "suspended"),
    }
}

/// What an aidant may do.
#[must_use]
pub const fn role(role: Role) -> Text {
    match role {
        Role::Aidant => text("aidant", "aidant"),
        Role::Referent => text("référent", "referent"),
    }
}

/// What is wrong with the terms of a mandate, and the cure.
#[must_use]
pub const fn invalid_terms(terms: InvalidTerms) -> Text {
    match terms {
        InvalidTerms::NoProcedure => {
            text("Choisissez au moins une démarche.", "Choose at least one procedure.")
        }
        InvalidTerms::UnknownProcedure => text(
            "Une démarche n’est plus proposée. Choisissez de nouveau.",
            "One procedure is no longer offered. Choose again.",
        ),
        InvalidTerms::EndInPast => text(
            "La date de fin est passée. Choisissez une date à venir.",
            "The end date has passed. Choose a date to come.",
        ),
        InvalidTerms::TooLong => text(
            "Un mandat dure un an au plus. Choisissez une date plus proche.",
            "A mandate lasts one year at most. Choose an earlier date.",
        ),
    }
}

/// What a name in an entry or its openings stands for; names unknown here are shown as they are.
#[must_use]
pub fn subject(name: &str) -> Option<Text> {
    Some(match name {
        "organisation" => text("structure", "organisation"),
        "aidant" => text("aidant", "aidant"),
        "auditor" => text("auditeur", "auditor"),
        "usager" => text("personne accompagnée", "usager"),
        "mandate" => text("mandat", "mandate"),
        "representation" => text("intervention", "intervention"),
        "client" | "service" => text("service", "service"),
        "procedure" => text("démarche", "procedure"),
        "reading" | "detail.reading" => text("lecture", "reading"),
        "kind" => text("genre", "kind"),
        "fact.kind" => text("fait : genre", "fact: kind"),
        "fact.reason" => text("fait : raison", "fact: reason"),
        "outcome" => text("résultat", "outcome"),
        "code" => text("code du refus", "code of the refusal"),
        "entry" | "detail.entry" => text("écriture", "entry"),
        "seq" => text("rang dans la vie du mandat", "rank in the mandate’s life"),
        "previous" => text("écriture d’avant dans la vie du mandat", "entry before in the mandate’s life"),
        "address" => text("adresse du navigateur", "address of the browser"),
        "session" => text("session", "session"),
        "software" => text("version du logiciel", "version of the software"),
        "act" => text("ce qui s’est passé", "what happened"),
        "sub" => text("la personne accompagnée", "the usager"),
        "aid" => text("l’aidant ou l’auditeur", "the aidant or auditor"),
        "ctx" => text("le contexte", "the context"),
        _ => return None,
    })
}
