//! For those who watch the process: is it alive, can it work, what does it measure.

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

/// `/health/live` answers as long as the process does; `/health/ready` only when `ready` says that the database and
/// the journal can be used.
pub(super) fn routes<S, F>(ready: impl Fn() -> F + Clone + Send + Sync + 'static) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    F: Future<Output = bool> + Send + 'static,
{
    let ready = move || {
        let ready = ready.clone();
        async move {
            if ready().await {
                (StatusCode::OK, "ready\n")
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
            }
        }
    };
    Router::new().route("/health/live", get(async || "alive\n")).route("/health/ready", get(ready))
}

/// `/metrics`, for a listener of its own that the public does not reach.
pub fn metrics(render: impl Fn() -> String + Clone + Send + Sync + 'static) -> Router {
    let page =
        move || async move { ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], render()) };
    Router::new().route("/metrics", get(page))
}
