-- A plain OpenID Connect client may be registered exempt from PKCE (RFC 7636). Its requests then may come without a
-- challenge, which is kept as an empty text; a verifier for a code without a challenge is refused all the same.
ALTER TABLE client ADD COLUMN pkce TEXT NOT NULL DEFAULT 'demanded' CHECK (pkce IN ('demanded', 'exempt'));
