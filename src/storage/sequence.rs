//! Giving entries their place: index, leaf, full tiles, one signed checkpoint. Both engines use this, within
//! the transaction of the moment.

use super::StoreError;
use super::bound::{Bound, sql};
use super::column::Columns;
use super::halt::Halt;
use super::signer::CheckpointSigner;
use super::statement::statements;
use super::tx::{Appended, Snapshot};
use crate::journal::{Frontier, FullTile, Hash, TILE_WIDTH};
use std::sync::Arc;

statements! {
    HEAD = "SELECT size, root, note, CAST(CASE WHEN link IS NULL THEN 0 ELSE 1 END AS BIGINT) AS linked FROM checkpoint ORDER BY size DESC LIMIT 1";
    ROOT_AT = "SELECT size, root FROM checkpoint WHERE size = $1";
    LEAVES_FROM = "SELECT idx, leaf_hash FROM leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx";
    TILE_ROOTS_FROM = "SELECT idx, root FROM tile WHERE level = $1 AND idx >= $2 AND idx < $3 ORDER BY idx";
    // All leaves of a batch in one statement: identifiers and hashes come joined and are cut again, so the
    // text is the same for one entry or four thousand. The empty look-up in COALESCE only tells
    // PostgreSQL that the value is bytes; a CAST would need a type name the engines do not share.
    INSERT_LEAVES = "WITH RECURSIVE series (n) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT n + 1 FROM series \
        WHERE n + 1 < $1) INSERT INTO leaf (idx, event_id, leaf_hash) SELECT CAST($2 AS BIGINT) + n, \
        substr(CAST($3 AS TEXT), CAST(n * 32 + 1 AS INTEGER), 32), \
        substr(COALESCE($4, (SELECT leaf_hash FROM leaf WHERE idx < 0)), CAST(n * 32 + 1 AS INTEGER), 32) \
        FROM series ORDER BY n";
    INSERT_TILE = "INSERT INTO tile (level, idx, root, hashes) VALUES ($1, $2, $3, $4)";
    INSERT_CHECKPOINT = "INSERT INTO checkpoint (size, root, note, link) VALUES ($1, $2, $3, $4)";
}

/// The head of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) size: u64,
    pub(super) root: Hash,
    pub(super) note: String,
}

/// What sequencing keeps in memory between batches.
pub(super) struct Sequencer {
    signer: Arc<dyn CheckpointSigner>,
    published: Option<Head>,
    edge: Option<Frontier>,
    /// Whether the newest stored checkpoint is linked to the one before: those from before there were links are not.
    linked: bool,
    halt: Halt,
}

impl Sequencer {
    /// `published`: the head last published from here, which the database must contain.
    pub(super) fn new(signer: Arc<dyn CheckpointSigner>, published: Option<Head>, halt: Halt) -> Self {
        Self { signer, published, edge: None, linked: false, halt }
    }

    /// Forgets the right edge: the outcome of a commit is not known. The next batch reads and verifies it.
    pub(super) fn forget(&mut self) {
        self.edge = None;
    }

    /// A batch was committed under this head.
    pub(super) fn committed(&mut self, head: Head) {
        self.published = Some(head);
    }

    /// Reads the head and verifies the right edge against it, unless memory already matches.
    pub(super) async fn catch_up(&mut self, snapshot: &mut Snapshot) -> Result<(), StoreError> {
        let (head, linked) = stored_head(snapshot).await?.unzip();
        self.linked = linked == Some(true);
        let size = head.as_ref().map_or(0, |head: &Head| head.size);
        let known = self.published.as_ref().map(|published| (published.size, published.root));
        let unchanged = head.as_ref().map(|head| (head.size, head.root)) == known;
        if unchanged && self.edge.as_ref().is_some_and(|edge| edge.size() == size) {
            return Ok(());
        }
        self.edge = None;
        self.refuse_rollback(snapshot, size).await?;
        let edge = read_edge(snapshot, size).await?;
        if let Some(head) = head {
            if edge.root() != head.root {
                return Err(StoreError::Journal(format!("the leaves do not give the root of {size}")));
            }
            if self.signer.open(&head.note) != Some((head.size, head.root)) {
                return Err(StoreError::Journal(format!("the checkpoint of {size} is not ours")));
            }
        }
        self.edge = Some(edge);
        Ok(())
    }

    /// What was published from here must stand in the database, or it was rolled back or replaced.
    async fn refuse_rollback(&self, snapshot: &mut Snapshot, size: u64) -> Result<(), StoreError> {
        let Some(published) = &self.published else { return Ok(()) };
        if size < published.size {
            let text = format!("{} entries were published, {size} are there", published.size);
            return Err(StoreError::Behind(text));
        }
        match root_at(snapshot, published.size).await? {
            Some(root) if root == published.root => Ok(()),
            _ => Err(StoreError::Behind(format!("the checkpoint of {} is another one", published.size))),
        }
    }

    /// Gives the entries their place, in their order, and signs the new head. Call [`Self::committed`] after
    /// the commit, [`Self::forget`] when it fails.
    pub(super) async fn extend(
        &mut self,
        snapshot: &mut Snapshot,
        appended: &[Appended],
    ) -> Result<Head, StoreError> {
        self.halt.check()?;
        self.catch_up(snapshot).await?;
        let Some(mut edge) = self.edge.take() else {
            return Err(StoreError::Journal("no right edge".to_owned()));
        };
        let first = edge.size();
        let mut tiles = Vec::new();
        for entry in appended {
            tiles.extend(edge.append(entry.leaf_hash));
        }
        insert_leaves(snapshot, first, appended).await?;
        for tile in &tiles {
            insert_tile(snapshot, tile).await?;
        }
        let (size, root) = (edge.size(), edge.root());
        let note = self.signer.sign(size, &root).map_err(StoreError::Signing)?;
        let before = if self.linked { first } else { 0 };
        let link = self.signer.link(before, size, &root).map_err(StoreError::Signing)?;
        let insert = sql(INSERT_CHECKPOINT).bind(number(size)).bind(root.as_bytes().as_slice());
        run(snapshot, insert.bind(note.as_str()).bind(link)).await?;
        self.edge = Some(edge);
        Ok(Head { size, root, note })
    }
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

async fn run(snapshot: &mut Snapshot, statement: Bound) -> Result<(), StoreError> {
    snapshot.change(statement).await?;
    Ok(())
}

async fn insert_leaves(snapshot: &mut Snapshot, first: u64, appended: &[Appended]) -> Result<(), StoreError> {
    let ids: String = appended.iter().map(|entry| entry.event_id.as_str()).collect();
    let hashes: Vec<u8> = appended.iter().flat_map(|entry| *entry.leaf_hash.as_bytes()).collect();
    let count = i64::try_from(appended.len()).unwrap_or(i64::MAX);
    run(snapshot, sql(INSERT_LEAVES).bind(count).bind(number(first)).bind(ids).bind(hashes)).await
}

async fn insert_tile(snapshot: &mut Snapshot, tile: &FullTile) -> Result<(), StoreError> {
    let insert = sql(INSERT_TILE)
        .bind(i64::from(tile.level))
        .bind(number(tile.index))
        .bind(tile.root.as_bytes().as_slice())
        .bind(tile.to_bytes());
    run(snapshot, insert).await
}

/// The journal's head; none before the first entry.
pub(super) async fn head(snapshot: &mut Snapshot) -> Result<Option<Head>, StoreError> {
    Ok(stored_head(snapshot).await?.map(|(head, _)| head))
}

/// The head, and whether it is linked to the one before.
async fn stored_head(snapshot: &mut Snapshot) -> Result<Option<(Head, bool)>, StoreError> {
    snapshot
        .find("checkpoint", sql(HEAD), |row| {
            let head = Head { size: row.count("size")?, root: row.hash("root")?, note: row.text("note")? };
            Ok((head, row.number("linked")? == 1))
        })
        .await
}

/// Root of the checkpoint of that size; none when there is no such checkpoint.
pub(super) async fn root_at(snapshot: &mut Snapshot, size: u64) -> Result<Option<Hash>, StoreError> {
    snapshot.find("checkpoint", sql(ROOT_AT).bind(number(size)), |row| row.hash("root")).await
}

/// Reads the partial tiles at the right of a tree of `size` entries.
async fn read_edge(snapshot: &mut Snapshot, size: u64) -> Result<Frontier, StoreError> {
    let width = TILE_WIDTH as u64;
    let mut partial = Vec::new();
    let mut complete = size;
    while complete > 0 {
        let from = complete - complete % width;
        let rows = match partial.len() {
            0 => sql(LEAVES_FROM).bind(number(from)).bind(number(complete)),
            level => sql(TILE_ROOTS_FROM)
                .bind(i64::try_from(level - 1).unwrap_or(i64::MAX))
                .bind(number(from))
                .bind(number(complete)),
        };
        let (table, column) = if partial.is_empty() { ("leaf", "leaf_hash") } else { ("tile", "root") };
        partial.push(snapshot.list(table, rows, |row: &Columns<'_>| row.hash(column)).await?);
        complete /= width;
    }
    Frontier::resume(size, partial).map_err(|error| StoreError::Journal(error.to_string()))
}
