//! Break-glass: what one auditor may not see, another opens to them for an hour, and the person concerned sees it.

use super::desk::{entries, given, registered};
use crate::mandates::uses::represent;
use crate::mandates::world::{Browser, World};
use crate::space::world::{at_home, two, usager_of};
use crate::support::database::on_both;
use porteplume::mandate::{AuditorId, EventKind, MandateId, Reach, Slots};
use porteplume::service::Who;
use porteplume::service::audit::glass;
use std::collections::BTreeSet;

/// An auditor's browser at the desk, a purpose stated.
pub(super) async fn at_desk<'w>(world: &'w World, auditor: &AuditorId) -> Browser<'w> {
    let (auditor, authenticated_at) = (auditor.clone(), world.app.now());
    let mut browser = world.in_hands_of(Who::Auditor { auditor, authenticated_at, reading: None }).await;
    let stated =
        browser.send("/auditor/purpose", &[("purpose", "Contrôle 2026-17"), ("idempotency", "x")]).await;
    assert_eq!((stated.status, stated.location.as_str()), (303, "/auditor"));
    browser
}

/// An auditor who may read everything.
pub(super) async fn auditor(world: &World) -> AuditorId {
    let id = registered(&world.test).await;
    given(&world.test, &id, Reach::Everything, Slots::METADATA).await;
    id
}

/// The entries on a page.
pub(super) fn listed(body: &str) -> Vec<String> {
    body.split("id=\"entry-").skip(1).map(|rest| rest.chars().take(32).collect()).collect()
}

/// A mandate in force and used, the entry of its use, and the name of the usager.
async fn used(world: &World, desk: &Browser<'_>) -> (MandateId, String) {
    let mut aidant = world.signed_in(&world.aidant).await;
    used_by(world, &mut aidant, desk).await
}

async fn used_by(world: &World, aidant: &mut Browser<'_>, desk: &Browser<'_>) -> (MandateId, String) {
    let mandate = world.active(aidant).await;
    represent(world, &mandate, &two(world)[0], "sid").await;
    let page = desk.get(&format!("/auditor?mandate={mandate}&kind=representation.opened")).await;
    (mandate, listed(&page.body).remove(0))
}

pub(super) async fn ask(desk: &Browser<'_>, mandate: &MandateId, key: &str) -> u16 {
    let fields =
        [("idempotency", key), ("mandate", mandate.as_str()), ("entry", ""), ("reason", "Plainte 12")];
    desk.post("/auditor/content", &fields).await.status
}

const KEY: &str = "0192f3c47d2e7c1a9b3f0e5d6c7b8a90";

on_both! {
    content_opens_with_a_second_auditor_for_one_hour_and_the_person_sees_it(database) {
        let world = World::over(database).await;
        let (first, second) = (auditor(&world).await, auditor(&world).await);
        let (asking, other) = (at_desk(&world, &first).await, at_desk(&world, &second).await);
        let (mandate, entry) = used(&world, &asking).await;
        let usager = usager_of(&world, &mandate).await;
        let path = format!("/auditor/entries/{entry}");
        let shows = async |browser: &Browser<'_>| {
            let page = browser.get(&path).await;
            assert_eq!(page.status, 200);
            page.body.contains(usager.as_str()) && page.body.contains("id=\"persons\"")
        };
        assert!(!shows(&asking).await);
        assert_eq!(ask(&asking, &mandate, KEY).await, 303);
        assert!(!shows(&asking).await, "asking opens nothing");

        let own = asking.post(&format!("/auditor/content/{KEY}/approve"), &[]).await;
        assert!(own.status == 409 && own.body.contains("glass_own_request"), "{}", own.status);
        assert!(!shows(&asking).await, "nobody opens their own request");
        assert!(other.get("/auditor/content").await.body.contains("Plainte 12"));
        assert_eq!(other.post(&format!("/auditor/content/{KEY}/approve"), &[]).await.status, 303);
        assert!(shows(&asking).await);
        assert!(!shows(&other).await, "it is open to who asked");
        let again = other.post(&format!("/auditor/content/{KEY}/refuse"), &[]).await;
        assert!(again.status == 409 && again.body.contains("glass_answered"));

        world.wait(60);
        let later = at_desk(&world, &first).await;
        assert!(!shows(&later).await, "an hour later it is closed");
        let kinds = [EventKind::ContentAsked, EventKind::ContentApproved, EventKind::ContentRead];
        for kind in kinds {
            assert_eq!(entries(&world.test, kind).await, 1, "{kind:?}");
        }

        let home = at_home(&world, &usager).await;
        let page = home.get(&format!("/usager/mandates/{mandate}")).await.body;
        let looks = page.split("id=\"looks\"").nth(1).unwrap().split("</ol>").next().unwrap();
        for told in ["noms et des identifiants ouverts", "pour une heure", "a demandé à voir", "a ouvert une écriture",
            "a cherché dans le journal", "Léa Roux", "Contrôle 2026-17"] {
            assert!(looks.contains(told), "{told}: {looks}");
        }
        world.test.verifies().await;
    }

    what_nobody_answers_within_the_hour_lapses_and_opens_nothing(database) {
        let world = World::over(database).await;
        let (first, second) = (auditor(&world).await, auditor(&world).await);
        let asking = at_desk(&world, &first).await;
        let (mandate, entry) = used(&world, &asking).await;
        assert_eq!(ask(&asking, &mandate, KEY).await, 303);
        assert_eq!(ask(&asking, &mandate, KEY).await, 303, "sent twice");
        assert_eq!(entries(&world.test, EventKind::ContentAsked).await, 1);
        assert_eq!(glass::lapse_due(&world.app).await.unwrap(), 0);
        world.wait(60);
        let other = at_desk(&world, &second).await;
        let late = other.post(&format!("/auditor/content/{KEY}/approve"), &[]).await;
        assert!(late.status == 409 && late.body.contains("glass_too_late"), "{}", late.status);
        assert_eq!(glass::lapse_due(&world.app).await.unwrap(), 1);
        assert_eq!(glass::lapse_due(&world.app).await.unwrap(), 0);
        assert_eq!(entries(&world.test, EventKind::ContentLapsed).await, 1);
        assert_eq!(entries(&world.test, EventKind::ContentApproved).await, 0);
        let asking = at_desk(&world, &first).await;
        assert!(!asking.get(&format!("/auditor/entries/{entry}")).await.body.contains("id=\"persons\""));
        world.test.verifies().await;
    }

    only_who_may_read_it_asks_for_it_or_opens_it(database) {
        let world = World::over(database).await;
        let (first, stranger) = (auditor(&world).await, registered(&world.test).await);
        let asking = at_desk(&world, &first).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let (mandate, entry) = used_by(&world, &mut aidant, &asking).await;
        // Without any grant.
        let idle = at_desk(&world, &stranger).await;
        assert_eq!(ask(&idle, &mandate, KEY).await, 403);
        // Of another mandate only.
        let other = world.active(&mut aidant).await;
        let reach = Reach::Named { organisations: BTreeSet::new(), mandates: BTreeSet::from([other]) };
        given(&world.test, &stranger, reach, Slots::METADATA).await;
        assert_eq!(ask(&idle, &mandate, KEY).await, 404);
        assert_eq!(entries(&world.test, EventKind::ContentAsked).await, 0);

        assert_eq!(ask(&asking, &mandate, KEY).await, 303);
        assert!(!idle.get("/auditor/content").await.body.contains("Plainte 12"), "out of sight, unheard of");
        assert_eq!(idle.post(&format!("/auditor/content/{KEY}/approve"), &[]).await.status, 404);
        assert_eq!(entries(&world.test, EventKind::ContentApproved).await, 0);
        assert!(!asking.get(&format!("/auditor/entries/{entry}")).await.body.contains("id=\"persons\""));
        let empty = [("idempotency", "0192f3c47d2e7c1a9b3f0e5d6c7b8a91"), ("mandate", mandate.as_str()), ("entry", ""), ("reason", " ")];
        assert_eq!(asking.post("/auditor/content", &empty).await.status, 422);
        assert_eq!(entries(&world.test, EventKind::ContentAsked).await, 1);
    }
}
