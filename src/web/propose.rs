//! Three pages to a proposal: which procedures, for how long, read it together.

use super::pages::Visit;
use super::{CheckedForm, Fields, Held, Page, Query, Reply, Web};
use crate::mandate::{InvalidTerms, ProcedureId, Term};
use crate::service::propose::{self, Offer, Proposal};
use crate::service::{Error, Session};
use crate::view::aidant::{NewMandate, NewMandateTerm, TermChoice};
use crate::view::{Closed, Granted, Problem as Wrong, ProcedureChoice, ThemeChoice, paths};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use std::collections::BTreeSet;
use time::Date;
use time::macros::format_description;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::NEW_MANDATE, get(procedures))
        .route(paths::NEW_MANDATE_TERM, get(duration).post(sealed))
}

/// What was chosen so far.
#[derive(Default)]
struct Draft {
    procedures: BTreeSet<ProcedureId>,
    chosen: Option<TermChoice>,
    until: String,
}

impl Draft {
    /// The procedures sent, each of the catalogue.
    fn read(web: &Web, fields: &Fields) -> Result<Self, InvalidTerms> {
        let known = |id: &str| {
            let id = ProcedureId::parse(id).map_err(|_| InvalidTerms::UnknownProcedure)?;
            web.app.catalogue.procedure(&id).ok_or(InvalidTerms::UnknownProcedure).map(|_| id)
        };
        let procedures = fields.all("procedure").map(known).collect::<Result<BTreeSet<_>, _>>()?;
        if procedures.is_empty() {
            return Err(InvalidTerms::NoProcedure);
        }
        Ok(Self { procedures, ..Self::default() })
    }

    fn term(&self) -> Result<Term, Wrong> {
        Ok(match self.chosen.ok_or(Wrong::TermMissing)? {
            TermChoice::Day => Term::Day,
            TermChoice::Month => Term::Month,
            TermChoice::SixMonths => Term::SixMonths,
            TermChoice::Year => Term::Year,
            TermChoice::Until => {
                let day = Date::parse(&self.until, format_description!("[year]-[month]-[day]"));
                Term::Until(day.map_err(|_| Wrong::UntilInvalid)?)
            }
        })
    }
}

async fn procedures(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    let draft = Draft::read(&web, &query).unwrap_or_default();
    choose(&web, visit, &session, &draft, Vec::new()).await
}

async fn choose(web: &Web, visit: Visit, session: &Session, draft: &Draft, problems: Vec<Wrong>) -> Page {
    let offer = propose::offer(&web.app, session).await?;
    let wrong = !problems.is_empty();
    let page = NewMandate { problems, themes: themes(web, &offer, draft) };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

fn themes(web: &Web, offer: &Offer, draft: &Draft) -> Vec<ThemeChoice> {
    let catalogue = &web.app.catalogue;
    let closed = |id: &ProcedureId| {
        if offer.closed_for_organisation.contains(id) {
            Some(Closed::ForOrganisation)
        } else {
            offer.closed_for_aidant.contains(id).then_some(Closed::ForAidant)
        }
    };
    let of_theme = |theme: &crate::mandate::Theme| {
        let procedures = catalogue.procedures().iter().filter(|procedure| procedure.theme == theme.id);
        let choices = procedures.map(|procedure| ProcedureChoice {
            checked: draft.procedures.contains(&procedure.id),
            closed: closed(&procedure.id),
            procedure: procedure.clone(),
        });
        ThemeChoice { theme: theme.clone(), procedures: choices.collect() }
    };
    catalogue.themes().iter().map(of_theme).collect()
}

async fn duration(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    match Draft::read(&web, &query) {
        Ok(draft) => {
            let key = propose::form_key(&web.app)?;
            ask_term(&web, visit, &session, draft, key, Vec::new()).await
        }
        Err(wrong) => choose(&web, visit, &session, &Draft::default(), vec![Wrong::Terms(wrong)]).await,
    }
}

async fn ask_term(
    web: &Web,
    visit: Visit,
    session: &Session,
    draft: Draft,
    idempotency: String,
    problems: Vec<Wrong>,
) -> Page {
    let now = propose::offer(&web.app, session).await?.now;
    let catalogue = &web.app.catalogue;
    let granted = |id: &ProcedureId| {
        let acts = catalogue.procedure(id).map(|procedure| procedure.acts.clone());
        Granted::new(catalogue, id, acts.unwrap_or_default())
    };
    let wrong = !problems.is_empty();
    let page = NewMandateTerm {
        problems,
        procedures: draft.procedures.iter().map(granted).collect(),
        chosen: draft.chosen,
        until: draft.until,
        earliest: now.date(),
        latest: Term::last_day(now),
        idempotency,
    };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn sealed(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let (session, fields) = (&form.session, &form.fields);
    let draft = match Draft::read(&web, fields) {
        Ok(draft) => draft,
        Err(wrong) => {
            let problems = vec![Wrong::Terms(wrong)];
            return choose(&web, visit, session, &Draft::default(), problems).await;
        }
    };
    let chosen = fields.optional("term")?.and_then(TermChoice::parse);
    let until = fields.text("until")?.trim().chars().take(10).collect();
    let draft = Draft { chosen, until, ..draft };
    let idempotency = fields.required("idempotency")?.to_owned();
    let term = match draft.term() {
        Ok(term) => term,
        Err(wrong) => return ask_term(&web, visit, session, draft, idempotency, vec![wrong]).await,
    };
    let proposal = Proposal { procedures: draft.procedures.clone(), term, idempotency: idempotency.clone() };
    match propose::propose(&web.app, session, &visit.caller(session), proposal).await {
        Ok(id) => Ok(Reply::go(&paths::of_mandate(paths::MANDATE, &id))),
        Err(Error::Terms(wrong)) => {
            ask_term(&web, visit, session, draft, idempotency, vec![Wrong::Terms(wrong)]).await
        }
        Err(error) => Err(error.into()),
    }
}
