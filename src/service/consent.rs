//! The usager reads, identifies, and consents or refuses: on a handed-over screen, in nothing else (invariant 5).

use super::names::Names;
use super::session::{self, Opened};
use super::sign_in::Provider;
use super::steps::{Actor, refuse, take, take_recorded};
use super::texts::{self, Presented};
use super::{
    App, Caller, Error, IDENTIFICATION_FRESH, Identified, Record, Session, Who, asking, leaving, people,
};
use crate::mandate::{
    Consent, ConsentChannel, DECLARED, Declarations, EventKind, Identity, Instant, Language, LifeFact,
    Mandate, MandateId, TEXT_VERSION, TransitionError,
};
use crate::storage::askings::{self, AskingRow};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::{Snapshot, Tx, papers, usagers};
use std::sync::Arc;

/// What a handed-over screen shows. Holds an identity: no `Debug`.
pub struct Screen {
    /// The proposal, wherever it stands by now.
    pub mandate: Mandate,
    /// Name of the organisation.
    pub organisation: String,
    /// Whether they said yes and a second person has yet to confirm it.
    pub answered: bool,
    /// By which way the usager was asked.
    pub channel: ConsentChannel,
    /// First and last name of the aidant whose screen it is, or who asked.
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
    let (mandate, identified) = match &session.who {
        Who::Locked { mandate, .. } => (mandate, None),
        _ => session.consenting()?,
    };
    let aidant = match &session.who {
        Who::Locked { aidant, .. } | Who::HandedOver { aidant, .. } => Some(aidant.clone()),
        _ => None,
    };
    let (mandate, identified) = (mandate.clone(), identified.cloned());
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
                let asked = askings::load(snapshot, &mandate).await?;
                // On a device of their own, nobody but the one who asked stands behind it.
                let behind = aidant.or_else(|| asked.as_ref().map(|asking| asking.asked_by.clone()));
                let aidant = behind.ok_or(Error::NotFound)?;
                let mut names = Names::default();
                Ok(Screen {
                    answered: asked.as_ref().is_some_and(|asking| asking.answered_at.is_some()),
                    channel: asked.map_or(ConsentChannel::InPresence, |asking| asking.channel),
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

/// SHA-256 of the text sealed with a proposal, in hexadecimal: what is consented to.
pub(super) async fn text_hash(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<String, Error> {
    Ok(super::propose::text_hash(&text(snapshot, mandate).await?))
}

async fn text(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<String, Error> {
    Ok(papers::load(snapshot, mandate).await?.ok_or(Error::Unreadable)?.text)
}

/// What the usager answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Yes, with the declaration about protection measures.
    Consent {
        /// "I am under no protection measure."
        not_protected: bool,
        /// The language of the page.
        language: Language,
        /// What the page presented, as it says itself.
        presented: Option<Presented>,
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
    let (mandate, identified) = session.consenting()?;
    let who = match &session.who {
        Who::HandedOver { aidant, authenticated_at, level, mandate, .. } => Who::Locked {
            aidant: aidant.clone(),
            authenticated_at: *authenticated_at,
            level: level.clone(),
            mandate: mandate.clone(),
        },
        // A device of their own has nobody to go back to.
        _ => Who::Consenting { mandate: mandate.clone(), identified: None },
    };
    let opened = session::next(app, &leaving::without(app, session, &Provider::Citizens).await?, who)?;
    let act = Arc::new(Answering {
        app: Arc::clone(app),
        before: session.clone(),
        after: opened.session.clone(),
        caller: caller.clone(),
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
    mandate: MandateId,
    identified: Option<Identified>,
    answer: Answer,
    now: Instant,
}

/// Who is named in the entries of an answer.
type By<'a> = (Actor<'a>, &'a Caller, Instant);

/// None: recorded. Some: this person cannot grant.
type Outcome = Result<Option<CannotGrant>, Error>;

/// What was in front of the person, for the entry of their answer.
pub(super) struct Read {
    language: String,
    hash: String,
    /// From the opening of the page to the answer, in seconds; unknown for a page that did not say when it was opened.
    seconds: Option<i64>,
}

impl Read {
    /// Tells it in the entry.
    pub(super) fn tell(&self, record: Record) -> Record {
        let record = record
            .detail("text_version", TEXT_VERSION)
            .detail("text_language", self.language.as_str())
            .detail("text_read", self.hash.as_str());
        match self.seconds {
            Some(seconds) => record.detail("reading_seconds", seconds),
            None => record,
        }
    }
}

impl Answering {
    /// What was presented, in the language it was presented in.
    async fn read(
        &self,
        tx: &mut Tx,
        row: &MandateRow,
        page: Language,
        presented: Option<&Presented>,
    ) -> Result<Result<Read, Error>, Error> {
        let sealed = text(tx, &self.mandate).await?;
        let language = presented.map_or(page.as_str(), |presented| &presented.language).to_owned();
        let organisation = Names::default().organisation(tx, &row.mandate.organisation).await?;
        let hash = texts::presented_hash(&self.app, &row.mandate, &organisation, &sealed, &language);
        let seconds = presented.map(|shown| self.now.since(shown.opened).whole_seconds().max(0));
        Ok(hash.map(|hash| Read { language, hash, seconds }))
    }

    async fn run(&self, tx: &mut Tx) -> Result<Outcome, Error> {
        let mut row = mandates::load(tx, &self.mandate).await?.ok_or(Error::NotFound)?;
        let asking = askings::load(tx, &self.mandate).await?;
        let aidant = match (&self.before.who, &asking) {
            (Who::HandedOver { aidant, .. }, _) => aidant.clone(),
            (_, Some(asking)) => asking.asked_by.clone(),
            (_, None) => return Err(Error::NotFound),
        };
        // The aidant is named in each entry: it is their screen, or they asked; though the act is the usager's.
        let by = (Actor::Aidant(&aidant), &self.caller, self.now);
        match &self.answer {
            Answer::Refuse => self.say_no(tx, &mut row, by).await,
            Answer::Consent { not_protected, language, presented } => {
                let read = match self.read(tx, &row, *language, presented.as_ref()).await? {
                    Ok(read) => read,
                    Err(error) => return Ok(Err(error)),
                };
                self.say_yes(tx, row, asking.as_ref(), (*not_protected, &read), by).await
            }
        }
    }

    async fn say_no(&self, tx: &mut Tx, row: &mut MandateRow, by: By<'_>) -> Result<Outcome, Error> {
        let next = match row.mandate.clone().refuse(self.now) {
            Ok(next) => next,
            Err(error) => return self.step_refused(tx, row, error, by).await.map(Err),
        };
        take(&self.app, tx, row, next, LifeFact::Refused, by).await?;
        session::rotate(tx, &self.before.id, &self.after).await?;
        Ok(Ok(None))
    }

    /// By which way this yes comes: on the aidant's screen, whoever is identified there consents in presence, however
    /// they were asked.
    fn channel(&self, asking: Option<&AskingRow>, identified: &Identified) -> ConsentChannel {
        let declared = identified.level == DECLARED;
        match (&self.before.who, asking) {
            (Who::HandedOver { .. }, Some(asking)) if declared => asking.channel,
            (Who::HandedOver { .. }, _) | (_, None) => ConsentChannel::InPresence,
            (_, Some(asking)) => asking.channel,
        }
    }

    async fn say_yes(
        &self,
        tx: &mut Tx,
        row: MandateRow,
        asking: Option<&AskingRow>,
        (not_protected, read): (bool, &Read),
        by: By<'_>,
    ) -> Result<Outcome, Error> {
        let fresh = |one: &&Identified| self.now.since(one.at) < IDENTIFICATION_FRESH;
        let Some(identified) = self.identified.as_ref().filter(fresh) else {
            return self.step_refused(tx, &row, TransitionError::StaleIdentification, by).await.map(Err);
        };
        let (_, identity) = people::usager(&self.app, tx, &identified.usager).await?;
        let may_be_minor = identity.birthdate.may_be_minor(self.now.date());
        let consent = Consent {
            usager: identified.usager.clone(),
            at: self.now,
            identified_at: identified.at,
            identity_level: identified.level.clone(),
            text_hash: text_hash(tx, &self.mandate).await?,
            language: read.language.clone(),
            channel: self.channel(asking, identified),
        };
        let declared = Declarations { not_protected, may_be_minor };
        let done = match asking.filter(|asking| asking.channel == consent.channel) {
            Some(asking) if consent.channel.needs_second_person() => {
                self.say_yes_before_one(tx, row, asking, (consent, declared, read), by).await?
            }
            Some(asking) => {
                asking::agreed(&self.app, tx, row, asking, (consent, declared, Some(read)), by).await?
            }
            None => self.say_yes_here(tx, row, (consent, declared, read), by).await?,
        };
        match done {
            Ok(()) => {
                session::rotate(tx, &self.before.id, &self.after).await?;
                Ok(Ok(None))
            }
            Err((row, TransitionError::CannotGrant)) => {
                self.step_refused(tx, &row, TransitionError::CannotGrant, by).await?;
                Ok(Ok(Some(if may_be_minor { CannotGrant::Minor } else { CannotGrant::Protected })))
            }
            Err((row, error)) => self.step_refused(tx, &row, error, by).await.map(Err),
        }
    }

    /// In presence, by the citizens' provider: nothing was asked beforehand.
    async fn say_yes_here(
        &self,
        tx: &mut Tx,
        mut row: MandateRow,
        (consent, declared, read): (Consent, Declarations, &Read),
        by: By<'_>,
    ) -> Result<Result<(), (MandateRow, TransitionError)>, Error> {
        let next = match row.mandate.clone().consent(consent.clone(), declared) {
            Ok(next) => next,
            Err(error) => return Ok(Err((row, error))),
        };
        let usager = consent.usager.clone();
        let record = read.tell(Record::life(LifeFact::Consented { consent }));
        take_recorded(&self.app, tx, &mut row, next, (record, None), by).await?;
        let (_, identity) = people::usager(&self.app, tx, &usager).await?;
        let organisation = &row.mandate.organisation;
        let blinds = people::usager_blinds(&self.app, organisation, &identity);
        usagers::index(tx, organisation, &usager, &blinds).await?;
        Ok(Ok(()))
    }

    /// By an identity document: the yes is kept, and counts once a second person has confirmed it. What the domain would refuse
    /// then is refused now, while the person is there.
    async fn say_yes_before_one(
        &self,
        tx: &mut Tx,
        mut row: MandateRow,
        asking: &AskingRow,
        (consent, declared, read): (Consent, Declarations, &Read),
        by: By<'_>,
    ) -> Result<Result<(), (MandateRow, TransitionError)>, Error> {
        let read_in = consent.language.clone();
        if let Err(error) = row.mandate.clone().consent(consent, declared) {
            return Ok(Err((row, error)));
        }
        let answer = asking::Answer { read_in: &read_in, read: Some(read), signed_on: None, scan: None };
        asking::answered(&self.app, tx, &mut row, asking, answer, by).await?;
        Ok(Ok(()))
    }

    async fn step_refused(
        &self,
        tx: &mut Tx,
        row: &MandateRow,
        error: TransitionError,
        by: By<'_>,
    ) -> Result<Error, Error> {
        refuse(&self.app, tx, &row.mandate, error.into(), by).await
    }
}

/// "It is not me": the screen forgets whom the provider named, and the person may identify again.
pub async fn disown(app: &App, session: &Session, caller: &Caller) -> Result<Opened, Error> {
    let (mandate, identified) = session.consenting()?;
    let Some(identified) = identified else { return Err(TransitionError::StaleIdentification.into()) };
    let record = Record::refused(EventKind::UsagerIdentificationRefused, "identity_not_confirmed");
    let (who, record) = match &session.who {
        Who::HandedOver { aidant, authenticated_at, level, mandate, .. } => {
            let who = Who::HandedOver {
                aidant: aidant.clone(),
                authenticated_at: *authenticated_at,
                level: level.clone(),
                mandate: mandate.clone(),
                identified: None,
            };
            (who, record.aidant(aidant))
        }
        _ => (Who::Consenting { mandate: mandate.clone(), identified: None }, record),
    };
    let record = record.usager(&identified.usager).about(mandate);
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
