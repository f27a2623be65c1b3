//! Bytes that are no text, and more of them than anyone types, at every door that takes a form.

use super::world::{at_home, promote, two, usager_of};
use crate::mandates::world::{Answer, Browser, World};
use crate::support::database::on_both;
use crate::support::state::{State, entries};
use porteplume::mandate::MandateId;
use porteplume::web::csrf;

/// One person's browser with the forms they may send.
struct Door<'w> {
    browser: Browser<'w>,
    paths: Vec<String>,
}

/// Everyone with every form of theirs.
async fn doors(world: &World) -> Vec<Door<'_>> {
    let mut desk = world.signed_in(&world.aidant).await;
    let mandate: MandateId = world.active(&mut desk).await;
    let waiting = world.proposed(&desk).await;
    let usager = at_home(world, &usager_of(world, &mandate).await).await;
    let colleague = world.colleague().await;
    promote(world, &colleague).await;
    let referent = world.signed_in(&colleague).await;
    let mut screen = world.signed_in(&world.aidant).await;
    let handed = world.proposed(&screen).await;
    screen.hand_over(&handed).await;
    world.identify(&mut screen, crate::mandates::world::marie()).await;
    let victim = &world.aidant;
    let procedure = &two(world)[0];
    let of =
        |browser, paths: &[&str]| Door { browser, paths: paths.iter().map(ToString::to_string).collect() };
    vec![
        of(
            desk,
            &[
                "/aidant/mandates/new/duration",
                "/aidant/factor",
                "/aidant/factor/enrol",
                &format!("/aidant/mandates/{waiting}/hand-over"),
                &format!("/aidant/mandates/{mandate}/renounce"),
                "/authorize/made-up/search",
                "/authorize/made-up/confirm",
                "/aidant/sign-in",
                "/sign-out",
                "/end_session/confirm",
            ],
        ),
        of(
            usager,
            &[
                &format!("/usager/mandates/{mandate}/end"),
                &format!("/usager/mandates/{mandate}/procedures/{procedure}/end"),
                "/usager/sign-in",
            ],
        ),
        of(
            referent,
            &[
                "/referent/aidants/invite",
                "/referent/procedures",
                &format!("/referent/aidants/{victim}/suspend"),
                &format!("/referent/mandates/{mandate}/end"),
            ],
        ),
        of(screen, &["/consent/identify", "/consent/identity", "/consent/decision", "/aidant/unlock"]),
    ]
}

/// What stands in a form that is otherwise in order.
async fn token(browser: &Browser<'_>) -> String {
    let session = browser.session().await.expect("the session lives on");
    csrf::token(&session.csrf)
}

fn refused(answer: &Answer, path: &str, status: u16, code: &str) {
    assert_eq!((answer.status, answer.location.as_str()), (status, ""), "{path}: {}", answer.body);
    assert!(answer.body.contains(code), "{path}: {}", answer.body);
}

on_both! {
    bytes_that_are_no_text_do_nothing_at_any_door(database) {
        let world = World::over(database).await;
        let doors = doors(&world).await;
        let (before, journal) = (State::of(&world.test.database).await, entries(&world.test.database).await);
        for door in &doors {
            let token = token(&door.browser).await;
            for path in &door.paths {
                let first = format!("csrf={token}&code=000000&decision=consent&protected=no&identity=yes&x=");
                for bad in [&b"%FF%FE"[..], b"\xff\xfe", b"%C3%28", b"%ED%A0%80", b"a%00b", b"%zz"] {
                    let body = [first.as_bytes(), bad].concat();
                    let answer = door.browser.post_bytes(path, body).await;
                    assert_eq!((answer.status, answer.location.as_str()), (400, ""), "{path} {bad:?}: {}", answer.body);
                    assert!(answer.body.contains("page-error"), "{path}: {}", answer.body);
                }
            }
        }
        assert_eq!(State::of(&world.test.database).await, before);
        assert_eq!(entries(&world.test.database).await, journal);
    }

    a_body_larger_than_any_form_does_nothing_at_any_door(database) {
        let world = World::over(database).await;
        let doors = doors(&world).await;
        let (before, journal) = (State::of(&world.test.database).await, entries(&world.test.database).await);
        for door in &doors {
            let token = token(&door.browser).await;
            for path in &door.paths {
                let body = format!("csrf={token}&decision=consent&protected=no&x={}", "x".repeat(70_000));
                refused(&door.browser.post_bytes(path, body.into_bytes()).await, path, 413, "body_too_large");
            }
        }
        assert_eq!(State::of(&world.test.database).await, before);
        assert_eq!(entries(&world.test.database).await, journal);
    }

    a_refusal_speaks_the_language_of_whom_it_refuses(database) {
        let world = World::over(database).await;
        let mut desk = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut desk).await;
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let token = token(&home).await;
        let end = format!("/usager/mandates/{mandate}/end");
        assert_eq!(home.post(&end, &[]).await.status, 303);
        for (language, own, other) in [("fr", "Aller au contenu", "Skip to content"), ("en", "Skip to content", "Aller au contenu")] {
            let at = |path: &str| format!("{path}?lang={language}");
            let refusals = [
                (400, home.post_bytes(&at(&end), b"x=%FF".to_vec()).await),
                (403, home.post_with(&at(&end), &[], "forged").await),
                (404, home.get(&at("/usager/mandates/00000000000000000000000000000000")).await),
                (404, home.post(&at("/referent/procedures"), &[]).await),
                (409, home.post(&at(&end), &[]).await),
                (413, home.post_bytes(&at(&end), format!("csrf={token}&x={}", "x".repeat(70_000)).into_bytes()).await),
                (422, desk.post(&at("/aidant/mandates/new/duration"), &[("term", "day"), ("idempotency", "k")]).await),
            ];
            for (status, page) in refusals {
                assert_eq!(page.status, status, "{}", page.body);
                assert!(page.body.contains(&format!("<html lang=\"{language}\"")), "{status}: {}", page.body);
                assert!(page.body.contains(own) && !page.body.contains(other), "{status}: {}", page.body);
            }
        }
    }

    addresses_that_are_no_text_lead_nowhere(database) {
        let world = World::over(database).await;
        let doors = doors(&world).await;
        let before = State::of(&world.test.database).await;
        for door in &doors {
            for (path, status) in [
                ("/usager/mandates/%FF%FE/end", 400), ("/aidant/mandates/%FF/accept", 400),
                ("/referent/aidants/%FF/suspend", 400), ("/%FF", 404),
            ] {
                for answer in [door.browser.get(path).await, door.browser.post(path, &[]).await] {
                    assert_eq!((answer.status, answer.location.as_str()), (status, ""), "{path}: {}", answer.body);
                }
            }
            let searched = door.browser.get("/aidant/mandates/new/duration?procedure=%FF").await;
            assert_eq!((searched.status, searched.location.as_str()), (400, ""), "{}", searched.body);
        }
        assert_eq!(State::of(&world.test.database).await, before);
    }
}
