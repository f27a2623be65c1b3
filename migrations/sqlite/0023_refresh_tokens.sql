-- A client whose work takes longer than an access token lives may be registered for refresh tokens (RFC 6749, section 6).
-- They stand beside access tokens, so that whatever kills one kills the other; each remembers the code that gave it.
ALTER TABLE client ADD COLUMN refresh TEXT NOT NULL DEFAULT 'none' CHECK (refresh IN ('none', 'within_representation'));
ALTER TABLE access_token ADD COLUMN code_hash TEXT;
