//! Random samples, their checklist and their report.

use super::find::choice;
use super::{line, period};
use crate::crypto::to_hex;
use crate::mandate::{Answers, EventId, EventKind, OrganisationId, SampleId, SampleQuestion, Verdict};
use crate::service::Session;
use crate::service::audit::sample::{self, LARGEST_SAMPLE, Population};
use crate::service::audit::{self, LONGEST_PERIOD};
use crate::view::auditor::{Checklist, Sample, SampleFacts, SampleLine, SampleReport, SampledEntry, Samples};
use crate::view::{Problem as Wrong, paths};
use crate::web::pages::Visit;
use crate::web::{CheckedForm, Fields, Held, Page, Problem, Reply, Web, named};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;

/// How many entries are offered when nothing was typed.
const USUAL: &str = "20";

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new()
        .route(paths::SAMPLES, get(list).post(draw))
        .route(paths::SAMPLE, get(show))
        .route(paths::SAMPLE_REPORT, get(report))
        .route(paths::SAMPLE_ENTRY, get(checklist).post(answer))
}

async fn list(State(web): State<Web>, visit: Visit, Held(session): Held) -> Page {
    list_again(&web, visit, &session, &Fields::default(), Vec::new()).await
}

/// The page with the form as it was sent.
async fn list_again(
    web: &Web,
    visit: Visit,
    session: &Session,
    fields: &Fields,
    problems: Vec<Wrong>,
) -> Page {
    let wrong = !problems.is_empty();
    let offered = audit::offered(&web.app, session).await?;
    let samples = sample::samples(&web.app, session).await?;
    let text = |name: &str| Ok::<_, Problem>(fields.text(name)?.chars().take(64).collect::<String>());
    let count = text("count")?;
    let page = Samples {
        problems,
        from: text("from")?,
        to: text("to")?,
        organisations: offered
            .organisations
            .into_iter()
            .map(|(id, name)| choice(id.as_str(), name))
            .collect(),
        organisation: text("organisation")?,
        kind: EventKind::parse(fields.text("kind")?),
        count: if count.is_empty() && !wrong { USUAL.to_owned() } else { count },
        idempotency: to_hex(&web.app.new_id()?),
        samples: samples
            .into_iter()
            .map(|row| SampleLine {
                id: row.id,
                at: row.drawn_at,
                drawn: row.drawn.len(),
                population: row.population,
            })
            .collect(),
    };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

/// What is to be drawn from. Without a first day it is the last year, without a last day it is until now.
fn asked(web: &Web, fields: &Fields) -> Result<Result<Population, Wrong>, Problem> {
    let (from, to) = (fields.text("from")?, fields.text("to")?);
    let now = web.app.now();
    let (from, until) = match period(from, to) {
        Ok((from, until)) => (from, until.min(now)),
        Err(wrong) => return Ok(Err(wrong)),
    };
    let from = if fields.text("from")?.is_empty() { until.plus(-LONGEST_PERIOD) } else { from };
    if until <= from {
        return Ok(Err(Wrong::PeriodInvalid));
    }
    if until.since(from) > LONGEST_PERIOD {
        return Ok(Err(Wrong::PeriodTooLong));
    }
    let organisation = match fields.text("organisation")? {
        "" => None,
        text => match OrganisationId::parse(text) {
            Ok(id) => Some(id),
            Err(_) => return Ok(Err(Wrong::FilterInvalid { field: "organisation" })),
        },
    };
    let count = fields.text("count")?.parse().unwrap_or(0);
    if count == 0 || count > LARGEST_SAMPLE {
        return Ok(Err(Wrong::CountInvalid));
    }
    let kind = EventKind::parse(fields.text("kind")?);
    Ok(Ok(Population { from, until, organisation, kind, outcome: None, count }))
}

async fn draw(State(web): State<Web>, visit: Visit, form: CheckedForm) -> Page {
    let (session, fields) = (&form.session, &form.fields);
    let id = fields.parsed("idempotency", SampleId::parse)?;
    match asked(&web, fields)? {
        Ok(population) => {
            sample::draw(&web.app, session, &visit.caller(session), &id, &population).await?;
            Ok(Reply::go(&paths::SAMPLE.replace("{sample}", id.as_str())))
        }
        Err(wrong) => list_again(&web, visit, session, fields, vec![wrong]).await,
    }
}

async fn read(
    web: &Web,
    visit: &Visit,
    session: &Session,
    id: &str,
) -> Result<(SampleFacts, Vec<SampledEntry>), Problem> {
    let id = named(id, SampleId::parse)?;
    let sample = sample::sample(&web.app, session, &visit.caller(session), &id).await?;
    let entries = sample.entries.into_iter().map(|one| SampledEntry {
        event: one.event,
        line: one.line.map(|found| line(web, found)),
        answers: one.answers,
        note: one.note,
    });
    let facts = SampleFacts {
        id,
        at: sample.row.drawn_at,
        parameters: sample.row.parameters,
        population: sample.row.population,
        seed: to_hex(sample.row.seed.as_bytes()),
        reading: sample.row.reading.to_string(),
        purpose: sample.purpose,
        checkpoint: sample.checkpoint,
        follows: sample.follows,
    };
    Ok((facts, entries.collect()))
}

async fn show(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let (facts, entries) = read(&web, &visit, &session, &id).await?;
    Ok(Reply::page(Sample { facts, entries }.render(&visit.guarded(&web, &session).await?)))
}

async fn report(State(web): State<Web>, visit: Visit, Held(session): Held, Path(id): Path<String>) -> Page {
    let (facts, entries) = read(&web, &visit, &session, &id).await?;
    Ok(Reply::page(SampleReport { facts, entries }.render(&visit.guarded(&web, &session).await?)))
}

async fn checklist(
    State(web): State<Web>,
    visit: Visit,
    Held(session): Held,
    Path((id, event)): Path<(String, String)>,
) -> Page {
    checklist_again(&web, visit, &session, (&id, &event), Vec::new()).await
}

async fn checklist_again(
    web: &Web,
    visit: Visit,
    session: &Session,
    (id, event): (&str, &str),
    problems: Vec<Wrong>,
) -> Page {
    let event = named(event, EventId::parse)?;
    let wrong = !problems.is_empty();
    let (facts, entries) = read(web, &visit, session, id).await?;
    let entry = entries.into_iter().find(|one| one.event == event).ok_or(Problem::NOT_FOUND)?;
    let page = Checklist { problems, sample: facts.id, entry };
    Ok(Reply::form(page.render(&visit.guarded(web, session).await?), wrong))
}

async fn answer(
    State(web): State<Web>,
    visit: Visit,
    Path((id, event)): Path<(String, String)>,
    form: CheckedForm,
) -> Page {
    let (session, fields) = (&form.session, &form.fields);
    let mut answers = Vec::new();
    for question in SampleQuestion::ALL {
        answers.extend(Verdict::parse(fields.text(question.as_str())?));
    }
    let Ok(answers) = <[Verdict; 4]>::try_from(answers) else {
        return checklist_again(&web, visit, session, (&id, &event), vec![Wrong::AnswerMissing]).await;
    };
    let (sample, entry) = (named(&id, SampleId::parse)?, named(&event, EventId::parse)?);
    let given = (Answers(answers), fields.text("note")?);
    sample::answer(&web.app, session, &visit.caller(session), &sample, &entry, given).await?;
    Ok(Reply::go(&paths::SAMPLE.replace("{sample}", sample.as_str())))
}
