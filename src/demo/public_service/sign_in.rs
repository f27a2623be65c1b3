//! Signing in with a mandate, and out again.

use super::mandate::Opening;
use super::{FLOW_LIFE, State, VISIT_LIFE, Visit};
use crate::demo::memory::fresh;
use crate::demo::site::{Site, View, clear_cookie, cookie, page, set_cookie};
use crate::relying::{BeginOptions, CallbackQuery, RelyingError};
use askama::Template;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use std::sync::Arc;

#[derive(Template)]
#[template(path = "sandbox/service_home.html")]
struct Home {
    v: View,
    open: bool,
    /// Where whoever is represented here ends that.
    issuer: String,
}

/// What went wrong, as far as the person is concerned.
pub(super) enum Trouble {
    /// The aidant gave up, or had no mandate to offer.
    Declined,
    /// The callback is not this browser's.
    Foreign,
    /// No file is open (any more).
    Closed,
    /// Porteplume does not confirm access any more.
    Ended,
    /// Porteplume cannot be asked.
    Away,
    /// What Porteplume said cannot be relied on.
    Unsound,
}

#[derive(Template)]
#[template(path = "sandbox/service_trouble.html")]
struct TroublePage {
    v: View,
    trouble: Trouble,
    code: &'static str,
}

#[derive(Template)]
#[template(path = "sandbox/service_signed_out.html")]
struct SignedOut {
    v: View,
}

/// `GET /`.
pub(super) async fn home(service: State, headers: HeaderMap) -> Response {
    let open = service.visit(&headers).is_some();
    let issuer = service.issuer.clone();
    page(StatusCode::OK, &Home { v: Site::Caisse.view(&headers, "/", None), open, issuer })
}

/// `GET /sign-in`: a link rather than a form, since its redirections lead through origins unknown here.
pub(super) async fn begin(service: State, headers: HeaderMap) -> Response {
    let now = service.now();
    let language = Site::Caisse.view(&headers, "/", None).language;
    let options = BeginOptions { ui_locales: vec![language.as_str().to_owned()], ..BeginOptions::default() };
    let begun = match service.porteplume.begin(&*service.entropy, &options, now).await {
        Ok(begun) => begun,
        Err(error) => return trouble_of(&headers, &error),
    };
    let browser = cookie(&headers, Site::Caisse.cookie())
        .map_or_else(|| fresh(&*service.entropy), |b| Ok(b.to_owned()));
    let Ok(browser) = browser else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let mut answer = Redirect::to(begun.url.as_str()).into_response();
    set_cookie(answer.headers_mut(), Site::Caisse.cookie(), &browser);
    let state = begun.expected.state.expose().to_owned();
    service.flows.put(&state, (browser, begun.expected), now, FLOW_LIFE);
    answer
}

/// `GET /callback`.
pub(super) async fn callback(
    service: State,
    headers: HeaderMap,
    Query(query): Query<CallbackQuery>,
) -> Response {
    let now = service.now();
    let browser = cookie(&headers, Site::Caisse.cookie());
    let state = query.state.as_deref().unwrap_or_default();
    // Another browser's flow stays where it is; one's own is completed once.
    let own = service.flows.get(state, now).is_some_and(|(began, _)| Some(began.as_str()) == browser);
    let flow = if own { service.flows.take(state, now) } else { None };
    let Some((_, expected)) = flow else {
        return trouble(&headers, Trouble::Foreign, "state_mismatch");
    };
    let signed_in = match service.porteplume.complete(&query, &expected, now).await {
        Ok(signed_in) => signed_in,
        Err(error) => return trouble_of(&headers, &error),
    };
    let Some(opening) = Opening::read(&signed_in) else {
        return trouble(&headers, Trouble::Unsound, "no_mandate");
    };
    let Ok(csrf) = fresh(&*service.entropy) else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let visit = Visit {
        sid: signed_in.text("sid").unwrap_or_default().to_owned(),
        ended: false,
        opening: Arc::new(opening),
        subject: signed_in.subject,
        id_token: signed_in.id_token,
        access_token: signed_in.access_token,
        csrf,
    };
    let Ok(session) = service.visits.keep(&*service.entropy, visit, now, VISIT_LIFE) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut answer = Redirect::to("/file").into_response();
    set_cookie(answer.headers_mut(), Site::Caisse.cookie(), &session);
    answer
}

/// `POST /sign-out`: closes the file here and at Porteplume.
pub(super) async fn sign_out(service: State, headers: HeaderMap, form: String) -> Response {
    let Some((session, visit)) = service.visit(&headers) else {
        return Redirect::to("/signed-out").into_response();
    };
    if !visit.holds_csrf(&form) {
        return trouble(&headers, Trouble::Foreign, "csrf");
    }
    let now = service.now();
    service.visits.take(&session, now);
    // Porteplume being away keeps nobody from leaving.
    let there = service.porteplume.logout_url(&visit.id_token, &service.signed_out, None, now).await;
    let to = there.ok().flatten();
    let mut answer = Redirect::to(to.as_ref().map_or("/signed-out", |url| url.as_str())).into_response();
    clear_cookie(answer.headers_mut(), Site::Caisse.cookie());
    answer
}

/// `GET /signed-out`.
pub(super) async fn signed_out(headers: HeaderMap) -> Response {
    page(StatusCode::OK, &SignedOut { v: Site::Caisse.view(&headers, "/signed-out", None) })
}

/// The page for a sign-in that did not succeed.
fn trouble_of(headers: &HeaderMap, error: &RelyingError) -> Response {
    let kind = match error {
        RelyingError::Denied => Trouble::Declined,
        RelyingError::State => Trouble::Foreign,
        error if error.is_outage() => Trouble::Away,
        _ => Trouble::Unsound,
    };
    trouble(headers, kind, error.code())
}

/// A kind page that says what went wrong and what to do.
pub(super) fn trouble(headers: &HeaderMap, trouble: Trouble, code: &'static str) -> Response {
    let status = match trouble {
        Trouble::Declined => StatusCode::OK,
        Trouble::Foreign => StatusCode::BAD_REQUEST,
        Trouble::Closed | Trouble::Ended => StatusCode::FORBIDDEN,
        Trouble::Away | Trouble::Unsound => StatusCode::BAD_GATEWAY,
    };
    page(status, &TroublePage { v: Site::Caisse.view(headers, "/", None), trouble, code })
}
