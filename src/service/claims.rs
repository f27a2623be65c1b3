//! A service asks who the usager is.

use super::held::{Held, Resource, Shown};
use super::steps::{Actor, note};
use super::{App, Caller, Error, Record, people, projection, registry};
use crate::crypto::ClientMac;
use crate::mandate::{EventKind, Identity, Instant};
use crate::provider::{
    Claim, ClientRegistration, Scope, ShownToken, Subject, USERINFO, UserinfoFormat, signed_userinfo,
    userinfo,
};
use crate::storage::Tx;
use std::sync::Arc;

const RESOURCE: Resource = Resource { path: USERINFO, bound_only: false, refused: EventKind::ClaimsRefused };

/// What may be told.
struct Released {
    client: ClientRegistration,
    /// Its secret, where that signs the answer.
    secret: Option<ClientMac>,
    subject: String,
    /// By what the client knows the usager, where they are not the subject.
    usager: Option<String>,
    scope: Scope,
    identity: Identity,
}

/// What is told, and how it is written.
pub struct Told {
    /// The media type.
    pub media_type: &'static str,
    /// The bytes.
    pub body: Vec<u8>,
}

/// Gives the claims behind an access token, as JSON or signed, as the service is registered.
///
/// # Errors
/// [`Error::Bearer`]: journaled, unless nobody was ever given the token.
pub async fn release(
    app: &App,
    caller: &Caller,
    token: ShownToken,
    with: (&str, &[&[u8]]),
) -> Result<Told, Error> {
    let now = app.now();
    let shown = Arc::new(Shown::at(app, RESOURCE, token, with, now));
    let (app_, caller) = (Arc::clone(app), caller.clone());
    let released = app
        .include("claims.release", move |tx| {
            let (app, caller, shown) = (Arc::clone(&app_), caller.clone(), Arc::clone(&shown));
            Box::pin(async move { run(&app, tx, &caller, &shown, now).await })
        })
        .await??;
    let Released { client, secret, subject, usager, scope, identity } = released;
    let told = userinfo(&subject, usager.as_deref(), &scope, &identity)?;
    Ok(match client.userinfo() {
        UserinfoFormat::Json => Told { media_type: "application/json", body: told.to_string().into_bytes() },
        UserinfoFormat::Jwt => {
            let by = registry::signer(app, &client, secret.as_ref())?;
            let signed = signed_userinfo(&told, &app.issuer, client.id(), by)?;
            Told { media_type: "application/jwt", body: signed.into_bytes() }
        }
    })
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
    let secret = match client.userinfo() {
        UserinfoFormat::Json => None,
        UserinfoFormat::Jwt => registry::secret(app, tx, &of.client).await?,
    };
    let scope = client.grant(&token.scope).map_err(|_| Error::Unreadable)?;
    let (_, identity) = people::usager(app, tx, &of.representation.usager).await?;
    let names: Vec<&str> = scope.claims().iter().copied().map(Claim::as_str).collect();
    let record = Record::done(EventKind::ClaimsReleased)
        .client(&token.client)
        .procedure(&of.representation.procedure)
        .detail("representation", of.representation.id.as_str())
        .detail("claims", names.join(" "));
    let by = (Actor::Aidant(&of.representation.aidant), caller, now);
    note(app, tx, &mut of.row, record, by).await?;
    let subject = projection::subject(app, &client, &of.representation);
    let apart = client.subject() == Subject::Aidant;
    let usager = apart.then(|| projection::usager(app, &client, &of.representation));
    Ok(Ok(Released { client, secret, subject, usager, scope, identity }))
}
