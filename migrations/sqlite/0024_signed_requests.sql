-- A client may be registered to sign its authorization requests (RFC 9101), and may ask for a signed answer (JARM), which
-- has to be known until it is given.
ALTER TABLE client ADD COLUMN request_objects TEXT NOT NULL DEFAULT 'optional'
    CHECK (request_objects IN ('optional', 'demanded'));
ALTER TABLE authorization_request ADD COLUMN response_mode TEXT;
