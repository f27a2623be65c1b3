-- What an auditor may read: a grant names organisations and mandates (or everything), slots of the entries, the
-- period the entries are of, and ends by itself (contract journal.md, 4.7). Given and taken back by the operator.
--
--   grant:  given --revoke--> revoked      (over by itself at ends_at)
--
-- `blind` is how event_search names the same organisation or mandate, so that the database can compare by itself.
-- What a grant names is written with it, in the same transaction, and never changes.

CREATE TABLE audit_grant (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    auditor_id TEXT NOT NULL REFERENCES auditor (id),
    reach TEXT NOT NULL CHECK (reach IN ('everything', 'named')),
    slots TEXT NOT NULL CHECK (slots IN
        ('act', 'act ctx', 'act sub', 'act aid', 'act ctx sub', 'act ctx aid', 'act sub aid', 'act ctx sub aid')),
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    given_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    revoked_at BIGINT,
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (until_at > from_at),
    CHECK (ends_at > given_at),
    CHECK (revoked_at IS NULL OR revoked_at >= given_at)
);
CREATE INDEX audit_grant_by_auditor ON audit_grant (auditor_id, ends_at);

CREATE TABLE audit_grant_scope (
    grant_id TEXT NOT NULL REFERENCES audit_grant (id),
    kind TEXT NOT NULL CHECK (kind IN ('organisation', 'mandate')),
    subject_id TEXT NOT NULL CHECK (length(subject_id) = 32),
    blind TEXT NOT NULL CHECK (length(blind) = 16),
    PRIMARY KEY (grant_id, kind, subject_id)
);
CREATE INDEX audit_grant_scope_by_blind ON audit_grant_scope (kind, blind);

CREATE FUNCTION fact_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'fact_immutable: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- A grant only ever gets narrower: the one thing that changes is that it is taken back.
CREATE FUNCTION audit_grant_only_narrows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id OR NEW.auditor_id <> OLD.auditor_id OR NEW.reach <> OLD.reach OR NEW.slots <> OLD.slots
        OR NEW.from_at <> OLD.from_at OR NEW.until_at <> OLD.until_at OR NEW.given_at <> OLD.given_at
        OR NEW.ends_at <> OLD.ends_at OR OLD.revoked_at IS NOT NULL THEN
        RAISE EXCEPTION 'fact_immutable: audit_grant' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION audit_grant_scope_with_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit_grant JOIN leaf ON leaf.event_id = audit_grant.last_event
            WHERE audit_grant.id = NEW.grant_id)
        OR NOT EXISTS (SELECT 1 FROM audit_grant WHERE id = NEW.grant_id AND reach = 'named') THEN
        RAISE EXCEPTION 'fact_without_entry: audit_grant_scope' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_grant_change_needs_entry BEFORE INSERT OR UPDATE ON audit_grant FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE audit_grant ENABLE ALWAYS TRIGGER audit_grant_change_needs_entry;
CREATE TRIGGER audit_grant_never_widens BEFORE UPDATE ON audit_grant FOR EACH ROW EXECUTE FUNCTION audit_grant_only_narrows();
ALTER TABLE audit_grant ENABLE ALWAYS TRIGGER audit_grant_never_widens;
CREATE TRIGGER audit_grant_never_deleted BEFORE DELETE ON audit_grant FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE audit_grant ENABLE ALWAYS TRIGGER audit_grant_never_deleted;
CREATE TRIGGER audit_grant_never_truncated BEFORE TRUNCATE ON audit_grant FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE audit_grant ENABLE ALWAYS TRIGGER audit_grant_never_truncated;

CREATE TRIGGER audit_grant_scope_comes_with_its_grant BEFORE INSERT ON audit_grant_scope FOR EACH ROW EXECUTE FUNCTION audit_grant_scope_with_grant();
ALTER TABLE audit_grant_scope ENABLE ALWAYS TRIGGER audit_grant_scope_comes_with_its_grant;
CREATE TRIGGER audit_grant_scope_never_changes BEFORE UPDATE ON audit_grant_scope FOR EACH ROW EXECUTE FUNCTION fact_refuse_change();
ALTER TABLE audit_grant_scope ENABLE ALWAYS TRIGGER audit_grant_scope_never_changes;
CREATE TRIGGER audit_grant_scope_never_deleted BEFORE DELETE ON audit_grant_scope FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE audit_grant_scope ENABLE ALWAYS TRIGGER audit_grant_scope_never_deleted;
CREATE TRIGGER audit_grant_scope_never_truncated BEFORE TRUNCATE ON audit_grant_scope FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE audit_grant_scope ENABLE ALWAYS TRIGGER audit_grant_scope_never_truncated;

GRANT SELECT, INSERT, UPDATE ON audit_grant TO porteplume_service;
GRANT SELECT, INSERT ON audit_grant_scope TO porteplume_service;

-- Every filter of the desk walks an index of its own.
CREATE INDEX event_search_by_code ON event_search (code, at, event_id) WHERE code IS NOT NULL;
CREATE INDEX event_search_by_procedure ON event_search (procedure, at, event_id) WHERE procedure IS NOT NULL;
CREATE INDEX event_search_refused ON event_search (at, event_id) WHERE outcome = 'refused';
