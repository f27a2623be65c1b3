-- An authority's word that a checkpoint was there at an instant (RFC 3161), one a day: insert-only, each with its entry.
--
--   checkpoint --(stamped by the authority)--> time_stamp
--
-- `day` is the calendar's in metropolitan France; two replicas that ask on the same day keep one. `token` is the authority's answer as it
-- came. The entry tells the hash of it, so that a row taken away is missed.

CREATE TABLE time_stamp (
    day TEXT NOT NULL PRIMARY KEY CHECK (length(day) = 10),
    size INTEGER NOT NULL REFERENCES checkpoint (size),
    gen_time INTEGER NOT NULL,
    token BLOB NOT NULL CHECK (length(token) > 0),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX time_stamp_by_size ON time_stamp (size);

CREATE TRIGGER time_stamp_needs_new_entry BEFORE INSERT ON time_stamp
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: time_stamp'); END;
CREATE TRIGGER time_stamp_never_changes BEFORE UPDATE ON time_stamp
BEGIN SELECT RAISE(ABORT, 'journal_immutable: time_stamp'); END;
CREATE TRIGGER time_stamp_never_deleted BEFORE DELETE ON time_stamp
BEGIN SELECT RAISE(ABORT, 'fact_deleted: time_stamp'); END;
CREATE TRIGGER time_stamp_never_replaced BEFORE INSERT ON time_stamp
WHEN EXISTS (SELECT 1 FROM time_stamp WHERE day = NEW.day)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: time_stamp'); END;
