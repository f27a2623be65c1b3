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
    sealed BYTEA NOT NULL,
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE notice (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    usager_id TEXT NOT NULL REFERENCES usager (id),
    number BIGINT NOT NULL CHECK (number >= 1),
    kind TEXT NOT NULL CHECK (kind IN ('receipt', 'ended', 'withdrawn')),
    mandate_id TEXT NOT NULL REFERENCES mandate (id),
    representation_id TEXT REFERENCES representation (id),
    procedure_id TEXT,
    channel TEXT NOT NULL CHECK (channel IN ('email', 'sms', 'voice', 'paper')),
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'refused', 'given_up', 'on_paper', 'handed_over')),
    code TEXT,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    version BIGINT NOT NULL CHECK (version >= 1),
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
);
CREATE INDEX notice_by_mandate ON notice (mandate_id, number);
CREATE INDEX notice_by_representation ON notice (representation_id);

CREATE TABLE notice_queue (
    notice_id TEXT NOT NULL PRIMARY KEY REFERENCES notice (id),
    usager_id TEXT NOT NULL REFERENCES usager (id),
    number BIGINT NOT NULL,
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    next_at BIGINT NOT NULL
);
CREATE INDEX notice_queue_by_next ON notice_queue (next_at, notice_id);
CREATE INDEX notice_queue_by_usager ON notice_queue (usager_id, number);

CREATE TRIGGER contact_change_needs_entry BEFORE INSERT OR UPDATE ON contact FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE contact ENABLE ALWAYS TRIGGER contact_change_needs_entry;
CREATE TRIGGER contact_never_deleted BEFORE DELETE ON contact FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE contact ENABLE ALWAYS TRIGGER contact_never_deleted;
CREATE TRIGGER contact_never_truncated BEFORE TRUNCATE ON contact FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE contact ENABLE ALWAYS TRIGGER contact_never_truncated;
CREATE TRIGGER notice_change_needs_entry BEFORE INSERT OR UPDATE ON notice FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE notice ENABLE ALWAYS TRIGGER notice_change_needs_entry;
CREATE TRIGGER notice_never_deleted BEFORE DELETE ON notice FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE notice ENABLE ALWAYS TRIGGER notice_never_deleted;
CREATE TRIGGER notice_never_truncated BEFORE TRUNCATE ON notice FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE notice ENABLE ALWAYS TRIGGER notice_never_truncated;

-- What it tells of stays, and what was told is not told again.
CREATE FUNCTION notice_keeps_telling() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('sent', 'handed_over') OR NEW.state IN ('waiting', 'on_paper')
        OR (OLD.state <> 'waiting' AND NEW.state <> 'handed_over')
        OR NEW.id IS DISTINCT FROM OLD.id
        OR NEW.usager_id IS DISTINCT FROM OLD.usager_id
        OR NEW.number IS DISTINCT FROM OLD.number
        OR NEW.kind IS DISTINCT FROM OLD.kind
        OR NEW.mandate_id IS DISTINCT FROM OLD.mandate_id
        OR NEW.representation_id IS DISTINCT FROM OLD.representation_id
        OR NEW.procedure_id IS DISTINCT FROM OLD.procedure_id
        OR NEW.channel IS DISTINCT FROM OLD.channel
        OR NEW.created_at IS DISTINCT FROM OLD.created_at THEN
        RAISE EXCEPTION 'fact_immutable: notice' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notice_keeps_what_it_tells BEFORE UPDATE ON notice FOR EACH ROW EXECUTE FUNCTION notice_keeps_telling();
ALTER TABLE notice ENABLE ALWAYS TRIGGER notice_keeps_what_it_tells;

GRANT SELECT, INSERT, UPDATE ON contact, notice TO porteplume_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON notice_queue TO porteplume_service;
