//! Counting within a bounded period, for the desk's charts. Each text walks an index for its scope and period.

use super::bound::{Bound, sql};
use super::statement::statements;
use super::{Snapshot, StoreError};
use crate::mandate::{EventKind, Instant};

// Entries: $1 from, $2 until, $3 the scope's blind index, $4 the kind.
macro_rules! hours {
    ($scope:literal) => {
        concat!(
            "SELECT at / 3600000000 AS hour, COUNT(*) AS entries FROM event_search WHERE ",
            $scope,
            " AND kind = $4 AND at >= $1 AND at < $2 GROUP BY at / 3600000000 ORDER BY at / 3600000000"
        )
    };
}

macro_rules! procedures {
    ($scope:literal) => {
        concat!(
            "SELECT procedure, COUNT(*) AS entries FROM event_search WHERE ",
            $scope,
            " AND kind = $4 AND at >= $1 AND at < $2 AND procedure IS NOT NULL GROUP BY procedure ORDER BY procedure"
        )
    };
}

macro_rules! codes {
    ($scope:literal) => {
        concat!(
            "SELECT code, COUNT(*) AS entries FROM event_search WHERE ",
            $scope,
            " AND outcome = 'refused' AND at >= $1 AND at < $2 AND code IS NOT NULL GROUP BY code ORDER BY code"
        )
    };
}

// Mandates: $1 from, $2 until, $3 the scope's identifier.
macro_rules! channels {
    ($scope:literal) => {
        concat!(
            "SELECT channel, COUNT(*) AS entries FROM mandate WHERE ",
            $scope,
            " AND consented_at >= $1 AND consented_at < $2 GROUP BY channel ORDER BY channel"
        )
    };
}

// The steps are five minutes, an hour, a day, a week, thirty days; 6 is for mandates never used.
macro_rules! waits {
    ($scope:literal) => {
        concat!(
            "SELECT CAST(step AS BIGINT) AS step, COUNT(*) AS entries FROM (SELECT CASE WHEN began IS NULL THEN 6 \
             WHEN began - consented_at < 300000000 THEN 0 WHEN began - consented_at < 3600000000 THEN 1 \
             WHEN began - consented_at < 86400000000 THEN 2 WHEN began - consented_at < 604800000000 THEN 3 \
             WHEN began - consented_at < 2592000000000 THEN 4 ELSE 5 END AS step FROM (SELECT consented_at, \
             (SELECT MIN(opened_at) FROM representation WHERE representation.mandate_id = mandate.id) AS began \
             FROM mandate WHERE ",
            $scope,
            " AND consented_at >= $1 AND consented_at < $2) AS used) AS waited GROUP BY step ORDER BY step"
        )
    };
}

statements! {
    HOURS = hours!("CAST($3 AS TEXT) IS NULL");
    HOURS_OF_ORGANISATION = hours!("organisation = $3");
    HOURS_OF_MANDATE = hours!("mandate = $3");
    PROCEDURES = procedures!("CAST($3 AS TEXT) IS NULL");
    PROCEDURES_OF_ORGANISATION = procedures!("organisation = $3");
    PROCEDURES_OF_MANDATE = procedures!("mandate = $3");
    CODES = codes!("CAST($3 AS TEXT) IS NULL");
    CODES_OF_ORGANISATION = codes!("organisation = $3");
    CODES_OF_MANDATE = codes!("mandate = $3");
    CHANNELS = channels!("CAST($3 AS TEXT) IS NULL");
    CHANNELS_OF_ORGANISATION = channels!("organisation_id = $3");
    CHANNELS_OF_MANDATE = channels!("id = $3");
    WAITS = waits!("CAST($3 AS TEXT) IS NULL");
    WAITS_OF_ORGANISATION = waits!("organisation_id = $3");
    WAITS_OF_MANDATE = waits!("id = $3");
}

/// Steps of the time from consent to first use; the last is for mandates never used.
pub const WAIT_STEPS: usize = 7;

/// Of whom something is counted: entries know parties by blind index, mandates by identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody.
    Everything,
    /// One organisation.
    Organisation {
        /// Identifier.
        id: String,
        /// Blind index.
        blind: String,
    },
    /// One mandate.
    Mandate {
        /// Identifier.
        id: String,
        /// Blind index.
        blind: String,
    },
}

impl Scope {
    const fn text(&self, all: [&'static str; 3]) -> &'static str {
        let [everything, organisation, mandate] = all;
        match self {
            Self::Everything => everything,
            Self::Organisation { .. } => organisation,
            Self::Mandate { .. } => mandate,
        }
    }

    fn blind(&self) -> Option<&str> {
        match self {
            Self::Everything => None,
            Self::Organisation { blind, .. } | Self::Mandate { blind, .. } => Some(blind),
        }
    }

    fn id(&self) -> Option<&str> {
        match self {
            Self::Everything => None,
            Self::Organisation { id, .. } | Self::Mandate { id, .. } => Some(id),
        }
    }
}

/// What is counted, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Of whom.
    pub scope: Scope,
    /// From this instant on.
    pub from: Instant,
    /// Before this instant.
    pub until: Instant,
}

impl Part {
    fn entries(&self, texts: [&'static str; 3]) -> Bound {
        let text = sql(self.scope.text(texts)).bind(self.from.micros()).bind(self.until.micros());
        text.bind(self.scope.blind())
    }

    fn mandates(&self, texts: [&'static str; 3]) -> Bound {
        let text = sql(self.scope.text(texts)).bind(self.from.micros()).bind(self.until.micros());
        text.bind(self.scope.id())
    }
}

/// Entries of a kind by hour: whole hours since the epoch, and how many.
pub async fn hours(
    snapshot: &mut Snapshot,
    part: &Part,
    kind: EventKind,
) -> Result<Vec<(i64, u64)>, StoreError> {
    let count = part.entries([HOURS, HOURS_OF_ORGANISATION, HOURS_OF_MANDATE]).bind(kind.as_str());
    snapshot.list("event_search", count, |row| Ok((row.number("hour")?, row.count("entries")?))).await
}

/// Entries of a kind by procedure (blind index).
pub async fn procedures(
    snapshot: &mut Snapshot,
    part: &Part,
    kind: EventKind,
) -> Result<Vec<(String, u64)>, StoreError> {
    let texts = [PROCEDURES, PROCEDURES_OF_ORGANISATION, PROCEDURES_OF_MANDATE];
    let count = part.entries(texts).bind(kind.as_str());
    snapshot.list("event_search", count, |row| Ok((row.text("procedure")?, row.count("entries")?))).await
}

/// Refusals by code.
pub async fn codes(snapshot: &mut Snapshot, part: &Part) -> Result<Vec<(String, u64)>, StoreError> {
    let count = part.entries([CODES, CODES_OF_ORGANISATION, CODES_OF_MANDATE]);
    snapshot.list("event_search", count, |row| Ok((row.text("code")?, row.count("entries")?))).await
}

/// Mandates consented to in the period, by channel.
pub async fn channels(snapshot: &mut Snapshot, part: &Part) -> Result<Vec<(String, u64)>, StoreError> {
    let count = part.mandates([CHANNELS, CHANNELS_OF_ORGANISATION, CHANNELS_OF_MANDATE]);
    snapshot.list("mandate", count, |row| Ok((row.text("channel")?, row.count("entries")?))).await
}

/// Mandates consented to in the period, by the time to their first use: a step below [`WAIT_STEPS`].
pub async fn waits(snapshot: &mut Snapshot, part: &Part) -> Result<Vec<(usize, u64)>, StoreError> {
    let count = part.mandates([WAITS, WAITS_OF_ORGANISATION, WAITS_OF_MANDATE]);
    snapshot
        .list("mandate", count, |row| {
            let step = usize::try_from(row.count("step")?).map_err(|_| row.inconsistent("step"))?;
            Ok((step, row.count("entries")?))
        })
        .await
}
