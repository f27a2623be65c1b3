//! Who carries a text to a person: a mail server, or somebody's webhook for text messages and calls.
//!
//! A courier says one of three things: it has taken the text over; it never will (such an address does not exist); or it could
//! not now. Each letter has an identifier of its own that stays the same however often it is handed over, so that the other
//! side can tell a repetition from a second letter: nobody can promise more once a connection breaks after the last byte.

mod replies;
mod smtp;
mod webhook;

pub use replies::{Incoming, NotOurs, Replies};
pub use smtp::{Smtp, SmtpSettings, SmtpTls};
pub use webhook::Webhook;

use crate::mandate::{Channel, Instant, Language, NoticeId, NoticeText};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use thiserror::Error;

/// A text on its way. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// By which it is known again.
    pub id: NoticeId,
    /// By which way.
    pub channel: Channel,
    /// An e-mail address, or a telephone number (E.164).
    pub to: String,
    /// The language of the text.
    pub language: Language,
    /// The text.
    pub text: NoticeText,
    /// By which a reply to it is known; none where nobody takes replies.
    pub reply_reference: Option<String>,
    /// When it was written.
    pub written_at: Instant,
    /// When it is sent.
    pub sent_at: Instant,
}

/// Why a courier did not take a letter over. The code is stable and names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotTaken {
    /// It never will.
    #[error("{0}")]
    Refused(&'static str),
    /// It could not now.
    #[error("{0}")]
    Later(&'static str),
}

/// What comes of a handing over.
pub type Handing<'a> = Pin<Box<dyn Future<Output = Result<(), NotTaken>> + Send + 'a>>;

/// Somebody who carries texts to persons.
pub trait Courier: Send + Sync {
    /// Hands a letter over. It must not last longer than [`LONGEST_HANDING`].
    fn hand<'a>(&'a self, letter: &'a Letter) -> Handing<'a>;

    /// Whether it can be reached now, without sending anything.
    fn answers(&self) -> Handing<'_>;
}

/// The longest time a handing over takes, in seconds.
pub const LONGEST_HANDING: u64 = 30;

/// The couriers of an instance, by channel.
#[derive(Clone, Default)]
pub struct Couriers {
    /// Of e-mail.
    pub email: Option<Arc<dyn Courier>>,
    /// Of text messages.
    pub sms: Option<Arc<dyn Courier>>,
    /// Of calls.
    pub voice: Option<Arc<dyn Courier>>,
    /// Where replies to text messages come in, if somebody posts them to us.
    pub replies: Option<Arc<Replies>>,
}

impl Couriers {
    /// Who carries by that channel, if anybody does here.
    #[must_use]
    pub fn of(&self, channel: Channel) -> Option<&dyn Courier> {
        match channel {
            Channel::Email => self.email.as_deref(),
            Channel::Sms => self.sms.as_deref(),
            Channel::Voice => self.voice.as_deref(),
            Channel::Paper | Channel::None => None,
        }
    }

    /// The channels that can be chosen here.
    #[must_use]
    pub fn offered(&self) -> Vec<Channel> {
        let carried = |channel: &Channel| !channel.is_carried() || self.of(*channel).is_some();
        Channel::ALL.into_iter().filter(carried).collect()
    }
}
