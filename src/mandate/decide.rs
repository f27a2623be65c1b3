//! The one decision: may this aidant do these acts of this procedure for this usager at this service, now?
//!
//! Asked when the choice is offered, when the code is issued, at the token endpoint and at userinfo.

use super::{
    Act, Aidant, Catalogue, EndReason, Instant, Mandate, Organisation, ProcedureId, RelyingParty, Standing,
    State,
};
use std::collections::BTreeSet;
use thiserror::Error;

/// Everything a decision looks at. Nothing else may influence it.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The mandate relied on.
    pub mandate: &'a Mandate,
    /// The mandatary named by the aidant's session.
    pub organisation: &'a Organisation,
    /// The aidant who acts.
    pub aidant: &'a Aidant,
    /// The procedure to carry out.
    pub procedure: &'a ProcedureId,
    /// The acts asked for; none asked is refused.
    pub acts: &'a BTreeSet<Act>,
    /// The service that will receive the representation.
    pub relying_party: &'a RelyingParty,
    /// The catalogue in force.
    pub catalogue: &'a Catalogue,
    /// The instant of the decision.
    pub now: Instant,
}

/// What was allowed, and until when at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The acts.
    pub acts: BTreeSet<Act>,
    /// The mandate's own end.
    pub until: Instant,
}

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)*) => {
        /// Why a representation is refused. Each has a stable code, journaled and shown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
        pub enum Refusal {
            $($(#[$doc])* #[error($code)] $variant,)*
        }

        impl Refusal {
            /// Every refusal.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable code.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }
        }
    };
}

refusals! {
    /// The aidant belongs to another organisation than the mandate.
    ForeignMandate = "mandate_of_other_organisation",
    /// The organisation is suspended or not yet active.
    OrganisationSuspended = "organisation_suspended",
    /// The aidant is suspended.
    AidantSuspended = "aidant_suspended",
    /// The aidant has not yet signed in for the first time.
    AidantInvited = "aidant_not_active",
    /// The service is suspended.
    ServiceSuspended = "service_suspended",
    /// The usager has not agreed yet.
    NotConsented = "mandate_not_consented",
    /// The organisation has not accepted yet.
    NotAccepted = "mandate_not_accepted",
    /// The usager refused.
    Refused = "mandate_refused",
    /// Nobody answered in time.
    Lapsed = "mandate_lapsed",
    /// The usager revoked the mandate.
    Revoked = "mandate_revoked",
    /// The aidant renounced.
    Renounced = "mandate_renounced",
    /// The referent ended it.
    EndedByOrganisation = "mandate_ended_by_organisation",
    /// Its term has run out.
    Expired = "mandate_expired",
    /// The usager died.
    Deceased = "usager_deceased",
    /// A protection measure was pronounced.
    Protected = "usager_protected",
    /// The instant is before the mandate's start.
    NotStarted = "mandate_not_started",
    /// The procedure left the catalogue.
    UnknownProcedure = "procedure_unknown",
    /// The mandate does not list the procedure.
    ProcedureNotGranted = "procedure_not_granted",
    /// The usager took the procedure out.
    ProcedureWithdrawn = "procedure_withdrawn",
    /// The organisation closed the procedure.
    ClosedByOrganisation = "procedure_closed_by_organisation",
    /// The referent closed the procedure for this aidant.
    ClosedForAidant = "procedure_closed_for_aidant",
    /// The service is not registered for the procedure.
    ServiceNotEntitled = "service_not_entitled",
    /// No act was asked for.
    NoAct = "no_act",
    /// An act always stays with the person.
    ActNeverDelegable = "act_never_delegable",
    /// An act is not granted.
    ActNotGranted = "act_not_granted",
}

/// Decides. Total and pure: the same question has the same answer everywhere.
///
/// # Errors
/// The first [`Refusal`] that applies: parties first, then the mandate, the procedure, the acts.
pub fn decide(question: &Question<'_>) -> Result<Allowed, Refusal> {
    parties(question)?;
    let until = standing(question)?;
    procedure(question)?;
    acts(question)?;
    Ok(Allowed { acts: question.acts.clone(), until })
}

fn parties(q: &Question<'_>) -> Result<(), Refusal> {
    if q.mandate.organisation != q.organisation.id || q.aidant.organisation != q.organisation.id {
        return Err(Refusal::ForeignMandate);
    }
    if q.organisation.standing != Standing::Active {
        return Err(Refusal::OrganisationSuspended);
    }
    match q.aidant.standing {
        Standing::Active => {}
        Standing::Suspended => return Err(Refusal::AidantSuspended),
        Standing::Invited => return Err(Refusal::AidantInvited),
    }
    if q.relying_party.standing != Standing::Active {
        return Err(Refusal::ServiceSuspended);
    }
    Ok(())
}

fn standing(q: &Question<'_>) -> Result<Instant, Refusal> {
    match &q.mandate.state {
        State::Proposed => Err(Refusal::NotConsented),
        State::Consented(_) => Err(Refusal::NotAccepted),
        State::Refused { .. } => Err(Refusal::Refused),
        State::Lapsed { .. } => Err(Refusal::Lapsed),
        State::Ended { reason, .. } => Err(match reason {
            EndReason::Revoked => Refusal::Revoked,
            EndReason::Renounced => Refusal::Renounced,
            EndReason::EndedByOrganisation => Refusal::EndedByOrganisation,
            EndReason::Expired => Refusal::Expired,
            EndReason::Deceased => Refusal::Deceased,
            EndReason::Protected => Refusal::Protected,
        }),
        State::Active { acceptance, .. } if q.now < acceptance.at => Err(Refusal::NotStarted),
        State::Active { acceptance, .. } if q.now >= acceptance.ends_at => Err(Refusal::Expired),
        State::Active { acceptance, .. } => Ok(acceptance.ends_at),
    }
}

fn procedure(q: &Question<'_>) -> Result<(), Refusal> {
    if !q.mandate.terms.procedures.contains_key(q.procedure) {
        return Err(Refusal::ProcedureNotGranted);
    }
    if let State::Active { withdrawn, .. } = &q.mandate.state
        && withdrawn.contains_key(q.procedure)
    {
        return Err(Refusal::ProcedureWithdrawn);
    }
    if q.catalogue.procedure(q.procedure).is_none() {
        return Err(Refusal::UnknownProcedure);
    }
    if q.organisation.closed_procedures.contains(q.procedure) {
        return Err(Refusal::ClosedByOrganisation);
    }
    if q.aidant.closed_procedures.contains(q.procedure) {
        return Err(Refusal::ClosedForAidant);
    }
    if !q.relying_party.procedures.contains(q.procedure) {
        return Err(Refusal::ServiceNotEntitled);
    }
    Ok(())
}

fn acts(q: &Question<'_>) -> Result<(), Refusal> {
    if q.acts.is_empty() {
        return Err(Refusal::NoAct);
    }
    let catalogued = q.catalogue.procedure(q.procedure).ok_or(Refusal::UnknownProcedure)?;
    if !q.acts.iter().all(|act| catalogued.is_delegable(*act)) {
        return Err(Refusal::ActNeverDelegable);
    }
    let granted = q.mandate.terms.procedures.get(q.procedure).ok_or(Refusal::ProcedureNotGranted)?;
    if q.acts.is_subset(granted) { Ok(()) } else { Err(Refusal::ActNotGranted) }
}
