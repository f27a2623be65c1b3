//! The main job from end to end: grant, act, revoke, audit.

use super::world::World;
use super::{act, grant};
use crate::support::browser::Browser;
use porteplume::storage::Engine;

/// What the persons read on the way, in their language.
struct Said {
    language: &'static str,
    active: &'static str,
    ended: &'static str,
    declared: &'static str,
    stopped: &'static str,
    purpose: &'static str,
}

fn everything(engine: Engine, said: &Said) {
    let world = World::on(engine);
    let browser = |who: &str| Browser::start(&format!("{who}-{}", said.language), said.language);
    let desk = browser("aidant");
    let phone = grant::all(&world, &desk, "samir-haddad", "rose-marchal");
    desk.press("link-mandate");
    desk.says(said.active);

    act::give_up(&world, &desk);
    act::choose(&world, &desk);
    act::begin(&desk);
    desk.says("Rose");
    act::misdeclare(&desk);
    act::declare(&desk);
    desk.is_at("page-receipt");
    desk.says(said.declared);
    desk.look();
    act::sign_out(&desk);

    // Two more beginnings: one file stays open, one question unanswered.
    act::choose(&world, &desk);
    act::begin(&desk);
    let home = browser("usager");
    revoke(&world, &home, said);
    act::declare(&desk);
    desk.is_at("page-trouble");
    desk.look();
    drop(phone);
    audit(&world, &browser("auditor"), said);
}

/// The usager sees what was done, and ends the mandate.
fn revoke(world: &World, home: &Browser, said: &Said) {
    world.sign_in(home, "usager", "rose-marchal");
    home.is_at("page-usager-home");
    home.says("Samir Haddad");
    home.says("Caisse de démonstration");
    home.look();
    home.follow("main [id^=mandate-]");
    home.is_at("page-usager-mandate");
    home.look();
    home.press("link-end");
    home.is_at("page-usager-end");
    home.look();
    home.press("end-submit");
    home.is_at("page-usager-ended");
    home.says(said.stopped);
    home.look();
    home.press("link-home");
    home.says(said.ended);
    home.look();
}

/// The auditor says why, looks for the end of the mandate, and opens its entry.
fn audit(world: &World, office: &Browser, said: &Said) {
    world.sign_in(office, "auditor", "ines-ferrand");
    office.is_at("page-purpose");
    office.look();
    office.press("purpose-submit");
    office.is_at("page-purpose");
    office.look();
    office.fill("purpose", said.purpose);
    office.press("purpose-submit");
    office.is_at("page-search");
    office.look();
    office.choose("#kind option[value=\"mandate.ended\"]");
    office.press("search-submit");
    assert!(office.has("#results tbody tr:only-child"), "one mandate ended\n{}", office.text());
    office.look();
    office.follow("#results [id^=entry-]");
    office.is_at("page-entry");
    assert!(office.has("dl#proof"), "the entry is included\n{}", office.text());
    assert!(office.text_of("#checkpoint").contains('—'), "the checkpoint is signed");
    office.look();
    desk(office);
}

/// The auditor follows the mandate of that entry, and asks for its content.
fn desk(office: &Browser) {
    office.follow("#entry a[href*=\"follow?mandate\"]");
    office.is_at("page-follow");
    assert!(office.has("#agrees.good") && office.has("#timeline li"), "{}", office.text());
    office.look();
    office.press("link-ask");
    office.is_at("page-ask");
    office.look();
    office.fill("reason", "2026-17");
    office.press("ask-submit");
    office.is_at("page-content");
    assert!(!office.has("[id^=approve-]"), "nobody opens their own request");
    office.look();
}

#[test]
fn in_french_a_mandate_is_granted_used_revoked_and_audited() {
    everything(
        Engine::Sqlite,
        &Said {
            language: "fr",
            active: "en vigueur",
            ended: "Vous y avez mis fin",
            declared: "La déclaration est reçue",
            stopped: "ne peut plus agir en votre nom",
            purpose: "Contrôle annuel, réf. 2026-17",
        },
    );
}

#[test]
fn in_english_a_mandate_is_granted_used_revoked_and_audited() {
    everything(
        Engine::Postgres,
        &Said {
            language: "en",
            active: "in force",
            ended: "You ended it",
            declared: "The declaration is received",
            stopped: "may no longer act in your name",
            purpose: "Yearly audit, ref. 2026-17",
        },
    );
}
