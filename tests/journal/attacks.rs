//! Each way to change each table of the journal, and what must be found. A statement names the entries it touches by place:
//! `{first}`, `{third}`, `{signed}`, `{after}`, and `{here}` with its neighbour `{next}` in the middle of a full tile.

use porteplume::storage::Engine;

/// The place of `{here}`, and that of `{next}`.
pub(super) const HERE: u64 = 42;
pub(super) const NEXT: u64 = 43;

/// An event that nobody wrote.
const FORGED: &str = "INSERT INTO event SELECT '0000000000000000000000000000face', at, \
                      '0000000000000000000000000000face', entry FROM event WHERE event_id = '{here}'";

/// One change, or several that belong together.
pub(super) struct Attack {
    pub(super) name: &'static str,
    pub(super) statements: Vec<String>,
    /// What a finding must say.
    pub(super) expected: String,
}

fn attack(name: &'static str, statements: &[&str], expected: &str) -> Attack {
    Attack {
        name,
        statements: statements.iter().map(|statement| (*statement).to_owned()).collect(),
        expected: expected.to_owned(),
    }
}

pub(super) fn events() -> Vec<Attack> {
    let named = "entry 42 (event {here})";
    vec![
        attack(
            "event bytes changed",
            &[
                "UPDATE event SET entry = (SELECT entry FROM event WHERE event_id = '{next}') WHERE event_id = '{here}'",
            ],
            named,
        ),
        attack(
            "event instant changed",
            &["UPDATE event SET at = at + 1000000 WHERE event_id = '{here}'"],
            named,
        ),
        attack(
            "event tag changed",
            &["UPDATE event SET tag = '0000000000000000000000000000face' WHERE event_id = '{here}'"],
            named,
        ),
        attack("event deleted", &["DELETE FROM event WHERE event_id = '{here}'"], named),
        attack("event inserted", &[FORGED], "event 0000000000000000000000000000face"),
        attack(
            "events exchanged",
            &[
                "UPDATE event SET event_id = 'x000000000000000000000000000face' WHERE event_id = '{here}'",
                "UPDATE event SET event_id = '{here}' WHERE event_id = '{next}'",
                "UPDATE event SET event_id = '{next}' WHERE event_id = 'x000000000000000000000000000face'",
            ],
            named,
        ),
        attack("events truncated", &["DELETE FROM event"], "entry 0 (event {first})"),
    ]
}

pub(super) fn leaves() -> Vec<Attack> {
    vec![
        attack(
            "leaf hash changed",
            &["UPDATE leaf SET leaf_hash = (SELECT leaf_hash FROM leaf WHERE idx = 43) WHERE idx = 42"],
            "entry 42 (event {here})",
        ),
        attack("leaf deleted", &["DELETE FROM leaf WHERE idx = 42"], "entry 42"),
        attack(
            "leaf deleted and the others moved up",
            &[
                "DELETE FROM leaf WHERE idx = 42",
                "UPDATE leaf SET idx = idx + 100000 WHERE idx > 42",
                "UPDATE leaf SET idx = idx - 100001 WHERE idx > 100000",
            ],
            "event {here}: the event stands in no leaf",
        ),
        // Nothing tells any more what stood there: it is between the last root that comes out and the next.
        attack(
            "entry deleted with all that is its, the others moved up",
            &[
                "DELETE FROM event WHERE event_id = '{here}'",
                "DELETE FROM opening WHERE event_id = '{here}'",
                "DELETE FROM leaf WHERE idx = 42",
                "UPDATE leaf SET idx = idx + 100000 WHERE idx > 42",
                "UPDATE leaf SET idx = idx - 100001 WHERE idx > 100000",
            ],
            "entry 8 (event {after}): from here on something was removed",
        ),
        attack(
            "leaf inserted at the end",
            &[
                FORGED,
                "INSERT INTO leaf SELECT 305, '0000000000000000000000000000face', leaf_hash FROM leaf WHERE idx = 42",
            ],
            "entry 305",
        ),
        attack(
            "leaf inserted in the middle",
            &[
                FORGED,
                "UPDATE leaf SET idx = idx + 100000 WHERE idx >= 42",
                "UPDATE leaf SET idx = idx - 99999 WHERE idx >= 100000",
                "INSERT INTO leaf SELECT 42, '0000000000000000000000000000face', leaf_hash FROM leaf WHERE idx = 7",
            ],
            "entry 42 (event 0000000000000000000000000000face)",
        ),
        attack(
            "leaves exchanged",
            &[
                "UPDATE leaf SET idx = 100000 WHERE idx = 42",
                "UPDATE leaf SET idx = 42 WHERE idx = 43",
                "UPDATE leaf SET idx = 43 WHERE idx = 100000",
            ],
            "entry 42 (event {next})",
        ),
        attack("leaves cut off", &["DELETE FROM leaf WHERE idx >= 300"], "entry 300"),
        attack("leaves truncated", &["DELETE FROM leaf"], "entry 0"),
    ]
}

pub(super) fn tiles(engine: Engine) -> Vec<Attack> {
    let zeros = match engine {
        Engine::Sqlite => "UPDATE tile SET hashes = zeroblob(8192)",
        Engine::Postgres => "UPDATE tile SET hashes = decode(repeat('00', 8192), 'hex')",
    };
    vec![
        attack("tile hashes changed", &[zeros], "tile 0 of level 0 was altered"),
        attack(
            "tile root changed",
            &["UPDATE tile SET root = (SELECT leaf_hash FROM leaf WHERE idx = 0)"],
            "tile 0 of level 0 was altered",
        ),
        attack("tile deleted", &["DELETE FROM tile"], "tile 0 of level 0 was removed"),
        attack(
            "tile inserted",
            &["INSERT INTO tile SELECT 1, 7, root, hashes FROM tile"],
            "in the table tile",
        ),
        attack("tile moved", &["UPDATE tile SET idx = 5"], "tile 0 of level 0 was removed"),
    ]
}

pub(super) fn checkpoints() -> Vec<Attack> {
    vec![
        attack(
            "checkpoint note changed",
            &["UPDATE checkpoint SET note = (SELECT note FROM checkpoint WHERE size = 8) WHERE size = 305"],
            "checkpoint of size 305",
        ),
        attack(
            "checkpoint root changed",
            &["UPDATE checkpoint SET root = (SELECT leaf_hash FROM leaf WHERE idx = 1) WHERE size = 8"],
            "entry 7 (event {signed}): the row of the checkpoint of size 8",
        ),
        attack(
            "checkpoint inserted",
            &["INSERT INTO checkpoint SELECT 100, root, note, link FROM checkpoint WHERE size = 8"],
            "checkpoint of size 100",
        ),
        attack(
            "signature broken",
            &[
                "UPDATE checkpoint SET note = replace(note, 'porteplume.test', 'porteplume.fake') WHERE size = 8",
            ],
            "checkpoint of size 8 does not convince",
        ),
        attack("newest checkpoint deleted", &["DELETE FROM checkpoint WHERE size = 305"], "entry 8"),
        attack(
            "checkpoints exchanged",
            &[
                "UPDATE checkpoint SET size = 100000 WHERE size = 8",
                "UPDATE checkpoint SET size = 8 WHERE size = 305",
                "UPDATE checkpoint SET size = 305 WHERE size = 100000",
            ],
            "checkpoint of size 8",
        ),
        attack("checkpoints truncated", &["DELETE FROM checkpoint"], "entry 0"),
    ]
}

pub(super) fn openings() -> Vec<Attack> {
    let named = "entry 42 (event {here}): the opening of act";
    vec![
        attack(
            "opening changed",
            &[
                "UPDATE opening SET sealed = (SELECT sealed FROM opening WHERE event_id = '{next}' AND slot = 'act') \
               WHERE event_id = '{here}' AND slot = 'act'",
            ],
            named,
        ),
        attack(
            "opening under another key",
            &["UPDATE opening SET key_id = 'gone' WHERE event_id = '{here}' AND slot = 'act'"],
            named,
        ),
        attack("opening deleted", &["DELETE FROM opening WHERE event_id = '{here}' AND slot = 'act'"], named),
        attack(
            "opening of a person deleted",
            &["DELETE FROM opening WHERE event_id = '{third}' AND slot = 'sub'"],
            "entry 2 (event {third}): the opening of sub",
        ),
        attack(
            "opening inserted",
            &["INSERT INTO opening SELECT event_id, 'sub', key_id, sealed FROM opening \
               WHERE event_id = '{here}' AND slot = 'act'"],
            "entry 42 (event {here}): the opening of sub",
        ),
        attack(
            "opening of nothing inserted",
            &[
                "INSERT INTO opening SELECT '0000000000000000000000000000face', slot, key_id, sealed FROM opening \
               WHERE event_id = '{here}'",
            ],
            "event 0000000000000000000000000000face",
        ),
        attack(
            "openings exchanged",
            &[
                "UPDATE opening SET event_id = 'x' WHERE event_id = '{here}'",
                "UPDATE opening SET event_id = '{here}' WHERE event_id = '{next}'",
                "UPDATE opening SET event_id = '{next}' WHERE event_id = 'x'",
            ],
            named,
        ),
        attack("openings truncated", &["DELETE FROM opening"], "entry 0 (event {first}): the opening of act"),
    ]
}

pub(super) fn queue() -> Vec<Attack> {
    let face = "event 0000000000000000000000000000face";
    let queued = "INSERT INTO queue (event_id) VALUES ('0000000000000000000000000000face')";
    vec![
        attack("queue row of nothing inserted", &[queued], face),
        attack(
            "queue row inserted again",
            &["INSERT INTO queue (event_id) VALUES ('{here}')"],
            "event {here}",
        ),
        attack("queue row deleted", &[FORGED, queued, "DELETE FROM queue"], face),
        attack(
            "queue row changed",
            &[FORGED, queued, "UPDATE queue SET event_id = '0000000000000000000000000000beef'"],
            face,
        ),
        attack("queue truncated", &[FORGED, queued, "TRUNCATE queue"], face),
    ]
}

pub(super) fn mandates() -> Vec<Attack> {
    let named = "mandate {mandate}: ";
    let says = |what: &str| format!("{named}{what}");
    vec![
        attack(
            "mandate ended behind our back",
            &["UPDATE mandate SET state = 'ended', ended_at = starts_at + 1000000, end_reason = 'revoked'"],
            &says("the state stored"),
        ),
        attack(
            "mandate made longer",
            &["UPDATE mandate SET ends_at = ends_at + 1000000"],
            &says("a fact or instant of the state stored"),
        ),
        attack("mandate under other terms", &["UPDATE mandate SET term = 'year'"], &says("the terms stored")),
        attack(
            "mandate for another procedure",
            &["UPDATE mandate SET terms = replace(terms, 'housing-benefit', 'health-insurance')"],
            &says("the terms stored"),
        ),
        attack(
            "procedure withdrawn",
            &[
                "UPDATE mandate_procedure SET withdrawn_at = 1795000300000000 WHERE procedure_id = 'housing-benefit'",
            ],
            &says("a fact or instant of the state stored"),
        ),
        attack("mandate deleted", &["DELETE FROM mandate"], &says("it was removed")),
        attack("last number lowered", &["UPDATE mandate SET seq = 3"], &says("its entry number 4")),
        attack("last number raised", &["UPDATE mandate SET seq = 5"], &says("its entry number 5 is missing")),
        attack("use deleted", &["DELETE FROM representation"], &says("its representation")),
        attack(
            "use closed",
            &["UPDATE representation SET state = 'closed', closed_at = opened_at, close_reason = 'revoked'"],
            &says("its representation"),
        ),
        attack(
            "entry of the history deleted",
            &["DELETE FROM event WHERE event_id = '{third}'"],
            &says("its entry number 2 is missing"),
        ),
        attack(
            "opening of the history deleted",
            &["DELETE FROM opening WHERE event_id = '{third}' AND slot = 'act'"],
            &says("its entry number 2 (event {third}) cannot be opened"),
        ),
    ]
}
