//! Who is in front of the screen, by name: what every page's header shows.

use super::{App, Error, Session, SessionError, Who, people};
use crate::mandate::{AidantId, AuditorId, Role, UsagerId};
use crate::storage::{Snapshot, aidants, auditors, organisations};

/// The person a session belongs to, in words.
#[derive(Clone, PartialEq, Eq)]
pub enum Person {
    /// Nobody signed in, or the screen is not in its aidant's hands.
    Nobody,
    /// An aidant.
    Aidant {
        /// First and last name.
        name: String,
        /// Name of the organisation.
        organisation: String,
        /// Whether they manage it.
        referent: bool,
    },
    /// A usager.
    Usager {
        /// First and last name.
        name: String,
    },
    /// An auditor.
    Auditor {
        /// First and last name.
        name: String,
    },
}

/// Names the holder of a session.
pub async fn person(app: &App, session: &Session) -> Result<Person, Error> {
    let (who, app_) = (session.who.clone(), App::clone(app));
    app.store
        .read("whoami", |snapshot| {
            Box::pin(async move {
                let app = &app_;
                match &who {
                    Who::Anonymous | Who::HandedOver { .. } | Who::Locked { .. } | Who::Consenting { .. } => {
                        Ok(Person::Nobody)
                    }
                    Who::Aidant { aidant, .. } => named_aidant(app, snapshot, aidant).await,
                    Who::Usager { usager, .. } => named_usager(app, snapshot, usager).await,
                    Who::Auditor { auditor, .. } => named_auditor(app, snapshot, auditor).await,
                }
            })
        })
        .await
}

async fn named_aidant(app: &App, snapshot: &mut Snapshot, id: &AidantId) -> Result<Person, Error> {
    let row = aidants::load(snapshot, id).await?.ok_or(SessionError::SignInNeeded)?;
    let organisation = organisations::load(snapshot, &row.organisation).await?.ok_or(Error::Unreadable)?;
    let holder = people::Holder::Aidant(id.as_str());
    let identity = people::professional(app, snapshot, holder, &row.identity_sealed).await?;
    Ok(Person::Aidant {
        name: format!("{} {}", identity.given_name, identity.family_name),
        organisation: organisation.name,
        referent: row.role == Role::Referent,
    })
}

async fn named_usager(app: &App, snapshot: &mut Snapshot, id: &UsagerId) -> Result<Person, Error> {
    let (_, identity) = people::usager(app, snapshot, id).await?;
    Ok(Person::Usager { name: people::full_name(&identity) })
}

async fn named_auditor(app: &App, snapshot: &mut Snapshot, id: &AuditorId) -> Result<Person, Error> {
    let row = auditors::load(snapshot, id).await?.ok_or(SessionError::SignInNeeded)?;
    let holder = people::Holder::Auditor(id.as_str());
    let identity = people::professional(app, snapshot, holder, &row.identity_sealed).await?;
    Ok(Person::Auditor { name: format!("{} {}", identity.given_name, identity.family_name) })
}
