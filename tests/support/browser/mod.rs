//! A browser as a person uses one: headless Chromium, pages found by the ids they promise.
//!
//! Every step waits for what it causes and panics, at the line of the test, with what the page shows instead.

mod driver;
mod keys;
mod look;

pub(crate) use keys::Key;

use driver::{Driver, Element, Refused};
use serde_json::{Value, json};
use std::cell::Cell;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use url::Url;

/// One browser with a profile of its own, gone with this value.
pub(crate) struct Browser {
    driver: Driver,
    /// Where its screenshots go.
    folder: PathBuf,
    /// Looks taken so far; none are taken in a hurry.
    looks: Option<Cell<u32>>,
}

impl Browser {
    /// A browser that asks for pages in this language (`fr`, `en`) and runs no script of theirs; `name` names the
    /// folder of its screenshots.
    pub(crate) fn start(name: &str, language: &str) -> Self {
        Self::new(name, language, Some(Cell::new(0)))
    }

    /// As [`Self::start`], for one who goes through pages without looking at them.
    pub(crate) fn hurry(name: &str, language: &str) -> Self {
        Self::new(name, language, None)
    }

    fn new(name: &str, language: &str, looks: Option<Cell<u32>>) -> Self {
        let folder = driver::target().join("screenshots").join(name);
        let _ = std::fs::remove_dir_all(&folder);
        let preferences = json!({ "intl.accept_languages": language, "credentials_enable_service": false });
        let browser = Self { driver: Driver::start(&preferences), folder, looks };
        browser.refuse_scripts(true);
        browser.resize(look::DESK);
        browser
    }

    /// Opens an address.
    #[track_caller]
    pub(crate) fn goto(&self, address: &str) {
        done(self.driver.send("POST", "url", &json!({ "url": address })));
    }

    /// The back button.
    #[track_caller]
    pub(crate) fn back(&self) {
        done(self.driver.send("POST", "back", &json!({})));
    }

    /// The address at hand.
    #[track_caller]
    pub(crate) fn address(&self) -> Url {
        let address = done(self.driver.send("GET", "url", &Value::Null));
        address.as_str().and_then(|address| address.parse().ok()).expect("an address")
    }

    /// Clicks a link or a button by its id and waits for the page it leads to.
    #[track_caller]
    pub(crate) fn press(&self, id: &str) {
        self.follow(&by_id(id));
    }

    /// As [`Self::press`], for what has no id: the first element that matches the selector.
    #[track_caller]
    pub(crate) fn follow(&self, selector: &str) {
        self.leaving(|| {
            done(self.driver.at(&self.one(selector), "POST", "click", &json!({})));
        });
    }

    /// Does what leads to another page, and waits for that.
    #[track_caller]
    fn leaving(&self, act: impl FnOnce()) {
        let before = self.one("html");
        act();
        self.wait_until("another page", || {
            self.driver.at(&before, "GET", "name", &Value::Null).is_err_and(|e| is_gone(&e))
        });
        // The old page goes before the new one is whole: what is found in between is gone at the next step.
        self.wait_until("a whole page", || {
            self.driver.run("return document.readyState", &[]).is_ok_and(|state| state == "complete")
        });
    }

    /// Ticks a checkbox, chooses a radio button or opens a fold by its id; the page stays.
    #[track_caller]
    pub(crate) fn tick(&self, id: &str) {
        self.choose(&by_id(id));
    }

    /// As [`Self::tick`], for the first element that matches the selector; options of a list too.
    #[track_caller]
    pub(crate) fn choose(&self, selector: &str) {
        let id = self.attribute(selector, "id").unwrap_or_default();
        // A label may lie over its button, and is what people click on.
        let label = self.driver.find(&format!("label[for=\"{id}\"]")).into_iter().next();
        let target = label.unwrap_or_else(|| self.one(selector));
        done(self.driver.at(&target, "POST", "click", &json!({})));
    }

    /// What this browser would send as `Cookie` to the site at hand.
    pub(crate) fn cookies(&self) -> String {
        let cookies = done(self.driver.send("GET", "cookie", &Value::Null));
        let cookies = cookies.as_array().into_iter().flatten();
        let pairs = cookies.filter_map(|c| Some(format!("{}={}", c["name"].as_str()?, c["value"].as_str()?)));
        pairs.collect::<Vec<_>>().join("; ")
    }

    /// Writes into the field of that name, in place of what stood there.
    #[track_caller]
    pub(crate) fn fill(&self, name: &str, text: &str) {
        self.fill_in(&format!("[name=\"{name}\"]:not([type=hidden])"), text);
    }

    /// The same, for the first field that matches the selector.
    #[track_caller]
    pub(crate) fn fill_in(&self, selector: &str, text: &str) {
        let field = self.one(selector);
        done(self.driver.at(&field, "POST", "clear", &json!({})));
        done(self.driver.at(&field, "POST", "value", &json!({ "text": text })));
    }

    /// Chooses a day (`2026-11-23`) in a field for dates, whatever order the browser asks its parts in.
    #[track_caller]
    pub(crate) fn choose_day(&self, selector: &str, day: &str) {
        let script = "document.querySelector(arguments[0]).value = arguments[1]";
        done(self.driver.run(script, &[json!(selector), json!(day)]));
    }

    /// Chooses a file.
    #[track_caller]
    pub(crate) fn attach(&self, selector: &str, file: &std::path::Path) {
        let path = file.to_str().expect("a path");
        done(self.driver.at(&self.one(selector), "POST", "value", &json!({ "text": path })));
    }

    /// Whether something matches the selector.
    pub(crate) fn has(&self, selector: &str) -> bool {
        !self.driver.find(selector).is_empty()
    }

    /// What the first element that matches shows, in plain spaces.
    #[track_caller]
    pub(crate) fn text_of(&self, selector: &str) -> String {
        let text = done(self.driver.at(&self.one(selector), "GET", "text", &Value::Null));
        plain(text.as_str().expect("a text"))
    }

    /// An attribute of the first element that matches.
    #[track_caller]
    pub(crate) fn attribute(&self, selector: &str, name: &str) -> Option<String> {
        let value = self.driver.at(&self.one(selector), "GET", &format!("attribute/{name}"), &Value::Null);
        done(value).as_str().map(str::to_owned)
    }

    /// The text of the page's `<main>`.
    #[track_caller]
    pub(crate) fn text(&self) -> String {
        self.text_of("main")
    }

    /// Demands the page whose `<body>` has this id.
    #[track_caller]
    pub(crate) fn is_at(&self, page: &str) {
        assert_eq!(self.page(), page, "at {}\n{}", self.address(), self.text_of("body"));
    }

    /// Demands that the page says this.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        let text = self.text();
        assert!(text.contains(&plain(words)), "{words:?} is missing at {}\n{text}", self.address());
    }

    /// Demands that the page does not say this.
    #[track_caller]
    pub(crate) fn says_not(&self, words: &str) {
        let text = self.text();
        assert!(!text.contains(&plain(words)), "{words:?} stands at {}\n{text}", self.address());
    }

    /// The id of `<body>`.
    #[track_caller]
    pub(crate) fn page(&self) -> String {
        self.attribute("body", "id").unwrap_or_default()
    }

    /// Whether pages may run scripts. The project's pages have none and need none; only axe does.
    fn refuse_scripts(&self, refused: bool) {
        self.driver.devtools("Emulation.setScriptExecutionDisabled", &json!({ "value": refused }));
    }

    #[track_caller]
    fn one(&self, selector: &str) -> Element {
        let found = self.driver.find(selector).into_iter().next();
        found.unwrap_or_else(|| {
            let text = self.driver.run("return document.body.innerText", &[]).unwrap_or_default();
            panic!("no {selector} at {}\n{}", self.address(), text.as_str().unwrap_or_default())
        })
    }

    #[track_caller]
    #[expect(clippy::disallowed_methods, reason = "this thread serves the test alone")]
    fn wait_until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let patience = Instant::now();
        while !holds() {
            assert!(
                patience.elapsed() < Duration::from_mins(1),
                "waited in vain for {what} at {}",
                self.address()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_last_sight();
        }
    }
}

#[track_caller]
fn done(result: Result<Value, Refused>) -> Value {
    result.unwrap_or_else(|refused| panic!("{}: {}", refused.code, refused.message))
}

fn by_id(id: &str) -> String {
    format!("[id=\"{id}\"]")
}

fn is_gone(refused: &Refused) -> bool {
    ["stale element reference", "no such element", "detached shadow root"].contains(&refused.code.as_str())
}

/// Without the signs that only lay a text out: spaces that do not break, marks of direction.
fn plain(text: &str) -> String {
    text.chars()
        .filter(|sign| !matches!(sign, '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}'))
        .map(|sign| if matches!(sign, '\u{a0}' | '\u{202f}') { ' ' } else { sign })
        .collect()
}
