//! What auditors may read: given, listed and taken back by the operator. Each is a fact with its entry.

use crate::mandate::{
    AuditorId, EventKind, Grant, GrantId, Instant, InvalidGrant, MandateId, OrganisationId, Reach, Slots,
    Standing,
};
use crate::service::{App, Caller, Error, InputError, Record, facts};
use crate::storage::audit_grants::{self, GrantRow};
use crate::storage::{Tx, auditors, mandates, organisations};
use std::sync::Arc;

/// What an operator gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// Of whom.
    pub reach: Reach,
    /// Which slots.
    pub slots: Slots,
    /// Entries from this instant on.
    pub from: Instant,
    /// Entries before this instant.
    pub until: Instant,
    /// When the grant is over.
    pub ends_at: Instant,
}

impl From<InvalidGrant> for Error {
    fn from(error: InvalidGrant) -> Self {
        match error {
            InvalidGrant::NamesNothing => InputError::Field("organisation or mandate").into(),
            InvalidGrant::NamesTooMany => InputError::TooLong("organisation or mandate").into(),
            InvalidGrant::PeriodEmpty => InputError::Field("from or until").into(),
            InvalidGrant::EndInvalid => InputError::Field("days").into(),
            InvalidGrant::Over => Self::Conflict,
        }
    }
}

/// Gives an auditor something to read.
///
/// # Errors
/// [`Error::Input`] for a grant without bounds; [`Error::NotFound`] when the auditor, or whatever it names, is not
/// there; [`Error::Conflict`] when the auditor is suspended.
pub async fn give(app: &App, auditor: &AuditorId, given: Given) -> Result<GrantId, Error> {
    let now = app.now();
    let grant = Grant {
        id: GrantId::from_bytes(app.new_id()?),
        auditor: auditor.clone(),
        reach: given.reach,
        slots: given.slots,
        from: given.from,
        until: given.until,
        given_at: now,
        ends_at: given.ends_at,
        revoked_at: None,
    };
    let grant = Arc::new(grant.check()?);
    let (app_, id) = (Arc::clone(app), grant.id.clone());
    app.include("audit.give", move |tx| {
        let (app, grant) = (Arc::clone(&app_), Arc::clone(&grant));
        Box::pin(async move { write(&app, tx, &grant).await })
    })
    .await?;
    Ok(id)
}

async fn write(app: &App, tx: &mut Tx, grant: &Grant) -> Result<(), Error> {
    let row = auditors::load(tx, &grant.auditor).await?.ok_or(Error::NotFound)?;
    if row.standing == Standing::Suspended {
        return Err(Error::Conflict);
    }
    let mut record = told(Record::done(EventKind::GrantGiven), grant);
    if let Reach::Named { organisations: named, mandates: of } = &grant.reach {
        for id in named {
            organisations::load(tx, id).await?.ok_or(Error::NotFound)?;
        }
        for id in of {
            mandates::load(tx, id).await?.ok_or(Error::NotFound)?;
        }
        let names: Vec<_> = named.iter().map(OrganisationId::as_str).collect();
        let mandates: Vec<_> = of.iter().map(MandateId::as_str).collect();
        record = record.detail("organisations", names).detail("mandates", mandates);
    }
    let row = GrantRow { grant: grant.clone(), version: 1 };
    let record = record.stands(facts::grant(&app.keys, &row, facts::names(&app.keys, &grant.reach)));
    let event = record.append(app, tx, &Caller::default(), grant.given_at).await?;
    let index = app.keys.index();
    Ok(audit_grants::insert(tx, grant, &event, |field, id| index.blind(field, &[id])).await?)
}

/// What the entry of a grant tells.
fn told(record: Record, grant: &Grant) -> Record {
    record
        .auditor(&grant.auditor)
        .detail("by", "operator")
        .detail("grant", grant.id.as_str())
        .detail("slots", grant.slots.as_str())
        .detail("from", grant.from.millis())
        .detail("until", grant.until.millis())
        .detail("ends_at", grant.ends_at.millis())
}

/// Takes a grant back: from its commit on, nothing is read under it.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it is over already.
pub async fn revoke(app: &App, id: &GrantId) -> Result<(), Error> {
    let (app_, id, now) = (Arc::clone(app), id.clone(), app.now());
    app.include("audit.revoke", move |tx| {
        let (app, id) = (Arc::clone(&app_), id.clone());
        Box::pin(async move {
            let before = audit_grants::load(tx, &id).await?.ok_or(Error::NotFound)?;
            let after = before.grant.clone().revoke(now)?;
            let record = told(Record::done(EventKind::GrantRevoked), &after);
            let names = facts::names(&app.keys, &after.reach);
            let row = GrantRow { grant: after, version: before.version + 1 };
            let record = record.stands(facts::grant(&app.keys, &row, names));
            let event = record.append(&app, tx, &Caller::default(), now).await?;
            Ok(audit_grants::revoke(tx, &before, now, &event).await?)
        })
    })
    .await
}

/// What an auditor was ever given. For the operator.
///
/// # Errors
/// [`Error::Store`].
pub async fn list(app: &App, auditor: &AuditorId) -> Result<Vec<GrantRow>, Error> {
    let auditor = auditor.clone();
    app.store
        .read("audit.grants", |snapshot| {
            Box::pin(async move { Ok(audit_grants::of_auditor(snapshot, &auditor).await?) })
        })
        .await
}
