//! Every error to HTTP, here and nowhere else. No match has a wildcard: a new error does not compile before it has
//! its status and its page.

use super::problem::{Problem, Shown, Step};
use super::trace::Code;
use crate::provider::{BearerError, ErrorReply, OAuthError, PageError};
use crate::relying::RelyingError;
use crate::service::{Error, FactorError, InputError, SessionError, SignInError};
use crate::view::errors::Fault;
use crate::view::sentences::{self, Advice};
use axum::http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let code = error.code();
        let problem = match &error {
            Error::Refused(refusal) => ruled(StatusCode::FORBIDDEN, code, sentences::refusal(*refusal)),
            Error::Transition(step) => ruled(StatusCode::CONFLICT, code, sentences::transition(*step)),
            Error::Glass(glass) => ruled(StatusCode::CONFLICT, code, sentences::glass(*glass)),
            Error::Anomaly(anomaly) => ruled(StatusCode::CONFLICT, code, sentences::anomaly(*anomaly)),
            Error::Session(error) => session(*error, code),
            Error::SignIn(error) => sign_in(*error, code),
            Error::Factor(error) => factor(*error, code),
            // Pages show these at their field, too.
            // Pages show these at their field; here they come when a page of ours was not used.
            Error::Asking(_)
            | Error::Card(_)
            | Error::Terms(_)
            | Error::Registration(_)
            | Error::Input(InputError::Field(_) | InputError::TooLong(_)) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, Fault::BadRequest)
            }
            Error::NotFound => Self::NOT_FOUND,
            Error::Conflict => Self::new(StatusCode::CONFLICT, code, Fault::Conflict),
            Error::BeingRecorded => Self {
                shown: Shown::BeingRecorded,
                ..Self::new(StatusCode::SERVICE_UNAVAILABLE, code, Fault::Unavailable).retry_after(2)
            },
            // It is done: only its confirmation waits.
            Error::Promised(promises) => Self {
                shown: Shown::BeingRecorded,
                promises: Some(promises.clone()),
                ..Self::new(StatusCode::ACCEPTED, code, Fault::Unavailable).retry_after(2)
            },
            Error::Authorization(error) => Self::from(*error),
            // Programs are answered by an `OAuthRefusal`; no page asks for what gives these.
            Error::OAuth(_) | Error::Bearer(_) => Self::new(StatusCode::BAD_REQUEST, code, Fault::BadRequest),
            Error::Relying(error) => relying(error, code),
            Error::Store(error) if error.is_busy() => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, Fault::Behind).retry_after(2)
            }
            Error::Store(_) | Error::Entropy(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, code, Fault::Unavailable).retry_after(5)
            }
            Error::Crypto(_) | Error::Unreadable | Error::Entry(_) => {
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, code, Fault::Internal)
            }
        };
        if problem.status.is_server_error() {
            // The page says only that it is our fault; the operator needs to know which.
            tracing::error!(target: "porteplume::fault", code, %error);
        }
        problem
    }
}

fn ruled(status: StatusCode, code: &'static str, advice: Advice) -> Problem {
    Problem { shown: Shown::Advice(advice), ..Problem::new(status, code, Fault::Internal) }
}

const fn session(error: SessionError, code: &'static str) -> Problem {
    const MISSING: StatusCode = StatusCode::FORBIDDEN;
    match error {
        SessionError::SignInNeeded => Problem::SIGN_IN_NEEDED,
        SessionError::FactorNeeded => Problem::new(MISSING, code, Fault::SessionExpired).after(Step::Factor),
        SessionError::EnrolmentNeeded => {
            Problem::new(MISSING, code, Fault::SessionExpired).after(Step::Enrol)
        }
        SessionError::ScreenLocked => Problem::new(MISSING, code, Fault::OtherBrowser).after(Step::Unlock),
        // Others' pages do not exist for this person.
        SessionError::WrongRole => Problem::new(StatusCode::NOT_FOUND, code, Fault::NotFound),
        SessionError::PurposeNeeded => Problem::new(MISSING, code, Fault::BadRequest).after(Step::Purpose),
        SessionError::GrantNeeded => Problem::new(MISSING, code, Fault::NoGrant),
    }
}

fn sign_in(error: SignInError, code: &'static str) -> Problem {
    match error {
        SignInError::UnknownFlow => Problem::new(StatusCode::BAD_REQUEST, code, Fault::OtherBrowser),
        SignInError::NotRegistered | SignInError::InvitationExpired => {
            Problem::new(StatusCode::FORBIDDEN, code, Fault::NotRegistered)
        }
        SignInError::OtherSignIn(account) => Problem {
            shown: Shown::OtherAccount(account),
            ..Problem::new(StatusCode::FORBIDDEN, code, Fault::NotRegistered)
        },
        SignInError::Suspended => Problem::new(StatusCode::FORBIDDEN, code, Fault::Suspended),
        SignInError::Cancelled => Problem::new(StatusCode::FORBIDDEN, code, Fault::Provider),
        SignInError::IdentityIncomplete => Problem::new(StatusCode::BAD_GATEWAY, code, Fault::Provider),
        SignInError::TooOften { retry_after } => {
            Problem::new(StatusCode::TOO_MANY_REQUESTS, code, Fault::TooManyRequests).retry_after(retry_after)
        }
    }
}

const fn factor(error: FactorError, code: &'static str) -> Problem {
    match error {
        FactorError::Wrong => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, Fault::BadRequest),
        FactorError::Locked => Problem::new(StatusCode::TOO_MANY_REQUESTS, code, Fault::TooManyRequests),
        FactorError::Missing => {
            Problem::new(StatusCode::FORBIDDEN, code, Fault::SessionExpired).after(Step::Enrol)
        }
        FactorError::Exists => Problem::new(StatusCode::CONFLICT, code, Fault::Conflict),
    }
}

const fn relying(error: &RelyingError, code: &'static str) -> Problem {
    match error {
        RelyingError::State | RelyingError::CallbackIssuer => {
            Problem::new(StatusCode::BAD_REQUEST, code, Fault::OtherBrowser)
        }
        RelyingError::Denied => Problem::new(StatusCode::FORBIDDEN, code, Fault::Provider),
        RelyingError::NoCode => Problem::new(StatusCode::BAD_REQUEST, code, Fault::BadRequest),
        RelyingError::Provider(_)
        | RelyingError::Http(_)
        | RelyingError::Discovery
        | RelyingError::CodeRefused(_)
        | RelyingError::TokenAnswer
        | RelyingError::IdToken(_)
        | RelyingError::Userinfo(_) => Problem::new(StatusCode::BAD_GATEWAY, code, Fault::Provider),
        RelyingError::NoEntropy(_) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, Fault::Unavailable).retry_after(5)
        }
    }
}

/// An authorisation request that may not be answered at the client's address.
impl From<PageError> for Problem {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Unreadable(_)
            | PageError::Repeated
            | PageError::UnknownClient
            | PageError::UnregisteredRedirectUri
            | PageError::RequestUri
            | PageError::RequestObject(_)
            | PageError::UnusableState => {
                Self::new(StatusCode::BAD_REQUEST, error.code(), Fault::ServiceRequest)
            }
        }
    }
}

/// A refusal at an OAuth endpoint, in OAuth's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthRefusal {
    reply: ErrorReply,
    code: &'static str,
}

impl OAuthRefusal {
    /// A refusal at the token endpoint or one like it; `had_header` when the client came with `Authorization`.
    #[must_use]
    pub fn at_token(error: OAuthError, had_header: bool) -> Self {
        Self { reply: error.reply(had_header), code: error.code() }
    }
}

impl OAuthRefusal {
    /// What a service's request at the token endpoint came to.
    #[must_use]
    pub fn of_token(error: Error, had_header: bool) -> Self {
        match error {
            Error::OAuth(error) => Self::at_token(error, had_header),
            other => Self::of_problem(&Problem::from(other), had_header),
        }
    }

    /// What a service's request at a resource came to.
    #[must_use]
    pub fn of_resource(error: Error) -> Self {
        match error {
            Error::Bearer(error) => error.into(),
            other => Self::of_problem(&Problem::from(other), false),
        }
    }

    /// A fault of ours, in OAuth's words.
    fn of_problem(problem: &Problem, had_header: bool) -> Self {
        let error = match problem.retry_after {
            Some(_) => OAuthError::TemporarilyUnavailable,
            None => OAuthError::ServerError,
        };
        Self { code: problem.code, ..Self::at_token(error, had_header) }
    }
}

impl From<BearerError> for OAuthRefusal {
    fn from(error: BearerError) -> Self {
        Self { reply: error.reply(), code: error.code() }
    }
}

impl IntoResponse for OAuthRefusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, [(CONTENT_TYPE, "application/json")], self.reply.body).into_response();
        response.extensions_mut().insert(Code(self.code));
        let challenge = self.reply.www_authenticate.and_then(|text| HeaderValue::from_str(&text).ok());
        if let Some(challenge) = challenge {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::NoEntropy;
    use crate::mandate::Refusal;

    fn problem(error: impl Into<Error>) -> Problem {
        error.into().into()
    }

    #[test]
    fn every_refusal_of_the_domain_is_shown_with_its_advice_and_code() {
        for refusal in Refusal::ALL {
            let shown = problem(*refusal);
            assert_eq!((shown.status, shown.code), (StatusCode::FORBIDDEN, refusal.code()));
            assert_eq!(shown.shown, Shown::Advice(sentences::refusal(*refusal)));
        }
    }

    #[test]
    fn outsiders_get_not_found_whatever_the_reason() {
        let (absent, foreign) = (problem(Error::NotFound), problem(SessionError::WrongRole));
        assert_eq!((absent.status, absent.shown), (foreign.status, foreign.shown));
    }

    #[test]
    fn what_is_missing_is_a_step_and_what_failed_is_not() {
        for (error, step) in [
            (SessionError::SignInNeeded, Step::SignIn),
            (SessionError::FactorNeeded, Step::Factor),
            (SessionError::EnrolmentNeeded, Step::Enrol),
            (SessionError::ScreenLocked, Step::Unlock),
            (SessionError::PurposeNeeded, Step::Purpose),
        ] {
            assert_eq!(problem(error).step, Some(step));
        }
        assert_eq!(problem(NoEntropy).step, None);
        assert_eq!(problem(SignInError::UnknownFlow).step, None);
    }

    #[test]
    fn what_may_pass_says_when_to_try_again() {
        for error in [Error::BeingRecorded, Error::Entropy(NoEntropy)] {
            let shown = problem(error);
            assert_eq!(shown.status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(shown.retry_after.is_some());
        }
    }

    #[test]
    fn oauth_refusals_speak_oauth_and_leave_their_reason_to_the_log() {
        let refusal = OAuthRefusal::from(BearerError::InvalidToken).into_response();
        assert_eq!(refusal.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(refusal.extensions().get::<Code>(), Some(&Code("invalid_token")));
        assert!(refusal.headers().contains_key(WWW_AUTHENTICATE));
        let refusal = OAuthRefusal::at_token(OAuthError::ServerError, false).into_response();
        assert_eq!(refusal.headers().get(CONTENT_TYPE).unwrap(), "application/json");
    }
}
