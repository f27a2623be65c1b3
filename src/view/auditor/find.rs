//! Searches and their results.

use crate::mandate::{Bilingual, EventId, EventKind, Instant, Outcome, Refusal, SearchId};
use crate::view::{Frame, Problem, paths, sentences};
use std::collections::BTreeSet;
use url::form_urlencoded;

/// Filters as typed; empty for none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// First day, `YYYY-MM-DD`.
    pub from: String,
    /// Last day, `YYYY-MM-DD`.
    pub to: String,
    /// Identifier of an organisation.
    pub organisation: String,
    /// Identifier or pseudonym of an aidant.
    pub aidant: String,
    /// Identifier or pseudonym of a mandate.
    pub mandate: String,
    /// Identifier or pseudonym of a usager.
    pub usager: String,
    /// Identifier of a service.
    pub client: String,
    /// Identifier of a procedure.
    pub procedure: String,
    /// Kind of entry.
    pub kind: Option<EventKind>,
    /// Outcome.
    pub outcome: Option<Outcome>,
    /// Code of a refusal.
    pub code: String,
}

impl Filters {
    fn is_kind(&self, kind: &EventKind) -> bool {
        self.kind == Some(*kind)
    }

    fn is_outcome(&self, outcome: &Outcome) -> bool {
        self.outcome == Some(*outcome)
    }

    /// The filters as the query of an address; those that are empty are left out. Without any it still asks for
    /// something: everything.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let fields = [
            ("from", self.from.as_str()),
            ("to", &self.to),
            ("organisation", &self.organisation),
            ("aidant", &self.aidant),
            ("mandate", &self.mandate),
            ("usager", &self.usager),
            ("client", &self.client),
            ("procedure", &self.procedure),
            ("kind", self.kind.map(EventKind::as_str).unwrap_or_default()),
            ("outcome", self.outcome.map(Outcome::as_str).unwrap_or_default()),
            ("code", &self.code),
        ];
        query.extend_pairs(fields.into_iter().filter(|(_, value)| !value.is_empty()));
        Some(query.finish()).filter(|query| !query.is_empty()).unwrap_or_else(|| "from=".to_owned())
    }
}

/// Something to choose from a list: its value and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub name: Bilingual,
}

/// An entry in a list of results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryLine {
    /// Identifier.
    pub id: EventId,
    /// Index of its leaf; absent while it waits for inclusion.
    pub index: Option<u64>,
    /// When.
    pub at: Instant,
    /// What.
    pub kind: EventKind,
    /// How it came out.
    pub outcome: Outcome,
    /// Code of the refusal.
    pub code: Option<String>,
    /// The procedure.
    pub procedure: Option<Bilingual>,
    /// Whom it concerns, as (name, value): organisation and service by name, aidant, usager and mandate by pseudonym.
    pub subjects: Vec<(&'static str, String)>,
}

impl EntryLine {
    pub(in crate::view) fn path(&self) -> String {
        paths::of_event(paths::ENTRY, &self.id)
    }

    /// Where what it concerns is followed through time.
    pub(in crate::view) fn follow(name: &str, value: &str) -> Option<String> {
        ["mandate", "aidant"].contains(&name).then(|| format!("{}?{name}={value}", paths::FOLLOW))
    }

    /// Why it was refused, where the code is one of an intervention's.
    pub(in crate::view) fn why(&self, f: &Frame) -> String {
        let code = self.code.as_deref();
        let refusal = Refusal::ALL.iter().find(|refusal| Some(refusal.code()) == code);
        refusal.map_or_else(String::new, |refusal| f.text(&sentences::refusal(*refusal).what))
    }
}

/// A search kept under a name.
#[derive(Clone, PartialEq, Eq)]
pub struct Kept {
    /// Identifier.
    pub id: SearchId,
    /// Its name.
    pub name: String,
    /// Its filters, as the query of an address.
    pub query: String,
}

impl Kept {
    pub(in crate::view) fn path(&self) -> String {
        format!("{}?{}", paths::SEARCH, self.query)
    }

    pub(in crate::view) fn forget(&self) -> String {
        paths::SAVED_FORGET.replace("{search}", self.id.as_str())
    }
}

page! {
    /// Search and results.
    ///
    /// Form `search-form` (**GET** `/auditor`): `from`, `to`, `organisation`, `aidant`, `mandate`, `usager`, `client`,
    /// `procedure`, `kind`, `outcome`, `code`; button `search-submit`. Results in `results`; links `entry-<id>`,
    /// `link-next` (the same filters and `after`), `kept-<id>`. Form `keep-form` (POST): `csrf`, `query`, `name`; button
    /// `keep-submit`; forms `forget-<id>-form`.
    Search in Guarded from "auditor/search.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The purpose stated.
        purpose: String,
        /// Organisations to choose from.
        organisations: Vec<Choice>,
        /// Services to choose from.
        services: Vec<Choice>,
        /// Procedures to choose from.
        procedures: Vec<Choice>,
        /// Searches kept under a name.
        kept: Vec<Kept>,
        /// Filters in force.
        filters: Filters,
        /// Results, latest first; absent before the first search.
        results: Option<Vec<EntryLine>>,
        /// Cursor of the next page, sent back in `after`.
        next: Option<String>,
    }
}

impl Search {
    fn next_path(&self, next: &str) -> String {
        let after: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        format!("{}?{}&after={after}", paths::SEARCH, self.filters.query())
    }

    fn export_path(&self) -> String {
        format!("{}?{}", paths::EXPORT, self.filters.query())
    }

    /// The codes that are offered: of refused interventions.
    fn codes() -> BTreeSet<&'static str> {
        Refusal::ALL.iter().map(|refusal| refusal.code()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_stand_in_an_address_as_they_were_typed() {
        let filters = Filters {
            from: "2026-11-01".into(),
            mandate: "a&b=c d".into(),
            kind: Some(EventKind::MandateEnded),
            ..Filters::default()
        };
        assert_eq!(filters.query(), "from=2026-11-01&mandate=a%26b%3Dc+d&kind=mandate.ended");
        assert_eq!(Filters::default().query(), "from=");
    }
}
