//! Finding entries by what is known of them: filters, newest first, in pages by key.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{SearchRow, Snapshot, StoreError};
use crate::mandate::{EventId, EventKind, Instant, Outcome};

// One text per leading filter, so that each walks an index of its own; the other filters are looked at on
// the way. Every text takes the same twelve values in the same order. The CASTs tell PostgreSQL the type of
// a value that is only compared with NULL.
macro_rules! search {
    ($lead:literal) => {
        concat!(
            "SELECT event_search.event_id AS event_id, at, kind, outcome, code, organisation, aidant, mandate, usager, \
             client, procedure, leaf.idx AS idx FROM event_search \
             LEFT JOIN leaf ON leaf.event_id = event_search.event_id WHERE ", $lead,
            "at >= $1 AND at < $2 AND (at, event_search.event_id) < ($3, $4) \
             AND (CAST($5 AS TEXT) IS NULL OR kind = $5) AND (CAST($6 AS TEXT) IS NULL OR outcome = $6) \
             AND (CAST($7 AS TEXT) IS NULL OR organisation = $7) AND (CAST($8 AS TEXT) IS NULL OR aidant = $8) \
             AND (CAST($9 AS TEXT) IS NULL OR mandate = $9) AND (CAST($10 AS TEXT) IS NULL OR usager = $10) \
             AND (CAST($11 AS TEXT) IS NULL OR client = $11) ORDER BY at DESC, event_search.event_id DESC \
             LIMIT CAST($12 AS BIGINT)"
        )
    };
}

statements! {
    OF = "SELECT event_search.event_id AS event_id, at, kind, outcome, code, organisation, aidant, mandate, usager, \
        client, procedure, leaf.idx AS idx FROM event_search \
        LEFT JOIN leaf ON leaf.event_id = event_search.event_id WHERE event_search.event_id = $1";
    BY_TIME = search!("");
    BY_KIND = search!("kind = $5 AND ");
    BY_ORGANISATION = search!("organisation = $7 AND ");
    BY_AIDANT = search!("aidant = $8 AND ");
    BY_MANDATE = search!("mandate = $9 AND ");
    BY_USAGER = search!("usager = $10 AND ");
    BY_CLIENT = search!("client = $11 AND ");
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
}

impl Filter {
    /// Everything within a period.
    #[must_use]
    pub const fn period(from: Instant, until: Instant) -> Self {
        Self {
            from,
            until,
            kind: None,
            outcome: None,
            organisation: None,
            aidant: None,
            mandate: None,
            usager: None,
            client: None,
        }
    }

    /// The text that walks the narrowest index.
    const fn text(&self) -> &'static str {
        match self {
            Self { mandate: Some(_), .. } => BY_MANDATE,
            Self { usager: Some(_), .. } => BY_USAGER,
            Self { aidant: Some(_), .. } => BY_AIDANT,
            Self { organisation: Some(_), .. } => BY_ORGANISATION,
            Self { client: Some(_), .. } => BY_CLIENT,
            Self { kind: Some(_), .. } => BY_KIND,
            _ => BY_TIME,
        }
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

fn read(row: &Columns<'_>) -> Result<Found, StoreError> {
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

/// The entries that fit, newest first, at most `limit`; after the last one of the page before when given.
pub async fn find(
    snapshot: &mut Snapshot,
    filter: &Filter,
    after: Option<(Instant, &EventId)>,
    limit: u32,
) -> Result<Vec<Found>, StoreError> {
    // Beyond every identifier: hexadecimal digits sort before 'g'.
    let (at, event) = after.map_or((filter.until, "g"), |(at, event)| (at, event.as_str()));
    let rows = sql(filter.text())
        .bind(filter.from.micros())
        .bind(filter.until.micros())
        .bind(at.micros())
        .bind(event)
        .bind(filter.kind.map(EventKind::as_str))
        .bind(filter.outcome.map(Outcome::as_str))
        .bind(filter.organisation.as_deref())
        .bind(filter.aidant.as_deref())
        .bind(filter.mandate.as_deref())
        .bind(filter.usager.as_deref())
        .bind(filter.client.as_deref())
        .bind(i64::from(limit));
    snapshot.list("event_search", rows, read).await
}
