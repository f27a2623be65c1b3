//! What a referent does in the own organisation: aidants, procedures, mandates. Every other organisation is "not
//! found" (invariant 9), and each refusal is journaled.

use super::manage::{self, Answer, ClosedFor, Invited, ListedAidant, Manager, Party};
use super::{App, Caller, Error, InputError, Record, Session, SessionError};
use crate::mandate::{AidantId, EventKind, OrganisationId, ProcedureId};
use crate::storage::organisations;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A referent at work.
pub struct Referent {
    app: App,
    manager: Manager,
    caller: Caller,
    /// Who.
    pub aidant: AidantId,
    /// Their organisation.
    pub organisation: OrganisationId,
}

impl Referent {
    /// The referent of a session: signed in, factor proved, active, referent still.
    ///
    /// # Errors
    /// [`Error::Session`]; an aidant who is no referent is told as little as anybody.
    pub async fn of(app: &App, session: &Session, caller: &Caller) -> Result<Self, Error> {
        let manager = manage::referent(app, session).await?;
        let Manager::Referent { aidant, organisation } = manager.clone() else {
            return Err(SessionError::WrongRole.into());
        };
        Ok(Self { app: Arc::clone(app), manager, caller: caller.clone(), aidant, organisation })
    }

    /// The organisation's aidants.
    pub async fn aidants(&self) -> Result<Vec<ListedAidant>, Error> {
        manage::aidants_of(&self.app, &self.organisation).await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`], journaled, for anybody else.
    pub async fn aidant(&self, id: &AidantId) -> Result<ListedAidant, Error> {
        let found = self.aidants().await?.into_iter().find(|aidant| aidant.id == *id);
        self.or_refused(found.ok_or(Error::NotFound)).await
    }

    /// Invites an aidant.
    ///
    /// # Errors
    /// [`Error::Input`]; [`Error::Conflict`] when the address is registered already.
    pub async fn invite(&self, invited: Invited<'_>) -> Result<AidantId, Error> {
        let done =
            manage::invite_aidant(&self.app, &self.manager, &self.caller, &self.organisation, invited).await;
        self.or_refused(done).await
    }

    /// Suspends an aidant.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when they are suspended already, or the referent themself.
    pub async fn suspend(&self, id: &AidantId) -> Result<(), Error> {
        let party = Party::Aidant(id.clone());
        let done = manage::suspend(&self.app, &self.manager, &self.caller, &party).await;
        self.or_refused(done).await
    }

    /// Reinstates an aidant.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when they are not suspended.
    pub async fn reinstate(&self, id: &AidantId) -> Result<(), Error> {
        let party = Party::Aidant(id.clone());
        let done = manage::reinstate(&self.app, &self.manager, &self.caller, &party).await;
        self.or_refused(done).await
    }

    /// Answers whether an aidant's other sign-in is theirs.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Conflict`] when none waits, or they are the referent themself; [`Error::Input`] for the
    /// code of another one.
    pub async fn other_sign_in(&self, id: &AidantId, answer: Answer) -> Result<(), Error> {
        let done = manage::other_sign_in(&self.app, &self.manager, &self.caller, id, answer).await;
        self.or_refused(done).await
    }

    /// The procedures closed for the whole organisation.
    pub async fn closed(&self) -> Result<BTreeSet<ProcedureId>, Error> {
        let id = self.organisation.clone();
        let found = self
            .app
            .store
            .read("govern.closed", move |snapshot| {
                Box::pin(async move { Ok::<_, Error>(organisations::for_decision(snapshot, &id).await?) })
            })
            .await?;
        Ok(found.ok_or(Error::NotFound)?.closed_procedures)
    }

    /// Leaves only these procedures open, for the organisation or one aidant. What the organisation has closed cannot
    /// be opened for one aidant, and stays as it was for them.
    ///
    /// # Errors
    /// [`Error::Input`] for a procedure that is not in the catalogue; [`Error::NotFound`] for another organisation's
    /// aidant.
    pub async fn open_only(
        &self,
        aidant: Option<&AidantId>,
        open: &BTreeSet<ProcedureId>,
    ) -> Result<(), Error> {
        let catalogue = &self.app.catalogue;
        if open.iter().any(|id| catalogue.procedure(id).is_none()) {
            return Err(InputError::Field("procedure").into());
        }
        let all = catalogue.procedures().iter().map(|procedure| &procedure.id);
        let shut: BTreeSet<_> = all.filter(|id| !open.contains(*id)).cloned().collect();
        let (whom, shut) = match aidant {
            None => (ClosedFor::Organisation(self.organisation.clone()), shut),
            Some(id) => {
                let (before, everywhere) = (self.aidant(id).await?.closed, self.closed().await?);
                let kept = |id: &ProcedureId| !everywhere.contains(id) || before.contains(id);
                (ClosedFor::Aidant(id.clone()), shut.into_iter().filter(kept).collect())
            }
        };
        let done = manage::restrict(&self.app, &self.manager, &self.caller, &whom, &shut).await;
        self.or_refused(done).await
    }

    /// Journals what was refused for being none of this referent's business or impossible.
    async fn or_refused<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        let Err(error @ (Error::NotFound | Error::Conflict)) = done else { return done };
        let record = Record::refused(EventKind::ManagementRefused, error.code())
            .organisation(&self.organisation)
            .aidant(&self.aidant);
        let (app_, caller, now) = (Arc::clone(&self.app), self.caller.clone(), self.app.now());
        self.app
            .commit("govern.refuse", move |tx| {
                let (app, caller, record) = (Arc::clone(&app_), caller.clone(), record.clone());
                Box::pin(async move { record.append(&app, tx, &caller, now).await.map(drop) })
            })
            .await?;
        Err(error)
    }
}
