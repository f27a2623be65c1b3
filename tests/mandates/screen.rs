//! The screen that changes hands: what each may do with it.

use super::world::World;
use crate::support::database::on_both;
use crate::support::world::fresh;
use porteplume::mandate::EventKind;
use porteplume::service::manage::{self, Manager, Party};
use porteplume::service::{Caller, Identified, Who};

on_both! {
    while_the_usager_has_the_screen_nothing_of_the_aidants_is_within_reach(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let (mandate, other) = (world.proposed(&browser).await, world.proposed(&browser).await);
        browser.hand_over(&mandate).await;
        let before = world.facts().await;
        for path in ["/aidant", "/aidant/mandates", "/aidant/mandates/new", &format!("/aidant/mandates/{mandate}"),
            &format!("/aidant/mandates/{mandate}/print"), &format!("/aidant/mandates/{mandate}/accept")] {
            let page = browser.get(path).await;
            assert_eq!((page.status, page.location.as_str()), (303, "/aidant/unlock"), "{path}: {}", page.body);
        }
        for path in [format!("/aidant/mandates/{mandate}/accept"), format!("/aidant/mandates/{mandate}/renounce"),
            format!("/aidant/mandates/{other}/hand-over")] {
            assert_eq!(browser.post(&path, &[]).await.status, 403, "{path}");
        }
        assert_eq!(world.facts().await, before);
    }

    the_cookie_from_before_the_hand_over_is_worth_nothing(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        let old = browser.cookie.clone();
        browser.hand_over(&mandate).await;
        browser.cookie = old;
        let before = world.facts().await;
        assert!(browser.session().await.is_none());
        assert_eq!(browser.post(&format!("/aidant/mandates/{mandate}/accept"), &[]).await.status, 401);
        assert_eq!(world.facts().await, before);
    }

    an_aidant_without_a_factor_of_ours_cannot_hand_over(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        let colleague = world.colleague().await;
        world.session_of(fresh(&world.app, &colleague)).await.cookie.expose().clone_into(&mut browser.cookie);
        let before = world.facts().await;
        let answer = browser.post(&format!("/aidant/mandates/{mandate}/hand-over"), &[]).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert!(answer.body.contains("enrolment_needed"), "{}", answer.body);
        assert!(matches!(browser.session().await.unwrap().who, Who::Aidant { .. }));
        assert_eq!(world.entries(EventKind::ScreenHandedOver, None).await, 0);
        assert_eq!(world.facts().await, before);
    }

    a_wrong_code_leaves_the_screen_locked_and_is_journaled(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        let before = world.facts().await;
        for code in ["", "000000", "not a code"] {
            let answer = browser.send("/aidant/unlock", &[("code", code)]).await;
            assert_eq!(answer.status, 422, "{}", answer.body);
            assert!(matches!(browser.session().await.unwrap().who, Who::Locked { .. }));
        }
        assert_eq!(world.entries(EventKind::ScreenUnlockRefused, Some("factor_wrong")).await, 2);
        assert_eq!(world.facts().await, before);
        browser.unlock().await;
        assert!(matches!(browser.session().await.unwrap().who, Who::Aidant { factor_at: Some(_), .. }));
        assert_eq!(world.state(&mandate).await, "consented");
    }

    five_wrong_codes_lock_even_the_right_one_out(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        world.consented(&mut browser).await;
        for _ in 0..5 {
            assert_eq!(browser.send("/aidant/unlock", &[("code", "000000")]).await.status, 422);
        }
        let code = browser.fresh_code();
        let answer = browser.send("/aidant/unlock", &[("code", &code)]).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(matches!(browser.session().await.unwrap().who, Who::Locked { .. }));
        assert_eq!(world.entries(EventKind::ScreenUnlockRefused, Some("factor_wrong")).await, 4);
        assert_eq!(world.entries(EventKind::ScreenUnlockRefused, Some("factor_locked")).await, 2, "the fifth locks");
        assert_eq!(world.entries(EventKind::ScreenUnlocked, None).await, 0);
    }

    an_aidant_suspended_meanwhile_does_not_get_the_screen_back(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.consented(&mut browser).await;
        let Who::Locked { authenticated_at, level, .. } = browser.session().await.unwrap().who.clone() else {
            panic!("the screen is locked")
        };
        let party = Party::Aidant(world.aidant.clone());
        manage::suspend(&world.app, &Manager::Operator, &Caller::default(), &party).await.unwrap();
        let before = world.facts().await;
        let code = browser.fresh_code();
        let gone = browser.post("/aidant/unlock", &[("code", &code)]).await;
        assert_eq!(gone.status, 401, "the suspension ended the session: {}", gone.body);

        // Even a screen that outlived the suspension.
        let aidant = world.aidant.clone();
        let who = Who::Locked { aidant, authenticated_at, level, mandate: mandate.clone() };
        world.session_of(who).await.cookie.expose().clone_into(&mut browser.cookie);
        let refused = browser.send("/aidant/unlock", &[("code", &code)]).await;
        assert_eq!((refused.status, refused.location.as_str()), (403, ""), "{}", refused.body);
        assert!(refused.body.contains("aidant_suspended"), "{}", refused.body);
        assert!(matches!(browser.session().await.unwrap().who, Who::Locked { .. }));
        assert_eq!(world.entries(EventKind::ScreenUnlockRefused, Some("aidant_suspended")).await, 1);
        assert_eq!(world.entries(EventKind::ScreenUnlocked, None).await, 0);
        assert_eq!((world.facts().await, world.state(&mandate).await.as_str()), (before, "consented"));
    }

    another_browser_cannot_answer_for_the_screen(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&browser).await;
        browser.hand_over(&mandate).await;
        let usager = world.identify(&mut browser, super::world::marie()).await;
        let before = world.facts().await;
        // The same person, signed in to their own space in another browser.
        let who = Who::Usager { usager, authenticated_at: world.app.now(), level: "eidas1".to_owned() };
        let mut other = world.signed_in(&world.colleague().await).await;
        world.session_of(who).await.cookie.expose().clone_into(&mut other.cookie);
        let fields = [("decision", "consent"), ("protected", "no")];
        assert_eq!(other.post("/consent/decision", &fields).await.status, 404);
        "nobody".clone_into(&mut other.cookie);
        assert_eq!(other.post("/consent/decision", &fields).await.status, 401);
        assert_eq!(world.facts().await, before);
    }

    an_identification_in_front_of_one_proposal_serves_no_other(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let first = world.proposed(&browser).await;
        browser.hand_over(&first).await;
        let usager = world.identify(&mut browser, super::world::marie()).await;
        let at = world.app.now();
        browser.unlock().await;
        let second = world.proposed(&browser).await;
        // Even a screen that remembered the person from before the proposal.
        let who = Who::HandedOver { aidant: world.aidant.clone(), authenticated_at: at, level: "eidas1".to_owned(),
            mandate: second.clone(), identified: Some(Identified { usager, at, level: "eidas1".to_owned() }) };
        world.session_of(who).await.cookie.expose().clone_into(&mut browser.cookie);
        let said = browser.post("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!(said.status, 409, "{}", said.body);
        assert_eq!(world.state(&second).await, "proposed");
        let code = Some("identification_not_fresh");
        assert_eq!(world.entries(EventKind::MandateStepRefused, code).await, 1);
    }
}
