//! The `storage` room: one SQL text per statement for two engines, `Store::write`, `Store::read` and the
//! repositories.
//!
//! * A **write** is one named closure over [`Tx`]; it changes facts and appends entries in one transaction
//!   and may run twice. A **read** is one named closure over [`Snapshot`]. A repository function that
//!   changes something asks for a `Tx`, one that only looks asks for a `Snapshot` (a `Tx` is one, too).
//! * On SQLite one thread owns the writing connection: jobs share commits, and the journal is extended and
//!   signed in the same commit; a read runs from end to end on a thread that may wait. On PostgreSQL writes are serialisable transactions, and a sequencer gives
//!   entries their place right after.
//! * [`Written`] keeps the value until its entries are included under a signed checkpoint.
//!
//! `engine.rs` and `sqlite.rs` alone know the engines: SQLite is called directly (rusqlite), PostgreSQL through
//! sqlx, which also keeps the schema of both. Rows become domain values by one exhaustive match each; a row that
//! fits none is [`StoreError::Inconsistent`], naming table, column and row.

mod append;
mod bound;
mod column;
mod engine;
mod error;
mod halt;
mod head;
mod mandate_row;
mod named;
mod options;
mod placed;
mod postgres;
mod pressure;
mod promised;
mod reading;
mod rewrite;
mod sequence;
mod signer;
mod sqlite;
mod statement;
mod store;
mod tx;
mod waiting;
mod writer;
mod written;

pub mod aidants;
pub mod anomalies;
pub mod askings;
pub mod assertions;
pub mod audit;
pub mod audit_grants;
pub mod auditors;
pub mod authorizations;
pub mod break_glass;
pub mod cards;
pub mod clients;
pub mod contacts;
pub mod cosignatures;
pub mod cosigned;
pub mod data_keys;
pub mod extent;
pub mod factors;
pub mod held;
pub mod idempotency;
pub mod journal;
pub mod login_flows;
pub mod mandates;
pub mod notices;
pub mod organisations;
pub mod outbox;
pub mod papers;
pub mod population;
pub mod refusals;
pub mod reminders;
pub mod representations;
pub mod samples;
pub mod saved_searches;
pub mod search;
pub mod seen;
pub mod sessions;
pub mod shards;
pub mod tally;
pub mod time_stamps;
pub mod tokens;
pub mod usagers;
pub mod watch;

pub use append::{NewEvent, NewOpening, SearchRow};
pub use engine::Engine;
pub use error::StoreError;
pub use options::StoreOptions;
pub use signer::{CheckpointSigner, JournalSigner};
pub use statement::{Statement, all_statements};
pub use store::Store;
pub use tx::{Appended, Snapshot, Tx};
pub use written::{NotIncluded, Written};

/// A boxed future: what the closures of `Store::write` and `Store::read` give.
pub type BoxFuture<'t, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 't>>;
