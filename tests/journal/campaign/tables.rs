//! What each table is, and what of it cannot be told from what it should be.

use porteplume::storage::Engine;
use std::collections::BTreeSet;

/// The journal's own, and what is written once with an entry.
const JOURNAL: [&str; 10] = [
    "event",
    "leaf",
    "tile",
    "checkpoint",
    "shard",
    "opening",
    "event_search",
    "refusal",
    "time_stamp",
    "queue",
];

/// What is held against entries, row by row and column by column.
pub(super) const HELD: [&str; 13] = [
    "reading",
    "audit_grant",
    "audit_grant_scope",
    "break_glass",
    "audit_sample",
    "audit_answer",
    "anomaly",
    "anomaly_comment",
    "closed_procedure",
    "cosignature",
    "cosigned",
    "contact",
    "notice",
];

/// Who is registered: held against entries, column by column.
pub(super) const PARTIES: [&str; 4] = ["organisation", "aidant", "auditor", "client"];

/// Facts: their walls are `tests/storage/walls.rs`, what follows from entries is verified in `tampering.rs`; the cards' in
/// `tests/mandates/cards.rs`, the askings' in `tests/mandates/asking.rs`.
const FACTS: [&str; 8] = [
    "asking",
    "factor",
    "usager",
    "mandate",
    "mandate_procedure",
    "mandate_paper",
    "representation",
    "revocation_card",
];

/// Rows that have no history; what was seen of a mandate is an index of entries that say so themselves.
const WORKING: [&str; 19] = [
    "asking_scan",
    "asking_queue",
    "_sqlx_migrations",
    "session",
    "login_flow",
    "authorization_request",
    "authorization_code",
    "access_token",
    "used_assertion",
    "recovery_code",
    "usager_index",
    "data_key",
    "idempotency",
    "saved_search",
    "audit_seen",
    "watch_mark",
    "watch_device",
    "outbox",
    "notice_queue",
];

/// Columns whose change says nothing: the order of the queue is only the order in which places will be given, which is
/// fixed by the places; nothing was ever said of it before.
const FREE: [(&str, &str); 1] = [("queue", "qid")];

/// Of a party neither the number that guards changes nor the entry that last touched the row says anything: what it is
/// follows from the entries that name it.
const FREE_OF_PARTIES: [&str; 2] = ["version", "last_event"];

/// The tables of the journal.
pub(super) fn journal(engine: Engine) -> &'static [&'static str] {
    match engine {
        Engine::Sqlite => JOURNAL.split_last().unwrap().1,
        Engine::Postgres => &JOURNAL,
    }
}

/// Whether a column may be changed without anybody noticing, for a reason that stands above.
pub(super) fn is_free(table: &str, column: &str) -> bool {
    FREE.contains(&(table, column)) || (PARTIES.contains(&table) && FREE_OF_PARTIES.contains(&column))
}

/// Demands that somebody has said of each table what it is.
pub(super) fn all_are_classed(catalogue: &BTreeSet<String>, engine: Engine) {
    let said_of = journal(engine).iter().chain(&HELD).chain(&PARTIES).chain(&FACTS).chain(&WORKING);
    let classed: BTreeSet<String> = said_of.map(|table| (*table).to_owned()).collect();
    let unknown: Vec<_> = catalogue.difference(&classed).collect();
    assert!(unknown.is_empty(), "say in tests/journal/campaign/tables.rs what these are: {unknown:?}");
    let gone: Vec<_> = classed.difference(catalogue).collect();
    assert!(gone.is_empty(), "these are gone: {gone:?}");
}
