//! What is said and done about an anomaly.

use super::{Looker, about, cell, key_of};
use crate::mandate::{Anomaly, AnomalyId, Closing, CommentId, EventId, EventKind, Instant};
use crate::service::audit::Concerned;
use crate::service::{App, Caller, Error, InputError, Record, Session, SessionError, facts};
use crate::storage::Tx;
use crate::storage::anomalies::{self, AnomalyRow, CommentRow};
use std::sync::Arc;

/// Longest comment, in characters.
const LONGEST_COMMENT: usize = 1_000;

/// What is done about an anomaly.
enum Step {
    Comment,
    Close(Closing),
}

/// Says something about an anomaly. The same identifier sent twice says it once.
///
/// # Errors
/// [`Error::Input`] without a text, or with an endless one; [`Error::Anomaly`], journaled, for one that is closed;
/// [`Error::NotFound`], journaled, for one out of sight.
pub async fn comment(
    app: &App,
    session: &Session,
    caller: &Caller,
    (id, comment): (&AnomalyId, &CommentId),
    text: &str,
) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(InputError::Field("text").into());
    }
    step(app, session, caller, (id, comment), text, Step::Comment).await
}

/// Closes an anomaly with a reason and, if one likes, a last comment. For auditors only.
///
/// # Errors
/// As for [`comment`]; [`Error::Session`] for a referent.
pub async fn close(
    app: &App,
    session: &Session,
    caller: &Caller,
    (id, comment): (&AnomalyId, &CommentId),
    reason: Closing,
    text: &str,
) -> Result<(), Error> {
    step(app, session, caller, (id, comment), text, Step::Close(reason)).await
}

async fn step(
    app: &App,
    session: &Session,
    caller: &Caller,
    (id, comment): (&AnomalyId, &CommentId),
    text: &str,
    step: Step,
) -> Result<(), Error> {
    let text = text.trim();
    if text.chars().count() > LONGEST_COMMENT {
        return Err(InputError::TooLong("text").into());
    }
    let stepping = Arc::new(Stepping {
        app: Arc::clone(app),
        session: session.clone(),
        caller: caller.clone(),
        anomaly: id.clone(),
        comment: comment.clone(),
        text: text.to_owned(),
        step,
        now: app.now(),
    });
    app.include("anomalies.step", move |tx| {
        let stepping = Arc::clone(&stepping);
        Box::pin(async move { stepping.write(tx).await })
    })
    .await?
}

/// A step about to be written.
struct Stepping {
    app: App,
    session: Session,
    caller: Caller,
    anomaly: AnomalyId,
    comment: CommentId,
    text: String,
    step: Step,
    now: Instant,
}

impl Stepping {
    /// The outer error undoes; the inner one was journaled.
    async fn write(&self, tx: &mut Tx) -> Result<Result<(), Error>, Error> {
        let looker = Looker::of(&self.app, tx, &self.session).await?;
        let row = match looker.find(&self.app, tx, &self.anomaly).await {
            Ok(row) => row,
            Err(error @ Error::NotFound) => return self.refuse(tx, &looker, error).await.map(Err),
            Err(error) => return Err(error),
        };
        if let Some(before) = anomalies::commented(tx, &self.comment).await? {
            let same = before.anomaly == self.anomaly && before.author == looker.author();
            return if same { Ok(Ok(())) } else { Err(Error::Conflict) };
        }
        if let Err(error) = row.anomaly.is_open() {
            return self.refuse(tx, &looker, error.into()).await.map(Err);
        }
        if !self.text.is_empty() {
            self.say(tx, &looker, &row.anomaly).await?;
        }
        if let Step::Close(reason) = self.step {
            let Looker::Auditor { id, .. } = &looker else { return Err(SessionError::WrongRole.into()) };
            let after = row.anomaly.clone().close(id.clone(), reason, self.now)?;
            let after = AnomalyRow { anomaly: after, version: row.version + 1 };
            let record = Record::done(EventKind::AnomalyClosed).detail("reason", reason.as_str());
            let record = record.stands(facts::anomaly(&self.app.keys, &after));
            let event = self.tell(tx, &looker, &row.anomaly, record).await?;
            anomalies::close(tx, &row, &after.anomaly.state, &event).await?;
        }
        Ok(Ok(()))
    }

    async fn say(&self, tx: &mut Tx, looker: &Looker, anomaly: &Anomaly) -> Result<(), Error> {
        let (app, author) = (&self.app, looker.author());
        let key = app.vault.find_or_make(&app.keys, &*app.entropy, tx, key_of(&author), self.now).await?;
        let text_sealed = key.seal(&*app.entropy, &cell(&self.comment), self.text.as_bytes())?;
        let (id, at) = (self.comment.clone(), self.now);
        let row = CommentRow { id, anomaly: anomaly.id.clone(), author, text_sealed, at, version: 1 };
        let record = Record::done(EventKind::AnomalyCommented).stands(facts::comment(&app.keys, &row));
        let event = self.tell(tx, looker, anomaly, record).await?;
        Ok(anomalies::comment(tx, &row, &event).await?)
    }

    async fn tell(
        &self,
        tx: &mut Tx,
        looker: &Looker,
        anomaly: &Anomaly,
        record: Record,
    ) -> Result<EventId, Error> {
        let concerned = Concerned::by(tx, anomaly.mandate.clone()).await?;
        let record = looker.sign(about(concerned.in_record(record), anomaly));
        record.append(&self.app, tx, &self.caller, self.now).await
    }

    /// Journals what was refused, and gives the refusal back for the write to commit it.
    async fn refuse(&self, tx: &mut Tx, looker: &Looker, error: Error) -> Result<Error, Error> {
        let record =
            Record::refused(EventKind::AccessRefused, error.code()).detail("anomaly", self.anomaly.as_str());
        looker.sign(record).append(&self.app, tx, &self.caller, self.now).await?;
        Ok(error)
    }
}
