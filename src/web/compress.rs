//! Pages are compressed on their way: many are read over a van's satellite link.

use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::Predicate;

/// What is compressed: text that browsers read. What is of the journal goes out byte for byte.
pub(super) fn layer() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new().compress_when(|_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions| {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        ["text/html", "text/css", "image/svg+xml"].iter().any(|read| kind.starts_with(read))
    })
}

/// Leaves uncompressed what may repeat a stranger's words: the length of a page that holds those and a secret would tell
/// the secret, letter by letter (BREACH, 2013). That is a query in an address, unless the browser says that a page of ours,
/// or the person, asked for it; forms from elsewhere come without a session.
pub(super) async fn own(mut request: Request, next: Next) -> Response {
    let said = request.headers().get("sec-fetch-site").map(|site| site.to_str().unwrap_or_default());
    if request.uri().query().is_some() && !matches!(said, Some("same-origin" | "none")) {
        request.headers_mut().remove(ACCEPT_ENCODING);
    }
    next.run(request).await
}
