//! Coming back from the citizens' provider: once, in time, in the browser that went there.

use super::elsewhere::{Window, identified, stranger};
use crate::mandates::world::Answer;
use crate::support::database::on_both;
use crate::support::state::State;
use porteplume::mandate::EventKind;

fn refused(answer: &Answer) {
    assert_eq!((answer.status, answer.location.as_str()), (400, ""), "{}", answer.body);
    assert!(answer.body.contains("sign_in_flow_unknown"), "{}", answer.body);
    assert!(!answer.body.contains("code="), "{}", answer.body);
}

on_both! {
    a_callback_counts_once_in_time_and_in_its_own_browser(database) {
        let (world, issuer) = identified(database).await;
        let window = Window::stranger(&world, &issuer).await;
        let back = window.identifies("/usager/sign-in", "rose-marchal").await;
        let mut browser = window.here;
        let before = State::of(&world.test.database).await;
        refused(&browser.get("/callback/citizens?state=unknown&code=unknown").await);
        refused(&browser.get("/callback/citizens?code=unknown").await);
        refused(&stranger(&world).await.get(&back).await);
        let mut nobody = stranger(&world).await;
        "made-up".clone_into(&mut nobody.cookie);
        refused(&nobody.get(&back).await);
        assert_eq!(State::of(&world.test.database).await, before, "nobody signed in");
        assert_eq!(world.entries(EventKind::SignInRefused, Some("sign_in_flow_unknown")).await, 4);

        let old = browser.cookie.clone();
        let home = browser.follow(&back).await;
        assert_eq!((home.status, home.location.as_str()), (303, "/usager"), "{}", home.body);
        assert_ne!(browser.cookie, old, "the session rotated");
        assert_eq!(browser.get("/usager").await.status, 200);
        let after = State::of(&world.test.database).await;
        refused(&browser.get(&back).await);
        let mut thief = stranger(&world).await;
        thief.cookie = old;
        refused(&thief.get(&back).await);
        assert_eq!(State::of(&world.test.database).await, after, "replayed, it does nothing");
        assert_eq!(world.entries(EventKind::UsagerSignedIn, None).await, 1);

        let late = Window::stranger(&world, &issuer).await;
        let back = late.identifies("/usager/sign-in", "rose-marchal").await;
        world.wait(11);
        refused(&late.here.get(&back).await);
        assert_eq!(State::of(&world.test.database).await, after);
    }

    an_identification_for_one_purpose_serves_no_other(database) {
        let (world, issuer) = identified(database).await;
        let mut desk = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&desk).await;
        // The usager identifies at home; the handed-over screen is shown what came back.
        let home = Window::stranger(&world, &issuer).await;
        let elsewhere = home.identifies("/usager/sign-in", "rose-marchal").await;
        desk.hand_over(&mandate).await;
        refused(&desk.get(&elsewhere).await);
        // What was begun on the screen is brought back to the other provider's door.
        let own = Window::on(desk.at(&world), &issuer).identifies("/consent/identify", "rose-marchal").await;
        refused(&desk.get(&own.replace("/citizens", "/agents")).await);
        assert_eq!(world.entries(EventKind::SignInRefused, Some("sign_in_flow_unknown")).await, 2);
        let before = State::of(&world.test.database).await;
        let said = desk.post("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!(said.status, 409, "nobody is identified here: {}", said.body);
        assert_eq!(State::of(&world.test.database).await, before);
        assert_eq!(world.state(&mandate).await, "proposed");

        let own = Window::on(desk.at(&world), &issuer).identifies("/consent/identify", "rose-marchal").await;
        let shown = desk.follow(&own).await;
        assert_eq!((shown.status, shown.location.as_str()), (303, "/consent/identity"), "{}", shown.body);
        let said = desk.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!((said.status, world.state(&mandate).await.as_str()), (200, "consented"), "{}", said.body);
        assert!(said.body.contains("page-leaving"), "{}", said.body);
    }

    an_account_that_signs_in_too_often_waits_and_others_do_not(database) {
        let (world, issuer) = identified(database).await;
        for _ in 0..10 {
            let mut window = Window::stranger(&world, &issuer).await;
            let back = window.identifies("/usager/sign-in", "rose-marchal").await;
            assert_eq!(window.here.follow(&back).await.location, "/usager");
        }
        let window = Window::stranger(&world, &issuer).await;
        let before = State::of(&world.test.database).await;
        let back = window.identifies("/usager/sign-in", "rose-marchal").await;
        let browser = window.here;
        let answer = browser.get(&back).await;
        assert_eq!((answer.status, answer.location.as_str()), (429, ""), "{}", answer.body);
        assert!(answer.body.contains("too_often"), "{}", answer.body);
        assert_eq!(browser.get("/usager").await.status, 303, "nobody is signed in here");
        assert_eq!(State::of(&world.test.database).await, before);
        assert_eq!(world.entries(EventKind::SignInRefused, Some("too_often")).await, 1);

        let mut other = Window::stranger(&world, &issuer).await;
        let back = other.identifies("/usager/sign-in", "khadija-ben-mbarek").await;
        assert_eq!(other.here.follow(&back).await.location, "/usager", "another account has its own count");
        world.wait(1);
        let mut later = Window::stranger(&world, &issuer).await;
        let back = later.identifies("/usager/sign-in", "rose-marchal").await;
        assert_eq!(later.here.follow(&back).await.location, "/usager");
    }
}
