//! What a handler answers with when all is well.

use super::headers::FormTargets;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};

/// A page or a way on, with the cookies that go with it.
pub struct Reply(Response);

impl Reply {
    /// A page.
    #[must_use]
    pub fn page(html: String) -> Self {
        Self(Html(html).into_response())
    }

    /// A page with a form: with status 422 when it is shown again for what is wrong in it.
    #[must_use]
    pub fn form(html: String, wrong: bool) -> Self {
        Self::page(html).status(if wrong { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK })
    }

    /// Bytes of that media type.
    #[must_use]
    pub fn file(kind: &'static str, bytes: impl IntoResponse) -> Self {
        let mut response = bytes.into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Self(response)
    }

    /// Goes on to a path of ours by GET (status 303), so that reloading does nothing twice.
    #[must_use]
    pub fn go(path: &str) -> Self {
        Self::leave(path)
    }

    /// Goes on to another party's address by GET (status 303), as the protocol demands. The caller has checked the
    /// address against a registration or the provider's metadata.
    #[must_use]
    pub fn leave(address: &str) -> Self {
        let mut response = StatusCode::SEE_OTHER.into_response();
        match HeaderValue::from_str(address) {
            Ok(address) => {
                response.headers_mut().insert(LOCATION, address);
                Self(response)
            }
            // An address no header can hold was built wrongly by us.
            Err(_) => Self(super::problem::Problem::INTERNAL.into_response()),
        }
    }

    /// The page goes on to another party's address by itself, at once: unlike a redirection this may follow a form.
    #[must_use]
    pub fn refresh(mut self, address: &str) -> Self {
        // An address no header can hold is still the page's link.
        if let Ok(line) = HeaderValue::from_str(&format!("0; url={address}")) {
            self.0.headers_mut().insert(HeaderName::from_static("refresh"), line);
        }
        self
    }

    /// Also sets a cookie, if there is one to set.
    #[must_use]
    pub fn cookie(mut self, cookie: impl Into<Option<HeaderValue>>) -> Self {
        if let Some(cookie) = cookie.into() {
            self.0.headers_mut().append(SET_COOKIE, cookie);
        }
        self
    }

    /// The page's forms may also lead there.
    #[must_use]
    pub fn forms_to(mut self, targets: FormTargets) -> Self {
        self.0.extensions_mut().insert(targets);
        self
    }

    /// With this status instead of 200.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        *self.0.status_mut() = status;
        self
    }

    /// With the stable code of a refusal that this page shows, for the log line.
    #[must_use]
    pub fn code(mut self, code: &'static str) -> Self {
        self.0.extensions_mut().insert(super::trace::Code(code));
        self
    }

    /// The browser forgets all it keeps of us: for sign-out on a shared computer.
    #[must_use]
    pub fn forget_all(mut self) -> Self {
        let name = HeaderName::from_static("clear-site-data");
        self.0.headers_mut().insert(name, HeaderValue::from_static("\"cache\", \"cookies\", \"storage\""));
        self
    }

    /// May be kept by caches: public data only.
    #[must_use]
    pub fn kept_for(mut self, cache_control: &'static str) -> Self {
        self.0.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(cache_control));
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        self.0
    }
}
