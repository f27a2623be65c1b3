//! One mandate or one aidant followed through time, and charts of many.

use super::{Choice, EntryLine};
use crate::mandate::Instant;
use crate::view::chart::Chart;
use crate::view::{Granted, Problem, Status};

/// A mandate as its entries tell it at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Then {
    /// The instant.
    pub at: Instant,
    /// Where it stood; absent before it was proposed.
    pub status: Option<Status>,
    /// What it granted.
    pub procedures: Vec<Granted>,
    /// Whether the whole history gives what is stored.
    pub agrees: bool,
}

/// What was found of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Followed {
    /// The pseudonym.
    pub pseudonym: String,
    /// What happened, latest first.
    pub lines: Vec<EntryLine>,
    /// The state of the mandate.
    pub then: Option<Then>,
    /// Address of the next page.
    pub next: Option<String>,
    /// Where content can be asked for; of a mandate only.
    pub ask: Option<String>,
}

page! {
    /// Follows a mandate or an aidant.
    ///
    /// Form `follow-form` (**GET** `/auditor/follow`): `mandate`, `aidant`, `at`; button `follow-submit`. Ids: `then`,
    /// `timeline`; links `entry-<id>`, `link-next`, `link-ask`.
    Follow in Guarded from "auditor/follow.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// The mandate's pseudonym as typed.
        mandate: String,
        /// The aidant's pseudonym as typed.
        aidant: String,
        /// The instant as typed, `YYYY-MM-DDTHH:MM` in universal time.
        at: String,
        /// What was found; absent before anything was asked.
        followed: Option<Followed>,
    }
}

page! {
    /// Charts of a period, each with its table.
    ///
    /// Form `charts-form` (**GET** `/auditor/charts`): `from`, `to`, `organisation`; button `charts-submit`. Each chart
    /// is `chart-<id>`, its table `table-<id>`.
    Charts in Guarded from "auditor/charts.html" {
        /// What is wrong with what was sent.
        problems: Vec<Problem>,
        /// First day as typed.
        from: String,
        /// Last day as typed.
        to: String,
        /// Organisations to choose from.
        organisations: Vec<Choice>,
        /// The one chosen.
        organisation: String,
        /// The charts.
        charts: Vec<Chart>,
    }
}
