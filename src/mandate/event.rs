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
    /// Every outcome.
    pub const ALL: [Self; 2] = [Self::Done, Self::Refused];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// The outcome of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// How long the openings of an entry are kept (the leaf itself stays for ever). Two ledgers: the
/// proof of what was done in a person's name, and the security log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Retention {
    /// The life of mandates, each use of them, and who had the right to act: six years after the
    /// mandate's end.
    Evidence,
    /// Sign-ins and readings: one year.
    Technical,
}

impl Retention {
    /// Every class.
    pub const ALL: [Self; 2] = [Self::Evidence, Self::Technical];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Evidence => "evidence",
            Self::Technical => "technical",
        }
    }

    /// The class of that stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|retention| retention.as_str() == name)
    }
}

/// Whether the entries of a kind name somebody in the slot made for it. The slots `act` (what happened) and `ctx`
/// (where) are filled in every entry. A slot that names nobody holds chance, so that absence does not show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Named {
    /// In each of them.
    Always,
    /// When somebody is known by then.
    WhenKnown,
    /// In none.
    Never,
}

impl Named {
    /// Whether an entry that names somebody (or nobody) is as its kind says.
    #[must_use]
    pub const fn allows(self, named: bool) -> bool {
        match self {
            Self::Always => named,
            Self::WhenKnown => true,
            Self::Never => !named,
        }
    }
}

// One row per kind, and no row without its name, its class and what its slots hold; its sentences stand in
// `view::sentences`, in a match that is as complete. `docs/events.md` is written from both.
macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal in $retention:ident, sub $sub:ident, aid $aid:ident;)*) => {
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

            /// How long what the entry tells about persons is kept.
            #[must_use]
            pub const fn retention(self) -> Retention {
                match self { $(Self::$variant => Retention::$retention,)* }
            }

            /// Whether its entries name a usager (slot `sub`).
            #[must_use]
            pub const fn names_usager(self) -> Named {
                match self { $(Self::$variant => Named::$sub,)* }
            }

            /// Whether its entries name an aidant or an auditor (slot `aid`).
            #[must_use]
            pub const fn names_professional(self) -> Named {
                match self { $(Self::$variant => Named::$aid,)* }
            }
        }
    };
}

kinds! {
    /// The journal's first entry.
    JournalOpened = "journal.opened" in Evidence, sub Never, aid Never;
    /// An aidant signed in through the agents' provider.
    AidantSignedIn = "aidant.signed_in" in Technical, sub Never, aid Always;
    /// A sign-in was refused: unknown, suspended, stale flow.
    SignInRefused = "sign_in.refused" in Technical, sub Never, aid WhenKnown;
    /// A person signed out.
    SignedOut = "session.signed_out" in Technical, sub WhenKnown, aid WhenKnown;
    /// An invitation was bound to its first sign-in.
    InvitationAccepted = "aidant.invitation_accepted" in Evidence, sub Never, aid Always;
    /// A second factor was enrolled.
    FactorEnrolled = "factor.enrolled" in Technical, sub Never, aid Always;
    /// A second factor was proved.
    FactorProved = "factor.proved" in Technical, sub Never, aid Always;
    /// A wrong code.
    FactorFailed = "factor.failed" in Technical, sub Never, aid Always;
    /// Too many wrong codes.
    FactorLocked = "factor.locked" in Technical, sub Never, aid Always;
    /// A recovery code was used.
    RecoveryCodeUsed = "factor.recovery_code_used" in Technical, sub Never, aid Always;
    /// A mandate was proposed.
    MandateProposed = "mandate.proposed" in Evidence, sub Never, aid Always;
    /// The screen was handed over to the usager.
    ScreenHandedOver = "screen.handed_over" in Evidence, sub Never, aid Always;
    /// The screen was unlocked by the aidant.
    ScreenUnlocked = "screen.unlocked" in Evidence, sub WhenKnown, aid Always;
    /// The screen was not unlocked: a wrong code, or another aidant.
    ScreenUnlockRefused = "screen.unlock_refused" in Technical, sub Never, aid Always;
    /// The usager was identified by the citizens' provider.
    UsagerIdentified = "usager.identified" in Evidence, sub Always, aid Always;
    /// The identification of a usager was refused: stale, another browser, an error of the provider.
    UsagerIdentificationRefused = "usager.identification_refused" in Technical, sub WhenKnown, aid WhenKnown;
    /// The usager was asked by another way than on the aidant's screen.
    ConsentAsked = "mandate.consent_asked" in Evidence, sub WhenKnown, aid Always;
    /// What carries the code to the usager was taken over by who carries it.
    AskingSent = "consent.asking_sent" in Evidence, sub WhenKnown, aid Never;
    /// It could not be sent: it is asked again, or by another way.
    AskingNotSent = "consent.asking_not_sent" in Evidence, sub WhenKnown, aid Never;
    /// The code was given: whoever has it reads the proposal.
    AskingOpened = "consent.asking_opened" in Evidence, sub WhenKnown, aid WhenKnown;
    /// A wrong code was given for it.
    AskingRefused = "consent.asking_refused" in Evidence, sub WhenKnown, aid WhenKnown;
    /// Too many wrong codes: this asking is dead.
    AskingLocked = "consent.asking_locked" in Evidence, sub WhenKnown, aid WhenKnown;
    /// The usager said yes, and a second person of the organisation has yet to confirm it.
    ConsentAnswered = "consent.answered" in Evidence, sub Always, aid Always;
    /// The second person found it wrong: the answer counts for nothing.
    ConsentRejected = "consent.rejected" in Evidence, sub Always, aid Always;
    /// The form to sign, the letter with the code, or the scan was looked at.
    AskingRead = "consent.asking_read" in Technical, sub WhenKnown, aid Always;
    /// The usager consented.
    MandateConsented = "mandate.consented" in Evidence, sub Always, aid Always;
    /// The usager refused.
    MandateRefused = "mandate.refused" in Evidence, sub Never, aid Always;
    /// The organisation accepted; the mandate is in force.
    MandateAccepted = "mandate.accepted" in Evidence, sub Always, aid Always;
    /// Nobody answered in time.
    MandateLapsed = "mandate.lapsed" in Evidence, sub WhenKnown, aid Never;
    /// A step of a mandate's life was refused.
    MandateStepRefused = "mandate.step_refused" in Evidence, sub WhenKnown, aid WhenKnown;
    /// One procedure was taken out.
    ProcedureWithdrawn = "mandate.procedure_withdrawn" in Evidence, sub Always, aid Never;
    /// The mandate ended.
    MandateEnded = "mandate.ended" in Evidence, sub Always, aid WhenKnown;
    /// A party saw for the first time that a mandate had ended (Code civil art. 2005, 2008: "ended at" and "known at"
    /// are two facts).
    EndingKnown = "mandate.ending_known" in Evidence, sub Always, aid WhenKnown;
    /// Another card was made, by which the person can end the mandate: the former one is dead.
    CardMade = "card.made" in Evidence, sub Always, aid WhenKnown;
    /// A wrong code was given for a card.
    CardRefused = "card.refused" in Evidence, sub Always, aid WhenKnown;
    /// Too many wrong codes were given for a card: it is locked for a while.
    CardLocked = "card.locked" in Evidence, sub Always, aid WhenKnown;
    /// The account of the mandate was given to the usager, or printed for them (Code civil art. 1993).
    AccountRendered = "mandate.account_rendered" in Evidence, sub Always, aid WhenKnown;
    /// The mandate was printed.
    MandatePrinted = "mandate.printed" in Evidence, sub Always, aid WhenKnown;
    /// Somebody who was shown a mandate's paper looked it up, on the public page.
    MandateVerified = "mandate.verified" in Technical, sub WhenKnown, aid Never;
    /// An aidant read a mandate.
    MandateRead = "mandate.read" in Technical, sub Always, aid Always;
    /// A service's request was refused before any choice was offered.
    AuthorizationRefused = "authorization.refused" in Technical, sub Never, aid WhenKnown;
    /// The mandates that stand for a service were offered for choice.
    ChoiceOffered = "authorization.choice_offered" in Technical, sub WhenKnown, aid Always;
    /// A choice at a service's request was made, and is shown once more before it is confirmed.
    ChoiceMade = "authorization.choice_made" in Technical, sub Always, aid Always;
    /// A choice was made that `decide()` refuses, before it was confirmed.
    ChoiceRefused = "authorization.choice_refused" in Technical, sub WhenKnown, aid Always;
    /// Another code was issued for a representation that is open: the first one was lost, or the service asked again.
    CodeIssued = "representation.code_issued" in Evidence, sub Always, aid Always;
    /// A service did not prove who it is.
    ClientAuthenticationRefused = "client.authentication_refused" in Technical, sub Never, aid Never;
    /// A representation was opened and its code issued.
    RepresentationOpened = "representation.opened" in Evidence, sub Always, aid Always;
    /// A representation was refused.
    RepresentationRefused = "representation.refused" in Evidence, sub WhenKnown, aid Always;
    /// The code was exchanged for tokens.
    TokensIssued = "representation.tokens_issued" in Evidence, sub Always, aid Always;
    /// A service was given another access token for work that goes on.
    TokensRefreshed = "representation.tokens_refreshed" in Evidence, sub Always, aid Always;
    /// A service was refused another access token.
    RefreshRefused = "representation.refresh_refused" in Evidence, sub WhenKnown, aid WhenKnown;
    /// The exchange of a code was refused.
    CodeExchangeRefused = "representation.code_exchange_refused" in Evidence, sub WhenKnown, aid WhenKnown;
    /// Claims were given at userinfo.
    ClaimsReleased = "representation.claims_released" in Evidence, sub Always, aid Always;
    /// Claims were refused at userinfo.
    ClaimsRefused = "representation.claims_refused" in Evidence, sub Always, aid Always;
    /// A service asked how the representation it holds a token for stands.
    StandingRead = "standing.read" in Technical, sub Always, aid Always;
    /// A service may not ask how a representation stands, or not report on it.
    StandingRefused = "representation.standing_refused" in Evidence, sub Always, aid Always;
    /// A service gave a token back.
    TokenRevoked = "representation.token_revoked" in Evidence, sub Always, aid Always;
    /// A service reported what became of the procedure.
    OutcomeReported = "representation.outcome_reported" in Evidence, sub Always, aid Always;
    /// A representation was closed.
    RepresentationClosed = "representation.closed" in Evidence, sub Always, aid Always;
    /// A service answered that it knows of a representation's end.
    ServiceTold = "representation.service_told" in Evidence, sub Always, aid Never;
    /// A service did not answer when it was told of a representation's end: the first time, or for a whole day.
    ServiceNotTold = "representation.service_not_told" in Evidence, sub Always, aid Never;
    /// A usager chose how they are told what is done in their name.
    ContactChosen = "usager.contact_chosen" in Technical, sub Always, aid Never;
    /// A usager is to be told: the account of a mandate that ended, that one ends soon, that one was not used for long.
    NoticeDue = "notice.due" in Evidence, sub WhenKnown, aid Never;
    /// What a usager is to be told was taken over by who carries it.
    NoticeSent = "notice.sent" in Evidence, sub WhenKnown, aid Never;
    /// What a usager is to be told could not be sent: it is handed over on paper.
    NoticeNotSent = "notice.not_sent" in Evidence, sub WhenKnown, aid Never;
    /// What a usager is to be told was handed over on paper.
    NoticeHandedOver = "notice.handed_over" in Evidence, sub WhenKnown, aid Always;
    /// A reply to a text message was not followed: it came from another telephone, or was none.
    ReplyRefused = "reply.refused" in Technical, sub Never, aid Never;
    /// A usager does not recognise what was done in their name.
    RepresentationDisputed = "representation.disputed" in Evidence, sub Always, aid Always;
    /// A code came twice.
    CodeReplayed = "representation.code_replayed" in Evidence, sub Always, aid Always;
    /// A usager was looked up by name and birth date.
    UsagerLookedUp = "usager.looked_up" in Technical, sub WhenKnown, aid Always;
    /// The usager signed in to their own space.
    UsagerSignedIn = "usager.signed_in" in Technical, sub Always, aid Never;
    /// The usager read their own space.
    UsagerSpaceRead = "usager.space_read" in Technical, sub Always, aid Never;
    /// An aidant was invited.
    AidantInvited = "aidant.invited" in Evidence, sub Never, aid Always;
    /// The provider presented an aidant under another sign-in, as after a change of employer.
    OtherSignInAsked = "aidant.other_sign_in_asked" in Evidence, sub Never, aid Always;
    /// It was confirmed that they are the same person: they come by it from now on, and by the former no more.
    OtherSignInConfirmed = "aidant.other_sign_in_confirmed" in Evidence, sub Never, aid Always;
    /// It was said that it is not that person: nobody comes by it.
    OtherSignInDenied = "aidant.other_sign_in_denied" in Evidence, sub Never, aid Always;
    /// An aidant was suspended.
    AidantSuspended = "aidant.suspended" in Evidence, sub Never, aid Always;
    /// An aidant was reinstated.
    AidantReinstated = "aidant.reinstated" in Evidence, sub Never, aid Always;
    /// Procedures were closed or opened for an organisation or an aidant.
    ProceduresRestricted = "procedures.restricted" in Evidence, sub Never, aid WhenKnown;
    /// An organisation was registered.
    OrganisationAdded = "organisation.added" in Evidence, sub Never, aid Never;
    /// An organisation was suspended.
    OrganisationSuspended = "organisation.suspended" in Evidence, sub Never, aid Never;
    /// An organisation was reinstated.
    OrganisationReinstated = "organisation.reinstated" in Evidence, sub Never, aid Never;
    /// A service was registered.
    ClientAdded = "client.added" in Evidence, sub Never, aid Never;
    /// A service was suspended.
    ClientSuspended = "client.suspended" in Evidence, sub Never, aid Never;
    /// A service was reinstated.
    ClientReinstated = "client.reinstated" in Evidence, sub Never, aid Never;
    /// An auditor was registered.
    AuditorAdded = "auditor.added" in Evidence, sub Never, aid Always;
    /// An auditor was suspended.
    AuditorSuspended = "auditor.suspended" in Evidence, sub Never, aid Always;
    /// An auditor was reinstated.
    AuditorReinstated = "auditor.reinstated" in Evidence, sub Never, aid Always;
    /// An auditor's registration was bound to its first sign-in.
    AuditorBound = "auditor.bound" in Evidence, sub Never, aid Always;
    /// An auditor was given something to read.
    GrantGiven = "auditor.grant_given" in Evidence, sub Never, aid Always;
    /// What an auditor was given to read was taken back.
    GrantRevoked = "auditor.grant_revoked" in Evidence, sub Never, aid Always;
    /// An auditor signed in.
    AuditorSignedIn = "auditor.signed_in" in Technical, sub Never, aid Always;
    /// An auditor stated a purpose.
    PurposeStated = "auditor.purpose_stated" in Technical, sub Never, aid Always;
    /// An auditor searched.
    JournalSearched = "auditor.searched" in Technical, sub Never, aid Always;
    /// An auditor opened an entry.
    EntryRead = "auditor.entry_read" in Technical, sub WhenKnown, aid Always;
    /// An auditor followed a mandate or an aidant through time.
    TimelineRead = "auditor.timeline_read" in Technical, sub WhenKnown, aid Always;
    /// An auditor had charts drawn.
    ChartsRead = "auditor.charts_read" in Technical, sub Never, aid Always;
    /// An auditor drew a random sample.
    SampleDrawn = "auditor.sample_drawn" in Evidence, sub Never, aid Always;
    /// An auditor answered the checklist about an entry of a sample.
    SampleAnswered = "auditor.sample_answered" in Evidence, sub WhenKnown, aid Always;
    /// An auditor read a sample or its report.
    SampleRead = "auditor.sample_read" in Technical, sub Never, aid Always;
    /// An auditor asked to see names and identifiers.
    ContentAsked = "auditor.content_asked" in Evidence, sub WhenKnown, aid Always;
    /// Another auditor opened them for an hour.
    ContentApproved = "auditor.content_approved" in Evidence, sub WhenKnown, aid Always;
    /// Another auditor refused.
    ContentRefused = "auditor.content_refused" in Evidence, sub WhenKnown, aid Always;
    /// Nobody answered within the hour.
    ContentLapsed = "auditor.content_lapsed" in Evidence, sub WhenKnown, aid Always;
    /// An auditor read what another one had opened to them.
    ContentRead = "auditor.content_read" in Evidence, sub WhenKnown, aid Always;
    /// A rule of the watch found something that deserves a second look.
    AnomalyRaised = "anomaly.raised" in Evidence, sub Never, aid WhenKnown;
    /// An auditor or a referent read anomalies.
    AnomalyRead = "anomaly.read" in Technical, sub WhenKnown, aid Always;
    /// An auditor or a referent commented an anomaly.
    AnomalyCommented = "anomaly.commented" in Evidence, sub WhenKnown, aid Always;
    /// An auditor closed an anomaly with a reason.
    AnomalyClosed = "anomaly.closed" in Evidence, sub WhenKnown, aid Always;
    /// An auditor, or the operator, took a bundle out.
    JournalExported = "auditor.exported" in Technical, sub Never, aid WhenKnown;
    /// A page or a record was refused: of another organisation, or without the right.
    AccessRefused = "access.refused" in Technical, sub WhenKnown, aid WhenKnown;
    /// An act of management was refused.
    ManagementRefused = "management.refused" in Technical, sub Never, aid Always;
    /// A person's key was destroyed; their data can no longer be read.
    PersonErased = "person.erased" in Evidence, sub Never, aid Never;
    /// What was past its time was destroyed.
    RetentionRun = "retention.run" in Evidence, sub Never, aid Never;
    /// The database was restored from a backup, and what was lost by it.
    JournalRestored = "journal.restored" in Evidence, sub Never, aid Never;
    /// A signing key was made or changed.
    KeyRotated = "key.rotated" in Evidence, sub Never, aid Never;
    /// An authority time-stamped a checkpoint (RFC 3161).
    JournalTimestamped = "journal.timestamped" in Evidence, sub Never, aid Never;
    /// The witnesses' cosignatures of a while were counted.
    JournalCosigned = "journal.cosigned" in Evidence, sub Never, aid Never;
    /// The next shard of the journal was opened: its first entry, which tells the final checkpoint of the one before.
    JournalShardOpened = "journal.shard_opened" in Evidence, sub Never, aid Never;
    /// The service was started under another configuration than before.
    ConfigurationChanged = "configuration.changed" in Evidence, sub Never, aid Never;
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_its_own_name_and_reads_back() {
        let names: BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), EventKind::ALL.len());
        for kind in EventKind::ALL {
            assert_eq!(EventKind::parse(kind.as_str()), Some(*kind));
            let form = |c: char| c.is_ascii_lowercase() || c == '_' || c == '.';
            assert!(kind.as_str().chars().all(form) && kind.as_str().matches('.').count() == 1);
        }
        assert_eq!(EventKind::parse("mandate.widened"), None);
    }

    #[test]
    fn the_life_of_a_mandate_and_each_use_are_evidence_and_readings_are_not() {
        for kind in EventKind::ALL {
            let name = kind.as_str();
            let read = matches!(name, "mandate.read" | "mandate.verified");
            if (name.starts_with("mandate.") || name.starts_with("representation.")) && !read {
                assert_eq!(kind.retention(), Retention::Evidence, "{name}");
            }
            if read || name.starts_with("factor.") || name.ends_with("signed_in") {
                assert_eq!(kind.retention(), Retention::Technical, "{name}");
            }
        }
    }

    #[test]
    fn a_kind_allows_what_it_says_of_its_slots() {
        for (named, alone, with) in
            [(Named::Always, false, true), (Named::WhenKnown, true, true), (Named::Never, true, false)]
        {
            assert_eq!((named.allows(false), named.allows(true)), (alone, with));
        }
    }

    #[test]
    fn outcomes_and_classes_read_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
        for retention in Retention::ALL {
            assert_eq!(Retention::parse(retention.as_str()), Some(retention));
        }
    }
}
