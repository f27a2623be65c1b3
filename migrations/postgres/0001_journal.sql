-- The journal: insert-only tables, guarded by the database itself (contract journal.md, 4.2 and 4.4).
--
--   event --(trigger)--> queue --(sequencer)--> leaf --every 256--> tile
--                                                 \--each commit--> checkpoint
--   opening, event_search: outside the tree, erasable, never changed.
--
-- Bytes of an entry are hashed for ever; `at` is in microseconds UTC, as everywhere.

CREATE TABLE event (
    event_id TEXT NOT NULL PRIMARY KEY CHECK (length(event_id) = 32),
    at BIGINT NOT NULL,
    tag TEXT NOT NULL UNIQUE CHECK (length(tag) = 32),
    entry BYTEA NOT NULL CHECK (length(entry) BETWEEN 1 AND 65535)
);

-- What has no index yet. The one table of the journal that may be emptied, by the sequencer alone.
CREATE TABLE queue (
    qid BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id TEXT NOT NULL
);

CREATE TABLE leaf (
    idx BIGINT NOT NULL PRIMARY KEY CHECK (idx >= 0),
    event_id TEXT NOT NULL UNIQUE REFERENCES event (event_id),
    leaf_hash BYTEA NOT NULL CHECK (length(leaf_hash) = 32)
);

-- Full tiles only: a partial one is read from the roots one level below (or the leaves).
CREATE TABLE tile (
    level BIGINT NOT NULL CHECK (level BETWEEN 0 AND 7),
    idx BIGINT NOT NULL CHECK (idx >= 0),
    root BYTEA NOT NULL CHECK (length(root) = 32),
    hashes BYTEA NOT NULL CHECK (length(hashes) = 8192),
    PRIMARY KEY (level, idx)
);

CREATE TABLE checkpoint (
    size BIGINT NOT NULL PRIMARY KEY CHECK (size > 0),
    root BYTEA NOT NULL CHECK (length(root) = 32),
    note TEXT NOT NULL
);

-- No reference to event from here: it would buy nothing (both are written together, neither is changed) and
-- on PostgreSQL the look-up it takes makes serialisable transactions fail one another.
CREATE TABLE opening (
    event_id TEXT NOT NULL,
    slot TEXT NOT NULL CHECK (slot IN ('act', 'sub', 'aid', 'ctx')),
    key_id TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    PRIMARY KEY (event_id, slot)
);
CREATE INDEX opening_by_key ON opening (key_id);

-- Every person or party stands here as a blind index only.
CREATE TABLE event_search (
    event_id TEXT NOT NULL PRIMARY KEY,
    at BIGINT NOT NULL,
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
);
CREATE INDEX event_search_by_time ON event_search (at, event_id);
CREATE INDEX event_search_by_kind ON event_search (kind, at, event_id);
CREATE INDEX event_search_by_organisation ON event_search (organisation, at, event_id) WHERE organisation IS NOT NULL;
CREATE INDEX event_search_by_aidant ON event_search (aidant, at, event_id) WHERE aidant IS NOT NULL;
CREATE INDEX event_search_by_mandate ON event_search (mandate, at, event_id) WHERE mandate IS NOT NULL;
CREATE INDEX event_search_by_usager ON event_search (usager, at, event_id) WHERE usager IS NOT NULL;
CREATE INDEX event_search_by_client ON event_search (client, at, event_id) WHERE client IS NOT NULL;

-- Guards, ALWAYS enabled: they hold against session_replication_role = replica as well.

CREATE FUNCTION journal_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'journal_immutable: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- An entry is queued by the database itself: none can be forgotten.
CREATE FUNCTION journal_enqueue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO queue (event_id) VALUES (NEW.event_id);
    RETURN NULL;
END $$;
CREATE TRIGGER event_is_queued AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION journal_enqueue();
ALTER TABLE event ENABLE ALWAYS TRIGGER event_is_queued;

CREATE FUNCTION journal_without_gap() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lowest BIGINT;
    highest BIGINT;
    added BIGINT;
    before BIGINT;
BEGIN
    SELECT MIN(idx), MAX(idx), COUNT(*) INTO lowest, highest, added FROM added_leaf;
    IF added = 0 THEN
        RETURN NULL;
    END IF;
    SELECT COALESCE(MAX(idx) + 1, 0) INTO before FROM leaf WHERE idx < lowest;
    IF lowest <> before OR highest - lowest + 1 <> added THEN
        RAISE EXCEPTION 'journal_gap: leaf' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER leaf_without_gap AFTER INSERT ON leaf REFERENCING NEW TABLE AS added_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION journal_without_gap();
ALTER TABLE leaf ENABLE ALWAYS TRIGGER leaf_without_gap;

CREATE FUNCTION checkpoint_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.size <= (SELECT MAX(size) FROM checkpoint) THEN
        RAISE EXCEPTION 'journal_immutable: checkpoint' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER checkpoint_only_grows BEFORE INSERT ON checkpoint FOR EACH ROW EXECUTE FUNCTION checkpoint_grows();
ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER checkpoint_only_grows;

CREATE TRIGGER event_never_changes BEFORE UPDATE OR DELETE ON event FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE event ENABLE ALWAYS TRIGGER event_never_changes;
CREATE TRIGGER event_never_truncated BEFORE TRUNCATE ON event FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
ALTER TABLE event ENABLE ALWAYS TRIGGER event_never_truncated;

CREATE TRIGGER leaf_never_changes BEFORE UPDATE OR DELETE ON leaf FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE leaf ENABLE ALWAYS TRIGGER leaf_never_changes;
CREATE TRIGGER leaf_never_truncated BEFORE TRUNCATE ON leaf FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
ALTER TABLE leaf ENABLE ALWAYS TRIGGER leaf_never_truncated;

CREATE TRIGGER tile_never_changes BEFORE UPDATE OR DELETE ON tile FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE tile ENABLE ALWAYS TRIGGER tile_never_changes;
CREATE TRIGGER tile_never_truncated BEFORE TRUNCATE ON tile FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
ALTER TABLE tile ENABLE ALWAYS TRIGGER tile_never_truncated;

CREATE TRIGGER checkpoint_never_changes BEFORE UPDATE OR DELETE ON checkpoint FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER checkpoint_never_changes;
CREATE TRIGGER checkpoint_never_truncated BEFORE TRUNCATE ON checkpoint FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
ALTER TABLE checkpoint ENABLE ALWAYS TRIGGER checkpoint_never_truncated;

CREATE TRIGGER opening_never_changes BEFORE UPDATE ON opening FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE opening ENABLE ALWAYS TRIGGER opening_never_changes;

CREATE TRIGGER event_search_never_changes BEFORE UPDATE ON event_search FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE event_search ENABLE ALWAYS TRIGGER event_search_never_changes;
