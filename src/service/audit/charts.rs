//! What the desk draws: counts within what the grants cover, in a bounded period.

use super::sight::Seen;
use crate::mandate::{EventKind, Instant, OrganisationId, ProcedureId};
use crate::service::{App, Caller, Error, InputError, Record, Session};
use crate::storage::tally::{self, Part, Scope, WAIT_STEPS};
use crate::storage::{Snapshot, StoreError};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use time::Duration;

/// The longest period drawn.
pub const LONGEST_PERIOD: Duration = Duration::days(366);

/// The counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Charts {
    /// Representations opened, by the hour in which they were.
    pub hours: BTreeMap<Instant, u64>,
    /// Representations opened, by procedure.
    pub procedures: Vec<(ProcedureId, u64)>,
    /// Refusals, by code.
    pub codes: Vec<(String, u64)>,
    /// Consents, by channel.
    pub channels: Vec<(String, u64)>,
    /// Mandates by the time from consent to first use: within five minutes, an hour, a day, a week, thirty days,
    /// later, never.
    pub waits: [u64; WAIT_STEPS],
}

/// Counts what happened in a period, under the purpose stated.
///
/// # Errors
/// [`Error::Input`] for a period without end; [`Error::Session`] without a purpose or a grant; [`Error::SignIn`] when
/// suspended.
pub async fn charts(
    app: &App,
    session: &Session,
    caller: &Caller,
    (from, until): (Instant, Instant),
    organisation: Option<OrganisationId>,
) -> Result<Charts, Error> {
    if until <= from || until.since(from) > LONGEST_PERIOD {
        return Err(InputError::Field("from").into());
    }
    let (app_, session_, chosen) = (Arc::clone(app), session.clone(), organisation.clone());
    let charts = app
        .store
        .read("audit.charts", move |snapshot| {
            Box::pin(async move {
                let sight = super::sight(&app_, snapshot, &session_).await?;
                let parts = sight.disjoint(from, until, chosen.as_ref());
                let parts: Vec<Part> = parts.into_iter().map(|seen| part(&app_, seen)).collect();
                counted(&app_, snapshot, &parts).await
            })
        })
        .await?;
    let record =
        Record::done(EventKind::ChartsRead).detail("from", from.millis()).detail("until", until.millis());
    let record = match &organisation {
        Some(id) => record.detail("organisation", id.as_str()),
        None => record,
    };
    super::note(app, session, caller, record, BTreeSet::new()).await?;
    Ok(charts)
}

fn part(app: &App, seen: Seen) -> Part {
    let blind = |field: &str, id: &str| app.keys.index().blind(field, &[id]);
    let scope = match (seen.mandate, seen.organisation) {
        (Some(id), _) => Scope::Mandate { blind: blind("mandate", id.as_str()), id: id.into() },
        (None, Some(id)) => Scope::Organisation { blind: blind("organisation", id.as_str()), id: id.into() },
        (None, None) => Scope::Everything,
    };
    Part { scope, from: seen.from, until: seen.until }
}

async fn counted(app: &App, snapshot: &mut Snapshot, parts: &[Part]) -> Result<Charts, Error> {
    let mut charts = Charts::default();
    let (mut procedures, mut codes, mut channels) = (HashMap::new(), HashMap::new(), HashMap::new());
    for part in parts {
        let opened = EventKind::RepresentationOpened;
        for (hour, count) in tally::hours(snapshot, part, opened).await? {
            let at = Instant::from_micros(hour.saturating_mul(3_600_000_000));
            *charts.hours.entry(at).or_default() += count;
        }
        add(&mut procedures, tally::procedures(snapshot, part, opened).await?);
        add(&mut codes, tally::codes(snapshot, part).await?);
        add(&mut channels, tally::channels(snapshot, part).await?);
        for (step, count) in tally::waits(snapshot, part).await? {
            let wait = charts.waits.get_mut(step).ok_or(StoreError::Inconsistent {
                table: "mandate",
                column: "step",
                id: String::new(),
            })?;
            *wait += count;
        }
    }
    let index = app.keys.index();
    let known = app.catalogue.procedures().iter().map(|one| one.id.clone());
    charts.procedures = known
        .filter_map(|id| Some((procedures.remove(&index.blind("procedure", &[id.as_str()]))?, id)))
        .map(|(count, id)| (id, count))
        .collect();
    charts.procedures.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    charts.codes = most_first(codes);
    charts.channels = most_first(channels);
    Ok(charts)
}

fn add(all: &mut HashMap<String, u64>, counts: Vec<(String, u64)>) {
    for (name, count) in counts {
        *all.entry(name).or_default() += count;
    }
}

fn most_first(counts: HashMap<String, u64>) -> Vec<(String, u64)> {
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|(a, m), (b, n)| n.cmp(m).then_with(|| a.cmp(b)));
    counts
}
