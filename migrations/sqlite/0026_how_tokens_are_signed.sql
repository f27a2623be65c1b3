-- A client's ID tokens may be signed by any algorithm of our keys (PS256 and EdDSA besides ES256 and RS256), or by its own
-- secret (HS256, OpenID Connect Core, section 10.1). That secret then has to be read again: it rests sealed, besides its hash.
-- SQLite cannot change a CHECK: another column takes the name. The rows say what they said, so no entry vouches for that.
DROP TRIGGER client_change_needs_entry;
ALTER TABLE client ADD COLUMN signed_by TEXT NOT NULL DEFAULT 'ES256'
    CHECK (signed_by IN ('ES256', 'RS256', 'PS256', 'EdDSA', 'HS256'));
UPDATE client SET signed_by = id_token_alg;
ALTER TABLE client DROP COLUMN id_token_alg;
ALTER TABLE client RENAME COLUMN signed_by TO id_token_alg;
CREATE TRIGGER client_change_needs_entry BEFORE UPDATE ON client
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: client'); END;
ALTER TABLE client ADD COLUMN secret_sealed BLOB CHECK ((secret_sealed IS NOT NULL) = (id_token_alg = 'HS256'));
