//! The tampering campaign: every column of every table of the journal and of the facts that are held against it, changed in every way by somebody who owns the
//! database and has taken every wall down. Each change must be found, and a finding must name the place.
//!
//! Tables and columns come from the database's own catalogue, so that a new one cannot be forgotten: a table nobody
//! classed (`tables.rs`) and a column whose change goes unseen fail the run.

mod bench;
mod build;
mod cells;
pub(super) mod desk;
mod rows;
mod schemes;
mod tables;
mod values;

use crate::support::database::{TestDatabase, on_both};
use bench::Bench;
use cells::Pace;

/// How many cases a run on one engine has at least.
const AT_LEAST: usize = 1_000;

/// What a small journal in one shard has no rows of.
const ELSEWHERE: [&str; 2] = ["tile", "shard"];

/// Rows of each table that are tampered with, in each way; more behind `PORTEPLUME_TEST_CAMPAIGN`.
#[expect(clippy::disallowed_methods, reason = "how long the campaign goes on is the caller's to say")]
fn pace() -> Pace {
    let factor = std::env::var("PORTEPLUME_TEST_CAMPAIGN").ok().and_then(|text| text.parse().ok());
    Pace::times(factor.unwrap_or(1))
}

on_both! {
    whatever_is_done_to_a_cell_or_row_of_the_journal_is_found_and_named(database) {
        let pace = pace();
        let of = tables::journal(database.engine());
        let small = Bench::over(build::small(database).await, of).await;
        let mut cases = Vec::new();
        for table in of.iter().filter(|table| !ELSEWHERE.contains(table)) {
            cases.extend(cells::of(&small, table, pace));
            cases.extend(rows::of(&small, table, pace));
        }
        cases.extend(schemes::of(&small));
        let mut done = small.run(cases).await;

        let full = build::full(TestDatabase::fresh(small.engine()).await).await;
        let full = Bench::over(full, of).await;
        let mut cases = cells::of(&full, "tile", pace);
        cases.extend(rows::of(&full, "tile", pace));
        cases.extend(schemes::of(&full));
        done += full.run(cases).await;

        let parted = Bench::over(build::parted(TestDatabase::fresh(small.engine()).await).await, of).await;
        let mut cases = Vec::new();
        for table in ["shard", "checkpoint", "leaf"] {
            cases.extend(cells::of(&parted, table, pace));
            cases.extend(rows::of(&parted, table, pace));
        }
        done += parted.run(cases).await;
        assert!(done >= AT_LEAST, "{done} cases");
    }

    whatever_is_done_to_a_fact_is_found_and_named(database) {
        let desk = Bench::over(desk::closed_down(database).await, &tables::HELD).await;
        let mut cases = Vec::new();
        for table in tables::HELD {
            assert!(desk.table(table).rows.len() >= 2, "{table}");
            cases.extend(cells::of(&desk, table, pace().less()));
            cases.extend(rows::of(&desk, table, pace().less()));
        }
        let done = desk.run(cases).await;
        assert!(done >= AT_LEAST / 2, "{done} cases");
    }

    whatever_is_done_to_a_registration_is_found_and_named(database) {
        let office = Bench::over(build::registered(database).await, &tables::PARTIES).await;
        let mut cases = Vec::new();
        for table in tables::PARTIES {
            assert!(office.table(table).rows.len() >= 2, "{table}");
            cases.extend(cells::of(&office, table, pace().less()));
            cases.extend(rows::of(&office, table, pace().less()));
        }
        let done = office.run(cases).await;
        assert!(done >= AT_LEAST / 4, "{done} cases");
    }

    every_table_is_classed_and_every_table_of_the_journal_has_rows(database) {
        let of = tables::journal(database.engine());
        let small = Bench::over(build::small(database).await, of).await;
        tables::all_are_classed(&small.catalogue(), small.engine());
        for table in of.iter().filter(|table| !ELSEWHERE.contains(table)) {
            assert!(small.table(table).rows.len() >= 2, "{table}");
        }
    }
}
