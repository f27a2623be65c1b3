//! Asking for consent by other ways than the aidant's screen.

mod answer;

pub(super) use answer::uploads;

use super::middleware::limited;
use super::pages::Visit;
use super::{Action, Begun, CheckedForm, Edge, Fields, Held, Page, Problem, Reply, Web, named, shown};
use crate::mandate::{
    BirthDate, Channel, CodeAddress, ConsentChannel, DocumentKind, EmailAddress, Identity, MandateId,
    SeenDocument, Telephone, UsagerId, paris,
};
use crate::service::asking::{self, Asked, Choice, Delivery, Standing, Waiting, Way, Whom};
use crate::service::{AskingError, Error, Session, desk, propose};
use crate::view::asking::{Accord, AskForm, AskWays, AskedPage, AskedStanding, KnownPerson, Sending, Typed};
use crate::view::{self, Problem as Wrong, Status, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use std::sync::Arc;

/// The longest name that is taken, in characters.
const LONGEST_NAME: usize = 100;

/// The routes of this file.
pub(super) fn routes(edge: &Arc<Edge>) -> Router<Web> {
    let accord = Router::new().route(paths::ACCORD, get(code).post(opened));
    Router::new()
        .route(paths::ASK, get(ways))
        .route(paths::ASK_WAY, get(form).post(ask))
        .route(paths::ASKED, get(waiting))
        .merge(answer::routes())
        .merge(limited(edge, Action::Card, accord))
}

fn here(path: &str, mandate: &MandateId) -> String {
    paths::of_mandate(path, mandate)
}

/// Who carries codes here, of those that way can use.
fn carriers(web: &Web, way: ConsentChannel) -> Vec<Channel> {
    let usable: &[Channel] = match way {
        ConsentChannel::OwnDevice => &[Channel::Sms, Channel::Email],
        ConsentChannel::Telephone => &[Channel::Sms, Channel::Voice],
        _ => &[],
    };
    usable.iter().copied().filter(|by| web.app.couriers.of(*by).is_some()).collect()
}

/// The ways there are here.
fn offered(web: &Web) -> impl Iterator<Item = ConsentChannel> {
    let sent = |way: &ConsentChannel| matches!(way, ConsentChannel::OwnDevice | ConsentChannel::Telephone);
    let there = move |way: &ConsentChannel| !sent(way) || !carriers(web, *way).is_empty();
    let ways = ConsentChannel::ALL.into_iter().filter(|way| *way != ConsentChannel::InPresence);
    ways.filter(there)
}

async fn ways(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let id = named(&id, MandateId::parse)?;
    let found = desk::detail(&web.app, &session, &visit.caller(&session), &id).await?;
    let mandate = shown::card(&web, &found.card, found.now);
    if !matches!(mandate.status, Status::Proposed { .. }) {
        return Ok(Reply::go(&here(paths::MANDATE, &id)));
    }
    let terms = &found.card.mandate.terms;
    let ways = offered(&web).map(|way| (way, asking::strong_enough(&web.app, terms, way).is_ok())).collect();
    Ok(Reply::page(AskWays { mandate, ways }.render(&visit.guarded(&web, &session).await?)))
}

fn way_of(web: &Web, way: &str) -> Result<ConsentChannel, Problem> {
    let way = ConsentChannel::parse(way).ok_or(Problem::NOT_FOUND)?;
    if offered(web).any(|one| one == way) { Ok(way) } else { Err(Problem::NOT_FOUND) }
}

async fn form(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path((id, way)): Path<(String, String)>,
) -> Page {
    session.aidant()?;
    let way = way_of(&web, &way)?;
    let page = AskForm {
        problems: Vec::new(),
        mandate: named(&id, MandateId::parse)?,
        way,
        typed: Typed::default(),
        by: carriers(&web, way),
        chosen: None,
        document: None,
        known: Vec::new(),
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

fn typed(fields: &Fields) -> Result<Typed, Problem> {
    let text = |name| Ok::<_, Problem>(fields.text(name)?.trim().chars().take(254).collect::<String>());
    Ok(Typed {
        given_name: text("given_name")?,
        family_name: text("family_name")?,
        preferred_username: text("preferred_username")?,
        birth_day: text("birth_day")?,
        birth_month: text("birth_month")?,
        birth_year: text("birth_year")?,
        email: text("email")?,
        telephone: text("telephone")?,
        last: text("last")?,
    })
}

/// The person as typed; no provider says more of them.
fn identity(typed: &Typed, problems: &mut Vec<Wrong>) -> Option<Identity> {
    let date = format!("{:0>4}-{:0>2}-{:0>2}", typed.birth_year, typed.birth_month, typed.birth_day);
    let fits = |name: &str| !name.is_empty() && name.chars().count() <= LONGEST_NAME;
    if !fits(&typed.given_name) {
        problems.push(Wrong::GivenNameMissing);
    }
    if !fits(&typed.family_name) || typed.preferred_username.chars().count() > LONGEST_NAME {
        problems.push(Wrong::FamilyNameMissing);
    }
    let birthdate = BirthDate::parse(&date).ok();
    if birthdate.is_none() {
        problems.push(Wrong::BirthDateInvalid);
    }
    let in_use = &typed.preferred_username;
    let differs = !in_use.is_empty() && *in_use != typed.family_name;
    Some(Identity {
        given_name: typed.given_name.clone(),
        family_name: typed.family_name.clone(),
        preferred_username: differs.then(|| in_use.clone()),
        gender: "unspecified".to_owned(),
        birthdate: birthdate?,
        birthplace: String::new(),
        birthcountry: String::new(),
        email: None,
    })
}

fn address(page: &AskForm, problems: &mut Vec<Wrong>) -> Option<CodeAddress> {
    let by = match (page.chosen, page.by.as_slice()) {
        (Some(by), offered) if offered.contains(&by) => by,
        _ => {
            problems.push(Wrong::ByMissing);
            return None;
        }
    };
    let email = || EmailAddress::parse(&page.typed.email).map(CodeAddress::Email);
    let number = || Telephone::parse(&page.typed.telephone);
    let (found, wrong) = match by {
        Channel::Email => (email().ok(), Wrong::EmailInvalid),
        Channel::Sms => (number().map(CodeAddress::Sms).ok(), Wrong::TelephoneInvalid),
        _ => (number().map(CodeAddress::Voice).ok(), Wrong::TelephoneInvalid),
    };
    if found.is_none() {
        problems.push(wrong);
    }
    found
}

fn document(page: &AskForm, problems: &mut Vec<Wrong>) -> Option<SeenDocument> {
    let Some(kind) = page.document else {
        problems.push(Wrong::DocumentMissing);
        return None;
    };
    let seen = SeenDocument::new(kind, &page.typed.last).ok();
    if seen.is_none() {
        problems.push(Wrong::LastInvalid);
    }
    seen
}

/// What was sent, or what of it is to be corrected.
fn read(page: &AskForm, known: Option<&Choice>) -> Result<Way, Vec<Wrong>> {
    let mut problems = Vec::new();
    let wrong = &mut problems;
    let whom = |wrong: &mut Vec<Wrong>| {
        identity(&page.typed, wrong).map(|identity| Whom { identity, known: known.cloned() })
    };
    let way = match page.way {
        ConsentChannel::OwnDevice => address(page, wrong).map(|to| Way::OwnDevice { to }),
        ConsentChannel::Telephone => {
            let (whom, to) = (whom(wrong), address(page, wrong));
            whom.zip(to).map(|(whom, to)| Way::Telephone { whom, to })
        }
        ConsentChannel::PostedCode => whom(wrong).map(|whom| Way::PostedCode { whom }),
        ConsentChannel::SeenDocument => {
            let (whom, seen) = (whom(wrong), document(page, wrong));
            whom.zip(seen).map(|(whom, document)| Way::SeenDocument { whom, document })
        }
        ConsentChannel::InPresence | ConsentChannel::Paper => whom(wrong).map(|whom| Way::Paper { whom }),
    };
    match way {
        Some(way) if problems.is_empty() => Ok(way),
        _ => Err(problems),
    }
}

async fn ask(
    State(web): State<Web>,
    visit: Visit,
    Path((id, way)): Path<(String, String)>,
    form: CheckedForm,
) -> Page {
    let (session, fields) = (&form.session, &form.fields);
    session.aidant()?;
    let (mandate, way) = (named(&id, MandateId::parse)?, way_of(&web, &way)?);
    let known = match fields.optional("known")? {
        None => None,
        Some("other") => Some(Choice::Other),
        Some(one) => Some(Choice::Them(named(one, UsagerId::parse)?)),
    };
    let page = AskForm {
        problems: Vec::new(),
        mandate: mandate.clone(),
        way,
        typed: typed(fields)?,
        by: carriers(&web, way),
        chosen: fields.optional("by")?.and_then(Channel::parse),
        document: fields.optional("document")?.and_then(DocumentKind::parse),
        known: Vec::new(),
    };
    let caller = visit.caller(session);
    let frame = visit.guarded(&web, session).await?;
    let asked = match read(&page, known.as_ref()) {
        Ok(way) => asking::ask(&web.app, session, &caller, &mandate, way, session.language).await,
        Err(problems) => {
            // More of a number than is asked for is not shown again.
            let last =
                if problems.contains(&Wrong::LastInvalid) { String::new() } else { page.typed.last.clone() };
            let typed = Typed { last, ..page.typed.clone() };
            return Ok(Reply::form(AskForm { problems, typed, ..page }.render(&frame), true));
        }
    };
    match asked? {
        Asked::Done => Ok(Reply::go(&here(paths::ASKED, &mandate))),
        Asked::Whether(known) => {
            let known = known.into_iter();
            let known = known
                .map(|one| KnownPerson { id: one.usager, person: shown::person(one.identity) })
                .collect();
            let page = AskForm { problems: vec![Wrong::KnownMissing], known, ..page };
            Ok(Reply::form(page.render(&frame), true))
        }
    }
}

async fn waiting(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    show(&web, visit, &session, &named(&id, MandateId::parse)?, Vec::new()).await
}

async fn show(web: &Web, visit: Visit, session: &Session, id: &MandateId, problems: Vec<Wrong>) -> Page {
    let found = asking::waiting(&web.app, session, &visit.caller(session), id).await?;
    let mandate = shown::card(web, &found.card, found.now);
    if !matches!(mandate.status, Status::Proposed { .. }) {
        return Ok(Reply::go(&here(paths::MANDATE, id)));
    }
    let wrong = !problems.is_empty();
    let page = AskedPage {
        problems,
        term: found.card.mandate.terms.term,
        way: found.channel,
        standing: match found.standing {
            Standing::Waiting => AskedStanding::Waiting,
            Standing::Dead => AskedStanding::Dead,
            Standing::Answered { by_you } => AskedStanding::Answered { by_you },
        },
        sending: match found.delivery {
            Delivery::None => Sending::None,
            Delivery::Waiting => Sending::Waiting,
            Delivery::Sent => Sending::Sent,
            Delivery::Failed => Sending::Failed,
        },
        to: found.evidence.address.as_ref().map(CodeAddress::masked),
        text: text(web, &found),
        until: found.card.mandate.lapses_at(),
        today: paris(found.now).date(),
        person: found.person.map(shown::person),
        mandate,
    };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

fn text(web: &Web, found: &Waiting) -> view::Wording {
    let hash = propose::text_hash(&found.text);
    shown::wording(web, &found.card.mandate, &found.card.organisation, &found.text, hash)
}

async fn code(State(web): State<Web>, visit: Visit, begun: Begun) -> Page {
    let page = Accord { problems: Vec::new() };
    let html = page.render(&visit.guarded(&web, &begun.session).await?);
    Ok(Reply::page(html).cookie(begun.cookie))
}

async fn opened(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let (session, code) = (&form.session, form.fields.text("code")?.trim());
    let problem = if code.is_empty() {
        Wrong::CodeMissing
    } else {
        match asking::open(&web.app, session, &visit.caller(session), code).await {
            Ok(opened) => return Ok(Reply::go(paths::CONSENT).cookie(web.session_cookie(&opened))),
            Err(Error::Asking(AskingError::Refused)) => Wrong::AskingRefused,
            Err(error) => return Err(error.into()),
        }
    };
    let page = Accord { problems: vec![problem] };
    Ok(Reply::form(page.render(&visit.guarded(&web, session).await?), true))
}
