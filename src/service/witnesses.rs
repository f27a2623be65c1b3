//! The witnesses of our own journal: submitting checkpoints to them, keeping what they cosign, and believing them
//! when they prove that we were rolled back (contract journal.md, 4.5; C2SP tlog-witness).
//!
//! A witness may be slow, silent or a liar: it is then refused with a coded reason and asked again later, more and more
//! rarely, and never holds the service up. It has one power: a checkpoint that bears our own signature and is not
//! in our database shows that the database was rolled back or replaced, and nothing is signed any more.

use super::{App, Error, dates, read};
use crate::crypto::{sha256, to_hex};
use crate::journal::{
    Answer, AnswerError, NamedWitness, Note, NoteSignature, Submission, Vkey, consistency_path,
    consistency_tiles, read_answer,
};
use crate::mandate::Instant;
use crate::relying::{HttpClient, HttpError};
use crate::storage::cosignatures::{self, CosignatureRow};
use crate::storage::journal::{self, CheckpointRow};
use crate::storage::shards::{self, Shard};
use crate::storage::{Snapshot, StoreError, cosigned};
use crate::telemetry;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use thiserror::Error as ThisError;
use time::Duration;
use tokio::task::JoinSet;

/// How often a witness may send us on to another size before it is left alone.
const ATTEMPTS: usize = 3;
/// A checkpoint that stays the newest is submitted again after this time, so that somebody goes on saying so.
const AGAIN: Duration = Duration::minutes(10);
/// How long a witness that failed is left alone at first; twice as long each time, up to [`AGAIN`].
const LEAVE: Duration = Duration::seconds(5);
/// What a submission is.
const TEXT: &str = "text/plain; charset=utf-8";
/// The alarm that the database is not the one we signed for.
const ROLLED_BACK: &str = "journal_rolled_back";

/// The witnesses this service submits its checkpoints to, and how many of them a checkpoint needs.
#[derive(Default)]
pub struct Witnesses {
    contacts: Vec<Arc<Contact>>,
    quorum: usize,
}

/// One witness, and how it went with it.
struct Contact {
    witness: NamedWitness,
    http: HttpClient,
    standing: Mutex<Standing>,
}

#[derive(Clone, Copy, Default)]
struct Standing {
    failures: u32,
    not_before: Option<Instant>,
    answered: Option<Instant>,
}

/// Why a witness did not cosign.
#[derive(Debug, ThisError)]
enum Trouble {
    /// It gave no answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Its answer is of no use.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// Its clock, or ours, is wrong.
    #[error("the witness's clock and ours are far apart")]
    Clock,
    /// It sends us from size to size.
    #[error("the witness names another size each time")]
    Restless,
    /// It proved that the database is not the one we signed for.
    #[error("{0}")]
    RolledBack(String),
    /// We could not read or write.
    #[error(transparent)]
    Ours(#[from] Error),
}

impl Trouble {
    fn code(&self) -> &'static str {
        match self {
            Self::Http(error) => error.code(),
            Self::Answer(error) => error.code(),
            Self::Clock => "witness_clock",
            Self::Restless => "witness_restless",
            Self::RolledBack(_) => ROLLED_BACK,
            Self::Ours(error) => error.code(),
        }
    }
}

impl Witnesses {
    /// These witnesses, so many of whom a checkpoint needs before it is served; 0 for none.
    #[must_use]
    pub fn new(named: Vec<NamedWitness>, quorum: usize, http: &HttpClient) -> Self {
        let contact = |witness| {
            let standing = Mutex::default();
            Arc::new(Contact { witness, http: http.clone(), standing })
        };
        Self { contacts: named.into_iter().map(contact).collect(), quorum }
    }

    /// How many witnesses a checkpoint needs.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// The witnesses.
    #[must_use]
    pub fn named(&self) -> Vec<NamedWitness> {
        self.contacts.iter().map(|contact| contact.witness.clone()).collect()
    }

    fn key(&self, vkey: &str) -> Option<&Vkey> {
        self.contacts.iter().map(|contact| &contact.witness.key).find(|key| key.to_string() == vkey)
    }
}

impl Contact {
    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to submit a checkpoint of that size to a witness that has seen one of `seen`.
    fn is_due(&self, size: u64, seen: u64, now: Instant) -> bool {
        let standing = *self.standing();
        let left_alone = standing.not_before.is_some_and(|at| now < at);
        let fresh = standing.answered.is_some_and(|at| now.since(at) < AGAIN);
        !left_alone && (seen < size || !fresh)
    }

    fn answered(&self, now: Instant) {
        *self.standing() = Standing { answered: Some(now), ..Standing::default() };
    }

    fn failed(&self, now: Instant) {
        let mut standing = self.standing();
        let wait = LEAVE * 2_i32.saturating_pow(standing.failures.min(10));
        standing.failures = standing.failures.saturating_add(1);
        standing.not_before = Some(now.plus(wait.min(AGAIN)));
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.witness.url.trim_end_matches('/'))
    }
}

/// Submits the newest checkpoint to every witness that has not seen it, all at once. How each one answered is
/// logged; none can make this fail or wait longer than an outgoing call may.
///
/// # Errors
/// [`Error::Store`] when our own database cannot be read.
pub async fn round(app: &App) -> Result<(), Error> {
    if app.witnesses.contacts.is_empty() {
        return Ok(());
    }
    let by = App::clone(app);
    let due = app.store.read::<_, Error, _>("witnesses.head", move |snapshot| {
        Box::pin(async move {
            let shards = shards::all(snapshot, &by.origin).await?;
            let current = shards.current();
            let head = seen(&by, snapshot, current).await?;
            let closed = current.start.checked_sub(1).map(|last| shards.at(last));
            let closed = match closed {
                Some(closed) if !has_quorum(&by, snapshot, current.start).await? => {
                    seen(&by, snapshot, closed).await?
                }
                _ => None,
            };
            Ok((head, closed))
        })
    });
    let (Some((head, seen)), closed) = due.await? else { return Ok(()) };
    let (head, mut asked) = (Arc::new(head), JoinSet::new());
    let (last, mut seen_last) =
        closed.map_or((None, Vec::new()), |(last, seen)| (Some(Arc::new(last)), seen));
    seen_last.resize(seen.len(), 0);
    for ((contact, seen), seen_last) in app.witnesses.contacts.iter().zip(seen).zip(seen_last) {
        if contact.is_due(head.size, seen, app.now()) {
            let last = last.clone().filter(|last| seen_last < last.size).map(|last| (last, seen_last));
            asked.spawn(ask(App::clone(app), Arc::clone(contact), Arc::clone(&head), seen, last));
        }
    }
    while let Some(done) = asked.join_next().await {
        if done.is_err() {
            tracing::error!("asking a witness panicked");
        }
    }
    Ok(())
}

/// The newest checkpoint of a shard, and up to which each witness has seen it.
async fn seen(
    app: &App,
    snapshot: &mut Snapshot,
    shard: &Shard,
) -> Result<Option<(CheckpointRow, Vec<u64>)>, Error> {
    let places = shard.places();
    let Some(head) = journal::newest(snapshot, places.end).await? else { return Ok(None) };
    let mut seen = Vec::with_capacity(app.witnesses.contacts.len());
    for contact in &app.witnesses.contacts {
        seen.push(cosignatures::newest_of(snapshot, &places, &contact.witness.key.to_string()).await?);
    }
    Ok(Some((head, seen)))
}

/// Whether as many of today's witnesses as are needed have seen the checkpoint of that size; one, where none is needed.
async fn has_quorum(app: &App, snapshot: &mut Snapshot, size: u64) -> Result<bool, Error> {
    let lines = cosignatures::of_checkpoint(snapshot, size).await?;
    let by: BTreeSet<&str> = lines.iter().map(|row| row.vkey.as_str()).collect();
    let known = by.into_iter().filter(|vkey| app.witnesses.key(vkey).is_some()).count();
    Ok(known >= app.witnesses.quorum.max(1))
}

/// Submits the newest checkpoint, and the final one of the shard before as long as it lacks its quorum: what becomes of that one
/// says nothing about how to go on with the witness, which may never have known that shard.
async fn ask(
    app: App,
    contact: Arc<Contact>,
    head: Arc<CheckpointRow>,
    seen: u64,
    last: Option<(Arc<CheckpointRow>, u64)>,
) {
    let witness = contact.witness.name.as_str();
    if let Some((last, seen)) = last
        && let Err(trouble) = submit(&app, &contact, &last, seen).await
    {
        let (code, origin) = (trouble.code(), last.origin.as_str());
        telemetry::refused(code);
        tracing::warn!(witness, code, origin, %trouble, "a witness did not cosign a final checkpoint");
    }
    match submit(&app, &contact, &head, seen).await {
        Ok(()) => contact.answered(app.now()),
        Err(trouble) => {
            contact.failed(app.now());
            telemetry::refused(trouble.code());
            let code = trouble.code();
            let alarming = matches!(
                trouble,
                Trouble::RolledBack(_) | Trouble::Answer(AnswerError::Ahead(_) | AnswerError::OtherTree)
            );
            if alarming {
                tracing::error!(witness, code, %trouble, "a witness contradicts the journal");
            } else {
                tracing::warn!(witness, code, %trouble, "a witness did not cosign");
            }
        }
    }
}

async fn submit(app: &App, contact: &Contact, head: &CheckpointRow, seen: u64) -> Result<(), Trouble> {
    let mut old = seen.min(head.size).saturating_sub(head.start);
    for _ in 0..ATTEMPTS {
        let proof = consistency(app, old, head).await?;
        let submission = Submission { old, proof, checkpoint: head.note.clone() };
        let body = submission.to_string().into_bytes();
        let (status, answer) = contact.http.post(&contact.url("add-checkpoint"), TEXT, body).await?;
        let answer = str::from_utf8(&answer).map_err(|_| AnswerError::Malformed)?;
        match read_answer(status, answer, &submission, &contact.witness.key) {
            Ok(Answer::Cosigned { line, at }) => return keep(app, contact, head.size, &line, at).await,
            Ok(Answer::From(size)) => old = size,
            Err(error @ (AnswerError::Ahead(_) | AnswerError::OtherTree)) => {
                return Err(contradicted(app, contact, &head.origin, error).await);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Trouble::Restless)
}

async fn consistency(app: &App, old: u64, head: &CheckpointRow) -> Result<Vec<crate::journal::Hash>, Error> {
    let (new, places) = (head.tree_size(), head.start..head.size);
    let ids = consistency_tiles(old, new).map_err(|_| Error::Unreadable)?;
    let by = Arc::clone(app);
    let tiles = app
        .store
        .read("witnesses.proof", move |snapshot| {
            Box::pin(async move { read::tiles(&by, snapshot, &places, ids).await })
        })
        .await?;
    consistency_path(old, new, &tiles).map_err(|_| Error::Unreadable)
}

async fn keep(app: &App, contact: &Contact, size: u64, line: &NoteSignature, at: u64) -> Result<(), Trouble> {
    let micros = i64::try_from(at).ok().and_then(|seconds| seconds.checked_mul(1_000_000));
    let seen_at = micros.map(Instant::from_micros).ok_or(Trouble::Clock)?;
    if !dates::fits(app, seen_at).await? {
        return Err(Trouble::Clock);
    }
    let vkey = contact.witness.key.to_string();
    let row = Arc::new(CosignatureRow { size, vkey, seen_at, line: line.to_string() });
    let kept = app.commit("witnesses.keep", move |tx| {
        let row = Arc::clone(&row);
        Box::pin(async move {
            // What was counted stays what it was.
            if cosigned::until(tx).await?.is_some_and(|until| row.seen_at <= until) {
                return Ok(false);
            }
            cosignatures::insert(tx, &row).await?;
            Ok::<_, Error>(true)
        })
    });
    if kept.await? { Ok(()) } else { Err(Trouble::Clock) }
}

/// A witness says that it has seen what we do not have. It is asked for the checkpoint it has: if that bears our own
/// signature, it is proof, and the store stops signing. Its word alone is an alarm and no more, or any witness
/// could stop the service.
async fn contradicted(app: &App, contact: &Contact, origin: &str, said: AnswerError) -> Trouble {
    let place = to_hex(&sha256(origin.as_bytes()));
    let shown = contact.http.get(&contact.url(&format!("{place}/checkpoint"))).await;
    if let Ok((200, note)) = shown
        && let Ok(note) = str::from_utf8(&note)
        && let Err(StoreError::Behind(why)) = app.store.hold_to(note).await
    {
        return Trouble::RolledBack(why);
    }
    said.into()
}

/// The newest checkpoint of the shard with those places that counts under our own policy and is of at least that size, with
/// the lines of the witnesses that have seen it. While none has its quorum (a new shard, a new policy), the newest one there is.
///
/// # Errors
/// [`Error::Unreadable`] when a stored checkpoint is none; any fault of the store.
pub async fn served(
    witnesses: &Witnesses,
    snapshot: &mut Snapshot,
    places: &Range<u64>,
    least: u64,
) -> Result<Option<CheckpointRow>, Error> {
    if witnesses.quorum > 0 {
        for size in cosignatures::seen_by(snapshot, places, witnesses.quorum).await? {
            if size < least {
                break;
            }
            let Some(checkpoint) = journal::checkpoint_covering(snapshot, size).await? else { continue };
            let (checkpoint, seen) = with_lines(witnesses, snapshot, checkpoint).await?;
            if seen >= witnesses.quorum {
                return Ok(Some(checkpoint));
            }
        }
    }
    let Some(head) = journal::newest(snapshot, places.end).await? else { return Ok(None) };
    Ok(Some(with_lines(witnesses, snapshot, head).await?.0))
}

/// The checkpoint with the newest line of each of today's witnesses below, and how many these are. A line that does not
/// hold would condemn the whole note, so it is left out.
async fn with_lines(
    witnesses: &Witnesses,
    snapshot: &mut Snapshot,
    checkpoint: CheckpointRow,
) -> Result<(CheckpointRow, usize), Error> {
    if witnesses.contacts.is_empty() {
        return Ok((checkpoint, 0));
    }
    let mut note = Note::parse(&checkpoint.note).map_err(|_| Error::Unreadable)?;
    let mut seen: Vec<String> = Vec::new();
    for row in cosignatures::of_checkpoint(snapshot, checkpoint.size).await?.into_iter().rev() {
        let Some(key) = witnesses.key(&row.vkey).filter(|_| !seen.contains(&row.vkey)) else { continue };
        let Ok(line) = NoteSignature::parse(&row.line) else { continue };
        if line.names(key) && line.verify(note.text(), key).is_some() {
            note.add(line);
            seen.push(row.vkey);
        }
    }
    Ok((CheckpointRow { note: note.to_string(), ..checkpoint }, seen.len()))
}
