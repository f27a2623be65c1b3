//! The time-stamp of the day's checkpoint (contract journal.md, 4.5; RFC 3161): an authority that is not us says when the
//! journal was as it was.
//!
//! Asked for once a day, of the newest checkpoint there is. An authority that is slow, away or talks nonsense is logged with its code and asked
//! again, more and more rarely, and holds nobody up; nothing of its answer is kept unless it verifies.

use super::{App, Caller, Error, Record, dates};
use crate::crypto::{sha256, to_hex};
use crate::journal::{TimestampAuthorities, TimestampError, TimestampRequest};
use crate::mandate::{EventKind, Instant, paris};
use crate::relying::{HttpClient, HttpError};
use crate::storage::journal::{self, CheckpointRow};
use crate::storage::time_stamps::{self, TimeStampRow};
use crate::storage::{Snapshot, StoreError};
use crate::telemetry;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error as ThisError;
use time::Duration;

/// How long an authority that failed is left alone at first; twice as long each time, up to [`LONGEST`].
const LEAVE: Duration = Duration::minutes(1);
const LONGEST: Duration = Duration::hours(1);
/// What a request is (RFC 3161, 3.4).
const QUERY: &str = "application/timestamp-query";
/// The last time-stamp may be this old.
pub const OLDEST: Duration = Duration::days(2);

/// The authority that stamps the day's checkpoint, and those whose time-stamps count.
#[derive(Default)]
pub struct Timestamps {
    contact: Option<(String, HttpClient)>,
    trusted: TimestampAuthorities,
    standing: Mutex<Standing>,
}

#[derive(Clone, Copy, Default)]
struct Standing {
    failures: u32,
    not_before: Option<Instant>,
}

/// Why there is no time-stamp.
#[derive(Debug, ThisError)]
enum Trouble {
    /// The authority gave no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// It answered with a status that is no answer.
    #[error("the authority answered with status {0}")]
    Status(u16),
    /// Its answer is no time-stamp to keep.
    #[error(transparent)]
    Answer(#[from] TimestampError),
    /// Its clock, or ours, is wrong.
    #[error("the authority's clock and ours are far apart")]
    Clock,
    /// We could not read or write.
    #[error(transparent)]
    Ours(#[from] Error),
}

impl Trouble {
    fn code(&self) -> &'static str {
        match self {
            Self::Http(error) => error.code(),
            Self::Status(_) => "timestamp_status",
            Self::Answer(error) => error.code(),
            Self::Clock => "timestamp_clock",
            Self::Ours(error) => error.code(),
        }
    }
}

impl Timestamps {
    /// Time-stamps from the authority at that address, if one is asked at all; those count that `trusted` vouches for.
    #[must_use]
    pub fn new(url: Option<String>, trusted: TimestampAuthorities, http: &HttpClient) -> Self {
        Self { contact: url.map(|url| (url, http.clone())), trusted, standing: Mutex::default() }
    }

    /// Whether an authority is asked.
    #[must_use]
    pub const fn are_asked_for(&self) -> bool {
        self.contact.is_some()
    }

    /// Those whose time-stamps count.
    #[must_use]
    pub const fn trusted(&self) -> &TimestampAuthorities {
        &self.trusted
    }

    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_left_alone(&self, now: Instant) -> bool {
        self.standing().not_before.is_some_and(|at| now < at)
    }

    fn answered(&self) {
        *self.standing() = Standing::default();
    }

    fn failed(&self, now: Instant) {
        let mut standing = self.standing();
        let wait = LEAVE * 2_i32.saturating_pow(standing.failures.min(10));
        standing.failures = standing.failures.saturating_add(1);
        standing.not_before = Some(now.plus(wait.min(LONGEST)));
    }
}

/// Asks for the time-stamp of the newest checkpoint, unless this day has one. How the authority answered is logged; it
/// cannot make this fail or wait longer than an outgoing call may.
///
/// # Errors
/// [`Error::Store`] when our own database cannot be read.
pub async fn round(app: &App) -> Result<(), Error> {
    let Some((url, http)) = &app.timestamps.contact else { return Ok(()) };
    if app.timestamps.is_left_alone(app.now()) {
        return Ok(());
    }
    let day = paris(app.now()).date().to_string();
    let of_day = day.clone();
    let due = app
        .store
        .read::<_, Error, _>("timestamps.due", move |snapshot| {
            Box::pin(async move {
                if time_stamps::of_day(snapshot, &of_day).await?.is_some() {
                    return Ok(None);
                }
                Ok(journal::head(snapshot).await?)
            })
        })
        .await?;
    let Some(head) = due else { return Ok(()) };
    match ask(app, url, http, day, head).await {
        Ok(()) => app.timestamps.answered(),
        Err(trouble) => {
            app.timestamps.failed(app.now());
            telemetry::refused(trouble.code());
            tracing::warn!(code = trouble.code(), %trouble, "the authority did not time-stamp the checkpoint");
        }
    }
    Ok(())
}

async fn ask(
    app: &App,
    url: &str,
    http: &HttpClient,
    day: String,
    head: CheckpointRow,
) -> Result<(), Trouble> {
    let request = TimestampRequest::new(&head.note, &*app.entropy)?;
    let (status, token) = http.post(url, QUERY, request.to_der()).await?;
    if status != 200 {
        return Err(Trouble::Status(status));
    }
    let stamp = request.verify(&token, &app.timestamps.trusted)?;
    if !dates::fits(app, stamp.at).await? {
        return Err(Trouble::Clock);
    }
    Ok(keep(app, Kept { day, size: head.size, at: stamp.at, token }).await?)
}

/// A time-stamp to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The day it is of, in metropolitan France: `2026-11-22`.
    pub day: String,
    /// Size of the checkpoint it stamps.
    pub size: u64,
    /// When the authority says that the checkpoint was there.
    pub at: Instant,
    /// The authority's answer.
    pub token: Vec<u8>,
}

/// Keeps a time-stamp with its entry, unless another process of ours kept one of that day.
///
/// # Errors
/// [`Error::Store`].
pub async fn keep(app: &App, kept: Kept) -> Result<(), Error> {
    let (app_, now, kept) = (Arc::clone(app), app.now(), Arc::new(kept));
    let done = app
        .commit("timestamps.keep", move |tx| {
            let (app, kept) = (Arc::clone(&app_), Arc::clone(&kept));
            Box::pin(async move {
                if time_stamps::of_day(tx, &kept.day).await?.is_some() {
                    return Ok(());
                }
                let record = Record::done(EventKind::JournalTimestamped)
                    .detail("day", kept.day.as_str())
                    .detail("size", kept.size)
                    .detail("at", kept.at.micros())
                    .detail("token", to_hex(&sha256(&kept.token)));
                let event = record.append(&app, tx, &Caller::default(), now).await?;
                let Kept { day, size, at, token } = Kept::clone(&kept);
                Ok(time_stamps::insert(tx, &TimeStampRow { day, size, at, token, event }).await?)
            })
        })
        .await;
    match done {
        Err(Error::Store(StoreError::Taken(_))) => Ok(()),
        done => done,
    }
}

/// Since when nothing was time-stamped any more, when that is longer ago than [`OLDEST`] (from the first entry on, while
/// there is none); none where no authority is asked.
///
/// # Errors
/// [`Error::Store`].
pub async fn overdue(app: &App) -> Result<Option<Instant>, Error> {
    if !app.timestamps.are_asked_for() {
        return Ok(None);
    }
    let since =
        app.store.read::<_, Error, _>("timestamps.overdue", |snapshot| Box::pin(last(snapshot))).await?;
    Ok(since.filter(|at| app.now().since(*at) > OLDEST))
}

async fn last(snapshot: &mut Snapshot) -> Result<Option<Instant>, Error> {
    match time_stamps::newest(snapshot).await? {
        Some(at) => Ok(Some(at)),
        None => Ok(journal::entries(snapshot, 0, 1).await?.first().map(|first| first.at)),
    }
}
