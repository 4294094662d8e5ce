-- INSERT OR REPLACE deletes the row that is in its way without the trigger against deletions.
CREATE TRIGGER audit_is_not_replaced BEFORE INSERT ON audit
WHEN EXISTS (SELECT 1 FROM audit WHERE number >= NEW.number)
BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
