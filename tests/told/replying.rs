//! What people write back to a text message: it ends, refuses or agrees for whoever has that telephone and that message, and
//! does nothing for anybody else.

use super::hooks::hmac;
use super::postman::{Postman, SECRET, answered, chosen, notices_of, send as tell, world as silent};
use crate::mandates::asking::{accepted, ask, at, code as last_code, odette, rests, send};
use crate::mandates::cards::{card, stored};
use crate::mandates::uses::{lives, represent};
use crate::mandates::world::{Answer, World};
use crate::openid::facts::lines;
use crate::space::world::{active_for_two, two};
use crate::support::database::{TestDatabase, on_both};
use porteplume::mandate::{Channel, EventKind, MandateId};
use porteplume::service::{Who, expire};
use serde_json::{Value, json};
use std::time::Duration;

const THEIRS: &str = "+33612345678";
const ANOTHER: &str = "+33699999999";
const SMS: [(&str, &str); 2] = [("by", "sms"), ("telephone", "06 12 34 56 78")];

/// Posts a body as whoever carries replies does.
async fn post(world: &World, body: String, secret: &str) -> Answer {
    let seconds = world.app.now().millis() / 1_000;
    let made = hmac(secret.as_bytes(), format!("reply.{seconds}.{body}").as_bytes());
    let signature = format!("t={seconds},v1={made}");
    let gateway = world.in_hands_of(Who::Anonymous).await;
    gateway.post_json("/messages/replies", ("porteplume-signature", &signature), body).await
}

fn body(id: &str, from: &str, reference: Option<&str>, text: &str) -> String {
    let mut body = json!({ "id": id, "channel": "sms", "from": from, "text": text });
    if let Some(reference) = reference {
        body["reply_reference"] = reference.into();
    }
    body.to_string()
}

/// A reply, and the words it is answered with.
async fn reply(world: &World, id: &str, from: &str, reference: Option<&str>, text: &str) -> String {
    let answer = post(world, body(id, from, reference, text), SECRET).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let said: Value = serde_json::from_str(&answer.body).unwrap();
    said["answer"].as_str().unwrap().to_owned()
}

fn reference_of(postman: &Postman) -> String {
    postman.brought().pop().expect("a letter").reply_reference.expect("a reference")
}

/// A mandate whose person is told by text message, and the last message's reference.
async fn told(world: &World, postman: &Postman) -> (MandateId, String) {
    let mut aidant = world.signed_in(&world.aidant).await;
    let mandate = active_for_two(world, &mut aidant).await;
    chosen(world, &mandate, Channel::Sms).await;
    represent(world, &mandate, &two(world)[0].clone(), "one").await;
    world.wait(31);
    assert_eq!(expire::close_due(&world.app).await.unwrap(), 1);
    tell(world).await;
    let letter = postman.brought().pop().unwrap();
    assert!(
        letter.text.short.ends_with("Pour mettre fin au mandat, répondez STOP."),
        "{}",
        letter.text.short
    );
    (mandate, letter.reply_reference.unwrap())
}

/// The person of a proposal is asked on the telephone; the code and the message's reference.
async fn telephoned(world: &World, postman: &Postman, mandate: &MandateId) -> (String, String) {
    let aidant = world.signed_in(&world.aidant).await;
    ask(&aidant, mandate, "telephone", &odette(&SMS)).await;
    send(world).await;
    (last_code(postman), reference_of(postman))
}

async fn clean(world: &World) {
    assert_eq!(lines(&world.test).await, Vec::<String>::new());
}

async fn open(database: TestDatabase) -> (World, Postman) {
    answered(database).await
}

on_both! {
    stop_ends_the_mandate_and_what_lives_of_it_at_once_and_is_confirmed(database) {
        let (world, postman) = open(database).await;
        let (mandate, reference) = told(&world, &postman).await;
        let used = represent(&world, &mandate, &two(&world)[0], "two").await;
        assert!(lives(&world, &used).await);
        let said = reply(&world, "r1", THEIRS, Some(&reference), " stop !").await;
        assert!(said.starts_with("C’est fait. Le mandat"), "{said}");
        assert_eq!(world.state(&mandate).await, "ended");
        assert!(!lives(&world, &used).await, "codes and tokens are dead");
        for _ in 0..4 {
            tell(&world).await;
        }
        let last = notices_of(&world).await;
        assert!(last.iter().any(|notice| notice == "ended sms sent -"), "{last:?}");
        // The same reply posted again is the same; another one finds it over.
        let facts = world.facts().await;
        assert_eq!(reply(&world, "r1", THEIRS, Some(&reference), " stop !").await, said);
        assert_eq!(world.facts().await, facts);
        let over = reply(&world, "r2", THEIRS, Some(&reference), "STOP").await;
        assert!(over.contains("déjà terminé"), "{over}");
        assert_eq!(world.entries(EventKind::MandateEnded, None).await, 1);
        let aidant = world.signed_in(&world.aidant).await;
        let account = aidant.get(&at(&mandate, "account")).await;
        assert!(account.body.contains("par une réponse à un SMS"), "{}", account.body);
        clean(&world).await;
    }

    a_reply_from_another_telephone_or_without_its_reference_changes_nothing(database) {
        let (world, postman) = open(database).await;
        let (mandate, reference) = told(&world, &postman).await;
        let last = if reference.ends_with('0') { '1' } else { '0' };
        let forged: String = reference.chars().take(reference.len() - 1).chain([last]).collect();
        let elsewhere = reference.replacen("n.", "a.", 1);
        let before = world.state(&mandate).await;
        for (id, from, reference) in [
            ("r1", ANOTHER, Some(reference.as_str())),
            ("r2", THEIRS, Some(forged.as_str())),
            ("r3", THEIRS, Some(elsewhere.as_str())),
            ("r4", THEIRS, Some("n..")),
            ("r5", THEIRS, None),
        ] {
            let said = reply(&world, id, from, reference, "STOP").await;
            assert!(said.contains("Rien n’a changé"), "{id}: {said}");
        }
        assert_eq!(world.state(&mandate).await, before);
        assert_eq!(world.entries(EventKind::ReplyRefused, Some("reply_of_nobody")).await, 5);
        let said = reply(&world, "r6", THEIRS, Some(&reference), "Merci beaucoup").await;
        assert!(said.contains("pas compris"), "{said}");
        assert_eq!(world.entries(EventKind::ReplyRefused, Some("reply_unclear")).await, 1);
        // Numbers are given to others in time: an old message ends nothing.
        world.wait(91 * 24 * 60);
        assert!(reply(&world, "r7", THEIRS, Some(&reference), "STOP").await.contains("Rien n’a changé"));
        assert_eq!(world.state(&mandate).await, before);
        clean(&world).await;
    }

    on_the_telephone_the_code_agrees_from_the_number_it_went_to(database) {
        let (world, postman) = open(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        let (code, reference) = telephoned(&world, &postman, &mandate).await;
        let short = postman.brought().pop().unwrap().text.short;
        assert!(short.contains("répondez OUI et le code") && short.contains("répondez NON"), "{short}");
        let elsewhere = reply(&world, "r1", ANOTHER, Some(&reference), &format!("oui {code}")).await;
        assert!(elsewhere.contains("Rien n’a changé"), "{elsewhere}");
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let refused = reply(&world, "r2", THEIRS, Some(&reference), &format!("oui {wrong}")).await;
        assert!(refused.contains("Ce code n’est pas le bon"), "{refused}");
        // Posted again, it is counted once.
        reply(&world, "r2", THEIRS, Some(&reference), &format!("oui {wrong}")).await;
        assert_eq!((world.state(&mandate).await.as_str(), rests(&world, &mandate).await.2), ("proposed", 1));
        assert!(reply(&world, "r3", THEIRS, Some(&reference), "oui").await.contains("pas compris"));
        let (head, tail) = code.split_at(3);
        let agreed = reply(&world, "r4", THEIRS, Some(&reference), &format!("Oui, {head} {tail}")).await;
        assert!(agreed.contains("vous êtes d’accord"), "{agreed}");
        assert_eq!(world.state(&mandate).await, "consented");
        accepted(&world, &mut aidant, &mandate).await;
        clean(&world).await;
    }

    five_wrong_codes_end_an_asking_whichever_way_they_came(database) {
        let (world, postman) = open(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        let (code, reference) = telephoned(&world, &postman, &mandate).await;
        let wrong = if code == "000000" { "000001" } else { "000000" };
        for id in ["1", "2", "3", "4"] {
            reply(&world, id, THEIRS, Some(&reference), wrong).await;
        }
        let keyed = aidant.post(&at(&mandate, "asked/code"), &[("code", wrong), ("protected", "no")]).await;
        assert_eq!((keyed.status, rests(&world, &mandate).await.2), (422, 5), "{}", keyed.body);
        let right = reply(&world, "5", THEIRS, Some(&reference), &code).await;
        assert!(right.contains("Ce code n’est pas le bon"), "{right}");
        assert_eq!(world.state(&mandate).await, "proposed");
        clean(&world).await;
    }

    a_no_counts_before_and_after_a_yes_by_another_way(database) {
        let (world, postman) = open(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        // Before anybody answered.
        let first = world.proposed(&aidant).await;
        let (code, reference) = telephoned(&world, &postman, &first).await;
        let said = reply(&world, "r1", THEIRS, Some(&reference), "NON").await;
        assert!(said.contains("vous n’êtes pas d’accord"), "{said}");
        assert_eq!((world.state(&first).await.as_str(), rests(&world, &first).await.1), ("refused", false));
        let keyed = aidant.post(&at(&first, "asked/code"), &[("code", &code), ("protected", "no")]).await;
        assert_eq!(keyed.status, 409, "{}", keyed.body);
        assert!(reply(&world, "r2", THEIRS, Some(&reference), &code).await.contains("n’attend plus de réponse"));
        // After the aidant keyed the code in, before and after the organisation accepted.
        for accept in [false, true] {
            let mandate = world.proposed(&aidant).await;
            let fields = [&SMS[..], &[("known", "other")]].concat();
            let fields = odette(&fields);
            let asked = aidant.post(&at(&mandate, "ask/telephone"), &fields).await;
            assert_eq!(asked.status, 303, "{}", asked.body);
            send(&world).await;
            let (said, sent) = (last_code(&postman), reference_of(&postman));
            let keyed = aidant.post(&at(&mandate, "asked/code"), &[("code", &said), ("protected", "no")]).await;
            assert_eq!(keyed.status, 303, "{}", keyed.body);
            if accept {
                accepted(&world, &mut aidant, &mandate).await;
            }
            let said = reply(&world, &format!("no {accept}"), THEIRS, Some(&sent), "non").await;
            assert!(said.starts_with("C’est fait."), "{said}");
            assert_eq!(world.state(&mandate).await, "ended");
        }
        clean(&world).await;
    }

    of_a_yes_and_a_no_at_the_same_moment_the_no_wins(database) {
        let (world, postman) = open(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        for round in 0..6 {
            let mandate = world.proposed(&aidant).await;
            let fields = [&SMS[..], &[("known", "other")]].concat();
            let fields = odette(&fields);
            let fields = if round == 0 { odette(&SMS) } else { fields };
            let asked = aidant.post(&at(&mandate, "ask/telephone"), &fields).await;
            assert_eq!(asked.status, 303, "{}", asked.body);
            send(&world).await;
            let (code, reference) = (last_code(&postman), reference_of(&postman));
            let (id, path) = (format!("no {round}"), at(&mandate, "asked/code"));
            let keyed = [("code", code.as_str()), ("protected", "no")];
            let yes = async {
                // Now this one, now that one comes first.
                tokio::time::sleep(Duration::from_millis(round)).await;
                aidant.post(&path, &keyed).await
            };
            let no = async {
                tokio::time::sleep(Duration::from_millis(5 - round)).await;
                reply(&world, &id, THEIRS, Some(&reference), "NON").await
            };
            let (_, said) = tokio::join!(yes, no);
            assert!(said.contains("pas d’accord") || said.starts_with("C’est fait."), "{said}");
            let state = world.state(&mandate).await;
            assert!(state == "refused" || state == "ended", "{state}");
        }
        clean(&world).await;
    }

    on_their_own_device_a_reply_can_only_say_no(database) {
        let (world, postman) = open(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        ask(&aidant, &mandate, "own_device", &SMS).await;
        send(&world).await;
        let reference = reference_of(&postman);
        assert!(postman.brought().pop().unwrap().text.short.ends_with("répondez NON."));
        let said = reply(&world, "r1", THEIRS, Some(&reference), "oui 123456").await;
        assert!(said.contains("ouvrez la page"), "{said}");
        assert_eq!(world.state(&mandate).await, "proposed");
        assert!(reply(&world, "r2", THEIRS, Some(&reference), "Stop").await.contains("pas d’accord"));
        assert_eq!(world.state(&mandate).await, "refused");
        clean(&world).await;
    }

    a_card_ends_by_text_message_from_any_telephone_and_is_not_guessed(database) {
        let (world, _) = open(database).await;
        let mut aidant = world.signed_in(&world.aidant).await;
        let mandate = active_for_two(&world, &mut aidant).await;
        let card = card(&aidant, &mandate).await;
        let wrong = format!("STOP {} 2222 2222 2222 2", card.number);
        let said = reply(&world, "r1", ANOTHER, None, &wrong).await;
        assert!(said.contains("Nous n’avons pas trouvé"), "{said}");
        assert_eq!((world.state(&mandate).await.as_str(), stored(&world, &mandate).await.0), ("active", 1));
        let right = format!("Bonjour, stop {} {}", card.number, card.code.to_uppercase());
        let said = reply(&world, "r2", ANOTHER, None, &right).await;
        assert!(said.starts_with("C’est fait."), "{said}");
        assert_eq!(world.state(&mandate).await, "ended");
        assert!(reply(&world, "r3", ANOTHER, None, &right).await.contains("déjà terminé"));
        clean(&world).await;
    }

    only_who_carries_replies_is_heard_and_one_telephone_not_without_end(database) {
        let (world, postman) = open(database).await;
        let (mandate, reference) = told(&world, &postman).await;
        let facts = world.facts().await;
        let stop = body("r1", THEIRS, Some(&reference), "STOP");
        let unsigned = post(&world, stop.clone(), "another secret, as long as the one").await;
        assert!(unsigned.status == 401 && unsigned.body.contains("reply_signature"), "{}", unsigned.body);
        for rubbish in ["", "{}", "[]", "STOP", &stop.replace("sms", "fax"), &stop.replace(THEIRS, "Banque")] {
            let answer = post(&world, rubbish.to_owned(), SECRET).await;
            assert!(answer.status == 400 && answer.body.contains("reply_form"), "{rubbish}: {}", answer.body);
        }
        assert_eq!(world.facts().await, facts);
        let mut often = 0;
        for round in 0..200 {
            let answer = post(&world, body(&format!("n{round}"), ANOTHER, None, "STOP"), SECRET).await;
            if answer.status == 429 {
                often += 1;
                break;
            }
        }
        assert_eq!(often, 1);
        // Another telephone is not held up by that.
        reply(&world, "r2", THEIRS, Some(&reference), "STOP").await;
        assert_eq!(world.state(&mandate).await, "ended");
        clean(&world).await;
    }

    where_nobody_carries_replies_none_is_offered_and_none_is_heard(database) {
        let (world, postman) = silent(database).await;
        let aidant = world.signed_in(&world.aidant).await;
        let mandate = world.proposed(&aidant).await;
        ask(&aidant, &mandate, "telephone", &odette(&SMS)).await;
        send(&world).await;
        let letter = postman.brought().pop().unwrap();
        assert!(letter.reply_reference.is_none() && !letter.text.short.contains("répondez"), "{}", letter.text.short);
        let answer = post(&world, body("r1", THEIRS, None, "STOP"), SECRET).await;
        assert_eq!(answer.status, 404, "{}", answer.body);
        assert_eq!(world.state(&mandate).await, "proposed");
    }
}
