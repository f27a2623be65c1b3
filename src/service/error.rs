//! What can go wrong in an act of a person, in the words of the trade. No status code, no text for pages.

use super::promise::Promises;
use crate::clock::NoEntropy;
use crate::crypto::{CryptoError, SpokenCode};
use crate::journal::EntryError;
use crate::mandate::{AnomalyError, GlassError, InvalidTerms, Refusal, TransitionError};
use crate::provider::{BearerError, OAuthError, PageError, RegistrationError};
use crate::relying::RelyingError;
use crate::storage::StoreError;
use thiserror::Error;

/// Why a person cannot go on in their session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SessionError {
    /// Nobody is signed in here, or the session is over.
    #[error("sign_in_needed")]
    SignInNeeded,
    /// The second factor is missing, or older than the act allows.
    #[error("factor_needed")]
    FactorNeeded,
    /// The act asks for a factor of ours and none is enrolled yet.
    #[error("enrolment_needed")]
    EnrolmentNeeded,
    /// The screen is locked: only its aidant's second factor opens it.
    #[error("screen_locked")]
    ScreenLocked,
    /// The session is of another kind of person.
    #[error("wrong_role")]
    WrongRole,
    /// The auditor has not stated a purpose.
    #[error("purpose_needed")]
    PurposeNeeded,
    /// The auditor was given nothing to read, or no longer.
    #[error("grant_needed")]
    GrantNeeded,
}

/// Why a sign-in was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignInError {
    /// The answer belongs to no sign-in begun in this browser, or to one already used or too old.
    #[error("sign_in_flow_unknown")]
    UnknownFlow,
    /// Nobody registered has this identity.
    #[error("not_registered")]
    NotRegistered,
    /// A registered aidant by another sign-in than theirs, of that code: their referent is asked.
    #[error("other_sign_in")]
    OtherSignIn(SpokenCode),
    /// The invitation has run out.
    #[error("invitation_expired")]
    InvitationExpired,
    /// The person, or their organisation, is suspended.
    #[error("suspended")]
    Suspended,
    /// The person cancelled at the provider.
    #[error("sign_in_cancelled")]
    Cancelled,
    /// The provider's identity lacks what we need.
    #[error("identity_incomplete")]
    IdentityIncomplete,
    /// This account signed in too often in the last minute.
    #[error("too_often")]
    TooOften {
        /// Whole seconds after which it may again.
        retry_after: u32,
    },
}

/// Why a second factor was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FactorError {
    /// The code is wrong, too old, or was used already.
    #[error("factor_wrong")]
    Wrong,
    /// Too many wrong codes: locked for a while.
    #[error("factor_locked")]
    Locked,
    /// No factor is enrolled.
    #[error("factor_missing")]
    Missing,
    /// A factor is enrolled already.
    #[error("factor_exists")]
    Exists,
}

/// Why a card ends nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CardError {
    /// The number or the code is wrong, or the card is locked: whoever guesses is not told which.
    #[error("card_refused")]
    Refused,
    /// The time to decide is over, or the code was given in another browser: it is asked for again.
    #[error("card_step_over")]
    Over,
}

impl CardError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "card_refused",
            Self::Over => "card_step_over",
        }
    }
}

/// Why the usager cannot be asked that way, or an answer cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AskingError {
    /// The code is wrong, or its time is over, or it was answered already: whoever guesses is not told which.
    #[error("asking_refused")]
    Refused,
    /// Nobody carries a code there.
    #[error("asking_unreachable")]
    Unreachable,
    /// Whoever asked cannot be the second person as well.
    #[error("second_person_needed")]
    SamePerson,
    /// What was sent is no picture that can be kept.
    #[error("scan_refused")]
    Scan,
}

impl AskingError {
    /// Stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Refused => "asking_refused",
            Self::Unreachable => "asking_unreachable",
            Self::SamePerson => "second_person_needed",
            Self::Scan => "scan_refused",
        }
    }
}

/// Why a person's input cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InputError {
    /// A field is missing or has no valid form; names the field.
    #[error("input_invalid")]
    Field(&'static str),
    /// The text is too long; names the field.
    #[error("input_too_long")]
    TooLong(&'static str),
}

/// Everything a service function may answer beside success.
#[derive(Debug, Error)]
pub enum Error {
    /// A representation was refused; the refusal is journaled.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// A step in a mandate's life was refused.
    #[error("refused: {0}")]
    Transition(#[from] TransitionError),
    /// A step of a request for content was refused.
    #[error("refused: {0}")]
    Glass(#[from] GlassError),
    /// A step of an anomaly was refused.
    #[error("refused: {0}")]
    Anomaly(#[from] AnomalyError),
    /// The terms cannot be proposed.
    #[error("refused: {0}")]
    Terms(#[from] InvalidTerms),
    /// The session does not allow it.
    #[error("session: {0}")]
    Session(#[from] SessionError),
    /// The sign-in was refused.
    #[error("sign-in: {0}")]
    SignIn(#[from] SignInError),
    /// The second factor was refused.
    #[error("factor: {0}")]
    Factor(#[from] FactorError),
    /// A card was refused.
    #[error("card: {0}")]
    Card(#[from] CardError),
    /// The usager cannot be asked that way, or an answer cannot be taken.
    #[error("asking: {0}")]
    Asking(#[from] AskingError),
    /// The input cannot be taken.
    #[error("input: {0}")]
    Input(#[from] InputError),
    /// Nothing there, or nothing this person may know of (invariant 9).
    #[error("not found")]
    NotFound,
    /// Somebody else was faster, or the form was sent twice with other content.
    #[error("conflict")]
    Conflict,
    /// Committed, but not yet under a signed checkpoint; nothing was released (invariant 3).
    #[error("being recorded")]
    BeingRecorded,
    /// The same, with our signed word for it.
    #[error("being recorded")]
    Promised(Promises),
    /// A service's request cannot be answered to the service, only shown as a page.
    #[error("authorization: {0}")]
    Authorization(#[from] PageError),
    /// A service is refused at the token endpoint.
    #[error("oauth: {0}")]
    OAuth(#[from] OAuthError),
    /// A service is refused at userinfo.
    #[error("bearer: {0}")]
    Bearer(#[from] BearerError),
    /// The other OpenID provider's answer was refused.
    #[error("provider: {0}")]
    Relying(#[from] RelyingError),
    /// The database or the journal cannot take it now; nothing changed.
    #[error("storage: {0}")]
    Store(#[from] StoreError),
    /// A sealed value could not be opened or made.
    #[error("crypto: {0}")]
    Crypto(#[from] CryptoError),
    /// Stored bytes are not what they should be.
    #[error("a stored value cannot be read")]
    Unreadable,
    /// A service's registration breaks a rule.
    #[error("registration: {0}")]
    Registration(#[from] RegistrationError),
    /// An entry could not be made.
    #[error("entry: {0}")]
    Entry(#[from] EntryError),
    /// No chance to be had.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

impl Error {
    /// Stable code, for the log, the metric and the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Transition(transition) => transition.code(),
            Self::Glass(glass) => glass.code(),
            Self::Anomaly(anomaly) => anomaly.code(),
            Self::Terms(terms) => terms.code(),
            Self::Session(error) => match error {
                SessionError::SignInNeeded => "sign_in_needed",
                SessionError::FactorNeeded => "factor_needed",
                SessionError::EnrolmentNeeded => "enrolment_needed",
                SessionError::ScreenLocked => "screen_locked",
                SessionError::WrongRole => "wrong_role",
                SessionError::PurposeNeeded => "purpose_needed",
                SessionError::GrantNeeded => "grant_needed",
            },
            Self::SignIn(error) => match error {
                SignInError::UnknownFlow => "sign_in_flow_unknown",
                SignInError::NotRegistered => "not_registered",
                SignInError::OtherSignIn(_) => "other_sign_in",
                SignInError::InvitationExpired => "invitation_expired",
                SignInError::Suspended => "suspended",
                SignInError::Cancelled => "sign_in_cancelled",
                SignInError::IdentityIncomplete => "identity_incomplete",
                SignInError::TooOften { .. } => "too_often",
            },
            Self::Factor(error) => match error {
                FactorError::Wrong => "factor_wrong",
                FactorError::Locked => "factor_locked",
                FactorError::Missing => "factor_missing",
                FactorError::Exists => "factor_exists",
            },
            Self::Card(error) => error.code(),
            Self::Asking(error) => error.code(),
            Self::Input(InputError::Field(_)) => "input_invalid",
            Self::Input(InputError::TooLong(_)) => "input_too_long",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::BeingRecorded | Self::Promised(_) => "being_recorded",
            Self::Authorization(error) => error.code(),
            Self::OAuth(error) => error.code(),
            Self::Bearer(error) => error.code(),
            Self::Relying(error) => error.code(),
            Self::Store(error) => error.code(),
            Self::Crypto(error @ (CryptoError::NoTokenKey(_) | CryptoError::Signing)) => error.code(),
            Self::Crypto(_) | Self::Unreadable => "sealed_value_unreadable",
            Self::Registration(error) => error.code(),
            Self::Entry(error) => error.code(),
            Self::Entropy(_) => "no_entropy",
        }
    }
}
