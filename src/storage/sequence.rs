//! Giving entries their place: index, leaf, full tiles, one signed checkpoint. Both engines use this, within
//! the transaction of the moment.

use super::StoreError;
use super::bound::{Bound, sql};
use super::column::Columns;
use super::halt::Halt;
use super::shards::{self, Shard, Shards};
use super::signer::CheckpointSigner;
use super::statement::statements;
use super::tx::{Appended, Snapshot};
use crate::journal::{Checkpoint, EMPTY_ROOT, Frontier, FullTile, Hash, TILE_WIDTH};
use crate::mandate::EventId;
use std::sync::Arc;

statements! {
    HEAD = "SELECT size, root, note, CAST(CASE WHEN link IS NULL THEN 0 ELSE 1 END AS BIGINT) AS linked FROM checkpoint ORDER BY size DESC LIMIT 1";
    ROOT_AT = "SELECT size, root FROM checkpoint WHERE size = $1";
    NOTE_AT = "SELECT note FROM checkpoint WHERE size = $1";
    EVENT_AT = "SELECT event_id FROM leaf WHERE idx = $1";
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
    /// What was last published from here: the database must contain it.
    published: Option<Checkpoint>,
    edge: Option<Edge>,
    /// Whether the newest stored checkpoint is linked to the one before: those from before there were links are not.
    linked: bool,
    halt: Halt,
}

/// The right edge of the newest shard's tree, and who signs for that shard.
struct Edge {
    shard: Shard,
    signer: Arc<dyn CheckpointSigner>,
    tree: Frontier,
    root: Hash,
}

impl Edge {
    /// How many entries the journal has, counted over all shards.
    const fn size(&self) -> u64 {
        self.shard.start + self.tree.size()
    }
}

/// A shard that is to begin with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opening {
    pub(super) origin: String,
    pub(super) event: EventId,
}

impl Sequencer {
    /// `published`: the head last published from here, which the database must contain.
    pub(super) fn new(signer: Arc<dyn CheckpointSigner>, published: Option<Checkpoint>, halt: Halt) -> Self {
        Self { signer, published, edge: None, linked: false, halt }
    }

    /// Forgets the right edge: the outcome of a commit is not known. The next batch reads and verifies it.
    pub(super) fn forget(&mut self) {
        self.edge = None;
    }

    /// The batch was committed.
    pub(super) fn committed(&mut self) {
        let Some(Edge { shard, tree, root, .. }) = &self.edge else { return };
        self.published = Some(Checkpoint { origin: shard.origin.clone(), size: tree.size(), root: *root });
    }

    /// Reads the head and verifies the right edge against it, unless memory already matches.
    pub(super) async fn catch_up(&mut self, snapshot: &mut Snapshot) -> Result<(), StoreError> {
        let (head, linked) = stored_head(snapshot).await?.unzip();
        self.linked = linked == Some(true);
        let size = head.as_ref().map_or(0, |head: &Head| head.size);
        let found = head.as_ref().map_or((0, EMPTY_ROOT), |head| (head.size, head.root));
        if self.edge.as_ref().is_some_and(|edge| (edge.size(), edge.root) == found) {
            return Ok(());
        }
        let before = self.edge.take().map(|edge| edge.shard);
        let shards = shards::all(snapshot, self.signer.origin()).await?;
        self.refuse_rollback(snapshot, size, &shards).await?;
        let shard = shards.at(size.saturating_sub(1)).clone();
        if before.is_none_or(|before| before.number != shard.number) {
            self.verify_beginning(snapshot, &shards, &shard).await?;
        }
        let (signer, tree) = (self.signer_of(&shard)?, read_edge(snapshot, shard.start, size).await?);
        let root = tree.root();
        if let Some(head) = head {
            if root != head.root {
                return Err(StoreError::Journal(format!("the leaves do not give the root of {size}")));
            }
            if signer.open(&head.note) != Some((tree.size(), root)) {
                return Err(StoreError::Journal(format!("the checkpoint of {size} is not ours")));
            }
        }
        self.edge = Some(Edge { shard, signer, tree, root });
        Ok(())
    }

    fn signer_of(&self, shard: &Shard) -> Result<Arc<dyn CheckpointSigner>, StoreError> {
        if shard.origin == self.signer.origin() {
            return Ok(Arc::clone(&self.signer));
        }
        self.signer.called(&shard.origin).map_err(StoreError::Signing)
    }

    /// A shard begins with the entry that opened it, behind the final checkpoint of the one before. What that entry tells
    /// is for verification to say: it is sealed.
    async fn verify_beginning(
        &self,
        snapshot: &mut Snapshot,
        shards: &Shards,
        shard: &Shard,
    ) -> Result<(), StoreError> {
        let Some(event) = &shard.opened_by else { return Ok(()) };
        let before = shards.at(shard.start.saturating_sub(1));
        let note =
            snapshot.find("checkpoint", sql(NOTE_AT).bind(number(shard.start)), |row| row.text("note"));
        let signed = note.await?.and_then(|note| self.signer_of(before).ok()?.open(&note));
        if signed.is_none_or(|(size, _)| before.start.checked_add(size) != Some(shard.start)) {
            let text = format!("the final checkpoint of {} is not there, or not ours", before.origin);
            return Err(StoreError::Journal(text));
        }
        let first =
            snapshot.find("leaf", sql(EVENT_AT).bind(number(shard.start)), |row| row.text("event_id"));
        if first.await?.as_deref() == Some(event.as_str()) {
            return Ok(());
        }
        Err(StoreError::Journal(format!("{} does not begin with the entry that opened it", shard.origin)))
    }

    /// What was published from here must stand in the database, or it was rolled back or replaced.
    async fn refuse_rollback(
        &self,
        snapshot: &mut Snapshot,
        size: u64,
        shards: &Shards,
    ) -> Result<(), StoreError> {
        let Some(published) = &self.published else { return Ok(()) };
        let Some(shard) = shards.named(&published.origin) else {
            let text =
                format!("a checkpoint of {} was published, and there is no such shard", published.origin);
            return Err(StoreError::Behind(text));
        };
        let place = shard.start.saturating_add(published.size);
        if size < place {
            return Err(StoreError::Behind(format!("{place} entries were published, {size} are there")));
        }
        match root_at(snapshot, place).await? {
            Some(root) if root == published.root => Ok(()),
            _ => Err(StoreError::Behind(format!("the checkpoint of {place} is another one"))),
        }
    }

    /// Gives the entries their place, in their order, and signs the new head; with an opening, as the first of a new
    /// shard. Call [`Self::committed`] after the commit, [`Self::forget`] when it fails.
    pub(super) async fn extend(
        &mut self,
        snapshot: &mut Snapshot,
        appended: &[Appended],
        opening: Option<&Opening>,
    ) -> Result<Head, StoreError> {
        self.halt.check()?;
        self.catch_up(snapshot).await?;
        let Some(mut edge) = self.edge.take() else {
            return Err(StoreError::Journal("no right edge".to_owned()));
        };
        if let Some(opening) = opening {
            edge = self.open_next(snapshot, &edge, opening, appended).await?;
        }
        let (start, first) = (edge.shard.start, edge.tree.size());
        let mut tiles = Vec::new();
        for entry in appended {
            tiles.extend(edge.tree.append(entry.leaf_hash));
        }
        insert_leaves(snapshot, start + first, appended).await?;
        for tile in &tiles {
            insert_tile(snapshot, start, tile).await?;
        }
        let (size, root) = (edge.tree.size(), edge.tree.root());
        let note = edge.signer.sign(size, &root).map_err(StoreError::Signing)?;
        // A shard begins a chain of its own.
        let before = if self.linked { first } else { 0 };
        let link = edge.signer.link(before, size, &root).map_err(StoreError::Signing)?;
        let insert = sql(INSERT_CHECKPOINT).bind(number(start + size)).bind(root.as_bytes().as_slice());
        run(snapshot, insert.bind(note.as_str()).bind(link)).await?;
        self.edge = Some(Edge { root, ..edge });
        Ok(Head { size: start + size, root, note })
    }

    /// The next shard begins, with the one entry that opens it.
    async fn open_next(
        &self,
        snapshot: &mut Snapshot,
        edge: &Edge,
        Opening { origin, event }: &Opening,
        appended: &[Appended],
    ) -> Result<Edge, StoreError> {
        let alone = matches!(appended, [only] if only.event_id == *event);
        if !alone || edge.tree.size() == 0 {
            return Err(StoreError::Refused(
                "a shard begins behind entries, with the one that opens it".to_owned(),
            ));
        }
        let shard = Shard {
            number: edge.shard.number + 1,
            origin: origin.clone(),
            start: edge.size(),
            end: None,
            opened_by: Some(event.clone()),
        };
        let signer = self.signer_of(&shard)?;
        shards::insert(snapshot, &shard, event).await?;
        let tree = Frontier::default();
        Ok(Edge { shard, signer, root: tree.root(), tree })
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

async fn insert_tile(snapshot: &mut Snapshot, start: u64, tile: &FullTile) -> Result<(), StoreError> {
    let insert = sql(INSERT_TILE)
        .bind(i64::from(tile.level))
        .bind(number(start + tile.index))
        .bind(tile.root.as_bytes().as_slice())
        .bind(tile.to_bytes());
    run(snapshot, insert).await
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

/// Reads the partial tiles at the right of the tree that starts at a place, in a journal of `size` entries.
async fn read_edge(snapshot: &mut Snapshot, start: u64, size: u64) -> Result<Frontier, StoreError> {
    let width = TILE_WIDTH as u64;
    let mut partial = Vec::new();
    let mut complete = size - start.min(size);
    let all = complete;
    while complete > 0 {
        let (from, to) = (number(start + complete - complete % width), number(start + complete));
        let rows = match partial.len() {
            0 => sql(LEAVES_FROM).bind(from).bind(to),
            level => {
                sql(TILE_ROOTS_FROM).bind(i64::try_from(level - 1).unwrap_or(i64::MAX)).bind(from).bind(to)
            }
        };
        let (table, column) = if partial.is_empty() { ("leaf", "leaf_hash") } else { ("tile", "root") };
        partial.push(snapshot.list(table, rows, |row: &Columns<'_>| row.hash(column)).await?);
        complete /= width;
    }
    Frontier::resume(all, partial).map_err(|error| StoreError::Journal(error.to_string()))
}
