-- The contract and its uses.
--
--   mandate:  proposed --consent--> consented --accept--> active --end--> ended{reason}
--                |--refuse--> refused   |--lapse--> lapsed   |--withdraw one procedure--> active
--                |--lapse---> lapsed    |--end--> ended
--   representation:  open --close--> closed{reason}
--
-- The CHECKs forbid half-filled rows: each state carries exactly the facts that exist by then. What the
-- usager agreed to is never taken out again, so a mandate that lapsed after consent still shows it.

CREATE TABLE mandate (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    proposed_by TEXT NOT NULL REFERENCES aidant (id),
    usager_id TEXT REFERENCES usager (id),
    state TEXT NOT NULL CHECK (state IN ('proposed', 'consented', 'active', 'ended', 'refused', 'lapsed')),
    seq BIGINT NOT NULL CHECK (seq >= 1),
    term TEXT NOT NULL CHECK (term IN ('day', 'month', 'six_months', 'year') OR term LIKE 'until ____-__-__'),
    terms TEXT NOT NULL,
    catalogue TEXT NOT NULL,
    proposed_at BIGINT NOT NULL,
    lapses_at BIGINT NOT NULL,
    text_hash TEXT CHECK (length(text_hash) = 64),
    consented_at BIGINT,
    identified_at BIGINT,
    identity_level TEXT,
    language TEXT,
    channel TEXT CHECK (channel IN ('in_presence')),
    accepted_by TEXT REFERENCES aidant (id),
    starts_at BIGINT,
    ends_at BIGINT,
    ended_at BIGINT,
    end_reason TEXT CHECK (end_reason IN
        ('revoked', 'renounced', 'ended_by_organisation', 'expired', 'deceased', 'protected')),
    closed_at BIGINT,
    verification_code_hash TEXT UNIQUE,
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT mandate_consent_whole CHECK (
        (consented_at IS NULL) = (usager_id IS NULL) AND (consented_at IS NULL) = (text_hash IS NULL)
        AND (consented_at IS NULL) = (identified_at IS NULL) AND (consented_at IS NULL) = (identity_level IS NULL)
        AND (consented_at IS NULL) = (language IS NULL) AND (consented_at IS NULL) = (channel IS NULL)),
    CONSTRAINT mandate_acceptance_whole CHECK (
        (starts_at IS NULL) = (accepted_by IS NULL) AND (starts_at IS NULL) = (ends_at IS NULL)
        AND (starts_at IS NULL OR (ends_at > starts_at AND consented_at <= starts_at))),
    CONSTRAINT mandate_end_whole CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT mandate_state_whole CHECK (
        (state = 'proposed' AND consented_at IS NULL AND starts_at IS NULL AND ended_at IS NULL AND closed_at IS NULL)
        OR (state = 'consented' AND consented_at IS NOT NULL AND starts_at IS NULL AND ended_at IS NULL AND closed_at IS NULL)
        OR (state = 'active' AND starts_at IS NOT NULL AND ended_at IS NULL AND closed_at IS NULL)
        OR (state = 'ended' AND consented_at IS NOT NULL AND ended_at IS NOT NULL AND closed_at IS NULL)
        OR (state = 'refused' AND consented_at IS NULL AND starts_at IS NULL AND ended_at IS NULL AND closed_at IS NOT NULL)
        OR (state = 'lapsed' AND starts_at IS NULL AND ended_at IS NULL AND closed_at IS NOT NULL))
);
CREATE INDEX mandate_by_organisation ON mandate (organisation_id, state, ends_at);
CREATE INDEX mandate_by_usager ON mandate (usager_id, organisation_id) WHERE usager_id IS NOT NULL;
CREATE INDEX mandate_lapsing ON mandate (lapses_at) WHERE state IN ('proposed', 'consented');
CREATE INDEX mandate_expiring ON mandate (ends_at) WHERE state = 'active';

CREATE TABLE mandate_procedure (
    mandate_id TEXT NOT NULL REFERENCES mandate (id),
    procedure_id TEXT NOT NULL,
    acts TEXT NOT NULL,
    withdrawn_at BIGINT,
    PRIMARY KEY (mandate_id, procedure_id)
);

-- What stands on a mandate's paper beside the mandate: the text as sealed with the proposal (no personal data), and
-- from the acceptance on the verification code, sealed, and the entry that the receipt proves.
CREATE TABLE mandate_paper (
    mandate_id TEXT NOT NULL PRIMARY KEY REFERENCES mandate (id),
    text TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 200000),
    code_sealed BYTEA,
    accepted_event TEXT REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CONSTRAINT mandate_paper_whole CHECK ((code_sealed IS NULL) = (accepted_event IS NULL))
);

-- `sid` is the session's lasting name: it survives the rotation of the session's secret.
CREATE TABLE representation (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    mandate_id TEXT NOT NULL REFERENCES mandate (id),
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    aidant_id TEXT NOT NULL REFERENCES aidant (id),
    usager_id TEXT NOT NULL REFERENCES usager (id),
    client_id TEXT NOT NULL REFERENCES client (id),
    procedure_id TEXT NOT NULL,
    acts TEXT NOT NULL,
    sid TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closed')),
    opened_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    closed_at BIGINT,
    close_reason TEXT CHECK (close_reason IN
        ('signed_out', 'expired', 'revoked', 'ended', 'suspended', 'replayed', 'replaced')),
    outcome TEXT CHECK (length(outcome) BETWEEN 1 AND 64),
    version BIGINT NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (ends_at > opened_at),
    CONSTRAINT representation_state_whole CHECK (
        (state = 'open' AND closed_at IS NULL AND close_reason IS NULL)
        OR (state = 'closed' AND closed_at IS NOT NULL AND close_reason IS NOT NULL))
);
CREATE INDEX representation_by_mandate ON representation (mandate_id, opened_at);
CREATE INDEX representation_by_usager ON representation (usager_id, opened_at);
CREATE INDEX representation_by_aidant ON representation (aidant_id, opened_at);
CREATE INDEX representation_open_by_sid ON representation (sid) WHERE state = 'open';
CREATE INDEX representation_open_by_client ON representation (client_id) WHERE state = 'open';
CREATE INDEX representation_open_by_organisation ON representation (organisation_id) WHERE state = 'open';
CREATE INDEX representation_overdue ON representation (ends_at) WHERE state = 'open';

-- What was asked for and refused, for the usager's own space. Written once. The mandate and the usager
-- may be unknown or foreign, so they are not references.
CREATE TABLE refusal (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    mandate_id TEXT,
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    aidant_id TEXT NOT NULL REFERENCES aidant (id),
    usager_id TEXT,
    client_id TEXT NOT NULL,
    procedure_id TEXT,
    code TEXT NOT NULL,
    at BIGINT NOT NULL,
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX refusal_by_usager ON refusal (usager_id, at) WHERE usager_id IS NOT NULL;
CREATE INDEX refusal_by_mandate ON refusal (mandate_id, at) WHERE mandate_id IS NOT NULL;
CREATE INDEX refusal_by_aidant ON refusal (aidant_id, at);
