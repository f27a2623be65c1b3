//! Each table, in each way whole rows can be taken away, added and moved.

use super::bench::{Bench, Case, NUMBER};
use super::cells::{Pace, behind, called, is_text_or_number, unreadable};
use super::tables::is_free;
use super::values::{Value, Way};

/// Every change of whole rows.
pub(super) fn of(bench: &Bench, table: &str, pace: Pace) -> Vec<Case> {
    let rows = bench.table(table).rows.len();
    let mut cases = Vec::new();
    for number in pace.spread(rows) {
        cases.push(deleted(bench, table, &[number], "deleted"));
        cases.push(copied(bench, table, number));
        cases.extend(forged(bench, table, number));
    }
    for (range, how) in [
        (0..rows, "all deleted"),
        (0..rows / 2, "the first half deleted"),
        (rows / 2..rows, "the last half deleted"),
    ] {
        if !range.is_empty() {
            cases.push(deleted(bench, table, &range.collect::<Vec<_>>(), how));
        }
    }
    cases
}

fn deleted(bench: &Bench, table: &str, numbers: &[usize], how: &str) -> Case {
    let rows = &bench.table(table).rows;
    let list: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    let mut names: Vec<String> = numbers.iter().flat_map(|number| called(table, &rows[*number])).collect();
    names.extend(numbers.iter().flat_map(|number| behind(bench, table, *number)));
    // Where all that signed is gone, the first entry is.
    if table == "checkpoint" && numbers.len() > 1 {
        names.push(format!("entry {}", numbers.first().map_or(0, |first| first.saturating_sub(1))));
        names.push("entries were signed for".to_owned());
        names.extend((0..rows.last().unwrap()["size"].number()).map(|index| format!("entry {index}")));
    }
    Case {
        what: format!("{table}: rows {numbers:?} {how}"),
        tables: vec![table.to_owned()],
        statements: vec![format!("DELETE FROM {table} WHERE {NUMBER} IN ({})", list.join(", "))],
        outside: None,
        names,
    }
}

fn copied(bench: &Bench, table: &str, number: usize) -> Case {
    Case {
        what: format!("{table}: row {number} copied"),
        tables: vec![table.to_owned()],
        statements: vec![format!("INSERT INTO {table} SELECT * FROM kept_{table} WHERE {NUMBER} = {number}")],
        outside: None,
        names: called(table, &bench.table(table).rows[number]),
    }
}

/// Copies with another name: for each column that may be one.
fn forged(bench: &Bench, table: &str, number: usize) -> Vec<Case> {
    let kept = bench.table(table);
    let row = &kept.rows[number];
    let mut cases = Vec::new();
    let telling = kept.columns.iter().filter(|column| is_text_or_number(column.kind));
    for column in telling.filter(|column| !is_free(table, &column.name)) {
        let value = match &row[&column.name] {
            Value::Number(number) => Value::Number(number + 100_000),
            other => Way::Flip(number).change(other, column.kind),
        };
        let mut forged = row.clone();
        forged.insert(column.name.clone(), value);
        let cells: Vec<String> =
            kept.columns.iter().map(|column| forged[&column.name].sql(bench.engine())).collect();
        let list: Vec<&str> = kept.columns.iter().map(|column| column.name.as_str()).collect();
        let mut names = called(table, row);
        names.extend(called(table, &forged));
        names.push(unreadable(kept, table, &forged));
        if table == "leaf" {
            names.push("the table leaf".to_owned());
        }
        cases.push(Case {
            what: format!("{table}: row {number} forged in {}", column.name),
            tables: vec![table.to_owned()],
            statements: vec![format!(
                "INSERT INTO {table} ({}, {NUMBER}) VALUES ({}, 1000000)",
                list.join(", "),
                cells.join(", ")
            )],
            outside: None,
            names,
        });
    }
    cases
}
