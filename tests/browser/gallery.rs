//! Every page of the view room with sample facts, as the room's own tests write them.

use crate::support::browser::Browser;
use crate::support::site::{Port, Site};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Router, extract};
use porteplume::view::assets;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

/// When the files in a folder and in those below it were written.
fn written(folder: &Path) -> Vec<SystemTime> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path());
    let times = entries.flat_map(|path| {
        if path.is_dir() { written(&path) } else { vec![path.metadata().unwrap().modified().unwrap()] }
    });
    times.collect()
}

/// The samples whose names end so, by name; none older than the pages they are made of.
fn samples(ending: &str) -> BTreeMap<String, String> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = project.join("target/view-samples");
    let (oldest, newest) =
        (written(&folder).into_iter().min(), written(&project.join("src/view")).into_iter().max());
    assert!(oldest >= newest, "old samples: run cargo test --lib view:: first (tests/run does)");
    let files = std::fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path());
    let samples: BTreeMap<String, String> = files
        .filter_map(|file| {
            let name = file.file_name()?.to_str()?.strip_suffix(ending)?.to_owned();
            Some((name, std::fs::read_to_string(&file).unwrap()))
        })
        .collect();
    assert!(!samples.is_empty(), "no samples: run cargo test --lib view:: first (tests/run does)");
    samples
}

fn served(samples: BTreeMap<String, String>) -> Site {
    let samples = Arc::new(samples);
    let page = move |extract::Path(name): extract::Path<String>| async move {
        samples
            .get(&name)
            .map_or(StatusCode::NOT_FOUND.into_response(), |page| Html(page.clone()).into_response())
    };
    let css =
        |text: &'static str, kind: &'static str| move || async move { ([("content-type", kind)], text) };
    let site = Router::new()
        .route("/sample/{name}", get(page))
        .route("/sample/porteplume.css", get(css(assets::STYLESHEET, "text/css")))
        .route(assets::MARK_PATH, get(css(assets::MARK, "image/svg+xml")));
    Port::take().serve(site)
}

/// Looks at every sample in the language and names all that is wrong with any.
fn look_at_all(language: &str) {
    let samples = samples(&format!(".{language}.html"));
    let names: Vec<String> = samples.keys().cloned().collect();
    let site = served(samples);
    let browser = Browser::start(&format!("gallery-{language}"), language);
    let mut wrong = Vec::new();
    for name in names {
        browser.goto(&site.at(&format!("/sample/{name}")));
        // Hostile names may make a page ugly, not wide.
        let faults = if name.starts_with("hostile-") { browser.overflows() } else { browser.faults() };
        wrong.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_page_can_be_seen_and_used_in_french() {
    look_at_all("fr");
}

#[test]
fn every_page_can_be_seen_and_used_in_english() {
    look_at_all("en");
}
