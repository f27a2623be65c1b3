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
    reason_sealed BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'open', 'refused', 'lapsed')),
    asked_at INTEGER NOT NULL,
    decided_by TEXT REFERENCES auditor (id),
    decided_at INTEGER,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (mandate_id IS NOT NULL OR event_id IS NOT NULL),
    CONSTRAINT break_glass_needs_two CHECK (decided_by <> auditor_id),
    CONSTRAINT break_glass_state_whole CHECK (
        (state = 'asked' AND decided_by IS NULL AND decided_at IS NULL)
        OR (state IN ('open', 'refused') AND decided_by IS NOT NULL AND decided_at >= asked_at)
        OR (state = 'lapsed' AND decided_by IS NULL AND decided_at > asked_at))
) STRICT;
CREATE INDEX break_glass_by_auditor ON break_glass (auditor_id, state, decided_at);
CREATE INDEX break_glass_by_time ON break_glass (asked_at, id);
CREATE INDEX break_glass_asked ON break_glass (asked_at) WHERE state = 'asked';

CREATE TABLE audit_sample (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    auditor_id TEXT NOT NULL REFERENCES auditor (id),
    reading_id TEXT NOT NULL REFERENCES reading (id),
    parameters TEXT NOT NULL,
    checkpoint_size INTEGER NOT NULL CHECK (checkpoint_size > 0),
    seed BLOB NOT NULL CHECK (length(seed) = 32),
    population INTEGER NOT NULL CHECK (population >= 0),
    drawn TEXT NOT NULL,
    drawn_at INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version = 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX audit_sample_by_auditor ON audit_sample (auditor_id, drawn_at);

CREATE TABLE audit_answer (
    sample_id TEXT NOT NULL REFERENCES audit_sample (id),
    event_id TEXT NOT NULL REFERENCES event (event_id),
    answers TEXT NOT NULL,
    note_sealed BLOB,
    answered_at INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    PRIMARY KEY (sample_id, event_id)
) STRICT, WITHOUT ROWID;

-- Which mandates (by blind index) a reading of the desk showed something of: erasable, never changed, like event_search.
CREATE TABLE audit_seen (
    mandate TEXT NOT NULL CHECK (length(mandate) = 16),
    at INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    PRIMARY KEY (mandate, at, event_id)
) STRICT, WITHOUT ROWID;

-- Working rows, each its auditor's own.
CREATE TABLE saved_search (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    auditor_id TEXT NOT NULL REFERENCES auditor (id),
    name_sealed BLOB NOT NULL,
    query_sealed BLOB NOT NULL,
    saved_at INTEGER NOT NULL
) STRICT;
CREATE INDEX saved_search_by_auditor ON saved_search (auditor_id, saved_at);

CREATE TRIGGER break_glass_change_needs_entry BEFORE UPDATE ON break_glass
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: break_glass'); END;
CREATE TRIGGER break_glass_needs_new_entry BEFORE INSERT ON break_glass
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: break_glass'); END;
CREATE TRIGGER break_glass_never_deleted BEFORE DELETE ON break_glass
BEGIN SELECT RAISE(ABORT, 'fact_deleted: break_glass'); END;
CREATE TRIGGER break_glass_never_replaced BEFORE INSERT ON break_glass
WHEN EXISTS (SELECT 1 FROM break_glass WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'fact_deleted: break_glass'); END;

CREATE TRIGGER audit_sample_change_needs_entry BEFORE UPDATE ON audit_sample
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: audit_sample'); END;
CREATE TRIGGER audit_sample_needs_new_entry BEFORE INSERT ON audit_sample
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: audit_sample'); END;
CREATE TRIGGER audit_sample_never_deleted BEFORE DELETE ON audit_sample
BEGIN SELECT RAISE(ABORT, 'fact_deleted: audit_sample'); END;
CREATE TRIGGER audit_sample_never_replaced BEFORE INSERT ON audit_sample
WHEN EXISTS (SELECT 1 FROM audit_sample WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'fact_deleted: audit_sample'); END;

CREATE TRIGGER audit_answer_change_needs_entry BEFORE UPDATE ON audit_answer
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: audit_answer'); END;
CREATE TRIGGER audit_answer_needs_new_entry BEFORE INSERT ON audit_answer
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: audit_answer'); END;
CREATE TRIGGER audit_answer_never_deleted BEFORE DELETE ON audit_answer
BEGIN SELECT RAISE(ABORT, 'fact_deleted: audit_answer'); END;
CREATE TRIGGER audit_answer_never_replaced BEFORE INSERT ON audit_answer
WHEN EXISTS (SELECT 1 FROM audit_answer WHERE sample_id = NEW.sample_id AND event_id = NEW.event_id)
BEGIN SELECT RAISE(ABORT, 'fact_deleted: audit_answer'); END;
-- What was decided stays decided, and what was asked for stays what it was.
CREATE TRIGGER break_glass_keeps_its_request BEFORE UPDATE ON break_glass
WHEN OLD.state <> 'asked' OR NEW.id IS NOT OLD.id OR NEW.auditor_id IS NOT OLD.auditor_id OR NEW.reading_id IS NOT OLD.reading_id OR NEW.mandate_id IS NOT OLD.mandate_id OR NEW.event_id IS NOT OLD.event_id OR NEW.reason_sealed IS NOT OLD.reason_sealed OR NEW.asked_at IS NOT OLD.asked_at
BEGIN SELECT RAISE(ABORT, 'fact_immutable: break_glass'); END;
CREATE TRIGGER audit_sample_never_changes BEFORE UPDATE ON audit_sample
BEGIN SELECT RAISE(ABORT, 'fact_immutable: audit_sample'); END;
CREATE TRIGGER audit_seen_never_changes BEFORE UPDATE ON audit_seen
BEGIN SELECT RAISE(ABORT, 'journal_immutable: audit_seen'); END;
CREATE TRIGGER audit_seen_never_replaced BEFORE INSERT ON audit_seen
WHEN EXISTS (SELECT 1 FROM audit_seen WHERE mandate = NEW.mandate AND at = NEW.at AND event_id = NEW.event_id)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: audit_seen'); END;

-- Charts count consents of a period.
CREATE INDEX mandate_by_consent ON mandate (consented_at) WHERE consented_at IS NOT NULL;
