//! What persons meet when something is wrong: told why, and nothing is done.

use super::grant;
use super::world::World;
use crate::support::browser::Browser;
use porteplume::storage::Engine;
use time::Duration;

/// Demands that the aidant's list holds no mandate in force.
fn nothing_is_in_force(world: &World, desk: &Browser) {
    desk.goto(&world.service("/aidant/mandates"));
    desk.is_at("page-mandates");
    desk.says_not("en vigueur");
}

/// The aidant takes the screen back.
fn unlock(desk: &Browser, code: &str) {
    desk.press("link-unlock");
    desk.is_at("page-locked");
    desk.fill("code", code);
    desk.press("unlock-submit");
}

#[test]
fn neither_a_protected_person_nor_a_minor_grants_a_mandate() {
    let world = World::on(Engine::Sqlite);
    let desk = Browser::hurry("refused-grants", "fr");
    let phone = world.enrol(&desk, "samir-haddad");
    let persons = [
        ("rose-marchal", "protected-yes", "Ici, nous ne pouvons pas faire de mandat avec vous"),
        ("lucas-nguessan", "protected-no", "Ici, il faut avoir 18 ans"),
    ];
    for (person, declared, told) in persons {
        desk.goto(&world.service("/aidant"));
        grant::propose(&desk);
        grant::hand_over(&desk, person);
        desk.press("identity-yes");
        desk.tick(declared);
        desk.press("consent-submit");
        desk.is_at("page-consent-done");
        desk.says(told);
        unlock(&desk, &phone.code());
        nothing_is_in_force(&world, &desk);
    }
}

#[test]
fn wrong_codes_leave_the_screen_locked_and_lock_the_factor() {
    let world = World::on(Engine::Sqlite);
    let desk = Browser::hurry("wrong-codes", "fr");
    let phone = world.enrol(&desk, "samir-haddad");
    grant::propose(&desk);
    grant::hand_over(&desk, "rose-marchal");
    grant::consent(&desk);
    unlock(&desk, &phone.wrong_code());
    for _ in 2..=5 {
        desk.is_at("page-locked");
        desk.fill("code", &phone.wrong_code());
        desk.press("unlock-submit");
    }
    desk.goto(&world.service("/aidant/unlock"));
    desk.fill("code", &phone.code());
    desk.press("unlock-submit");
    desk.is_at("page-locked");
    desk.goto(&world.service("/aidant/mandates"));
    desk.is_at("page-locked");
}

#[test]
fn going_back_after_the_consent_leads_to_no_second_answer() {
    let world = World::on(Engine::Sqlite);
    let desk = Browser::hurry("back-button", "fr");
    let phone = world.enrol(&desk, "samir-haddad");
    grant::propose(&desk);
    grant::hand_over(&desk, "rose-marchal");
    grant::consent(&desk);
    desk.back();
    desk.is_at("page-consent-done");
    desk.says("Votre accord est enregistré");
    grant::accept(&desk, &phone);
    desk.says("en vigueur");
}

#[test]
fn a_session_left_alone_ends_and_its_last_form_does_nothing() {
    let world = World::on(Engine::Sqlite);
    let desk = Browser::hurry("idle", "fr");
    let phone = world.enrol(&desk, "samir-haddad");
    desk.press("link-new");
    desk.choose("#theme-papiers > summary");
    desk.tick("procedure-acte-etat-civil");
    desk.press("procedures-submit");
    desk.tick("term-day");
    world.wait(Duration::minutes(16));
    desk.press("term-submit");
    desk.is_at("page-error");
    desk.says("Votre session est terminée");
    world.go_and_sign_in(&desk, "aidant");
    desk.is_at("page-factor");
    desk.fill("code", &phone.code());
    desk.press("factor-submit");
    desk.goto(&world.service("/aidant/mandates"));
    assert!(!desk.has("[id^=mandate-]"), "{}", desk.text());
}

#[test]
fn a_callback_from_another_browser_signs_nobody_in() {
    let world = World::on(Engine::Sqlite);
    let thief = Browser::hurry("callback-thief", "fr");
    world.go_and_sign_in(&thief, "usager");
    let callback = world.callback(&thief, "jean-martin-paris");
    assert!(callback.contains("/callback/citizens?"), "{callback}");

    let victim = Browser::hurry("callback-victim", "fr");
    world.visit(&victim);
    victim.goto(&callback);
    victim.is_at("page-error");
    victim.says("Cette étape a commencé ailleurs");
    victim.goto(&world.service("/usager"));
    victim.is_at("page-sign-in");
}
