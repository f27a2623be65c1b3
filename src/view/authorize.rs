//! A service asks to be opened in somebody's name: whom, under which mandate, for what.

use super::parts::{Granted, Intervention, Person};
use super::{Problem, paths, sentences};
use crate::mandate::{Instant, MandateId, Refusal, UsagerId};

/// A usager to choose. Personal data: no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Identifier.
    pub id: UsagerId,
    /// Who it is: birth date, birth place and mandates tell homonyms apart.
    pub person: Person,
    /// Their mandates in force with the organisation.
    pub mandates: Vec<MandateId>,
}

page! {
    /// In whose name?
    ///
    /// Form `usager-search-form` (POST `/authorize/{request}/search`): `csrf`, `family_name`, `birth_day`,
    /// `birth_month` (either may be empty when unknown), `birth_year`; button `usager-search-submit`.
    /// Form `usager-form` (POST `/authorize/{request}/usager`): `csrf`, `usager` (ids `usager-<id>`); button
    /// `usager-submit`. Form `cancel-form`, button `cancel-submit`. Open interventions as on the aidant's home.
    ChooseUsager in Guarded from "authorize/usager.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// Handle of the pending request.
        request: String,
        /// Name of the service.
        service: String,
        /// Whether `candidates` come from a search, or are the usagers most recently helped.
        searched: bool,
        /// Usagers to choose from.
        candidates: Vec<Candidate>,
        /// As typed before.
        family_name: String,
        /// As typed before.
        birth_day: String,
        /// As typed before.
        birth_month: String,
        /// As typed before.
        birth_year: String,
        /// Interventions still open.
        open: Vec<Intervention>,
    }
}

/// A mandate and a procedure to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The mandate.
    pub mandate: MandateId,
    /// The procedure, with the acts granted.
    pub granted: Granted,
    /// Until when the mandate stands.
    pub until: Instant,
}

impl Choice {
    /// The value of its radio button: `<mandate>:<procedure>`.
    #[must_use]
    pub fn value(&self) -> String {
        format!("{}:{}", self.mandate, self.granted.id)
    }
}

page! {
    /// Which procedure, under which mandate?
    ///
    /// Form `choice-form` (POST `/authorize/{request}/mandate`): `csrf`, `usager`, `choice` (`<mandate>:<procedure>`, ids
    /// `choice-<mandate>-<procedure>`); button `choice-submit`. Form `cancel-form`, button `cancel-submit`.
    ChooseMandate in Guarded from "authorize/mandate.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// Handle of the pending request.
        request: String,
        /// Name of the service.
        service: String,
        /// In whose name.
        usager_id: UsagerId,
        /// Who that is.
        usager: Person,
        /// What stands and what this service may receive.
        choices: Vec<Choice>,
        /// What does not, and why.
        refused: Vec<(Granted, Refusal)>,
    }
}

page! {
    /// Both persons, the service, the procedure, its acts and its end, before anything is opened.
    ///
    /// Form `confirm-form` (POST `/authorize/{request}/confirm`): `csrf`, `idempotency`, `choice`; button
    /// `confirm-submit`. Form `cancel-form`, button `cancel-submit`.
    Confirm in Guarded from "authorize/confirm.html" {
        /// Handle of the pending request.
        request: String,
        /// Name of the service.
        service: String,
        /// Who acts.
        aidant: String,
        /// For which organisation.
        organisation: String,
        /// In whose name.
        usager_id: UsagerId,
        /// Who that is.
        usager: Person,
        /// What was chosen.
        choice: Choice,
        /// Whether the service keeps a session of its own, which outlives the intervention.
        outlives: bool,
        /// Whether the service is told who acts, and for which organisation.
        told_who_acts: bool,
        /// Key under which a repeated submission changes nothing twice.
        idempotency: String,
    }
}

page! {
    /// Refused: nothing was opened. The code stands in `refusal-code`.
    ///
    /// Form `cancel-form` (POST `/authorize/{request}/cancel`): `csrf`; button `cancel-submit`.
    AuthorizeRefused in Guarded from "authorize/refused.html" {
        /// Handle of the pending request.
        request: String,
        /// Name of the service.
        service: String,
        /// Why.
        refusal: Refusal,
        /// Identifier of the request, to quote to support.
        request_id: String,
    }
}

macro_rules! paths_of_request {
    ($($page:ident),*) => {
        $(impl $page {
            fn path(&self, pattern: &str) -> String {
                paths::of_request(pattern, &self.request)
            }
        })*
    };
}
paths_of_request!(ChooseUsager, ChooseMandate, Confirm, AuthorizeRefused);

impl AuthorizeRefused {
    const fn advice(&self) -> sentences::Advice {
        sentences::refusal(self.refusal)
    }
}
