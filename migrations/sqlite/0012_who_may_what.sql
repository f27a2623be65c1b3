-- On PostgreSQL this step separates roles. SQLite has none: whoever can open its file can do everything, and the walls of
-- 0001 and 0005 and verification are what there is.
SELECT 1;
