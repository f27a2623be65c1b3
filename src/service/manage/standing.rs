//! Suspending and reinstating.

use super::Manager;
use crate::mandate::{AidantId, AuditorId, ClientId, EventKind, Instant, OrganisationId, Standing};
use crate::service::end::close_representation;
use crate::service::steps::Actor;
use crate::service::{App, Caller, Error, Record};
use crate::storage::aidants::{self, AidantRow};
use crate::storage::auditors::{self, AuditorRow};
use crate::storage::clients::{self, ClientRow};
use crate::storage::organisations::{self, OrganisationRow};
use crate::storage::representations::{self, CloseReason, Scope};
use crate::storage::{Tx, mandates, sessions, tokens};
use std::sync::Arc;

/// Why what lives of a suspended party is closed.
const SUSPENDED: CloseReason = CloseReason::Suspended;

/// What is suspended or reinstated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// An organisation: none of its mandates can be used meanwhile.
    Organisation(OrganisationId),
    /// An aidant.
    Aidant(AidantId),
    /// An auditor.
    Auditor(AuditorId),
    /// A service.
    Client(ClientId),
}

/// Suspends a party: from the commit on every check refuses, its live tokens are dead, its open representations
/// closed and its people's sessions over.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] when it is suspended already or, for a referent, is themself.
pub async fn suspend(app: &App, manager: &Manager, caller: &Caller, party: &Party) -> Result<(), Error> {
    if let (Manager::Referent { aidant, .. }, Party::Aidant(other)) = (manager, party)
        && aidant == other
    {
        return Err(Error::Conflict);
    }
    change(app, manager, caller, party, true).await
}

/// Reinstates a suspended party.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] when it is not suspended.
pub async fn reinstate(app: &App, manager: &Manager, caller: &Caller, party: &Party) -> Result<(), Error> {
    change(app, manager, caller, party, false).await
}

async fn change(
    app: &App,
    manager: &Manager,
    caller: &Caller,
    party: &Party,
    down: bool,
) -> Result<(), Error> {
    let (app_, manager, caller, party) = (Arc::clone(app), manager.clone(), caller.clone(), party.clone());
    let now = app.now();
    app.include("manage.standing", move |tx| {
        let (app, manager, caller, party) =
            (Arc::clone(&app_), manager.clone(), caller.clone(), party.clone());
        Box::pin(async move {
            let change = Change { app: &app, manager: &manager, caller: &caller, now, down };
            match &party {
                Party::Organisation(id) => change.organisation(tx, id).await,
                Party::Aidant(id) => change.aidant(tx, id).await,
                Party::Auditor(id) => change.auditor(tx, id).await,
                Party::Client(id) => change.client(tx, id).await,
            }
        })
    })
    .await
}

/// One suspension or reinstatement.
struct Change<'a> {
    app: &'a App,
    manager: &'a Manager,
    caller: &'a Caller,
    now: Instant,
    down: bool,
}

impl Change<'_> {
    /// The standing afterwards. One that never signed in goes back to being invited.
    fn next(&self, standing: Standing, bound: bool) -> Result<Standing, Error> {
        match (self.down, standing) {
            (true, Standing::Active | Standing::Invited) => Ok(Standing::Suspended),
            (false, Standing::Suspended) if bound => Ok(Standing::Active),
            (false, Standing::Suspended) => Ok(Standing::Invited),
            _ => Err(Error::Conflict),
        }
    }

    fn record(&self, down: EventKind, up: EventKind) -> Record {
        self.manager.sign(Record::done(if self.down { down } else { up }))
    }

    fn operator(&self) -> Result<(), Error> {
        if *self.manager == Manager::Operator { Ok(()) } else { Err(Error::NotFound) }
    }

    async fn organisation(&self, tx: &mut Tx, id: &OrganisationId) -> Result<(), Error> {
        self.operator()?;
        let row = organisations::load(tx, id).await?.ok_or(Error::NotFound)?;
        let standing = self.next(row.standing, true)?;
        let record = self.record(EventKind::OrganisationSuspended, EventKind::OrganisationReinstated);
        let event = record.organisation(id).append(self.app, tx, self.caller, self.now).await?;
        organisations::update(tx, &row, &OrganisationRow { standing, ..row.clone() }, &event).await?;
        if self.down {
            for aidant in aidants::of_organisation(tx, id).await? {
                sessions::delete_of_aidant(tx, &aidant.id).await?;
            }
            stop(self.app, tx, (&Scope::Organisation(id.clone()), SUSPENDED), (self.caller, self.now))
                .await?;
        }
        Ok(())
    }

    async fn aidant(&self, tx: &mut Tx, id: &AidantId) -> Result<(), Error> {
        let row = aidants::load(tx, id).await?.ok_or(Error::NotFound)?;
        self.manager.may_manage(&row.organisation)?;
        let standing = self.next(row.standing, row.subject.is_some())?;
        let record = self.record(EventKind::AidantSuspended, EventKind::AidantReinstated);
        let record = record.organisation(&row.organisation).aidant(id);
        let event = record.append(self.app, tx, self.caller, self.now).await?;
        aidants::update(tx, &row, &AidantRow { standing, ..row.clone() }, &event).await?;
        if self.down {
            sessions::delete_of_aidant(tx, id).await?;
            stop(self.app, tx, (&Scope::Aidant(id.clone()), SUSPENDED), (self.caller, self.now)).await?;
        }
        Ok(())
    }

    async fn auditor(&self, tx: &mut Tx, id: &AuditorId) -> Result<(), Error> {
        self.operator()?;
        let row = auditors::load(tx, id).await?.ok_or(Error::NotFound)?;
        let standing = self.next(row.standing, row.subject.is_some())?;
        let record = self.record(EventKind::AuditorSuspended, EventKind::AuditorReinstated);
        let event = record.auditor(id).append(self.app, tx, self.caller, self.now).await?;
        auditors::update(tx, &row, &AuditorRow { standing, ..row.clone() }, &event).await?;
        if self.down {
            sessions::delete_of_auditor(tx, id).await?;
        }
        Ok(())
    }

    async fn client(&self, tx: &mut Tx, id: &ClientId) -> Result<(), Error> {
        self.operator()?;
        let row = clients::load(tx, id).await?.ok_or(Error::NotFound)?;
        let standing = self.next(row.standing, true)?;
        let record = self.record(EventKind::ClientSuspended, EventKind::ClientReinstated);
        let event = record.client(id).append(self.app, tx, self.caller, self.now).await?;
        clients::update(tx, &row, &ClientRow { standing, ..row.clone() }, &event).await?;
        if self.down {
            stop(self.app, tx, (&Scope::Client(id.clone()), SUSPENDED), (self.caller, self.now)).await?;
        }
        Ok(())
    }
}

/// Kills what lives of the party, and closes each open representation in its mandate's history.
pub(super) async fn stop(
    app: &App,
    tx: &mut Tx,
    (of, reason): (&Scope, CloseReason),
    (caller, now): (&Caller, Instant),
) -> Result<(), Error> {
    tokens::revoke_live(tx, of, now).await?;
    for representation in representations::open(tx, of).await? {
        let mut row = mandates::load(tx, &representation.mandate).await?.ok_or(Error::Unreadable)?;
        let by = (Actor::Service, caller, now);
        close_representation(app, tx, &mut row, &representation, reason, by).await?;
    }
    Ok(())
}
