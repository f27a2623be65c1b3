//! All entries that fit, by their place in time alone: what a sample is drawn from. Unlike a search it goes through
//! everything, and reads no more of it than it must.

use super::bound::{Bound, sql};
use super::search::{Filter, Place};
use super::statement::statements;
use super::{Snapshot, StoreError};
use crate::mandate::{EventKind, Outcome};

/// Entries read together: some megabytes. PostgreSQL joins so many at once, where it looks each leaf up for fewer.
const PAGE: u32 = 100_000;

// One text per leading filter, as searches have: period, place after which the page begins, the leading filter's value,
// the other filters, the size of the signed tree, the page's length.
macro_rules! population {
    ($lead:literal) => {
        concat!(
            "SELECT event_search.event_id AS event_id, at FROM event_search \
             JOIN leaf ON leaf.event_id = event_search.event_id WHERE ",
            $lead,
            " AND at >= $1 AND at < $2 AND (at, event_search.event_id) < ($3, $4) \
             AND (CAST($6 AS TEXT) IS NULL OR kind = $6) AND (CAST($7 AS TEXT) IS NULL OR outcome = $7) \
             AND (CAST($8 AS TEXT) IS NULL OR code = $8) AND (CAST($9 AS TEXT) IS NULL OR organisation = $9) \
             AND (CAST($10 AS TEXT) IS NULL OR aidant = $10) AND (CAST($11 AS TEXT) IS NULL OR usager = $11) \
             AND (CAST($12 AS TEXT) IS NULL OR client = $12) AND (CAST($13 AS TEXT) IS NULL OR procedure = $13) \
             AND idx < $14 ORDER BY at DESC, event_search.event_id DESC LIMIT CAST($15 AS BIGINT)"
        )
    };
}

statements! {
    // Where only the period counts nothing is read but the index: twice as fast over everything.
    EVERYTHING = "SELECT event_search.event_id AS event_id, at FROM event_search \
        JOIN leaf ON leaf.event_id = event_search.event_id \
        WHERE at >= $1 AND at < $2 AND (at, event_search.event_id) < ($3, $4) AND idx < $5 \
        ORDER BY at DESC, event_search.event_id DESC LIMIT CAST($6 AS BIGINT)";
    BY_TIME = population!("CAST($5 AS TEXT) IS NULL");
    BY_KIND = population!("kind = $5");
    BY_ORGANISATION = population!("organisation = $5");
    BY_MANDATE = population!("mandate = $5");
}

/// A page of the entries that fit and stand in the signed tree of that size, newest first, and where the next page begins.
pub async fn population(
    snapshot: &mut Snapshot,
    filter: &Filter,
    signed: u64,
    after: Option<&Place>,
) -> Result<(Vec<Place>, Option<Place>), StoreError> {
    // Beyond every identifier: hexadecimal digits sort before 'g'.
    let after = after.map_or((filter.until, "g"), |(at, event)| (*at, event.as_str()));
    let signed = i64::try_from(signed).unwrap_or(i64::MAX);
    let period = |text| {
        let period = sql(text).bind(filter.from.micros()).bind(filter.until.micros());
        period.bind(after.0.micros()).bind(after.1)
    };
    let rows = if *filter == Filter::period(filter.from, filter.until) {
        period(EVERYTHING).bind(signed).bind(i64::from(PAGE))
    } else {
        let (text, value) = lead(filter);
        narrowed(period(text).bind(value), filter).bind(signed).bind(i64::from(PAGE))
    };
    let page =
        snapshot.list("event_search", rows, |row| Ok((row.instant("at")?, row.id("event_id")?))).await?;
    let next = page.last().filter(|_| page.len() >= PAGE as usize).cloned();
    Ok((page, next))
}

/// The index to walk, and for which value.
fn lead(filter: &Filter) -> (&'static str, Option<&str>) {
    let kind = filter.kind.map(EventKind::as_str);
    match (&filter.mandate, &filter.organisation, kind) {
        (Some(mandate), ..) => (BY_MANDATE, Some(mandate.as_str())),
        (None, Some(organisation), _) => (BY_ORGANISATION, Some(organisation.as_str())),
        (None, None, Some(kind)) => (BY_KIND, Some(kind)),
        (None, None, None) => (BY_TIME, None),
    }
}

/// With everything else that is asked for.
fn narrowed(rows: Bound, filter: &Filter) -> Bound {
    rows.bind(filter.kind.map(EventKind::as_str))
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.code.as_deref())
        .bind(filter.organisation.as_deref())
        .bind(filter.aidant.as_deref())
        .bind(filter.usager.as_deref())
        .bind(filter.client.as_deref())
        .bind(filter.procedure.as_deref())
}
