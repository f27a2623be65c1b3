//! The life of a mandate.
//!
//! ```text
//! proposed --ask by another way--> proposed
//! proposed --consent--> consented --accept--> active --end--> ended{reason}
//!     |--refuse--> refused   |--lapse--> lapsed   |--withdraw one procedure--> active
//!     |--lapse---> lapsed    |--end(not expired)--> ended
//! ```
//! Transitions consume the mandate; one that does not fit gives back [`TransitionError`] and nothing else.

use super::{
    Acceptance, AidantId, Asked, Consent, ConsentChannel, DECLARED, EndReason, Instant, InvalidTerms,
    MandateId, OrganisationId, ProcedureId, State, StateName, Terms, UsagerId,
};
use std::collections::BTreeMap;
use thiserror::Error;
use time::Duration;

/// How long a proposal waits for the usager in the room; by other ways, as long as each takes.
pub const PROPOSAL_LIFE: Duration = Duration::minutes(30);

/// A mandate, from its proposal on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mandate {
    /// Identifier.
    pub id: MandateId,
    /// The mandatary.
    pub organisation: OrganisationId,
    /// The aidant who proposed it.
    pub proposed_by: AidantId,
    /// When.
    pub proposed_at: Instant,
    /// What it grants.
    pub terms: Terms,
    /// How the usager was asked, when not simply on the aidant's screen.
    pub asked: Option<Asked>,
    /// Where it stands.
    pub state: State,
}

/// Why a transition was refused. The mandate is unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TransitionError {
    /// The transition does not exist from this state.
    #[error("a mandate that is {0:?} cannot do this")]
    NotFrom(StateName),
    /// The proposal's time has passed.
    #[error("the proposal has lapsed")]
    Lapsed,
    /// The proposal's time has not passed yet.
    #[error("the time has not come")]
    TooEarly,
    /// The identification is older than the proposal: consent asks for a fresh one (invariant 5).
    #[error("the identification is not fresh")]
    StaleIdentification,
    /// The term can no longer be met.
    #[error(transparent)]
    Terms(#[from] InvalidTerms),
    /// The procedure is not granted, or was withdrawn already.
    #[error("the procedure is not granted")]
    NotGranted,
    /// The consent came by another way than the usager was asked by, or claims an identification that way does not give.
    #[error("the consent did not come by the way it was asked for")]
    OtherChannel,
    /// The person has declared to be under a protection measure, or is a minor: no mandate here.
    #[error("this person cannot grant a mandate here")]
    CannotGrant,
}

impl TransitionError {
    /// Stable code, shown beside the message and journaled.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotFrom(_) => "mandate_state",
            Self::Lapsed => "proposal_lapsed",
            Self::TooEarly => "too_early",
            Self::StaleIdentification => "identification_not_fresh",
            Self::Terms(terms) => terms.code(),
            Self::NotGranted => "procedure_not_granted",
            Self::OtherChannel => "consent_by_other_channel",
            Self::CannotGrant => "usager_cannot_grant",
        }
    }
}

/// What the usager declares when consenting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Declarations {
    /// "I am under no protection measure."
    pub not_protected: bool,
    /// Whether the person could be under 18 ([`super::BirthDate::may_be_minor`]).
    pub may_be_minor: bool,
}

impl Mandate {
    /// A new proposal.
    #[must_use]
    pub fn propose(
        id: MandateId,
        organisation: OrganisationId,
        proposed_by: AidantId,
        terms: Terms,
        now: Instant,
    ) -> Self {
        Self { id, organisation, proposed_by, proposed_at: now, terms, asked: None, state: State::Proposed }
    }

    /// When the proposal lapses if nobody consents.
    #[must_use]
    pub fn lapses_at(&self) -> Instant {
        match (&self.state, self.asked) {
            (State::Consented(consent), _) => consent.at.plus(consent.channel.acceptance_life()),
            (_, Some(asked)) => asked.at.plus(asked.channel.answer_life()),
            (_, None) => self.proposed_at.plus(PROPOSAL_LIFE),
        }
    }

    fn open(&self, now: Instant) -> Result<(), TransitionError> {
        if now >= self.lapses_at() { Err(TransitionError::Lapsed) } else { Ok(()) }
    }

    /// The usager is asked by another way than on the aidant's screen; again, or by yet another, while nobody has
    /// answered. Each asking gives the time that its way takes.
    ///
    /// # Errors
    /// [`TransitionError`] when not proposed or lapsed; [`TransitionError::OtherChannel`] for the aidant's screen, for
    /// which nothing is asked beforehand.
    pub fn ask(self, channel: ConsentChannel, now: Instant) -> Result<Self, TransitionError> {
        let State::Proposed = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        self.open(now)?;
        if channel == ConsentChannel::InPresence {
            return Err(TransitionError::OtherChannel);
        }
        Ok(Self { asked: Some(Asked { channel, at: now }), ..self })
    }

    /// Whether a consent comes by a way it may come by: the one asked for, or the aidant's screen, which is open to whoever
    /// came after all. A way by which no provider identifies anybody claims no level of one.
    fn fits(&self, consent: &Consent) -> bool {
        let asked = self.asked.map_or(ConsentChannel::InPresence, |asked| asked.channel);
        let way = consent.channel == asked || consent.channel == ConsentChannel::InPresence;
        way && consent.channel.identifies() != (consent.identity_level == DECLARED)
    }

    /// The usager agrees.
    ///
    /// # Errors
    /// [`TransitionError`] when not proposed, lapsed, not freshly identified, or the person cannot grant.
    pub fn consent(self, consent: Consent, declared: Declarations) -> Result<Self, TransitionError> {
        let State::Proposed = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        self.open(consent.at)?;
        if !declared.not_protected || declared.may_be_minor {
            return Err(TransitionError::CannotGrant);
        }
        if !self.fits(&consent) {
            return Err(TransitionError::OtherChannel);
        }
        if consent.identified_at < self.proposed_at || consent.identified_at > consent.at {
            return Err(TransitionError::StaleIdentification);
        }
        Terms::check_term(self.terms.term, consent.at)?;
        Ok(Self { state: State::Consented(consent), ..self })
    }

    /// The usager says no.
    ///
    /// # Errors
    /// [`TransitionError`] when not proposed or lapsed.
    pub fn refuse(self, now: Instant) -> Result<Self, TransitionError> {
        let State::Proposed = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        self.open(now)?;
        Ok(Self { state: State::Refused { at: now }, ..self })
    }

    /// The organisation accepts; the mandate is in force.
    ///
    /// # Errors
    /// [`TransitionError`] when not consented, lapsed, before the consent (a clock that went back), or
    /// the end date has passed meanwhile.
    pub fn accept(self, by: AidantId, now: Instant) -> Result<Self, TransitionError> {
        let deadline = self.lapses_at();
        let State::Consented(consent) = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        if now >= deadline {
            return Err(TransitionError::Lapsed);
        }
        if now < consent.at {
            return Err(TransitionError::TooEarly);
        }
        Terms::check_term(self.terms.term, now)?;
        let acceptance = Acceptance { by, at: now, ends_at: self.terms.term.end(now) };
        let state = State::Active { consent, acceptance, withdrawn: BTreeMap::new() };
        Ok(Self { state, ..self })
    }

    /// Nobody answered in time.
    ///
    /// # Errors
    /// [`TransitionError`] when it is past that stage or the time has not come.
    pub fn lapse(self, now: Instant) -> Result<Self, TransitionError> {
        let due = now >= self.lapses_at();
        let consent = match self.state {
            State::Proposed => None,
            State::Consented(consent) => Some(consent),
            other => return Err(TransitionError::NotFrom(other.name())),
        };
        if !due {
            return Err(TransitionError::TooEarly);
        }
        Ok(Self { state: State::Lapsed { consent, at: now }, ..self })
    }

    /// Takes one procedure out. Taking out the last one ends the mandate as revoked.
    ///
    /// # Errors
    /// [`TransitionError`] when not active or the procedure is not (any more) granted.
    pub fn withdraw(self, procedure: &ProcedureId, now: Instant) -> Result<Self, TransitionError> {
        let State::Active { consent, acceptance, mut withdrawn } = self.state else {
            return Err(TransitionError::NotFrom(self.state.name()));
        };
        if !self.terms.procedures.contains_key(procedure) || withdrawn.contains_key(procedure) {
            return Err(TransitionError::NotGranted);
        }
        withdrawn.insert(procedure.clone(), now);
        let left = self.terms.procedures.keys().any(|id| !withdrawn.contains_key(id));
        let state = if left {
            State::Active { consent, acceptance, withdrawn }
        } else {
            let (at, reason) = (now, EndReason::Revoked);
            State::Ended { consent, acceptance: Some(acceptance), withdrawn, at, reason }
        };
        Ok(Self { state, ..self })
    }

    /// Ends the mandate. A usager may revoke before the organisation has accepted, too, and no clock
    /// can stop a revocation. A mandate that expired ended at its term, whenever that was noticed.
    ///
    /// # Errors
    /// [`TransitionError`] when there is nothing to end, or an expiry comes before the term.
    pub fn end(self, reason: EndReason, now: Instant) -> Result<Self, TransitionError> {
        let state = match self.state {
            State::Consented(consent) if reason != EndReason::Expired => {
                let withdrawn = BTreeMap::new();
                State::Ended { consent, acceptance: None, withdrawn, at: now, reason }
            }
            State::Active { acceptance, .. } if reason == EndReason::Expired && now < acceptance.ends_at => {
                return Err(TransitionError::TooEarly);
            }
            State::Active { consent, acceptance, withdrawn } => {
                let at = if reason == EndReason::Expired { acceptance.ends_at } else { now };
                State::Ended { consent, acceptance: Some(acceptance), withdrawn, at, reason }
            }
            other => return Err(TransitionError::NotFrom(other.name())),
        };
        Ok(Self { state, ..self })
    }

    /// The usager, once one has consented.
    #[must_use]
    pub fn usager(&self) -> Option<&UsagerId> {
        match &self.state {
            State::Consented(consent) | State::Active { consent, .. } | State::Ended { consent, .. } => {
                Some(&consent.usager)
            }
            State::Lapsed { consent, .. } => consent.as_ref().map(|consent| &consent.usager),
            State::Proposed | State::Refused { .. } => None,
        }
    }

    /// The end set at acceptance, once there was one.
    #[must_use]
    pub fn ends_at(&self) -> Option<Instant> {
        match &self.state {
            State::Active { acceptance, .. } => Some(acceptance.ends_at),
            State::Ended { acceptance, .. } => acceptance.as_ref().map(|a| a.ends_at),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{
        DECLARED, active, aidant, consent_at, consented, in_each_state, minute, procedure, proposed, terms,
    };
    use super::DECLARED as LEVEL;
    use super::{
        BTreeMap, Consent, ConsentChannel, Declarations, Duration, EndReason, Instant, InvalidTerms, Mandate,
        State, StateName, TransitionError,
    };
    use crate::mandate::Term;
    use time::macros::date;

    /// The transitions, each done in the way that would succeed from its own state.
    const STEPS: [&str; 7] = ["consent", "refuse", "accept", "lapse", "withdraw", "end", "expire"];

    fn step(name: &str, mandate: Mandate, now: Instant) -> Result<Mandate, TransitionError> {
        match name {
            "consent" => mandate.consent(consent_at(now), DECLARED),
            "refuse" => mandate.refuse(now),
            "accept" => mandate.accept(aidant().id, now),
            "lapse" => mandate.lapse(now),
            "withdraw" => mandate.withdraw(&procedure("dettes"), now),
            "end" => mandate.end(EndReason::Renounced, now),
            "expire" => mandate.end(EndReason::Expired, now),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn each_state_allows_its_own_transitions_and_names_itself_to_the_others() {
        use StateName::{Active, Consented, Ended, Proposed, Refused};
        // One minute after coming there.
        let early = TransitionError::TooEarly;
        for (state, (mandate, since)) in in_each_state() {
            for name in STEPS {
                let from = mandate.state.name();
                let expected = match (from, name) {
                    (Proposed, "consent") => Ok(Consented),
                    (Proposed, "refuse") => Ok(Refused),
                    (Consented, "accept") | (Active, "withdraw") => Ok(Active),
                    (Consented | Active, "end") => Ok(Ended),
                    (Proposed | Consented, "lapse") | (Active, "expire") => Err(early),
                    _ => Err(TransitionError::NotFrom(from)),
                };
                let result = step(name, mandate.clone(), since.plus(Duration::minutes(1)));
                assert_eq!(result.map(|next| next.state.name()), expected, "{state} {name}");
            }
        }
        assert_eq!(in_each_state().len(), StateName::ALL.len());
    }

    #[test]
    fn a_transition_changes_the_state_and_nothing_else() {
        for (_, (mandate, since)) in in_each_state() {
            for name in STEPS {
                for late in [1, 29, 30, 24 * 60] {
                    let now = since.plus(Duration::minutes(late));
                    if let Ok(next) = step(name, mandate.clone(), now) {
                        assert_eq!(Mandate { state: mandate.state.clone(), ..next }, mandate, "{name}");
                    }
                }
            }
        }
    }

    #[test]
    fn ended_refused_and_lapsed_are_for_ever() {
        for name in ["ended", "refused", "lapsed"] {
            let (mandate, since) = in_each_state().remove(name).unwrap();
            for step_name in STEPS {
                for late in [0, 1, 30, 24 * 60, 366 * 24 * 60] {
                    let result = step(step_name, mandate.clone(), since.plus(Duration::minutes(late)));
                    assert_eq!(result, Err(TransitionError::NotFrom(mandate.state.name())));
                }
            }
        }
    }

    #[test]
    fn an_active_mandate_accepted_again_is_told_where_it_stands() {
        let later = active().accept(aidant().id, minute(600));
        assert_eq!(later, Err(TransitionError::NotFrom(StateName::Active)));
    }

    #[test]
    fn a_proposal_waits_thirty_minutes_for_the_usager_and_then_for_the_organisation() {
        let just_before = |at: Instant| Instant::from_micros(at.micros() - 1);
        assert!(proposed().consent(consent_at(just_before(minute(30))), DECLARED).is_ok());
        let late = proposed().consent(consent_at(minute(30)), DECLARED);
        assert_eq!(late, Err(TransitionError::Lapsed));
        assert_eq!(proposed().refuse(minute(30)), Err(TransitionError::Lapsed));
        assert!(consented().accept(aidant().id, just_before(minute(31))).is_ok());
        assert_eq!(consented().accept(aidant().id, minute(31)), Err(TransitionError::Lapsed));
        assert_eq!(proposed().lapse(just_before(minute(30))), Err(TransitionError::TooEarly));
        assert_eq!(consented().lapse(minute(30)), Err(TransitionError::TooEarly));
        assert!(consented().lapse(minute(31)).is_ok());
    }

    fn declared(channel: ConsentChannel, at: Instant) -> Consent {
        Consent { channel, identity_level: LEVEL.to_owned(), ..consent_at(at) }
    }

    #[test]
    fn each_way_of_asking_gives_the_time_it_takes_and_asking_again_gives_it_anew() {
        for channel in ConsentChannel::ALL.into_iter().filter(|one| *one != ConsentChannel::InPresence) {
            let asked = proposed().ask(channel, minute(10)).unwrap();
            assert_eq!(asked.lapses_at(), minute(10).plus(channel.answer_life()), "{channel:?}");
            let again = asked.clone().ask(ConsentChannel::Paper, minute(20)).unwrap();
            assert_eq!(again.lapses_at(), minute(20).plus(Duration::days(15)));
            let over = asked.lapses_at();
            assert_eq!(asked.clone().ask(channel, over), Err(TransitionError::Lapsed));
            assert_eq!(asked.clone().refuse(over), Err(TransitionError::Lapsed));
            assert!(asked.lapse(over).is_ok());
        }
        assert_eq!(proposed().ask(ConsentChannel::InPresence, minute(1)), Err(TransitionError::OtherChannel));
        for (state, (mandate, since)) in in_each_state() {
            let asked = mandate.ask(ConsentChannel::Paper, since.plus(Duration::minutes(1)));
            assert_eq!(asked.is_ok(), state == "proposed", "{state}");
        }
    }

    #[test]
    fn consent_comes_by_the_way_it_was_asked_for_or_in_presence_and_claims_no_more_than_that_way_proves() {
        for asked in ConsentChannel::ALL.into_iter().filter(|one| *one != ConsentChannel::InPresence) {
            let mandate = proposed().ask(asked, minute(1)).unwrap();
            for channel in ConsentChannel::ALL {
                for consent in [declared(channel, minute(2)), Consent { channel, ..consent_at(minute(2)) }] {
                    let told = consent.identity_level == LEVEL;
                    let fits = [asked, ConsentChannel::InPresence].contains(&channel);
                    let honest = channel.identifies() != told;
                    let result = mandate.clone().consent(consent, DECLARED);
                    assert_eq!(result.is_ok(), fits && honest, "{asked:?} {channel:?} {told}");
                    if !(fits && honest) {
                        assert_eq!(result, Err(TransitionError::OtherChannel));
                    }
                }
            }
        }
        let unasked = proposed().consent(declared(ConsentChannel::Telephone, minute(2)), DECLARED);
        assert_eq!(unasked, Err(TransitionError::OtherChannel));
    }

    #[test]
    fn consent_asks_for_an_identification_made_for_this_proposal() {
        let consent = |identified_at| Consent { identified_at, ..consent_at(minute(5)) };
        let stale = Err(TransitionError::StaleIdentification);
        assert_eq!(proposed().consent(consent(minute(-1)), DECLARED), stale);
        assert_eq!(proposed().consent(consent(minute(6)), DECLARED), stale);
        assert!(proposed().consent(consent(minute(0)), DECLARED).is_ok());
        assert!(proposed().consent(consent(minute(5)), DECLARED).is_ok());
    }

    #[test]
    fn a_person_under_protection_or_maybe_a_minor_grants_nothing() {
        for declared in [
            Declarations { not_protected: false, ..DECLARED },
            Declarations { may_be_minor: true, ..DECLARED },
            Declarations { not_protected: false, may_be_minor: true },
        ] {
            let result = proposed().consent(consent_at(minute(1)), declared);
            assert_eq!(result, Err(TransitionError::CannotGrant));
        }
    }

    #[test]
    fn a_clock_that_went_back_stops_the_acceptance_but_never_the_revocation() {
        assert_eq!(consented().accept(aidant().id, minute(0)), Err(TransitionError::TooEarly));
        for mandate in [consented(), active()] {
            let ended = mandate.end(EndReason::Revoked, minute(-60)).unwrap();
            assert_eq!(ended.state.name(), StateName::Ended);
        }
    }

    #[test]
    fn an_end_date_that_passed_meanwhile_stops_consent_and_acceptance() {
        let at = |moment: time::OffsetDateTime| Instant::from(moment);
        let proposal_at = at(time::macros::datetime!(2026-11-22 23:40 UTC));
        let midnight = at(time::macros::datetime!(2026-11-23 00:00 UTC));
        let until = |mandate: Mandate| Mandate {
            terms: terms(Term::Until(date!(2026 - 11 - 22))),
            proposed_at: proposal_at,
            ..mandate
        };
        let late = TransitionError::Terms(InvalidTerms::EndInPast);
        assert_eq!(until(proposed()).consent(consent_at(midnight), DECLARED), Err(late));
        let before = Instant::from_micros(midnight.micros() - 1);
        let agreed = until(proposed()).consent(consent_at(before), DECLARED).unwrap();
        assert_eq!(agreed.clone().accept(aidant().id, midnight), Err(late));
        assert_eq!(agreed.accept(aidant().id, before).unwrap().ends_at(), Some(midnight));
    }

    #[test]
    fn a_withdrawn_procedure_is_gone_and_the_last_one_ends_the_mandate() {
        let (dettes, impots) = (procedure("dettes"), procedure("impots"));
        let less = active().withdraw(&dettes, minute(3)).unwrap();
        assert_eq!(less.state.name(), StateName::Active);
        assert_eq!(less.clone().withdraw(&dettes, minute(4)), Err(TransitionError::NotGranted));
        assert_eq!(less.clone().withdraw(&procedure("releve"), minute(4)), Err(TransitionError::NotGranted));
        let State::Ended { at, reason, withdrawn, acceptance, .. } =
            less.withdraw(&impots, minute(4)).unwrap().state
        else {
            panic!("the last procedure ends the mandate");
        };
        assert_eq!((at, reason, acceptance.is_some()), (minute(4), EndReason::Revoked, true));
        assert_eq!(withdrawn, BTreeMap::from([(dettes, minute(3)), (impots, minute(4))]));
    }

    #[test]
    fn an_expired_mandate_ended_at_its_term_whenever_that_was_noticed() {
        let term = minute(2 + 24 * 60);
        let early = active().end(EndReason::Expired, Instant::from_micros(term.micros() - 1));
        assert_eq!(early, Err(TransitionError::TooEarly));
        let State::Ended { at, .. } = active().end(EndReason::Expired, minute(9_999)).unwrap().state else {
            panic!("it has expired");
        };
        assert_eq!(at, term);
    }

    #[test]
    fn a_lapsed_mandate_keeps_what_the_usager_had_agreed_to() {
        let lapsed = consented().lapse(minute(31)).unwrap();
        assert_eq!(lapsed.usager(), Some(&consent_at(minute(1)).usager));
        assert_eq!(lapsed.state, State::Lapsed { consent: Some(consent_at(minute(1))), at: minute(31) });
        assert_eq!(proposed().lapse(minute(30)).unwrap().usager(), None);
    }

    #[test]
    fn the_usager_may_revoke_before_the_organisation_accepts_and_acceptance_then_fails() {
        let ended = consented().end(EndReason::Revoked, minute(2)).unwrap();
        assert_eq!((ended.ends_at(), ended.usager()), (None, Some(&consent_at(minute(1)).usager)));
        assert!(ended.accept(aidant().id, minute(3)).is_err());
    }

    #[test]
    fn codes_are_stable() {
        let codes = [
            (TransitionError::NotFrom(StateName::Ended), "mandate_state"),
            (TransitionError::Lapsed, "proposal_lapsed"),
            (TransitionError::TooEarly, "too_early"),
            (TransitionError::StaleIdentification, "identification_not_fresh"),
            (TransitionError::Terms(InvalidTerms::TooLong), "end_beyond_a_year"),
            (TransitionError::NotGranted, "procedure_not_granted"),
            (TransitionError::CannotGrant, "usager_cannot_grant"),
        ];
        for (error, code) in codes {
            assert_eq!(error.code(), code);
        }
    }
}
