//! From what service functions give to what pages show.

use super::Web;
use crate::crypto::to_hex;
use crate::mandate::{Bilingual, Identity, Instant, Mandate, MandateText, ProcedureId, binding_text};
use crate::service::audit::Look;
use crate::service::card::Standing;
use crate::service::desk::{Card, Stage};
use crate::service::history::Proved;
use crate::service::receipt::Receipt;
use crate::service::uses::{Came, Use};
use crate::view::{
    self, Granted, Intervention, InterventionOutcome, MandateCard, Status, TimelineLine, Wording,
};

/// A mandate as cards show it, at that instant.
pub(super) fn card(web: &Web, card: &Card, now: Instant) -> MandateCard {
    MandateCard {
        id: card.mandate.id.clone(),
        usager: card.usager.clone(),
        organisation: card.organisation.clone(),
        aidant: card.aidant.clone(),
        status: Status::of(&card.mandate, now),
        procedures: Granted::of_mandate(&card.mandate, &web.app.catalogue),
    }
}

pub(super) fn cards(web: &Web, all: &[Card], now: Instant) -> Vec<MandateCard> {
    all.iter().map(|one| card(web, one, now)).collect()
}

/// What was done, in words.
pub(super) fn interventions(web: &Web, uses: Vec<Use>) -> Vec<Intervention> {
    let intervention = |one: Use| Intervention {
        id: one.id,
        at: one.at,
        usager: one.usager,
        aidant: one.aidant,
        organisation: one.organisation,
        service: one.service,
        leave: one.leave,
        procedure: procedure(web, one.procedure.as_ref()),
        outcome: match one.came {
            Came::Open { until } => InterventionOutcome::Open { until },
            Came::Closed { at, told } => InterventionOutcome::Closed { at, told },
            Came::Refused(refusal) => InterventionOutcome::Refused(refusal),
        },
        reported: one.reported,
    };
    uses.into_iter().map(intervention).collect()
}

/// A procedure's name; one that left the catalogue goes by its identifier, none by a dash.
pub(super) fn procedure(web: &Web, id: Option<&ProcedureId>) -> Bilingual {
    let both = |text: &str| Bilingual { fr: text.to_owned(), en: text.to_owned() };
    match id {
        Some(id) => web.app.catalogue.procedure(id).map_or_else(|| both(id.as_str()), |p| p.name.clone()),
        None => both("–"),
    }
}

pub(super) fn timeline(life: Vec<Stage>) -> Vec<TimelineLine> {
    life.into_iter().map(|stage| TimelineLine { at: stage.at, kind: stage.kind, by: stage.by }).collect()
}

pub(super) fn look(look: Look) -> view::usager::Look {
    let Look { at, kind, by, purpose, .. } = look;
    view::usager::Look { at, kind, by, purpose }
}

pub(super) fn receipt(receipt: Receipt) -> view::Receipt {
    let Receipt { event, at, index, origin, tree_size, root, leaf_hash } = receipt;
    view::Receipt { event, at, index, origin, tree_size, root, leaf_hash }
}

/// The receipt of an entry of which the whole proof is at hand.
pub(super) fn proved(proved: &Proved) -> view::Receipt {
    let proof = &proved.proof;
    view::Receipt {
        event: proved.line.event.clone(),
        at: proved.line.at,
        index: proof.log.index,
        origin: proof.origin.clone(),
        tree_size: proof.size,
        root: proof.root.to_string(),
        leaf_hash: to_hex(proof.leaf.as_bytes()),
    }
}

pub(super) fn person(identity: Identity) -> view::Person {
    view::Person {
        given_name: identity.given_name,
        family_name: identity.family_name,
        name_in_use: identity.preferred_username,
        birth_date: identity.birthdate,
    }
}

/// The text of a mandate, with its reading help as long as today's words still give the very text that was sealed.
pub(super) fn wording(web: &Web, mandate: &Mandate, organisation: &str, text: &str, hash: String) -> Wording {
    let today = MandateText::of(organisation, &mandate.terms, &web.app.catalogue);
    match today {
        Ok(today) if binding_text(&today) == text => Wording::new(&today, hash),
        _ => Wording::stored(text, hash),
    }
}

/// One of our addresses as people copy it: without scheme.
pub(super) fn address(web: &Web, path: &str) -> String {
    let address = web.app.issuer.address(path);
    address.split_once("://").map_or_else(String::new, |(_, rest)| rest.to_owned())
}

/// The card to cut out, with the address to key it in at.
pub(super) fn revocation_card(web: &Web, code: &str) -> view::card::RevocationCard {
    view::card::RevocationCard { code: code.to_owned(), address: address(web, view::paths::REVOKE) }
}

/// How a card stands, for those who may see its mandate.
pub(super) fn card_standing(standing: Standing) -> view::card::CardStanding {
    let tries = standing.tries;
    view::card::CardStanding {
        tried: tries.failures > 0 || tries.locks > 0,
        locked_until: tries.locked_until.filter(|_| standing.locked),
    }
}
