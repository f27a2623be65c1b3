//! Whoever is shown a paper verifies it without signing in: whether its mandate stands, and of persons nothing.

use super::world::{Answer, Browser, World};
use crate::space::world::{active_for_two, at_home, two, usager_of};
use crate::support::database::on_both;
use porteplume::mandate::{EventKind, MandateId, MandateNumber};
use porteplume::service::{Who, erase};

const VERIFY: &str = "/verifier";

async fn anybody(world: &World) -> Browser<'_> {
    world.in_hands_of(Who::Anonymous).await
}

async fn shown(browser: &Browser<'_>, number: &str, code: &str) -> Answer {
    browser.post(VERIFY, &[("number", number), ("code", code)]).await
}

/// Number and code, read from the printed paper.
async fn paper(aidant: &Browser<'_>, mandate: &MandateId) -> (String, String) {
    let paper = aidant.get(&format!("/aidant/mandates/{mandate}/print")).await;
    assert_eq!(paper.status, 200, "{}", paper.body);
    (MandateNumber::of(mandate).to_string(), paper.verification_code().trim().to_owned())
}

/// The page's words, without what differs from request to request.
fn told(answer: &Answer) -> (u16, String) {
    let main = answer.body.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let forms = main
        .split("name=\"csrf\" value=\"")
        .map(|part| part.split_once("\">").map_or(part, |(_, rest)| rest));
    (answer.status, forms.collect())
}

fn names_nobody(answer: &Answer) {
    for name in ["Camille", "Le Goff", "Marie", "1984", "@"] {
        assert!(!answer.body.contains(name), "{name}: {}", answer.body);
    }
}

on_both! {
    whoever_is_shown_a_paper_learns_whether_its_mandate_stands_and_nobodys_name(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut aidant).await;
        let (number, code) = paper(&aidant, &mandate).await;
        let clerk = anybody(&world).await;
        // The QR code fills the form in, and asks nothing by itself.
        let filled = clerk.get(&format!("/verifier/{}/{code}", number.replace('-', ""))).await;
        assert!(filled.status == 200 && filled.body.contains(&format!("value=\"{code}\"")), "{}", filled.body);
        assert_eq!(world.entries(EventKind::MandateVerified, None).await, 0);
        let (head, tail) = code.split_at(4);
        let typed = format!(" {} {tail}", head.to_uppercase());
        let facts = world.facts().await;
        let stands = shown(&clerk, &number.replace('-', " "), &typed).await;
        assert_eq!(stands.status, 200, "{}", stands.body);
        for said in ["id=\"standing\"", "est en vigueur", "Mairie de L’Haÿ-les-Roses", number.as_str()] {
            assert!(stands.body.contains(said), "{said}: {}", stands.body);
        }
        let names = two(&world).map(|id| world.app.catalogue.procedure(&id).unwrap().name.fr.clone());
        let listed = |answer: &Answer, name: &str| answer.body.contains(&name.replace('\'', "&#39;"));
        assert!(names.iter().all(|name| listed(&stands, name)), "{names:?}: {}", stands.body);
        names_nobody(&stands);
        assert!(!stands.body.contains(&code), "the code is not shown again");
        assert_eq!(world.facts().await, facts, "to look changes nothing");
        assert_eq!(world.entries(EventKind::MandateVerified, None).await, 1);
        // The person sees that somebody did.
        let home = at_home(&world, &usager_of(&world, &mandate).await).await;
        let own = home.get(&format!("/usager/mandates/{mandate}")).await;
        assert!(own.body.contains("l’a vérifié"), "{}", own.body);
        // What was taken out is not granted any more.
        let end = format!("/usager/mandates/{mandate}/procedures/{}/end", two(&world)[0]);
        assert_eq!(home.post(&end, &[]).await.status, 303);
        let stands = shown(&clerk, &number, &code).await;
        assert!(!listed(&stands, &names[0]) && listed(&stands, &names[1]), "{}", stands.body);

        assert_eq!(home.post(&format!("/usager/mandates/{mandate}/end"), &[]).await.status, 303);
        let over = shown(&clerk, &number, &code).await;
        assert!(over.status == 200 && over.body.contains("id=\"over\""), "{}", over.body);
        assert!(!over.body.contains("en vigueur") && !listed(&over, &names[1]), "{}", over.body);
        names_nobody(&over);
        assert_eq!(world.entries(EventKind::MandateVerified, None).await, 3);
        world.test.verifies().await;
    }

    a_mandate_that_has_run_out_is_over_before_anybody_recorded_it(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        let (number, code) = paper(&aidant, &mandate).await;
        world.wait(60 * 24 * 32);
        let clerk = anybody(&world).await;
        let over = shown(&clerk, &number, &code).await;
        assert!(over.status == 200 && over.body.contains("id=\"over\""), "{}", over.body);
        assert_eq!(world.state(&mandate).await, "active", "nobody recorded it");
    }

    what_is_wrong_is_answered_alike_whatever_is_wrong_and_kept_out_of_the_page(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let (mandate, other) = (world.active(&mut aidant).await, world.active(&mut aidant).await);
        let ((number, code), (second, code_of_second)) =
            (paper(&aidant, &mandate).await, paper(&aidant, &other).await);
        let clerk = anybody(&world).await;
        let facts = world.facts().await;
        let wrong = told(&shown(&clerk, &number, "2222222222222").await);
        assert!(wrong.0 == 422 && !wrong.1.contains("2222222222222"), "{}", wrong.1);
        let alike = |answer: &Answer, typed: &str| {
            let (status, said) = told(answer);
            assert_eq!((status, said.replace(typed, &number)), wrong, "{typed}");
        };
        alike(&shown(&clerk, &number, &code_of_second).await, &number);
        alike(&shown(&clerk, &second, &code).await, &second);
        alike(&shown(&clerk, "0000-000-001", &code).await, "0000-000-001");
        alike(&shown(&clerk, "no number", &code).await, "no number");
        // The card's code proves nothing.
        let page = aidant.get(&format!("/aidant/mandates/{mandate}/print")).await;
        let card = page.body.split_once("id=\"revocation-code\">").unwrap().1.split_once("</dd>").unwrap().0;
        let card = card.replace("<span>", "").replace("</span>", "");
        let facts_printed = world.facts().await;
        alike(&shown(&clerk, &number, card.trim()).await, &number);
        assert_eq!(world.facts().await, facts_printed);
        assert_ne!(facts_printed, facts, "printing is a step, looking is none");
        assert_eq!(world.entries(EventKind::MandateVerified, Some("paper_refused")).await, 6);
        assert_eq!(world.entries(EventKind::MandateVerified, None).await, 0);
        // Without a number or a code nothing is looked up.
        for (number, code) in [("", "x"), ("1", ""), ("", "")] {
            assert_eq!(shown(&clerk, number, code).await.status, 422);
        }
        assert_eq!(world.entries(EventKind::MandateVerified, Some("paper_refused")).await, 6);
        // An erased person's mandate was never there.
        let usager = usager_of(&world, &mandate).await;
        let home = at_home(&world, &usager).await;
        assert_eq!(home.post(&format!("/usager/mandates/{mandate}/end"), &[]).await.status, 303);
        erase::usager(&world.app, &usager, true).await.unwrap();
        alike(&shown(&clerk, &number, &code).await, &number);
        world.test.verifies().await;
    }

    whoever_tries_too_often_waits(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        let (number, code) = paper(&aidant, &mandate).await;
        let guesser = anybody(&world).await;
        for _ in 0..30 {
            assert_eq!(shown(&guesser, &number, "2222222222222").await.status, 422);
        }
        let waits = shown(&guesser, &number, &code).await;
        assert!(waits.status == 429 && waits.body.contains("too_often"), "{}", waits.body);
        assert!(!waits.body.contains(&code), "{}", waits.body);
        assert_eq!(guesser.get(VERIFY).await.status, 429);
        assert_eq!(world.entries(EventKind::MandateVerified, None).await, 0);
        assert_eq!(world.entries(EventKind::MandateVerified, Some("paper_refused")).await, 30);
        world.wait(1);
        assert_eq!(shown(&guesser, &number, &code).await.status, 200);
    }
}
