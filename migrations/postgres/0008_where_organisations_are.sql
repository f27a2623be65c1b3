-- Where an organisation is and how to reach it: a printed mandate states the place, and whom to tell that it ends.
-- Organisations from before this step have none.
ALTER TABLE organisation ADD COLUMN address TEXT CHECK (length(address) BETWEEN 1 AND 200);
ALTER TABLE organisation ADD COLUMN town TEXT CHECK (length(town) BETWEEN 1 AND 200);
ALTER TABLE organisation ADD COLUMN telephone TEXT CHECK (length(telephone) BETWEEN 1 AND 40);
