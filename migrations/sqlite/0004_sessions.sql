-- Working rows: sessions, flows, codes, tokens. No history of their own; each is used once or dies.
--
--   session:   anonymous --sign in--> aidant | usager | auditor
--              aidant --hand over--> handed_over --answer--> locked --second factor--> aidant
--   login_flow, authorization_request, authorization_code:  made --used_at--> used (once), or expires
--   access_token:  issued --revoked_at--> revoked, or expires
--
-- Rotation changes `id_hash`; what hangs on the session follows by ON UPDATE CASCADE.

CREATE TABLE session (
    id_hash TEXT NOT NULL PRIMARY KEY,
    sid TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('anonymous', 'aidant', 'handed_over', 'locked', 'usager', 'auditor')),
    aidant_id TEXT REFERENCES aidant (id),
    usager_id TEXT REFERENCES usager (id),
    auditor_id TEXT REFERENCES auditor (id),
    reading_id TEXT REFERENCES reading (id),
    mandate_id TEXT REFERENCES mandate (id),
    provider_sub TEXT,
    authenticated_at INTEGER,
    factor_at INTEGER,
    identified_at INTEGER,
    identity_level TEXT,
    usager_level TEXT,
    csrf BLOB NOT NULL CHECK (length(csrf) = 32),
    language TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    id_token_hint_sealed BLOB,
    CONSTRAINT session_kind_whole CHECK (
        (kind = 'anonymous' AND aidant_id IS NULL AND usager_id IS NULL AND auditor_id IS NULL AND mandate_id IS NULL)
        OR (kind = 'aidant' AND aidant_id IS NOT NULL AND authenticated_at IS NOT NULL AND usager_id IS NULL AND auditor_id IS NULL)
        OR (kind IN ('handed_over', 'locked') AND aidant_id IS NOT NULL AND mandate_id IS NOT NULL AND auditor_id IS NULL)
        OR (kind = 'usager' AND usager_id IS NOT NULL AND authenticated_at IS NOT NULL AND aidant_id IS NULL AND auditor_id IS NULL)
        OR (kind = 'auditor' AND auditor_id IS NOT NULL AND authenticated_at IS NOT NULL AND aidant_id IS NULL AND usager_id IS NULL))
) STRICT;
CREATE INDEX session_by_end ON session (ends_at);
CREATE INDEX session_by_aidant ON session (aidant_id) WHERE aidant_id IS NOT NULL;
CREATE INDEX session_by_auditor ON session (auditor_id) WHERE auditor_id IS NOT NULL;

CREATE TABLE login_flow (
    state_hash TEXT NOT NULL PRIMARY KEY,
    session_hash TEXT NOT NULL REFERENCES session (id_hash) ON UPDATE CASCADE ON DELETE CASCADE,
    provider TEXT NOT NULL,
    purpose TEXT NOT NULL,
    nonce_sealed BLOB NOT NULL,
    verifier_sealed BLOB NOT NULL,
    return_to TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX login_flow_by_session ON login_flow (session_hash);
CREATE INDEX login_flow_by_end ON login_flow (expires_at);

-- Pushed by a service before any browser is seen (PAR), or made at /authorize; bound to one session.
CREATE TABLE authorization_request (
    id_hash TEXT NOT NULL PRIMARY KEY,
    session_hash TEXT REFERENCES session (id_hash) ON UPDATE CASCADE ON DELETE CASCADE,
    client_id TEXT NOT NULL REFERENCES client (id),
    redirect_uri TEXT NOT NULL,
    state TEXT,
    nonce TEXT,
    code_challenge TEXT NOT NULL,
    scope TEXT NOT NULL,
    prompt TEXT,
    max_age INTEGER,
    login_hint TEXT,
    ui_locales TEXT,
    acr_values TEXT,
    claims TEXT,
    authorization_details TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX authorization_request_by_session ON authorization_request (session_hash) WHERE session_hash IS NOT NULL;
CREATE INDEX authorization_request_by_end ON authorization_request (expires_at);

CREATE TABLE authorization_code (
    code_hash TEXT NOT NULL PRIMARY KEY,
    representation_id TEXT NOT NULL REFERENCES representation (id),
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    nonce TEXT,
    scope TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    aidant_level TEXT NOT NULL,
    event_id TEXT NOT NULL,
    sid TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX authorization_code_by_representation ON authorization_code (representation_id);
CREATE INDEX authorization_code_by_end ON authorization_code (expires_at);

CREATE TABLE access_token (
    token_hash TEXT NOT NULL PRIMARY KEY,
    representation_id TEXT NOT NULL REFERENCES representation (id),
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX access_token_by_representation ON access_token (representation_id);
CREATE INDEX access_token_by_end ON access_token (expires_at);

-- Client assertions seen, so that each works once.
CREATE TABLE used_assertion (
    client_id TEXT NOT NULL,
    jti_hash TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (client_id, jti_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_assertion_by_end ON used_assertion (expires_at);

-- `result` is empty while the first request is still at work within its own transaction.
CREATE TABLE idempotency (
    key_hash TEXT NOT NULL PRIMARY KEY,
    actor TEXT NOT NULL,
    name TEXT NOT NULL,
    result TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_time ON idempotency (created_at);
