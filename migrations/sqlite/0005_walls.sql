-- The walls between facts and entries (invariant 2), the same for every fact:
--
-- * a changed row carries another entry than before,
-- * that entry is of this very transaction: one that already has its leaf cannot vouch again,
-- * a fact is never deleted (erasing a person destroys the key, not the row).
--
-- The deferred reference on `last_event` does the rest: the entry exists at commit, or nothing does.

CREATE TRIGGER organisation_change_needs_entry BEFORE UPDATE ON organisation
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: organisation'); END;
CREATE TRIGGER organisation_needs_new_entry BEFORE INSERT ON organisation
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: organisation'); END;
CREATE TRIGGER organisation_never_deleted BEFORE DELETE ON organisation
BEGIN SELECT RAISE(ABORT, 'fact_deleted: organisation'); END;

CREATE TRIGGER aidant_change_needs_entry BEFORE UPDATE ON aidant
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: aidant'); END;
CREATE TRIGGER aidant_needs_new_entry BEFORE INSERT ON aidant
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: aidant'); END;
CREATE TRIGGER aidant_never_deleted BEFORE DELETE ON aidant
BEGIN SELECT RAISE(ABORT, 'fact_deleted: aidant'); END;

CREATE TRIGGER usager_change_needs_entry BEFORE UPDATE ON usager
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: usager'); END;
CREATE TRIGGER usager_needs_new_entry BEFORE INSERT ON usager
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: usager'); END;
CREATE TRIGGER usager_never_deleted BEFORE DELETE ON usager
BEGIN SELECT RAISE(ABORT, 'fact_deleted: usager'); END;

CREATE TRIGGER auditor_change_needs_entry BEFORE UPDATE ON auditor
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: auditor'); END;
CREATE TRIGGER auditor_needs_new_entry BEFORE INSERT ON auditor
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: auditor'); END;
CREATE TRIGGER auditor_never_deleted BEFORE DELETE ON auditor
BEGIN SELECT RAISE(ABORT, 'fact_deleted: auditor'); END;

CREATE TRIGGER reading_change_needs_entry BEFORE UPDATE ON reading
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: reading'); END;
CREATE TRIGGER reading_needs_new_entry BEFORE INSERT ON reading
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: reading'); END;
CREATE TRIGGER reading_never_deleted BEFORE DELETE ON reading
BEGIN SELECT RAISE(ABORT, 'fact_deleted: reading'); END;

CREATE TRIGGER client_change_needs_entry BEFORE UPDATE ON client
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: client'); END;
CREATE TRIGGER client_needs_new_entry BEFORE INSERT ON client
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: client'); END;
CREATE TRIGGER client_never_deleted BEFORE DELETE ON client
BEGIN SELECT RAISE(ABORT, 'fact_deleted: client'); END;

CREATE TRIGGER mandate_change_needs_entry BEFORE UPDATE ON mandate
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: mandate'); END;
CREATE TRIGGER mandate_needs_new_entry BEFORE INSERT ON mandate
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: mandate'); END;
CREATE TRIGGER mandate_never_deleted BEFORE DELETE ON mandate
BEGIN SELECT RAISE(ABORT, 'fact_deleted: mandate'); END;

CREATE TRIGGER representation_change_needs_entry BEFORE UPDATE ON representation
WHEN NEW.last_event = OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: representation'); END;
CREATE TRIGGER representation_needs_new_entry BEFORE INSERT ON representation
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: representation'); END;
CREATE TRIGGER representation_never_deleted BEFORE DELETE ON representation
BEGIN SELECT RAISE(ABORT, 'fact_deleted: representation'); END;

-- A pending factor may be replaced freely; from its confirmation on it is a fact.
CREATE TRIGGER factor_change_needs_entry BEFORE UPDATE ON factor
WHEN (OLD.state = 'confirmed' OR NEW.state = 'confirmed')
    AND (NEW.last_event IS OLD.last_event OR EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event))
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: factor'); END;
CREATE TRIGGER factor_needs_new_entry BEFORE INSERT ON factor
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: factor'); END;
CREATE TRIGGER factor_never_deleted BEFORE DELETE ON factor
BEGIN SELECT RAISE(ABORT, 'fact_deleted: factor'); END;

-- A refusal is written once.
CREATE TRIGGER refusal_needs_new_entry BEFORE INSERT ON refusal
WHEN EXISTS (SELECT 1 FROM leaf WHERE event_id = NEW.last_event)
BEGIN SELECT RAISE(ABORT, 'fact_without_entry: refusal'); END;
CREATE TRIGGER refusal_never_changes BEFORE UPDATE ON refusal
BEGIN SELECT RAISE(ABORT, 'journal_immutable: refusal'); END;
CREATE TRIGGER refusal_never_deleted BEFORE DELETE ON refusal
BEGIN SELECT RAISE(ABORT, 'fact_deleted: refusal'); END;
CREATE TRIGGER refusal_never_replaced BEFORE INSERT ON refusal
WHEN EXISTS (SELECT 1 FROM refusal WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'journal_immutable: refusal'); END;
