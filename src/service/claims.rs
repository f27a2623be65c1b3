//! A service asks who the usager is.

use super::grounds::Use;
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, people, registry};
use crate::mandate::{EventKind, Identity, Instant};
use crate::provider::{
    BearerError, Claim, Proof, ProofRefusal, ProvenRequest, Scheme, Scope, ShownToken, USERINFO, proof,
    userinfo,
};
use crate::storage::tokens::{self, TokenRow};
use crate::storage::{Tx, assertions, representations};
use std::sync::Arc;

/// A token that lives, for someone who must not learn it.
const DEAD: &str = "token_not_live";

/// A token as it is shown, with the proof beside it.
struct Shown {
    token: ShownToken,
    proof: Result<Option<Proof>, ProofRefusal>,
}

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
    (method, proofs): (&str, &[&[u8]]),
) -> Result<Vec<u8>, Error> {
    let now = app.now();
    let at = ProvenRequest { method, path: USERINFO, token: Some(&token.hash) };
    let proof = proof(proofs.iter().copied(), at, &app.issuer, now);
    let (app_, caller, shown) = (Arc::clone(app), caller.clone(), Arc::new(Shown { token, proof }));
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
    let Some(token) = tokens::load_token(tx, &shown.token.hash.to_hex()).await? else {
        // Anyone may send any text: it concerns nobody and writes nothing.
        return Ok(Err(BearerError::InvalidToken.into()));
    };
    let of = representations::load(tx, &token.representation).await?.ok_or(Error::Unreadable)?;
    let mut of = Use::read(tx, of).await?;
    if let Err(refusal) = shown.is_held_by_its_key(tx, &token).await? {
        of.refusal(EventKind::ClaimsRefused, refusal.code()).keep(app, tx, (caller, now)).await?;
        return Ok(Err(BearerError::from(refusal).into()));
    }
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

impl Shown {
    /// Whether a token bound to a key comes with a fresh proof of it, and one that is not comes as what it is (RFC 9449,
    /// section 7). Nothing about the token is told before.
    async fn is_held_by_its_key(
        &self,
        tx: &mut Tx,
        token: &TokenRow,
    ) -> Result<Result<(), ProofRefusal>, Error> {
        let Some(key) = &token.dpop_jkt else {
            let plain = self.token.scheme == Scheme::Bearer;
            return Ok(if plain { Ok(()) } else { Err(ProofRefusal::OtherKey) });
        };
        let proof = match (&self.proof, self.token.scheme) {
            (_, Scheme::Bearer) | (Ok(None), _) => return Ok(Err(ProofRefusal::Absent)),
            (Err(refusal), Scheme::Dpop) => return Ok(Err(*refusal)),
            (Ok(Some(proof)), Scheme::Dpop) => proof,
        };
        if proof.key.as_str() != key {
            return Ok(Err(ProofRefusal::OtherKey));
        }
        let first = assertions::take(tx, &token.client, &proof.once(), proof.until).await?;
        Ok(if first { Ok(()) } else { Err(ProofRefusal::Replayed) })
    }
}

/// The decision comes first, so that the journal tells why a token died.
fn lives(app: &App, token: &TokenRow, of: &Use, now: Instant) -> Result<(), &'static str> {
    of.allowed(app, now)?;
    if token.is_live(now) { Ok(()) } else { Err(DEAD) }
}
