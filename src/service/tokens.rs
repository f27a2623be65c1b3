//! A service exchanges a code for tokens.

use super::end::close_representation;
use super::grounds::Use;
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, projection, registry};
use crate::crypto::OpaqueToken;
use crate::mandate::{ClientId, EventKind, Instant};
use crate::provider::{
    ACCESS_TOKEN_LIFE, AuthenticatedClient, ClientRefusal, ClientRegistration, CodeChallenge, Credentials,
    GrantRefusal, IdToken, IssuedCode, MandateDetails, OAuthError, Params, Proof, ProofRefusal,
    ProvenRequest, Scope, TOKEN, TokenAnswer, TokenRequest, proof,
};
use crate::storage::representations::{self, CloseReason};
use crate::storage::tokens::{self, CodeRow, TokenRow};
use crate::storage::{Tx, assertions, clients};
use std::sync::Arc;

/// A request at the token endpoint whose client is who it says.
struct Exchange {
    known: Known,
    proof: Result<Option<Proof>, ProofRefusal>,
    request: TokenRequest,
    access_token: OpaqueToken,
    caller: Caller,
    now: Instant,
}

/// What the exchange gave, for the answer.
struct Granted {
    code: CodeRow,
    of: Use,
    mandate: MandateDetails,
    expires_at: Instant,
    /// Whether the token is bound to a key.
    bound: bool,
}

/// A service that proved who it is.
pub struct Known {
    by: AuthenticatedClient,
    client: ClientRegistration,
}

impl Known {
    /// Who it is.
    #[must_use]
    pub const fn client(&self) -> &ClientId {
        self.client.id()
    }

    /// What is registered of it.
    pub(super) const fn registration(&self) -> &ClientRegistration {
        &self.client
    }

    /// Uses the assertion it proved itself by up, if it did. The inner error is a refusal whose entry is to be committed.
    pub(super) async fn first_use(
        &self,
        app: &App,
        tx: &mut Tx,
        (caller, now): (&Caller, Instant),
    ) -> Result<Result<(), Error>, Error> {
        let Some(used) = &self.by.assertion else { return Ok(Ok(())) };
        let jti = OpaqueToken::hash_of(&used.jti).to_hex();
        if assertions::take(tx, &self.by.client, &jti, used.expires_at).await? {
            return Ok(Ok(()));
        }
        let error = OAuthError::from(ClientRefusal::AssertionReplayed);
        let record = Record::refused(EventKind::ClientAuthenticationRefused, error.code());
        record.client(&self.by.client).append(app, tx, caller, now).await?;
        Ok(Err(error.into()))
    }

    /// The proof of possession it came with, if it did, used up.
    pub(super) async fn proven<'p>(
        &self,
        tx: &mut Tx,
        proof: &'p Result<Option<Proof>, ProofRefusal>,
    ) -> Result<Result<Option<&'p Proof>, ProofRefusal>, Error> {
        let proof = match proof {
            Ok(Some(proof)) => proof,
            Ok(None) => return Ok(Ok(None)),
            Err(refusal) => return Ok(Err(*refusal)),
        };
        let first = assertions::take(tx, &self.by.client, &proof.once(), proof.until).await?;
        Ok(if first { Ok(Some(proof)) } else { Err(ProofRefusal::Replayed) })
    }
}

/// Who calls the token endpoint.
///
/// # Errors
/// [`Error::OAuth`], journaled with its inner reason.
pub async fn authenticate(
    app: &App,
    caller: &Caller,
    authorization: Option<&[u8]>,
    form: &Params,
) -> Result<Known, Error> {
    let now = app.now();
    match verify(app, authorization, form, now).await {
        Err(Error::OAuth(error)) => {
            let record = Record::refused(EventKind::ClientAuthenticationRefused, error.code());
            refuse(app, caller, record, error, now).await
        }
        other => other,
    }
}

/// Exchanges a code for an access token and an ID token; gives the JSON to send.
///
/// # Errors
/// [`Error::OAuth`], journaled with its inner reason; whatever else stands in the way.
pub async fn exchange(
    app: &App,
    caller: &Caller,
    known: Known,
    form: &Params,
    proofs: &[&[u8]],
) -> Result<Vec<u8>, Error> {
    let now = app.now();
    let nonces = app.nonces(now);
    let at = ProvenRequest { method: "POST", path: TOKEN, token: None, nonces: &nonces };
    let proof = proof(proofs.iter().copied(), at, &app.issuer, now);
    let request = match TokenRequest::read(form) {
        Ok(request) => request,
        Err(error) => {
            let record = Record::refused(EventKind::CodeExchangeRefused, error.code()).client(known.client());
            return refuse(app, caller, record, error, now).await;
        }
    };
    let access_token = OpaqueToken::generate(&*app.entropy)?;
    let exchange = Arc::new(Exchange { known, proof, request, access_token, caller: caller.clone(), now });
    let (app_, exchange_) = (Arc::clone(app), Arc::clone(&exchange));
    let granted = app
        .include("tokens.exchange", move |tx| {
            let (app, exchange) = (Arc::clone(&app_), Arc::clone(&exchange_));
            Box::pin(async move { exchange.run(&app, tx).await })
        })
        .await??;
    answer(app, &exchange.known.client, &exchange, &granted)
}

/// Read outside the write, so that what strangers send costs the writer nothing.
async fn verify(
    app: &App,
    authorization: Option<&[u8]>,
    form: &Params,
    now: Instant,
) -> Result<Known, Error> {
    let credentials = Credentials::read(authorization, form)?;
    let id = credentials.client().clone();
    let row = app
        .store
        .read_one("tokens.client", |snapshot| {
            Box::pin(async move { Ok::<_, Error>(clients::load(snapshot, &id).await?) })
        })
        .await?;
    let registered = row.as_ref().map(registry::registration).transpose()?;
    let by = credentials.verify(registered.as_ref(), &app.issuer, now).map_err(OAuthError::from)?;
    let client = registered.ok_or(OAuthError::InvalidClient(ClientRefusal::Unknown))?;
    Ok(Known { by, client })
}

async fn refuse<T>(
    app: &App,
    caller: &Caller,
    record: Record,
    error: OAuthError,
    now: Instant,
) -> Result<T, Error> {
    let (app_, caller) = (Arc::clone(app), caller.clone());
    app.commit("tokens.refuse", move |tx| {
        let (app, caller, record) = (Arc::clone(&app_), caller.clone(), record.clone());
        Box::pin(async move { record.append(&app, tx, &caller, now).await })
    })
    .await?;
    Err(error.into())
}

impl Exchange {
    /// The whole exchange in one transaction. The inner error is a refusal whose entry is to be committed.
    async fn run(&self, app: &App, tx: &mut Tx) -> Result<Result<Granted, Error>, Error> {
        if let Err(refused) = self.known.first_use(app, tx, (&self.caller, self.now)).await? {
            return Ok(Err(refused));
        }
        let proof = match self.known.proven(tx, &self.proof).await? {
            Ok(None) if self.known.client.profile().rules().bound_tokens => Err(ProofRefusal::Absent),
            other => other,
        };
        let proof = match proof {
            Ok(proof) => proof,
            Err(refusal) => {
                let record = Record::refused(EventKind::CodeExchangeRefused, refusal.code());
                record.client(self.known.client()).append(app, tx, &self.caller, self.now).await?;
                return Ok(Err(OAuthError::from(refusal).into()));
            }
        };
        let hash = self.request.code_hash().to_hex();
        let code = tokens::load_code(tx, &hash).await?;
        let challenge = code.as_ref().and_then(|code| code.code_challenge.as_deref());
        let challenge = challenge.map(CodeChallenge::parse).transpose().map_err(|_| Error::Unreadable)?;
        let issued = code.as_ref().map(|code| IssuedCode {
            client: &code.client,
            redirect_uri: &code.redirect_uri,
            challenge: challenge.as_ref(),
            bound_to: code.dpop_jkt.as_deref(),
            expires_at: code.expires_at,
            used: code.used_at.is_some(),
        });
        let redeemed = self.request.redeem(&self.known.by, issued, proof, self.now);
        let Some(code) = code else {
            let record = Record::refused(EventKind::CodeExchangeRefused, GrantRefusal::CodeUnknown.code());
            record.client(self.known.client()).append(app, tx, &self.caller, self.now).await?;
            return Ok(Err(OAuthError::from(GrantRefusal::CodeUnknown).into()));
        };
        let of = representations::load(tx, &code.representation).await?.ok_or(Error::Unreadable)?;
        let of = Use::read(tx, of).await?;
        match redeemed {
            Ok(()) => self.grant(app, tx, code, of, proof).await,
            Err(refusal) => {
                self.kill_or_note(app, tx, of, refusal).await?;
                Ok(Err(OAuthError::from(refusal).into()))
            }
        }
    }

    /// A code that comes twice has been seen by somebody it was not for: what it gave dies (RFC 6749, section 4.1.2).
    async fn kill_or_note(
        &self,
        app: &App,
        tx: &mut Tx,
        mut of: Use,
        refusal: GrantRefusal,
    ) -> Result<(), Error> {
        let kind = match refusal {
            GrantRefusal::CodeReplayed => EventKind::CodeReplayed,
            _ => EventKind::CodeExchangeRefused,
        };
        of.refusal(kind, refusal.code()).keep(app, tx, (&self.caller, self.now)).await?;
        if refusal == GrantRefusal::CodeReplayed && of.representation.closed.is_none() {
            let by = (Actor::Service, &self.caller, self.now);
            let (row, open) = (&mut of.row, &of.representation);
            close_representation(app, tx, row, open, CloseReason::Replayed, by).await?;
        }
        Ok(())
    }

    async fn grant(
        &self,
        app: &App,
        tx: &mut Tx,
        code: CodeRow,
        mut of: Use,
        proof: Option<&Proof>,
    ) -> Result<Result<Granted, Error>, Error> {
        let allowed = match of.allowed(app, self.now) {
            Ok(allowed) => allowed,
            Err(reason) => {
                let refusal = of.refusal(EventKind::CodeExchangeRefused, reason);
                refusal.keep(app, tx, (&self.caller, self.now)).await?;
                of.service_knows(app, tx, (&self.caller, self.now)).await?;
                return Ok(Err(OAuthError::from(GrantRefusal::NotAllowed).into()));
            }
        };
        if !tokens::use_code(tx, &code.code_hash, self.now).await? {
            let refusal = of.refusal(EventKind::CodeExchangeRefused, GrantRefusal::CodeExpired.code());
            refusal.keep(app, tx, (&self.caller, self.now)).await?;
            return Ok(Err(OAuthError::from(GrantRefusal::CodeExpired).into()));
        }
        let record = Record::done(EventKind::TokensIssued)
            .client(&code.client)
            .procedure(&of.representation.procedure)
            .detail("representation", of.representation.id.as_str());
        let by = (Actor::Aidant(&of.representation.aidant), &self.caller, self.now);
        note(app, tx, &mut of.row, record, by).await?;
        let expires_at = self.now.plus(ACCESS_TOKEN_LIFE).min(allowed.until);
        let token = TokenRow {
            token_hash: self.access_token.hash().to_hex(),
            representation: code.representation.clone(),
            client: code.client.clone(),
            scope: code.scope.clone(),
            issued_at: self.now,
            expires_at,
            revoked_at: None,
            dpop_jkt: proof.map(|proof| proof.key.as_str().to_owned()),
        };
        tokens::insert_token(tx, &token).await?;
        let mandate = projection::mandate_of_code(app, tx, &of, &allowed, &code).await?;
        Ok(Ok(Granted { code, of, mandate, expires_at, bound: proof.is_some() }))
    }
}

/// Makes and signs the tokens: after the commit, so that signing holds nobody up.
fn answer(
    app: &App,
    client: &ClientRegistration,
    exchange: &Exchange,
    granted: &Granted,
) -> Result<Vec<u8>, Error> {
    let of = &granted.of.representation;
    let mandate = &granted.mandate;
    let actor = projection::actor(app, client, of, mandate);
    let id_token = IdToken {
        issuer: &app.issuer,
        subject: &app.keys.pairwise().subject(client.sector(), &of.usager),
        client: client.id(),
        now: exchange.now,
        authenticated_at: granted.code.auth_time,
        nonce: granted.code.nonce.as_deref(),
        access_token: &exchange.access_token,
        actor: &actor,
        mandate,
        sid: of.id.as_str(),
    };
    let id_token = id_token.sign(app.keys.token_key(client.id_token_alg()))?;
    let scope = Scope::grant(&granted.code.scope, client.claims()).map_err(|_| Error::Unreadable)?;
    let answer = TokenAnswer {
        access_token: &exchange.access_token,
        bound: granted.bound,
        expires_in: granted.expires_at.since(exchange.now),
        id_token: &id_token,
        scope: &scope,
        mandate,
    };
    Ok(answer.to_json()?)
}
