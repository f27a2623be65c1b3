//! Which text, version and language was presented to the usager, and for how long: kept in the entry of their consent.

use super::glass::{at_desk, auditor, listed};
use crate::mandates::world::{Browser, World, marie};
use crate::support::database::on_both;
use porteplume::crypto::{sha256, to_hex};
use porteplume::mandate::{
    CATALOGUE_TOML, Catalogue, CatalogueFile, Instant, Language, MandateId, MandateText, SHIPPED_TEXTS,
    Section, TEXT_VERSION, Term, Terms, binding_text,
};
use porteplume::service::texts::{BadText, Texts};
use time::macros::{date, datetime};

/// The value of the decision page's field.
fn presented(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"presented\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn identified(world: &World, browser: &mut Browser<'_>) -> MandateId {
    let mandate = world.proposed(browser).await;
    browser.hand_over(&mandate).await;
    world.identify(browser, marie()).await;
    mandate
}

on_both! {
    what_was_read_and_for_how_long_stands_in_the_consent_and_auditors_see_it(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        let mandate = identified(&world, &mut browser).await;
        let page = browser.get("/consent/decision?reading=ar").await.body;
        assert!(page.contains("id=\"reading-text\" lang=\"ar\" dir=\"rtl\""), "{page}");
        assert!(page.contains("النص الفرنسي وحده ملزم قانونيا") && page.contains("id=\"french-text\""));
        let sealed = presented(&page);
        world.wait(3);
        let fields = [("decision", "consent"), ("protected", "no"), ("presented", sealed.as_str())];
        let said = browser.send("/consent/decision", &fields).await;
        assert_eq!((said.status, said.location.as_str()), (303, "/consent/done"), "{}", said.body);
        assert_eq!(world.state(&mandate).await, "consented");
        let desk = at_desk(&world, &auditor(&world).await).await;
        let page = desk.get(&format!("/auditor?mandate={mandate}&kind=mandate.consented")).await;
        let entry = desk.get(&format!("/auditor/entries/{}", listed(&page.body).remove(0))).await.body;
        for told in ["text_language", "text_version", TEXT_VERSION, "text_read", "reading_seconds", "180"] {
            assert!(entry.contains(told), "{told}: {entry}");
        }
    }

    a_language_nobody_offers_and_a_forged_page_change_nothing(database) {
        let world = World::over(database).await;
        let mut browser = world.signed_in(&world.aidant).await;
        identified(&world, &mut browser).await;
        let before = world.facts().await;
        for tag in ["xx", "AR", "ar%22", "ar-XX"] {
            assert_eq!(browser.get(&format!("/consent/decision?reading={tag}")).await.status, 400, "{tag}");
        }
        let sealed = presented(&browser.get("/consent/decision?reading=ar").await.body);
        for forged in [sealed.replacen("ar.", "fr.", 1), "xx.0.00".to_owned(), format!("{sealed}.x")] {
            let fields = [("decision", "consent"), ("protected", "no"), ("presented", forged.as_str())];
            assert_eq!(browser.post("/consent/decision", &fields).await.status, 400, "{forged}");
        }
        assert_eq!(world.facts().await, before);
    }
}

#[test]
fn a_dropped_file_adds_a_language_and_a_bad_one_is_refused_by_name() {
    let file: CatalogueFile = toml::from_str(CATALOGUE_TOML).unwrap();
    let catalogue = file.try_into().unwrap();
    let arabic = SHIPPED_TEXTS.iter().find(|(name, _)| name.ends_with(".ar.toml")).unwrap().1;
    let with = |text: String| Texts::new(&[("mine.toml".to_owned(), text)], &catalogue);
    let urdu = arabic.replace("language = \"ar\"", "language = \"ur\"").replace("العربية", "اردو");
    let texts = with(urdu.clone()).unwrap();
    assert_eq!(texts.of("ur").unwrap().name(), "اردو");
    let hash = to_hex(&sha256(urdu.as_bytes()));
    assert!(texts.each().any(|text| text.file_hash == hash));
    assert!(Texts::new(&[], &catalogue).unwrap().of("ur").is_none());
    assert!(matches!(with(arabic.to_owned()), Err(BadText::Twice(_))));
    for (what, changed, key) in [
        ("a missing sentence", urdu.replace("  \"هذه المساعدة مجانية.\",\n", ""), "sections.objet.before"),
        ("a superfluous one", urdu.replace("  \"توفيت\",", "  \"توفيت\", \"x\","), "sections.fin.items"),
        (
            "a superfluous section",
            format!("{urdu}\n[sections.autre]\ntitle = \"x\"\nbefore = []\n"),
            "sections.autre",
        ),
        ("another version", urdu.replace("mandat/1", "mandat/2"), "version"),
        ("markup", urdu.replace("\"توفيت\"", "\"<b>x</b>\""), "sections.fin.items"),
        ("an override", urdu.replace("\"توفيت\"", "\"x\\u202E\""), "sections.fin.items"),
        ("a control character", urdu.replace("\"توفيت\"", "\"x\\u0007\""), "sections.fin.items"),
        ("too long", urdu.replace("\"توفيت\"", &format!("\"{}\"", "x".repeat(401))), "sections.fin.items"),
        ("no place for the name", urdu.replace("{0} أن تقوم", "أن تقوم"), "phrases.object"),
        ("no language", urdu.replace("= \"ur\"", "= \"Urdu\""), "language"),
        ("the language that binds", urdu.replace("= \"ur\"", "= \"fr\""), "language"),
        ("an unknown key", urdu.replace("reviewed = false", "reviewed = false\nmore = 1"), "more"),
        (
            "an unknown procedure",
            format!("{urdu}\n[procedures.inconnue]\nname = \"x\"\nsummary = \"x\"\n"),
            "inconnue",
        ),
    ] {
        assert_ne!(changed, urdu, "{what}");
        let said = with(changed).unwrap_err().to_string();
        assert!(said.contains("mine.toml") && said.contains(key), "{what}: {said}");
    }
}

#[test]
fn the_binding_text_stays_byte_for_byte_what_mandates_were_granted_on() {
    let file: CatalogueFile = toml::from_str(CATALOGUE_TOML).unwrap();
    let catalogue: Catalogue = file.try_into().unwrap();
    let all = catalogue.procedures().iter().map(|procedure| procedure.id.clone()).collect();
    let now = Instant::from(datetime!(2026-09-01 10:00 UTC));
    let hash = |term| {
        let terms = Terms::check(&catalogue, &all, term, now).unwrap();
        let text = binding_text(&MandateText::of("Mairie de Saint-Aubin", &terms, &catalogue).unwrap());
        to_hex(&sha256(text.as_bytes()))
    };
    let until = Term::Until(date!(2026 - 12 - 31));
    let hashes = [Term::Day, Term::Month, Term::SixMonths, Term::Year, until].map(hash);
    assert_eq!(
        hashes,
        [
            "da054cfc867426bc73d9c50afd63fb3391bd940cf9b03716d2e59370d5165b67",
            "549a66b0f8c02b8d33a6ce72ad52bed838a2e76df778e12bef75f14058cc3ef0",
            "21129d80efb9ce06dac3941cdde590eafc68aee58bb17e37c5321e12473e23e2",
            "5b82e549771546dd060577b175b393697b6cd087c6d435f3bb75333f769faf41",
            "37071b708195f4a6d4b5ce766fc168a6911333fb3780c80a380ad5b3622b9445",
        ]
    );
}

#[test]
fn every_translation_says_the_whole_text_and_isolates_french_names() {
    let file: CatalogueFile = toml::from_str(CATALOGUE_TOML).unwrap();
    let catalogue: Catalogue = file.try_into().unwrap();
    let all = catalogue.procedures().iter().map(|procedure| procedure.id.clone()).collect();
    let now = Instant::from(datetime!(2026-09-01 10:00 UTC));
    let terms = Terms::check(&catalogue, &all, Term::Until(date!(2026 - 12 - 31)), now).unwrap();
    let text = MandateText::of("Mairie de Saint-Aubin", &terms, &catalogue).unwrap();
    let french = text.sections(Language::Fr);
    let texts = Texts::new(&[], &catalogue).unwrap();
    assert_eq!(texts.each().count(), SHIPPED_TEXTS.len());
    for one in texts.each().map(|text| &text.translation) {
        let sections = text.translated(one);
        let ids = |all: &[Section]| all.iter().map(|section| section.id).collect::<Vec<_>>();
        assert_eq!(ids(&sections), ids(&french), "{}", one.name());
        let said = text.translated_text(one);
        assert!(said.starts_with(&format!("{TEXT_VERSION} {} ", one.reading())));
        assert!(said.contains("\u{2068}Mairie de Saint-Aubin\u{2069}") && said.contains("2026"));
        assert!(!said.contains(['{', '}']) && !one.reviewed());
    }
}
