//! The usager's timeline as a page and as a table.

use super::pages::Visit;
use super::{Fields, Held, Page, Problem, Query, Reply, Web};
use crate::mandate::{MandateId, MandateNumber, StoryPart};
use crate::service::timeline::{self, Line, Wanted};
use crate::view::timeline::{TimelineEntry, UsagerTimeline};
use crate::view::{Frame, csv, paths};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, format_description::BorrowedFormatItem};

/// Lines on a page.
const PAGE: usize = 50;
/// A day as browsers send it.
const DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new().route(paths::USAGER_TIMELINE, get(page)).route(paths::USAGER_TIMELINE_FILE, get(file))
}

/// What is asked for. What cannot be read asks for nothing: whoever edits an address sees more of their own, never less of
/// others'.
fn wanted(query: &Fields) -> Result<Wanted, Problem> {
    let day = |name: &str| Ok::<_, Problem>(Date::parse(query.text(name)?, DAY).ok());
    Ok(Wanted {
        mandate: MandateId::parse(query.text("mandate")?).ok(),
        part: StoryPart::parse(query.text("what")?),
        from: day("from")?,
        until: day("until")?,
    })
}

/// The choices as an address carries them, with the number of a page where it is not the first.
fn address(path: &str, wanted: &Wanted, page: usize) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    if let Some(mandate) = &wanted.mandate {
        query.append_pair("mandate", mandate.as_str());
    }
    if let Some(part) = wanted.part {
        query.append_pair("what", part.as_str());
    }
    for (name, day) in [("from", wanted.from), ("until", wanted.until)] {
        if let Some(day) = written(day) {
            query.append_pair(name, &day);
        }
    }
    if page > 0 {
        query.append_pair("page", &page.to_string());
    }
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

fn written(day: Option<Date>) -> Option<String> {
    day.and_then(|day| day.format(DAY).ok())
}

async fn page(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    let (wanted, at) = (wanted(&query)?, query.text("page")?.parse::<usize>().unwrap_or(0));
    let caller = visit.caller(&session);
    let frame = visit.guarded(&web, &session).await?;
    let found = timeline::of_usager(&web.app, &session, &caller, &wanted, frame.language).await?;
    let first = at.saturating_mul(PAGE);
    let more = found.lines.len() > first.saturating_add(PAGE);
    let entry = |line: Line| TimelineEntry::new(line.mandate, line.organisation, line.happening);
    let page = UsagerTimeline {
        mandates: found.mandates,
        found: u64::try_from(found.lines.len()).unwrap_or(u64::MAX),
        lines: found.lines.into_iter().skip(first).take(PAGE).map(entry).collect(),
        newer: at.checked_sub(1).map(|before| address(paths::USAGER_TIMELINE, &wanted, before)),
        older: more.then(|| address(paths::USAGER_TIMELINE, &wanted, at + 1)),
        file: address(paths::USAGER_TIMELINE_FILE, &wanted, 0),
        mandate: wanted.mandate.clone(),
        part: wanted.part,
        from: written(wanted.from).unwrap_or_default(),
        until: written(wanted.until).unwrap_or_default(),
    };
    Ok(Reply::page(page.render(&frame)))
}

async fn file(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    let (wanted, caller) = (wanted(&query)?, visit.caller(&session));
    let frame = visit.guarded(&web, &session).await?;
    let found = timeline::of_usager(&web.app, &session, &caller, &wanted, frame.language).await?;
    let lines = found.lines.into_iter().map(|line| row(&frame, line));
    let table = csv::table(std::iter::once(frame.timeline_headings()).chain(lines));
    Ok(Reply::file("text/csv; charset=utf-8; header=present", table))
}

fn row(frame: &Frame, line: Line) -> Vec<String> {
    let places = &line.happening.places;
    let indexes: Vec<String> = places.iter().map(|place| place.words(frame.language)).collect();
    let mut origins: Vec<&str> = places.iter().map(|place| place.origin.as_str()).collect();
    origins.dedup();
    vec![
        line.happening.at.to_utc().format(&Rfc3339).unwrap_or_default(),
        frame.story_part(&line.happening.part),
        line.organisation,
        MandateNumber::of(&line.mandate).to_string(),
        line.happening.text,
        indexes.join(" "),
        origins.join(" "),
    ]
}
