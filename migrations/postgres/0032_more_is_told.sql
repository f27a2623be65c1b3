-- A usager is told of more: the account of their mandate once it has ended (Code civil art. 1993), that it ends in a month or
-- in a week, that it was not used for long. Each of these once for a mandate, however many replicas look: the index holds it.
-- The rows say what they said, so no entry vouches for that.
ALTER TABLE notice DROP CONSTRAINT notice_kind_check;
ALTER TABLE notice ADD CONSTRAINT notice_kind_check CHECK (kind IN ('receipt', 'ended', 'withdrawn', 'statement', 'ends_in_a_month', 'ends_in_a_week', 'unused'));
ALTER TABLE notice DROP CONSTRAINT notice_about;
ALTER TABLE notice ADD CONSTRAINT notice_about CHECK (
        (kind = 'receipt') = (representation_id IS NOT NULL) AND (kind = 'withdrawn') = (procedure_id IS NOT NULL));
CREATE UNIQUE INDEX notice_once ON notice (mandate_id, kind)
    WHERE kind IN ('statement', 'ends_in_a_month', 'ends_in_a_week', 'unused');
