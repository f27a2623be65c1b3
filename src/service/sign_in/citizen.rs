//! Usagers, identified by the citizens' provider.

use crate::mandate::{EventKind, Identity, Instant, UsagerId};
use crate::relying::SignedIn;
use crate::service::session::{self, Opened};
use crate::service::{
    App, Caller, Error, Identified, Record, Session, SessionError, SignInError, Who, people, registered,
};
use crate::storage::usagers::{self, UsagerRow};
use crate::storage::{Tx, askings};
use std::sync::Arc;

/// An identification as the write needs it.
#[derive(Clone)]
struct Seen {
    iss: String,
    sub: String,
    level: String,
    identity: Identity,
    at: Instant,
}

/// Lets a usager in: into their own space, or in front of the handed-over screen that began the sign-in.
pub(super) async fn usager(
    app: &App,
    session: &Session,
    caller: &Caller,
    signed_in: &SignedIn,
) -> Result<Opened, Error> {
    let now = app.now();
    let seen = Seen {
        iss: signed_in.issuer.clone(),
        sub: signed_in.subject.clone(),
        level: super::level(signed_in)?,
        identity: signed_in.pivot_identity().map_err(|_| SignInError::IdentityIncomplete)?,
        at: now,
    };
    // The session's next form needs the usager's identifier: the known one, or a new one.
    let known = find(app, &seen).await?;
    let id = match known {
        Some(id) => id,
        None => UsagerId::from_bytes(app.new_id()?),
    };
    let opened = session::next(app, session, holder(session, &id, &seen)?)?;
    let (before, after) = (session.id, Arc::new(opened.session.clone()));
    let (app_, caller, seen) = (Arc::clone(app), caller.clone(), Arc::new(seen));
    app.commit("sign_in.usager", move |tx| {
        let (app, caller, seen) = (Arc::clone(&app_), caller.clone(), Arc::clone(&seen));
        let (after, id) = (Arc::clone(&after), id.clone());
        Box::pin(async move {
            store(&app, tx, &caller, &id, &seen, &after).await?;
            session::rotate(tx, &before, &after).await
        })
    })
    .await?;
    Ok(opened)
}

async fn find(app: &App, seen: &Seen) -> Result<Option<UsagerId>, Error> {
    let (iss, sub) = (seen.iss.clone(), seen.sub.clone());
    app.store
        .read("sign_in.usager_known", |snapshot| {
            Box::pin(async move { Ok(usagers::by_subject(snapshot, &iss, &sub).await?.map(|row| row.id)) })
        })
        .await
}

fn holder(session: &Session, id: &UsagerId, seen: &Seen) -> Result<Who, Error> {
    match &session.who {
        Who::HandedOver { aidant, authenticated_at, level, mandate, .. } => Ok(Who::HandedOver {
            aidant: aidant.clone(),
            authenticated_at: *authenticated_at,
            level: level.clone(),
            mandate: mandate.clone(),
            identified: Some(Identified { usager: id.clone(), at: seen.at, level: seen.level.clone() }),
        }),
        Who::Consenting { mandate, .. } => Ok(Who::Consenting {
            mandate: mandate.clone(),
            identified: Some(Identified { usager: id.clone(), at: seen.at, level: seen.level.clone() }),
        }),
        Who::Locked { .. } => Err(SessionError::ScreenLocked.into()),
        Who::Anonymous | Who::Aidant { .. } | Who::Usager { .. } | Who::Auditor { .. } => {
            Ok(Who::Usager { usager: id.clone(), authenticated_at: seen.at, level: seen.level.clone() })
        }
    }
}

/// Records the usager as now identified, and the entry that tells of it.
async fn store(
    app: &App,
    tx: &mut Tx,
    caller: &Caller,
    id: &UsagerId,
    seen: &Seen,
    after: &Session,
) -> Result<(), Error> {
    let before = usagers::by_subject(tx, &seen.iss, &seen.sub).await?;
    if before.as_ref().is_some_and(|row| row.id != *id) {
        // Two first sign-ins of one person at the same instant: the other one came first.
        return Err(Error::Conflict);
    }
    let holder = people::Holder::Usager(id.as_str());
    let (identity_sealed, identity_key) = people::seal(app, tx, holder, &seen.identity, seen.at).await?;
    let row = UsagerRow {
        id: id.clone(),
        iss: seen.iss.clone(),
        sub: seen.sub.clone(),
        identity_sealed,
        identity_key,
        first_seen_at: before.as_ref().map_or(seen.at, |row| row.first_seen_at),
        identified_at: seen.at,
        identity_level: seen.level.clone(),
        version: before.as_ref().map_or(1, |row| row.version),
    };
    let record = match &after.who {
        Who::HandedOver { aidant, mandate, .. } => {
            Record::done(EventKind::UsagerIdentified).aidant(aidant).about(mandate)
        }
        Who::Consenting { mandate, .. } => {
            let asking = askings::load(tx, mandate).await?.ok_or(Error::NotFound)?;
            Record::done(EventKind::UsagerIdentified).aidant(&asking.asked_by).about(mandate)
        }
        _ => Record::done(EventKind::UsagerSignedIn),
    };
    let record = record.usager(id).detail("level", seen.level.as_str());
    let record = record.registered(registered::usager(&app.keys, &row));
    let event = record.append(app, tx, caller, seen.at).await?;
    match before {
        Some(before) => usagers::update(tx, &before, &row, &event).await?,
        None => usagers::insert(tx, &row, &event).await?,
    }
    Ok(())
}
