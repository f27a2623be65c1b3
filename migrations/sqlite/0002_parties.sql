-- The parties: organisations, their aidants, usagers, auditors, relying parties, and the keys that seal
-- what is personal about them.
--
--   standing:  invited --first sign-in--> active <--reinstate/suspend--> suspended
--   factor:    pending --first right code--> confirmed (locked_until after too many wrong ones)
--   reading:   opened --closed_at-->
--
-- Every fact carries `last_event`, the entry that made it what it is (invariant 2). The reference is
-- deferred, so fact and entry may be written in either order but only committed together; an entry that
-- already has its leaf is history and cannot vouch for a new change.

CREATE TABLE data_key (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('organisation', 'aidant', 'usager', 'auditor', 'mandate', 'system')),
    subject_id TEXT NOT NULL,
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (kind, subject_id)
) STRICT;

CREATE TABLE organisation (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    siret TEXT NOT NULL UNIQUE CHECK (length(siret) = 14),
    standing TEXT NOT NULL CHECK (standing IN ('invited', 'active', 'suspended')),
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE aidant (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    role TEXT NOT NULL CHECK (role IN ('aidant', 'referent')),
    standing TEXT NOT NULL CHECK (standing IN ('invited', 'active', 'suspended')),
    email_blind TEXT NOT NULL UNIQUE,
    identity_sealed BLOB NOT NULL,
    identity_key TEXT NOT NULL,
    iss TEXT,
    sub TEXT,
    invited_at INTEGER NOT NULL,
    invite_expires_at INTEGER NOT NULL,
    activated_at INTEGER,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (iss, sub),
    CHECK ((iss IS NULL) = (sub IS NULL) AND (iss IS NULL) = (activated_at IS NULL)),
    CHECK (standing <> 'active' OR iss IS NOT NULL),
    CHECK (standing <> 'invited' OR iss IS NULL)
) STRICT;
CREATE INDEX aidant_by_organisation ON aidant (organisation_id, id);

-- aidant_id is '' when the procedure is closed for the whole organisation.
CREATE TABLE closed_procedure (
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    aidant_id TEXT NOT NULL,
    procedure_id TEXT NOT NULL,
    PRIMARY KEY (organisation_id, aidant_id, procedure_id)
) STRICT, WITHOUT ROWID;

-- A pending factor opens nothing, so it is a working row until its first right code.
CREATE TABLE factor (
    aidant_id TEXT NOT NULL PRIMARY KEY REFERENCES aidant (id),
    state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed')),
    seed_sealed BLOB NOT NULL,
    last_step INTEGER NOT NULL,
    failures INTEGER NOT NULL CHECK (failures >= 0),
    locked_until INTEGER,
    confirmed_at INTEGER,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CHECK ((state = 'confirmed') = (confirmed_at IS NOT NULL)),
    CHECK (state = 'pending' OR last_event IS NOT NULL)
) STRICT;

CREATE TABLE recovery_code (
    aidant_id TEXT NOT NULL REFERENCES aidant (id),
    code_hash TEXT NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (aidant_id, code_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE usager (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    iss TEXT NOT NULL,
    sub TEXT NOT NULL,
    identity_sealed BLOB NOT NULL,
    identity_key TEXT NOT NULL,
    first_seen_at INTEGER NOT NULL,
    identified_at INTEGER NOT NULL,
    identity_level TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (iss, sub),
    CHECK (identified_at >= first_seen_at)
) STRICT;

-- How an organisation finds a person again by name and birth date: never across organisations.
CREATE TABLE usager_index (
    organisation_id TEXT NOT NULL REFERENCES organisation (id),
    blind TEXT NOT NULL,
    usager_id TEXT NOT NULL REFERENCES usager (id),
    PRIMARY KEY (organisation_id, blind, usager_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX usager_index_by_usager ON usager_index (usager_id);

CREATE TABLE auditor (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    standing TEXT NOT NULL CHECK (standing IN ('invited', 'active', 'suspended')),
    email_blind TEXT NOT NULL UNIQUE,
    identity_sealed BLOB NOT NULL,
    identity_key TEXT NOT NULL,
    iss TEXT,
    sub TEXT,
    invited_at INTEGER NOT NULL,
    invite_expires_at INTEGER NOT NULL,
    activated_at INTEGER,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    UNIQUE (iss, sub),
    CHECK ((iss IS NULL) = (sub IS NULL) AND (iss IS NULL) = (activated_at IS NULL)),
    CHECK (standing <> 'active' OR iss IS NOT NULL),
    CHECK (standing <> 'invited' OR iss IS NULL)
) STRICT;

CREATE TABLE reading (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 32),
    auditor_id TEXT NOT NULL REFERENCES auditor (id),
    purpose_sealed BLOB NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CHECK (closed_at IS NULL OR closed_at >= opened_at)
) STRICT;
CREATE INDEX reading_by_auditor ON reading (auditor_id, opened_at);

-- Lists are newline-joined text.
CREATE TABLE client (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    standing TEXT NOT NULL CHECK (standing IN ('invited', 'active', 'suspended')),
    profile TEXT NOT NULL,
    auth_method TEXT NOT NULL CHECK (auth_method IN ('client_secret_basic', 'client_secret_post', 'private_key_jwt')),
    secret_hash TEXT,
    jwks TEXT,
    id_token_alg TEXT NOT NULL CHECK (id_token_alg IN ('ES256', 'RS256')),
    redirect_uris TEXT NOT NULL CHECK (length(redirect_uris) > 0),
    post_logout_redirect_uris TEXT NOT NULL,
    scopes TEXT NOT NULL,
    procedures TEXT NOT NULL,
    sector TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL CHECK (version >= 1),
    last_event TEXT NOT NULL REFERENCES event (event_id) DEFERRABLE INITIALLY DEFERRED,
    CHECK ((auth_method = 'private_key_jwt') = (jwks IS NOT NULL)),
    CHECK ((auth_method = 'private_key_jwt') = (secret_hash IS NULL))
) STRICT;
