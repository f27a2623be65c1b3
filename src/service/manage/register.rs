//! What is registered, as the operator and the referent list it.

use crate::mandate::{AidantId, AuditorId, OrganisationId, ProcedureId, Role, Standing};
use crate::service::{App, Error, people};
use crate::storage::organisations::OrganisationRow;
use crate::storage::{aidants, auditors, clients, organisations};
use std::collections::BTreeSet;

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
