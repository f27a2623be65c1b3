//! The persons of these tests, stored as the service stores them.

use porteplume::mandate::{
    AidantId, BirthDate, EventKind, Identity, OrganisationId, ProfessionalIdentity, Role, Standing, UsagerId,
};
use porteplume::service::people::{self, Holder};
use porteplume::service::{App, Caller, Error, Record};
use porteplume::storage::aidants::{self, AidantRow};
use porteplume::storage::usagers::{self, UsagerRow};
use std::sync::Arc;
use time::Duration;

/// An aidant who has signed in before.
pub(crate) async fn aidant(app: &App, organisation: &OrganisationId, given: &str, family: &str) -> AidantId {
    let id = AidantId::from_bytes(app.new_id().unwrap());
    let identity = Arc::new(ProfessionalIdentity {
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        email: format!("{id}@mairie.example"),
    });
    let (app_, new, organisation, now) = (Arc::clone(app), id.clone(), organisation.clone(), app.now());
    app.commit("test.aidant", move |tx| {
        let (app, id) = (Arc::clone(&app_), new.clone());
        let (organisation, identity) = (organisation.clone(), Arc::clone(&identity));
        Box::pin(async move {
            let holder = Holder::Aidant(id.as_str());
            let (identity_sealed, identity_key) = people::seal(&app, tx, holder, &*identity, now).await?;
            let record = Record::done(EventKind::InvitationAccepted).organisation(&organisation).aidant(&id);
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            let row = AidantRow {
                email_blind: people::email_blind(&app, &identity.email),
                subject: Some(("https://agents.example".to_owned(), id.to_string())),
                id,
                organisation,
                role: Role::Aidant,
                standing: Standing::Active,
                identity_sealed,
                identity_key,
                invited_at: now,
                invite_expires_at: now.plus(Duration::days(14)),
                activated_at: Some(now),
                version: 1,
            };
            Ok::<_, Error>(aidants::insert(tx, &row, &event).await?)
        })
    })
    .await
    .unwrap();
    id
}

/// A usager known to us, as after an identification.
pub(crate) async fn usager(app: &App, identity: Identity) -> UsagerId {
    let id = UsagerId::from_bytes(app.new_id().unwrap());
    let (app_, new, now, identity) = (Arc::clone(app), id.clone(), app.now(), Arc::new(identity));
    app.commit("test.usager", move |tx| {
        let (app, id, identity) = (Arc::clone(&app_), new.clone(), Arc::clone(&identity));
        Box::pin(async move {
            let holder = Holder::Usager(id.as_str());
            let (identity_sealed, identity_key) = people::seal(&app, tx, holder, &*identity, now).await?;
            let record = Record::done(EventKind::UsagerIdentified).usager(&id);
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            let row = UsagerRow {
                iss: "https://citizens.example".to_owned(),
                sub: id.to_string(),
                id,
                identity_sealed,
                identity_key,
                first_seen_at: now,
                identified_at: now,
                identity_level: "eidas1".to_owned(),
                version: 1,
            };
            Ok::<_, Error>(usagers::insert(tx, &row, &event).await?)
        })
    })
    .await
    .unwrap();
    id
}

/// Somebody of age, with a name that asks something of forms and pages.
pub(crate) fn marie() -> Identity {
    born("Marie-Josèphe", "D’Été-L’Hôte <b>", "1949-03-00")
}

pub(crate) fn born(given: &str, family: &str, birthdate: &str) -> Identity {
    Identity {
        given_name: given.to_owned(),
        family_name: family.to_owned(),
        preferred_username: None,
        gender: "female".to_owned(),
        birthdate: BirthDate::parse(birthdate).unwrap(),
        birthplace: "69123".to_owned(),
        birthcountry: "99100".to_owned(),
        email: None,
    }
}
