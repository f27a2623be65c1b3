//! The eyes of the browser tests: what they let pass and what they stop.

use crate::support::browser::Browser;
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use std::net::SocketAddr;
use tokio::runtime::Runtime;

/// A site on loopback, gone with this value.
struct Site {
    address: SocketAddr,
    _runtime: Runtime,
}

impl Site {
    /// Serves this as the inside of `<main>`, and at `/form` a form that leads to itself.
    fn of(body: &'static str) -> Self {
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
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async move { axum::serve(listener, site).await });
        Self { address, _runtime: runtime }
    }

    fn seen(&self, name: &str) -> Browser {
        let browser = Browser::start(name, "en");
        browser.goto(&format!("http://{}/", self.address));
        browser
    }
}

fn faults(name: &str, body: &'static str) -> String {
    let site = Site::of(body);
    site.seen(name).faults().join("\n")
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
    let site = Site::of("<p id=told>nothing ran</p><script>told.textContent = 'a script ran'</script>");
    let browser = site.seen("itself-scripts");
    browser.says("nothing ran");
    browser.look();
    browser.goto(&format!("http://{}/", site.address));
    browser.says("nothing ran");
}

#[test]
fn forms_are_filled_in_and_followed() {
    let site = Site::of("");
    let browser = site.seen("itself-form");
    browser.goto(&format!("http://{}/form", site.address));
    browser.fill("word", "new");
    browser.press("go");
    assert_eq!(browser.address().query(), Some("word=new"));
    browser.press("go");
    assert_eq!(browser.address().query(), Some("word=old"));
    browser.back();
    assert_eq!(browser.address().query(), Some("word=new"));
}
