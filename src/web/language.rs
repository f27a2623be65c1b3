//! In which language to answer: `?lang=`, else the cookie, else what the browser prefers, else French.

use super::cookie::{Cookie, Cookies};
use super::edge::Edge;
use crate::mandate::Language;
use crate::view::{Flash, Frame};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use std::convert::Infallible;
use std::sync::Arc;

/// The language of the answer, the address it answers (for the language switch) and a message to show once: what
/// a page's frame is made of. Any handler may extract it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The language.
    pub language: Language,
    /// Path and query of the request.
    pub path: String,
    /// The message that the page before left.
    pub flash: Option<Flash>,
}

impl Chosen {
    /// The frame of a page, without a session yet.
    #[must_use]
    pub fn frame(self) -> Frame {
        Frame { flash: self.flash, ..Frame::new(self.language, self.path) }
    }
}

impl<S: Sync> FromRequestParts<S> for Chosen {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let found = parts.extensions.get::<Self>().cloned();
        Ok(found.unwrap_or_else(|| Self { language: Language::Fr, path: path_of(&parts.uri), flash: None }))
    }
}

fn path_of(uri: &Uri) -> String {
    // What a provider sent back is a secret, and is taken once: no page repeats it.
    if uri.path().starts_with("/callback/") {
        return uri.path().to_owned();
    }
    uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string)
}

fn asked_for(uri: &Uri) -> Option<Language> {
    uri.query()?.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Language::parse)
}

fn resolve(cookies: Cookies, uri: &Uri, headers: &HeaderMap) -> Language {
    let remembered = || cookies.read(headers, Cookie::Language).and_then(Language::parse);
    let preferred = || headers.get(ACCEPT_LANGUAGE)?.to_str().ok().and_then(preferred);
    asked_for(uri).or_else(remembered).or_else(preferred).unwrap_or(Language::Fr)
}

/// The best of our languages in an `Accept-Language` line; the earlier one of equals.
fn preferred(line: &str) -> Option<Language> {
    let mut best: Option<(u16, Language)> = None;
    for part in line.split(',').take(20) {
        let (tag, weight) = part.trim().split_once(';').unwrap_or((part.trim(), "q=1"));
        let tag = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let Some(language) = Language::parse(&tag) else { continue };
        let weight = thousandths(weight.trim());
        if weight > best.map_or(0, |(weight, _)| weight) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// `q=0.85` in thousandths; what cannot be read weighs nothing.
fn thousandths(weight: &str) -> u16 {
    let weight = weight.strip_prefix("q=").and_then(|w| w.parse::<f32>().ok()).unwrap_or(0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=1000")]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u16;
    thousandths
}

pub(super) async fn layer(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let language = resolve(edge.cookies, request.uri(), request.headers());
    let remember = asked_for(request.uri()).is_some();
    let path = path_of(request.uri());
    let flash = edge.cookies.flash(request.headers());
    request.extensions_mut().insert(Chosen { language, path, flash });
    let mut response = next.run(request).await;
    if remember {
        response.headers_mut().append(SET_COOKIE, edge.cookies.set_language(language.as_str()));
    }
    if flash.is_some() && response.status() == StatusCode::OK {
        response.headers_mut().append(SET_COOKIE, edge.cookies.clear(Cookie::Flash));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;
    use axum::http::header::COOKIE;

    fn resolved(uri: &'static str, cookie: &'static str, accept: &'static str) -> Language {
        let headers: HeaderMap =
            [(COOKIE, HeaderValue::from_static(cookie)), (ACCEPT_LANGUAGE, HeaderValue::from_static(accept))]
                .into_iter()
                .collect();
        resolve(Cookies::new(false), &Uri::from_static(uri), &headers)
    }

    #[test]
    fn the_address_goes_before_the_cookie_and_the_cookie_before_the_browser() {
        assert_eq!(resolved("/?a=1&lang=en", "porteplume-lang=fr", "fr"), Language::En);
        assert_eq!(resolved("/", "porteplume-lang=en", "fr"), Language::En);
        assert_eq!(resolved("/", "", "en"), Language::En);
        assert_eq!(resolved("/", "", ""), Language::Fr);
        assert_eq!(resolved("/?lang=xx", "porteplume-lang=xx", "de"), Language::Fr);
    }

    #[test]
    fn the_browsers_weights_are_honoured() {
        for (line, language) in [
            ("en-GB,en;q=0.9,fr;q=0.8", Some(Language::En)),
            ("de,en;q=0.5,fr-CA;q=0.7", Some(Language::Fr)),
            ("fr;q=0, en;q=0.1", Some(Language::En)),
            ("EN", Some(Language::En)),
            ("ar, *;q=0.5", None),
            ("fr;q=x, en;q=NaN", None),
            (";;,,q", None),
        ] {
            assert_eq!(preferred(line), language, "{line}");
        }
    }
}
