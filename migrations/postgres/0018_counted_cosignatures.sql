-- Which cosignatures there were, counted once a day with an entry: one taken away is missed then (contract journal.md, 4.5).
--
--   cosignature, cosignature, ... --(all seen up to until_at, since the count before)--> cosigned
--
-- What was counted stays what it was: a cosignature that says it is of before the last count came too late and is refused.

CREATE TABLE cosigned (
    until_at BIGINT NOT NULL PRIMARY KEY,
    total BIGINT NOT NULL CHECK (total > 0),
    digest TEXT NOT NULL CHECK (length(digest) = 64),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX cosignature_by_time ON cosignature (seen_at);

CREATE FUNCTION cosigned_goes_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.until_at <= (SELECT MAX(until_at) FROM cosigned) THEN
        RAISE EXCEPTION 'journal_immutable: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE FUNCTION cosignature_in_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seen_at <= (SELECT MAX(until_at) FROM cosigned) THEN
        RAISE EXCEPTION 'journal_immutable: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER cosigned_needs_new_entry BEFORE INSERT ON cosigned FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE cosigned ENABLE ALWAYS TRIGGER cosigned_needs_new_entry;
CREATE TRIGGER cosigned_never_changes BEFORE UPDATE ON cosigned FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE cosigned ENABLE ALWAYS TRIGGER cosigned_never_changes;
CREATE TRIGGER cosigned_never_deleted BEFORE DELETE ON cosigned FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE cosigned ENABLE ALWAYS TRIGGER cosigned_never_deleted;
CREATE TRIGGER cosigned_never_truncated BEFORE TRUNCATE ON cosigned FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE cosigned ENABLE ALWAYS TRIGGER cosigned_never_truncated;
CREATE TRIGGER cosigned_only_goes_on BEFORE INSERT ON cosigned FOR EACH ROW EXECUTE FUNCTION cosigned_goes_on();
ALTER TABLE cosigned ENABLE ALWAYS TRIGGER cosigned_only_goes_on;
CREATE TRIGGER cosignature_in_time BEFORE INSERT ON cosignature FOR EACH ROW EXECUTE FUNCTION cosignature_in_time();
ALTER TABLE cosignature ENABLE ALWAYS TRIGGER cosignature_in_time;

GRANT SELECT, INSERT ON cosigned TO porteplume_service;
