//! Sending a browser through a provider's own sign-out, and taking it back.
//!
//! The way out is a page that goes on by itself (`Refresh`), not a redirection: it follows a form, and the pages' policy
//! lets forms lead nowhere but here. The way back is bound to the browser by the cookie of the way on.

use super::problem::Problem;
use super::reply::Reply;
use super::session::{MaybeSession, Web};
use super::{Cookie, Fields, Query, Visit, is_local};
use crate::service::leaving::{self, Way};
use crate::service::sign_in::Provider;
use crate::service::{Session, Who};
use crate::view::paths;
use crate::view::public::{Leaving, SignedOut};
use axum::extract::State;

/// What a browser is told of the provider it may still be signed in at.
const AT: &str = "at";

/// Where a browser goes on when it cannot be signed out at the provider.
pub(super) fn still_open(path: &str, provider: &Provider) -> String {
    format!("{path}?{AT}={}", provider.name())
}

/// The provider named by [`still_open`].
pub(super) fn open_at(query: &Query) -> Result<Option<Provider>, Problem> {
    let said = query.0.optional(AT)?;
    Ok(said.and_then(Provider::parse))
}

/// What follows an answer that ends somebody's stay at a provider.
pub(super) enum Left {
    /// Nobody is signed in there.
    Nothing,
    /// The browser is on its way there, and comes back to go where it was to go.
    OnTheWay(Reply),
    /// The person may still be signed in there.
    StillOpen,
}

/// Leaves the provider as `session` (of before it ended or changed) knows it, to go on to `to`; without one, to the page
/// that says it is done.
pub(super) async fn leave(
    web: &Web,
    visit: Visit,
    session: &Session,
    provider: &Provider,
    to: Option<&str>,
) -> Result<Left, Problem> {
    let (address, state) = match leaving::way(&web.app, session, provider, paths::SIGNED_OUT).await? {
        Way::Nowhere => return Ok(Left::Nothing),
        Way::Closed => return Ok(Left::StillOpen),
        Way::Through { address, state } => (address, state),
    };
    let mut back = url::form_urlencoded::Serializer::new(String::new());
    back.append_pair("state", &state).extend_pairs(to.map(|to| ("to", to)));
    let next = web.edge.cookies.set_next(&format!("{}?{}", paths::SIGNED_OUT, back.finish()));
    let page = Leaving {
        provider: provider.label(&web.app).unwrap_or_default().to_owned(),
        address: address.clone(),
    };
    Ok(Left::OnTheWay(Reply::page(page.render(&visit.stranger())).refresh(&address).cookie(next)))
}

/// `GET /signed-out`: the end, or the way back from a provider's sign-out to where the person was.
pub(super) async fn signed_out(
    State(web): State<Web>,
    visit: Visit,
    MaybeSession(session): MaybeSession,
    query: Query,
) -> Result<Reply, Problem> {
    let kept = kept(&web, &visit);
    let state = query.0.optional("state")?;
    let ours = state.is_some() && kept.optional("state")? == state;
    let forget_next = web.edge.cookies.clear(Cookie::Next);
    if ours && let Some(to) = kept.optional("to")?.filter(|to| is_local(to)) {
        return Ok(Reply::go(to).cookie(forget_next));
    }
    // A screen in somebody else's hands stays what it is, however the browser came here.
    let held =
        |who: &Who| matches!(who, Who::HandedOver { .. } | Who::Locked { .. } | Who::Consenting { .. });
    if session.is_some_and(|session| held(&session.who)) {
        return Ok(Reply::go(paths::CONSENT_DONE));
    }
    let open_at = open_at(&query)?.and_then(|provider| provider.label(&web.app).map(str::to_owned));
    let reply = Reply::page(SignedOut { open_at }.render(&visit.stranger()));
    // Others' links may lead here, too: they make nobody's browser forget anything.
    Ok(if ours { reply.cookie(forget_next).forget_all() } else { reply })
}

/// What was remembered of the way back.
fn kept(web: &Web, visit: &Visit) -> Fields {
    let next = web.edge.cookies.next(visit.headers()).unwrap_or_default();
    let query = next.strip_prefix(paths::SIGNED_OUT).and_then(|rest| rest.strip_prefix('?'));
    query.and_then(|query| Fields::parse(query.as_bytes()).ok()).unwrap_or_default()
}
