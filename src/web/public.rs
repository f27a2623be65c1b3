//! Pages anybody may see, the three doors, and the way back from the providers.

use super::leaving::{self, Left};
use super::middleware::limited;
use super::pages::Visit;
use super::{
    Action, Begun, CheckedForm, Cookie, Edge, FormTargets, MaybeSession, Page, Problem, Query, Reply, Web,
};
use crate::relying::CallbackQuery;
use crate::service::sign_in::{self, Provider, Purpose};
use crate::service::{Error, InputError, Session, Who, factor, leaving as service_leaving, read};
use crate::view::public::{Accessibility, ClosedShard, Door, Help, Landing, Legal, SignIn, VerifyJournal};
use crate::view::{self, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use std::sync::Arc;

/// The routes of this file.
pub(super) fn routes(edge: &Arc<Edge>) -> Router<Web> {
    let doors = Router::new()
        .route(paths::AIDANT_SIGN_IN, get(aidant_door).post(aidant_begin))
        .route(paths::USAGER_SIGN_IN, get(usager_door).post(usager_begin))
        .route(paths::AUDITOR_SIGN_IN, get(auditor_door).post(auditor_begin))
        .route("/callback/agents", get(agents_back))
        .route("/callback/agents/{provider}", get(other_agents_back))
        .route("/callback/citizens", get(citizens_back));
    Router::new()
        .route(paths::LANDING, get(landing))
        .route(paths::HELP, get(help))
        .route(paths::ACCESSIBILITY, get(accessibility))
        .route(paths::LEGAL, get(legal))
        .route(paths::VERIFY, get(verify))
        .route(paths::SIGNED_OUT, get(leaving::signed_out))
        .route(paths::SIGN_OUT, post(sign_out))
        .merge(limited(edge, Action::SignIn, doors))
}

async fn landing(State(web): State<Web>, visit: Visit, MaybeSession(session): MaybeSession) -> Page {
    Ok(Reply::page(Landing {}.render(&visit.frame(&web, session.as_ref()).await?)))
}

async fn help(State(web): State<Web>, visit: Visit, MaybeSession(session): MaybeSession) -> Page {
    Ok(Reply::page(Help {}.render(&visit.frame(&web, session.as_ref()).await?)))
}

async fn accessibility(State(web): State<Web>, visit: Visit, MaybeSession(session): MaybeSession) -> Page {
    let page = Accessibility { contact: web.edge.contact.clone() };
    Ok(Reply::page(page.render(&visit.frame(&web, session.as_ref()).await?)))
}

async fn legal(State(web): State<Web>, visit: Visit, MaybeSession(session): MaybeSession) -> Page {
    let page = Legal { operator: web.edge.operator.clone(), contact: web.edge.contact.clone() };
    Ok(Reply::page(page.render(&visit.frame(&web, session.as_ref()).await?)))
}

async fn verify(State(web): State<Web>, visit: Visit, MaybeSession(session): MaybeSession) -> Page {
    let checkpoint = read::checkpoint(&web.app).await?;
    let named = checkpoint.as_deref().and_then(|note| note.lines().next());
    let origin = named.unwrap_or(&web.app.origin).to_owned();
    let closed = read::closed(&web.app).await?.into_iter();
    let closed = closed.map(|(number, name)| ClosedShard { number, name }).collect();
    let page = VerifyJournal { origin, checkpoint, closed };
    Ok(Reply::page(page.render(&visit.frame(&web, session.as_ref()).await?)))
}

/// Signs out here and at the provider.
pub(super) async fn sign_out(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let session = &form.session;
    sign_in::sign_out(&web.app, session, &visit.caller(session)).await?;
    let (provider, to) = match &session.who {
        Who::Anonymous => return Ok(Reply::go(paths::SIGNED_OUT).forget_all()),
        Who::Aidant { .. } | Who::Locked { .. } | Who::Auditor { .. } => {
            (service_leaving::agents(&web.app, session).await?, None)
        }
        Who::Consenting { .. } | Who::Usager { .. } => (Provider::Citizens, None),
        // Two persons: the one in front of the screen leaves, and the other one reads that they have yet to.
        Who::HandedOver { .. } => {
            let agents = service_leaving::agents(&web.app, session).await?;
            (Provider::Citizens, Some(leaving::still_open(paths::SIGNED_OUT, &agents)))
        }
    };
    let gone = |path: &str| Reply::go(path).forget_all();
    Ok(match leaving::leave(&web, visit, session, &provider, to.as_deref()).await? {
        Left::OnTheWay(reply) => reply.cookie(web.edge.cookies.clear(Cookie::Session)),
        Left::Nothing => gone(paths::SIGNED_OUT),
        Left::StillOpen => gone(&leaving::still_open(paths::SIGNED_OUT, &provider)),
    })
}

/// A door: the page before the provider.
async fn door(web: &Web, visit: Visit, begun: Begun, door: Door) -> Page {
    let next = web.edge.cookies.next(visit.headers()).unwrap_or_default();
    let reply = shown(web, visit, &begun.session, door, (next, None)).await?;
    Ok(match begun.cookie {
        Some(cookie) => reply.cookie(cookie),
        None => reply,
    })
}

async fn aidant_door(State(web): State<Web>, visit: Visit, begun: Begun) -> Page {
    door(&web, visit, begun, Door::Aidant).await
}

async fn usager_door(State(web): State<Web>, visit: Visit, begun: Begun) -> Page {
    door(&web, visit, begun, Door::Usager).await
}

async fn auditor_door(State(web): State<Web>, visit: Visit, begun: Begun) -> Page {
    door(&web, visit, begun, Door::Auditor).await
}

/// The page of a door; with the address that was typed, when that was none.
async fn shown(
    web: &Web,
    visit: Visit,
    session: &Session,
    door: Door,
    (next, typed): (String, Option<&str>),
) -> Page {
    let app = &web.app;
    let (several, parties): (bool, Vec<_>) = match door {
        Door::Usager => (false, vec![&app.citizens]),
        Door::Aidant | Door::Auditor => (app.agents.are_several(), app.agents.each().collect()),
    };
    let page = SignIn {
        door,
        provider: parties.first().map(|party| party.label().to_owned()).filter(|_| !several),
        problems: typed.map(|_| view::Problem::EmailInvalid).into_iter().collect(),
        email: typed.unwrap_or_default().to_owned(),
        next,
    };
    let html = page.render(&visit.guarded(web, session).await?);
    // The form's answer leads to a provider, and on from there to providers behind it.
    let mut targets = FormTargets::default().and_onward();
    for party in parties {
        targets = targets.and_to(party.issuer());
    }
    Ok(Reply::form(html, typed.is_some()).forms_to(targets))
}

async fn begin(web: &Web, visit: Visit, form: &CheckedForm, (purpose, door): (Purpose, Door)) -> Page {
    let next = form.fields.optional("next")?.filter(|path| super::is_local(path)).unwrap_or_default();
    let address = form.fields.optional("email")?;
    match sign_in::begin(&web.app, &form.session, purpose, address, next).await {
        Ok(to) => Ok(Reply::leave(&to)),
        Err(Error::Input(InputError::Field("email"))) => {
            shown(web, visit, &form.session, door, (next.to_owned(), Some(address.unwrap_or_default()))).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn aidant_begin(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    begin(&web, visit, &form, (Purpose::Aidant, Door::Aidant)).await
}

async fn usager_begin(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    begin(&web, visit, &form, (Purpose::Usager, Door::Usager)).await
}

async fn auditor_begin(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    begin(&web, visit, &form, (Purpose::Auditor, Door::Auditor)).await
}

async fn agents_back(
    State(web): State<Web>,
    visit: Visit,
    held: MaybeSession,
    query: Query,
    headers: HeaderMap,
) -> Page {
    back(&web, visit, held, query, headers, Provider::Agents).await
}

async fn other_agents_back(
    State(web): State<Web>,
    Path(id): Path<String>,
    visit: Visit,
    held: MaybeSession,
    query: Query,
    headers: HeaderMap,
) -> Page {
    back(&web, visit, held, query, headers, Provider::OtherAgents(id)).await
}

async fn citizens_back(
    State(web): State<Web>,
    visit: Visit,
    held: MaybeSession,
    query: Query,
    headers: HeaderMap,
) -> Page {
    back(&web, visit, held, query, headers, Provider::Citizens).await
}

/// A browser comes back from a provider.
async fn back(
    web: &Web,
    visit: Visit,
    MaybeSession(session): MaybeSession,
    Query(query): Query,
    headers: HeaderMap,
    provider: Provider,
) -> Page {
    let query = CallbackQuery {
        code: query.optional("code")?.map(str::to_owned),
        state: query.optional("state")?.map(str::to_owned),
        iss: query.optional("iss")?.map(str::to_owned),
        error: query.optional("error")?.map(str::to_owned),
    };
    let caller = session.as_ref().map_or_else(|| visit.caller_without_session(), |held| visit.caller(held));
    let counted = |account: &str| {
        let counted = web.edge.rates.by_account(Action::SignIn, account, web.edge.clock.now());
        counted.map_err(|wait| wait.retry_after)
    };
    let done = sign_in::complete(&web.app, session.as_ref(), &caller, &provider, &query, counted).await;
    let done = match done {
        Ok(done) => done,
        Err(error) => return Err(refused(error)),
    };
    let home = match done.purpose {
        Purpose::Aidant => paths::AIDANT,
        Purpose::Auditor => paths::SEARCH,
        Purpose::Usager => paths::USAGER,
        Purpose::Consent => paths::CONSENT_IDENTITY,
    };
    let onward = web.edge.cookies.next(&headers).filter(|path| belongs(done.purpose, path));
    let own = |path: &String| belongs(done.purpose, path) || leads_to_identity(done.purpose, path);
    let way = onward.or_else(|| Some(done.return_to.clone()).filter(own));
    let to = way.as_deref().unwrap_or(home);
    let reply = match factor::next_step(&web.app, &done.opened.session).await? {
        factor::NextStep::None => Reply::go(to).cookie(web.edge.cookies.clear(Cookie::Next)),
        factor::NextStep::Prove => Reply::go(paths::FACTOR).cookie(web.edge.cookies.set_next(to)),
        factor::NextStep::Enrol => Reply::go(paths::ENROL).cookie(web.edge.cookies.set_next(to)),
    };
    Ok(reply.cookie(web.session_cookie(&done.opened)))
}

/// Whether somebody who signed in for this purpose was on their way there. A usager on a handed-over screen never
/// follows the way its aidant was on.
fn belongs(purpose: Purpose, path: &str) -> bool {
    match purpose {
        Purpose::Aidant => ["/aidant", "/referent", "/authorize"].iter().any(|start| path.starts_with(start)),
        Purpose::Auditor => path.starts_with("/auditor"),
        Purpose::Usager => path.starts_with("/usager"),
        Purpose::Consent => false,
    }
}

/// Whether a sign-in begun on the usager's screen comes back to it, in the language they read. Only the sign-in's own way is
/// asked, never a cookie's.
fn leads_to_identity(purpose: Purpose, path: &str) -> bool {
    let rest = path.strip_prefix(paths::CONSENT_IDENTITY);
    purpose == Purpose::Consent && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('?'))
}

/// A callback is a GET, but it cannot be done again: its refusal is a page, not a way round.
fn refused(error: Error) -> Problem {
    let problem = Problem::from(error);
    if problem.status == StatusCode::UNAUTHORIZED { problem } else { Problem { step: None, ..problem } }
}
