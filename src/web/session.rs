//! The browser's session, and forms held by it.
//!
//! The cookie holds a secret and nothing else; everything is in the database. A session is looked up once per request,
//! however many extractors ask.

use super::cookie::Cookie;
use super::csrf;
use super::edge::Edge;
use super::form::{Fields, RawForm};
use super::language::Chosen;
use super::problem::Problem;
use super::rate::Action;
use super::reply::Reply;
use super::trace::Trail;
use crate::service::session::{self, Opened};
use crate::service::{App, Session, Who};
use axum::RequestExt as _;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use std::sync::Arc;

/// The state of every handler: what acts need, and what the web needs.
#[derive(Clone)]
pub struct Web {
    /// What acts need.
    pub app: App,
    /// What the web needs.
    pub edge: Arc<Edge>,
}

impl Web {
    /// Counts a request for an account, beside what its address is allowed.
    ///
    /// # Errors
    /// Status 429, with the time to wait.
    pub fn count(&self, action: Action, account: &str) -> Result<(), Problem> {
        Ok(self.edge.rates.by_account(action, account, self.edge.clock.now())?)
    }

    /// The cookie of a session just begun or rotated.
    #[must_use]
    pub fn session_cookie(&self, opened: &Opened) -> HeaderValue {
        self.edge.cookies.set_session(opened.cookie.expose())
    }

    /// Goes on where the person was before a step led them away, else to `home`.
    #[must_use]
    pub fn onward(&self, headers: &HeaderMap, home: &str) -> Reply {
        let next = self.edge.cookies.next(headers);
        Reply::go(next.as_deref().unwrap_or(home)).cookie(self.edge.cookies.clear(Cookie::Next))
    }

    async fn resume(&self, parts: &mut Parts) -> Result<Option<Session>, Problem> {
        if let Some(Found(found)) = parts.extensions.get::<Found>() {
            return Ok(found.clone());
        }
        let found = match self.edge.cookies.read(&parts.headers, Cookie::Session) {
            Some(cookie) => session::resume(&self.app, cookie).await?,
            None => None,
        };
        if let (Some(session), Some(trail)) = (&found, parts.extensions.get::<Trail>()) {
            trail.note_audience(audience(&session.who));
        }
        parts.extensions.insert(Found(found.clone()));
        Ok(found)
    }
}

/// What the look-up of this request's session gave.
#[derive(Clone)]
struct Found(Option<Session>);

/// The kind of person in front of the screen, for the log line.
const fn audience(who: &Who) -> &'static str {
    match who {
        Who::Anonymous => "none",
        Who::Aidant { .. } | Who::Locked { .. } => "aidant",
        Who::HandedOver { .. } | Who::Consenting { .. } | Who::Usager { .. } => "usager",
        Who::Auditor { .. } => "auditor",
    }
}

/// The session, if there is one: for pages that anybody may see.
pub struct MaybeSession(pub Option<Session>);

impl FromRequestParts<Web> for MaybeSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        web.resume(parts).await.map(Self)
    }
}

/// The session; without one the person is led to sign in. Who holds it and what they may ask is for the service
/// function to check.
pub struct Held(pub Session);

impl FromRequestParts<Web> for Held {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        web.resume(parts).await?.map(Self).ok_or(Problem::SIGN_IN_NEEDED)
    }
}

/// The session, begun for whoever has none: for pages with a form that strangers see (the doors to sign-in, the
/// authorisation request). Put its routes under [`super::limited`].
pub struct Begun {
    /// The session.
    pub session: Session,
    /// The cookie to set, when it was begun just now.
    pub cookie: Option<HeaderValue>,
}

impl FromRequestParts<Web> for Begun {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, web: &Web) -> Result<Self, Problem> {
        if let Some(session) = web.resume(parts).await? {
            return Ok(Self { session, cookie: None });
        }
        let Ok(chosen) = Chosen::from_request_parts(parts, web).await;
        let opened = session::start(&web.app, chosen.language).await?;
        parts.extensions.insert(Found(Some(opened.session.clone())));
        Ok(Self { cookie: Some(web.session_cookie(&opened)), session: opened.session })
    }
}

/// A form of ours, sent by the session it was given to. Its fields cannot be had without that check.
pub struct CheckedForm {
    /// The session.
    pub session: Session,
    /// What was sent.
    pub fields: Fields,
}

impl FromRequest<Web> for CheckedForm {
    type Rejection = Problem;

    async fn from_request(mut request: Request, web: &Web) -> Result<Self, Problem> {
        let Held(session) = request.extract_parts_with_state(web).await?;
        let RawForm(bytes) = RawForm::from_request(request, web).await?;
        let fields = Fields::parse(&bytes)?;
        csrf::check(&session.csrf, &fields)?;
        Ok(Self { session, fields })
    }
}
