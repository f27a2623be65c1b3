//! All entries that fit, whoever they tell of: what a sample is drawn from. Unlike a search it goes through
//! everything, and reads no more of it than it must.

use super::bound::{Bound, sql};
use super::search::{Filter, Place};
use super::statement::statements;
use super::{Snapshot, StoreError};
use crate::mandate::{EventId, EventKind, Outcome};

/// Entries read together: some megabytes.
const PAGE: u32 = 100_000;
/// A journal of so many entries is read as one page, without looking for the end of the first.
const WHOLE: u64 = 200_000;
/// Characters of an identifier.
const ID: usize = 32;

// One text per leading filter, as searches have: period, the leading filter's value, the other filters. What is between
// two places comes as one value in no order: PostgreSQL joins so many at once, where it would look each leaf up to give
// them in order, and nobody reads a hundred thousand rows.
macro_rules! filters {
    ($lead:literal) => {
        concat!(
            $lead,
            " AND at >= $1 AND at < $2 \
             AND (CAST($4 AS TEXT) IS NULL OR kind = $4) AND (CAST($5 AS TEXT) IS NULL OR outcome = $5) \
             AND (CAST($6 AS TEXT) IS NULL OR code = $6) AND (CAST($7 AS TEXT) IS NULL OR organisation = $7) \
             AND (CAST($8 AS TEXT) IS NULL OR aidant = $8) AND (CAST($9 AS TEXT) IS NULL OR usager = $9) \
             AND (CAST($10 AS TEXT) IS NULL OR client = $10) AND (CAST($11 AS TEXT) IS NULL OR procedure = $11) \
             AND (at, event_search.event_id) < ($12, $13)"
        )
    };
}
macro_rules! next {
    ($lead:literal) => {
        concat!(
            "SELECT at, event_id FROM event_search WHERE ",
            filters!($lead),
            " ORDER BY at DESC, event_id DESC LIMIT 1 OFFSET CAST($14 AS BIGINT)"
        )
    };
}
macro_rules! between {
    ($lead:literal) => {
        concat!(
            "SELECT string_agg(event_search.event_id, '') AS events FROM event_search \
             JOIN leaf ON leaf.event_id = event_search.event_id WHERE ",
            filters!($lead),
            " AND (at, event_search.event_id) >= ($14, $15) AND idx < $16"
        )
    };
}

statements! {
    // Where only the period counts nothing is read but the index: twice as fast over everything.
    NEXT = "SELECT at, event_id FROM event_search WHERE at >= $1 AND at < $2 AND (at, event_id) < ($3, $4) \
        ORDER BY at DESC, event_id DESC LIMIT 1 OFFSET CAST($5 AS BIGINT)";
    BETWEEN = "SELECT string_agg(event_search.event_id, '') AS events FROM event_search \
        JOIN leaf ON leaf.event_id = event_search.event_id WHERE at >= $1 AND at < $2 \
        AND (at, event_search.event_id) < ($3, $4) AND (at, event_search.event_id) >= ($5, $6) AND idx < $7";
    NEXT_BY_TIME = next!("CAST($3 AS TEXT) IS NULL");
    NEXT_BY_KIND = next!("kind = $3");
    NEXT_BY_ORGANISATION = next!("organisation = $3");
    NEXT_BY_MANDATE = next!("mandate = $3");
    BY_TIME = between!("CAST($3 AS TEXT) IS NULL");
    BY_KIND = between!("kind = $3");
    BY_ORGANISATION = between!("organisation = $3");
    BY_MANDATE = between!("mandate = $3");
}

/// A page of the entries that fit and stand in the signed tree of that size, in no order, and where the next page begins:
/// pages go back in time.
pub async fn population(
    snapshot: &mut Snapshot,
    filter: &Filter,
    signed: u64,
    after: Option<&Place>,
) -> Result<(Vec<EventId>, Option<Place>), StoreError> {
    // Beyond every identifier: hexadecimal digits sort before 'g'.
    let after = after.map_or((filter.until, "g"), |(at, event)| (*at, event.as_str()));
    let (begin, found) = texts(filter);
    let last: Option<Place> = if signed <= WHOLE {
        None
    } else {
        let begin = begin.bind(after.0.micros()).bind(after.1).bind(i64::from(PAGE - 1));
        snapshot.find("event_search", begin, |row| Ok((row.instant("at")?, row.id("event_id")?))).await?
    };
    let from = last.as_ref().map_or((filter.from, ""), |(at, event)| (*at, event.as_str()));
    let found = found.bind(after.0.micros()).bind(after.1).bind(from.0.micros()).bind(from.1);
    let found = found.bind(i64::try_from(signed).unwrap_or(i64::MAX));
    let events = snapshot.find("event_search", found, |row| row.text_or_none("events")).await?.flatten();
    let events = events.unwrap_or_default();
    let ids = events.as_bytes().chunks(ID).map(|id| {
        let id = std::str::from_utf8(id).ok().and_then(|id| EventId::parse(id).ok());
        id.ok_or_else(|| StoreError::Database("an entry's identifier cannot be read".to_owned()))
    });
    Ok((ids.collect::<Result<_, _>>()?, last))
}

/// What finds the end of a page, and what reads it, both bound up to the place the page begins after.
fn texts(filter: &Filter) -> (Bound, Bound) {
    let (from, until) = (filter.from.micros(), filter.until.micros());
    if *filter == Filter::period(filter.from, filter.until) {
        return (sql(NEXT).bind(from).bind(until), sql(BETWEEN).bind(from).bind(until));
    }
    let ((next, between), value) = lead(filter);
    let bound = |text| narrowed(sql(text).bind(from).bind(until).bind(value), filter);
    (bound(next), bound(between))
}

/// The index to walk (by what finds the end of a page, and what reads it), and for which value.
fn lead(filter: &Filter) -> ((&'static str, &'static str), Option<&str>) {
    let kind = filter.kind.map(EventKind::as_str);
    match (&filter.mandate, &filter.organisation, kind) {
        (Some(mandate), ..) => ((NEXT_BY_MANDATE, BY_MANDATE), Some(mandate.as_str())),
        (None, Some(organisation), _) => {
            ((NEXT_BY_ORGANISATION, BY_ORGANISATION), Some(organisation.as_str()))
        }
        (None, None, Some(kind)) => ((NEXT_BY_KIND, BY_KIND), Some(kind)),
        (None, None, None) => ((NEXT_BY_TIME, BY_TIME), None),
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
