//! Signing out, when a relying party asks for it.

use super::authorize::back;
use super::request::parameters;
use super::{Sandbox, SandboxClient, State};
use crate::crypto::{JwsAlg, verify_jws};
use crate::demo::site::{View, clear_cookie, cookie, page};
use askama::Template;
use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::Value;

#[derive(Template)]
#[template(path = "sandbox/signed_out.html")]
struct SignedOut {
    v: View,
}

/// `GET /session/end`.
pub(super) async fn by_get(sandbox: State, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    sandbox.end_session(&headers, &query.unwrap_or_default())
}

/// `POST /session/end`.
pub(super) async fn by_post(sandbox: State, headers: HeaderMap, form: String) -> Response {
    sandbox.end_session(&headers, &form)
}

impl Sandbox {
    /// Signs the browser out, then sends it to an address registered by the client that the hint was made for. Without
    /// such a hint or address FranceConnect refuses the request; the other flavour says on a page that it is done.
    fn end_session(&self, headers: &HeaderMap, asked: &str) -> Response {
        let site = self.flavour.site();
        let parameters = parameters(asked).unwrap_or_default();
        let client = parameters.get("id_token_hint").and_then(|hint| self.client_of(hint));
        let wanted = parameters.get("post_logout_redirect_uri");
        let address =
            wanted.filter(|uri| client.is_some_and(|client| client.post_logout_redirect_uris.contains(uri)));
        if self.flavour.is_franceconnect() && (client.is_none() || wanted != address) {
            return self.refused(headers, "", "invalid_request");
        }
        if let Some(session) = cookie(headers, site.cookie()) {
            self.sessions.take(session, self.now());
        }
        let mut answer = match address {
            Some(address) => back(address, &[("state", parameters.get("state").map_or("", String::as_str))]),
            None => page(StatusCode::OK, &SignedOut { v: site.view(headers, "/", None) }),
        };
        clear_cookie(answer.headers_mut(), site.cookie());
        answer
    }

    /// The client an ID token of ours was made for; it may have expired since.
    fn client_of(&self, hint: &str) -> Option<&SandboxClient> {
        let verified = verify_jws(hint, &self.jwks(), &[JwsAlg::Es256]).ok()?;
        let claims: Value = serde_json::from_slice(&verified.payload).ok()?;
        self.client(claims.get("aud")?.as_str()?)
    }
}
