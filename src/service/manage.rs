//! Management: who is registered, who may act, what is closed to whom. The operator manages everything, a
//! referent the own organisation and nothing else (invariant 9).

mod keys;
mod other_sign_in;
mod register;
mod standing;

pub use keys::{RotationError, retire_key, rotate_key};
pub use other_sign_in::{Answer, other_sign_in};
pub use register::{
    ListedAidant, add_client, aidants_of, auditors_list, clients_list, organisations_list, register_client,
};
pub use standing::{Party, reinstate, suspend};

use super::line::line;
use super::{App, Caller, Error, InputError, Record, Session, SessionError, people, registered};
use crate::mandate::{
    AidantId, AuditorId, EventKind, Instant, OrganisationId, ProcedureId, ProfessionalIdentity, Role,
    Standing, Whereabouts,
};
use crate::storage::aidants::{self, AidantRow};
use crate::storage::auditors::{self, AuditorRow};
use crate::storage::organisations::{self, OrganisationRow};
use crate::storage::{Snapshot, StoreError};
use std::collections::BTreeSet;
use std::sync::Arc;
use time::Duration;

/// An invitation is accepted within this long, or made again.
const INVITATION_LIFE: Duration = Duration::days(14);
/// Longest name of an organisation or a person, in characters.
const LONGEST_NAME: usize = 200;
/// Characters of a telephone number.
const LONGEST_NUMBER: usize = 40;

/// Who manages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manager {
    /// The operator, from the command line.
    Operator,
    /// A referent, for the own organisation.
    Referent {
        /// Who.
        aidant: AidantId,
        /// Their organisation.
        organisation: OrganisationId,
    },
}

impl Manager {
    fn sign(&self, record: Record) -> Record {
        match self {
            Self::Operator => record.detail("by", "operator"),
            Self::Referent { aidant, .. } => record.detail("by", aidant.as_str()),
        }
    }

    /// Whether that organisation is theirs to manage; to a referent another one does not exist.
    fn may_manage(&self, organisation: &OrganisationId) -> Result<(), Error> {
        match self {
            Self::Operator => Ok(()),
            Self::Referent { organisation: own, .. } if own == organisation => Ok(()),
            Self::Referent { .. } => Err(Error::NotFound),
        }
    }
}

/// The referent of a session: signed in, factor proved, active, and referent still.
pub async fn referent(app: &App, session: &Session) -> Result<Manager, Error> {
    let session = session.clone();
    app.store
        .read("manage.referent", move |snapshot| {
            Box::pin(async move { referent_in(snapshot, &session).await })
        })
        .await
}

/// The same within a read or a write.
pub(super) async fn referent_in(snapshot: &mut Snapshot, session: &Session) -> Result<Manager, Error> {
    let found = aidants::for_decision(snapshot, session.aidant()?.aidant).await?;
    let (aidant, organisation) = found.ok_or(SessionError::SignInNeeded)?;
    let active = aidant.standing == Standing::Active && organisation.standing == Standing::Active;
    if active && aidant.role == Role::Referent {
        Ok(Manager::Referent { aidant: aidant.id, organisation: organisation.id })
    } else {
        Err(SessionError::WrongRole.into())
    }
}

/// A name that can be shown: not empty, not endless, no control characters.
fn name(field: &'static str, text: &str) -> Result<String, Error> {
    Ok(line(text, LONGEST_NAME).map_err(|no| no.in_field(field))?.to_owned())
}

fn whereabouts(at: &Whereabouts) -> Result<Whereabouts, Error> {
    let telephone = at.telephone.as_deref().map(|number| name("telephone", number)).transpose()?;
    if telephone.as_ref().is_some_and(|number| number.chars().count() > LONGEST_NUMBER) {
        return Err(InputError::TooLong("telephone").into());
    }
    Ok(Whereabouts { address: name("address", &at.address)?, town: name("town", &at.town)?, telephone })
}

/// Checks what an invitation says of a professional.
fn professional(given: &str, family: &str, email: &str) -> Result<ProfessionalIdentity, Error> {
    let email = name("email", email)?;
    let sound =
        email.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'));
    if !sound || email.chars().any(char::is_whitespace) {
        return Err(InputError::Field("email").into());
    }
    Ok(ProfessionalIdentity {
        given_name: name("given_name", given)?,
        family_name: name("family_name", family)?,
        email,
    })
}

/// Registers an organisation.
///
/// # Errors
/// [`Error::Input`] for a name, an address or a SIRET that is not 14 digits; [`Error::Conflict`] when the SIRET is
/// taken.
pub async fn add_organisation(
    app: &App,
    organisation_name: &str,
    siret: &str,
    at: &Whereabouts,
) -> Result<OrganisationId, Error> {
    if siret.len() != 14 || !siret.bytes().all(|b| b.is_ascii_digit()) {
        return Err(InputError::Field("siret").into());
    }
    let now = app.now();
    let row = Arc::new(OrganisationRow {
        id: OrganisationId::from_bytes(app.new_id()?),
        name: name("name", organisation_name)?,
        siret: siret.to_owned(),
        whereabouts: Some(whereabouts(at)?),
        standing: Standing::Active,
        created_at: now,
        version: 1,
    });
    let (app_, id) = (Arc::clone(app), row.id.clone());
    app.include("manage.add_organisation", move |tx| {
        let (app, row) = (Arc::clone(&app_), Arc::clone(&row));
        Box::pin(async move {
            let record =
                Manager::Operator.sign(Record::done(EventKind::OrganisationAdded)).organisation(&row.id);
            let record = record.registered(registered::organisation(&app.keys, &row));
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            organisations::insert(tx, &row, &event).await.map_err(taken)
        })
    })
    .await?;
    Ok(id)
}

fn taken(error: StoreError) -> Error {
    match error {
        StoreError::Taken(_) => Error::Conflict,
        other => other.into(),
    }
}

/// Who is invited.
#[derive(Clone, Copy)]
pub struct Invited<'a> {
    /// First name.
    pub given_name: &'a str,
    /// Name in use.
    pub family_name: &'a str,
    /// The address their provider will assert.
    pub email: &'a str,
    /// Their role.
    pub role: Role,
}

/// Invites an aidant: whoever signs in with that address, within two weeks, is them. An invitation that ran out in the
/// same organisation is renewed in place, with the names and the role given now.
///
/// # Errors
/// [`Error::Input`]; [`Error::Conflict`] when the address is registered already, or its invitation is still open
/// (said only to those who manage the organisation); [`Error::NotFound`] for another organisation.
pub async fn invite_aidant(
    app: &App,
    manager: &Manager,
    caller: &Caller,
    organisation: &OrganisationId,
    invited: Invited<'_>,
) -> Result<AidantId, Error> {
    manager.may_manage(organisation)?;
    let identity = Arc::new(professional(invited.given_name, invited.family_name, invited.email)?);
    let (new, now) = (AidantId::from_bytes(app.new_id()?), app.now());
    let (app_, manager, caller) = (Arc::clone(app), manager.clone(), caller.clone());
    let (organisation, role) = (organisation.clone(), invited.role);
    app.include("manage.invite_aidant", move |tx| {
        let (app, manager, caller) = (Arc::clone(&app_), manager.clone(), caller.clone());
        let (organisation, identity, new) = (organisation.clone(), Arc::clone(&identity), new.clone());
        Box::pin(async move {
            organisations::load(tx, &organisation).await?.ok_or(Error::NotFound)?;
            let email_blind = people::email_blind(&app, &identity.email);
            let before = aidants::by_email_blind(tx, &email_blind).await?;
            if before.as_ref().is_some_and(|row| {
                row.organisation != organisation || !ran_out(row.standing, row.invite_expires_at, now)
            }) {
                return Err(Error::Conflict);
            }
            let id = before.as_ref().map_or(new, |row| row.id.clone());
            let holder = people::Holder::Aidant(id.as_str());
            let (identity_sealed, identity_key) = people::seal(&app, tx, holder, &*identity, now).await?;
            let record = invitation(manager.sign(Record::done(EventKind::AidantInvited)), before.is_some());
            let record = record.organisation(&organisation).aidant(&id);
            let row = AidantRow {
                id: id.clone(),
                organisation,
                role,
                standing: Standing::Invited,
                email_blind,
                identity_sealed,
                identity_key,
                subject: None,
                invited_at: now,
                invite_expires_at: now.plus(INVITATION_LIFE),
                activated_at: None,
                asked: None,
                version: 1,
            };
            let record = record.registered(registered::aidant(&app.keys, &row));
            let event = record.append(&app, tx, &caller, now).await?;
            match before {
                Some(before) => aidants::update(tx, &before, &row, &event).await?,
                None => aidants::insert(tx, &row, &event).await.map_err(taken)?,
            }
            Ok(id)
        })
    })
    .await
}

/// Whether an invitation was never accepted and cannot be any more.
fn ran_out(standing: Standing, expires_at: Instant, now: Instant) -> bool {
    standing == Standing::Invited && now >= expires_at
}

fn invitation(record: Record, renewed: bool) -> Record {
    if renewed { record.detail("renewed", true) } else { record }
}

/// Registers an auditor by the address their provider will assert; renews a registration that ran out unused.
///
/// # Errors
/// [`Error::Input`]; [`Error::Conflict`] when the address is registered already.
pub async fn add_auditor(app: &App, given: &str, family: &str, email: &str) -> Result<AuditorId, Error> {
    let identity = Arc::new(professional(given, family, email)?);
    let (new, now, app_) = (AuditorId::from_bytes(app.new_id()?), app.now(), Arc::clone(app));
    app.include("manage.add_auditor", move |tx| {
        let (app, identity, new) = (Arc::clone(&app_), Arc::clone(&identity), new.clone());
        Box::pin(async move {
            let email_blind = people::email_blind(&app, &identity.email);
            let before = auditors::by_email_blind(tx, &email_blind).await?;
            if before.as_ref().is_some_and(|row| !ran_out(row.standing, row.invite_expires_at, now)) {
                return Err(Error::Conflict);
            }
            let id = before.as_ref().map_or(new, |row| row.id.clone());
            let holder = people::Holder::Auditor(id.as_str());
            let (identity_sealed, identity_key) = people::seal(&app, tx, holder, &*identity, now).await?;
            let record = Manager::Operator.sign(Record::done(EventKind::AuditorAdded));
            let record = invitation(record, before.is_some()).auditor(&id);
            let row = AuditorRow {
                id: id.clone(),
                standing: Standing::Invited,
                email_blind,
                identity_sealed,
                identity_key,
                subject: None,
                invited_at: now,
                invite_expires_at: now.plus(INVITATION_LIFE),
                activated_at: None,
                version: 1,
            };
            let record = record.registered(registered::auditor(&app.keys, &row));
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            match before {
                Some(before) => auditors::update(tx, &before, &row, &event).await?,
                None => auditors::insert(tx, &row, &event).await.map_err(taken)?,
            }
            Ok(id)
        })
    })
    .await
}

/// For whom procedures are closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClosedFor {
    /// Everyone in the organisation.
    Organisation(OrganisationId),
    /// One aidant.
    Aidant(AidantId),
}

/// Sets which procedures are closed for an organisation or an aidant; every other one is open. Live tokens of a
/// procedure now closed fail at their next use, where the decision is asked again.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Input`] for a procedure that is not in the catalogue.
pub async fn restrict(
    app: &App,
    manager: &Manager,
    caller: &Caller,
    whom: &ClosedFor,
    closed: &BTreeSet<ProcedureId>,
) -> Result<(), Error> {
    if closed.iter().any(|procedure| app.catalogue.procedure(procedure).is_none()) {
        return Err(InputError::Field("procedure").into());
    }
    let (app_, manager, caller) = (Arc::clone(app), manager.clone(), caller.clone());
    let (whom, closed, now) = (whom.clone(), closed.clone(), app.now());
    app.include("manage.restrict", move |tx| {
        let (app, manager, caller) = (Arc::clone(&app_), manager.clone(), caller.clone());
        let (whom, closed) = (whom.clone(), closed.clone());
        Box::pin(async move {
            let names: Vec<_> = closed.iter().map(ProcedureId::as_str).collect();
            let record = manager.sign(Record::done(EventKind::ProceduresRestricted)).detail("closed", names);
            match &whom {
                ClosedFor::Organisation(id) => {
                    manager.may_manage(id)?;
                    let row = organisations::load(tx, id).await?.ok_or(Error::NotFound)?;
                    let event = record.organisation(id).append(&app, tx, &caller, now).await?;
                    Ok(organisations::restrict(tx, &row, &closed, &event).await?)
                }
                ClosedFor::Aidant(id) => {
                    let row = aidants::load(tx, id).await?.ok_or(Error::NotFound)?;
                    manager.may_manage(&row.organisation)?;
                    let record = record.organisation(&row.organisation).aidant(id);
                    let event = record.append(&app, tx, &caller, now).await?;
                    Ok(aidants::restrict(tx, &row, &closed, &event).await?)
                }
            }
        })
    })
    .await
}
