-- On PostgreSQL this step leaves room for rows that change often. SQLite changes rows in place.
SELECT 1;
