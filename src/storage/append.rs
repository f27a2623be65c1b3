//! Writing journal entries: those of one commit together, many rows in a statement. On SQLite each statement is a
//! round trip to the writing thread, which is what a busy writer spends its time on.

use super::statement::statements;
use super::bound::{Bound, sql};
use super::{StoreError, Tx};
use crate::mandate::{EventId, EventKind, Instant, Outcome};

statements! {
    INSERT_EVENT = "INSERT INTO event (event_id, at, tag, entry) VALUES ($1, $2, $3, $4)";
    INSERT_EVENTS = "INSERT INTO event (event_id, at, tag, entry) VALUES \
        ($1, $2, $3, $4), ($5, $6, $7, $8), ($9, $10, $11, $12), ($13, $14, $15, $16), \
        ($17, $18, $19, $20), ($21, $22, $23, $24), ($25, $26, $27, $28), ($29, $30, $31, $32)";
    INSERT_OPENING_1 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES ($1, $2, $3, $4)";
    INSERT_OPENING_2 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES \
        ($1, $2, $3, $4), ($5, $6, $7, $8)";
    INSERT_OPENING_3 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES \
        ($1, $2, $3, $4), ($5, $6, $7, $8), ($9, $10, $11, $12)";
    INSERT_OPENING_4 = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES \
        ($1, $2, $3, $4), ($5, $6, $7, $8), ($9, $10, $11, $12), ($13, $14, $15, $16)";
    INSERT_OPENINGS = "INSERT INTO opening (event_id, slot, key_id, sealed) VALUES \
        ($1, $2, $3, $4), ($5, $6, $7, $8), ($9, $10, $11, $12), ($13, $14, $15, $16), \
        ($17, $18, $19, $20), ($21, $22, $23, $24), ($25, $26, $27, $28), ($29, $30, $31, $32), \
        ($33, $34, $35, $36), ($37, $38, $39, $40), ($41, $42, $43, $44), ($45, $46, $47, $48), \
        ($49, $50, $51, $52), ($53, $54, $55, $56), ($57, $58, $59, $60), ($61, $62, $63, $64), \
        ($65, $66, $67, $68), ($69, $70, $71, $72), ($73, $74, $75, $76), ($77, $78, $79, $80), \
        ($81, $82, $83, $84), ($85, $86, $87, $88), ($89, $90, $91, $92), ($93, $94, $95, $96)";
    INSERT_SEARCH = "INSERT INTO event_search (event_id, at, kind, outcome, code, organisation, aidant, mandate, \
        usager, client, procedure) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    INSERT_SEARCHES = "INSERT INTO event_search (event_id, at, kind, outcome, code, organisation, aidant, mandate, \
        usager, client, procedure) VALUES \
        ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11), \
        ($12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22), \
        ($23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33), \
        ($34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44), \
        ($45, $46, $47, $48, $49, $50, $51, $52, $53, $54, $55), \
        ($56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66), \
        ($67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77), \
        ($78, $79, $80, $81, $82, $83, $84, $85, $86, $87, $88)";
}

/// Statements that insert into one table, by how many rows each takes, the largest first and one row last.
type Inserts = &'static [(usize, &'static str)];

const EVENTS: Inserts = &[(8, INSERT_EVENTS), (1, INSERT_EVENT)];
const OPENINGS: Inserts = &[
    (24, INSERT_OPENINGS),
    (4, INSERT_OPENING_4),
    (3, INSERT_OPENING_3),
    (2, INSERT_OPENING_2),
    (1, INSERT_OPENING_1),
];
const SEARCHES: Inserts = &[(8, INSERT_SEARCHES), (1, INSERT_SEARCH)];

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

/// Writes entries: first the events, which the other rows name.
pub(super) async fn write(tx: &mut Tx, events: Vec<NewEvent>) -> Result<(), StoreError> {
    let (mut rows, mut openings, mut searches) = (Vec::new(), Vec::new(), Vec::new());
    for NewEvent { event_id, at, tag, entry, openings: own, search } in events {
        openings.extend(own.into_iter().map(|opening| (event_id.clone(), opening)));
        searches.push((event_id.clone(), at, search));
        rows.push((event_id, at, tag, entry));
    }
    insert(tx, EVENTS, rows, |insert, (id, at, tag, entry)| {
        insert.bind(id.as_str().to_owned()).bind(at.micros()).bind(tag).bind(entry)
    })
    .await?;
    insert(tx, OPENINGS, openings, |insert, (id, opening)| {
        insert.bind(id.as_str().to_owned()).bind(opening.slot).bind(opening.key_id).bind(opening.sealed)
    })
    .await?;
    insert(tx, SEARCHES, searches, |insert, (id, at, search)| {
        insert
            .bind(id.as_str().to_owned())
            .bind(at.micros())
            .bind(search.kind.as_str())
            .bind(search.outcome.as_str())
            .bind(search.code)
            .bind(search.organisation)
            .bind(search.aidant)
            .bind(search.mandate)
            .bind(search.usager)
            .bind(search.client)
            .bind(search.procedure)
    })
    .await
}

async fn insert<T>(
    tx: &mut Tx,
    texts: Inserts,
    rows: Vec<T>,
    bind: impl Fn(Bound, T) -> Bound,
) -> Result<(), StoreError> {
    let mut rows = rows.into_iter();
    for (width, text) in texts {
        while rows.len() >= *width {
            let statement = rows.by_ref().take(*width).fold(sql(text), &bind);
            tx.execute(statement).await?;
        }
    }
    Ok(())
}
