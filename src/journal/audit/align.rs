//! Telling apart what was altered, removed, inserted and reordered, by laying the rows of a stretch beside what
//! was journaled there.

use super::Fault;
use crate::journal::Hash;
use std::collections::HashMap;

/// A row: where it stands and what it is.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) index: u64,
    pub(super) event: &'a str,
    pub(super) hash: Hash,
}

/// A difference, at the index of the row, or of the journaled entry that has none.
pub(super) struct Difference<'a> {
    pub(super) index: u64,
    pub(super) event: Option<&'a str>,
    pub(super) fault: Fault,
}

/// How many places rows stand behind (above 0) or ahead of (below 0) where they were journaled, because of
/// something inserted or removed further up.
pub(super) type Shift = i64;

/// Lays `rows` beside `truth`, the journaled hashes from index `start` on; gives the differences and the shift
/// with which the next stretch begins.
pub(super) fn differences<'a>(
    rows: &[Row<'a>],
    truth: &[Hash],
    start: u64,
    shift: Shift,
) -> (Vec<Difference<'a>>, Shift) {
    let end = start + truth.len() as u64;
    let row_of: HashMap<Hash, usize> = rows.iter().enumerate().map(|(at, row)| (row.hash, at)).collect();
    let place_of: HashMap<Hash, usize> = truth.iter().enumerate().map(|(at, hash)| (*hash, at)).collect();
    let mut found = Vec::new();
    let mut shift = shift;
    // What a shift from further up has pushed into this stretch, or out of it, was told of already.
    let mut rows_left = rows.iter().enumerate().peekable();
    while rows_left.next_if(|(_, row)| moved(row.index, -shift) < start).is_some() {}
    let mut truth_left = (start..).zip(truth).enumerate().peekable();
    while truth_left.next_if(|(_, (index, _))| moved(*index, shift) < start).is_some() {}

    while let (Some(&(at, row)), Some(&(place, (index, hash)))) = (rows_left.peek(), truth_left.peek()) {
        if row.hash == *hash {
            shift = i64::try_from(row.index).unwrap_or(0) - i64::try_from(index).unwrap_or(0);
            rows_left.next();
            truth_left.next();
            continue;
        }
        let journaled_later = place_of.get(&row.hash).map(|other| *other > place);
        let stands_later = row_of.get(hash).map(|other| *other > at);
        let here = |fault| Difference { index: row.index, event: Some(row.event), fault };
        match (journaled_later, stands_later) {
            (Some(true), None) => {
                found.push(Difference { index, event: None, fault: Fault::Removed });
                truth_left.next();
            }
            (None, Some(true)) => {
                found.push(here(Fault::Inserted));
                rows_left.next();
            }
            (_, None) => {
                found.push(here(Fault::EntryAltered));
                rows_left.next();
                truth_left.next();
            }
            (_, Some(_)) => {
                found.push(here(Fault::Reordered));
                rows_left.next();
                truth_left.next();
            }
        }
    }
    for (_, row) in rows_left.filter(|(_, row)| moved(row.index, -shift) < end) {
        found.push(Difference { index: row.index, event: Some(row.event), fault: Fault::Inserted });
    }
    for (_, (index, _)) in truth_left.filter(|(_, (index, _))| moved(*index, shift) < end) {
        found.push(Difference { index, event: None, fault: Fault::Removed });
    }
    (found, shift)
}

fn moved(index: u64, by: Shift) -> u64 {
    index.saturating_add_signed(by)
}
