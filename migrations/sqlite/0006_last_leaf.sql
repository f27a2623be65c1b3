-- Each entry of a mandate's history tells the leaf hash of the one before it. The row keeps the last one, so that the next
-- entry need not look it up. Rows from before this step have none: then it is looked up.
ALTER TABLE mandate ADD COLUMN last_leaf TEXT CHECK (length(last_leaf) = 64);
