//! The kinds of journal entries.

/// How what an entry tells of came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It happened.
    Done,
    /// It was refused; the entry carries the code.
    Refused,
}

impl Outcome {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)*) => {
        /// What an entry tells of. The stable names are part of the journal and never change meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind {
            $($(#[$doc])* $variant,)*
        }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The kind of that stable name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($code => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

kinds! {
    /// The journal's first entry.
    JournalOpened = "journal.opened",
    /// An aidant signed in through the agents' provider.
    AidantSignedIn = "aidant.signed_in",
    /// A sign-in was refused: unknown, suspended, stale flow.
    SignInRefused = "sign_in.refused",
    /// A person signed out.
    SignedOut = "session.signed_out",
    /// An invitation was bound to its first sign-in.
    InvitationAccepted = "aidant.invitation_accepted",
    /// A second factor was enrolled.
    FactorEnrolled = "factor.enrolled",
    /// A second factor was proved.
    FactorProved = "factor.proved",
    /// A wrong code.
    FactorFailed = "factor.failed",
    /// Too many wrong codes.
    FactorLocked = "factor.locked",
    /// A recovery code was used.
    RecoveryCodeUsed = "factor.recovery_code_used",
    /// A mandate was proposed.
    MandateProposed = "mandate.proposed",
    /// The screen was handed over to the usager.
    ScreenHandedOver = "screen.handed_over",
    /// The screen was unlocked by the aidant.
    ScreenUnlocked = "screen.unlocked",
    /// The usager was identified by the citizens' provider.
    UsagerIdentified = "usager.identified",
    /// The usager consented.
    MandateConsented = "mandate.consented",
    /// The usager refused.
    MandateRefused = "mandate.refused",
    /// The organisation accepted; the mandate is in force.
    MandateAccepted = "mandate.accepted",
    /// Nobody answered in time.
    MandateLapsed = "mandate.lapsed",
    /// A step of a mandate's life was refused.
    MandateStepRefused = "mandate.step_refused",
    /// One procedure was taken out.
    ProcedureWithdrawn = "mandate.procedure_withdrawn",
    /// The mandate ended.
    MandateEnded = "mandate.ended",
    /// The mandate was printed.
    MandatePrinted = "mandate.printed",
    /// A representation was opened and its code issued.
    RepresentationOpened = "representation.opened",
    /// A representation was refused.
    RepresentationRefused = "representation.refused",
    /// The code was exchanged for tokens.
    TokensIssued = "representation.tokens_issued",
    /// Claims were given at userinfo.
    ClaimsReleased = "representation.claims_released",
    /// A representation was closed.
    RepresentationClosed = "representation.closed",
    /// A code came twice.
    CodeReplayed = "representation.code_replayed",
    /// A usager was looked up by name and birth date.
    UsagerLookedUp = "usager.looked_up",
    /// The usager read their own space.
    UsagerSpaceRead = "usager.space_read",
    /// An aidant was invited.
    AidantInvited = "aidant.invited",
    /// An aidant was suspended.
    AidantSuspended = "aidant.suspended",
    /// An aidant was reinstated.
    AidantReinstated = "aidant.reinstated",
    /// Procedures were closed or opened for an organisation or an aidant.
    ProceduresRestricted = "procedures.restricted",
    /// An organisation was registered.
    OrganisationAdded = "organisation.added",
    /// An organisation was suspended.
    OrganisationSuspended = "organisation.suspended",
    /// An organisation was reinstated.
    OrganisationReinstated = "organisation.reinstated",
    /// A service was registered.
    ClientAdded = "client.added",
    /// A service was suspended.
    ClientSuspended = "client.suspended",
    /// A service was reinstated.
    ClientReinstated = "client.reinstated",
    /// An auditor was registered.
    AuditorAdded = "auditor.added",
    /// An auditor was suspended.
    AuditorSuspended = "auditor.suspended",
    /// An auditor signed in.
    AuditorSignedIn = "auditor.signed_in",
    /// An auditor stated a purpose.
    PurposeStated = "auditor.purpose_stated",
    /// An auditor searched.
    JournalSearched = "auditor.searched",
    /// An auditor opened an entry.
    EntryRead = "auditor.entry_read",
    /// A signing key was made or changed.
    KeyRotated = "key.rotated",
}
