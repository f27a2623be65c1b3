//! The times of others beside our own: what a witness or an authority says it saw cannot hold entries of a later time
//! (contract journal.md, 4.6, "back-dating").

use super::{App, Error};
use crate::mandate::Instant;
use crate::storage::search;
use time::Duration;

/// How far clocks may be apart.
pub(super) const TOLERANCE: Duration = Duration::minutes(5);

/// Whether what somebody else says now may be kept: not before the entries it is about, or verification would find that they
/// contradict each other for ever after, and not in time to come.
pub(super) async fn fits(app: &App, at: Instant) -> Result<bool, Error> {
    if at.since(app.now()) > TOLERANCE {
        return Ok(false);
    }
    let newest = app.store.read_one("dates.newest", |snapshot| Box::pin(search::newest(snapshot))).await?;
    Ok(newest.is_none_or(|newest| newest.since(at) <= TOLERANCE))
}
