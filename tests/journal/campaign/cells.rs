//! Each column of each table, in each way one cell can be changed.

use super::bench::{Bench, Case, NUMBER, Table};
use super::tables::{HELD, PARTIES, is_free};
use super::values::{Kind, Value, Way};
use std::collections::BTreeMap;

/// How many rows of each table are tampered with.
#[derive(Clone, Copy)]
pub(super) struct Pace {
    pub(super) rows: usize,
    /// Flips of one bit or character in each cell.
    flips: usize,
}

impl Pace {
    pub(super) fn times(factor: usize) -> Self {
        Self { rows: 3 * factor, flips: 2 * factor }
    }

    /// The same with fewer rows and flips: there are many columns.
    pub(super) fn less(self) -> Self {
        Self { rows: (self.rows / 3).max(1), flips: (self.flips / 2).max(1) }
    }

    /// Numbers spread over a table of that many rows, the first and the last among them.
    pub(super) fn spread(self, rows: usize) -> Vec<usize> {
        let picked = self.rows.min(rows).max(1);
        (0..picked).map(|number| (number * (rows - 1)).checked_div(picked - 1).unwrap_or(0)).collect()
    }
}

/// The names a finding may call a row by.
pub(super) fn called(table: &str, row: &BTreeMap<String, Value>) -> Vec<String> {
    let cell = |name: &str| row[name].shown();
    match table {
        "leaf" => vec![format!("entry {}", cell("idx")), format!("event {}", cell("event_id"))],
        "tile" => {
            vec![format!("tile {} of level {}", cell("idx"), cell("level")), "the table tile".to_owned()]
        }
        "checkpoint" => {
            vec![format!("checkpoint of size {}", cell("size")), "the table checkpoint".to_owned()]
        }
        "shard" => vec![format!("shard {}", cell("origin"))],
        "refusal" => vec![format!("event {}", cell("id"))],
        "time_stamp" => {
            vec![format!("time-stamp of {}", cell("day")), format!("event {}", cell("last_event"))]
        }
        "audit_grant_scope" => vec![format!("audit_grant {}", cell("grant_id"))],
        "audit_answer" => vec![format!("audit_answer {} {}", cell("sample_id"), cell("event_id"))],
        "closed_procedure" => {
            vec![format!("organisation {}", cell("organisation_id")), format!("aidant {}", cell("aidant_id"))]
        }
        // Of one taken away, added or moved the count says no more than when.
        "cosignature" => vec![format!("checkpoint of {} entries", cell("size")), "cosigned".to_owned()],
        "cosigned" => vec![format!("cosigned {}", cell("until_at"))],
        "contact" => vec![format!("contact {}", cell("usager_id"))],
        fact if HELD.contains(&fact) || PARTIES.contains(&fact) => vec![format!("{fact} {}", cell("id"))],
        _ => vec![format!("event {}", cell("event_id"))],
    }
}

/// What is said of a row that fits no fact at all.
pub(super) fn unreadable(table: &Table, name: &str, row: &BTreeMap<String, Value>) -> String {
    format!("the row {} of {name} is inconsistent", row[&table.columns[0].name].shown())
}

/// A generated number: the same at each run, another for each place.
fn generated(parts: &[usize]) -> usize {
    parts.iter().fold(0x9e37_79b9, |seed: usize, part| {
        (seed ^ part).wrapping_mul(0x5851_f42d_4c95_7f2d).rotate_left(23)
    }) >> 7
}

/// Every change of a cell by itself, or with a cell of another row.
pub(super) fn of(bench: &Bench, name: &str, pace: Pace) -> Vec<Case> {
    let table = bench.table(name);
    let rows: Vec<usize> = tampered(name, table);
    let mut cases = Vec::new();
    for (at, column) in table.columns.iter().enumerate().filter(|(_, column)| !is_free(name, &column.name)) {
        for pick in pace.spread(rows.len()) {
            let number = rows[pick];
            let value = &table.rows[number][&column.name];
            let mut ways: Vec<Way> =
                (0..pace.flips).map(|flip| Way::Flip(generated(&[at, number, flip, name.len()]))).collect();
            ways.extend([Way::Empty, Way::Truncate, Way::Extend, Way::Null]);
            for way in ways {
                let changed = way.change(value, column.kind);
                let what = format!("{name}.{} of row {number}: {way:?}", column.name);
                cases.extend(set(bench, name, number, (&column.name, changed), what));
            }
            let others = rows.iter().map(|other| (*other, &table.rows[*other][&column.name]));
            if let Some((other, theirs)) = others.rev().find(|(_, theirs)| *theirs != value) {
                let what = format!("{name}.{} of row {number}: that of row {other}", column.name);
                cases.extend(set(bench, name, number, (&column.name, theirs.clone()), what));
                // The order in which entries wait for their place says nothing.
                if name != "queue" {
                    cases.push(exchanged(bench, name, (number, other), &column.name));
                }
            }
        }
    }
    cases
}

/// The rows that are tampered with: of entries that wait for their place only the queue tells.
fn tampered(name: &str, table: &Table) -> Vec<usize> {
    let waits = |row: &BTreeMap<String, Value>| name == "event" && row["entry"].bytes() == b"waits";
    (0..table.rows.len()).filter(|number| !waits(&table.rows[*number])).collect()
}

fn set(
    bench: &Bench,
    table: &str,
    number: usize,
    (column, value): (&str, Value),
    what: String,
) -> Option<Case> {
    let row = &bench.table(table).rows[number];
    if row[column] == value {
        return None;
    }
    let mut changed = row.clone();
    let literal = value.sql(bench.engine());
    changed.insert(column.to_owned(), value);
    let mut names = called(table, row);
    names.extend(called(table, &changed));
    names.extend(behind(bench, table, number));
    names.push(format!("inconsistent in {column}"));
    names.extend([row, &changed].map(|row| unreadable(bench.table(table), table, row)));
    Some(Case {
        what,
        tables: vec![table.to_owned()],
        statements: vec![format!("UPDATE {table} SET {column} = {literal} WHERE {NUMBER} = {number}")],
        outside: None,
        names,
    })
}

fn exchanged(bench: &Bench, table: &str, (one, other): (usize, usize), column: &str) -> Case {
    let rows = &bench.table(table).rows;
    let literal = |number: usize| rows[number][column].sql(bench.engine());
    let statement =
        |number, value| format!("UPDATE {table} SET {column} = {value} WHERE {NUMBER} = {number}");
    let mut names = called(table, &rows[one]);
    names.extend(called(table, &rows[other]));
    names.extend(stretch(bench, table, one));
    names.extend([one, other].map(|number| unreadable(bench.table(table), table, &rows[number])));
    Case {
        what: format!("{table}.{column} of rows {one} and {other} exchanged"),
        tables: vec![table.to_owned()],
        statements: vec![statement(one, literal(other)), statement(other, literal(one))],
        outside: None,
        names,
    }
}

/// Where only the leaves told the order, what is named is the stretch up to the next signed root.
fn stretch(bench: &Bench, table: &str, number: usize) -> Option<String> {
    let index = (table == "leaf").then(|| bench.table(table).rows[number]["idx"].number())?;
    let sizes = bench.table("checkpoint").rows.iter().map(|row| row["size"].number());
    let signed = sizes.filter(|size| *size > index).min()?;
    Some(format!("before entry {signed}"))
}

/// The entries only a checkpoint signs: without it, they stand unsigned.
pub(super) fn behind(bench: &Bench, table: &str, number: usize) -> Vec<String> {
    let rows = &bench.table(table).rows;
    if table != "checkpoint" || number + 1 != rows.len() {
        return Vec::new();
    }
    let before = number.checked_sub(1).map_or(0, |before| rows[before]["size"].number());
    (before..rows[number]["size"].number()).map(|index| format!("entry {index}")).collect()
}

/// Whether a column holds what tells rows apart.
pub(super) fn is_text_or_number(kind: Kind) -> bool {
    kind != Kind::Bytes
}
