//! Where an entry stands in the journal: what people are given to hold us to it.

use super::{App, Error};
use crate::crypto::to_hex;
use crate::mandate::{EventId, Instant, MandateId};
use crate::storage::Snapshot;
use crate::storage::data_keys::KeyKind;
use crate::storage::journal::{self, EntryRow};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The place of an included entry. Hashes are written as the journal's formats write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The entry.
    pub event: EventId,
    /// When it was written.
    pub at: Instant,
    /// Index of its leaf in the tree of its shard, from 0.
    pub index: u64,
    /// Name of the journal's shard.
    pub origin: String,
    /// Size of the first signed tree that covers it.
    pub tree_size: u64,
    /// Root of that tree, in base64.
    pub root: String,
    /// Hash of its leaf, in hexadecimal.
    pub leaf_hash: String,
}

/// The receipt of an entry; none while it has no place under a signed checkpoint.
pub async fn of(snapshot: &mut Snapshot, event: &EventId) -> Result<Option<Receipt>, Error> {
    match journal::entry(snapshot, event).await? {
        Some(entry) => of_entry(snapshot, entry).await,
        None => Ok(None),
    }
}

/// The receipt of one step of a mandate's own history, by its number; none while it has no place under a signed
/// checkpoint.
pub async fn of_step(
    app: &App,
    snapshot: &mut Snapshot,
    mandate: &MandateId,
    number: u64,
) -> Result<Option<Receipt>, Error> {
    match step(app, snapshot, mandate, number).await? {
        Some(entry) => of_entry(snapshot, entry).await,
        None => Ok(None),
    }
}

/// The entry of one step of a mandate's own history, by its number; none when the history was erased.
pub(super) async fn step(
    app: &App,
    snapshot: &mut Snapshot,
    mandate: &MandateId,
    number: u64,
) -> Result<Option<EntryRow>, Error> {
    let key = app.vault.find(&app.keys, snapshot, KeyKind::Mandate, mandate.as_str()).await?;
    let Some(key) = key else { return Ok(None) };
    Ok(journal::by_tag(snapshot, &key.tags()?.tag(number).to_hex()).await?)
}

/// The receipt of an entry already looked up.
async fn of_entry(snapshot: &mut Snapshot, entry: EntryRow) -> Result<Option<Receipt>, Error> {
    let Some((index, leaf_hash)) = entry.leaf else { return Ok(None) };
    let Some(checkpoint) = journal::checkpoint_covering(snapshot, index + 1).await? else { return Ok(None) };
    Ok(Some(Receipt {
        event: entry.event_id,
        at: entry.at,
        index: index.checked_sub(checkpoint.start).ok_or(Error::Unreadable)?,
        tree_size: checkpoint.tree_size(),
        origin: checkpoint.origin,
        root: STANDARD.encode(checkpoint.root.as_bytes()),
        leaf_hash: to_hex(leaf_hash.as_bytes()),
    }))
}
