//! A mandate granted and ended, and the journal read, by those who use no mouse: Tab, Enter, Space and the arrows only.

use super::grant::PROCEDURES;
use super::world::{Phone, World};
use crate::support::browser::{Browser, Key};
use porteplume::storage::Engine;

/// Signs in from the first page's door.
fn sign_in(world: &World, browser: &Browser, door: &str, person: &str) {
    browser.goto(&world.service("/"));
    browser.walk_and_enter(&format!("sign-in-{door}"));
    browser.walk_and_enter("sign-in-submit");
    browser.is_at("page-people");
    browser.walk_and_enter(&format!("person-{person}"));
}

/// From the codes' enrolment to today's page.
fn enrol(world: &World, desk: &Browser) -> Phone {
    desk.is_at("page-enrol");
    let phone = world.phone(&desk.text_of("#totp-key"));
    desk.walk_to("#code");
    desk.write(&phone.code());
    desk.walk_and_enter("enrol-submit");
    desk.walk_and_enter("link-continue");
    desk.is_at("page-aidant-home");
    phone
}

#[test]
fn a_mandate_is_granted_and_ended_without_a_mouse() {
    let world = World::on(Engine::Sqlite);
    let desk = Browser::hurry("keyboard", "fr");
    sign_in(&world, &desk, "aidant", "samir-haddad");
    let phone = enrol(&world, &desk);

    desk.walk_and_enter("link-new");
    for (theme, procedure) in PROCEDURES {
        desk.walk_to(&format!("#theme-{theme} > summary"));
        desk.key(Key::Enter);
        desk.walk_to(&format!("#procedure-{procedure}"));
        desk.key(Key::Space);
    }
    desk.walk_and_enter("procedures-submit");
    desk.is_at("page-new-mandate-term");
    desk.walk_to("#term-day");
    desk.key(Key::Down);
    assert_eq!(desk.stop(), "term-month");
    desk.walk_and_enter("term-submit");
    desk.is_at("page-proposal");
    desk.walk_and_enter("hand-over-submit");

    desk.walk_and_enter("identify-submit");
    desk.walk_and_enter("person-rose-marchal");
    desk.walk_and_enter("identity-yes");
    desk.is_at("page-consent-decision");
    desk.walk_to("#protected-no");
    desk.key(Key::Space);
    desk.walk_and_enter("consent-submit");
    desk.is_at("page-consent-done");
    desk.walk_and_enter("link-unlock");
    desk.walk_to("#code");
    desk.write(&phone.code());
    desk.walk_and_enter("unlock-submit");
    desk.walk_and_enter("accept-submit");
    desk.says("en vigueur");

    let home = Browser::hurry("keyboard-home", "fr");
    sign_in(&world, &home, "usager", "rose-marchal");
    home.is_at("page-usager-home");
    let mandate = home.attribute("main [id^=mandate-]", "id").unwrap();
    home.walk_and_enter(&mandate);
    home.walk_and_enter("link-end");
    home.walk_and_enter("end-submit");
    home.is_at("page-usager-ended");
}

/// Takes a step of the desk, and looks at where it leads: marks of the focus, axe, every width.
fn arrives(office: &Browser, page: &str) {
    office.is_at(page);
    office.look();
}

/// A sample is drawn, one of its entries examined, and the report opened.
fn sample(office: &Browser) {
    office.walk_and_enter("nav-samples");
    arrives(office, "page-samples");
    office.walk_and_enter("draw-submit");
    arrives(office, "page-sample");
    let drawn = office.attribute("#entries [id^=entry-]", "id").expect("entries were drawn");
    office.walk_and_enter(&drawn);
    arrives(office, "page-checklist");
    for (question, answer) in
        [("covered", "yes"), ("agreed", "yes"), ("within", "unclear"), ("ordinary", "no")]
    {
        office.walk_and_choose(question, &format!("{question}-{answer}"));
    }
    office.walk_to("#note");
    office.write("Vu le matin");
    office.walk_and_enter("checklist-submit");
    office.is_at("page-sample");
    office.says("Examinées : 1 sur");
    office.walk_and_enter("link-report");
    arrives(office, "page-report");
    office.says("Vu le matin");
}

#[test]
fn the_journal_is_searched_followed_charted_and_sampled_without_a_mouse() {
    let world = World::on(Engine::Sqlite);
    let desk = Browser::hurry("keyboard-proposal", "fr");
    world.enrol(&desk, "samir-haddad");
    super::grant::propose(&desk);

    let office = Browser::start("keyboard-desk", "fr");
    sign_in(&world, &office, "auditor", "ines-ferrand");
    arrives(&office, "page-purpose");
    office.walk_to("#purpose");
    office.write("Contrôle annuel, réf. 2026-17");
    office.walk_and_enter("purpose-submit");
    arrives(&office, "page-search");
    office.walk_and_pick("#kind", "mandate.proposed");
    office.walk_and_enter("search-submit");
    arrives(&office, "page-search");
    let entry = office.attribute("#results [id^=entry-]", "id").expect("the proposal is found");
    office.walk_and_enter(&entry);
    arrives(&office, "page-entry");
    office.walk_and_follow("#entry a[href*=\"follow?mandate\"]");
    arrives(&office, "page-follow");
    assert!(office.has("#timeline li"), "{}", office.text());
    office.walk_and_enter("nav-charts");
    arrives(&office, "page-charts");
    office.walk_and_pick("#organisation", "");
    office.walk_and_enter("charts-submit");
    arrives(&office, "page-charts");
    assert!(office.has("[id^=chart-]"), "{}", office.text());
    sample(&office);
}

#[test]
fn the_first_stop_of_a_page_skips_to_its_content() {
    let world = World::on(Engine::Sqlite);
    let browser = Browser::hurry("keyboard-skip", "fr");
    browser.goto(&world.service("/"));
    browser.key(Key::Tab);
    browser.stop();
    assert!(browser.has("a.skip:focus"));
    browser.key(Key::Enter);
    assert_eq!(browser.stop(), "main");
    browser.key(Key::Tab);
    assert_eq!(browser.stop(), "sign-in-usager");
}
