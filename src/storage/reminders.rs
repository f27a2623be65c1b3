//! Which mandates a usager may have to be reminded of. Who wants to be told nothing is left out, and what was told already.

use super::bound::{Bound, sql};
use super::statement::statements;
use super::{Snapshot, StoreError};
use crate::mandate::{Instant, MandateId, NoticeKind};
use time::Duration;

const TABLE: &str = "mandate";

macro_rules! due {
    ($($rest:literal)*) => {
        concat!(
            "SELECT id FROM mandate WHERE state = 'active' AND ends_at > $1 AND NOT EXISTS (SELECT 1 FROM notice \
             WHERE notice.mandate_id = mandate.id AND notice.kind = $2) AND NOT EXISTS (SELECT 1 FROM contact \
             WHERE contact.usager_id = mandate.usager_id AND contact.channel = 'none') AND ",
            $($rest,)*
        )
    };
}

statements! {
    ENDING = due!("ends_at <= $3 AND ends_at - starts_at > $4 ORDER BY ends_at, id LIMIT CAST($5 AS BIGINT)");
    UNUSED = due!("starts_at <= $3 AND NOT EXISTS (SELECT 1 FROM representation WHERE \
        representation.mandate_id = mandate.id AND representation.opened_at > $3) ORDER BY starts_at, id \
        LIMIT CAST($4 AS BIGINT)");
    TOLD = "SELECT id FROM notice WHERE mandate_id = $1 AND kind = $2 LIMIT 1";
}

/// Mandates that stand, end after `after` and by `by`, and stood for longer than `longer`; without a notice of that kind.
pub async fn ending(
    snapshot: &mut Snapshot,
    kind: NoticeKind,
    (after, by): (Instant, Instant),
    longer: Duration,
    limit: u32,
) -> Result<Vec<MandateId>, StoreError> {
    let longer = i64::try_from(longer.whole_microseconds()).unwrap_or(i64::MAX);
    let rows = sql(ENDING).bind(after.micros()).bind(kind.as_str()).bind(by.micros()).bind(longer);
    ids(snapshot, rows.bind(i64::from(limit))).await
}

/// Mandates that stand at `now` and were neither begun nor used after `since`; without a notice of that kind.
pub async fn unused(
    snapshot: &mut Snapshot,
    kind: NoticeKind,
    (now, since): (Instant, Instant),
    limit: u32,
) -> Result<Vec<MandateId>, StoreError> {
    let rows = sql(UNUSED).bind(now.micros()).bind(kind.as_str()).bind(since.micros());
    ids(snapshot, rows.bind(i64::from(limit))).await
}

/// Whether there is a notice of that kind about a mandate.
pub async fn is_told(
    snapshot: &mut Snapshot,
    mandate: &MandateId,
    kind: NoticeKind,
) -> Result<bool, StoreError> {
    let told = sql(TOLD).bind(mandate.as_str()).bind(kind.as_str());
    Ok(snapshot.find("notice", told, |row| row.text("id")).await?.is_some())
}

async fn ids(snapshot: &mut Snapshot, rows: Bound) -> Result<Vec<MandateId>, StoreError> {
    snapshot.list(TABLE, rows, |row| row.id("id")).await
}
