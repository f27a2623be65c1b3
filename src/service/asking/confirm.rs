//! The second person of the organisation: what the first one saw counts only once they have compared it.

use super::answer::agreed;
use super::answer::consent_of;
use super::keep::{self, Standing, Waiting, evidence, with};
use super::{Act, Ground};
use crate::crypto::{sha256, to_hex};
use crate::mandate::{AskingEvidence, Declarations, EventKind, Language, MandateId};
use crate::service::office::Office;
use crate::service::steps::{note, refuse};
use crate::service::{App, AskingError, Caller, Error, Record, Session, facts};
use crate::storage::askings::{self, AskingRow};
use crate::storage::mandates::MandateRow;
use crate::storage::{Snapshot, Tx};
use std::sync::Arc;

/// What the second person compares. Personal data: no `Debug`.
pub struct Compared {
    /// How the proposal is asked.
    pub waiting: Waiting,
    /// The scan of what was signed, as it is kept: a JPEG.
    pub scan: Option<Vec<u8>>,
}

/// What is to be compared. The reading is journaled.
///
/// # Errors
/// As [`keep::waiting`]; [`Error::NotFound`] where nobody has answered.
pub async fn compare(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
) -> Result<Compared, Error> {
    let waiting = keep::waiting(app, session, caller, mandate).await?;
    if !matches!(waiting.standing, Standing::Answered { .. }) {
        return Err(Error::NotFound);
    }
    let (app_, id) = (Arc::clone(app), mandate.clone());
    let scan = app
        .store
        .read("consent.scan", move |snapshot| Box::pin(async move { scan(&app_, snapshot, &id).await }));
    Ok(Compared { waiting, scan: scan.await? })
}

async fn scan(app: &App, snapshot: &mut Snapshot, mandate: &MandateId) -> Result<Option<Vec<u8>>, Error> {
    let Some(asking) = askings::load(snapshot, mandate).await? else { return Ok(None) };
    match askings::scan(snapshot, mandate).await? {
        Some(sealed) => {
            let scan = keep::open_scan(app, snapshot, &asking, &sealed).await?;
            let hash = to_hex(&sha256(&scan));
            // What is compared is what the entry tells of.
            if asking.scan_hash.as_ref() == Some(&hash) { Ok(Some(scan)) } else { Err(Error::Unreadable) }
        }
        None => Ok(None),
    }
}

/// The second person confirms: with it the usager has consented.
///
/// # Errors
/// [`AskingError::SamePerson`] for the one who asked; [`crate::service::SessionError::FactorNeeded`] without a fresh second
/// factor; [`Error::NotFound`] where nothing waits to be confirmed; [`Error::Transition`], journaled.
pub async fn confirm(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
) -> Result<(), Error> {
    second(app, session, caller, mandate, true).await
}

/// The second person found it wrong: the answer counts for nothing, and the usager can be asked again.
///
/// # Errors
/// As [`confirm`].
pub async fn reject(app: &App, session: &Session, caller: &Caller, mandate: &MandateId) -> Result<(), Error> {
    second(app, session, caller, mandate, false).await
}

async fn second(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
    right: bool,
) -> Result<(), Error> {
    session.aidant_with_fresh_factor(app.now())?;
    let act = Arc::new(Act::new(app, session, caller, mandate));
    let name = if right { "consent.confirm" } else { "consent.reject" };
    app.commit(name, move |tx| {
        let act = Arc::clone(&act);
        Box::pin(async move { act.second(tx, right).await })
    })
    .await?
}

impl Act {
    async fn second(&self, tx: &mut Tx, right: bool) -> Result<Result<(), Error>, Error> {
        let Ground { office, row, before } = match self.ground(tx).await? {
            Ok(ground) => ground,
            Err(error) => return Ok(Err(error)),
        };
        let Some(asking) = before.filter(|row| row.answered_at.is_some() && row.confirmed_by.is_none())
        else {
            return Ok(Err(Error::NotFound));
        };
        let by = self.by(&office);
        if asking.asked_by == office.aidant.id {
            let error = AskingError::SamePerson.into();
            return refuse(&self.app, tx, &row.mandate, error, by).await.map(Err);
        }
        let known = evidence(&self.app, tx, &asking).await?.ok_or(Error::Unreadable)?;
        if !right {
            return self.reject(tx, row, asking, known, &office).await.map(Ok);
        }
        let read_in = known.read_in.clone().unwrap_or_else(|| Language::Fr.as_str().to_owned());
        let consent = consent_of(tx, &asking, &read_in, self.now).await?;
        // Whoever answered declared both then; whoever declared otherwise has no answer that waits.
        let declared = Declarations { not_protected: true, may_be_minor: false };
        let confirmed = AskingRow { confirmed_by: Some(office.aidant.id.clone()), ..asking };
        match agreed(&self.app, tx, row, &confirmed, (consent, declared, None), by).await? {
            Ok(()) => Ok(Ok(())),
            Err((row, error)) => refuse(&self.app, tx, &row.mandate, error.into(), by).await.map(Err),
        }
    }

    async fn reject(
        &self,
        tx: &mut Tx,
        mut row: MandateRow,
        asking: AskingRow,
        known: AskingEvidence,
        office: &Office,
    ) -> Result<(), Error> {
        let known = AskingEvidence { read_in: None, signed_on: None, ..known };
        let mut after = with(&asking, |row| {
            row.answered_at = None;
            row.scan_hash = None;
        });
        after.sealed = keep::seal(&self.app, tx, &after, &known, self.now).await?;
        let record = Record::done(EventKind::ConsentRejected);
        let record = keep::named(record, asking.usager.as_ref());
        let record = record.stands(facts::asking(&self.app.keys, &after));
        let event = note(&self.app, tx, &mut row, record, self.by(office)).await?;
        askings::keep(tx, Some(&asking), &after, &event).await?;
        Ok(askings::drop_scan(tx, &self.mandate).await?)
    }
}
