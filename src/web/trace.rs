//! The outermost layer: every request gets an id, and one line when it is answered.

use super::edge::Edge;
use super::problem::Problem;
use crate::clock::random;
use crate::telemetry::{RequestLine, request as write_line};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};
use std::time::Instant as Stopwatch;
use tracing::Instrument as _;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What is found out about a request while it is answered. In each request's extensions.
#[derive(Debug, Clone)]
pub struct Trail {
    /// The request's id, as answered in `x-request-id` and as error pages quote it.
    pub id: Arc<str>,
    audience: Arc<OnceLock<&'static str>>,
}

impl Trail {
    /// Notes the kind of person asking, for the log line.
    pub fn note_audience(&self, audience: &'static str) {
        // Noted twice, the first stands.
        let _ = self.audience.set(audience);
    }
}

/// Refusals answered in another form than [`Problem`] (OAuth's JSON) leave their code here for the log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code(pub &'static str);

pub(super) async fn layer(State(edge): State<Arc<Edge>>, mut request: Request, next: Next) -> Response {
    let watch = Stopwatch::now();
    // Without chance the id is all zeroes; whatever needs chance to be safe refuses by itself.
    let id: Arc<str> = hex(random(&*edge.entropy).unwrap_or_default()).into();
    let trail = Trail { id: Arc::clone(&id), audience: Arc::default() };
    request.extensions_mut().insert(trail.clone());
    let method = name_of(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();

    // Whatever else is logged while the request is answered carries its id too.
    let span = tracing::info_span!("request", id = &*id);
    let mut response = next.run(request).instrument(span).await;

    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let problem = response.extensions().get::<Problem>().map(|problem| problem.code);
    write_line(&RequestLine {
        id: &id,
        method,
        route: route.as_ref().map_or("none", MatchedPath::as_str),
        status: response.status().as_u16(),
        code: problem.or_else(|| response.extensions().get::<Code>().map(|code| code.0)),
        elapsed: watch.elapsed(),
        audience: trail.audience.get().copied().unwrap_or("none"),
    });
    response
}

fn hex(bytes: [u8; 16]) -> String {
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A fixed word for each method: what strangers invent does not reach the log.
fn name_of(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        _ => "OTHER",
    }
}
