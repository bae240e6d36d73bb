-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- What a key may do, of which vendor, and until when. Keys from before do what they did: all that their user may, without end.

ALTER TABLE api_keys ADD COLUMN scope TEXT COLLATE "C" NOT NULL DEFAULT 'write' CHECK (scope IN ('read', 'write', 'ingest'));
-- Of an ingesting key: the one vendor that it writes for; NULL for all of them.
ALTER TABLE api_keys ADD COLUMN vendor_id BIGINT REFERENCES vendors (id);
ALTER TABLE api_keys ADD COLUMN expires_us BIGINT;
