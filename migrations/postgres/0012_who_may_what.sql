-- Who may do what (contract journal.md, 4.4). Four roles; none can sign in by itself:
--
--   porteplume_tables     owns every table; nobody works under it but `migrate`
--   porteplume_service    reads, changes facts, adds entries; gives none its place
--   porteplume_sequencer  gives entries their place: adds leaves, tiles and checkpoints, empties the queue
--   porteplume_auditor    reads the journal as far as grants reach, and nothing else
--
-- Roles are shared by all databases of a cluster, so they may be there already.
DO $$
DECLARE
    wanted TEXT;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['porteplume_tables', 'porteplume_sequencer', 'porteplume_auditor'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;
        END;
        IF wanted <> 'porteplume_auditor' AND NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
END $$;

-- Gives every table and function of ours to the role that owns them; `migrate` calls it after its last step. The list of
-- steps stays with the account that migrates.
CREATE FUNCTION porteplume_hand_over() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    thing RECORD;
BEGIN
    IF NOT has_schema_privilege('porteplume_tables', 'public', 'CREATE') THEN
        GRANT USAGE, CREATE ON SCHEMA public TO porteplume_tables;
    END IF;
    FOR thing IN SELECT c.oid::regclass AS name FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v')
        AND c.relname <> '_sqlx_migrations' AND c.relowner <> 'porteplume_tables'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO porteplume_tables', thing.name);
    END LOOP;
    FOR thing IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'porteplume_tables'::regrole
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO porteplume_tables', thing.name);
    END LOOP;
END $$;
REVOKE EXECUTE ON FUNCTION porteplume_hand_over() FROM PUBLIC;

-- The service adds entries; their place is the sequencer's to give.
REVOKE INSERT ON leaf, tile, checkpoint FROM porteplume_service;
REVOKE DELETE ON queue FROM porteplume_service;
GRANT SELECT ON event, queue, leaf, tile, checkpoint TO porteplume_sequencer;
GRANT INSERT ON queue, leaf, tile, checkpoint TO porteplume_sequencer;
GRANT DELETE ON queue TO porteplume_sequencer;

-- An auditor with an account of their own reads the journal by themselves. Leaves, tiles and checkpoints tell of
-- nobody and are public anyway; entries, their openings and how they are found are shown as far as grants reach.
GRANT SELECT ON event, leaf, tile, checkpoint, opening, event_search TO porteplume_auditor;

-- Who asks: the account named auditor_ID is that auditor. The service vouches for whom it reads by
-- `SET LOCAL porteplume.auditor`; said by anybody else, that counts for nothing.
CREATE FUNCTION audit_asks() RETURNS TEXT LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN pg_has_role(session_user, 'porteplume_service', 'MEMBER') THEN current_setting('porteplume.auditor', true)
        ELSE substring(session_user::text FROM '^auditor_([0-9a-f]{32})$')
    END
$$;

-- Whether a grant of whoever asks reaches an entry, in a slot or at all. Grants are kept in audit_grant (step 13); as long
-- as there is no such table, nothing is reached.
CREATE FUNCTION audit_reaches(entry_at BIGINT, of_organisation TEXT, of_mandate TEXT, of_slot TEXT) RETURNS BOOLEAN
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    asks TEXT := audit_asks();
    instant BIGINT := (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint;
BEGIN
    IF asks IS NULL OR to_regclass('public.audit_grant') IS NULL THEN
        RETURN FALSE;
    END IF;
    RETURN EXISTS (
        SELECT 1 FROM audit_grant g
        WHERE g.auditor_id = asks AND g.revoked_at IS NULL AND g.given_at <= instant AND g.ends_at > instant
            AND entry_at >= g.from_at AND entry_at < g.until_at
            AND (of_slot IS NULL OR of_slot = ANY (string_to_array(g.slots, ' ')))
            AND (g.reach = 'everything' OR EXISTS (
                SELECT 1 FROM audit_grant_scope s WHERE s.grant_id = g.id
                    AND (s.kind = 'organisation' AND s.blind = of_organisation OR s.kind = 'mandate' AND s.blind = of_mandate)
            ))
    );
END $$;

ALTER TABLE event_search ENABLE ROW LEVEL SECURITY;
CREATE POLICY service_sees_all ON event_search TO porteplume_service USING (true) WITH CHECK (true);
CREATE POLICY auditor_sees_what_was_granted ON event_search FOR SELECT TO porteplume_auditor
    USING (audit_reaches(at, organisation, mandate, NULL));

ALTER TABLE event ENABLE ROW LEVEL SECURITY;
CREATE POLICY service_sees_all ON event TO porteplume_service USING (true) WITH CHECK (true);
CREATE POLICY sequencer_sees_all ON event FOR SELECT TO porteplume_sequencer USING (true);
CREATE POLICY auditor_sees_what_was_granted ON event FOR SELECT TO porteplume_auditor
    USING (EXISTS (SELECT 1 FROM event_search s WHERE s.event_id = event.event_id));

ALTER TABLE opening ENABLE ROW LEVEL SECURITY;
CREATE POLICY service_sees_all ON opening TO porteplume_service USING (true) WITH CHECK (true);
CREATE POLICY auditor_sees_what_was_granted ON opening FOR SELECT TO porteplume_auditor
    USING (EXISTS (SELECT 1 FROM event_search s WHERE s.event_id = opening.event_id
        AND audit_reaches(s.at, s.organisation, s.mandate, opening.slot)));
