//! How a store is opened.

use std::path::PathBuf;
use std::time::Duration;

/// How a store is opened. No `Debug`: the address may carry a password.
#[derive(Clone)]
pub struct StoreOptions {
    /// `sqlite:PATH` or `postgres://...`.
    pub url: String,
    /// Connections: readers on SQLite (the one writer comes on top), all of them on PostgreSQL.
    pub connections: u32,
    /// Writes that may wait in memory before [`super::StoreError::Busy`].
    pub waiting_writes: usize,
    /// How long a write may wait for a connection.
    pub patience: Duration,
    /// The file, outside the database, that holds the last published checkpoint (anti-rollback).
    pub published_checkpoint: Option<PathBuf>,
    /// Entries, of whichever replica, that may wait for their place in the database before [`super::StoreError::Busy`]
    /// (PostgreSQL only).
    pub most_waiting: u64,
    /// How long the oldest of them may wait (PostgreSQL only).
    pub longest_wait: Duration,
    /// Whether this replica gives entries their place (PostgreSQL only; SQLite's writer always does).
    pub sequencing: bool,
}

impl StoreOptions {
    /// Options with sensible values for one address.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            connections: 16,
            waiting_writes: 4_096,
            patience: Duration::from_secs(5),
            published_checkpoint: None,
            most_waiting: 4_096,
            longest_wait: Duration::from_secs(2),
            sequencing: true,
        }
    }
}
