//! Aidants and auditors, authenticated by the agents' provider: registered people only.

use super::{Provider, other};
use crate::crypto::SpokenCode;
use crate::mandate::{EventKind, Instant, ProfessionalIdentity, Standing};
use crate::relying::SignedIn;
use crate::service::session::{self, Opened};
use crate::service::{App, Caller, Error, Record, Session, SignInError, Who, people, registered};
use crate::storage::aidants::{self, AidantRow};
use crate::storage::auditors::{self, AuditorRow};
use crate::storage::{Tx, organisations};
use std::sync::Arc;

/// A professional as the provider asserts them.
#[derive(Clone)]
struct Asserted {
    iss: String,
    sub: String,
    identity: ProfessionalIdentity,
    /// None where another provider speaks for the address: it finds nobody.
    email_blind: Option<String>,
    siret: Option<String>,
    at: Instant,
}

fn asserted(app: &App, provider: &Provider, signed_in: &SignedIn) -> Result<Asserted, Error> {
    let identity = signed_in.professional_identity().map_err(|_| SignInError::IdentityIncomplete)?;
    if signed_in.email_verified == Some(false) {
        return Err(SignInError::IdentityIncomplete.into());
    }
    Ok(Asserted {
        iss: signed_in.issuer.clone(),
        sub: signed_in.subject.clone(),
        email_blind: app
            .agents
            .speaks_for(provider, &identity.email)
            .then(|| people::email_blind(app, &identity.email)),
        identity,
        siret: signed_in.siret().map(str::to_owned),
        at: app.now(),
    })
}

/// Lets a registered aidant in.
pub(super) async fn aidant(
    app: &App,
    session: &Session,
    caller: &Caller,
    (provider, signed_in): (&Provider, &SignedIn),
) -> Result<Opened, Error> {
    let asserted = Arc::new(asserted(app, provider, signed_in)?);
    let id = {
        let asserted = Arc::clone(&asserted);
        app.store
            .read("sign_in.aidant_known", |snapshot| {
                Box::pin(async move {
                    let bound = aidants::by_subject(snapshot, &asserted.iss, &asserted.sub).await?;
                    let row = match (bound, &asserted.email_blind) {
                        (Some(row), _) => Some(row),
                        (None, Some(blind)) => aidants::by_email_blind(snapshot, blind).await?,
                        (None, None) => None,
                    };
                    Ok::<_, Error>(row.map(|row| row.id))
                })
            })
            .await?
            .ok_or(SignInError::NotRegistered)?
    };
    let who = Who::Aidant {
        aidant: id.clone(),
        authenticated_at: super::authenticated_at(signed_in, asserted.at),
        factor_at: signed_in.proves_second_factor().then_some(asserted.at),
        level: super::level(signed_in)?,
    };
    let opened = session::next(app, session, who)?;
    let (before, after) = (session.id, Arc::new(opened.session.clone()));
    let level = signed_in.acr.clone().unwrap_or_default();
    let (app_, caller) = (Arc::clone(app), caller.clone());
    let other = app
        .commit("sign_in.aidant", move |tx| {
            let (app, caller, asserted) = (Arc::clone(&app_), caller.clone(), Arc::clone(&asserted));
            let (after, id, level) = (Arc::clone(&after), id.clone(), level.clone());
            Box::pin(async move {
                let row = aidants::load(tx, &id).await?.ok_or(SignInError::NotRegistered)?;
                let other = admit_aidant(&app, tx, &caller, row, &asserted, &level).await?;
                if other.is_none() {
                    session::rotate(tx, &before, &after).await?;
                }
                Ok::<_, Error>(other)
            })
        })
        .await?;
    other.map_or(Ok(opened), |code| Err(SignInError::OtherSignIn(code).into()))
}

/// Checks the registration, binds an invitation to its first sign-in, and appends the entries. A code for somebody who comes
/// by another sign-in than theirs, of which their referent is asked: they are not let in.
async fn admit_aidant(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    row: AidantRow,
    asserted: &Asserted,
    level: &str,
) -> Result<Option<SpokenCode>, Error> {
    let organisation = organisations::load(tx, &row.organisation).await?.ok_or(SignInError::NotRegistered)?;
    if organisation.standing != Standing::Active {
        return Err(SignInError::Suspended.into());
    }
    let subject = (asserted.iss.clone(), asserted.sub.clone());
    let row = match (row.standing, &row.subject) {
        (Standing::Suspended, _) => return Err(SignInError::Suspended.into()),
        (Standing::Active, Some(bound)) if *bound == subject => row,
        (Standing::Invited, None) if asserted.at >= row.invite_expires_at => {
            return Err(SignInError::InvitationExpired.into());
        }
        (Standing::Invited, None) => {
            let holder = people::Holder::Aidant(row.id.as_str());
            let (sealed, key) = people::seal(app, tx, holder, &asserted.identity, asserted.at).await?;
            let after = AidantRow {
                standing: Standing::Active,
                subject: Some(subject),
                activated_at: Some(asserted.at),
                identity_sealed: sealed,
                identity_key: key,
                ..row.clone()
            };
            let record = Record::done(EventKind::InvitationAccepted);
            let record = record.organisation(&row.organisation).aidant(&row.id);
            let record = record.registered(registered::aidant(&app.keys, &after));
            let event = record.append(app, tx, caller, asserted.at).await?;
            aidants::update(tx, &row, &after, &event).await?;
            after
        }
        (Standing::Active, Some(_)) => {
            return other::ask(app, tx, (&row, subject), (caller, asserted.at)).await.map(Some);
        }
        _ => return Err(SignInError::NotRegistered.into()),
    };
    let record = Record::done(EventKind::AidantSignedIn).detail("level", level);
    let record = match asserted.siret.as_deref() {
        None => record.detail("employer", "unsaid"),
        Some(siret) if siret == organisation.siret => record.detail("employer", "same"),
        // Which one is nobody's to read here; the watch tells one from another.
        Some(siret) => {
            let which = app.keys.index().blind("employer", &[row.id.as_str(), siret]);
            record.detail("employer", "other").detail("employer_index", which)
        }
    };
    record.organisation(&row.organisation).aidant(&row.id).append(app, tx, caller, asserted.at).await?;
    Ok(None)
}

/// Lets a registered auditor in.
pub(super) async fn auditor(
    app: &App,
    session: &Session,
    caller: &Caller,
    (provider, signed_in): (&Provider, &SignedIn),
) -> Result<Opened, Error> {
    let asserted = Arc::new(asserted(app, provider, signed_in)?);
    let id = {
        let asserted = Arc::clone(&asserted);
        app.store
            .read("sign_in.auditor_known", |snapshot| {
                Box::pin(async move {
                    let bound = auditors::by_subject(snapshot, &asserted.iss, &asserted.sub).await?;
                    let row = match (bound, &asserted.email_blind) {
                        (Some(row), _) => Some(row),
                        (None, Some(blind)) => auditors::by_email_blind(snapshot, blind).await?,
                        (None, None) => None,
                    };
                    Ok::<_, Error>(row.map(|row| row.id))
                })
            })
            .await?
            .ok_or(SignInError::NotRegistered)?
    };
    let authenticated_at = super::authenticated_at(signed_in, asserted.at);
    let opened =
        session::next(app, session, Who::Auditor { auditor: id.clone(), authenticated_at, reading: None })?;
    let (before, after) = (session.id, Arc::new(opened.session.clone()));
    let (app_, caller) = (Arc::clone(app), caller.clone());
    app.commit("sign_in.auditor", move |tx| {
        let (app, caller, asserted) = (Arc::clone(&app_), caller.clone(), Arc::clone(&asserted));
        let (after, id) = (Arc::clone(&after), id.clone());
        Box::pin(async move {
            let row = auditors::load(tx, &id).await?.ok_or(SignInError::NotRegistered)?;
            admit_auditor(&app, tx, &caller, row, &asserted).await?;
            session::rotate(tx, &before, &after).await
        })
    })
    .await?;
    Ok(opened)
}

async fn admit_auditor(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    row: AuditorRow,
    asserted: &Asserted,
) -> Result<(), Error> {
    let subject = (asserted.iss.clone(), asserted.sub.clone());
    match (row.standing, &row.subject) {
        (Standing::Suspended, _) => return Err(SignInError::Suspended.into()),
        (Standing::Active, Some(bound)) if *bound == subject => {}
        (Standing::Invited, None) if asserted.at >= row.invite_expires_at => {
            return Err(SignInError::InvitationExpired.into());
        }
        (Standing::Invited, None) => {
            let holder = people::Holder::Auditor(row.id.as_str());
            let (sealed, key) = people::seal(app, tx, holder, &asserted.identity, asserted.at).await?;
            let after = AuditorRow {
                standing: Standing::Active,
                subject: Some(subject),
                activated_at: Some(asserted.at),
                identity_sealed: sealed,
                identity_key: key,
                ..row.clone()
            };
            let record = Record::done(EventKind::AuditorBound).auditor(&row.id);
            let record = record.registered(registered::auditor(&app.keys, &after));
            let event = record.append(app, tx, caller, asserted.at).await?;
            auditors::update(tx, &row, &after, &event).await?;
        }
        _ => return Err(SignInError::NotRegistered.into()),
    }
    Record::done(EventKind::AuditorSignedIn).auditor(&row.id).append(app, tx, caller, asserted.at).await?;
    Ok(())
}
