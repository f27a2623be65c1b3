//! The one place where a mandate ends, wholly or for one procedure: its codes and tokens die and its open
//! representations are closed in the same transaction (invariant 4).

use super::notices::{self, About};
use super::steps::{Actor, note, take_telling};
use super::{App, Caller, Error, Record, account, outbox};
use crate::mandate::{EndReason, EventKind, Instant, LifeFact, ProcedureId, State};
use crate::storage::Tx;
use crate::storage::mandates::{self, MandateRow};
use crate::storage::representations::{self, CloseReason, RepresentationRow, Scope};
use crate::storage::tokens;

/// Ends a mandate. The row becomes what is now stored.
///
/// # Errors
/// [`Error::Transition`] when there is nothing to end; nothing is written then.
pub async fn end_mandate(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    reason: EndReason,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let next = row.mandate.clone().end(reason, by.2)?;
    let notice = notices::draft(app, tx, &next, About::Ended(reason), by.2).await?;
    take_telling(app, tx, row, next, (LifeFact::Ended { reason }, notice), by).await?;
    let closing = match reason {
        EndReason::Revoked => CloseReason::Revoked,
        EndReason::Expired => CloseReason::Expired,
        EndReason::Renounced
        | EndReason::EndedByOrganisation
        | EndReason::Deceased
        | EndReason::Protected => CloseReason::Ended,
    };
    stop(app, tx, row, None, closing, by).await?;
    account::due(app, tx, row, (by.1, by.2)).await
}

/// Takes one procedure out of a mandate; the last one taken out ends it. The row becomes what is now stored.
///
/// # Errors
/// [`Error::Transition`] when the mandate is not active or does not grant the procedure; nothing is written then.
pub async fn withdraw_procedure(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    procedure: &ProcedureId,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let next = row.mandate.clone().withdraw(procedure, by.2)?;
    let over = matches!(next.state, State::Ended { .. });
    let notice = notices::draft(app, tx, &next, About::Withdrawn(procedure), by.2).await?;
    take_telling(app, tx, row, next, (LifeFact::Withdrawn { procedure: procedure.clone() }, notice), by)
        .await?;
    stop(app, tx, row, (!over).then_some(procedure), CloseReason::Revoked, by).await?;
    account::due(app, tx, row, (by.1, by.2)).await
}

/// Kills what lives of a mandate, or of one procedure of it.
async fn stop(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    procedure: Option<&ProcedureId>,
    reason: CloseReason,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let id = row.mandate.id.clone();
    let of = match procedure {
        Some(procedure) => Scope::Procedure(id, procedure.clone()),
        None => Scope::Mandate(id),
    };
    tokens::revoke_live(tx, &of, by.2).await?;
    for representation in representations::open(tx, &of).await? {
        close(app, tx, row, &representation, reason, by).await?;
    }
    Ok(())
}

/// Closes one open representation, with its entry in the mandate's history, and kills its codes and tokens.
/// The mandate's row becomes what is now stored.
pub async fn close_representation(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    representation: &RepresentationRow,
    reason: CloseReason,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    tokens::revoke_live(tx, &Scope::Representation(representation.id.clone()), by.2).await?;
    close(app, tx, row, representation, reason, by).await
}

async fn close(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    representation: &RepresentationRow,
    reason: CloseReason,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let (actor, caller, now) = by;
    let record = Record::done(EventKind::RepresentationClosed)
        .client(&representation.client)
        .procedure(&representation.procedure)
        .detail("representation", representation.id.as_str())
        .detail("reason", reason.as_str());
    let notice = notices::draft(app, tx, &row.mandate, About::Receipt(representation), now).await?;
    let record = notices::told(app, record, notice.as_ref());
    // Whoever ends it, the entry tells of the aidant whose representation it was.
    let whose = match actor {
        Actor::Aidant(_) => actor,
        Actor::Usager | Actor::Card { .. } | Actor::Reply { .. } | Actor::Service | Actor::Operator => {
            Actor::Aidant(&representation.aidant)
        }
    };
    let event = note(app, tx, row, record, (whose, caller, now)).await?;
    let after = RepresentationRow { closed: Some((now, reason)), ..representation.clone() };
    representations::update(tx, representation, &after, &event).await?;
    notices::keep(tx, notice.as_ref(), &event).await?;
    outbox::write(app, tx, &after, now).await
}

/// Closes one representation within a write; one that is closed already stays as it is.
pub(super) async fn close_one(
    app: &App,
    tx: &mut Tx,
    of: &RepresentationRow,
    reason: CloseReason,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    if of.closed.is_some() {
        return Ok(());
    }
    let mut row = mandates::load(tx, &of.mandate).await?.ok_or(Error::Unreadable)?;
    close_representation(app, tx, &mut row, of, reason, by).await
}

/// Closes, within a write, whatever is open in a browser session: it ends.
pub(super) async fn close_session(
    app: &App,
    tx: &mut Tx,
    sid: &str,
    by: (&Caller, Instant),
) -> Result<(), Error> {
    for open in representations::open(tx, &Scope::Session(sid.to_owned())).await? {
        close_one(app, tx, &open, CloseReason::SignedOut, (Actor::Service, by.0, by.1)).await?;
    }
    Ok(())
}
