-- Who else has seen a checkpoint (C2SP tlog-cosignature): insert-only, beside the tree.
--
--   checkpoint --(submitted to a witness)--> cosignature
--
-- `vkey` is the witness's key as it was when it cosigned, so that each line can be verified for ever. A witness asked again about the same checkpoint says
-- again that it is the newest: a further row.

CREATE TABLE cosignature (
    size INTEGER NOT NULL REFERENCES checkpoint (size),
    vkey TEXT NOT NULL,
    seen_at INTEGER NOT NULL,
    line TEXT NOT NULL,
    PRIMARY KEY (size, vkey, seen_at)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER cosignature_never_changes BEFORE UPDATE ON cosignature
BEGIN SELECT RAISE(ABORT, 'journal_immutable: cosignature'); END;
CREATE TRIGGER cosignature_never_deleted BEFORE DELETE ON cosignature
BEGIN SELECT RAISE(ABORT, 'journal_immutable: cosignature'); END;
CREATE TRIGGER cosignature_never_replaced BEFORE INSERT ON cosignature
WHEN EXISTS (SELECT 1 FROM cosignature WHERE size = NEW.size AND vkey = NEW.vkey AND seen_at = NEW.seen_at)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: cosignature'); END;
