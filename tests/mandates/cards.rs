//! The card that ends a mandate: by whoever holds it, at any desk, and not by guessing.

use super::uses::{lives, open, represent};
use super::world::{Answer, Browser, World};
use crate::openid::facts::{each_is_found, lines};
use crate::space::world::{active_for_two, at_home, two, usager_of};
use crate::support::database::on_both;
use porteplume::mandate::{EventKind, MandateId, MandateNumber};
use porteplume::service::Who;
use sqlx::Row as _;
use tokio::join;

const REVOKE: &str = "/revoquer";
const CONFIRM: &str = "/revoquer/confirmer";

/// A card, as it is read from the paper.
pub(crate) struct Card {
    pub(crate) number: String,
    pub(crate) code: String,
}

/// What stands in the element of that id, without markup.
fn within(page: &str, id: &str, end: &str) -> String {
    let (_, rest) = page.split_once(&format!("id=\"{id}\">")).unwrap_or_else(|| panic!("no {id}: {page}"));
    rest.split_once(end).unwrap().0.replace("<span>", "").replace("</span>", "")
}

pub(crate) async fn card(aidant: &Browser<'_>, mandate: &MandateId) -> Card {
    let paper = aidant.get(&format!("/aidant/mandates/{mandate}/print")).await;
    assert_eq!(paper.status, 200, "{}", paper.body);
    let number = within(&paper.body, "card-number", "</strong>");
    assert_eq!(number, MandateNumber::of(mandate).to_string());
    Card { number, code: within(&paper.body, "revocation-code", "</dd>") }
}

/// Somebody nobody knows, in front of the public page.
async fn anybody(world: &World) -> Browser<'_> {
    world.in_hands_of(Who::Anonymous).await
}

async fn try_at(browser: &Browser<'_>, path: &str, number: &str, code: &str) -> Answer {
    browser.post(path, &[("number", number), ("code", code)]).await
}

/// The pass for the next form.
fn pass(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (_, rest) = answer.body.split_once("name=\"pass\" value=\"").expect("a pass");
    rest.split('"').next().unwrap().to_owned()
}

async fn end(browser: &Browser<'_>, pass: &str, what: &str) -> Answer {
    browser.post(CONFIRM, &[("pass", pass), ("what", what), ("motive", "")]).await
}

/// The page without what differs from request to request.
fn told(answer: &Answer) -> (u16, String) {
    let main = answer.body.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let forms = main
        .split("name=\"csrf\" value=\"")
        .map(|part| part.split_once("\">").map_or(part, |(_, rest)| rest));
    (answer.status, forms.collect())
}

/// How a card stands, as stored.
pub(crate) async fn stored(world: &World, mandate: &MandateId) -> (i64, i64, bool) {
    let mut raw = world.test.database.raw().await;
    let text = "SELECT failures, locks, CASE WHEN code_hash IS NULL THEN 0 ELSE 1 END AS whole FROM revocation_card \
                WHERE mandate_id = $1";
    let row = sqlx::query(text).bind(mandate.as_str()).fetch_one(&mut raw).await.unwrap();
    (row.get::<i64, _>("failures"), row.get("locks"), row.get::<i64, _>("whole") == 1)
}

on_both! {
    the_card_ends_the_mandate_and_everything_that_lives_of_it_for_whoever_holds_it(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut aidant).await;
        let card = card(&aidant, &mandate).await;
        let used = represent(&world, &mandate, &two(&world)[0], "sid").await;
        let holder = anybody(&world).await;
        let (head, tail) = card.code.split_at(5);
        let typed = format!(" {} {tail}", head.to_uppercase());
        let asked = try_at(&holder, REVOKE, &card.number.replace('-', " "), &typed).await;
        let pass = pass(&asked);
        for told in ["Mairie de L’Haÿ-les-Roses", "what-whole", two(&world)[1].as_str()] {
            assert!(asked.body.contains(told), "{told}: {}", asked.body);
        }
        for kept in ["Le Goff", "Camille", "Marie", card.code.as_str()] {
            assert!(!asked.body.contains(kept), "{kept}: {}", asked.body);
        }
        assert!(lives(&world, &used).await, "asking ends nothing");
        let done = holder.post(CONFIRM, &[("pass", &pass), ("what", "whole"), ("motive", "worried")]).await;
        assert_eq!(done.status, 200, "{}", done.body);
        for told in ["C’est arrêté", "id=\"receipt\"", card.number.as_str()] {
            assert!(done.body.contains(told), "{told}: {}", done.body);
        }
        assert_eq!(world.state(&mandate).await, "ended");
        assert!(!lives(&world, &used).await);
        assert_eq!((open(&world).await, world.entries(EventKind::MandateEnded, None).await), (0, 1));
        // Used again it tells calmly, and changes nothing.
        let before = world.facts().await;
        let again = try_at(&holder, REVOKE, &card.number, &card.code).await;
        assert!(again.status == 200 && again.body.contains("Ce mandat est déjà arrêté"), "{}", again.body);
        let again = end(&holder, &pass, "whole").await;
        assert!(again.status == 200 && again.body.contains("Ce mandat est déjà arrêté"), "{}", again.body);
        assert_eq!(world.facts().await, before);
        assert_eq!(lines(&world.test).await, Vec::<String>::new());
    }

    the_card_takes_one_procedure_out_and_leaves_the_other(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut aidant).await;
        let card = card(&aidant, &mandate).await;
        let [first, second] = two(&world);
        let (one, other) =
            (represent(&world, &mandate, &first, "a").await, represent(&world, &mandate, &second, "b").await);
        let holder = anybody(&world).await;
        let pass = pass(&try_at(&holder, REVOKE, &card.number, &card.code).await);
        let done = end(&holder, &pass, first.as_str()).await;
        assert_eq!(done.status, 200, "{}", done.body);
        assert_eq!(world.state(&mandate).await, "active");
        assert!(!lives(&world, &one).await && lives(&world, &other).await);
        let before = world.facts().await;
        assert_eq!(end(&holder, &pass, first.as_str()).await.status, 409, "taken out already");
        for (what, motive) in [("no such", ""), ("whole", "because")] {
            let fields = [("pass", pass.as_str()), ("what", what), ("motive", motive)];
            assert_eq!(holder.post(CONFIRM, &fields).await.status, 404, "{what} {motive}");
        }
        assert_eq!(world.facts().await, before);
        let third = try_at(&holder, REVOKE, &card.number, &card.code).await;
        assert!(!third.body.contains(&format!("what-{first}")), "{}", third.body);
    }

    a_wrong_number_a_wrong_code_and_a_locked_card_are_answered_alike_and_end_nothing(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        let (card, paper) = (
            card(&aidant, &mandate).await,
            aidant.get(&format!("/aidant/mandates/{mandate}/print")).await,
        );
        let holder = anybody(&world).await;
        // The code that services see opens nothing here.
        let verification = paper.verification_code();
        assert_ne!(verification.trim(), card.code);
        let wrong = try_at(&holder, REVOKE, &card.number, &verification).await;
        assert_eq!(wrong.status, 422, "{}", wrong.body);
        assert!(!wrong.body.contains(verification.trim()), "a code is never shown again");
        let facts = world.facts().await;
        let (_, nobody) = told(&try_at(&holder, REVOKE, "0000-000-001", &card.code).await);
        assert_eq!(nobody.replace("0000-000-001", &card.number), told(&wrong).1);
        assert_eq!(world.facts().await, facts, "nothing is written of a number nobody has");
        for number in ["99", "４２", "9999-999-999"] {
            assert_eq!(try_at(&holder, REVOKE, number, &card.code).await.status, 422, "{number}");
        }
        for tried in 2..=5 {
            assert_eq!(told(&try_at(&holder, REVOKE, &card.number, "x").await), told(&wrong), "{tried}");
        }
        assert_eq!(stored(&world, &mandate).await, (0, 1, true));
        // Locked: the right code is answered as the wrong one, and nothing more is counted.
        assert_eq!(told(&try_at(&holder, REVOKE, &card.number, &card.code).await), told(&wrong));
        assert_eq!(stored(&world, &mandate).await, (0, 1, true));
        assert_eq!(world.entries(EventKind::CardRefused, Some("card_refused")).await, 4);
        assert_eq!(world.entries(EventKind::CardLocked, Some("card_refused")).await, 1);
        assert_eq!(world.state(&mandate).await, "active");
        // Those whose mandate it is are told, and the person's own space ends it as ever.
        let own = at_home(&world, &usager_of(&world, &mandate).await).await;
        let page = own.get(&format!("/usager/mandates/{mandate}")).await;
        assert!(page.body.contains("card-locked"), "{}", page.body);
        let page = aidant.get(&format!("/aidant/mandates/{mandate}")).await;
        assert!(page.body.contains("card-locked"), "{}", page.body);
        world.wait(61);
        let holder = anybody(&world).await;
        pass(&try_at(&holder, REVOKE, &card.number, &card.code).await);
        assert_eq!(lines(&world.test).await, Vec::<String>::new());
    }

    a_lock_is_of_one_card_and_holds_in_every_instance(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let (guessed, other) = (world.active(&mut aidant).await, world.active(&mut aidant).await);
        let (first, second) = (card(&aidant, &guessed).await, card(&aidant, &other).await);
        for _ in 0..5 {
            let stranger = anybody(&world).await;
            assert_eq!(try_at(&stranger, REVOKE, &first.number, &second.code).await.status, 422);
        }
        let holder = anybody(&world).await;
        pass(&try_at(&holder, REVOKE, &second.number, &second.code).await);
        assert_eq!(stored(&world, &other).await, (0, 0, true));
        assert_eq!(try_at(&holder, REVOKE, &first.number, &first.code).await.status, 422);
        assert_eq!(world.entries(EventKind::CardLocked, Some("card_refused")).await, 1);
    }

    a_new_card_kills_the_former_one_and_what_it_had_opened(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        let lost = card(&aidant, &mandate).await;
        let finder = anybody(&world).await;
        let opened = pass(&try_at(&finder, REVOKE, &lost.number, &lost.code).await);
        let made = aidant.post(&format!("/aidant/mandates/{mandate}/card"), &[]).await;
        assert_eq!((made.status, made.location.as_str()), (303, format!("/aidant/mandates/{mandate}/print").as_str()));
        assert_eq!(try_at(&finder, REVOKE, &lost.number, &lost.code).await.status, 422);
        assert_eq!(end(&finder, &opened, "whole").await.status, 422);
        let second = card(&aidant, &mandate).await;
        let own = at_home(&world, &usager_of(&world, &mandate).await).await;
        let made = own.post(&format!("/usager/mandates/{mandate}/card"), &[]).await;
        assert_eq!(made.status, 303, "{}", made.body);
        let page = own.get(&made.location).await;
        let third = within(&page.body, "revocation-code", "</dd>");
        assert!(third != second.code && second.code != lost.code);
        assert_eq!(try_at(&finder, REVOKE, &lost.number, &second.code).await.status, 422);
        pass(&try_at(&finder, REVOKE, &lost.number, &third).await);
        assert_eq!(world.state(&mandate).await, "active");
        assert_eq!(world.entries(EventKind::CardMade, None).await, 2);
        // Nobody else makes one.
        let stranger = world.signed_in(&world.stranger().await).await;
        let facts = world.facts().await;
        assert_eq!(stranger.post(&format!("/aidant/mandates/{mandate}/card"), &[]).await.status, 404);
        assert_eq!(stranger.post(&format!("/usager/mandates/{mandate}/card"), &[]).await.status, 404);
        assert_eq!(stranger.get(&format!("/usager/mandates/{mandate}/card")).await.status, 404);
        assert_eq!(world.facts().await, facts);
        assert_eq!(lines(&world.test).await, Vec::<String>::new());
    }

    at_the_desk_of_another_organisation_the_whole_mandate_ends_and_nothing_of_it_is_told(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut aidant).await;
        let card = card(&aidant, &mandate).await;
        let stranger = world.stranger().await;
        let desk = world.signed_in(&stranger).await;
        assert!(desk.get("/aidant").await.body.contains("/aidant/revoquer"));
        assert_eq!(desk.get("/aidant/revoquer").await.status, 200);
        let asked = try_at(&desk, "/aidant/revoquer", &card.number, &card.code).await;
        let pass = pass(&asked);
        let done = desk.post("/aidant/revoquer/confirmer", &[("pass", &pass), ("what", "whole")]).await;
        assert_eq!(done.status, 200, "{}", done.body);
        assert_eq!(world.state(&mandate).await, "ended");
        let procedures = two(&world).map(|id| world.app.catalogue.procedure(&id).unwrap().name.fr.clone());
        let secret = ["L’Haÿ-les-Roses", "Camille", "Le Goff", "Marie", &procedures[0], &procedures[1]];
        for page in [&asked, &done] {
            for kept in secret {
                assert!(!page.body.contains(kept), "{kept}: {}", page.body);
            }
        }
        // The entry names who keyed it in; only aidants have this door.
        let mut raw = world.test.database.raw().await;
        let by = world.app.keys.index().blind("aidant", &[stranger.as_str()]);
        let query = "SELECT count(*) FROM event_search WHERE kind = 'mandate.ended' AND aidant = $1";
        let named: i64 = sqlx::query(query).bind(by).fetch_one(&mut raw).await.unwrap().get(0);
        assert_eq!(named, 1);
        let anybody = anybody(&world).await;
        assert_eq!(try_at(&anybody, "/aidant/revoquer", &card.number, &card.code).await.status, 401);
        assert_eq!(lines(&world.test).await, Vec::<String>::new());
    }

    of_two_who_end_it_at_the_same_moment_one_does_and_both_are_told(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        let card = card(&aidant, &mandate).await;
        let (here, there) = (anybody(&world).await, anybody(&world).await);
        let first = pass(&try_at(&here, REVOKE, &card.number, &card.code).await);
        let second = pass(&try_at(&there, REVOKE, &card.number, &card.code).await);
        let (one, other) = join!(end(&here, &first, "whole"), end(&there, &second, "whole"));
        assert_eq!((one.status, other.status), (200, 200), "{} {}", one.body, other.body);
        assert_eq!(world.state(&mandate).await, "ended");
        assert_eq!(world.entries(EventKind::MandateEnded, None).await, 1);
    }

    a_pass_is_good_in_its_own_browser_for_a_quarter_of_an_hour_as_it_is(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let (mandate, other) = (world.active(&mut aidant).await, world.active(&mut aidant).await);
        let card = card(&aidant, &mandate).await;
        let (holder, thief) = (anybody(&world).await, anybody(&world).await);
        let given = pass(&try_at(&holder, REVOKE, &card.number, &card.code).await);
        let facts = world.facts().await;
        let elsewhere = given.replace(mandate.as_str(), other.as_str());
        let longer = {
            let parts: Vec<_> = given.split('.').collect();
            format!("{}.9{}.{}", parts[0], parts[1], parts[2])
        };
        for bad in ["", ".", "..", &elsewhere, &longer, given.split_at(given.len() - 1).0] {
            assert_eq!(end(&holder, bad, "whole").await.status, 422, "{bad}");
        }
        assert_eq!(end(&thief, &given, "whole").await.status, 422);
        assert_eq!(holder.post_with(CONFIRM, &[("pass", &given), ("what", "whole")], "forged").await.status, 403);
        // A browser that is used stays; what the code opened does not.
        world.wait(8);
        assert_eq!(holder.get(REVOKE).await.status, 200);
        world.wait(7);
        assert_eq!(end(&holder, &given, "whole").await.status, 422);
        assert_eq!(world.facts().await, facts);
    }

    whatever_is_changed_of_a_card_behind_our_back_is_found(database) {
        let world = World::over(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.active(&mut aidant).await;
        let card = card(&aidant, &mandate).await;
        let guesser = anybody(&world).await;
        assert_eq!(try_at(&guesser, REVOKE, &card.number, "x").await.status, 422);
        let said = "revocation_card";
        each_is_found(&world.test, &[
            ("UPDATE revocation_card SET failures = 0", "UPDATE revocation_card SET failures = 1", said),
            (
                "UPDATE revocation_card SET locks = 1, locked_until = 1",
                "UPDATE revocation_card SET locks = 0, locked_until = NULL",
                said,
            ),
            ("UPDATE revocation_card SET made_at = made_at + 1", "UPDATE revocation_card SET made_at = made_at - 1", said),
            ("UPDATE revocation_card SET version = version + 1", "UPDATE revocation_card SET version = version - 1", said),
            (
                "CREATE TABLE kept AS SELECT * FROM revocation_card; UPDATE revocation_card SET code_hash = replace(code_hash, substr(code_hash, 1, 1), 'x')",
                "UPDATE revocation_card SET code_hash = (SELECT code_hash FROM kept)",
                said,
            ),
            ("DELETE FROM revocation_card", "INSERT INTO revocation_card SELECT * FROM kept", said),
        ])
        .await;
    }
}
