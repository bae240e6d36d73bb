-- As ../sqlite, in this database's words; texts compare by their bytes (COLLATE "C"), as they do there.
-- Who made a link to choose a password with: a user's address, or `cli`. Of links from before, nobody knows.
ALTER TABLE password_resets ADD COLUMN made_by TEXT COLLATE "C";
