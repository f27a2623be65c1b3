//! The tampering campaign: every column of every table of the journal, changed in every way by somebody who owns the
//! database and has taken every wall down. Each change must be found, and a finding must name the place.
//!
//! Tables and columns come from the database's own catalogue, so that a new one cannot be forgotten: a table nobody
//! classed (`tables.rs`) and a column whose change goes unseen fail the run.

mod bench;
mod build;
mod cells;
mod rows;
mod schemes;
mod tables;
mod values;

use crate::support::database::{TestDatabase, on_both};
use bench::Bench;
use cells::Pace;

/// How many cases a run on one engine has at least.
const AT_LEAST: usize = 1_000;

/// Rows of each table that are tampered with, in each way; more behind `PORTEPLUME_TEST_CAMPAIGN`.
#[expect(clippy::disallowed_methods, reason = "how long the campaign goes on is the caller's to say")]
fn pace() -> Pace {
    let factor = std::env::var("PORTEPLUME_TEST_CAMPAIGN").ok().and_then(|text| text.parse().ok());
    Pace::times(factor.unwrap_or(1))
}

on_both! {
    whatever_is_done_to_a_cell_or_row_of_the_journal_is_found_and_named(database) {
        let pace = pace();
        let small = Bench::over(build::small(database).await).await;
        let mut cases = Vec::new();
        for table in tables::journal(small.engine()).iter().filter(|table| **table != "tile") {
            cases.extend(cells::of(&small, table, pace));
            cases.extend(rows::of(&small, table, pace));
        }
        cases.extend(schemes::of(&small));
        let mut done = small.run(cases).await;

        let full = Bench::over(build::full(TestDatabase::fresh(small.engine()).await).await).await;
        let mut cases = cells::of(&full, "tile", pace);
        cases.extend(rows::of(&full, "tile", pace));
        cases.extend(schemes::of(&full));
        done += full.run(cases).await;
        assert!(done >= AT_LEAST, "{done} cases");
    }

    every_table_is_classed_and_every_table_of_the_journal_has_rows(database) {
        let small = Bench::over(build::small(database).await).await;
        tables::all_are_classed(&small.catalogue(), small.engine());
        for table in tables::journal(small.engine()).iter().filter(|table| **table != "tile") {
            assert!(small.table(table).rows.len() >= 2, "{table}");
        }
    }
}
