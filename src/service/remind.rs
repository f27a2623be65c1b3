//! Reminders: that a mandate ends in a month and in a week, that it was not used for five months. Called by a job, on every
//! replica; each reminder is written once, in its own write, with its entry in the mandate's history.

use super::notices::{self, About};
use super::steps::{Actor, note};
use super::{App, Caller, Error};
use crate::mandate::{EventKind, Instant, MandateId, Reminder, UNUSED};
use crate::storage::{Tx, mandates, reminders, representations};
use std::sync::Arc;

/// How many are taken up at a time.
const BATCH: u32 = 100;

/// Writes every reminder that is due; how many were found.
///
/// # Errors
/// [`Error::Store`].
pub async fn round(app: &App) -> Result<usize, Error> {
    let mut found = 0;
    for reminder in Reminder::ALL {
        let due = due(app, reminder).await?;
        found += due.len();
        for mandate in due {
            let app_ = Arc::clone(app);
            let done = app
                .commit("remind", move |tx| {
                    let (app, mandate) = (Arc::clone(&app_), mandate.clone());
                    Box::pin(async move { remind(&app, tx, &mandate, reminder).await })
                })
                .await;
            // One that fails holds up no other.
            if let Err(error) = done {
                tracing::error!(code = error.code(), "a reminder could not be written");
            }
        }
    }
    Ok(found)
}

async fn due(app: &App, reminder: Reminder) -> Result<Vec<MandateId>, Error> {
    let (now, kind) = (app.now(), reminder.notice());
    let due = app.store.read("remind.due", move |snapshot| {
        Box::pin(async move {
            let due = match reminder.lead() {
                Some(lead) => {
                    // What the next reminder says already is not said before it.
                    let after = reminder.until().map_or(now, |until| now.plus(until));
                    reminders::ending(snapshot, kind, (after, now.plus(lead)), lead, BATCH).await?
                }
                None => reminders::unused(snapshot, kind, (now, now.plus(-UNUSED)), BATCH).await?,
            };
            Ok::<_, Error>(due)
        })
    });
    due.await
}

async fn remind(app: &App, tx: &mut Tx, id: &MandateId, reminder: Reminder) -> Result<(), Error> {
    let now: Instant = app.now();
    let Some(mut row) = mandates::load(tx, id).await? else { return Ok(()) };
    let last = representations::of_mandate(tx, id, 1).await?.first().map(|used| used.opened_at);
    // It may have ended, been used or been told since it was looked for.
    if !reminder.is_due(&row.mandate, last, now) || reminders::is_told(tx, id, reminder.notice()).await? {
        return Ok(());
    }
    let notice = notices::draft(app, tx, &row.mandate, About::Reminder(reminder), now).await?;
    let Some(notice) = notice else { return Ok(()) };
    let record = notices::told(app, notices::about(EventKind::NoticeDue, &notice), Some(&notice));
    let event = note(app, tx, &mut row, record, (Actor::Service, &Caller::default(), now)).await?;
    notices::keep(tx, Some(&notice), &event).await
}
