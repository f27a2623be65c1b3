//! Consent by every way there is, and every way of taking it back, as the persons concerned go through it.

use super::grant;
use super::world::{Phone, World};
use crate::support::browser::Browser;
use porteplume::storage::Engine;
use std::io::Cursor;
use std::time::{Duration, Instant};
use url::Url;

const SMS: &str = "06 12 34 56 78";

/// The newest message that was sent to anybody: its words, and the identifier of its form.
fn message(world: &World, reader: &Browser, words: &str) -> (String, String) {
    let patience = Instant::now() + Duration::from_mins(1);
    loop {
        reader.goto(&world.caisse("/messages"));
        reader.is_at("page-messages");
        let newest = "main section.card:first-of-type";
        if reader.has(newest) && reader.text_of(newest).contains(words) {
            let id = reader.attribute(newest, "id").unwrap_or_default();
            return (reader.text_of(newest), id.trim_start_matches("message-").to_owned());
        }
        assert!(Instant::now() < patience, "no message says {words:?}\n{}", reader.text());
        world.pause();
    }
}

/// Somebody answers a text message.
fn answer(reader: &Browser, id: &str, text: &str) {
    reader.fill_in(&format!("#answer-{id}"), text);
    reader.press(&format!("send-{id}"));
    reader.is_at("page-messages");
}

/// From today's page to the ways there are, and to one of them.
fn ask(desk: &Browser, way: &str) {
    grant::propose(desk);
    desk.press("link-ways");
    desk.is_at("page-ask-ways");
    desk.look();
    desk.press(&format!("way-{way}"));
    desk.is_at("page-ask");
}

/// A person no provider has identified.
fn person(desk: &Browser, family_name: &str) {
    desk.fill("given_name", "Odette");
    desk.fill("family_name", family_name);
    for (part, number) in [("birth_day", "7"), ("birth_month", "3"), ("birth_year", "1941")] {
        desk.fill(part, number);
    }
}

fn sent(desk: &Browser) {
    desk.look();
    desk.press("ask-submit");
    desk.is_at("page-asked");
    desk.look();
}

/// The aidant accepts a mandate the person agreed to elsewhere, and proves their second factor where it is asked for.
fn accept(desk: &Browser, phone: &Phone) {
    if desk.page() == "page-mandate" {
        desk.press("link-accept");
    }
    for _ in 0..2 {
        if desk.page() == "page-accept" {
            desk.press("accept-submit");
        }
        if desk.page() == "page-factor" {
            desk.fill("code", &phone.code());
            desk.press("factor-submit");
        }
    }
    desk.is_at("page-mandate");
    assert!(desk.has("#link-print") && !desk.has("#link-accept"), "{}", desk.text());
    desk.look();
}

/// The page of the mandate whose asking is at hand.
fn mandate(world: &World, asked: &Url) -> String {
    world.service(asked.path().trim_end_matches("/asked"))
}

fn home(world: &World, desk: &Browser) {
    desk.goto(&world.service("/aidant"));
    desk.is_at("page-aidant-home");
}

/// Opens `/accord` with a code.
fn open_with(world: &World, own: &Browser, code: &str) {
    own.goto(&world.service("/accord"));
    own.is_at("page-accord");
    own.look();
    own.fill("code", code);
    own.press("accord-submit");
    own.is_at("page-consent");
}

/// The person says yes on their own device, where they are known or identified by then.
fn agree(own: &Browser) {
    if own.page() == "page-consent-identity" {
        own.look();
        own.press("identity-yes");
    }
    own.is_at("page-consent-decision");
    own.look();
    own.tick("protected-no");
    own.press("consent-submit");
    own.is_at("page-consent-done");
    own.look();
}

/// What stands after the last colon of a message's line.
fn code_in(text: &str) -> String {
    let (_, code) = text.rsplit_once("Code :").or_else(|| text.rsplit_once("code :")).expect("a code");
    let spoken = code.trim_start().starts_with(|c: char| c.is_ascii_digit()) && text.contains("téléphone");
    let length = if spoken { 6 } else { 13 };
    code.chars().filter(char::is_ascii_alphanumeric).take(length).collect()
}

/// On a device of the person's own, in the language they read.
fn own_device(world: &World, desk: &Browser, phone: &Phone, reading: Option<&str>) {
    home(world, desk);
    ask(desk, "own_device");
    desk.press("ask-submit");
    desk.is_at("page-ask");
    desk.tick("by-sms");
    desk.fill("telephone", SMS);
    sent(desk);
    let own = Browser::start(&format!("own-device-{}", reading.unwrap_or("fr")), "fr");
    let (text, _) = message(world, &own, "/accord");
    own.look();
    open_with(world, &own, &code_in(&text));
    if let Some(language) = reading {
        own.press(&format!("reading-{language}"));
        own.is_at("page-consent");
        assert!(own.has(&format!("main [lang={language}][dir=rtl] p")), "{}", own.text());
    }
    own.look();
    own.press("identify-submit");
    own.is_at("page-people");
    own.press("person-khadija-ben-mbarek");
    if let Some(language) = reading {
        own.is_at("page-consent-identity");
        own.press("identity-yes");
        own.is_at("page-consent-decision");
        let text = format!("main [lang={language}][dir=rtl] p");
        assert!(own.has(&text), "the language stays at {}\n{}", own.address(), own.text());
    }
    agree(&own);
    desk.press("link-reload");
    accept(desk, phone);
}

/// By telephone, the code said aloud.
fn telephone(world: &World, desk: &Browser, phone: &Phone) {
    home(world, desk);
    ask(desk, "telephone");
    person(desk, "Martin");
    desk.tick("by-voice");
    desk.fill("telephone", SMS);
    sent(desk);
    let reader = Browser::hurry("telephone", "fr");
    let (text, _) = message(world, &reader, "au téléphone");
    desk.fill("code", "000 000");
    desk.press("code-submit");
    desk.is_at("page-asked");
    desk.look();
    desk.fill("code", &code_in(&text));
    desk.tick("protected-no");
    desk.press("code-submit");
    accept(desk, phone);
}

/// By telephone, the code answered by text message; then STOP.
fn replied(world: &World, desk: &Browser, phone: &Phone) {
    home(world, desk);
    ask(desk, "telephone");
    person(desk, "Durand");
    desk.tick("by-sms");
    desk.fill("telephone", "06 98 76 54 32");
    sent(desk);
    let own = Browser::start("reply-fr", "fr");
    let (text, id) = message(world, &own, "répondez OUI");
    own.look();
    let code = text.split("code :").nth(1).unwrap_or_default();
    let digits: String = code.chars().filter(char::is_ascii_digit).take(6).collect();
    answer(&own, &id, &format!("oui {digits}"));
    message(world, &own, "vous êtes d’accord");
    own.look();
    desk.goto(&mandate(world, &desk.address()));
    accept(desk, phone);
    own.goto(&world.caisse("/messages"));
    answer(&own, &id, "STOP");
    message(world, &own, "C’est fait");
    own.look();
    desk.goto(desk.address().as_str());
    desk.says("Terminé");
    desk.look();
}

/// On paper: printed, signed, photographed, compared by a colleague.
fn paper(world: &World, desk: &Browser, colleague: &Browser, theirs: &Phone) {
    home(world, desk);
    ask(desk, "paper");
    person(desk, "Petit");
    sent(desk);
    desk.press("link-print");
    desk.is_at("page-asking-print");
    desk.look();
    desk.look_printed();
    desk.back();
    let file = std::env::temp_dir().join(format!("porteplume-signed-{}.png", std::process::id()));
    std::fs::write(&file, picture()).expect("a file");
    let today = desk.attribute("#signed_on", "max").expect("today");
    desk.choose_day("#signed_on", &today);
    desk.attach("#scan", &file);
    desk.tick("protected-no");
    desk.press("scan-submit");
    let _ = std::fs::remove_file(&file);
    desk.is_at("page-asked");
    desk.says("La personne a dit oui");
    desk.look();
    compared(desk, colleague, theirs);
}

/// A colleague confirms what waits for a second person, and accepts.
fn compared(desk: &Browser, colleague: &Browser, theirs: &Phone) {
    colleague.goto(desk.address().as_str());
    colleague.is_at("page-asked");
    colleague.press("link-compare");
    if colleague.page() == "page-factor" {
        colleague.fill("code", &theirs.code());
        colleague.press("factor-submit");
    }
    colleague.is_at("page-compare");
    colleague.look();
    colleague.press("compare-right");
    accept(colleague, theirs);
}

/// By a letter.
fn letter(world: &World, desk: &Browser, phone: &Phone) {
    home(world, desk);
    ask(desk, "posted_code");
    person(desk, "Leroy");
    sent(desk);
    let asked = desk.address();
    desk.press("link-print");
    desk.is_at("page-asking-print");
    desk.look();
    desk.look_printed();
    let code = desk.text_of("#consent-code");
    let own = Browser::start("letter-fr", "fr");
    open_with(world, &own, &code);
    own.look();
    own.press("link-identity");
    agree(&own);
    desk.goto(&mandate(world, &asked));
    accept(desk, phone);
}

/// Without FranceConnect: a document was seen.
fn seen(world: &World, desk: &Browser, phone: &Phone, colleague: &Browser, theirs: &Phone) {
    home(world, desk);
    ask(desk, "seen_document");
    person(desk, "Moreau");
    desk.tick("document-passport");
    desk.fill("last", "4567");
    sent(desk);
    let asked = desk.address();
    desk.press("hand-over-submit");
    desk.is_at("page-consent");
    desk.look();
    desk.press("link-identity");
    agree(desk);
    desk.press("link-unlock");
    desk.fill("code", &phone.code());
    desk.press("unlock-submit");
    desk.goto(asked.as_str());
    compared(desk, colleague, theirs);
}

/// A picture of a signed page.
fn picture() -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let shade = |at: u32| u8::try_from(at % 256).expect("a shade");
    let picture = image::RgbImage::from_fn(600, 800, |x, y| image::Rgb([shade(x), shade(y), 128]));
    picture.write_to(&mut file, image::ImageFormat::Png).expect("a picture");
    file.into_inner()
}

#[test]
fn in_french_a_mandate_is_agreed_to_by_every_way_there_is() {
    let world = World::on(Engine::Sqlite);
    let desk = Browser::start("ways-aidant", "fr");
    let colleague = Browser::start("ways-colleague", "fr");
    let phone = world.enrol(&desk, "samir-haddad");
    let theirs = world.enrol(&colleague, "nora-legoff");
    own_device(&world, &desk, &phone, None);
    telephone(&world, &desk, &phone);
    replied(&world, &desk, &phone);
    letter(&world, &desk, &phone);
    paper(&world, &desk, &colleague, &theirs);
    seen(&world, &desk, &phone, &colleague, &theirs);
}

#[test]
fn in_arabic_a_mandate_is_read_and_agreed_to_on_a_device_of_ones_own() {
    let world = World::on(Engine::Postgres);
    let desk = Browser::hurry("ways-arabic", "fr");
    let phone = world.enrol(&desk, "samir-haddad");
    own_device(&world, &desk, &phone, Some("ar"));
}

/// Number and code of the card on the paper at hand.
fn card(desk: &Browser) -> (String, String) {
    desk.press("link-print");
    desk.is_at("page-printed");
    (desk.text_of("#card-number"), desk.text_of("#revocation-code"))
}

/// From the form for cards to the end.
fn by_card(own: &Browser, (number, code): &(String, String)) {
    own.is_at("page-revoke");
    own.look();
    own.fill("number", number);
    own.fill("code", "2222 2222 2222 2");
    own.press("revoke-submit");
    own.is_at("page-revoke");
    own.look();
    own.fill("number", number);
    own.fill("code", code);
    own.press("revoke-submit");
    own.is_at("page-revoke-what");
    own.look();
    if own.has("#what-whole") {
        own.tick("what-whole");
    }
    own.press("end-submit");
    own.is_at("page-revoked");
    own.look();
}

#[test]
fn in_french_a_mandate_is_taken_back_by_card_at_any_desk_and_from_a_services_page() {
    let world = World::on(Engine::Sqlite);
    let desk = Browser::hurry("ends-aidant", "fr");
    let phone = world.enrol(&desk, "samir-haddad");
    let granted = |usager: &str| {
        home(&world, &desk);
        grant::propose(&desk);
        grant::hand_over(&desk, usager);
        grant::consent(&desk);
        grant::accept(&desk, &phone);
        let mandate: Url = desk.address();
        (mandate, card(&desk))
    };
    let over = |mandate: &Url| {
        desk.goto(mandate.as_str());
        desk.is_at("page-mandate");
        desk.says("Terminé");
    };
    let own = Browser::start("ends-card", "fr");
    // The card, from the first page.
    let (mandate, its) = granted("rose-marchal");
    world.visit(&own);
    own.press("link-revoke");
    by_card(&own, &its);
    over(&mandate);
    // The card, from the service's own page.
    let (mandate, its) = granted("rose-marchal");
    world.visit_caisse(&own);
    own.press("link-end-card");
    by_card(&own, &its);
    over(&mandate);
    // The card, read out at a desk of another organisation.
    let (mandate, its) = granted("rose-marchal");
    let elsewhere = Browser::start("ends-desk", "fr");
    world.enrol(&elsewhere, "claire-ndiaye");
    elsewhere.press("link-revoke");
    by_card(&elsewhere, &its);
    elsewhere.says_not("Marchal");
    over(&mandate);
}
