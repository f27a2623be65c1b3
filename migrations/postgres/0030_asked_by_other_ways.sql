-- Consent by other ways than the aidant's screen, and how much each service asks a consent to prove.
--
--   mandate:  proposed --ask by another way--> proposed (and it waits as long as that way takes)
--   asking:   asked --answered--> answered --a second person confirms--> confirmed (and the mandate is consented to)
--                |--asked again, by any way--> asked, with another code: the former one is dead
--                |--5th wrong code--> dead: it can only be asked again
--   asking_queue: waiting --tried--> waiting, later and later --taken over, or given up--> gone
--
-- What became of it stands with the mandate. `sealed` holds what only the parties may know (the code, where it was sent, which
-- document was seen, when the paper was signed) under the usager's key, or the mandate's while nobody is named. The code is
-- found by its keyed hash. A scan is sealed beside it.

ALTER TABLE mandate DROP CONSTRAINT mandate_channel_check;
ALTER TABLE mandate ADD CONSTRAINT mandate_channel_check CHECK (channel IN
    ('in_presence', 'own_device', 'telephone', 'paper', 'posted_code', 'seen_document'));
ALTER TABLE session DROP CONSTRAINT session_kind_check;
ALTER TABLE session ADD CONSTRAINT session_kind_check CHECK (kind IN
    ('anonymous', 'aidant', 'handed_over', 'locked', 'consenting', 'usager', 'auditor'));
ALTER TABLE session DROP CONSTRAINT session_kind_whole;
ALTER TABLE session ADD CONSTRAINT session_kind_whole CHECK (
    (kind = 'anonymous' AND aidant_id IS NULL AND usager_id IS NULL AND auditor_id IS NULL AND mandate_id IS NULL)
    OR (kind = 'aidant' AND aidant_id IS NOT NULL AND authenticated_at IS NOT NULL AND usager_id IS NULL AND auditor_id IS NULL)
    OR (kind IN ('handed_over', 'locked') AND aidant_id IS NOT NULL AND mandate_id IS NOT NULL AND auditor_id IS NULL)
    OR (kind = 'consenting' AND mandate_id IS NOT NULL AND aidant_id IS NULL AND auditor_id IS NULL)
    OR (kind = 'usager' AND usager_id IS NOT NULL AND authenticated_at IS NOT NULL AND aidant_id IS NULL AND auditor_id IS NULL)
    OR (kind = 'auditor' AND auditor_id IS NOT NULL AND authenticated_at IS NOT NULL AND aidant_id IS NULL AND usager_id IS NULL));

ALTER TABLE mandate ADD COLUMN asked_channel TEXT
    CHECK (asked_channel IN ('own_device', 'telephone', 'paper', 'posted_code', 'seen_document'));
ALTER TABLE mandate ADD COLUMN asked_at BIGINT CHECK ((asked_at IS NULL) = (asked_channel IS NULL));
ALTER TABLE client ADD COLUMN consent TEXT NOT NULL DEFAULT 'identified' CHECK (consent IN ('reached', 'witnessed', 'identified'));

CREATE TABLE asking (
    mandate_id TEXT NOT NULL PRIMARY KEY REFERENCES mandate (id),
    channel TEXT NOT NULL CHECK (channel IN ('own_device', 'telephone', 'paper', 'posted_code', 'seen_document')),
    delivery TEXT NOT NULL CHECK (delivery IN ('none', 'waiting', 'sent', 'failed')),
    usager_id TEXT REFERENCES usager (id),
    code_hash TEXT UNIQUE CHECK (length(code_hash) = 64),
    sealed BYTEA NOT NULL,
    scan_hash TEXT CHECK (length(scan_hash) = 64),
    asked_by TEXT NOT NULL REFERENCES aidant (id),
    asked_at BIGINT NOT NULL,
    failures BIGINT NOT NULL CHECK (failures BETWEEN 0 AND 5),
    answered_at BIGINT,
    confirmed_by TEXT REFERENCES aidant (id),
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT asking_two_persons CHECK (confirmed_by IS NULL OR (answered_at IS NOT NULL AND confirmed_by <> asked_by)),
    CONSTRAINT asking_whom CHECK ((channel = 'own_device') = (usager_id IS NULL)),
    CONSTRAINT asking_scan CHECK (scan_hash IS NULL OR channel = 'paper')
);
CREATE INDEX asking_by_usager ON asking (usager_id) WHERE usager_id IS NOT NULL;

CREATE TABLE asking_scan (
    mandate_id TEXT NOT NULL PRIMARY KEY REFERENCES asking (mandate_id),
    sealed BYTEA NOT NULL
);

CREATE TABLE asking_queue (
    mandate_id TEXT NOT NULL PRIMARY KEY REFERENCES asking (mandate_id),
    letter_id TEXT NOT NULL CHECK (length(letter_id) = 32),
    attempts BIGINT NOT NULL CHECK (attempts >= 0),
    next_at BIGINT NOT NULL
);
CREATE INDEX asking_queue_by_next ON asking_queue (next_at, mandate_id);

CREATE TRIGGER asking_change_needs_entry BEFORE INSERT OR UPDATE ON asking FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE asking ENABLE ALWAYS TRIGGER asking_change_needs_entry;
CREATE TRIGGER asking_never_deleted BEFORE DELETE ON asking FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE asking ENABLE ALWAYS TRIGGER asking_never_deleted;
CREATE TRIGGER asking_never_truncated BEFORE TRUNCATE ON asking FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE asking ENABLE ALWAYS TRIGGER asking_never_truncated;

GRANT SELECT, INSERT, UPDATE ON asking TO porteplume_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON asking_scan, asking_queue TO porteplume_service;
