-- The walls between facts and entries (invariant 2), the same for every fact:
--
-- * a changed row carries another entry than before,
-- * that entry is of this very transaction: one that already has its leaf cannot vouch again,
-- * a fact is never deleted (erasing a person destroys the key, not the row).
--
-- The deferred reference on `last_event` does the rest: the entry exists at commit, or nothing does.

CREATE FUNCTION fact_needs_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.last_event = OLD.last_event
        OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event) THEN
        RAISE EXCEPTION 'fact_without_entry: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION fact_refuse_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'fact_deleted: %', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER organisation_change_needs_entry BEFORE INSERT OR UPDATE ON organisation FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE organisation ENABLE ALWAYS TRIGGER organisation_change_needs_entry;
CREATE TRIGGER organisation_never_deleted BEFORE DELETE ON organisation FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE organisation ENABLE ALWAYS TRIGGER organisation_never_deleted;
CREATE TRIGGER organisation_never_truncated BEFORE TRUNCATE ON organisation FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE organisation ENABLE ALWAYS TRIGGER organisation_never_truncated;

CREATE TRIGGER aidant_change_needs_entry BEFORE INSERT OR UPDATE ON aidant FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE aidant ENABLE ALWAYS TRIGGER aidant_change_needs_entry;
CREATE TRIGGER aidant_never_deleted BEFORE DELETE ON aidant FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE aidant ENABLE ALWAYS TRIGGER aidant_never_deleted;
CREATE TRIGGER aidant_never_truncated BEFORE TRUNCATE ON aidant FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE aidant ENABLE ALWAYS TRIGGER aidant_never_truncated;

CREATE TRIGGER usager_change_needs_entry BEFORE INSERT OR UPDATE ON usager FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE usager ENABLE ALWAYS TRIGGER usager_change_needs_entry;
CREATE TRIGGER usager_never_deleted BEFORE DELETE ON usager FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE usager ENABLE ALWAYS TRIGGER usager_never_deleted;
CREATE TRIGGER usager_never_truncated BEFORE TRUNCATE ON usager FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE usager ENABLE ALWAYS TRIGGER usager_never_truncated;

CREATE TRIGGER auditor_change_needs_entry BEFORE INSERT OR UPDATE ON auditor FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE auditor ENABLE ALWAYS TRIGGER auditor_change_needs_entry;
CREATE TRIGGER auditor_never_deleted BEFORE DELETE ON auditor FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE auditor ENABLE ALWAYS TRIGGER auditor_never_deleted;
CREATE TRIGGER auditor_never_truncated BEFORE TRUNCATE ON auditor FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE auditor ENABLE ALWAYS TRIGGER auditor_never_truncated;

CREATE TRIGGER reading_change_needs_entry BEFORE INSERT OR UPDATE ON reading FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE reading ENABLE ALWAYS TRIGGER reading_change_needs_entry;
CREATE TRIGGER reading_never_deleted BEFORE DELETE ON reading FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE reading ENABLE ALWAYS TRIGGER reading_never_deleted;
CREATE TRIGGER reading_never_truncated BEFORE TRUNCATE ON reading FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE reading ENABLE ALWAYS TRIGGER reading_never_truncated;

CREATE TRIGGER client_change_needs_entry BEFORE INSERT OR UPDATE ON client FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE client ENABLE ALWAYS TRIGGER client_change_needs_entry;
CREATE TRIGGER client_never_deleted BEFORE DELETE ON client FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE client ENABLE ALWAYS TRIGGER client_never_deleted;
CREATE TRIGGER client_never_truncated BEFORE TRUNCATE ON client FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE client ENABLE ALWAYS TRIGGER client_never_truncated;

CREATE TRIGGER mandate_change_needs_entry BEFORE INSERT OR UPDATE ON mandate FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE mandate ENABLE ALWAYS TRIGGER mandate_change_needs_entry;
CREATE TRIGGER mandate_never_deleted BEFORE DELETE ON mandate FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE mandate ENABLE ALWAYS TRIGGER mandate_never_deleted;
CREATE TRIGGER mandate_never_truncated BEFORE TRUNCATE ON mandate FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE mandate ENABLE ALWAYS TRIGGER mandate_never_truncated;

CREATE TRIGGER representation_change_needs_entry BEFORE INSERT OR UPDATE ON representation FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE representation ENABLE ALWAYS TRIGGER representation_change_needs_entry;
CREATE TRIGGER representation_never_deleted BEFORE DELETE ON representation FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE representation ENABLE ALWAYS TRIGGER representation_never_deleted;
CREATE TRIGGER representation_never_truncated BEFORE TRUNCATE ON representation FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE representation ENABLE ALWAYS TRIGGER representation_never_truncated;

-- A pending factor may be replaced freely; from its confirmation on it is a fact.
CREATE FUNCTION factor_needs_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.state = 'confirmed' OR NEW.state = 'confirmed')
        AND (NEW.last_event IS NOT DISTINCT FROM OLD.last_event
            OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)) THEN
        RAISE EXCEPTION 'fact_without_entry: factor' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER factor_change_needs_entry BEFORE UPDATE ON factor FOR EACH ROW EXECUTE FUNCTION factor_needs_entry();
ALTER TABLE factor ENABLE ALWAYS TRIGGER factor_change_needs_entry;
CREATE TRIGGER factor_needs_new_entry BEFORE INSERT ON factor FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE factor ENABLE ALWAYS TRIGGER factor_needs_new_entry;
CREATE TRIGGER factor_never_deleted BEFORE DELETE ON factor FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE factor ENABLE ALWAYS TRIGGER factor_never_deleted;
CREATE TRIGGER factor_never_truncated BEFORE TRUNCATE ON factor FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE factor ENABLE ALWAYS TRIGGER factor_never_truncated;

-- A refusal is written once.
CREATE TRIGGER refusal_needs_new_entry BEFORE INSERT ON refusal FOR EACH ROW EXECUTE FUNCTION fact_needs_entry();
ALTER TABLE refusal ENABLE ALWAYS TRIGGER refusal_needs_new_entry;
CREATE TRIGGER refusal_never_changes BEFORE UPDATE ON refusal FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE refusal ENABLE ALWAYS TRIGGER refusal_never_changes;
CREATE TRIGGER refusal_never_deleted BEFORE DELETE ON refusal FOR EACH ROW EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE refusal ENABLE ALWAYS TRIGGER refusal_never_deleted;
CREATE TRIGGER refusal_never_truncated BEFORE TRUNCATE ON refusal FOR EACH STATEMENT EXECUTE FUNCTION fact_refuse_delete();
ALTER TABLE refusal ENABLE ALWAYS TRIGGER refusal_never_truncated;

-- The service's own role: it may add to the journal and read it, never change it. The role is shared by
-- all databases of a cluster, so it may be there already.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'porteplume_service') THEN
        CREATE ROLE porteplume_service NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;
END $$;
DO $$
BEGIN
    IF NOT pg_has_role(current_user, 'porteplume_service', 'MEMBER') THEN
        EXECUTE format('GRANT porteplume_service TO %I', current_user);
    END IF;
END $$;

GRANT SELECT ON _sqlx_migrations TO porteplume_service;
GRANT SELECT, INSERT ON event, leaf, tile, checkpoint, refusal TO porteplume_service;
GRANT SELECT, INSERT, DELETE ON queue, opening, event_search TO porteplume_service;
GRANT SELECT, INSERT, UPDATE ON organisation, aidant, factor, usager, auditor, reading, client, mandate,
    mandate_paper, representation TO porteplume_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON data_key, closed_procedure, recovery_code, usager_index,
    mandate_procedure, session, login_flow, authorization_request, authorization_code, access_token, used_assertion,
    idempotency
    TO porteplume_service;
