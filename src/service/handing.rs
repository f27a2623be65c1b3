//! Receipts on paper: what usagers chose to be told at the desk, and what could not be sent. An aidant of the organisation
//! prints them and says that they were handed over.

use super::names::Names;
use super::notices::{about, step, telling};
use super::office::Office;
use super::steps::Actor;
use super::{App, Caller, Error, Record, Session, contacts};
use crate::mandate::{EventKind, Instant, Language, MandateId, NoticeId, NoticeText};
use crate::storage::mandates::MandateRow;
use crate::storage::notices::{self, NoticeRow};
use crate::storage::{Snapshot, Tx, contacts as choices};
use std::sync::Arc;

/// Receipts on one page.
const MOST: u32 = 1_000;

/// A receipt to be handed over. Personal data: no `Debug`.
pub struct OnPaper {
    /// The notice.
    pub id: NoticeId,
    /// When it was written.
    pub at: Instant,
    /// The language of its text.
    pub language: Language,
    /// Its text.
    pub text: NoticeText,
}

/// The receipts of a mandate that are to be handed over. Personal data: no `Debug`.
pub struct Papers {
    /// First and last name of the usager; empty once erased.
    pub usager: String,
    /// The receipts, the first first.
    pub papers: Vec<OnPaper>,
}

/// How many receipts of a mandate are to be handed over.
pub(super) async fn waiting(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<u64, Error> {
    Ok(u64::try_from(rows(snapshot, mandate).await?.len()).unwrap_or(u64::MAX))
}

async fn rows(snapshot: &mut Snapshot, mandate: &MandateId) -> Result<Vec<NoticeRow>, Error> {
    let mut rows = notices::of_mandate(snapshot, mandate, MOST).await?;
    rows.retain(|row| row.state.is_on_paper());
    rows.reverse();
    Ok(rows)
}

/// The receipts to be handed over to the usager of a mandate of the aidant's organisation. Reading them is journaled.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate of another organisation; [`Error::BeingRecorded`].
pub async fn papers(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
) -> Result<Papers, Error> {
    let desk = Desk::new(app, session, caller, mandate)?;
    app.include("notice.papers", move |tx| {
        let desk = Arc::clone(&desk);
        Box::pin(async move { desk.papers(tx).await })
    })
    .await?
}

/// Those were handed over. What was handed over before stays as it is.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a mandate of another organisation, and for a notice that is not of it;
/// [`Error::BeingRecorded`].
pub async fn hand_over(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
    ids: &[NoticeId],
) -> Result<(), Error> {
    let (desk, ids) = (Desk::new(app, session, caller, mandate)?, ids.to_vec());
    app.include("notice.hand_over", move |tx| {
        let (desk, ids) = (Arc::clone(&desk), ids.clone());
        Box::pin(async move { desk.hand_over(tx, &ids).await })
    })
    .await?
}

struct Desk {
    app: App,
    session: Session,
    caller: Caller,
    mandate: MandateId,
    now: Instant,
}

impl Desk {
    fn new(app: &App, session: &Session, caller: &Caller, mandate: &MandateId) -> Result<Arc<Self>, Error> {
        session.aidant()?;
        let (session, caller, mandate) = (session.clone(), caller.clone(), mandate.clone());
        Ok(Arc::new(Self { app: Arc::clone(app), session, caller, mandate, now: app.now() }))
    }

    async fn find(&self, tx: &mut Tx) -> Result<Result<(Office, MandateRow), Error>, Error> {
        let office = Office::of(tx, &self.session).await?;
        match office.mandate(tx, &self.mandate).await {
            Ok(row) => Ok(Ok((office, row))),
            Err(error) => office.refuse_access(&self.app, tx, error, (&self.caller, self.now)).await.map(Err),
        }
    }

    async fn papers(&self, tx: &mut Tx) -> Result<Result<Papers, Error>, Error> {
        let (office, row) = match self.find(tx).await? {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let Some(usager) = row.mandate.usager() else { return Ok(Err(Error::NotFound)) };
        Record::done(EventKind::MandateRead)
            .organisation(&office.organisation.id)
            .aidant(&office.aidant.id)
            .usager(usager)
            .about(&self.mandate)
            .append(&self.app, tx, &self.caller, self.now)
            .await?;
        let chosen = choices::load(tx, usager).await?;
        let chosen = contacts::opened(&self.app, tx, chosen.as_ref()).await?;
        let language = chosen.map_or(Language::Fr, |contact| contact.language);
        let mut papers = Vec::new();
        for row in rows(tx, &self.mandate).await? {
            let text = telling(&self.app, tx, &row, language).await?.text(language);
            papers.push(OnPaper { id: row.id, at: row.created_at, language, text });
        }
        let usager = Names::default().usager(&self.app, tx, usager).await?;
        Ok(Ok(Papers { usager, papers }))
    }

    async fn hand_over(&self, tx: &mut Tx, ids: &[NoticeId]) -> Result<Result<(), Error>, Error> {
        let (office, _) = match self.find(tx).await? {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        for id in ids {
            let before = notices::load(tx, id).await?.filter(|row| row.mandate == self.mandate);
            let before = before.ok_or(Error::NotFound)?;
            // Whoever sends the form twice, or a colleague who was faster, changes nothing.
            let Ok(state) = before.state.hand_over() else { continue };
            let by = (Actor::Aidant(&office.aidant.id), &self.caller, self.now);
            let record = about(EventKind::NoticeHandedOver, &before);
            step(&self.app, tx, &before, NoticeRow { state, ..before.clone() }, record, by).await?;
        }
        Ok(Ok(()))
    }
}
