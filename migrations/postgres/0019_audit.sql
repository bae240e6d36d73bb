-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- The audit log holds every change of money and access, with what was before and after, and nothing takes a line out of it.

-- JSON; NULL where there is none.
ALTER TABLE audit_log ADD COLUMN was TEXT COLLATE "C";
ALTER TABLE audit_log ADD COLUMN became TEXT COLLATE "C";

CREATE FUNCTION refuse_change_of_audit_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append only';
END
$$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change_of_audit_log();
CREATE TRIGGER audit_log_no_truncate BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change_of_audit_log();
