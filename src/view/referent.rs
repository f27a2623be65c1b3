//! The referent's pages: the organisation's aidants, procedures and mandates.

use super::parts::{MandateCard, ThemeChoice};
use super::{Problem, paths};
use crate::mandate::{AidantId, Instant, Role, Standing};

/// An aidant as the referent sees them. Names are personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AidantLine {
    /// Identifier.
    pub id: AidantId,
    /// First and last name.
    pub name: String,
    /// Professional e-mail address.
    pub email: String,
    /// Role.
    pub role: Role,
    /// Whether they may act.
    pub standing: Standing,
    /// Since when another sign-in waits to be confirmed as theirs.
    pub asked: Option<Instant>,
    /// When they accepted their invitation, if they have.
    pub since: Option<Instant>,
    /// How many procedures are closed for them.
    pub closed: u64,
    /// Whether it is the referent who is looking.
    pub is_self: bool,
}

impl AidantLine {
    fn path(&self, pattern: &str) -> String {
        paths::of_aidant(pattern, &self.id)
    }
}

page! {
    /// The organisation's aidants. Links: `link-invite`, `link-procedures`, `link-mandates`, and by aidant
    /// `other-sign-in-<id>`, `suspend-<id>`, `reinstate-<id>`, `procedures-<id>`.
    Aidants in Guarded from "referent/aidants.html" {
        /// The aidants.
        aidants: Vec<AidantLine>,
    }
}

page! {
    /// Invites an aidant.
    ///
    /// Form `invite-form` (POST `/referent/aidants/invite`): `csrf`, `idempotency`, `given_name`, `family_name`,
    /// `email`, `role` (`aidant` or `referent`; ids `role-<value>`); button `invite-submit`.
    Invite in Guarded from "referent/invite.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// As typed before.
        given_name: String,
        /// As typed before.
        family_name: String,
        /// As typed before.
        email: String,
        /// As chosen before.
        role: Option<Role>,
        /// Key under which a repeated submission changes nothing twice.
        idempotency: String,
    }
}

page! {
    /// Asks before suspending (an active aidant) or reinstating (a suspended one).
    ///
    /// Form `standing-form` (POST `/referent/aidants/{id}/suspend` or `…/reinstate`): `csrf`; button
    /// `standing-submit`; link `link-keep`.
    ChangeStanding in Guarded from "referent/standing.html" {
        /// The aidant.
        aidant: AidantLine,
    }
}

impl ChangeStanding {
    fn reinstates(&self) -> bool {
        self.aidant.standing == Standing::Suspended
    }

    fn action(&self) -> String {
        self.aidant.path(if self.reinstates() { paths::REINSTATE } else { paths::SUSPEND })
    }
}

page! {
    /// Asks whether an aidant's other sign-in is theirs.
    ///
    /// Form `other-form` (POST `/referent/aidants/{id}/other-sign-in`): `csrf`, `code`; buttons `answer-same` and
    /// `answer-another` (`answer`: `same` or `another`); link `link-keep`.
    OtherSignIn in Guarded from "referent/other_sign_in.html" {
        /// The aidant.
        aidant: AidantLine,
        /// Since when it waits.
        asked: Instant,
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
    }
}

impl OtherSignIn {
    fn action(&self) -> String {
        self.aidant.path(paths::OTHER_SIGN_IN)
    }
}

page! {
    /// Which procedures are open, for the organisation or for one aidant.
    ///
    /// Form `open-form` (POST `/referent/procedures` or `/referent/aidants/{id}/procedures`): `csrf`,
    /// `procedure` (repeated: **the open ones**; ids `procedure-<id>`); button `open-submit`.
    OpenProcedures in Guarded from "referent/procedures.html" {
        /// The aidant, or nobody for the whole organisation.
        aidant: Option<AidantLine>,
        /// Themes with their procedures; ticked means open.
        themes: Vec<ThemeChoice>,
    }
}

impl OpenProcedures {
    fn action(&self) -> String {
        self.aidant
            .as_ref()
            .map_or_else(|| paths::PROCEDURES.to_owned(), |aidant| aidant.path(paths::AIDANT_PROCEDURES))
    }
}

page! {
    /// The organisation's mandates. Links: `end-<id>`.
    OrganisationMandates in Guarded from "referent/mandates.html" {
        /// The mandates, latest first.
        mandates: Vec<MandateCard>,
    }
}

page! {
    /// Asks before ending a mandate for the organisation.
    ///
    /// Form `end-form` (POST `/referent/mandates/{id}/end`): `csrf`; button `end-submit`; link `link-keep`.
    OrganisationEnd in Guarded from "referent/end.html" {
        /// The mandate.
        mandate: MandateCard,
    }
}
