//! What the pages of the sandboxes have in common: name, language, stylesheet, cookies.

use crate::mandate::Language;
use crate::view::typeset;
use axum::Router;
use axum::extract::Query;
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use serde::Deserialize;

const STYLESHEET: &str = include_str!("assets/sandbox.css");

/// One of the sandboxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// Stands for FranceConnect.
    Citizens,
    /// Stands for ProConnect.
    Agents,
    /// A public service.
    Caisse,
}

impl Site {
    /// The cookie that holds a browser's session here.
    #[must_use]
    pub const fn cookie(self) -> &'static str {
        match self {
            Self::Citizens => "citizens_sandbox",
            Self::Agents => "agents_sandbox",
            Self::Caisse => "caisse_sandbox",
        }
    }

    /// The cookie that holds the language chosen here.
    #[must_use]
    pub const fn language_cookie(self) -> &'static str {
        match self {
            Self::Citizens => "citizens_sandbox_language",
            Self::Agents => "agents_sandbox_language",
            Self::Caisse => "caisse_sandbox_language",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Citizens => "citizens",
            Self::Agents => "agents",
            Self::Caisse => "caisse",
        }
    }

    /// The routes of every site: stylesheet and choice of language.
    pub(super) fn common(self) -> Router {
        Router::new()
            .route("/sandbox.css", get(stylesheet))
            .route("/language", get(move |choice: Query<Choice>| async move { self.choose(&choice) }))
    }

    fn choose(self, choice: &Choice) -> Response {
        let Some(language) = Language::parse(&choice.to) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        // Only ever back to a page of this site.
        let local =
            choice.back.starts_with('/') && !choice.back.starts_with("//") && !choice.back.contains('\\');
        let back = if local { choice.back.as_str() } else { "/" };
        let mut answer = Redirect::to(back).into_response();
        set_cookie(answer.headers_mut(), self.language_cookie(), language.as_str());
        answer
    }

    /// The view of one request: `here` is its path with the query, `asked` the languages a client asked for.
    pub(super) fn view(self, headers: &HeaderMap, here: &str, asked: Option<&str>) -> View {
        let chosen = cookie(headers, self.language_cookie()).and_then(Language::parse);
        let accepted = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language =
            chosen.or_else(|| preferred(asked?)).or_else(|| preferred(accepted?)).unwrap_or(Language::Fr);
        View { site: self, language, here: here.to_owned() }
    }
}

async fn stylesheet() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=3600")], STYLESHEET)
}

#[derive(Deserialize)]
struct Choice {
    to: String,
    #[serde(default)]
    back: String,
}

/// The first language of ours in a list of tags; weights are ignored, since browsers send them in order.
fn preferred(tags: &str) -> Option<Language> {
    tags.split([',', ' ', ';']).find_map(|tag| Language::parse(tag.split('-').next()?.trim()))
}

/// What a template needs to know beside its own facts.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) site: Site,
    pub(super) language: Language,
    here: String,
}

impl View {
    /// The text in this view's language, set as that language sets it.
    pub(super) fn t(&self, fr: &str, en: &str) -> String {
        let text = match self.language {
            Language::Fr => fr,
            Language::En => en,
        };
        typeset(self.language, text)
    }

    /// The site's name.
    pub(super) fn name(&self) -> &'static str {
        match (self.site, self.language) {
            (Site::Citizens, Language::Fr) => "Identité citoyenne",
            (Site::Citizens, Language::En) => "Citizen identity",
            (Site::Agents, Language::Fr) => "Identité professionnelle",
            (Site::Agents, Language::En) => "Professional identity",
            (Site::Caisse, _) => "Caisse de démonstration",
        }
    }

    pub(super) fn class(&self) -> &'static str {
        self.site.class()
    }

    /// The other language, and the address that switches to it.
    pub(super) fn switch(&self) -> (Language, String) {
        let other = if self.language == Language::Fr { Language::En } else { Language::Fr };
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("to", other.as_str())
            .append_pair("back", &self.here)
            .finish();
        (other, format!("/language?{query}"))
    }
}

/// A rendered template.
pub(super) fn page(status: StatusCode, template: &impl askama::Template) -> Response {
    template.render().map_or_else(
        |_| StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        |html| (status, Html(html)).into_response(),
    )
}

/// The value of a cookie.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// Sets a cookie for this browser session: not for scripts, not sent with other sites' forms. Not `Secure`, since
/// sandboxes speak plain HTTP on loopback.
pub(super) fn set_cookie(headers: &mut HeaderMap, name: &str, value: &str) {
    let cookie = HeaderValue::try_from(format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax"));
    if let Ok(cookie) = cookie {
        headers.append(SET_COOKIE, cookie);
    }
}

/// Takes a cookie back.
pub(super) fn clear_cookie(headers: &mut HeaderMap, name: &str) {
    set_cookie(headers, name, "; Max-Age=0");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(axum::http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_chosen_language_prevails_over_the_clients_and_the_browsers() {
        let language = |pairs: &[(axum::http::HeaderName, &str)], asked| {
            Site::Agents.view(&headers(pairs), "/", asked).language
        };
        assert_eq!(language(&[], None), Language::Fr);
        assert_eq!(language(&[(ACCEPT_LANGUAGE, "de-DE,en-GB;q=0.8,fr;q=0.5")], None), Language::En);
        assert_eq!(language(&[(ACCEPT_LANGUAGE, "en")], Some("fr en")), Language::Fr);
        assert_eq!(language(&[(COOKIE, "a=b; agents_sandbox_language=en")], Some("fr")), Language::En);
        assert_eq!(language(&[(COOKIE, "caisse_sandbox_language=en")], Some("fr")), Language::Fr);
    }

    #[test]
    fn choosing_a_language_leads_back_into_the_site_only() {
        for (back, to) in [
            ("/file?a=b", "/file?a=b"),
            ("https://evil.example", "/"),
            ("//evil.example", "/"),
            ("/\\evil", "/"),
        ] {
            let answer = Site::Caisse.choose(&Choice { to: "en".into(), back: back.into() });
            assert_eq!(answer.headers()["location"], to, "{back}");
        }
    }
}
