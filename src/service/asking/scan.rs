//! Answers that a second person has yet to confirm: what was signed on paper and scanned, and a yes on the aidant's screen by an
//! identity document.

use super::keep::{self, evidence, with};
use super::{Act, Ground, open_proposal};
use crate::crypto::{sha256, to_hex};
use crate::mandate::{
    AskingEvidence, ConsentChannel, EventKind, Instant, Language, MandateId, TransitionError,
};
use crate::picture::{self, NotKept};
use crate::service::consent::Read;
use crate::service::steps::{Actor, note, refuse};
use crate::service::{App, AskingError, Caller, Error, InputError, Record, Session, facts};
use crate::storage::Tx;
use crate::storage::askings::{self, AskingRow};
use crate::storage::mandates::MandateRow;
use std::sync::Arc;
use time::Date;
use tokio::sync::Semaphore;

/// Pictures that are read at once: each may take much memory.
static READING: Semaphore = Semaphore::const_new(2);

/// What an aidant brings of a signed paper. Personal data: no `Debug`.
pub struct Signed {
    /// The file, as it was sent.
    pub file: Vec<u8>,
    /// The day written beside the signature.
    pub signed_on: Date,
    /// Whether the person ticked that they are under no protection measure.
    pub not_protected: bool,
}

/// Keeps the scan of what the person signed; a second person has yet to compare it. Sent again before that, it takes the place of
/// the former.
///
/// # Errors
/// [`AskingError::Scan`] for what is no picture that can be kept; [`InputError`] for a day before the proposal or in the
/// future; [`Error::Transition`], journaled; [`Error::NotFound`] for a proposal of another organisation, or one not on paper.
pub async fn scanned(
    app: &App,
    session: &Session,
    caller: &Caller,
    mandate: &MandateId,
    signed: Signed,
) -> Result<(), Error> {
    session.aidant()?;
    let Signed { file, signed_on, not_protected } = signed;
    let turn = READING.acquire().await.map_err(|_| Error::Conflict)?;
    let drawn = tokio::task::spawn_blocking(move || picture::redraw(&file));
    let scan = drawn.await.map_err(|_| AskingError::Scan)?.map_err(|_: NotKept| AskingError::Scan)?;
    drop(turn);
    let act = Arc::new((Act::new(app, session, caller, mandate), scan));
    app.commit("consent.scanned", move |tx| {
        let act = Arc::clone(&act);
        Box::pin(async move { act.0.scanned(tx, &act.1, signed_on, not_protected).await })
    })
    .await?
}

impl Act {
    async fn scanned(
        &self,
        tx: &mut Tx,
        scan: &[u8],
        signed_on: Date,
        not_protected: bool,
    ) -> Result<Result<(), Error>, Error> {
        let Ground { office, row, before } = match self.ground(tx).await? {
            Ok(ground) => ground,
            Err(error) => return Ok(Err(error)),
        };
        let Some(asking) = before.filter(|row| row.channel == ConsentChannel::Paper) else {
            return Ok(Err(Error::NotFound));
        };
        // One that waits to be compared can be sent again.
        let open = AskingRow { answered_at: None, ..asking.clone() };
        let by = self.by(&office);
        let Some(mut row) = open_proposal(tx, &open, self.now).await? else {
            let error = row.mandate.clone().refuse(self.now).err().unwrap_or(TransitionError::Lapsed);
            return refuse(&self.app, tx, &row.mandate, error.into(), by).await.map(Err);
        };
        let day = |at: Instant| crate::mandate::paris(at).date();
        if signed_on < day(row.mandate.proposed_at) || signed_on > day(self.now) {
            return Ok(Err(InputError::Field("signed_on").into()));
        }
        if !not_protected {
            let error = TransitionError::CannotGrant.into();
            return refuse(&self.app, tx, &row.mandate, error, by).await.map(Err);
        }
        let answer = Answer {
            read_in: Language::Fr.as_str(),
            read: None,
            signed_on: Some(signed_on),
            scan: Some(scan),
        };
        answered(&self.app, tx, &mut row, &asking, answer, by).await.map(Ok)
    }
}

/// A yes that a second person has yet to confirm.
pub(in crate::service) struct Answer<'a> {
    /// The language it was read in.
    pub(in crate::service) read_in: &'a str,
    /// What was in front of the person, on a screen.
    pub(in crate::service) read: Option<&'a Read>,
    /// The day beside the signature, on paper.
    pub(in crate::service) signed_on: Option<Date>,
    /// The scan of the paper.
    pub(in crate::service) scan: Option<&'a [u8]>,
}

/// Writes such a yes down.
pub(in crate::service) async fn answered(
    app: &App,
    tx: &mut Tx,
    row: &mut MandateRow,
    asking: &AskingRow,
    answer: Answer<'_>,
    by: (Actor<'_>, &Caller, Instant),
) -> Result<(), Error> {
    let now = by.2;
    let known = evidence(app, tx, asking).await?.ok_or(Error::Unreadable)?;
    let known =
        AskingEvidence { read_in: Some(answer.read_in.to_owned()), signed_on: answer.signed_on, ..known };
    let mut after = with(asking, |row| {
        row.answered_at = Some(now);
        row.scan_hash = answer.scan.map(|scan| to_hex(&sha256(scan)));
    });
    after.sealed = keep::seal(app, tx, &after, &known, now).await?;
    let record = Record::done(EventKind::ConsentAnswered).detail("channel", asking.channel.as_str());
    let record = keep::named(record, asking.usager.as_ref());
    let record = match &after.scan_hash {
        Some(hash) => record.detail("scan_hash", hash.as_str()),
        None => record,
    };
    let record = match answer.signed_on {
        Some(day) => record.detail("signed_on", day.to_string()),
        None => record,
    };
    let record = match answer.read {
        Some(read) => read.tell(record),
        None => record,
    };
    let record = record.stands(facts::asking(&app.keys, &after));
    let event = note(app, tx, row, record, by).await?;
    askings::keep(tx, Some(asking), &after, &event).await?;
    match answer.scan {
        Some(scan) => {
            let sealed = keep::seal_scan(app, tx, &after, scan, now).await?;
            Ok(askings::keep_scan(tx, &asking.mandate, &sealed).await?)
        }
        None => Ok(()),
    }
}
