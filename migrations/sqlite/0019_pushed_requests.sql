-- Requests that services push (RFC 9126) stay pushed until they are answered; each browser that brings one gets a request of its own.
--
--   pushed (no session) --brought--> a request of that session, pushed_hash --answered--> both used
ALTER TABLE authorization_request ADD COLUMN pushed_hash TEXT;
ALTER TABLE authorization_request ADD COLUMN id_token_hint TEXT;
