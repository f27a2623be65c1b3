//! Registrations between the database's row and the provider's checked form: the one place that knows both.

use super::{App, Caller, Error, Record, registered};
use crate::crypto::{Cell, ClientMac, SecretString, Signer};
use crate::mandate::{ClientId, EventKind, Instant, Standing};
use crate::provider::{
    Claim, ClientAuthMethod, ClientCredential, ClientDraft, ClientRegistration, IdTokenAlg, Pkce, Profile,
    Refresh, RequestObjects, Subject, UserinfoFormat,
};
use crate::storage::clients::{self, AuthMethod, ClientRow};
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, StoreError, Tx};
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

/// A relying party for which nothing signs.
#[derive(Debug, thiserror::Error)]
#[error("nothing signs for the service {client}: {why}")]
pub struct Unsigned {
    /// Which.
    pub client: ClientId,
    /// Why not.
    pub why: Error,
}

/// Finds the first relying party that is let in and for which nothing signs, there being no key of its algorithm, or its
/// secret not opening: otherwise its aidants would find out.
///
/// # Errors
/// Whatever stands in the way.
pub async fn unsigned(app: &App) -> Result<Option<Unsigned>, Error> {
    let app_ = Arc::clone(app);
    app.store
        .read("registry.unsigned", move |snapshot| {
            let app = Arc::clone(&app_);
            Box::pin(async move {
                for row in clients::list(snapshot).await? {
                    if let (Standing::Active, Err(why)) = (row.standing, signs(&app, snapshot, &row).await) {
                        return Ok(Some(Unsigned { client: row.id, why }));
                    }
                }
                Ok::<_, Error>(None)
            })
        })
        .await
}

async fn signs(app: &App, snapshot: &mut Snapshot, row: &ClientRow) -> Result<(), Error> {
    app.keys.token_key(registration(row)?.signing_alg())?;
    secret(app, snapshot, row).await.map(drop)
}

/// Keys of clients' secrets that are read again: one for all, since none of them is about a person.
const SECRETS: (KeyKind, &str) = (KeyKind::System, "client_secret");

fn secret_cell(id: &ClientId) -> Cell<'_> {
    Cell { table: "client", row: id.as_str(), column: "secret_sealed" }
}

/// Seals the secret of a client into its row, if that secret signs its ID tokens.
pub(super) async fn seal(
    app: &App,
    tx: &mut Tx,
    row: ClientRow,
    secret: Option<&SecretString>,
    now: Instant,
) -> Result<ClientRow, Error> {
    let (clients::IdTokenAlg::Hs256, Some(secret)) = (row.id_token_alg, secret) else { return Ok(row) };
    let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, SECRETS, now).await?;
    let sealed = key.seal(&*app.entropy, &secret_cell(&row.id), secret.expose().as_bytes())?;
    Ok(ClientRow { secret_sealed: Some(sealed), ..row })
}

/// The secret of a client, where that signs its ID tokens; none where a key of ours does.
///
/// # Errors
/// [`Error::Crypto`] and [`Error::Unreadable`] when it does not open: then nothing is signed for that client.
pub(super) async fn secret(
    app: &App,
    snapshot: &mut Snapshot,
    row: &ClientRow,
) -> Result<Option<ClientMac>, Error> {
    if row.id_token_alg != clients::IdTokenAlg::Hs256 {
        return Ok(None);
    }
    let sealed = row.secret_sealed.as_deref().ok_or(Error::Unreadable)?;
    let (kind, subject) = SECRETS;
    let key = app.vault.find(&app.keys, snapshot, kind, subject).await?.ok_or(Error::Unreadable)?;
    let opened = key.open(&secret_cell(&row.id), sealed)?;
    let secret = SecretString::new(String::from_utf8(opened).map_err(|_| Error::Unreadable)?);
    Ok(Some(ClientMac::new(&secret)?))
}

/// What signs for a client: its secret where that does, a key of ours otherwise.
///
/// # Errors
/// [`Error::Crypto`] when there is no such key.
pub(super) fn signer<'k>(
    app: &'k App,
    client: &ClientRegistration,
    secret: Option<&'k ClientMac>,
) -> Result<Signer<'k>, Error> {
    Ok(match secret {
        Some(secret) => secret.into(),
        None => app.keys.token_key(client.signing_alg())?.into(),
    })
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
            clients::IdTokenAlg::Es256 => IdTokenAlg::Es256,
            clients::IdTokenAlg::Rs256 => IdTokenAlg::Rs256,
            clients::IdTokenAlg::Ps256 => IdTokenAlg::Ps256,
            clients::IdTokenAlg::EdDsa => IdTokenAlg::EdDsa,
            clients::IdTokenAlg::Hs256 => IdTokenAlg::Hs256,
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
        consent: row.consent,
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

/// The row of a checked registration, to store as new (version 1). A secret that signs is sealed into it then.
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
            IdTokenAlg::Es256 => clients::IdTokenAlg::Es256,
            IdTokenAlg::Rs256 => clients::IdTokenAlg::Rs256,
            IdTokenAlg::Ps256 => clients::IdTokenAlg::Ps256,
            IdTokenAlg::EdDsa => clients::IdTokenAlg::EdDsa,
            IdTokenAlg::Hs256 => clients::IdTokenAlg::Hs256,
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
        consent: draft.consent,
        secret_sealed: None,
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
            "consent": "witnessed",
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
