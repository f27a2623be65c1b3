-- Which checkpoint came before each, signed by the journal's key: one taken from between two others is missed then.
--
--   checkpoint 5 <--link-- checkpoint 9 <--link-- checkpoint 12
--
-- Rows from before this step have none, and the first one after it begins the chain.
ALTER TABLE checkpoint ADD COLUMN link TEXT;
