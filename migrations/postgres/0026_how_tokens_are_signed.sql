-- A client's ID tokens may be signed by any algorithm of our keys (PS256 and EdDSA besides ES256 and RS256), or by its own
-- secret (HS256, OpenID Connect Core, section 10.1). That secret then has to be read again: it rests sealed, besides its hash.
ALTER TABLE client DROP CONSTRAINT client_id_token_alg_check;
ALTER TABLE client ADD CONSTRAINT client_id_token_alg_check
    CHECK (id_token_alg IN ('ES256', 'RS256', 'PS256', 'EdDSA', 'HS256'));
ALTER TABLE client ADD COLUMN secret_sealed BYTEA CHECK ((secret_sealed IS NOT NULL) = (id_token_alg = 'HS256'));
