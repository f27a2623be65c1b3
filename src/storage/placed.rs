//! Entries that another replica gave their place (PostgreSQL): one question for all who wait here.

use super::bound::sql;
use super::postgres::Sequencing;
use super::tx::Snapshot;
use super::{Statement, StoreError};
use crate::mandate::EventId;
use std::sync::Weak;
use std::time::Duration;

const PLACED: &str = "SELECT event_id FROM leaf WHERE event_id = ANY (string_to_array($1, ' '))";

/// Statements that only PostgreSQL knows.
pub(super) const STATEMENTS: &[Statement] = &[Statement { name: "storage::placed::PLACED", text: PLACED }];

/// How often another replica's work is looked for, and how long one waits before it is.
const LOOK: Duration = Duration::from_millis(25);
/// Entries asked for at once.
const MOST: usize = 1_024;

/// Looks for them until the store is gone.
pub(super) async fn follow(sequencing: Weak<Sequencing>) {
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(sequencing) = sequencing.upgrade() else { return };
        if let Err(error) = look(&sequencing).await {
            tracing::warn!(%error, code = error.code(), "whether entries have their place could not be asked");
        }
    }
}

async fn look(sequencing: &Sequencing) -> Result<(), StoreError> {
    let waiting = sequencing.waiting.longer_than(LOOK, MOST);
    if waiting.is_empty() {
        return Ok(());
    }
    let ids = waiting.iter().map(EventId::as_str).collect::<Vec<_>>().join(" ");
    let mut snapshot = Snapshot::single(sequencing.pool()).await?;
    let placed = snapshot.list("leaf", sql(PLACED).bind(ids), |row| row.id("event_id")).await?;
    for event in &placed {
        sequencing.waiting.placed(event);
    }
    Ok(())
}
