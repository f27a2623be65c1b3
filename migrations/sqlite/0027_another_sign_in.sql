-- An aidant whose provider presents them under another sign-in, as after a change of employer, waits for their referent:
--
--   bound --another sign-in--> asked --confirmed--> bound to the other
--                                |--refused or run out--> bound as before
--
-- Until then nobody is let in by it.
ALTER TABLE aidant ADD COLUMN asked_iss TEXT;
ALTER TABLE aidant ADD COLUMN asked_sub TEXT CHECK ((asked_sub IS NULL) = (asked_iss IS NULL) AND (asked_sub IS NULL OR sub IS NOT NULL));
ALTER TABLE aidant ADD COLUMN asked_at INTEGER CHECK ((asked_at IS NULL) = (asked_sub IS NULL));
