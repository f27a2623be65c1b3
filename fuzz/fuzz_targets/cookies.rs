//! Cookies: each line of the input is a `Cookie` header.
#![no_main]

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use porteplume::web::{Cookie, Cookies, is_local};
use url::Url;

/// What a browser that was told this would send back.
fn sent_back(set: &HeaderValue) -> HeaderMap {
    let set = set.to_str().expect("visible text");
    assert!(set.contains("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
    let pair = set.split(';').next().unwrap_or_default();
    HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(pair).expect("a header"))])
}

/// A path of ours leads nowhere else, as browsers read addresses.
fn leads_home(path: &str) {
    let home = Url::parse("https://porteplume.example/a/b").expect("an address");
    let there = home.join(path).expect("a path");
    assert_eq!(there.origin(), home.origin(), "{path}");
}

fn check(cookies: Cookies, headers: &HeaderMap) {
    for cookie in [Cookie::Session, Cookie::Language, Cookie::Next, Cookie::Flash] {
        let Some(value) = cookies.read(headers, cookie) else { continue };
        assert!(!value.chars().any(|c| c.is_control() || c == ';'), "{value:?}");
        let pair = format!("{}={value}", cookies.name(cookie));
        let lines = headers.get_all(COOKIE).iter().filter_map(|line| line.to_str().ok());
        let named = lines.flat_map(|line| line.split(';')).filter(|found| found.trim() == pair);
        assert_eq!(named.count(), 1, "sent once, under its whole name");
    }
    if let Some(path) = cookies.next(headers) {
        assert!(is_local(&path));
        leads_home(&path);
        assert_eq!(cookies.next(&sent_back(&cookies.set_next(&path))), Some(path));
    }
    if let Some(flash) = cookies.flash(headers) {
        assert_eq!(cookies.flash(&sent_back(&cookies.set_flash(flash))), Some(flash));
    }
}

fuzz_target!(|data: &[u8]| {
    let lines = data.split(|b| *b == b'\n').filter_map(|line| HeaderValue::from_bytes(line).ok());
    let headers: HeaderMap = lines.map(|line| (COOKIE, line)).collect();
    let asked = String::from_utf8_lossy(data);
    for cookies in [Cookies::new(true), Cookies::new(false)] {
        check(cookies, &headers);
        let next = cookies.next(&sent_back(&cookies.set_next(&asked))).expect("a path of ours");
        assert!(next == asked || next == "/");
        leads_home(&next);
    }
});
