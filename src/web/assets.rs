//! The few files pages name.

use super::form::Query;
use crate::view::assets;
use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const FOR_GOOD: &str = "public, max-age=31536000, immutable";
const FOR_A_DAY: &str = "public, max-age=86400";

/// Stylesheet, mark, icon and the word to robots.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(assets::STYLESHEET_PATH, get(stylesheet))
        .route(assets::MARK_PATH, get(mark))
        .route("/favicon.ico", get(mark))
        .route("/robots.txt", get(robots))
}

/// The stylesheet may be kept for good under the address that carries its version, and only there.
async fn stylesheet(Query(query): Query) -> Response {
    let current = assets::stylesheet_address();
    let asked = query.all("v").next().is_some_and(|version| current.ends_with(&format!("?v={version}")));
    let life = if asked { FOR_GOOD } else { FOR_A_DAY };
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, life)];
    (headers, assets::STYLESHEET).into_response()
}

async fn mark() -> Response {
    ([(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, FOR_A_DAY)], assets::MARK).into_response()
}

/// Nothing here is for search engines.
async fn robots() -> Response {
    let headers = [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, FOR_A_DAY)];
    (headers, "User-agent: *\nDisallow: /\n").into_response()
}
