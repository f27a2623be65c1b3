//! The usager's pages on the handed-over screen: large, calm, nothing of the aidant's within reach.

use super::Problem;
use super::Readings;
use super::parts::{Granted, Person, Wording};
use crate::mandate::{Instant, Term};

page! {
    /// What will be granted, before anybody is identified.
    ///
    /// Form `identify-form` (POST `/consent/identify`): `csrf`; button `identify-submit`.
    /// Form `refuse-form` (POST `/consent/decision`): `csrf`, `decision=refuse`; button `refuse-submit`.
    Welcome in Guarded from "consent/welcome.html" {
        /// Name of the organisation.
        organisation: String,
        /// Name of the aidant.
        aidant: String,
        /// What is asked for.
        procedures: Vec<Granted>,
        /// For how long.
        term: Term,
        /// When the proposal lapses.
        lapses_at: Instant,
        /// Name of the citizens' identity provider.
        provider: String,
        /// Whether the person is named already: by a letter for them, or a document they showed.
        identified: bool,
        /// Languages to read in.
        readings: Readings,
    }
}

page! {
    /// "Is it you?"
    ///
    /// Form `identity-form` (POST `/consent/identity`): `csrf`, `identity` (`yes` or `no`, by button); buttons
    /// `identity-yes`, `identity-no`.
    Identity in Guarded from "consent/identity.html" {
        /// Whom the provider named.
        person: Person,
        /// Tag of the language chosen to read in; empty without one.
        reading: String,
    }
}

page! {
    /// The declaration and the decision.
    ///
    /// Form `decision-form` (POST `/consent/decision`): `csrf`, `protected` (`no` or `yes`; ids
    /// `protected-no`, `protected-yes`), `decision` (`consent` or `refuse`, by button); buttons
    /// `consent-submit`, `refuse-submit`. The whole text stands in `mandate-text`.
    Decision in Guarded from "consent/decision.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// First and last name of the usager.
        usager: String,
        /// Name of the organisation.
        organisation: String,
        /// What is asked for.
        procedures: Vec<Granted>,
        /// For how long.
        term: Term,
        /// The whole text, whose hash is kept.
        text: Wording,
        /// Languages to read in.
        readings: Readings,
        /// The radio button chosen before: `Some(true)` for under protection.
        protected: Option<bool>,
    }
}

/// What came of the usager's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Agreed; the organisation has yet to accept.
    Given,
    /// Refused.
    Refused,
    /// Under a protection measure: no mandate here.
    Protected,
    /// Under 18: no mandate here.
    Minor,
    /// The person identified is not the person at the screen.
    NotYou,
    /// The time to answer ran out.
    Lapsed,
}

page! {
    /// The end of the usager's part: thanks, and give the screen back.
    ///
    /// Link `link-unlock` is for the aidant. After [`Answer::NotYou`] a form `identify-form` (POST
    /// `/consent/identify`, button `identify-submit`) tries again.
    Done in Guarded from "consent/done.html" {
        /// What came of it.
        answer: Answer,
        /// Name of the aidant.
        aidant: String,
        /// Name of the citizens' identity provider.
        provider: String,
        /// Whether it was on a device of their own: there is no screen to give back.
        own: bool,
        /// Whether the person may still be signed in there.
        still_open: bool,
    }
}
