//! The aidant behind a session and the organisation they act for, as they stand at the moment of an act; and the
//! mandates of that organisation, to which all others are "not found" (invariant 9).

use super::{App, Caller, Error, Record, Session, SessionError};
use crate::mandate::{Aidant, AidantId, EventKind, Instant, MandateId, Organisation, Refusal, Standing};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::{Snapshot, Tx, aidants};

/// An aidant who may act, and their organisation.
pub struct Office {
    /// Who.
    pub aidant: Aidant,
    /// For whom.
    pub organisation: Organisation,
}

impl Office {
    /// Whether both may act now: suspended in the middle of a session means from the next act on.
    pub fn standing(&self) -> Result<(), Refusal> {
        if self.organisation.standing != Standing::Active {
            return Err(Refusal::OrganisationSuspended);
        }
        match self.aidant.standing {
            Standing::Active => Ok(()),
            Standing::Suspended => Err(Refusal::AidantSuspended),
            Standing::Invited => Err(Refusal::AidantInvited),
        }
    }

    /// The office of the signed-in aidant, who may act and has proved a second factor.
    pub async fn of(snapshot: &mut Snapshot, session: &Session) -> Result<Self, Error> {
        let office = Self::behind(snapshot, session.aidant()?.aidant).await?;
        office.standing()?;
        Ok(office)
    }

    /// The office of the aidant whose screen it is, whatever their standing.
    pub async fn behind(snapshot: &mut Snapshot, aidant: &AidantId) -> Result<Self, Error> {
        let found = aidants::for_decision(snapshot, aidant).await?;
        let (aidant, organisation) = found.ok_or(SessionError::SignInNeeded)?;
        Ok(Self { aidant, organisation })
    }

    /// A mandate of this organisation.
    pub async fn mandate(&self, snapshot: &mut Snapshot, id: &MandateId) -> Result<MandateRow, Error> {
        let row = mandates::load(snapshot, id).await?;
        row.filter(|row| row.mandate.organisation == self.organisation.id).ok_or(Error::NotFound)
    }

    /// Journals that an act was refused before any mandate of ours was touched, and gives the refusal back for
    /// the write to commit it.
    pub async fn refuse(
        &self,
        app: &App,
        tx: &mut Tx,
        kind: EventKind,
        error: Error,
        (caller, now): (&Caller, Instant),
    ) -> Result<Error, Error> {
        let record = Record::refused(kind, error.code());
        let record = record.organisation(&self.organisation.id).aidant(&self.aidant.id);
        record.append(app, tx, caller, now).await?;
        Ok(error)
    }

    /// Journals that a record was refused for not being this organisation's; any other error passes through.
    pub async fn refuse_access(
        &self,
        app: &App,
        tx: &mut Tx,
        error: Error,
        by: (&Caller, Instant),
    ) -> Result<Error, Error> {
        match error {
            Error::NotFound => self.refuse(app, tx, EventKind::AccessRefused, error, by).await,
            other => Err(other),
        }
    }
}
