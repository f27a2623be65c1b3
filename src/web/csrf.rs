//! A form is taken only from a page of ours, held by the session that was given it.
//!
//! Two walls: a browser that says where a form comes from must say "from here", and the form's hidden field must
//! hold the session's token.

use super::edge::Edge;
use super::form::Fields;
use super::problem::Problem;
use crate::config::Issuer;
use crate::crypto::same;
use axum::extract::{Request, State};
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::sync::Arc;

/// The hidden field's name.
pub const FIELD: &str = "csrf";

/// The token that the forms of a session carry, from the session's secret bytes.
#[must_use]
pub fn token(session: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(session)
}

/// Holds a form against the session it claims to come from.
///
/// # Errors
/// [`Problem::FORGED`].
pub fn check(session: &[u8; 32], fields: &Fields) -> Result<(), Problem> {
    let presented = fields.optional(FIELD)?.unwrap_or_default();
    if same(presented.as_bytes(), token(session).as_bytes()) { Ok(()) } else { Err(Problem::FORGED) }
}

/// Whether the browser says that another site made this request. What says nothing (an old browser, a program) is
/// left to the token.
fn is_foreign(method: &Method, headers: &HeaderMap, issuer: &Issuer) -> bool {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (said("sec-fetch-site"), said(ORIGIN.as_str())) {
        (Some(site), _) => site != "same-origin" && site != "none",
        (None, Some(origin)) => origin != issuer.as_str(),
        (None, None) => false,
    }
}

pub(super) async fn layer(State(edge): State<Arc<Edge>>, request: Request, next: Next) -> Response {
    if is_foreign(request.method(), request.headers(), &edge.issuer) {
        return Problem::FORGED.into_response();
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    #[test]
    fn a_form_is_taken_with_its_sessions_token_only() {
        let form = |text: &str| Fields::parse(text.as_bytes()).unwrap();
        let mine = form(&format!("a=1&csrf={}", token(&[7; 32])));
        assert_eq!(check(&[7; 32], &mine), Ok(()));
        assert_eq!(check(&[8; 32], &mine), Err(Problem::FORGED));
        assert_eq!(check(&[7; 32], &form("a=1")), Err(Problem::FORGED));
        assert_eq!(check(&[7; 32], &form("csrf=")), Err(Problem::FORGED));
        let twice = form(&format!("csrf=x&csrf={}", token(&[7; 32])));
        assert!(check(&[7; 32], &twice).is_err());
    }

    #[test]
    fn a_foreign_form_is_known_by_what_the_browser_says() {
        let issuer = Issuer::parse("https://mandats.example.fr").unwrap();
        let foreign = |method: Method, said: &[(&'static str, &'static str)]| {
            let headers: HeaderMap = said
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            is_foreign(&method, &headers, &issuer)
        };
        for own in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("origin", "https://mandats.example.fr")],
            &[],
        ] {
            assert!(!foreign(Method::POST, own), "{own:?}");
        }
        for other in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://mandats.example.fr")],
            &[("origin", "https://mandats.example.fr.evil.example")],
            &[("origin", "http://mandats.example.fr")],
            &[("origin", "null")],
        ] {
            assert!(foreign(Method::POST, other), "{other:?}");
            assert!(foreign(Method::DELETE, other), "{other:?}");
            assert!(!foreign(Method::GET, other), "{other:?}");
        }
    }
}
