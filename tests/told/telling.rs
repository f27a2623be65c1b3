//! What is told, by which way, in which order, and how often.

use super::postman::{chosen, notices_of, send, waiting, world};
use crate::mandates::uses::represent;
use crate::mandates::world::World;
use crate::space::world::{active_for_two, two};
use crate::support::database::on_both;
use porteplume::courier::NotTaken;
use porteplume::mandate::{Channel, EventKind, MandateId};
use porteplume::service::space::{self, Ended};
use porteplume::service::{Caller, expire};
use std::collections::BTreeMap;

/// A representation from its opening to its end by time.
async fn used(world: &World, mandate: &MandateId, sid: &str) {
    represent(world, mandate, &two(world)[0].clone(), sid).await;
    world.wait(31);
    assert_eq!(expire::close_due(&world.app).await.unwrap(), 1);
}

on_both! {
    a_receipt_follows_each_representation_and_tells_who_did_what_where_and_how_to_object(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        chosen(&world, &mandate, Channel::Email).await;
        used(&world, &mandate, "one").await;
        assert!(postman.brought().is_empty());
        send(&world).await;
        let letters = postman.brought();
        assert_eq!(letters.len(), 1);
        let (letter, text) = (&letters[0], &letters[0].text);
        assert_eq!(letter.to, "marie.lefevre@exemple.fr");
        let procedure = &world.app.catalogue.procedure(&two(&world)[0]).unwrap().name.fr;
        for told in [
            "Camille Le Goff-O’Brien", "Mairie de L’Haÿ-les-Roses", "Caisse d’à côté", procedure.as_str(),
            "le service n’a rien dit", "https://mandats.example.fr/usager",
        ] {
            assert!(text.body.contains(told), "{told}: {}", text.body);
        }
        assert_eq!((notices_of(&world).await, waiting(&world).await), (vec!["receipt email sent -".to_owned()], 0));
        assert_eq!(world.entries(EventKind::NoticeSent, None).await, 1);
        send(&world).await;
        assert_eq!(postman.repetitions().values().sum::<usize>(), 1, "nothing is told twice");
        world.test.verifies().await;
    }

    each_end_is_confirmed_and_what_it_stopped_is_told_after_it(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        let home = chosen(&world, &mandate, Channel::Sms).await;
        let session = home.session().await.unwrap();
        represent(&world, &mandate, &two(&world)[0].clone(), "one").await;
        let withdrawn = Ended::Procedure(two(&world)[1].clone());
        for ended in [&withdrawn, &Ended::Mandate] {
            space::end(&world.app, &session, &Caller::default(), &mandate, ended).await.unwrap();
        }
        for _ in 0..5 {
            send(&world).await;
        }
        assert_eq!(
            notices_of(&world).await,
            ["withdrawn sms sent -", "ended sms sent -", "receipt sms sent -", "statement sms sent -"]
        );
        let brought = postman.brought();
        let shorts: Vec<_> = brought.iter().map(|letter| letter.text.short.as_str()).collect();
        assert!(shorts[0].starts_with("Une démarche a été retirée"), "{shorts:?}");
        assert!(shorts[1].starts_with("Votre mandat a pris fin."), "{shorts:?}");
        assert!(brought.iter().all(|letter| letter.to == "+33612345678"));

        let other = active_for_two(&world, &mut browser).await;
        chosen(&world, &other, Channel::Voice).await;
        assert_eq!(browser.post(&format!("/aidant/mandates/{other}/renounce"), &[]).await.status, 303);
        send(&world).await;
        let last = postman.brought().pop().unwrap();
        assert!(last.text.body.contains("La structure y a renoncé."), "{}", last.text.body);
        world.test.verifies().await;
    }

    who_chose_nothing_is_told_on_paper_and_who_wants_nothing_is_not_told(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let silent = active_for_two(&world, &mut browser).await;
        let unwilling = active_for_two(&world, &mut browser).await;
        used(&world, &silent, "one").await;
        assert_eq!(notices_of(&world).await, ["receipt paper on_paper -"]);
        chosen(&world, &unwilling, Channel::None).await;
        used(&world, &unwilling, "two").await;
        send(&world).await;
        assert_eq!(notices_of(&world).await.len(), 1);
        assert!(postman.brought().is_empty());
        world.test.verifies().await;
    }

    an_address_that_takes_nothing_and_a_silence_of_days_end_on_paper(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        chosen(&world, &mandate, Channel::Email).await;
        postman.always(Some(NotTaken::Refused("smtp_refused")));
        used(&world, &mandate, "one").await;
        send(&world).await;
        postman.always(Some(NotTaken::Later("smtp_unavailable")));
        used(&world, &mandate, "two").await;
        for _ in 0..3 {
            send(&world).await;
            assert_eq!(notices_of(&world).await, ["receipt email refused smtp_refused", "receipt email waiting -"]);
            world.wait(60);
        }
        assert_eq!(world.entries(EventKind::NoticeNotSent, None).await, 1, "a silence is told when it is over");
        world.wait(3 * 24 * 60);
        send(&world).await;
        assert_eq!(
            notices_of(&world).await,
            ["receipt email refused smtp_refused", "receipt email given_up smtp_unavailable"]
        );
        assert_eq!((world.entries(EventKind::NoticeNotSent, None).await, waiting(&world).await), (2, 0));
        world.test.verifies().await;
    }

    an_hour_without_mail_loses_nothing_keeps_the_order_and_repeats_nothing(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        chosen(&world, &mandate, Channel::Email).await;
        postman.always(Some(NotTaken::Later("smtp_unavailable")));
        for number in 0..5 {
            used(&world, &mandate, &number.to_string()).await;
            send(&world).await;
        }
        assert_eq!((postman.brought().len(), waiting(&world).await), (0, 5));
        postman.always(None);
        for _ in 0..8 {
            world.wait(60);
            send(&world).await;
        }
        let written: Vec<_> = postman.brought().iter().map(|letter| letter.written_at).collect();
        assert!(written.len() == 5 && written.is_sorted(), "{written:?}");
        assert!(postman.repetitions().values().all(|times| *times == 1));
        assert_eq!(world.entries(EventKind::NoticeSent, None).await, 5);
    }

    a_notice_of_two_replicas_is_sent_by_one(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        chosen(&world, &mandate, Channel::Email).await;
        for number in 0..3 {
            used(&world, &mandate, &number.to_string()).await;
        }
        let other = world.beside(world.test.replica().await.carried_by(world.app.couriers.clone()));
        for _ in 0..6 {
            tokio::join!(send(&world), send(&other));
        }
        assert_eq!(postman.repetitions().values().copied().collect::<Vec<_>>(), [1, 1, 1]);
    }

    of_two_hundred_acts_each_is_told_once_and_journaled_however_the_courier_fails(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mut mandates = Vec::new();
        for _ in 0..4 {
            let mandate = active_for_two(&world, &mut browser).await;
            chosen(&world, &mandate, Channel::Email).await;
            mandates.push(mandate);
        }
        postman.fails(40, 20_261_123);
        for round in 0..10 {
            for act in 0..20 {
                let mandate = &mandates[act % mandates.len()];
                represent(&world, mandate, &two(&world)[0].clone(), &format!("{round} {act}")).await;
            }
            world.wait(31);
            assert_eq!(expire::close_due(&world.app).await.unwrap(), 20);
            send(&world).await;
        }
        assert!(waiting(&world).await > 0, "the faults must have held something up");
        for _ in 0..400 {
            if waiting(&world).await == 0 {
                break;
            }
            world.test.clock.advance(time::Duration::minutes(5));
            send(&world).await;
        }
        assert_eq!(waiting(&world).await, 0);
        let states = notices_of(&world).await;
        assert!(states.len() == 200 && states.iter().all(|state| state == "receipt email sent -"), "{states:?}");
        assert_eq!(world.entries(EventKind::NoticeSent, None).await, 200);
        let brought = postman.brought();
        assert_eq!(brought.len(), 200, "each reaches the person once");
        assert!(
            postman.repetitions().values().any(|times| *times > 1),
            "some were handed over again, under the identifier by which they are known"
        );
        let mut last = BTreeMap::new();
        for id in brought.iter().map(|letter| letter.id.clone()) {
            let (person, number) = place(&world, &id).await;
            let before = last.insert(person, number).unwrap_or(0);
            assert_eq!(number, before + 1, "the order of each person is kept");
        }
        world.test.verifies().await;
    }
}

/// Whose a notice is, and its number in their order.
async fn place(world: &World, id: &porteplume::mandate::NoticeId) -> (String, i64) {
    use sqlx::Row as _;
    let mut raw = world.test.database.raw().await;
    let row = sqlx::query("SELECT usager_id, number FROM notice WHERE id = $1").bind(id.as_str());
    let row = row.fetch_one(&mut raw).await.unwrap();
    (row.get("usager_id"), row.get("number"))
}
