//! The contract: parties, catalogue of procedures, the life of a mandate, the decision, the events.
//!
//! Pure: no clock, no chance, no database, no web. Whoever wants to know what the law of this service
//! is reads this room and needs no other.

mod catalogue;
mod decide;
mod event;
mod id;
mod instant;
mod people;
mod state;
mod terms;

pub use catalogue::{
    Act, Bilingual, Catalogue, CatalogueError, CatalogueFile, NeverDelegable, Procedure, Theme,
};
pub use decide::{Allowed, Question, Refusal, decide};
pub use event::{EventKind, Outcome};
pub use id::{
    AidantId, AuditorId, ClientId, EventId, InvalidId, MandateId, OrganisationId, ProcedureId, ReadingId,
    RepresentationId, ThemeId, UsagerId,
};
pub use instant::Instant;
pub use people::{
    Aidant, BirthDate, Identity, InvalidBirthDate, Organisation, ProfessionalIdentity, RelyingParty, Role,
    Standing, Usager,
};
pub use state::{
    Acceptance, Consent, ConsentChannel, Declarations, EndReason, Mandate, PROPOSAL_LIFE, State, StateName,
    TransitionError,
};
pub use terms::{InvalidTerms, LONGEST, Term, Terms};
