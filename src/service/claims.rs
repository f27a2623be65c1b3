//! A service asks who the usager is.

use super::grounds::Use;
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, people, registry};
use crate::crypto::TokenHash;
use crate::mandate::{EventKind, Identity, Instant};
use crate::provider::{BearerError, Claim, Scope, userinfo};
use crate::storage::tokens::{self, TokenRow};
use crate::storage::{Tx, representations};
use std::sync::Arc;

/// A token that lives, for someone who must not learn it.
const DEAD: &str = "token_not_live";

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
pub async fn release(app: &App, caller: &Caller, token: TokenHash) -> Result<Vec<u8>, Error> {
    let now = app.now();
    let (app_, caller) = (Arc::clone(app), caller.clone());
    let released = app
        .include("claims.release", move |tx| {
            let (app, caller) = (Arc::clone(&app_), caller.clone());
            Box::pin(async move { run(&app, tx, &caller, &token.to_hex(), now).await })
        })
        .await??;
    Ok(userinfo(&released.subject, &released.scope, &released.identity)?)
}

/// All in one transaction. The inner error is a refusal whose entry is to be committed.
async fn run(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    token_hash: &str,
    now: Instant,
) -> Result<Result<Released, Error>, Error> {
    let Some(token) = tokens::load_token(tx, token_hash).await? else {
        // Anyone may send any text: it concerns nobody and writes nothing.
        return Ok(Err(BearerError::InvalidToken.into()));
    };
    let of = representations::load(tx, &token.representation).await?.ok_or(Error::Unreadable)?;
    let mut of = Use::read(tx, of).await?;
    if let Err(code) = lives(app, &token, &of, now) {
        of.refusal(EventKind::ClaimsRefused, code).keep(app, tx, (caller, now)).await?;
        of.service_knows(app, tx, (caller, now)).await?;
        return Ok(Err(BearerError::InvalidToken.into()));
    }
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

/// The decision comes first, so that the journal tells why a token died.
fn lives(app: &App, token: &TokenRow, of: &Use, now: Instant) -> Result<(), &'static str> {
    of.allowed(app, now)?;
    if token.is_live(now) { Ok(()) } else { Err(DEAD) }
}
