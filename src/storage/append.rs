//! Writing a journal entry with what opens it and how it is found.

use super::bound::{Bound, sql};
use super::statement::statements;
use super::{Statement, StoreError, Tx};
use crate::mandate::{EventId, EventKind, Instant, Outcome};

statements! {
    INSERT_EVENT = "INSERT INTO event (event_id, at, tag, entry) VALUES ($1, $2, $3, $4)";
    INSERT_OPENING_1 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES ($1, $2, $3, $4)";
    INSERT_OPENING_2 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES \
        ($1, $2, $3, $4), ($5, $6, $7, $8)";
    INSERT_OPENING_3 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES \
        ($1, $2, $3, $4), ($5, $6, $7, $8), ($9, $10, $11, $12)";
    INSERT_OPENING_4 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES \
        ($1, $2, $3, $4), ($5, $6, $7, $8), ($9, $10, $11, $12), ($13, $14, $15, $16)";
    INSERT_SEARCH = "INSERT INTO event_search (event_id, at, kind, outcome, code, organisation, aidant, mandate, \
        usager, client, procedure) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
}

/// By how many openings each inserts.
const INSERT_OPENINGS: [(usize, &str); 4] =
    [(1, INSERT_OPENING_1), (2, INSERT_OPENING_2), (3, INSERT_OPENING_3), (4, INSERT_OPENING_4)];

/// The same in one statement, which only PostgreSQL knows: each round trip costs more there than what it writes.
macro_rules! at_once {
    ($($name:ident = $openings:literal;)*) => {
        $(const $name: &str = concat!(
            "WITH added_event AS (INSERT INTO event (event_id, at, tag, entry) VALUES ($1, $2, $3, $4)), \
             added_opening AS (INSERT INTO opening (event_id, slot, key_id, sealed) VALUES ",
            $openings,
            ") INSERT INTO event_search (event_id, at, kind, outcome, code, organisation, aidant, mandate, usager, client, \
             procedure) VALUES ($1, $2, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
        );)*
        /// Statements that only PostgreSQL knows.
        pub(super) const POSTGRES_STATEMENTS: &[Statement] = &[$(Statement {
            name: concat!("storage::append::", stringify!($name)),
            text: $name,
        },)*];
    };
}
at_once! {
    INSERT_1 = "($1, $14, $15, $16)";
    INSERT_2 = "($1, $14, $15, $16), ($1, $17, $18, $19)";
    INSERT_3 = "($1, $14, $15, $16), ($1, $17, $18, $19), ($1, $20, $21, $22)";
    INSERT_4 = "($1, $14, $15, $16), ($1, $17, $18, $19), ($1, $20, $21, $22), ($1, $23, $24, $25)";
}

/// By how many openings each inserts.
const INSERT_AT_ONCE: [(usize, &str); 4] = [(1, INSERT_1), (2, INSERT_2), (3, INSERT_3), (4, INSERT_4)];

/// A new journal entry with all that goes with it.
#[derive(Clone)]
pub struct NewEvent {
    /// Identifier, a `UUIDv7`.
    pub event_id: EventId,
    /// When.
    pub at: Instant,
    /// The mandate's (or other stream's) tag, 32 hexadecimal digits, unique in the journal.
    pub tag: String,
    /// The canonical bytes, hashed for ever.
    pub entry: Vec<u8>,
    /// Sealed openings of its commitments, at most one per slot.
    pub openings: Vec<NewOpening>,
    /// How it can be found.
    pub search: SearchRow,
}

/// What opens one commitment of an entry, sealed under a person's key.
#[derive(Clone)]
pub struct NewOpening {
    /// `act`, `sub`, `aid` or `ctx`.
    pub slot: &'static str,
    /// The data key it is sealed under.
    pub key_id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// How an entry can be found: names of what happened, and parties as blind indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRow {
    /// What it tells of.
    pub kind: EventKind,
    /// How it came out.
    pub outcome: Outcome,
    /// The refusal's code; present exactly when refused.
    pub code: Option<String>,
    /// Blind index of the organisation.
    pub organisation: Option<String>,
    /// Blind index of the aidant.
    pub aidant: Option<String>,
    /// Blind index of the mandate.
    pub mandate: Option<String>,
    /// Blind index of the usager.
    pub usager: Option<String>,
    /// Blind index of the relying party.
    pub client: Option<String>,
    /// Blind index of the procedure.
    pub procedure: Option<String>,
}

impl SearchRow {
    /// A row that names no party yet.
    #[must_use]
    pub const fn new(kind: EventKind, outcome: Outcome) -> Self {
        Self {
            kind,
            outcome,
            code: None,
            organisation: None,
            aidant: None,
            mandate: None,
            usager: None,
            client: None,
            procedure: None,
        }
    }
}

/// Writes an entry: first the event, which the other rows name.
pub(super) async fn write(tx: &mut Tx, event: NewEvent) -> Result<(), StoreError> {
    let NewEvent { event_id, at, tag, entry, openings, search } = event;
    let id = event_id.as_str();
    tx.execute(sql(INSERT_EVENT).bind(id).bind(at.micros()).bind(tag).bind(entry)).await?;
    let width = openings.len();
    if let Some((_, text)) = INSERT_OPENINGS.iter().find(|(openings, _)| *openings == width) {
        let insert = openings.into_iter().fold(sql(text), |insert, opening| {
            insert.bind(id).bind(opening.slot).bind(opening.key_id).bind(opening.sealed)
        });
        tx.execute(insert).await?;
    } else if width > 0 {
        return Err(StoreError::Refused("an entry has four slots".to_owned()));
    }
    write_search(tx, &event_id, at, search).await
}

/// Whether [`write_at_once`] takes one statement.
pub(super) const fn is_one_statement(event: &NewEvent) -> bool {
    let openings = event.openings.len();
    openings > 0 && openings <= INSERT_AT_ONCE.len()
}

/// The same on PostgreSQL, in one round trip where the entry has openings.
pub(super) async fn write_at_once(tx: &mut Tx, event: NewEvent) -> Result<(), StoreError> {
    let width = event.openings.len();
    let Some((_, text)) = INSERT_AT_ONCE.iter().find(|(openings, _)| *openings == width) else {
        return write(tx, event).await;
    };
    let NewEvent { event_id, at, tag, entry, openings, search } = event;
    let insert = sql(text).bind(event_id.as_str()).bind(at.micros()).bind(tag).bind(entry);
    let insert = openings.into_iter().fold(found_by(insert, search), |insert, opening| {
        insert.bind(opening.slot).bind(opening.key_id).bind(opening.sealed)
    });
    tx.execute(insert).await.map(drop)
}

/// How an entry can be found: the values of its row after the identifier and the instant.
fn found_by(insert: Bound, search: SearchRow) -> Bound {
    insert
        .bind(search.kind.as_str())
        .bind(search.outcome.as_str())
        .bind(search.code)
        .bind(search.organisation)
        .bind(search.aidant)
        .bind(search.mandate)
        .bind(search.usager)
        .bind(search.client)
        .bind(search.procedure)
}

/// Writes how an entry can be found.
pub(super) async fn write_search(
    tx: &mut Tx,
    event: &EventId,
    at: Instant,
    search: SearchRow,
) -> Result<(), StoreError> {
    let insert = sql(INSERT_SEARCH).bind(event.as_str()).bind(at.micros());
    tx.execute(found_by(insert, search)).await.map(drop)
}
