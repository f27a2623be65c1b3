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
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    given_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    revoked_at INTEGER,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (until_at > from_at),
    CHECK (ends_at > given_at),
    CHECK (revoked_at IS NULL OR revoked_at >= given_at)
) STRICT;
CREATE INDEX audit_grant_by_auditor ON audit_grant (auditor_id, ends_at);

CREATE TABLE audit_grant_scope (
    grant_id TEXT NOT NULL REFERENCES audit_grant (id),
    kind TEXT NOT NULL CHECK (kind IN ('organisation', 'mandate')),
    subject_id TEXT NOT NULL CHECK (length(subject_id) = 32),
    blind TEXT NOT NULL CHECK (length(blind) = 16),
    PRIMARY KEY (grant_id, kind, subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_grant_scope_by_blind ON audit_grant_scope (kind, blind);

CREATE TRIGGER audit_grant_change_needs_entry BEFORE UPDATE ON audit_grant
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: audit_grant'); END;
CREATE TRIGGER audit_grant_needs_new_entry BEFORE INSERT ON audit_grant
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: audit_grant'); END;
CREATE TRIGGER audit_grant_never_deleted BEFORE DELETE ON audit_grant
BEGIN SELECT RAISE(ABORT, 'fact_deleted: audit_grant'); END;
CREATE TRIGGER audit_grant_never_replaced BEFORE INSERT ON audit_grant
WHEN EXISTS (SELECT 1 FROM audit_grant WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'fact_deleted: audit_grant'); END;
-- A grant only ever gets narrower: the one thing that changes is that it is taken back.
CREATE TRIGGER audit_grant_never_widens BEFORE UPDATE ON audit_grant
WHEN NEW.id <> OLD.id OR NEW.auditor_id <> OLD.auditor_id OR NEW.reach <> OLD.reach OR NEW.slots <> OLD.slots
    OR NEW.from_at <> OLD.from_at OR NEW.until_at <> OLD.until_at OR NEW.given_at <> OLD.given_at
    OR NEW.ends_at <> OLD.ends_at OR OLD.revoked_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'fact_immutable: audit_grant'); END;

CREATE TRIGGER audit_grant_scope_comes_with_its_grant BEFORE INSERT ON audit_grant_scope
WHEN EXISTS (SELECT 1 FROM audit_grant JOIN leaf ON leaf.event_id = audit_grant.last_event
    WHERE audit_grant.id = NEW.grant_id)
    OR NOT EXISTS (SELECT 1 FROM audit_grant WHERE id = NEW.grant_id AND reach = 'named')
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: audit_grant_scope'); END;
CREATE TRIGGER audit_grant_scope_never_changes BEFORE UPDATE ON audit_grant_scope
BEGIN SELECT RAISE(ABORT, 'fact_immutable: audit_grant_scope'); END;
CREATE TRIGGER audit_grant_scope_never_deleted BEFORE DELETE ON audit_grant_scope
BEGIN SELECT RAISE(ABORT, 'fact_deleted: audit_grant_scope'); END;
CREATE TRIGGER audit_grant_scope_never_replaced BEFORE INSERT ON audit_grant_scope
WHEN EXISTS (SELECT 1 FROM audit_grant_scope
    WHERE grant_id = NEW.grant_id AND kind = NEW.kind AND subject_id = NEW.subject_id)
BEGIN SELECT RAISE(ABORT, 'fact_immutable: audit_grant_scope'); END;

-- Every filter of the desk walks an index of its own.
CREATE INDEX event_search_by_code ON event_search (code, at, event_id) WHERE code IS NOT NULL;
CREATE INDEX event_search_by_procedure ON event_search (procedure, at, event_id) WHERE procedure IS NOT NULL;
CREATE INDEX event_search_refused ON event_search (at, event_id) WHERE outcome = 'refused';
