-- The journal: insert-only tables, guarded by the database itself (contract journal.md, 4.2 and 4.4).
--
--   event --(index given in the same commit)--> leaf --every 256--> tile
--                                                 \--each commit--> checkpoint
--   opening, event_search: outside the tree, erasable, never changed.
--
-- Bytes of an entry are hashed for ever; `at` is in microseconds UTC, as everywhere.

CREATE TABLE event (
    event_id TEXT NOT NULL PRIMARY KEY CHECK (length(event_id) = 32),
    at INTEGER NOT NULL,
    tag TEXT NOT NULL UNIQUE CHECK (length(tag) = 32),
    entry BLOB NOT NULL CHECK (length(entry) BETWEEN 1 AND 65535)
) STRICT, WITHOUT ROWID;

CREATE TABLE leaf (
    idx INTEGER NOT NULL PRIMARY KEY CHECK (idx >= 0),
    event_id TEXT NOT NULL UNIQUE REFERENCES event (event_id),
    leaf_hash BLOB NOT NULL CHECK (length(leaf_hash) = 32)
) STRICT;

-- Full tiles only: a partial one is read from the roots one level below (or the leaves).
CREATE TABLE tile (
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 7),
    idx INTEGER NOT NULL CHECK (idx >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    hashes BLOB NOT NULL CHECK (length(hashes) = 8192),
    PRIMARY KEY (level, idx)
) STRICT;

CREATE TABLE checkpoint (
    size INTEGER NOT NULL PRIMARY KEY CHECK (size > 0),
    root BLOB NOT NULL CHECK (length(root) = 32),
    note TEXT NOT NULL
) STRICT;

-- No reference to event from here: it would buy nothing (both are written together, neither is changed) and
-- on PostgreSQL the look-up it takes makes serialisable transactions fail one another.
CREATE TABLE opening (
    event_id TEXT NOT NULL,
    slot TEXT NOT NULL CHECK (slot IN ('act', 'sub', 'aid', 'ctx')),
    key_id TEXT NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (event_id, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX opening_by_key ON opening (key_id);

-- Every person or party stands here as a blind index only.
CREATE TABLE event_search (
    event_id TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused')),
    code TEXT,
    organisation TEXT,
    aidant TEXT,
    mandate TEXT,
    usager TEXT,
    client TEXT,
    procedure TEXT,
    CHECK ((outcome = 'refused') = (code IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX event_search_by_time ON event_search (at, event_id);
CREATE INDEX event_search_by_kind ON event_search (kind, at, event_id);
CREATE INDEX event_search_by_organisation ON event_search (organisation, at, event_id) WHERE organisation IS NOT NULL;
CREATE INDEX event_search_by_aidant ON event_search (aidant, at, event_id) WHERE aidant IS NOT NULL;
CREATE INDEX event_search_by_mandate ON event_search (mandate, at, event_id) WHERE mandate IS NOT NULL;
CREATE INDEX event_search_by_usager ON event_search (usager, at, event_id) WHERE usager IS NOT NULL;
CREATE INDEX event_search_by_client ON event_search (client, at, event_id) WHERE client IS NOT NULL;

-- Guards. INSERT OR REPLACE deletes without firing DELETE triggers unless recursive_triggers is on, so
-- the BEFORE INSERT triggers refuse an existing key by themselves.

CREATE TRIGGER event_never_changes BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'journal_immutable: event'); END;
CREATE TRIGGER event_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'journal_immutable: event'); END;
CREATE TRIGGER event_never_replaced BEFORE INSERT ON event
WHEN EXISTS (SELECT 1 FROM event WHERE event_id = NEW.event_id) OR EXISTS (SELECT 1 FROM event WHERE tag = NEW.tag)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: event'); END;

CREATE TRIGGER leaf_never_changes BEFORE UPDATE ON leaf
BEGIN SELECT RAISE(ABORT, 'journal_immutable: leaf'); END;
CREATE TRIGGER leaf_never_deleted BEFORE DELETE ON leaf
BEGIN SELECT RAISE(ABORT, 'journal_immutable: leaf'); END;
CREATE TRIGGER leaf_never_replaced BEFORE INSERT ON leaf
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.event_id)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: leaf'); END;
CREATE TRIGGER leaf_without_gap BEFORE INSERT ON leaf
WHEN NEW.idx <> (SELECT COALESCE(MAX(idx) + 1, 0) FROM leaf)
BEGIN SELECT RAISE(ABORT, 'journal_gap: leaf'); END;

CREATE TRIGGER tile_never_changes BEFORE UPDATE ON tile
BEGIN SELECT RAISE(ABORT, 'journal_immutable: tile'); END;
CREATE TRIGGER tile_never_deleted BEFORE DELETE ON tile
BEGIN SELECT RAISE(ABORT, 'journal_immutable: tile'); END;
CREATE TRIGGER tile_never_replaced BEFORE INSERT ON tile
WHEN EXISTS (SELECT 1 FROM tile WHERE level = NEW.level AND idx = NEW.idx)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: tile'); END;

CREATE TRIGGER checkpoint_never_changes BEFORE UPDATE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'journal_immutable: checkpoint'); END;
CREATE TRIGGER checkpoint_never_deleted BEFORE DELETE ON checkpoint
BEGIN SELECT RAISE(ABORT, 'journal_immutable: checkpoint'); END;
CREATE TRIGGER checkpoint_only_grows BEFORE INSERT ON checkpoint
WHEN NEW.size <= (SELECT MAX(size) FROM checkpoint)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: checkpoint'); END;

CREATE TRIGGER opening_never_changes BEFORE UPDATE ON opening
BEGIN SELECT RAISE(ABORT, 'journal_immutable: opening'); END;
CREATE TRIGGER opening_never_replaced BEFORE INSERT ON opening
WHEN EXISTS (SELECT 1 FROM opening WHERE event_id = NEW.event_id AND slot = NEW.slot)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: opening'); END;
CREATE TRIGGER event_search_never_changes BEFORE UPDATE ON event_search
BEGIN SELECT RAISE(ABORT, 'journal_immutable: event_search'); END;
CREATE TRIGGER event_search_never_replaced BEFORE INSERT ON event_search
WHEN EXISTS (SELECT 1 FROM event_search WHERE event_id = NEW.event_id)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: event_search'); END;
