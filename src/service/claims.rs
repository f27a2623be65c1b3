//! A service asks who the usager is.

use super::held::{Held, Resource, Shown};
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, people, registry};
use crate::mandate::{EventKind, Identity, Instant};
use crate::provider::{Claim, Scope, ShownToken, USERINFO, userinfo};
use crate::storage::Tx;
use std::sync::Arc;

const RESOURCE: Resource = Resource { path: USERINFO, bound_only: false, refused: EventKind::ClaimsRefused };

/// What may be told.
struct Released {
    subject: String,
    scope: Scope,
    identity: Identity,
}

/// Gives the claims behind an access token, as JSON.
///
/// # Errors
/// [`Error::Bearer`]: journaled, unless nobody was ever given the token.
pub async fn release(
    app: &App,
    caller: &Caller,
    token: ShownToken,
    with: (&str, &[&[u8]]),
) -> Result<Vec<u8>, Error> {
    let now = app.now();
    let shown = Arc::new(Shown::at(app, RESOURCE, token, with, now));
    let (app_, caller) = (Arc::clone(app), caller.clone());
    let released = app
        .include("claims.release", move |tx| {
            let (app, caller, shown) = (Arc::clone(&app_), caller.clone(), Arc::clone(&shown));
            Box::pin(async move { run(&app, tx, &caller, &shown, now).await })
        })
        .await??;
    Ok(userinfo(&released.subject, &released.scope, &released.identity)?)
}

/// All in one transaction. The inner error is a refusal whose entry is to be committed.
async fn run(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    shown: &Shown,
    now: Instant,
) -> Result<Result<Released, Error>, Error> {
    let Held { token, mut of, .. } = match shown.held(app, tx, (caller, now)).await? {
        Ok(held) => held,
        Err(refused) => return Ok(Err(refused)),
    };
    let client = registry::registration(&of.client)?;
    let scope = Scope::grant(&token.scope, client.claims()).map_err(|_| Error::Unreadable)?;
    let (_, identity) = people::usager(app, tx, &of.representation.usager).await?;
    let names: Vec<&str> = scope.claims().iter().copied().map(Claim::as_str).collect();
    let record = Record::done(EventKind::ClaimsReleased)
        .client(&token.client)
        .procedure(&of.representation.procedure)
        .detail("representation", of.representation.id.as_str())
        .detail("claims", names.join(" "));
    let by = (Actor::Aidant(&of.representation.aidant), caller, now);
    note(app, tx, &mut of.row, record, by).await?;
    let subject = app.keys.pairwise().subject(client.sector(), &of.representation.usager);
    Ok(Ok(Released { subject, scope, identity }))
}
