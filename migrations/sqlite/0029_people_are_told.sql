-- What a usager is told of what is done in their name, by the way they chose, and how far the telling has come.
--
--   contact:  chosen --chosen anew--> chosen --the person is erased--> empty
--   notice:   waiting --taken over--> sent
--                |--nobody takes it there--> refused ----|
--                |--days without success--> given_up ----+--handed over at the desk--> handed_over
--             on_paper ----------------------------------|
--   notice_queue: waiting --tried--> waiting, later and later --settled--> gone
--
-- A notice holds no word of what it says: text and address are made when it is sent, from the facts and the contact. It is
-- written in the transaction of the fact it tells of and stands in that fact's entry. `number` is its place in the order of
-- that person: one is sent when those before it are settled.

CREATE TABLE contact (
    usager_id TEXT NOT NULL PRIMARY KEY REFERENCES usager (id),
    channel TEXT NOT NULL CHECK (channel IN ('email', 'sms', 'voice', 'paper', 'none')),
    sealed BLOB NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE notice (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    usager_id TEXT NOT NULL REFERENCES usager (id),
    number INTEGER NOT NULL CHECK (number >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('receipt', 'ended', 'withdrawn')),
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
        (kind = 'receipt' AND representation_id IS NOT NULL AND procedure_id IS NULL)
        OR (kind = 'ended' AND representation_id IS NULL AND procedure_id IS NULL)
        OR (kind = 'withdrawn' AND representation_id IS NULL AND procedure_id IS NOT NULL)),
    CONSTRAINT notice_state_whole CHECK (
        (state IN ('waiting', 'on_paper')) = (settled_at IS NULL)
        AND (code IS NOT NULL OR state NOT IN ('refused', 'given_up'))
        AND (code IS NULL OR state IN ('refused', 'given_up', 'handed_over'))
        AND (channel <> 'paper' OR state IN ('on_paper', 'handed_over')))
) STRICT;
CREATE INDEX notice_by_mandate ON notice (mandate_id, number);
CREATE INDEX notice_by_representation ON notice (representation_id);

CREATE TABLE notice_queue (
    notice_id TEXT NOT NULL PRIMARY KEY REFERENCES notice (id),
    usager_id TEXT NOT NULL REFERENCES usager (id),
    number INTEGER NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX notice_queue_by_next ON notice_queue (next_at, notice_id);
CREATE INDEX notice_queue_by_usager ON notice_queue (usager_id, number);

CREATE TRIGGER contact_change_needs_entry BEFORE UPDATE ON contact
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: contact'); END;
CREATE TRIGGER contact_needs_new_entry BEFORE INSERT ON contact
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: contact'); END;
CREATE TRIGGER contact_never_deleted BEFORE DELETE ON contact
BEGIN SELECT RAISE(ABORT, 'fact_deleted: contact'); END;
CREATE TRIGGER contact_never_replaced BEFORE INSERT ON contact
WHEN EXISTS (SELECT 1 FROM contact WHERE usager_id = NEW.usager_id)
BEGIN SELECT RAISE(ABORT, 'fact_deleted: contact'); END;
CREATE TRIGGER notice_change_needs_entry BEFORE UPDATE ON notice
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: notice'); END;
CREATE TRIGGER notice_needs_new_entry BEFORE INSERT ON notice
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: notice'); END;
CREATE TRIGGER notice_never_deleted BEFORE DELETE ON notice
BEGIN SELECT RAISE(ABORT, 'fact_deleted: notice'); END;
CREATE TRIGGER notice_never_replaced BEFORE INSERT ON notice
WHEN EXISTS (SELECT 1 FROM notice WHERE id = NEW.id OR (usager_id = NEW.usager_id AND number = NEW.number))
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
