//! Being told by Porteplume that access has ended: logout tokens (OpenID Connect Back-Channel Logout 1.0) and security
//! events (RFC 8935). Each is verified as a careful service would, and closes the file at once.

use super::State;
use crate::crypto::{JwsAlg, verify_jws};
use crate::mandate::Instant;
use crate::provider::{JWKS, LOGOUT_EVENT, SECURITY_EVENT_TYPE, SESSION_REVOKED};
use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use time::Duration;

/// Where logout tokens are posted.
pub(super) const LOGOUT: &str = "/logout";
/// Where security events are posted.
pub(super) const EVENTS: &str = "/events";
/// How far a token's time may be from ours.
const FRESH: Duration = Duration::minutes(5);

/// What every token says.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    iat: i64,
    jti: String,
    events: Map<String, Value>,
    /// A logout token's.
    sid: Option<String>,
    exp: Option<i64>,
    nonce: Option<Value>,
    /// An event's (RFC 9493).
    sub_id: Option<Value>,
}

/// `POST /logout`.
pub(super) async fn logout(service: State, form: String) -> Response {
    let token = url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "logout_token");
    let claims = match token {
        Some((_, token)) => service.told(&token, "logout+jwt", LOGOUT_EVENT).await,
        None => None,
    };
    // Back-Channel Logout, section 2.6.
    let sid = claims.filter(|claims| claims.nonce.is_none() && claims.exp.is_some());
    match sid.and_then(|claims| claims.sid) {
        Some(sid) => {
            service.end(&sid);
            StatusCode::OK.into_response()
        }
        None => (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_request"}))).into_response(),
    }
}

/// `POST /events`.
pub(super) async fn event(service: State, headers: HeaderMap, body: String) -> Response {
    let kind = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == SECURITY_EVENT_TYPE);
    let claims = if kind { service.told(&body, "secevent+jwt", SESSION_REVOKED).await } else { None };
    let subject = claims.and_then(|claims| claims.sub_id).unwrap_or_default();
    match subject.pointer("/session/id").and_then(Value::as_str) {
        Some(sid) => {
            service.end(sid);
            StatusCode::ACCEPTED.into_response()
        }
        None => (StatusCode::BAD_REQUEST, Json(json!({"err": "invalid_request"}))).into_response(),
    }
}

impl super::Service {
    /// The claims of a token of that type about that event, when Porteplume made it for us just now. The same message may
    /// come again, when our answer was lost: closing twice is closing once.
    async fn told(&self, token: &str, typ: &str, event: &str) -> Option<Claims> {
        let (status, keys) = self.http.get(&format!("{}{JWKS}", self.porteplume.issuer())).await.ok()?;
        let keys: Value = serde_json::from_slice(&keys).ok().filter(|_| status == 200)?;
        let verified = verify_jws(token, &keys, &[JwsAlg::Es256]).ok()?;
        let claims: Claims = serde_json::from_slice(&verified.payload).ok()?;
        let made = Instant::from_micros(claims.iat.checked_mul(1_000_000)?);
        let ours = verified.header.typ.as_deref() == Some(typ)
            && claims.iss == self.porteplume.issuer()
            && claims.aud == self.client_id
            && !claims.jti.is_empty()
            && claims.events.get(event).is_some_and(Value::is_object)
            && self.now().since(made).abs() <= FRESH;
        ours.then_some(claims)
    }

    /// Closes the files of a session at Porteplume.
    fn end(&self, sid: &str) {
        self.visits.change(|visit| visit.ended |= visit.sid == sid);
    }
}
