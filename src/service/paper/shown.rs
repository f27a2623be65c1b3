//! Whoever is shown a paper asks whether its mandate stands: by its number and the code on it, without signing in.
//!
//! Nothing of persons is told, and one answer serves an unknown number, a wrong code and a mandate that was erased.

use crate::crypto::same;
use crate::mandate::{EventKind, Instant, Mandate, MandateNumber};
use crate::service::accept::code_hash;
use crate::service::card::over_since;
use crate::service::{App, Caller, Error, Record};
use crate::storage::{Tx, mandates, organisations};
use std::sync::Arc;

/// What a paper's holder is told of its mandate.
pub struct Presented {
    /// The mandate: to tell its terms and where it stands, nothing of its persons.
    pub mandate: Mandate,
    /// Name of the organisation.
    pub organisation: String,
    /// Since when nobody can use it any more.
    pub over: Option<Instant>,
    /// When this was looked up.
    pub now: Instant,
}

/// Stable code of every look-up that finds nothing.
pub const REFUSED: &str = "paper_refused";

/// Looks a mandate up by what stands on its paper, however it was typed; `None` whatever is wrong. Each look-up is
/// journaled. It is an answer and no act: it waits for its entry's commit and not for its inclusion.
///
/// # Errors
/// From the store and the keys.
pub async fn look_up(
    app: &App,
    caller: &Caller,
    (number, code): (&str, &str),
) -> Result<Option<Presented>, Error> {
    // By the code alone one finds the row, or none: as much is done for either.
    let asked = Arc::new((MandateNumber::parse(number), code_hash(app, code)));
    let (app_, caller, now) = (Arc::clone(app), caller.clone(), app.now());
    app.commit("paper.look_up", move |tx| {
        let (app, caller, asked) = (Arc::clone(&app_), caller.clone(), Arc::clone(&asked));
        Box::pin(async move { run(&app, tx, &asked, (&caller, now)).await })
    })
    .await
}

async fn run(
    app: &App,
    tx: &mut Tx,
    (number, hash): &(Option<MandateNumber>, String),
    (caller, now): (&Caller, Instant),
) -> Result<Option<Presented>, Error> {
    let found = mandates::by_verification_code(tx, hash).await?;
    let found = found.filter(|row| {
        let kept = row.verification_code_hash.as_deref().unwrap_or_default();
        *number == Some(MandateNumber::of(&row.mandate.id)) && same(kept.as_bytes(), hash.as_bytes())
    });
    let Some(row) = found else {
        Record::refused(EventKind::MandateVerified, REFUSED).append(app, tx, caller, now).await?;
        return Ok(None);
    };
    let mandate = row.mandate;
    let organisation = organisations::load(tx, &mandate.organisation).await?.ok_or(Error::Unreadable)?;
    let record =
        Record::done(EventKind::MandateVerified).organisation(&mandate.organisation).about(&mandate.id);
    let record = match mandate.usager() {
        Some(usager) => record.usager(usager),
        None => record,
    };
    record.append(app, tx, caller, now).await?;
    let over = over_since(&mandate, now);
    Ok(Some(Presented { organisation: organisation.name, over, mandate, now }))
}
