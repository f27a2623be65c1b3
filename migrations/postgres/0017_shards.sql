-- Yearly shards (contract journal.md, 4.5): the journal goes on in another tree, under another name.
--
--   shard 0: entries 0 .. 811 --(final checkpoint of 812)--> shard 1: entries 812 .. --(…)--> shard 2
--                                                            ^ `start`; its entry there, `event_id`, tells that checkpoint
--
-- Places and sizes go on counting over all shards: leaf.idx, checkpoint.size, and what refers to them. A shard is the stretch from its `start` up to
-- the next one's, with a tree of its own: what its checkpoints sign is counted from its start, and so are its tiles (tile.idx = start + index in the
-- shard's tree, which is always below the next start). The first shard has the configured name, starts at 0 and needs no row.

CREATE TABLE shard (
    number BIGINT NOT NULL PRIMARY KEY CHECK (number > 0),
    origin TEXT NOT NULL UNIQUE,
    start BIGINT NOT NULL UNIQUE REFERENCES checkpoint (size) CHECK (start > 0),
    event_id TEXT NOT NULL UNIQUE REFERENCES event (event_id)
);

CREATE TRIGGER shard_never_changes BEFORE UPDATE OR DELETE ON shard FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE shard ENABLE ALWAYS TRIGGER shard_never_changes;
CREATE TRIGGER shard_never_truncated BEFORE TRUNCATE ON shard FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
ALTER TABLE shard ENABLE ALWAYS TRIGGER shard_never_truncated;

-- One after the other, each at the head of the journal, with an entry that has no place yet.
CREATE FUNCTION shard_at_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number <> (SELECT COALESCE(MAX(number), 0) + 1 FROM shard) OR NEW.start <> (SELECT COALESCE(MAX(size), 0) FROM checkpoint)
        OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.event_id) THEN
        RAISE EXCEPTION 'journal_gap: shard' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER shard_at_the_head BEFORE INSERT ON shard FOR EACH ROW EXECUTE FUNCTION shard_at_head();
ALTER TABLE shard ENABLE ALWAYS TRIGGER shard_at_the_head;

-- Where a shard begins is the sequencer's to say, like every place.
GRANT SELECT ON shard TO porteplume_service, porteplume_auditor;
GRANT SELECT, INSERT ON shard TO porteplume_sequencer;
