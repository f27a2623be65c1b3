-- Which cosignatures there were, counted once a day with an entry: one taken away is missed then (contract journal.md, 4.5).
--
--   cosignature, cosignature, ... --(all seen up to until_at, since the count before)--> cosigned
--
-- What was counted stays what it was: a cosignature that says it is of before the last count came too late and is refused.

CREATE TABLE cosigned (
    until_at INTEGER NOT NULL PRIMARY KEY,
    total INTEGER NOT NULL CHECK (total > 0),
    digest TEXT NOT NULL CHECK (length(digest) = 64),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX cosignature_by_time ON cosignature (seen_at);

CREATE TRIGGER cosigned_needs_new_entry BEFORE INSERT ON cosigned
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: cosigned'); END;
CREATE TRIGGER cosigned_never_changes BEFORE UPDATE ON cosigned
BEGIN SELECT RAISE(ABORT, 'journal_immutable: cosigned'); END;
CREATE TRIGGER cosigned_never_deleted BEFORE DELETE ON cosigned
BEGIN SELECT RAISE(ABORT, 'fact_deleted: cosigned'); END;
CREATE TRIGGER cosigned_only_goes_on BEFORE INSERT ON cosigned
WHEN NEW.until_at <= (SELECT MAX(until_at) FROM cosigned)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: cosigned'); END;
CREATE TRIGGER cosignature_in_time BEFORE INSERT ON cosignature
WHEN NEW.seen_at <= (SELECT MAX(until_at) FROM cosigned)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: cosignature'); END;
