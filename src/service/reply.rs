//! Replies to text messages: "STOP" ends what the message was about, "NON" refuses what it asks for, and on the telephone's own
//! path a code agrees. A no always counts; where two ways answer at the same time, it wins, whichever was first.
//!
//! A reply is matched by the reference that its message carried *and* by the telephone it comes from: the reference is a keyed
//! hash over what it is about and that number, so neither number nor reference rests with us. A card needs no message: its number
//! and code are the proof, as on the public page.

use super::asking::{self, Keyed};
use super::card;
use super::end::end_mandate;
use super::steps::Actor;
use super::{App, Caller, Error, Record};
use crate::courier::{Incoming, NotOurs};
use crate::crypto::same;
use crate::mandate::{
    Answer, Channel, ConsentChannel, EndReason, EventKind, Instant, Language, MandateId, MandateNumber,
    NoticeId, Said, State,
};
use crate::storage::askings::{self, AskingRow};
use crate::storage::idempotency::{self, Claim};
use crate::storage::mandates::{self, MandateRow};
use crate::storage::{Snapshot, Tx, notices};
use std::sync::Arc;
use time::Duration;

/// The name of this act among idempotency keys, and whose they are: whoever carries the replies.
const ACT: &str = "reply.take";
const CARRIER: &str = "sms";
/// How long a message can be answered. Numbers are given to others in time.
const ANSWERED_WITHIN: Duration = Duration::days(90);
/// Where cards are keyed in, below our own address.
const REVOKE: &str = "/revoquer";

/// What a text message is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of<'a> {
    /// A notice.
    Notice(&'a NoticeId),
    /// The asking of a proposal.
    Asking(&'a MandateId),
}

/// The reference that a reply brings back; none where no reply can come.
pub(super) fn reference(app: &App, of: Of<'_>, by: Channel, number: &str) -> Option<String> {
    if by != Channel::Sms || app.couriers.replies.is_none() {
        return None;
    }
    let (kind, id) = match of {
        Of::Notice(id) => ("n", id.as_str()),
        Of::Asking(id) => ("a", id.as_str()),
    };
    Some(format!("{kind}.{id}.{}", tag(app, (kind, id), number)))
}

fn tag(app: &App, (kind, id): (&str, &str), number: &str) -> String {
    app.keys.index().keyed_hash("reply_reference", &[kind, id, number])
}

/// Why what was posted is not read as a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unread {
    /// Nobody may post replies here.
    Off,
    /// It is not signed by whoever carries our messages, or was signed too long ago.
    Signature,
    /// It is signed, and says nothing that is a reply.
    Form,
}

/// Opens what was posted as a reply.
///
/// # Errors
/// [`Unread`].
pub fn open(app: &App, signature: &str, body: &[u8]) -> Result<Incoming, Unread> {
    let replies = app.couriers.replies.as_ref().ok_or(Unread::Off)?;
    replies.open(signature, body, app.now()).map_err(|not_ours| match not_ours {
        NotOurs::Signature => Unread::Signature,
        NotOurs::Form => Unread::Form,
    })
}

/// Follows a reply, and gives the words to answer it with. The same reply posted again is answered alike and does nothing.
///
/// # Errors
/// [`Error::BeingRecorded`]: it was followed, and its answer comes when it is posted again; [`Error::Store`].
pub async fn take(app: &App, caller: &Caller, incoming: Incoming) -> Result<String, Error> {
    let taking = Arc::new(Taking { app: Arc::clone(app), caller: caller.clone(), incoming, now: app.now() });
    app.include(ACT, move |tx| {
        let taking = Arc::clone(&taking);
        Box::pin(async move { taking.once(tx).await })
    })
    .await
}

struct Taking {
    app: App,
    caller: Caller,
    incoming: Incoming,
    now: Instant,
}

/// What a reply is about.
enum About {
    Notice(MandateRow),
    Asking(Box<MandateRow>, AskingRow),
    /// It answers nothing, or does not come from where our message went: the mandate, where the reference names one.
    Nobody(Option<MandateId>),
}

impl Taking {
    async fn once(&self, tx: &mut Tx) -> Result<String, Error> {
        let key = self.app.keys.index().keyed_hash("reply", &[&self.incoming.id]);
        match idempotency::claim(tx, &key, CARRIER, ACT, self.now).await? {
            Claim::First => {}
            Claim::Again(answer) => return Ok(answer),
            Claim::Foreign => return Err(Error::Conflict),
        }
        let (answer, language) = self.answer(tx).await?;
        let issuer = self.app.issuer.as_str();
        let revoke = format!("{}{REVOKE}", issuer.strip_prefix("https://").unwrap_or(issuer));
        let answer = answer.text(language, &revoke);
        idempotency::keep(tx, &key, &answer).await?;
        Ok(answer)
    }

    async fn answer(&self, tx: &mut Tx) -> Result<(Answer, Language), Error> {
        let said = Said::read(&self.incoming.text);
        if let Said::Card { number, code } = &said {
            let by = (&self.caller, self.now);
            let answer = card::end_by_message(&self.app, tx, (*number, code), by).await?;
            return Ok((answer, Language::Fr));
        }
        match self.about(tx).await? {
            About::Nobody(mandate) => {
                self.refused(tx, mandate.as_ref(), "reply_of_nobody").await?;
                Ok((Answer::NotFound, Language::Fr))
            }
            About::Notice(row) => {
                let language = self.language(tx, &row).await?;
                let answer = match said {
                    Said::Stop => self.end(tx, row).await?,
                    Said::No | Said::Yes { .. } | Said::Unclear | Said::Card { .. } => {
                        self.refused(tx, Some(&row.mandate.id), "reply_unclear").await?;
                        Answer::Unclear
                    }
                };
                Ok((answer, language))
            }
            About::Asking(row, asked) => {
                let language = asking::evidence_language(&self.app, tx, &asked).await?;
                Ok((self.answer_asking(tx, *row, &asked, said).await?, language))
            }
        }
    }

    async fn answer_asking(
        &self,
        tx: &mut Tx,
        row: MandateRow,
        asked: &AskingRow,
        said: Said,
    ) -> Result<Answer, Error> {
        match said {
            Said::Stop | Said::No => self.deny(tx, row, asked).await,
            Said::Yes { code } if asked.channel == ConsentChannel::Telephone => {
                // The message says that who answers it is under no protection measure.
                let keyed = Keyed { code, not_protected: true };
                let by = self.by(Some(asked));
                match asking::take_code(&self.app, tx, (row, asked), &keyed, by).await? {
                    Ok(()) => Ok(Answer::Agreed),
                    Err(Error::Asking(_)) => Ok(Answer::CodeRefused),
                    Err(_) => Ok(Answer::TooLate),
                }
            }
            Said::Yes { .. } => Ok(Answer::OnPage),
            Said::Unclear | Said::Card { .. } => {
                self.refused(tx, Some(&row.mandate.id), "reply_unclear").await?;
                Ok(Answer::Unclear)
            }
        }
    }

    fn by<'a>(&'a self, asked: Option<&'a AskingRow>) -> (Actor<'a>, &'a Caller, Instant) {
        (Actor::Reply { to: asked.map(|row| &row.asked_by) }, &self.caller, self.now)
    }

    /// A no: before both have agreed it refuses, afterwards it ends.
    async fn deny(&self, tx: &mut Tx, mut row: MandateRow, asked: &AskingRow) -> Result<Answer, Error> {
        match asking::denied(&self.app, tx, &mut row, self.by(Some(asked))).await? {
            Ok(()) => Ok(Answer::Denied),
            Err(_) => self.end(tx, row).await,
        }
    }

    async fn end(&self, tx: &mut Tx, mut row: MandateRow) -> Result<Answer, Error> {
        let number = MandateNumber::of(&row.mandate.id);
        if let Some(at) = card::over_since(&row.mandate, self.now) {
            return Ok(Answer::OverSince(number, at));
        }
        match end_mandate(&self.app, tx, &mut row, EndReason::Revoked, self.by(None)).await {
            Ok(()) => Ok(Answer::Ended(number)),
            // Nothing is there to end: it was refused before, or nobody agreed in time.
            Err(Error::Transition(_)) => Ok(Answer::TooLate),
            Err(error) => Err(error),
        }
    }

    /// What the reference names, if it was sent to the telephone the reply comes from.
    async fn about(&self, tx: &mut Tx) -> Result<About, Error> {
        let mut parts = self.incoming.reference.as_deref().unwrap_or_default().splitn(3, '.');
        let (Some(kind), Some(id), Some(given)) = (parts.next(), parts.next(), parts.next()) else {
            return Ok(About::Nobody(None));
        };
        let made = tag(&self.app, (kind, id), self.incoming.from.as_str());
        let theirs = same(made.as_bytes(), given.as_bytes());
        let found = match kind {
            "n" => self.notice(tx, id).await?,
            "a" => self.asking(tx, id).await?,
            _ => None,
        };
        Ok(match found {
            Some((about, written)) if theirs && self.now.since(written) < ANSWERED_WITHIN => about,
            Some((About::Notice(row), _)) => About::Nobody(Some(row.mandate.id)),
            Some((About::Asking(row, _), _)) => About::Nobody(Some(row.mandate.id)),
            Some((About::Nobody(_), _)) | None => About::Nobody(None),
        })
    }

    async fn notice(&self, snapshot: &mut Snapshot, id: &str) -> Result<Option<(About, Instant)>, Error> {
        let Ok(id) = NoticeId::parse(id) else { return Ok(None) };
        let Some(notice) = notices::load(snapshot, &id).await? else { return Ok(None) };
        let row = mandates::load(snapshot, &notice.mandate).await?.ok_or(Error::Unreadable)?;
        Ok(Some((About::Notice(row), notice.created_at)))
    }

    async fn asking(&self, snapshot: &mut Snapshot, id: &str) -> Result<Option<(About, Instant)>, Error> {
        let Ok(id) = MandateId::parse(id) else { return Ok(None) };
        let Some(asked) = askings::load(snapshot, &id).await? else { return Ok(None) };
        let row = mandates::load(snapshot, &id).await?.ok_or(Error::Unreadable)?;
        let written = asked.asked_at;
        Ok(Some((About::Asking(Box::new(row), asked), written)))
    }

    /// The language the person chose to be told in.
    async fn language(&self, snapshot: &mut Snapshot, row: &MandateRow) -> Result<Language, Error> {
        let (State::Active { consent, .. } | State::Ended { consent, .. }) = &row.mandate.state else {
            return Ok(Language::Fr);
        };
        let chosen = crate::storage::contacts::load(snapshot, &consent.usager).await?;
        let contact = super::contacts::opened(&self.app, snapshot, chosen.as_ref()).await?;
        Ok(contact.map_or(Language::Fr, |contact| contact.language))
    }

    /// What was not followed is journaled, without a word of it and without the number.
    async fn refused(
        &self,
        tx: &mut Tx,
        mandate: Option<&MandateId>,
        code: &'static str,
    ) -> Result<(), Error> {
        let record = Record::refused(EventKind::ReplyRefused, code);
        let record = match mandate {
            Some(mandate) => record.about(mandate),
            None => record,
        };
        record.append(&self.app, tx, &self.caller, self.now).await.map(drop)
    }
}
