//! The organisation accepts what the usager consented to, and the mandate is in force (Code civil art. 1984); or an
//! aidant renounces it (art. 2007); or the organisation ends it.

use super::end::end_mandate;
use super::office::Office;
use super::steps::{Actor, refuse, take_making};
use super::{App, Caller, Error, Session, SessionError, card, facts, receipt};
use crate::crypto::{Cell, VerificationCode, normalise_code};
use crate::mandate::{EndReason, EventId, Instant, LifeFact, Mandate, MandateId, Role, State};
use crate::storage::data_keys::KeyKind;
use crate::storage::mandates::MandateRow;
use crate::storage::{Tx, cards, papers};
use std::sync::Arc;

/// Accepts a consented mandate for the organisation, with a second factor proved after the consent. Known to be
/// in force only once its entry is included (invariant 3).
///
/// # Errors
/// [`SessionError::FactorNeeded`] when the factor is older than the consent; [`Error::NotFound`] for a mandate of
/// another organisation; [`Error::Transition`], journaled.
pub async fn accept(app: &App, session: &Session, caller: &Caller, mandate: &MandateId) -> Result<(), Error> {
    run(app, session, caller, mandate, Act::Accept, "mandate.accept").await
}

/// Renounces a mandate: in force, or consented and not accepted.
///
/// # Errors
/// [`Error::NotFound`] for a mandate of another organisation; [`Error::Transition`], journaled.
pub async fn renounce(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
) -> Result<(), Error> {
    run(app, session, caller, mandate, Act::Renounce, "mandate.renounce").await
}

/// Ends a mandate for the organisation: a referent's act.
///
/// # Errors
/// [`SessionError::WrongRole`] for an aidant who is no referent; [`Error::NotFound`], journaled, for a mandate of
/// another organisation; [`Error::Transition`], journaled.
pub async fn end_for_organisation(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
) -> Result<(), Error> {
    run(app, session, caller, mandate, Act::EndForOrganisation, "mandate.end_for_organisation").await
}

/// Whether the session's second factor was proved after the consent, as accepting asks. Nothing is asked where
/// there is nothing to accept.
///
/// # Errors
/// [`SessionError::FactorNeeded`].
pub fn factor_after_consent(session: &Session, mandate: &Mandate) -> Result<(), Error> {
    let proved = session.aidant()?.factor_at;
    match &mandate.state {
        State::Consented(consent) if proved.is_none_or(|at| at < consent.at) => {
            Err(SessionError::FactorNeeded.into())
        }
        _ => Ok(()),
    }
}

#[derive(Clone, Copy)]
enum Act {
    Accept,
    Renounce,
    EndForOrganisation,
}

async fn run(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
    act: Act,
    name: &'static str,
) -> Result<(), Error> {
    session.aidant()?;
    let deciding = Arc::new(Deciding {
        app: Arc::clone(app),
        session: session.clone(),
        caller: caller.clone(),
        mandate: mandate.clone(),
        act,
        now: app.now(),
    });
    let earlier = app
        .include(name, move |tx| {
            let deciding = Arc::clone(&deciding);
            Box::pin(async move { deciding.run(tx).await })
        })
        .await??;
    app.stands(earlier).await
}

struct Deciding {
    app: App,
    session: Session,
    caller: Caller,
    mandate: MandateId,
    act: Act,
    now: Instant,
}

impl Deciding {
    /// Gives the last entry of the mandate when the act was done before: it is told again only once that stands.
    async fn run(&self, tx: &mut Tx) -> Result<Result<Option<EventId>, Error>, Error> {
        let office = Office::of(tx, &self.session).await?;
        if matches!(self.act, Act::EndForOrganisation) && office.aidant.role != Role::Referent {
            return Ok(Err(SessionError::WrongRole.into()));
        }
        let by = (Actor::Aidant(&office.aidant.id), &self.caller, self.now);
        let mut row = match office.mandate(tx, &self.mandate).await {
            Ok(row) => row,
            Err(error) => return office.refuse_access(&self.app, tx, error, (by.1, by.2)).await.map(Err),
        };
        if self.is_done(&office, &row) {
            let last = receipt::step(&self.app, tx, &self.mandate, row.seq).await?;
            return Ok(Ok(last.map(|entry| entry.event_id)));
        }
        let done = match self.act {
            Act::Accept => self.accept(tx, &office, &mut row).await,
            Act::Renounce => end_mandate(&self.app, tx, &mut row, EndReason::Renounced, by).await,
            Act::EndForOrganisation => {
                end_mandate(&self.app, tx, &mut row, EndReason::EndedByOrganisation, by).await
            }
        };
        match done {
            // The domain refused before anything was written.
            Err(error @ Error::Transition(_)) => {
                refuse(&self.app, tx, &row.mandate, error, by).await.map(Err)
            }
            // Nothing is wrong with the mandate: the person takes a step and comes back.
            Err(error @ Error::Session(_)) => Ok(Err(error)),
            Err(error) => Err(error),
            Ok(()) => Ok(Ok(None)),
        }
    }

    /// A form sent twice by the same person finds its act done (invariant 11).
    fn is_done(&self, office: &Office, row: &MandateRow) -> bool {
        match (self.act, &row.mandate.state) {
            (Act::Accept, State::Active { acceptance, .. }) => acceptance.by == office.aidant.id,
            (Act::Renounce, State::Ended { reason, .. }) => *reason == EndReason::Renounced,
            (Act::EndForOrganisation, State::Ended { reason, .. }) => {
                *reason == EndReason::EndedByOrganisation
            }
            _ => false,
        }
    }

    async fn accept(&self, tx: &mut Tx, office: &Office, row: &mut MandateRow) -> Result<(), Error> {
        factor_after_consent(&self.session, &row.mandate)?;
        let aidant = office.aidant.id.clone();
        let next = row.mandate.clone().accept(aidant.clone(), self.now)?;
        let code = VerificationCode::generate(&*self.app.entropy)?;
        row.verification_code_hash = Some(code_hash(&self.app, code.expose()));
        let by = (Actor::Aidant(&office.aidant.id), &self.caller, self.now);
        // The person leaves with a card of their own: it ends the mandate and verifies nothing.
        let card = card::draw(&self.app, tx, &self.mandate, 1, self.now).await?;
        let made = Some(facts::card(&self.app.keys, &card));
        let accepted = (LifeFact::Accepted { by: aidant }, None, made);
        let event = take_making(&self.app, tx, row, next, accepted, by).await?;
        cards::insert(tx, &card, &event).await?;
        self.keep_code(tx, &code, &event).await
    }

    /// The code rests sealed under the mandate's key, so that the paper can be printed again.
    async fn keep_code(&self, tx: &mut Tx, code: &VerificationCode, event: &EventId) -> Result<(), Error> {
        let (id, entropy) = (self.mandate.as_str(), &*self.app.entropy);
        let subject = (KeyKind::Mandate, id);
        let key = self.app.vault.find_or_make(&self.app.keys, entropy, tx, subject, self.now).await?;
        let sealed = key.seal(entropy, &code_cell(&self.mandate), code.expose().as_bytes())?;
        Ok(papers::accept(tx, &self.mandate, &sealed, event).await?)
    }
}

/// Where a mandate's verification code rests.
pub(super) fn code_cell(mandate: &MandateId) -> Cell<'_> {
    Cell { table: "mandate_paper", row: mandate.as_str(), column: "code_sealed" }
}

/// What a mandate is found by from the code on its paper, however it was typed.
#[must_use]
pub fn code_hash(app: &App, typed: &str) -> String {
    app.keys.index().keyed_hash("verification_code", &[&normalise_code(typed)])
}
