//! How a mandate ends from the aidant's side.

use super::uses::{Represented, lives, represent};
use super::world::World;
use crate::support::database::on_both;
use porteplume::mandate::{EventKind, MandateId, ProcedureId};
use porteplume::service::expire;

/// A use of a mandate's one procedure.
async fn represented(world: &World, mandate: &MandateId) -> Represented {
    represent(world, mandate, &ProcedureId::parse(world.procedure()).unwrap(), "sid").await
}

on_both! {
    an_aidant_renounces_and_a_second_click_changes_nothing(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let path = format!("/aidant/mandates/{mandate}/renounce");
        assert!(browser.get(&path).await.body.contains("renounce-form"));
        assert_eq!(browser.post(&path, &[]).await.status, 303);
        let after = world.facts().await;
        assert_eq!(world.state(&mandate).await, "ended");
        assert_eq!(browser.post(&path, &[]).await.status, 303);
        assert_eq!(world.facts().await, after);
        assert_eq!(world.entries(EventKind::MandateEnded, None).await, 1);
        let paper = browser.get(&format!("/aidant/mandates/{mandate}/print")).await;
        assert_eq!(paper.status, 409, "{}", paper.body);
    }

    what_lives_of_a_mandate_dies_with_it(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let used = represented(&world, &mandate).await;
        assert!(lives(&world, &used).await);
        let home = browser.get("/aidant").await;
        assert!(home.body.contains(&format!("close-{}", used.id)), "{}", home.body);
        browser.post(&format!("/aidant/mandates/{mandate}/renounce"), &[]).await;
        assert!(!lives(&world, &used).await);
        assert_eq!(world.entries(EventKind::RepresentationClosed, None).await, 1);
    }

    a_representation_is_closed_by_its_aidant_or_by_time_and_by_nobody_else(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let used = represented(&world, &mandate).await;
        let path = format!("/aidant/representations/{}/close", used.id);
        let colleague = world.signed_in(&world.colleague().await).await;
        assert_eq!(colleague.post(&path, &[]).await.status, 404);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 0);
        assert!(lives(&world, &used).await);
        assert_eq!(browser.post(&path, &[]).await.status, 303);
        assert!(!lives(&world, &used).await);
        assert_eq!(browser.post(&path, &[]).await.status, 303);
        world.wait(31);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 0);
        assert_eq!(world.entries(EventKind::RepresentationClosed, None).await, 1);
    }

    an_open_representation_ends_when_its_time_is_over(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let used = represented(&world, &mandate).await;
        world.wait(30);
        assert_eq!(expire::close_due(&world.app).await.unwrap(), 1);
        assert!(!lives(&world, &used).await);
        assert_eq!(world.state(&mandate).await, "active");
    }

    accepting_twice_is_accepting_once(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut browser).await;
        let after = world.facts().await;
        let again = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(again.status, 303, "{}", again.body);
        assert_eq!(world.facts().await, after);
        assert_eq!(world.entries(EventKind::MandateAccepted, None).await, 1);
    }

    a_consented_mandate_can_be_declined(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        browser.unlock().await;
        assert_eq!(browser.post(&format!("/aidant/mandates/{mandate}/renounce"), &[]).await.status, 303);
        assert_eq!(world.state(&mandate).await, "ended");
        let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(accepted.status, 409, "{}", accepted.body);
    }

    the_days_pages_show_what_waits_and_what_stands(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let active = world.active(&mut browser).await;
        let waiting = world.proposed(&browser).await;
        let home = browser.get("/aidant").await;
        assert!(home.body.contains(waiting.as_str()) && home.body.contains("Un mandat est en vigueur"), "{}", home.body);
        let list = browser.get("/aidant/mandates").await;
        assert!(list.body.contains(active.as_str()) && list.body.contains(waiting.as_str()), "{}", list.body);
        let fresh = browser.get("/aidant/mandates/new").await;
        assert!(fresh.body.contains("procedures-form"), "{}", fresh.body);
        let term = browser.get(&format!("/aidant/mandates/new/duration?procedure={}", world.procedure())).await;
        assert!(term.body.contains("term-form"), "{}", term.body);
    }
}
