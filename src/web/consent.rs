//! The handed-over screen: the usager reads, identifies, answers; and the aidant takes it back.

use super::form::Fields;
use super::leaving::{self, Left};
use super::middleware::limited;
use super::{Action, CheckedForm, Chosen, Edge, FormTargets, Held, Page, Problem, Query, Reply, Visit, Web};
use super::{factor, shown};
use crate::mandate::{Instant, StateName, TransitionError, Translation};
use crate::service::consent::{self, Answered, CannotGrant, Screen};
use crate::service::people::full_name;
use crate::service::sign_in::{self, Provider, Purpose};
use crate::service::texts::{self, Presented};
use crate::service::{Error, Session, SessionError, Who, screen};
use crate::view::aidant::Locked;
use crate::view::consent::{Answer, Decision, Done, Identity, Welcome};
use crate::view::{self, Granted, ReadingChoice, ReadingHelp, Readings, Status, paths};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use std::sync::Arc;

/// The routes of this file.
pub(super) fn routes(edge: &Arc<Edge>) -> Router<Web> {
    let identify = Router::new().route(paths::CONSENT_IDENTIFY, post(identify));
    let unlock = Router::new().route(paths::UNLOCK, get(locked).post(unlock));
    Router::new()
        .route(paths::CONSENT, get(welcome))
        .route(paths::CONSENT_IDENTITY, get(identity).post(identity_said))
        .route(paths::CONSENT_DECISION, get(decision).post(answer))
        .route(paths::CONSENT_DONE, get(done))
        .route(paths::CONSENT_DISOWNED, get(disowned))
        .merge(limited(edge, Action::SignIn, identify))
        .merge(limited(edge, Action::Factor, unlock))
}

/// The pages from which the browser goes to the citizens' provider, and on to those behind it.
fn leading_out(web: &Web, reply: Reply) -> Reply {
    reply.forms_to(FormTargets::to(web.app.citizens.issuer()).and_onward())
}

async fn welcome(State(web): State<Web>, visit: Visit, Held(session): Held, query: Query) -> Page {
    let screen = consent::screen(&web.app, &session).await?;
    if !waits(&screen) {
        return Ok(Reply::go(paths::CONSENT_DONE));
    }
    let own = matches!(session.who, Who::Consenting { .. });
    // The letter was for somebody else than who has the code.
    if own && !screen.channel.identifies() && screen.person.is_none() {
        return Ok(Reply::go(paths::ACCORD));
    }
    let readings = readings(&web, &screen, chosen(&web, &query.0)?);
    let page = Welcome {
        readings,
        procedures: Granted::of_mandate(&screen.mandate, &web.app.catalogue),
        term: screen.mandate.terms.term,
        lapses_at: screen.mandate.lapses_at(),
        identified: screen.person.is_some(),
        organisation: screen.organisation,
        aidant: screen.aidant,
        provider: web.app.citizens.label().to_owned(),
    };
    Ok(leading_out(&web, Reply::page(page.render(&visit.guarded(&web, &session).await?))))
}

/// The language asked for to read in; none is French, or English with the page.
///
/// # Errors
/// Status 400 for a language there is no file of.
fn chosen<'w>(web: &'w Web, fields: &Fields) -> Result<Option<&'w Translation>, Problem> {
    match fields.text("reading")? {
        "" => Ok(None),
        tag => web.app.texts.of(tag).map(Some).ok_or(Problem::bad_request("form_malformed")),
    }
}

fn tag(to: Option<&Translation>) -> String {
    to.map_or_else(String::new, |to| to.reading().to_string())
}

fn with_reading(path: &str, to: Option<&Translation>) -> String {
    to.map_or_else(|| path.to_owned(), |to| format!("{path}?reading={}", to.reading()))
}

/// What the form says was presented: only as this service wrote it for this session and mandate.
fn presented(web: &Web, session: &Session, sealed: &str) -> Result<Presented, Problem> {
    let (mandate, _) = session.consenting()?;
    Presented::unseal(sealed, &web.app, session, mandate).ok_or(Problem::bad_request("form_malformed"))
}

/// The languages to read the screen's text in, and the one chosen.
fn readings(web: &Web, screen: &Screen, to: Option<&Translation>) -> Readings {
    let (app, mandate) = (&web.app, &screen.mandate);
    let in_words = |to| texts::sections(app, mandate, &screen.organisation, &screen.text, to);
    let names = |to: &Translation| {
        let known = mandate.terms.procedures.keys().filter_map(|id| app.catalogue.procedure(id));
        known.map(|procedure| to.procedure(procedure)).collect()
    };
    let chosen = to.and_then(|to| {
        in_words(to).map(|sections| ReadingHelp::new(to, sections, mandate.terms.term, names(to)))
    });
    let choices = app.texts.each().map(|text| ReadingChoice::of(&text.translation)).collect();
    Readings { choices, chosen, presented: String::new() }
}

/// Whether the screen still waits for an answer.
fn waits(screen: &Screen) -> bool {
    !screen.answered && matches!(Status::of(&screen.mandate, screen.now), Status::Proposed { .. })
}

async fn identify(State(web): State<Web>, form: CheckedForm) -> Page {
    let back = with_reading(paths::CONSENT_IDENTITY, chosen(&web, &form.fields)?);
    let address = sign_in::begin(&web.app, &form.session, Purpose::Consent, None, &back).await?;
    Ok(Reply::leave(&address))
}

async fn identity(State(web): State<Web>, visit: Visit, Held(session): Held, query: Query) -> Page {
    let screen = consent::screen(&web.app, &session).await?;
    match screen.person {
        Some(identity) if waits(&Screen { person: None, ..screen }) => {
            let page = Identity { person: shown::person(identity), reading: tag(chosen(&web, &query.0)?) };
            Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
        }
        _ => Ok(Reply::go(paths::CONSENT)),
    }
}

async fn identity_said(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    if form.fields.required("identity")? == "yes" {
        return Ok(Reply::go(&with_reading(paths::CONSENT_DECISION, chosen(&web, &form.fields)?)));
    }
    let opened = consent::disown(&web.app, &form.session, &visit.caller(&form.session)).await?;
    let reply = signed_out_to(&web, visit, &form.session, paths::CONSENT_DISOWNED).await?;
    Ok(reply.cookie(web.session_cookie(&opened)))
}

/// Signs the usager out at their provider on the way to `path`, which says so when that cannot be done.
async fn signed_out_to(web: &Web, visit: Visit, session: &Session, path: &str) -> Page {
    Ok(match leaving::leave(web, visit, session, &Provider::Citizens, Some(path)).await? {
        Left::OnTheWay(reply) => reply,
        Left::Nothing => Reply::go(path),
        Left::StillOpen => Reply::go(&leaving::still_open(path, &Provider::Citizens)),
    })
}

async fn decision(State(web): State<Web>, visit: Visit, Held(session): Held, query: Query) -> Page {
    let to = chosen(&web, &query.0)?;
    ask(&web, visit, &session, (to, None), Vec::new()).await
}

/// The page of the decision, again when something is missing in the answer.
async fn ask(
    web: &Web,
    visit: Visit,
    session: &Session,
    (to, since): (Option<&Translation>, Option<Instant>),
    problems: Vec<view::Problem>,
) -> Page {
    let screen = consent::screen(&web.app, session).await?;
    let waits = waits(&screen);
    let mut readings = readings(web, &screen, to);
    let language = match &readings.chosen {
        Some(help) => help.choice.tag.clone(),
        None => visit.chosen.language.as_str().to_owned(),
    };
    let presented = Presented { language, opened: since.unwrap_or(screen.now) };
    readings.presented = presented.seal(&web.app, session, &screen.mandate.id);
    let Some(person) = screen.person.filter(|_| waits) else {
        return Ok(Reply::go(paths::CONSENT));
    };
    let wrong = !problems.is_empty();
    let page = Decision {
        problems,
        usager: full_name(&person),
        procedures: Granted::of_mandate(&screen.mandate, &web.app.catalogue),
        term: screen.mandate.terms.term,
        text: shown::wording(web, &screen.mandate, &screen.organisation, &screen.text, screen.text_hash),
        organisation: screen.organisation,
        protected: None,
        readings,
    };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn answer(State(web): State<Web>, visit: Visit, chosen: Chosen, form: CheckedForm) -> Page {
    let session = &form.session;
    let presented = match form.fields.optional("presented")? {
        Some(sealed) => Some(presented(&web, session, sealed)?),
        None => None,
    };
    let answer = match (form.fields.required("decision")?, form.fields.optional("protected")?) {
        ("refuse", _) => consent::Answer::Refuse,
        ("consent", Some(said @ ("no" | "yes"))) => {
            consent::Answer::Consent { not_protected: said == "no", language: chosen.language, presented }
        }
        ("consent", _) => {
            let to = presented.as_ref().and_then(|seen| web.app.texts.of(&seen.language));
            let shown = (to, presented.as_ref().map(|seen| seen.opened));
            return ask(&web, visit, session, shown, vec![view::Problem::ProtectionUnanswered]).await;
        }
        _ => return Err(Problem::bad_request("form_malformed")),
    };
    let said = consent::answer(&web.app, session, &visit.caller(session), answer).await;
    match said {
        Ok(Answered::Locked(opened)) => {
            let reply = signed_out_to(&web, visit, session, paths::CONSENT_DONE).await?;
            Ok(reply.cookie(web.session_cookie(&opened)))
        }
        Ok(Answered::CannotGrant(CannotGrant::Protected)) => {
            refused(&web, visit, session, Answer::Protected).await
        }
        Ok(Answered::CannotGrant(CannotGrant::Minor)) => refused(&web, visit, session, Answer::Minor).await,
        Err(Error::Transition(TransitionError::Lapsed)) => {
            refused(&web, visit, session, Answer::Lapsed).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn refused(web: &Web, visit: Visit, session: &Session, answer: Answer) -> Page {
    Ok(over(web, visit, session, answer, None).await?.status(StatusCode::UNPROCESSABLE_ENTITY))
}

/// The end of the usager's part.
async fn over(web: &Web, visit: Visit, session: &Session, answer: Answer, open_at: Option<Provider>) -> Page {
    let screen = consent::screen(&web.app, session).await?;
    let provider = web.app.citizens.label().to_owned();
    let own = matches!(session.who, Who::Consenting { .. });
    let page = Done { answer, aidant: screen.aidant, provider, own, still_open: open_at.is_some() };
    Ok(Reply::page(page.render(&visit.guarded(web, session).await?)))
}

/// "It is not me": whom the provider named is forgotten, and signed out there.
async fn disowned(State(web): State<Web>, visit: Visit, Held(session): Held, query: Query) -> Page {
    let reply = over(&web, visit, &session, Answer::NotYou, leaving::open_at(&query)?).await?;
    Ok(leading_out(&web, reply))
}

async fn done(State(web): State<Web>, visit: Visit, Held(session): Held, query: Query) -> Page {
    let screen = consent::screen(&web.app, &session).await?;
    if waits(&screen) {
        return Ok(Reply::go(paths::CONSENT));
    }
    let answer = match screen.mandate.state.name() {
        StateName::Refused => Answer::Refused,
        StateName::Proposed if screen.answered => Answer::Given,
        StateName::Proposed | StateName::Lapsed => Answer::Lapsed,
        StateName::Consented | StateName::Active | StateName::Ended => Answer::Given,
    };
    over(&web, visit, &session, answer, leaving::open_at(&query)?).await
}

async fn locked(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    lock(&web, visit, &session, Vec::new()).await
}

async fn lock(web: &Web, visit: Visit, session: &Session, problems: Vec<view::Problem>) -> Page {
    match session.who {
        Who::Aidant { .. } => return Ok(Reply::go(paths::AIDANT)),
        // A device of their own has no aidant to go back to.
        Who::Consenting { .. } => return Ok(Reply::go(paths::CONSENT)),
        _ => {}
    }
    let screen = consent::screen(&web.app, session).await?;
    let wrong = !problems.is_empty();
    let page =
        Locked { problems, aidant: screen.aidant, answered: matches!(session.who, Who::Locked { .. }) };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn unlock(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let session = &form.session;
    let (Who::HandedOver { aidant, mandate, .. } | Who::Locked { aidant, mandate, .. }) = &session.who else {
        return Err(Error::from(SessionError::WrongRole).into());
    };
    web.count(Action::Factor, aidant.as_str())?;
    let code = form.fields.text("code")?.trim();
    if code.is_empty() {
        return lock(&web, visit, session, vec![view::Problem::CodeMissing]).await;
    }
    match screen::unlock(&web.app, session, &visit.caller(session), code).await {
        Ok(opened) => {
            // A usager whose answer was not taken is signed in at the provider to this moment.
            let to = paths::of_mandate(paths::ACCEPT, mandate);
            let reply = match leaving::leave(&web, visit, session, &Provider::Citizens, Some(&to)).await? {
                Left::OnTheWay(reply) => reply,
                Left::Nothing | Left::StillOpen => Reply::go(&to),
            };
            Ok(reply.cookie(web.session_cookie(&opened)))
        }
        Err(error) => {
            let problems = factor::at_the_field(&web, session, error).await?;
            lock(&web, visit, session, problems).await
        }
    }
}
