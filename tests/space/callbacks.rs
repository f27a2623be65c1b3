//! Coming back from the citizens' provider: once, in time, in the browser that went there.

use crate::mandates::world::{Answer, Browser, World};
use crate::sandbox::browser::Browser as Elsewhere;
use crate::support::app::TestApp;
use crate::support::database::{TestDatabase, on_both};
use crate::support::state::State;
use porteplume::clock::SystemEntropy;
use porteplume::config::Secret;
use porteplume::demo::{Flavour, IdentityProvider, SandboxClient, serve};
use porteplume::mandate::EventKind;
use porteplume::service::Who;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A world whose usagers come by a provider that answers.
async fn identified(database: TestDatabase) -> (World, String) {
    let test = TestApp::over(database).await;
    let client = SandboxClient {
        client_id: "porteplume".to_owned(),
        name: "Porteplume".to_owned(),
        client_secret: Secret::new("a secret of more than thirty-two characters".to_owned()),
        redirect_uris: vec!["https://mandats.example.fr/callback/citizens".to_owned()],
        post_logout_redirect_uris: vec!["https://mandats.example.fr/signed-out".to_owned()],
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    let registration = client.registration(Flavour::Citizens, &issuer);
    let (clock, entropy) = (Arc::new(test.clock.clone()), Arc::new(SystemEntropy));
    let provider = IdentityProvider::new(Flavour::Citizens, &issuer, vec![client], clock, entropy).unwrap();
    tokio::spawn(serve(listener, provider.router(), std::future::pending()));
    (World::of(test.identified_by(registration)).await, issuer)
}

/// Goes to the provider and is known there; gives the path of ours to come back by.
async fn identifies(browser: &Browser<'_>, issuer: &str, door: &str, person: &str) -> String {
    let sent = browser.post(door, &[]).await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let elsewhere = Elsewhere::new();
    let page = elsewhere.get(&sent.location).await;
    let form = [("request", page.hidden("request")), ("person", person.to_owned())];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    let back = elsewhere.post(&format!("{issuer}/choose"), &form).await.location();
    format!("{}?{}", back.path(), back.query().unwrap())
}

async fn stranger(world: &World) -> Browser<'_> {
    world.in_hands_of(Who::Anonymous).await
}

fn refused(answer: &Answer) {
    assert_eq!((answer.status, answer.location.as_str()), (400, ""), "{}", answer.body);
    assert!(answer.body.contains("sign_in_flow_unknown"), "{}", answer.body);
    assert!(!answer.body.contains("code="), "{}", answer.body);
}

on_both! {
    a_callback_counts_once_in_time_and_in_its_own_browser(database) {
        let (world, issuer) = identified(database).await;
        let mut browser = stranger(&world).await;
        let back = identifies(&browser, &issuer, "/usager/sign-in", "rose-marchal").await;
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

        let late = stranger(&world).await;
        let back = identifies(&late, &issuer, "/usager/sign-in", "rose-marchal").await;
        world.wait(11);
        refused(&late.get(&back).await);
        assert_eq!(State::of(&world.test.database).await, after);
    }

    an_identification_for_one_purpose_serves_no_other(database) {
        let (world, issuer) = identified(database).await;
        let mut desk = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&desk).await;
        // The usager identifies at home; the handed-over screen is shown what came back.
        let home = stranger(&world).await;
        let elsewhere = identifies(&home, &issuer, "/usager/sign-in", "rose-marchal").await;
        desk.hand_over(&mandate).await;
        refused(&desk.get(&elsewhere).await);
        // What was begun on the screen is brought back to the other provider's door.
        let own = identifies(&desk, &issuer, "/consent/identify", "rose-marchal").await;
        refused(&desk.get(&own.replace("/citizens", "/agents")).await);
        let before = State::of(&world.test.database).await;
        let said = desk.post("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!(said.status, 409, "nobody is identified here: {}", said.body);
        assert_eq!(State::of(&world.test.database).await, before);
        assert_eq!(world.state(&mandate).await, "proposed");

        let own = identifies(&desk, &issuer, "/consent/identify", "rose-marchal").await;
        let shown = desk.follow(&own).await;
        assert_eq!((shown.status, shown.location.as_str()), (303, "/consent/identity"), "{}", shown.body);
        let said = desk.send("/consent/decision", &[("decision", "consent"), ("protected", "no")]).await;
        assert_eq!((said.status, world.state(&mandate).await.as_str()), (200, "consented"), "{}", said.body);
        assert!(said.body.contains("page-leaving"), "{}", said.body);
    }

    an_account_that_signs_in_too_often_waits_and_others_do_not(database) {
        let (world, issuer) = identified(database).await;
        for _ in 0..10 {
            let mut browser = stranger(&world).await;
            let back = identifies(&browser, &issuer, "/usager/sign-in", "rose-marchal").await;
            assert_eq!(browser.follow(&back).await.location, "/usager");
        }
        let browser = stranger(&world).await;
        let before = State::of(&world.test.database).await;
        let back = identifies(&browser, &issuer, "/usager/sign-in", "rose-marchal").await;
        let answer = browser.get(&back).await;
        assert_eq!((answer.status, answer.location.as_str()), (429, ""), "{}", answer.body);
        assert!(answer.body.contains("too_often"), "{}", answer.body);
        assert_eq!(browser.get("/usager").await.status, 303, "nobody is signed in here");
        assert_eq!(State::of(&world.test.database).await, before);
        assert_eq!(world.entries(EventKind::SignInRefused, Some("too_often")).await, 1);

        let mut other = stranger(&world).await;
        let back = identifies(&other, &issuer, "/usager/sign-in", "khadija-ben-mbarek").await;
        assert_eq!(other.follow(&back).await.location, "/usager", "another account has its own count");
        world.wait(1);
        let mut later = stranger(&world).await;
        let back = identifies(&later, &issuer, "/usager/sign-in", "rose-marchal").await;
        assert_eq!(later.follow(&back).await.location, "/usager");
    }
}
