-- A usager is told of more: the account of their mandate once it has ended (Code civil art. 1993), that it ends in a month or
-- in a week, that it was not used for long. Each of these once for a mandate, however many replicas look: the index holds it.
-- SQLite cannot change a CHECK: the table is made anew, and with it the queue that refers to it. The rows say what they said, so no
-- entry vouches for that.
CREATE TABLE queued (
    notice_id TEXT NOT NULL PRIMARY KEY,
    usager_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    next_at INTEGER NOT NULL
) STRICT;
INSERT INTO queued SELECT notice_id, usager_id, number, attempts, next_at FROM notice_queue;
DROP TABLE notice_queue;
CREATE TABLE told (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    usager_id TEXT NOT NULL REFERENCES usager (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('receipt', 'ended', 'withdrawn', 'statement', 'ends_in_a_month', 'ends_in_a_week', 'unused')),
    mandate_id TEXT NOT NULL REFERENCES mandate (id),
    representation_id TEXT REFERENCES representation (id),
    procedure_id TEXT,
    channel TEXT NOT NULL CHECK (channel IN ('email', 'sms', 'voice', 'paper')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'refused', 'given_up', 'on_paper', 'handed_over')),
    code TEXT,
    created_at INTEGER NOT NULL,
    settled_at INTEGER,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (usager_id, number),
    CONSTRAINT notice_about CHECK (
        (kind = 'receipt') = (representation_id IS NOT NULL) AND (kind = 'withdrawn') = (procedure_id IS NOT NULL)),
    CONSTRAINT notice_state_whole CHECK (
        (state IN ('waiting', 'on_paper')) = (settled_at IS NULL)
        AND (code IS NOT NULL OR state NOT IN ('refused', 'given_up'))
        AND (code IS NULL OR state IN ('refused', 'given_up', 'handed_over'))
        AND (channel <> 'paper' OR state IN ('on_paper', 'handed_over')))
) STRICT;
INSERT INTO told SELECT id, usager_id, number, kind, mandate_id, representation_id, procedure_id, channel, state, code, created_at,
    settled_at, version, last_event FROM notice;
DROP TABLE notice;
ALTER TABLE told RENAME TO notice;
CREATE INDEX notice_by_mandate ON notice (mandate_id, number);
CREATE INDEX notice_by_representation ON notice (representation_id);
CREATE UNIQUE INDEX notice_once ON notice (mandate_id, kind)
    WHERE kind IN ('statement', 'ends_in_a_month', 'ends_in_a_week', 'unused');

CREATE TABLE notice_queue (
    notice_id TEXT NOT NULL PRIMARY KEY REFERENCES notice (id),
    usager_id TEXT NOT NULL REFERENCES usager (id),
    number INTEGER NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notice_queue_by_next ON notice_queue (next_at, notice_id);
CREATE INDEX notice_queue_by_usager ON notice_queue (usager_id, number);
INSERT INTO notice_queue SELECT notice_id, usager_id, number, attempts, next_at FROM queued;
DROP TABLE queued;

CREATE TRIGGER notice_change_needs_entry BEFORE UPDATE ON notice
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: notice'); END;
CREATE TRIGGER notice_needs_new_entry BEFORE INSERT ON notice
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: notice'); END;
CREATE TRIGGER notice_never_deleted BEFORE DELETE ON notice
BEGIN SELECT RAISE(ABORT, 'fact_deleted: notice'); END;
CREATE TRIGGER notice_never_replaced BEFORE INSERT ON notice
WHEN EXISTS (SELECT 1 FROM notice WHERE id = NEW.id OR (usager_id = NEW.usager_id AND number = NEW.number)
    OR (mandate_id = NEW.mandate_id AND kind = NEW.kind AND kind IN ('statement', 'ends_in_a_month', 'ends_in_a_week', 'unused')))
BEGIN SELECT RAISE(ABORT, 'fact_deleted: notice'); END;
-- What it tells of stays, and what was told is not told again.
CREATE TRIGGER notice_keeps_what_it_tells BEFORE UPDATE ON notice
WHEN OLD.state IN ('sent', 'handed_over') OR NEW.state IN ('waiting', 'on_paper')
    OR (OLD.state <> 'waiting' AND NEW.state <> 'handed_over')
    OR NEW.id IS NOT OLD.id
    OR NEW.usager_id IS NOT OLD.usager_id
    OR NEW.number IS NOT OLD.number
    OR NEW.kind IS NOT OLD.kind
    OR NEW.mandate_id IS NOT OLD.mandate_id
    OR NEW.representation_id IS NOT OLD.representation_id
    OR NEW.procedure_id IS NOT OLD.procedure_id
    OR NEW.channel IS NOT OLD.channel
    OR NEW.created_at IS NOT OLD.created_at
BEGIN SELECT RAISE(ABORT, 'fact_immutable: notice'); END;
