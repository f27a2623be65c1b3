-- Rows that change often get room on their page for the changed version: then no index changes with them, and fewer
-- serialisable transactions meet there. SQLite changes rows in place; its step of this number does nothing.
ALTER TABLE mandate SET (fillfactor = 50);
ALTER TABLE representation SET (fillfactor = 50);
ALTER TABLE authorization_request SET (fillfactor = 50);
ALTER TABLE authorization_code SET (fillfactor = 50);
ALTER TABLE access_token SET (fillfactor = 50);
ALTER TABLE session SET (fillfactor = 50);
