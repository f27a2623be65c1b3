//! The decision alone, beside one SHA-256 of 64 bytes in the same run: a ratio that holds on any machine.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement that cannot go on stops")]

use porteplume::crypto::sha256;
use porteplume::mandate::{
    Aidant, AidantId, Catalogue, Consent, ConsentChannel, Declarations, Instant, Mandate, MandateId,
    Organisation, OrganisationId, ProcedureId, Question, RelyingParty, Role, Standing, Strength, Term, Terms,
    UsagerId, decide,
};
use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::{Duration, Instant as Stopwatch};

const ROUNDS: u32 = 200_000;
const NOW: Instant = Instant::from_micros(1_795_341_600_000_000);

fn active(catalogue: &Catalogue, aidant: &Aidant, listed: &BTreeSet<ProcedureId>) -> Mandate {
    let terms = Terms::check(catalogue, listed, Term::Month, NOW).unwrap();
    let id = MandateId::from_bytes([4; 16]);
    let consent = Consent {
        usager: UsagerId::from_bytes([3; 16]),
        at: NOW,
        identified_at: NOW,
        identity_level: "eidas1".to_owned(),
        text_hash: "00".repeat(32),
        language: "fr".to_owned(),
        channel: ConsentChannel::InPresence,
    };
    let declared = Declarations { not_protected: true, may_be_minor: false };
    let proposed = Mandate::propose(id, aidant.organisation.clone(), aidant.id.clone(), terms, NOW);
    proposed.consent(consent, declared).unwrap().accept(aidant.id.clone(), NOW).unwrap()
}

/// The best of five rounds, for one call.
fn time(mut call: impl FnMut()) -> Duration {
    let mut round = || {
        let watch = Stopwatch::now();
        (0..ROUNDS).for_each(|_| call());
        watch.elapsed() / ROUNDS
    };
    (0..5).map(|_| round()).min().unwrap_or_default()
}

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let catalogue = porteplume::service::catalogue().unwrap();
    let organisation = Organisation {
        id: OrganisationId::from_bytes([1; 16]),
        standing: Standing::Active,
        closed_procedures: BTreeSet::new(),
    };
    let aidant = Aidant {
        id: AidantId::from_bytes([2; 16]),
        organisation: organisation.id.clone(),
        role: Role::Aidant,
        standing: Standing::Active,
        closed_procedures: BTreeSet::new(),
    };
    let listed: BTreeSet<ProcedureId> =
        catalogue.procedures().iter().take(20).map(|procedure| procedure.id.clone()).collect();
    let relying_party = RelyingParty {
        id: porteplume::mandate::ClientId::parse("caisse").unwrap(),
        standing: Standing::Active,
        procedures: listed.clone(),
        consent: Strength::Identified,
    };
    let mandate = active(&catalogue, &aidant, &listed);
    let procedure = listed.last().unwrap();
    let acts = mandate.terms.procedures.get(procedure).unwrap().clone();
    let mut question = Question {
        mandate: &mandate,
        organisation: &organisation,
        aidant: &aidant,
        procedure,
        acts: &acts,
        relying_party: &relying_party,
        catalogue: &catalogue,
        now: NOW,
    };
    let unit = time(|| {
        black_box(sha256(black_box(&[7; 64])));
    });
    let allowed = time(|| drop(black_box(decide(black_box(&question)))));
    question.now = NOW.plus(time::Duration::days(40));
    let refused = time(|| drop(black_box(decide(black_box(&question)))));
    println!("one SHA-256 of 64 bytes: {unit:?}");
    println!(
        "decide, allowed:         {allowed:?} ({:.2} of it)",
        allowed.as_secs_f64() / unit.as_secs_f64()
    );
    println!(
        "decide, refused:         {refused:?} ({:.2} of it)",
        refused.as_secs_f64() / unit.as_secs_f64()
    );
}
