//! What time does.

use super::world::{World, marie};
use crate::support::database::on_both;
use porteplume::mandate::EventKind;
use porteplume::service::expire;
use time::Duration;

on_both! {
    consent_after_thirty_minutes_is_too_late(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        browser.hand_over(&mandate).await;
        // The session must not idle out meanwhile.
        for _ in 0..2 {
            world.wait(10);
            browser.get("/consent").await;
        }
        world.wait(9);
        world.identify(&mut browser, marie()).await;
        world.wait(1);
        let before = world.facts().await;
        let said = browser.post("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert!(said.status == 422 && said.body.contains("consent-done"), "{}", said.body);
        assert_eq!(world.facts().await, before);
        assert_eq!(world.entries(EventKind::MandateStepRefused, Some("proposal_lapsed")).await, 1);
    }

    proposals_lapse_and_mandates_expire_by_themselves_once(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let active = world.active(&mut browser).await;
        let waiting = world.proposed(&browser).await;
        assert_eq!(expire::lapse_due(&world.app).await.unwrap(), 0);
        assert_eq!(expire::expire_due(&world.app).await.unwrap(), 0);
        world.wait(30);
        assert_eq!(expire::lapse_due(&world.app).await.unwrap(), 1);
        assert_eq!(expire::lapse_due(&world.app).await.unwrap(), 0);
        assert_eq!(world.state(&waiting).await, "lapsed");
        assert_eq!(world.state(&active).await, "active");
        world.test.clock.advance(Duration::days(31));
        assert_eq!(expire::expire_due(&world.app).await.unwrap(), 1);
        assert_eq!(expire::expire_due(&world.app).await.unwrap(), 0);
        assert_eq!(world.state(&active).await, "ended");
        assert_eq!(world.entries(EventKind::MandateLapsed, None).await, 1);
        assert_eq!(world.entries(EventKind::MandateEnded, None).await, 1);
    }

    a_consent_the_organisation_does_not_accept_in_time_lapses(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        browser.unlock().await;
        for _ in 0..3 {
            world.wait(10);
            browser.get("/aidant").await;
        }
        let accepted = browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await;
        assert_eq!(accepted.status, 409, "{}", accepted.body);
        assert_eq!(world.state(&mandate).await, "consented");
        assert_eq!(expire::lapse_due(&world.app).await.unwrap(), 1);
        assert_eq!(world.state(&mandate).await, "lapsed");
        let page = browser.get(&format!("/aidant/mandates/{mandate}")).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Une réponse a manqué à temps."), "{}", page.body);
    }

    accepting_asks_for_a_factor_proved_after_the_consent(database) {
        let world = World::over(database).await;
        let colleague = world.signed_in(&world.colleague().await).await;
        world.wait(1);
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        let path = format!("/aidant/mandates/{mandate}/accept");
        let page = colleague.get(&path).await;
        assert_eq!((page.status, page.location.as_str()), (303, "/aidant/factor"), "{}", page.body);
        assert_eq!(colleague.post(&path, &[]).await.status, 403);
        assert_eq!(world.state(&mandate).await, "consented");
    }
}
