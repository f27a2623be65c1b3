//! The usager reads, identifies, and consents or refuses: on a handed-over screen, in nothing else (invariant 5).

use super::names::Names;
use super::session::{self, Opened};
use super::sign_in::Provider;
use super::steps::{Actor, refuse, take};
use super::{
    App, Caller, Error, IDENTIFICATION_FRESH, Identified, Record, Session, SessionError, Who, leaving, people,
};
use crate::mandate::{
    AidantId, Consent, ConsentChannel, Declarations, EventKind, Identity, Instant, Language, LifeFact,
    Mandate, MandateId, TransitionError,
};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::{Snapshot, Tx, papers, usagers};
use std::sync::Arc;

/// What a handed-over screen shows. Holds an identity: no `Debug`.
pub struct Screen {
    /// The proposal, wherever it stands by now.
    pub mandate: Mandate,
    /// Name of the organisation.
    pub organisation: String,
    /// First and last name of the aidant whose screen it is.
    pub aidant: String,
    /// The binding text, as sealed with the proposal.
    pub text: String,
    /// SHA-256 of it, in hexadecimal.
    pub text_hash: String,
    /// Whom the citizens' provider has identified in front of this screen.
    pub person: Option<Identity>,
    /// When the page was made.
    pub now: Instant,
}

/// The proposal on a handed-over screen, and after the answer on the locked one.
pub async fn screen(app: &App, session: &Session) -> Result<Screen, Error> {
    let (aidant, mandate, identified) = match &session.who {
        Who::Locked { aidant, mandate, .. } => (aidant, mandate, None),
        _ => session.handed_over()?,
    };
    let (aidant, mandate, identified) = (aidant.clone(), mandate.clone(), identified.cloned());
    let (app_, now) = (Arc::clone(app), app.now());
    app.store
        .read("consent.screen", move |snapshot| {
            Box::pin(async move {
                let row = mandates::load(snapshot, &mandate).await?.ok_or(Error::NotFound)?;
                let text = text(snapshot, &row.mandate.id).await?;
                let person = match identified {
                    Some(identified) => Some(people::usager(&app_, snapshot, &identified.usager).await?.1),
                    None => None,
                };
                let mut names = Names::default();
                Ok(Screen {
                    organisation: names.organisation(snapshot, &row.mandate.organisation).await?,
                    aidant: names.aidant(&app_, snapshot, &aidant).await?,
                    text_hash: super::propose::text_hash(&text),
                    mandate: row.mandate,
                    text,
                    person,
                    now,
                })
            })
        })
        .await
}

async fn text(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<String, Error> {
    Ok(papers::load(snapshot, mandate).await?.ok_or(Error::Unreadable)?.text)
}

/// What the usager answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Yes, with the declaration about protection measures.
    Consent {
        /// "I am under no protection measure."
        not_protected: bool,
        /// The language it was read in.
        language: Language,
    },
    /// No.
    Refuse,
}

/// Why a person who said yes cannot grant a mandate here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CannotGrant {
    /// They declared to be under a protection measure.
    Protected,
    /// They could be under 18.
    Minor,
}

/// What became of an answer.
pub enum Answered {
    /// It is recorded; the screen is locked and goes back to the aidant.
    Locked(Box<Opened>),
    /// No mandate can be made with this person; nothing changed but the journal.
    CannotGrant(CannotGrant),
}

/// Records the usager's answer. With it the screen is locked. Nothing leaves by it, so its commit suffices: the mandate
/// is in force only by an acceptance, whose entry comes later and is waited for (invariant 3).
///
/// # Errors
/// [`Error::Transition`], journaled: lapsed, answered already, not freshly identified.
pub async fn answer(
    app: &App,
    session: &Session,
    caller: &Caller,
    answer: Answer,
) -> Result<Answered, Error> {
    let (aidant, mandate, identified) = session.handed_over()?;
    let Who::HandedOver { authenticated_at, level, .. } = &session.who else {
        return Err(SessionError::WrongRole.into());
    };
    let who = Who::Locked {
        aidant: aidant.clone(),
        authenticated_at: *authenticated_at,
        level: level.clone(),
        mandate: mandate.clone(),
    };
    let opened = session::next(app, &leaving::without(app, session, &Provider::Citizens).await?, who)?;
    let act = Arc::new(Answering {
        app: Arc::clone(app),
        before: session.clone(),
        after: opened.session.clone(),
        caller: caller.clone(),
        aidant: aidant.clone(),
        mandate: mandate.clone(),
        identified: identified.cloned(),
        answer,
        now: app.now(),
    });
    let done = app
        .commit("consent.answer", move |tx| {
            let act = Arc::clone(&act);
            Box::pin(async move { act.run(tx).await })
        })
        .await??;
    Ok(match done {
        None => Answered::Locked(Box::new(opened)),
        Some(reason) => Answered::CannotGrant(reason),
    })
}

struct Answering {
    app: App,
    before: Session,
    after: Session,
    caller: Caller,
    aidant: AidantId,
    mandate: MandateId,
    identified: Option<Identified>,
    answer: Answer,
    now: Instant,
}

/// None: recorded. Some: this person cannot grant.
type Outcome = Result<Option<CannotGrant>, Error>;

impl Answering {
    async fn run(&self, tx: &mut Tx) -> Result<Outcome, Error> {
        let mut row = mandates::load(tx, &self.mandate).await?.ok_or(Error::NotFound)?;
        match self.answer {
            Answer::Refuse => self.say_no(tx, &mut row).await,
            Answer::Consent { not_protected, language } => {
                self.say_yes(tx, &mut row, not_protected, language).await
            }
        }
    }

    /// The screen's aidant is named in each entry: it is their screen, though the act is the usager's.
    fn by(&self) -> (Actor<'_>, &Caller, Instant) {
        (Actor::Aidant(&self.aidant), &self.caller, self.now)
    }

    async fn say_no(&self, tx: &mut Tx, row: &mut MandateRow) -> Result<Outcome, Error> {
        let next = match row.mandate.clone().refuse(self.now) {
            Ok(next) => next,
            Err(error) => return self.step_refused(tx, row, error).await.map(Err),
        };
        take(&self.app, tx, row, next, LifeFact::Refused, self.by()).await?;
        session::rotate(tx, &self.before.id, &self.after).await?;
        Ok(Ok(None))
    }

    async fn say_yes(
        &self,
        tx: &mut Tx,
        row: &mut MandateRow,
        not_protected: bool,
        language: Language,
    ) -> Result<Outcome, Error> {
        let fresh = |one: &&Identified| self.now.since(one.at) < IDENTIFICATION_FRESH;
        let Some(identified) = self.identified.as_ref().filter(fresh) else {
            return self.step_refused(tx, row, TransitionError::StaleIdentification).await.map(Err);
        };
        let (_, identity) = people::usager(&self.app, tx, &identified.usager).await?;
        let may_be_minor = identity.birthdate.may_be_minor(self.now.date());
        let consent = Consent {
            usager: identified.usager.clone(),
            at: self.now,
            identified_at: identified.at,
            identity_level: identified.level.clone(),
            text_hash: super::propose::text_hash(&text(tx, &self.mandate).await?),
            language: language.as_str().to_owned(),
            channel: ConsentChannel::InPresence,
        };
        let declared = Declarations { not_protected, may_be_minor };
        let next = match row.mandate.clone().consent(consent.clone(), declared) {
            Ok(next) => next,
            Err(TransitionError::CannotGrant) => {
                self.step_refused(tx, row, TransitionError::CannotGrant).await?;
                let reason = if may_be_minor { CannotGrant::Minor } else { CannotGrant::Protected };
                return Ok(Ok(Some(reason)));
            }
            Err(error) => return self.step_refused(tx, row, error).await.map(Err),
        };
        take(&self.app, tx, row, next, LifeFact::Consented { consent }, self.by()).await?;
        let organisation = &row.mandate.organisation;
        let blinds = people::usager_blinds(&self.app, organisation, &identity);
        usagers::index(tx, organisation, &identified.usager, &blinds).await?;
        session::rotate(tx, &self.before.id, &self.after).await?;
        Ok(Ok(None))
    }

    async fn step_refused(
        &self,
        tx: &mut Tx,
        row: &MandateRow,
        error: TransitionError,
    ) -> Result<Error, Error> {
        refuse(&self.app, tx, &row.mandate, error.into(), self.by()).await
    }
}

/// "It is not me": the screen forgets whom the provider named, and the person may identify again.
pub async fn disown(app: &App, session: &Session, caller: &Caller) -> Result<Opened, Error> {
    let (aidant, mandate, identified) = session.handed_over()?;
    let Some(identified) = identified else { return Err(TransitionError::StaleIdentification.into()) };
    let Who::HandedOver { authenticated_at, level, .. } = &session.who else {
        return Err(SessionError::WrongRole.into());
    };
    let who = Who::HandedOver {
        aidant: aidant.clone(),
        authenticated_at: *authenticated_at,
        level: level.clone(),
        mandate: mandate.clone(),
        identified: None,
    };
    let record = Record::refused(EventKind::UsagerIdentificationRefused, "identity_not_confirmed")
        .aidant(aidant)
        .usager(&identified.usager)
        .about(mandate);
    let opened = session::next(app, &leaving::without(app, session, &Provider::Citizens).await?, who)?;
    let (before, after) = (session.id, Arc::new(opened.session.clone()));
    let (app_, caller, now) = (Arc::clone(app), caller.clone(), app.now());
    app.commit("consent.disown", move |tx| {
        let (app, caller, record) = (Arc::clone(&app_), caller.clone(), record.clone());
        let after = Arc::clone(&after);
        Box::pin(async move {
            record.append(&app, tx, &caller, now).await?;
            session::rotate(tx, &before, &after).await
        })
    })
    .await?;
    Ok(opened)
}
