//! What every page holds, in both languages, with ordinary and with hostile names.

use super::errors::Fault;
use super::samples::{Cast, all};
use super::{assets, paths};
use crate::mandate::Language;
use flate2::Compression;
use flate2::write::GzEncoder;
#[cfg(test)]
use scraper::{ElementRef, Html, Selector};
use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use unicode_normalization::is_nfc;

/// First page of a person on a slow line, in bytes on the wire: page, stylesheet and mark together.
const HEAVIEST_FIRST_PAGE: usize = 50_000;
/// Any page after it: the stylesheet and the mark are kept.
const HEAVIEST_PAGE: usize = 15_000;
/// What is said beside each of them (`tests/web.rs` measures it).
const HEADERS: usize = 1_500;

fn select<'a>(page: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(selector).unwrap();
    page.select(&selector).collect()
}

fn attribute<'a>(element: &ElementRef<'a>, name: &str) -> &'a str {
    element.value().attr(name).unwrap_or_default()
}

fn text(element: &ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every sample in both languages and casts, rendered once for all tests.
static RENDERED: LazyLock<Vec<(String, Language, String)>> = LazyLock::new(|| {
    let mut rendered = Vec::new();
    for (kind, cast) in [("", Cast::ordinary()), ("hostile-", Cast::hostile())] {
        for (name, render) in all() {
            for language in Language::ALL {
                let name = format!("{kind}{name}.{}", language.as_str());
                rendered.push((name, language, render(&cast, language)));
            }
        }
    }
    rendered
});

/// Looks at every sample: name, language, markup, page.
fn each(mut look: impl FnMut(&str, Language, &str, &Html)) {
    for (name, language, markup) in RENDERED.iter() {
        look(name, *language, markup, &Html::parse_document(markup));
    }
}

#[test]
fn every_page_says_its_language_and_has_one_title_and_one_main() {
    each(|name, language, _, page| {
        assert_eq!(attribute(&select(page, "html")[0], "lang"), language.as_str(), "{name}");
        assert_eq!(select(page, "h1#title").len(), 1, "{name}");
        for (selector, count) in
            [("h1", 1), ("main#main", 1), ("head > title", 1), ("a.skip[href='#main']", 1)]
        {
            assert_eq!(select(page, selector).len(), count, "{name}: {selector}");
        }
        assert!(text(&select(page, "head > title")[0]).ends_with("– Porteplume"), "{name}");
        let id = attribute(&select(page, "body")[0], "id").to_owned();
        assert!(id.starts_with("page-") && id.len() > 5, "{name}");
    });
}

#[test]
fn headings_never_skip_a_level() {
    each(|name, _, _, page| {
        let mut before = 0;
        for heading in select(page, "main h1, main h2, main h3, main h4, main h5, main h6") {
            let level: u8 = heading.value().name().trim_start_matches('h').parse().unwrap();
            // An error summary stands before the title, as people are sent to it first.
            if attribute(&heading, "id") != "problems-title" {
                assert!(level <= before + 1, "{name}: h{level} after h{before}: {}", text(&heading));
                before = level;
            }
        }
    });
}

#[test]
fn no_page_carries_script_style_or_anything_from_elsewhere() {
    each(|name, _, _, page| {
        assert!(
            select(page, "script, style, iframe, object, embed, img, [style], meta[http-equiv]").is_empty(),
            "{name}"
        );
        for element in select(page, "*") {
            assert!(element.value().attrs().all(|(attribute, _)| !attribute.starts_with("on")), "{name}");
        }
        for link in select(page, "[href], [src], [action], [formaction]") {
            let target = ["href", "src", "action", "formaction"].map(|name| attribute(&link, name)).concat();
            // The one way out: where a service ends the session that it keeps of its own.
            let way_out = target == "https://caisse.example/leave" && attribute(&link, "rel") == "noreferrer";
            let within = way_out || (target.starts_with('/') && !target.starts_with("//"));
            assert!(within || target.starts_with('#') || target.starts_with("mailto:"), "{name}: {target}");
        }
    });
}

#[test]
fn every_form_that_changes_something_carries_the_csrf_token_and_has_a_name() {
    each(|name, _, _, page| {
        for form in select(page, "form") {
            let csrf = Selector::parse("input[type=hidden][name=csrf][value=csrf-of-the-session]").unwrap();
            let held = form.select(&csrf).count();
            assert_eq!(
                held,
                usize::from(attribute(&form, "method") == "post"),
                "{name}: {}",
                attribute(&form, "id")
            );
            assert!(attribute(&form, "id").ends_with("-form"), "{name}");
            let submit = Selector::parse("button[type=submit][id]").unwrap();
            assert!(form.select(&submit).count() >= 1, "{name}: a form without a button");
        }
    });
}

#[test]
fn every_field_has_a_label_and_every_group_a_legend() {
    each(|name, _, _, page| {
        let labels: BTreeSet<_> =
            select(page, "label").iter().map(|l| attribute(l, "for").to_owned()).collect();
        for field in select(page, "input:not([type=hidden]), select, textarea") {
            let id = attribute(&field, "id");
            assert!(labels.contains(id), "{name}: {id} has no label");
            let kind = attribute(&field, "type");
            if kind == "radio" || kind == "checkbox" {
                assert_eq!(
                    id,
                    format!("{}-{}", attribute(&field, "name"), attribute(&field, "value").replace(':', "-"))
                );
            } else {
                assert_eq!(id, attribute(&field, "name"), "{name}");
                assert!(
                    field.value().name() == "select" || !attribute(&field, "autocomplete").is_empty(),
                    "{name}: {id}"
                );
            }
        }
        for group in select(page, "fieldset") {
            assert_eq!(group.select(&Selector::parse("legend").unwrap()).count(), 1, "{name}");
        }
    });
}

#[test]
fn ids_are_unique_and_references_lead_somewhere() {
    each(|name, _, _, page| {
        let all: Vec<_> = select(page, "[id]").iter().map(|e| attribute(e, "id").to_owned()).collect();
        let ids: BTreeSet<_> = all.iter().collect();
        assert_eq!(ids.len(), all.len(), "{name}: {all:?}");
        for attr in ["aria-describedby", "aria-labelledby", "for"] {
            for element in select(page, &format!("[{attr}]")) {
                for id in attribute(&element, attr).split_whitespace() {
                    assert!(ids.contains(&id.to_owned()), "{name}: {attr}={id}");
                }
            }
        }
        for link in select(page, "a[href^='#']") {
            let target = attribute(&link, "href").trim_start_matches('#').to_owned();
            assert!(ids.contains(&target), "{name}: #{target}");
        }
    });
}

#[test]
fn a_page_with_problems_says_so_first_and_in_its_title() {
    each(|name, language, _, page| {
        let problems = select(page, "#problems");
        let prefix = if language == Language::Fr { "Erreur" } else { "Error" };
        assert_eq!(
            text(&select(page, "head > title")[0]).starts_with(prefix),
            !problems.is_empty(),
            "{name}"
        );
        for summary in problems {
            assert_eq!(
                (attribute(&summary, "role"), attribute(&summary, "tabindex")),
                ("alert", "-1"),
                "{name}"
            );
            assert!(summary.select(&Selector::parse("a").unwrap()).count() >= 1, "{name}");
            assert!(!select(page, ".fault").is_empty(), "{name}: the field says nothing");
        }
    });
}

#[test]
fn hostile_names_stay_text() {
    let cast = Cast::hostile();
    let mut shown = 0;
    for (name, render) in all() {
        let page = Html::parse_document(&render(&cast, Language::Fr));
        let body = text(&select(&page, "main")[0]);
        shown += usize::from(body.contains("<script>alert(1)</script>") || body.contains("</title></main>"));
        assert!(select(&page, "main b, main script, [onmouseover]").is_empty(), "{name}");
        let title = text(&select(&page, "head > title")[0]);
        assert!(
            ![&cast.aidant, &cast.service, &cast.family_name].iter().any(|n| title.contains(n.as_str())),
            "{name}: names leak through titles"
        );
    }
    assert!(shown > 20, "the hostile names were shown on {shown} pages");
}

#[test]
fn every_text_is_composed_unicode() {
    each(|name, _, markup, _| assert!(is_nfc(markup), "{name}"));
}

#[test]
fn every_page_is_light_on_the_wire() {
    let once = on_the_wire(assets::STYLESHEET) + on_the_wire(assets::MARK);
    each(|name, _, markup, _| {
        let page = on_the_wire(markup);
        assert!(page < HEAVIEST_PAGE, "{name}: {page} bytes");
        assert!(page + once < HEAVIEST_FIRST_PAGE, "{name}: {} bytes with what comes once", page + once);
    });
}

/// As `web` sends it: compressed.
fn on_the_wire(text: &str) -> usize {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap().len() + HEADERS
}

#[test]
fn both_languages_have_the_same_elements() {
    for (name, render) in all() {
        // What is printed to be agreed to adds the binding French text to its translation.
        if ["printed", "asking-form", "asking-letter"].contains(&name) {
            continue;
        }
        let shape = |language| {
            let page = Html::parse_document(&render(&Cast::ordinary(), language));
            let ids = select(&page, "[id]").iter().map(|e| attribute(e, "id").to_owned()).collect::<Vec<_>>();
            (ids, select(&page, "main *").len())
        };
        let (fr, en) = (shape(Language::Fr), shape(Language::En));
        assert_eq!(fr.0, en.0, "{name}");
    }
}

fn templates(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { templates(&path, found) } else { found.push(path) }
    }
}

fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/view/templates");
    let mut found = Vec::new();
    templates(&folder, &mut found);
    found.sort();
    found.iter().map(|path| (path.display().to_string(), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn every_page_template_and_every_fault_has_a_sample() {
    let mut shown = BTreeSet::new();
    each(|_, _, _, page| {
        shown.insert(attribute(&select(page, "body")[0], "id").to_owned());
        shown.extend(select(page, "h1").iter().map(text));
    });
    for (file, source) in sources() {
        let named =
            source.split_once("{% block page %}").and_then(|(_, rest)| rest.split_once("{% endblock %}"));
        let name = named.map(|(name, _)| name).filter(|name| !name.is_empty());
        assert!(name.is_none_or(|name| shown.contains(&format!("page-{name}"))), "{file} has no sample");
    }
    for fault in Fault::ALL {
        assert!(shown.contains(fault.title().fr), "{fault:?} has no sample");
    }
}

/// The text with everything between the two marks taken out.
fn without(text: &str, open: &str, close: &str) -> String {
    let mut parts = text.split(open);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| kept + " " + part.split_once(close).map_or("", |(_, rest)| rest))
}

#[test]
fn no_word_stands_outside_a_pair_of_translations() {
    for (file, source) in sources() {
        // The page's id and class are names for scripts and styles, not words for people.
        let source = without(&source, "{% block page %}", "{% endblock %}");
        let source = without(&source, "{% block body_class %}", "{% endblock %}");
        let bare = [("{#", "#}"), ("{{", "}}"), ("{%", "%}"), ("<", ">")]
            .iter()
            .fold(source, |text, (open, close)| without(&text, open, close));
        let words: Vec<_> = bare.split_whitespace().filter(|w| w.chars().any(char::is_alphabetic)).collect();
        // Each language goes by its own name.
        let names = ["Porteplume", "Français", "English", "/journal/checkpoint", "/journal/policy"];
        assert!(words.iter().all(|word| names.contains(word)), "{file}: {words:?}");
    }
}

/// The pairs of literals given to `f.t`, `f.t1` and `f.t2` in the templates.
fn pairs() -> Vec<(String, String, String)> {
    let mut pairs = Vec::new();
    for (file, source) in sources() {
        for call in ["f.t(\"", "f.t1(\"", "f.t2(\""] {
            for part in source.split(call).skip(1) {
                let (fr, rest) = part.split_once("\", \"").unwrap_or_else(|| panic!("{file}: {part:.60}"));
                let (en, _) = rest.split_once('"').unwrap();
                pairs.push((file.clone(), fr.to_owned(), en.to_owned()));
            }
        }
    }
    pairs
}

#[test]
fn translations_hold_the_same_places_and_follow_their_typography() {
    let pairs = pairs();
    assert!(pairs.len() > 300);
    for (file, fr, en) in pairs {
        for place in ["{0}", "{1}"] {
            assert_eq!(fr.contains(place), en.contains(place), "{file}: {fr}");
        }
        assert!(!fr.contains('\'') && !en.contains('\''), "{file}: use ’ in {fr} | {en}");
        assert!(![" :", " ;", " !", " ?"].iter().any(|mark| en.contains(mark)), "{file}: {en}");
        let glued = |mark: char| fr.matches(mark).count() != fr.matches(&format!(" {mark}")).count();
        assert!(![':', ';', '!', '?'].into_iter().any(glued), "{file}: a space before the mark: {fr}");
    }
}

#[test]
fn french_pages_hold_no_english_and_the_other_way_round() {
    let long = |words: &str| words.split_whitespace().count() >= 4 && !words.contains('{');
    let pairs: Vec<_> = pairs().into_iter().filter(|(_, fr, en)| long(fr) && long(en)).collect();
    for (name, render) in all() {
        for language in Language::ALL {
            let page = Html::parse_document(&render(&Cast::ordinary(), language));
            let shown = text(&select(&page, "body")[0]);
            let leak = pairs
                .iter()
                .find(|(_, fr, en)| shown.contains(if language == Language::Fr { en } else { fr }));
            assert!(leak.is_none(), "{name}.{}: {leak:?}", language.as_str());
        }
    }
}

#[test]
fn every_address_a_page_names_is_in_the_list() {
    let list = include_str!("paths.rs");
    for (file, source) in sources() {
        for attribute in ["href=\"/", "action=\"/"] {
            for part in source.split(attribute).skip(1) {
                let path = format!("/{}", part.split(['"', '?', '{']).next().unwrap());
                assert!(list.contains(&format!("= \"{path}\";")), "{file}: {path}");
            }
        }
    }
    assert_eq!(paths::LANDING, "/");
}

/// Writes every sample to `target/view-samples`, to be looked at in a browser.
#[test]
fn samples_are_written_for_looking_at() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/view-samples");
    // What is no longer a sample must not be looked at.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("porteplume.css"), assets::STYLESHEET).unwrap();
    for (name, _, markup) in RENDERED.iter() {
        let markup = markup.replace(&assets::stylesheet_address(), "porteplume.css");
        std::fs::write(folder.join(format!("{name}.html")), markup).unwrap();
    }
}
