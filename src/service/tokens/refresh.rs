//! Another access token for a refresh token.

use super::{App, Asked, Error, Granted, Record};
use crate::mandate::EventKind;
use crate::provider::{
    ACCESS_TOKEN_LIFE, GrantRefusal, IssuedRefresh, OAuthError, Proof, Refresh, RefreshRequest,
};
use crate::service::grounds::Use;
use crate::service::projection;
use crate::service::steps::{Actor, note};
use crate::storage::tokens::{self, TokenRow};
use crate::storage::{Tx, representations};
use std::sync::Arc;

/// What its refusals are journaled as.
const REFUSED: EventKind = EventKind::RefreshRefused;

/// Gives another access token and an ID token that goes with it, as long as the representation stands: the JSON to send.
pub(super) async fn refresh(app: &App, asked: Asked<RefreshRequest>) -> Result<Vec<u8>, Error> {
    let asked = Arc::new(asked);
    let (app_, asked_) = (Arc::clone(app), Arc::clone(&asked));
    let granted = app
        .include("tokens.refresh", move |tx| {
            let (app, asked) = (Arc::clone(&app_), Arc::clone(&asked_));
            Box::pin(async move { asked.run(&app, tx).await })
        })
        .await??;
    asked.answer(app, &granted, None)
}

impl Asked<RefreshRequest> {
    /// All in one transaction. The inner error is a refusal whose entry is to be committed.
    async fn run(&self, app: &App, tx: &mut Tx) -> Result<Result<Granted, Error>, Error> {
        let proof = match self.proven(app, tx, REFUSED).await? {
            Ok(proof) => proof,
            Err(refused) => return Ok(Err(refused)),
        };
        if self.known.client.refresh() == Refresh::None {
            return self.turn_away(app, tx, REFUSED, OAuthError::UnauthorizedClient).await.map(Err);
        }
        let token = tokens::load_token(tx, &self.request.token_hash().to_hex()).await?;
        let Some(token) = token.filter(|token| !token.is_access()) else {
            return self.turn_away(app, tx, REFUSED, GrantRefusal::RefreshUnknown.into()).await.map(Err);
        };
        let of = representations::load(tx, &token.representation).await?.ok_or(Error::Unreadable)?;
        let mut of = Use::read(tx, of).await?;
        let issued = IssuedRefresh {
            client: &token.client,
            scope: &token.scope,
            bound_to: token.dpop_jkt.as_deref(),
            expires_at: token.expires_at,
            revoked: token.revoked_at.is_some(),
        };
        let by = (&self.caller, self.now);
        // The decision comes before the token's own state, so that the journal tells why it died; another client's is told first.
        let allowed = of.allowed(app, self.now);
        match (self.request.redeem(&self.known.by, issued, proof, self.now), allowed) {
            (Ok(scope), Ok(allowed)) => {
                let scope = scope.to_owned();
                self.grant(app, tx, (&token, scope), (of, allowed), proof).await.map(Ok)
            }
            (Err(OAuthError::InvalidGrant(GrantRefusal::RefreshDead)) | Ok(_), Err(reason)) => {
                of.refusal(REFUSED, reason).keep(app, tx, by).await?;
                of.service_knows(app, tx, by).await?;
                Ok(Err(OAuthError::from(GrantRefusal::NotAllowed).into()))
            }
            (Err(error), _) => {
                of.refusal(REFUSED, error.code()).keep(app, tx, by).await?;
                Ok(Err(error.into()))
            }
        }
    }

    async fn grant(
        &self,
        app: &App,
        tx: &mut Tx,
        (refresh, scope): (&TokenRow, String),
        (mut of, allowed): (Use, crate::mandate::Allowed),
        proof: Option<&Proof>,
    ) -> Result<Granted, Error> {
        let hash = refresh.code_hash.as_deref().ok_or(Error::Unreadable)?;
        let code = tokens::load_code(tx, hash).await?.ok_or(Error::Unreadable)?;
        let record = Record::done(EventKind::TokensRefreshed)
            .client(&refresh.client)
            .procedure(&of.representation.procedure)
            .detail("representation", of.representation.id.as_str());
        let by = (Actor::Aidant(&of.representation.aidant), &self.caller, self.now);
        note(app, tx, &mut of.row, record, by).await?;
        let token = TokenRow {
            token_hash: self.access_token.hash().to_hex(),
            scope,
            issued_at: self.now,
            expires_at: self.now.plus(ACCESS_TOKEN_LIFE).min(allowed.until),
            dpop_jkt: proof.map(|proof| proof.key.as_str().to_owned()),
            code_hash: None,
            ..refresh.clone()
        };
        tokens::insert_token(tx, &token).await?;
        let mandate = projection::mandate_of_code(app, tx, &of, &allowed, &code).await?;
        Ok(Granted {
            of: of.representation,
            mandate,
            scope: token.scope,
            auth_time: code.auth_time,
            // A nonce belongs to the request it came with (OpenID Connect Core, section 12.2).
            nonce: None,
            expires_at: token.expires_at,
            bound: proof.is_some(),
        })
    }
}
