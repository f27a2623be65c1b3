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
    measured BIGINT NOT NULL CHECK (measured >= 0),
    threshold BIGINT NOT NULL CHECK (threshold > 0),
    span BIGINT NOT NULL CHECK (span >= 0),
    entries TEXT NOT NULL,
    organisation_id TEXT REFERENCES organisation (id),
    aidant_id TEXT REFERENCES aidant (id),
    mandate_id TEXT REFERENCES mandate (id),
    at BIGINT NOT NULL,
    raised_at BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    closed_by TEXT REFERENCES auditor (id),
    closed_at BIGINT,
    reason TEXT CHECK (reason IN ('explained', 'mended', 'reported')),
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT anomaly_state_whole CHECK (
        (state = 'open' AND closed_by IS NULL AND closed_at IS NULL AND reason IS NULL)
        OR (state = 'closed' AND closed_by IS NOT NULL AND closed_at >= raised_at AND reason IS NOT NULL))
);
CREATE UNIQUE INDEX anomaly_open_once ON anomaly (rule, subject) WHERE state = 'open';
CREATE INDEX anomaly_by_subject ON anomaly (rule, subject, raised_at);
CREATE INDEX anomaly_by_time ON anomaly (state, raised_at, id);
CREATE INDEX anomaly_by_organisation ON anomaly (organisation_id, state, raised_at, id);

CREATE TABLE anomaly_comment (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    anomaly_id TEXT NOT NULL REFERENCES anomaly (id),
    auditor_id TEXT REFERENCES auditor (id),
    aidant_id TEXT REFERENCES aidant (id),
    text_sealed BYTEA NOT NULL,
    at BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version = 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT anomaly_comment_has_an_author CHECK ((auditor_id IS NULL) <> (aidant_id IS NULL))
);
CREATE INDEX anomaly_comment_by_anomaly ON anomaly_comment (anomaly_id, at);

-- How far the watch has come: which leaf it looks at next, and until when it has looked for what did not happen.
CREATE TABLE watch_mark (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    leaf BIGINT NOT NULL CHECK (leaf >= 0),
    until_at BIGINT NOT NULL
);
INSERT INTO watch_mark (id, leaf, until_at) VALUES (1, 0, 0);

-- Which usagers (by blind index) signed in from which device (by blind index) in the last day: working rows.
CREATE TABLE watch_device (
    device TEXT NOT NULL CHECK (length(device) = 16),
    usager TEXT NOT NULL CHECK (length(usager) = 16),
    at BIGINT NOT NULL,
    PRIMARY KEY (device, usager)
);
CREATE INDEX watch_device_by_usager ON watch_device (usager);
CREATE INDEX watch_device_by_time ON watch_device (at);

-- What the rules count.
CREATE INDEX mandate_by_proposer ON mandate (proposed_by, consented_at) WHERE consented_at IS NOT NULL;
CREATE INDEX mandate_consents_by_organisation ON mandate (organisation_id, consented_at) WHERE consented_at IS NOT NULL;
CREATE INDEX mandate_active_by_start ON mandate (starts_at) WHERE state = 'active';
CREATE INDEX event_search_refused_by_organisation ON event_search (organisation, at) WHERE outcome = 'refused';

CREATE TRIGGER anomaly_change_needs_entry BEFORE INSERT OR UPDATE ON anomaly FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE anomaly ENABLE ALWAYS TRIGGER anomaly_change_needs_entry;
CREATE TRIGGER anomaly_never_deleted BEFORE DELETE ON anomaly FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE anomaly ENABLE ALWAYS TRIGGER anomaly_never_deleted;
CREATE TRIGGER anomaly_never_truncated BEFORE TRUNCATE ON anomaly FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE anomaly ENABLE ALWAYS TRIGGER anomaly_never_truncated;

CREATE TRIGGER anomaly_comment_change_needs_entry BEFORE INSERT OR UPDATE ON anomaly_comment FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE anomaly_comment ENABLE ALWAYS TRIGGER anomaly_comment_change_needs_entry;
CREATE TRIGGER anomaly_comment_never_deleted BEFORE DELETE ON anomaly_comment FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE anomaly_comment ENABLE ALWAYS TRIGGER anomaly_comment_never_deleted;
CREATE TRIGGER anomaly_comment_never_truncated BEFORE TRUNCATE ON anomaly_comment FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE anomaly_comment ENABLE ALWAYS TRIGGER anomaly_comment_never_truncated;

-- What was found stays what it was, and what was closed stays closed.
CREATE FUNCTION anomaly_keeps_finding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state <> 'open'
        OR NEW.id IS DISTINCT FROM OLD.id
        OR NEW.rule IS DISTINCT FROM OLD.rule
        OR NEW.subject IS DISTINCT FROM OLD.subject
        OR NEW.measured IS DISTINCT FROM OLD.measured
        OR NEW.threshold IS DISTINCT FROM OLD.threshold
        OR NEW.span IS DISTINCT FROM OLD.span
        OR NEW.entries IS DISTINCT FROM OLD.entries
        OR NEW.organisation_id IS DISTINCT FROM OLD.organisation_id
        OR NEW.aidant_id IS DISTINCT FROM OLD.aidant_id
        OR NEW.mandate_id IS DISTINCT FROM OLD.mandate_id
        OR NEW.at IS DISTINCT FROM OLD.at
        OR NEW.raised_at IS DISTINCT FROM OLD.raised_at THEN
        RAISE EXCEPTION 'fact_immutable: anomaly' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER anomaly_keeps_its_finding BEFORE UPDATE ON anomaly FOR EACH ROW EXECUTE FUNCTION anomaly_keeps_finding();
ALTER TABLE anomaly ENABLE ALWAYS TRIGGER anomaly_keeps_its_finding;
CREATE TRIGGER anomaly_comment_never_changes BEFORE UPDATE ON anomaly_comment FOR EACH ROW EXECUTE FUNCTION fact_refuse_change();
ALTER TABLE anomaly_comment ENABLE ALWAYS TRIGGER anomaly_comment_never_changes;

GRANT SELECT, INSERT, UPDATE ON anomaly TO porteplume_service;
GRANT SELECT, INSERT ON anomaly_comment TO porteplume_service;
GRANT SELECT, UPDATE ON watch_mark TO porteplume_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON watch_device TO porteplume_service;
