//! The userinfo endpoint: signed at the citizens' sandbox, as at FranceConnect; JSON at the agents'.

use super::{Flavour, State, claims};
use crate::crypto::sign_jws;
use axum::Json;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// `GET /userinfo`.
pub(super) async fn give(sandbox: State, headers: HeaderMap) -> Response {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    let grant = bearer.and_then(|token| sandbox.tokens.get(token, sandbox.now()));
    let Some(grant) = grant else {
        let challenge = [(WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"")];
        return (StatusCode::UNAUTHORIZED, challenge).into_response();
    };
    let (flavour, request) = (sandbox.flavour, &grant.request);
    let mut said = claims::about(flavour, &grant.sign_in.person, &request.client_id, &request.scope);
    if flavour == Flavour::Agents {
        return Json(said).into_response();
    }
    let now = sandbox.now();
    said.extend([
        ("iss".to_owned(), json!(sandbox.issuer)),
        ("aud".to_owned(), json!(request.client_id)),
        ("iat".to_owned(), json!(now.seconds())),
        ("exp".to_owned(), json!(now.plus(flavour.token_life()).seconds())),
    ]);
    match sign_jws(&sandbox.key, "JWT", Value::Object(said).to_string().as_bytes()) {
        Ok(jwt) => ([(CONTENT_TYPE, "application/jwt")], jwt).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
