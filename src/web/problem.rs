//! What a request is answered with when it cannot be answered: a status, a stable code, what to show.
//!
//! A handler returns the problem and never thinks of a page: an outer layer turns it into one in the person's
//! language, into OAuth's JSON, or into the step that is missing.

use super::rate::TooOften;
use crate::crypto::SpokenCode;
use crate::service::promise::Promises;
use crate::view::errors::Fault;
use crate::view::sentences::Advice;
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

/// What people are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Something did not work.
    Fault(Fault),
    /// A rule refuses; this is why, and what to do.
    Advice(Advice),
    /// The account is not the one we know the person by; its code, to be said to whoever confirms it.
    OtherAccount(SpokenCode),
    /// It is done but not yet under a signed checkpoint.
    BeingRecorded,
}

/// A refusal or fault, as the web sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// HTTP status.
    pub status: StatusCode,
    /// The stable code: on the page, in the log, in the metrics.
    pub code: &'static str,
    /// What people are shown.
    pub shown: Shown,
    /// What the person must do first.
    pub step: Option<Step>,
    /// Seconds after which trying again makes sense.
    pub retry_after: Option<u32>,
    /// Our word for what waits for its place in the journal.
    pub promises: Option<Promises>,
}

impl Problem {
    /// A problem with that status and code, shown as that fault.
    #[must_use]
    pub const fn new(status: StatusCode, code: &'static str, fault: Fault) -> Self {
        Self { status, code, shown: Shown::Fault(fault), step: None, retry_after: None, promises: None }
    }

    /// A request that cannot be read.
    #[must_use]
    pub const fn bad_request(code: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, Fault::BadRequest)
    }

    /// Nothing there, or nothing this person may know of.
    pub const NOT_FOUND: Self = Self::new(StatusCode::NOT_FOUND, "not_found", Fault::NotFound);
    /// The form's token is not this session's, or the form comes from elsewhere.
    pub const FORGED: Self = Self::new(StatusCode::FORBIDDEN, "form_forged", Fault::FormExpired);
    /// Nobody is signed in here, or the session is over.
    pub const SIGN_IN_NEEDED: Self =
        Self::new(StatusCode::UNAUTHORIZED, "sign_in_needed", Fault::SessionExpired).after(Step::SignIn);
    /// Something broke on our side; the log knows what.
    pub const INTERNAL: Self = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", Fault::Internal);

    /// The same, once the person has taken that step.
    #[must_use]
    pub const fn after(mut self, step: Step) -> Self {
        self.step = Some(step);
        self
    }

    /// The same, worth another try after so many seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// The problem of an answer that names none: the framework's own, or a layer's.
    #[must_use]
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NOT_FOUND,
            StatusCode::METHOD_NOT_ALLOWED => Self::new(status, "method_not_allowed", Fault::BadRequest),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(status, "body_too_large", Fault::TooLarge),
            StatusCode::SERVICE_UNAVAILABLE => Self::new(status, "timeout", Fault::Unavailable),
            status if status.is_server_error() => Self { status, ..Self::INTERNAL },
            status => Self::new(status, "bad_request", Fault::BadRequest),
        }
    }
}

impl From<TooOften> for Problem {
    fn from(wait: TooOften) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_often", Fault::TooManyRequests)
            .retry_after(wait.retry_after)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.code).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
