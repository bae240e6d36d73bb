-- The audit log holds every change of money and access, with what was before and after, and nothing takes a line out of it.

-- JSON; NULL where there is none.
ALTER TABLE audit_log ADD COLUMN was TEXT;
ALTER TABLE audit_log ADD COLUMN became TEXT;

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;
