//! Tokens for a code.

use super::{App, Asked, Error, Granted, Record};
use crate::crypto::OpaqueToken;
use crate::mandate::EventKind;
use crate::provider::{
    ACCESS_TOKEN_LIFE, CodeChallenge, GrantRefusal, IssuedCode, OAuthError, Proof, Refresh, TokenRequest,
};
use crate::service::end::close_representation;
use crate::service::grounds::Use;
use crate::service::projection;
use crate::service::steps::{Actor, note};
use crate::storage::Tx;
use crate::storage::representations::{self, CloseReason};
use crate::storage::tokens::{self, CodeRow, TokenRow};
use std::sync::Arc;

/// A code on its way to its tokens.
struct Exchange {
    asked: Asked<TokenRequest>,
    refresh_token: Option<OpaqueToken>,
}

/// Exchanges a code; gives the JSON to send.
pub(super) async fn exchange(app: &App, asked: Asked<TokenRequest>) -> Result<Vec<u8>, Error> {
    let refresh_token = match asked.known.client.refresh() {
        Refresh::WithinRepresentation => Some(OpaqueToken::generate(&*app.entropy)?),
        Refresh::None => None,
    };
    let exchange = Arc::new(Exchange { asked, refresh_token });
    let (app_, exchange_) = (Arc::clone(app), Arc::clone(&exchange));
    let granted = app
        .include("tokens.exchange", move |tx| {
            let (app, exchange) = (Arc::clone(&app_), Arc::clone(&exchange_));
            Box::pin(async move { exchange.run(&app, tx).await })
        })
        .await??;
    exchange.asked.answer(app, &granted, exchange.refresh_token.as_ref())
}

impl Exchange {
    /// The whole exchange in one transaction. The inner error is a refusal whose entry is to be committed.
    async fn run(&self, app: &App, tx: &mut Tx) -> Result<Result<Granted, Error>, Error> {
        let asked = &self.asked;
        let proof = match asked.proven(app, tx, EventKind::CodeExchangeRefused).await? {
            Ok(proof) => proof,
            Err(refused) => return Ok(Err(refused)),
        };
        let hash = asked.request.code_hash().to_hex();
        let Some(code) = tokens::load_code(tx, &hash).await? else {
            let (kind, error) = (EventKind::CodeExchangeRefused, GrantRefusal::CodeUnknown.into());
            return asked.turn_away(app, tx, kind, error).await.map(Err);
        };
        let challenge = code.code_challenge.as_deref();
        let challenge = challenge.map(CodeChallenge::parse).transpose().map_err(|_| Error::Unreadable)?;
        let issued = IssuedCode {
            client: &code.client,
            redirect_uri: &code.redirect_uri,
            challenge: challenge.as_ref(),
            bound_to: code.dpop_jkt.as_deref(),
            expires_at: code.expires_at,
            used: code.used_at.is_some(),
        };
        let redeemed = asked.request.redeem(&asked.known.by, issued, proof, asked.now);
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
        let (caller, now) = (&self.asked.caller, self.asked.now);
        of.refusal(kind, refusal.code()).keep(app, tx, (caller, now)).await?;
        if refusal == GrantRefusal::CodeReplayed && of.representation.closed.is_none() {
            let by = (Actor::Service, caller, now);
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
        let (caller, now) = (&self.asked.caller, self.asked.now);
        let allowed = match of.allowed(app, now) {
            Ok(allowed) => allowed,
            Err(reason) => {
                of.refusal(EventKind::CodeExchangeRefused, reason).keep(app, tx, (caller, now)).await?;
                of.service_knows(app, tx, (caller, now)).await?;
                return Ok(Err(OAuthError::from(GrantRefusal::NotAllowed).into()));
            }
        };
        if !tokens::use_code(tx, &code.code_hash, now).await? {
            let refusal = of.refusal(EventKind::CodeExchangeRefused, GrantRefusal::CodeExpired.code());
            refusal.keep(app, tx, (caller, now)).await?;
            return Ok(Err(OAuthError::from(GrantRefusal::CodeExpired).into()));
        }
        let record = Record::done(EventKind::TokensIssued)
            .client(&code.client)
            .procedure(&of.representation.procedure)
            .detail("representation", of.representation.id.as_str());
        let by = (Actor::Aidant(&of.representation.aidant), caller, now);
        note(app, tx, &mut of.row, record, by).await?;
        let token = TokenRow {
            token_hash: self.asked.access_token.hash().to_hex(),
            representation: code.representation.clone(),
            client: code.client.clone(),
            scope: code.scope.clone(),
            issued_at: now,
            expires_at: now.plus(ACCESS_TOKEN_LIFE).min(allowed.until),
            revoked_at: None,
            dpop_jkt: proof.map(|proof| proof.key.as_str().to_owned()),
            code_hash: None,
        };
        tokens::insert_token(tx, &token).await?;
        if let Some(refresh_token) = &self.refresh_token {
            let refresh = TokenRow {
                token_hash: refresh_token.hash().to_hex(),
                expires_at: allowed.until,
                code_hash: Some(code.code_hash.clone()),
                ..token.clone()
            };
            tokens::insert_token(tx, &refresh).await?;
        }
        let mandate = projection::mandate_of_code(app, tx, &of, &allowed, &code).await?;
        Ok(Ok(Granted {
            of: of.representation,
            mandate,
            scope: code.scope,
            auth_time: code.auth_time,
            nonce: code.nonce,
            expires_at: token.expires_at,
            bound: proof.is_some(),
        }))
    }
}
