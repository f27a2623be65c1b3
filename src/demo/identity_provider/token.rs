//! The token endpoint.

use super::request::parameters;
use super::{Grant, Sandbox, SandboxClient, State, claims};
use crate::crypto::{same, sha256, sign_jws};
use crate::demo::memory::fresh;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use time::Duration;

/// How long a spent code is remembered, so that its second use kills what the first gave.
const SPENT_LIFE: Duration = Duration::hours(1);

/// `POST /token`.
pub(super) async fn exchange(sandbox: State, form: String) -> Response {
    let Some(form) = parameters(&form) else { return refused("invalid_request") };
    let Some(client) = sandbox.authenticated(&form) else {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"}))).into_response();
    };
    if form.get("grant_type").map(String::as_str) != Some("authorization_code") {
        return refused("unsupported_grant_type");
    }
    let Some(code) = form.get("code") else { return refused("invalid_request") };
    let now = sandbox.now();
    let Some(grant) = sandbox.codes.take(code, now) else {
        if let Some(token) = sandbox.spent.take(code, now) {
            sandbox.tokens.take(&token, now);
        }
        return refused("invalid_grant");
    };
    if !fits(&grant, client, &form) {
        return refused("invalid_grant");
    }
    let Some((access_token, answer)) = sandbox.tokens(grant) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    sandbox.spent.put(code, access_token, now, SPENT_LIFE);
    Json(answer).into_response()
}

fn refused(error: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"error": error}))).into_response()
}

/// Whether the code was given to this client, for this address, to whoever holds the PKCE verifier.
fn fits(grant: &Grant, client: &SandboxClient, form: &BTreeMap<String, String>) -> bool {
    let verifier = form.get("code_verifier");
    let proves = match (&grant.request.code_challenge, verifier) {
        (Some(challenge), Some(verifier)) => {
            same(URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())).as_bytes(), challenge.as_bytes())
        }
        (None, None) => true,
        _ => false,
    };
    proves
        && grant.request.client_id == client.client_id
        && form.get("redirect_uri") == Some(&grant.request.redirect_uri)
}

impl Sandbox {
    /// The client that proves itself in the form: neither French provider takes a header (`client_secret_basic`).
    fn authenticated(&self, form: &BTreeMap<String, String>) -> Option<&SandboxClient> {
        let client = self.client(form.get("client_id")?)?;
        let secret = form.get("client_secret")?;
        same(client.client_secret.expose().as_bytes(), secret.as_bytes()).then_some(client)
    }

    /// The access token and the answer that carries it.
    fn tokens(&self, grant: Grant) -> Option<(String, Value)> {
        let life = self.flavour.token_life();
        let access_token = fresh(&*self.entropy).ok()?;
        let id_token = sign_jws(&self.key, "JWT", &serde_json::to_vec(&self.id_token(&grant)).ok()?).ok()?;
        let scope = grant.request.scope.join(" ");
        self.tokens.put(&access_token, grant, self.now(), life);
        let answer = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": life.whole_seconds(),
            "scope": scope,
            "id_token": id_token,
        });
        Some((access_token, answer))
    }

    fn id_token(&self, grant: &Grant) -> Value {
        let now = self.now();
        let person = &grant.sign_in.person;
        let mut token = json!({
            "iss": self.issuer,
            "sub": claims::subject(person, &grant.request.client_id),
            "aud": grant.request.client_id,
            "iat": now.seconds(),
            "exp": now.plus(self.flavour.token_life()).seconds(),
            "auth_time": grant.sign_in.at.seconds(),
            "acr": grant.acr,
        });
        if let Some(token) = token.as_object_mut() {
            token.extend(grant.request.nonce.iter().map(|nonce| ("nonce".to_owned(), json!(nonce))));
            token.extend(grant.request.amr.then(|| ("amr".to_owned(), json!(person.amr()))));
        }
        token
    }
}
