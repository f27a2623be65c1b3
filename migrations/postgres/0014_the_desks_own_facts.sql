-- The desk's own facts: content asked for and opened by a second auditor, samples with their answers; what was shown of
-- a mandate, for the person concerned; searches kept under a name.
--
--   break_glass:  asked --approve (another auditor, within the hour)--> open (over by itself an hour later)
--                   |--refuse--> refused
--                   |--lapse---> lapsed      (nobody answered within the hour)
--   audit_sample:  drawn      audit_answer:  answered --answer again--> answered

CREATE TABLE break_glass (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    auditor_id TEXT NOT NULL REFERENCES auditor (id),
    reading_id TEXT NOT NULL REFERENCES reading (id),
    mandate_id TEXT REFERENCES mandate (id),
    event_id TEXT REFERENCES event (event_id),
    reason_sealed BYTEA NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'open', 'refused', 'lapsed')),
    asked_at BIGINT NOT NULL,
    decided_by TEXT REFERENCES auditor (id),
    decided_at BIGINT,
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (mandate_id IS NOT NULL OR event_id IS NOT NULL),
    CONSTRAINT break_glass_needs_two CHECK (decided_by <> auditor_id),
    CONSTRAINT break_glass_state_whole CHECK (
        (state = 'asked' AND decided_by IS NULL AND decided_at IS NULL)
        OR (state IN ('open', 'refused') AND decided_by IS NOT NULL AND decided_at >= asked_at)
        OR (state = 'lapsed' AND decided_by IS NULL AND decided_at > asked_at))
);
CREATE INDEX break_glass_by_auditor ON break_glass (auditor_id, state, decided_at);
CREATE INDEX break_glass_by_time ON break_glass (asked_at, id);
CREATE INDEX break_glass_asked ON break_glass (asked_at) WHERE state = 'asked';

CREATE TABLE audit_sample (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    auditor_id TEXT NOT NULL REFERENCES auditor (id),
    reading_id TEXT NOT NULL REFERENCES reading (id),
    parameters TEXT NOT NULL,
    checkpoint_size BIGINT NOT NULL CHECK (checkpoint_size > 0),
    seed BYTEA NOT NULL CHECK (length(seed) = 32),
    population BIGINT NOT NULL CHECK (population >= 0),
    drawn TEXT NOT NULL,
    drawn_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version = 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX audit_sample_by_auditor ON audit_sample (auditor_id, drawn_at);

CREATE TABLE audit_answer (
    sample_id TEXT NOT NULL REFERENCES audit_sample (id),
    event_id TEXT NOT NULL REFERENCES event (event_id),
    answers TEXT NOT NULL,
    note_sealed BYTEA,
    answered_at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (sample_id, event_id)
);

-- Which mandates (by blind index) a reading of the desk showed something of: erasable, never changed, like event_search.
CREATE TABLE audit_seen (
    mandate TEXT NOT NULL CHECK (length(mandate) = 16),
    at BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (mandate, at, event_id)
);

-- Working rows, each its auditor's own.
CREATE TABLE saved_search (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    auditor_id TEXT NOT NULL REFERENCES auditor (id),
    name_sealed BYTEA NOT NULL,
    query_sealed BYTEA NOT NULL,
    saved_at BIGINT NOT NULL
);
CREATE INDEX saved_search_by_auditor ON saved_search (auditor_id, saved_at);

CREATE TRIGGER break_glass_change_needs_entry BEFORE INSERT OR UPDATE ON break_glass FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE break_glass ENABLE ALWAYS TRIGGER break_glass_change_needs_entry;
CREATE TRIGGER break_glass_never_deleted BEFORE DELETE ON break_glass FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE break_glass ENABLE ALWAYS TRIGGER break_glass_never_deleted;
CREATE TRIGGER break_glass_never_truncated BEFORE TRUNCATE ON break_glass FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE break_glass ENABLE ALWAYS TRIGGER break_glass_never_truncated;

CREATE TRIGGER audit_sample_change_needs_entry BEFORE INSERT OR UPDATE ON audit_sample FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE audit_sample ENABLE ALWAYS TRIGGER audit_sample_change_needs_entry;
CREATE TRIGGER audit_sample_never_deleted BEFORE DELETE ON audit_sample FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE audit_sample ENABLE ALWAYS TRIGGER audit_sample_never_deleted;
CREATE TRIGGER audit_sample_never_truncated BEFORE TRUNCATE ON audit_sample FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE audit_sample ENABLE ALWAYS TRIGGER audit_sample_never_truncated;

CREATE TRIGGER audit_answer_change_needs_entry BEFORE INSERT OR UPDATE ON audit_answer FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE audit_answer ENABLE ALWAYS TRIGGER audit_answer_change_needs_entry;
CREATE TRIGGER audit_answer_never_deleted BEFORE DELETE ON audit_answer FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE audit_answer ENABLE ALWAYS TRIGGER audit_answer_never_deleted;
CREATE TRIGGER audit_answer_never_truncated BEFORE TRUNCATE ON audit_answer FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE audit_answer ENABLE ALWAYS TRIGGER audit_answer_never_truncated;

-- What was decided stays decided, and what was asked for stays what it was.
CREATE FUNCTION break_glass_keeps_request() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'asked' OR NEW.id IS DISTINCT FROM OLD.id
        OR NEW.auditor_id IS DISTINCT FROM OLD.auditor_id
        OR NEW.reading_id IS DISTINCT FROM OLD.reading_id
        OR NEW.mandate_id IS DISTINCT FROM OLD.mandate_id
        OR NEW.event_id IS DISTINCT FROM OLD.event_id
        OR NEW.reason_sealed IS DISTINCT FROM OLD.reason_sealed
        OR NEW.asked_at IS DISTINCT FROM OLD.asked_at THEN
        RAISE EXCEPTION 'fact_immutable: break_glass' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER break_glass_keeps_its_request BEFORE UPDATE ON break_glass FOR EACH ROW EXECUTE FUNCTION break_glass_keeps_request();
ALTER TABLE break_glass ENABLE ALWAYS TRIGGER break_glass_keeps_its_request;
CREATE TRIGGER audit_sample_never_changes BEFORE UPDATE ON audit_sample FOR EACH ROW EXECUTE FUNCTION fact_refuse_change();
ALTER TABLE audit_sample ENABLE ALWAYS TRIGGER audit_sample_never_changes;
CREATE TRIGGER audit_seen_never_changes BEFORE UPDATE ON audit_seen FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE audit_seen ENABLE ALWAYS TRIGGER audit_seen_never_changes;

GRANT SELECT, INSERT, UPDATE ON break_glass, audit_answer TO porteplume_service;
GRANT SELECT, INSERT ON audit_sample TO porteplume_service;
GRANT SELECT, INSERT, DELETE ON audit_seen TO porteplume_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_search TO porteplume_service;

-- Charts count consents of a period.
CREATE INDEX mandate_by_consent ON mandate (consented_at) WHERE consented_at IS NOT NULL;
