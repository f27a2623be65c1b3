//! Who holds a session, and what each may ask for. The rules of time stand here; storage only keeps them.

use super::error::{Error, SessionError};
use crate::crypto::TokenHash;
use crate::mandate::{AidantId, AuditorId, Instant, Language, MandateId, ReadingId, UsagerId};
use time::Duration;

/// A session nobody uses for this long is over.
pub const IDLE: Duration = Duration::minutes(15);
/// A session is over after this long, whatever happens in it.
pub const LONGEST: Duration = Duration::hours(12);
/// A second factor opens procedures for this long.
pub const FACTOR_FRESH: Duration = Duration::hours(1);
/// The usager answers within this long of identifying.
pub const IDENTIFICATION_FRESH: Duration = Duration::minutes(30);

/// The usager in front of a handed-over screen, once the citizens' provider has identified them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// Who.
    pub usager: UsagerId,
    /// When the provider says it identified them.
    pub at: Instant,
    /// Level of the identification.
    pub level: String,
}

/// Who holds the session. The variants are the kinds of the `session` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Nobody yet.
    Anonymous,
    /// A signed-in aidant.
    Aidant {
        /// Who.
        aidant: AidantId,
        /// When the agents' provider authenticated them.
        authenticated_at: Instant,
        /// When a second factor was last proved, by the provider or by ours.
        factor_at: Option<Instant>,
        /// Level the provider gave.
        level: String,
    },
    /// The aidant has handed the screen over: only this one consent can happen in it.
    HandedOver {
        /// Whose session it is.
        aidant: AidantId,
        /// When they had signed in.
        authenticated_at: Instant,
        /// Level of that sign-in.
        level: String,
        /// The proposal on the screen.
        mandate: MandateId,
        /// The usager, once identified.
        identified: Option<Identified>,
    },
    /// Whoever has the code of an asking, on a device of their own: only this one consent can happen in it.
    Consenting {
        /// The proposal.
        mandate: MandateId,
        /// The usager, once identified, or as the asking names them.
        identified: Option<Identified>,
    },
    /// The screen is back and waits for its aidant's second factor.
    Locked {
        /// Whose session it is.
        aidant: AidantId,
        /// When they had signed in.
        authenticated_at: Instant,
        /// Level of that sign-in.
        level: String,
        /// The proposal that was on the screen.
        mandate: MandateId,
    },
    /// A usager in their own space.
    Usager {
        /// Who.
        usager: UsagerId,
        /// When the citizens' provider identified them.
        authenticated_at: Instant,
        /// Level of that identification.
        level: String,
    },
    /// An auditor.
    Auditor {
        /// Who.
        auditor: AuditorId,
        /// When they signed in.
        authenticated_at: Instant,
        /// The purpose they read under, once stated.
        reading: Option<ReadingId>,
    },
}

/// A live session, as a request finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Hash of the cookie's secret.
    pub id: TokenHash,
    /// The session's lasting name: survives the rotation of its secret; shown to nobody.
    pub sid: String,
    /// Who holds it.
    pub who: Who,
    /// Bytes that forms prove themselves by.
    pub csrf: [u8; 32],
    /// Language of the pages.
    pub language: Language,
    /// When it began.
    pub created_at: Instant,
    /// When it was last used, to the minute.
    pub seen_at: Instant,
    /// When it ends at the latest.
    pub ends_at: Instant,
    /// The providers' ID tokens, sealed: for signing out there too.
    pub id_tokens: Option<Vec<u8>>,
}

/// An aidant, as their signed-in session states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedInAidant<'a> {
    /// Who.
    pub aidant: &'a AidantId,
    /// When the agents' provider authenticated them.
    pub authenticated_at: Instant,
    /// When a second factor was last proved.
    pub factor_at: Option<Instant>,
    /// Level the provider gave.
    pub level: &'a str,
}

impl Session {
    /// Whether the session is over at that instant.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.ends_at || now.since(self.seen_at) >= IDLE
    }

    /// The signed-in aidant, second factor or not.
    pub fn signed_in_aidant(&self) -> Result<SignedInAidant<'_>, Error> {
        match &self.who {
            Who::Aidant { aidant, authenticated_at, factor_at, level } => Ok(SignedInAidant {
                aidant,
                authenticated_at: *authenticated_at,
                factor_at: *factor_at,
                level,
            }),
            Who::Anonymous => Err(SessionError::SignInNeeded.into()),
            Who::HandedOver { .. } | Who::Locked { .. } => Err(SessionError::ScreenLocked.into()),
            Who::Consenting { .. } | Who::Usager { .. } | Who::Auditor { .. } => {
                Err(SessionError::WrongRole.into())
            }
        }
    }

    /// The signed-in aidant who has proved a second factor in this session.
    pub fn aidant(&self) -> Result<SignedInAidant<'_>, Error> {
        let aidant = self.signed_in_aidant()?;
        if aidant.factor_at.is_some() { Ok(aidant) } else { Err(SessionError::FactorNeeded.into()) }
    }

    /// The signed-in aidant whose second factor is fresh enough to carry out a procedure.
    pub fn aidant_with_fresh_factor(&self, now: Instant) -> Result<SignedInAidant<'_>, Error> {
        let aidant = self.aidant()?;
        match aidant.factor_at {
            Some(at) if now.since(at) < FACTOR_FRESH => Ok(aidant),
            _ => Err(SessionError::FactorNeeded.into()),
        }
    }

    /// The proposal that the usager has in front of them, and who they are as far as that is known.
    pub fn consenting(&self) -> Result<(&MandateId, Option<&Identified>), Error> {
        match &self.who {
            Who::Consenting { mandate, identified } => Ok((mandate, identified.as_ref())),
            _ => self.handed_over().map(|(_, mandate, identified)| (mandate, identified)),
        }
    }

    /// The proposal on a handed-over screen.
    pub fn handed_over(&self) -> Result<(&AidantId, &MandateId, Option<&Identified>), Error> {
        match &self.who {
            Who::HandedOver { aidant, mandate, identified, .. } => Ok((aidant, mandate, identified.as_ref())),
            Who::Locked { .. } => Err(SessionError::ScreenLocked.into()),
            Who::Anonymous => Err(SessionError::SignInNeeded.into()),
            Who::Aidant { .. } | Who::Consenting { .. } | Who::Usager { .. } | Who::Auditor { .. } => {
                Err(SessionError::WrongRole.into())
            }
        }
    }

    /// The signed-in usager.
    pub fn usager(&self) -> Result<&UsagerId, Error> {
        match &self.who {
            Who::Usager { usager, .. } => Ok(usager),
            Who::Anonymous => Err(SessionError::SignInNeeded.into()),
            Who::HandedOver { .. } | Who::Locked { .. } => Err(SessionError::ScreenLocked.into()),
            Who::Aidant { .. } | Who::Consenting { .. } | Who::Auditor { .. } => {
                Err(SessionError::WrongRole.into())
            }
        }
    }

    /// The signed-in auditor, purpose or not.
    pub fn signed_in_auditor(&self) -> Result<&AuditorId, Error> {
        match &self.who {
            Who::Auditor { auditor, .. } => Ok(auditor),
            Who::Anonymous => Err(SessionError::SignInNeeded.into()),
            Who::HandedOver { .. } | Who::Locked { .. } => Err(SessionError::ScreenLocked.into()),
            Who::Aidant { .. } | Who::Consenting { .. } | Who::Usager { .. } => {
                Err(SessionError::WrongRole.into())
            }
        }
    }

    /// The signed-in auditor and the purpose they read under.
    pub fn auditor(&self) -> Result<(&AuditorId, &ReadingId), Error> {
        let auditor = self.signed_in_auditor()?;
        match &self.who {
            Who::Auditor { reading: Some(reading), .. } => Ok((auditor, reading)),
            _ => Err(SessionError::PurposeNeeded.into()),
        }
    }
}
