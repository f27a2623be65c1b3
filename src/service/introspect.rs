//! A service asks whether a token of its own still works, or gives one back.

use super::grounds::Use;
use super::held::{DEAD, lives};
use super::steps::{Actor, note};
use super::tokens::Known;
use super::{App, Caller, Error, Record, projection};
use crate::crypto::TokenHash;
use crate::mandate::{EventKind, Instant};
use crate::provider::{
    Introspected, OAuthError, Params, Said, Scope, asked_token, introspection, signed_introspection,
};
use crate::storage::tokens::{self, TokenRow};
use crate::storage::{Tx, representations};
use serde_json::Value;
use std::sync::Arc;

/// What is asked, and by whom.
struct Asked {
    known: Known,
    token: TokenHash,
    caller: Caller,
    now: Instant,
}

/// A token that works, with all that is told of it.
struct Working {
    token: TokenRow,
    scope: Scope,
    subject: String,
    said: Said,
}

fn asked(app: &App, caller: &Caller, known: Known, form: &Params) -> Result<Arc<Asked>, OAuthError> {
    let token = asked_token(form)?;
    Ok(Arc::new(Asked { known, token, caller: caller.clone(), now: app.now() }))
}

/// Tells a service of a token of its own, as JSON or signed. Whether a token is somebody else's is not told. Journaled.
///
/// # Errors
/// [`Error::OAuth`]; whatever else stands in the way.
pub async fn introspect(
    app: &App,
    caller: &Caller,
    known: Known,
    form: &Params,
    signed: bool,
) -> Result<Vec<u8>, Error> {
    let asked = asked(app, caller, known, form)?;
    let (app_, asked_) = (Arc::clone(app), Arc::clone(&asked));
    let working = app.include("introspect.ask", move |tx| {
        let (app, asked) = (Arc::clone(&app_), Arc::clone(&asked_));
        Box::pin(async move { asked.answer(&app, tx).await })
    });
    let told = told(app, &asked, working.await??.as_ref())?;
    if !signed {
        return Ok(told.to_string().into_bytes());
    }
    let client = asked.known.registration();
    let key = app.keys.token_key(client.signing_alg())?;
    Ok(signed_introspection(&told, &app.issuer, client.id(), asked.now, key)?.into_bytes())
}

/// Ends a token of the service's own; any other is left as it is, which is not told (RFC 7009, section 2.2). Journaled.
///
/// # Errors
/// As [`introspect`].
pub async fn revoke(app: &App, caller: &Caller, known: Known, form: &Params) -> Result<(), Error> {
    let asked = asked(app, caller, known, form)?;
    let app_ = Arc::clone(app);
    let ended = app.include("introspect.revoke", move |tx| {
        let (app, asked) = (Arc::clone(&app_), Arc::clone(&asked));
        Box::pin(async move { asked.end(&app, tx).await })
    });
    ended.await?
}

impl Asked {
    /// The token, when it is this service's own.
    async fn own(&self, tx: &mut Tx) -> Result<Option<(TokenRow, Use)>, Error> {
        let token = tokens::load_token(tx, &self.token.to_hex()).await?;
        let Some(token) = token.filter(|token| token.client == *self.known.client()) else { return Ok(None) };
        let of = representations::load(tx, &token.representation).await?.ok_or(Error::Unreadable)?;
        Ok(Some((token, Use::read(tx, of).await?)))
    }

    /// All in one transaction. The inner error is a refusal whose entry is to be committed.
    async fn answer(&self, app: &App, tx: &mut Tx) -> Result<Result<Option<Working>, Error>, Error> {
        let by = (&self.caller, self.now);
        if let Err(refused) = self.known.first_use(app, tx, by).await? {
            return Ok(Err(refused));
        }
        let Some((token, mut of)) = self.own(tx).await? else { return Ok(Ok(None)) };
        let allowed = match lives(app, &token, &of, self.now) {
            Ok(allowed) => allowed,
            // Its time ran out, as every token's does: nothing to tell anybody.
            Err(DEAD) => return Ok(Ok(None)),
            Err(code) => {
                of.refusal(EventKind::StandingRefused, code).keep(app, tx, by).await?;
                of.service_knows(app, tx, by).await?;
                return Ok(Ok(None));
            }
        };
        let mandate = projection::mandate(app, tx, &of, &allowed).await?;
        let of = of.representation;
        let record = Record::done(EventKind::StandingRead).client(&of.client).procedure(&of.procedure);
        let record = record.organisation(&of.organisation).aidant(&of.aidant).usager(&of.usager);
        let record = record.about(&of.mandate).detail("representation", of.id.as_str());
        record.append(app, tx, &self.caller, self.now).await?;
        let client = self.known.registration();
        let scope = client.grant(&token.scope).map_err(|_| Error::Unreadable)?;
        let subject = projection::subject(app, client, &of);
        let (_, said) = projection::said(app, client, &of, &mandate)?;
        Ok(Ok(Some(Working { token, scope, subject, said })))
    }

    async fn end(&self, app: &App, tx: &mut Tx) -> Result<Result<(), Error>, Error> {
        if let Err(refused) = self.known.first_use(app, tx, (&self.caller, self.now)).await? {
            return Ok(Err(refused));
        }
        let Some((token, mut of)) = self.own(tx).await? else { return Ok(Ok(())) };
        let lived = tokens::revoke_token(tx, &token.token_hash, self.now).await?;
        if lived && !token.is_access() {
            // With a refresh token goes what it gave (RFC 7009, section 2.1).
            tokens::revoke_live(
                tx,
                &representations::Scope::Representation(token.representation.clone()),
                self.now,
            )
            .await?;
        }
        if lived {
            let representation = &of.representation;
            let record = Record::done(EventKind::TokenRevoked)
                .client(&token.client)
                .procedure(&representation.procedure)
                .detail("representation", representation.id.as_str());
            let by = (Actor::Aidant(&representation.aidant), &self.caller, self.now);
            note(app, tx, &mut of.row, record, by).await?;
        }
        Ok(Ok(()))
    }
}

fn told(app: &App, asked: &Asked, working: Option<&Working>) -> Result<Value, Error> {
    let scope = working.map(|working| working.scope.to_string()).unwrap_or_default();
    let of = working.map(|working| Introspected {
        issuer: &app.issuer,
        subject: &working.subject,
        client: asked.known.client(),
        scope: &scope,
        issued: working.token.issued_at,
        expires: working.token.expires_at,
        bound_to: working.token.dpop_jkt.as_deref(),
        sid: working.token.representation.as_str(),
        said: &working.said,
    });
    Ok(introspection(of.as_ref())?)
}
