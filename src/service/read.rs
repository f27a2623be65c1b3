//! What anybody may read of the journal.

use super::{App, Error};
use crate::storage::journal;

/// The latest signed checkpoint; none while the journal is empty.
pub async fn checkpoint(app: &App) -> Result<Option<String>, Error> {
    app.store
        .read("journal.checkpoint", |snapshot| {
            Box::pin(async move { Ok(journal::head(snapshot).await?.map(|head| head.note)) })
        })
        .await
}

/// Whether the database answers and the journal has been opened.
pub async fn is_ready(app: &App) -> bool {
    matches!(checkpoint(app).await, Ok(Some(_)))
}
