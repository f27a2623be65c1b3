//! What is registered, as the operator and the referent list it.

use super::Manager;
use crate::crypto::{ClientMac, OpaqueToken, SecretString};
use crate::mandate::{AidantId, AuditorId, EventKind, Instant, OrganisationId, ProcedureId, Role, Standing};
use crate::provider::{ClientAuthMethod, ClientDraft, ClientRegistration, IdTokenAlg, RegistrationError};
use crate::service::sign_in::waiting;
use crate::service::{App, Caller, Error, InputError, Record, people, registered, registry};
use crate::storage::organisations::OrganisationRow;
use crate::storage::{aidants, auditors, clients, organisations};
use std::collections::BTreeSet;
use std::sync::Arc;

/// An aidant in a list.
pub struct ListedAidant {
    /// Identifier.
    pub id: AidantId,
    /// First and last name.
    pub name: String,
    /// Address they were invited at, or sign in with.
    pub email: String,
    /// Role.
    pub role: Role,
    /// Standing.
    pub standing: Standing,
    /// Since when another sign-in waits to be confirmed as theirs.
    pub asked_at: Option<Instant>,
    /// When they accepted their invitation.
    pub activated_at: Option<Instant>,
    /// Procedures closed for them.
    pub closed: BTreeSet<ProcedureId>,
}

/// Every organisation. For the operator.
pub async fn organisations_list(app: &App) -> Result<Vec<OrganisationRow>, Error> {
    app.store
        .read("manage.organisations", |snapshot| {
            Box::pin(async move { Ok(organisations::list(snapshot).await?) })
        })
        .await
}

/// The aidants of an organisation.
pub async fn aidants_of(app: &App, organisation: &OrganisationId) -> Result<Vec<ListedAidant>, Error> {
    let (app_, organisation) = (App::clone(app), organisation.clone());
    app.store
        .read("manage.aidants", |snapshot| {
            Box::pin(async move {
                let mut listed = Vec::new();
                for row in aidants::of_organisation(snapshot, &organisation).await? {
                    let holder = people::Holder::Aidant(row.id.as_str());
                    let identity =
                        people::professional(&app_, snapshot, holder, &row.identity_sealed).await?;
                    listed.push(ListedAidant {
                        closed: aidants::closed_for(snapshot, &row).await?,
                        name: format!("{} {}", identity.given_name, identity.family_name),
                        email: identity.email,
                        role: row.role,
                        standing: row.standing,
                        asked_at: waiting(&row, app_.now()).map(|asked| asked.at),
                        activated_at: row.activated_at,
                        id: row.id,
                    });
                }
                Ok(listed)
            })
        })
        .await
}

/// Every auditor: identifier, name, standing. For the operator.
pub async fn auditors_list(app: &App) -> Result<Vec<(AuditorId, String, Standing)>, Error> {
    let app_ = App::clone(app);
    app.store
        .read("manage.auditors", |snapshot| {
            Box::pin(async move {
                let mut listed = Vec::new();
                for row in auditors::list(snapshot).await? {
                    let holder = people::Holder::Auditor(row.id.as_str());
                    let identity =
                        people::professional(&app_, snapshot, holder, &row.identity_sealed).await?;
                    listed.push((
                        row.id,
                        format!("{} {}", identity.given_name, identity.family_name),
                        row.standing,
                    ));
                }
                Ok(listed)
            })
        })
        .await
}

/// Every service. For the operator.
pub async fn clients_list(app: &App) -> Result<Vec<clients::ClientRow>, Error> {
    app.store
        .read("manage.clients", |snapshot| Box::pin(async move { Ok(clients::list(snapshot).await?) }))
        .await
}

/// Registers a service. Gives its secret, made here and shown once, unless it proves itself by its own key.
///
/// # Errors
/// [`Error::Registration`] naming the first rule that does not hold; [`Error::Input`] for a procedure that is not
/// in the catalogue; [`Error::Crypto`] when there is no key of its algorithm; [`Error::Conflict`] when the identifier is
/// taken.
pub async fn add_client(app: &App, draft: ClientDraft) -> Result<Option<SecretString>, Error> {
    let by_key = draft.auth_method == ClientAuthMethod::PrivateKeyJwt;
    let secret = if by_key { None } else { Some(OpaqueToken::generate(&*app.entropy)?) };
    let secret = secret.map(|secret| SecretString::new(secret.expose().to_owned()));
    register_client(app, draft, secret.clone()).await?;
    Ok(secret)
}

/// Registers a service whose secret was agreed beforehand. The secret rests as a hash and, where it signs (HS256), sealed
/// as well.
///
/// # Errors
/// As [`add_client`].
pub async fn register_client(
    app: &App,
    draft: ClientDraft,
    secret: Option<SecretString>,
) -> Result<(), Error> {
    let hash = secret.as_ref().map(|secret| OpaqueToken::hash_of(secret.expose()).to_hex());
    let draft = ClientDraft { secret_hash: hash, ..draft };
    if draft.procedures.iter().any(|procedure| app.catalogue.procedure(procedure).is_none()) {
        return Err(InputError::Field("procedures").into());
    }
    let (now, app_) = (app.now(), App::clone(app));
    let client = ClientRegistration::try_from(draft)?;
    app.keys.token_key(client.signing_alg())?;
    if let (IdTokenAlg::Hs256, Some(secret)) = (client.id_token_alg(), &secret) {
        ClientMac::new(secret).map_err(|_| RegistrationError::ShortSecret)?;
    }
    let given = Arc::new((registry::row(&client, Standing::Active, now), secret));
    app.include("manage.add_client", move |tx| {
        let (app, given) = (App::clone(&app_), Arc::clone(&given));
        Box::pin(async move {
            let (row, secret) = &*given;
            let row = registry::seal(&app, tx, row.clone(), secret.as_ref(), now).await?;
            let record = Manager::Operator.sign(Record::done(EventKind::ClientAdded)).client(&row.id);
            let record = record.registered(registered::client(&app.keys, &row));
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            clients::insert(tx, &row, &event).await.map_err(super::taken)
        })
    })
    .await
}
