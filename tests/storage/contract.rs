//! Mandates, their uses and refusals.

use super::sample::{
    DECLARED, NOW, bytes, client, consent, get, in_force, in_minutes, procedure, proposed, put,
    representation, step, terms, with_leaf, world,
};
use crate::support::database::on_both;
use porteplume::mandate::{
    Acceptance, AidantId, EndReason, EventId, Mandate, MandateId, OrganisationId, ProcedureOutcome, State,
    StateName, Term, Terms,
};
use porteplume::storage::mandates::MandateRow;
use porteplume::storage::refusals::RefusalRow;
use porteplume::storage::representations::{CloseReason, RepresentationRow, Scope};
use porteplume::storage::{StoreError, clients, mandates, refusals, representations, usagers};
use std::collections::BTreeMap;

on_both! {
    every_state_of_a_mandate_reads_back_as_it_was(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let agreed = consent(&world.usager, in_minutes(1));
        let later = in_minutes(5);

        let refused = proposed(&store, &world).await;
        let refused = step(&store, &refused, refused.mandate.clone().refuse(later).unwrap()).await.unwrap();
        let lapsed = proposed(&store, &world).await;
        let lapsed = step(&store, &lapsed, lapsed.mandate.clone().lapse(in_minutes(31)).unwrap()).await.unwrap();
        let late = proposed(&store, &world).await;
        let late = step(&store, &late, late.mandate.clone().consent(agreed.clone(), DECLARED).unwrap()).await.unwrap();
        let late = step(&store, &late, late.mandate.clone().lapse(in_minutes(31)).unwrap()).await.unwrap();
        assert_eq!(late.mandate.usager(), Some(&world.usager.id));
        let waiting = proposed(&store, &world).await;
        let consented = proposed(&store, &world).await;
        let given = consented.mandate.clone().consent(agreed.clone(), DECLARED).unwrap();
        let consented = step(&store, &consented, given).await.unwrap();
        let early = proposed(&store, &world).await;
        let given = early.mandate.clone().consent(agreed, DECLARED).unwrap();
        let early = step(&store, &early, given).await.unwrap();
        let early = step(&store, &early, early.mandate.clone().end(EndReason::Revoked, later).unwrap()).await.unwrap();
        let active = in_force(&store, &world).await;
        let less = in_force(&store, &world).await;
        let taken = less.mandate.clone().withdraw(&procedure("housing-benefit"), later).unwrap();
        let less = step(&store, &less, taken).await.unwrap();
        let over = in_force(&store, &world).await;
        let taken = over.mandate.clone().withdraw(&procedure("housing-benefit"), in_minutes(4)).unwrap();
        let over = step(&store, &over, taken).await.unwrap();
        let ended = over.mandate.clone().end(EndReason::Renounced, later).unwrap();
        let over = step(&store, &over, ended).await.unwrap();

        for row in [&refused, &lapsed, &late, &waiting, &consented, &early, &active, &less, &over] {
            let id = row.mandate.id.clone();
            assert_eq!(get!(&store, [id], |s| mandates::load(s, &id)).as_ref(), Some(row));
        }
        let home = world.organisation.id.clone();
        let of_state = |name| { let home = home.clone(); let store = store.clone(); async move {
            get!(&store, [home], |s| mandates::of_organisation(s, &home, name, 10)).len()
        }};
        let mut counts = Vec::new();
        for name in StateName::ALL {
            counts.push(of_state(name).await);
        }
        assert_eq!(counts, [1, 1, 2, 2, 1, 2]);
        let all = get!(&store, [], |s| mandates::page(s, None, 100));
        assert_eq!(all.len(), 9);
        let rest = get!(&store, [all], |s| mandates::page(s, Some(&all[5].mandate.id), 100));
        assert_eq!(rest, all[6..]);
    }

    every_kind_of_term_reads_back(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let until = Term::Until(time::macros::date!(2027 - 02 - 03));
        for term in [Term::Day, Term::Month, Term::SixMonths, Term::Year, until] {
            let terms = Terms { term, ..terms() };
            let (home, by) = (world.organisation.id.clone(), world.aidant.id.clone());
            let mandate = Mandate::propose(MandateId::from_bytes(bytes()), home, by, terms, NOW);
            put!(&store, [mandate], |tx, event| mandates::insert(tx, &mandate, &event)).unwrap();
            let found = get!(&store, [mandate], |s| mandates::load(s, &mandate.id)).unwrap();
            assert_eq!(found.mandate, mandate);
        }
    }

    a_step_is_guarded_by_version_and_state(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let before = in_force(&store, &world).await;
        let revoked = before.mandate.clone().end(EndReason::Revoked, in_minutes(5)).unwrap();
        let renounced = before.mandate.clone().end(EndReason::Renounced, in_minutes(5)).unwrap();
        let after = step(&store, &before, revoked).await.unwrap();
        let second = step(&store, &before, renounced).await;
        assert_eq!(second, Err(StoreError::Conflict { table: "mandate" }), "one ending wins");
        let id = before.mandate.id.clone();
        assert_eq!(get!(&store, [id], |s| mandates::load(s, &id)), Some(after));
    }

    an_entry_that_changes_nothing_takes_the_next_number(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let before = in_force(&store, &world).await;
        let seq = put!(&store, [before], |tx, event| mandates::touch(tx, &before, &event));
        assert_eq!(seq, Ok(before.seq + 1));
        let again = put!(&store, [before], |tx, event| mandates::touch(tx, &before, &event));
        assert_eq!(again, Err(StoreError::Conflict { table: "mandate" }), "no number is given twice");
    }

    what_stands_ends_lapses_and_expires_is_found(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let active = in_force(&store, &world).await;
        let waiting = proposed(&store, &world).await;
        let home = world.organisation.id.clone();
        let (id, end) = (world.usager.id.clone(), active.mandate.ends_at().unwrap());

        let now = in_minutes(10);
        let elsewhere = OrganisationId::from_bytes(bytes());
        for (of, at, expected) in [(&home, now, 1), (&home, end, 0), (&elsewhere, now, 0)] {
            let of = of.clone();
            let some = get!(&store, [of], |s| mandates::some_standing(s, &of, at, 10));
            assert_eq!(some, vec![active.clone(); expected], "over at its end, and of one organisation");
            let persons = get!(&store, [of], |s| usagers::of_some_standing(s, &of, at, 10));
            assert_eq!(persons.iter().map(|row| &row.id).collect::<Vec<_>>(), vec![&id; expected]);
            assert_eq!(get!(&store, [of], |s| mandates::count_standing(s, &of, at)), expected as u64);
        }
        assert_eq!(get!(&store, [home], |s| mandates::ending(s, &home, now, end)), vec![active.clone()]);
        assert!(get!(&store, [home], |s| mandates::ending(s, &home, now, now)).is_empty());
        assert_eq!(get!(&store, [id], |s| mandates::of_usager(s, &id)), vec![active.clone()]);
        assert!(get!(&store, [], |s| mandates::lapsed(s, in_minutes(29), 10)).is_empty());
        let lapsed = get!(&store, [], |s| mandates::lapsed(s, in_minutes(30), 10));
        assert_eq!(lapsed, vec![waiting.mandate.id.clone()]);
        assert!(get!(&store, [], |s| mandates::expired(s, now, 10)).is_empty());
        assert_eq!(get!(&store, [], |s| mandates::expired(s, end, 10)), vec![active.mandate.id]);
    }

    the_verification_code_leads_to_the_mandate(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let before = in_force(&store, &world).await;
        let after = MandateRow {
            verification_code_hash: Some("hash".to_owned()), seq: before.seq + 1, ..before.clone()
        };
        put!(&store, [before, after], |tx, event| mandates::update(tx, &before, &after, &event)).unwrap();
        let found = get!(&store, [], |s| mandates::by_verification_code(s, "hash"));
        let expected = with_leaf(&store, MandateRow { version: before.version + 1, ..after }).await;
        assert_ne!(expected.last_leaf, before.last_leaf);
        assert_eq!(found, Some(expected));
        assert_eq!(get!(&store, [], |s| mandates::by_verification_code(s, "other")), None);
    }

    a_half_filled_state_is_refused_by_the_database(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let before = proposed(&store, &world).await;
        let agreed = consent(&world.usager, in_minutes(1));
        // An acceptance that starts before the consent: no transition of the domain makes this.
        let acceptance = Acceptance { by: world.aidant.id.clone(), at: NOW, ends_at: in_minutes(60) };
        let state = State::Active { consent: agreed, acceptance, withdrawn: BTreeMap::new() };
        let broken = step(&store, &before, Mandate { state, ..before.mandate.clone() }).await;
        assert!(matches!(broken, Err(StoreError::Refused(_))), "{broken:?}");
        let id = before.mandate.id.clone();
        assert_eq!(get!(&store, [id], |s| mandates::load(s, &id)), Some(before));
    }

    a_representation_is_opened_found_and_closed_once(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let mandate = in_force(&store, &world).await;
        let row = representation(&world, &mandate);
        put!(&store, [row], |tx, event| representations::insert(tx, &row, &event)).unwrap();
        assert_eq!(get!(&store, [row], |s| representations::load(s, &row.id)), Some(row.clone()));
        let unrelated = (MandateId::from_bytes(bytes()), AidantId::from_bytes(bytes()), client().id);
        let (mandate, right, wrong) = (row.mandate.clone(), row.procedure.clone(), procedure("housing-benefit"));
        for (of, count) in [
            (Scope::Representation(row.id.clone()), 1), (Scope::Mandate(mandate.clone()), 1),
            (Scope::Mandate(unrelated.0), 0), (Scope::Procedure(mandate.clone(), right), 1),
            (Scope::Procedure(mandate, wrong), 0), (Scope::Session("sid".to_owned()), 1),
            (Scope::Session("other".to_owned()), 0), (Scope::Aidant(row.aidant.clone()), 1),
            (Scope::Aidant(unrelated.1), 0), (Scope::Client(row.client.clone()), 1),
            (Scope::Client(unrelated.2), 0), (Scope::Organisation(row.organisation.clone()), 1),
        ] {
            assert_eq!(get!(&store, [of], |s| representations::open(s, &of)).len(), count, "{of:?}");
        }
        assert!(get!(&store, [], |s| representations::overdue(s, in_minutes(32), 10)).is_empty());
        assert_eq!(get!(&store, [], |s| representations::overdue(s, in_minutes(33), 10)).len(), 1);

        let closed = RepresentationRow {
            closed: Some((in_minutes(9), CloseReason::Revoked)), outcome: Some(ProcedureOutcome::Submitted), ..row.clone()
        };
        put!(&store, [row, closed], |tx, event| representations::update(tx, &row, &closed, &event)).unwrap();
        let again = put!(&store, [row, closed], |tx, event| representations::update(tx, &row, &closed, &event));
        assert_eq!(again, Err(StoreError::Conflict { table: "representation" }));
        let closed = vec![RepresentationRow { version: 2, ..closed }];
        assert_eq!(get!(&store, [row], |s| representations::of_usager(s, &row.usager, 10)), closed);
        assert_eq!(get!(&store, [row], |s| representations::of_mandate(s, &row.mandate, 10)), closed);
        assert_eq!(get!(&store, [row], |s| representations::of_aidant(s, &row.aidant, NOW, 10)), closed);
        assert!(get!(&store, [row], |s| representations::of_aidant(s, &row.aidant, in_minutes(4), 10)).is_empty());
    }

    a_refusal_is_kept_for_the_usager(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let mandate = in_force(&store, &world).await;
        let known = RefusalRow {
            id: EventId::from_bytes(bytes()), mandate: Some(mandate.mandate.id.clone()),
            organisation: world.organisation.id.clone(), aidant: world.aidant.id.clone(),
            usager: Some(world.usager.id.clone()), client: world.client.id.clone(),
            procedure: Some(procedure("declare-income")), code: "mandate_revoked".to_owned(), at: in_minutes(7),
        };
        let vague = RefusalRow {
            id: EventId::from_bytes(bytes()), mandate: None, usager: None, procedure: None, ..known.clone()
        };
        put!(&store, [known, vague], |tx, event| async {
            refusals::insert(tx, &known, &event).await?;
            refusals::insert(tx, &vague, &event).await
        }).unwrap();
        assert_eq!(get!(&store, [world], |s| refusals::of_usager(s, &world.usager.id, 10)), vec![known.clone()]);
        assert_eq!(get!(&store, [mandate], |s| refusals::of_mandate(s, &mandate.mandate.id, 10)), vec![known]);
        assert_eq!(get!(&store, [world], |s| refusals::of_aidant(s, &world.aidant.id, NOW, 10)).len(), 2);
    }

    a_foreign_party_cannot_be_named(database) {
        let store = database.store().await;
        let world = world(&store).await;
        let mandate = in_force(&store, &world).await;
        let nobody = client();
        let row = RepresentationRow { client: nobody.id.clone(), ..representation(&world, &mandate) };
        let refused = put!(&store, [row], |tx, event| representations::insert(tx, &row, &event));
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
        assert!(get!(&store, [nobody], |s| clients::load(s, &nobody.id)).is_none());
    }
}
