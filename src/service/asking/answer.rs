//! Answers that come to the aidant: a code said on the telephone or read out at the desk, or a no.

use super::keep::{cleared, evidence, store, with};
use super::{Act, Ground, code_hash, open_proposal};
use crate::crypto::same;
use crate::mandate::{
    AskingEvidence, Consent, ConsentChannel, DECLARED, Declarations, EventKind, Instant, LifeFact,
    MOST_WRONG_CODES, MandateId, TransitionError,
};
use crate::service::consent::Read;
use crate::service::steps::{Actor, note, refuse, take_making, take_recorded};
use crate::service::{App, AskingError, Caller, Error, Record, Session, consent, facts, people};
use crate::storage::askings::{self, AskingRow};
use crate::storage::mandates::MandateRow;
use crate::storage::{Tx, usagers};
use std::sync::Arc;

/// Who answers, from where, and when.
type By<'a> = (Actor<'a>, &'a Caller, Instant);

/// What an aidant keys in for the person on the telephone or at the desk.
#[derive(Clone)]
pub struct Keyed {
    /// The code as it was said.
    pub code: String,
    /// Whether the person said that they are under no protection measure.
    pub not_protected: bool,
}

/// Takes the code that the person said: with it they agree.
///
/// # Errors
/// [`AskingError::Refused`] for a wrong code, counted in its entry; [`Error::Transition`], journaled, for whoever cannot grant;
/// [`Error::NotFound`] for a proposal of another organisation, or one that is not asked that way.
pub async fn key_in(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
    keyed: Keyed,
) -> Result<(), Error> {
    session.aidant()?;
    let act = Arc::new((Act::new(app, session, caller, mandate), keyed));
    app.commit("consent.key_in", move |tx| {
        let act = Arc::clone(&act);
        Box::pin(async move { act.0.key_in(tx, &act.1).await })
    })
    .await?
}

/// Records that the person said no, by whichever way they were asked.
///
/// # Errors
/// [`Error::NotFound`] for a proposal of another organisation; [`Error::Transition`], journaled, when there is nothing to say no
/// to any more.
pub async fn deny(app: &App, session: &Session, caller: &Caller, mandate: &MandateId) -> Result<(), Error> {
    session.aidant()?;
    let act = Arc::new(Act::new(app, session, caller, mandate));
    app.commit("consent.deny", move |tx| {
        let act = Arc::clone(&act);
        Box::pin(async move { act.deny(tx).await })
    })
    .await?
}

impl Act {
    async fn key_in(&self, tx: &mut Tx, keyed: &Keyed) -> Result<Result<(), Error>, Error> {
        let Ground { office, row, before } = match self.ground(tx).await? {
            Ok(ground) => ground,
            Err(error) => return Ok(Err(error)),
        };
        let spoken =
            |row: &AskingRow| matches!(row.channel, ConsentChannel::Telephone | ConsentChannel::PostedCode);
        let Some(asking) = before.filter(spoken) else { return Ok(Err(Error::NotFound)) };
        take_code(&self.app, tx, (row, &asking), keyed, self.by(&office)).await
    }

    async fn deny(&self, tx: &mut Tx) -> Result<Result<(), Error>, Error> {
        let Ground { office, mut row, .. } = match self.ground(tx).await? {
            Ok(ground) => ground,
            Err(error) => return Ok(Err(error)),
        };
        let by = self.by(&office);
        match denied(&self.app, tx, &mut row, by).await? {
            Ok(()) => Ok(Ok(())),
            Err(error) => refuse(&self.app, tx, &row.mandate, error.into(), by).await.map(Err),
        }
    }
}

/// Takes a code that came back for an asking, whoever brings it. A wrong one is counted in its entry.
pub(in crate::service) async fn take_code(
    app: &App,
    tx: &mut Tx,
    (row, asking): (MandateRow, &AskingRow),
    keyed: &Keyed,
    by: By<'_>,
) -> Result<Result<(), Error>, Error> {
    let Some(mut row) = open_proposal(tx, asking, by.2).await? else {
        // It was answered, or its time is over: the domain says which.
        let error = match row.mandate.clone().refuse(by.2) {
            Err(error) => error,
            Ok(_) => TransitionError::OtherChannel,
        };
        return refuse(app, tx, &row.mandate, error.into(), by).await.map(Err);
    };
    if asking.failures >= MOST_WRONG_CODES {
        return Ok(Err(AskingError::Refused.into()));
    }
    let hash = code_hash(app, asking.channel, &asking.mandate, &keyed.code);
    let right = asking.code_hash.as_ref().is_some_and(|kept| same(kept.as_bytes(), hash.as_bytes()));
    if !right {
        return count(app, tx, (&mut row, asking), by).await.map(Err);
    }
    let read_in = evidence(app, tx, asking).await?.ok_or(Error::Unreadable)?.language;
    let given = consent_of(tx, asking, read_in.as_str(), by.2).await?;
    let declared = Declarations { not_protected: keyed.not_protected, may_be_minor: false };
    match agreed(app, tx, row, asking, (given, declared, None), by).await? {
        Ok(()) => Ok(Ok(())),
        Err((row, error)) => refuse(app, tx, &row.mandate, error.into(), by).await.map(Err),
    }
}

/// Counts a wrong code; with the last one the asking is dead.
async fn count(
    app: &App,
    tx: &mut Tx,
    (row, asking): (&mut MandateRow, &AskingRow),
    by: By<'_>,
) -> Result<Error, Error> {
    let after = with(asking, |row| row.failures += 1);
    let dead = after.failures >= MOST_WRONG_CODES;
    let kind = if dead { EventKind::AskingLocked } else { EventKind::AskingRefused };
    let record = Record::refused(kind, AskingError::Refused.code());
    let record = super::keep::named(record, asking.usager.as_ref());
    let record = record.stands(facts::asking(&app.keys, &after));
    let event = note(app, tx, row, record, by).await?;
    askings::keep(tx, Some(asking), &after, &event).await?;
    Ok(AskingError::Refused.into())
}

/// A consent of the person the asking names, as of that instant: no provider identified them.
pub(super) async fn consent_of(
    tx: &mut Tx,
    asking: &AskingRow,
    read_in: &str,
    now: Instant,
) -> Result<Consent, Error> {
    Ok(Consent {
        usager: asking.usager.clone().ok_or(Error::Unreadable)?,
        at: now,
        identified_at: now,
        identity_level: DECLARED.to_owned(),
        text_hash: consent::text_hash(tx, &asking.mandate).await?,
        language: read_in.to_owned(),
        channel: asking.channel,
    })
}

/// Records a no. Who said it leaves nothing behind but that. The domain's word comes back when there is nothing to say no to,
/// and nothing was written.
pub(in crate::service) async fn denied(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    by: By<'_>,
) -> Result<Result<(), TransitionError>, Error> {
    let next = match row.mandate.clone().refuse(by.2) {
        Ok(next) => next,
        Err(error) => return Ok(Err(error)),
    };
    let before = cleared(tx, &row.mandate.id).await?;
    let made = before.as_ref().map(|(_, after)| facts::asking(&app.keys, after));
    let event = take_making(app, tx, row, next, (LifeFact::Refused, None, made), by).await?;
    store(tx, before, &event).await?;
    Ok(Ok(()))
}

/// Records a consent that came by an asking: its code is dead, and the person is found again by the organisation. The row comes
/// back when the domain refused, and nothing was written.
pub(in crate::service) async fn agreed(
    app: &App,
    tx: &mut Tx,
    mut row: MandateRow,
    asking: &AskingRow,
    (consent, declared, read): (Consent, Declarations, Option<&Read>),
    by: By<'_>,
) -> Result<Result<(), (MandateRow, TransitionError)>, Error> {
    let next = match row.mandate.clone().consent(consent.clone(), declared) {
        Ok(next) => next,
        Err(error) => return Ok(Err((row, error))),
    };
    let kept = evidence(app, tx, asking).await?.ok_or(Error::Unreadable)?;
    let kept = AskingEvidence { code: None, ..kept };
    let mut after = with(asking, |row| row.code_hash = None);
    after.sealed = super::keep::seal(app, tx, &after, &kept, by.2).await?;
    let record = Record::life(LifeFact::Consented { consent: consent.clone() });
    let record = record.stands(facts::asking(&app.keys, &after));
    let record = match read {
        Some(read) => read.tell(record),
        None => record,
    };
    let event = take_recorded(app, tx, &mut row, next, (record, None), by).await?;
    askings::keep(tx, Some(asking), &after, &event).await?;
    askings::unqueue(tx, &asking.mandate).await?;
    let organisation = &row.mandate.organisation;
    let (_, identity) = people::usager(app, tx, &consent.usager).await?;
    let blinds = people::usager_blinds(app, organisation, &identity);
    usagers::index(tx, organisation, &consent.usager, &blinds).await?;
    Ok(Ok(()))
}
