//! A usager chooses how they are told.

use super::postman::{choice, chosen, notices_of, send, waiting, world};
use crate::mandates::world::World;
use crate::space::world::{at_home, usager_of};
use crate::support::database::on_both;
use porteplume::mandate::{Channel, EventKind};
use porteplume::service::Caller;
use porteplume::service::erase;
use porteplume::service::space::{self, Ended};
use sqlx::Row as _;

async fn everything(world: &World) -> String {
    let mut raw = world.test.database.raw().await;
    let mut all = String::new();
    for text in [
        "SELECT usager_id || ' ' || channel AS said, sealed FROM contact",
        "SELECT event_id AS said, entry AS sealed FROM event",
        "SELECT event_id AS said, sealed FROM opening",
    ] {
        for row in sqlx::query(text).fetch_all(&mut raw).await.unwrap() {
            all.push_str(&row.get::<String, _>("said"));
            all.push_str(&String::from_utf8_lossy(&row.get::<Vec<u8>, _>("sealed")));
        }
    }
    all
}

on_both! {
    a_choice_is_kept_sealed_shown_again_and_journaled_once(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let home = chosen(&world, &mandate, Channel::Email).await;
        assert_eq!(world.entries(EventKind::ContactChosen, None).await, 1);
        let page = home.get("/usager/contact").await;
        assert_eq!(page.status, 200, "{}", page.body);
        for told in ["marie.lefevre@exemple.fr", "+33612345678", "id=\"channel-email\" checked"] {
            assert!(page.body.contains(told), "{told}: {}", page.body);
        }
        assert_eq!(home.post("/usager/contact", &choice(Channel::Email)).await.status, 303);
        assert_eq!(world.entries(EventKind::ContactChosen, None).await, 1, "the same choice changes nothing");
        assert_eq!(home.post("/usager/contact", &choice(Channel::Paper)).await.status, 303);
        assert_eq!(world.entries(EventKind::ContactChosen, None).await, 2);
        let all = everything(&world).await;
        assert!(!all.contains("exemple.fr") && !all.contains("612345678"), "an address stands in the clear");
        world.test.verifies().await;
    }

    what_cannot_be_written_to_is_said_at_its_field_and_keeps_nothing(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        for (fields, field) in [
            ([("channel", "email"), ("email", ""), ("telephone", ""), ("language", "fr")], "email-problem"),
            ([("channel", "email"), ("email", "a@b.fr\r\nBcc: c@d.fr"), ("telephone", ""), ("language", "fr")], "email-problem"),
            ([("channel", "sms"), ("email", ""), ("telephone", "+1 202 555 0100"), ("language", "fr")], "telephone-problem"),
            ([("channel", "voice"), ("email", ""), ("telephone", ""), ("language", "en")], "telephone-problem"),
            ([("channel", ""), ("email", ""), ("telephone", ""), ("language", "fr")], "channel-paper-problem"),
            ([("channel", "pigeon"), ("email", ""), ("telephone", ""), ("language", "fr")], "channel-paper-problem"),
        ] {
            let answer = home.post("/usager/contact", &fields).await;
            assert!(answer.status == 422 && answer.body.contains(field), "{} {}", answer.status, answer.body);
        }
        assert_eq!(world.entries(EventKind::ContactChosen, None).await, 0);
        let without = home.post_with("/usager/contact", &choice(Channel::Email), "forged").await;
        assert_eq!(without.status, 403, "{}", without.body);
        let aidant = browser.post("/usager/contact", &choice(Channel::Email)).await;
        assert_ne!(aidant.status, 303, "an aidant chooses for nobody");
        assert_eq!(world.entries(EventKind::ContactChosen, None).await, 0);
    }

    a_way_there_is_not_here_is_neither_offered_nor_taken(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let page = home.get("/usager/contact").await;
        assert!(page.body.contains("channel-paper") && !page.body.contains("channel-email"), "{}", page.body);
        let answer = home.post("/usager/contact", &choice(Channel::Email)).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
    }

    who_was_erased_is_written_to_no_more(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let home = chosen(&world, &mandate, Channel::Email).await;
        let session = home.session().await.unwrap();
        space::end(&world.app, &session, &Caller::default(), &mandate, &Ended::Mandate).await.unwrap();
        erase::usager(&world.app, &usager_of(&world, &mandate).await, false).await.unwrap();
        let mut raw = world.test.database.raw().await;
        let left = sqlx::query("SELECT channel, sealed FROM contact").fetch_one(&mut raw).await.unwrap();
        assert_eq!((left.get::<String, _>("channel").as_str(), left.get::<Vec<u8>, _>("sealed").len()), ("none", 0));
        for _ in 0..2 {
            send(&world).await;
        }
        assert_eq!((postman.brought().len(), waiting(&world).await), (0, 0));
        assert_eq!(
            notices_of(&world).await,
            ["ended email refused no_address", "statement email refused no_address"]
        );
        world.test.verifies().await;
    }
}
