//! The referent's pages: the organisation's aidants, procedures and mandates.

use super::pages::Visit;
use super::{CheckedForm, Held, Page, Problem, Reply, Web, named, shown};
use crate::mandate::{AidantId, MandateId, ProcedureId, Role, Standing};
use crate::service::govern::Referent;
use crate::service::manage::{Answer, Invited, ListedAidant};
use crate::service::{Error, InputError, Session, accept, desk, propose};
use crate::view::referent::{
    AidantLine, Aidants, ChangeStanding, Invite, OpenProcedures, OrganisationEnd, OrganisationMandates,
    OtherSignIn,
};
use crate::view::{self, Closed, Flash, ProcedureChoice, ThemeChoice, paths};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use std::collections::BTreeSet;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::REFERENT, get(aidants))
        .route(paths::INVITE, get(ask_invite).post(invite))
        .route(paths::OTHER_SIGN_IN, get(ask_other_sign_in).post(other_sign_in))
        .route(paths::SUSPEND, get(ask_suspend).post(suspend))
        .route(paths::REINSTATE, get(ask_reinstate).post(reinstate))
        .route(paths::AIDANT_PROCEDURES, get(aidant_procedures).post(save_aidant_procedures))
        .route(paths::PROCEDURES, get(procedures).post(save_procedures))
        .route(paths::ORGANISATION_MANDATES, get(mandates))
        .route(paths::ORGANISATION_END, get(ask_end).post(end))
}

async fn referent(web: &Web, visit: &Visit, session: &Session) -> Result<Referent, Problem> {
    Ok(Referent::of(&web.app, session, &visit.caller(session)).await?)
}

fn line(listed: ListedAidant, referent: &Referent) -> AidantLine {
    AidantLine {
        is_self: listed.id == referent.aidant,
        id: listed.id,
        name: listed.name,
        email: listed.email,
        role: listed.role,
        standing: listed.standing,
        asked: listed.asked_at,
        since: listed.activated_at,
        closed: u64::try_from(listed.closed.len()).unwrap_or(u64::MAX),
    }
}

async fn aidants(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    let referent = referent(&web, &visit, &session).await?;
    let listed = referent.aidants().await?;
    let page = Aidants { aidants: listed.into_iter().map(|one| line(one, &referent)).collect() };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn ask_invite(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    referent(&web, &visit, &session).await?;
    let page = Invite {
        problems: Vec::new(),
        given_name: String::new(),
        family_name: String::new(),
        email: String::new(),
        role: None,
        idempotency: propose::form_key(&web.app)?,
    };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn invite(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let referent = referent(&web, &visit, &form.session).await?;
    let text = |field| form.fields.text(field).map(str::to_owned);
    let mut page = Invite {
        problems: Vec::new(),
        given_name: text("given_name")?,
        family_name: text("family_name")?,
        email: text("email")?,
        role: match form.fields.text("role")? {
            "aidant" => Some(Role::Aidant),
            "referent" => Some(Role::Referent),
            _ => None,
        },
        idempotency: text("idempotency")?,
    };
    let wrong = match page.role {
        None => view::Problem::RoleMissing,
        Some(role) => {
            let (given_name, family_name, email) = (&page.given_name, &page.family_name, &page.email);
            match referent.invite(Invited { given_name, family_name, email, role }).await {
                Ok(_) => return Ok(Reply::go_saying(&web, paths::REFERENT, Flash::AidantInvited)),
                Err(error) => at_the_field(error)?,
            }
        }
    };
    page.problems.push(wrong);
    let html = page.render(&visit.guarded(&web, &form.session).await?);
    Ok(Reply::form(html, true))
}

/// What is wrong at a field of the invitation; other errors are pages of their own.
fn at_the_field(error: Error) -> Result<view::Problem, Problem> {
    match error {
        Error::Conflict => Ok(view::Problem::EmailTaken),
        Error::Input(InputError::Field("email") | InputError::TooLong("email")) => {
            Ok(view::Problem::EmailInvalid)
        }
        Error::Input(InputError::Field("given_name")) => Ok(view::Problem::GivenNameMissing),
        Error::Input(InputError::Field("family_name")) => Ok(view::Problem::FamilyNameMissing),
        other => Err(other.into()),
    }
}

/// Asks before a change of standing; where it stands so already, there is nothing to ask.
async fn ask_standing(web: &Web, visit: Visit, session: &Session, id: &str, suspended: bool) -> Page {
    let referent = referent(web, &visit, session).await?;
    let aidant = line(referent.aidant(&named(id, AidantId::parse)?).await?, &referent);
    if aidant.is_self || (aidant.standing == Standing::Suspended) != suspended {
        return Ok(Reply::go(paths::REFERENT));
    }
    Ok(Reply::page(ChangeStanding { aidant }.render(&visit.guarded(web, session).await?)))
}

async fn ask_suspend(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
) -> Page {
    ask_standing(&web, visit, &session, &id, false).await
}

async fn ask_reinstate(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
) -> Page {
    ask_standing(&web, visit, &session, &id, true).await
}

async fn suspend(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    referent(&web, &visit, &form.session).await?.suspend(&named(&id, AidantId::parse)?).await?;
    Ok(Reply::go_saying(&web, paths::REFERENT, Flash::AidantSuspended))
}

async fn reinstate(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    referent(&web, &visit, &form.session).await?.reinstate(&named(&id, AidantId::parse)?).await?;
    Ok(Reply::go_saying(&web, paths::REFERENT, Flash::AidantReinstated))
}

/// The question, where there is one.
async fn other_sign_in_page(
    (web, visit, session): (&Web, Visit, &Session),
    (referent, id): (&Referent, &AidantId),
    problem: Option<view::Problem>,
) -> Page {
    let aidant = line(referent.aidant(id).await?, referent);
    match aidant.asked {
        Some(asked) if !aidant.is_self => {
            let page = OtherSignIn { aidant, asked, problems: problem.into_iter().collect() };
            Ok(Reply::form(page.render(&visit.guarded(web, session).await?), problem.is_some()))
        }
        _ => Ok(Reply::go(paths::REFERENT)),
    }
}

async fn ask_other_sign_in(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
) -> Page {
    let referent = referent(&web, &visit, &session).await?;
    let id = named(&id, AidantId::parse)?;
    other_sign_in_page((&web, visit, &session), (&referent, &id), None).await
}

async fn other_sign_in(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    form: CheckedForm,
) -> Page {
    let code = form.fields.text("code")?;
    let (answer, flash) = match form.fields.text("answer")? {
        "same" => (Answer::Same(code.to_owned()), Flash::SignInConfirmed),
        "another" => (Answer::Another, Flash::SignInDenied),
        _ => return Err(Error::from(InputError::Field("answer")).into()),
    };
    let referent = referent(&web, &visit, &form.session).await?;
    let id = named(&id, AidantId::parse)?;
    match referent.other_sign_in(&id, answer).await {
        Ok(()) => Ok(Reply::go_saying(&web, paths::REFERENT, flash)),
        Err(Error::Input(InputError::Field("code"))) => {
            let problem = if code.trim().is_empty() {
                view::Problem::CodeMissing
            } else {
                view::Problem::AccountCodeWrong
            };
            other_sign_in_page((&web, visit, &form.session), (&referent, &id), Some(problem)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// Procedures by theme, ticked where open. For one aidant, those the organisation has closed cannot be ticked.
fn themes(
    web: &Web,
    closed: &BTreeSet<ProcedureId>,
    for_all: Option<&BTreeSet<ProcedureId>>,
) -> Vec<ThemeChoice> {
    let catalogue = &web.app.catalogue;
    let of_theme = |theme: &crate::mandate::Theme| {
        let procedures = catalogue.of_theme(&theme.id).map(|procedure| ProcedureChoice {
            checked: !closed.contains(&procedure.id),
            closed: for_all
                .is_some_and(|for_all| for_all.contains(&procedure.id))
                .then_some(Closed::ForOrganisation),
            procedure: procedure.clone(),
        });
        ThemeChoice { theme: theme.clone(), procedures: procedures.collect() }
    };
    catalogue.themes().iter().map(of_theme).collect()
}

async fn procedures(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    let closed = referent(&web, &visit, &session).await?.closed().await?;
    let page = OpenProcedures { aidant: None, themes: themes(&web, &closed, None) };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn aidant_procedures(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path(id): Path<String>,
) -> Page {
    let referent = referent(&web, &visit, &session).await?;
    let listed = referent.aidant(&named(&id, AidantId::parse)?).await?;
    let themes = themes(&web, &listed.closed, Some(&referent.closed().await?));
    let page = OpenProcedures { aidant: Some(line(listed, &referent)), themes };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn save(web: &Web, visit: &Visit, form: &CheckedForm, whom: Option<&AidantId>) -> Page {
    let referent = referent(web, visit, &form.session).await?;
    let open = form.fields.all("procedure").map(ProcedureId::parse).collect::<Result<_, _>>();
    let open = open.map_err(|_| Error::from(InputError::Field("procedure")))?;
    referent.open_only(whom, &open).await?;
    Ok(Reply::go_saying(web, paths::REFERENT, Flash::ProceduresSaved))
}

async fn save_procedures(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    save(&web, &visit, &form, None).await
}

async fn save_aidant_procedures(
    State(web): State<Web>,
    visit: Visit,
    Path(id): Path<String>,
    form: CheckedForm,
) -> Page {
    save(&web, &visit, &form, Some(&named(&id, AidantId::parse)?)).await
}

async fn mandates(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    referent(&web, &visit, &session).await?;
    let (cards, now) = desk::list(&web.app, &session).await?;
    let page = OrganisationMandates { mandates: shown::cards(&web, &cards, now) };
    Ok(Reply::page(page.render(&visit.guarded(&web, &session).await?)))
}

async fn ask_end(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let caller = visit.caller(&session);
    referent(&web, &visit, &session).await?;
    let found = desk::detail(&web.app, &session, &caller, &named(&id, MandateId::parse)?).await?;
    let mandate = shown::card(&web, &found.card, found.now);
    if !mandate.status.can_end() {
        return Ok(Reply::go(paths::ORGANISATION_MANDATES));
    }
    Ok(Reply::page(OrganisationEnd { mandate }.render(&visit.guarded(&web, &session).await?)))
}

async fn end(State(web): State<Web>, visit: Visit, Path(id): Path<String>, form: CheckedForm) -> Page {
    let caller = visit.caller(&form.session);
    accept::end_for_organisation(&web.app, &form.session, &caller, &named(&id, MandateId::parse)?).await?;
    Ok(Reply::go_saying(&web, paths::ORGANISATION_MANDATES, Flash::MandateEnded))
}
