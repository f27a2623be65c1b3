-- Who else has seen a checkpoint (C2SP tlog-cosignature): insert-only, beside the tree.
--
--   checkpoint --(submitted to a witness)--> cosignature
--
-- `vkey` is the witness's key as it was when it cosigned, so that each line can be verified for ever. A witness asked again about the same checkpoint says
-- again that it is the newest: a further row.

CREATE TABLE cosignature (
    size BIGINT NOT NULL REFERENCES checkpoint (size),
    vkey TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (size, vkey, seen_at)
);

CREATE TRIGGER cosignature_never_changes BEFORE UPDATE OR DELETE ON cosignature FOR EACH ROW EXECUTE FUNCTION journal_refuse();
ALTER TABLE cosignature ENABLE ALWAYS TRIGGER cosignature_never_changes;
CREATE TRIGGER cosignature_never_truncated BEFORE TRUNCATE ON cosignature FOR EACH STATEMENT EXECUTE FUNCTION journal_refuse();
ALTER TABLE cosignature ENABLE ALWAYS TRIGGER cosignature_never_truncated;

GRANT SELECT, INSERT ON cosignature TO porteplume_service;
