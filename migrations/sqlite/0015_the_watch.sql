-- The watch: what rules found (contract journal.md; field.md: anomalies are watched), what was said about it, and how far
-- the watch has come.
--
--   anomaly:  open --comment (auditor, referent)--> open
--               |--close (an auditor, with a reason)--> closed
--   anomaly_comment:  written, never changed
--
-- `subject` is the pseudonym of whom or what it is about (an index of event_search's kind, or of a device): while an
-- anomaly is open, its rule raises none other about the same. `entries` are the entries it rests on.

CREATE TABLE anomaly (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    rule TEXT NOT NULL CHECK (length(rule) BETWEEN 1 AND 64),
    subject TEXT NOT NULL CHECK (length(subject) = 16),
    measured INTEGER NOT NULL CHECK (measured >= 0),
    threshold INTEGER NOT NULL CHECK (threshold > 0),
    span INTEGER NOT NULL CHECK (span >= 0),
    entries TEXT NOT NULL,
    organisation_id TEXT REFERENCES organisation (id),
    aidant_id TEXT REFERENCES aidant (id),
    mandate_id TEXT REFERENCES mandate (id),
    at INTEGER NOT NULL,
    raised_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    closed_by TEXT REFERENCES auditor (id),
    closed_at INTEGER,
    reason TEXT CHECK (reason IN ('explained', 'mended', 'reported')),
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT anomaly_state_whole CHECK (
        (state = 'open' AND closed_by IS NULL AND closed_at IS NULL AND reason IS NULL)
        OR (state = 'closed' AND closed_by IS NOT NULL AND closed_at >= raised_at AND reason IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX anomaly_open_once ON anomaly (rule, subject) WHERE state = 'open';
CREATE INDEX anomaly_by_subject ON anomaly (rule, subject, raised_at);
CREATE INDEX anomaly_by_time ON anomaly (state, raised_at, id);
CREATE INDEX anomaly_by_organisation ON anomaly (organisation_id, state, raised_at, id);

CREATE TABLE anomaly_comment (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    anomaly_id TEXT NOT NULL REFERENCES anomaly (id),
    auditor_id TEXT REFERENCES auditor (id),
    aidant_id TEXT REFERENCES aidant (id),
    text_sealed BLOB NOT NULL,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version = 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT anomaly_comment_has_an_author CHECK ((auditor_id IS NULL) <> (aidant_id IS NULL))
) STRICT;
CREATE INDEX anomaly_comment_by_anomaly ON anomaly_comment (anomaly_id, at);

-- How far the watch has come: which leaf it looks at next, and until when it has looked for what did not happen.
CREATE TABLE watch_mark (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    leaf INTEGER NOT NULL CHECK (leaf >= 0),
    until_at INTEGER NOT NULL
) STRICT;
INSERT INTO watch_mark (id, leaf, until_at) VALUES (1, 0, 0);

-- Which usagers (by blind index) signed in from which device (by blind index) in the last day: working rows.
CREATE TABLE watch_device (
    device TEXT NOT NULL CHECK (length(device) = 16),
    usager TEXT NOT NULL CHECK (length(usager) = 16),
    at INTEGER NOT NULL,
    PRIMARY KEY (device, usager)
) STRICT, WITHOUT ROWID;
CREATE INDEX watch_device_by_usager ON watch_device (usager);
CREATE INDEX watch_device_by_time ON watch_device (at);

-- What the rules count.
CREATE INDEX mandate_by_proposer ON mandate (proposed_by, consented_at) WHERE consented_at IS NOT NULL;
CREATE INDEX mandate_consents_by_organisation ON mandate (organisation_id, consented_at) WHERE consented_at IS NOT NULL;
CREATE INDEX mandate_active_by_start ON mandate (starts_at) WHERE state = 'active';
CREATE INDEX event_search_refused_by_organisation ON event_search (organisation, at) WHERE outcome = 'refused';

CREATE TRIGGER anomaly_change_needs_entry BEFORE UPDATE ON anomaly
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: anomaly'); END;
CREATE TRIGGER anomaly_needs_new_entry BEFORE INSERT ON anomaly
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: anomaly'); END;
CREATE TRIGGER anomaly_never_deleted BEFORE DELETE ON anomaly
BEGIN SELECT RAISE(ABORT, 'fact_deleted: anomaly'); END;
CREATE TRIGGER anomaly_never_replaced BEFORE INSERT ON anomaly
WHEN EXISTS (SELECT 1 FROM anomaly WHERE id = NEW.id
    OR (NEW.state = 'open' AND state = 'open' AND rule = NEW.rule AND subject = NEW.subject))
BEGIN SELECT RAISE(ABORT, 'fact_deleted: anomaly'); END;
-- What was found stays what it was, and what was closed stays closed.
CREATE TRIGGER anomaly_keeps_its_finding BEFORE UPDATE ON anomaly
WHEN OLD.state <> 'open' OR NEW.id IS NOT OLD.id OR NEW.rule IS NOT OLD.rule OR NEW.subject IS NOT OLD.subject
    OR NEW.measured IS NOT OLD.measured OR NEW.threshold IS NOT OLD.threshold OR NEW.span IS NOT OLD.span
    OR NEW.entries IS NOT OLD.entries OR NEW.organisation_id IS NOT OLD.organisation_id
    OR NEW.aidant_id IS NOT OLD.aidant_id OR NEW.mandate_id IS NOT OLD.mandate_id OR NEW.at IS NOT OLD.at
    OR NEW.raised_at IS NOT OLD.raised_at
BEGIN SELECT RAISE(ABORT, 'fact_immutable: anomaly'); END;

CREATE TRIGGER anomaly_comment_change_needs_entry BEFORE UPDATE ON anomaly_comment
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: anomaly_comment'); END;
CREATE TRIGGER anomaly_comment_needs_new_entry BEFORE INSERT ON anomaly_comment
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: anomaly_comment'); END;
CREATE TRIGGER anomaly_comment_never_changes BEFORE UPDATE ON anomaly_comment
BEGIN SELECT RAISE(ABORT, 'fact_immutable: anomaly_comment'); END;
CREATE TRIGGER anomaly_comment_never_deleted BEFORE DELETE ON anomaly_comment
BEGIN SELECT RAISE(ABORT, 'fact_deleted: anomaly_comment'); END;
CREATE TRIGGER anomaly_comment_never_replaced BEFORE INSERT ON anomaly_comment
WHEN EXISTS (SELECT 1 FROM anomaly_comment WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'fact_deleted: anomaly_comment'); END;
