//! A service pushes its authorization request before any browser is seen (RFC 9126).

use super::kept::{Life, kept};
use super::tokens::Known;
use super::{App, Caller, Error, Record, registry};
use crate::crypto::{OpaqueToken, TokenHash};
use crate::mandate::{EventKind, Instant, Refusal, Standing};
use crate::provider::{
    AuthorizationRequest, OAuthError, PAR, PageError, Params, Proof, ProofRefusal, ProvenRequest,
    REQUEST_URI_LIFE, effective, proof, pushed_answer,
};
use crate::storage::authorizations::{self, AuthorizationRequestRow};
use crate::storage::{Tx, clients};
use std::sync::Arc;

/// A pushed request on its way into the database.
struct Push {
    known: Known,
    form: Params,
    proof: Result<Option<Proof>, ProofRefusal>,
    reference: OpaqueToken,
    caller: Caller,
    now: Instant,
}

/// Takes a pushed request in; gives the JSON to send.
///
/// # Errors
/// [`Error::OAuth`], journaled as refusals at the authorization endpoint are.
pub async fn push(
    app: &App,
    caller: &Caller,
    known: Known,
    form: Params,
    proofs: &[&[u8]],
) -> Result<Vec<u8>, Error> {
    let now = app.now();
    let nonces = app.nonces(now);
    let at = ProvenRequest { method: "POST", path: PAR, token: None, nonces: &nonces };
    let proof = proof(proofs.iter().copied(), at, &app.issuer, now);
    let reference = OpaqueToken::generate(&*app.entropy)?;
    let push = Arc::new(Push { known, form, proof, reference, caller: caller.clone(), now });
    let (app_, push_) = (Arc::clone(app), Arc::clone(&push));
    app.commit("push.keep", move |tx| {
        let (app, push) = (Arc::clone(&app_), Arc::clone(&push_));
        Box::pin(async move { push.run(&app, tx).await })
    })
    .await??;
    Ok(pushed_answer(&push.reference))
}

impl Push {
    /// All in one transaction. The inner error is a refusal whose entry is to be committed.
    async fn run(&self, app: &App, tx: &mut Tx) -> Result<Result<(), Error>, Error> {
        if let Err(refused) = self.known.first_use(app, tx, (&self.caller, self.now)).await? {
            return Ok(Err(refused));
        }
        let row = clients::load(tx, self.known.client()).await?.ok_or(Error::NotFound)?;
        if row.standing != Standing::Active {
            let error = OAuthError::UnauthorizedClient;
            return self.refuse(app, tx, Refusal::ServiceSuspended.code(), error).await.map(Err);
        }
        let client = registry::registration(&row)?;
        let proof = match self.known.proven(tx, &self.proof).await? {
            Ok(proof) => proof,
            Err(refusal) => return self.refuse(app, tx, refusal.code(), refusal.into()).await.map(Err),
        };
        let form = match effective(&self.form, &client, &app.issuer, self.now) {
            Ok(form) => form,
            Err(error) => return self.refuse(app, tx, error.code(), error.into()).await.map(Err),
        };
        match AuthorizationRequest::check_pushed(&form, &client, proof) {
            Ok(request) => {
                let life = Life { from: self.now, until: self.now.plus(REQUEST_URI_LIFE) };
                let row = kept(&self.reference, None, &form, &request, life);
                authorizations::insert(tx, &row).await?;
                Ok(Ok(()))
            }
            Err(error) => self.refuse(app, tx, error.code(), error).await.map(Err),
        }
    }

    async fn refuse(
        &self,
        app: &App,
        tx: &mut Tx,
        code: &'static str,
        error: OAuthError,
    ) -> Result<Error, Error> {
        let record = Record::refused(EventKind::AuthorizationRefused, code).client(self.known.client());
        record.append(app, tx, &self.caller, self.now).await?;
        Ok(error.into())
    }
}

/// What was pushed under a reference, as long as it can be brought.
pub(super) async fn find(
    app: &App,
    reference: &TokenHash,
    now: Instant,
) -> Result<Option<AuthorizationRequestRow>, Error> {
    let hash = reference.to_hex();
    let row = app
        .store
        .read_one("push.find", |snapshot| {
            Box::pin(async move { Ok::<_, Error>(authorizations::load(snapshot, &hash).await?) })
        })
        .await?;
    Ok(row.filter(|row| row.session_hash.is_none() && row.used_at.is_none() && now < row.expires_at))
}

/// Uses a pushed request up, or keeps the refusal. The inner error's entry is to be committed.
pub(super) async fn use_up(
    app: &App,
    tx: &mut Tx,
    pushed: &str,
    refusal: Record,
    (caller, now): (&Caller, Instant),
) -> Result<Result<(), Error>, Error> {
    if authorizations::spend(tx, pushed, now).await? {
        return Ok(Ok(()));
    }
    refusal.append(app, tx, caller, now).await?;
    Ok(Err(PageError::RequestUri.into()))
}
