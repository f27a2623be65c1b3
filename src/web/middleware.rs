//! All layers, composed once, in one order.
//!
//! Outermost first: request id and log line, client address, security headers, language; then what compresses
//! pages and what turns problems into answers; then what may refuse: a panic caught, the time limit, the size limit, the origin of forms. Sessions
//! and the forms' tokens are extractors, since not every page needs them; rate limits stand on the routes they protect.

use super::edge::Edge;
use super::problem::Problem;
use super::rate::Action;
use super::{address, assets, compress, csrf, headers, health, language, recover, trace};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest body with a file: the largest file, and what stands around it.
const LARGEST_UPLOAD: usize = crate::service::asking::LARGEST_FILE + 64 * 1024;

/// All routes, by who may ask what of them.
pub struct Routes<S> {
    /// Pages whose forms are ours alone: a form made by another site is refused.
    pub pages: Router<S>,
    /// Pages of ours that take a file: as guarded as the others, and larger.
    pub uploads: Router<S>,
    /// Pages that another site may send people to, by a form too: the authorisation request, the sign-out a service asks
    /// for. Browsers send no session along with such a form (`SameSite=Lax`).
    pub doors: Router<S>,
    /// Endpoints for programs, refused in OAuth's JSON.
    pub protocol: Router<S>,
}

/// The whole service: the routes, their layers, and what needs no handler (assets, health). `ready` says whether
/// the database and the journal can be used.
pub fn compose<S, F>(
    edge: &Arc<Edge>,
    state: S,
    routes: Routes<S>,
    ready: impl Fn() -> F + Clone + Send + Sync + 'static,
) -> Router
where
    S: Clone + Send + Sync + 'static,
    F: Future<Output = bool> + Send + 'static,
{
    let pages = routes.pages.merge(assets::routes()).fallback(async || Problem::NOT_FOUND);
    let pages = pages.layer(from_fn_with_state(Arc::clone(edge), csrf::layer)).merge(routes.doors);
    let uploads = routes.uploads.layer(from_fn_with_state(Arc::clone(edge), csrf::layer));
    let pages = guarded(edge, pages)
        .merge(guarded_to(edge, uploads, LARGEST_UPLOAD))
        .layer(from_fn_with_state(Arc::clone(edge), recover::as_page));
    let pages = pages.layer(compress::layer()).layer(from_fn(compress::own));
    let protocol = guarded(edge, routes.protocol).layer(from_fn(recover::as_json));
    pages
        .merge(protocol)
        .merge(health::routes(ready))
        .layer(from_fn_with_state(Arc::clone(edge), language::layer))
        .layer(from_fn_with_state(Arc::clone(edge), headers::layer))
        .layer(from_fn_with_state(Arc::clone(edge), address::layer))
        .layer(from_fn_with_state(Arc::clone(edge), trace::layer))
        .with_state(state)
}

/// What may stop a request before its handler is done.
fn guarded<S: Clone + Send + Sync + 'static>(edge: &Arc<Edge>, router: Router<S>) -> Router<S> {
    guarded_to(edge, router, usize::try_from(edge.limits.body_bytes).unwrap_or(usize::MAX))
}

/// The same, with a size limit of its own.
fn guarded_to<S: Clone + Send + Sync + 'static>(
    edge: &Arc<Edge>,
    router: Router<S>,
    bytes: usize,
) -> Router<S> {
    let seconds = Duration::from_secs(edge.limits.request_seconds.into());
    router
        // The framework's own limit would come first with another number.
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(bytes))
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, seconds))
        .layer(CatchPanicLayer::custom(panicked))
}

/// A panic's own words may hold anything, so they are not repeated.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    Problem { code: "panic", ..Problem::INTERNAL }.into_response()
}

/// Limits how often one network address may ask for any of these routes.
pub fn limited<S: Clone + Send + Sync + 'static>(
    edge: &Arc<Edge>,
    action: Action,
    routes: Router<S>,
) -> Router<S> {
    let edge = Arc::clone(edge);
    routes.route_layer(from_fn(move |request: Request, next: Next| {
        let edge = Arc::clone(&edge);
        async move {
            let from = request.extensions().get::<address::ClientAddress>().map(|client| client.network());
            let counted = from.map(|from| edge.rates.by_address(action, from, edge.clock.now()));
            match counted {
                Some(Ok(())) => next.run(request).await,
                Some(Err(wait)) => Problem::from(wait).into_response(),
                // Outside the composed layers nobody knows who asks.
                None => Problem::INTERNAL.into_response(),
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SeededEntropy};
    use crate::config::{Issuer, Limits, Networks, Rate, Server};
    use crate::mandate::Instant;
    use crate::view::Flash;
    use crate::web::{Chosen, Fields, FormTargets, RawForm, Reply};
    use axum::body::{Body, to_bytes};
    use axum::extract::ConnectInfo;
    use axum::http::HeaderMap;
    use axum::http::request::Builder;
    use axum::routing::{get, post};
    use std::net::SocketAddr;
    use tower::ServiceExt as _;

    fn edge(issuer: &str) -> Arc<Edge> {
        let server = Server {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            issuer: Issuer::parse(issuer).unwrap(),
            operator: "operator".into(),
            contact: "contact".into(),
            trusted_proxies: Networks::parse(&["10.0.0.0/8"]).unwrap(),
            metrics_listen: None,
        };
        let limits = Limits {
            sign_in: Rate { per_address: 2, per_account: 2 },
            request_seconds: 1,
            ..Limits::default()
        };
        let clock = ManualClock::at(Instant::from_micros(1_700_000_000_000_000));
        Edge::new(&server, limits, Arc::new(clock), Arc::new(SeededEntropy::new(1)))
    }

    async fn panics() -> Reply {
        panic!("Rose Martin, born 1942")
    }

    async fn sleeps() -> Reply {
        tokio::time::sleep(Duration::from_mins(1)).await;
        Reply::page(String::new())
    }

    async fn echoes(RawForm(form): RawForm) -> Result<Reply, Problem> {
        Ok(Reply::page(Fields::parse(&form)?.required("a")?.to_owned()))
    }

    fn service(edge: &Arc<Edge>) -> Router {
        let needy = || async { Err::<Reply, _>(Problem::SIGN_IN_NEEDED) };
        let targets = || async { Reply::page("p".into()).forms_to(FormTargets::to("https://sp.example/cb")) };
        let limit = Router::new().route("/door", get(async || Reply::page("open".into())));
        let pages = Router::new()
            .route("/", get(async |chosen: Chosen| Reply::page(chosen.language.as_str().into())))
            .route("/form", post(echoes))
            .route("/panic", get(panics))
            .route("/slow", get(sleeps))
            .route("/usager/mandates/{mandate}", get(needy).post(needy))
            .route("/targets", get(targets))
            .merge(limited(edge, Action::SignIn, limit));
        let protocol = Router::new().route("/token", post(echoes)).route("/userinfo", get(panics));
        let doors = Router::new().route("/authorize", post(echoes));
        compose(edge, (), Routes { pages, uploads: Router::new(), doors, protocol }, async || false)
    }

    struct Answer {
        status: u16,
        headers: HeaderMap,
        body: String,
    }

    impl Answer {
        fn header(&self, name: &str) -> &str {
            self.headers.get(name).map_or("", |value| value.to_str().unwrap())
        }

        /// The stable code an error page quotes.
        fn code(&self) -> &str {
            let (_, after) = self.body.split_once("id=\"error-code\">").expect("an error page");
            after.split('<').next().unwrap()
        }
    }

    async fn ask(service: &Router, request: Builder, body: impl Into<Body>) -> Answer {
        let response = service.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 1_000_000).await.unwrap().to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    fn request(method: &str, path: &str) -> Builder {
        axum::http::Request::builder().method(method).uri(path)
    }

    fn form(path: &str) -> Builder {
        request("POST", path).header("content-type", "application/x-www-form-urlencoded")
    }

    #[tokio::test]
    async fn every_answer_carries_the_security_headers_and_its_id() {
        let service = service(&edge("https://mandats.example.fr"));
        for path in ["/", "/absent", "/panic", "/health/live", "/robots.txt", "/token"] {
            let answer = ask(&service, request("GET", path), "").await;
            assert!(answer.header("content-security-policy").starts_with("default-src 'none'"), "{path}");
            assert!(answer.header("content-security-policy").ends_with("form-action 'self'"), "{path}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
            assert!(answer.header("strict-transport-security").starts_with("max-age="), "{path}");
            assert_eq!(answer.header("x-request-id").len(), 32, "{path}");
            let kept = if path == "/robots.txt" { "public, max-age=86400" } else { "no-store" };
            assert_eq!(answer.header("cache-control"), kept, "{path}");
        }
        let targets = ask(&service, request("GET", "/targets"), "").await;
        assert!(targets.header("content-security-policy").ends_with("form-action 'self' https://sp.example"));
    }

    #[tokio::test]
    async fn plain_http_promises_no_https() {
        let answer = ask(&service(&edge("http://127.0.0.1:8080")), request("GET", "/"), "").await;
        assert_eq!((answer.status, answer.header("strict-transport-security")), (200, ""));
    }

    #[tokio::test]
    async fn people_get_pages_in_their_language_and_programs_get_json() {
        let service = service(&edge("https://mandats.example.fr"));
        let page = ask(&service, request("GET", "/absent?lang=en"), "").await;
        assert_eq!((page.status, page.code()), (404, "not_found"));
        assert!(page.body.contains("<html lang=\"en\"") && page.body.contains(page.header("x-request-id")));
        assert!(page.header("set-cookie").starts_with("__Host-porteplume-lang=en; "));
        let page = ask(&service, request("POST", "/"), "").await;
        assert_eq!((page.status, page.header("allow")), (405, "GET,HEAD"));
        assert_eq!(page.code(), "method_not_allowed");
        assert!(page.body.contains("<html lang=\"fr\""));
        let json = ask(&service, form("/token"), "b=1").await;
        assert_eq!(json.status, 400);
        assert_eq!(json.body, r#"{"error":"invalid_request","error_description":"form_field_missing"}"#);
    }

    #[tokio::test]
    async fn a_panic_is_answered_without_its_words() {
        let service = service(&edge("https://mandats.example.fr"));
        let page = ask(&service, request("GET", "/panic"), "").await;
        assert_eq!((page.status, page.code()), (500, "panic"));
        let json = ask(&service, request("GET", "/userinfo"), "").await;
        assert_eq!(
            (json.status, json.body.as_str()),
            (500, r#"{"error":"server_error","error_description":"panic"}"#)
        );
    }

    #[tokio::test]
    async fn an_oversized_body_is_refused_announced_or_not() {
        let service = service(&edge("https://mandats.example.fr"));
        let large = format!("a={}", "x".repeat(65_536));
        let announced = form("/form").header("content-length", large.len());
        assert_eq!(ask(&service, announced, large.clone()).await.status, 413);
        let unannounced = ask(&service, form("/form"), large.clone()).await;
        assert_eq!((unannounced.status, unannounced.code()), (413, "body_too_large"));
        let json = ask(&service, form("/token"), large.clone()).await;
        assert_eq!((json.status, json.header("content-type")), (413, "application/json"));
        assert_eq!(ask(&service, form("/form"), format!("a={}", "x".repeat(65_534))).await.status, 200);
    }

    #[tokio::test]
    async fn bad_forms_are_refused_with_their_code() {
        let service = service(&edge("https://mandats.example.fr"));
        let utf8 = ask(&service, form("/form"), "a=%FF").await;
        assert_eq!((utf8.status, utf8.code()), (400, "form_not_utf8"));
        let json = request("POST", "/form").header("content-type", "application/json");
        assert_eq!(ask(&service, json, "{}").await.status, 415);
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_given_up() {
        let page = ask(&service(&edge("https://mandats.example.fr")), request("GET", "/slow"), "").await;
        assert_eq!((page.status, page.code()), (503, "timeout"));
    }

    #[tokio::test]
    async fn a_missing_step_is_shown_and_leads_back() {
        let service = service(&edge("https://mandats.example.fr"));
        let led = ask(&service, request("GET", "/usager/mandates/1"), "").await;
        assert_eq!((led.status, led.header("location")), (303, "/usager/sign-in"));
        let cookie = led.header("set-cookie").split(';').next().unwrap().to_owned();
        let headers = [(axum::http::header::COOKIE, cookie.parse().unwrap())].into_iter().collect();
        assert_eq!(edge("https://x.fr").cookies.next(&headers).as_deref(), Some("/usager/mandates/1"));
        let told = ask(&service, request("POST", "/usager/mandates/1"), "").await;
        assert_eq!((told.status, told.header("location")), (401, ""));
    }

    #[tokio::test]
    async fn forms_made_elsewhere_reach_no_page_but_the_doors_and_the_protocol() {
        let service = service(&edge("https://mandats.example.fr"));
        let foreign =
            |path| form(path).header("sec-fetch-site", "cross-site").header("origin", "https://evil.example");
        let page = ask(&service, foreign("/form"), "a=1").await;
        assert_eq!((page.status, page.code()), (403, "form_forged"));
        assert_eq!(ask(&service, foreign("/authorize"), "a=1").await.status, 200);
        assert_eq!(ask(&service, foreign("/token"), "a=1").await.status, 200);
        let own = form("/form").header("origin", "https://mandats.example.fr");
        assert_eq!(ask(&service, own, "a=1").await.status, 200);
    }

    #[tokio::test]
    async fn an_address_that_asks_too_often_waits_and_others_do_not() {
        let service = service(&edge("https://mandats.example.fr"));
        let from = |address: &str, behind: &str| {
            let peer: SocketAddr = format!("{address}:1").parse().unwrap();
            request("GET", "/door").extension(ConnectInfo(peer)).header("x-forwarded-for", behind)
        };
        for _ in 0..2 {
            assert_eq!(ask(&service, from("10.0.0.1", "9.9.9.9, 203.0.113.1"), "").await.status, 200);
        }
        let refused = ask(&service, from("10.0.0.1", "8.8.8.8, 203.0.113.1"), "").await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "30"));
        assert_eq!(refused.code(), "too_often");
        assert_eq!(ask(&service, from("10.0.0.1", "203.0.113.2"), "").await.status, 200);
        assert_eq!(ask(&service, from("203.0.113.3", "203.0.113.1"), "").await.status, 200);
        assert_eq!(ask(&service, request("GET", "/"), "").await.status, 200, "other routes stay open");
    }

    #[tokio::test]
    async fn assets_are_kept_for_good_under_their_version_only() {
        let service = service(&edge("https://mandats.example.fr"));
        let address = crate::view::assets::stylesheet_address();
        let versioned = ask(&service, request("GET", &address), "").await;
        assert_eq!((versioned.status, versioned.header("content-type")), (200, "text/css; charset=utf-8"));
        assert_eq!(versioned.header("cache-control"), "public, max-age=31536000, immutable");
        let other = ask(&service, request("GET", "/assets/porteplume.css?v=0"), "").await;
        assert_eq!(other.header("cache-control"), "public, max-age=86400");
        assert_eq!(
            ask(&service, request("GET", "/favicon.ico"), "").await.header("content-type"),
            "image/svg+xml"
        );
    }

    #[tokio::test]
    async fn a_message_is_shown_once() {
        let edge = edge("https://mandats.example.fr");
        let service = service(&edge);
        let set = edge.cookies.set_flash(Flash::MandateActive);
        let cookie = set.to_str().unwrap().split(';').next().unwrap().to_owned();
        let page = ask(&service, request("GET", "/").header("cookie", &cookie), "").await;
        assert!(page.header("set-cookie").starts_with("__Host-porteplume-flash=; "));
        let led_on = ask(&service, request("GET", "/usager/mandates/1").header("cookie", &cookie), "").await;
        assert!(!led_on.header("set-cookie").contains("flash"), "it waits for a page");
    }

    #[tokio::test]
    async fn health_tells_alive_from_ready() {
        let service = service(&edge("https://mandats.example.fr"));
        assert_eq!(ask(&service, request("GET", "/health/live"), "").await.status, 200);
        assert_eq!(ask(&service, request("GET", "/health/ready"), "").await.status, 503);
    }
}
