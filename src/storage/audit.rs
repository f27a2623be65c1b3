//! The journal's tables as they are, for verification: nothing of a row is taken for granted, not even the form of
//! an identifier or a hash, and rows that should not be there are looked for.

use super::bound::sql;
use super::column::Columns;
use super::statement::statements;
use super::{Engine, Snapshot, StoreError};
use crate::mandate::Instant;

statements! {
    LEAVES = "SELECT leaf.idx AS idx, leaf.event_id AS event_id, leaf_hash, event.at AS at, tag, entry, \
        event_search.event_id AS found, event_search.at AS found_at, kind, outcome, code, organisation, aidant, \
        mandate, usager, client, procedure FROM leaf \
        LEFT JOIN event ON event.event_id = leaf.event_id \
        LEFT JOIN event_search ON event_search.event_id = leaf.event_id \
        WHERE leaf.idx >= $1 AND leaf.idx < $2 ORDER BY leaf.idx";
    OPENINGS = "SELECT opening.event_id AS event_id, slot, key_id, sealed FROM leaf \
        JOIN opening ON opening.event_id = leaf.event_id WHERE leaf.idx >= $1 AND leaf.idx < $2 \
        ORDER BY leaf.idx, slot";
    TILE = "SELECT level, idx, root, hashes FROM tile WHERE level = $1 AND idx = $2";
    CHECKPOINTS = "SELECT size, root, note, link FROM checkpoint WHERE size > $1 AND size <= $2 ORDER BY size";
    WITHOUT_LEAF = "SELECT event.event_id AS event_id, entry FROM event LEFT JOIN leaf \
        ON leaf.event_id = event.event_id WHERE leaf.idx IS NULL ORDER BY event.event_id LIMIT CAST($1 AS BIGINT)";
    DUPLICATE_TAGS = "SELECT MIN(event_id) AS event_id, COUNT(*) AS total FROM event GROUP BY tag \
        HAVING COUNT(*) > 1 ORDER BY 1 LIMIT CAST($1 AS BIGINT)";
    LISTED = "SELECT leaf.idx AS idx, leaf.event_id AS event_id, event.at AS at, kind, outcome FROM leaf \
        JOIN event ON event.event_id = leaf.event_id \
        LEFT JOIN event_search ON event_search.event_id = leaf.event_id \
        WHERE leaf.idx >= $1 ORDER BY leaf.idx LIMIT CAST($2 AS BIGINT)";
    STRAY_OPENINGS = "SELECT opening.event_id AS event_id, slot FROM opening LEFT JOIN event \
        ON event.event_id = opening.event_id WHERE event.event_id IS NULL ORDER BY opening.event_id, slot \
        LIMIT CAST($1 AS BIGINT)";
    STRAY_SEARCH = "SELECT event_search.event_id AS event_id FROM event_search LEFT JOIN event \
        ON event.event_id = event_search.event_id WHERE event.event_id IS NULL ORDER BY event_search.event_id \
        LIMIT CAST($1 AS BIGINT)";
    STRAY_REFUSALS = "SELECT id FROM refusal WHERE id <> COALESCE(last_event, '') ORDER BY id LIMIT CAST($1 AS BIGINT)";
    MANDATES = "SELECT id, seq FROM mandate WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)";
    MANDATES_OF_ERASED = "SELECT mandate.id AS id FROM mandate JOIN usager ON usager.id = mandate.usager_id \
        WHERE identity_key = '' ORDER BY mandate.id";
    ERASED = "SELECT COUNT(*) AS total FROM usager WHERE identity_key = ''";
    KEYLESS = "SELECT usager.id AS id FROM usager LEFT JOIN data_key ON data_key.kind = 'usager' \
        AND data_key.subject_id = usager.id WHERE (identity_key = '') = (data_key.id IS NOT NULL) ORDER BY usager.id \
        LIMIT CAST($1 AS BIGINT)";
    MANDATES_GONE = "SELECT subject_id FROM data_key LEFT JOIN mandate ON mandate.id = data_key.subject_id \
        WHERE data_key.kind = 'mandate' AND mandate.id IS NULL ORDER BY subject_id LIMIT CAST($1 AS BIGINT)";
}

/// Events that wait for their place stand in the queue, so one that does not is lost.
pub(super) const WITHOUT_LEAF_OR_QUEUE: &str = "SELECT event.event_id AS event_id, entry FROM event LEFT JOIN leaf \
    ON leaf.event_id = event.event_id LEFT JOIN queue ON queue.event_id = event.event_id \
    WHERE leaf.idx IS NULL AND queue.qid IS NULL ORDER BY event.event_id LIMIT CAST($1 AS BIGINT)";
/// What is queued is an event without a place, once.
pub(super) const STRAY_QUEUE: &str = "SELECT queue.event_id AS event_id FROM queue LEFT JOIN event \
    ON event.event_id = queue.event_id LEFT JOIN leaf ON leaf.event_id = queue.event_id GROUP BY queue.event_id \
    HAVING COUNT(*) > 1 OR COUNT(event.event_id) = 0 OR COUNT(leaf.idx) > 0 ORDER BY 1 LIMIT CAST($1 AS BIGINT)";

/// Rows named of each kind of stray, at most.
const MOST_NAMED: i64 = 1_000;

/// A row of leaves with its event, as far as that is there.
pub struct LeafRow {
    /// Index.
    pub index: u64,
    /// The event it names.
    pub event_id: String,
    /// Leaf hash.
    pub leaf_hash: Vec<u8>,
    /// The event.
    pub event: Option<EventRow>,
    /// How it can be found.
    pub found: Option<FoundRow>,
}

/// A row of the search, as stored: names of what happened, and parties as blind indexes.
pub struct FoundRow {
    /// When.
    pub at: Option<Instant>,
    /// What it tells of.
    pub kind: Option<String>,
    /// How it came out.
    pub outcome: Option<String>,
    /// The refusal's code.
    pub code: Option<String>,
    /// Organisation.
    pub organisation: Option<String>,
    /// Aidant.
    pub aidant: Option<String>,
    /// Mandate.
    pub mandate: Option<String>,
    /// Usager.
    pub usager: Option<String>,
    /// Relying party.
    pub client: Option<String>,
    /// Procedure.
    pub procedure: Option<String>,
}

/// A row of events.
pub struct EventRow {
    /// When.
    pub at: Instant,
    /// Tag.
    pub tag: String,
    /// The entry's bytes.
    pub entry: Vec<u8>,
}

/// A row of openings: no `Debug`.
pub struct SealedOpening {
    /// The event it says it opens.
    pub event_id: String,
    /// The slot.
    pub slot: String,
    /// The data key it is sealed under.
    pub key_id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// A row of tiles.
pub struct RawTile {
    /// Level.
    pub level: u8,
    /// Index within the level.
    pub index: u64,
    /// Root over its hashes.
    pub root: Vec<u8>,
    /// Its hashes, joined.
    pub hashes: Vec<u8>,
}

/// A row of checkpoints.
pub struct RawCheckpoint {
    /// Size.
    pub size: u64,
    /// Root.
    pub root: Vec<u8>,
    /// The signed note.
    pub note: String,
    /// The signed link to the checkpoint before.
    pub link: Option<String>,
}

/// An entry in a list.
pub struct ListedEntry {
    /// Index.
    pub index: u64,
    /// Identifier.
    pub event_id: String,
    /// When.
    pub at: Instant,
    /// What it tells of; none once it was forgotten.
    pub kind: Option<String>,
    /// How it came out.
    pub outcome: Option<String>,
}

fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The leaves from `start` up to, but without, `end`.
pub async fn leaves(snapshot: &mut Snapshot, start: u64, end: u64) -> Result<Vec<LeafRow>, StoreError> {
    let rows = sql(LEAVES).bind(number(start)).bind(number(end));
    snapshot
        .list("leaf", rows, |row| {
            let event = match row.bytes_or_none("entry")? {
                Some(entry) => Some(EventRow { at: row.instant("at")?, tag: row.text("tag")?, entry }),
                None => None,
            };
            Ok(LeafRow {
                index: row.count("idx")?,
                event_id: row.text("event_id")?,
                leaf_hash: row.bytes("leaf_hash")?,
                event,
                found: found(row)?,
            })
        })
        .await
}

fn found(row: &Columns<'_>) -> Result<Option<FoundRow>, StoreError> {
    if row.text_or_none("found")?.is_none() {
        return Ok(None);
    }
    Ok(Some(FoundRow {
        at: row.number_or_none("found_at")?.map(Instant::from_micros),
        kind: row.text_or_none("kind")?,
        outcome: row.text_or_none("outcome")?,
        code: row.text_or_none("code")?,
        organisation: row.text_or_none("organisation")?,
        aidant: row.text_or_none("aidant")?,
        mandate: row.text_or_none("mandate")?,
        usager: row.text_or_none("usager")?,
        client: row.text_or_none("client")?,
        procedure: row.text_or_none("procedure")?,
    }))
}

/// The sealed openings of those leaves' events, in their order.
pub async fn openings(
    snapshot: &mut Snapshot,
    start: u64,
    end: u64,
) -> Result<Vec<SealedOpening>, StoreError> {
    let rows = sql(OPENINGS).bind(number(start)).bind(number(end));
    snapshot
        .list("opening", rows, |row| {
            Ok(SealedOpening {
                event_id: row.text("event_id")?,
                slot: row.text("slot")?,
                key_id: row.text("key_id")?,
                sealed: row.bytes("sealed")?,
            })
        })
        .await
}

/// Entries in their order with what they tell of, in pages from place `from` on.
pub async fn listed(snapshot: &mut Snapshot, from: u64, limit: u32) -> Result<Vec<ListedEntry>, StoreError> {
    let rows = sql(LISTED).bind(number(from)).bind(i64::from(limit));
    snapshot
        .list("leaf", rows, |row| {
            Ok(ListedEntry {
                index: row.count("idx")?,
                event_id: row.text("event_id")?,
                at: row.instant("at")?,
                kind: row.text_or_none("kind")?,
                outcome: row.text_or_none("outcome")?,
            })
        })
        .await
}

/// One full tile.
pub async fn tile(snapshot: &mut Snapshot, level: u8, index: u64) -> Result<Option<RawTile>, StoreError> {
    let row = sql(TILE).bind(i64::from(level)).bind(number(index));
    snapshot
        .find("tile", row, |row| {
            Ok(RawTile { level, index, root: row.bytes("root")?, hashes: row.bytes("hashes")? })
        })
        .await
}

/// Checkpoints of a size above `after` (from size 0 on without one) and up to `end`.
pub async fn checkpoints(
    snapshot: &mut Snapshot,
    after: Option<u64>,
    end: u64,
) -> Result<Vec<RawCheckpoint>, StoreError> {
    let rows = sql(CHECKPOINTS).bind(after.map_or(-1, number)).bind(number(end));
    snapshot
        .list("checkpoint", rows, |row| {
            Ok(RawCheckpoint {
                size: row.count("size")?,
                root: row.bytes("root")?,
                note: row.text("note")?,
                link: row.text_or_none("link")?,
            })
        })
        .await
}

/// Events that have no place and wait for none, with their entries: the first thousand.
pub async fn events_without_leaf(
    snapshot: &mut Snapshot,
    engine: Engine,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let rows = match engine {
        Engine::Sqlite => sql(WITHOUT_LEAF),
        Engine::Postgres => sql(WITHOUT_LEAF_OR_QUEUE),
    };
    snapshot
        .list("event", rows.bind(MOST_NAMED), |row| Ok((row.text("event_id")?, row.bytes("entry")?)))
        .await
}

/// Queued events that are not there or have their place already: the first thousand. None on SQLite.
pub async fn stray_queue(snapshot: &mut Snapshot, engine: Engine) -> Result<Vec<String>, StoreError> {
    match engine {
        Engine::Sqlite => Ok(Vec::new()),
        Engine::Postgres => {
            snapshot.list("queue", sql(STRAY_QUEUE).bind(MOST_NAMED), |row| row.text("event_id")).await
        }
    }
}

/// Tags on more than one event: one of the events, and how many there are.
pub async fn duplicate_tags(snapshot: &mut Snapshot) -> Result<Vec<(String, u64)>, StoreError> {
    let rows = sql(DUPLICATE_TAGS).bind(MOST_NAMED);
    snapshot.list("event", rows, |row| Ok((row.text("event_id")?, row.count("total")?))).await
}

/// Openings of events that are not there, as event and slot: the first thousand.
pub async fn stray_openings(snapshot: &mut Snapshot) -> Result<Vec<(String, String)>, StoreError> {
    let rows = sql(STRAY_OPENINGS).bind(MOST_NAMED);
    snapshot.list("opening", rows, |row| Ok((row.text("event_id")?, row.text("slot")?))).await
}

/// Rows of the search that lead to no event: the first thousand.
pub async fn stray_search(snapshot: &mut Snapshot) -> Result<Vec<String>, StoreError> {
    let rows = sql(STRAY_SEARCH).bind(MOST_NAMED);
    snapshot.list("event_search", rows, |row| row.text("event_id")).await
}

/// Lines of the refusals that carry another entry than their own: the first thousand.
pub async fn stray_refusals(snapshot: &mut Snapshot) -> Result<Vec<String>, StoreError> {
    snapshot.list("refusal", sql(STRAY_REFUSALS).bind(MOST_NAMED), |row| row.text("id")).await
}

/// Mandates in pages, as identifier and number of the last entry, after `after` (empty for the first).
pub async fn mandates(
    snapshot: &mut Snapshot,
    after: &str,
    limit: u32,
) -> Result<Vec<(String, u64)>, StoreError> {
    let rows = sql(MANDATES).bind(after).bind(i64::from(limit));
    snapshot.list("mandate", rows, |row| Ok((row.text("id")?, row.count("seq")?))).await
}

/// Mandates that have a key but no row: the first thousand.
pub async fn mandates_gone(snapshot: &mut Snapshot) -> Result<Vec<String>, StoreError> {
    snapshot.list("data_key", sql(MANDATES_GONE).bind(MOST_NAMED), |row| row.text("subject_id")).await
}

/// The mandates of usagers who were erased.
pub async fn mandates_of_erased(snapshot: &mut Snapshot) -> Result<Vec<String>, StoreError> {
    snapshot.list("mandate", sql(MANDATES_OF_ERASED), |row| row.text("id")).await
}

/// How many usagers were erased.
pub async fn erased(snapshot: &mut Snapshot) -> Result<u64, StoreError> {
    let total = snapshot.find("usager", sql(ERASED), |row| row.count("total")).await?;
    Ok(total.unwrap_or_default())
}

/// Usagers who lost their key without being erased, or have one though they were: the first thousand.
pub async fn keyless(snapshot: &mut Snapshot) -> Result<Vec<String>, StoreError> {
    snapshot.list("usager", sql(KEYLESS).bind(MOST_NAMED), |row| row.text("id")).await
}
