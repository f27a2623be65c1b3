//! The eyes of the browser tests: what they let pass and what they stop.

use crate::support::browser::Browser;
use crate::support::site::{Port, Site};
use axum::Router;
use axum::response::Html;
use axum::routing::get;

/// Serves this as the inside of `<main>`, and at `/form` a form that leads to itself.
fn site(body: &'static str) -> Site {
    let html = |body: &str| {
        Html(format!(
            "<!doctype html><html lang=en><meta name=viewport content=width=device-width><title>Page</title>\
             <link rel=icon href=data:,><body id=page-test><main><h1>Page</h1>{body}</main>"
        ))
    };
    let form = "<form><input name=word aria-label=Word value=old><button id=go>Go</button></form>";
    let site = Router::new()
        .route("/", get(move || async move { html(body) }))
        .route("/form", get(move || async move { html(form) }));
    Port::take().serve(site)
}

fn faults(name: &str, body: &'static str) -> String {
    let site = site(body);
    let browser = Browser::start(name, "en");
    browser.goto(&site.at("/"));
    browser.faults().join("\n")
}

#[test]
fn a_good_page_passes() {
    assert_eq!(faults("itself-good", "<p>Nothing to see.</p>"), "");
}

#[test]
fn a_picture_without_words_is_a_barrier() {
    assert!(faults("itself-barrier", "<img src=data:,>").contains("axe: image-alt (critical)"));
}

#[test]
fn a_page_wider_than_the_screen_is_found() {
    let wrong = faults("itself-wide", "<div style=width:350px>wide</div>");
    assert!(wrong.contains("320 px wide: the page is") && !wrong.contains("360 px wide"), "{wrong}");
}

#[test]
fn what_the_browser_refuses_is_found() {
    let policy =
        "<meta http-equiv=Content-Security-Policy content=\"style-src 'none'\"><p style=color:red>red</p>";
    assert!(faults("itself-policy", policy).contains("Content Security Policy"));
}

#[test]
fn scripts_of_pages_do_not_run_even_after_axe_has() {
    let site = site("<p id=told>nothing ran</p><script>told.textContent = 'a script ran'</script>");
    let browser = Browser::start("itself-scripts", "en");
    for _ in ["before axe", "after axe"] {
        browser.goto(&site.at("/"));
        browser.says("nothing ran");
        browser.look();
    }
}

#[test]
fn forms_are_filled_in_and_followed() {
    let site = site("");
    let browser = Browser::start("itself-form", "en");
    browser.goto(&site.at("/form"));
    browser.fill("word", "new");
    browser.press("go");
    assert_eq!(browser.address().query(), Some("word=new"));
    browser.press("go");
    assert_eq!(browser.address().query(), Some("word=old"));
    browser.back();
    assert_eq!(browser.address().query(), Some("word=new"));
}
