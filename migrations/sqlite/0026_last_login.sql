-- When somebody logged in last is the newest of their lines in the audit log: found without reading the others.
CREATE INDEX audit_log_by_actor ON audit_log (actor, action, at_us);
