//! Shards (contract journal.md, 4.5): the journal goes on in another tree, under another name. Places and sizes in the
//! database count over all of them; what a shard's notes and tiles tell is counted from its start. This is the one
//! place that knows both.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Snapshot, StoreError};
use crate::mandate::EventId;
use std::ops::Range;

statements! {
    ALL = "SELECT number, origin, start, event_id FROM shard ORDER BY number, start";
    INSERT = "INSERT INTO shard (number, origin, start, event_id) VALUES ($1, $2, $3, $4)";
}

/// One shard of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shard {
    /// Its number, from 0.
    pub number: u64,
    /// Its name: the origin line of its checkpoints, and the name of its key.
    pub origin: String,
    /// The place of its first entry.
    pub start: u64,
    /// One behind the place of its last entry, once it is closed.
    pub end: Option<u64>,
    /// The entry that opened it; none for the first one.
    pub opened_by: Option<EventId>,
}

impl Shard {
    /// The places it has, or will have.
    #[must_use]
    pub fn places(&self) -> Range<u64> {
        self.start..self.end.unwrap_or(i64::MAX.unsigned_abs())
    }
}

/// Every shard of the journal, in their order: there is always one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shards {
    first: Shard,
    later: Vec<Shard>,
}

impl Shards {
    /// Each of them.
    #[must_use]
    pub fn each(&self) -> impl DoubleEndedIterator<Item = &Shard> {
        std::iter::once(&self.first).chain(&self.later)
    }

    /// The one that new entries go to.
    #[must_use]
    pub fn current(&self) -> &Shard {
        self.later.last().unwrap_or(&self.first)
    }

    /// The one that holds a place.
    #[must_use]
    pub fn at(&self, place: u64) -> &Shard {
        self.each().rev().find(|shard| shard.start <= place).unwrap_or(&self.first)
    }

    /// The one of that name.
    #[must_use]
    pub fn named(&self, origin: &str) -> Option<&Shard> {
        self.each().find(|shard| shard.origin == origin)
    }

    /// The one of that number.
    #[must_use]
    pub fn numbered(&self, number: u64) -> Option<&Shard> {
        self.each().find(|shard| shard.number == number)
    }
}

fn read(row: &Columns<'_>) -> Result<Shard, StoreError> {
    Ok(Shard {
        number: row.count("number")?,
        origin: row.text("origin")?,
        start: row.count("start")?,
        end: None,
        opened_by: Some(row.id("event_id")?),
    })
}

/// The shards of a journal whose first one has that name.
///
/// # Errors
/// [`StoreError::Journal`] when they do not follow one another; any fault of the database.
pub async fn all(snapshot: &mut Snapshot, first: &str) -> Result<Shards, StoreError> {
    let later = snapshot.list("shard", sql(ALL), read).await?;
    let first = Shard { number: 0, origin: first.to_owned(), start: 0, end: None, opened_by: None };
    let mut shards = Shards { first, later: Vec::with_capacity(later.len()) };
    for next in later {
        let known = shards.named(&next.origin).is_some();
        let before = shards.later.last_mut().unwrap_or(&mut shards.first);
        if next.number != before.number + 1 || next.start <= before.start || known {
            return Err(StoreError::Journal(format!("shard {} does not follow the one before", next.number)));
        }
        before.end = Some(next.start);
        shards.later.push(next);
    }
    Ok(shards)
}

/// Writes that a shard begins, within the commit that gives its first entry its place.
pub(super) async fn insert(
    snapshot: &mut Snapshot,
    shard: &Shard,
    opened_by: &EventId,
) -> Result<(), StoreError> {
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let insert = sql(INSERT)
        .bind(number(shard.number))
        .bind(shard.origin.as_str())
        .bind(number(shard.start))
        .bind(opened_by.as_str());
    snapshot.change(insert).await.map(drop)
}
