//! What the watch found, for those who look into it: auditors within their grants, referents within the own
//! organisation. Both read and comment; auditors close, with a reason. Each reading and each step is an entry.

mod step;

pub use step::{close, comment};

use super::audit::{self, Concerned, Sight};
use super::manage::{self, Manager};
use super::names::Names;
use super::watch::about;
use super::{App, Caller, Error, Record, Session, SessionError, Who};
use crate::crypto::Cell;
use crate::mandate::{
    AidantId, Anomaly, AnomalyId, AnomalyState, AuditorId, CommentId, EventId, EventKind, Instant, MandateId,
    OrganisationId, Outcome, ReadingId,
};
use crate::storage::anomalies::{self, AnomalyRow, Author, CommentRow, Place};
use crate::storage::data_keys::KeyKind;
use crate::storage::search::Found;
use crate::storage::{SearchRow, Snapshot, seen};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Anomalies on a page.
const PAGE: usize = 50;
/// Anomalies taken up at a time.
const BATCH: u32 = 200;

/// An anomaly in a list. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Told {
    /// What was found, and where it stands.
    pub anomaly: Anomaly,
    /// Name of the organisation.
    pub organisation: Option<String>,
    /// The aidant: by name for their referent, by pseudonym for auditors.
    pub aidant: Option<String>,
    /// Pseudonym of the mandate.
    pub mandate: Option<String>,
}

/// What somebody said.
#[derive(Clone, PartialEq, Eq)]
pub struct Comment {
    /// First and last name; empty once erased.
    pub by: String,
    /// Whether an auditor said it, else a referent.
    pub auditor: bool,
    /// When.
    pub at: Instant,
    /// What; empty once its author's key is gone.
    pub text: String,
}

/// A page of anomalies.
pub struct Listed {
    /// The latest first.
    pub anomalies: Vec<Told>,
    /// Where the next page begins.
    pub next: Option<Place>,
}

/// One anomaly with what was said about it.
pub struct Opened {
    /// The anomaly.
    pub told: Told,
    /// What was said, in order.
    pub comments: Vec<Comment>,
    /// First and last name of who closed it.
    pub closed_by: Option<String>,
}

/// Who looks.
enum Looker {
    /// An auditor, within their grants.
    Auditor { id: AuditorId, reading: ReadingId, sight: Sight },
    /// A referent, within the own organisation.
    Referent { id: AidantId, organisation: OrganisationId },
}

impl Looker {
    /// Who looks in a session, if they may.
    async fn of(app: &App, snapshot: &mut Snapshot, session: &Session) -> Result<Self, Error> {
        if matches!(session.who, Who::Auditor { .. }) {
            let (id, reading) = audit::reading(snapshot, session).await?;
            let sight = Sight::of(app, snapshot, &id, app.now()).await?;
            return Ok(Self::Auditor { id, reading: reading.id, sight });
        }
        match manage::referent_in(snapshot, session).await? {
            Manager::Referent { aidant, organisation } => Ok(Self::Referent { id: aidant, organisation }),
            Manager::Operator => Err(SessionError::WrongRole.into()),
        }
    }

    fn sees(&self, app: &App, anomaly: &Anomaly) -> bool {
        match self {
            Self::Auditor { sight, .. } => sight.slots(&placed(app, anomaly)).is_some(),
            Self::Referent { organisation, .. } => anomaly.organisation.as_ref() == Some(organisation),
        }
    }

    /// The anomaly of that identifier. Out of sight it does not exist.
    async fn find(&self, app: &App, snapshot: &mut Snapshot, id: &AnomalyId) -> Result<AnomalyRow, Error> {
        let row = anomalies::load(snapshot, id).await?;
        row.filter(|row| self.sees(app, &row.anomaly)).ok_or(Error::NotFound)
    }

    fn sign(&self, record: Record) -> Record {
        match self {
            Self::Auditor { id, reading, .. } => record.auditor(id).detail("reading", reading.as_str()),
            Self::Referent { id, organisation } => record.aidant(id).organisation(organisation),
        }
    }

    fn author(&self) -> Author {
        match self {
            Self::Auditor { id, .. } => Author::Auditor(id.clone()),
            Self::Referent { id, .. } => Author::Referent(id.clone()),
        }
    }
}

/// Where an anomaly lies, as grants see it.
fn placed(app: &App, anomaly: &Anomaly) -> Found {
    let blind = |field: &str, id: Option<&str>| id.map(|id| app.keys.index().blind(field, &[id]));
    let search = SearchRow {
        kind: EventKind::AnomalyRaised,
        outcome: Outcome::Done,
        code: None,
        organisation: blind("organisation", anomaly.organisation.as_ref().map(OrganisationId::as_str)),
        aidant: blind("aidant", anomaly.aidant.as_ref().map(AidantId::as_str)),
        mandate: blind("mandate", anomaly.mandate.as_ref().map(MandateId::as_str)),
        usager: None,
        client: None,
        procedure: None,
    };
    let event_id = EventId::from_bytes([0; 16]);
    Found { event_id, at: anomaly.at, search, index: None }
}

async fn told(
    app: &App,
    snapshot: &mut Snapshot,
    names: &mut Names,
    looker: &Looker,
    anomaly: Anomaly,
) -> Result<Told, Error> {
    let organisation = match &anomaly.organisation {
        Some(id) => Some(names.organisation(snapshot, id).await?),
        None => None,
    };
    let found = placed(app, &anomaly).search;
    let aidant = match (looker, &anomaly.aidant) {
        (Looker::Referent { .. }, Some(id)) => Some(names.aidant(app, snapshot, id).await?),
        (Looker::Auditor { .. }, _) | (_, None) => found.aidant,
    };
    Ok(Told { anomaly, organisation, aidant, mandate: found.mandate })
}

/// The anomalies in sight that are open (or closed), the latest first; after the last one of the page before.
///
/// # Errors
/// [`Error::Session`] for others than auditors (under a purpose, with a grant) and referents.
pub async fn list(
    app: &App,
    session: &Session,
    caller: &Caller,
    open: bool,
    after: Option<Place>,
) -> Result<Listed, Error> {
    let (app_, session_) = (Arc::clone(app), session.clone());
    let listed = app.store.read("anomalies.list", move |snapshot| {
        Box::pin(async move {
            let looker = Looker::of(&app_, snapshot, &session_).await?;
            page(&app_, snapshot, &looker, open, after).await
        })
    });
    let listed = listed.await?;
    let mandates = listed.anomalies.iter().filter_map(|one| one.mandate.clone()).collect();
    note(app, session, caller, Record::done(EventKind::AnomalyRead), mandates).await?;
    Ok(listed)
}

async fn page(
    app: &App,
    snapshot: &mut Snapshot,
    looker: &Looker,
    open: bool,
    mut after: Option<Place>,
) -> Result<Listed, Error> {
    let organisation = match looker {
        Looker::Referent { organisation, .. } => Some(organisation),
        Looker::Auditor { .. } => None,
    };
    let (mut names, mut anomalies) = (Names::default(), Vec::new());
    loop {
        let rows = anomalies::latest(snapshot, organisation, open, after.as_ref(), BATCH).await?;
        let last = rows.len() < BATCH as usize;
        for row in rows {
            if anomalies.len() == PAGE {
                return Ok(Listed { anomalies, next: after });
            }
            after = Some((row.anomaly.raised_at, row.anomaly.id.clone()));
            if looker.sees(app, &row.anomaly) {
                anomalies.push(told(app, snapshot, &mut names, looker, row.anomaly).await?);
            }
        }
        if last {
            return Ok(Listed { anomalies, next: None });
        }
    }
}

/// One anomaly with what was said about it.
///
/// # Errors
/// [`Error::NotFound`], journaled, for one out of sight; [`Error::Session`].
pub async fn one(app: &App, session: &Session, caller: &Caller, id: &AnomalyId) -> Result<Opened, Error> {
    let (app_, session_, id_) = (Arc::clone(app), session.clone(), id.clone());
    let read = app.store.read("anomalies.one", move |snapshot| {
        Box::pin(async move {
            let looker = Looker::of(&app_, snapshot, &session_).await?;
            let row = looker.find(&app_, snapshot, &id_).await?;
            let concerned = Concerned::by(snapshot, row.anomaly.mandate.clone()).await?;
            let record = about(Record::done(EventKind::AnomalyRead), &row.anomaly);
            let opened = opened(&app_, snapshot, &looker, row.anomaly).await?;
            Ok((opened, concerned.in_record(record)))
        })
    });
    match read.await {
        Ok((opened, record)) => {
            note(app, session, caller, record, BTreeSet::new()).await?;
            Ok(opened)
        }
        Err(error @ Error::NotFound) => {
            let record = Record::refused(EventKind::AccessRefused, error.code());
            note(app, session, caller, record.detail("anomaly", id.as_str()), BTreeSet::new()).await?;
            Err(error)
        }
        Err(error) => Err(error),
    }
}

async fn opened(
    app: &App,
    snapshot: &mut Snapshot,
    looker: &Looker,
    anomaly: Anomaly,
) -> Result<Opened, Error> {
    let mut names = Names::default();
    let mut comments = Vec::new();
    for row in anomalies::comments(snapshot, &anomaly.id).await? {
        let (by, auditor) = match &row.author {
            Author::Auditor(id) => (names.auditor(app, snapshot, id).await?, true),
            Author::Referent(id) => (names.aidant(app, snapshot, id).await?, false),
        };
        comments.push(Comment { by, auditor, at: row.at, text: said(app, snapshot, &row).await? });
    }
    let closed_by = match &anomaly.state {
        AnomalyState::Closed { by, .. } => Some(names.auditor(app, snapshot, by).await?),
        AnomalyState::Open => None,
    };
    Ok(Opened { told: told(app, snapshot, &mut names, looker, anomaly).await?, comments, closed_by })
}

/// Journals a reading. What was read is given out only once this returns. `mandates` are those (by blind index) of which
/// something was shown without the entry naming them.
async fn note(
    app: &App,
    session: &Session,
    caller: &Caller,
    record: Record,
    mandates: BTreeSet<String>,
) -> Result<(), Error> {
    let by = Arc::new((Arc::clone(app), session.clone(), caller.clone(), record, mandates));
    app.include("anomalies.note", move |tx| {
        let by = Arc::clone(&by);
        Box::pin(async move {
            let (app, session, caller, record, mandates) = &*by;
            let looker = Looker::of(app, tx, session).await?;
            let mut record = looker.sign(record.clone());
            if !mandates.is_empty() {
                record = record.detail("seen", mandates.iter().map(String::as_str).collect::<Vec<_>>());
            }
            let now = app.now();
            let event = record.append(app, tx, caller, now).await?;
            Ok(seen::note(tx, mandates, now, &event).await?)
        })
    })
    .await
}

fn cell(id: &CommentId) -> Cell<'_> {
    Cell { table: "anomaly_comment", row: id.as_str(), column: "text_sealed" }
}

fn key_of(author: &Author) -> (KeyKind, &str) {
    match author {
        Author::Auditor(id) => (KeyKind::Auditor, id.as_str()),
        Author::Referent(id) => (KeyKind::Aidant, id.as_str()),
    }
}

/// What was said; empty once its author's key is gone.
async fn said(app: &App, snapshot: &mut Snapshot, row: &CommentRow) -> Result<String, Error> {
    let (kind, id) = key_of(&row.author);
    let Some(key) = app.vault.find(&app.keys, snapshot, kind, id).await? else { return Ok(String::new()) };
    let plain = key.open(&cell(&row.id), &row.text_sealed)?;
    String::from_utf8(plain).map_err(|_| Error::Unreadable)
}
