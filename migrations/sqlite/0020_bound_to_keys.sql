-- What is bound to a key of the service's (RFC 9449), by the key's thumbprint: a code to the one its request named or was pushed
-- with, a token to the one that proved itself when the code was exchanged.
ALTER TABLE authorization_request ADD COLUMN dpop_jkt TEXT;
ALTER TABLE authorization_code ADD COLUMN dpop_jkt TEXT;
ALTER TABLE access_token ADD COLUMN dpop_jkt TEXT;
