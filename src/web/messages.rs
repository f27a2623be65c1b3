//! Where whoever carries our text messages posts what people write back. A program's endpoint: signed bytes in, JSON out.

use super::{Action, ClientAddress, Code, Web};
use crate::service::Caller;
use crate::service::reply::{self, Unread};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use serde_json::json;

/// Its path.
const REPLIES: &str = "/messages/replies";
/// Says who signed the body, and when.
const SIGNATURE: &str = "porteplume-signature";

/// The routes of this file.
pub(super) fn protocol() -> Router<Web> {
    Router::new().route(REPLIES, post(replied))
}

fn refused(status: StatusCode, code: &'static str) -> Response {
    let body = json!({ "error": code }).to_string();
    let mut response = (status, [(CONTENT_TYPE, "application/json")], body).into_response();
    response.extensions_mut().insert(Code(code));
    response
}

async fn replied(
    State(web): State<Web>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let incoming = match reply::open(&web.app, signature, &body) {
        Ok(incoming) => incoming,
        Err(Unread::Off) => return refused(StatusCode::NOT_FOUND, "not_found"),
        Err(Unread::Signature) => return refused(StatusCode::UNAUTHORIZED, "reply_signature"),
        Err(Unread::Form) => return refused(StatusCode::BAD_REQUEST, "reply_form"),
    };
    // Each telephone is counted: all of them come from one address.
    let counted = web.edge.rates.by_account(Action::Card, incoming.from.as_str(), web.app.now());
    if let Err(often) = counted {
        let mut response = refused(StatusCode::TOO_MANY_REQUESTS, "too_many_requests");
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(often.retry_after));
        return response;
    }
    let caller = Caller { address: address.map(|known| known.0.0), sid: None };
    match reply::take(&web.app, &caller, incoming).await {
        Ok(answer) => {
            ([(CONTENT_TYPE, "application/json")], json!({ "answer": answer }).to_string()).into_response()
        }
        // Followed or not, it is asked again: the same reply does nothing twice.
        Err(error) => refused(StatusCode::SERVICE_UNAVAILABLE, error.code()),
    }
}
