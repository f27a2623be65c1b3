-- The card that the person keeps, by which a mandate is ended without any device: its number, and a code of 13 characters
-- that is not the one on the paper shown to services (whoever may check a mandate may not end it).
--
--   (accepted, or a card is made later) --> in hand --a wrong code, up to 4--> in hand
--        in hand --5th wrong code--> locked (an hour, then twice as long each time, a day at most) --time--> in hand
--        in hand, locked --another card is made--> in hand, with another code: the former one is dead
--        in hand, locked --the person, or the mandate's history, is erased--> without a code, for ever
--
-- The code rests hashed under the index key, bound to its mandate, and sealed under the mandate's key to be printed again.
-- What it ended stands with the mandate: a card says nothing of that.
CREATE TABLE revocation_card (
    mandate_id TEXT NOT NULL PRIMARY KEY REFERENCES mandate (id),
    code_hash TEXT CHECK (length(code_hash) = 64),
    code_sealed BYTEA,
    made_at BIGINT NOT NULL,
    failures BIGINT NOT NULL CHECK (failures BETWEEN 0 AND 4),
    locks BIGINT NOT NULL CHECK (locks >= 0),
    locked_until BIGINT,
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT revocation_card_code_whole CHECK ((code_hash IS NULL) = (code_sealed IS NULL)),
    CONSTRAINT revocation_card_lock_whole CHECK ((locked_until IS NULL) = (locks = 0))
);
-- A mandate's number is the end of its identifier.
CREATE INDEX revocation_card_by_number ON revocation_card ((substr(mandate_id, 25)));

CREATE TRIGGER revocation_card_change_needs_entry BEFORE INSERT OR UPDATE ON revocation_card FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE revocation_card ENABLE ALWAYS TRIGGER revocation_card_change_needs_entry;
CREATE TRIGGER revocation_card_never_deleted BEFORE DELETE ON revocation_card FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE revocation_card ENABLE ALWAYS TRIGGER revocation_card_never_deleted;
CREATE TRIGGER revocation_card_never_truncated BEFORE TRUNCATE ON revocation_card FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE revocation_card ENABLE ALWAYS TRIGGER revocation_card_never_truncated;

GRANT SELECT, INSERT, UPDATE ON revocation_card TO porteplume_service;
