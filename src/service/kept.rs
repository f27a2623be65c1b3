//! Authorization requests as they are kept: what the service sent, to be read again as strictly as when it came.

use super::{Error, Session};
use crate::crypto::OpaqueToken;
use crate::mandate::Instant;
use crate::provider::{AuthorizationRequest, AuthorizeError, ClientRegistration, Params};
use crate::storage::authorizations::AuthorizationRequestRow;
use time::Duration;

/// From when until when a request is kept.
#[derive(Clone, Copy)]
pub(super) struct Life {
    pub(super) from: Instant,
    pub(super) until: Instant,
}

/// The request as it is kept: what the service sent, to be read again as strictly as when it came.
pub(super) fn kept(
    handle: &OpaqueToken,
    session: Option<&Session>,
    params: &Params,
    request: &AuthorizationRequest,
    life: Life,
) -> AuthorizationRequestRow {
    let sent = |name: &str| params.get(name).map(str::to_owned);
    AuthorizationRequestRow {
        id_hash: handle.hash().to_hex(),
        session_hash: session.map(|session| session.id.to_hex()),
        client: request.client.clone(),
        redirect_uri: request.to.redirect_uri.as_str().to_owned(),
        state: request.to.state.clone(),
        nonce: request.nonce.clone(),
        code_challenge: request.code_challenge.as_ref().map(|challenge| challenge.as_str().to_owned()),
        scope: sent("scope").unwrap_or_default(),
        prompt: sent("prompt"),
        max_age: request.max_age.map(Duration::whole_seconds),
        login_hint: None,
        ui_locales: None,
        acr_values: None,
        claims: sent("claims").filter(|_| !request.asked.themes.is_empty()),
        authorization_details: sent("authorization_details"),
        id_token_hint: request.id_token_hint.clone(),
        pushed_hash: None,
        dpop_jkt: request.bound_to.as_ref().map(|key| key.as_str().to_owned()),
        response_mode: sent("response_mode"),
        created_at: life.from,
        expires_at: life.until,
        used_at: None,
    }
}

/// Reads a kept request again, so that a registration that changed meanwhile counts.
pub(super) fn again(
    row: &AuthorizationRequestRow,
    client: &ClientRegistration,
) -> Result<AuthorizationRequest, Error> {
    let max_age = row.max_age.map(|seconds| seconds.to_string());
    let fixed = [
        ("client_id", Some(row.client.as_str())),
        ("response_type", Some("code")),
        ("redirect_uri", Some(row.redirect_uri.as_str())),
        ("scope", Some(row.scope.as_str())),
        ("code_challenge", row.code_challenge.as_deref()),
        ("code_challenge_method", row.code_challenge.as_ref().map(|_| "S256")),
        ("state", row.state.as_deref()),
        ("nonce", row.nonce.as_deref()),
        ("prompt", row.prompt.as_deref()),
        ("max_age", max_age.as_deref()),
        ("id_token_hint", row.id_token_hint.as_deref()),
        ("dpop_jkt", row.dpop_jkt.as_deref()),
        ("response_mode", row.response_mode.as_deref()),
        ("authorization_details", row.authorization_details.as_deref()),
        ("claims", row.claims.as_deref()),
    ];
    let sent = fixed.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    let params = Params::of(sent).map_err(|_| Error::Unreadable)?;
    AuthorizationRequest::check(&params, client).map_err(|error| match error {
        AuthorizeError::Page(error) => error.into(),
        AuthorizeError::Redirect(_) => Error::NotFound,
    })
}
