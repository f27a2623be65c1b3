//! What a request is answered with when it cannot be answered: a status, a stable code, a way on.
//!
//! A handler returns the problem and never thinks of a page: an outer layer turns it into one in the person's
//! language, into OAuth's JSON, or into the step that is missing.

use super::rate::TooOften;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// A step a person must take first. Asked for by a GET, they are led there and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Signing in, at the door that fits the page.
    SignIn,
    /// Proving the second factor.
    Factor,
    /// Enrolling a second factor.
    Enrol,
    /// Unlocking the screen.
    Unlock,
    /// Stating the purpose of reading.
    Purpose,
}

/// A refusal or fault, as the web sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// The stable code: on the page, in the log, in the metrics.
    pub code: &'static str,
    /// What the person must do first.
    pub step: Option<Step>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem with that status and code.
    #[must_use]
    pub const fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, step: None, retry_after: None }
    }

    /// Nothing there, or nothing this person may know of.
    pub const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "not_found");
    /// The form's token is not this session's, or the form comes from elsewhere.
    pub const FORGED: Self = Self::new(StatusCode::FORBIDDEN, "form_forged");
    /// Something broke on our side; the log knows what.
    pub const INTERNAL: Self = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal");

    /// The same, once the person has taken that step.
    #[must_use]
    pub const fn after(self, step: Step) -> Self {
        Self { step: Some(step), ..self }
    }

    /// The same, worth another try after so many seconds.
    #[must_use]
    pub const fn retry_after(self, seconds: u32) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The problem of an answer that names none: the framework's own, or a layer's.
    #[must_use]
    pub(super) fn of_status(status: StatusCode) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "not_found",
            StatusCode::METHOD_NOT_ALLOWED => "method_not_allowed",
            StatusCode::PAYLOAD_TOO_LARGE => "body_too_large",
            StatusCode::UNSUPPORTED_MEDIA_TYPE => "form_expected",
            StatusCode::SERVICE_UNAVAILABLE => "timeout",
            status if status.is_server_error() => "internal",
            _ => "bad_request",
        };
        Self::new(status, code)
    }
}

impl From<TooOften> for Problem {
    fn from(wait: TooOften) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_often").retry_after(wait.retry_after)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
