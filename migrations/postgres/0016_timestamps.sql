-- An authority's word that a checkpoint was there at an instant (RFC 3161), one a day: insert-only, each with its entry.
--
--   checkpoint --(stamped by the authority)--> time_stamp
--
-- `day` is the calendar's in metropolitan France; two replicas that ask on the same day keep one. `token` is the authority's answer as it
-- came. The entry tells the hash of it, so that a row taken away is missed.

CREATE TABLE time_stamp (
    day TEXT NOT NULL PRIMARY KEY CHECK (length(day) = 10),
    size BIGINT NOT NULL REFERENCES checkpoint (size),
    gen_time BIGINT NOT NULL,
    token BYTEA NOT NULL CHECK (length(token) > 0),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX time_stamp_by_size ON time_stamp (size);

CREATE TRIGGER time_stamp_needs_new_entry BEFORE INSERT ON time_stamp FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE time_stamp ENABLE ALWAYS TRIGGER time_stamp_needs_new_entry;
CREATE TRIGGER time_stamp_never_changes BEFORE UPDATE ON time_stamp FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE time_stamp ENABLE ALWAYS TRIGGER time_stamp_never_changes;
CREATE TRIGGER time_stamp_never_deleted BEFORE DELETE ON time_stamp FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE time_stamp ENABLE ALWAYS TRIGGER time_stamp_never_deleted;
CREATE TRIGGER time_stamp_never_truncated BEFORE TRUNCATE ON time_stamp FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE time_stamp ENABLE ALWAYS TRIGGER time_stamp_never_truncated;

GRANT SELECT, INSERT ON time_stamp TO porteplume_service;
