//! Receipts on paper, and a usager's word that they do not recognise what was done.

use super::postman::{chosen, notices_of, send, waiting, world};
use crate::journal::watch::raised;
use crate::mandates::uses::represent;
use crate::mandates::world::World;
use crate::space::world::{active_for_two, at_home, promote, two, usager_of};
use crate::support::database::on_both;
use crate::support::world::known_usager;
use porteplume::courier::NotTaken;
use porteplume::mandate::{Channel, EventKind, MandateId, RepresentationId};
use porteplume::service::{Caller, expire, handing};
use sqlx::Row as _;

async fn used(world: &World, mandate: &MandateId, sid: &str) -> RepresentationId {
    let used = represent(world, mandate, &two(world)[0].clone(), sid).await;
    world.wait(6);
    used.id
}

async fn all_closed(world: &World) {
    world.wait(16);
    while expire::close_due(&world.app).await.unwrap() > 0 {}
}

/// The notices of a page of receipts, as its form sends them.
fn listed(page: &str) -> Vec<String> {
    page.split("name=\"notice\" value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

on_both! {
    receipts_on_paper_are_counted_printed_and_handed_over_once(database) {
        let (world, postman) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        postman.always(Some(NotTaken::Refused("smtp_refused")));
        let home = chosen(&world, &mandate, Channel::Email).await;
        used(&world, &mandate, "one").await;
        world.wait(12);
        world.wait(13);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 1);
        send(&world).await;
        assert_eq!(notices_of(&world).await, ["receipt email refused smtp_refused"]);
        drop(home);
        let browser = world.in_hands_of(crate::support::world::fresh(&world.app, &world.aidant)).await;
        let page = browser.get(&format!("/aidant/mandates/{mandate}")).await;
        assert!(page.body.contains("id=\"papers\"") && page.body.contains("link-papers"), "{}", page.body);
        let path = format!("/aidant/mandates/{mandate}/receipts");
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for told in ["Camille Le Goff-O’Brien", "Caisse d’à côté &#60;script&#62;", "https://mandats.example.fr/usager"] {
            assert!(page.body.contains(told), "{told}: {}", page.body);
        }
        let papers = listed(&page.body);
        assert_eq!(papers.len(), 1);

        let stranger = world.stranger().await;
        let other = world.in_hands_of(crate::support::world::fresh(&world.app, &stranger)).await;
        assert_eq!(other.get(&path).await.status, 404);
        assert_eq!(other.post(&path, &[("notice", &papers[0])]).await.status, 404);
        assert_eq!(world.entries(EventKind::NoticeHandedOver, None).await, 0);

        for _ in 0..2 {
            let answer = browser.post(&path, &[("notice", &papers[0])]).await;
            assert_eq!(answer.status, 303, "{}", answer.body);
        }
        assert_eq!(world.entries(EventKind::NoticeHandedOver, None).await, 1, "twice changes nothing");
        assert_eq!(notices_of(&world).await, ["receipt email handed_over smtp_refused"]);
        assert_eq!(waiting(&world).await, 0);
        let page = browser.get(&path).await;
        assert!(page.body.contains("papers-none"), "{}", page.body);
        world.test.verifies().await;
    }

    a_notice_of_another_mandate_is_not_handed_over(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let (one, two) = (active_for_two(&world, &mut browser).await, active_for_two(&world, &mut browser).await);
        used(&world, &one, "one").await;
        all_closed(&world).await;
        world.wait(10);
        all_closed(&world).await;
        let mut raw = world.test.database.raw().await;
        let row = sqlx::query("SELECT id FROM notice").fetch_one(&mut raw).await.unwrap();
        let id = porteplume::mandate::NoticeId::parse(&row.get::<String, _>("id")).unwrap();
        let opened = world.session_of(crate::support::world::fresh(&world.app, &world.aidant)).await;
        let refused = handing::hand_over(&world.app, &opened.session, &Caller::default(), &two, &[id]).await;
        assert!(refused.is_err());
        assert_eq!(notices_of(&world).await, ["receipt paper on_paper -"]);
    }

    what_a_usager_does_not_recognise_is_journaled_once_alerts_and_leads_to_the_end(database) {
        let (world, _) = world(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut browser).await;
        let id = used(&world, &mandate, "one").await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let path = format!("/usager/representations/{id}/dispute");
        let space = home.get("/usager").await;
        assert!(space.body.contains(&format!("href=\"{path}\"")), "{}", space.body);
        let page = home.get(&path).await;
        assert!(page.status == 200 && page.body.contains("dispute-submit"), "{}", page.body);
        assert_eq!(world.entries(EventKind::RepresentationDisputed, None).await, 0, "asking says nothing");
        for _ in 0..2 {
            let answer = home.post(&path, &[]).await;
            assert_eq!((answer.status, answer.location), (303, format!("/usager/mandates/{mandate}/end")));
        }
        assert_eq!(world.entries(EventKind::RepresentationDisputed, None).await, 1);
        assert_eq!(world.state(&mandate).await, "active", "ending is asked, not done");
        assert!(home.get(&path).await.body.contains("id=\"said\""));
        let found = raised(&world).await;
        assert!(found.contains(&"disputed 1 mandate open".to_owned()), "{found:?}");
        promote(&world, &world.aidant.clone()).await;
        let referent = world.in_hands_of(crate::support::world::fresh(&world.app, &world.aidant)).await;
        let seen = referent.get("/referent/anomalies").await;
        assert!(seen.body.contains("Une personne ne reconnaît pas une intervention"), "{}", seen.body);

        let other = known_usager(&world.app, None, crate::mandates::world::born("Autre", "Personne", "1970-01-01")).await;
        let other = at_home(&world, &other).await;
        assert_eq!(other.get(&path).await.status, 404);
        assert_eq!(other.post(&path, &[]).await.status, 404);
        assert_eq!(world.entries(EventKind::RepresentationDisputed, None).await, 1);
        world.test.verifies().await;
    }
}
