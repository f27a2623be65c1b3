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
use serde_json::{Value, json};
use time::Duration;

/// Where logout tokens are posted.
pub(super) const LOGOUT: &str = "/logout";
/// Where security events are posted.
pub(super) const EVENTS: &str = "/events";
/// How far a token's time may be from ours.
const FRESH: Duration = Duration::minutes(5);

/// `POST /logout`.
pub(super) async fn logout(service: State, form: String) -> Response {
    let token = url::form_urlencoded::parse(form.as_bytes()).find(|(name, _)| name == "logout_token");
    let claims = match token {
        Some((_, token)) => service.told(&token, "logout+jwt").await,
        None => None,
    };
    let sid = claims.as_ref().filter(|claims| is_logout(claims)).and_then(|claims| claims["sid"].as_str());
    match sid {
        Some(sid) => {
            service.end(sid);
            StatusCode::OK.into_response()
        }
        None => (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_request"}))).into_response(),
    }
}

/// `POST /events`.
pub(super) async fn event(service: State, headers: HeaderMap, body: String) -> Response {
    let kind = headers.get(CONTENT_TYPE).is_some_and(|kind| kind == SECURITY_EVENT_TYPE);
    let claims = if kind { service.told(&body, "secevent+jwt").await } else { None };
    let sid = claims
        .as_ref()
        .filter(|claims| claims["events"].get(SESSION_REVOKED).is_some())
        .and_then(|claims| claims.pointer("/sub_id/session/id")?.as_str());
    match sid {
        Some(sid) => {
            service.end(sid);
            StatusCode::ACCEPTED.into_response()
        }
        None => (StatusCode::BAD_REQUEST, Json(json!({"err": "invalid_request"}))).into_response(),
    }
}

/// What Back-Channel Logout, section 2.6, demands of the claims.
fn is_logout(claims: &Value) -> bool {
    claims["events"].get(LOGOUT_EVENT).is_some_and(Value::is_object)
        && claims.get("nonce").is_none()
        && claims["exp"].is_i64()
}

impl super::Service {
    /// The claims of a token of that type, when Porteplume made it for us just now.
    async fn told(&self, token: &str, typ: &str) -> Option<Value> {
        let (status, keys) = self.http.get(&format!("{}{JWKS}", self.porteplume.issuer())).await.ok()?;
        let keys: Value = serde_json::from_slice(&keys).ok().filter(|_| status == 200)?;
        let verified = verify_jws(token, &keys, &[JwsAlg::Es256]).ok()?;
        let claims: Value = serde_json::from_slice(&verified.payload).ok()?;
        let now = self.now();
        let made = Instant::from_micros(claims["iat"].as_i64()?.checked_mul(1_000_000)?);
        let ours = verified.header.typ.as_deref() == Some(typ)
            && claims["iss"] == self.porteplume.issuer()
            && claims["aud"] == self.client_id.as_str()
            && now.since(made).abs() <= FRESH;
        // The same message may come again, when our answer was lost: closing twice is closing once.
        (ours && claims["jti"].is_string()).then_some(claims)
    }

    /// Closes the files of a session at Porteplume.
    fn end(&self, sid: &str) {
        self.visits.change(|visit| {
            if visit.sid == sid {
                visit.ended = true;
            }
        });
    }
}
