-- Whom an aidant helped last is asked at each use of a mandate: the index alone answers.
DROP INDEX representation_by_aidant;
CREATE INDEX representation_by_aidant ON representation (aidant_id, opened_at, usager_id);
