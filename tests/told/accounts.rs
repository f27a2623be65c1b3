//! The account of a mandate (Code civil art. 1993): whole, of its own, and given once by itself when the mandate ends.

use super::postman::{chosen, notices_of, send, waiting, world};
use crate::mandates::uses::represent;
use crate::mandates::world::World;
use crate::space::world::{active_for_two, at_home, stored, two, usager_of};
use crate::support::database::on_both;
use crate::support::world::{fresh, known_usager};
use porteplume::mandate::{Channel, ClientId, EndReason, EventKind, MandateId, Refusal};
use porteplume::service::space::{self, Ended};
use porteplume::service::{Caller, Error, Record, account, erase, expire};
use porteplume::storage::refusals::{self, RefusalRow};
use std::sync::Arc;

/// A use refused under a mandate, as an authorisation refuses it.
async fn refused(world: &World, mandate: &MandateId) {
    let (app, now, row) = (Arc::clone(&world.app), world.app.now(), stored(world, mandate).await);
    let procedure = two(world)[1].clone();
    let kept = world.app.commit("test.refuse", move |tx| {
        let (app, row, procedure) = (Arc::clone(&app), row.clone(), procedure.clone());
        Box::pin(async move {
            let (mandate, client) = (&row.mandate, ClientId::parse("caisse").unwrap());
            let (usager, code) = (mandate.usager().unwrap(), Refusal::ALL[0].code());
            let record = Record::refused(EventKind::RepresentationRefused, code)
                .organisation(&mandate.organisation)
                .aidant(&mandate.proposed_by)
                .usager(usager)
                .client(&client)
                .procedure(&procedure)
                .about(&mandate.id);
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            let kept = RefusalRow {
                id: event.clone(),
                mandate: Some(mandate.id.clone()),
                organisation: mandate.organisation.clone(),
                aidant: mandate.proposed_by.clone(),
                usager: Some(usager.clone()),
                client,
                procedure: Some(procedure.clone()),
                code: code.to_owned(),
                at: now,
            };
            Ok::<_, Error>(refusals::insert(tx, &kept, &event).await?)
        })
    });
    kept.await.unwrap();
}

async fn statements(world: &World) -> usize {
    notices_of(world).await.iter().filter(|said| said.starts_with("statement ")).count()
}

on_both! {
    an_account_tells_every_entry_of_a_long_life_once_and_where_it_stands(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        for number in 0..12 {
            represent(&world, &mandate, &two(&world)[number % 2].clone(), &number.to_string()).await;
            world.wait(2);
        }
        world.wait(31);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 12);
        refused(&world, &mandate).await;
        let aidant = world.in_hands_of(fresh(&world.app, &world.aidant)).await;
        assert_eq!(aidant.get(&format!("/aidant/mandates/{mandate}")).await.status, 200);
        assert_eq!(aidant.get(&format!("/aidant/mandates/{mandate}/print")).await.status, 200);
        assert_eq!(aidant.post(&format!("/aidant/mandates/{mandate}/card"), &[]).await.status, 303);
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let session = home.session().await.unwrap();
        for ended in [Ended::Procedure(two(&world)[1].clone()), Ended::Mandate] {
            space::end(&world.app, &session, &Caller::default(), &mandate, &ended).await.unwrap();
        }
        assert_eq!(aidant.get(&format!("/aidant/mandates/{mandate}")).await.status, 200);

        let made = account::of_usager(&world.app, &session, &Caller::default(), &mandate).await.unwrap();
        let length = stored(&world, &mandate).await.seq;
        for language in porteplume::mandate::Language::ALL {
            let parts = made.parts(language);
            let lines: Vec<_> = parts.iter().flat_map(|part| &part.lines).collect();
            let places: Vec<_> = lines.iter().flat_map(|line| &line.places).collect();
            let mut numbers: Vec<u64> = places.iter().filter_map(|place| place.number).collect();
            numbers.sort_unstable();
            assert_eq!(numbers, (1..=length).collect::<Vec<_>>(), "each entry of the history once");
            let of = |name: &str| parts.iter().find(|part| part.name == name).unwrap();
            assert_eq!(of("done").lines.len(), 12);
            assert_eq!(of("refused").lines.len(), 1);
            assert!(of("refused").lines[0].text.contains("Caisse d’à côté"));
            assert_eq!(of("looks").lines.len(), 3, "read twice, printed once");
        }
        for place in made.parts(porteplume::mandate::Language::Fr).iter().flat_map(|part| &part.lines).flat_map(|line| &line.places) {
            let Some(number) = place.number else { continue };
            let proved = space::proved(&world.app, &session, &Caller::default(), &mandate, number).await.unwrap();
            assert_eq!((Some(proved.proof.log.index), &proved.proof.origin), (place.index, &place.origin));
        }
        let page = home.get(&format!("/usager/mandates/{mandate}/account")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let procedure = &world.app.catalogue.procedure(&two(&world)[0]).unwrap().name.fr;
        let shown = page.body.replace("&#39;", "'");
        for told in ["Mairie de L’Haÿ-les-Roses", "Camille Le Goff-O’Brien", procedure, "depuis l’espace de la personne"] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
        assert_eq!(world.entries(EventKind::AccountRendered, None).await, 2, "each giving is journaled");
        world.test.verifies().await;
    }

    an_account_is_for_its_usager_and_its_organisation_alone(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        let proposed = world.proposed(&browser).await;
        let (own, office) = (format!("/usager/mandates/{mandate}/account"), format!("/aidant/mandates/{mandate}/account"));
        let other = known_usager(&world.app, None, crate::mandates::world::born("Autre", "Personne", "1970-01-01")).await;
        let other = at_home(&world, &other).await;
        let stranger = world.in_hands_of(fresh(&world.app, &world.stranger().await)).await;
        assert_eq!(other.get(&own).await.status, 404);
        assert_eq!(stranger.get(&office).await.status, 404);
        let aidant = world.in_hands_of(fresh(&world.app, &world.aidant)).await;
        assert_eq!(aidant.get(&format!("/aidant/mandates/{proposed}/account")).await.status, 404);
        assert_eq!(world.entries(EventKind::AccountRendered, None).await, 0);
        assert_eq!(world.entries(EventKind::AccessRefused, Some("not_found")).await, 2);
        let page = aidant.get(&office).await;
        assert!(page.status == 200 && page.body.contains("Marie"), "{}", page.body);
        assert_eq!(world.entries(EventKind::AccountRendered, None).await, 1);
    }

    the_account_of_who_was_erased_names_them_no_more_and_stays_whole(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        represent(&world, &mandate, &two(&world)[0].clone(), "one").await;
        let usager = usager_of(&world, &mandate).await;
        erase::usager(&world.app, &usager, true).await.unwrap();
        let aidant = world.session_of(fresh(&world.app, &world.aidant)).await.session;
        let made = account::of_office(&world.app, &aidant, &Caller::default(), &mandate).await.unwrap();
        let said = made.lines(porteplume::mandate::Language::Fr).join("\n");
        assert!(said.contains("La personne : effacée") && !said.contains("Marie"), "{said}");
        assert!(said.contains("par l’exploitant du service"), "{said}");
        assert_eq!(made.uses.len(), 1);
        world.test.verifies().await;
    }

    an_account_is_due_once_at_each_kind_of_end_and_told_by_the_way_chosen(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let caller = Caller::default();
        let mut expected = 0;
        for way in ["revoked", "withdrawn", "renounced", "expired"] {
            let mandate = active_for_two(&world, &mut browser).await;
            let home = chosen(&world, &mandate, Channel::Email).await;
            let session = home.session().await.unwrap();
            represent(&world, &mandate, &two(&world)[0].clone(), way).await;
            match way {
                "revoked" => {
                    space::end(&world.app, &session, &caller, &mandate, &Ended::Mandate).await.unwrap();
                    assert!(space::end(&world.app, &session, &caller, &mandate, &Ended::Mandate).await.is_err());
                }
                "withdrawn" => {
                    let [first, second] = two(&world);
                    space::end(&world.app, &session, &caller, &mandate, &Ended::Procedure(first)).await.unwrap();
                    assert_eq!(statements(&world).await, expected, "it stands for the other procedure");
                    space::end(&world.app, &session, &caller, &mandate, &Ended::Procedure(second)).await.unwrap();
                }
                "renounced" => {
                    let path = format!("/aidant/mandates/{mandate}/renounce");
                    assert_eq!(browser.post(&path, &[]).await.status, 303);
                }
                _ => {
                    world.test.clock.advance(time::Duration::days(32));
                    assert_eq!(expire::expire_due(&world.app).await.unwrap(), 1);
                    assert_eq!(expire::expire_due(&world.app).await.unwrap(), 0);
                }
            }
            expected += 1;
            assert_eq!(statements(&world).await, expected, "{way}");
        }
        for _ in 0..8 {
            send(&world).await;
            world.wait(1);
        }
        assert_eq!(waiting(&world).await, 0);
        let letters = postman.brought();
        let accounts: Vec<_> = letters.iter().filter(|one| one.text.subject == "Le compte rendu de votre mandat").collect();
        assert_eq!(accounts.len(), expected);
        assert!(postman.repetitions().values().all(|times| *times == 1));
        for letter in accounts {
            for told in ["CE QUI A ÉTÉ FAIT", "Caisse d’à côté", "Camille Le Goff-O’Brien", "[journal : "] {
                assert!(letter.text.body.contains(told), "{told}: {}", letter.text.body);
            }
            assert!(!letter.text.short.contains("Mairie"));
        }
        world.test.verifies().await;
    }

    an_account_waits_on_paper_for_the_next_visit_and_is_not_made_for_who_wants_none_or_has_died(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let silent = active_for_two(&world, &mut browser).await;
        let unwilling = active_for_two(&world, &mut browser).await;
        chosen(&world, &unwilling, Channel::None).await;
        for mandate in [&silent, &unwilling] {
            assert_eq!(browser.post(&format!("/aidant/mandates/{mandate}/renounce"), &[]).await.status, 303);
        }
        assert_eq!(notices_of(&world).await, ["ended paper on_paper -", "statement paper on_paper -"]);
        let page = browser.get(&format!("/aidant/mandates/{silent}/receipts")).await;
        for told in ["Le compte rendu de votre mandat", "CE QUI ÉTAIT PERMIS", "Rien n’a été fait."] {
            assert!(page.body.contains(told), "{told}: {}", page.body);
        }
        let dead = active_for_two(&world, &mut browser).await;
        let (app, id) = (Arc::clone(&world.app), dead.clone());
        let ended = world.app.commit("test.died", move |tx| {
            let (app, id) = (Arc::clone(&app), id.clone());
            Box::pin(async move {
                let mut row = porteplume::storage::mandates::load(tx, &id).await?.unwrap();
                let by = (porteplume::service::steps::Actor::Operator, &Caller::default(), app.now());
                porteplume::service::end::end_mandate(&app, tx, &mut row, EndReason::Deceased, by).await
            })
        });
        ended.await.unwrap();
        assert_eq!(notices_of(&world).await.len(), 2);
        world.test.verifies().await;
    }
}
