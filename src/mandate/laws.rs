//! Invariants 1 and 5 under random histories: the room against [`super::model`], written apart from it.
//!
//! Operations, time and the parties' standing are drawn at random; after each step every procedure and every
//! choice of acts is asked of both.

use super::model::{MINUTE, Model, Op, PROCEDURES};
use super::samples::{aidant, catalogue, consent_at, organisation, procedure, proposed, service, terms};
use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn op() -> impl Strategy<Value = Op> {
    let standing = || prop_oneof![3 => Just(Standing::Active), 1 => Just(Standing::Suspended), 1 => Just(Standing::Invited)];
    let minutes = prop::sample::select(vec![0, 1, 10, 29, 30, 31, 1_439, 1_440, 44_640, 262_080, 525_600]);
    prop_oneof![
        4 => minutes.prop_map(Op::Pass),
        2 => (-1..=1_i64).prop_map(Op::ToLimit),
        4 => (-1..40_i64, prop::bool::weighted(0.9), prop::bool::weighted(0.1))
            .prop_map(|(age, not_protected, may_be_minor)| Op::Consent { age, not_protected, may_be_minor }),
        1 => Just(Op::Refuse),
        4 => Just(Op::Accept),
        1 => Just(Op::Lapse),
        2 => (0..PROCEDURES.len()).prop_map(Op::Withdraw),
        1 => prop::sample::select(EndReason::ALL.to_vec()).prop_map(Op::End),
        1 => standing().prop_map(Op::Organisation),
        1 => standing().prop_map(Op::Aidant),
        1 => standing().prop_map(Op::Service),
        1 => (0..PROCEDURES.len(), any::<bool>()).prop_map(|(at, on)| Op::CloseInOrganisation(at, on)),
        1 => (0..PROCEDURES.len(), any::<bool>()).prop_map(|(at, on)| Op::CloseForAidant(at, on)),
        1 => (0..PROCEDURES.len(), any::<bool>()).prop_map(|(at, on)| Op::Entitle(at, on)),
    ]
}

/// Random operations, more often than not after a regular beginning.
fn history() -> impl Strategy<Value = Vec<Op>> {
    let regular = [Op::Consent { age: 0, not_protected: true, may_be_minor: false }, Op::Accept];
    let beginning = prop::bool::weighted(0.7).prop_map(move |on| if on { regular.to_vec() } else { vec![] });
    (beginning, prop::collection::vec(op(), 0..30)).prop_map(|(mut ops, more)| {
        ops.extend(more);
        ops
    })
}

fn term() -> impl Strategy<Value = Term> {
    let until = |days: i64| Term::Until(samples::START.date().saturating_add(time::Duration::days(days)));
    prop_oneof![
        prop::sample::select(vec![Term::Day, Term::Month, Term::SixMonths, Term::Year]),
        prop::sample::select(vec![0, 1, 100, 363, 364, 365]).prop_map(until),
    ]
}

/// The real thing, with everything a question needs.
struct World {
    mandate: Mandate,
    organisation: Organisation,
    aidant: Aidant,
    service: RelyingParty,
    catalogue: Catalogue,
    facts: Vec<(Instant, LifeFact)>,
}

impl World {
    fn new(term: Term) -> Self {
        let mandate = Mandate { terms: terms(term), ..proposed() };
        let first = LifeFact::Proposed {
            organisation: mandate.organisation.clone(),
            proposed_by: mandate.proposed_by.clone(),
            terms: mandate.terms.clone(),
        };
        Self {
            facts: vec![(mandate.proposed_at, first)],
            mandate,
            organisation: organisation(),
            aidant: aidant(),
            service: service(),
            catalogue: catalogue(),
        }
    }

    /// Whether the step of the mandate's life happened.
    fn step(&mut self, op: &Op, now: Instant) -> bool {
        let mandate = self.mandate.clone();
        let (next, fact) = match op {
            Op::Consent { age, not_protected, may_be_minor } => {
                let identified_at = now.plus(time::Duration::minutes(-age));
                let consent = Consent { identified_at, ..consent_at(now) };
                let declared = Declarations { not_protected: *not_protected, may_be_minor: *may_be_minor };
                (mandate.consent(consent.clone(), declared), LifeFact::Consented { consent })
            }
            Op::Refuse => (mandate.refuse(now), LifeFact::Refused),
            Op::Accept => {
                let by = self.aidant.id.clone();
                (mandate.accept(by.clone(), now), LifeFact::Accepted { by })
            }
            Op::Lapse => (mandate.lapse(now), LifeFact::Lapsed),
            Op::Withdraw(at) => {
                let procedure = procedure(PROCEDURES[*at]);
                (mandate.withdraw(&procedure, now), LifeFact::Withdrawn { procedure })
            }
            Op::End(reason) => (mandate.end(*reason, now), LifeFact::Ended { reason: *reason }),
            _ => return false,
        };
        let Ok(next) = next else { return false };
        self.facts.push((now, fact));
        self.mandate = next;
        true
    }

    fn manage(&mut self, op: &Op) {
        let put = |set: &mut BTreeSet<ProcedureId>, at: usize, on: bool| {
            let id = procedure(PROCEDURES[at]);
            if on {
                set.insert(id)
            } else {
                set.remove(&id)
            };
        };
        match op {
            Op::Organisation(standing) => self.organisation.standing = *standing,
            Op::Aidant(standing) => self.aidant.standing = *standing,
            Op::Service(standing) => self.service.standing = *standing,
            Op::CloseInOrganisation(at, on) => put(&mut self.organisation.closed_procedures, *at, *on),
            Op::CloseForAidant(at, on) => put(&mut self.aidant.closed_procedures, *at, *on),
            Op::Entitle(at, on) => put(&mut self.service.procedures, *at, *on),
            _ => {}
        }
    }

    /// Whether the parties alone leave the way open to this procedure.
    fn open(&self, id: &ProcedureId) -> bool {
        let standings = [self.organisation.standing, self.aidant.standing, self.service.standing];
        standings.iter().all(|standing| *standing == Standing::Active)
            && !self.organisation.closed_procedures.contains(id)
            && !self.aidant.closed_procedures.contains(id)
            && self.service.procedures.contains(id)
    }

    fn decide(&self, id: &ProcedureId, acts: &BTreeSet<Act>, now: Instant) -> Result<Allowed, Refusal> {
        let Self { mandate, organisation, aidant, service, catalogue, .. } = self;
        let (procedure, relying_party) = (id, service);
        decide(&Question { mandate, organisation, aidant, procedure, acts, relying_party, catalogue, now })
    }
}

fn every_choice_of_acts() -> Vec<BTreeSet<Act>> {
    (0..1_usize << Act::ALL.len())
        .map(|bits| {
            Act::ALL.into_iter().enumerate().filter(|(at, _)| bits >> at & 1 == 1).map(|(_, a)| a).collect()
        })
        .collect()
}

/// Plays the history on both sides and holds them together after every step.
fn play(term: Term, ops: &[Op]) -> Result<World, TestCaseError> {
    let (mut world, mut model) = (World::new(term), Model::new(term));
    let choices = every_choice_of_acts();
    for op in ops {
        match op {
            Op::Pass(minutes) => model.now += minutes * MINUTE,
            Op::ToLimit(micros) => model.now = model.now.max(model.limit() + micros),
            _ => {}
        }
        let now = Instant::from_micros(model.now);
        world.manage(op);
        let before = world.mandate.clone();
        prop_assert_eq!(world.step(op, now), model.step(op), "{:?}", op);
        laws_of_a_step(&before, &world.mandate)?;
        for (at, name) in PROCEDURES.iter().enumerate() {
            let id = procedure(name);
            for acts in &choices {
                let decided = world.decide(&id, acts, now);
                let lawful = model.grants(at, acts) && world.open(&id);
                prop_assert_eq!(decided.is_ok(), lawful, "{} {:?} {:?}", name, acts, decided);
                if let Ok(allowed) = decided {
                    prop_assert_eq!(
                        allowed,
                        Allowed { acts: acts.clone(), until: Instant::from_micros(model.limit()) }
                    );
                }
            }
        }
    }
    Ok(world)
}

fn withdrawn(mandate: &Mandate) -> BTreeMap<ProcedureId, Instant> {
    match &mandate.state {
        State::Active { withdrawn, .. } | State::Ended { withdrawn, .. } => withdrawn.clone(),
        _ => BTreeMap::new(),
    }
}

/// What no single step may do, whatever it is.
fn laws_of_a_step(before: &Mandate, after: &Mandate) -> Result<(), TestCaseError> {
    use StateName::{Ended, Lapsed, Refused};
    prop_assert_eq!(
        &Mandate { state: before.state.clone(), ..after.clone() },
        before,
        "only the state moves"
    );
    if [Ended, Lapsed, Refused].contains(&before.state.name()) {
        prop_assert_eq!(after, before, "what is over stays over");
    }
    let gone = withdrawn(after);
    prop_assert!(withdrawn(before).iter().all(|(id, at)| gone.get(id) == Some(at)), "none comes back");
    if let State::Active { consent, acceptance, .. } = &after.state {
        prop_assert!(acceptance.ends_at > acceptance.at);
        prop_assert!(acceptance.ends_at.since(acceptance.at) <= LONGEST);
        prop_assert!(before.proposed_at <= consent.identified_at && consent.identified_at <= consent.at);
        prop_assert!(consent.at.since(consent.identified_at) <= PROPOSAL_LIFE);
    }
    if let Some(end) = before.ends_at() {
        prop_assert_eq!(after.ends_at(), Some(end), "the end never moves");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_allows_an_act_outside_a_standing_mandate(term in term(), ops in history()) {
        play(term, &ops)?;
    }

    #[test]
    fn every_history_is_told_again_by_its_facts(term in term(), ops in history()) {
        let world = play(term, &ops)?;
        prop_assert_eq!(replay(world.mandate.id.clone(), world.facts), Ok(world.mandate));
    }

    #[test]
    fn a_fact_left_out_or_out_of_its_turn_never_tells_the_same_mandate(
        ops in history(), at in any::<prop::sample::Index>(), drop in any::<bool>(),
    ) {
        let world = play(Term::Month, &ops)?;
        let mut facts = world.facts;
        let at = at.index(facts.len());
        if drop { facts.remove(at); } else { facts.insert(at, facts[at].clone()); }
        prop_assert_ne!(replay(world.mandate.id.clone(), facts), Ok(world.mandate));
    }

    #[test]
    fn another_organisation_is_refused_whatever_happened(term in term(), ops in history()) {
        let mut world = play(term, &ops)?;
        let foreign = OrganisationId::from_bytes([9; 16]);
        world.organisation.id = foreign.clone();
        world.aidant.organisation = foreign;
        for id in PROCEDURES.map(procedure) {
            for acts in every_choice_of_acts() {
                let decided = world.decide(&id, &acts, Instant::from(samples::START));
                prop_assert_eq!(decided, Err(Refusal::ForeignMandate));
            }
        }
    }

    #[test]
    fn no_clock_makes_a_revoked_mandate_stand(ops in history(), now in any::<i64>(), revoked in any::<i64>()) {
        let mut world = play(Term::Year, &ops)?;
        if let Ok(ended) = world.mandate.clone().end(EndReason::Revoked, Instant::from_micros(revoked)) {
            world.mandate = ended;
        }
        let acts = BTreeSet::from([Act::Prepare]);
        for id in PROCEDURES.map(procedure) {
            prop_assert!(world.decide(&id, &acts, Instant::from_micros(now)).is_err());
        }
    }

    #[test]
    fn terms_that_pass_end_in_the_future_and_within_a_year(micros in -4_000_000_000_000_000..9_000_000_000_000_000_i64, days in -400..800_i64) {
        let now = Instant::from_micros(micros);
        let term = Term::Until(now.date().saturating_add(time::Duration::days(days)));
        let chosen = (0..=365).contains(&days);
        prop_assert_eq!(Terms::check_term(term, now).is_ok(), chosen);
        if chosen {
            prop_assert!(term.end(now) > now && term.end(now) <= now.plus(LONGEST));
        }
    }
}

#[test]
fn the_regular_history_allows_what_was_granted() {
    let ops = [Op::Consent { age: 0, not_protected: true, may_be_minor: false }, Op::Accept];
    let world = play(Term::Day, &ops).unwrap();
    let acts = BTreeSet::from([Act::Prepare, Act::Fill]);
    assert!(world.decide(&procedure("dettes"), &acts, Instant::from(samples::START)).is_ok());
}
