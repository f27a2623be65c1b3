//! Timelines and charts.

use super::find::choice;
use super::{cursor, line, period, place};
use crate::mandate::{Bilingual, ConsentChannel, Instant};
use crate::service::audit::{self, LONGEST_PERIOD, Named, Retold, Timeline, Whom};
use crate::service::{Error, Session};
use crate::view::auditor::{Charts, Follow, Followed, Then};
use crate::view::{Chart, Granted, Problem as Wrong, Status, paths, sentences};
use crate::web::pages::Visit;
use crate::web::{Held, Page, Problem, Query, Reply, Web};
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use time::format_description::FormatItem;
use time::macros::format_description;
use time::{Duration, PrimitiveDateTime};

/// How an instant is typed, in universal time.
const MINUTE: &[FormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]");
/// What is drawn when no period was chosen, in days.
const USUAL: i64 = 30;

/// The routes of this file.
pub(super) fn routes() -> Router<Web> {
    Router::new().route(paths::FOLLOW, get(follow)).route(paths::CHARTS, get(charts))
}

/// What is to be followed; nothing when nothing was typed.
fn asked(page: &Follow) -> Result<Option<(Whom, Option<Instant>)>, Wrong> {
    let read = |field, text: &str| Named::parse(text).ok_or(Wrong::FilterInvalid { field });
    let whom = match (page.mandate.as_str(), page.aidant.as_str()) {
        ("", "") => return Ok(None),
        ("", aidant) => Whom::Aidant(read("aidant", aidant)?),
        (mandate, _) => Whom::Mandate(read("mandate", mandate)?),
    };
    let at = match page.at.as_str() {
        "" => None,
        text => {
            let at =
                PrimitiveDateTime::parse(text, MINUTE).map_err(|_| Wrong::FilterInvalid { field: "at" })?;
            Some(Instant::from(at.assume_utc()))
        }
    };
    Ok(Some((whom, at)))
}

async fn follow(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    // Without a purpose or a grant there is nothing to follow.
    audit::offered(&web.app, &session).await?;
    let text = |name: &str| Ok::<_, Problem>(query.text(name)?.trim().chars().take(64).collect::<String>());
    let mut page = Follow {
        problems: Vec::new(),
        mandate: text("mandate")?,
        aidant: text("aidant")?,
        at: text("at")?,
        followed: None,
    };
    match asked(&page) {
        Err(wrong) => page.problems.push(wrong),
        Ok(None) => {}
        Ok(Some((whom, at))) => {
            let (caller, after) = (visit.caller(&session), cursor(query.text("after")?));
            let of_mandate = matches!(whom, Whom::Mandate(_));
            let timeline = audit::timeline(&web.app, &session, &caller, whom, at, after).await?;
            page.followed = Some(followed(&web, timeline, of_mandate));
        }
    }
    let wrong = !page.problems.is_empty();
    Ok(Reply::form(page.render(&visit.guarded(&web, &session).await?), wrong))
}

fn followed(web: &Web, timeline: Timeline, of_mandate: bool) -> Followed {
    let Timeline { pseudonym, lines, next, retold } = timeline;
    let field = if of_mandate { "mandate" } else { "aidant" };
    let next = next.as_ref().map(|at| format!("{}?{field}={pseudonym}&after={}", paths::FOLLOW, place(at)));
    Followed {
        lines: lines.into_iter().map(|one| line(web, one)).collect(),
        then: retold.map(|retold| then(web, &retold)),
        ask: of_mandate.then(|| format!("{}?mandate={pseudonym}", paths::CONTENT_ASK)),
        next,
        pseudonym,
    }
}

fn then(web: &Web, retold: &Retold) -> Then {
    let Retold { then, at, agrees } = retold;
    Then {
        at: *at,
        status: then.as_ref().map(|mandate| Status::of(mandate, *at)),
        procedures: then
            .as_ref()
            .map(|mandate| Granted::of_mandate(mandate, &web.app.catalogue))
            .unwrap_or_default(),
        agrees: *agrees,
    }
}

async fn charts(State(web): State<Web>, visit: Visit, Held(session): Held, Query(query): Query) -> Page {
    let offered = audit::offered(&web.app, &session).await?;
    let organisations = offered.organisations.into_iter().map(|(id, name)| choice(id.as_str(), name));
    let mut page = Charts {
        problems: Vec::new(),
        from: query.text("from")?.chars().take(10).collect(),
        to: query.text("to")?.chars().take(10).collect(),
        organisations: organisations.collect(),
        organisation: query.text("organisation")?.chars().take(32).collect(),
        charts: Vec::new(),
    };
    match drawn(&web, &visit, &session, &page).await? {
        Ok(charts) => page.charts = charts,
        Err(wrong) => page.problems.push(wrong),
    }
    let wrong = !page.problems.is_empty();
    Ok(Reply::form(page.render(&visit.guarded(&web, &session).await?), wrong))
}

async fn drawn(
    web: &Web,
    visit: &Visit,
    session: &Session,
    page: &Charts,
) -> Result<Result<Vec<Chart>, Wrong>, Problem> {
    let now = web.app.now();
    let period = match (page.from.as_str(), page.to.as_str()) {
        ("", "") => Ok((now.plus(-Duration::days(USUAL)), now)),
        (from, to) => period(from, to),
    };
    let period = match period {
        Ok((from, until)) if until.since(from) > LONGEST_PERIOD => return Ok(Err(Wrong::PeriodTooLong)),
        Ok(period) => period,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let organisation = match page.organisation.as_str() {
        "" => None,
        text => match crate::mandate::OrganisationId::parse(text) {
            Ok(id) => Some(id),
            Err(_) => return Ok(Err(Wrong::FilterInvalid { field: "organisation" })),
        },
    };
    let counted: Result<_, Error> =
        audit::charts(&web.app, session, &visit.caller(session), period, organisation).await;
    Ok(Ok(in_charts(web, counted?, period)))
}

fn channel(channel: ConsentChannel) -> Bilingual {
    let said = sentences::consent_channel(channel);
    Bilingual { fr: said.fr.to_owned(), en: said.en.to_owned() }
}

fn in_charts(web: &Web, counted: audit::Charts, period: (Instant, Instant)) -> Vec<Chart> {
    let both = |text: &str| Bilingual { fr: text.to_owned(), en: text.to_owned() };
    let procedures = counted.procedures.into_iter().map(|(id, count)| {
        let name = web.app.catalogue.procedure(&id).map_or_else(|| both(id.as_str()), |one| one.name.clone());
        (name, count)
    });
    let procedures = Chart::named("procedures", procedures);
    let waits = WAITS.into_iter().map(|(fr, en)| Bilingual { fr: fr.to_owned(), en: en.to_owned() });
    let channels = counted.channels.into_iter().map(|(code, count)| {
        let known = ConsentChannel::parse(&code).map(channel);
        (known.unwrap_or_else(|| both(&code)), count)
    });
    vec![
        Chart::days("days", &counted.hours, period),
        Chart::hours("hours", &counted.hours),
        Chart::weekdays("weekdays", &counted.hours),
        procedures,
        Chart::named("codes", counted.codes.iter().map(|(code, count)| (both(code), *count))),
        Chart::named("waits", waits.zip(counted.waits)),
        Chart::named("channels", channels),
    ]
}

/// The steps from consent to first use.
const WAITS: [(&str, &str); 7] = [
    ("dans les cinq minutes", "within five minutes"),
    ("dans l’heure", "within the hour"),
    ("dans la journée", "within a day"),
    ("dans la semaine", "within a week"),
    ("dans les trente jours", "within thirty days"),
    ("plus tard", "later"),
    ("jamais", "never"),
];
