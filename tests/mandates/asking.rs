//! Consent by other ways than the aidant's screen: on a device of one's own, by telephone, on paper, by the post, and without
//! the citizens' provider. Each is tested for what it proves, and for what does not count.

use super::world::{Answer, Browser, World, marie};
use crate::openid::facts::{each_is_found, lines};
use crate::support::database::{TestDatabase, on_both};
use crate::told::postman::{Postman, world};
use porteplume::courier::NotTaken;
use porteplume::mandate::{Channel, EventKind, MandateId, UsagerId};
use porteplume::service::{Who, asking, erase};
use sqlx::Row as _;
use tokio::task::JoinSet;

/// A person no provider has identified, as an aidant types them.
const ODETTE: [(&str, &str); 6] = [
    ("given_name", "Odette"),
    ("family_name", "Martin"),
    ("preferred_username", "Durand"),
    ("birth_day", "7"),
    ("birth_month", "3"),
    ("birth_year", "1941"),
];

pub(crate) fn at(mandate: &MandateId, path: &str) -> String {
    format!("/aidant/mandates/{mandate}/{path}")
}

/// The fields of a person, and more.
pub(crate) fn odette<'f>(more: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    ODETTE.iter().chain(more).copied().collect()
}

pub(crate) async fn ask(
    aidant: &Browser<'_>,
    mandate: &MandateId,
    way: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let answer = aidant.post(&at(mandate, &format!("ask/{way}")), fields).await;
    assert_eq!((answer.status, answer.location), (303, at(mandate, "asked")), "{}", answer.body);
    aidant.get(&at(mandate, "asked")).await
}

/// Sends the codes that are due.
pub(crate) async fn send(world: &World) {
    let mut under_way = JoinSet::new();
    asking::send_due(&world.app, &mut under_way).await.unwrap();
    while let Some(done) = under_way.join_next().await {
        done.unwrap();
    }
}

/// The code in the last letter.
pub(crate) fn code(postman: &Postman) -> String {
    let letter = postman.brought().pop().expect("a letter");
    letter.text.body.lines().next().unwrap().rsplit(": ").next().unwrap().replace(' ', "")
}

/// The code on a printed letter.
fn printed(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("id=\"consent-code\">").unwrap_or_else(|| panic!("{}", page.body));
    rest.split_once('<').unwrap().0.to_owned()
}

/// Somebody nobody knows, on a device of their own.
async fn own_device(world: &World) -> Browser<'_> {
    world.in_hands_of(Who::Anonymous).await
}

/// How the consent of a mandate is stored: channel and level.
async fn consent(world: &World, mandate: &MandateId) -> (String, String) {
    let mut raw = world.test.database.raw().await;
    let query =
        sqlx::query("SELECT channel, identity_level FROM mandate WHERE id = $1").bind(mandate.as_str());
    let row = query.fetch_one(&mut raw).await.unwrap();
    (row.get("channel"), row.get("identity_level"))
}

/// What of an asking rests: whether there is a code, whether anything is sealed, wrong codes, whether there is a scan.
pub(crate) async fn rests(world: &World, mandate: &MandateId) -> (bool, bool, i64, bool) {
    let mut raw = world.test.database.raw().await;
    let text = "SELECT CASE WHEN code_hash IS NULL THEN 0 ELSE 1 END AS code, CASE WHEN length(sealed) > 0 THEN 1 ELSE 0 END \
                AS filled, failures, CASE WHEN scan_hash IS NULL THEN 0 ELSE 1 END AS scan FROM asking WHERE mandate_id = $1";
    let row = sqlx::query(text).bind(mandate.as_str()).fetch_one(&mut raw).await.unwrap();
    let is = |column: &str| i64::from(row.get::<i32, _>(column)) == 1;
    (is("code"), is("filled"), row.get("failures"), is("scan"))
}

pub(crate) async fn accepted(world: &World, aidant: &mut Browser<'_>, mandate: &MandateId) {
    // The factor is proved after the consent.
    let code = aidant.fresh_code();
    let proved = aidant.send("/aidant/factor", &[("code", &code), ("next", "")]).await;
    assert_eq!(proved.status, 303, "{}", proved.body);
    let answer = aidant.post(&at(mandate, "accept"), &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(world.state(mandate).await, "active");
}

/// The account of a mandate tells how its consent was asked for in words for people.
async fn told(aidant: &Browser<'_>, mandate: &MandateId, words: &[&str]) {
    let account = aidant.get(&at(mandate, "account")).await;
    assert!(account.status == 200 && !account.body.contains("écriture technique"), "{}", account.body);
    for said in words {
        assert!(account.body.contains(said), "{said}: {}", account.body);
    }
}

async fn clean(world: &World) {
    assert_eq!(lines(&world.test).await, Vec::<String>::new());
}

async fn asked(database: TestDatabase) -> (World, Postman) {
    world(database).await
}

const SMS: [(&str, &str); 2] = [("by", "sms"), ("telephone", "06 12 34 56 78")];
const YES: [(&str, &str); 2] = [("decision", "consent"), ("protected", "no")];

on_both! {
    on_a_device_of_their_own_the_person_identifies_reads_and_consents(database) {
        let (world, postman) = asked(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        let fields = [("by", "email"), ("email", "odette.martin@exemple.fr")];
        let page = ask(&aidant, &mandate, "own_device", &fields).await;
        assert!(page.body.contains("en cours d’envoi") && page.body.contains("o…@exemple.fr"), "{}", page.body);
        assert!(!page.body.contains("odette.martin"), "{}", page.body);
        send(&world).await;
        assert!(aidant.get(&at(&mandate, "asked")).await.body.contains("envoyé (o…@exemple.fr)"));
        let letter = postman.brought().pop().unwrap();
        assert_eq!((letter.channel, letter.to.as_str()), (Channel::Email, "odette.martin@exemple.fr"));
        assert!(letter.text.short.contains("mandats.example.fr/accord"), "{}", letter.text.short);
        let code = code(&postman);

        let mut person = own_device(&world).await;
        let opened = person.send("/accord", &[("code", &code.to_uppercase())]).await;
        assert_eq!((opened.status, opened.location.as_str()), (303, "/consent"), "{}", opened.body);
        let welcome = person.get("/consent").await;
        assert!(welcome.body.contains("identify-form") && !welcome.body.contains("link-unlock"), "{}", welcome.body);
        // The code proves nobody: without an identification there is no decision.
        assert_eq!(person.get("/consent/decision").await.location, "/consent");
        assert_eq!(person.post("/consent/decision", &YES).await.status, 409);
        assert_eq!(world.state(&mandate).await, "proposed");
        // And nothing else is within reach of it.
        for path in ["/aidant", "/aidant/unlock", &at(&mandate, "asked"), "/usager"] {
            let answer = person.get(path).await;
            assert!(answer.status != 200 && !answer.body.contains("Marie"), "{path}: {}", answer.status);
        }
        let usager = world.identify(&mut person, marie()).await;
        let said = person.send("/consent/decision", &YES).await;
        assert_eq!((said.status, said.location.as_str()), (303, "/consent/done"), "{}", said.body);
        let done = person.get("/consent/done").await;
        assert!(done.body.contains("Vous pouvez fermer cette page") && !done.body.contains("link-unlock"), "{}", done.body);
        assert_eq!(consent(&world, &mandate).await, ("own_device".into(), "eidas1".into()));
        // The code is dead.
        let again = own_device(&world).await.post("/accord", &[("code", &code)]).await;
        assert_eq!(again.status, 422, "{}", again.body);
        accepted(&world, &mut aidant, &mandate).await;
        let detail = aidant.get(&format!("/aidant/mandates/{mandate}")).await;
        assert!(detail.body.contains("Marie"), "{}", detail.body);
        assert_eq!(crate::space::world::usager_of(&world, &mandate).await, usager);
        clean(&world).await;
    }

    a_wrong_an_old_and_an_answered_code_are_answered_alike_and_change_nothing(database) {
        let (world, postman) = asked(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        ask(&aidant, &mandate, "own_device", &SMS).await;
        send(&world).await;
        let first = code(&postman);
        // Another code kills the first.
        let again = aidant.post(&at(&mandate, "asked/again"), &[]).await;
        assert_eq!(again.status, 303, "{}", again.body);
        send(&world).await;
        let second = code(&postman);
        assert_ne!(first, second);
        let person = own_device(&world).await;
        let facts = world.facts().await;
        let wrong = person.post("/accord", &[("code", "22222 22222 222")]).await;
        let dead = person.post("/accord", &[("code", &first)]).await;
        world.wait(31);
        let person = own_device(&world).await;
        let late = person.post("/accord", &[("code", &second)]).await;
        for answer in [&wrong, &dead, &late] {
            assert_eq!(answer.status, 422, "{}", answer.body);
            assert!(answer.body.contains("Ce code ne marche pas"), "{}", answer.body);
        }
        assert_eq!(world.facts().await, facts);
        assert_eq!(person.post_with("/accord", &[("code", &second)], "forged").await.status, 403);
        clean(&world).await;
    }

    on_the_telephone_the_code_that_was_heard_is_the_yes_and_five_wrong_ones_end_it(database) {
        let (world, postman) = asked(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        let page = ask(&aidant, &mandate, "telephone", &odette(&[("by", "voice"), ("telephone", "0262 12 34 56")])).await;
        for part in ["code-form", "À lire à voix haute", "Odette Durand", "…56"] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        send(&world).await;
        let letter = postman.brought().pop().unwrap();
        assert_eq!((letter.channel, letter.to.as_str()), (Channel::Voice, "+262262123456"));
        let right = code(&postman);
        assert!(right.len() == 6 && !page.body.contains(&right), "{right}");
        let key = |code: String| {
            let (aidant, path) = (&aidant, at(&mandate, "asked/code"));
            async move { aidant.post(&path, &[("code", &code), ("protected", "no")]).await }
        };
        // On the public page it opens nothing: it is short, and only said.
        assert_eq!(own_device(&world).await.post("/accord", &[("code", &right)]).await.status, 422);
        // Without the declaration nothing is looked at.
        let unsaid = aidant.post(&at(&mandate, "asked/code"), &[("code", &right)]).await;
        assert_eq!((unsaid.status, rests(&world, &mandate).await.2), (422, 0), "{}", unsaid.body);
        let wrong = if right == "000000" { "000001" } else { "000000" };
        for tried in 1..=5 {
            let answer = key(wrong.to_owned()).await;
            assert_eq!((answer.status, rests(&world, &mandate).await.2), (422, tried), "{}", answer.body);
        }
        assert_eq!(world.entries(EventKind::AskingRefused, Some("asking_refused")).await, 4);
        assert_eq!(world.entries(EventKind::AskingLocked, Some("asking_refused")).await, 1);
        assert_eq!(key(right).await.status, 422);
        assert_eq!(world.state(&mandate).await, "proposed");
        assert!(aidant.get(&at(&mandate, "asked")).await.body.contains("Trop de codes faux"));
        // Asked again, it lives again.
        assert_eq!(aidant.post(&at(&mandate, "asked/again"), &[]).await.status, 303);
        send(&world).await;
        let said = key(code(&postman)).await;
        assert_eq!((said.status, said.location), (303, at(&mandate, "accept")), "{}", said.body);
        assert_eq!(consent(&world, &mandate).await, ("telephone".into(), "declared".into()));
        accepted(&world, &mut aidant, &mandate).await;
        told(&aidant, &mandate, &["un code a été envoyé", "trop de codes faux"]).await;
        clean(&world).await;
    }

    by_the_post_whoever_has_the_letter_answers_within_fifteen_days_and_not_after(database) {
        let (world, _) = asked(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        ask(&aidant, &mandate, "posted_code", &odette(&[])).await;
        let letter = aidant.get(&at(&mandate, "asked/print")).await;
        for part in ["Odette Durand", "mandats.example.fr/accord", "mandate-text"] {
            assert!(letter.body.contains(part), "{part}: {}", letter.body);
        }
        let code = printed(&letter);
        world.wait(14 * 24 * 60);
        let mut person = own_device(&world).await;
        assert_eq!(person.send("/accord", &[("code", &code)]).await.location, "/consent");
        let welcome = person.get("/consent").await;
        assert!(welcome.body.contains("link-identity") && !welcome.body.contains("identify-form"), "{}", welcome.body);
        assert!(person.get("/consent/identity").await.body.contains("Odette"));
        // It is not for them: nothing happens, and the code is asked for again.
        let not = person.send("/consent/identity", &[("identity", "no")]).await;
        assert_eq!(not.status, 303, "{}", not.body);
        assert_eq!(person.get("/consent").await.location, "/accord");
        assert_eq!(person.send("/accord", &[("code", &code)]).await.location, "/consent");
        assert_eq!(person.post("/consent/identity", &[("identity", "yes")]).await.location, "/consent/decision");
        let said = person.send("/consent/decision", &YES).await;
        assert_eq!(said.location, "/consent/done", "{}", said.body);
        assert_eq!(consent(&world, &mandate).await, ("posted_code".into(), "declared".into()));
        accepted(&world, &mut world.signed_in_again(&world.aidant, &mut aidant).await, &mandate).await;
        // Another letter that comes too late.
        let late = world.proposed(&world.signed_in_again(&world.aidant, &mut aidant).await).await;
        let aidant = world.signed_in_again(&world.aidant, &mut aidant).await;
        let known = aidant.post(&at(&late, "ask/posted_code"), &odette(&[])).await;
        assert_eq!(known.status, 422, "{}", known.body);
        ask(&aidant, &late, "posted_code", &odette(&[("known", "other")])).await;
        let code = printed(&aidant.get(&at(&late, "asked/print")).await);
        world.wait(15 * 24 * 60);
        assert_eq!(own_device(&world).await.post("/accord", &[("code", &code)]).await.status, 422);
        assert_eq!(world.state(&late).await, "proposed");
        clean(&world).await;
    }

    whoever_said_no_has_said_it_whatever_comes_later(database) {
        let (world, _) = asked(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        ask(&aidant, &mandate, "posted_code", &odette(&[])).await;
        let code = printed(&aidant.get(&at(&mandate, "asked/print")).await);
        let mut person = own_device(&world).await;
        assert_eq!(person.send("/accord", &[("code", &code)]).await.location, "/consent");
        assert_eq!(aidant.post(&at(&mandate, "asked/no"), &[]).await.status, 303);
        assert_eq!((world.state(&mandate).await.as_str(), rests(&world, &mandate).await), ("refused", (false, false, 0, false)));
        let said = person.post("/consent/decision", &YES).await;
        assert_eq!(said.status, 409, "{}", said.body);
        assert_eq!(own_device(&world).await.post("/accord", &[("code", &code)]).await.status, 422);
        let keyed = aidant.post(&at(&mandate, "asked/code"), &[("code", &code), ("protected", "no")]).await;
        assert_eq!(keyed.status, 409, "{}", keyed.body);
        assert_eq!(world.state(&mandate).await, "refused");
        clean(&world).await;
    }

    a_document_that_was_seen_counts_once_a_second_person_has_seen_it_too(database) {
        let (world, _) = asked(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        let whole = odette(&[("document", "passport"), ("last", "12AB34567")]);
        let refused = aidant.post(&at(&mandate, "ask/seen_document"), &whole).await;
        assert!(refused.status == 422 && !refused.body.contains("12AB34567"), "{}", refused.body);
        ask(&aidant, &mandate, "seen_document", &odette(&[("document", "passport"), ("last", "4567")])).await;
        aidant.hand_over(&mandate).await;
        assert!(aidant.get("/consent").await.body.contains("link-identity"));
        let said = aidant.send("/consent/decision", &YES).await;
        assert_eq!(said.location, "/consent/done", "{}", said.body);
        assert!(aidant.get("/consent/done").await.body.contains("Merci"));
        assert_eq!(world.state(&mandate).await, "proposed", "one person is not enough");
        aidant.unlock().await;
        // Not the one who asked, nobody of another organisation, and nobody whose factor is old.
        let own = aidant.post(&at(&mandate, "asked/compare"), &[("compare", "right")]).await;
        assert!(own.status == 422 && own.body.contains("second_person_needed"), "{}", own.body);
        let stranger = world.signed_in(&world.stranger().await).await;
        assert_eq!(stranger.post(&at(&mandate, "asked/compare"), &[("compare", "right")]).await.status, 404);
        assert_eq!(stranger.get(&at(&mandate, "asked/compare")).await.status, 404);
        assert_eq!(world.state(&mandate).await, "proposed");
        let mut colleague = world.signed_in(&world.colleague().await).await;
        let page = colleague.get(&at(&mandate, "asked/compare")).await;
        for part in ["Odette Durand", "Passeport", "4567", "compare-form"] {
            assert!(page.body.contains(part), "{part}: {}", page.body);
        }
        // Found wrong first, then asked and answered again.
        assert_eq!(colleague.post(&at(&mandate, "asked/compare"), &[("compare", "wrong")]).await.status, 303);
        assert_eq!(colleague.post(&at(&mandate, "asked/compare"), &[("compare", "right")]).await.status, 404);
        aidant.hand_over(&mandate).await;
        assert_eq!(aidant.send("/consent/decision", &YES).await.location, "/consent/done");
        let right = colleague.post(&at(&mandate, "asked/compare"), &[("compare", "right")]).await;
        assert_eq!(right.status, 303, "{}", right.body);
        assert_eq!(consent(&world, &mandate).await, ("seen_document".into(), "declared".into()));
        accepted(&world, &mut colleague, &mandate).await;
        told(&colleague, &mandate, &["par un autre moyen", "doit le confirmer", "n’a pas confirmé"]).await;
        clean(&world).await;
    }

    a_signed_paper_counts_once_it_was_compared_and_only_its_picture_is_kept(database) {
        let (world, _) = asked(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        ask(&aidant, &mandate, "paper", &odette(&[])).await;
        let form = aidant.get(&at(&mandate, "asked/print")).await;
        assert!(form.body.contains("Signature") && !form.body.contains("consent-code"), "{}", form.body);
        let today = "2026-09-21";
        let scan = at(&mandate, "asked/scan");
        let send = |file: Vec<u8>, day: &'static str| {
            let (aidant, scan) = (&aidant, scan.clone());
            async move { aidant.post_file(&scan, &[("signed_on", day), ("protected", "no")], &file).await }
        };
        let (facts, good) = (world.facts().await, picture());
        for (file, day) in [
            (Vec::new(), today),
            (b"%PDF-1.7".to_vec(), today),
            (b"<script>alert(1)</script>".to_vec(), today),
            (good[..good.len() / 3].to_vec(), today),
            (good.clone(), "2026-09-19"),
            (good.clone(), "2027-01-01"),
            (good.clone(), "hier"),
        ] {
            let answer = send(file, day).await;
            assert_eq!(answer.status, 422, "{day}: {}", answer.body);
        }
        let large = vec![0xff; 40 * 1024 * 1024];
        assert_eq!(send(large, today).await.status, 413);
        assert_eq!(aidant.post_file(&scan, &[("signed_on", today)], &good).await.status, 422);
        assert_eq!(world.facts().await, facts);
        let taken = send([good.clone(), b"<script>".to_vec()].concat(), today).await;
        assert_eq!((taken.status, taken.location), (303, at(&mandate, "asked")), "{}", taken.body);
        assert_eq!((world.state(&mandate).await.as_str(), rests(&world, &mandate).await.3), ("proposed", true));
        let mut colleague = world.signed_in(&world.colleague().await).await;
        let page = colleague.get(&at(&mandate, "asked/compare")).await;
        assert!(page.body.contains("link-scan") && page.body.contains("septembre"), "{}", page.body);
        let seen = colleague.get(&at(&mandate, "asked/compare/scan")).await;
        assert!(seen.status == 200 && seen.body.contains("JFIF") && !seen.body.contains("<script>"));
        let stranger = world.signed_in(&world.stranger().await).await;
        assert_eq!(stranger.get(&at(&mandate, "asked/compare/scan")).await.status, 404);
        let right = colleague.post(&at(&mandate, "asked/compare"), &[("compare", "right")]).await;
        assert_eq!(right.status, 303, "{}", right.body);
        assert_eq!(consent(&world, &mandate).await, ("paper".into(), "declared".into()));
        accepted(&world, &mut colleague, &mandate).await;
        clean(&world).await;
    }

    a_person_the_organisation_knows_is_told_apart_and_others_know_nothing_of_them(database) {
        let (world, _) = asked(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let first = world.proposed(&aidant).await;
        ask(&aidant, &first, "posted_code", &odette(&[])).await;
        let code = printed(&aidant.get(&at(&first, "asked/print")).await);
        let keyed = aidant.post(&at(&first, "asked/code"), &[("code", &code), ("protected", "no")]).await;
        assert_eq!(keyed.status, 303, "{}", keyed.body);
        accepted(&world, &mut aidant, &first).await;
        let odette_id = crate::space::world::usager_of(&world, &first).await;
        let second = world.proposed(&aidant).await;
        let whether = aidant.post(&at(&second, "ask/paper"), &odette(&[])).await;
        assert!(whether.status == 422 && whether.body.contains(odette_id.as_str()), "{}", whether.body);
        ask(&aidant, &second, "paper", &odette(&[("known", odette_id.as_str())])).await;
        let unknown = UsagerId::from_bytes([9; 16]);
        let third = world.proposed(&aidant).await;
        let made_up = aidant.post(&at(&third, "ask/paper"), &odette(&[("known", unknown.as_str())])).await;
        assert_eq!(made_up.status, 404, "{}", made_up.body);
        // Another organisation is asked nothing: to it she is new.
        let stranger = world.signed_in(&world.stranger().await).await;
        let theirs = world.proposed(&stranger).await;
        let page = ask(&stranger, &theirs, "paper", &odette(&[])).await;
        assert!(!page.body.contains(odette_id.as_str()), "{}", page.body);
        assert_eq!(stranger.get(&at(&second, "asked")).await.status, 404);
        clean(&world).await;
    }

    whoever_may_not_grant_is_not_asked_and_a_stranger_asks_nobody(database) {
        let (world, postman) = asked(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        let facts = world.facts().await;
        let mut child = odette(&[]);
        child[5].1 = "2015";
        assert_eq!(aidant.post(&at(&mandate, "ask/paper"), &child).await.status, 409);
        for way in ["in_presence", "fax", "Paper"] {
            assert_eq!(aidant.post(&at(&mandate, &format!("ask/{way}")), &odette(&[])).await.status, 404, "{way}");
        }
        for (way, fields) in [
            ("own_device", vec![("by", "sms"), ("telephone", "12")]),
            ("own_device", vec![("by", "voice"), ("telephone", "06 12 34 56 78")]),
            ("own_device", vec![("by", "email"), ("email", "odette")]),
            ("telephone", odette(&[("by", "email"), ("email", "odette@exemple.fr")])),
            ("telephone", SMS.to_vec()),
            ("paper", vec![]),
            ("seen_document", odette(&[("document", "library_card"), ("last", "4567")])),
        ] {
            assert_eq!(aidant.post(&at(&mandate, &format!("ask/{way}")), &fields).await.status, 422, "{way}");
        }
        let stranger = world.signed_in(&world.stranger().await).await;
        assert_eq!(stranger.post(&at(&mandate, "ask/own_device"), &SMS).await.status, 404);
        assert_eq!(world.facts().await, facts);
        send(&world).await;
        assert!(postman.brought().is_empty());
        clean(&world).await;
    }

    a_code_is_sent_once_its_entry_stands_and_exactly_once_whatever_fails(database) {
        let (world, postman) = asked(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        postman.always(Some(NotTaken::Later("smtp_unavailable")));
        ask(&aidant, &mandate, "own_device", &SMS).await;
        for _ in 0..4 {
            send(&world).await;
            world.wait(1);
        }
        assert!(postman.brought().is_empty());
        assert!(aidant.get(&at(&mandate, "asked")).await.body.contains("en cours d’envoi"));
        postman.always(None);
        for _ in 0..3 {
            world.wait(1);
            send(&world).await;
        }
        assert_eq!((postman.brought().len(), world.entries(EventKind::AskingSent, None).await), (1, 1));
        // An address that takes nothing is said so, and can be asked anew by another way.
        postman.always(Some(NotTaken::Refused("address_refused")));
        assert_eq!(aidant.post(&at(&mandate, "asked/again"), &[]).await.status, 303);
        send(&world).await;
        assert!(aidant.get(&at(&mandate, "asked")).await.body.contains("n’a pas pu être envoyé"));
        assert_eq!(world.entries(EventKind::AskingNotSent, None).await, 1);
        let page = ask(&aidant, &mandate, "paper", &odette(&[])).await;
        assert!(page.body.contains("scan-form"), "{}", page.body);
        clean(&world).await;
    }

    erasing_a_person_leaves_nothing_of_how_they_were_asked(database) {
        let (world, _) = asked(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        ask(&aidant, &mandate, "paper", &odette(&[])).await;
        let fields = [("signed_on", "2026-09-21"), ("protected", "no")];
        assert_eq!(aidant.post_file(&at(&mandate, "asked/scan"), &fields, &picture()).await.status, 303);
        let mut colleague = world.signed_in(&world.colleague().await).await;
        assert_eq!(colleague.post(&at(&mandate, "asked/compare"), &[("compare", "right")]).await.status, 303);
        accepted(&world, &mut colleague, &mandate).await;
        // Asked a second time, and never answered.
        let other = world.proposed(&aidant).await;
        let usager = crate::space::world::usager_of(&world, &mandate).await;
        ask(&aidant, &other, "posted_code", &odette(&[("known", usager.as_str())])).await;
        aidant.send("/sign-out", &[]).await;
        erase::usager(&world.app, &usager, true).await.unwrap();
        for one in [&mandate, &other] {
            let (code, filled, ..) = rests(&world, one).await;
            assert!(!code && !filled, "{one}");
        }
        let mut raw = world.test.database.raw().await;
        let scans: i64 = sqlx::query_scalar("SELECT count(*) FROM asking_scan").fetch_one(&mut raw).await.unwrap();
        assert_eq!(scans, 0);
        clean(&world).await;
    }

    whatever_is_changed_of_an_asking_behind_our_back_is_found(database) {
        let (world, _) = asked(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        ask(&aidant, &mandate, "paper", &odette(&[])).await;
        let fields = [("signed_on", "2026-09-21"), ("protected", "no")];
        assert_eq!(aidant.post_file(&at(&mandate, "asked/scan"), &fields, &picture()).await.status, 303);
        let said = "asking";
        let kept = |column: &str| format!("UPDATE asking SET {column} = (SELECT {column} FROM kept)");
        let columns = ["delivery", "usager_id", "code_hash", "sealed", "scan_hash", "asked_by", "asked_at", "failures", "answered_at", "version"];
        let colleague = world.colleague().await;
        let usager = crate::support::world::known_usager(&world.app, None, marie()).await;
        let values = [
            "'sent'".to_owned(),
            format!("'{usager}'"),
            format!("'{}'", "0".repeat(64)),
            "substr(sealed, 1, 5)".to_owned(),
            "NULL".to_owned(),
            format!("'{colleague}'"),
            "asked_at + 1".to_owned(),
            "1".to_owned(),
            "answered_at + 1".to_owned(),
            "version + 1".to_owned(),
        ];
        let mut raw = world.test.database.raw().await;
        sqlx::query("CREATE TABLE kept AS SELECT * FROM asking").execute(&mut raw).await.unwrap();
        drop(raw);
        let changes: Vec<_> = columns.iter().zip(&values).map(|(column, value)| {
            (format!("UPDATE asking SET {column} = {value}"), kept(column))
        }).collect();
        let attacks: Vec<_> = changes.iter().map(|(change, back)| (change.as_str(), back.as_str(), said)).collect();
        each_is_found(&world.test, &attacks).await;
        each_is_found(&world.test, &[
            ("UPDATE mandate SET asked_channel = 'telephone'", "UPDATE mandate SET asked_channel = 'paper'", "mandate"),
            ("UPDATE mandate SET asked_at = asked_at + 1000000", "UPDATE mandate SET asked_at = asked_at - 1000000", "mandate"),
        ])
        .await;
    }
}

/// A picture of a page: shades that no two rows share.
fn picture() -> Vec<u8> {
    let mut file = std::io::Cursor::new(Vec::new());
    let shade = |at: u32| u8::try_from(at % 256).unwrap();
    image::RgbImage::from_fn(400, 500, |x, y| image::Rgb([shade(x), shade(y), 128]))
        .write_to(&mut file, image::ImageFormat::Png)
        .unwrap();
    file.into_inner()
}
