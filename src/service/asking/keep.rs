//! An asking as it is kept: sealed, read, emptied.

use super::{Act, Ground};
use crate::crypto::Cell;
use crate::mandate::{
    AskingEvidence, ConsentChannel, EventId, EventKind, Instant, Language, MandateId, UsagerId,
};
use crate::service::desk::{self, Card};
use crate::service::names::Names;
use crate::service::vault::OpenKey;
use crate::service::{App, Caller, Error, Record, Session, people};
use crate::storage::askings::{self, AskingRow, Delivery};
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, Tx, papers};
use std::sync::Arc;

fn cell(mandate: &MandateId) -> Cell<'_> {
    Cell { table: "asking", row: mandate.as_str(), column: "sealed" }
}

/// Whose key it rests under: the person's, or the mandate's while nobody is named.
fn holder(row: &AskingRow) -> (KeyKind, &str) {
    match &row.usager {
        Some(usager) => (KeyKind::Usager, usager.as_str()),
        None => (KeyKind::Mandate, row.mandate.as_str()),
    }
}

/// The key of an asking, made where there is none yet.
pub(super) async fn key(
    app: &App,
    tx: &mut Tx,
    row: &AskingRow,
    now: Instant,
) -> Result<Arc<OpenKey>, Error> {
    app.vault.find_or_make(&app.keys, &*app.entropy, tx, holder(row), now).await
}

/// Seals what the parties alone may know.
pub(super) async fn seal(
    app: &App,
    tx: &mut Tx,
    row: &AskingRow,
    evidence: &AskingEvidence,
    now: Instant,
) -> Result<Vec<u8>, Error> {
    key(app, tx, row, now).await?.seal_json(&*app.entropy, &cell(&row.mandate), evidence)
}

/// What the parties alone know; nothing once it was erased.
pub(in crate::service) async fn evidence(
    app: &App,
    snapshot: &mut Snapshot,
    row: &AskingRow,
) -> Result<Option<AskingEvidence>, Error> {
    if row.sealed.is_empty() {
        return Ok(None);
    }
    let (kind, id) = holder(row);
    match app.vault.find(&app.keys, snapshot, kind, id).await? {
        Some(key) => key.open_json(&cell(&row.mandate), &row.sealed).map(Some),
        None => Ok(None),
    }
}

/// The language the person was asked in; French once that was erased.
pub(in crate::service) async fn language(
    app: &App,
    snapshot: &mut Snapshot,
    row: &AskingRow,
) -> Result<Language, Error> {
    Ok(evidence(app, snapshot, row).await?.map_or(Language::Fr, |evidence| evidence.language))
}

/// Seals a scan of what was signed.
pub(super) async fn seal_scan(
    app: &App,
    tx: &mut Tx,
    row: &AskingRow,
    scan: &[u8],
    now: Instant,
) -> Result<Vec<u8>, Error> {
    key(app, tx, row, now).await?.seal(&*app.entropy, &scan_cell(&row.mandate), scan)
}

/// Opens the scan of what was signed.
pub(super) async fn open_scan(
    app: &App,
    snapshot: &mut Snapshot,
    row: &AskingRow,
    sealed: &[u8],
) -> Result<Vec<u8>, Error> {
    let (kind, id) = holder(row);
    let key = app.vault.find(&app.keys, snapshot, kind, id).await?.ok_or(Error::Unreadable)?;
    key.open(&scan_cell(&row.mandate), sealed)
}

fn scan_cell(mandate: &MandateId) -> Cell<'_> {
    Cell { table: "asking_scan", row: mandate.as_str(), column: "sealed" }
}

/// What changes of an asking, one version on.
pub(in crate::service) fn with(before: &AskingRow, change: impl FnOnce(&mut AskingRow)) -> AskingRow {
    let mut after = before.clone();
    change(&mut after);
    AskingRow { version: before.version + 1, ..after }
}

/// An asking without its code and what was sealed, as erasing leaves it; none where there was none, or nothing in it.
pub(in crate::service) async fn cleared(
    snapshot: &mut Snapshot,
    mandate: &MandateId,
) -> Result<Option<(AskingRow, AskingRow)>, Error> {
    let before = askings::load(snapshot, mandate).await?.filter(|row| !row.sealed.is_empty());
    Ok(before.map(|before| {
        let after = with(&before, |row| {
            row.code_hash = None;
            row.sealed = Vec::new();
        });
        (before, after)
    }))
}

/// Stores what [`cleared`] gave, with the entry that tells of it; the scan goes, too.
pub(in crate::service) async fn store(
    tx: &mut Tx,
    cleared: Option<(AskingRow, AskingRow)>,
    event: &EventId,
) -> Result<(), Error> {
    let Some((before, after)) = cleared else { return Ok(()) };
    askings::unqueue(tx, &before.mandate).await?;
    askings::drop_scan(tx, &before.mandate).await?;
    Ok(askings::keep(tx, Some(&before), &after, event).await?)
}

/// How far an asking has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has answered.
    Waiting,
    /// Too many wrong codes: it can only be asked again.
    Dead,
    /// They said yes, and a second person has to confirm it.
    Answered {
        /// Whether the one who looks may be that person.
        by_you: bool,
    },
}

/// How a proposal is asked, for the aidants of its organisation. Personal data: no `Debug`.
pub struct Waiting {
    /// The proposal, wherever it stands by now.
    pub card: Card,
    /// The text as sealed with it.
    pub text: String,
    /// By which way.
    pub channel: ConsentChannel,
    /// How far it has come.
    pub standing: Standing,
    /// How far the sending of its code has come.
    pub delivery: Delivery,
    /// The person's name and date of birth, where they are named.
    pub person: Option<crate::mandate::Identity>,
    /// What else is known.
    pub evidence: AskingEvidence,
    /// When the page was made.
    pub now: Instant,
}

/// How a proposal of the aidant's organisation is asked. The reading is journaled.
///
/// # Errors
/// [`Error::NotFound`], journaled, for a proposal of another organisation; the same where nothing is asked, or it was erased.
pub async fn waiting(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
) -> Result<Waiting, Error> {
    session.aidant()?;
    let act = Arc::new(Act::new(app, session, caller, mandate));
    app.commit("consent.waiting", move |tx| {
        let act = Arc::clone(&act);
        Box::pin(async move { act.waiting(tx).await })
    })
    .await?
}

impl Act {
    async fn waiting(&self, tx: &mut Tx) -> Result<Result<Waiting, Error>, Error> {
        let Ground { office, row, before } = match self.ground(tx).await? {
            Ok(ground) => ground,
            Err(error) => return Ok(Err(error)),
        };
        let Some(asking) = before else { return Ok(Err(Error::NotFound)) };
        let Some(evidence) = evidence(&self.app, tx, &asking).await? else { return Ok(Err(Error::NotFound)) };
        let record = Record::done(EventKind::AskingRead).organisation(&office.organisation.id);
        let record = named(record.aidant(&office.aidant.id), asking.usager.as_ref());
        record.about(&self.mandate).append(&self.app, tx, &self.caller, self.now).await?;
        let person = match &asking.usager {
            Some(usager) => Some(people::usager(&self.app, tx, usager).await?.1),
            None => None,
        };
        let standing = match asking.answered_at {
            Some(_) => Standing::Answered { by_you: asking.asked_by != office.aidant.id },
            None if asking.failures >= crate::mandate::MOST_WRONG_CODES => Standing::Dead,
            None => Standing::Waiting,
        };
        let text = papers::load(tx, &self.mandate).await?.ok_or(Error::Unreadable)?.text;
        Ok(Ok(Waiting {
            card: desk::card(&self.app, tx, &mut Names::default(), row.mandate).await?,
            text,
            channel: asking.channel,
            standing,
            delivery: asking.delivery,
            person,
            evidence,
            now: self.now,
        }))
    }
}

/// Names the person, where one is known.
pub(super) fn named(record: Record, usager: Option<&UsagerId>) -> Record {
    match usager {
        Some(usager) => record.usager(usager),
        None => record,
    }
}
