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

-- SQLite keeps a column's CHECK in the table's text. Only what may stand in it changes, and every row that stands fits.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'CHECK (channel IN (''in_presence''))', 'CHECK (channel IN
        (''in_presence'', ''own_device'', ''telephone'', ''paper'', ''posted_code'', ''seen_document''))')
    WHERE type = 'table' AND name = 'mandate';
UPDATE sqlite_schema SET sql = replace(replace(sql,
    '''handed_over'', ''locked'', ''usager'', ''auditor'')', '''handed_over'', ''locked'', ''consenting'', ''usager'', ''auditor'')'),
    'OR (kind = ''usager'' AND', 'OR (kind = ''consenting'' AND mandate_id IS NOT NULL AND aidant_id IS NULL AND auditor_id IS NULL)
        OR (kind = ''usager'' AND')
    WHERE type = 'table' AND name = 'session';
PRAGMA writable_schema = RESET;

ALTER TABLE mandate ADD COLUMN asked_channel TEXT
    CHECK (asked_channel IN ('own_device', 'telephone', 'paper', 'posted_code', 'seen_document'));
ALTER TABLE mandate ADD COLUMN asked_at INTEGER CHECK ((asked_at IS NULL) = (asked_channel IS NULL));
ALTER TABLE client ADD COLUMN consent TEXT NOT NULL DEFAULT 'identified' CHECK (consent IN ('reached', 'witnessed', 'identified'));

CREATE TABLE asking (
    mandate_id TEXT NOT NULL PRIMARY KEY REFERENCES mandate (id),
    channel TEXT NOT NULL CHECK (channel IN ('own_device', 'telephone', 'paper', 'posted_code', 'seen_document')),
    delivery TEXT NOT NULL CHECK (delivery IN ('none', 'waiting', 'sent', 'failed')),
    usager_id TEXT REFERENCES usager (id),
    code_hash TEXT UNIQUE CHECK (length(code_hash) = 64),
    sealed BLOB NOT NULL,
    scan_hash TEXT CHECK (length(scan_hash) = 64),
    asked_by TEXT NOT NULL REFERENCES aidant (id),
    asked_at INTEGER NOT NULL,
    failures INTEGER NOT NULL CHECK (failures BETWEEN 0 AND 5),
    answered_at INTEGER,
    confirmed_by TEXT REFERENCES aidant (id),
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT asking_two_persons CHECK (confirmed_by IS NULL OR (answered_at IS NOT NULL AND confirmed_by <> asked_by)),
    CONSTRAINT asking_whom CHECK ((channel = 'own_device') = (usager_id IS NULL)),
    CONSTRAINT asking_scan CHECK (scan_hash IS NULL OR channel = 'paper')
) STRICT;
CREATE INDEX asking_by_usager ON asking (usager_id) WHERE usager_id IS NOT NULL;

CREATE TABLE asking_scan (
    mandate_id TEXT NOT NULL PRIMARY KEY REFERENCES asking (mandate_id),
    sealed BLOB NOT NULL
) STRICT;

CREATE TABLE asking_queue (
    mandate_id TEXT NOT NULL PRIMARY KEY REFERENCES asking (mandate_id),
    letter_id TEXT NOT NULL CHECK (length(letter_id) = 32),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX asking_queue_by_next ON asking_queue (next_at, mandate_id);

CREATE TRIGGER asking_change_needs_entry BEFORE UPDATE ON asking
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: asking'); END;
CREATE TRIGGER asking_needs_new_entry BEFORE INSERT ON asking
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: asking'); END;
CREATE TRIGGER asking_never_deleted BEFORE DELETE ON asking
BEGIN SELECT RAISE(ABORT, 'fact_deleted: asking'); END;
CREATE TRIGGER asking_never_replaced BEFORE INSERT ON asking
WHEN EXISTS (SELECT 1 FROM asking WHERE mandate_id = NEW.mandate_id OR code_hash = NEW.code_hash)
BEGIN SELECT RAISE(ABORT, 'fact_deleted: asking'); END;
