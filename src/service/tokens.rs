//! A service asks for tokens: who it is, what it asks by, and the answer.

mod exchange;
mod refresh;

use super::{App, Caller, Error, Record, projection, registry};
use crate::crypto::{ClientMac, OpaqueToken};
use crate::mandate::{ClientId, EventKind, Instant};
use crate::provider::{
    AuthenticatedClient, ClientRefusal, ClientRegistration, Credentials, Grant, IdToken, MandateDetails,
    OAuthError, Params, Proof, ProofRefusal, ProvenRequest, Said, TOKEN, TokenAnswer, proof,
};
use crate::storage::clients::ClientRow;
use crate::storage::representations::RepresentationRow;
use crate::storage::{Tx, assertions, clients};
use std::sync::Arc;

/// A request at the token endpoint whose client is who it says.
struct Asked<R> {
    known: Known,
    proof: Result<Option<Proof>, ProofRefusal>,
    request: R,
    access_token: OpaqueToken,
    caller: Caller,
    now: Instant,
}

/// What a request gave, for the answer.
struct Granted {
    of: RepresentationRow,
    mandate: MandateDetails,
    scope: String,
    auth_time: Instant,
    nonce: Option<String>,
    expires_at: Instant,
    /// Whether the token is bound to a key.
    bound: bool,
}

/// A service that proved who it is.
pub struct Known {
    by: AuthenticatedClient,
    client: ClientRegistration,
    /// Its secret, where that signs its ID tokens.
    secret: Option<ClientMac>,
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

/// Gives tokens for a code or a refresh token: the JSON to send.
///
/// # Errors
/// [`Error::OAuth`], journaled with its inner reason; whatever else stands in the way.
pub async fn grant(
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
    let grant = match Grant::read(form) {
        Ok(grant) => grant,
        Err(error) => {
            let record = Record::refused(EventKind::CodeExchangeRefused, error.code()).client(known.client());
            return refuse(app, caller, record, error, now).await;
        }
    };
    let access_token = OpaqueToken::generate(&*app.entropy)?;
    let caller = caller.clone();
    match grant {
        Grant::Code(request) => {
            exchange::exchange(app, Asked { known, proof, request, access_token, caller, now }).await
        }
        Grant::Refresh(request) => {
            refresh::refresh(app, Asked { known, proof, request, access_token, caller, now }).await
        }
    }
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
    // Before anything is used up for an answer that nothing could sign.
    app.keys.token_key(client.signing_alg())?;
    let secret = match row.filter(|_| client.id_token_alg().key().is_none()) {
        Some(row) => secret(app, row).await?,
        None => None,
    };
    Ok(Known { by, client, secret })
}

/// The secret of a client that proved itself and whose secret signs its ID tokens.
async fn secret(app: &App, row: ClientRow) -> Result<Option<ClientMac>, Error> {
    let (app_, row) = (Arc::clone(app), Arc::new(row));
    app.store
        .read("tokens.secret", move |snapshot| {
            let (app, row) = (Arc::clone(&app_), Arc::clone(&row));
            Box::pin(async move { registry::secret(&app, snapshot, &row).await })
        })
        .await
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

impl<R> Asked<R> {
    /// What holds for every grant: the assertion is used up, and there is a proof where the profile wants one. The inner
    /// error is a refusal of that kind, whose entry is to be committed.
    async fn proven(
        &self,
        app: &App,
        tx: &mut Tx,
        refused: EventKind,
    ) -> Result<Result<Option<&Proof>, Error>, Error> {
        if let Err(refused) = self.known.first_use(app, tx, (&self.caller, self.now)).await? {
            return Ok(Err(refused));
        }
        let proof = match self.known.proven(tx, &self.proof).await? {
            Ok(None) if self.known.client.profile().rules().bound_tokens => Err(ProofRefusal::Absent),
            other => other,
        };
        match proof {
            Ok(proof) => Ok(Ok(proof)),
            Err(refusal) => self.turn_away(app, tx, refused, refusal.into()).await.map(Err),
        }
    }

    /// Keeps a refusal that concerns nobody's mandate.
    async fn turn_away(
        &self,
        app: &App,
        tx: &mut Tx,
        kind: EventKind,
        error: OAuthError,
    ) -> Result<Error, Error> {
        let record = Record::refused(kind, error.code()).client(self.known.client());
        record.append(app, tx, &self.caller, self.now).await?;
        Ok(error.into())
    }

    /// Makes and signs the tokens: after the commit, so that signing holds nobody up.
    fn answer(
        &self,
        app: &App,
        granted: &Granted,
        refresh_token: Option<&OpaqueToken>,
    ) -> Result<Vec<u8>, Error> {
        let (client, mandate) = (&self.known.client, &granted.mandate);
        let (acr, said) = projection::said(app, client, &granted.of, mandate)?;
        let id_token = IdToken {
            issuer: &app.issuer,
            subject: &projection::subject(app, client, &granted.of),
            client: client.id(),
            now: self.now,
            authenticated_at: granted.auth_time,
            nonce: granted.nonce.as_deref(),
            access_token: &self.access_token,
            acr: &acr,
            said: &said,
            until: mandate.expires,
            sid: granted.of.id.as_str(),
        };
        let id_token = id_token.sign(registry::signer(app, client, self.known.secret.as_ref())?)?;
        let scope = client.grant(&granted.scope).map_err(|_| Error::Unreadable)?;
        let answer = TokenAnswer {
            access_token: &self.access_token,
            refresh_token,
            bound: granted.bound,
            expires_in: granted.expires_at.since(self.now),
            id_token: &id_token,
            scope: &scope,
            mandate: (!matches!(said, Said::RepScope { .. })).then_some(mandate),
        };
        Ok(answer.to_json()?)
    }
}
