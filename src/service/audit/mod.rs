//! The auditor's desk: a stated purpose, searches, entries with their proof. An auditor sees what their grants cover
//! and nothing else. Whatever they do here is itself an entry, naming the reading it was done under, and shows only
//! once that entry is included.

mod charts;
mod entry;
mod export;
mod find;
mod follow;
pub mod glass;
pub mod grants;
mod looks;
pub mod sample;
pub mod saved;
mod sight;

pub use charts::{Charts, LONGEST_PERIOD, charts};
pub(super) use entry::Concerned;
pub use entry::{Shown, Told, entry};
pub use export::export;
pub use find::{Found, Line, Named, Offered, Wanted, offered, search};
pub use follow::{Retold, Timeline, Whom, timeline};
pub use looks::{Look, at_mandate};
pub use sight::{Seen, Sight, Window};

use super::session::{self, Opened};
use super::{App, Caller, Error, InputError, Record, Session, SessionError, SignInError, Who, facts};
use crate::crypto::Cell;
use crate::mandate::{AuditorId, EventKind, Instant, ReadingId, Standing};
use crate::storage::auditors::{self, ReadingRow};
use crate::storage::data_keys::KeyKind;
use crate::storage::{Snapshot, Tx, seen};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Longest purpose, in characters.
const LONGEST_PURPOSE: usize = 1_000;

/// The auditor, who may read still.
async fn standing(snapshot: &mut Snapshot, auditor: &AuditorId) -> Result<(), Error> {
    match auditors::load(snapshot, auditor).await? {
        Some(row) if row.standing == Standing::Active => Ok(()),
        _ => Err(SignInError::Suspended.into()),
    }
}

/// The reading a session is under: its auditor may read still, and it is open.
pub(super) async fn reading(
    snapshot: &mut Snapshot,
    session: &Session,
) -> Result<(AuditorId, ReadingRow), Error> {
    let (auditor, id) = session.auditor()?;
    standing(snapshot, auditor).await?;
    let row = auditors::load_reading(snapshot, id).await?;
    let row = row.filter(|row| row.auditor == *auditor && row.closed_at.is_none());
    row.map(|row| (auditor.clone(), row)).ok_or_else(|| SessionError::PurposeNeeded.into())
}

/// What the auditor of a session may see now, under the purpose stated.
async fn sight(app: &App, snapshot: &mut Snapshot, session: &Session) -> Result<Sight, Error> {
    let (auditor, _) = reading(snapshot, session).await?;
    Sight::of(app, snapshot, &auditor, app.now()).await
}

/// Journals a reading. What was read is given out only once this returns; it is looked up before, so that a long look
/// keeps nobody who writes waiting. `seen` are the mandates (by blind index) of which something was shown without the
/// entry naming them.
async fn note(
    app: &App,
    session: &Session,
    caller: &Caller,
    record: Record,
    seen: BTreeSet<String>,
) -> Result<(), Error> {
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone(), record, seen));
    app.include("audit.note", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, caller, record, seen) = &*by;
            let (auditor, reading) = reading(tx, session).await?;
            let mut record = record.clone().auditor(&auditor).detail("reading", reading.id.as_str());
            if !seen.is_empty() {
                record = record.detail("seen", seen.iter().map(String::as_str).collect::<Vec<_>>());
            }
            let now = app.now();
            let event = record.append(app, tx, caller, now).await?;
            Ok(seen::note(tx, seen, now, &event).await?)
        })
    })
    .await
}

fn purpose_cell(id: &ReadingId) -> Cell<'_> {
    Cell { table: "reading", row: id.as_str(), column: "purpose_sealed" }
}

/// States why the journal is read from now on; a reading begun before is closed. The session is rotated.
///
/// # Errors
/// [`Error::Input`] without a purpose or with an endless one; [`Error::SignIn`] when suspended.
pub async fn state_purpose(
    app: &App,
    session: &Session,
    caller: &Caller,
    purpose: &str,
) -> Result<Opened, Error> {
    let auditor = session.signed_in_auditor()?.clone();
    let purpose = purpose.trim();
    if purpose.is_empty() {
        return Err(InputError::Field("purpose").into());
    }
    if purpose.chars().count() > LONGEST_PURPOSE {
        return Err(InputError::TooLong("purpose").into());
    }
    let Who::Auditor { authenticated_at, reading: former, .. } = session.who.clone() else {
        return Err(SessionError::WrongRole.into());
    };
    let (now, id) = (app.now(), ReadingId::from_bytes(app.new_id()?));
    let who = Who::Auditor { auditor: auditor.clone(), authenticated_at, reading: Some(id.clone()) };
    let opened = session::next(app, session, who)?;
    let stated = Arc::new(Stating {
        app: Arc::clone(app),
        before: session.clone(),
        after: opened.session.clone(),
        caller: caller.clone(),
        auditor,
        former,
        id,
        purpose: purpose.to_owned(),
        now,
    });
    app.include("audit.purpose", move |tx| {
        let stated = Arc::clone(&stated);
        Box::pin(async move { stated.write(tx).await })
    })
    .await?;
    Ok(opened)
}

/// A purpose about to be stated.
struct Stating {
    app: App,
    before: Session,
    after: Session,
    caller: Caller,
    auditor: AuditorId,
    former: Option<ReadingId>,
    id: ReadingId,
    purpose: String,
    now: Instant,
}

impl Stating {
    async fn write(&self, tx: &mut Tx) -> Result<(), Error> {
        let (app, now) = (&self.app, self.now);
        standing(tx, &self.auditor).await?;
        let subject = (KeyKind::Auditor, self.auditor.as_str());
        let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, subject, now).await?;
        let row = ReadingRow {
            id: self.id.clone(),
            auditor: self.auditor.clone(),
            purpose_sealed: key.seal(&*app.entropy, &purpose_cell(&self.id), self.purpose.as_bytes())?,
            opened_at: now,
            closed_at: None,
            version: 1,
        };
        let former = match &self.former {
            Some(former) => auditors::load_reading(tx, former).await?.filter(|row| row.closed_at.is_none()),
            None => None,
        };
        let record = Record::done(EventKind::PurposeStated).auditor(&self.auditor);
        let mut record = record.detail("reading", self.id.as_str()).stands(facts::reading(&app.keys, &row));
        if let Some(former) = &former {
            let closed = ReadingRow { closed_at: Some(now), version: former.version + 1, ..former.clone() };
            record = record.stands(facts::reading(&app.keys, &closed));
        }
        let event = record.append(app, tx, &self.caller, now).await?;
        if let Some(former) = &former {
            auditors::close_reading(tx, former, now, &event).await?;
        }
        auditors::open_reading(tx, &row, &event).await?;
        session::rotate(tx, &self.before.id, &self.after).await
    }
}

/// The purpose in force.
///
/// # Errors
/// [`Error::Session`] without one; [`Error::SignIn`] when suspended.
pub async fn purpose(app: &App, session: &Session) -> Result<String, Error> {
    let (app_, session) = (Arc::clone(app), session.clone());
    app.store
        .read("audit.purpose", |snapshot| {
            Box::pin(async move {
                let (_, row) = reading(snapshot, &session).await?;
                purpose_of(&app_, snapshot, &row.id).await?.ok_or(Error::Unreadable)
            })
        })
        .await
}

/// The purpose of a reading; nothing once the auditor's key is gone.
async fn purpose_of(app: &App, snapshot: &mut Snapshot, id: &ReadingId) -> Result<Option<String>, Error> {
    let Some(row) = auditors::load_reading(snapshot, id).await? else { return Ok(None) };
    let kind = KeyKind::Auditor;
    let key = app.vault.find(&app.keys, snapshot, kind, row.auditor.as_str()).await?;
    let Some(key) = key else { return Ok(None) };
    let plain = key.open(&purpose_cell(&row.id), &row.purpose_sealed)?;
    String::from_utf8(plain).map(Some).map_err(|_| Error::Unreadable)
}
