//! The contract: parties, catalogue of procedures, the life of a mandate, the decision, the events.
//!
//! Pure: no clock, no chance, no database, no web. Whoever wants to know what the law of this service
//! is reads this room and needs no other.

mod account;
mod anomaly;
mod asking;
mod calendar;
mod card;
mod catalogue;
mod channel;
mod checklist;
mod contact;
mod decide;
mod event;
mod glass;
mod grant;
mod id;
mod instant;
mod language;
#[cfg(test)]
mod laws;
mod life;
#[cfg(test)]
mod model;
mod notice;
mod notice_text;
mod number;
mod outcome;
mod people;
mod reading;
mod reminder;
mod replay;
mod reply;
#[cfg(test)]
mod samples;
mod state;
mod terms;
mod text;
mod text_fixed;
mod text_stored;
mod translation;
mod watch;
mod words;

pub use account::{
    Account, AccountLine, AccountPart, EndingWay, EventThen, GrantedThen, Happening, Learned, Place,
    StoryPart, UseThen, WhatThen,
};
pub use anomaly::{Anomaly, AnomalyError, AnomalyState, Closing};
pub use asking::{
    AskingEvidence, CodeAddress, CodeLetter, DocumentKind, InvalidDocument, MOST_WRONG_CODES, SeenDocument,
};
pub use calendar::paris;
pub use card::{EndingMotive, Tries};
pub use catalogue::{
    Act, Bilingual, CATALOGUE_TOML, Catalogue, CatalogueError, CatalogueFile, NeverDelegable, Procedure,
    Theme,
};
pub use channel::{Asked, ConsentChannel, DECLARED, Strength};
pub use checklist::{Answers, SampleQuestion, Verdict};
pub use contact::{Channel, Contact, EmailAddress, InvalidAddress, InvalidContact, Telephone};
pub use decide::{Allowed, Question, Refusal, decide};
pub use event::{EventKind, Named, Outcome, Retention};
pub use glass::{GLASS_ANSWER, GLASS_OPEN, Glass, GlassError, GlassState};
pub use grant::{Grant, InvalidGrant, LONGEST_GRANT, MOST_NAMED, Reach, Slots};
pub use id::{
    AidantId, AnomalyId, AuditorId, ClientId, CommentId, EventId, GlassId, GrantId, InvalidId, MandateId,
    MessageId, NoticeId, OrganisationId, ProcedureId, ReadingId, RepresentationId, SampleId, SearchId,
    ThemeId, UsagerId,
};
pub use instant::Instant;
pub use language::Language;
pub use life::{Declarations, Mandate, PROPOSAL_LIFE, TransitionError};
pub use notice::{NoticeKind, NoticeState, NoticeStateError};
use notice_text::clean;
pub use notice_text::{LONGEST_SHORT_TEXT, NoticeText, Told};
pub use number::MandateNumber;
pub use outcome::{NoReceiptForNothing, ProcedureOutcome, ReceiptNumber, ServiceReport};
pub use people::{
    Aidant, BirthDate, Identity, InvalidBirthDate, Organisation, ProfessionalIdentity, RelyingParty, Role,
    Standing, Usager, Whereabouts,
};
pub use reading::{Direction, Reading};
pub use reminder::{Reminder, UNUSED};
pub use replay::{Impossible, LifeFact, ReplayError, replay};
pub use reply::{Answer, LONGEST_REPLY, Said, stop_offered};
pub use state::{Acceptance, Consent, EndReason, State, StateName};
pub use terms::{InvalidTerms, LONGEST, Term, Terms};
pub use text::{Block, MandateText, Section, TEXT_VERSION, binding_text, reading_text};
pub use text_stored::stored_sections;
pub use translation::{BadTranslation, PageWords, SHIPPED_TEXTS, Translation, TranslationFile};
pub use watch::{Finding, OpeningHours, Rule, Share, Thresholds, Trace};
