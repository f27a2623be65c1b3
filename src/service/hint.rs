//! An ID token of ours, given back as a hint: read under what signs for its client, and under nothing else.

use super::{App, Error, registry};
use crate::provider::{Hint, IdTokenAlg};
use crate::storage::clients;
use std::sync::Arc;

/// Reads a hint. `None` when it is not ours, or not by the algorithm of its client: a token under a client's secret tells of
/// no other client, and one under a key of ours of no client whose secret signs.
///
/// # Errors
/// Whatever stands in the way of its client's registration, or of its secret.
pub(super) async fn read(app: &App, jwt: &str) -> Result<Option<Hint>, Error> {
    let by_key = Hint::read(jwt, &app.issuer, &app.keys.published().to_value());
    let Some(client) =
        by_key.as_ref().map(|hint| hint.client.clone()).or_else(|| Hint::client_by_secret(jwt))
    else {
        return Ok(None);
    };
    let (app_, of) = (Arc::clone(app), client.clone());
    let registered = app
        .store
        .read("hint.client", move |snapshot| {
            let (app, of) = (Arc::clone(&app_), of.clone());
            Box::pin(async move {
                let Some(row) = clients::load(snapshot, &of).await? else { return Ok(None) };
                let secret = registry::secret(&app, snapshot, &row).await?;
                Ok::<_, Error>(Some((registry::registration(&row)?.id_token_alg(), secret)))
            })
        })
        .await?;
    Ok(match registered {
        Some((IdTokenAlg::Hs256, Some(secret))) => Hint::read_by_secret(jwt, &app.issuer, &client, &secret),
        Some((IdTokenAlg::Hs256, None)) | None => None,
        Some(_) => by_key,
    })
}
