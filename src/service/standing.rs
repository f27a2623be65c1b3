//! A service asks how the representation it holds a token for stands, and reports what became of the procedure.

use super::held::{Held, Resource, Shown};
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, projection};
use crate::mandate::{EventKind, Instant, ProcedureOutcome, ServiceReport};
use crate::provider::{BearerError, MandateDetails, REPRESENTATION, ShownToken, Standing};
use crate::storage::Tx;
use crate::storage::representations::{self, RepresentationRow};
use std::sync::Arc;

/// Only for tokens bound to a key: whoever finds one must not report in the service's name.
const RESOURCE: Resource =
    Resource { path: REPRESENTATION, bound_only: true, refused: EventKind::StandingRefused };

/// How the representation behind a token stands, as JSON. Journaled.
///
/// # Errors
/// [`Error::Bearer`]: journaled, unless nobody was ever given the token.
pub async fn read(app: &App, caller: &Caller, token: ShownToken, proofs: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let now = app.now();
    let (app_, caller) = (Arc::clone(app), caller.clone());
    let shown = Arc::new(Shown::at(app, RESOURCE, token, ("GET", proofs), now));
    let told = app.include("standing.read", move |tx| {
        let (app, caller, shown) = (Arc::clone(&app_), caller.clone(), Arc::clone(&shown));
        Box::pin(async move {
            let Held { of, allowed, .. } = match shown.held(&app, tx, (&caller, now)).await? {
                Ok(held) => held,
                Err(refused) => return Ok(Err(refused)),
            };
            let mandate = projection::mandate(&app, tx, &of, &allowed).await?;
            let of = of.representation;
            // A reading is no step in the mandate's own history: services may ask often.
            let record = about(&of, EventKind::StandingRead).about(&of.mandate);
            let record = record.organisation(&of.organisation).aidant(&of.aidant).usager(&of.usager);
            record.append(&app, tx, &caller, now).await?;
            Ok::<_, Error>(Ok((of, mandate)))
        })
    });
    let (of, mandate) = told.await??;
    json(&of, &mandate)
}

/// Takes a report and tells how things stand then. The same report again changes nothing.
///
/// # Errors
/// As [`read`]; [`BearerError::OutcomeFinal`], journaled, when the procedure was sent off or given up before.
pub async fn report(
    app: &App,
    caller: &Caller,
    token: ShownToken,
    proofs: &[&[u8]],
    report: ServiceReport,
) -> Result<Vec<u8>, Error> {
    let now = app.now();
    let (app_, caller, report) = (Arc::clone(app), caller.clone(), Arc::new(report));
    let shown = Arc::new(Shown::at(app, RESOURCE, token, ("POST", proofs), now));
    let told = app.include("standing.report", move |tx| {
        let (app, caller, shown, report) =
            (Arc::clone(&app_), caller.clone(), Arc::clone(&shown), Arc::clone(&report));
        Box::pin(async move {
            let held = match shown.held(&app, tx, (&caller, now)).await? {
                Ok(held) => held,
                Err(refused) => return Ok(Err(refused)),
            };
            let mandate = projection::mandate(&app, tx, &held.of, &held.allowed).await?;
            Ok::<_, Error>(take(&app, tx, held, &report, (&caller, now)).await?.map(|of| (of, mandate)))
        })
    });
    let (of, mandate) = told.await??;
    json(&of, &mandate)
}

/// Writes the report down. The inner error is a refusal whose entry is to be committed.
async fn take(
    app: &App,
    tx: &mut Tx,
    mut held: Held,
    report: &ServiceReport,
    (caller, now): (&Caller, Instant),
) -> Result<Result<RepresentationRow, Error>, Error> {
    let before = held.of.representation.clone();
    if before.outcome == Some(report.outcome()) {
        return Ok(Ok(before));
    }
    if before.outcome.is_some_and(ProcedureOutcome::is_final) {
        let refused = BearerError::OutcomeFinal;
        held.of.refusal(RESOURCE.refused, refused.code()).keep(app, tx, (caller, now)).await?;
        return Ok(Err(refused.into()));
    }
    let record = about(&before, EventKind::OutcomeReported).detail("outcome", report.outcome().as_str());
    let record = match report.receipt() {
        Some(receipt) => record.detail("receipt", receipt.as_str()),
        None => record,
    };
    let by = (Actor::Aidant(&before.aidant), caller, now);
    let event = note(app, tx, &mut held.of.row, record, by).await?;
    let after = RepresentationRow { outcome: Some(report.outcome()), ..before.clone() };
    representations::update(tx, &before, &after, &event).await?;
    Ok(Ok(after))
}

fn about(of: &RepresentationRow, kind: EventKind) -> Record {
    let record = Record::done(kind).client(&of.client).procedure(&of.procedure);
    record.detail("representation", of.id.as_str())
}

fn json(of: &RepresentationRow, mandate: &MandateDetails) -> Result<Vec<u8>, Error> {
    let standing = Standing { id: &of.id, ends: of.ends_at, outcome: of.outcome, mandate };
    Ok(standing.to_json()?)
}
