-- Services are told that a representation has ended: a logout token (OpenID Connect Back-Channel Logout) and a security
-- event (RFC 8417, pushed as RFC 8935 says). The message is written with the fact and sent after the commit.
--
--   outbox: waiting --answered--> gone; representation.told_at and acknowledged_at, with an entry
--           waiting --no answer--> waiting, later and later (the first time: representation.told_at, with an entry)
--           waiting --a day without answer--> gone, with an entry
--
-- "Ended at" and "known at" are two facts (Code civil art. 2005, 2008): told_at is when we first spoke, acknowledged_at
-- when the service answered.

ALTER TABLE client ADD COLUMN logout_uri TEXT;
ALTER TABLE client ADD COLUMN events_uri TEXT;

ALTER TABLE representation ADD COLUMN told_at INTEGER;
ALTER TABLE representation ADD COLUMN acknowledged_at INTEGER
    CHECK (acknowledged_at IS NULL OR (told_at IS NOT NULL AND acknowledged_at >= told_at AND state = 'closed'));

CREATE TABLE outbox (
    message_id TEXT NOT NULL PRIMARY KEY CHECK (length(message_id) = 32),
    kind TEXT NOT NULL CHECK (kind IN ('logout_token', 'security_event')),
    representation_id TEXT NOT NULL REFERENCES representation (id),
    created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    next_at INTEGER NOT NULL
) STRICT;
CREATE INDEX outbox_by_next ON outbox (next_at, message_id);
