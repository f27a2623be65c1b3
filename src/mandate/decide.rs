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
    /// The procedure asks for a consent that proves more about who gave it.
    ConsentTooWeakForProcedure = "consent_too_weak_for_procedure",
    /// The service asks for a consent that proves more about who gave it.
    ConsentTooWeakForService = "consent_too_weak_for_service",
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
    strength(q)
}

/// How much the consent must prove: as much as the procedure asks for, and the service.
fn strength(q: &Question<'_>) -> Result<(), Refusal> {
    let State::Active { consent, .. } = &q.mandate.state else { return Ok(()) };
    let proves = consent.channel.strength();
    let asked = q.catalogue.procedure(q.procedure).ok_or(Refusal::UnknownProcedure)?.consent;
    if proves < asked {
        return Err(Refusal::ConsentTooWeakForProcedure);
    }
    if proves < q.relying_party.consent { Err(Refusal::ConsentTooWeakForService) } else { Ok(()) }
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

#[cfg(test)]
mod tests {
    use super::super::samples::{
        DECLARED as SAID, active, aidant, catalogue, consent_at, consented, minute, organisation, procedure,
        proposed, service,
    };
    use super::{
        Act, Aidant, Allowed, BTreeSet, Catalogue, EndReason, Instant, Mandate, Organisation, ProcedureId,
        Question, Refusal, RelyingParty, Standing, decide,
    };
    use crate::mandate::{
        AidantId, CatalogueFile, Consent, ConsentChannel, DECLARED, OrganisationId, Procedure, Strength,
    };
    use std::collections::{BTreeMap, HashMap};

    /// A question that owns what it asks about, so that a row can change one thing.
    #[derive(Clone)]
    struct Case {
        mandate: Mandate,
        organisation: Organisation,
        aidant: Aidant,
        procedure: ProcedureId,
        acts: BTreeSet<Act>,
        relying_party: RelyingParty,
        catalogue: Catalogue,
        now: Instant,
    }

    impl Case {
        /// Allowed: the row changes what it is about.
        fn baseline() -> Self {
            Self {
                mandate: active(),
                organisation: organisation(),
                aidant: aidant(),
                procedure: procedure("dettes"),
                acts: BTreeSet::from([Act::Fill]),
                relying_party: service(),
                catalogue: catalogue(),
                now: minute(5),
            }
        }

        fn but(change: impl FnOnce(&mut Self)) -> Self {
            let mut case = Self::baseline();
            change(&mut case);
            case
        }

        fn ended(reason: EndReason, at: Instant) -> Self {
            Self::but(|case| case.mandate = active().end(reason, at).unwrap())
        }

        fn decide(&self) -> Result<Allowed, Refusal> {
            decide(&Question {
                mandate: &self.mandate,
                organisation: &self.organisation,
                aidant: &self.aidant,
                procedure: &self.procedure,
                acts: &self.acts,
                relying_party: &self.relying_party,
                catalogue: &self.catalogue,
                now: self.now,
            })
        }
    }

    fn without(catalogue: &Catalogue, gone: &ProcedureId) -> Catalogue {
        let kept = catalogue.procedures().iter().filter(|procedure| &procedure.id != gone);
        Catalogue::try_from(CatalogueFile {
            version: "later".to_owned(),
            themes: catalogue.themes().to_vec(),
            procedures: kept.cloned().collect(),
        })
        .unwrap()
    }

    fn asking_for_more(catalogue: &Catalogue) -> Catalogue {
        let stricter = catalogue
            .procedures()
            .iter()
            .cloned()
            .map(|procedure| Procedure { consent: Strength::Witnessed, ..procedure });
        Catalogue::try_from(CatalogueFile {
            version: "stricter".to_owned(),
            themes: catalogue.themes().to_vec(),
            procedures: stricter.collect(),
        })
        .unwrap()
    }

    /// In force by a consent on the telephone, which says little of who gave it.
    fn told() -> Mandate {
        let asked = proposed().ask(ConsentChannel::Telephone, minute(0)).unwrap();
        let consent = Consent {
            identity_level: DECLARED.to_owned(),
            channel: ConsentChannel::Telephone,
            ..consent_at(minute(1))
        };
        asked.consent(consent, SAID).unwrap().accept(aidant().id, minute(2)).unwrap()
    }

    #[test]
    fn a_weak_consent_is_of_use_where_it_is_enough_and_nowhere_else() {
        for service in Strength::ALL {
            let case = Case::but(|c| {
                c.mandate = told();
                c.relying_party.consent = service;
            });
            assert_eq!(case.decide().is_ok(), service == Strength::Reached, "{service:?}");
            let strong = Case::but(|c| c.relying_party.consent = service);
            assert!(strong.decide().is_ok(), "{service:?}");
        }
    }

    /// The smallest case for each refusal. Exhaustive, so that a new refusal demands its row.
    fn case_of(refusal: Refusal) -> Case {
        use Refusal as R;
        let dettes = procedure("dettes");
        match refusal {
            R::ForeignMandate => Case::but(|c| c.mandate.organisation = OrganisationId::from_bytes([9; 16])),
            R::OrganisationSuspended => Case::but(|c| c.organisation.standing = Standing::Suspended),
            R::AidantSuspended => Case::but(|c| c.aidant.standing = Standing::Suspended),
            R::AidantInvited => Case::but(|c| c.aidant.standing = Standing::Invited),
            R::ServiceSuspended => Case::but(|c| c.relying_party.standing = Standing::Suspended),
            R::NotConsented => Case::but(|c| c.mandate = proposed()),
            R::NotAccepted => Case::but(|c| c.mandate = consented()),
            R::Refused => Case::but(|c| c.mandate = proposed().refuse(minute(1)).unwrap()),
            R::Lapsed => Case::but(|c| c.mandate = proposed().lapse(minute(30)).unwrap()),
            R::Revoked => Case::ended(EndReason::Revoked, minute(3)),
            R::Renounced => Case::ended(EndReason::Renounced, minute(3)),
            R::EndedByOrganisation => Case::ended(EndReason::EndedByOrganisation, minute(3)),
            R::Expired => Case::but(|c| c.now = minute(2 + 24 * 60)),
            R::Deceased => Case::ended(EndReason::Deceased, minute(3)),
            R::Protected => Case::ended(EndReason::Protected, minute(3)),
            R::NotStarted => Case::but(|c| c.now = minute(1)),
            R::UnknownProcedure => Case::but(|c| c.catalogue = without(&c.catalogue, &dettes)),
            R::ProcedureNotGranted => Case::but(|c| c.procedure = procedure("releve")),
            R::ProcedureWithdrawn => {
                Case::but(|c| c.mandate = active().withdraw(&dettes, minute(3)).unwrap())
            }
            R::ClosedByOrganisation => Case::but(|c| c.organisation.closed_procedures = [dettes].into()),
            R::ClosedForAidant => Case::but(|c| c.aidant.closed_procedures = [dettes].into()),
            R::ServiceNotEntitled => Case::but(|c| c.relying_party.procedures = BTreeSet::new()),
            R::ConsentTooWeakForProcedure => Case::but(|c| {
                c.mandate = told();
                c.catalogue = asking_for_more(&c.catalogue);
            }),
            R::ConsentTooWeakForService => Case::but(|c| {
                c.mandate = told();
                c.relying_party.consent = Strength::Witnessed;
            }),
            R::NoAct => Case::but(|c| c.acts = BTreeSet::new()),
            R::ActNeverDelegable => Case::but(|c| c.acts = [Act::Fill, Act::Sign].into()),
            R::ActNotGranted => Case::but(|c| c.acts = [Act::Fill, Act::Submit].into()),
        }
    }

    #[test]
    fn the_baseline_is_allowed_until_the_mandates_end() {
        let allowed = Allowed { acts: BTreeSet::from([Act::Fill]), until: minute(2 + 24 * 60) };
        assert_eq!(Case::baseline().decide(), Ok(allowed));
    }

    #[test]
    fn every_refusal_is_reached_by_one_minimal_change_and_has_its_own_code() {
        let mut codes = HashMap::new();
        for refusal in Refusal::ALL {
            assert_eq!(case_of(*refusal).decide(), Err(*refusal));
            assert_eq!(codes.insert(refusal.code(), refusal), None, "{}", refusal.code());
            assert_eq!(refusal.to_string(), refusal.code());
        }
    }

    #[test]
    fn codes_stay_what_journals_already_hold() {
        let codes: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(
            codes.join(" "),
            "mandate_of_other_organisation organisation_suspended aidant_suspended aidant_not_active \
             service_suspended mandate_not_consented mandate_not_accepted mandate_refused mandate_lapsed \
             mandate_revoked mandate_renounced mandate_ended_by_organisation mandate_expired \
             usager_deceased usager_protected mandate_not_started procedure_unknown procedure_not_granted \
             procedure_withdrawn procedure_closed_by_organisation procedure_closed_for_aidant \
             service_not_entitled consent_too_weak_for_procedure consent_too_weak_for_service no_act act_never_delegable act_not_granted"
        );
    }

    #[test]
    fn the_other_ways_to_the_same_refusals_are_closed_too() {
        let other = OrganisationId::from_bytes([9; 16]);
        let rows = [
            (Case::but(|c| c.aidant.organisation = other.clone()), Refusal::ForeignMandate),
            (Case::but(|c| c.organisation.id = other.clone()), Refusal::ForeignMandate),
            (Case::but(|c| c.organisation.standing = Standing::Invited), Refusal::OrganisationSuspended),
            (Case::but(|c| c.relying_party.standing = Standing::Invited), Refusal::ServiceSuspended),
            (Case::ended(EndReason::Expired, minute(2 + 24 * 60)), Refusal::Expired),
            (Case::but(|c| c.procedure = procedure("inconnue")), Refusal::ProcedureNotGranted),
        ];
        for (case, refusal) in rows {
            assert_eq!(case.decide(), Err(refusal));
        }
    }

    #[test]
    fn a_colleague_of_the_same_organisation_may_act_and_is_named() {
        let colleague = AidantId::from_bytes([8; 16]);
        assert!(Case::but(|case| case.aidant.id = colleague).decide().is_ok());
    }

    #[test]
    fn the_first_and_last_instants_of_a_mandate_are_exact() {
        let at = |micros: i64, from: Instant| {
            Case::but(|case| case.now = Instant::from_micros(from.micros() + micros)).decide().err()
        };
        let (start, end) = (minute(2), minute(2 + 24 * 60));
        assert_eq!(at(-1, start), Some(Refusal::NotStarted));
        assert_eq!(at(0, start), None);
        assert_eq!(at(-1, end), None);
        assert_eq!(at(0, end), Some(Refusal::Expired));
    }

    #[test]
    fn an_act_that_became_never_delegable_after_the_grant_is_refused() {
        let case = Case::but(|case| {
            case.mandate.terms.procedures =
                BTreeMap::from([(procedure("dettes"), BTreeSet::from([Act::Sign]))]);
            case.acts = [Act::Sign].into();
        });
        assert_eq!(case.decide(), Err(Refusal::ActNeverDelegable));
    }
}
