//! The screen changes hands: from the aidant to the usager, and back with the aidant's second factor.

use super::office::Office;
use super::session::{self, Opened};
use super::sign_in::Provider;
use super::steps::{Actor, note, refuse};
use super::{App, Caller, Error, Identified, Record, Session, SessionError, Who, factor, leaving};
use crate::mandate::{
    AidantId, Asked, ConsentChannel, DECLARED, EventKind, Instant, MandateId, StateName, TransitionError,
};
use crate::storage::factors::{self, FactorState};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::{Tx, askings};
use std::sync::Arc;

/// Hands the screen over for one proposal. From here on nothing of the aidant's is within reach, until they
/// unlock the screen with a factor of ours.
///
/// # Errors
/// [`SessionError::EnrolmentNeeded`] without such a factor; [`Error::NotFound`] for a mandate of another
/// organisation; [`Error::Transition`], journaled, when the proposal is no longer open.
pub async fn hand_over(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
) -> Result<Opened, Error> {
    let aidant = session.aidant()?;
    let who = Who::HandedOver {
        aidant: aidant.aidant.clone(),
        authenticated_at: aidant.authenticated_at,
        level: aidant.level.to_owned(),
        mandate: mandate.clone(),
        identified: None,
    };
    let opened = session::next(app, session, who)?;
    let act = Arc::new(HandingOver {
        app: Arc::clone(app),
        before: session.clone(),
        after: opened.session.clone(),
        caller: caller.clone(),
        mandate: mandate.clone(),
        now: app.now(),
    });
    let session = app
        .commit("screen.hand_over", move |tx| {
            let act = Arc::clone(&act);
            Box::pin(async move { act.run(tx).await })
        })
        .await??;
    Ok(Opened { session, ..opened })
}

struct HandingOver {
    app: App,
    before: Session,
    after: Session,
    caller: Caller,
    mandate: MandateId,
    now: Instant,
}

impl HandingOver {
    /// The session on the screen in the usager's hands. Whose document was seen is named there already; the consent says how.
    async fn handed_over(&self, tx: &mut Tx, row: &MandateRow) -> Result<Session, Error> {
        let mut after = self.after.clone();
        let seen = |asked: &Asked| asked.channel == ConsentChannel::SeenDocument;
        if row.mandate.asked.as_ref().is_some_and(seen)
            && let Who::HandedOver { identified, .. } = &mut after.who
        {
            let asking = askings::load(tx, &self.mandate).await?.ok_or(Error::Unreadable)?;
            *identified = asking.usager.filter(|_| asking.answered_at.is_none()).map(|usager| Identified {
                usager,
                at: self.now,
                level: DECLARED.to_owned(),
            });
        }
        Ok(after)
    }

    async fn run(&self, tx: &mut Tx) -> Result<Result<Session, Error>, Error> {
        let office = Office::of(tx, &self.before).await?;
        let by = (Actor::Aidant(&office.aidant.id), &self.caller, self.now);
        let mut row = match office.mandate(tx, &self.mandate).await {
            Ok(row) => row,
            Err(error) => return office.refuse_access(&self.app, tx, error, (by.1, by.2)).await.map(Err),
        };
        if let Err(error) = waits_for_usager(&row, self.now) {
            return refuse(&self.app, tx, &row.mandate, error.into(), by).await.map(Err);
        }
        let factor = factors::load(tx, &office.aidant.id).await?;
        if factor.is_none_or(|factor| factor.state != FactorState::Confirmed) {
            return Ok(Err(SessionError::EnrolmentNeeded.into()));
        }
        note(&self.app, tx, &mut row, Record::done(EventKind::ScreenHandedOver), by).await?;
        let after = self.handed_over(tx, &row).await?;
        session::rotate(tx, &self.before.id, &after).await?;
        Ok(Ok(after))
    }
}

fn waits_for_usager(row: &MandateRow, now: Instant) -> Result<(), TransitionError> {
    match row.mandate.state.name() {
        StateName::Proposed if now >= row.mandate.lapses_at() => Err(TransitionError::Lapsed),
        StateName::Proposed => Ok(()),
        other => Err(TransitionError::NotFrom(other)),
    }
}

/// Takes the screen back with the second factor of the aidant whose screen it is, whether the usager has
/// answered or not.
///
/// # Errors
/// [`Error::Factor`], journaled and counted.
pub async fn unlock(app: &App, session: &Session, caller: &Caller, typed: &str) -> Result<Opened, Error> {
    let (aidant, authenticated_at, level, mandate) = match &session.who {
        Who::HandedOver { aidant, authenticated_at, level, mandate, .. }
        | Who::Locked { aidant, authenticated_at, level, mandate } => {
            (aidant.clone(), *authenticated_at, level.clone(), mandate.clone())
        }
        Who::Anonymous => return Err(SessionError::SignInNeeded.into()),
        Who::Aidant { .. } | Who::Consenting { .. } | Who::Usager { .. } | Who::Auditor { .. } => {
            return Err(SessionError::WrongRole.into());
        }
    };
    let now = app.now();
    let who = Who::Aidant { aidant: aidant.clone(), authenticated_at, factor_at: Some(now), level };
    let opened = session::next(app, &leaving::without(app, session, &Provider::Citizens).await?, who)?;
    let act = Arc::new(Unlocking {
        app: Arc::clone(app),
        before: session.clone(),
        after: opened.session.clone(),
        caller: caller.clone(),
        aidant,
        mandate,
        typed: typed.to_owned(),
        now,
    });
    app.commit("screen.unlock", move |tx| {
        let act = Arc::clone(&act);
        Box::pin(async move { act.run(tx).await })
    })
    .await??;
    Ok(opened)
}

struct Unlocking {
    app: App,
    before: Session,
    after: Session,
    caller: Caller,
    aidant: AidantId,
    mandate: MandateId,
    typed: String,
    now: Instant,
}

impl Unlocking {
    async fn run(&self, tx: &mut Tx) -> Result<Result<(), Error>, Error> {
        let mut row = mandates::load(tx, &self.mandate).await?.ok_or(Error::NotFound)?;
        let by = (Actor::Aidant(&self.aidant), &self.caller, self.now);
        let office = Office::behind(tx, &self.aidant).await?;
        if let Err(refusal) = office.standing() {
            return self.refuse(tx, &office, refusal.into()).await;
        }
        let checked = factor::check(&self.app, tx, &self.aidant, &self.typed, self.now, &self.caller).await?;
        if let Err(error) = checked {
            return self.refuse(tx, &office, error.into()).await;
        }
        note(&self.app, tx, &mut row, Record::done(EventKind::ScreenUnlocked), by).await?;
        session::rotate(tx, &self.before.id, &self.after).await.map(Ok)
    }

    async fn refuse(&self, tx: &mut Tx, office: &Office, error: Error) -> Result<Result<(), Error>, Error> {
        Record::refused(EventKind::ScreenUnlockRefused, error.code())
            .organisation(&office.organisation.id)
            .aidant(&self.aidant)
            .about(&self.mandate)
            .append(&self.app, tx, &self.caller, self.now)
            .await?;
        Ok(Err(error))
    }
}
