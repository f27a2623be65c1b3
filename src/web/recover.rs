//! Turns a [`Problem`] into what the caller can read: a page, the missing step, or OAuth's JSON.

use super::edge::Edge;
use super::language::Chosen;
use super::problem::{Problem, Shown, Step};
use super::reply::Reply;
use super::trace::Trail;
use crate::service::promise::Promises;
use crate::view::errors::{BeingRecorded, ErrorPage, OtherAccount, RefusedPage};
use crate::view::paths;
use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;

/// The problem an answer stands for: its own, or, for the framework's bare refusals, that of its status.
fn problem_of(response: &Response) -> Option<Problem> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let is_bare = kind.is_empty() || kind.starts_with("text/plain");
    let is_refusal = status.is_client_error() || status.is_server_error();
    (is_refusal && is_bare).then(|| Problem::of_status(status))
}

/// Gives the new answer what must not get lost of the old one.
fn dressed(mut answer: Response, problem: Problem, old: &HeaderMap) -> Response {
    *answer.status_mut() = if answer.status().is_redirection() { answer.status() } else { problem.status };
    for (name, value) in old {
        if ["set-cookie", "allow", "clear-site-data", "www-authenticate"].contains(&name.as_str()) {
            answer.headers_mut().append(name, value.clone());
        }
    }
    if let Some(seconds) = problem.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer.extensions_mut().insert(problem);
    answer
}

/// For people: the step that is missing, or a page.
pub(super) async fn as_page(
    State(edge): State<Arc<Edge>>,
    chosen: Chosen,
    request: Request,
    next: Next,
) -> Response {
    let is_get = *request.method() == Method::GET;
    let request_id =
        request.extensions().get::<Trail>().map(|trail| trail.id.to_string()).unwrap_or_default();
    let response = next.run(request).await;
    let Some(problem) = problem_of(&response) else { return response };
    let answer = match problem.step {
        Some(step) if is_get => {
            Reply::go(door(step, &chosen.path)).cookie(edge.cookies.set_next(&chosen.path)).into_response()
        }
        _ => Html(page(&problem, chosen, request_id)).into_response(),
    };
    dressed(answer, problem, response.headers())
}

fn page(problem: &Problem, chosen: Chosen, request_id: String) -> String {
    let code = problem.code.to_owned();
    let back = problem.step.map(|step| door(step, &chosen.path).to_owned());
    let resume = chosen.path.clone();
    let frame = chosen.frame();
    match problem.shown {
        Shown::Fault(fault) => ErrorPage { fault, code, request_id, back }.render(&frame),
        Shown::Advice(advice) => RefusedPage { advice, code, request_id, back }.render(&frame),
        Shown::OtherAccount(account) => {
            OtherAccount { account: account.to_string(), code, request_id, back }.render(&frame)
        }
        Shown::BeingRecorded => {
            let promises = problem.promises.iter().flat_map(Promises::each);
            BeingRecorded { resume, promises: promises.map(|promised| promised.note.clone()).collect() }
                .render(&frame)
        }
    }
}

/// The page of a step, as seen from a path.
fn door(step: Step, path: &str) -> &'static str {
    match step {
        Step::SignIn if path.starts_with(paths::REVOKE) => paths::REVOKE,
        Step::SignIn if path.starts_with(paths::USAGER) => paths::USAGER_SIGN_IN,
        Step::SignIn if path.starts_with("/auditor") => paths::AUDITOR_SIGN_IN,
        Step::SignIn => paths::AIDANT_SIGN_IN,
        Step::Factor => paths::FACTOR,
        Step::Enrol => paths::ENROL,
        Step::Unlock => paths::UNLOCK,
        Step::Purpose => paths::PURPOSE,
    }
}

/// For programs: OAuth's error object (RFC 6749, section 5.2), with our code as its description.
pub(super) async fn as_json(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let Some(mut problem) = problem_of(&response) else { return response };
    if problem.status.is_success() {
        // A person reads that it is done and waits; a program would take it for an answer.
        problem.status = StatusCode::SERVICE_UNAVAILABLE;
    }
    let error = match problem.status {
        StatusCode::UNAUTHORIZED => "invalid_token",
        StatusCode::FORBIDDEN => "access_denied",
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        status if status.is_server_error() => "server_error",
        _ => "invalid_request",
    };
    let body = Json(serde_json::json!({ "error": error, "error_description": problem.code }));
    let unknown = problem.status == StatusCode::UNAUTHORIZED;
    let mut answer = dressed(body.into_response(), problem, response.headers());
    if unknown {
        let scheme = HeaderValue::from_static("Bearer error=\"invalid_token\"");
        answer.headers_mut().entry(WWW_AUTHENTICATE).or_insert(scheme);
    }
    answer
}
