//! Finding entries by what is known of them: filters, newest first, in pages by key.
//!
//! No page counts, and none takes longer because the journal is long: the narrowest filter's own index is walked a
//! bounded way, the other filters are looked at on the way, and a page says how far it came.

use super::bound::{Bound, sql};
use super::column::Columns;
use super::statement::statements;
use super::{SearchRow, Snapshot, StoreError, Tx, append};
use crate::mandate::{EventId, EventKind, Instant, Outcome};

/// Entries of an index that one page walks at most.
const WALK: u32 = 5_000;
/// A filter that fewer entries than this fit is narrow.
const NARROW: u32 = 500;

// One pair of texts per leading filter, so that each walks an index of its own. All take the period, the place after
// which the page begins and the leading filter's value as $1 to $5, and how far to walk as $6; the CASTs tell
// PostgreSQL the type of a value that is only compared with NULL.
macro_rules! walked {
    ($columns:literal, $lead:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " FROM event_search WHERE ",
            $lead,
            " AND at >= $1 AND at < $2 AND (at, event_id) < ($3, $4) ORDER BY at DESC, event_id DESC "
        )
    };
}

macro_rules! search {
    ($lead:literal) => {
        concat!(
            "SELECT walked.event_id AS event_id, at, kind, outcome, code, organisation, aidant, mandate, usager, client, \
             procedure, leaf.idx AS idx FROM (",
            walked!(
                "event_id, at, kind, outcome, code, organisation, aidant, mandate, usager, client, procedure",
                $lead
            ),
            "LIMIT CAST($6 AS BIGINT)) AS walked LEFT JOIN leaf ON leaf.event_id = walked.event_id \
             WHERE (CAST($7 AS TEXT) IS NULL OR kind = $7) AND (CAST($8 AS TEXT) IS NULL OR outcome = $8) \
             AND (CAST($9 AS TEXT) IS NULL OR code = $9) AND (CAST($10 AS TEXT) IS NULL OR organisation = $10) \
             AND (CAST($11 AS TEXT) IS NULL OR aidant = $11) AND (CAST($12 AS TEXT) IS NULL OR mandate = $12) \
             AND (CAST($13 AS TEXT) IS NULL OR usager = $13) AND (CAST($14 AS TEXT) IS NULL OR client = $14) \
             AND (CAST($15 AS TEXT) IS NULL OR procedure = $15) \
             ORDER BY at DESC, walked.event_id DESC LIMIT CAST($16 AS BIGINT)"
        )
    };
}

/// Where a walk of $6 entries ends; nothing when it meets the end of the index before.
macro_rules! reached {
    ($lead:literal) => {
        concat!(walked!("event_id, at", $lead), "LIMIT 1 OFFSET CAST($6 AS BIGINT) - 1")
    };
}

statements! {
    NEWEST = "SELECT MAX(at) AS at FROM event_search";
    OF = "SELECT event_search.event_id AS event_id, at, kind, outcome, code, organisation, aidant, mandate, usager, \
        client, procedure, leaf.idx AS idx FROM event_search \
        LEFT JOIN leaf ON leaf.event_id = event_search.event_id WHERE event_search.event_id = $1";
    FORGET = "DELETE FROM event_search WHERE event_id = $1";
    BY_TIME = search!("CAST($5 AS TEXT) IS NULL");
    BY_KIND = search!("kind = $5");
    BY_CODE = search!("code = $5");
    BY_ORGANISATION = search!("organisation = $5");
    BY_AIDANT = search!("aidant = $5");
    BY_MANDATE = search!("mandate = $5");
    BY_USAGER = search!("usager = $5");
    BY_CLIENT = search!("client = $5");
    BY_PROCEDURE = search!("procedure = $5");
    REFUSED = search!("outcome = 'refused' AND CAST($5 AS TEXT) IS NULL");
    TIME_REACHED = reached!("CAST($5 AS TEXT) IS NULL");
    KIND_REACHED = reached!("kind = $5");
    CODE_REACHED = reached!("code = $5");
    ORGANISATION_REACHED = reached!("organisation = $5");
    AIDANT_REACHED = reached!("aidant = $5");
    MANDATE_REACHED = reached!("mandate = $5");
    USAGER_REACHED = reached!("usager = $5");
    CLIENT_REACHED = reached!("client = $5");
    PROCEDURE_REACHED = reached!("procedure = $5");
    REFUSED_REACHED = reached!("outcome = 'refused' AND CAST($5 AS TEXT) IS NULL");
}

/// What is looked for. Parties are blind indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// From this instant on.
    pub from: Instant,
    /// Before this instant.
    pub until: Instant,
    /// Only this kind.
    pub kind: Option<EventKind>,
    /// Only this outcome.
    pub outcome: Option<Outcome>,
    /// Only this code of a refusal.
    pub code: Option<String>,
    /// Only of this organisation.
    pub organisation: Option<String>,
    /// Only of this aidant.
    pub aidant: Option<String>,
    /// Only of this mandate.
    pub mandate: Option<String>,
    /// Only of this usager.
    pub usager: Option<String>,
    /// Only at this relying party.
    pub client: Option<String>,
    /// Only of this procedure.
    pub procedure: Option<String>,
}

/// An index to walk: its search, its end of a walk, the value it is walked for.
type Lead<'f> = (&'static str, &'static str, Option<&'f str>);

impl Filter {
    /// Everything within a period.
    #[must_use]
    pub const fn period(from: Instant, until: Instant) -> Self {
        Self {
            from,
            until,
            kind: None,
            outcome: None,
            code: None,
            organisation: None,
            aidant: None,
            mandate: None,
            usager: None,
            client: None,
            procedure: None,
        }
    }

    /// The indexes that could be walked, the one that is narrow most often first. Time is always one.
    fn leads(&self) -> Vec<Lead<'_>> {
        let named = [
            (BY_MANDATE, MANDATE_REACHED, self.mandate.as_deref()),
            (BY_USAGER, USAGER_REACHED, self.usager.as_deref()),
            (BY_CODE, CODE_REACHED, self.code.as_deref()),
            (BY_AIDANT, AIDANT_REACHED, self.aidant.as_deref()),
            (BY_PROCEDURE, PROCEDURE_REACHED, self.procedure.as_deref()),
            (BY_ORGANISATION, ORGANISATION_REACHED, self.organisation.as_deref()),
            (BY_KIND, KIND_REACHED, self.kind.map(EventKind::as_str)),
            (BY_CLIENT, CLIENT_REACHED, self.client.as_deref()),
        ];
        let mut leads: Vec<Lead<'_>> = named.into_iter().filter(|(_, _, value)| value.is_some()).collect();
        if self.outcome == Some(Outcome::Refused) {
            leads.push((REFUSED, REFUSED_REACHED, None));
        }
        leads.push((BY_TIME, TIME_REACHED, None));
        leads
    }

    fn walk(&self, text: &'static str, after: (Instant, &str), value: Option<&str>, far: u32) -> Bound {
        sql(text)
            .bind(self.from.micros())
            .bind(self.until.micros())
            .bind(after.0.micros())
            .bind(after.1)
            .bind(value)
            .bind(i64::from(far))
    }
}

/// An entry that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The entry.
    pub event_id: EventId,
    /// When.
    pub at: Instant,
    /// How it can be found.
    pub search: SearchRow,
    /// Its place, once it has one.
    pub index: Option<u64>,
}

/// A place in the journal as searches walk it, newest first.
pub type Place = (Instant, EventId);

/// What a walk found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// The entries that fit, newest first.
    pub found: Vec<Found>,
    /// How far it came; nothing at the end.
    pub reached: Option<Place>,
}

pub(super) fn read(row: &Columns<'_>) -> Result<Found, StoreError> {
    let search = SearchRow {
        kind: row.named("kind", EventKind::parse)?,
        outcome: row.named("outcome", Outcome::parse)?,
        code: row.text_or_none("code")?,
        organisation: row.text_or_none("organisation")?,
        aidant: row.text_or_none("aidant")?,
        mandate: row.text_or_none("mandate")?,
        usager: row.text_or_none("usager")?,
        client: row.text_or_none("client")?,
        procedure: row.text_or_none("procedure")?,
    };
    let index = row.number_or_none("idx")?.and_then(|index| u64::try_from(index).ok());
    Ok(Found { event_id: row.id("event_id")?, at: row.instant("at")?, search, index })
}

/// What one entry tells of; none once it was forgotten.
pub async fn of(snapshot: &mut Snapshot, event: &EventId) -> Result<Option<Found>, StoreError> {
    snapshot.find("event_search", sql(OF).bind(event.as_str()), read).await
}

async fn reached(snapshot: &mut Snapshot, walk: Bound) -> Result<Option<Place>, StoreError> {
    snapshot.find("event_search", walk, |row| Ok((row.instant("at")?, row.id("event_id")?))).await
}

/// The entries that fit, newest first, at most `limit`; after the last one of the page before when given. A page may
/// hold fewer, or none, and still say where to go on.
pub async fn find(
    snapshot: &mut Snapshot,
    filter: &Filter,
    after: Option<&Place>,
    limit: u32,
) -> Result<Walked, StoreError> {
    // Beyond every identifier: hexadecimal digits sort before 'g'.
    let after = after.map_or((filter.until, "g"), |(at, event)| (*at, event.as_str()));
    let leads = filter.leads();
    let mut lead = leads.first().copied().unwrap_or((BY_TIME, TIME_REACHED, None));
    if leads.len() > 2 {
        for other in &leads {
            let (_, end, value) = *other;
            if reached(snapshot, filter.walk(end, after, value, NARROW)).await?.is_none() {
                lead = *other;
                break;
            }
        }
    }
    let (text, end, value) = lead;
    let rows = filter
        .walk(text, after, value, WALK)
        .bind(filter.kind.map(EventKind::as_str))
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.code.as_deref())
        .bind(filter.organisation.as_deref())
        .bind(filter.aidant.as_deref())
        .bind(filter.mandate.as_deref())
        .bind(filter.usager.as_deref())
        .bind(filter.client.as_deref())
        .bind(filter.procedure.as_deref())
        .bind(i64::from(limit));
    let found = snapshot.list("event_search", rows, read).await?;
    let reached = match found.last() {
        Some(last) if found.len() >= limit as usize => Some((last.at, last.event_id.clone())),
        _ => reached(snapshot, filter.walk(end, after, value, WALK)).await?,
    };
    Ok(Walked { found, reached })
}

/// The latest time that any entry tells, of those that can be found.
pub async fn newest(snapshot: &mut Snapshot) -> Result<Option<Instant>, StoreError> {
    let found = snapshot.find("event_search", sql(NEWEST), |row| row.instant_or_none("at")).await?;
    Ok(found.flatten())
}

/// Makes an entry impossible to find (erasure, end of retention).
pub async fn forget(tx: &mut Tx, event: &EventId) -> Result<(), StoreError> {
    tx.execute(sql(FORGET).bind(event.as_str())).await.map(drop)
}

/// Leaves an entry to be found by everything but its usager (erasure).
pub async fn forget_usager(tx: &mut Tx, found: &Found) -> Result<(), StoreError> {
    forget(tx, &found.event_id).await?;
    let search = SearchRow { usager: None, ..found.search.clone() };
    append::write_search(tx, &found.event_id, found.at, search).await
}
