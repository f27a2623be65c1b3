//! A choice is shown once more before it is confirmed: both persons, the procedure, its acts and its end.

use crate::mandate::{Act, EventKind, Identity, Instant, MandateId, ProcedureId, Refusal, UsagerId};
use crate::service::authorize::{Waiting, append, find_request};
use crate::service::grounds::Parties;
use crate::service::{App, Caller, Error, Record, Session, people};
use crate::storage::{aidants, mandates, organisations};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What the aidant confirms: both persons, the procedure, its acts and its end.
pub struct Confirmation {
    /// The request.
    pub waiting: Waiting,
    /// Who acts.
    pub aidant: String,
    /// For which organisation.
    pub organisation: String,
    /// In whose name.
    pub usager: UsagerId,
    /// Who that is. Personal data.
    pub identity: Identity,
    /// The acts.
    pub acts: BTreeSet<Act>,
    /// The mandate's end.
    pub until: Instant,
}

/// Shows a choice before it is confirmed, or again while its code has not been exchanged: who waited for the journal
/// goes on from here. The choice and its refusal are journaled.
///
/// # Errors
/// [`Error::Refused`] when it is not possible (any more); [`Error::NotFound`] for anybody else's mandate;
/// [`Error::BeingRecorded`] when it was made and is not under a signed checkpoint yet.
pub async fn preview(
    app: &App,
    session: &Session,
    caller: &Caller,
    handle: &str,
    mandate: &MandateId,
    procedure: &ProcedureId,
) -> Result<Confirmation, Error> {
    let now = app.now();
    let (app_, session, handle) = (Arc::clone(app), session.clone(), handle.to_owned());
    let (mandate, procedure) = (mandate.clone(), procedure.clone());
    let looked = app
        .store
        .read("represent.preview", move |snapshot| {
            Box::pin(async move {
                let waiting = find_request(snapshot, &session, &handle).await?;
                let earlier = match waiting.row.used_at {
                    Some(used_at) => {
                        let chosen = (&mandate, &procedure, used_at);
                        Some(super::opened_before(snapshot, &session, &waiting, chosen).await?.1.event)
                    }
                    None if now >= waiting.row.expires_at => return Err(Error::NotFound),
                    None => None,
                };
                let aidant = waiting.ready(&session, now)?.aidant.clone();
                let parties = Parties::read(snapshot, &aidant, &waiting.client_row).await?;
                let row = mandates::load(snapshot, &mandate).await?.ok_or(Error::NotFound)?;
                let chosen = |record: Record| {
                    let record = record
                        .organisation(&parties.organisation.id)
                        .aidant(&aidant)
                        .client(&waiting.request.client)
                        .about(&mandate)
                        .procedure(&procedure);
                    row.mandate.usager().map_or(record.clone(), |usager| record.usager(usager))
                };
                let allowed = match waiting.decide(&app_, &parties, &row.mandate, &procedure, now) {
                    Ok(allowed) => allowed,
                    Err(refusal) => {
                        let record = Record::refused(EventKind::ChoiceRefused, refusal.code());
                        return Ok((chosen(record), Err(refusal)));
                    }
                };
                let made = chosen(Record::done(EventKind::ChoiceMade));
                let usager = row.mandate.usager().ok_or(Error::Unreadable)?;
                let (_, identity) = people::usager(&app_, snapshot, usager).await?;
                let organisation = organisations::load(snapshot, &parties.organisation.id).await?;
                let professional = aidants::load(snapshot, &aidant).await?.ok_or(Error::NotFound)?;
                let holder = people::Holder::Aidant(aidant.as_str());
                let sealed = &professional.identity_sealed;
                let professional = people::professional(&app_, snapshot, holder, sealed).await?;
                let confirmation = Confirmation {
                    aidant: format!("{} {}", professional.given_name, professional.family_name),
                    organisation: organisation.ok_or(Error::NotFound)?.name,
                    usager: usager.clone(),
                    identity,
                    acts: allowed.acts,
                    until: allowed.until,
                    waiting,
                };
                Ok::<_, Error>((made, Ok((confirmation, earlier))))
            })
        })
        .await?;
    match looked {
        (_, Ok((confirmation, Some(earlier)))) => {
            app.stands(Some(earlier)).await?;
            Ok(confirmation)
        }
        (made, Ok((confirmation, None))) => {
            append(app, caller, "represent.chosen", made, now).await?;
            Ok(confirmation)
        }
        (refused, Err(refusal)) => {
            append(app, caller, "represent.chosen", refused, now).await?;
            Err(as_told(refusal))
        }
    }
}

/// Outsiders learn nothing, not even that there is a mandate (invariant 9).
fn as_told(refusal: Refusal) -> Error {
    match refusal {
        Refusal::ForeignMandate => Error::NotFound,
        other => other.into(),
    }
}
