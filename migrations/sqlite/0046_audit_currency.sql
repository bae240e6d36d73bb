-- Amounts in the audit log are minor units: of which currency, stands beside them. NULL where no vendor's money changed,
-- and in lines from before this.
ALTER TABLE audit_log ADD COLUMN currency TEXT;
