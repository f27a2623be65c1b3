//! What surrounds a page: who is signed in, the forms' token, a message to show once.

use super::language::Chosen;
use super::problem::Problem;
use super::reply::Reply;
use super::session::Web;
use super::{ClientAddress, csrf};
use crate::service::whoami::{self, Person};
use crate::service::{Caller, Session};
use crate::view::{Csrf, Flash, Frame, Guarded, Session as Shown, Who};
use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::convert::Infallible;

/// What a handler needs to draw a page and to say where the request came from.
pub struct Visit {
    pub(super) chosen: Chosen,
    address: Option<ClientAddress>,
    headers: HeaderMap,
}

impl<S: Send + Sync> FromRequestParts<S> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let Ok(chosen) = Chosen::from_request_parts(parts, state).await;
        let address = parts.extensions.get::<ClientAddress>().copied();
        Ok(Self { chosen, address, headers: parts.headers.clone() })
    }
}

impl Visit {
    /// Where the request came from, for the journal.
    #[must_use]
    pub fn caller(&self, session: &Session) -> Caller {
        Caller { address: self.address.map(|address| address.0), sid: Some(session.sid.clone()) }
    }

    /// The same, from a browser without a session.
    #[must_use]
    pub fn caller_without_session(&self) -> Caller {
        Caller { address: self.address.map(|address| address.0), sid: None }
    }

    /// The request's headers.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The frame of a page for somebody we know nothing of.
    #[must_use]
    pub fn stranger(self) -> Frame {
        self.chosen.frame()
    }

    /// The frame of a page anybody may see.
    pub async fn frame(self, web: &Web, session: Option<&Session>) -> Result<Frame, Problem> {
        match session {
            Some(session) => Ok(Frame::clone(&*self.guarded(web, session).await?)),
            None => Ok(self.chosen.frame()),
        }
    }

    /// The frame of a page with forms.
    pub async fn guarded(self, web: &Web, session: &Session) -> Result<Guarded, Problem> {
        let who = match whoami::person(&web.app, session).await? {
            Person::Nobody => None,
            Person::Aidant { name, organisation, referent } => {
                Some(Who::Aidant { name, organisation, referent })
            }
            Person::Usager { name } => Some(Who::Usager { name }),
            Person::Auditor { name } => Some(Who::Auditor { name }),
        };
        Ok(self.chosen.frame().guarded(Shown { csrf: Csrf::new(csrf::token(&session.csrf)), who }))
    }
}

impl Reply {
    /// Goes on to a path of ours, with a message to show there once.
    #[must_use]
    pub fn go_saying(web: &Web, path: &str, flash: Flash) -> Self {
        Self::go(path).cookie(web.edge.cookies.set_flash(flash))
    }
}
