//! Registrations between the database's row and the provider's checked form: the one place that knows both.

use super::{App, Caller, Error, Record, registered};
use crate::crypto::TokenAlg;
use crate::mandate::{EventKind, Instant, Standing};
use crate::provider::{
    Claim, ClientAuthMethod, ClientCredential, ClientDraft, ClientRegistration, Pkce, Profile, Refresh,
    RequestObjects, Subject, UserinfoFormat,
};
use crate::storage::StoreError;
use crate::storage::clients::{self, AuthMethod, ClientRow, IdTokenAlg};
use std::sync::Arc;

/// Registers a relying party, for the operator.
///
/// # Errors
/// [`Error::Conflict`] when the identifier is taken.
pub async fn add(app: &App, client: &ClientRegistration) -> Result<(), Error> {
    let now = app.now();
    let (app_, row) = (Arc::clone(app), Arc::new(row(client, Standing::Active, now)));
    app.include("registry.add", move |tx| {
        let (app, row) = (Arc::clone(&app_), Arc::clone(&row));
        Box::pin(async move {
            let record = Record::done(EventKind::ClientAdded).client(&row.id).detail("by", "operator");
            let record = record.registered(registered::client(&app.keys, &row));
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            clients::insert(tx, &row, &event).await.map_err(|error| match error {
                StoreError::Taken(_) => Error::Conflict,
                other => other.into(),
            })
        })
    })
    .await
}

/// Whether there is a key for every relying party that is let in: otherwise its aidants would find out.
///
/// # Errors
/// [`Error::Crypto`] for the first that has none; whatever else stands in the way.
pub async fn keyed(app: &App) -> Result<(), Error> {
    let rows = app.store.read("registry.keyed", |snapshot| {
        Box::pin(async move { Ok::<_, Error>(clients::list(snapshot).await?) })
    });
    for row in rows.await?.iter().filter(|row| row.standing == Standing::Active) {
        app.keys.token_key(registration(row)?.id_token_alg())?;
    }
    Ok(())
}

/// The checked registration of a stored relying party.
///
/// # Errors
/// [`Error::Store`] for a row that no registration could have written.
pub fn registration(row: &ClientRow) -> Result<ClientRegistration, Error> {
    let wrong = |column| StoreError::Inconsistent { table: "client", column, id: row.id.to_string() };
    let (auth_method, secret_hash, jwks) = match &row.credential {
        clients::ClientCredential::Secret { method, hash } => (method_of(*method), Some(hash.clone()), None),
        clients::ClientCredential::Keys { jwks } => {
            let jwks = serde_json::from_str(jwks).map_err(|_| wrong("jwks"))?;
            (ClientAuthMethod::PrivateKeyJwt, None, Some(jwks))
        }
    };
    let claims = row.scopes.iter().filter(|scope| *scope != "openid");
    let draft = ClientDraft {
        id: row.id.clone(),
        name: row.name.clone(),
        profile: Profile::parse(&row.profile).ok_or_else(|| wrong("profile"))?,
        redirect_uris: row.redirect_uris.clone(),
        post_logout_redirect_uris: row.post_logout_redirect_uris.clone(),
        backchannel_logout_uri: row.logout_uri.clone(),
        security_events_uri: row.events_uri.clone(),
        auth_method,
        secret_hash,
        jwks,
        id_token_alg: match row.id_token_alg {
            IdTokenAlg::Es256 => TokenAlg::Es256,
            IdTokenAlg::Rs256 => TokenAlg::Rs256,
            IdTokenAlg::Ps256 => TokenAlg::Ps256,
            IdTokenAlg::EdDsa => TokenAlg::EdDsa,
        },
        pkce: match row.pkce {
            clients::Pkce::Demanded => Pkce::Demanded,
            clients::Pkce::Exempt => Pkce::Exempt,
        },
        refresh: match row.refresh {
            clients::Refresh::None => Refresh::None,
            clients::Refresh::WithinRepresentation => Refresh::WithinRepresentation,
        },
        request_objects: match row.request_objects {
            clients::RequestObjects::Optional => RequestObjects::Optional,
            clients::RequestObjects::Demanded => RequestObjects::Demanded,
        },
        subject: match row.subject {
            clients::Subject::Usager => Subject::Usager,
            clients::Subject::Aidant => Subject::Aidant,
        },
        userinfo: match row.userinfo {
            clients::Userinfo::Json => UserinfoFormat::Json,
            clients::Userinfo::Jwt => UserinfoFormat::Jwt,
        },
        leave_uri: row.leave_uri.clone(),
        claims: claims
            .map(|name| Claim::parse(name))
            .collect::<Option<_>>()
            .ok_or_else(|| wrong("scopes"))?,
        procedures: row.procedures.clone(),
        sector: Some(row.sector.clone()),
    };
    ClientRegistration::try_from(draft).map_err(|error| wrong(error.code()).into())
}

const fn method_of(method: AuthMethod) -> ClientAuthMethod {
    match method {
        AuthMethod::ClientSecretBasic => ClientAuthMethod::SecretBasic,
        AuthMethod::ClientSecretPost => ClientAuthMethod::SecretPost,
        AuthMethod::PrivateKeyJwt => ClientAuthMethod::PrivateKeyJwt,
    }
}

/// The row of a checked registration, to store as new (version 1).
#[must_use]
pub fn row(client: &ClientRegistration, standing: Standing, created_at: Instant) -> ClientRow {
    let draft = client.draft();
    let secret = |method| {
        let hash = draft.secret_hash.clone().unwrap_or_default();
        clients::ClientCredential::Secret { method, hash }
    };
    let credential = match client.credential() {
        ClientCredential::SecretBasic(_) => secret(AuthMethod::ClientSecretBasic),
        ClientCredential::SecretPost(_) => secret(AuthMethod::ClientSecretPost),
        ClientCredential::PrivateKeyJwt(_) => clients::ClientCredential::Keys {
            jwks: draft.jwks.as_ref().map(ToString::to_string).unwrap_or_default(),
        },
    };
    ClientRow {
        id: draft.id.clone(),
        name: draft.name.clone(),
        standing,
        profile: draft.profile.as_str().to_owned(),
        credential,
        id_token_alg: match draft.id_token_alg {
            TokenAlg::Es256 => IdTokenAlg::Es256,
            TokenAlg::Rs256 => IdTokenAlg::Rs256,
            TokenAlg::Ps256 => IdTokenAlg::Ps256,
            TokenAlg::EdDsa => IdTokenAlg::EdDsa,
        },
        redirect_uris: draft.redirect_uris.clone(),
        post_logout_redirect_uris: draft.post_logout_redirect_uris.clone(),
        scopes: draft.claims.iter().map(|claim| claim.as_str().to_owned()).collect(),
        procedures: draft.procedures.clone(),
        sector: client.sector().to_owned(),
        logout_uri: draft.backchannel_logout_uri.clone(),
        events_uri: draft.security_events_uri.clone(),
        pkce: match draft.pkce {
            Pkce::Demanded => clients::Pkce::Demanded,
            Pkce::Exempt => clients::Pkce::Exempt,
        },
        refresh: match draft.refresh {
            Refresh::None => clients::Refresh::None,
            Refresh::WithinRepresentation => clients::Refresh::WithinRepresentation,
        },
        request_objects: match draft.request_objects {
            RequestObjects::Optional => clients::RequestObjects::Optional,
            RequestObjects::Demanded => clients::RequestObjects::Demanded,
        },
        subject: match draft.subject {
            Subject::Usager => clients::Subject::Usager,
            Subject::Aidant => clients::Subject::Aidant,
        },
        userinfo: match draft.userinfo {
            UserinfoFormat::Json => clients::Userinfo::Json,
            UserinfoFormat::Jwt => clients::Userinfo::Jwt,
        },
        leave_uri: draft.leave_uri.clone(),
        created_at,
        version: 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn client(auth: &serde_json::Value) -> ClientRegistration {
        let mut draft = json!({
            "id": "caisse",
            "name": "Caisse de démonstration",
            "profile": "oidc",
            "redirect_uris": ["https://caisse.example/cb", "https://autre.example/cb"],
            "post_logout_redirect_uris": ["https://caisse.example/bye"],
            "backchannel_logout_uri": "https://caisse.example/logout",
            "security_events_uri": "https://caisse.example/events",
            "id_token_alg": "RS256",
            "pkce": "exempt",
            "refresh": "within_representation",
            "subject": "aidant",
            "userinfo": "jwt",
            "leave_uri": "https://caisse.example/leave",
            "claims": ["given_name", "birthdate"],
            "procedures": ["declare-income"],
            "sector": "caisse.example",
        });
        draft.as_object_mut().unwrap().extend(auth.as_object().unwrap().clone());
        ClientRegistration::try_from(serde_json::from_value::<ClientDraft>(draft).unwrap()).unwrap()
    }

    #[test]
    fn a_registration_comes_back_from_its_row() {
        let secret = |method: &str| json!({"auth_method": method, "secret_hash": "ab".repeat(32)});
        let key = json!({"kty": "EC", "crv": "P-256", "kid": "a",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
        let keys =
            json!({"auth_method": "private_key_jwt", "request_objects": "demanded", "jwks": {"keys": [key]}});
        for auth in [secret("client_secret_basic"), secret("client_secret_post"), keys] {
            let client = client(&auth);
            let stored = row(&client, Standing::Active, Instant::from_micros(0));
            let again = registration(&stored).unwrap();
            let written = |client: &ClientRegistration| serde_json::to_value(client.draft()).unwrap();
            assert_eq!(written(&again), written(&client), "{auth}");
            assert_eq!(again.credential(), client.credential());
        }
    }

    #[test]
    fn a_row_no_registration_wrote_is_refused() {
        let auth = json!({"auth_method": "client_secret_basic", "secret_hash": "ab".repeat(32)});
        let good = row(&client(&auth), Standing::Active, Instant::from_micros(0));
        for bad in [
            ClientRow { profile: "none".to_owned(), ..good.clone() },
            ClientRow { scopes: vec!["address".to_owned()], ..good.clone() },
            ClientRow { redirect_uris: vec!["http://caisse.example/".to_owned()], ..good.clone() },
        ] {
            assert!(registration(&bad).is_err());
        }
    }
}
