//! What services ask by program, and the sign-out they ask a browser for.

use super::middleware::limited;
use super::pages::Visit;
use super::public::sign_out;
use super::{Action, ClientAddress, MaybeSession, OAuthRefusal, Page, RawForm, Reply, Web};
use crate::provider::{
    BearerError, DISCOVERY, INTROSPECT, JWKS, LogoutDecision, OAuthError, PAR, PageError, Params,
    REPRESENTATION, REVOKE, SCHEMAS, SIGNED_INTROSPECTION, ShownToken, TOKEN, USERINFO, bearer, discovery,
    read_report,
};
use crate::service::promise::Promises;
use crate::service::tokens::{self, Known};
use crate::service::{App, Caller, Error, claims, introspect, logout, push, standing};
use crate::view::paths;
use crate::view::public::EndSession;
use axum::body::Bytes;
use axum::extract::{FromRequest as _, RawQuery, Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use std::sync::Arc;

/// Endpoints for programs.
pub(super) fn protocol(web: &Web) -> Router<Web> {
    let tokens = Router::new()
        .route(TOKEN, post(token))
        .route(PAR, post(par))
        .route(INTROSPECT, post(introspection))
        .route(REVOKE, post(revocation));
    let schemas = SCHEMAS.into_iter().fold(Router::new(), |router, (path, text)| {
        let answer = move || async move { ([(CONTENT_TYPE, SCHEMA_JSON), (CACHE_CONTROL, FOR_GOOD)], text) };
        router.route(path, get(answer))
    });
    let proven = Router::new()
        .route(USERINFO, get(userinfo).post(userinfo))
        .route(REPRESENTATION, get(standing).post(report))
        .merge(limited(&web.edge, Action::Token, tokens));
    let app = Arc::clone(&web.app);
    Router::new()
        .merge(schemas)
        .route(DISCOVERY, get(metadata))
        .route(JWKS, get(keys))
        .merge(proven.route_layer(from_fn(move |request, next| next_nonce(Arc::clone(&app), request, next))))
}

/// Gives whoever sends a proof the nonce for the next one (RFC 9449, section 8.2).
async fn next_nonce(app: App, request: Request, next: Next) -> Response {
    let proven = request.headers().contains_key("dpop");
    let mut response = next.run(request).await;
    let nonce = proven.then(|| HeaderValue::from_str(app.nonces(app.now()).current()).ok()).flatten();
    if let Some(nonce) = nonce {
        response.headers_mut().insert("dpop-nonce", nonce);
    }
    response
}

/// Where services send people to sign out: other sites may post to it.
pub(super) fn doors() -> Router<Web> {
    Router::new().route(paths::END_SESSION, get(end_session).post(end_session_by_form))
}

/// The answer to the question it may ask: a sign-out like any other.
pub(super) fn pages() -> Router<Web> {
    Router::new().route(paths::END_SESSION_CONFIRM, post(sign_out))
}

const JSON: &str = "application/json";
const SCHEMA_JSON: &str = "application/schema+json";
/// A schema never changes under its name.
const FOR_GOOD: &str = "public, max-age=86400, immutable";
/// Public and rarely changed: a rotated key is published a while before it signs.
const SHORTLY: &str = "public, max-age=300";

async fn metadata(State(web): State<Web>) -> Response {
    ([(CONTENT_TYPE, JSON), (CACHE_CONTROL, SHORTLY)], discovery(&web.app.issuer, web.app.keys.token_algs()))
        .into_response()
}

async fn keys(State(web): State<Web>) -> Response {
    let body = web.app.keys.published().to_value().to_string();
    ([(CONTENT_TYPE, JSON), (CACHE_CONTROL, SHORTLY)], body).into_response()
}

/// JSON of ours; the headers' layer says `no-store`.
fn json(body: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, JSON)], body).into_response()
}

const fn caller(address: Option<&ClientAddress>) -> Caller {
    let address = match address {
        Some(address) => Some(address.0),
        None => None,
    };
    Caller { address, sid: None }
}

async fn token(
    State(web): State<Web>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Result<Response, OAuthRefusal> {
    let caller = caller(address.as_deref());
    let (known, params, refused) = known(&web, &caller, &headers, &form).await?;
    tokens::grant(&web.app, &caller, known, &params, &proofs(&headers)).await.map(json).map_err(refused)
}

async fn par(
    State(web): State<Web>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Result<Response, OAuthRefusal> {
    let caller = caller(address.as_deref());
    let (known, params, refused) = known(&web, &caller, &headers, &form).await?;
    let answer = push::push(&web.app, &caller, known, params, &proofs(&headers)).await.map_err(refused)?;
    Ok((StatusCode::CREATED, json(answer)).into_response())
}

async fn introspection(
    State(web): State<Web>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Result<Response, OAuthRefusal> {
    let caller = caller(address.as_deref());
    let (known, params, refused) = known(&web, &caller, &headers, &form).await?;
    let mut accepted = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    let signed = accepted.any(|accept| accept.contains(SIGNED_INTROSPECTION));
    let answer = introspect::introspect(&web.app, &caller, known, &params, signed).await.map_err(refused)?;
    let kind = if signed { SIGNED_INTROSPECTION } else { JSON };
    Ok(([(CONTENT_TYPE, kind)], answer).into_response())
}

async fn revocation(
    State(web): State<Web>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Result<StatusCode, OAuthRefusal> {
    let caller = caller(address.as_deref());
    let (known, params, refused) = known(&web, &caller, &headers, &form).await?;
    introspect::revoke(&web.app, &caller, known, &params).await.map_err(refused)?;
    Ok(StatusCode::OK)
}

/// The service that asks by form, what it asks, and how to refuse it.
async fn known(
    web: &Web,
    caller: &Caller,
    headers: &HeaderMap,
    form: &[u8],
) -> Result<(Known, Params, impl Fn(Error) -> OAuthRefusal), OAuthRefusal> {
    let authorization = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let had_header = authorization.is_some();
    let refused = move |error| OAuthRefusal::of_token(error, had_header);
    let params = Params::parse(form).map_err(|error| refused(OAuthError::from(error).into()))?;
    let known = tokens::authenticate(&web.app, caller, authorization, &params).await.map_err(refused)?;
    // Counted once it is known to be the client, so that nobody else can use its share up.
    if web.count(Action::Token, known.client().as_str()).is_err() {
        return Err(refused(OAuthError::TemporarilyUnavailable.into()));
    }
    Ok((known, params, refused))
}

/// Every proof of possession in a request (RFC 9449, section 4.1).
fn proofs(headers: &HeaderMap) -> Vec<&[u8]> {
    headers.get_all("dpop").iter().map(HeaderValue::as_bytes).collect()
}

async fn userinfo(
    State(web): State<Web>,
    address: Option<Extension<ClientAddress>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, OAuthRefusal> {
    let (headers, method) = (request.headers().clone(), request.method().clone());
    let form = form_of(request).await?;
    let token = shown(&headers, query.as_deref(), form.as_ref())?;
    let answer =
        claims::release(&web.app, &caller(address.as_deref()), token, (method.as_str(), &proofs(&headers)))
            .await;
    let told = answer.map_err(OAuthRefusal::of_resource)?;
    Ok(([(CONTENT_TYPE, told.media_type)], told.body).into_response())
}

async fn standing(
    State(web): State<Web>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, OAuthRefusal> {
    let token = shown(&headers, query.as_deref(), None)?;
    let caller = caller(address.as_deref());
    let answer = standing::read(&web.app, &caller, token, &proofs(&headers)).await;
    answer.map(json).map_err(OAuthRefusal::of_resource)
}

async fn report(
    State(web): State<Web>,
    address: Option<Extension<ClientAddress>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, OAuthRefusal> {
    let token = shown(&headers, query.as_deref(), None)?;
    let report = read_report(&body)?;
    let caller = caller(address.as_deref());
    match standing::report(&web.app, &caller, token, &proofs(&headers), report).await {
        Ok(standing) => Ok(json(standing)),
        // It is written down: only its place in the journal is waited for.
        Err(Error::Promised(promises)) => {
            Ok((StatusCode::ACCEPTED, json(awaited(&promises))).into_response())
        }
        Err(error) => Err(OAuthRefusal::of_resource(error)),
    }
}

/// Our word for what a service reported, and where the proof that keeps it will be.
fn awaited(promises: &Promises) -> Vec<u8> {
    let each = promises.each().iter().map(|promised| {
        let proof = paths::PROMISED.replace("{event}", promised.event.as_str());
        serde_json::json!({ "promise": promised.note, "proof": proof })
    });
    serde_json::json!({ "being_recorded": each.collect::<Vec<_>>() }).to_string().into_bytes()
}

/// The one token of a request at a resource.
fn shown(headers: &HeaderMap, query: Option<&str>, form: Option<&Params>) -> Result<ShownToken, BearerError> {
    let query = Params::parse(query.unwrap_or_default().as_bytes())?;
    let mut authorizations = headers.get_all(AUTHORIZATION).iter().map(HeaderValue::as_bytes);
    let (authorization, second) = (authorizations.next(), authorizations.next());
    if second.is_some() {
        return Err(BearerError::InvalidRequest);
    }
    bearer(authorization, &query, form)
}

/// The form of a POST that has one.
async fn form_of(request: Request) -> Result<Option<Params>, OAuthRefusal> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if request.method() != Method::POST || !kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(None);
    }
    let bytes = Bytes::from_request(request, &()).await.map_err(|_| BearerError::InvalidRequest)?;
    Ok(Some(Params::parse(&bytes).map_err(BearerError::from)?))
}

async fn end_session(
    State(web): State<Web>,
    visit: Visit,
    MaybeSession(session): MaybeSession,
    RawQuery(query): RawQuery,
) -> Page {
    end(&web, visit, session.as_ref(), query.unwrap_or_default().as_bytes()).await
}

async fn end_session_by_form(
    State(web): State<Web>,
    visit: Visit,
    MaybeSession(session): MaybeSession,
    RawForm(form): RawForm,
) -> Page {
    end(&web, visit, session.as_ref(), &form).await
}

async fn end(web: &Web, visit: Visit, session: Option<&crate::service::Session>, sent: &[u8]) -> Page {
    let params = Params::parse(sent).map_err(PageError::from)?;
    let caller = match session {
        Some(session) => visit.caller(session),
        None => visit.caller_without_session(),
    };
    let decision = logout::end(&web.app, session, &caller, &params).await?;
    match (decision, session) {
        (LogoutDecision::LogoutThenRedirect(address), _) => Ok(Reply::leave(&address)),
        (LogoutDecision::ConfirmPage, Some(session)) => {
            let page = EndSession {};
            Ok(Reply::page(page.render(&visit.guarded(web, session).await?)))
        }
        (LogoutDecision::LogoutThenPage | LogoutDecision::ConfirmPage, _) => Ok(Reply::go(paths::SIGNED_OUT)),
    }
}
